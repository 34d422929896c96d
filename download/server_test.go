// This file has the server of the tests. It has files with ranges and versions, and scripted faults for each request.

package download_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// content is a version of a file.
type content struct {
	data     []byte
	etag     string
	modified time.Time
	kind     string
}

// newContent returns n bytes that cannot be compressed and have no known file format.
func newContent(seed uint64, n int) content {
	data := make([]byte, n)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	_, _ = random.Read(data)
	if n > 0 {
		data[0] = 0x80
	}
	sum := sha256.Sum256(data)
	return content{data: data, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, kind: "application/octet-stream"}
}

func (c content) sum() string {
	sum := sha256.Sum256(c.data)
	return hex.EncodeToString(sum[:])
}

// request is one request that the server has received.
type request struct {
	path   string
	query  string
	header http.Header
	sent   int64
	status int
}

// server serves contents by path. It first passes each request to a script.
type server struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	contents map[string]content
	script   func(w http.ResponseWriter, r *http.Request, n int) bool
	requests []*request
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, contents: make(map[string]content)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// put sets the content of a path and returns its URL.
func (s *server) put(path string, c content) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contents[path] = c
	return s.URL + path
}

// on sets the script. The script returns true if it has responded to request number n, starting at 0.
func (s *server) on(script func(w http.ResponseWriter, r *http.Request, n int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n, script := len(s.requests), s.script
	log := &request{path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone(), status: http.StatusOK}
	s.requests = append(s.requests, log)
	s.mu.Unlock()
	counted := &countingWriter{ResponseWriter: w, s: s, log: log}
	if script != nil && script(counted, r, n) {
		return
	}
	s.plain(counted, r)
}

// plain responds like a file server.
func (s *server) plain(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c, ok := s.contents[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	serveContent(w, r, c)
}

func serveContent(w http.ResponseWriter, r *http.Request, c content) {
	if c.etag != "" {
		w.Header().Set("ETag", c.etag)
	}
	if c.kind != "" {
		w.Header().Set("Content-Type", c.kind)
	}
	http.ServeContent(w, r, "", c.modified, bytes.NewReader(c.data))
}

// sent returns the number of body bytes of all successful responses.
func (s *server) sent() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		n += r.sent
	}
	return n
}

// log returns the requests so far.
func (s *server) log() []*request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*request(nil), s.requests...)
}

// reset removes the recorded requests and the script.
func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.script = nil, nil
}

// countingWriter counts the body bytes of successful responses.
type countingWriter struct {
	http.ResponseWriter
	s   *server
	log *request
}

func (w *countingWriter) WriteHeader(status int) {
	w.s.mu.Lock()
	w.log.status = status
	w.s.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(data []byte) (int, error) {
	n, err := w.ResponseWriter.Write(data)
	w.s.mu.Lock()
	if w.log.status < 300 {
		w.log.sent += int64(n)
	}
	w.s.mu.Unlock()
	return n, err
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// dropAfter serves the request and resets the connection after n bytes of the body.
func (s *server) dropAfter(w http.ResponseWriter, r *http.Request, n int64) {
	s.plain(&droppingWriter{ResponseWriter: w, left: n}, r)
}

type droppingWriter struct {
	http.ResponseWriter
	left int64
}

func (w *droppingWriter) Write(data []byte) (int, error) {
	if int64(len(data)) >= w.left {
		_, _ = w.ResponseWriter.Write(data[:w.left])
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	n, err := w.ResponseWriter.Write(data)
	w.left -= int64(n)
	return n, err
}

// hang sends n bytes of the body, and then nothing until the client cancels.
func (s *server) hang(w http.ResponseWriter, r *http.Request, n int64) {
	s.mu.Lock()
	c := s.contents[r.URL.Path]
	s.mu.Unlock()
	w.Header().Set("ETag", c.etag)
	w.Header().Set("Content-Type", c.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(c.data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(c.data[:n])
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// fileOf returns the DownloadRecord of a file.
func fileOf(name, url string, c content) modelref.DownloadRecord {
	return modelref.DownloadRecord{FileName: name, FileURL: url, SHA256Sum: c.sum()}
}

// model returns a record with files.
func model(name string, files ...modelref.DownloadRecord) *modelref.ImageGenerationRecord {
	return &modelref.ImageGenerationRecord{ModelRecord: modelref.ModelRecord{
		RecordType: modelref.CategoryImageGeneration, Name: name, Config: modelref.RecordConfig{Download: files},
	}}
}

// quick returns options with short delays after failures.
func quick(dir string) download.Options {
	return download.WithRetryDelay(download.Options{Dir: dir, IdleTimeout: 5 * time.Second}, time.Millisecond)
}

// segmented returns options with which files of 1 MiB have segments.
func segmented(o download.Options) download.Options {
	return download.WithSmallSegments(o, 128<<10, 64<<10, 16<<10, 32<<10)
}

// plan makes a plan.
func plan(t *testing.T, o download.Options, records ...*modelref.ImageGenerationRecord) *download.Plan {
	t.Helper()
	p, err := download.NewPlan(t.Context(), records, o)
	require.NoError(t, err)
	return p
}

// run makes a plan and runs it.
func run(t *testing.T, o download.Options, records ...*modelref.ImageGenerationRecord) (*download.Report, error) {
	t.Helper()
	return plan(t, o, records...).Run(t.Context())
}

// only returns the result of the only file.
func only(t *testing.T, r *download.Report) download.FileResult {
	t.Helper()
	require.Len(t, r.Files, 1)
	return r.Files[0]
}

// requireFile checks that the file has the content, and that the directory has only the file and its checksum file.
func requireFile(t *testing.T, dir, path string, c content) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, path))
	require.NoError(t, err)
	require.True(t, bytes.Equal(c.data, got), "%s has the wrong content", path)
	requireNoParts(t, dir)
}

func requireNoFile(t *testing.T, dir, path string) {
	t.Helper()
	require.NoFileExists(t, filepath.Join(dir, path))
}

// requireNoParts checks that no partial file is left.
func requireNoParts(t *testing.T, dir string) {
	t.Helper()
	for _, name := range filesIn(t, dir) {
		require.NotContains(t, name, "part", "left over")
		require.NotContains(t, name, ".tmp", "left over")
	}
}

// filesIn returns the paths of the files below dir, without the locks.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".modelref" {
			return filepath.SkipDir
		}
		if !entry.IsDir() {
			relative, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			out = append(out, filepath.ToSlash(relative))
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
