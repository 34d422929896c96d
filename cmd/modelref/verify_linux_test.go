// Proof that verify does not read a file again: the kernel reports every read of a watched file.

package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerifyDoesNotReadTheDataAgain(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "a.bin"))
	dir := t.TempDir()
	path := write(t, dir, "compvis/a.bin", "a.bin")
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Skip("files cannot be watched here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Close(watch) })
	_, err = syscall.InotifyAddWatch(watch, path, syscall.IN_ACCESS)
	require.NoError(t, err)
	reads := func(args ...string) bool {
		got := runBinary(t, append(append(flags, "verify", dir, "image"), args...)...)
		require.Equal(t, 0, got.code, got.err)
		n, err := syscall.Read(watch, make([]byte, 4096))
		if err == syscall.EAGAIN {
			return false
		}
		require.NoError(t, err)
		return n > 0
	}
	if !reads() {
		t.Skip("the file system does not report reads")
	}
	assert.False(t, reads(), "the checksum file is trusted")
	assert.True(t, reads("--rehash"))
}
