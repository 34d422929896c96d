// diff and watch with the built command: what is shown of a change.

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const (
	oldModels = `{
  "Kept": {"name": "Kept", "baseline": "flux_1", "nsfw": false},
  "Changed": {"name": "Changed", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 2000000000, "tags": ["a", "b"], "order": [1, 2],
    "description": "A long text that is not cut, however narrow the terminal is, because a difference may be at its end: x",
    "config": {"download": [{"file_name": "a", "file_url": "https://example.org/a", "size_bytes": 1000000001}]}}
}`
	newModels = `{
  "Kept": {"baseline": "flux_1", "name": "Kept", "nsfw": false},
  "Changed": {"name": "Changed", "baseline": "flux_1", "nsfw": true, "size_on_disk_bytes": 6940000000, "tags": ["b", "c"], "order": [2, 1],
    "description": "A long text that is not cut, however narrow the terminal is, because a difference may be at its end: y",
    "config": {"download": [{"file_name": "a", "file_url": "https://example.org/b", "size_bytes": 1000000002}, {"file_name": "b", "file_url": "https://example.org/c"}]}},
  "New": {"name": "New", "baseline": "stable_diffusion_xl", "nsfw": true, "size_on_disk_bytes": 6940000000, "description": "What it is.\nMore."}
}`
	wantChanges = `+ New  stable_diffusion_xl, 6.94 GB, nsfw, What it is.
~ Changed
    nsfw: no -> yes
    size_on_disk_bytes: 2.00 GB -> 6.94 GB
    tags: +c -a
    order: another order
    description: A long text that is not cut, however narrow the terminal is, because a difference may be at its end: x -> A long text that is not cut, however narrow the terminal is, because a difference may be at its end: y
    config.download[0].file_url: https://example.org/a -> https://example.org/b
    config.download[0].size_bytes: 1000000001 -> 1000000002
    config.download[1]: (none) -> {"file_name":"b","file_url":"https://example.org/c"}
`
)

func TestDiffShowsEachValue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, after := write(t, dir, "a.json", oldModels), write(t, dir, "b.json", newModels)
	want := wantChanges + "1 added, 1 changed, 1 the same\n"
	assert.Equal(t, result{3, want, ""}, runBinary(t, "diff", before, after))
	got := runBinary(t, "diff", before, after, "--stat")
	assert.Equal(t, result{3, "+ New  stable_diffusion_xl, 6.94 GB, nsfw, What it is.\n~ Changed  8 values\n1 added, 1 changed, 1 the same\n", ""}, got)
}

func TestDiffOfDirectories(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, newModels)
	old, fresh := t.TempDir(), filepath.Join(t.TempDir(), "new")
	write(t, old, "image_generation.json", oldModels)
	require.Equal(t, 0, runBinary(t, append(flags, "export", fresh, "image_generation", "clip")...).code)
	got := runBinary(t, "diff", old, fresh)
	assert.Equal(t, 3, got.code, got.err)
	assert.NotContains(t, got.out, "clip: ", "it has no records on both sides")
	assert.Contains(t, got.out, "image_generation: 1 added, 1 changed, 1 the same\n"+wantChanges)
	got = runBinary(t, append(flags, "diff", old, "primary:")...)
	const part = "modelref: 1 of 15 categories are compared: there is no document of the others\n"
	assert.Equal(t, result{3, "image_generation: 1 added, 1 changed, 1 the same\n" + wantChanges, part}, got)
	assert.Equal(t, result{}, runBinary(t, append(flags, "diff", fresh, "primary:", "-q")...))
	assert.Equal(t, 2, runBinary(t, append(flags, "diff", t.TempDir(), "primary:")...).code, "it has no documents")
	assert.Equal(t, 2, runBinary(t, append(flags, "diff", "primary:", "clip")...).code)
	assert.Equal(t, 2, runBinary(t, "diff", old, "clip").code)
	lines := runBinary(t, append(flags, "diff", old, "primary:", "--jsonl")...)
	assert.Contains(t, lines.out, `{"category":"image_generation","change":"added","name":"New"}`)
	assert.Contains(t, runBinary(t, append(flags, "diff", old, "primary:", "--json")...).out, `"category": "image_generation"`)
}

func TestExportToStandardOutput(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, oldModels)
	one := runBinary(t, append(flags, "export", "-", "image_generation")...)
	assert.Equal(t, 0, one.code, one.err)
	assert.JSONEq(t, oldModels, one.out)
	several := runBinary(t, append(flags, "export", "-", "image_generation", "lora")...)
	assert.JSONEq(t, `{"image_generation": `+oldModels+`, "lora": {}}`, several.out)
}

// runningWatch starts a watch with the built command. The function returns its output and errors so far.
func runningWatch(t *testing.T, args ...string) func() (string, string) {
	t.Helper()
	var out, errs log
	cmd := command(t, t.Context(), append(args, "--interval", "1s")...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return func() (string, string) { return out.String(), errs.String() }
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 30*time.Second, 20*time.Millisecond, what)
}

func TestWatchOfSeveralCategories(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, oldModels)
	ran := filepath.Join(t.TempDir(), "ran")
	seen := runningWatch(t, append(flags, "watch", "image", "clip", "--exec", `printf '%s:%s:%s\n' "$MODELREF_CATEGORY" "$MODELREF_ADDED" "$MODELREF_CHANGED" >`+ran+`; cat >>`+ran)...)
	eventually(t, "the first states", func() bool {
		out, _ := seen()
		return strings.Contains(out, "image_generation: 2 records from the PRIMARY\n") && strings.Contains(out, "clip: 0 records")
	})
	server.SetDocument(modelref.CategoryImageGeneration, newModels)
	eventually(t, "the change", func() bool {
		out, _ := seen()
		return strings.Contains(out, "image_generation: 1 added, 1 changed\n"+wantChanges)
	})
	out, _ := seen()
	assert.Regexp(t, `(?m)^\d\d:\d\d:\d\d image_generation: `, out)
	eventually(t, "the command", func() bool {
		text, _ := os.ReadFile(ran)
		return strings.HasPrefix(string(text), "image_generation:New:Changed\n{") && strings.Contains(string(text), `"added":["New"]`)
	})
}

func TestWatchReportsAnOutageOnce(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, oldModels)
	seen := runningWatch(t, append(flags, "--timeout", "1", "watch", "image", "clip")...)
	eventually(t, "the first states", func() bool {
		out, _ := seen()
		return strings.Count(out, "records from the PRIMARY") == 2
	})
	server.Break(modelreftest.Primary, modelreftest.Status(503))
	eventually(t, "the outage", func() bool {
		_, errs := seen()
		return strings.Contains(errs, "the PRIMARY does not respond: ")
	})
	time.Sleep(2500 * time.Millisecond) // two more intervals, in which nothing is said
	_, errs := seen()
	assert.Equal(t, 1, strings.Count(errs, "does not respond"), errs)
}

func TestOutagesBeginAndEnd(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	o := outages{app: &app{stderr: &errs}, since: map[modelref.Source]time.Time{}}
	down := fmt.Errorf("no answer: %w", modelref.ErrUnavailable)
	for _, e := range []modelref.Event{
		{Kind: modelref.EventLoad, Source: modelref.SourcePrimary, Category: modelref.CategoryCLIP},
		{Kind: modelref.EventSourceFailed, Source: modelref.SourcePrimary, Category: modelref.CategoryLoRA, Err: &modelref.APIError{StatusCode: 404}},
		{Kind: modelref.EventSourceFailed, Source: modelref.SourcePrimary, Category: modelref.CategoryCLIP, Err: down},
		{Kind: modelref.EventBreakerOpened, Source: modelref.SourcePrimary, Err: down},
		{Kind: modelref.EventSourceFailed, Source: modelref.SourcePrimary, Category: modelref.CategoryBLIP, Err: down},
		{Kind: modelref.EventLoad, Source: modelref.SourceDisk, Category: modelref.CategoryCLIP},
		{Kind: modelref.EventRevalidate, Source: modelref.SourcePrimary, Category: modelref.CategoryCLIP},
		{Kind: modelref.EventRevalidate, Source: modelref.SourcePrimary, Category: modelref.CategoryBLIP},
	} {
		o.observe(e)
	}
	assert.Regexp(t, `^modelref: \d\d:\d\d:\d\d the PRIMARY does not respond: no answer: .*\n`+
		`modelref: \d\d:\d\d:\d\d the PRIMARY responds again, after 0s\n$`, errs.String())
}
