// Search: records that the service chooses and sorts, page by page.

package modelref

import (
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// SearchResult is one page of the records that a search found.
type SearchResult[R Record] struct {
	// Results are the records, in the requested order. The caller owns them.
	Results []*R `json:"results"`
	// Total is the number of records on all pages.
	Total int `json:"total"`
	// Offset is the number of records before this page.
	Offset int `json:"offset"`
	// Limit is the maximum number of records on a page.
	Limit int `json:"limit"`
	// HasMore reports whether there is a page after this page.
	HasMore bool `json:"has_more"`
	// Rejected are the records of the page that could not be decoded. They are not in Results.
	Rejected []RecordError `json:"-"`

	count int           // the number of records on the page, including the rejected ones
	raw   string        // their JSON
	named []NamedRecord // the records with the fields of their category, if Results has fewer
}

// Named returns the results with their fields by name: all fields of the category for [CategoryReader.Search], and the fields
// of R otherwise.
func (r *SearchResult[R]) Named() []NamedRecord {
	if r.named != nil {
		return r.named
	}
	return namedRecords(r.Results, nil)
}

// models returns the same page with only the common fields of its records.
func (r *SearchResult[R]) models() *SearchResult[ModelRecord] {
	out := &SearchResult[ModelRecord]{
		Results: make([]*ModelRecord, len(r.Results)), Total: r.Total, Offset: r.Offset, Limit: r.Limit, HasMore: r.HasMore,
		Rejected: r.Rejected, named: r.Named(),
	}
	for i, record := range out.named {
		out.Results[i] = record.Model()
	}
	return out
}

// UnmarshalJSON decodes a page. A record that cannot be decoded is added to Rejected.
func (r *SearchResult[R]) UnmarshalJSON(data []byte) error {
	page := struct {
		Results *[]jsontext.Value `json:"results"`
		Total   int               `json:"total"`
		Offset  int               `json:"offset"`
		Limit   int               `json:"limit"`
		HasMore bool              `json:"has_more"`
	}{}
	if err := decodeJSON(string(data), &page); err != nil {
		return err
	}
	if page.Results == nil {
		return errors.New(`the page has no "results"`)
	}
	*r = SearchResult[R]{
		Results: make([]*R, 0, len(*page.Results)),
		Total:   page.Total, Offset: page.Offset, Limit: page.Limit, HasMore: page.HasMore,
		count: len(*page.Results),
	}
	var raw strings.Builder
	for _, value := range *page.Results {
		raw.Write(value)
		record, err := decodeRecord[R](value)
		if err != nil {
			r.Rejected = append(r.Rejected, *err)
			continue
		}
		r.Results = append(r.Results, record)
	}
	r.raw = raw.String()
	return nil
}

// decodeRecord decodes one record of a list.
func decodeRecord[R Record](value jsontext.Value) (*R, *RecordError) {
	record := new(R)
	err := errors.New("must be an object, got null")
	if string(value) != "null" {
		err = any(record).(stdjson.Unmarshaler).UnmarshalJSON(value)
	}
	if err == nil {
		return record, nil
	}
	var named struct {
		Name any      `json:"name"`
		Type Category `json:"record_type"`
	}
	_ = decodeJSON(string(value), &named) // the value need not be an object
	name, _ := named.Name.(string)
	return nil, &RecordError{
		Category: named.Type, Name: name, Reason: strings.TrimPrefix(err.Error(), "modelref: record: "),
	}
}

// Search returns one page of the records of all categories that the options choose. The records have the fields that all
// categories have; their Raw and their JSON have all fields. Nil options are the same as the zero value. Search sends a
// request at each call; errors are those of [Client.Do] and *ResponseDecodeError. [Client.QueryModels] queries the loaded categories
// without a request for each query.
func (c *Client) Search(ctx context.Context, options *SearchOptions) (*SearchResult[ModelRecord], error) {
	return search[ModelRecord](ctx, c, "", newEndpoint("search", "search").with(options))
}

// SearchAll yields the records that Search finds on all pages. It sends a request for each page, and none after the
// loop ends. An error is yielded with a nil record. A RecordError is about one record, and the iteration continues; any
// other error ends the iteration. An empty page ends the iteration. If the service returns another page than the
// requested one, or returns a page twice, that is such an error.
func (c *Client) SearchAll(ctx context.Context, options *SearchOptions) iter.Seq2[*ModelRecord, error] {
	return searchAll[ModelRecord](ctx, c, "", newEndpoint("search", "search"), options)
}

// Search returns one page of the records of the category that the options choose. Nil options are the same as the zero
// value. Search sends a request at each call; errors are those of [Client.Do] and *ResponseDecodeError. If the category cannot
// be sorted by SortBy, the error is an *APIError with a status of 400. Query queries the loaded category without a
// request for each query.
func (s *Service[R]) Search(ctx context.Context, options *CategorySearchOptions) (*SearchResult[R], error) {
	return searchCategory(ctx, s, options)
}

// Search returns one page of the records of the category that the options choose, as [Service.Search] does, with the common
// fields of its records. [SearchResult.Named] has all fields.
func (r *CategoryReader) Search(ctx context.Context, options *CategorySearchOptions) (*SearchResult[ModelRecord], error) {
	if r == nil || r.cache == nil {
		return nil, ErrClosed
	}
	return recordTypes[r.category].search(ctx, r.cache, options)
}

// SearchAll yields the records that Search finds on all pages; see [Client.SearchAll].
func (s *Service[R]) SearchAll(ctx context.Context, options *CategorySearchOptions) iter.Seq2[*R, error] {
	return searchCategoryAll(ctx, s, options)
}

// SearchService is a [Service] of a category whose search has options of its own, O.
type SearchService[R Record, O ContentSearchOptions | ImageSearchOptions | TextSearchOptions] struct {
	Service[R]
}

// Search returns one page of the records of the category that the options choose; see [Service.Search].
func (s *SearchService[R, O]) Search(ctx context.Context, options *O) (*SearchResult[R], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields the records that Search finds on all pages; see [Client.SearchAll].
func (s *SearchService[R, O]) SearchAll(ctx context.Context, options *O) iter.Seq2[*R, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

func (s *Service[R]) searchEndpoint() endpoint {
	category := string(s.cache.info.category)
	return newEndpoint("search "+category, category, "search")
}

func searchCategory[R Record](ctx context.Context, s *Service[R], options any) (*SearchResult[R], error) {
	if s == nil || s.cache == nil {
		return nil, errClosed
	}
	return search[R](ctx, s.cache.client, s.cache.info.category, s.searchEndpoint().with(options))
}

// search returns a page of the category, or of all categories if category is "".
func search[R Record](ctx context.Context, c *Client, category Category, e endpoint) (*SearchResult[R], error) {
	result, err := getJSON[SearchResult[R]](ctx, c, e)
	if err != nil {
		return nil, err
	}
	if err := result.checkLicences(e.request.Query); err != nil {
		return nil, fmt.Errorf("modelref: %s: %w", e.what, c.config.apiKey.Err(err))
	}
	hideInRecordErrors(c.config.apiKey, result.Rejected)
	for i := range result.Rejected {
		result.Rejected[i].Category = cmp.Or(category, result.Rejected[i].Category)
	}
	return &result, nil
}

func searchCategoryAll[R Record, O any](ctx context.Context, s *Service[R], options *O) iter.Seq2[*R, error] {
	if s == nil || s.cache == nil {
		return func(yield func(*R, error) bool) { yield(nil, errClosed) }
	}
	return searchAll[R](ctx, s.cache.client, s.cache.info.category, s.searchEndpoint(), options)
}

// searchAll yields the records of all pages of the category, or of all categories if category is "".
func searchAll[R Record, O any](
	ctx context.Context, c *Client, category Category, e endpoint, options *O,
) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		var own O // the caller's options are not written to
		if options != nil {
			own = *options
		}
		next := any(&own).(paged).page()
		next.Limit = cmp.Or(next.Limit, maxSearchLimit)
		seen := pageSet{seed: maphash.MakeSeed(), hashes: map[uint64]bool{}}
		for {
			page, err := search[R](ctx, c, category, e.with(&own))
			if err == nil && page.count > 0 {
				err = seen.add(e.what, next.Offset, page.Offset, page.raw)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !page.yield(yield) || !page.HasMore || page.count == 0 {
				return
			}
			next.Offset = page.Offset + page.count
		}
	}
}

// maxSearchPages limits a search whose pages do not end.
const maxSearchPages = 100_000

// pageSet has the pages of a search that were returned so far.
type pageSet struct {
	seed   maphash.Seed
	hashes map[uint64]bool
}

// add adds the page that was requested at one offset and was returned for another. It returns an error if the search
// would not end: if the service ignores the offset, or returns a page again.
func (p *pageSet) add(what string, requested, returned int, raw string) error {
	hash := maphash.String(p.seed, raw)
	var reason string
	switch {
	case returned != requested:
		reason = fmt.Sprintf("the service returned the page at offset %d", returned)
	case p.hashes[hash]:
		reason = "the service returned the records of an earlier page again"
	case len(p.hashes) == maxSearchPages:
		reason = fmt.Sprintf("the service has more than %d pages", maxSearchPages)
	default:
		p.hashes[hash] = true
		return nil
	}
	return fmt.Errorf("modelref: %s: page at offset %d: %s", what, requested, reason)
}

// yield yields the records of the page, then the errors of the rejected records. It reports whether to continue.
func (r *SearchResult[R]) yield(yield func(*R, error) bool) bool {
	for _, record := range r.Results {
		if !yield(record, nil) {
			return false
		}
	}
	for _, rejected := range r.Rejected {
		if !yield(nil, rejected) {
			return false
		}
	}
	return true
}
