// The requester that sends forwarded requests through the Client.

package mirror

import (
	"context"
	"errors"
	"net/url"

	"github.com/haidra-org/modelref"
)

// clientRequester sends requests with the retries and limits of a Client.
type clientRequester struct{ client *modelref.Client }

// down reports whether the circuit breaker of the PRIMARY is open.
func (c clientRequester) down() bool {
	return c.client.Status().Primary.BreakerOpen
}

// request sends a request to the PRIMARY.
func (c clientRequester) request(ctx context.Context, path string, query url.Values) (*answer, error) {
	response, err := c.client.Do(ctx, modelref.Request{Path: path, Query: query})
	var refused *modelref.APIError
	switch {
	case err == nil:
		return &answer{
			status: response.StatusCode, contentType: response.Header.Get("Content-Type"), etag: response.Header.Get("Etag"),
			body: response.Body,
		}, nil
	case !errors.As(err, &refused):
		return nil, err
	}
	out := &answer{status: refused.StatusCode, contentType: refused.ContentType, body: []byte(refused.Body)}
	if statusOutage(path, out) {
		return nil, err
	}
	return out, nil
}
