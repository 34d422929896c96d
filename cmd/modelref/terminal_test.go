// The command on a terminal: a pseudo-terminal of several widths, and of none.

//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/modelreftest"
)

// escapes matches colours and hyperlinks.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m|\x1b\\]8;;[^\x1b]*\x1b\\\\")

// onTerminal runs the built command on a terminal, and returns what the terminal receives.
func onTerminal(t *testing.T, width int, env []string, args ...string) string {
	t.Helper()
	cmd := command(t, t.Context(), args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLUMNS=", "NO_COLOR=", "PAGER=cat", "MODELREF_PAGER=cat")
	cmd.Env = append(cmd.Env, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: uint16(width)})
	require.NoError(t, err)
	defer func() { _ = terminal.Close() }()
	var out bytes.Buffer
	_, _ = io.Copy(&out, terminal) // it ends with an error when the command has ended
	_ = cmd.Wait()
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// checkScreen checks that no line is longer than the screen, unless it has something that must be copied as a whole.
func checkScreen(t *testing.T, width int, text string) {
	t.Helper()
	for line := range strings.SplitSeq(escapes.ReplaceAllString(text, ""), "\n") {
		if strings.Contains(line, "://") || strings.Contains(line, "sha256 ") {
			assert.NotContains(t, line, ellipsis, "a URL or a checksum is cut")
			continue
		}
		assert.LessOrEqual(t, runewidth.StringWidth(line), width, line)
	}
}

func TestScreens(t *testing.T) {
	t.Parallel()
	for _, width := range []int{60, 80, 120} {
		for _, args := range [][]string{
			{"list", "image"}, {"list", "text"}, {"list"}, {"list", "image", "--by", "baseline"}, {"search", "plain"},
			{"get", "Plain Diffusion"}, {"get", "clip", "ViT-L/14"}, {"categories"}, {"stats", "image"}, {"popular"}, {"status", "clip"},
		} {
			text := onTerminal(t, width, nil, append([]string{"--demo"}, args...)...)
			assert.NotEmpty(t, text)
			checkScreen(t, width, text)
		}
	}
}

func TestATerminalShowsColoursAndACount(t *testing.T) {
	t.Parallel()
	text := onTerminal(t, 80, nil, "--demo", "list", "image")
	assert.Contains(t, text, bold+"NAME"+reset)
	assert.Contains(t, text, red+"yes"+reset)
	assert.True(t, strings.HasSuffix(text, "\n20 records\n"), text)
	for _, args := range [][]string{{"--color", "never"}, {"-o", "csv"}} {
		assert.NotContains(t, onTerminal(t, 80, nil, append([]string{"--demo", "list", "image"}, args...)...), "\x1b")
	}
	assert.NotContains(t, onTerminal(t, 80, []string{"NO_COLOR=1"}, "--demo", "list", "image"), "\x1b")
	assert.Contains(t, runBinary(t, "--demo", "list", "image", "--color", "always").out, bold+"NAME"+reset)
	got := runBinary(t, "--demo", "list", "image", "--color", "pink")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "must be auto, always or never")
}

func TestBars(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"list", "image", "--by", "baseline"}, {"stats", "image"}, {"stats", "image", "--sizes"}} {
		args = append([]string{"--demo"}, args...)
		text := onTerminal(t, 80, nil, args...)
		assert.Contains(t, text, strings.Repeat("█", 20), args)
		checkScreen(t, 80, text)
		assert.NotContains(t, runBinary(t, args...).out, "█", "a script has no use for bars")
	}
}

func TestHyperlinks(t *testing.T) {
	t.Parallel()
	link := "\x1b]8;;https://weights.example.org/inkwell.safetensors\x1b\\"
	assert.Contains(t, onTerminal(t, 80, []string{"FORCE_HYPERLINK=1"}, "--demo", "get", "inkwell"), link)
	assert.NotContains(t, onTerminal(t, 80, []string{"FORCE_HYPERLINK=0"}, "--demo", "get", "inkwell"), "\x1b]8")
	s := screen{links: true}
	for _, target := range []string{"javascript:alert(1)", "https://a b", "https://a\x1b\\", ""} {
		assert.Equal(t, "text", s.link(target, "text"))
	}
}

func TestThePager(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "paged")
	env := []string{"MODELREF_PAGER=cat >" + file}
	assert.Empty(t, onTerminal(t, 80, env, "--demo", "list", "clip"))
	paged, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(paged), "ViT-L/14")
	assert.Contains(t, onTerminal(t, 80, env, "--demo", "list", "clip", "--no-pager"), "ViT-L/14")
	assert.Contains(t, onTerminal(t, 80, []string{"MODELREF_PAGER=", "PAGER=false"}, "--demo", "list", "clip"), "ViT-L/14",
		"an empty MODELREF_PAGER is no pager")
	assert.NotContains(t, onTerminal(t, 80, []string{"MODELREF_PAGER=true"}, "--demo", "list", "image"), "modelref:",
		"leaving the pager early is not an error")
	got := runBinary(t, "--demo", "list", "clip", "-q")
	assert.Equal(t, "ViT-L/14\ncoca_ViT-B-32\n", got.out, "without a terminal there is no pager")
}

// TestRowsDiffer reads the recorded documents: rows of different models are never equal on a screen.
func TestRowsDiffer(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS is not set")
	}
	server := modelreftest.NewServer(t, modelreftest.WithDocuments(os.DirFS(filepath.Join(dir, "newest", "primary", "real"))))
	for _, width := range []int{0, 60, 80, 120, 200} {
		for _, category := range []string{"text_generation", "image_generation"} {
			args := []string{"--no-github", "--primary", server.URL(), "list", category}
			if width == 0 { // no terminal
				assert.NotContains(t, runBinary(t, args...).out, ellipsis)
				continue
			}
			text := onTerminal(t, width, nil, args...)
			checkScreen(t, width, text)
			if width < 80 {
				continue // there is no room for every name
			}
			lines := strings.Split(strings.TrimSpace(escapes.ReplaceAllString(text, "")), "\n")
			rows := map[string]bool{}
			for _, line := range lines {
				assert.False(t, rows[line], line)
				rows[line] = true
			}
			assert.Greater(t, len(lines), 50)
		}
	}
}

func TestVerifyShowsABarOnATerminal(t *testing.T) {
	t.Parallel()
	dir, flags := withLargeFile(t, 600<<20)
	verify := append(flags, "verify", dir, "image")
	text := strings.ReplaceAll(onTerminal(t, 80, []string{"NO_COLOR=1"}, verify...), "\n", "\r\n")
	for _, want := range []string{
		"compvis/large.bin            ", " / 629.1 MB", "B/s", // the bar
		"STATE        CATEGORY          MODEL  FILE", "ok           image_generation  One    compvis/first.bin",
		"mismatch     image_generation  One    compvis/large.bin\r\n  expected ", "no checksum  image_generation",
		"3 of 3 files are there",
	} {
		assert.Contains(t, text, want)
	}
	assert.Regexp(t, `\d\d\.\d MB / 629\.1 MB`, text, "the bar moves")
	assert.NotContains(t, text[strings.LastIndex(text, "\x1b[J"):], "B/s", "the bar is removed at the end")
	assert.NotContains(t, runBinary(t, verify...).err, " / 629.1 MB", "there is no bar in a log")

	require.NoError(t, os.Remove(filepath.Join(dir, "compvis", "large.bin")))
	again := strings.ReplaceAll(onTerminal(t, 80, []string{"NO_COLOR=1"}, verify...), "\n", "\r\n")
	assert.Contains(t, again, "2 of 3 files are there")
	assert.NotContains(t, again, "B/s", "there is nothing to read")
}

// TestFirstByte compares the time of a call that is answered from the cache directory with that of a program that prints
// its version.
func TestFirstByte(t *testing.T) {
	if os.Getenv("MODELREF_RATIOS") == "" {
		t.Skip("MODELREF_RATIOS is not set: times are compared on a quiet machine only")
	}
	gh, err := exec.LookPath("gh")
	if err != nil {
		t.Skip("gh is not installed")
	}
	_, flags := serve(t, twoModels)
	flags = append(flags, "--cache-dir", t.TempDir(), "list", "image", "-q")
	require.Equal(t, 0, runBinary(t, flags...).code)
	own, other := make([]time.Duration, 31), make([]time.Duration, 31)
	for i := range own {
		own[i] = firstByte(t, command(t, t.Context(), flags...))
		other[i] = firstByte(t, exec.CommandContext(t.Context(), gh, "--version"))
	}
	slices.Sort(own)
	slices.Sort(other)
	t.Logf("median time to the first byte: modelref %v, gh --version %v", own[15], other[15])
	assert.Less(t, own[15]-other[15], 25*time.Millisecond)
}

// firstByte returns the time from the start of a command to its first byte of output.
func firstByte(t *testing.T, cmd *exec.Cmd) time.Duration {
	t.Helper()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	started := time.Now()
	require.NoError(t, cmd.Start())
	_, err = out.Read(make([]byte, 1))
	took := time.Since(started)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, out)
	require.NoError(t, cmd.Wait())
	return took
}
