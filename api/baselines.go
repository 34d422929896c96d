// The image baselines that the service knows.

package api

import (
	"context"
	"errors"

	"github.com/haidra-org/modelref"
)

// BaselineService has the image baselines that the service knows, with their resolution, other names and capabilities. A
// deployment may be too old to have them: the error is then [modelref.ErrUnsupported].
type BaselineService service

// BaselineList is a list of image baselines.
type BaselineList struct {
	// Items are the baselines, sorted by name.
	Items []*modelref.BaselineInfo `json:"items"`
	Total int                      `json:"total"`
	// Metadata has the revision of the catalog.
	Metadata modelref.CatalogMetadata `json:"metadata"`
}

func baselinePath(segment string) string {
	return v2Path(string(modelref.CategoryImageGeneration), "baselines", segment)
}

// List returns all image baselines.
func (s *BaselineService) List(ctx context.Context) (*BaselineList, error) {
	out, err := getChecked(ctx, (*service)(s).conn(), baselinePath(""), nil, func(l *BaselineList) error {
		return requireList(l.Items)
	})
	return out, explainUnsupported(err)
}

// Get returns the image baseline of that name. If there is no such baseline, the error is ErrNotFound. Get does not accept
// alternative names: see [modelref.ParseBaseline], and the Resolve method of the catalog that Export returns. The name
// "export" is ErrInvalidQuery: it is the path of Export.
func (s *BaselineService) Get(ctx context.Context, name modelref.Baseline) (*modelref.BaselineInfo, error) {
	if err := checkName("a baseline", string(name), "export"); err != nil {
		return nil, err
	}
	out, err := getChecked(ctx, (*service)(s).conn(), baselinePath(string(name)), nil, func(b *modelref.BaselineInfo) error {
		return requireKey("name", string(b.Name))
	})
	return out, explainRoute(err, string(name), "List")
}

// Export returns the whole catalog of image baselines, which also resolves names. See also Load.
func (s *BaselineService) Export(ctx context.Context) (*modelref.BaselineCatalog, error) {
	out, err := get[*modelref.BaselineCatalog](ctx, (*service)(s).conn(), baselinePath("export"), nil)
	return out, explainUnsupported(err)
}

// requireList returns an error if a body has no list of entries.
func requireList[T any](items []T) error {
	if items == nil {
		return errors.New(`it has no "items"`)
	}
	return nil
}

// requireKey returns an error if a body lacks the value that identifies it.
func requireKey(key, value string) error {
	if value == "" {
		return errors.New("it has no " + key)
	}
	return nil
}
