// One request: redirects, tokens, and the checks that a response must pass before its body is read.

package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// newHTTPClient returns the client for all requests of a run. It never follows redirects by itself.
func newHTTPClient(o *Options) (*http.Client, func()) {
	if o.HTTPClient != nil {
		c := *o.HTTPClient
		c.Timeout, c.CheckRedirect = 0, doNotFollow // a limit of the total time would end every large download
		return &c, func() {}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true) // one TCP connection for each segment, and no receive window of megabytes for each stream
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		DisableCompression:     true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    MaxConnections,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         32 << 10,
		Protocols:              &protocols,
	}
	return &http.Client{Transport: transport, CheckRedirect: doNotFollow}, transport.CloseIdleConnections
}

func doNotFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// endpoint is the URL that a request is sent to.
type endpoint struct {
	url *url.URL
	// origin reports whether the request goes to the host of the source, without having been at another host.
	origin bool
}

// wanted is what a request asks for.
type wanted struct {
	method   string
	ranged   bool
	from, to int64   // the range, without to; to is -1 for the rest of the file
	ifRange  version // of the data that is there already
}

func (w *wanted) header() http.Header {
	h := make(http.Header)
	h.Set("Accept", "*/*")
	h.Set("Accept-Encoding", "identity")
	if !w.ranged {
		return h
	}
	if w.to >= 0 {
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", w.from, w.to-1))
	} else {
		h.Set("Range", fmt.Sprintf("bytes=%d-", w.from))
	}
	if v := w.ifRange.validator(); v != "" {
		h.Set("If-Range", v)
	}
	return h
}

// validator returns the value of If-Range, or "". A weak ETag must not be used in it.
func (v version) validator() string {
	if v.ETag != "" && !strings.HasPrefix(v.ETag, "W/") {
		return v.ETag
	}
	if v.ETag == "" {
		return v.LastModified
	}
	return ""
}

// sameContent reports whether two versions can be the same content. If the server reports nothing to compare, the
// result is otherwise.
func (v version) sameContent(other version, otherwise bool) bool {
	if v.Size >= 0 && other.Size >= 0 && v.Size != other.Size {
		return false
	}
	switch {
	case v.ETag != "" && other.ETag != "":
		return strings.TrimPrefix(v.ETag, "W/") == strings.TrimPrefix(other.ETag, "W/")
	case v.LastModified != "" && other.LastModified != "":
		return v.LastModified == other.LastModified
	}
	return otherwise
}

const maxRedirects = 10

// send sends the request and follows redirects. The token of the source's host, and the key of the gateway, are not
// sent to another host, nor to any host after another host has been visited. It returns the endpoint of the response,
// and counts the requests.
func (r *runner) send(
	ctx context.Context, src *source, at endpoint, w *wanted, count func(),
) (*http.Response, endpoint, error) {
	for range maxRedirects + 1 {
		req, err := http.NewRequestWithContext(ctx, w.method, at.url.String(), http.NoBody)
		if err != nil {
			return nil, at, fmt.Errorf("%s: invalid URL", redact(at.url))
		}
		req.Header = w.header()
		req.Header.Set("User-Agent", r.options.UserAgent)
		r.authorize(req, src, at)
		count()
		resp, err := r.client.Do(req)
		if err != nil {
			return nil, at, r.transportError(ctx, at, err)
		}
		if !isRedirect(resp.StatusCode) {
			return resp, at, nil
		}
		next, err := resp.Location()
		discardBody(resp)
		switch {
		case err != nil || next.Host == "" || next.Scheme != "https" && next.Scheme != "http":
			return nil, at, fmt.Errorf("%w: %s: %d without a usable Location", ErrInvalidResponse, redact(at.url), resp.StatusCode)
		case at.url.Scheme == "https" && next.Scheme == "http":
			return nil, at, fmt.Errorf("%w: %s: redirect from https to http", ErrInvalidResponse, redact(at.url))
		}
		at = endpoint{url: next, origin: at.origin && sameHost(at.url, next)}
	}
	return nil, at, fmt.Errorf("%w: %s: more than %d redirects", ErrInvalidResponse, redact(at.url), maxRedirects)
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// authorize adds the token of the host, if there is one and it may be sent.
func (r *runner) authorize(req *http.Request, src *source, at endpoint) {
	if !at.origin {
		req.URL.User = nil
		return
	}
	if !mayCarrySecret(at.url) {
		return
	}
	if src.gateway {
		req.Header.Set("apikey", src.apiKey)
	} else if token := r.token(at.url); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// token returns the token of the URL's host. An entry with a port is preferred.
func (r *runner) token(u *url.URL) string {
	for host, token := range r.options.Tokens {
		if strings.EqualFold(host, u.Host) {
			return token
		}
	}
	for host, token := range r.options.Tokens {
		if strings.EqualFold(host, u.Hostname()) {
			return token
		}
	}
	return ""
}

// transportError describes a request without a response. The error of net/http has the URL with its query, which may be
// a secret.
func (r *runner) transportError(ctx context.Context, at endpoint, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%s: %w", redact(at.url), err)
}

// discardBody makes the connection reusable if the body is short.
func discardBody(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // the content does not matter
	_ = resp.Body.Close()                         // neither does the error
}

// statusError returns the error for a response that is neither 200 nor 206. A redirect to a login page has a hint as
// well.
func (r *runner) statusError(src *source, at endpoint, resp *http.Response) *StatusError {
	e := &StatusError{StatusCode: resp.StatusCode, URL: redact(at.url), RetryAfter: retryAfter(resp)}
	if e.Is(ErrAccessDenied) {
		e.Hint = r.accessHint(src)
	}
	return e
}

// accessHint says what to do if a source denies access.
func (r *runner) accessHint(src *source) string {
	host := src.url.Hostname()
	switch {
	case src.gateway:
		return "the gateway does not accept the API key"
	case r.token(src.url) != "":
		return "the token for " + host + " was not accepted, or the terms of the model must be accepted on its page"
	case strings.HasSuffix(host, "huggingface.co"):
		return "a token for huggingface.co is required (environment variable " + EnvHuggingFaceToken +
			"), and the terms of the model must be accepted on its page"
	case strings.HasSuffix(host, "civitai.com"):
		return "a token for civitai.com is required (environment variable " + EnvCivitaiToken + ")"
	}
	return "a token for " + host + " may be required"
}

// retryAfter returns the delay that a response requests. A date is compared with the date of the response, so that the
// local clock does not matter.
func retryAfter(resp *http.Response) time.Duration {
	const longest = 365 * 24 * time.Hour
	text := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longest/time.Second) {
			return longest
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now := time.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}

// received is a response whose body is data of the file.
type received struct {
	body     io.ReadCloser
	whole    bool  // the body is the whole file, not a range
	from, to int64 // the range of the body; to is -1 if the length is not known
	version  version
	bounded  bool // the end of the body is marked, so that a truncated one is noticed
	kind     string
	at       endpoint
}

// badRangeError is a 206 that does not have the range that was asked for.
type badRangeError struct{ reason string }

func (e *badRangeError) Error() string        { return ErrInvalidResponse.Error() + ": " + e.reason }
func (e *badRangeError) Is(target error) bool { return target == ErrInvalidResponse }

// rangeError is a 416.
type rangeError struct {
	*StatusError
	total int64 // of the file, or -1
}

func (e *rangeError) Unwrap() error { return e.StatusError }

// examine checks the status and the headers of a response. It closes the body if it returns an error.
func (r *runner) examine(src *source, at endpoint, w *wanted, resp *http.Response) (_ *received, err error) {
	defer func() {
		if err != nil {
			discardBody(resp)
		}
	}()
	out := &received{
		body: resp.Body, from: 0, to: resp.ContentLength, at: at, kind: resp.Header.Get("Content-Type"),
		version: version{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified"), Size: resp.ContentLength},
		bounded: resp.ContentLength >= 0 || resp.ProtoMajor >= 2 || len(resp.TransferEncoding) > 0,
	}
	switch resp.StatusCode {
	case http.StatusOK:
		out.whole = true
	case http.StatusPartialContent:
		if err := out.readRange(resp, w); err != nil {
			return nil, err
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, &rangeError{r.statusError(src, at, resp), totalOf(resp.Header.Get("Content-Range"))}
	default:
		return nil, r.statusError(src, at, resp)
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fmt.Errorf("%w: %s: Content-Encoding %q was not requested", ErrInvalidResponse, redact(at.url), shorten(encoding))
	}
	return out, nil
}

// readRange reads Content-Range and compares it with the request.
func (out *received) readRange(resp *http.Response, w *wanted) error {
	header := resp.Header.Get("Content-Range")
	bad := func(reason string) error {
		return &badRangeError{fmt.Sprintf("%s: 206 with Content-Range %q %s", redact(out.at.url), shorten(header), reason)}
	}
	if !w.ranged {
		return bad("for a request without a range")
	}
	first, last, total, ok := parseContentRange(header)
	switch {
	case !ok:
		return bad("that cannot be parsed")
	case first != w.from || w.to >= 0 && last >= w.to:
		return bad(fmt.Sprintf("for a request from byte %d", w.from))
	case resp.ContentLength >= 0 && resp.ContentLength != last-first+1:
		return bad(fmt.Sprintf("and Content-Length %d", resp.ContentLength))
	}
	out.from, out.to, out.version.Size = first, last+1, total
	return nil
}

// parseContentRange parses "bytes 0-99/1000". The total must be known.
func parseContentRange(text string) (first, last, total int64, ok bool) {
	text, ok = strings.CutPrefix(strings.TrimSpace(text), "bytes ")
	if !ok {
		return 0, 0, 0, false
	}
	bounds, size, ok := strings.Cut(text, "/")
	from, to, ok2 := strings.Cut(bounds, "-")
	if !ok || !ok2 {
		return 0, 0, 0, false
	}
	first, err1 := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	last, err2 := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
	total, err3 := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	ok = err1 == nil && err2 == nil && err3 == nil && first >= 0 && last >= first && total > last
	return first, last, total, ok
}

// totalOf returns the total in the Content-Range of a 416, or -1.
func totalOf(text string) int64 {
	size, ok := strings.CutPrefix(strings.TrimSpace(text), "bytes */")
	if !ok {
		return -1
	}
	total, err := strconv.ParseInt(size, 10, 64)
	if err != nil || total < 0 {
		return -1
	}
	return total
}

// fetchSize returns the size that the source reports in response to HEAD, or -1.
func (r *runner) fetchSize(ctx context.Context, src *source) (int64, error) {
	h := r.host(src)
	if err := h.acquire(ctx); err != nil {
		return -1, err
	}
	defer h.release()
	ctx, cancel := context.WithTimeoutCause(ctx, r.options.IdleTimeout, ErrStalled)
	defer cancel()
	w := &wanted{method: http.MethodHead}
	resp, at, err := r.send(ctx, src, endpoint{src.url, true}, w, func() {})
	if err != nil {
		return -1, err
	}
	discardBody(resp)
	if resp.StatusCode != http.StatusOK {
		return -1, r.statusError(src, at, resp)
	}
	if isWebPage(resp.Header.Get("Content-Type")) {
		return -1, ErrNotTheFile
	}
	return resp.ContentLength, nil
}
