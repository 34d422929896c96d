// The errors of a connection that is refused or reset. Plan 9 reports them as texts.

package modelreftest_test

import "syscall"

var (
	errConnRefused = syscall.NewError("connection refused")
	errConnReset   = syscall.NewError("connection reset")
)
