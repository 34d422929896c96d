// The retrying HTTP layer against what servers and go-retryablehttp do that nobody expects.

package modelref

import (
	"context"
	"errors"
	"io"
	"log/slog"
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

// layer makes an HTTP layer over a transport.
func layer(t *testing.T, next transport, options ...Option) *httpLayer {
	t.Helper()
	c, err := newConfig(append([]Option{WithHTTPClient(&http.Client{Transport: next})}, options...))
	require.NoError(t, err)
	return newHTTPLayer(c)
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
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			n++
			switch n {
			case 1:
				return nil, io.ErrUnexpectedEOF
			case 2:
				return answer(r, 503, "down", "Retry-After", "3"), nil
			}
			return answer(r, 200, "body"), nil
		})
		start := time.Now()
		resp, err := h.do(budget(t, 20*time.Second), request{url: anURL, accept: "x/y"})
		require.NoError(t, err)
		assert.Equal(t, "body", resp.body)
		assert.Equal(t, 3, resp.requests)
		waited := time.Since(start)
		assert.GreaterOrEqual(t, waited, 3*time.Second, "Retry-After is obeyed")
		assert.Less(t, waited, 3*time.Second+250*time.Millisecond)
	})
}

func TestTheStatusIsNeverLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status   int
		body     string
		header   []string
		requests int
		detail   string
	}{
		"exhausted":           {503, `{"detail": "busy"}`, nil, 3, "busy"},
		"408 is tried again":  {408, ``, nil, 3, ""},
		"429":                 {429, `slow down`, []string{"Retry-After", "1"}, 3, "slow down"},
		"past the budget":     {503, `x`, []string{"Retry-After", "86400"}, 1, "x"},
		"overflowing":         {503, `x`, []string{"Retry-After", "99999999999999999999"}, 1, "x"},
		"in nanoseconds":      {503, `x`, []string{"Retry-After", "9223372036854775807"}, 1, "x"},
		"negative":            {503, `x`, []string{"Retry-After", "-5"}, 3, "x"},
		"a date in the past":  {503, `x`, []string{"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"}, 3, "x"},
		"a far date":          {503, `x`, []string{"Retry-After", "Fri, 31 Dec 2999 23:59:59 GMT"}, 1, "x"},
		"nonsense":            {503, `x`, []string{"Retry-After", "soon"}, 3, "x"},
		"plain 500":           {500, `Internal Server Error`, nil, 3, "Internal Server Error"},
		"not found":           {404, `{"detail": "Not Found"}`, nil, 1, "Not Found"},
		"HTML":                {502, "<html><head><title>Bad\n Gateway</title></head></html>", nil, 3, `the body is HTML, titled "Bad Gateway"`},
		"an answer of a kind": {400, `{"detail": {"a": 1}}`, nil, 1, `{"a": 1}`},
		"not UTF-8":           {400, "\xff\xfe", nil, 1, "\uFFFD"},
		"redirect to nowhere": {304, ``, nil, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				h := layer(t, func(r *http.Request) (*http.Response, error) {
					n++
					return answer(r, test.status, test.body, test.header...), nil
				})
				_, err := h.do(budget(t, 20*time.Second), request{url: anURL})
				var api *APIError
				require.ErrorAs(t, err, &api)
				assert.Equal(t, test.status, api.StatusCode)
				assert.Equal(t, test.detail, api.Detail)
				assert.Equal(t, test.requests, n)
				assert.Equal(t, test.requests, requestsOf(err))
				assert.NotContains(t, err.Error(), "secret")
				assert.Contains(t, err.Error(), strconv.Itoa(test.status))
			})
		})
	}
}

func TestValidationErrorsAreTyped(t *testing.T) {
	t.Parallel()
	detail, list := errorDetail(`{"detail": [{"type": "enum", "loc": ["query", "limit", 3], "msg": "too much", "ctx": {}}, {"msg": "b"}]}`)
	assert.Equal(t, "query.limit.3: too much; b", detail)
	assert.Equal(t, []ValidationError{{Type: "enum", Location: "query.limit.3", Message: "too much"}, {Message: "b"}}, list)
}

func TestAContextThatEndsWhileWaitingKeepsTheAnswerBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := layer(t, func(r *http.Request) (*http.Response, error) { return answer(r, 503, "busy", "Retry-After", "8"), nil })
		ctx, cancel := context.WithCancel(budget(t, 20*time.Second))
		time.AfterFunc(time.Second, cancel)
		_, err := h.do(ctx, request{url: anURL})
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 503, api.StatusCode)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestBackoffIsFullJitter(t *testing.T) {
	t.Parallel()
	h := layer(t, nil)
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
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			n++
			resp := answer(r, 200, "whole")
			if n == 1 {
				resp.Body = io.NopCloser(strings.NewReader("who"))
			}
			return resp, nil
		})
		resp, err := h.do(budget(t, 20*time.Second), request{url: anURL})
		require.NoError(t, err)
		assert.Equal(t, "whole", resp.body)
		assert.Equal(t, 2, resp.requests)
	})
}

func TestABodyOverTheLimitIsNotTakenIn(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]int64{"declared": 11, "undeclared": -1} {
		n := 0
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			n++
			resp := answer(r, 200, "01234567890")
			resp.ContentLength = length
			return resp, nil
		}, WithMaxBodyBytes(10))
		_, err := h.do(budget(t, 20*time.Second), request{url: anURL})
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
	c, err := newConfig([]Option{WithHTTPClient(&http.Client{Transport: mine}), WithRetry(RetryPolicy{BaseDelay: time.Microsecond})})
	require.NoError(t, err)
	_, err = newHTTPLayer(c).do(budget(t, time.Second), request{url: anURL})
	require.ErrorContains(t, err, "down")
	assert.Zero(t, mine.closed.Load())
}

func TestBodiesAreClosed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 304, 404, 503} {
		open := 0
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			open++
			resp := answer(r, status, "x")
			resp.Body = closeFunc{resp.Body, func() { open-- }}
			return resp, nil
		}, WithRetry(RetryPolicy{BaseDelay: time.Microsecond}))
		_, _ = h.do(budget(t, time.Second), request{url: anURL}) // the answer is another test's matter
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
	c, err := newConfig([]Option{WithHTTPClient(&http.Client{
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			n++
			return answer(r, 302, "", "Location", "/elsewhere"), nil
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return refused },
	})})
	require.NoError(t, err)
	_, err = newHTTPLayer(c).do(budget(t, 20*time.Second), request{url: anURL})
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
			h := layer(t, func(r *http.Request) (*http.Response, error) {
				return answer(r, 302, "", "Location", test.location), nil
			})
			_, err := h.do(budget(t, time.Minute), request{url: anURL})
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, 1, requestsOf(err))
		})
	}
}

func TestTheAPIKeyGoesToThePrimaryAlone(t *testing.T) {
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
			h := layer(t, func(r *http.Request) (*http.Response, error) {
				got = r.Header.Get("apikey")
				return answer(r, 200, ""), nil
			}, WithPrimaryURL(test.primary), WithAPIKey("0123-secret"))
			_, err := h.do(budget(t, time.Second), request{url: test.url})
			require.NoError(t, err)
			assert.Equal(t, test.sent, got != "")
		})
	}
}

func TestARedirectToAnotherHostLosesTheAPIKey(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	h := layer(t, func(r *http.Request) (*http.Response, error) {
		keys[r.URL.Host] = r.Header.Get("apikey")
		if r.URL.Host == "models.example.org" {
			return answer(r, 302, "", "Location", "https://elsewhere.example.org/"), nil
		}
		return answer(r, 200, ""), nil
	}, WithPrimaryURL("https://models.example.org/api"), WithAPIKey("0123-secret"))
	_, err := h.do(budget(t, time.Second), request{url: "https://models.example.org/api/x"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"models.example.org": "0123-secret", "elsewhere.example.org": ""}, keys)
}

func TestAnAttemptThatTakesTooLongIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			n++
			if n < 3 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(r, 200, "late"), nil
		}, WithTimeout(2*time.Second))
		resp, err := h.do(budget(t, 20*time.Second), request{url: anURL})
		require.NoError(t, err)
		assert.Equal(t, "late", resp.body)
	})
	synctest.Test(t, func(t *testing.T) {
		h := layer(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		start := time.Now()
		_, err := h.do(budget(t, 15*time.Second), request{url: anURL})
		require.ErrorContains(t, err, "no answer in time")
		assert.Equal(t, 2, requestsOf(err))
		assert.Equal(t, 15*time.Second, time.Since(start), "the budget is the limit")
	})
}

func TestATypedNilLoggerIsNoLogger(t *testing.T) {
	t.Parallel()
	var none *slog.Logger
	_, err := New(WithLogger(none))
	require.ErrorContains(t, err, "WithLogger")
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("https://user:secret@example.org/a%2Fb?apikey=secret&x&y=secret#secret")
	require.NoError(t, err)
	assert.Equal(t, "https://example.org/a%2Fb?apikey=…&x=…&y=…", redactURL(u))
	assert.Empty(t, redactURL(nil))
}

func TestTheHeadersSaid(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	t.Cleanup(server.Close)
	c, err := newConfig([]Option{WithUserAgent("my-worker/2")})
	require.NoError(t, err)
	h := newHTTPLayer(c)
	_, err = h.do(budget(t, 5*time.Second), request{url: server.URL, etag: `"e"`, accept: "application/json"})
	require.NoError(t, err)
	assert.Equal(t, "my-worker/2", got.Get("User-Agent"))
	assert.Equal(t, `"e"`, got.Get("If-None-Match"))
	assert.Equal(t, "application/json", got.Get("Accept"))
	h.client.HTTPClient.Transport.(*guardedTransport).next.(*http.Transport).CloseIdleConnections()
}

func TestBodiesAreReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	const limit = (believedTimes + 3) * believedLength
	for _, size := range []int{
		0, 1, unknownLength - 1, unknownLength, unknownLength + 1, 100_000, believedLength - 1, believedLength, believedLength + 1, 2 * believedLength, 5 * believedLength,
		believedTimes*believedLength - 1, believedTimes * believedLength, believedTimes*believedLength + 1,
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
				var large *bodyTooLarge
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

	begun := strings.Repeat("x", believedLength)
	_, err := readBody(&http.Response{ContentLength: 1 << 60, Body: io.NopCloser(strings.NewReader(begun))}, math.MaxInt64-1)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "whatever the limit is")
}
