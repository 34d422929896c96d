// The store in a cache directory: documents written whole or not at all, in the layout that the Python library reads.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// noteSuffix is what the name of the file with the note has behind the document's own.
const noteSuffix = ".modelref"

// maxNote bounds how much of a note is read.
const maxNote = 64 << 10

// tempPattern names the files that are not finished. A dot in front hides them from whoever lists the documents.
const tempPattern = ".modelref-*.tmp"

// abandonedAfter is the age at which an unfinished file has surely lost its writer.
const abandonedAfter = time.Hour

// directory is the Store of WithCacheDir. Its files hold nobody up, so it looks at no context.
type directory struct {
	path string
}

// DirectoryStore returns the Store that WithCacheDir uses, for a Store of one's own that has a directory behind it. It makes
// the directory and checks it for writing.
func DirectoryStore(path string) (Store, error) {
	dir := &directory{path: path}
	if err := dir.check(); err != nil {
		return nil, fmt.Errorf("modelref: DirectoryStore: %w", err)
	}
	dir.removeAbandoned()
	return dir, nil
}

func (d *directory) String() string { return d.path }

// check makes the directory and sees whether it can be written to.
func (d *directory) check() error {
	if err := os.MkdirAll(d.path, 0o755); err != nil { //nolint:gosec // shared with other programs, as the Python library does
		return err
	}
	return writable(d.path)
}

// removeAbandoned deletes the unfinished files that a killed writer left behind.
func (d *directory) removeAbandoned() {
	entries, _ := os.ReadDir(d.path) // what can be read of it
	for _, entry := range entries {
		if ours, _ := filepath.Match(tempPattern, entry.Name()); !ours { // the pattern is well formed
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > abandonedAfter {
			_ = os.Remove(filepath.Join(d.path, entry.Name())) // another process may have been quicker
		}
	}
}

// write puts a file in its place by renaming, so that a reader sees the old one or the new one, whole.
func (d *directory) write(name, content string) (err error) {
	file, err := os.CreateTemp(d.path, tempPattern)
	if errors.Is(err, fs.ErrNotExist) { // the directory was removed meanwhile
		if err = os.MkdirAll(d.path, 0o755); err == nil { //nolint:gosec // as check does
			file, err = os.CreateTemp(d.path, tempPattern)
		}
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // the first error is the one to tell
		}
	}()
	_, err = io.WriteString(file, content)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(d.path, name))
}

// fileOf returns the name of the category's file. Names from the network never choose one.
func fileOf(category Category) (string, error) {
	name := category.FileName()
	if name == "" {
		return "", fmt.Errorf("%w: %q", ErrUnknownCategory, category)
	}
	return name, nil
}

// Read returns the document and the note. A document that somebody else has put there is as old as its file.
func (d *directory) Read(_ context.Context, category Category, maxBytes int64) (StoredDocument, error) {
	name, err := fileOf(category)
	if err != nil {
		return StoredDocument{}, err
	}
	path := filepath.Join(d.path, name)
	file, info, err := openRegular(path)
	if err != nil {
		return StoredDocument{}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	if info.Size() > maxBytes {
		return StoredDocument{}, fmt.Errorf("%s: more than %d bytes", path, maxBytes)
	}
	document, err := readUnchanged(file, info)
	if err != nil {
		return StoredDocument{}, fmt.Errorf("%s: %w", path, err)
	}
	note, _ := d.note(name) // without one the document still stands
	return StoredDocument{Document: document, Note: note, WrittenAt: info.ModTime()}, nil
}

// ReadNote returns the note alone.
func (d *directory) ReadNote(_ context.Context, category Category) (string, error) {
	name, err := fileOf(category)
	if err != nil {
		return "", err
	}
	if err := d.has(name); err != nil {
		return "", err
	}
	return d.note(name)
}

// has reports the error where there is no document of that name: a note alone is worth nothing.
func (d *directory) has(name string) error {
	_, err := os.Stat(filepath.Join(d.path, name))
	return err
}

func (d *directory) note(name string) (string, error) {
	file, _, err := openRegular(filepath.Join(d.path, name+noteSuffix))
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	note, err := io.ReadAll(io.LimitReader(file, maxNote))
	return string(note), err
}

// Write replaces the document, then the note. Whoever reads in between finds a note of another document.
func (d *directory) Write(_ context.Context, category Category, document, note string) error {
	name, err := fileOf(category)
	if err != nil {
		return err
	}
	if err := d.write(name, document); err != nil {
		return err
	}
	return d.write(name+noteSuffix, note)
}

// WriteNote replaces the note alone.
func (d *directory) WriteNote(_ context.Context, category Category, note string) error {
	name, err := fileOf(category)
	if err != nil {
		return err
	}
	if err := d.has(name); err != nil {
		return err
	}
	return d.write(name+noteSuffix, note)
}

// TryLock takes the category's lock file, which the system lets go of when the process ends, whatever the lease.
func (d *directory) TryLock(_ context.Context, category Category, _ time.Duration) (release func(), err error) {
	name, err := fileOf(category)
	if err != nil {
		return nil, err
	}
	return tryLock(filepath.Join(d.path, "."+name+".lock"))
}

// openRegular opens a file to read it. Anything else, as a pipe, is refused before it could block.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: not a regular file", path)
	}
	file, err := os.Open(path) //nolint:gosec // the name is a constant of the category
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, nil, err
	}
	return file, info, nil
}

// readUnchanged reads a file that nobody writes to meanwhile. Programs that write in place could otherwise make us read
// the start of one document and the end of the next, which may well be valid JSON together.
func readUnchanged(file *os.File, info fs.FileInfo) (string, error) {
	var body strings.Builder
	body.Grow(int(info.Size()))
	if _, err := io.Copy(&body, io.LimitReader(file, info.Size()+1)); err != nil {
		return "", err
	}
	after, err := file.Stat()
	if err != nil {
		return "", err
	}
	if int64(body.Len()) != info.Size() || after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return "", errors.New("somebody is writing to it")
	}
	return body.String(), nil
}
