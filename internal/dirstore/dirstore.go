// Package dirstore keeps documents in a directory that several programs may share.
//
// A document NAME is stored byte for byte in the file NAME, and its provenance in the file NAME.modelref. Files are
// replaced by renaming, so that a reader gets the old file or the new file and never a part of one.
//
// A file system can hang, for example if a network drive is not reachable. A system call on it then blocks beyond every
// context. Each operation therefore runs on a goroutine of its own, and returns when its context is done. The goroutine
// continues until the system call returns. While such a goroutine exists, further operations fail at once with [ErrHung],
// so that their number stays small.
package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

const (
	// ProvenanceSuffix is appended to the file name of a document and gives the file name of its provenance.
	ProvenanceSuffix = ".modelref"

	// maxProvenance is the maximum size of a provenance that is read.
	maxProvenance = 64 << 10
	// tempPattern matches the names of temporary files. The leading dot hides them from programs that list documents.
	tempPattern = ".modelref-*.tmp"
	// abandonedAge is the age of a temporary file at which its writer has certainly ended.
	abandonedAge = time.Hour
	// setupTimeout limits the operations that have no context.
	setupTimeout = 2 * time.Second
)

// A Dir is a directory with documents. It is safe for concurrent use. Make it with Open.
type Dir struct {
	path string
	sys  fileSystem
	ops  *operations
	sub  bool // the directory is inside another one, and is created when it is needed
}

// Open returns the Dir of a directory, which it creates if it does not exist. A relative path is resolved at once, so that
// a later change of the working directory has no effect. Temporary files that a killed process has left are removed.
//
// Open succeeds if the directory exists and cannot be written to. If the file system does not respond within two
// seconds, Open also succeeds, and operations return ErrHung until the file system responds.
func Open(path string) (*Dir, error) { return open(path, system{}) }

func open(path string, sys fileSystem) (*Dir, error) {
	if path == "" {
		return nil, errors.New("the path of the directory must not be empty")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: absolute, sys: sys, ops: new(operations)}
	err = d.setUp("open", func() error {
		if err := sys.mkdirAll(d.path); err != nil {
			return err
		}
		d.removeAbandoned()
		return nil
	})
	if err != nil && !errors.Is(err, ErrHung) {
		return nil, err
	}
	return d, nil
}

// Sub returns the Dir of a directory inside d. It is created when it is needed for a document or a
// lock.
func (d *Dir) Sub(name string) (*Dir, error) {
	path, err := d.file(name)
	if err != nil {
		return nil, err
	}
	sub := &Dir{path: path, sys: d.sys, ops: d.ops, sub: true}
	err = sub.setUp("open", func() error {
		sub.removeAbandoned()
		return nil
	})
	if err != nil && !errors.Is(err, ErrHung) {
		return nil, err
	}
	return sub, nil
}

// setUp runs an operation that has no context.
func (d *Dir) setUp(what string, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), setupTimeout, ErrHung)
	defer cancel()
	return d.ops.do(ctx, what+" "+d.path, do)
}

// removeAbandoned removes temporary files whose writer was killed. Its errors are ignored: another process may remove the
// same files, and a directory that cannot be written to keeps them.
func (d *Dir) removeAbandoned() {
	var clk clock.Clock
	entries, _ := d.sys.readDir(d.path)
	for _, entry := range entries {
		if ours, _ := filepath.Match(tempPattern, entry.Name()); !ours { // the pattern is valid
			continue
		}
		if info, err := entry.Info(); err == nil && clk.Age(clock.At(info.ModTime())) > abandonedAge {
			_ = d.sys.remove(filepath.Join(d.path, entry.Name()))
		}
	}
}

// String returns the absolute path of the directory.
func (d *Dir) String() string { return d.path }

// Writable returns nil if files can be created in the directory, and otherwise the reason why not.
func (d *Dir) Writable() error {
	return d.setUp("check", func() error { return d.sys.writable(d.path) })
}

// Read returns the document of the given name, its provenance, and the time at which the file of the document was last
// modified. The provenance is empty if it cannot be read. Read returns an error that matches [fs.ErrNotExist] if there is
// no document. It returns an error if the document is larger than maxBytes, if it is not a regular file, or if the file
// changed while it was being read.
func (d *Dir) Read(
	ctx context.Context, name string, maxBytes int64,
) (document, provenance string, modTime time.Time, err error) {
	type found struct {
		document, provenance string
		modTime              time.Time
	}
	path, err := d.file(name)
	if err != nil {
		return "", "", time.Time{}, err
	}
	got, err := run(ctx, d.ops, "read "+path, func() (found, error) {
		document, modTime, err := d.readDocument(path, maxBytes)
		if err != nil {
			return found{}, err
		}
		provenance, _ := d.readProvenance(path) // the document is valid without it
		return found{document, provenance, modTime}, nil
	}, nil)
	return got.document, got.provenance, got.modTime, err
}

// ReadProvenance returns the provenance of the document of the given name. It returns an error that matches
// [fs.ErrNotExist] if there is no document or no provenance.
func (d *Dir) ReadProvenance(ctx context.Context, name string) (string, error) {
	path, err := d.file(name)
	if err != nil {
		return "", err
	}
	return run(ctx, d.ops, "read provenance of "+path, func() (string, error) {
		if _, err := d.sys.stat(path); err != nil {
			return "", err
		}
		return d.readProvenance(path)
	}, nil)
}

// Write replaces the document of the given name and its provenance. Both are on the disk when Write returns nil. A reader
// may see the new document with the old provenance for a moment, and must compare them. If ctx is done before the files
// are in place, they are not replaced, even if the file system continues later.
func (d *Dir) Write(ctx context.Context, name, document, provenance string) error {
	path, err := d.file(name)
	if err != nil {
		return err
	}
	return d.ops.do(ctx, "write "+path, func() error {
		return d.replace(ctx, content{path, document}, content{path + ProvenanceSuffix, provenance})
	})
}

// WriteProvenance replaces the provenance of the document of the given name. It returns an error that matches
// [fs.ErrNotExist] if there is no document.
func (d *Dir) WriteProvenance(ctx context.Context, name, provenance string) error {
	path, err := d.file(name)
	if err != nil {
		return err
	}
	return d.ops.do(ctx, "write provenance of "+path, func() error {
		if _, err := d.sys.stat(path); err != nil {
			return err
		}
		return d.replace(ctx, content{path + ProvenanceSuffix, provenance})
	})
}

// TryLock takes the lock of the given name. It returns the function that releases the lock, or nil and no error if
// another process or another caller holds the lock. The operating system releases the lock when the process ends. On
// systems that have no such locks, the error is [errors.ErrUnsupported].
func (d *Dir) TryLock(ctx context.Context, name string) (release func(), err error) {
	if _, err := d.file(name); err != nil {
		return nil, err
	}
	if !canLock {
		return nil, errors.ErrUnsupported
	}
	path := filepath.Join(d.path, "."+name+".lock")
	locked, err := run(ctx, d.ops, "lock "+path, func() (file, error) { return d.lock(path) }, func(late file) {
		if late != nil {
			_ = late.Close() // the caller has gone; closing releases the lock
		}
	})
	if err != nil || locked == nil {
		return nil, err
	}
	return d.ops.releaser("unlock "+path, locked), nil
}

// file returns the path of the file of the given name, which must be a file name and not a path.
func (d *Dir) file(name string) (string, error) {
	if name == "" || name == "." || name == ".." || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q: %w: must be a file name", name, fs.ErrInvalid)
	}
	return filepath.Join(d.path, name), nil
}

// fileSystem is the part of the os package that a Dir uses. Tests replace it.
type fileSystem interface {
	mkdirAll(path string) error
	openFile(path string, flag int, perm fs.FileMode) (file, error)
	stat(path string) (fs.FileInfo, error)
	readDir(path string) ([]fs.DirEntry, error)
	rename(from, to string) error
	remove(path string) error
	writable(path string) error
	flock(f file) (locked bool, err error)
}

// file is the part of *os.File that a Dir uses.
type file interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Stat() (fs.FileInfo, error)
	Sync() error
	Close() error
	Fd() uintptr
}

// system is the file system of the operating system. Files and directories get the permissions that the umask leaves.
type system struct{}

func (system) mkdirAll(path string) error {
	return os.MkdirAll(path, 0o777) //nolint:gosec // shared with other programs as far as the umask permits
}

func (system) openFile(path string, flag int, perm fs.FileMode) (file, error) {
	f, err := os.OpenFile(path, flag, perm) //nolint:gosec // the caller chooses the directory and a constant the name
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

func (system) stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (system) readDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (system) rename(from, to string) error               { return os.Rename(from, to) }
func (system) remove(path string) error                   { return os.Remove(path) }
func (system) writable(path string) error                 { return writable(path) }
func (system) flock(f file) (locked bool, err error)      { return flock(f) }
