// This file tests the errors of responses: the parts of a body that they have, and that a body never hides the status.

package modelref

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/httpx"
)

// transport is a function that responds to requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// answer returns a response. header has pairs of header names and values.
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

// layer returns the HTTP client of a Client with a transport.
func layer(t *testing.T, next transport, options ...Option) *httpx.Client {
	t.Helper()
	c := newConfig(append([]Option{WithHTTPClient(&http.Client{Transport: next})}, options...))
	require.Empty(t, c.optionError)
	return newHTTPClient(c)
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
		"exhausted":          {503, `{"detail": "busy"}`, nil, 3, "busy"},
		"408 is retried":     {408, ``, nil, 3, ""},
		"429":                {429, `slow down`, []string{"Retry-After", "1"}, 3, "slow down"},
		"exceeds the budget": {503, `x`, []string{"Retry-After", "86400"}, 1, "x"},
		"overflowing":        {503, `x`, []string{"Retry-After", "99999999999999999999"}, 1, "x"},
		"in nanoseconds":     {503, `x`, []string{"Retry-After", "9223372036854775807"}, 1, "x"},
		"negative":           {503, `x`, []string{"Retry-After", "-5"}, 3, "x"},
		"a date in the past": {503, `x`, []string{"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"}, 3, "x"},
		"a far date":         {503, `x`, []string{"Retry-After", "Fri, 31 Dec 2999 23:59:59 GMT"}, 1, "x"},
		"nonsense":           {503, `x`, []string{"Retry-After", "soon"}, 3, "x"},
		"plain 500":          {500, `Internal Server Error`, nil, 3, "Internal Server Error"},
		"not found":          {404, `{"detail": "Not Found"}`, nil, 1, "Not Found"},
		"HTML":               {502, "<html><head><title>Bad\n Gateway</title></head></html>", nil, 3, `the body is HTML, titled "Bad Gateway"`},
		"a detail object":    {400, `{"detail": {"a": 1}}`, nil, 1, `{"a": 1}`},
		"not UTF-8":          {400, "\xff\xfe", nil, 1, "\uFFFD"},
		"300":                {300, ``, nil, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				h := layer(t, func(r *http.Request) (*http.Response, error) {
					n++
					return answer(r, test.status, test.body, test.header...), nil
				})
				_, err := h.Do(t.Context(), httpx.Request{URL: "https://user:secret@models.example.org/api/x?key=secret&name=n"})
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

func TestATypedNilLoggerIsAnError(t *testing.T) {
	t.Parallel()
	var none *slog.Logger
	_, err := New(WithLogger(none))
	require.ErrorContains(t, err, "WithLogger")
}

func TestAnInvalidResponseConcernsItsCategoryOnly(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*http.Response){
		"malformed redirect": func(r *http.Response) {
			r.StatusCode = http.StatusFound
			r.Header.Set("Location", "https://bad host/")
		},
		"redirect to another scheme": func(r *http.Response) {
			r.StatusCode = http.StatusFound
			r.Header.Set("Location", "mailto:a@example.org")
		},
		"longer than its Content-Length": func(r *http.Response) { r.ContentLength = 1 },
		"unrequested 206":                func(r *http.Response) { r.StatusCode = http.StatusPartialContent },
		"unrequested 304":                func(r *http.Response) { r.StatusCode = http.StatusNotModified },
		"204":                            func(r *http.Response) { r.StatusCode = http.StatusNoContent },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			hc := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				resp := answer(nil, 200, `{"a":{"name":"a"}}`)
				if strings.HasSuffix(r.URL.Path, "/clip") {
					requests++
					spoil(resp)
				}
				return resp, nil
			})}
			c, err := New(WithHTTPClient(hc), WithoutGitHub())
			require.NoError(t, err)
			defer func() { _ = c.Close() }()
			_, err = c.CLIP.Load(t.Context())
			require.ErrorIs(t, err, ErrUnavailable)
			assert.Equal(t, 1, requests)
			_, err = c.BLIP.Load(t.Context())
			require.NoError(t, err, "the circuit breaker is closed")
		})
	}
}

func TestAProbeUsesANewConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var closing []bool
		hc := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			closing = append(closing, r.Close)
			return answer(r, 503, ""), nil
		})}
		c, err := New(WithHTTPClient(hc), WithoutGitHub(), WithRetry(RetryPolicy{MaxAttempts: 2}))
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_, err = c.BLIP.Load(t.Context())
		require.Error(t, err)
		time.Sleep(primaryMaxDelay)
		_, err = c.BLIP.Load(t.Context())
		require.Error(t, err)
		assert.Equal(t, []bool{false, false, true}, closing)
	})
}

func TestAnEndpointKeepsTheStatusBeforeATimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		hc := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return answer(r, 503, `{"detail":"busy"}`), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		c, err := New(WithHTTPClient(hc))
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_, err = c.Do(t.Context(), Request{Path: "x"})
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, "busy", api.Detail)
		require.ErrorIs(t, err, ErrUnavailable)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the context of the caller has not ended")
	})
}
