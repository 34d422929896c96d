//go:build unix

// How files are opened on Unix.

package dirstore

import "syscall"

const (
	// nonBlock is the flag with which opening a pipe does not block.
	nonBlock = syscall.O_NONBLOCK
	// canSyncDirectory reports whether a directory can be opened and written to the disk.
	canSyncDirectory = true
)
