// Package api has the endpoints of the model-reference service that are not categories: the state of the service, its
// statistics, metadata, licences, image baselines, guidance and groups of text models, files in the legacy format, and
// records that wait for approval.
//
//	a := api.New(client)
//	stats, err := a.Statistics.Category(ctx, modelref.CategoryImageGeneration, nil)
//	beat, err := a.Heartbeat(ctx)
//
// An API uses the connections, retries, limits and the API key of its Client. Every method that takes a context sends a
// request at each call: nothing is cached, and there is no fallback to another source. Only the methods named Load, which
// return whole catalogs, use the cache of the Client. Errors are those of
// [modelref.Client.Do], and a *[modelref.ResponseDecodeError] for a body that cannot be decoded. Nil options are the same as
// the zero value of the options.
//
// The package uses exported names of package modelref only. A program can do the same for an endpoint that has no method
// yet: see [modelref.Client.Do] and [modelref.Client.GetJSON].
package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/haidra-org/modelref"
)

// API sends requests to the endpoints of the service. Make an API with [New]. It is safe for concurrent use. The methods
// of the zero API return [modelref.ErrClosed].
type API struct {
	// Statistics counts models and their usage.
	Statistics *StatisticsService
	// Metadata has the times of the changes of the categories.
	Metadata *MetadataService
	// Licensing has the licences of models and other works. Older deployments do not have it.
	Licensing *LicensingService
	// Guidance describes how text models should be prompted. Older deployments do not have it.
	Guidance *GuidanceService
	// Baselines has the image baselines with their capabilities. Older deployments do not have it.
	Baselines *BaselineService
	// PendingQueue has the changes that wait for approval, and their history.
	PendingQueue *PendingQueueService
	// Text splits names of text models into their parts, and has the groups, families and aliases of text models.
	Text *TextService
	// Legacy is the v1 API, with the model reference in the format of the files on GitHub.
	Legacy *LegacyService

	client *modelref.Client
}

// service is what the services have in common.
type service struct {
	client  *modelref.Client
	exports *exports
}

// New returns an API that uses the client. It does not send a request. Close the client when it is no longer needed; the
// API need not be closed.
func New(client *modelref.Client) *API {
	common := service{client: client, exports: new(exports)}
	return &API{
		Statistics: (*StatisticsService)(&common),
		Metadata:   &MetadataService{client: client, version: "v2"},
		Licensing:  (*LicensingService)(&common),
		Guidance:   (*GuidanceService)(&common),
		Baselines:  (*BaselineService)(&common),

		PendingQueue: (*PendingQueueService)(&common),

		Text:   (*TextService)(&common),
		Legacy: &LegacyService{Metadata: &MetadataService{client: client, version: "v1"}, client: client},
		client: client,
	}
}

func (a *API) conn() *modelref.Client {
	if a == nil {
		return nil
	}
	return a.client
}

func (s *service) conn() *modelref.Client {
	if s == nil {
		return nil
	}
	return s.client
}

// joinPath returns the path of segments that are not yet escaped, below the paths of the service.
func joinPath(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, segment := range segments {
		escaped[i] = url.PathEscape(segment)
	}
	return strings.Join(escaped, "/")
}

// v2Path returns the path of an endpoint of the v2 API.
func v2Path(segments ...string) string { return "model_references/v2/" + joinPath(segments...) }

// get sends a request and decodes the body. The options are a pointer to a struct, or nil.
func get[T any](ctx context.Context, client *modelref.Client, path string, options any) (T, error) {
	return getChecked(ctx, client, path, options, func(T) error { return nil })
}

// getChecked is like get. It returns a *modelref.ResponseDecodeError if check returns an error.
func getChecked[T any](
	ctx context.Context, client *modelref.Client, path string, options any, check func(T) error,
) (T, error) {
	var out, zero T
	query := encodeQuery(options)
	if err := checkPage(query); err != nil {
		return zero, fmt.Errorf("modelref: GET %s: %w", path, err)
	}
	resp, err := client.Do(ctx, modelref.Request{Path: path, Query: query})
	if err != nil {
		return zero, err
	}
	if strings.TrimSpace(string(resp.Body)) == "null" {
		err = errors.New("it is null") // no endpoint returns null, and the caller would have to check for nil
	} else if err = decode(resp.Body, &out); err == nil {
		err = check(out)
	}
	if err != nil {
		return zero, fmt.Errorf("modelref: %w", resp.InvalidBody(err))
	}
	return out, nil
}

// checkPage returns an error if the part of a list that a query chooses is negative.
func checkPage(query url.Values) error {
	for _, parameter := range []struct{ name, field string }{{"limit", "Limit"}, {"offset", "Offset"}} {
		if value := query.Get(parameter.name); strings.HasPrefix(value, "-") {
			return fmt.Errorf("%w: %s must be 0 or more, got %s", modelref.ErrInvalidQuery, parameter.field, value)
		}
	}
	return nil
}

// checkName returns an error if a name would make the path of a request the path of something else, because it is empty,
// has a part "." or "..", or is one of the reserved names, which are other endpoints.
func checkName(kind, name string, reserved ...string) error {
	changes := name == ""
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		changes = changes || part == "." || part == ".."
	}
	for _, other := range reserved {
		changes = changes || name == other
	}
	if changes {
		return fmt.Errorf("modelref: %w: %q is not the name of %s: the name must not be empty, a reserved word, or have a part \".\" or \"..\": it would change the path of the request",
			modelref.ErrInvalidQuery, name, kind)
	}
	return nil
}

// checkCategory is checkName for a category.
func checkCategory(category modelref.Category, reserved ...string) error {
	return checkName("a category", string(category), reserved...)
}

// encodeQuery returns the query of a pointer to a struct of options: every field that is not zero, under the name in its
// tag "url". Embedded structs are part of the struct.
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
		switch name := field.Tag.Get("url"); {
		case field.Anonymous:
			addQuery(query, value)
		case name == "" || value.IsZero():
		case value.Kind() == reflect.Slice:
			for i := range value.Len() {
				query.Add(name, fmt.Sprint(value.Index(i).Interface()))
			}
		default:
			query.Set(name, fmt.Sprint(value.Interface()))
		}
	}
}

// slashError explains why something whose name has a slash was not found.
type slashError struct {
	name   string
	method string // lists all of them
	err    error
}

func (e *slashError) Error() string {
	return fmt.Sprintf("%v: the route has one segment, and this deployment splits %q into several; %s lists all names",
		e.err, e.name, e.method)
}

func (e *slashError) Unwrap() error { return e.err }

// routeNotFound is the detail of a 404 if the service has no such route.
const routeNotFound = "Not Found"

// explainSlash adds an explanation to the error of a route that was not found because of a slash in the name.
func explainSlash(err error, name, method string) error {
	var status *modelref.APIError
	if !strings.Contains(name, "/") || !errors.As(err, &status) || status.StatusCode != http.StatusNotFound ||
		status.Detail != routeNotFound {
		return err
	}
	return &slashError{name: name, method: method, err: err}
}
