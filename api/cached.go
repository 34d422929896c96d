// The catalogs that the Client caches, decoded once per document.

package api

import (
	"context"
	"fmt"
	"sync"

	"github.com/haidra-org/modelref"
)

// exports are the decoded catalogs of an API.
type exports struct {
	licensing memo[LicensingExport]
	guidance  memo[GuidanceExport]
}

// memo keeps what was decoded last, so that a document that has not changed is not decoded again. The zero value is ready to
// use.
type memo[T any] struct {
	mu       sync.Mutex
	document string
	decoded  *T
}

// decode returns the decoded document, which all callers share.
func (m *memo[T]) decode(document string, check func(*T) error) (*T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.decoded != nil && m.document == document { // cheap: an unchanged document is the same string
		return m.decoded, nil
	}
	out := new(T)
	if err := decode([]byte(document), out); err != nil {
		return nil, err
	}
	if err := check(out); err != nil {
		return nil, err
	}
	m.document, m.decoded = document, out
	return out, nil
}

// load returns a catalog from the cache of the Client, decoded.
func load[T any](
	ctx context.Context, s *service, catalog modelref.Catalog, in func(*exports) *memo[T], check func(*T) error,
	options []modelref.LoadOption,
) (*T, error) {
	document, err := s.conn().LoadCatalog(ctx, catalog, options...)
	if err != nil {
		return nil, err
	}
	out, err := in(s.exports).decode(document.RawJSON(), check)
	if err != nil {
		return nil, fmt.Errorf("modelref: %w", &modelref.DecodeError{
			Category: modelref.Category(catalog), Offset: -1, Reason: err.Error(),
		})
	}
	return out, nil
}

// Load returns all licences and assets as Export does, from the cache of the Client: see [modelref.Client.LoadCatalog], which
// also tells how old they are. The result is shared and must not be modified.
func (s *LicensingService) Load(ctx context.Context, options ...modelref.LoadOption) (*LicensingExport, error) {
	return load(ctx, (*service)(s), modelref.CatalogLicensing, func(e *exports) *memo[LicensingExport] { return &e.licensing },
		checkLicensing, options)
}

// Load returns all profiles and assignments as Export does, from the cache of the Client: see [modelref.Client.LoadCatalog],
// which also tells how old they are. The result is shared and must not be modified.
func (s *GuidanceService) Load(ctx context.Context, options ...modelref.LoadOption) (*GuidanceExport, error) {
	return load(ctx, (*service)(s), modelref.CatalogGuidance, func(e *exports) *memo[GuidanceExport] { return &e.guidance },
		func(*GuidanceExport) error { return nil }, options)
}

// Load returns the catalog of image baselines from the cache of the Client, or the packaged catalog if no source has it: see
// [modelref.Client.LoadBaselines]. The result is shared and must not be modified.
func (s *BaselineService) Load(ctx context.Context, options ...modelref.LoadOption) (*modelref.BaselineCatalog, error) {
	return (*service)(s).conn().LoadBaselines(ctx, options...)
}
