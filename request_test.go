// This file tests Do and GetJSON.

package modelref

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endpointClient returns a Client of a server whose API is below /api. It does not wait between attempts.
func endpointClient(t testing.TB, server *httptest.Server, options ...Option) *Client {
	t.Helper()
	c, err := New(append([]Option{
		WithPrimaryURL(server.URL + "/api"), WithHTTPClient(server.Client()), WithoutGitHub(),
		WithRetry(RetryPolicy{MaxAttempts: 2, BaseDelay: time.Nanosecond}),
	}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// heartbeat sends a request to an endpoint that has no method in this package.
func heartbeat(ctx context.Context, c *Client) error {
	var out struct{ Status string }
	return c.GetJSON(ctx, "heartbeat", nil, &out)
}

func TestDoKeepsTheStatus(t *testing.T) {
	t.Parallel()
	const page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
	for name, test := range map[string]struct {
		status            int
		contentType, body string
		says              string
	}{
		"plain text":        {500, "text/plain; charset=utf-8", "Internal Server Error", "Internal Server Error"},
		"HTML":              {502, "text/html", page, "HTML"},
		"nothing":           {503, "", "", "503"},
		"broken JSON":       {500, "application/json", `{"detail": "cut o`, "cut o"},
		"forbidden, HTML":   {403, "text/html", page, "HTML"},
		"forbidden":         {403, "application/json", `{"detail": "Not authenticated"}`, "Not authenticated"},
		"validation":        {422, "application/json", `{"detail": [{"type": "t", "loc": ["query", 1], "msg": "m"}]}`, "query.1: m"},
		"detail of no form": {400, "application/json", `{"detail": {"a": 1}}`, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, says(test.status, test.contentType, test.body))
			_, err := c.Do(t.Context(), Request{Path: "model_references/v2/me/roles"})
			var api *APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, test.status, api.StatusCode)
			assert.ErrorContains(t, err, "modelref: GET http://")
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestDoRetriesOutagesOnly(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int32{500: 2, 429: 2, 408: 2, 400: 1, 404: 1, 403: 1, 422: 1} {
		var requests atomic.Int32
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			says(status, "application/json", `{}`)(w, r)
		})
		err := heartbeat(t.Context(), c)
		require.Error(t, err)
		assert.Equal(t, want, requests.Load(), status)
	}
	var requests atomic.Int32
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			says(http.StatusServiceUnavailable, "", "")(w, r)
			return
		}
		says(http.StatusOK, "application/json", `{"status": "ok"}`)(w, r)
	})
	require.NoError(t, heartbeat(t.Context(), c))
}

func TestDo(t *testing.T) {
	t.Parallel()
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Type", "text/csv")
		_, _ = fmt.Fprint(w, r.URL.EscapedPath(), " ", r.URL.RawQuery, " ", r.Header.Get("Accept"), " ", r.Header.Get("X-Own"))
	})
	resp, err := c.Do(t.Context(), Request{
		Path: "/new/a%2Fb", Query: url.Values{"q": {"x&y"}, "offset": {"-1"}}, Header: http.Header{"Accept": {"text/csv"}, "x-own": {"1"}},
	})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "/api/new/a%2Fb offset=-1&q=x%26y text/csv 1", string(resp.Body))
	assert.Equal(t, "text/csv", resp.Header.Get("Content-Type"))
	assert.NotContains(t, resp.URL, "x%26y")

	resp, err = c.Do(t.Context(), Request{Path: "new", Header: http.Header{"If-None-Match": {`"1"`}}})
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotModified, resp.StatusCode)
	assert.Empty(t, resp.Body)

	c = answering(t, says(http.StatusNotModified, "", ""))
	_, err = c.Do(t.Context(), Request{Path: "new"})
	require.ErrorContains(t, err, "304 Not Modified: invalid response: the request was not conditional")

	c = answering(t, says(http.StatusNotFound, "application/json", `{"detail": "no"}`))
	_, err = c.Do(t.Context(), Request{Path: "new"})
	require.ErrorIs(t, err, ErrNotFound)
	require.NotErrorIs(t, err, ErrUnavailable)
}

func TestDoWithoutANetworkIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	server.URL = "http://127.0.0.1:1" // no server can listen there
	c := endpointClient(t, server)
	err := heartbeat(t.Context(), c)
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "/api/heartbeat")

	_, err = c.CLIP.Search(t.Context(), nil)
	require.ErrorIs(t, err, ErrUnavailable)
}

// Do returns an error for a request that must not be sent. The error has the reason.
func TestDoRefusesRequests(t *testing.T) {
	t.Parallel()
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected request: %s", r.URL) })
	header := func(name, value string) Request {
		return Request{Path: "a", Header: http.Header{name: {value}}}
	}
	for what, test := range map[string]struct {
		request Request
		is      error
		says    string
	}{
		"parent path":             {Request{Path: "a/../../b"}, ErrInvalidQuery, "segment"},
		"escaped parent path":     {Request{Path: "a/%2e%2E/b"}, ErrInvalidQuery, "segment"},
		"parent in a segment":     {Request{Path: "x%2f..%2f..%2fadmin"}, ErrInvalidQuery, "segment"},
		"backslash":               {Request{Path: "x%5c..%5cadmin"}, ErrInvalidQuery, "segment"},
		"a query in the path":     {Request{Path: "a?b=c"}, ErrInvalidQuery, "pass a query"},
		"a bad escape":            {Request{Path: "a%zz"}, ErrInvalidQuery, "escaped"},
		"control characters":      {Request{Path: "a\nb"}, ErrInvalidQuery, "control characters"},
		"the API key as a header": {header("ApiKey", "x"), ErrInvalidQuery, "WithAPIKey"},
		"a bad header name":       {header("a b", "x"), ErrInvalidQuery, `"a b"`},
		"a bad header value":      {header("A", "x\r\nB: y"), ErrInvalidQuery, "control characters"},
		"no key":                  {Request{Path: "a", RequireAPIKey: true}, ErrNotConfigured, "WithAPIKey"},
	} {
		resp, err := c.Do(t.Context(), test.request)
		assert.Nil(t, resp, what)
		require.ErrorIs(t, err, test.is, what)
		require.ErrorContains(t, err, test.says, what)
		assert.True(t, strings.HasPrefix(err.Error(), "modelref: GET "), "%s: %v", what, err)
	}
	_, err := c.Do(nil, Request{Path: "a"}) //nolint:staticcheck // a nil context is the test case
	require.ErrorContains(t, err, "context must not be nil")
	_, err = c.CLIP.Search(nil, nil) //nolint:staticcheck // a nil context is the test case
	require.ErrorContains(t, err, "context must not be nil")
	_, err = (*Client)(nil).Do(t.Context(), Request{Path: "a"})
	require.ErrorIs(t, err, ErrClosed)
	for what, out := range map[string]any{"nil": nil, "no pointer": 5, "nil pointer": (*int)(nil)} {
		err := c.GetJSON(t.Context(), "a", nil, out)
		var invalid *json.InvalidUnmarshalError
		require.ErrorAs(t, err, &invalid, what)
		assert.ErrorContains(t, err, "out must be a non-nil pointer", what)
	}
}

func TestGetJSONErrors(t *testing.T) {
	t.Parallel()
	const key = "0123456789"
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/text":
			_, _ = io.WriteString(w, "not JSON")
		case "/api/html":
			_, _ = io.WriteString(w, "<title>Welcome</title>")
		default:
			_, _ = io.WriteString(w, `{"2026": "`+r.Header.Get("apikey")+`"}`)
		}
	}, WithAPIKey(key))
	var invalid *ResponseDecodeError
	err := c.GetJSON(t.Context(), "text", url.Values{"key": {"secret"}}, new(any))
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), "secret")
	assert.Equal(t, 1, strings.Count(err.Error(), "modelref:"))

	err = c.GetJSON(t.Context(), "html", nil, new(any))
	require.ErrorAs(t, err, &invalid)
	assert.ErrorContains(t, err, "HTML")

	var times map[string]time.Time
	err = c.GetJSON(t.Context(), "quoted", nil, &times) // the error of time.Time quotes the value
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), key)
}

// GetJSON decodes as encoding/json does: the value and whether there is an error are the same.
func TestGetJSONDecodesAsEncodingJSON(t *testing.T) {
	t.Parallel()
	type inner struct{ X, Y int }
	for name, test := range map[string]struct {
		body string
		out  func() any
	}{
		"Duration":    {`{"D": 5}`, func() any { return new(struct{ D time.Duration }) }},
		"json.Number": {`{"N": 12.50}`, func() any { return new(struct{ N json.Number }) }},
		"short array": {`[1, 2]`, func() any { return &[3]int{7, 8, 9} }},
		"long array":  {`[1, 2, 3, 4]`, func() any { return new([3]int) }},
		"byte array":  {`[1, 2, 3, 4]`, func() any { return new([4]byte) }},
		"bytes":       {`"AAEC"`, func() any { return new([]byte) }},
		"null bytes":  {`{"B": null}`, func() any { return &struct{ B []byte }{[]byte("x")} }},
		"null number": {`{"I": null}`, func() any { return &struct{ I int }{7} }},
		"null":        {`null`, func() any { return &inner{1, 2} }},
		"string option": {`{"I": "5"}`, func() any {
			return new(struct {
				I int `json:",string"`
			})
		}},
		"5.0 for an integer":  {`{"X": 5.0}`, func() any { return new(inner) }},
		"too large":           {`{"I": 300}`, func() any { return new(struct{ I int8 }) }},
		"any":                 {`[1, "x", null, {"b": 12345678901234567890}]`, func() any { return new(any) }},
		"keys of integers":    {`{"1": true}`, func() any { return new(map[int]bool) }},
		"merged into a map":   {`{"a": {"X": 5}}`, func() any { return &map[string]inner{"a": {1, 2}} }},
		"time":                {`"2024-01-01T00:00:00Z"`, func() any { return new(time.Time) }},
		"time in seconds":     {`1700000000`, func() any { return new(time.Time) }},
		"names in any case":   {`{"x": 1, "Y": 2}`, func() any { return new(inner) }},
		"the same name twice": {`{"X": 1, "X": 2}`, func() any { return new(inner) }},
		"invalid UTF-8":       {"\"a\xff\"", func() any { return new(string) }},
		"two values":          {`{} {}`, func() any { return new(inner) }},
		"raw":                 {` {"a" : 1} `, func() any { return new(json.RawMessage) }},
		"string":              {`"text"`, func() any { return new(string) }},
		"no JSON":             {`text`, func() any { return new(string) }},
		"nothing":             {``, func() any { return new(any) }},
		"an error in between": {`{"X": "a", "Y": 2}`, func() any { return new(inner) }},
		"a pointer":           {`{"X": 1}`, func() any { return new(*inner) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, says(http.StatusOK, "application/json", test.body))
			got, want := test.out(), test.out()
			err, wantErr := c.GetJSON(t.Context(), "x", nil, got), json.Unmarshal([]byte(test.body), want)
			assert.Equal(t, want, got)
			assert.Equal(t, wantErr == nil, err == nil, "%v, encoding/json: %v", err, wantErr)
			if err != nil {
				require.ErrorAs(t, err, new(*ResponseDecodeError))
				assert.ErrorContains(t, err, wantErr.Error())
			}
		})
	}
}

func TestDoLimitsTheBody(t *testing.T) {
	t.Parallel()
	c := answering(t, says(http.StatusOK, "application/json", `{"status": "`+strings.Repeat("x", 100)+`"}`), WithMaxBodyBytes(50))
	err := heartbeat(t.Context(), c)
	assert.ErrorContains(t, err, "larger than 50 bytes")
}

func TestDoWithoutAPrimary(t *testing.T) {
	t.Parallel()
	never := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected request: %s", r.URL) }
	offline := answering(t, never, WithOffline(), WithCacheDir(t.TempDir()))
	err := heartbeat(t.Context(), offline)
	require.ErrorIs(t, err, ErrOffline)

	alone := answering(t, never, WithoutPrimary(), WithCacheDir(t.TempDir()))
	_, err = alone.ImageGeneration.Popular(t.Context(), nil)
	require.ErrorIs(t, err, ErrNotConfigured)

	closed := answering(t, never)
	require.NoError(t, closed.Close())
	err = heartbeat(t.Context(), closed)
	require.ErrorIs(t, err, ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = heartbeat(ctx, answering(t, never))
	require.ErrorIs(t, err, context.Canceled)
}

func TestDoIsCanceledByClose(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		close(came)
		<-r.Context().Done()
	})
	failed := make(chan error, 1)
	go func() {
		failed <- heartbeat(context.Background(), c)
	}()
	<-came
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-failed, ErrClosed)
}

func TestDoIsCanceledByTheCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	err := heartbeat(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
}

func TestDoAndTheBreaker(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		says(http.StatusServiceUnavailable, "", "")(w, r)
	}, WithRetry(RetryPolicy{MaxAttempts: 1}))
	for _, step := range []struct {
		call     func(context.Context) error
		requests int32
	}{
		{func(ctx context.Context) error { return heartbeat(ctx, c) }, 1},
		{func(ctx context.Context) error { _, err := c.CLIP.Load(ctx); return err }, 1}, // the breaker is still closed
		{func(ctx context.Context) error { _, err := c.BLIP.Load(ctx); return err }, 0}, // the breaker is open
		{func(ctx context.Context) error { return heartbeat(ctx, c) }, 1},
	} {
		requests.Store(0)
		require.Error(t, step.call(t.Context()))
		assert.Equal(t, step.requests, requests.Load())
	}
}
