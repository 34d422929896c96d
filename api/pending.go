// Records that wait for approval.

package api

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/haidra-org/modelref"
)

// A Category is a service of a [modelref.Client] for one category, or a [modelref.CategoryReader].
type Category[R modelref.Record] interface {
	// Category returns the category that the service reads.
	Category() modelref.Category
	// Load returns the category.
	Load(ctx context.Context, options ...modelref.LoadOption) (*modelref.Reference[R], error)
}

// Pending returns the records of the category that wait for approval, created or changed, as they will be when they are
// approved. Workers can offer such models for tests:
//
//	pending, err := api.Pending(ctx, a, client.ImageGeneration)
//
// The reference is not stored in the cache; it has no Source and no FetchedAt, as that of [modelref.DecodeDocument]. If
// the Client has no API key, or the service does not know the key, the error is a *modelref.APIError with a status of
// 401 or 403. To merge the records into a category, see [PendingOverlay].
func Pending[R modelref.Record](ctx context.Context, a *API, category Category[R]) (*modelref.Reference[R], error) {
	if v := reflect.ValueOf(category); category == nil || v.Kind() == reflect.Pointer && v.IsNil() || category.Category() == "" {
		return nil, fmt.Errorf("modelref: %w", modelref.ErrClosed)
	}
	name := category.Category()
	resp, err := a.conn().Do(ctx, modelref.Request{Path: pendingPath(name)})
	if err != nil {
		return nil, err
	}
	ref, err := modelref.DecodeDocument[R](name, string(resp.Body))
	if err != nil {
		var fault *modelref.DecodeError // without the name of DecodeDocument, which the caller has not called
		if errors.As(err, &fault) {
			err = fault
		}
		return nil, fmt.Errorf("modelref: %w", resp.InvalidBody(err))
	}
	return ref, nil
}

func pendingPath(category modelref.Category) string { return v2Path(string(category), "pending") }

// PendingOverlay returns the source, for [modelref.WithOverlay], of the records that wait for approval. It sends a
// request at each read. If the Client of a has no API key, no request is sent and the overlay fails with
// ErrNotConfigured. The name of the source is "pending".
func PendingOverlay(a *API) modelref.OverlaySource { return pendingOverlay{client: a.conn()} }

type pendingOverlay struct {
	client *modelref.Client
}

func (pendingOverlay) String() string { return "pending" }

func (o pendingOverlay) Document(ctx context.Context, category modelref.Category) ([]byte, error) {
	resp, err := o.client.Do(ctx, modelref.Request{Path: pendingPath(category), RequireAPIKey: true})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}
