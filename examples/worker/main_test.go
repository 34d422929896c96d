// The example is run as a user would run it, without a network.

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// TestMain keeps the tests on this machine: GitHub is sought at a port where nobody listens.
func TestMain(m *testing.M) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	os.Setenv("GITHUB_PROXY_URL_BASE", gone.URL)
	os.Exit(m.Run())
}

// works runs the example and returns what it printed.
func works(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	require.Equal(t, 0, run(t.Context(), args, &out, &errs), errs.String())
	return out.String()
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	all := works(t, "-demo")
	assert.Regexp(t, `(?m)^Lantern XL  \(stable_diffusion_xl, 6\.94 GB, about 8\.67 GB of VRAM\)$`, all)
	assert.Contains(t, all, "    url     https://weights.example.org/lantern_xl.safetensors\n")
	assert.Contains(t, all, "    sha256  19329c1842e98c7150417e1bdc98fbf385fbb793aede719e7b0509e0f0227c94\n")
	assert.Contains(t, all, "sha256  none recorded")
	assert.Contains(t, all, "20 of 20 image models")

	for name, test := range map[string]struct {
		args  []string
		tells string
	}{
		"one baseline by another name": {[]string{"-baselines", "SD1.5"}, "4 of 20 image models, 12.80 GB in all"},
		"two baselines":                {[]string{"-baselines", "SD1.5, flux_1"}, "5 of 20 image models"},
		"disk":                         {[]string{"-baselines", "SD1.5", "-disk", "9GB"}, "3 of 20 image models, 8.53 GB in all"},
		"vram":                         {[]string{"-baselines", "SD1.5", "-vram", "4gb"}, "2 of 20 image models"},
		"not for work, left out":       {[]string{"-baselines", "SD1.5", "-nsfw", "exclude"}, "3 of 20 image models"},
		"not for work, alone":          {[]string{"-baselines", "SD1.5", "-nsfw", "only"}, "1 of 20 image models"},
		"too little":                   {[]string{"-disk", "1B"}, "0 of 20 image models, 0 B in all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Contains(t, works(t, append([]string{"-demo"}, test.args...)...), tells(test.tells))
		})
	}
}

func tells(s string) string { return "\n" + s }

func TestModelsOfUnknownSizeFitNoBudget(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration,
		`{"A": {"name": "A", "baseline": "flux_1", "nsfw": false, "config": {"download": [{"file_name": "a", "file_url": "u", "size_bytes": 5}]}},
		  "B\u001b[31m": {"name": "B\u001b[31m", "baseline": "flux_1", "nsfw": false, "config": {"download": []}}}`))
	all := works(t, "-primary", server.URL())
	assert.Contains(t, all, "    size    5 B\n")
	assert.Contains(t, all, "(flux_1, size unknown)")
	assert.NotContains(t, all, "\x1b")
	assert.Contains(t, works(t, "-primary", server.URL(), "-disk", "1GB"), "1 of 2 image models, 5 B in all; 1 more state no size")
}

// weights are files and the records that describe them.
func weights(t *testing.T, dir string) *modelreftest.Server {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "in"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in", "good"), []byte("weights"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "spoilt"), []byte("not weights"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "unknown"), []byte("weights"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("weights")))
	var records []*modelref.ImageGenerationRecord
	for _, name := range []string{"in/good", "spoilt", "unknown", "missing", "folder", "../outside", "/etc/hostname"} {
		file := modelref.DownloadRecord{FileName: name, FileURL: "https://example.org/" + name, SHA256Sum: sum}
		if name == "unknown" {
			file.SHA256Sum = "FIXME"
		}
		records = append(records, &modelref.ImageGenerationRecord{
			ModelRecord: modelref.ModelRecord{
				Name: name, Config: modelref.RecordConfig{Download: []modelref.DownloadRecord{file}},
			},
			Baseline: modelref.BaselineFlux1,
		})
	}
	return modelreftest.NewServer(t, modelreftest.WithRecords(modelref.CategoryImageGeneration, records...))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := weights(t, dir)
	var out, errs bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"-primary", server.URL(), "-verify", dir}, &out, &errs))
	for _, line := range []string{
		"in/good: ok", "spoilt: BAD: modelref: spoilt: checksum does not match", "unknown: no checksum recorded",
		"folder: BAD: not a regular file", "../outside: BAD: the name leads out", "/etc/hostname: BAD: the name leads out",
		"1 files are good, 1 cannot be checked, 4 are bad, 1 are not there",
	} {
		assert.Contains(t, out.String(), "\n"+line)
	}
	assert.NotContains(t, out.String(), "missing: ")
	assert.Contains(t, errs.String(), "4 files in ")
	assert.NotContains(t, errs.String(), "\r", "no bar without a terminal")

	assert.Contains(t, works(t, "-demo", "-verify", t.TempDir()), "0 files are good")
	assert.Equal(t, 1, run(t.Context(), []string{"-demo", "-verify", filepath.Join(dir, "none")}, &out, &errs))
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client := weights(t, dir).Client(t)
	records, err := client.ImageGeneration.Query().All(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	var out bytes.Buffer
	assert.EqualError(t, verify(ctx, dir, records, &out, &bar{}), "enough")
	assert.Empty(t, out.String())
}

func TestALinkThatLeadsOutIsNotFollowed(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("weights"), 0o600))
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	file := &modelref.DownloadRecord{FileName: "link", SHA256Sum: fmt.Sprintf("%x", sha256.Sum256([]byte("weights")))}
	assert.ErrorContains(t, verifyFile(t.Context(), root, file, &bar{}), "escapes")
}

func TestBar(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := &bar{w: &out}
	b.start(strings.Repeat("very/", 20)+"long.safetensors", 4e9)
	b.drawn = b.drawn.Add(-redrawTime)
	b.add(1e9)
	b.add(1e9) // too soon after the last one to be drawn
	b.end()
	steps := strings.Split(out.String(), "\r\x1b[K")
	require.Len(t, steps, 4)
	assert.Regexp(t, regexp.MustCompile(`^….*long\.safetensors \[ {30}\]   0% of 4\.00 GB$`), steps[1])
	assert.Contains(t, steps[2], "[=======                       ]  25%")
	assert.Empty(t, steps[3])

	assert.Nil(t, newBar(&out).w)
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()
	assert.False(t, isTerminal(file))
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]size{
		"500GB": 500e9, "1.5TB": 15e11, "12 GiB": 12 << 30, "7e9B": 7e9, "100b": 100, "2tib": 2 << 40, "3MB": 3e6,
	} {
		var s size
		require.NoError(t, s.Set(text), text)
		assert.Equal(t, want, s, text)
	}
	for _, text := range []string{"", "GB", "0", "12", "7e9", "-1GB", "12XB", "1e300TB", "NaN", "Inf"} {
		var s size
		assert.Error(t, s.Set(text), text)
	}
	assert.Equal(t, "1.5 MB", size(15e5).String())
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown": {"-nope"}, "argument": {"word"}, "size": {"-disk", "much"}, "policy": {"-nsfw", "maybe"},
		"empty baseline": {"-baselines", "flux_1,"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			assert.Equal(t, 2, run(t.Context(), args, &out, &errs))
			assert.NotEmpty(t, errs.String())
			assert.Empty(t, out.String())
		})
	}
	var out, errs bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &errs))
	assert.Contains(t, errs.String(), "-baselines names")
	assert.Equal(t, 0, run(t.Context(), []string{"-demo", "-baselines", "new_one"}, &out, &errs))
	assert.Contains(t, errs.String(), `this program does not know the baseline "new_one"`)
	assert.Equal(t, 1, run(t.Context(), []string{"-primary", "nonsense"}, &out, &errs))
}

func TestNothingReachable(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"-primary", os.Getenv("GITHUB_PROXY_URL_BASE") + "/api"}, &out, &errs))
	assert.Contains(t, errs.String(), "image_generation")
	assert.Empty(t, out.String())
}

func TestNoSizeIsTooLargeToBeCompared(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, `{
		"small": {"name": "small", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 5},
		"largest": {"name": "largest", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 9223372036854775807},
		"negative": {"name": "negative", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": -5},
		"in two files": {"name": "in two files", "baseline": "flux_1", "nsfw": false, "config": {"download": [
			{"file_name": "1", "file_url": "u", "size_bytes": 9223372036854775807},
			{"file_name": "2", "file_url": "u", "size_bytes": 9223372036854775807}]}}}`))
	ref, err := server.Client(t).ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	for _, m := range []machine{{disk: 1000}, {vram: 1000}, {disk: 1000, vram: 1000}} {
		chosen, err := m.choose(t.Context(), ref)
		require.NoError(t, err)
		require.Len(t, chosen.models, 1)
		assert.Equal(t, "small", chosen.models[0].Name)
		assert.Equal(t, 2, chosen.unsized)
	}
}
