// download, files and prune: the built command against servers on the loopback interface.

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// weights serves the content of the files of two models, and counts the bytes that it has sent.
type weights struct {
	content map[string][]byte
	slow    atomic.Bool // a piece at a time, so that a download can be interrupted
	broken  atomic.Bool // the content is not that of the record
	sent    atomic.Int64
}

func (w *weights) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	content, ok := w.content[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(out, r)
		return
	}
	if w.broken.Load() {
		content = bytes.Repeat([]byte{7}, len(content))
	}
	out.Header().Set("ETag", `"1"`)
	out.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(&counted{out, w}, r, "", time.Time{}, bytes.NewReader(content))
}

type counted struct {
	http.ResponseWriter
	w *weights
}

func (c *counted) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		piece := p[done:min(done+64<<10, len(p))]
		n, err := c.ResponseWriter.Write(piece)
		c.w.sent.Add(int64(n))
		done += n
		if err != nil {
			return done, err
		}
		if c.w.slow.Load() {
			_ = http.NewResponseController(c.ResponseWriter).Flush() // the client may be gone
			time.Sleep(20 * time.Millisecond)
		}
	}
	return len(p), nil
}

// twoWeights starts a server with the files of two models, and returns the flags that lead to their records.
func twoWeights(t *testing.T) (*weights, []string) {
	t.Helper()
	w := &weights{content: map[string][]byte{
		"small.bin": bytes.Repeat([]byte("small "), 10_000), "grand.bin": bytes.Repeat([]byte("grand model "), 200_000),
	}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	document := map[string]any{}
	for name, baseline := range map[string]string{"small": "stable_diffusion_1", "grand": "stable_diffusion_xl"} {
		sum := sha256.Sum256(w.content[name+".bin"])
		document["The "+name] = map[string]any{
			"name": "The " + name, "baseline": baseline, "nsfw": name == "grand", "size_on_disk_bytes": len(w.content[name+".bin"]),
			"config": map[string]any{"download": []any{map[string]any{
				"file_name": name + ".bin", "file_url": server.URL + "/" + name + ".bin", "sha256sum": hex.EncodeToString(sum[:]),
			}}},
		}
	}
	data, err := json.Marshal(document)
	require.NoError(t, err)
	service := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, string(data)))
	return w, []string{"--no-github", "--primary", service.URL()}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	dir := t.TempDir()
	args := append(flags, "download", "image", "--dir", dir)

	got := runBinary(t, append(args, "--sfw", "--dry-run")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `missing +60\.0 kB +compvis/small\.bin +The small +unknown`, got.out)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "a dry run changes nothing")
	assert.Zero(t, w.sent.Load())

	got = runBinary(t, append(args, "--sfw")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `downloaded +60\.0 kB +compvis/small\.bin`, got.out)
	assert.Contains(t, got.err, "1 file downloaded, 0 kept, 0 linked, 0 failed; 60.0 kB received")
	data, err := os.ReadFile(filepath.Join(dir, "compvis", "small.bin"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(w.content["small.bin"], data))

	sent := w.sent.Load()
	got = runBinary(t, append(args, "the  SMALL", "--jsonl")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.err, `"the  SMALL" is taken as "The small"`)
	assert.Contains(t, got.out, `"path":"compvis/small.bin","outcome":"kept","verified":true`)
	assert.Equal(t, sent, w.sent.Load(), "a verified file is not downloaded again")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "small.bin"), []byte("damaged"), 0o600))
	assert.Equal(t, 3, runBinary(t, append(flags, "verify", dir, "image")...).code)
	assert.Equal(t, 0, runBinary(t, append(args, "--sfw")...).code)
	assert.Equal(t, 0, runBinary(t, append(flags, "verify", dir, "image")...).code)
}

func TestDownloadOfWrongContent(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	w.broken.Store(true)
	dir := t.TempDir()
	got := runBinary(t, append(flags, "download", "image", "--all", "--dir", dir)...)
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "compvis/grand.bin")
	assert.Contains(t, got.err, "checksum does not match")
	assert.Contains(t, got.out, "failed")
	_, err := os.Stat(filepath.Join(dir, "compvis", "small.bin"))
	assert.ErrorIs(t, err, os.ErrNotExist, "a file with the wrong content does not appear")
}

func TestDownloadResumesAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process on Windows cannot be sent an interrupt")
	}
	w, flags := twoWeights(t)
	dir := t.TempDir()
	args := append(flags, "download", "image", "The grand", "--dir", dir)
	w.slow.Store(true)
	cmd := command(t, t.Context(), args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return w.sent.Load() > 500_000 }, 20*time.Second, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.Error(t, cmd.Wait())
	assert.Equal(t, 130, cmd.ProcessState.ExitCode(), errs.String())
	assert.Contains(t, errs.String(), "run the same command again to continue")

	w.slow.Store(false)
	w.sent.Store(0)
	got := runBinary(t, args...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Less(t, w.sent.Load(), int64(len(w.content["grand.bin"])), "what had arrived is kept")
	data, err := os.ReadFile(filepath.Join(dir, "compvis", "grand.bin"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(w.content["grand.bin"], data))
}

func TestDownloadShowsBarsOnATerminal(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	w.slow.Store(true)
	cmd := command(t, t.Context(), append(flags, "download", "image", "The grand", "--dir", t.TempDir())...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skip("there is no pseudo-terminal: ", err)
	}
	screen, _ := io.ReadAll(terminal) // a terminal whose other end is closed returns an error
	require.NoError(t, cmd.Wait())
	text := string(screen)
	for _, want := range []string{"compvis/grand.bin", "all files", "MB / ", "1 file downloaded"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "start    ", "the plain log is for other outputs")
}

func TestDownloadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"everything":       {[]string{"--demo", "download", "image", "--dry-run"}, 2, "--all takes all of image_generation"},
		"names and filter": {[]string{"--demo", "download", "image", "x", "--sfw", "--dry-run"}, 2, "give names or filters, not both"},
		"the demo":         {[]string{"--demo", "download", "image", "--sfw"}, 2, "add --dry-run"},
		"offline":          {[]string{"--offline", "--cache-dir", t.TempDir(), "download", "image", "--sfw"}, 2, "remove --offline"},
		"no jobs":          {[]string{"--demo", "download", "image", "--sfw", "--dry-run", "--jobs", "0"}, 2, "--jobs 0: must be 1 or more"},
		"a rate":           {[]string{"--demo", "download", "image", "--sfw", "--dry-run", "--limit-rate", "fast"}, 2, "--limit-rate"},
		"a size":           {[]string{"--demo", "download", "image", "--max-size", "big", "--dry-run"}, 2, "--max-size: "},
		"a field":          {[]string{"--demo", "download", "clip", "--sfw", "--dry-run"}, 2, `--sfw: the records have no field "nsfw"`},
		"an unknown name":  {[]string{"--demo", "download", "image", "zzzz", "--dry-run"}, 3, "zzzz"},
		"both":             {[]string{"--demo", "download", "image", "--sfw", "--nsfw", "--dry-run"}, 2, "nsfw"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runBinary(t, c.args...)
			assert.Equal(t, c.code, got.code, got.err)
			assert.Contains(t, got.err, c.want)
			assert.Empty(t, got.out)
		})
	}
}

func TestFilesForOtherPrograms(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "compvis"), 0o750))
	for name, content := range w.content {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", name), content, 0o600))
	}
	files := append(flags, "files", "image")
	sums := runBinary(t, append(files, "--checksums")...)
	require.Equal(t, 0, sums.code, sums.err)
	assert.Len(t, strings.Split(strings.TrimSpace(sums.out), "\n"), 2)
	t.Run("sha256sum", func(t *testing.T) {
		out := other(t, dir, sums.out, "sha256sum", "-c")
		assert.Contains(t, out, "compvis/small.bin: OK")
		assert.Contains(t, out, "compvis/grand.bin: OK")
	})
	t.Run("wget", func(t *testing.T) {
		urls := runBinary(t, append(files, "--urls", "--sfw")...)
		to := t.TempDir()
		other(t, to, urls.out, "wget", "--no-proxy", "-q", "-i", "-")
		data, err := os.ReadFile(filepath.Join(to, "small.bin"))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(w.content["small.bin"], data))
	})
	t.Run("aria2c", func(t *testing.T) {
		entries := runBinary(t, append(files, "--aria2")...)
		to := t.TempDir()
		other(t, to, entries.out, "aria2c", "--no-conf", "-q", "-d", to, "-i", "-")
		data, err := os.ReadFile(filepath.Join(to, "compvis", "grand.bin"))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(w.content["grand.bin"], data))
	})
	got := runBinary(t, append(files, "The small")...)
	assert.Equal(t, 0, got.code, got.err)
	for _, want := range []string{fmt.Sprintf("%x", sha256.Sum256(w.content["small.bin"])), "compvis/small.bin", "http://127.0.0.1:"} {
		assert.Contains(t, got.out, want)
	}
	assert.NotContains(t, got.out, "grand")
}

// other runs another program, or skips the test if the machine does not have it.
func other(t *testing.T, dir, stdin, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestPrune(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	dir := t.TempDir()
	kept := write(t, dir, "compvis/small.bin", string(w.content["small.bin"]))
	stray := write(t, dir, "compvis/stray.bin", "nobody needs this")
	args := append(flags, "prune", dir)
	got := runBinary(t, args...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "compvis/stray.bin")
	assert.NotContains(t, got.out, "small.bin")
	assert.FileExists(t, stray, "nothing is removed without --yes")
	got = runBinary(t, append(args, "--yes", "-q")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Equal(t, "compvis/stray.bin\n", got.out)
	assert.NoFileExists(t, stray)
	assert.FileExists(t, kept)
	assert.Equal(t, 2, runBinary(t, append(flags, "prune", filepath.Join(dir, "nothere"))...).code)
}

func TestPruneRefusesInDoubt(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, `{"Small": {"name": "Small", "baseline": "stable_diffusion_1", "nsfw": false}, "Odd": {"name": 7}}`)
	dir := t.TempDir()
	stray := write(t, dir, "compvis/stray.bin", "x")
	got := runBinary(t, append(flags, "prune", dir, "--yes")...)
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "nothing was removed: image_generation has records that cannot be decoded")
	assert.FileExists(t, stray)
}
