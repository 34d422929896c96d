package httpx

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/redact"
)

// transport answers requests in the same goroutine, without a network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// answer makes a response with pairs of header names and values.
func answer(r *http.Request, status int, body string, header ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Status: strconv.Itoa(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// client returns a Client over a transport.
func client(t *testing.T, next http.RoundTripper, change ...func(*Config)) *Client {
	t.Helper()
	config := Config{
		HTTPClient: &http.Client{Transport: next}, UserAgent: "test/1", MaxAttempts: 3, BaseDelay: 250 * time.Millisecond,
		MaxDuration: 20 * time.Second, Timeout: 10 * time.Second, MaxBodyBytes: 64 << 20,
	}
	for _, change := range change {
		change(&config)
	}
	return New(config)
}

// quick makes retries start almost at once.
func quick(c *Config) { c.BaseDelay = time.Microsecond }

// withKey sets the server of an API key.
func withKey(t *testing.T, server, key string) func(*Config) {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	return func(c *Config) { c.KeyURL, c.APIKey = u, redact.NewSecret(key) }
}

// requestsOf returns the number of attempts that an error of Do has.
func requestsOf(t *testing.T, err error) int {
	t.Helper()
	var failed *RequestError
	require.ErrorAs(t, err, &failed)
	return failed.Requests
}

const anURL = "https://user:secret@models.example.org/api/x?key=secret&name=n"

func budget(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestRetriesUntilItWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			switch n {
			case 1:
				return nil, io.ErrUnexpectedEOF
			case 2:
				return answer(r, 503, "down", "Retry-After", "3"), nil
			}
			return answer(r, 200, "body"), nil
		}))
		start := time.Now()
		resp, err := h.Do(budget(t, 20*time.Second), Request{URL: anURL, Accept: "x/y"})
		require.NoError(t, err)
		assert.Equal(t, "body", resp.Body)
		assert.Equal(t, 3, resp.Requests)
		waited := time.Since(start)
		assert.GreaterOrEqual(t, waited, 3*time.Second, "Retry-After is obeyed")
		assert.Less(t, waited, 3*time.Second+250*time.Millisecond)
	})
}

func TestAContextThatEndsWhileWaitingKeepsTheAnswerBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := client(t, transport(func(r *http.Request) (*http.Response, error) { return answer(r, 503, "busy", "Retry-After", "8"), nil }))
		ctx, cancel := context.WithCancel(budget(t, 20*time.Second))
		time.AfterFunc(time.Second, cancel)
		_, err := h.Do(ctx, Request{URL: anURL})
		var status *StatusError
		require.ErrorAs(t, err, &status)
		assert.Equal(t, 503, status.StatusCode)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestBackoffIsFullJitter(t *testing.T) {
	t.Parallel()
	h := client(t, nil)
	var sum time.Duration
	for range 1000 {
		wait := h.backoff(0, time.Minute, 2, nil)
		assert.Less(t, wait, time.Second)
		sum += wait
	}
	assert.InDelta(t, 0.5, (sum / 1000).Seconds(), 0.1)
	assert.Equal(t, time.Minute, h.backoff(0, time.Minute, 0, answer(nil, 429, "", "Retry-After", "3600")), "capped")
	assert.LessOrEqual(t, h.backoff(0, time.Minute, 1000, nil), time.Minute, "no overflow")
}

func TestABodyThatBreaksOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			resp := answer(r, 200, "whole")
			if n == 1 {
				resp.Body = io.NopCloser(strings.NewReader("who"))
			}
			return resp, nil
		}))
		resp, err := h.Do(budget(t, 20*time.Second), Request{URL: anURL})
		require.NoError(t, err)
		assert.Equal(t, "whole", resp.Body)
		assert.Equal(t, 2, resp.Requests)
	})
}

func TestABodyOverTheLimitIsNotTakenIn(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]int64{"declared": 11, "undeclared": -1} {
		n := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			resp := answer(r, 200, "01234567890")
			resp.ContentLength = length
			return resp, nil
		}), func(c *Config) { c.MaxBodyBytes = 10 })
		_, err := h.Do(budget(t, 20*time.Second), Request{URL: anURL})
		require.ErrorContains(t, err, "larger than 10 bytes", name)
		assert.Equal(t, 1, n, "it would not get smaller")
	}
}

// closingTransport counts calls of CloseIdleConnections.
type closingTransport struct {
	transport
	closed atomic.Int64
}

func (c *closingTransport) CloseIdleConnections() { c.closed.Add(1) }

func TestTheCallersIdleConnectionsStayOpen(t *testing.T) {
	t.Parallel()
	mine := &closingTransport{transport: func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }}
	_, err := client(t, mine, quick).Do(budget(t, time.Second), Request{URL: anURL})
	require.ErrorContains(t, err, "down")
	assert.Zero(t, mine.closed.Load())
}

func TestBodiesAreClosed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 304, 404, 503} {
		open := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			open++
			resp := answer(r, status, "x")
			resp.Body = closeFunc{resp.Body, func() { open-- }}
			return resp, nil
		}), quick)
		_, _ = h.Do(budget(t, time.Second), Request{URL: anURL}) // the answer is another test's matter
		assert.LessOrEqual(t, open, 0, status)
	}
}

type closeFunc struct {
	io.Reader
	close func()
}

func (c closeFunc) Close() error { c.close(); return nil }

func TestTheCallersRedirectPolicyIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	n := 0
	refused := errors.New("I follow nobody")
	c := Config{MaxAttempts: 3, HTTPClient: &http.Client{
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			n++
			return answer(r, 302, "", "Location", "/elsewhere"), nil
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return refused },
	}}
	_, err := New(c).Do(budget(t, 20*time.Second), Request{URL: anURL})
	require.ErrorIs(t, err, refused)
	assert.Equal(t, 1, n)
	assert.NotContains(t, err.Error(), "secret")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ location, want string }{
		"in a circle":    {"/api/x", "stopped after 10 redirects"},
		"down to http":   {"http://models.example.org/api", "leads from https to http"},
		"to another app": {"mailto:a@example.org", "leads from https to mailto"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := client(t, transport(func(r *http.Request) (*http.Response, error) {
				return answer(r, 302, "", "Location", test.location), nil
			}))
			_, err := h.Do(budget(t, time.Minute), Request{URL: anURL})
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, 1, requestsOf(t, err))
		})
	}
}

func TestTheAPIKeyIsSentOnlyToThePrimary(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		primary, url string
		sent         bool
	}{
		"https":                {"https://models.example.org/api", "https://models.example.org/api/x", true},
		"letter case":          {"https://models.example.org/api", "https://MODELS.example.org/api/x", true},
		"plain http":           {"http://models.example.org/api", "http://models.example.org/api/x", false},
		"loopback":             {"http://127.0.0.1:80/api", "http://127.0.0.1:80/api/x", true},
		"localhost":            {"http://localhost:8/api", "http://localhost:8/api/x", true},
		"other host":           {"https://models.example.org/api", "https://raw.example.org/x", false},
		"other port":           {"https://models.example.org/api", "https://models.example.org:444/x", false},
		"host that begins so":  {"https://models.example.org/api", "https://models.example.org.evil.example/x", false},
		"down to http":         {"https://models.example.org/api", "http://models.example.org/api/x", false},
		"a name with loopback": {"http://localhost.example.org/api", "http://localhost.example.org/api", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			h := client(t, transport(func(r *http.Request) (*http.Response, error) {
				got = r.Header.Get("apikey")
				return answer(r, 200, ""), nil
			}), withKey(t, test.primary, "0123-secret"))
			_, err := h.Do(budget(t, time.Second), Request{URL: test.url})
			require.NoError(t, err)
			assert.Equal(t, test.sent, got != "")
		})
	}
}

func TestARedirectToAnotherHostLosesTheAPIKey(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	h := client(t, transport(func(r *http.Request) (*http.Response, error) {
		keys[r.URL.Host] = r.Header.Get("apikey")
		if r.URL.Host == "models.example.org" {
			return answer(r, 302, "", "Location", "https://elsewhere.example.org/"), nil
		}
		return answer(r, 200, ""), nil
	}), withKey(t, "https://models.example.org/api", "0123-secret"))
	_, err := h.Do(budget(t, time.Second), Request{URL: "https://models.example.org/api/x"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"models.example.org": "0123-secret", "elsewhere.example.org": ""}, keys)
}

func TestAnAttemptThatTakesTooLongIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			if n < 3 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(r, 200, "late"), nil
		}), func(c *Config) { c.Timeout = 2 * time.Second })
		resp, err := h.Do(budget(t, 20*time.Second), Request{URL: anURL})
		require.NoError(t, err)
		assert.Equal(t, "late", resp.Body)
	})
	synctest.Test(t, func(t *testing.T) {
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		start := time.Now()
		_, err := h.Do(budget(t, 15*time.Second), Request{URL: anURL})
		require.ErrorContains(t, err, "no response in time")
		assert.Equal(t, 2, requestsOf(t, err))
		assert.Equal(t, 15*time.Second, time.Since(start), "the budget is the limit")
	})
}

func TestTheHeadersOfARequest(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	t.Cleanup(server.Close)
	h := New(Config{UserAgent: "my-worker/2"})
	_, err := h.Do(budget(t, 5*time.Second), Request{URL: server.URL, ETag: `"e"`, Accept: "application/json"})
	require.NoError(t, err)
	assert.Equal(t, "my-worker/2", got.Get("User-Agent"))
	assert.Equal(t, `"e"`, got.Get("If-None-Match"))
	assert.Equal(t, "application/json", got.Get("Accept"))
	h.Close()
}

func TestBodiesAreReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	const limit = (maxGrowth + 3) * maxPrealloc
	for _, size := range []int{
		0, 1, initialBuffer - 1, initialBuffer, initialBuffer + 1, 100_000, maxPrealloc - 1, maxPrealloc, maxPrealloc + 1, 2 * maxPrealloc, 5 * maxPrealloc,
		maxGrowth*maxPrealloc - 1, maxGrowth * maxPrealloc, maxGrowth*maxPrealloc + 1,
		limit - 1, limit, limit + 1,
	} {
		whole := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for name, test := range map[string]struct {
			length int64
			want   error
		}{
			"of that length":  {int64(size), nil},
			"of no length":    {-1, nil},
			"of a longer one": {int64(size) + 1, io.ErrUnexpectedEOF},
		} {
			body, err := readBody(&http.Response{ContentLength: test.length, Body: io.NopCloser(strings.NewReader(whole))}, limit)
			if size > limit || test.length > limit {
				var large *BodyTooLargeError
				require.ErrorAs(t, err, &large, "%d bytes %s", size, name)
				continue
			}
			require.ErrorIs(t, err, test.want, "%d bytes %s", size, name)
			if err == nil {
				require.True(t, whole == body, "%d bytes %s", size, name)
			}
		}
	}
}

func TestALengthIsNotBelievedBeforeThatMuchHasCome(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		_, err := readBody(&http.Response{ContentLength: 64 << 20, Body: io.NopCloser(strings.NewReader("{"))}, 64<<20)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "ten times a MiB, and a little")

	begun := strings.Repeat("x", maxPrealloc)
	_, err := readBody(&http.Response{ContentLength: 1 << 60, Body: io.NopCloser(strings.NewReader(begun))}, math.MaxInt64-1)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "whatever the limit is")
}
