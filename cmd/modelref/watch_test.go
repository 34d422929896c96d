// watch prints what changes while it runs, and ends when it is interrupted.

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// watching is a watch that runs.
type watching struct {
	lines *bufio.Reader
	code  chan int
	errs  *bytes.Buffer
}

func startWatch(t *testing.T, ctx context.Context, args ...string) watching {
	t.Helper()
	out, in := io.Pipe()
	w := watching{bufio.NewReader(out), make(chan int, 1), &bytes.Buffer{}}
	go func() {
		code := run(ctx, args, strings.NewReader(""), in, w.errs)
		_ = in.Close()
		w.code <- code
	}()
	return w
}

func (w watching) line(t *testing.T) string {
	t.Helper()
	line, err := w.lines.ReadString('\n')
	require.NoError(t, err)
	return clock.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
}

// clock matches the times that watch prints.
var clock = regexp.MustCompile(`^\d\d:\d\d:\d\d |"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",`)

const changedModels = `{
  "Small": {"name": "Small", "baseline": "stable_diffusion_1", "nsfw": true, "size_on_disk_bytes": 2000000000, "own_field": 1.50},
  "New": {"name": "New", "baseline": "flux_1", "nsfw": false}
}`

func TestWatchPrintsChanges(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	w := startWatch(t, t.Context(), append(flags, "watch", "image_generation", "--interval", "1s", "--changes", "1")...)
	assert.Equal(t, "image_generation: 2 records from the PRIMARY", w.line(t))
	server.SetDocument(modelref.CategoryImageGeneration, changedModels)
	assert.Equal(t, "image_generation: 1 added, 1 removed, 1 changed", w.line(t))
	assert.Equal(t, "+ New  flux_1", w.line(t))
	assert.Equal(t, `- Grand \x1b[31m`, w.line(t))
	assert.Equal(t, "~ Small", w.line(t))
	assert.Equal(t, "    nsfw: no -> yes", w.line(t))
	assert.Equal(t, 0, <-w.code)
	assert.Empty(t, w.errs.String())
}

func TestWatchAsJSONLines(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	w := startWatch(t, t.Context(), append(flags, "watch", "image_generation", "--interval", "1s", "--changes", "1", "--jsonl")...)
	assert.JSONEq(t, `{"category": "image_generation", "initial": true, "records": 2, "origin": "primary", "stale": false,
		"added": [], "removed": [], "changed": [], "rejected": []}`, w.line(t))
	server.SetDocument(modelref.CategoryImageGeneration, changedModels)
	assert.JSONEq(t, `{"category": "image_generation", "initial": false, "records": 2, "origin": "primary", "stale": false,
		"added": ["New"], "removed": ["Grand \u001b[31m"], "changed": [{"name": "Small", "fields": ["nsfw"]}], "rejected": []}`, w.line(t))
	assert.Equal(t, 0, <-w.code)
}

func TestWatchTellsWhatNoLongerDecodes(t *testing.T) {
	t.Parallel()
	const document = `{"Small": {"name": "Small", "baseline": 5, "nsfw": false}, "Other": {"name": "Other", "baseline": "flux_1", "nsfw": false}}`
	const reason = "baseline: must be a string, got a number"
	for form, want := range map[string]string{
		"table": "! Small  " + reason,
		"--jsonl": `{"category":"image_generation","initial":false,"records":1,"origin":"primary","stale":false,` +
			`"added":[],"removed":[],"changed":[],"rejected":[{"name":"Small","reason":"` + reason + `"}]}`,
	} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			server, flags := serve(t, strings.Replace(document, "5", `"flux_1"`, 1))
			flags = append(flags, "watch", "image_generation", "--interval", "1s", "--changes", "1")
			if form != "table" {
				flags = append(flags, form)
			}
			w := startWatch(t, t.Context(), flags...)
			w.line(t)
			server.SetDocument(modelref.CategoryImageGeneration, document)
			if form == "table" {
				assert.Equal(t, "image_generation: 1 cannot be decoded", w.line(t))
			}
			assert.Equal(t, want, w.line(t))
			assert.Equal(t, 0, <-w.code)
		})
	}
}

func TestAWatchThatFailsHasNoHintAtList(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("modelref: clip: %w", &modelref.APIError{StatusCode: 503}) // as Watch yields it
	assert.Empty(t, hintFor(err, globalFlags{}), "which needs the same document")
	assert.Contains(t, hintFor(endpointError{err}, globalFlags{}), "`modelref list`")
}

func TestAnInterruptEndsAWatch(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	ctx, interrupt := context.WithCancel(t.Context())
	w := startWatch(t, ctx, append(flags, "watch", "image_generation", "--interval", "1h")...)
	w.line(t)
	interrupt()
	select {
	case code := <-w.code:
		assert.Equal(t, 0, code)
	case <-time.After(10 * time.Second):
		t.Fatal("the watch goes on")
	}
}

func TestAnInterruptEndsAnyOther(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out, errs bytes.Buffer
	assert.Equal(t, 130, run(ctx, []string{"--demo", "list", "clip"}, strings.NewReader(""), &out, &errs))
	assert.Empty(t, errs.String(), "an interrupt is no error")
}
