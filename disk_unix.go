//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

// What a cache directory needs of Unix: a lock that the kernel lets go of when its holder dies, and the right to write.

package modelref

import (
	"errors"
	"os"
	"syscall"
)

// writable reports, without the cost of a file, why files cannot be made in the directory.
func writable(dir string) error {
	const search, write = 1, 2
	if err := syscall.Access(dir, search|write); err != nil {
		return &os.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}

// tryLock takes the lock file at path. It returns the function that lets go of it, or nil where somebody else has it.
func tryLock(path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644) //nolint:gosec // the name is a constant of the category
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close() // the lock is what matters
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil //nolint:nilnil // somebody else has it
		}
		return nil, err
	}
	return func() { _ = file.Close() }, nil // closing lets go of the lock
}
