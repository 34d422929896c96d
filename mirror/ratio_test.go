//go:build unix

// This file compares the speed of the mirror with that of a bare handler for the same bytes, over 64 connections on
// loopback.

package mirror_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

const (
	connections = 64
	roundTime   = 250 * time.Millisecond
	rounds      = 11
	leastRatio  = 0.85
)

// textDocument returns a document with 720 text models in about the size of the real one.
func textDocument() string {
	var out strings.Builder
	out.WriteByte('{')
	for i := range 720 {
		name := fmt.Sprintf("riverlabs/River-%04d-8B", i)
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `%q:{"name":%q,"description":%q,"version":"","config":{"download":[]},"baseline":"riverlabs/River",`+
			`"parameters":8000000000,"nsfw":false,"style":"chat","display_name":"River %d","url":"https://models.example.org/%s",`+
			`"tags":["chat","river"],"settings":{"temperature":0.7,"top_p":0.9,"top_k":40},"text_model_group":"River",`+
			`"metadata":{"schema_version":"2.0.0","created_at":1760000000,"updated_at":1760000000}}`,
			name, name, strings.Repeat("A model for conversation. ", 2), i, name)
	}
	out.WriteByte('}')
	return out.String()
}

// bareHandler returns a handler that only does what every file server must do.
func bareHandler(document, model []byte, modelPath string) http.Handler {
	packed := func() []byte {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		_, _ = w.Write(document)
		_ = w.Close()
		return out.Bytes()
	}()
	const tag = `"0123456789abcdef0123456789abcdef"`
	write := func(w http.ResponseWriter, body []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("ETag", tag)
		_, _ = w.Write(body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+v2+"text_generation", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("If-None-Match") == tag:
			w.Header().Set("ETag", tag)
			w.WriteHeader(http.StatusNotModified)
		case r.Header.Get("Accept-Encoding") == "gzip":
			w.Header().Set("Content-Encoding", "gzip")
			write(w, packed)
		default:
			write(w, document)
		}
	})
	mux.HandleFunc("GET "+modelPath, func(w http.ResponseWriter, _ *http.Request) { write(w, model) })
	return mux
}

// listen serves a handler and returns its address.
func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mirror.Serve(ctx, listener, h) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

// cpuTime returns the processor time of this process, which includes the client and the server.
func cpuTime(t testing.TB) time.Duration {
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// speed is the measurement of one round.
type speed struct {
	rate float64 // requests per second
	cost float64 // processor time per request, in microseconds
}

// load sends requests over all connections for the given time.
func load(t testing.TB, address, request string, status int, length time.Duration) speed {
	t.Helper()
	var wg sync.WaitGroup
	counts := make([]int, connections)
	errs := make([]error, connections)
	begin, used := time.Now(), cpuTime(t)
	for i := range connections {
		wg.Go(func() { counts[i], errs[i] = hammer(address, request, status, begin.Add(length)) })
	}
	wg.Wait()
	took, used := time.Since(begin), cpuTime(t)-used
	total := 0
	for i := range counts {
		require.NoError(t, errs[i])
		total += counts[i]
	}
	return speed{float64(total) / took.Seconds(), float64(used.Microseconds()) / float64(total)}
}

// hammer sends requests one after the other over one connection until end.
func hammer(address, request string, status int, end time.Time) (int, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	prefix := "HTTP/1.1 " + strconv.Itoa(status)
	count := 0
	for ; time.Now().Before(end); count++ {
		if _, err := io.WriteString(conn, request); err != nil {
			return 0, err
		}
		length := 0
		for first := true; ; first = false {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return 0, err
			}
			if first && !strings.HasPrefix(string(line), prefix) {
				return 0, fmt.Errorf("the response is %q, not %s", line, prefix)
			}
			if len(line) <= 2 {
				break
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
		}
		if _, err := r.Discard(length); err != nil {
			return 0, err
		}
	}
	return count, nil
}

// ratioCase is one kind of request.
type ratioCase struct {
	name, path, header string // the header is empty or a whole line
	bareHeader         string // the header for the bare handler, if it is another one
	status             int
}

func (c ratioCase) request(header string) string {
	return "GET " + c.path + " HTTP/1.1\r\nHost: mirror.test\r\n" + header + "\r\n"
}

// speedFixture has a mirror and a bare handler for the same bytes.
type speedFixture struct {
	mirror, bare string // addresses
	cases        []ratioCase
	documents    int
}

func newSpeedFixture(t testing.TB) *speedFixture {
	t.Helper()
	document := textDocument()
	if dir := os.Getenv("MODELREF_CORPUS"); dir != "" {
		real, err := os.ReadFile(corpus(t, "primary", "real", "text_generation.json"))
		require.NoError(t, err)
		document = string(real)
	}
	s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryTextGeneration, document))
	client := s.Client(t, modelref.WithoutGitHub(), modelref.WithTTL(time.Hour))
	m := mirror.Handler(client)
	ref, err := client.TextGeneration.Load(t.Context())
	require.NoError(t, err)
	name := ref.Names()[ref.Len()/2]
	modelPath := v2 + "text_generation/model/" + strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
	model := get(t, m, modelPath)
	require.Equal(t, http.StatusOK, model.Code)
	tag := get(t, m, v2+"text_generation").Header().Get("Etag")
	return &speedFixture{
		mirror: listen(t, m), bare: listen(t, bareHandler([]byte(document), model.Body.Bytes(), modelPath)), documents: len(document),
		cases: []ratioCase{
			{name: "identity", path: v2 + "text_generation", status: 200},
			{name: "gzip", path: v2 + "text_generation", header: "Accept-Encoding: gzip\r\n", status: 200},
			{
				name: "not modified", path: v2 + "text_generation", header: "If-None-Match: " + tag + "\r\n",
				bareHeader: "If-None-Match: \"0123456789abcdef0123456789abcdef\"\r\n", status: 304,
			},
			{name: "one model", path: modelPath, status: 200},
		},
	}
}

// TestSpeedBesideABareHandler measures both alternately, with 64 connections each. It compares the processor time per
// request, which determines the maximum rate and hardly depends on other load.
func TestSpeedBesideABareHandler(t *testing.T) {
	if os.Getenv("MODELREF_RATIOS") == "" {
		t.Skip("MODELREF_RATIOS must be set to measure the speed while no other test runs")
	}
	f := newSpeedFixture(t)
	for _, c := range f.cases {
		t.Run(c.name, func(t *testing.T) {
			bareHeader := c.header
			if c.bareHeader != "" {
				bareHeader = c.bareHeader
			}
			var rates, ratios []float64
			for range rounds {
				bare := load(t, f.bare, c.request(bareHeader), c.status, roundTime)
				mine := load(t, f.mirror, c.request(c.header), c.status, roundTime)
				rates, ratios = append(rates, mine.rate), append(ratios, bare.cost/mine.cost)
			}
			slices.Sort(ratios)
			t.Logf("%s: up to %.0f requests/s, %.2f of a bare handler (median of %d rounds)", c.name, slices.Max(rates),
				ratios[rounds/2], rounds)
			assert.GreaterOrEqual(t, ratios[rounds/2], leastRatio)
		})
	}
	t.Run("search", func(t *testing.T) {
		for name, target := range map[string]string{
			"category": v2 + "text_generation/search?name_contains=a&sort_by=parameters_count&limit=50",
			"all":      v2 + "search?name_contains=a&limit=50",
		} {
			rate := load(t, f.mirror, "GET "+target+" HTTP/1.1\r\nHost: mirror.test\r\n\r\n", 200, time.Second)
			t.Logf("search %s: %.0f requests/s, %.0f µs of processor time each", name, rate.rate, rate.cost)
		}
	})
}

// TestMemory compares the memory of a mirror, without that of its client, with the size of the document.
func TestMemory(t *testing.T) {
	document := textDocument()
	s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryTextGeneration, document))
	client := s.Client(t, modelref.WithoutGitHub(), modelref.WithTTL(time.Hour))
	_, err := client.TextGeneration.Load(t.Context())
	require.NoError(t, err)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	m := mirror.Handler(client)
	before := heap()
	get(t, m, v2+"text_generation")
	get(t, m, v2+"text_generation", "Accept-Encoding", "gzip")
	get(t, m, v2+"text_generation/search?limit=500&sort_by=name")
	get(t, m, v2+"text_generation/search?limit=500&offset=500")
	get(t, m, v2+"search?limit=500")
	get(t, m, "/api/model_references/statistics/text_generation")
	kept := float64(heap()) - float64(before)
	t.Logf("a document of %d bytes: %.0f bytes are kept, %.2f times the document", len(document), kept, kept/float64(len(document)))
	assert.Less(t, kept, 3*float64(len(document)))
	runtime.KeepAlive(m)
}
