// What reads and writes files: diff, export and verify.

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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

// withFiles returns the document of a model with files of those names, whose content is their name.
func withFiles(t *testing.T, names ...string) string {
	t.Helper()
	type download struct {
		Name string `json:"file_name"`
		URL  string `json:"file_url"`
		Sum  string `json:"sha256sum"`
	}
	var files []download
	for _, name := range names {
		sum := sha256.Sum256([]byte(name))
		files = append(files, download{name, "https://example.org/x", hex.EncodeToString(sum[:])})
	}
	files = append(files, download{"unrecorded.bin", "https://example.org/x", "FIXME"})
	data, err := json.Marshal(files)
	require.NoError(t, err)
	return fmt.Sprintf(`{"One": {"name": "One", "baseline": "flux_1", "nsfw": false, "config": {"download": %s}}}`, data)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "good.bin", "sub/good.bin", "bad.bin", "away.bin"))
	dir := t.TempDir()
	write(t, dir, "compvis/good.bin", "good.bin")
	write(t, dir, "compvis/sub/good.bin", "sub/good.bin")
	write(t, dir, "compvis/unrecorded.bin", "anything")
	verify := append(flags, "verify", dir, "image_generation")
	assert.Equal(t, result{0, `STATE        CATEGORY          MODEL  FILE
ok           image_generation  One    good.bin
ok           image_generation  One    sub/good.bin
no checksum  image_generation  One    unrecorded.bin
`, "modelref: 3 of 5 files are there: 2 ok, 0 mismatch, 1 without a checksum, 0 unreadable; 0 records are unsafe\n"},
		runWith(t, "", verify...))
	assert.Equal(t, 3, runWith(t, "", append(verify, "--missing")...).code)
	assert.Equal(t, 3, runWith(t, "", append(verify, "--model", "One")...).code, "its files are not all there")
	assert.Equal(t, 3, runWith(t, "", append(verify, "--model", "None")...).code)
	assert.Equal(t, 3, runWith(t, "", append(verify, "--flat")...).code, "nothing is found")

	write(t, dir, "compvis/bad.bin", "something else")
	assert.Equal(t, result{3, "bad.bin\n", ""}, runWith(t, "", append(verify, "-q")...))
}

func TestVerifyNeverLeavesTheDirectory(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "models")
	absolute := write(t, outer, "secret.bin", "../secret.bin")
	write(t, dir, "good.bin", "good.bin")
	_, flags := serve(t, withFiles(t, "good.bin", "../secret.bin", "../../secret.bin", absolute, "a/../../secret.bin"))
	got := runWith(t, "", append(flags, "verify", dir, "image_generation", "--flat", "--jsonl")...)
	assert.Equal(t, 3, got.code)
	states := map[string]int{}
	for _, line := range splitLines(got.out) {
		var file checkedFile
		require.NoError(t, json.Unmarshal([]byte(line), &file))
		states[file.State]++
	}
	assert.Equal(t, map[string]int{fileOK: 1, fileUnsafe: 4}, states)
}
