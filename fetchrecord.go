// Reads of a category that bypass the cache: one record, and the time of the last change.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// FetchRecord returns one record as the service has it now, with a request at each call, for tools that need one record and no
// cache. Most programs use [Service.Get], which reads the loaded category. If the category has no record of that name,
// the error is ErrNotFound and an *APIError; other errors are those of [Client.Do] and *ResponseDecodeError.
//
// The route of the service has one segment for the name. A name with a slash, as most text models have, cannot be
// reached on a deployment that unescapes %2F before it selects the route. The error then says so and is ErrNotFound as
// well; Get finds such a record.
func (s *Service[R]) FetchRecord(ctx context.Context, name string) (*R, error) {
	if s == nil || s.cache == nil {
		return nil, errClosed
	}
	facts := s.cache.info
	e := newEndpoint(fmt.Sprintf("model %q of %s", name, facts.category), string(facts.category), "model", name)
	if err := e.checkName("a model", name); err != nil {
		return nil, err
	}
	r, err := getJSON[*R](ctx, s.cache.client, e)
	if err != nil {
		return nil, explainSlash(err, name)
	}
	fillDefaults(any(r).(interface{ common() *ModelRecord }).common(), name, facts)
	return r, nil
}

// slashError explains why a record whose name has a slash was not found.
type slashError struct {
	name string
	err  error
}

func (e *slashError) Error() string {
	return fmt.Sprintf("%v: the route has one segment, and this deployment splits %q into several; "+
		"Get finds names with a slash, in the loaded category", e.err, e.name)
}

func (e *slashError) Unwrap() error { return e.err }

// routeNotFound is the detail of a 404 if the service has no such route. A missing model has another detail.
const routeNotFound = "Not Found"

// explainSlash adds an explanation to the error of a route that was not found because of a slash in the name.
func explainSlash(err error, name string) error {
	var api *APIError
	if !strings.Contains(name, "/") || !errors.As(err, &api) || api.StatusCode != http.StatusNotFound ||
		api.Detail != routeNotFound {
		return err
	}
	return &slashError{name: name, err: err}
}

// lastUpdated is the body of the endpoints for the last-updated time, which is null if the deployment has none.
type lastUpdated struct {
	LastUpdated time.Time `json:"last_updated"`
}

// LastUpdated returns when any category was last changed at the PRIMARY, in whole seconds, or the zero time if the
// deployment has no metadata yet. It sends a request at each call; errors are those of [Client.Do] and *ResponseDecodeError. A
// deployment that is not a PRIMARY, or that does not store the v2 format, returns an *APIError with a status of 503.
func (c *Client) LastUpdated(ctx context.Context) (time.Time, error) {
	out, err := getJSON[lastUpdated](ctx, c, newEndpoint("last updated", "metadata", "last_updated"))
	return out.LastUpdated, err
}

// LastUpdated returns when the category was last changed at the PRIMARY; see [Client.LastUpdated].
func (s *Service[R]) LastUpdated(ctx context.Context) (time.Time, error) {
	if s == nil || s.cache == nil {
		return time.Time{}, errClosed
	}
	category := string(s.cache.info.category)
	e := newEndpoint("last updated "+category, "metadata", category, "last_updated")
	out, err := getJSON[lastUpdated](ctx, s.cache.client, e)
	return out.LastUpdated, err
}
