//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

// Locks that the kernel releases when their holder ends.

package dirstore

import (
	"errors"
	"os"
	"syscall"
)

// canLock reports whether the system has such locks.
const canLock = true

// writable returns the reason why files cannot be created in the directory, without creating one.
func writable(dir string) error {
	const search, write = 1, 2
	if err := syscall.Access(dir, search|write); err != nil {
		return &os.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}

// flock locks an open file. It reports false if the lock is held.
func flock(f file) (locked bool, err error) {
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("flock", err)
}
