// The retrying HTTP layer over go-retryablehttp: one request in, the whole body or a typed error out.

package modelref

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// maxErrorBody bounds how much is read of the body of an error.
	maxErrorBody = 64 << 10
	// maxDetail bounds how much of it an APIError quotes.
	maxDetail = 512
	// maxRedirects is how many redirects one request follows, as net/http does.
	maxRedirects = 10
	// maxHeaderBytes bounds the header of an answer, where the caller has not brought a transport.
	maxHeaderBytes = 64 << 10
)

// httpLayer sends requests for all sources of one Client.
type httpLayer struct {
	client    *retryablehttp.Client
	policy    RetryPolicy
	userAgent string
	maxBody   int64
	close     func() // ends the connections that are our own
	apiKey    secret // which a service may quote in what it answers
}

func newHTTPLayer(c *config) *httpLayer {
	base, closeIdle := &http.Client{}, func() {}
	if c.httpClient != nil {
		copied := *c.httpClient // the caller's client is never written to
		base = &copied
	} else {
		base.Transport = defaultTransport()
		if own, ok := base.Transport.(*http.Transport); ok && base.Transport != http.DefaultTransport {
			closeIdle = own.CloseIdleConnections
		}
	}
	if base.Timeout <= 0 || base.Timeout > c.timeout {
		base.Timeout = c.timeout // net/http counts it for each attempt, the body included
	}
	base.CheckRedirect = checkRedirect(base.CheckRedirect)
	base.Transport = &guardedTransport{next: base.Transport, keyHost: c.primaryURL, apiKey: c.apiKey}
	for _, wrap := range c.wrappers {
		if wrapped := wrap(base.Transport); wrapped != nil {
			base.Transport = wrapped
		}
	}
	h := &httpLayer{policy: c.retry, userAgent: c.userAgent, maxBody: c.maxBody, apiKey: c.apiKey, close: closeIdle}
	h.client = &retryablehttp.Client{
		HTTPClient:   base,
		Logger:       nil, // an untyped nil: any other value of nil would panic, and the default writes to stderr
		RetryWaitMin: 0,   // Backoff is our own
		RetryWaitMax: c.retry.Budget,
		RetryMax:     c.retry.MaxAttempts - 1,
		CheckRetry:   h.checkRetry,
		Backoff:      h.backoff,
		ErrorHandler: func(resp *http.Response, err error, _ int) (*http.Response, error) {
			closeBody(resp)
			return nil, err
		},
	}
	return h
}

func defaultTransport() http.RoundTripper {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // a program has put its own there, and means it
		return http.DefaultTransport
	}
	transport := shared.Clone()
	transport.MaxResponseHeaderBytes = maxHeaderBytes
	return transport
}

func closeBody(resp *http.Response) {
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}

// guardedTransport adds the API key where it may go. It hides the CloseIdleConnections of the caller's transport, which
// go-retryablehttp would call after every failure.
type guardedTransport struct {
	next    http.RoundTripper
	keyHost *url.URL
	apiKey  secret
}

func (t *guardedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	if t.apiKey != nil && t.mayHaveKey(req.URL) {
		req = req.Clone(req.Context())
		req.Header.Set("apikey", t.apiKey())
	}
	return next.RoundTrip(req)
}

// mayHaveKey reports whether u is on the PRIMARY's own host, and nobody on the way can read along.
func (t *guardedTransport) mayHaveKey(u *url.URL) bool {
	if t.keyHost == nil || !strings.EqualFold(u.Host, t.keyHost.Host) || u.Scheme != t.keyHost.Scheme {
		return false
	}
	return u.Scheme == "https" || isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// redirectError says that a redirect was not followed. Trying again would lead to the same place.
type redirectError struct{ err error }

func (e *redirectError) Error() string { return "redirect not followed: " + e.err.Error() }
func (e *redirectError) Unwrap() error { return e.err }

// checkRedirect follows the caller's policy, or our own where there is none, and marks what it refuses.
func checkRedirect(policy func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	if policy == nil {
		policy = defaultRedirects
	}
	return func(req *http.Request, via []*http.Request) error {
		err := policy(req, via)
		if err == nil || errors.Is(err, http.ErrUseLastResponse) {
			return err
		}
		return &redirectError{err}
	}
}

func defaultRedirects(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("it leads from https to " + req.URL.Scheme)
	}
	return nil
}

// request is what is asked of one source.
type request struct {
	url      string
	etag     string // sent as If-None-Match where there is one
	accept   string
	attempts int           // at most that many, 0 for the policy's
	timeout  time.Duration // for all attempts, 0 for what the context allows
}

// response is a whole answer with a status of 2xx, or 304 where an etag was sent.
type response struct {
	status   int
	header   http.Header
	body     string
	requests int
}

// notModified reports whether the source says that nothing changed since the etag of the request.
func (r *response) notModified() bool { return r.status == http.StatusNotModified }

// date returns the time at which the server sent the answer by its own clock, or the zero time.
func (r *response) date() time.Time { return serverTime(r.header) }

// made returns the second in which the answer was made by the server's clock, or the zero time. A cache on the way says
// how old its copy is.
func (r *response) made() time.Time {
	date := r.date()
	if date.IsZero() {
		return date
	}
	age, _ := strconv.ParseUint(r.header.Get("Age"), 10, 31) // 0 where there is none
	return date.Add(-time.Duration(age) * time.Second)
}

// asOf returns a time by the server's clock at which the answer was surely not made yet, or the zero time: what was written
// before that is in it.
func (r *response) asOf(asked time.Time) time.Time {
	made := r.made()
	if made.IsZero() {
		return made
	}
	return made.Add(-time.Since(asked))
}

func serverTime(header http.Header) time.Time {
	t, _ := http.ParseTime(header.Get("Date")) // the zero time where there is none
	return t
}

// exchange is the state of one call of do, which go-retryablehttp hands to its hooks through the context alone.
type exchange struct {
	maxAttempts int
	attempts    int
	conditional bool
	handled     bool // the response handler has run in this attempt
	last        error
	out         response
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	e, _ := ctx.Value(exchangeKey{}).(*exchange)
	return e
}

// requestError is the failure of a whole request: what the last attempt said, and how many there were.
type requestError struct {
	err      error
	attempts int
}

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

// do sends a GET with retries, until the context ends. The error is a *requestError, which wraps an *APIError where the
// source answered.
func (h *httpLayer) do(ctx context.Context, r request) (*response, error) {
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	e := &exchange{maxAttempts: h.policy.MaxAttempts, conditional: r.etag != ""}
	if r.attempts > 0 {
		e.maxAttempts = min(e.maxAttempts, r.attempts)
	}
	req, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, exchangeKey{}, e), http.MethodGet, r.url, nil)
	if err != nil {
		return nil, &requestError{err: redactError(err)}
	}
	req.Header.Set("User-Agent", h.userAgent)
	req.Header.Set("Accept", r.accept)
	if r.etag != "" {
		req.Header.Set("If-None-Match", r.etag)
	}
	req.SetResponseHandler(h.read)
	resp, err := h.client.Do(req)
	closeBody(resp)
	if err != nil {
		return nil, &requestError{err: h.explain(ctx, e, err), attempts: e.attempts}
	}
	e.out.requests = e.attempts
	return &e.out, nil
}

// explain returns what the last attempt said, and that time ran out where it did: a context that ends while
// go-retryablehttp waits would otherwise hide the answer before.
func (h *httpLayer) explain(ctx context.Context, e *exchange, err error) error {
	if e.last == nil {
		return redactError(err)
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(e.last, cause) {
		return fmt.Errorf("%w (then the time ran out: %w)", e.last, cause)
	}
	return e.last
}

// read takes in the whole answer. It runs inside the retry loop, so that a body that breaks off is tried again.
func (h *httpLayer) read(resp *http.Response) error {
	defer closeBody(resp)
	e := exchangeOf(resp.Request.Context())
	e.handled = true
	if resp.StatusCode == http.StatusNotModified && e.conditional {
		e.out = response{status: resp.StatusCode, header: resp.Header}
		return nil
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return newAPIError(resp, h.apiKey)
	}
	body, err := readBody(resp, h.maxBody)
	if err != nil {
		return err
	}
	e.out = response{status: resp.StatusCode, header: resp.Header, body: body}
	return nil
}

// bodyTooLarge says that a body is over the limit. Trying again would not make it smaller.
type bodyTooLarge struct{ limit int64 }

func (e *bodyTooLarge) Error() string {
	return "the body is larger than " + strconv.FormatInt(e.limit, 10) + " bytes"
}

const (
	// unknownLength is how much room is made at first for a body whose header does not say how long it is.
	unknownLength = 4 << 10
	// believedLength is how much room is made for a body because its header says how long it is.
	believedLength = 1 << 20
	// believedTimes is how many times as much as has come there is room for, because the header says so.
	believedTimes = 64
)

// copyBuffers are what bodies are read through.
var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// readBody reads a body into a string, up to the limit, and checks that it is as long as the header says.
func readBody(resp *http.Response, limit int64) (string, error) {
	length := resp.ContentLength
	if length > limit {
		return "", &bodyTooLarge{limit}
	}
	buffer := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buffer)
	var (
		body strings.Builder
		n    int64
		err  error
	)
	room := min(length+1, believedLength) // one more, to see that it ends there
	if length <= 0 {
		room = unknownLength
	}
	for err == nil && n <= limit {
		room = min(room, limit+1)
		begun := body.String()
		body.Reset() // Grow makes more room than it is asked for where there is something already
		body.Grow(int(room))
		body.WriteString(begun)
		var more int64
		more, err = io.CopyBuffer(&body, io.LimitReader(resp.Body, room-n), buffer[:])
		if n += more; n < room {
			break
		}
		if room = 2 * n; length >= n {
			room = min(length+1, believedTimes*n)
		}
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the body: %w", err)
	case n > limit:
		return "", &bodyTooLarge{limit}
	case length > 0 && n != length && !resp.Uncompressed: // 0 is also what a response made by hand says of its length
		return "", fmt.Errorf("reading the body: got %d of %d bytes: %w", n, length, io.ErrUnexpectedEOF)
	}
	if body.Cap()-body.Len() > body.Len()/8 { // it stays in memory
		return strings.Clone(body.String()), nil
	}
	return body.String(), nil
}

// checkRetry decides after each attempt. For an answer go-retryablehttp calls it twice, before the response handler and
// after; only then is it known what came.
func (h *httpLayer) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	e := exchangeOf(ctx)
	if err == nil && resp != nil && !e.handled {
		return false, nil
	}
	e.handled = false
	e.attempts++
	if err == nil {
		e.last = nil
		return false, nil
	}
	e.last = redactError(err)
	if ctx.Err() != nil || e.attempts >= e.maxAttempts || !retryable(err) {
		return false, nil //nolint:nilerr // go-retryablehttp returns err by itself
	}
	deadline, ok := ctx.Deadline()
	if wait := retryAfter(resp); ok && wait > 0 && wait >= time.Until(deadline) {
		return false, nil // the server wants longer than there is, so give up at once
	}
	return true, nil
}

// retryable reports whether the same request may go better the next time.
func retryable(err error) bool {
	var (
		api         *APIError
		redirect    *redirectError
		large       *bodyTooLarge
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		invalid     x509.CertificateInvalidError
		record      tls.RecordHeaderError
	)
	if errors.As(err, &api) {
		return isOutage(api.StatusCode)
	}
	return !errors.As(err, &redirect) && !errors.As(err, &large) && !errors.As(err, &certificate) &&
		!errors.As(err, &authority) && !errors.As(err, &hostname) && !errors.As(err, &invalid) &&
		!errors.As(err, &record)
}

// backoff waits as long as the server asks, else a time drawn between 0 and the base delay, doubled for each attempt.
func (h *httpLayer) backoff(_, longest time.Duration, attempt int, resp *http.Response) time.Duration {
	if wait := retryAfter(resp); wait > 0 {
		return min(wait, longest)
	}
	ceiling := h.policy.BaseDelay << min(attempt, 16)
	if ceiling <= 0 || ceiling > longest {
		ceiling = longest
	}
	if ceiling <= 0 {
		return 0
	}
	return rand.N(ceiling) //nolint:gosec // spreads load; nothing secret hangs on it
}

// maxRetryAfter is the longest wait that a header can ask for and still be told apart.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter returns how long an answer asks to be left alone, by its Retry-After in seconds or as a date, or 0.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if header == "" {
		return 0
	}
	if strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.ParseInt(header, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // too many digits to count is long
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	now := serverTime(resp.Header) // the clock that the date is of
	if now.IsZero() {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// newAPIError makes the error of an answer, reading a bounded part of its body. A body that says nothing never hides
// the status.
func newAPIError(resp *http.Response, key secret) *APIError {
	e := &APIError{
		StatusCode: resp.StatusCode, Method: resp.Request.Method, URL: redactURL(resp.Request.URL),
		RetryAfter: retryAfter(resp),
	}
	e.ContentType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what could be read is better than nothing
	e.Detail, e.Validation = errorDetail(key.hide(string(body)))
	e.Detail = key.hide(e.Detail) // JSON may have spelt it otherwise
	for i := range e.Validation {
		e.Validation[i].Location, e.Validation[i].Message = key.hide(e.Validation[i].Location), key.hide(e.Validation[i].Message)
	}
	return e
}

// errorDetail returns what the body of an error says: the service's "detail", or the start of any other text.
func errorDetail(body string) (string, []ValidationError) {
	s := scanner{s: body}
	var detail string
	var validation []ValidationError
	err := s.fields(func(key string) error {
		if key != "detail" {
			_, err := s.skip()
			return err
		}
		switch s.next() {
		case '"':
			var err error
			detail, err = s.str()
			return err
		case '[':
			return s.elements(func(int) error {
				text, err := s.skip()
				validation = append(validation, validationError(text))
				return err
			})
		}
		var err error
		detail, err = s.skip()
		return err
	})
	if err != nil {
		return shorten(oneLine(body)), nil
	}
	if len(validation) > 0 {
		said := make([]string, len(validation))
		for i, v := range validation {
			said[i] = strings.TrimPrefix(v.Location+": "+v.Message, ": ")
		}
		detail = strings.Join(said, "; ")
	}
	return shorten(oneLine(detail)), validation
}

// validationError reads one entry of the "detail" of a 422.
func validationError(text string) (v ValidationError) {
	s := scanner{s: text}
	v.Message = text
	_ = s.fields(func(key string) (err error) { // text has been scanned: it is JSON, of whatever form
		switch {
		case key == "type" && s.next() == '"':
			v.Type, err = s.str()
		case key == "msg" && s.next() == '"':
			v.Message, err = s.str()
		case key == "loc" && s.next() == '[':
			v.Location = ""
			err = s.elements(func(i int) error {
				part, err := s.value(0)
				if i > 0 {
					v.Location += "."
				}
				v.Location += fmt.Sprint(part)
				return err
			})
		default:
			_, err = s.skip()
		}
		return err
	})
	return v
}

// oneLine makes text fit for one line of a log: without tags, control characters and repeated space.
func oneLine(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		return "the body is HTML" + titleOf(text)
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return isControl(r) || r == ' '
	}), " ")
}

// titleOf returns the title of an HTML page, in quotes after a comma, or "".
func titleOf(page string) string {
	lower := strings.ToLower(page)
	if len(lower) != len(page) {
		return ""
	}
	from := strings.Index(lower, "<title>")
	to := strings.Index(lower, "</title>")
	if from < 0 || to < from+len("<title>") {
		return ""
	}
	title := strings.TrimSpace(page[from+len("<title>") : to])
	if title == "" || title[0] == '<' {
		return ""
	}
	return ", titled " + strconv.Quote(oneLine(title))
}

func shorten(text string) string {
	if len(text) <= maxDetail {
		return text
	}
	return strings.ToValidUTF8(text[:maxDetail], "") + "…"
}

// redactURL returns a URL without user info, and with the names of its query parameters but not their values.
func redactURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	clean := *u
	clean.User = nil
	if clean.Opaque != "" {
		clean.Opaque = "…" // "user:secret@host" is a scheme and this
	}
	clean.Fragment, clean.RawFragment = "", ""
	if clean.RawQuery != "" {
		names := make([]string, 0, 4)
		for _, pair := range strings.Split(clean.RawQuery, "&") {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, name+"=…")
		}
		clean.RawQuery = strings.Join(names, "&")
	}
	return clean.String()
}

// redactError makes the URL in an error of net/http one that can be shown.
func redactError(err error) error {
	var wrapped *url.Error
	if !errors.As(err, &wrapped) {
		return err
	}
	u, parseErr := url.Parse(wrapped.URL)
	shown := "the URL"
	if parseErr == nil {
		shown = redactURL(u)
	}
	inner := wrapped.Err
	if wrapped.Timeout() && errors.Is(inner, context.DeadlineExceeded) {
		inner = &timeoutError{inner}
	}
	return &url.Error{Op: wrapped.Op, URL: shown, Err: inner}
}

// redactText cuts what an error of url.Parse quotes.
func redactText(text string) string {
	if i := strings.LastIndex(text, `": `); i >= 0 {
		return text[i+len(`": `):]
	}
	return text
}

// timeoutError says plainly that an attempt took too long; net/http words it in many ways.
type timeoutError struct{ err error }

func (e *timeoutError) Error() string   { return "no answer in time" }
func (e *timeoutError) Unwrap() error   { return e.err }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

var _ net.Error = (*timeoutError)(nil)
