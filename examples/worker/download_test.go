// Downloading and watching, with a server of weights on loopback.

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// weightServer serves the contents of files by their names.
func weightServer(t *testing.T, files map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// documentOf returns a document with a model for each file.
func documentOf(base string, files map[string]string, names ...string) string {
	var records []string
	for _, name := range names {
		records = append(records, fmt.Sprintf(`"%[1]s": {"name": "%[1]s", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": %[2]d,
			"config": {"download": [{"file_name": "%[1]s.safetensors", "file_url": "%[3]s/%[1]s", "size_bytes": %[2]d, "sha256sum": "%[4]x"}]}}`,
			name, len(files[name]), base, sha256.Sum256([]byte(files[name]))))
	}
	return "{" + strings.Join(records, ",") + "}"
}

// locked is a buffer that is written to while it is read.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestDownloadAndWatch(t *testing.T) {
	t.Parallel()
	files := map[string]string{"one": "the first model", "two": "the second model", "broken": "other content"}
	base := weightServer(t, files)
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, documentOf(base, files, "one")))
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, errs locked
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"-primary", server.URL(), "-dir", dir, "-watch", "1s"}, &out, &errs)
	}()

	path := func(name string) string { return filepath.Join(dir, "compvis", name+".safetensors") }
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "1 files of 1 models are wanted") }, 20*time.Second, 10*time.Millisecond)
	content, err := os.ReadFile(path("one"))
	require.NoError(t, err)
	assert.Equal(t, files["one"], string(content))

	server.SetDocument(modelref.CategoryImageGeneration, documentOf(base, files, "one", "two"))
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "two.safetensors: downloaded, 16 B") }, 20*time.Second, 10*time.Millisecond)
	content, err = os.ReadFile(path("two"))
	require.NoError(t, err)
	assert.Equal(t, files["two"], string(content))
	assert.Contains(t, out.String(), "1 models added, 0 removed, 0 changed")

	interrupt()
	assert.Equal(t, 0, <-ended, errs.String())
	assert.Empty(t, errs.String())
}

func TestAFileThatIsNotTheRecordsIsNotKept(t *testing.T) {
	t.Parallel()
	base := weightServer(t, map[string]string{"one": "something else"})
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration,
		documentOf(base, map[string]string{"one": "what it should be"}, "one")))
	dir := t.TempDir()
	var out, errs bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"-primary", server.URL(), "-dir", dir}, &out, &errs))
	assert.NoFileExists(t, filepath.Join(dir, "compvis", "one.safetensors"))
	assert.Contains(t, out.String(), "one.safetensors: ")
}

func TestWatchNeedsADirectory(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-watch", "5m"}, {"-watch", "1ms", "-dir", "x"}} {
		var out, errs bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), append(args, "-demo"), &out, &errs))
		assert.Contains(t, errs.String(), "-watch")
	}
}
