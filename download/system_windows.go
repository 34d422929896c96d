// What this package needs of Windows: file locks, and the error of a full disk.

package download

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// errLocked reports that another process, or another goroutine of this one, has the lock.
var errLocked = errors.New("locked")

// tryLock opens the lock file without sharing, so that nobody else can open it until the process ends. The name is made
// by this package and does not come from the network.
func tryLock(root *os.Root, name string) (release func(), err error) {
	const sharingViolation = syscall.Errno(32)
	path, err := syscall.UTF16PtrFromString(filepath.Join(root.Name(), filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil // this releases the lock
}

// isDiskFull reports whether err says that the disk is full.
func isDiskFull(err error) bool {
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull)
}

// syncDirectory does nothing: Windows cannot flush a directory.
func syncDirectory(*os.Root, string) error { return nil }
