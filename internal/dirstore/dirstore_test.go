package dirstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const name = "documents.json"

func openDir(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	require.NoError(t, err)
	return d
}

// read returns the document and the provenance.
func read(t *testing.T, d *Dir) [2]string {
	t.Helper()
	document, provenance, _, err := d.Read(t.Context(), name, 1<<20)
	require.NoError(t, err)
	return [2]string{document, provenance}
}

// names returns the names of all files in a directory.
func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out
}

func TestDocumentsAreStoredByteForByte(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b")
	d := openDir(t, path)
	assert.Equal(t, path, d.String())
	require.NoError(t, d.Writable())
	_, _, _, err := d.Read(t.Context(), name, 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = d.ReadProvenance(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, d.WriteProvenance(t.Context(), name, "alone"), fs.ErrNotExist)

	for _, document := range []string{"", "{}", "{\"\u00e9\x00\xff\"\r\n", strings.Repeat("x", 1<<20)} {
		require.NoError(t, d.Write(t.Context(), name, document, "first"))
		assert.Equal(t, [2]string{document, "first"}, read(t, openDir(t, path)))
		require.NoError(t, d.WriteProvenance(t.Context(), name, "second"))
		assert.Equal(t, [2]string{document, "second"}, read(t, d))
		provenance, err := d.ReadProvenance(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, "second", provenance)
	}
	assert.Equal(t, []string{name, name + ProvenanceSuffix}, names(t, path))

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, os.Chtimes(filepath.Join(path, name), at, at))
	_, _, modTime, err := d.Read(t.Context(), name, 1<<20)
	require.NoError(t, err)
	assert.True(t, at.Equal(modTime))

	_, _, _, err = d.Read(t.Context(), name, 1<<20-1)
	require.ErrorContains(t, err, "file has 1048576 bytes, more than 1048575")
	require.NoError(t, os.Remove(filepath.Join(path, name+ProvenanceSuffix)))
	assert.Empty(t, read(t, d)[1], "a document without provenance is returned")
	require.NoError(t, os.Remove(filepath.Join(path, name)))
	require.NoError(t, os.WriteFile(filepath.Join(path, name+ProvenanceSuffix), []byte("alone"), 0o600))
	_, err = d.ReadProvenance(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrNotExist, "a provenance without its document is not returned")
}

func TestNamesMustBeFileNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inner")
	d := openDir(t, path)
	for _, bad := range []string{"", ".", "..", "../outside", "a/b", "/etc/passwd", "a/"} {
		_, _, _, err := d.Read(t.Context(), bad, 1)
		require.ErrorIs(t, err, fs.ErrInvalid, bad)
		_, err = d.ReadProvenance(t.Context(), bad)
		require.ErrorIs(t, err, fs.ErrInvalid, bad)
		require.ErrorIs(t, d.Write(t.Context(), bad, "", ""), fs.ErrInvalid, bad)
		require.ErrorIs(t, d.WriteProvenance(t.Context(), bad, ""), fs.ErrInvalid, bad)
		_, err = d.TryLock(t.Context(), bad)
		require.ErrorIs(t, err, fs.ErrInvalid, bad)
	}
	assert.Empty(t, names(t, path))
	assert.Equal(t, []string{"inner"}, names(t, filepath.Dir(path)))
}

func TestARelativePathDoesNotFollowTheWorkingDirectory(t *testing.T) {
	path := t.TempDir()
	t.Chdir(path)
	d := openDir(t, "cache")
	t.Chdir(t.TempDir())
	require.NoError(t, d.Write(t.Context(), name, "{}", ""))
	assert.FileExists(t, filepath.Join(path, "cache", name))
	assert.Empty(t, names(t, "."))
}

func TestOpenReturnsAnErrorIfThereIsNoDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, bad := range []string{"", file, filepath.Join(file, "below"), "\x00"} {
		_, err := Open(bad)
		require.Error(t, err, "%q", bad)
	}
}

func TestOpenRemovesAbandonedFiles(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	for file, at := range map[string]time.Time{
		".modelref-OLD.tmp": old, ".modelref-NEW.tmp": time.Now(), ".another.tmp": old, name: old,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(path, file), nil, 0o600))
		require.NoError(t, os.Chtimes(filepath.Join(path, file), at, at))
	}
	openDir(t, path)
	assert.Equal(t, []string{".another.tmp", ".modelref-NEW.tmp", name}, names(t, path))
}

func TestARemovedDirectoryIsCreatedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	d := openDir(t, path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, d.Write(t.Context(), name, "{}", "p"))
	assert.Equal(t, [2]string{"{}", "p"}, read(t, d))
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := openDir(t, path)
	require.NoError(t, os.MkdirAll(filepath.Join(path, name, "in the way"), 0o700))
	require.Error(t, d.Write(t.Context(), name, "{}", "p"))
	assert.Equal(t, []string{name}, names(t, path))
	_, _, _, err := d.Read(t.Context(), name, 1<<20)
	require.ErrorContains(t, err, "not a regular file")
}

func TestLocks(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	mine, theirs := openDir(t, path), openDir(t, path)
	release, err := mine.TryLock(t.Context(), name)
	if errors.Is(err, errors.ErrUnsupported) {
		assert.Empty(t, names(t, path))
		t.Skipf("%s has no locks", runtime.GOOS)
	}
	require.NoError(t, err)
	require.NotNil(t, release)
	for _, d := range []*Dir{mine, theirs} {
		held, err := d.TryLock(t.Context(), name)
		require.NoError(t, err)
		assert.Nil(t, held, "the lock is held")
	}
	other, err := theirs.TryLock(t.Context(), "other.json")
	require.NoError(t, err)
	require.NotNil(t, other, "each name has a lock of its own")
	other()
	release()
	release() // has no effect
	release, err = theirs.TryLock(t.Context(), name)
	require.NoError(t, err)
	require.NotNil(t, release)
	release()
	require.NoError(t, os.RemoveAll(path))
	_, err = mine.TryLock(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAContextThatIsDoneStartsNothing(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, _, _, err := d.Read(ctx, name, 1)
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, d.Write(ctx, name, "{}", ""), context.Canceled)
	assert.Empty(t, names(t, d.String()))
	var none context.Context
	require.ErrorContains(t, d.Write(none, name, "{}", ""), "the context must not be nil")
}

func TestDirectoriesInsideADirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache")
	d := openDir(t, path)
	for _, bad := range []string{"", "..", "a/b", "/"} {
		_, err := d.Sub(bad)
		require.ErrorIs(t, err, fs.ErrInvalid, bad)
	}
	sub, err := d.Sub("inner")
	require.NoError(t, err)
	_, _, _, err = sub.Read(t.Context(), name, 1<<20)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Empty(t, names(t, path), "it is not created before it is needed")
	require.NoError(t, sub.Write(t.Context(), name, "{}", "p"))
	assert.Equal(t, [2]string{"{}", "p"}, read(t, sub))
	assert.Equal(t, []string{"inner"}, names(t, path))

	old := time.Now().Add(-2 * time.Hour)
	abandoned := filepath.Join(path, "inner", ".modelref-OLD.tmp")
	require.NoError(t, os.WriteFile(abandoned, nil, 0o600))
	require.NoError(t, os.Chtimes(abandoned, old, old))
	_, err = openDir(t, path).Sub("inner")
	require.NoError(t, err)
	assert.NoFileExists(t, abandoned)
}

func TestALockCreatesItsDirectory(t *testing.T) {
	t.Parallel()
	sub, err := openDir(t, t.TempDir()).Sub("inner")
	require.NoError(t, err)
	release, err := sub.TryLock(t.Context(), name)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("%s has no locks", runtime.GOOS)
	}
	require.NoError(t, err)
	require.NotNil(t, release)
	release()
}
