//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

// Systems without locks that the kernel releases when their holder ends. Each process downloads on its own there.

package dirstore

import (
	"errors"
	"os"
)

const canLock = false

// writable returns the reason why files cannot be created in the directory, by creating one.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func flock(file) (locked bool, err error) { return false, errors.ErrUnsupported }
