package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/haidra-org/modelref/internal/redact"
)

// An exchange is the state of one call of [Client.Do]: its attempts and what they returned. The method and the URL of a
// response are those of the exchange and never those of http.Response.Request, which transports of the caller may leave nil
// or set to another request.
type exchange struct {
	client        *Client
	url           *url.URL // of the request
	maxAttempts   int
	conditional   bool
	newConnection bool

	requests  int
	startedAt time.Time // of the current attempt
	hop       *url.URL  // of the current attempt: the URL that the last redirect led to
	handled   bool      // the response handler has run in the current attempt
	last      error     // of the last attempt
	status    error     // of the last attempt that got a status, even if the last one did not
	out       *Response
}

func newExchange(c *Client, req *retryablehttp.Request, r Request) *exchange {
	e := &exchange{
		client: c, url: req.URL, hop: req.URL, maxAttempts: max(c.config.MaxAttempts, 1), conditional: r.ETag != "",
		newConnection: r.NewConnection,
	}
	if r.MaxAttempts > 0 {
		e.maxAttempts = min(e.maxAttempts, r.MaxAttempts)
	}
	return e
}

// retryClient returns the client for this exchange. Its hooks are methods of the exchange, and it shares the transport
// with all others.
func (e *exchange) retryClient() *retryablehttp.Client {
	base := e.client.base
	base.CheckRedirect = e.checkRedirect
	base.Transport = &exchangeTransport{next: base.Transport, exchange: e}
	return &retryablehttp.Client{
		HTTPClient:     &base,
		Logger:         nil, // an untyped nil: a typed nil panics, and the default writes to stderr
		RetryWaitMax:   e.client.config.MaxDuration,
		RetryMax:       e.maxAttempts - 1,
		RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { e.begin() },
		CheckRetry:     e.checkRetry,
		Backoff:        e.client.backoff,
		ErrorHandler: func(resp *http.Response, err error, _ int) (*http.Response, error) {
			closeBody(resp)
			return nil, err
		},
	}
}

// begin starts an attempt.
func (e *exchange) begin() { e.startedAt, e.hop, e.handled = time.Now(), e.url, false }

// shownURL returns the URL of the current response without secrets.
func (e *exchange) shownURL() string { return e.client.config.APIKey.Hide(redact.URL(e.hop)) }

// invalid returns the error for a response that was received but is unusable.
func (e *exchange) invalid(status int, reason string, err error) *InvalidResponseError {
	return &InvalidResponseError{
		Method: http.MethodGet, URL: e.shownURL(), StatusCode: status, Reason: reason, Err: e.client.config.APIKey.Err(err),
	}
}

// read reads the whole response. It runs inside the retry loop, so that a body that breaks off is requested again.
func (e *exchange) read(resp *http.Response) error {
	defer closeBody(resp)
	e.handled = true
	out := &Response{StatusCode: resp.StatusCode, Header: resp.Header, RequestedAt: e.startedAt}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		body, err := readBody(resp, e.client.config.MaxBodyBytes)
		if reason, unusable := invalidBody(err); unusable {
			return e.invalid(resp.StatusCode, reason, err)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", http.MethodGet, e.shownURL(), err)
		}
		out.Body = body
	case http.StatusNoContent, http.StatusResetContent: // without a body by definition
	case http.StatusPartialContent:
		return e.invalid(resp.StatusCode, "the whole was requested, not a part", nil)
	case http.StatusNotModified:
		if !e.conditional {
			return e.invalid(resp.StatusCode, "the request was not conditional", nil)
		}
	default:
		if resp.StatusCode >= 200 && resp.StatusCode < 300 {
			return e.invalid(resp.StatusCode, "the status does not belong to a document", nil)
		}
		return e.statusError(resp)
	}
	out.receivedAt = time.Now()
	e.out = out
	return nil
}

// statusError returns the error for a status. A body that cannot be read never hides the status.
func (e *exchange) statusError(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // the part that could be read is better than nothing
	s := &StatusResponse{
		Method: http.MethodGet, URL: e.shownURL(), StatusCode: resp.StatusCode, Header: resp.Header,
		Body: e.client.config.APIKey.Hide(string(body)), RetryAfter: RetryAfter(resp.Header),
	}
	var err error
	if e.client.config.OnStatus != nil {
		err = e.client.config.OnStatus(s)
	}
	if err == nil {
		err = fmt.Errorf("%s %s: %d %s", s.Method, s.URL, s.StatusCode, http.StatusText(s.StatusCode))
	}
	return &StatusError{StatusCode: resp.StatusCode, Err: err}
}

// checkRetry decides after each attempt whether there is another one. For a response go-retryablehttp calls it twice,
// before and after the response handler. Only the second call knows the outcome.
func (e *exchange) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if err == nil && resp != nil && !e.handled {
		return false, nil
	}
	e.requests++
	if err == nil {
		e.last = nil
		return false, nil
	}
	e.failed(err)
	if ctx.Err() != nil || e.requests >= e.maxAttempts || !retryable(err) {
		return false, nil //nolint:nilerr // go-retryablehttp returns err by itself
	}
	deadline, ok := ctx.Deadline()
	if resp != nil && ok {
		if wait := RetryAfter(resp.Header); wait > 0 && wait >= time.Until(deadline) {
			return false, nil // the server requests a longer delay than there is time
		}
	}
	return true, nil
}

// failed records the error of an attempt. After an outage the connections that were in use are not used again: they may
// be dead, or lead to a failed backend although another one would respond.
func (e *exchange) failed(err error) {
	var (
		status  *StatusError
		invalid *InvalidResponseError
	)
	switch {
	case errors.As(err, &status):
		e.last, e.status = status, status
	case errors.As(err, &invalid):
		e.last = invalid // it has the URL itself
	default:
		e.last = e.client.config.APIKey.Err(err)
	}
	if isOutage(e.last) {
		e.client.own.CloseIdleConnections()
	}
}

// failure returns the error of the exchange: that of the last attempt, the last status if a later attempt got none, and
// that of the context if it ended between two attempts.
func (e *exchange) failure(ctx context.Context, err error) error {
	last := e.last
	if last == nil {
		return e.client.config.APIKey.Err(err)
	}
	if e.status != nil && !errors.Is(last, e.status) && isOutage(last) {
		last = fmt.Errorf("%w (after an earlier attempt: %w)", last, e.status)
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(last, cause) {
		last = fmt.Errorf("%w (then: %w)", last, cause)
	}
	return last
}
