// The v1 API: the model reference in the format of the files on GitHub.

package api

import (
	"context"
	"encoding/json"

	"github.com/haidra-org/modelref"
)

// LegacyService is the v1 API, which has the model reference in the format of the files on GitHub.
type LegacyService struct {
	// Metadata has the times of the changes of the categories in the legacy format.
	Metadata *MetadataService

	client *modelref.Client
}

func (s *LegacyService) conn() *modelref.Client {
	if s == nil {
		return nil
	}
	return s.client
}

func v1Path(segments ...string) string { return "model_references/v1/" + joinPath(segments...) }

// Info returns the message of the service about its v1 API.
func (s *LegacyService) Info(ctx context.Context) (string, error) {
	m, err := get[message](ctx, s.conn(), v1Path("info"), nil)
	return m.Message, err
}

// Categories returns the categories that the service lists for v1, in its order.
func (s *LegacyService) Categories(ctx context.Context) ([]modelref.Category, error) {
	return get[[]modelref.Category](ctx, s.conn(), v1Path("model_categories"), nil)
}

// Category returns a category in the legacy format, as JSON. The category may also be the name of a file on GitHub, for
// example "stable_diffusion" or "stable_diffusion.json".
func (s *LegacyService) Category(ctx context.Context, category modelref.Category) (json.RawMessage, error) {
	if err := checkCategory(category, "info", "model_categories", "metadata"); err != nil {
		return nil, err
	}
	return get[json.RawMessage](ctx, s.conn(), v1Path(string(category)), nil)
}

// LegacyTextOptions are the options of LegacyService.TextGeneration.
type LegacyTextOptions struct {
	// IncludeGroup adds the text_model_group of each model, which is not in the legacy format.
	IncludeGroup bool `url:"include_group"`
}

// TextGeneration returns the text models in the legacy format, as JSON.
func (s *LegacyService) TextGeneration(ctx context.Context, options *LegacyTextOptions) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, s.conn(), v1Path(string(modelref.CategoryTextGeneration)), options)
}
