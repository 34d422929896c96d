// This file tests failures of access: tokens, redirects, presigned URLs, the gateway.

package download_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// Kind 8: access is denied. The error has the missing token, the request is not retried, and other files are not
// delayed.
func TestAccessDenied(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403, 307} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			s, dir := newServer(t), t.TempDir()
			c, ok := newContent(15, 100_000), newContent(16, 100_000)
			s.put("/m", c)
			s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				switch {
				case r.URL.Path == "/login":
					w.Header().Set("Content-Type", "text/html")
					_, _ = w.Write([]byte("<html>please sign in</html>"))
				case r.URL.Path != "/m":
					return false
				case code == 307:
					http.Redirect(w, r, "/login?next=secret", code)
				default:
					w.WriteHeader(code)
				}
				return true
			})
			start := time.Now()
			report, err := run(t, download.Options{Dir: dir},
				model("m", fileOf("m.bin", s.URL+"/m", c)), model("ok", fileOf("ok.bin", s.put("/ok", ok), ok)))
			require.ErrorIs(t, err, download.ErrAccessDenied)
			require.ErrorContains(t, err, "a token for 127.0.0.1 may be required")
			require.NotContains(t, err.Error(), "secret")
			assert.Less(t, time.Since(start), 400*time.Millisecond+time.Second, "there is no backoff")
			assert.LessOrEqual(t, report.Files[0].Requests, int64(2))
			requireFile(t, dir, "compvis/ok.bin", ok)
		})
	}
}

// Kind 9: secrets are sent only to their own host, and never to the target of a redirect.
func TestSecretsStayAtTheirHost(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	leaks := make(map[string][]string)
	origin, other := newServer(t), newServer(t)
	c := newContent(17, 100_000)
	other.put("/m", c)
	note := func(host string) func(w http.ResponseWriter, r *http.Request, n int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool {
			mu.Lock()
			defer mu.Unlock()
			for _, name := range []string{"Authorization", "apikey", "Cookie"} {
				if v := r.Header.Get(name); v != "" {
					leaks[host] = append(leaks[host], name+": "+v)
				}
			}
			if host == "origin" && !strings.HasPrefix(r.URL.Path, "/back") {
				http.Redirect(w, r, other.URL+"/m?signature=s3cr3t", http.StatusFound)
				return true
			}
			return false
		}
	}
	origin.on(note("origin"))
	other.on(note("other"))
	o := quick(t.TempDir())
	o.Tokens = map[string]string{strings.TrimPrefix(origin.URL, "http://"): "T0KEN", "huggingface.co": "HF"}
	o.Gateway = download.Gateway{URL: origin.URL + "/gateway", APIKey: "K3Y"}
	var events []string
	o.OnEvent = func(e download.Event) {
		events = append(events, e.Source)
		if e.Err != nil {
			events = append(events, e.Err.Error())
		}
	}
	_, err := run(t, o, model("m", fileOf("m.bin", origin.URL+"/m?token=s3cr3t", c)))
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"origin": {"apikey: K3Y"}}, leaks, "the gateway gets its key, and no other secret is sent")

	clear(leaks)
	o.Gateway = download.Gateway{}
	o.Dir = t.TempDir()
	_, err = run(t, o, model("m", fileOf("m.bin", origin.URL+"/m?token=s3cr3t", c)))
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"origin": {"Authorization: Bearer T0KEN"}}, leaks)

	clear(leaks)
	o.Dir = t.TempDir()
	other.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		note("other")(w, r, n)
		http.Redirect(w, r, origin.URL+"/back?signature=s3cr3t", http.StatusFound)
		return true
	})
	_, err = run(t, o, model("m", fileOf("m.bin", origin.URL+"/m?token=s3cr3t", c)))
	require.Error(t, err)
	assert.Equal(t, map[string][]string{"origin": {"Authorization: Bearer T0KEN"}}, leaks, "the token is not sent again by a redirect back")
	for _, text := range append(events, err.Error()) {
		for _, secret := range []string{"s3cr3t", "T0KEN", "K3Y"} {
			assert.NotContains(t, text, secret)
		}
	}
}

// Kind 10: the target of the redirect expires during the download.
func TestPresignedURLExpires(t *testing.T) {
	t.Parallel()
	for _, segments := range []bool{false, true} {
		s, dir := newServer(t), t.TempDir()
		c := newContent(18, 2<<20)
		s.put("/signed", c)
		var uses atomicCounter
		s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path == "/m" {
				http.Redirect(w, r, "/signed?n="+strconv.Itoa(uses.add()), http.StatusFound)
				return true
			}
			if n, _ := strconv.Atoi(r.URL.Query().Get("n")); n < uses.get()-2 || s.uses(r.URL.RawQuery) > 2 {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			s.dropAfter(w, r, 300_000)
			return true
		})
		o := quick(dir)
		if segments {
			o = segmented(o)
			o.Connections = 3
		}
		report, err := run(t, o, model("m", fileOf("m.bin", s.URL+"/m", c)))
		require.NoError(t, err)
		requireFile(t, dir, "compvis/m.bin", c)
		assert.LessOrEqual(t, only(t, report).Fetched, int64(len(c.data)+len(c.data)/100), "the partial file is kept")
	}
}

// uses returns the number of requests with the query.
func (s *server) uses(query string) (n int) {
	for _, r := range s.log() {
		if r.query == query {
			n++
		}
	}
	return n
}

type atomicCounter struct {
	mu sync.Mutex
	n  int
}

func (c *atomicCounter) add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

func (c *atomicCounter) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// The gateway is the first source. It is tried once, and the origin is used if it fails.
func TestGateway(t *testing.T) {
	t.Parallel()
	gateway, origin := newServer(t), newServer(t)
	c := newContent(30, 100_000)
	file := fileOf("m.bin", origin.put("/m", c), c)
	file.SHA256Sum = strings.ToUpper(file.SHA256Sum)
	gateway.put("/base/by-hash/"+c.sum(), c)
	o := quick(t.TempDir())
	o.Gateway = download.Gateway{URL: gateway.URL + "/base", APIKey: "k"}
	report, err := run(t, o, model("m", file))
	require.NoError(t, err)
	assert.Equal(t, gateway.URL+"/base/by-hash/"+c.sum(), only(t, report).Source)
	assert.Empty(t, origin.log())

	for _, code := range []int{403, 404, 429, 500, 503} {
		gateway.reset()
		gateway.on(func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Retry-After", "10")
			w.WriteHeader(code)
			return true
		})
		o.Dir = t.TempDir()
		_, err := run(t, o, model("m", file))
		require.NoError(t, err)
		requireFile(t, o.Dir, "compvis/m.bin", c)
		assert.Len(t, gateway.log(), 1, "%d", code)
	}

	o.Dir, o.Gateway.APIKey = t.TempDir(), ""
	gateway.reset()
	_, err = run(t, o, model("m", file))
	require.NoError(t, err)
	assert.Empty(t, gateway.log(), "the gateway is not used without a key")

	o.Gateway = download.Gateway{URL: "http://gateway.example", APIKey: "k"}
	_, err = download.NewPlan(t.Context(), []*modelref.ModelRecord{}, o)
	require.ErrorContains(t, err, "must be an https URL")
}

// A token is not sent over plain http, except to this machine.
func TestTokenNeedsHTTPS(t *testing.T) {
	t.Parallel()
	c := newContent(31, 1000)
	o := quick(t.TempDir())
	o.Tokens = map[string]string{"weights.example": "T0KEN"}
	o.Retries = 1
	var got []string
	o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.URL.Scheme+" "+r.Header.Get("Authorization"))
		w := httptest.NewRecorder()
		serveContent(w, r, c)
		return w.Result(), nil
	})}
	_, err := run(t, o, model("m", fileOf("m.bin", "http://weights.example/m", c)))
	require.NoError(t, err)
	o.Dir = t.TempDir()
	_, err = run(t, o, model("m", fileOf("m.bin", "https://weights.example/m", c)))
	require.NoError(t, err)
	assert.Equal(t, []string{"http ", "https Bearer T0KEN"}, got)
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The error of a failed transport does not have the query of the URL.
func TestTransportErrorsAreRedacted(t *testing.T) {
	t.Parallel()
	o := quick(t.TempDir())
	o.HTTPClient = &http.Client{Transport: transportFunc(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("broken wire")
	})}
	c := newContent(32, 10)
	_, err := run(t, o, model("m", fileOf("m.bin", "https://user:pa55@weights.example/m?token=s3cr3t", c)))
	require.ErrorContains(t, err, "https://weights.example/m: broken wire")
	assert.NotContains(t, err.Error(), "s3cr3t")
	assert.NotContains(t, err.Error(), "pa55")
}

// The error has the missing token and explains how to set it.
func TestAccessHints(t *testing.T) {
	t.Parallel()
	c := newContent(33, 10)
	for host, hint := range map[string]string{
		"huggingface.co": download.EnvHuggingFaceToken, "civitai.com": download.EnvCivitaiToken, "weights.example": "a token for weights.example may be required",
		"known.example": "the token for known.example was not accepted",
	} {
		o := quick(t.TempDir())
		o.Tokens = map[string]string{"known.example": "T0KEN"}
		o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.WriteHeader(http.StatusUnauthorized)
			return w.Result(), nil
		})}
		_, err := run(t, o, model("m", fileOf("m.bin", "https://"+host+"/m", c)))
		require.ErrorIs(t, err, download.ErrAccessDenied)
		require.ErrorContains(t, err, hint)
		require.NotContains(t, err.Error(), "T0KEN")
	}
}

// A redirect from https to http is rejected.
func TestDowngradeIsRefused(t *testing.T) {
	t.Parallel()
	c := newContent(34, 10)
	o := quick(t.TempDir())
	o.HTTPClient = &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		if r.URL.Scheme == "https" {
			http.Redirect(w, r, "http://weights.example/m", http.StatusFound)
		} else {
			serveContent(w, r, c)
		}
		return w.Result(), nil
	})}
	_, err := run(t, o, model("m", fileOf("m.bin", "https://weights.example/m", c)))
	require.ErrorIs(t, err, download.ErrInvalidResponse)
	require.ErrorContains(t, err, "redirect from https to http")
}

// A weak ETag must not be sent in If-Range. With a checksum, the download continues nevertheless.
func TestWeakETag(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(35, 600_000)
	c.etag = "W/" + c.etag
	url := s.put("/m", c)
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		s.dropAfter(w, r, 200_000)
		return true
	})
	report, err := run(t, quick(dir), model("m", fileOf("m.bin", url, c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	assert.EqualValues(t, len(c.data), only(t, report).Fetched)
	for _, r := range s.log() {
		assert.Empty(t, r.header.Get("If-Range"))
	}
}
