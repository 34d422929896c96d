// The exports of licences, guidance and baselines, which the Client keeps like categories.

package mirror

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/haidra-org/modelref"
)

// export is the route of a catalog.
type export struct {
	catalog modelref.Catalog
	etag    string // the start of the ETag of the service, or "" if the service sends none
}

// exports are the routes below model_references/v2.
var exports = map[string]*export{
	"licensing/export":                  {modelref.CatalogLicensing, ""},
	"text_generation/guidance/export":   {modelref.CatalogGuidance, "text-guidance-"},
	"image_generation/baselines/export": {modelref.CatalogBaselines, "image-baselines-"},
}

// catalogSource prepares the document of a catalog for serving.
type catalogSource struct {
	client *modelref.Client
	last   atomic.Pointer[preparedCatalog]
}

// preparedCatalog is a document with the response that is made of it.
type preparedCatalog struct {
	document string
	response *forwarded
}

func newCatalogSources(client *modelref.Client) map[modelref.Catalog]*catalogSource {
	sources := map[modelref.Catalog]*catalogSource{}
	for _, e := range exports {
		sources[e.catalog] = &catalogSource{client: client}
	}
	return sources
}

// load returns the response for a catalog. A document that has not changed is not compressed again.
func (s *catalogSource) load(ctx context.Context, e *export) (*forwarded, *modelref.CatalogDocument, error) {
	document, err := s.client.LoadCatalog(ctx, e.catalog)
	if err != nil {
		return nil, nil, err
	}
	prepared := s.last.Load()
	if prepared == nil || prepared.document != document.RawJSON() {
		a := &answer{status: http.StatusOK, contentType: contentJSON, body: []byte(document.RawJSON())}
		if e.etag != "" {
			a.etag = `W/"` + e.etag + strconv.Itoa(document.Metadata().Revision) + `"`
		}
		prepared = &preparedCatalog{document.RawJSON(), newForwarded(a, document.ConfirmedAt())}
		s.last.Store(prepared)
	}
	response := *prepared.response
	response.at, response.stale = document.ConfirmedAt(), document.Stale()
	return &response, document, nil
}

// serveExport serves a catalog. If the PRIMARY refuses the request, for example because it is too old, so does the mirror.
func (m *Mirror) serveExport(w http.ResponseWriter, r *http.Request, e *export) {
	response, document, err := m.catalogs[e.catalog].load(r.Context(), e)
	var refused *modelref.APIError
	switch {
	case err == nil:
		m.respondForwarded(w, r, response, document.Source())
	case errors.As(err, &refused) && !refused.Retryable():
		m.detail(w, r, refused.StatusCode, refused.Detail)
	default:
		m.unavailable(w, r, err)
	}
}
