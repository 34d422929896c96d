// This file tests times: Retry-After, backoff, the idle limit and the rate limit, in simulated time.

package download_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// memory is a transport that calls a handler in the process, so that time can be simulated.
type memory struct {
	handler http.HandlerFunc

	wg      sync.WaitGroup // counts the handlers
	mu      sync.Mutex
	active  int
	most    int
	arrived []time.Duration
	start   time.Time
}

func newMemory(handler http.HandlerFunc) *memory {
	return &memory{handler: handler, start: time.Now()}
}

func (m *memory) options(dir string) download.Options {
	return download.Options{Dir: dir, HTTPClient: &http.Client{Transport: m}}
}

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.active++
	m.most = max(m.most, m.active)
	m.arrived = append(m.arrived, time.Since(m.start))
	m.mu.Unlock()
	reader, writer := io.Pipe()
	w := &memoryWriter{header: make(http.Header), body: writer, started: make(chan struct{})}
	m.wg.Go(func() {
		m.handler(w, r)
		w.WriteHeader(http.StatusOK)
		_ = writer.Close()
	})
	select {
	case <-w.started:
	case <-r.Context().Done():
		m.ended()
		return nil, context.Cause(r.Context())
	}
	stop := context.AfterFunc(r.Context(), func() { _ = reader.CloseWithError(context.Cause(r.Context())) })
	length := int64(-1)
	if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		StatusCode: w.status, Header: w.header, ContentLength: length, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Body: &memoryBody{PipeReader: reader, stop: stop, ended: sync.OnceFunc(m.ended)},
	}, nil
}

// ended is called at the end of a request, when the client closes the body.
func (m *memory) ended() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.active--
}

type memoryBody struct {
	*io.PipeReader
	stop  func() bool
	ended func()
}

func (b *memoryBody) Close() error {
	b.stop()
	b.ended()
	return b.PipeReader.Close()
}

type memoryWriter struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
	status  int
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		close(w.started)
	})
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// smallFiles returns a record with n files of one host.
func smallFiles(n int, c content) *modelref.ImageGenerationRecord {
	var files []modelref.DownloadRecord
	for i := range n {
		file := fileOf("f"+strconv.Itoa(i)+".bin", "https://weights.example/"+strconv.Itoa(i), c)
		file.SHA256Sum = "" // files with the same checksum would be downloaded once
		files = append(files, file)
	}
	return model("m", files...)
}

// Kind 11: a server permits a few requests per second and sends Retry-After. The client must not exceed this rate.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContent(50, 10_000)
		var mu sync.Mutex
		var allowed, refused int
		var window time.Time
		m := newMemory(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if now := time.Now(); now.Sub(window) >= 2*time.Second {
				window, allowed = now, 20
			}
			allowed--
			ok := allowed >= 0
			if !ok {
				refused++
			}
			mu.Unlock()
			if !ok {
				w.Header().Set("Retry-After", "2")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			serveContent(w, r, c)
		})
		dir := t.TempDir()
		report, err := run(t, m.options(dir), smallFiles(200, c))
		require.NoError(t, err)
		assert.Len(t, report.Files, 200)
		assert.Less(t, report.Duration, time.Minute)
		assert.LessOrEqual(t, refused, 20, "the number of connections is reduced")
		t.Logf("200 files at 20 in 2 s: %s, %d requests refused", report.Duration, refused)
	})
}

// If a server permits two requests at a time, the client soon sends hardly more than two.
func TestConnectionsAreReduced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContent(62, 10_000)
		var mu sync.Mutex
		var active, refused int
		m := newMemory(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			active++
			ok := active <= 2
			if !ok {
				refused++
			}
			mu.Unlock()
			if ok {
				time.Sleep(100 * time.Millisecond)
			}
			mu.Lock()
			active--
			mu.Unlock()
			if !ok {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			serveContent(w, r, c)
		})
		report, err := run(t, m.options(t.TempDir()), smallFiles(100, c))
		require.NoError(t, err)
		t.Logf("%s, %d requests refused", report.Duration, refused)
		assert.LessOrEqual(t, refused, 40)
		assert.Less(t, report.Duration, 30*time.Second)
	})
}

// A single 429 delays the next request by the requested time, and the partial file is kept.
func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		status int
		header func() http.Header
		wait   time.Duration
	}{
		{"seconds", 429, func() http.Header { return http.Header{"Retry-After": {"7"}} }, 7 * time.Second},
		{"503", 503, func() http.Header { return http.Header{"Retry-After": {"7"}} }, 7 * time.Second},
		{"date", 429, func() http.Header {
			return http.Header{"Retry-After": {time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)}}
		}, 9 * time.Second},
		{"date of a server whose clock is wrong", 429, func() http.Header {
			now := time.Now().Add(-1000 * time.Hour)
			return http.Header{"Retry-After": {now.Add(9 * time.Second).UTC().Format(http.TimeFormat)}, "Date": {now.UTC().Format(http.TimeFormat)}}
		}, 9 * time.Second},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newContent(51, 100_000)
				requests := 0
				m := newMemory(func(w http.ResponseWriter, r *http.Request) {
					if requests++; requests == 1 {
						for name, values := range k.header() {
							w.Header()[name] = values
						}
						w.WriteHeader(k.status)
						return
					}
					serveContent(w, r, c)
				})
				report, err := run(t, m.options(t.TempDir()), model("m", fileOf("m.bin", "https://weights.example/m", c)))
				require.NoError(t, err)
				assert.Len(t, m.arrived, 2)
				assert.InDelta(t, k.wait.Seconds(), (m.arrived[1] - m.arrived[0]).Seconds(), 1.01)
				assert.True(t, only(t, report).Verified)
			})
		})
	}
}

// A source fails if it requests too long a delay, or repeatedly requests a delay.
func TestRetryAfterHasALimit(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		header   string
		requests int
		most     time.Duration
	}{{"301", 1, time.Second}, {"99999999999999999999", 1, time.Second}, {"60", 6, 6 * time.Minute}, {"", 6, 5 * time.Minute}, {"soon", 6, 5 * time.Minute}, {"-5", 6, 5 * time.Minute}} {
		t.Run(k.header, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newContent(52, 1000)
				m := newMemory(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", k.header)
					w.WriteHeader(http.StatusTooManyRequests)
				})
				report, err := run(t, m.options(t.TempDir()), model("m", fileOf("m.bin", "https://weights.example/m", c)))
				require.ErrorContains(t, err, "429 Too Many Requests")
				assert.Len(t, m.arrived, k.requests)
				assert.LessOrEqual(t, report.Duration, k.most)
			})
		})
	}
}

// The delays after failures grow, and there are at most Retries attempts.
func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContent(53, 1000)
		m := newMemory(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		_, err := run(t, m.options(t.TempDir()), model("m", fileOf("m.bin", "https://weights.example/m", c)))
		require.ErrorContains(t, err, "502")
		require.Len(t, m.arrived, download.DefaultRetries)
		for i, want := range []float64{0.5, 1, 2, 4} {
			got := (m.arrived[i+1] - m.arrived[i]).Seconds()
			assert.LessOrEqual(t, got, want)
			assert.GreaterOrEqual(t, got, want*3/4)
		}
	})
}

// A transfer that is slower than the minimum is interrupted after the idle limit. A slightly faster transfer is not.
func TestIdleLimit(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name  string
		every time.Duration
		ok    bool
	}{{"0.5 kB/s", 2 * time.Second, false}, {"2 kB/s", 500 * time.Millisecond, true}} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newContent(54, 200_000)
				m := newMemory(func(w http.ResponseWriter, r *http.Request) {
					serveContent(&pacedWriter{w, k.every}, r, c)
				})
				o := m.options(t.TempDir())
				defer m.wg.Wait()
				o.Retries = 2
				_, err := run(t, o, model("m", fileOf("m.bin", "https://weights.example/m", c)))
				if k.ok {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, download.ErrStalled)
				}
			})
		})
	}
}

// pacedWriter writes a kilobyte at a time.
type pacedWriter struct {
	http.ResponseWriter
	every time.Duration
}

func (w *pacedWriter) Write(data []byte) (total int, err error) {
	for len(data) > 0 && err == nil {
		var n int
		n, err = w.ResponseWriter.Write(data[:min(1000, len(data))])
		total += n
		data = data[n:]
		time.Sleep(w.every)
	}
	return total, err
}

// The rate limit applies to the sum of all files, and does not trigger the idle limit.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContent(55, 1_000_000)
		m := newMemory(func(w http.ResponseWriter, r *http.Request) { serveContent(w, r, c) })
		o := m.options(t.TempDir())
		o.RateLimit = 100_000
		o.MinRate = 90_000
		report, err := run(t, o, smallFiles(5, c))
		require.NoError(t, err)
		assert.InDelta(t, 50, report.Duration.Seconds(), 1)
	})
}

// At most Connections requests are sent to one host at the same time, for any number of files and segments.
func TestConnectionsOfOneHost(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 3, 8} {
		synctest.Test(t, func(t *testing.T) {
			c := newContent(56, 400_000)
			big := newContent(57, 3_000_000)
			m := newMemory(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(50 * time.Millisecond)
				if r.URL.Path == "/big" {
					serveContent(w, r, big)
				} else {
					serveContent(w, r, c)
				}
			})
			o := segmented(m.options(t.TempDir()))
			o.Connections, o.Jobs = connections, 20
			record := smallFiles(20, c)
			record.Config.Download = append(record.Config.Download, fileOf("big.bin", "https://weights.example/big", big))
			_, err := run(t, o, record)
			require.NoError(t, err)
			assert.Equal(t, connections, m.most)
		})
	}
}

// 200 files with 50 ms to the first byte, and 8 at a time, take 200/8 times 50 ms.
func TestManySmallFilesAreConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContent(58, 10_000)
		m := newMemory(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(50 * time.Millisecond)
			serveContent(w, r, c)
		})
		report, err := run(t, m.options(t.TempDir()), smallFiles(200, c))
		require.NoError(t, err)
		assert.InDelta(t, 1.25, report.Duration.Seconds(), 0.01)
	})
}

// A delay applies to one host. Other hosts are not delayed.
func TestPauseOfOneHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, other := newContent(59, 10_000), newContent(60, 10_000)
		var finished time.Duration
		start := time.Now()
		first := true
		m := newMemory(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Host == "other.example":
				time.Sleep(time.Second)
				serveContent(w, r, other)
				finished = time.Since(start)
			case first:
				first = false
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
			default:
				serveContent(w, r, c)
			}
		})
		_, err := run(t, m.options(t.TempDir()), model("m", fileOf("m.bin", "https://weights.example/m", c),
			fileOf("o.bin", "https://other.example/o", other)))
		require.NoError(t, err)
		assert.Less(t, finished, 2*time.Second)
	})
}

// If one connection is fast enough, no other connection is opened, because it would not make the download faster.
func TestFastConnectionIsEnough(t *testing.T) {
	t.Parallel()
	for fast, connections := range map[int64]int{50_000: 1, 10_000_000: 8} {
		synctest.Test(t, func(t *testing.T) {
			c := newContent(61, 2_000_000)
			m := newMemory(func(w http.ResponseWriter, r *http.Request) {
				serveContent(&pacedWriter{w, 10 * time.Millisecond}, r, c) // 100 kB/s
			})
			o := download.WithFastRate(segmented(m.options(t.TempDir())), 20*time.Millisecond, fast)
			report, err := run(t, o, model("m", fileOf("m.bin", "https://weights.example/m", c)))
			require.NoError(t, err)
			m.wg.Wait()
			assert.Equal(t, connections, m.most)
			assert.InDelta(t, 20/float64(connections), report.Duration.Seconds(), 0.5)
		})
	}
}
