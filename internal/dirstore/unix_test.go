//go:build unix

// Pipes, permissions and the umask.

package dirstore

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPipeInThePlaceOfAFileDoesNotBlock(t *testing.T) {
	t.Parallel()
	for _, file := range []string{name, name + ProvenanceSuffix} {
		path := t.TempDir()
		require.NoError(t, openDir(t, path).Write(t.Context(), name, "{}", "p"))
		swapped := false
		d, err := open(path, &faulty{afterStat: func(checked string) {
			if checked == filepath.Join(path, file) && !swapped { // between the check and the opening of the file
				swapped = true
				assert.NoError(t, os.Remove(checked))
				assert.NoError(t, syscall.Mkfifo(checked, 0o600))
			}
		}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		document, provenance, _, err := d.Read(ctx, name, 1<<20)
		require.True(t, swapped)
		if file == name {
			require.ErrorContains(t, err, "not a regular file")
		} else {
			require.NoError(t, err)
			assert.Equal(t, "{}", document)
			assert.Empty(t, provenance)
		}
		_, err = d.ReadProvenance(ctx, name)
		if file != name {
			require.ErrorContains(t, err, "not a regular file")
		}
		require.NoError(t, ctx.Err())
	}
}

func TestAPipeInThePlaceOfALockFileIsRefused(t *testing.T) {
	t.Parallel()
	if !canLock {
		t.Skip("the system has no locks")
	}
	path := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(path, "."+name+".lock"), 0o600))
	_, err := openDir(t, path).TryLock(t.Context(), name)
	require.ErrorContains(t, err, "not a regular file")
}

// The umask belongs to the process, so this test does not run in parallel with others.
func TestFileModesFollowTheUmask(t *testing.T) {
	for _, mask := range []int{0o027, 0o002, 0o077, 0o022} {
		old := syscall.Umask(mask)
		t.Cleanup(func() { syscall.Umask(old) })
		path := filepath.Join(t.TempDir(), "cache")
		d := openDir(t, path)
		want := map[string]os.FileMode{
			".": 0o777, name: 0o666, name + ProvenanceSuffix: 0o666,
		}
		require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
		if canLock {
			release, err := d.TryLock(t.Context(), name)
			require.NoError(t, err)
			release()
			want["."+name+".lock"] = 0o666
		}
		for file, mode := range want {
			info, err := os.Stat(filepath.Join(path, file))
			require.NoError(t, err)
			assert.Equal(t, mode&^os.FileMode(mask), info.Mode().Perm(), "%s with umask %04o", file, mask)
		}
		syscall.Umask(old)
	}
}

func TestADirectoryWithoutPermissionToWrite(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may write to every directory")
	}
	path := t.TempDir()
	require.NoError(t, openDir(t, path).Write(t.Context(), name, "{}", "p"))
	require.NoError(t, os.Chmod(path, 0o500))
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
	d := openDir(t, path)
	require.ErrorIs(t, d.Writable(), os.ErrPermission)
	assert.Equal(t, [2]string{"{}", "p"}, read(t, d))
	require.ErrorIs(t, d.Write(t.Context(), name, "{}", "q"), os.ErrPermission)
	_, err := Open(filepath.Join(path, "new"))
	require.ErrorIs(t, err, os.ErrPermission, "a directory that cannot be created")
}
