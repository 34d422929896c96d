// The fault matrix has every fault at one source, with and without a checksum, for a new and for an interrupted
// download. Each cell has the expected files on disk, the expected error, and the number of bytes that may be fetched
// twice. A wrong file must never have the final name.

package download_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// matrixSize is the size of the file in the matrix.
const matrixSize = 512 << 10

// expectation is the expected state after a download.
type expectation struct {
	ok      bool   // the file exists with the correct content
	message string // a part of the error
	is      error  // a target for errors.Is
	twice   int64  // number of bytes that may be fetched twice
	part    bool   // a partial file remains
}

// matrixFault is a fault of the server with the expected results.
type matrixFault struct {
	name  string
	apply func(s *server) func(w http.ResponseWriter, r *http.Request, n int) bool
	// The expectations with a checksum, without a checksum, and with a checksum after an interruption in the middle.
	sum, noSum, resumed expectation
}

func same(e expectation) [3]expectation { return [3]expectation{e, e, e} }

func fault(name string, want [3]expectation, apply func(s *server) func(http.ResponseWriter, *http.Request, int) bool) matrixFault {
	return matrixFault{name: name, apply: apply, sum: want[0], noSum: want[1], resumed: want[2]}
}

// always returns a script that responds to every request in the same way.
func always(answer func(s *server, w http.ResponseWriter, r *http.Request)) func(*server) func(http.ResponseWriter, *http.Request, int) bool {
	return func(s *server) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool {
			answer(s, w, r)
			return true
		}
	}
}

// first returns a script that responds to the first request with a fault. Later requests succeed.
func first(answer func(s *server, w http.ResponseWriter, r *http.Request)) func(*server) func(http.ResponseWriter, *http.Request, int) bool {
	return func(s *server) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n > 0 {
				return false
			}
			answer(s, w, r)
			return true
		}
	}
}

var fine = expectation{ok: true}

// fails returns the expectation of an error that leaves nothing on disk except for the partial file of an earlier run.
func fails(message string, is error) [3]expectation {
	e := expectation{message: message, is: is}
	kept := e
	kept.part = true
	return [3]expectation{e, e, kept}
}

func matrixFaults() []matrixFault {
	return append(append(append(matrixStatusFaults(), matrixBodyFaults()...), matrixRangeFaults()...), matrixNetworkFaults()...)
}

func matrixStatusFaults() []matrixFault {
	status := func(code int) func(*server, http.ResponseWriter, *http.Request) {
		return func(_ *server, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	out := []matrixFault{fault("none", same(fine), always(func(s *server, w http.ResponseWriter, r *http.Request) { s.plain(w, r) }))}
	for _, code := range []int{400, 401, 403, 404, 410, 451, 501} {
		out = append(out, fault(fmt.Sprint(code), fails(fmt.Sprint(code), nil), always(status(code))))
	}
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504} {
		out = append(out, fault(fmt.Sprintf("%d once", code), same(fine), first(status(code))),
			fault(fmt.Sprintf("%d always", code), fails(fmt.Sprint(code), nil), always(status(code))))
	}
	out = append(out,
		fault("416 always", [3]expectation{{message: "416"}, {message: "416"}, {message: "416"}}, always(status(416))),
		fault("416 once", [3]expectation{fine, fine, fine}, first(status(416))),
		fault("429, Retry-After an hour", fails("retry after 1h0m0s", nil), always(func(_ *server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		})),
		fault("304", fails("304", nil), always(status(304))),
		fault("redirect loop", fails("more than 10 redirects", download.ErrInvalidResponse), always(func(_ *server, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		})),
		fault("redirect without Location", fails("Location", download.ErrInvalidResponse), always(status(302))),
		fault("redirect to a file", fails("Location", download.ErrInvalidResponse), always(func(_ *server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		})),
		fault("redirect to a closed port", fails("connection refused", nil), always(func(_ *server, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+closedPort+"/x", http.StatusFound)
		})),
	)
	return out
}

func matrixBodyFaults() []matrixFault {
	body := func(kind, text string) func(*server, http.ResponseWriter, *http.Request) {
		return func(_ *server, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(text))
		}
	}
	page := "<!DOCTYPE html><html><title>Sign in</title>" + strings.Repeat("<p>x</p>", 100) + "</html>"
	refused := func(message string, is error) [3]expectation { // the existing files are not changed
		e := expectation{message: message, is: is}
		return [3]expectation{e, {message: message, is: download.ErrNotTheFile}, {message: message, is: download.ErrNotTheFile, part: true}}
	}
	return []matrixFault{
		fault("HTML", refused("", nil), always(body("text/html; charset=utf-8", page))),
		fault("HTML as binary", refused("web page", download.ErrNotTheFile), always(body("application/octet-stream", page))),
		fault("short HTML", refused("", nil), always(body("text/html", "<html>no</html>"))),
		fault("JSON error", refused("", nil), always(body("application/json", `{"error":"token required"}`))),
		fault("26 bytes of text", refused("", nil), always(body("text/plain", "Access to model is limited"))),
		fault("26 bytes as binary", refused("", nil), always(body("application/octet-stream", "Access to model is limited"))),
		fault("empty", refused("", nil), always(body("application/octet-stream", ""))),
		fault("one flipped byte", [3]expectation{
			{is: modelref.ErrChecksumMismatch, message: "the record says"},
			{ok: false}, // cannot be detected without a checksum; see TestMatrixIsHonest
			{is: modelref.ErrChecksumMismatch, message: "the record says", twice: matrixSize},
		}, func(s *server) func(http.ResponseWriter, *http.Request, int) bool {
			s.corrupt(matrixSize - 7)
			return func(http.ResponseWriter, *http.Request, int) bool { return false }
		}),
		fault("Content-Encoding", fails("Content-Encoding", download.ErrInvalidResponse), always(func(s *server, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			s.plain(w, r)
		})),
		fault("Content-Length too large", [3]expectation{fine, {message: "has announced", is: download.ErrInvalidResponse, part: true}, fine},
			always(func(s *server, w http.ResponseWriter, r *http.Request) { s.lieAboutLength(w, r, 100) })),
		fault("without length, complete", [3]expectation{fine, {is: download.ErrUnverifiable, message: "no length"}, {ok: true, twice: matrixSize / 2}},
			always(func(s *server, w http.ResponseWriter, r *http.Request) { s.untilClose(w, matrixSize) })),
		fault("without length, cut off", [3]expectation{
			{is: modelref.ErrChecksumMismatch, message: "may have been cut off", twice: matrixSize},
			{is: download.ErrUnverifiable, message: "no length"},
			{is: modelref.ErrChecksumMismatch, message: "may have been cut off", twice: 2 * matrixSize},
		}, always(func(s *server, w http.ResponseWriter, r *http.Request) { s.untilClose(w, matrixSize/2) })),
		fault("chunked, complete", [3]expectation{fine, fine, {ok: true, twice: matrixSize / 2}},
			always(func(s *server, w http.ResponseWriter, r *http.Request) { s.chunked(w, matrixSize, false) })),
		fault("chunked, cut off", [3]expectation{
			{message: "EOF", twice: 8 * matrixSize, part: true}, {message: "EOF", twice: 8 * matrixSize, part: true}, {message: "EOF", twice: 8 * matrixSize, part: true},
		}, always(func(s *server, w http.ResponseWriter, r *http.Request) { s.chunked(w, matrixSize/2, true) })),
	}
}

func matrixRangeFaults() []matrixFault {
	contentRange := func(format string, code int) func(*server, http.ResponseWriter, *http.Request) {
		return func(s *server, w http.ResponseWriter, r *http.Request) {
			data := s.data()
			w.Header().Set("Content-Range", fmt.Sprintf(format, len(data)-1, len(data)))
			w.Header().Set("Content-Type", "application/octet-stream")
			w.WriteHeader(code)
			_, _ = w.Write(data)
		}
	}
	onlyRanges := func(answer func(*server, http.ResponseWriter, *http.Request)) func(*server) func(http.ResponseWriter, *http.Request, int) bool {
		return func(s *server) func(http.ResponseWriter, *http.Request, int) bool {
			return func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Header.Get("Range") == "" {
					return false
				}
				answer(s, w, r)
				return true
			}
		}
	}
	half := expectation{ok: true, twice: matrixSize/2 + 64<<10}
	return []matrixFault{
		fault("ranges ignored", [3]expectation{fine, fine, half}, always(func(s *server, w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			s.plain(w, r)
		})),
		fault("206 from another byte", [3]expectation{fine, fine, half}, onlyRanges(contentRange("bytes 0-%d/%d", 206))),
		fault("206 with an invalid range", [3]expectation{fine, fine, half}, onlyRanges(contentRange("bytes %d-x/%d", 206))),
		fault("206 with unknown total", [3]expectation{fine, fine, half}, onlyRanges(contentRange("bytes 0-%d/*%d", 206))),
		fault("206 always, from another byte", [3]expectation{
			{is: download.ErrInvalidResponse, message: "206"}, {is: download.ErrInvalidResponse, message: "206"}, {is: download.ErrInvalidResponse, message: "206"},
		}, always(contentRange("bytes 5-%d/%d", 206))),
		fault("200 with Content-Range", [3]expectation{fine, fine, half}, always(contentRange("bytes 5-%d/%d", 200))),
		fault("at most 40 kB a response", [3]expectation{fine, fine, fine}, func(s *server) func(http.ResponseWriter, *http.Request, int) bool {
			return func(w http.ResponseWriter, r *http.Request, _ int) bool {
				from, _, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
				if at, err := strconv.Atoi(from); ok && err == nil {
					r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", at, at+40_000))
				}
				return false
			}
		}),
	}
}

func matrixNetworkFaults() []matrixFault {
	abort := func(*server, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	drop := func(bytes int64) func(*server, http.ResponseWriter, *http.Request) {
		return func(s *server, w http.ResponseWriter, r *http.Request) { s.dropAfter(w, r, bytes) }
	}
	stalled := same(expectation{is: download.ErrStalled, message: "stalled", part: true, twice: matrixSize})
	out := []matrixFault{
		fault("reset before headers, once", same(fine), first(abort)),
		fault("reset before headers, always", fails("EOF", nil), always(abort)),
		fault("stall before headers", fails("stalled", download.ErrStalled), always(func(_ *server, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })),
		fault("stall in the body", stalled, always(func(s *server, w http.ResponseWriter, r *http.Request) { s.hang(w, r, 10_000) })),
		fault("trickle", fails("stalled", download.ErrStalled), always(func(s *server, w http.ResponseWriter, r *http.Request) { s.trickle(w, r) })),
	}
	for _, at := range []int64{1, 100, 511, 512, 4096, 100_000, matrixSize/2 - 1} {
		out = append(out, fault(fmt.Sprintf("drop after %d bytes, once", at), same(expectation{ok: true, twice: min(at, 4095)}), first(drop(at))))
	}
	return append(out,
		fault("drop every 20 kB", same(fine), always(drop(20_000))),
		fault("drop every 64 kB", same(fine), always(drop(64<<10))),
	)
}

func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	states := []struct {
		name         string
		sum, resumed bool
		want         func(f *matrixFault) expectation
	}{
		{"checksum", true, false, func(f *matrixFault) expectation { return f.sum }},
		{"no checksum", false, false, func(f *matrixFault) expectation { return f.noSum }},
		{"interrupted", true, true, func(f *matrixFault) expectation { return f.resumed }},
	}
	for _, f := range matrixFaults() {
		for _, state := range states {
			t.Run(f.name+"/"+state.name, func(t *testing.T) {
				t.Parallel()
				runCell(t, &f, state.sum, state.resumed, state.want(&f))
			})
		}
	}
}

// runCell downloads a file with a fault and checks the expectation.
func runCell(t *testing.T, f *matrixFault, sum, resumed bool, want expectation) {
	s, dir := newServer(t), t.TempDir()
	c := newContent(7, matrixSize)
	file := fileOf("m.bin", s.put("/m", c), c)
	if !sum {
		file.SHA256Sum = "FIXME"
	}
	o := quick(dir)
	o.IdleTimeout, o.MinRate = 300*time.Millisecond, 50_000
	if resumed {
		interrupt(t, s, o, model("m", file))
	}
	s.reset()
	s.on(f.apply(s))
	report, err := run(t, o, model("m", file))
	result := only(t, report)

	path := filepath.Join(dir, "compvis", "m.bin")
	got, readErr := os.ReadFile(path)
	isRight := readErr == nil && bytes.Equal(got, c.data)
	if sum {
		require.True(t, isRight || errors.Is(readErr, os.ErrNotExist), "a wrong file has the right name")
	}
	parts := strings.Contains(strings.Join(filesIn(t, dir), " "), ".part")
	twice := max(result.Fetched-(matrixSize-result.Resumed), 0)
	t.Logf("%s; %d requests, %d bytes twice; on disk: %v; error: %v", result.Outcome, result.Requests, twice, filesIn(t, dir), err)
	assert.LessOrEqual(t, twice, want.twice, "fetched twice")
	if want.ok {
		require.NoError(t, err)
		assert.True(t, isRight)
		requireNoParts(t, dir)
		return
	}
	if f.name == "one flipped byte" && !sum { // the wrong byte cannot be detected
		require.NoError(t, err)
		assert.False(t, result.Verified)
		return
	}
	require.Error(t, err)
	assert.ErrorContains(t, err, want.message)
	if want.is != nil {
		assert.ErrorIs(t, err, want.is)
	}
	assert.NoFileExists(t, path)
	assert.Equal(t, want.part, parts, "partial file")
}

// interrupt downloads the first half of the file.
func interrupt(t *testing.T, s *server, o download.Options, record *modelref.ImageGenerationRecord) {
	t.Helper()
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		s.dropAfter(w, r, matrixSize/2)
		return true
	})
	report, err := run(t, o, record)
	require.Error(t, err)
	require.EqualValues(t, matrixSize/2, only(t, report).Fetched)
}

// closedPort is an address without a listener. A free port that the system has chosen is not suitable, because another
// test may listen on it.
const closedPort = "127.0.0.1:1"

// data returns the content of the only path.
func (s *server) data() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contents["/m"].data
}

// corrupt changes a byte of the only content without a new version.
func (s *server) corrupt(at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.contents["/m"]
	c.data = bytes.Clone(c.data)
	c.data[at] ^= 1
	s.contents["/m"] = c
}

// lieAboutLength sends a Content-Length that is larger than the body.
func (s *server) lieAboutLength(w http.ResponseWriter, r *http.Request, more int) {
	data := s.data()
	var at int
	if from, _, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"); ok {
		at, _ = strconv.Atoi(from)
	}
	if at >= len(data) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(data)))
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	if at > 0 {
		s.plain(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", s.etag())
	w.Header().Set("Content-Length", strconv.Itoa(len(data)+more))
	_, _ = w.Write(data)
}

// etag returns the version of the only content.
func (s *server) etag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contents["/m"].etag
}

// untilClose sends the start of the content without a length, and closes the connection.
func (s *server) untilClose(w http.ResponseWriter, n int) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n")
	_, _ = buffer.Write(s.data()[:n])
	_ = buffer.Flush()
}

// chunked sends the start of the content in chunks. If cut is set, the last chunk is missing.
func (s *server) chunked(w http.ResponseWriter, n int, cut bool) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"chunked"`)
	_, _ = w.Write(s.data()[:n])
	_ = http.NewResponseController(w).Flush()
	if cut {
		panic(http.ErrAbortHandler)
	}
}

// trickle sends one byte at a time, with long delays.
func (s *server) trickle(w http.ResponseWriter, r *http.Request) {
	data := s.data()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"trickle"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for i := range data {
		if _, err := w.Write(data[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}
