// What reads and writes files: diff and export.

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/modelreftest"
)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestDiff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := write(t, dir, "a.json", `{"Kept": {"name": "Kept", "n": 1.0, "o": {"x": 1, "y": 2}},
		"Moved": {"name": "Moved", "nsfw": false, "size": 9007199254740993, "old": "<&>"}, "Gone": {"name": "Gone"}}`)
	after := write(t, dir, "b.jsonl", `{"name": "New"}
{"name": "Moved", "nsfw": true, "size": 9007199254740992}
{"o": {"y": 2, "x": 1}, "name": "Kept", "n": 1}`)
	assert.Equal(t, result{3, `+ New
- Gone
~ Moved
    nsfw: no -> yes
    size: 9007199254740993 -> 9007199254740992
    old: <&> -> (none)
1 added, 1 removed, 1 changed, 1 the same
`, ""}, runWith(t, "", "diff", before, after))
	assert.Equal(t, result{3, `{"change":"added","name":"New"}
{"change":"removed","name":"Gone"}
{"change":"changed","name":"Moved","fields":[{"field":"nsfw","before":false,"after":true},` +
		`{"field":"size","before":9007199254740993,"after":9007199254740992},{"field":"old","before":"<&>"}]}
`, ""}, runWith(t, "", "diff", before, after, "--jsonl"))
	assert.Equal(t, result{3, "New\nGone\nMoved\n", ""}, runWith(t, "", "diff", before, after, "-q"))
	assert.Equal(t, result{0, "", ""}, runWith(t, "", "diff", before, before))
	got := runWith(t, "", "diff", before, before, "--json")
	assert.JSONEq(t, `{"added":[],"removed":[],"changed":[]}`, got.out)
}

func TestDiffSaysWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not JSON": "nonsense", "no records": `{"A": 1}`, "number": `12`, "no name": `[{}]`, "cut": `{"A": {`,
		"twice": `[{"name": "A"}, {"name": "A"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runWith(t, text, "--demo", "diff", "-", "clip")
			assert.Equal(t, 1, got.code)
			assert.Contains(t, got.err, "standard input")
			assert.Contains(t, got.err, "it must be a category's document")
		})
	}
}

func TestDiffOfANamedSourceTakesNoOther(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	flags = append(flags, "--cache-dir", t.TempDir())
	require.Equal(t, 0, runWith(t, "", append(flags, "list", "image_generation")...).code)
	server.Break(modelreftest.Primary, modelreftest.Status(404))
	got := runWith(t, "", append(flags, "diff", "primary:image_generation", "-")...)
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "primary:image_generation: only the cache directory could give it")
}

func TestExport(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	dir := filepath.Join(t.TempDir(), "new", "dir")
	got := runWith(t, "", append(flags, "export", dir, "image_generation", "lora")...)
	require.Equal(t, 0, got.code, got.err)
	path := filepath.Join(dir, "image_generation.json")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.JSONEq(t, twoModels, string(data))
	assert.Contains(t, string(data), `"own_field": 1.50`, "as the source has it")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary file is left")
	assert.Equal(t, 0, runWith(t, "", append(flags, "diff", path, "image_generation")...).code)

	failed := runWith(t, "", "--offline", "--cache-dir", t.TempDir(), "export", dir, "image_generation")
	assert.Equal(t, 1, failed.code)
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, data, again, "what is there stays")
}

func TestExportToWhatIsNoDirectory(t *testing.T) {
	t.Parallel()
	file := write(t, t.TempDir(), "file", "")
	assert.Equal(t, 1, demo(t, "export", file, "clip").code)
	assert.Equal(t, 2, demo(t, "export", t.TempDir(), "nope").code)
}
