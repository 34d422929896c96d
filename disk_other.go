//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

// A cache directory on the other systems: without a lock that ends with its holder, processes download each on their own.

package modelref

import (
	"errors"
	"os"
)

// writable reports why files cannot be made in the directory, by making one.
func writable(dir string) error {
	file, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

func tryLock(string) (release func(), err error) { return nil, errors.ErrUnsupported }
