// The errors of a connection that is refused or reset, which Plan 9 reports as texts.

package modelreftest

import "syscall"

var (
	errConnRefused = syscall.NewError("connection refused")
	errConnReset   = syscall.NewError("connection reset")
)
