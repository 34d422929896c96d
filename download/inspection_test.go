// This file tests the check of one existing file.

package download_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/download"
)

// inspected writes a file in the folder "compvis" of a new weights root, and returns the root and the file.
func inspected(t *testing.T, c content) (string, *download.File) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "compvis"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "m.bin"), c.data, 0o600))
	return dir, &download.File{Path: "compvis/m.bin", Folder: "compvis", Name: "m.bin", SHA256: c.sum(), Size: -1}
}

func inspect(t *testing.T, dir string, file *download.File) *download.Inspection {
	t.Helper()
	i, err := download.Inspect(dir, file)
	require.NoError(t, err)
	return i
}

func TestInspectRemembersWhatHashReads(t *testing.T) {
	t.Parallel()
	c := newContent(900, 20<<20)
	dir, file := inspected(t, c)
	i := inspect(t, dir, file)
	assert.True(t, i.NeedsHash())
	assert.Equal(t, download.StateUnverified, i.State)
	assert.NoFileExists(t, filepath.Join(dir, "compvis", "m.sha256"), "Inspect changes nothing")
	var steps []int64
	require.NoError(t, i.Hash(t.Context(), func(done int64) { steps = append(steps, done) }))
	assert.Equal(t, download.StateVerified, i.State)
	assert.True(t, i.Hashed)
	assert.NoError(t, i.Warning)
	assert.Equal(t, c.sum(), i.SHA256)
	assert.Greater(t, len(steps), 1, "the progress is reported")
	stored, err := os.ReadFile(filepath.Join(dir, "compvis", "m.sha256"))
	require.NoError(t, err)
	assert.Equal(t, c.sum()+" *m.bin", string(stored))

	again := inspect(t, dir, file)
	assert.False(t, again.NeedsHash())
	assert.Equal(t, download.StateVerified, again.State)
	assert.False(t, again.Hashed)
	assert.EqualValues(t, len(c.data), again.Size)
	assert.True(t, plan(t, quick(dir), model("m", fileOf("m.bin", "https://weights.example/m", c))).Files()[0].State.Present())
}

func TestHashOfWrongContent(t *testing.T) {
	t.Parallel()
	c, other := newContent(901, 1000), newContent(902, 1000)
	dir, file := inspected(t, c)
	sidecar := filepath.Join(dir, "compvis", "m.sha256")
	require.NoError(t, inspect(t, dir, file).Hash(t.Context(), nil))
	require.FileExists(t, sidecar)

	file.SHA256 = other.sum() // the reference has new content for the file
	i := inspect(t, dir, file)
	assert.True(t, i.NeedsHash(), "a mismatch is confirmed by reading")
	require.NoError(t, i.Hash(t.Context(), nil))
	assert.Equal(t, download.StateMismatch, i.State)
	assert.Equal(t, c.sum(), i.SHA256)
	assert.FileExists(t, sidecar, "it is right about the content")

	require.NoError(t, os.WriteFile(sidecar, []byte(other.sum()+" *m.bin"), 0o600))
	later := time.Now().Add(time.Second) // the steps of the file system's clock may be large
	require.NoError(t, os.Chtimes(sidecar, later, later))
	i = inspect(t, dir, file)
	assert.Equal(t, download.StateVerified, i.State, "a newer checksum file is trusted")
	require.NoError(t, i.Hash(t.Context(), nil))
	assert.Equal(t, download.StateMismatch, i.State)
	assert.NoFileExists(t, sidecar, "it is wrong about the content")
	assert.Equal(t, download.StateUnverified, inspect(t, dir, file).State)
}

func TestInspectWithoutReading(t *testing.T) {
	t.Parallel()
	c := newContent(903, 1000)
	dir, file := inspected(t, c)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "empty.bin"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "begun.bin.part"), c.data[:100], 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "compvis", "folder"), 0o750))
	for name, test := range map[string]struct {
		change func(f *download.File)
		state  download.State
		needs  bool
	}{
		"no checksum": {func(f *download.File) { f.SHA256 = "" }, download.StateUnverified, false},
		"size":        {func(f *download.File) { f.Size = 1001 }, download.StateMismatch, false},
		"same size":   {func(f *download.File) { f.Size = 1000 }, download.StateUnverified, true},
		"empty":       {func(f *download.File) { f.Name, f.SHA256 = "empty.bin", "" }, download.StateMismatch, false},
		"partial":     {func(f *download.File) { f.Name = "begun.bin" }, download.StatePartial, false},
		"missing":     {func(f *download.File) { f.Name = "away.bin" }, download.StateMissing, false},
		"no folder":   {func(f *download.File) { f.Folder = "away" }, download.StateMissing, false},
		"in the root": {func(f *download.File) { f.Folder, f.Name = "", "compvis/m.bin" }, download.StateUnverified, true},
	} {
		f := *file
		test.change(&f)
		i := inspect(t, dir, &f)
		assert.Equal(t, test.state, i.State, name)
		assert.Equal(t, test.needs, i.NeedsHash(), name)
	}
	_, err := download.Inspect(dir, &download.File{Folder: "compvis", Name: "folder", Size: -1})
	require.ErrorContains(t, err, "folder is not a regular file")
	_, err = download.Inspect(dir, &download.File{Folder: "compvis", Name: "../compvis/../../x", Size: -1})
	require.Error(t, err, "the name leads out of the folder")
}

func TestHashThatCannotRemember(t *testing.T) {
	t.Parallel()
	dir, file := inspected(t, newContent(904, 1000))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "compvis", "m.sha256", "taken"), 0o750))
	i := inspect(t, dir, file)
	require.NoError(t, i.Hash(t.Context(), nil))
	assert.Equal(t, download.StateVerified, i.State)
	require.Error(t, i.Warning)
}

func TestHashEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir, file := inspected(t, newContent(905, 1000))
	i := inspect(t, dir, file)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, i.Hash(ctx, nil), context.Canceled)
	require.Error(t, i.Hash(nil, nil)) //nolint:staticcheck // a nil context is refused
	assert.True(t, i.NeedsHash(), "nothing is known")
	require.NoError(t, os.Remove(filepath.Join(dir, "compvis", "m.bin")))
	require.ErrorIs(t, i.Hash(t.Context(), nil), os.ErrNotExist)
	assert.Error(t, new(download.Inspection).Hash(t.Context(), nil))
}
