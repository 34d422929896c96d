// The catalogs of the service: licences, guidance and image baselines. They are read and cached as categories are.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Catalog names a catalog of the service, which is not a category: it has no model records.
type Catalog string

// The catalogs of the service.
const (
	// CatalogLicensing has the licences, and the models and other works that are published under them. See api.Licensing.
	CatalogLicensing Catalog = "licensing"
	// CatalogGuidance has the profiles that describe how text models should be prompted. See api.Guidance.
	CatalogGuidance Catalog = "guidance"
	// CatalogBaselines has the image baselines. See [Client.LoadBaselines].
	CatalogBaselines Catalog = "baselines"
)

// Known reports whether this package defines the catalog.
func (c Catalog) Known() bool {
	for i := range catalogInfos {
		if catalogInfos[i].category == Category(c) {
			return true
		}
	}
	return false
}

// catalogInfos lists every catalog. The files of guidance and baselines are named as the Python library names them. The
// Python library keeps the licences in two files of another form, licenses.json and assets.json in the same directory.
var catalogInfos = [...]categoryInfo{
	{
		category: Category(CatalogLicensing), export: []string{"licensing", "export"}, storeFile: "licensing/export.json",
		decodeCatalog: decodeLicensing,
	},
	{
		category: Category(CatalogGuidance), export: []string{string(CategoryTextGeneration), "guidance", "export"},
		storeFile: "text_guidance/catalog.json", decodeCatalog: decodeGuidance,
	},
	{
		category: Category(CatalogBaselines), export: []string{string(CategoryImageGeneration), "baselines", "export"},
		storeFile: "baselines/catalog.json", decodeCatalog: decodeBaselines,
	},
}

// CatalogDocument is a catalog as it was read from one source at one time. It never changes and is safe for concurrent
// use.
type CatalogDocument struct {
	about metadata
	data  *catalogData
}

// catalogData is what was decoded of a document.
type catalogData struct {
	document  string
	metadata  CatalogMetadata
	entries   int
	baselines *BaselineCatalog // of CatalogBaselines
}

// Catalog returns the name of the catalog.
func (d *CatalogDocument) Catalog() Catalog { return Catalog(d.about.category) }

// Metadata returns the revision of the catalog.
func (d *CatalogDocument) Metadata() CatalogMetadata { return d.data.metadata }

// RawJSON returns the document as the service exports it, byte for byte.
func (d *CatalogDocument) RawJSON() string { return d.data.document }

// Source returns the kind of source that the document was read from.
func (d *CatalogDocument) Source() Source { return d.about.origin }

// FetchedAt returns when the document was requested from its source. It returns the modification time for a bootstrap
// document and for a copy that another program wrote, and the zero time if that is unknown.
func (d *CatalogDocument) FetchedAt() time.Time { return d.about.fetchedAt }

// ConfirmedAt returns when the source was last asked and confirmed that this is its present state. It is never before
// FetchedAt.
func (d *CatalogDocument) ConfirmedAt() time.Time { return d.about.confirmedAt.Time() }

// Stale reports whether no source confirmed the document within the TTL, so that it may be out of date.
func (d *CatalogDocument) Stale() bool { return d.about.stale }

// FallbackReason returns why the document does not come from the PRIMARY or is stale. Otherwise it returns nil.
func (d *CatalogDocument) FallbackReason() error { return d.about.fallback }

// The methods of anyDocument, by which the read path treats a catalog as it treats a category.

func (d *CatalogDocument) meta() *metadata { return &d.about }

func (d *CatalogDocument) with(m metadata) anyDocument {
	return &CatalogDocument{about: m, data: d.data}
}

func (d *CatalogDocument) text() string { return d.data.document }

func (d *CatalogDocument) sameContent(other anyDocument) bool {
	o, ok := other.(*CatalogDocument)
	return ok && (o.data == d.data || o.data.document == d.data.document)
}

// CheckUnmodified returns nil: a document cannot be modified.
func (d *CatalogDocument) CheckUnmodified() error { return nil }

// Len returns the number of licences, profiles or baselines in the catalog.
func (d *CatalogDocument) Len() int { return d.data.entries }

// catalogDecoder returns the decode function of a catalog.
func (i *categoryInfo) catalogDecoder() decodeFunc {
	return func(document string, a metadata) (anyDocument, error) {
		data, err := i.decodeCatalog(document)
		if err != nil {
			return nil, &DecodeError{Category: i.category, Offset: -1, Reason: err.Error()}
		}
		data.document = document
		return &CatalogDocument{about: a, data: data}, nil
	}
}

// decodeLicensing checks and counts the licences. Package api decodes the rest.
func decodeLicensing(document string) (*catalogData, error) {
	var in struct {
		Metadata CatalogMetadata `json:"metadata"`
		Licenses []struct {
			ID       string        `json:"license_id"`
			Metadata EntryMetadata `json:"metadata"`
		} `json:"licenses"`
		Assets []struct {
			Kind       string         `json:"asset_kind"`
			Identifier string         `json:"asset_identifier"`
			Licensing  Licensing      `json:"licensing"`
			Metadata   *EntryMetadata `json:"metadata"`
		} `json:"assets"`
	}
	if err := decodeJSON(document, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Licenses == nil:
		return nil, missingKey("licenses")
	case in.Assets == nil:
		return nil, missingKey("assets")
	}
	for i := range in.Licenses {
		if in.Licenses[i].ID == "" {
			return nil, fmt.Errorf("licence %d must have a license_id", i)
		}
	}
	for i := range in.Assets {
		if in.Assets[i].Kind == "" || in.Assets[i].Identifier == "" {
			return nil, fmt.Errorf("asset %d must have an asset_kind and an asset_identifier", i)
		}
	}
	return &catalogData{metadata: in.Metadata, entries: len(in.Licenses)}, nil
}

// decodeGuidance checks and counts the profiles. Package api decodes the rest.
func decodeGuidance(document string) (*catalogData, error) {
	var in struct {
		Metadata CatalogMetadata `json:"metadata"`
		Profiles map[string]*struct {
			ID       string        `json:"profile_id"`
			Kind     string        `json:"kind"`
			Metadata EntryMetadata `json:"metadata"`
		} `json:"profiles"`
		Assignments map[string]*struct {
			Primary      string   `json:"primary_profile_id"`
			Supplemental []string `json:"supplemental_profile_ids"`
		} `json:"assignments"`
	}
	if err := decodeJSON(document, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Profiles == nil:
		return nil, missingKey("profiles")
	case in.Assignments == nil:
		return nil, missingKey("assignments")
	}
	for id, profile := range in.Profiles {
		if profile == nil {
			return nil, fmt.Errorf("the profile %q must not be null", id)
		}
	}
	for model, assignment := range in.Assignments {
		if assignment == nil {
			return nil, fmt.Errorf("the assignment of %q must not be null", model)
		}
	}
	return &catalogData{metadata: in.Metadata, entries: len(in.Profiles)}, nil
}

func decodeBaselines(document string) (*catalogData, error) {
	catalog := new(BaselineCatalog)
	if err := decodeJSON(document, catalog); err != nil {
		return nil, err
	}
	return &catalogData{metadata: catalog.Metadata, entries: len(catalog.Baselines), baselines: catalog}, nil
}

func missingKey(key string) error { return fmt.Errorf("a catalog must have the key %q", key) }

// bindCatalogs makes a cache for each catalog.
func (c *Client) bindCatalogs() {
	c.catalogs = make(map[Catalog]*categoryCache, len(catalogInfos))
	for i := range catalogInfos {
		info := &catalogInfos[i]
		c.catalogs[Catalog(info.category)] = c.newCache(info, info.catalogDecoder())
	}
}

// LoadCatalog returns a catalog of the service. The catalog is cached as a category is: it is served from memory, the cache
// directory or the store for one TTL, all callers share one load, and the last good copy is served if the PRIMARY is
// unavailable. Events and log lines have the name of the catalog as their category. Package api returns decoded catalogs.
//
// The error is a *[FetchError] if no source has the catalog. It matches [ErrUnsupported] if the deployment is too old to have
// the catalog; this is remembered for one TTL. Other errors are those of [Service.Load]. Overlays are not possible.
func (c *Client) LoadCatalog(ctx context.Context, catalog Catalog, options ...LoadOption) (*CatalogDocument, error) {
	if c == nil || c.config == nil {
		return nil, ErrClosed
	}
	cache, ok := c.catalogs[catalog]
	if !ok {
		return nil, fmt.Errorf("modelref: %w: %q is not a catalog", ErrUnknownCategory, catalog)
	}
	o := newReadOptions(options)
	if len(o.overlays) > 0 {
		return nil, fmt.Errorf("modelref: %s: WithOverlay: %w: a catalog must be loaded without overlays", catalog, ErrInvalidQuery)
	}
	ref, err := cache.read(ctx, o)
	if err != nil {
		return nil, err
	}
	return ref.(*CatalogDocument), nil
}

// LoadBaselines returns the catalog of image baselines: that of the service, as [Client.LoadCatalog] returns it, or
// [PackagedBaselines] if no source has the catalog, for example because the deployment is too old. The catalog is shared and
// must not be modified. The error is [ErrClosed], or it wraps the error of ctx.
func (c *Client) LoadBaselines(ctx context.Context, options ...LoadOption) (*BaselineCatalog, error) {
	document, err := c.LoadCatalog(ctx, CatalogBaselines, options...)
	if errors.Is(err, ErrUnavailable) {
		return PackagedBaselines(), nil
	}
	if err != nil {
		return nil, err
	}
	return document.data.baselines, nil
}

// unsupportedError is the error of an endpoint that the deployment does not have.
type unsupportedError struct{ err error }

func (e *unsupportedError) Error() string {
	return e.err.Error() + ": this endpoint is " + ErrUnsupported.Error()
}
func (e *unsupportedError) Unwrap() error        { return e.err }
func (e *unsupportedError) Is(target error) bool { return target == ErrUnsupported }

// explainUnsupported makes the error of a route that does not exist ErrUnsupported.
func explainUnsupported(err error) error {
	var status *APIError
	if errors.As(err, &status) && status.StatusCode == http.StatusNotFound && status.Detail == routeNotFound {
		return &unsupportedError{err}
	}
	return err
}

// isCatalog reports whether the facts are those of a catalog.
func (i *categoryInfo) isCatalog() bool { return i.export != nil }

// route returns the segments of the path of the document, below the path of the v2 API.
func (i *categoryInfo) route() []string {
	if i.isCatalog() {
		return i.export
	}
	return []string{string(i.category)}
}

// documentInfo returns the facts about a category or a catalog.
func documentInfo(name Category) (*categoryInfo, bool) {
	for i := range catalogInfos {
		if catalogInfos[i].category == name {
			return &catalogInfos[i], true
		}
	}
	return infoOf(name)
}
