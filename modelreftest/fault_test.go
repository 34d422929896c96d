// This file tests what an HTTP client receives for each fault, and which requests have the fault.

package modelreftest_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const small = `{"a":{"name":"a","description":"first"},"b":{"name":"b"}}`

// seen is what a client receives for one request.
type seen struct {
	err     error // the error of the request
	status  int
	header  http.Header
	length  int64
	body    string
	bodyErr error
}

func ask(t testing.TB, client *http.Client, url string) (out seen) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err != nil {
		return seen{err: err}
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return seen{nil, resp.StatusCode, resp.Header, resp.ContentLength, string(body), err}
}

// faultTest is a fault with the expected log entry and the expected response.
type faultTest struct {
	fault  modelreftest.Fault
	name   string
	status int // 0 if there is no response
	check  func(t *testing.T, got seen)
}

func body(want string) func(*testing.T, seen) {
	return func(t *testing.T, got seen) {
		require.NoError(t, got.bodyErr)
		assert.Equal(t, want, got.body)
	}
}

func requestError(check func(error) bool) func(*testing.T, seen) {
	return func(t *testing.T, got seen) {
		require.Error(t, got.err)
		assert.True(t, check(got.err), "%T %v", errors.Unwrap(got.err), got.err)
	}
}

func bodyError(want error) func(*testing.T, seen) {
	return func(t *testing.T, got seen) {
		require.ErrorIs(t, got.bodyErr, want)
		assert.Equal(t, small[:len(small)/2], got.body)
		assert.Equal(t, int64(len(small)), got.length)
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func as[E error](err error) bool { var e E; return errors.As(err, &e) }

// answeredFaults returns the faults with a response.
func answeredFaults() []faultTest {
	return []faultTest{
		{modelreftest.OK(), "", 200, body(small)},
		{modelreftest.Fault{}, "", 200, body(small)},
		{modelreftest.Status(503), "Status(503)", 503, body(`{"detail":"Service Unavailable"}`)},
		{modelreftest.Status(500), "Status(500)", 500, func(t *testing.T, got seen) {
			assert.Equal(t, "Internal Server Error", got.body)
			assert.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
		}},
		{modelreftest.Status(204), "Status(204)", 204, body("")},
		{modelreftest.RetryAfter(429, "7"), `RetryAfter(429, "7")`, 429, func(t *testing.T, got seen) {
			assert.Equal(t, "7", got.header.Get("Retry-After"))
		}},
		{modelreftest.HTML(502), "HTML(502)", 502, func(t *testing.T, got seen) {
			assert.Contains(t, got.body, "<title>502 Bad Gateway</title>")
			assert.Equal(t, "text/html", got.header.Get("Content-Type"))
		}},
		{modelreftest.Body(200, "", "null"), `Body(200, "", …)`, 200, func(t *testing.T, got seen) {
			assert.Equal(t, "null", got.body)
			assert.NotContains(t, got.header, "Content-Type")
		}},
		{modelreftest.Empty(), "Empty()", 200, body("")},
		{modelreftest.Delay(time.Millisecond), "Delay(1ms)", 200, body(small)},
		{modelreftest.Trickle(time.Microsecond), "Trickle(1µs)", 200, body(small)},
		{modelreftest.WrongLength(), "WrongLength()", 200, body(small[:len(small)/2])},
		{modelreftest.Truncated(), "Truncated()", 200, bodyError(io.ErrUnexpectedEOF)},
		{modelreftest.ResetInBody(), "ResetInBody()", 200, bodyError(errConnReset)},
		{modelreftest.Oversized(3 << 20), "Oversized(3145728)", 200, func(t *testing.T, got seen) {
			assert.Equal(t, int64(3<<20), got.length)
			assert.Len(t, got.body, 3<<20)
			assert.True(t, json.Valid([]byte(got.body)))
		}},
		{modelreftest.GzipBomb(5<<20 + 17), "GzipBomb(5242897)", 200, func(t *testing.T, got seen) {
			assert.Equal(t, int64(-1), got.length)
			assert.Len(t, got.body, 5<<20+17)
			assert.True(t, json.Valid([]byte(got.body)))
		}},
		{modelreftest.InvalidUTF8(), "InvalidUTF8()", 200, func(t *testing.T, got seen) {
			assert.False(t, utf8.ValidString(got.body))
			assert.Equal(t, small, strings.ReplaceAll(got.body, "\xff\xfe", ""))
		}},
		{modelreftest.DeepNesting(5), "DeepNesting(5)", 200, body(`{"deep":{"name":"deep","extra":[[[[[]]]]]}}`)},
		{modelreftest.DuplicateNames(), "DuplicateNames()", 200, body(
			`{"a":{"name":"a","description":"first"},"b":{"name":"b"},"a":{"name":"a","description":"second of two"}}`)},
	}
}

// silentFaults returns the faults without a response. The client only gets an error.
func silentFaults() []faultTest {
	return []faultTest{
		{modelreftest.Reset(), "Reset()", 0, requestError(is(errConnReset))},
		{modelreftest.Refused(), "Refused()", 0, requestError(is(errConnRefused))},
		{modelreftest.DNSFailure(), "DNSFailure()", 0, requestError(as[*net.DNSError])},
		{modelreftest.TLSFailure(), "TLSFailure()", 0, requestError(as[x509.UnknownAuthorityError])},
		{modelreftest.RedirectLoop(), "RedirectLoop()", 302, requestError(func(err error) bool {
			return strings.Contains(err.Error(), "stopped after 10 redirects")
		})},
		{modelreftest.RedirectTo("http://192.0.2.1/x"), `RedirectTo("http://192.0.2.1/x")`, 302, requestError(as[error])},
	}
}

func TestTheResponsesOfFaults(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, append(options, modelreftest.WithDocument(modelref.CategoryCLIP, small))...)
		for _, tt := range append(answeredFaults(), silentFaults()...) {
			t.Run(tt.fault.String(), func(t *testing.T) {
				s.ResetRequests()
				s.Break(modelreftest.Documents, tt.fault)
				got := ask(t, s.HTTPClient(), s.URL()+v2+"clip")
				if got.err == nil {
					assert.Equal(t, tt.status, got.status)
				}
				tt.check(t, got)
				log := s.Requests()
				require.NotEmpty(t, log)
				assert.Equal(t, tt.name, log[0].Fault)
				assert.Equal(t, tt.status, log[0].Status)
				if got.length > 0 && got.bodyErr == nil {
					assert.Equal(t, len(got.body), log[0].BodyBytes)
				}

				s.Heal(modelreftest.Documents)
				require.Equal(t, small, ask(t, s.HTTPClient(), s.URL()+v2+"clip").body)
			})
		}
	})
}

func TestAGzipBombIsSmallOnTheWire(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	s.Break(modelreftest.Documents, modelreftest.GzipBomb(1<<30))
	resp, compressed := get(t, s, s.URL()+v2+"clip", "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
	require.Less(t, len(compressed), 4<<20)
	require.Equal(t, len(compressed), s.Requests()[0].BodyBytes)
	r, err := gzip.NewReader(strings.NewReader(compressed))
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, r, 1<<24)
	require.NoError(t, err)
}

func TestStallEndsWithTheClient(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, options...)
		s.Break(modelreftest.Primary, modelreftest.Stall())
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/heartbeat", nil)
		require.NoError(t, err)
		_, err = s.HTTPClient().Do(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, s.Requests()[0].Status)
	})
}

func TestFaultsInSimulatedTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault modelreftest.Fault
		takes time.Duration
	}{
		{modelreftest.OK(), 0},
		{modelreftest.Delay(time.Hour), time.Hour},
		{modelreftest.Trickle(time.Minute), time.Duration(len(small)) * time.Minute},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := modelreftest.NewServer(t, modelreftest.InMemory(),
					modelreftest.WithDocument(modelref.CategoryCLIP, small))
				s.Script(modelreftest.Documents, tt.fault)
				start := time.Now()
				got := ask(t, s.HTTPClient(), s.URL()+v2+"clip")
				require.NoError(t, got.err)
				require.NoError(t, got.bodyErr)
				assert.Equal(t, small, got.body)
				assert.Equal(t, tt.takes, time.Since(start))
				assert.Equal(t, start, s.Requests()[0].At)
			})
		})
	}
}

func TestAClientInSimulatedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := modelreftest.NewServer(t, modelreftest.InMemory())
		client := s.Client(t, modelref.WithTTL(time.Minute))
		for range 3 {
			_, err := client.CLIP.Load(t.Context())
			require.NoError(t, err)
			time.Sleep(2 * time.Minute)
		}
		endpoints := []modelreftest.Endpoint{}
		for _, r := range s.Requests() {
			endpoints = append(endpoints, r.Endpoint)
		}
		assert.Equal(t, []modelreftest.Endpoint{modelreftest.Documents, modelreftest.LastUpdated, modelreftest.LastUpdated}, endpoints)
	})
}

func TestOtherClientsGetAReset(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t)
	plain := &http.Client{Transport: &http.Transport{}}
	require.NoError(t, ask(t, plain, s.URL()+"/heartbeat").err)
	s.Break(modelreftest.Primary, modelreftest.Refused())
	requestError(is(errConnReset))(t, ask(t, plain, s.URL()+"/heartbeat"))
	require.Len(t, s.Requests(), 2, "net/http has not repeated it by itself")
}

func TestScriptsAndBreaks(t *testing.T) {
	t.Parallel()
	const (
		document  = v2 + "clip"
		updated   = v2 + "metadata/clip/last_updated"
		heartbeat = "/heartbeat"
	)
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	status := func(path string) int { return ask(t, s.HTTPClient(), s.URL()+path).status }
	raw := func() int { return ask(t, s.HTTPClient(), s.GitHubURL()+imageFiles+"clip.json").status }

	s.Script(modelreftest.Documents, modelreftest.Status(501), modelreftest.OK())
	s.Script(modelreftest.Documents, modelreftest.Status(502))
	s.Script(modelreftest.Primary, modelreftest.Status(503))
	s.Break(modelreftest.Primary, modelreftest.Status(504))
	s.Break(modelreftest.LastUpdated, modelreftest.Status(505))
	s.Script(modelreftest.GitHub, modelreftest.Status(429))
	assert.Equal(t, 501, status(document))
	assert.Equal(t, 200, status(document), "OK overrides Break")
	assert.Equal(t, 502, status(document))
	assert.Equal(t, 503, status(updated), "a script overrides Break")
	assert.Equal(t, 505, status(updated), "the script of the narrower endpoint is used first")
	assert.Equal(t, 504, status(document))
	assert.Equal(t, 504, status(heartbeat))
	assert.Equal(t, 429, raw())
	assert.Equal(t, 200, raw())

	s.Heal(modelreftest.LastUpdated)
	assert.Equal(t, 504, status(updated))
	s.Script(modelreftest.Documents, modelreftest.Status(501))
	s.Heal(modelreftest.Primary)
	for _, path := range []string{document, updated, heartbeat} {
		assert.Equal(t, 200, status(path))
	}
}

func TestTheLogOfRequests(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, options ...modelreftest.Option) {
		s := modelreftest.NewServer(t, append(options, modelreftest.WithDocument(modelref.CategoryCLIP, small))...)
		s.Script(modelreftest.Documents, modelreftest.Refused(), modelreftest.Status(503))
		get(t, s, s.URL()+"/heartbeat?a=1&b=%20", "X-Test", "yes")
		ask(t, s.HTTPClient(), s.URL()+v2+"clip")
		ask(t, s.HTTPClient(), s.URL()+v2+"clip")
		get(t, s, s.URL()+v2+"clip")
		get(t, s, s.URL()+v2+"metadata/clip/last_updated")
		get(t, s, s.URL()+v2+"clip/model/ViT-L%2F14")
		get(t, s, s.GitHubURL()+imageFiles+"nope.json")

		type line struct {
			endpoint    modelreftest.Endpoint
			path, query string
			status      int
			bytes       int
			fault       string
		}
		var got []line
		var names []string
		for _, r := range s.Requests() {
			names = append(names, r.Endpoint.String())
			assert.Equal(t, http.MethodGet, r.Method)
			assert.False(t, r.At.IsZero())
			assert.NotContains(t, r.Header, "Modelreftest-Request")
			got = append(got, line{r.Endpoint, r.Path, r.Query, r.Status, r.BodyBytes, r.Fault})
		}
		assert.Equal(t, []string{"primary", "documents", "documents", "documents", "last_updated", "primary", "github"}, names)
		assert.Equal(t, "yes", s.Requests()[0].Header.Get("X-Test"))
		clip := v2 + "clip"
		assert.Equal(t, []line{
			{modelreftest.Primary, "/heartbeat", "a=1&b=%20", 200, got[0].bytes, ""},
			{modelreftest.Documents, clip, "", 0, 0, "Refused()"},
			{modelreftest.Documents, clip, "", 503, 32, "Status(503)"},
			{modelreftest.Documents, clip, "", 200, len(small), ""},
			{modelreftest.LastUpdated, v2 + "metadata/clip/last_updated", "", 200, got[4].bytes, ""},
			{modelreftest.Primary, clip + "/model/ViT-L%2F14", "", 404, 22, ""},
			{modelreftest.GitHub, imageFiles + "nope.json", "", 404, 14, ""},
		}, got)

		s.Requests()[0].Header.Set("X-Test", "no")
		assert.Equal(t, "yes", s.Requests()[0].Header.Get("X-Test"), "the result is a copy")
		s.ResetRequests()
		assert.Empty(t, s.Requests())
	})
}

func TestFaultsOfACSV(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.InMemory())
	url := s.GitHubURL() + imageFiles + "models.csv"
	_, whole := get(t, s, url)
	s.Script(modelreftest.GitHub, modelreftest.DuplicateNames(), modelreftest.InvalidUTF8(), modelreftest.WrongLength())
	_, twice := get(t, s, url)
	assert.Equal(t, strings.Count(whole, "\nExample/Marx-3B,")+1, strings.Count(twice, "\nExample/Marx-3B,"))
	_, bad := get(t, s, url)
	assert.False(t, utf8.ValidString(bad))
	_, half := get(t, s, url)
	assert.Equal(t, whole[:len(whole)/2], half)
}
