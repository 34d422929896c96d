//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

// Systems without file locks that end with their owner. Files can be verified there, but not downloaded.

package download

import (
	"errors"
	"os"
)

// errLocked reports that another process, or another goroutine of this one, has the lock.
var errLocked = errors.New("locked")

// tryLock is not supported.
func tryLock(*os.Root, string) (release func(), err error) { return nil, errors.ErrUnsupported }

// isDiskFull reports false: the error of a full disk is not known.
func isDiskFull(error) bool { return false }

// syncDirectory does nothing.
func syncDirectory(*os.Root, string) error { return nil }
