// The endpoints of one category that every category has: one model on its own, and those that wait to be taken in.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Model returns one record as the service has it now, by a request of its own, for tools that want one record and no
// cache; Get reads from the loaded category, and most programs want that. Errors are those of Client.Get; a name that
// the category does not have is ErrNotFound and an *APIError.
//
// The route of the service is one segment long, so a name with a slash (as most text models have) cannot be reached on
// a deployment that decodes %2F before it routes. The error then says so; it is ErrNotFound as well, and Get finds the
// record.
func (s *Service[R]) Model(ctx context.Context, name string) (*R, error) {
	if s.cache == nil {
		return nil, ErrClosed
	}
	facts := s.cache.facts
	what := fmt.Sprintf("model %q of %s", name, facts.category)
	r, err := getNamed[*R](ctx, s.cache.client, atV2(what, string(facts.category), "model", name), "a model's name", name)
	if err != nil {
		return nil, explainSlash(err, name, "Get finds names with a slash, in the loaded category")
	}
	fillDefaults(any(r).(interface{ common() *ModelRecord }).common(), name, facts)
	return r, nil
}

// Pending returns the records of the category that wait to be taken in, created or changed, as they would be: beta
// models for workers that ask for them. The reference is not kept. It takes the key of WithAPIKey and is a request at
// each call; errors are those of Client.Get. Without a key that the service knows it is an *APIError with a status of
// 403 or 401.
func (s *Service[R]) Pending(ctx context.Context) (*Reference[R], error) {
	if s.cache == nil {
		return nil, ErrClosed
	}
	var ref *Reference[R]
	category := string(s.cache.facts.category)
	err := s.cache.client.ask(ctx, atV2("pending "+category, category, "pending"), func(body string) error {
		now := time.Now()
		got, err := s.cache.decoded(body, about{origin: OriginPrimary, fetchedAt: now, confirmedAt: now})
		if err == nil {
			ref = got.ref.(*Reference[R])
		}
		return err
	})
	return ref, err
}

// slashError says why something whose name has a slash was not found.
type slashError struct {
	name    string
	instead string
	err     error
}

func (e *slashError) Error() string {
	return fmt.Sprintf("%v: the route takes one segment, and this deployment makes more than one of %q; %s",
		e.err, e.name, e.instead)
}

func (e *slashError) Unwrap() error { return e.err }

// routeNotFound is what the service says where it has no such route, in difference to no such model.
const routeNotFound = "Not Found"

// explainSlash adds to the error of a route that was not found that a slash in the name is why, and what to do instead.
func explainSlash(err error, name, instead string) error {
	var api *APIError
	if !strings.Contains(name, "/") || !errors.As(err, &api) || api.StatusCode != http.StatusNotFound ||
		api.Detail != routeNotFound {
		return err
	}
	return &slashError{name: name, instead: instead, err: err}
}
