//go:build !linux && !darwin && !freebsd

// Systems on which the change time and the free space cannot be read with the standard library.

package download

import (
	"errors"
	"os"
	"time"
)

// changeTime returns the zero time, so that only the modification time is used.
func changeTime(os.FileInfo) time.Time { return time.Time{} }

// freeBytes is not supported. A full disk is reported when the file is written.
func freeBytes(string) (int64, error) { return 0, errors.ErrUnsupported }

// device returns 0, as if all files were on one disk.
func device(os.FileInfo) uint64 { return 0 }
