// The operations on single files: reading without blocking on a pipe, replacing by renaming, and locking.

package dirstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// readDocument reads a whole file and returns the time at which it was last modified.
func (d *Dir) readDocument(path string, maxBytes int64) (string, time.Time, error) {
	f, info, err := d.openRegular(path)
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() { _ = f.Close() }() // the file was only read
	if info.Size() > maxBytes {
		return "", time.Time{}, fmt.Errorf("file has %d bytes, more than %d", info.Size(), maxBytes)
	}
	document, err := readUnchanged(f, info)
	return document, info.ModTime(), err
}

// readProvenance reads the provenance of the document at path.
func (d *Dir) readProvenance(path string) (string, error) {
	f, _, err := d.openRegular(path + ProvenanceSuffix)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // the file was only read
	provenance, err := io.ReadAll(io.LimitReader(f, maxProvenance))
	return string(provenance), err
}

// openRegular opens a regular file for reading. Anything else, such as a pipe, is refused. The file is opened in
// non-blocking mode, because a pipe may replace it after it was checked, and opening a pipe blocks until it is written to.
func (d *Dir) openRegular(path string) (file, fs.FileInfo, error) {
	info, err := d.sys.stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe or a device has effects on others
		return nil, nil, notRegular(info)
	}
	f, err := d.sys.openFile(path, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err = checkRegular(f)
	return f, info, err
}

// checkRegular returns the description of an open file. It closes the file if that is not a regular file.
func checkRegular(f file) (fs.FileInfo, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(info)
	}
	if err != nil {
		_ = f.Close() // the first error is returned
		return nil, err
	}
	return info, nil
}

func notRegular(info fs.FileInfo) error {
	return fmt.Errorf("not a regular file: %s", info.Mode())
}

// readUnchanged reads an open file. It returns an error if the file changed while it was being read. If a program writes in
// place, the start of one document and the end of the next could otherwise be read, which may be valid JSON together.
func readUnchanged(f file, info fs.FileInfo) (string, error) {
	var body strings.Builder
	body.Grow(int(info.Size()))
	if _, err := io.Copy(&body, io.LimitReader(f, info.Size()+1)); err != nil {
		return "", err
	}
	after, err := f.Stat()
	if err != nil {
		return "", err
	}
	if int64(body.Len()) != info.Size() || after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return "", errors.New("file changed while it was being read")
	}
	return body.String(), nil
}

// content is what a file is to contain.
type content struct {
	path, text string
}

// replace puts the contents in the place of the files. All of them are on the disk before the first file is replaced. ctx
// is checked before each replacement: if the file system hangs and continues after ctx is done, another process may have
// written newer files.
func (d *Dir) replace(ctx context.Context, contents ...content) error {
	temporary := make([]string, 0, len(contents))
	defer func() {
		for _, path := range temporary {
			_ = d.sys.remove(path) // it does not exist if it was renamed
		}
	}()
	for _, c := range contents {
		path, err := d.writeTemporary(c.text)
		if err != nil {
			return err
		}
		temporary = append(temporary, path)
	}
	for len(temporary) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.sys.rename(temporary[0], contents[0].path); err != nil {
			return err
		}
		temporary, contents = temporary[1:], contents[1:]
	}
	return d.syncDirectory()
}

// writeTemporary writes a new temporary file to the disk and returns its path. If it fails, no file is left.
func (d *Dir) writeTemporary(text string) (path string, err error) {
	f, path, err := d.createTemporary()
	if errors.Is(err, fs.ErrNotExist) { // the directory has been removed
		if err = d.sys.mkdirAll(d.path); err == nil {
			f, path, err = d.createTemporary()
		}
	}
	if err != nil {
		return "", err
	}
	if _, err = io.WriteString(f, text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = d.sys.remove(path) // the first error is returned
		return "", err
	}
	return path, nil
}

// createTemporary creates an empty temporary file. os.CreateTemp would permit access to its owner only, whatever the umask.
func (d *Dir) createTemporary() (file, string, error) {
	path := filepath.Join(d.path, strings.Replace(tempPattern, "*", rand.Text(), 1))
	f, err := d.sys.openFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	return f, path, err
}

// syncDirectory writes the names of the directory to the disk. Systems and file systems that cannot do that are ignored.
func (d *Dir) syncDirectory() error {
	if !canSyncDirectory {
		return nil
	}
	f, err := d.sys.openFile(d.path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrPermission) { // a directory may be written to and not be readable
		return nil
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// lock locks the lock file at path and returns the file, or nil if the lock is held. The file is created if it does not
// exist. If the file belongs to another user, it may not be writable; it is then opened for reading, which is sufficient
// for a lock.
func (d *Dir) lock(path string) (file, error) {
	f, err := d.sys.openFile(path, os.O_RDWR|os.O_CREATE|nonBlock, 0o666)
	if d.sub && errors.Is(err, fs.ErrNotExist) {
		if err = d.sys.mkdirAll(d.path); err == nil {
			f, err = d.sys.openFile(path, os.O_RDWR|os.O_CREATE|nonBlock, 0o666)
		}
	}
	if err != nil {
		var readErr error
		if f, readErr = d.sys.openFile(path, os.O_RDONLY|nonBlock, 0); readErr != nil {
			return nil, err
		}
	}
	if _, err := checkRegular(f); err != nil {
		return nil, err
	}
	locked, err := d.sys.flock(f)
	if err != nil || !locked {
		_ = f.Close() // it is not locked
		return nil, err
	}
	return f, nil
}
