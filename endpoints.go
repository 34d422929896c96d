// How an endpoint of the service is asked: one path for all of them, without a cache, and Get for those that have no
// method of their own.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// ResponseError is an answer with a status of 2xx whose body is not what the endpoint is known to say.
type ResponseError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// URL is that of the request, without user info and query values.
	URL string
	// ContentType is the Content-Type of the body.
	ContentType string
	// Err says what is wrong with the body.
	Err error
}

// Error returns the request, the status and what is wrong with the body.
func (e *ResponseError) Error() string {
	text := fmt.Sprintf("GET %s: %d %s, but ", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.ContentType != "" {
		text += "the " + e.ContentType + " "
	}
	return text + "body does not decode: " + shorten(oneLine(e.Err.Error()))
}

// Unwrap returns what is wrong with the body.
func (e *ResponseError) Unwrap() error { return e.Err }

// Get asks the service for a path that has no method of its own yet, as "model_references/v2/info", and decodes the
// answer into out: a *json.RawMessage takes any JSON, a *string the text of a JSON string or else the whole body as it
// came, any other pointer what encoding/json would put there; nil drops the body. The path is below the base URL of the
// PRIMARY and escaped by the caller, segment by segment with url.PathEscape; query may be nil.
//
// Every call is a request, tried again within the budget of WithRetry while the service is not there; there is no cache
// and no fallback. Calls neither open the circuit breaker of the PRIMARY nor wait for it. The error is an *APIError for
// a status that is not 2xx, a *ResponseError for a body that does not decode, ErrInvalidQuery for a path that is none,
// ErrOffline, ErrNotConfigured for a Client made WithoutPrimary, ErrClosed, that of the network or that of the context.
// This holds for every method that touches the network at each call.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	what := "get " + strconv.Quote(path)
	if err := checkPath(path); err != nil {
		return fmt.Errorf("modelref: %s: %w", what, err)
	}
	e := endpoint{what: what, path: "/" + strings.TrimPrefix(path, "/"), query: query}
	return c.ask(ctx, e, func(body string) error { return decodeInto(body, out) })
}

// checkPath reports a path that would not stay below the base URL, or take the query with it.
func checkPath(path string) error {
	if strings.ContainsFunc(path, isControl) {
		return fmt.Errorf("%w: the path holds control characters: escape them", ErrInvalidQuery)
	}
	if strings.ContainsAny(path, "?#\\") {
		return fmt.Errorf("%w: the path holds one of ? # \\: escape it, or give a query as url.Values", ErrInvalidQuery)
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil {
			return fmt.Errorf("%w: the path is not escaped as a URL is: %w", ErrInvalidQuery, err)
		}
		if name == "." || name == ".." {
			return fmt.Errorf("%w: the path holds the segment %q", ErrInvalidQuery, segment)
		}
	}
	return nil
}

// decodeInto decodes a body for Get.
func decodeInto(body string, out any) error {
	switch out := out.(type) {
	case nil:
		return nil
	case *string:
		if decodeJSON(body, out) != nil {
			*out = body
		}
		return nil
	default:
		return decodeJSON(body, out, json.MatchCaseInsensitiveNames(true))
	}
}

// endpoint is one request of the service.
type endpoint struct {
	what  string // for errors, as "search clip"
	path  string // below the base URL, escaped, with a slash before
	query url.Values
}

// at returns the endpoint of the path of these segments, which are escaped here.
func at(what string, segments ...string) endpoint {
	e := endpoint{what: what}
	for _, segment := range segments {
		e.path += "/" + url.PathEscape(segment)
	}
	return e
}

// atV2 returns the endpoint of a path of the v2 API.
func atV2(what string, segments ...string) endpoint {
	e := at(what, segments...)
	e.path = "/model_references/v2" + e.path
	return e
}

// with sets the query to the options, a pointer to a struct or nil.
func (e endpoint) with(options any) endpoint {
	e.query = encodeQuery(options)
	return e
}

// ask sends the request and hands the body of the answer to decode. It holds Close up until it is done, and Close ends
// it.
func (c *Client) ask(ctx context.Context, e endpoint, decode func(body string) error) error {
	resp, err := c.answer(ctx, e)
	if err != nil {
		return fmt.Errorf("modelref: %s: %w", e.what, err)
	}
	if err := decode(resp.body); err != nil {
		if strings.HasPrefix(strings.TrimSpace(resp.body), "<") {
			err = errors.New(oneLine(resp.body))
		}
		return fmt.Errorf("modelref: %s: %w", e.what, &ResponseError{
			StatusCode: resp.status, URL: c.shownURL(e), ContentType: resp.header.Get("Content-Type"), Err: err,
		})
	}
	return nil
}

func (c *Client) answer(ctx context.Context, e endpoint) (*response, error) {
	switch {
	case c == nil || c.config == nil || c.closed.Load():
		return nil, ErrClosed
	case c.config.offline:
		return nil, ErrOffline
	case c.config.primaryURL == nil:
		return nil, fmt.Errorf("the PRIMARY is %w: the Client was made without one", ErrNotConfigured)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !c.begin():
		return nil, ErrClosed
	}
	defer c.running.Done()
	limited, cancel := context.WithTimeout(ctx, c.config.retry.Budget)
	defer cancel()
	defer context.AfterFunc(c.base, cancel)()
	resp, err := c.http.do(limited, request{url: c.endpointURL(e), accept: "application/json"})
	if err != nil && ctx.Err() == nil && c.closed.Load() {
		return nil, ErrClosed
	}
	return resp, err
}

func (c *Client) endpointURL(e endpoint) string {
	target := c.config.primaryURL.String() + e.path
	if len(e.query) > 0 {
		target += "?" + e.query.Encode()
	}
	return target
}

func (c *Client) shownURL(e endpoint) string {
	u, err := url.Parse(c.endpointURL(e))
	if err != nil {
		return e.path
	}
	return redactURL(u)
}

// getJSON asks an endpoint and decodes the answer.
func getJSON[T any](ctx context.Context, c *Client, e endpoint) (T, error) {
	var out T
	err := c.ask(ctx, e, func(body string) error {
		if strings.TrimSpace(body) == "null" {
			return errors.New("it is null") // no endpoint says that, and a nil would be a trap for the caller
		}
		return decodeJSON(body, &out)
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// invalidName says that a name would make another path of the one it stands in.
func invalidName(what, kind, name string) error {
	return fmt.Errorf("modelref: %s: %w: %q cannot be %s: it would be another path", what, ErrInvalidQuery, name, kind)
}

// getNamed is getJSON for an endpoint whose path holds a name.
func getNamed[T any](ctx context.Context, c *Client, e endpoint, kind, name string) (T, error) {
	if name == "" || name == "." || name == ".." {
		var none T
		return none, invalidName(e.what, kind, name)
	}
	return getJSON[T](ctx, c, e)
}

// encodeQuery returns the query of a pointer to an options struct: every field that is not zero, under the name in its
// tag "url". A list repeats the name, an Optional is left out where it is unset.
func encodeQuery(options any) url.Values {
	query := url.Values{}
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return query
	}
	v = v.Elem()
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Tag.Get("url"), v.Field(i)
		if name == "" || field.IsZero() {
			continue
		}
		if list, ok := field.Interface().([]string); ok {
			query[name] = list
			continue
		}
		query.Set(name, fmt.Sprint(field.Interface()))
	}
	return query
}
