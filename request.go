// Do and GetJSON: one request to the PRIMARY for any path of the read API, without a cache and without a fallback.

package modelref

import (
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/redact"
)

// A Request is a GET request to the PRIMARY. See [Client.Do].
type Request struct {
	// Path is the path below the base URL of the PRIMARY, for example "model_references/v2/info". The caller escapes
	// it, segment by segment, with [url.PathEscape].
	Path string
	// Query has the parameters of the query. It may be nil.
	Query url.Values
	// Header has additional header fields, for example Accept or If-None-Match. It may be nil. It must not have an
	// apikey field: the key is set by WithAPIKey.
	Header http.Header
	// RequireAPIKey makes Do return ErrNotConfigured, without sending a request, if the Client has no API key.
	RequireAPIKey bool
}

// A Response is the response to a [Request].
type Response struct {
	// StatusCode is the HTTP status: 2xx, or 304 if the request has an If-None-Match field.
	StatusCode int
	// Header is the header of the response.
	Header http.Header
	// Body is the whole body.
	Body []byte
	// URL is the URL of the request, without user info and without the values of the query.
	URL string

	key  redact.Secret // is removed from error messages
	hint string        // what may be wrong if the body is not that of the endpoint
}

// InvalidBody returns the error for a response whose body is not what the endpoint promises, for the reason err. The
// message has the URL, the status and the content type; it does not have the API key.
func (r *Response) InvalidBody(err error) *ResponseDecodeError {
	if strings.HasPrefix(strings.TrimSpace(string(r.Body)), "<") {
		err = errors.New(redact.SingleLine(string(r.Body)))
	}
	return &ResponseDecodeError{
		StatusCode: r.StatusCode, URL: r.URL, ContentType: r.Header.Get("Content-Type"), Err: err, key: r.key, hint: r.hint,
	}
}

// A ResponseDecodeError is the error for a response with a status of 2xx whose body cannot be decoded.
type ResponseDecodeError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// URL is the URL of the request, without user info and without the values of the query.
	URL string
	// ContentType is the Content-Type of the body.
	ContentType string
	// Err says what is wrong with the body.
	Err error

	key  redact.Secret // is removed from the message
	hint string
}

// Error returns the request, the status and what is wrong with the body.
func (e *ResponseDecodeError) Error() string {
	text := fmt.Sprintf("GET %s: %d %s, but ", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.ContentType != "" {
		text += "the " + e.ContentType + " "
	}
	text += "body does not decode: " + redact.Truncate(redact.SingleLine(e.Err.Error()))
	if e.hint != "" {
		text += " (" + e.hint + ")"
	}
	return e.key.Clean(text)
}

// Unwrap returns the reason why the body could not be decoded.
func (e *ResponseDecodeError) Unwrap() error { return e.Err }

// errNilContext is the error of every method that is called with a nil context.
var errNilContext = errors.New("the context must not be nil")

// outageError is the error of an endpoint that is not available at the moment. It is ErrUnavailable.
type outageError struct{ err error }

func (e *outageError) Error() string        { return e.err.Error() }
func (e *outageError) Unwrap() error        { return e.err }
func (e *outageError) Is(target error) bool { return target == ErrUnavailable }

// Do sends a request to the PRIMARY and returns the response. The request is retried as WithRetry says; the size of the
// body is limited by WithMaxBodyBytes; the API key is sent if WithAPIKey has one. Nothing is cached, there is no
// fallback to another source, and the circuit breaker of the PRIMARY is neither consulted nor changed.
//
// The error is
//   - an *APIError if the status is not 2xx; 304 is not an error if the request has an If-None-Match field;
//   - ErrUnavailable, in addition, after an outage: a network error, or a status of 408, 429 or 5xx;
//   - ErrInvalidQuery if the path or the header is invalid;
//   - ErrOffline, ErrClosed, or ErrNotConfigured if the Client was made with WithOffline, is closed, or has no PRIMARY;
//   - ctx.Err() and the cause of ctx if ctx is done.
//
// Most paths have a method: the categories are the services of the Client, and package api has the other endpoints.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("modelref: %w", withPath(r.Path, err))
	}
	return resp, nil
}

// GetJSON sends a request to the PRIMARY and decodes the body into out as [encoding/json.Unmarshal] does. The out
// argument must be a non-nil pointer; a *json.RawMessage receives the JSON itself. The query may be nil.
//
// The error is that of [Client.Do], or a *ResponseDecodeError if the body cannot be decoded.
func (c *Client) GetJSON(ctx context.Context, path string, query url.Values, out any) error {
	if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("modelref: GET %s: out must be a non-nil pointer: %w", path,
			&stdjson.InvalidUnmarshalError{Type: reflect.TypeOf(out)})
	}
	resp, err := c.Do(ctx, Request{Path: path, Query: query})
	if err != nil {
		return err
	}
	if err := stdjson.Unmarshal(resp.Body, out); err != nil {
		return fmt.Errorf("modelref: %w", resp.InvalidBody(err))
	}
	return nil
}

// withPath adds the path to an error that has no URL.
func withPath(path string, err error) error {
	var (
		api     *APIError
		network *url.Error
	)
	if errors.As(err, &api) || errors.As(err, &network) {
		return err
	}
	return fmt.Errorf("GET %s: %w", redact.Truncate(redact.SingleLine(path)), err)
}

// send checks and sends a request. Close cancels it and waits for its end.
func (c *Client) send(ctx context.Context, r Request) (*Response, error) {
	switch {
	case ctx == nil:
		return nil, errNilContext
	case c == nil || c.config == nil || c.closed.Load():
		return nil, ErrClosed
	case c.config.offline:
		return nil, fmt.Errorf("the Client is %w: it was made with WithOffline and sends no requests", ErrOffline)
	case c.config.primaryURL == nil:
		return nil, fmt.Errorf("the PRIMARY is %w: it must be set with WithPrimaryURL", ErrNotConfigured)
	case r.RequireAPIKey && c.config.apiKey == nil:
		return nil, fmt.Errorf("the API key is %w: it must be set with WithAPIKey", ErrNotConfigured)
	case ctx.Err() != nil:
		return nil, contextError(ctx, nil)
	}
	if err := cmp.Or(checkPath(r.Path), checkHeader(r.Header)); err != nil {
		return nil, err
	}
	if !c.begin() {
		return nil, ErrClosed
	}
	defer c.running.Done()
	limited, cancel := context.WithTimeout(ctx, c.config.retry.MaxDuration)
	defer cancel()
	defer context.AfterFunc(c.base, cancel)()
	request := httpx.Request{URL: c.requestURL(r), ETag: r.Header.Get("If-None-Match"), Header: r.Header}
	if r.Header.Get("Accept") == "" {
		request.Accept = "application/json"
	}
	resp, err := await(limited, &c.running, c.config.retry.MaxDuration/20, func() (*httpx.Response, error) {
		return c.http.Do(limited, request)
	})
	switch {
	case err == nil:
		return &Response{
			StatusCode: resp.StatusCode, Header: resp.Header, Body: []byte(resp.Body), URL: c.shownURL(r), key: c.config.apiKey,
			hint: c.primary.hint,
		}, nil
	case ctx.Err() != nil:
		return nil, contextError(ctx, err)
	case c.closed.Load():
		return nil, ErrClosed
	case errors.Is(err, errAbandoned), isSourceOutage(err):
		return nil, &outageError{hideContext(err)}
	default:
		return nil, addHint(hideContext(err), c.primary.hint)
	}
}

// checkPath returns an error if the path would not stay below the base URL, or if a part of it would be read as a query.
func checkPath(path string) error {
	if strings.ContainsFunc(path, redact.IsControl) {
		return fmt.Errorf("%w: the path must not have control characters: escape them", ErrInvalidQuery)
	}
	if strings.ContainsAny(path, "?#\\") {
		return fmt.Errorf("%w: the path must not have the characters ? # \\: escape them, or pass a query", ErrInvalidQuery)
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil {
			return fmt.Errorf("%w: the path must be escaped as a URL is: %w", ErrInvalidQuery, err)
		}
		if hasDots(name) {
			return fmt.Errorf("%w: the path must not have the segment %q: a server may resolve it to another path",
				ErrInvalidQuery, segment)
		}
	}
	return nil
}

// hasDots reports whether a name has a part "." or "..". A server that unescapes slashes before it resolves the path
// would use such a part to leave the endpoint.
func hasDots(name string) bool {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' })
	return slices.Contains(parts, ".") || slices.Contains(parts, "..")
}

// checkHeader returns an error for header fields that cannot be sent, or that would send the API key to other hosts.
func checkHeader(header http.Header) error {
	for name, values := range header {
		switch {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }):
			return fmt.Errorf("%w: the name of a header field must be a word of ASCII characters, got %q", ErrInvalidQuery, name)
		case strings.EqualFold(name, "apikey"):
			return fmt.Errorf("%w: the header must not have the API key: set it with WithAPIKey", ErrInvalidQuery)
		case slices.ContainsFunc(values, func(v string) bool { return strings.ContainsFunc(v, redact.IsControl) }):
			return fmt.Errorf("%w: the header field %s must not have control characters", ErrInvalidQuery, name)
		}
	}
	return nil
}

func (c *Client) requestURL(r Request) string {
	target := c.config.primaryURL.String() + "/" + strings.TrimPrefix(r.Path, "/")
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	return target
}

func (c *Client) shownURL(r Request) string {
	u, err := url.Parse(c.requestURL(r))
	if err != nil {
		return r.Path
	}
	return redact.URL(u)
}
