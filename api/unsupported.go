// How the absence of an endpoint differs from the absence of an entry.

package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/haidra-org/modelref"
)

// unsupportedError is the error of an endpoint that does not exist.
type unsupportedError struct{ err error }

func (e *unsupportedError) Error() string {
	return e.err.Error() + ": this endpoint is " + modelref.ErrUnsupported.Error()
}
func (e *unsupportedError) Unwrap() error        { return e.err }
func (e *unsupportedError) Is(target error) bool { return target == modelref.ErrUnsupported }

// explainUnsupported makes the error of a route that does not exist modelref.ErrUnsupported. The service has another text for an
// entry that does not exist.
func explainUnsupported(err error) error {
	var status *modelref.APIError
	if errors.As(err, &status) && status.StatusCode == http.StatusNotFound && status.Detail == routeNotFound {
		return &unsupportedError{err}
	}
	return err
}

// explainRoute is explainUnsupported for a route of one segment for the name: a name with a slash does not have a route on
// any deployment.
func explainRoute(err error, name, method string) error {
	if strings.Contains(name, "/") {
		return explainSlash(err, name, method)
	}
	return explainUnsupported(err)
}
