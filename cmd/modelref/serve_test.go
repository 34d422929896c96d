package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// log is a writer that a test reads from at the same time.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestServe(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var errs log
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--demo", "serve", "--addr", "127.0.0.1:0"}, strings.NewReader(""), io.Discard, &errs)
	}()
	listening := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/api`)
	require.Eventually(t, func() bool { return listening.MatchString(errs.String()) }, 20*time.Second, 5*time.Millisecond)
	address := listening.FindStringSubmatch(errs.String())[1]
	body := func(path string) string {
		response, err := http.Get("http://" + address + path)
		require.NoError(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, response.StatusCode, path)
		return string(content)
	}
	assert.Contains(t, body("/"), "<title>Model reference</title>")
	assert.Contains(t, body("/api/model_references/v2/image_generation"), "Plain Diffusion")
	assert.Contains(t, body("/api/replicate_mode"), "REPLICA")
	assert.Contains(t, body("/healthz"), "ok")
	metrics := body("/metrics")
	assert.Contains(t, metrics, `modelref_mirror_requests_total{code="200",method="get"}`)
	assert.Contains(t, metrics, "modelref_category_records")
	assert.Contains(t, metrics, "go_goroutines")

	got := runWith(t, "", "--primary", "http://"+address+"/api", "--no-github", "list", "clip", "-q")
	assert.Equal(t, result{0, "ViT-L/14\ncoca_ViT-B-32\n", ""}, got, "the command does not read from a mirror")
	assert.Equal(t, 0, runWith(t, "", "serve", "--check", "--addr", address).code)

	stop()
	assert.Equal(t, 0, <-ended, errs.String())
	down := runWith(t, "", "serve", "--check", "--addr", address)
	assert.Equal(t, 1, down.code)
	assert.Contains(t, down.err, "does not respond")
}

func TestServeArguments(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 2, demo(t, "serve", "--addr", "8765").code)
	assert.Equal(t, 2, demo(t, "serve", "here").code)
	assert.Equal(t, 1, demo(t, "serve", "--addr", "192.0.2.1:1").code, "an address that is not of this machine")
}

// TestDeployments checks that the command lines of the Dockerfile and of the systemd unit are ones that the command takes.
func TestDeployments(t *testing.T) {
	t.Parallel()
	lines := map[string][]string{}
	for _, file := range []string{"Dockerfile", "modelref-mirror.service"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.SplitSeq(string(text), "\n") {
			if _, list, ok := strings.Cut(line, "CMD ["); ok {
				var args []string
				require.NoError(t, json.Unmarshal([]byte("["+list), &args))
				lines[file+": "+line] = args
			} else if command, ok := strings.CutPrefix(line, "ExecStart="); ok {
				lines[file+": "+line] = strings.Fields(command)
			}
		}
	}
	require.Len(t, lines, 3)
	for where, args := range lines {
		args = slices.DeleteFunc(args, func(arg string) bool { return strings.HasSuffix(arg, "/modelref") && !strings.Contains(arg, "cache") })
		root := newRoot(&app{stdout: io.Discard, stderr: io.Discard})
		cmd, rest, err := root.Find(args)
		require.NoError(t, err, where)
		assert.Equal(t, "serve", cmd.Name(), where)
		require.NoError(t, cmd.ParseFlags(rest), where)
	}
}
