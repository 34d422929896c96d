// The metadata of the categories: when and how they were changed.

package api

import (
	"context"
	"errors"
	"time"

	"github.com/haidra-org/modelref"
)

// MetadataService has the times of the changes of the categories. A deployment has the metadata of its canonical format
// only, and only if it is a PRIMARY. Otherwise the error is a *modelref.APIError with a status of 503.
type MetadataService struct {
	client  *modelref.Client
	version string
}

func (s *MetadataService) conn() *modelref.Client {
	if s == nil {
		return nil
	}
	return s.client
}

func (s *MetadataService) path(segments ...string) string {
	version := "v2"
	if s != nil && s.version != "" {
		version = s.version
	}
	return "model_references/" + version + "/metadata/" + joinPath(segments...)
}

// otherMetadata are the routes in the place of a category.
var otherMetadata = []string{"metadata", "last_updated"}

// CategoryMetadata has the time of the last change of a category, and counts its changes.
type CategoryMetadata struct {
	Category modelref.Category `json:"category"`
	// LastUpdated is the time of the last change, in whole seconds.
	LastUpdated time.Time `json:"last_updated"`
	// LastOperationType is the last change: "create", "update" or "delete", or "" if there was no change.
	LastOperationType string `json:"last_operation_type"`
	// LastOperationModel is the name of the model that was changed last, or "".
	LastOperationModel string `json:"last_operation_model"`
	TotalCreates       int    `json:"total_creates"`
	TotalUpdates       int    `json:"total_updates"`
	TotalDeletes       int    `json:"total_deletes"`
	// TotalModels is the number of models. The service counts from the first change on, so that it can be 0 for a
	// category that has models.
	TotalModels             int       `json:"total_models"`
	InitializationTime      time.Time `json:"initialization_time"`
	LastSuccessfulOperation time.Time `json:"last_successful_operation"`
	ErrorCount              int       `json:"error_count"`
	MetadataSchemaVersion   string    `json:"metadata_schema_version"`
	// BackendType is the name of the storage of the deployment.
	BackendType string `json:"backend_type"`
}

// lastUpdated is the body of the endpoints for the last-updated time, which is null if the deployment has none.
type lastUpdated struct {
	LastUpdated time.Time `json:"last_updated"`
}

// LastUpdated returns when any category was last changed, in whole seconds, or the zero time if the deployment has no
// metadata yet. See also [modelref.Client.LastUpdated].
func (s *MetadataService) LastUpdated(ctx context.Context) (time.Time, error) {
	out, err := get[lastUpdated](ctx, s.conn(), s.path("last_updated"), nil)
	return out.LastUpdated, err
}

// CategoryLastUpdated returns when the category was last changed, in whole seconds, or the zero time if the deployment
// has no metadata of the category.
func (s *MetadataService) CategoryLastUpdated(ctx context.Context, category modelref.Category) (time.Time, error) {
	if err := checkCategory(category, otherMetadata...); err != nil {
		return time.Time{}, err
	}
	out, err := get[lastUpdated](ctx, s.conn(), s.path(string(category), "last_updated"), nil)
	return out.LastUpdated, err
}

// All returns the metadata of every category that the deployment has metadata of.
func (s *MetadataService) All(ctx context.Context) (map[modelref.Category]*CategoryMetadata, error) {
	return get[map[modelref.Category]*CategoryMetadata](ctx, s.conn(), s.path("metadata"), nil)
}

// Category returns the metadata of one category. If the deployment has no metadata of the category, the error is
// ErrNotFound.
func (s *MetadataService) Category(ctx context.Context, category modelref.Category) (*CategoryMetadata, error) {
	if err := checkCategory(category, otherMetadata...); err != nil {
		return nil, err
	}
	return getChecked(ctx, s.conn(), s.path(string(category)), nil, func(m *CategoryMetadata) error {
		if m.Category == "" {
			return errors.New("it has no category")
		}
		return nil
	})
}
