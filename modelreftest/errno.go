//go:build !plan9

// The errors of a connection that is refused or reset.

package modelreftest

import "syscall"

const (
	errConnRefused = syscall.ECONNREFUSED
	errConnReset   = syscall.ECONNRESET
)
