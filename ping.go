// Ping: whether the PRIMARY is reachable and serves the model reference.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Ping checks whether the PRIMARY is reachable and serves the model reference, for programs that want to find a wrong URL or
// a network without access when they start. It sends one small request, with the retries of WithRetry, and does not load a
// category. A program that can do with the copies of GitHub, the cache directory or the bootstrap need not call Ping.
//
// The error is
//   - ErrUnavailable after an outage: a network error, or a status of 408, 429 or 5xx;
//   - an *[APIError] or a *[ResponseDecodeError] if the URL of the PRIMARY leads to something else. If the URL does not end in
//     /api, the error has a hint;
//   - ErrOffline, ErrNotConfigured or ErrClosed if the Client was made with WithOffline, has no PRIMARY, or is closed;
//   - ctx.Err() and the cause of ctx if ctx is done.
func (c *Client) Ping(ctx context.Context) error {
	resp, err := c.send(ctx, newEndpoint("", "model_categories").request)
	if err == nil {
		err = checkCategoryList(resp)
	}
	if err != nil {
		return fmt.Errorf("modelref: Ping: %w", err)
	}
	return nil
}

// checkCategoryList returns an error if a response is not a list of categories. Categories that this package does not define
// are allowed.
func checkCategoryList(resp *Response) error {
	var categories []Category
	if err := decodeJSON(string(resp.Body), &categories); err != nil {
		return resp.InvalidBody(err)
	}
	if !slices.ContainsFunc(categories, Category.Known) {
		return resp.InvalidBody(errors.New("the list must have a category of the model reference"))
	}
	return nil
}
