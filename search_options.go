// The options of Search and SearchAll.

package modelref

// maxSearchLimit is the length of the longest page that the service returns.
const maxSearchLimit = 500

// Page chooses a part of a list.
type Page struct {
	// Limit is the maximum number of entries. For a search it is at most 500, and 0 is the default: 50 for Search, and
	// 500 for SearchAll.
	Limit int `url:"limit"`
	// Offset is the number of entries to skip.
	Offset int `url:"offset"`
}

// Filter chooses records by whether they are safe for work and by their tags.
type Filter struct {
	// NSFW chooses records that are (true) or are not (false) "not safe for work". If it is unset, it chooses both.
	NSFW Optional[bool] `url:"nsfw"`
	// TagsAny, TagsAll and TagsNone choose records that have any, all or none of the tags.
	TagsAny  []string `url:"tags_any"`
	TagsAll  []string `url:"tags_all"`
	TagsNone []string `url:"tags_none"`
}

// LicenseFilter chooses records by their licence. The licence of a record that has none is unknown, and licences of single
// files are not considered. An older deployment ignores the filter. If a record on the page
// then does not match, the error of the search is ErrUnsupported.
type LicenseFilter struct {
	// LicenseID chooses records whose licence expression has the licence, for example "Apache-2.0". Case matters.
	LicenseID string `url:"license_id"`
	// CommercialUse and Redistribution choose records with exactly this permission. PermissionAllowed does not include
	// PermissionAllowedWithConditions. If the service does not know the permission, the error is an *APIError with a status
	// of 422.
	CommercialUse  Permission `url:"commercial_use"`
	Redistribution Permission `url:"redistribution"`
}

// SearchOptions are the options of [Client.Search], which searches all categories. The zero value finds every record. If
// NSFW is set, records of a category that has no NSFW field are not found.
type SearchOptions struct {
	Filter
	LicenseFilter
	// NameContains chooses records by a part of their name. Case is ignored.
	NameContains string `url:"name_contains"`
	// SortBy is the name of a field as the service has it, or "" for the order of the service.
	SortBy string `url:"sort_by"`
	// SortDesc sorts in descending order.
	SortDesc bool `url:"sort_desc"`
	Page
}

// CategorySearchOptions are the options of [Service.Search], for a category that has no options of its own. The zero
// value finds every record.
type CategorySearchOptions struct {
	LicenseFilter
	// NameContains chooses records by a part of their name. Case is ignored.
	NameContains string `url:"name_contains"`
	// Source is where records come from: "horde" (the default), "any", or the ID of a provider.
	Source string `url:"source"`
	// SortBy is the name of a field as the service has it, or "" for the order of the service.
	SortBy string `url:"sort_by"`
	// SortDesc sorts in descending order.
	SortDesc bool `url:"sort_desc"`
	Page
}

// ContentSearchOptions are the options of the Search for models of video and audio, LoRAs and textual inversions. The
// zero value finds every record.
type ContentSearchOptions struct {
	Filter
	LicenseFilter
	// NameContains chooses records by a part of their name. Case is ignored.
	NameContains string `url:"name_contains"`
	// Baseline chooses records of one baseline. It may be a name that [ParseBaseline] accepts, such as "sdxl".
	Baseline Baseline `url:"baseline"`
	// Source is where records come from: "horde" (the default), "any", or the ID of a provider.
	Source string `url:"source"`
	// SortBy is the name of a field as the service has it, or "" for the order of the service.
	SortBy string `url:"sort_by"`
	// SortDesc sorts in descending order.
	SortDesc bool `url:"sort_desc"`
	Page
}

// ImageSearchOptions are the options of the Search for image models. The zero value finds every record.
type ImageSearchOptions struct {
	Filter
	LicenseFilter
	// NameContains chooses records by a part of their name. Case is ignored.
	NameContains string `url:"name_contains"`
	// Baseline chooses records of one baseline. It may be a name that [ParseBaseline] accepts, such as "sdxl".
	Baseline Baseline `url:"baseline"`
	// Inpainting chooses records that are (true) or are not (false) made for inpainting. If it is unset, it chooses
	// both.
	Inpainting Optional[bool] `url:"inpainting"`
	// Source is where records come from: "horde" (the default), "any", or the ID of a provider.
	Source string `url:"source"`
	// SortBy is the name of a field as the service has it, or "" for the order of the service.
	SortBy string `url:"sort_by"`
	// SortDesc sorts in descending order.
	SortDesc bool `url:"sort_desc"`
	Page
}

// TextSearchOptions are the options of the Search for text models. The zero value finds every record.
type TextSearchOptions struct {
	Filter
	LicenseFilter
	// NameContains chooses records by a part of their name. Case is ignored.
	NameContains string `url:"name_contains"`
	// Baseline chooses records that were trained from one model.
	Baseline string `url:"baseline"`
	// Backend chooses the records whose name begins with a backend, such as "koboldcpp/". The names of the model reference
	// do not; see [TextQuery.ForBackend]. If the service does not know the backend, the error is an *APIError with a status
	// of 400.
	Backend TextBackend `url:"backend"`
	// ExcludeBackendVariations leaves out records whose name begins with a backend. The names of the model reference do
	// not.
	ExcludeBackendVariations bool `url:"exclude_backend_variations"`
	// Quantized chooses records whose name says (true) or does not say (false) that they are quantized. If it is unset,
	// it chooses both.
	Quantized Optional[bool] `url:"quantized"`
	// Source is where records come from: "horde" (the default), "any", or the ID of a provider.
	Source string `url:"source"`
	// SortBy is the name of a field as the service has it ("parameters_count", not "parameters"), or "" for the order
	// of the service.
	SortBy string `url:"sort_by"`
	// SortDesc sorts in descending order.
	SortDesc bool `url:"sort_desc"`
	Page
}

// paged is a pointer to the options of a search.
type paged interface{ page() *Page }

func (p *Page) page() *Page { return p }
