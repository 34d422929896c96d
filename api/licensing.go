// The licences that the service knows, and the models and other works that are published under them.

package api

import (
	"context"
	"fmt"
	"iter"

	"github.com/haidra-org/modelref"
)

// LicensingService has the licences that the service knows, and what is published under them: models and other assets. A
// deployment may be too old to have them: the error is then [modelref.ErrUnsupported].
type LicensingService service

// LicenseDefinition is a licence and what it permits.
type LicenseDefinition struct {
	// ID is an SPDX identifier, or an identifier that begins with "LicenseRef-".
	ID   string `json:"license_id"`
	Name string `json:"name"`
	// SPDXIdentifier is the SPDX identifier, or "" if SPDX does not list the licence.
	SPDXIdentifier string `json:"spdx_identifier"`
	// CanonicalURL is the URL of the text of the licence.
	CanonicalURL string `json:"canonical_url"`
	// CommercialUse says whether the licence permits commercial use.
	CommercialUse modelref.Permission `json:"commercial_use"`
	// Redistribution says whether the licence permits redistribution.
	Redistribution modelref.Permission          `json:"redistribution"`
	Obligations    []modelref.LicenseObligation `json:"obligations"`
	// Restrictions are the restrictions of the licence, for people.
	Restrictions []string `json:"restrictions"`
	Notes        string   `json:"notes"`
	// Deprecated reports whether the licence should not be assigned any more.
	Deprecated bool                   `json:"deprecated"`
	Metadata   modelref.EntryMetadata `json:"metadata"`
}

// AssetKind is a kind of work that has a licence. Values that this package does not define are kept unchanged.
type AssetKind string

// The kinds of assets that the service has.
const (
	AssetModel             AssetKind = "model"
	AssetSoftwareComponent AssetKind = "software_component"
	AssetCustomNode        AssetKind = "custom_node"
	AssetOther             AssetKind = "other"
)

// Known reports whether k is a kind that this package defines.
func (k AssetKind) Known() bool {
	return k == AssetModel || k == AssetSoftwareComponent || k == AssetCustomNode || k == AssetOther
}

// LicensedAsset is a model or another work with its licence.
type LicensedAsset struct {
	Kind AssetKind `json:"asset_kind"`
	// Identifier identifies the asset among those of its kind. That of a model is its category and name, for example
	// "clip:ViT-L/14".
	Identifier  string `json:"asset_identifier"`
	DisplayName string `json:"display_name"`
	// Category is the category of a model, and "" for other kinds.
	Category modelref.Category `json:"category"`
	// SourceURL is where the asset is published, or "". For a model it is the URL of its first file.
	SourceURL string `json:"source_url"`
	Version   string `json:"version"`
	// Locations are the paths at which the asset is used.
	Locations []string `json:"locations"`
	// RelatedAssets are other assets, as kind and identifier with a colon between them.
	RelatedAssets []string `json:"related_assets"`
	// Licensing is the licence of the asset. Only models have licences of single files.
	Licensing modelref.Licensing `json:"licensing"`
	// DefinitionURLs are the paths of the licences below the base URL of the service, by ID. LicensingService.Asset does
	// not return them.
	DefinitionURLs map[string]string `json:"definition_urls"`
	Notes          string            `json:"notes"`
	// Metadata is nil for a model.
	Metadata *modelref.EntryMetadata `json:"metadata"`
}

// LicenseOptions are the options of LicensingService.Licenses. The zero value returns the first 100 licences, including
// deprecated ones.
type LicenseOptions struct {
	// IncludeDeprecated includes licences that should not be assigned any more. If it is unset, they are included.
	IncludeDeprecated modelref.Optional[bool] `url:"include_deprecated"`
	// Page chooses a part of the list. The maximum of Limit is 1000. A Limit of 0 is 100 for Licenses and 1000 for
	// AllLicenses.
	modelref.Page
}

// AssetOptions are the options of LicensingService.Assets. An asset must match all of them. The zero value returns the first
// 100 assets.
type AssetOptions struct {
	// Kind chooses assets of one kind.
	Kind AssetKind `url:"asset_kind"`
	// Category chooses models of one category.
	Category modelref.Category `url:"category"`
	// LicenseID chooses assets whose own licence expression has the licence. Licences of single files are not considered.
	LicenseID string `url:"license_id"`
	// CommercialUse and Redistribution choose assets with exactly this permission. PermissionAllowed does not include
	// PermissionAllowedWithConditions.
	CommercialUse  modelref.Permission `url:"commercial_use"`
	Redistribution modelref.Permission `url:"redistribution"`
	// NameContains chooses assets by a part of their display name. Case is ignored.
	NameContains string `url:"name_contains"`
	// Page chooses a part of the list. The maximum of Limit is 1000. A Limit of 0 is 100 for Assets and 1000 for AllAssets.
	modelref.Page
}

// CatalogPage is one page of a catalog.
type CatalogPage[T any] struct {
	Items []*T `json:"items"`
	// Total is the number of entries on all pages.
	Total  int `json:"total"`
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
	// Metadata has the revision of the catalog.
	Metadata modelref.CatalogMetadata `json:"metadata"`
}

// LicensingSummary counts the assets by what their licences permit.
type LicensingSummary struct {
	TotalAssets    int                         `json:"total_assets"`
	CommercialUse  map[modelref.Permission]int `json:"commercial_use"`
	Redistribution map[modelref.Permission]int `json:"redistribution"`
	// Licenses counts the assets by the ID of their licence. It has the licences that are in use.
	Licenses map[string]int `json:"licenses"`
}

// LicensingExport is everything that the service knows about licences.
type LicensingExport struct {
	SchemaVersion int                      `json:"schema_version"`
	Metadata      modelref.CatalogMetadata `json:"metadata"`
	Licenses      []*LicenseDefinition     `json:"licenses"`
	Assets        []*LicensedAsset         `json:"assets"`
	Summary       LicensingSummary         `json:"summary"`
}

// getLicensing sends a request to an endpoint about licences.
func getLicensing[T any](
	ctx context.Context, s *LicensingService, options any, check func(T) error, segments ...string,
) (T, error) {
	path := v2Path(append([]string{"licensing"}, segments...)...)
	out, err := getChecked(ctx, (*service)(s).conn(), path, options, check)
	return out, explainUnsupported(err)
}

func requireItems[T any](p *CatalogPage[T]) error { return requireList(p.Items) }

// Licenses returns one page of the licences, sorted by ID.
func (s *LicensingService) Licenses(ctx context.Context, options *LicenseOptions) (*CatalogPage[LicenseDefinition], error) {
	return getLicensing(ctx, s, options, requireItems[LicenseDefinition], "licenses")
}

// AllLicenses yields the licences that Licenses returns on all pages; see AllAssets.
func (s *LicensingService) AllLicenses(
	ctx context.Context, options *LicenseOptions,
) iter.Seq2[*LicenseDefinition, error] {
	var o LicenseOptions
	if options != nil {
		o = *options
	}
	return allPages(o.Page, func(page modelref.Page) (*CatalogPage[LicenseDefinition], error) {
		request := o
		request.Page = page
		return s.Licenses(ctx, &request)
	})
}

// License returns the licence with that ID, including deprecated ones. Case matters. If there is no such licence, the error
// is ErrNotFound.
func (s *LicensingService) License(ctx context.Context, id string) (*LicenseDefinition, error) {
	if err := checkName("a licence", id); err != nil {
		return nil, err
	}
	out, err := getChecked(ctx, (*service)(s).conn(), v2Path("licensing", "licenses", id), nil, func(l *LicenseDefinition) error {
		return requireKey("license_id", l.ID)
	})
	return out, explainRoute(err, id, "Licenses")
}

// Assets returns one page of the models and other works with their licences, sorted by kind and identifier. If the service
// does not know the Category or a permission of the options, the error is a *modelref.APIError with a status of 422.
func (s *LicensingService) Assets(ctx context.Context, options *AssetOptions) (*CatalogPage[LicensedAsset], error) {
	return getLicensing(ctx, s, options, requireItems[LicensedAsset], "assets")
}

// AllAssets yields the assets that Assets returns on all pages, from the Offset of the options on. It sends a request for
// each page, and none after the loop ends. An error is yielded with a nil asset, and ends the iteration. If the service
// returns another page than the requested one, or the catalog is changed between two pages, that is such an error: the list
// could lack an asset, or have an asset twice. Export returns all assets in one request.
func (s *LicensingService) AllAssets(ctx context.Context, options *AssetOptions) iter.Seq2[*LicensedAsset, error] {
	var o AssetOptions
	if options != nil {
		o = *options
	}
	return allPages(o.Page, func(page modelref.Page) (*CatalogPage[LicensedAsset], error) {
		request := o
		request.Page = page
		return s.Assets(ctx, &request)
	})
}

// Asset returns an asset that is not a model. If there is no such asset, the error is ErrNotFound. If the service does not
// have the kind, or the kind is AssetModel, the error is a *modelref.APIError with a status of 422. See also Model.
func (s *LicensingService) Asset(ctx context.Context, kind AssetKind, identifier string) (*LicensedAsset, error) {
	if err := checkName("a kind of assets", string(kind)); err != nil {
		return nil, err
	}
	if err := checkName("an asset", identifier); err != nil {
		return nil, err
	}
	return getLicensing(ctx, s, nil, checkAsset, "assets", string(kind), identifier)
}

// Model returns the licence of a model. The name may be an alias. If there is no such model, the error is ErrNotFound. If the
// service does not have the category, the error is a *modelref.APIError with a status of 422. The records of the categories
// have the licence as well.
func (s *LicensingService) Model(ctx context.Context, category modelref.Category, name string) (*LicensedAsset, error) {
	if err := checkCategory(category); err != nil {
		return nil, err
	}
	if err := checkName("a model", name); err != nil {
		return nil, err
	}
	return getLicensing(ctx, s, nil, checkAsset, "models", string(category), name)
}

func checkAsset(asset *LicensedAsset) error { return requireKey("asset_identifier", asset.Identifier) }

// Summary counts the assets by what their licences permit.
func (s *LicensingService) Summary(ctx context.Context) (*LicensingSummary, error) {
	return getLicensing(ctx, s, nil, func(*LicensingSummary) error { return nil }, "summary")
}

// Export returns all licences and all assets in one request. The body is about half a megabyte. See also Load.
func (s *LicensingService) Export(ctx context.Context) (*LicensingExport, error) {
	return getLicensing(ctx, s, nil, checkLicensing, "export")
}

func checkLicensing(e *LicensingExport) error { return requireList(e.Licenses) }

// maxCatalogPage is the maximum length of a page of a catalog.
const maxCatalogPage = 1000

// allPages yields the entries of all pages that fetch returns.
func allPages[T any](start modelref.Page, fetch func(modelref.Page) (*CatalogPage[T], error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		next := start
		if next.Limit == 0 {
			next.Limit = maxCatalogPage
		}
		revision := 0
		for first := true; ; first = false {
			page, err := fetch(next)
			switch {
			case err != nil:
			case page.Offset != next.Offset:
				err = fmt.Errorf("modelref: page at offset %d: the service returned offset %d", next.Offset, page.Offset)
			case !first && page.Metadata.Revision != revision:
				err = fmt.Errorf("modelref: page at offset %d: the catalog was changed from revision %d to %d",
					next.Offset, revision, page.Metadata.Revision)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if item != nil && !yield(item, nil) {
					return
				}
			}
			revision = page.Metadata.Revision
			next.Offset += len(page.Items)
			if len(page.Items) == 0 || next.Offset >= page.Total {
				return
			}
		}
	}
}
