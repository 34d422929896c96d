// The example is run as a user would run it, without a network.

package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTenModels(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	require.Equal(t, 0, run(context.Background(), []string{"-demo"}, &out, &errs), errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 13, "a header, ten models, a blank line and where it came from")
	assert.Contains(t, lines[1], " GB")
	assert.Contains(t, lines[1], "https://")
	assert.Contains(t, lines[12], "from primary")
	assert.Empty(t, errs.String())
}

func TestDataReadsADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	document := `{"One": {"name": "One", "baseline": "stable_diffusion_xl", "nsfw": false, "size_on_disk_bytes": 5000000000,
		"config": {"download": [{"file_name": "one.safetensors", "file_url": "https://example.org/one.safetensors"}]}}}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "image_generation.json"), []byte(document), 0o600))
	var out, errs bytes.Buffer
	require.Equal(t, 0, run(context.Background(), []string{"-data", dir}, &out, &errs), errs.String())
	assert.Contains(t, out.String(), "One")
	assert.Contains(t, out.String(), "5.00 GB")
	assert.Contains(t, out.String(), "1 of 1 image models, from primary")
}

func TestNothingReachableTellsEverySource(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	t.Setenv("GITHUB_PROXY_URL_BASE", gone.URL) // GitHub is not there either
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"-primary", gone.URL + "/api"}, &out, &errs)
	assert.Equal(t, 1, code)
	assert.Regexp(t, `(?m)^  primary: .*refused.* \(3 attempts, `, errs.String())
	assert.Regexp(t, `(?m)^  github: .*refused.* \(3 attempts, `, errs.String())
	assert.Empty(t, out.String())
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown flag": {"-nope"}, "argument": {"word"}, "two servers": {"-demo", "-data", "."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			assert.Equal(t, 2, run(context.Background(), args, &out, &errs))
			assert.NotEmpty(t, errs.String())
		})
	}
	var out, errs bytes.Buffer
	assert.Equal(t, 1, run(context.Background(), []string{"-primary", "nonsense"}, &out, &errs))
	assert.Contains(t, errs.String(), "http://")
	assert.Equal(t, 1, run(context.Background(), []string{"-data", filepath.Join(t.TempDir(), "none")}, &out, &errs))
	assert.Equal(t, 0, run(context.Background(), []string{"-h"}, &out, &errs))
}
