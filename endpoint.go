// The endpoints that the services of a Client use at each call: how their URLs are made and how their bodies are decoded.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
)

// endpoint is one request to the PRIMARY.
type endpoint struct {
	what    string // for error messages, for example "search clip"
	request Request
}

// newEndpoint returns the endpoint of the v2 API with the path of these segments, which are not yet escaped.
func newEndpoint(what string, segments ...string) endpoint {
	e := endpoint{what: what, request: Request{Path: "model_references/v2"}}
	for _, segment := range segments {
		e.request.Path += "/" + url.PathEscape(segment)
	}
	return e
}

// with sets the query to the options, a pointer to a struct or nil.
func (e endpoint) with(options any) endpoint {
	e.request.Query = encodeQuery(options)
	return e
}

// checkName returns an error if a name in a path would make it the path of something else.
func (e endpoint) checkName(kind, name string) error {
	if name == "" || hasDots(name) {
		return fmt.Errorf("modelref: %s: %w: %q is not the name of %s: the name must not be empty or have a part \".\" or \"..\": it would change the path of the request",
			e.what, ErrInvalidQuery, name, kind)
	}
	return nil
}

// checkPage returns an error if the part of a list that a query chooses is negative.
func checkPage(query url.Values) error {
	for _, parameter := range []struct{ name, field string }{{"limit", "Limit"}, {"offset", "Offset"}} {
		if value := query.Get(parameter.name); strings.HasPrefix(value, "-") {
			return fmt.Errorf("%w: %s must be 0 or more, got %s", ErrInvalidQuery, parameter.field, value)
		}
	}
	return nil
}

// getJSON sends the request of an endpoint and decodes the body.
func getJSON[T any](ctx context.Context, c *Client, e endpoint) (T, error) {
	var out, zero T
	if err := checkPage(e.request.Query); err != nil {
		return zero, fmt.Errorf("modelref: %s: %w", e.what, err)
	}
	resp, err := c.send(ctx, e.request)
	if err != nil {
		return zero, fmt.Errorf("modelref: %s: %w", e.what, err)
	}
	body := string(resp.Body)
	if strings.TrimSpace(body) == "null" {
		err = errors.New("it is null") // no endpoint returns null, and the caller would have to check for nil
	} else {
		err = decodeJSON(body, &out)
	}
	if err != nil {
		return zero, fmt.Errorf("modelref: %s: %w", e.what, resp.InvalidBody(err))
	}
	return out, nil
}

// encodeQuery returns the query of a pointer to a struct of options: every field that is not zero, under the name in its
// tag "url". A list repeats the name. Embedded structs are part of the struct. A baseline may have another name, such as
// "sdxl".
func encodeQuery(options any) url.Values {
	query := url.Values{}
	if v := reflect.ValueOf(options); v.Kind() == reflect.Pointer && !v.IsNil() {
		addQuery(query, v.Elem())
	}
	return query
}

func addQuery(query url.Values, options reflect.Value) {
	for i := range options.NumField() {
		field, value := options.Type().Field(i), options.Field(i)
		name := field.Tag.Get("url")
		switch {
		case field.Anonymous:
			addQuery(query, value)
		case name == "" || value.IsZero():
		default:
			switch value := value.Interface().(type) {
			case []string:
				query[name] = value
			case Baseline: // the service knows only the baseline's own name
				query.Set(name, string(value.orKnown()))
			default:
				query.Set(name, fmt.Sprint(value))
			}
		}
	}
}
