//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// What this package needs of Unix: file locks, free disk space, and the error of a full disk.

package download

import (
	"errors"
	"os"
	"syscall"
)

// errLocked reports that another process, or another goroutine of this one, has the lock.
var errLocked = errors.New("locked")

// tryLock takes the lock file, which the system releases when the process ends. It returns errLocked if the lock is
// taken.
func tryLock(root *os.Root, name string) (release func(), err error) {
	file, err := root.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666) // the umask restricts the mode
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil && !isFileAt(root, name, file) {
		err = syscall.EWOULDBLOCK // the previous owner has removed the file meanwhile
	}
	if err != nil {
		_ = file.Close() // the lock is what matters
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, &os.PathError{Op: "flock", Path: name, Err: err}
	}
	return func() {
		_ = root.Remove(name) // a file that remains is harmless
		_ = file.Close()      // this releases the lock
	}, nil
}

// isFileAt reports whether name still refers to the open file.
func isFileAt(root *os.Root, name string, file *os.File) bool {
	open, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := root.Stat(name)
	return err == nil && os.SameFile(open, now)
}

// isDiskFull reports whether err says that the disk or the quota is full.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// syncDirectory makes the entries of a directory durable.
func syncDirectory(root *os.Root, name string) error {
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) { // some file systems cannot do it
		err = nil
	}
	return errors.Join(err, dir.Close())
}
