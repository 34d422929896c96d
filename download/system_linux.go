// Change times and free disk space on Linux.

package download

import (
	"os"
	"syscall"
	"time"
)

// changeTime returns the time of the last change of the content or metadata, which programs cannot set.
func changeTime(info os.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return time.Time{}
}

// freeBytes returns the space that an unprivileged process may use on the disk of path.
func freeBytes(path string) (int64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil //nolint:gosec,unconvert // the types differ by architecture
}

// device returns the number of the disk that has the file.
func device(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Dev) //nolint:unconvert // the type differs by architecture
	}
	return 0
}
