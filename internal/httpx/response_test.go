// Responses that are unusable, and what remains of a status that was received.

package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheRequestOfAResponseIsNotUsed(t *testing.T) {
	t.Parallel()
	other, err := http.NewRequest(http.MethodPost, "https://user:secret@other.example.org/?key=secret", nil)
	require.NoError(t, err)
	for name, request := range map[string]*http.Request{"nil": nil, "another one": other} {
		for _, status := range []int{200, 302, 304, 404, 503} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				t.Parallel()
				n := 0
				h := client(t, transport(func(r *http.Request) (*http.Response, error) {
					resp := answer(request, status, "body", "Location", "/api/moved")
					if n++; status == 302 && n > 1 {
						resp.StatusCode = 404
					}
					return resp, nil
				}), quick)
				resp, err := h.Do(t.Context(), Request{URL: anURL, ETag: `"e"`})
				switch status {
				case 200:
					require.NoError(t, err)
					assert.Equal(t, "body", resp.Body)
				case 304:
					require.NoError(t, err)
					assert.True(t, resp.NotModified())
				case 302:
					require.EqualError(t, err, "GET https://models.example.org/api/moved: 404 Not Found", "the URL of the redirect")
				default:
					require.ErrorContains(t, err, "GET https://models.example.org/api/x?key=…&name=…: ")
				}
			})
		}
	}
}

// gzipped returns compressed text.
func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestInvalidResponsesAreNoOutages(t *testing.T) {
	t.Parallel()
	whole := gzipped(t, strings.Repeat("{}", 1000))
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-8] ^= 1
	wrongBlock := bytes.Clone(whole)
	copy(wrongBlock[10:], "\xff\xff\xff\xff")
	for name, test := range map[string]struct {
		status int
		header []string
		body   string
		want   string
	}{
		"206":               {206, nil, "{", "206 Partial Content: invalid response: the whole was requested"},
		"304":               {304, nil, "", "304 Not Modified: invalid response: the request was not conditional"},
		"202":               {202, nil, "{}", "202 Accepted: invalid response"},
		"226":               {226, nil, "{}", "226 IM Used: invalid response"},
		"no gzip":           {200, []string{"Content-Encoding", "gzip"}, "{}{}{}{}{}{}{}{}", "the compressed body is corrupt: "},
		"gzip checksum":     {200, []string{"Content-Encoding", "gzip"}, string(wrongSum), "the compressed body is corrupt: "},
		"gzip block":        {200, []string{"Content-Encoding", "gzip"}, string(wrongBlock), "the compressed body is corrupt: "},
		"Location, host":    {302, []string{"Location", "http://user:passw0rd@bad host/x?token=t0ken#frag"}, "", "302 Found: invalid response: malformed Location header"},
		"Location, escape":  {301, []string{"Location", "http://user:passw0rd@h/%zz?token=t0ken"}, "", "malformed Location header"},
		"Location, port":    {307, []string{"Location", "https://h:passw0rd/x?token=t0ken"}, "", "malformed Location header"},
		"Location, address": {308, []string{"Location", "https://user:passw0rd@[::1/x?token=t0ken"}, "", "malformed Location header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				for i := 0; i < len(test.header); i += 2 {
					w.Header()[test.header[i]] = []string{test.header[i+1]}
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(server.Close)
			h := New(Config{MaxAttempts: 3, MaxDuration: 10 * time.Second})
			t.Cleanup(h.Close)
			_, err := h.Do(t.Context(), Request{URL: server.URL})
			var invalid *InvalidResponseError
			require.ErrorAs(t, err, &invalid)
			require.ErrorContains(t, err, "GET "+server.URL+": ")
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, test.status, invalid.StatusCode)
			assert.False(t, IsOutage(err))
			assert.Equal(t, 1, requests, "the response would be the same again")
			for _, secret := range []string{"passw0rd", "t0ken", "frag"} {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestABodyLongerThanItsContentLengthIsInvalid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		encoding     string
		uncompressed bool
		valid        bool
	}{
		"no word of compression":    {"", false, false},
		"identity":                  {"identity", false, false},
		"the header was left":       {"gzip", false, true},
		"the transport says so":     {"", true, true},
		"both the header and a say": {"br", true, true},
	} {
		n := 0
		h := client(t, transport(func(r *http.Request) (*http.Response, error) {
			n++
			resp := answer(r, 200, "decompressed", "Content-Encoding", test.encoding)
			resp.ContentLength, resp.Uncompressed = 5, test.uncompressed
			return resp, nil
		}), quick)
		resp, err := h.Do(t.Context(), Request{URL: anURL})
		if test.valid {
			require.NoError(t, err, name)
			assert.Equal(t, "decompressed", resp.Body, name)
			continue
		}
		var invalid *InvalidResponseError
		require.ErrorAs(t, err, &invalid, name)
		require.ErrorContains(t, err, "longer than the Content-Length of 5 bytes", name)
		assert.False(t, IsOutage(err), name)
		assert.Equal(t, 1, n, name)
	}
}

func TestStatusesWithoutContentHaveNoBody(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{200: "{}", 203: "{}", 204: "", 205: ""} {
		h := client(t, transport(func(r *http.Request) (*http.Response, error) { return answer(r, status, "{}"), nil }))
		resp, err := h.Do(t.Context(), Request{URL: anURL})
		require.NoError(t, err, status)
		assert.Equal(t, want, resp.Body, status)
		assert.Equal(t, status, resp.StatusCode)
	}
}

func TestAStatusIsNotLostToALaterFailure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		later func(*http.Request) (*http.Response, error)
		want  error
	}{
		"the budget ends": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, context.DeadlineExceeded},
		"the connection is refused": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}, syscall.ECONNREFUSED},
		"the body breaks off": {func(r *http.Request) (*http.Response, error) {
			resp := answer(r, 200, "{}")
			resp.ContentLength = 3
			return resp, nil
		}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				h := client(t, transport(func(r *http.Request) (*http.Response, error) {
					if n++; n == 1 {
						return answer(r, 503, "busy"), nil
					}
					return test.later(r)
				}))
				_, err := h.Do(budget(t, 15*time.Second), Request{URL: anURL})
				var status *StatusError
				require.ErrorAs(t, err, &status)
				assert.Equal(t, 503, status.StatusCode)
				require.ErrorIs(t, err, test.want)
				require.ErrorContains(t, err, "after an earlier attempt: GET https://models.example.org/api/x?key=…&name=…: 503")
				assert.True(t, IsOutage(err))
			})
		})
	}
}

func TestIsOutage(t *testing.T) {
	t.Parallel()
	of := func(err error) error { return &RequestError{Err: err, Requests: 1} }
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                {nil, false},
		"408":                {of(&StatusError{408, io.EOF}), true},
		"429":                {of(&StatusError{429, io.EOF}), true},
		"500":                {of(&StatusError{500, io.EOF}), true},
		"404":                {of(&StatusError{404, io.EOF}), false},
		"network":            {of(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), true},
		"a bare net.Error":   {fmt.Errorf("x: %w", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), true},
		"deadline":           {of(context.DeadlineExceeded), true},
		"body breaks off":    {of(io.ErrUnexpectedEOF), true},
		"too large":          {of(&BodyTooLargeError{1}), false},
		"redirect":           {of(&RedirectError{io.EOF}), false},
		"invalid":            {of(&InvalidResponseError{}), false},
		"not sent":           {&RequestError{Err: io.EOF}, false},
		"canceled by caller": {&RequestError{Err: context.Canceled, Requests: 1, canceled: true}, false},
		"503, then canceled": {&RequestError{Err: errors.Join(&StatusError{503, io.EOF}, context.Canceled), Requests: 1, canceled: true}, true},
		"of another package": {errors.New("not a document"), false},
	} {
		assert.Equal(t, test.want, IsOutage(test.err), name)
	}
}

func TestRequestsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	h := client(t, transport(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, io.EOF
	}))
	_, err := h.Do(nil, Request{URL: anURL}) //nolint:staticcheck // nil is the case at hand
	require.ErrorContains(t, err, "context must not be nil")
	assert.Zero(t, requestsOf(t, err))
	_, err = h.Do(t.Context(), Request{URL: "https://user:s3cr3t"})
	require.ErrorContains(t, err, "invalid URL")
	assert.NotContains(t, err.Error(), "s3cr3t")
	assert.False(t, IsOutage(err))
}
