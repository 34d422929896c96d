// Search and Popular: records chosen and ordered by the service, in pages.

package modelref

import (
	"bytes"
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxSearchLimit is the longest page that the service gives.
const maxSearchLimit = 500

// SearchOptions says what Client.Search looks for, in all categories. The zero value finds every record.
type SearchOptions struct {
	// NSFW chooses records by whether they are safe for work, where it is set. Records of categories that make no such
	// difference are left out.
	NSFW Optional[bool] `url:"nsfw"`
	// NameContains chooses records by a part of their name, upper and lower case alike.
	NameContains string `url:"name_contains"`
	// TagsAny, TagsAll and TagsNone choose records that have any, all or none of the tags.
	TagsAny  []string `url:"tags_any"`
	TagsAll  []string `url:"tags_all"`
	TagsNone []string `url:"tags_none"`
	// SortBy is the name of a field as the service has it, or "" for its own order.
	SortBy string `url:"sort_by"`
	// SortDesc sorts downward.
	SortDesc bool `url:"sort_desc"`
	// Limit is how many records a page has, 500 at most. 0 is what the service takes, 50, and for SearchAll 500.
	Limit int `url:"limit"`
	// Offset is how many records are left out before the first.
	Offset int `url:"offset"`
}

// CategorySearchOptions says what the Search of a category looks for. The zero value finds every record.
type CategorySearchOptions struct {
	// NameContains chooses records by a part of their name, upper and lower case alike.
	NameContains string `url:"name_contains"`
	// SortBy is the name of a field as the service has it, or "" for its own order.
	SortBy string `url:"sort_by"`
	// SortDesc sorts downward.
	SortDesc bool `url:"sort_desc"`
	// Limit is how many records a page has, 500 at most. 0 is what the service takes, 50, and for SearchAll 500.
	Limit int `url:"limit"`
	// Offset is how many records are left out before the first.
	Offset int `url:"offset"`
	// Source is where records come from: "horde" (the service takes that for ""), "any", or the id of a provider.
	Source string `url:"source"`
}

// ContentSearchOptions says what the Search of a category whose models make or shape content looks for: of video, audio,
// LoRAs and textual inversions. The zero value finds every record.
type ContentSearchOptions struct {
	// NSFW chooses records by whether they are safe for work, where it is set.
	NSFW Optional[bool] `url:"nsfw"`
	// Baseline chooses records of one baseline.
	Baseline Baseline `url:"baseline"`
	// TagsAny, TagsAll and TagsNone choose records that have any, all or none of the tags.
	TagsAny  []string `url:"tags_any"`
	TagsAll  []string `url:"tags_all"`
	TagsNone []string `url:"tags_none"`
	// NameContains chooses records by a part of their name, upper and lower case alike.
	NameContains string `url:"name_contains"`
	// SortBy is the name of a field as the service has it, or "" for its own order.
	SortBy string `url:"sort_by"`
	// SortDesc sorts downward.
	SortDesc bool `url:"sort_desc"`
	// Limit is how many records a page has, 500 at most. 0 is what the service takes, 50, and for SearchAll 500.
	Limit int `url:"limit"`
	// Offset is how many records are left out before the first.
	Offset int `url:"offset"`
	// Source is where records come from: "horde" (the service takes that for ""), "any", or the id of a provider.
	Source string `url:"source"`
}

// ImageSearchOptions says what the Search of image generation looks for. The zero value finds every record.
type ImageSearchOptions struct {
	// NSFW chooses records by whether they are safe for work, where it is set.
	NSFW Optional[bool] `url:"nsfw"`
	// Baseline chooses records of one baseline.
	Baseline Baseline `url:"baseline"`
	// Inpainting chooses records by whether they are made to fill in parts of an image, where it is set.
	Inpainting Optional[bool] `url:"inpainting"`
	// TagsAny, TagsAll and TagsNone choose records that have any, all or none of the tags.
	TagsAny  []string `url:"tags_any"`
	TagsAll  []string `url:"tags_all"`
	TagsNone []string `url:"tags_none"`
	// NameContains chooses records by a part of their name, upper and lower case alike.
	NameContains string `url:"name_contains"`
	// SortBy is the name of a field as the service has it, or "" for its own order.
	SortBy string `url:"sort_by"`
	// SortDesc sorts downward.
	SortDesc bool `url:"sort_desc"`
	// Limit is how many records a page has, 500 at most. 0 is what the service takes, 50, and for SearchAll 500.
	Limit int `url:"limit"`
	// Offset is how many records are left out before the first.
	Offset int `url:"offset"`
	// Source is where records come from: "horde" (the service takes that for ""), "any", or the id of a provider.
	Source string `url:"source"`
}

// TextSearchOptions says what the Search of text generation looks for. The zero value finds every record.
type TextSearchOptions struct {
	// NSFW chooses records by whether they are safe for work, where it is set.
	NSFW Optional[bool] `url:"nsfw"`
	// Baseline chooses records trained from one model.
	Baseline string `url:"baseline"`
	// Backend chooses the records for one backend. One that the service does not have is an *APIError with a status of
	// 400.
	Backend TextBackend `url:"backend"`
	// ExcludeBackendVariations leaves out records whose name has a backend before it.
	ExcludeBackendVariations bool `url:"exclude_backend_variations"`
	// Quantized chooses records by whether their name says that they are quantised, where it is set.
	Quantized Optional[bool] `url:"quantized"`
	// TagsAny, TagsAll and TagsNone choose records that have any, all or none of the tags.
	TagsAny  []string `url:"tags_any"`
	TagsAll  []string `url:"tags_all"`
	TagsNone []string `url:"tags_none"`
	// NameContains chooses records by a part of their name, upper and lower case alike.
	NameContains string `url:"name_contains"`
	// SortBy is the name of a field as the service has it ("parameters_count", not "parameters"), or "" for its own
	// order.
	SortBy string `url:"sort_by"`
	// SortDesc sorts downward.
	SortDesc bool `url:"sort_desc"`
	// Limit is how many records a page has, 500 at most. 0 is what the service takes, 50, and for SearchAll 500.
	Limit int `url:"limit"`
	// Offset is how many records are left out before the first.
	Offset int `url:"offset"`
	// Source is where records come from: "horde" (the service takes that for ""), "any", or the id of a provider.
	Source string `url:"source"`
}

// page returns where a search starts and how long its pages are.
func (o *SearchOptions) page() (offset, limit *int)         { return &o.Offset, &o.Limit }
func (o *CategorySearchOptions) page() (offset, limit *int) { return &o.Offset, &o.Limit }
func (o *ContentSearchOptions) page() (offset, limit *int)  { return &o.Offset, &o.Limit }
func (o *ImageSearchOptions) page() (offset, limit *int)    { return &o.Offset, &o.Limit }
func (o *TextSearchOptions) page() (offset, limit *int)     { return &o.Offset, &o.Limit }

// SearchResult is one page of what a search found.
type SearchResult[R Record] struct {
	// Results are the records, in the order that was asked for. They are the caller's own.
	Results []*R `json:"results"`
	// Total is how many records the search finds in all its pages.
	Total int `json:"total"`
	// Offset is how many records come before this page.
	Offset int `json:"offset"`
	// Limit is how many records a page has at most.
	Limit int `json:"limit"`
	// HasMore says that there is a page after this one.
	HasMore bool `json:"has_more"`
	// Rejected are the records of the page that did not decode and are not in Results.
	Rejected []RecordError `json:"-"`

	count int    // the records of the page, the rejected among them
	raw   string // their JSON
}

// UnmarshalJSON reads a page. A record that does not decode goes to Rejected.
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
	err := any(record).(stdjson.Unmarshaler).UnmarshalJSON(value)
	if err == nil {
		return record, nil
	}
	var named struct {
		Name any      `json:"name"`
		Type Category `json:"record_type"`
	}
	_ = decodeJSON(string(value), &named) // it may be no object at all
	name, _ := named.Name.(string)
	return nil, &RecordError{
		Category: named.Type, Name: name, Reason: strings.TrimPrefix(err.Error(), "modelref: record: "),
	}
}

// Search returns one page of the records of all categories that the options choose, with what records of every category
// have in common; their Raw and their JSON have all fields. nil options are the zero ones. It is a request at each call;
// errors are those of Get. QueryAll asks the loaded categories, without a request for each question.
func (c *Client) Search(ctx context.Context, options *SearchOptions) (*SearchResult[ModelRecord], error) {
	return search[ModelRecord](ctx, c, "", atV2("search", "search").with(options))
}

// SearchAll yields what Search finds, page after page, a request for each. Leaving the loop ends the requests. An error
// is yielded with a nil record: a RecordError is about one record and the loop goes on; any other is the last. Where the
// service says that there is more but a page does not lead on, that is such an error; an empty page is the end.
func (c *Client) SearchAll(ctx context.Context, options *SearchOptions) iter.Seq2[*ModelRecord, error] {
	return searchAll[ModelRecord](ctx, c, "", atV2("search", "search"), options)
}

// Search returns one page of the records of the category that the options choose. nil options are the zero ones. It is
// a request at each call; errors are those of Client.Get, as an *APIError with a status of 400 for a field that the
// category cannot be sorted by. Query asks the loaded category, without a request for each question.
func (s *Service[R]) Search(ctx context.Context, options *CategorySearchOptions) (*SearchResult[R], error) {
	return searchCategory(ctx, s, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *Service[R]) SearchAll(ctx context.Context, options *CategorySearchOptions) iter.Seq2[*R, error] {
	return searchCategoryAll(ctx, s, options)
}

// Search returns one page of the image models that the options choose; see Service.Search.
func (s *ImageGenerationService) Search(ctx context.Context, options *ImageSearchOptions) (*SearchResult[ImageGenerationRecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *ImageGenerationService) SearchAll(ctx context.Context, options *ImageSearchOptions) iter.Seq2[*ImageGenerationRecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// Search returns one page of the text models that the options choose; see Service.Search.
func (s *TextGenerationService) Search(ctx context.Context, options *TextSearchOptions) (*SearchResult[TextGenerationRecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *TextGenerationService) SearchAll(ctx context.Context, options *TextSearchOptions) iter.Seq2[*TextGenerationRecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// Search returns one page of the video models that the options choose; see Service.Search.
func (s *VideoGenerationService) Search(ctx context.Context, options *ContentSearchOptions) (*SearchResult[VideoGenerationRecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *VideoGenerationService) SearchAll(ctx context.Context, options *ContentSearchOptions) iter.Seq2[*VideoGenerationRecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// Search returns one page of the audio models that the options choose; see Service.Search.
func (s *AudioGenerationService) Search(ctx context.Context, options *ContentSearchOptions) (*SearchResult[AudioGenerationRecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *AudioGenerationService) SearchAll(ctx context.Context, options *ContentSearchOptions) iter.Seq2[*AudioGenerationRecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// Search returns one page of the LoRAs that the options choose; see Service.Search.
func (s *LoRAService) Search(ctx context.Context, options *ContentSearchOptions) (*SearchResult[LoRARecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *LoRAService) SearchAll(ctx context.Context, options *ContentSearchOptions) iter.Seq2[*LoRARecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// Search returns one page of the textual inversions that the options choose; see Service.Search.
func (s *TextualInversionService) Search(ctx context.Context, options *ContentSearchOptions) (*SearchResult[TextualInversionRecord], error) {
	return searchCategory(ctx, &s.Service, options)
}

// SearchAll yields what Search finds, page after page; see Client.SearchAll.
func (s *TextualInversionService) SearchAll(ctx context.Context, options *ContentSearchOptions) iter.Seq2[*TextualInversionRecord, error] {
	return searchCategoryAll(ctx, &s.Service, options)
}

// pageOptions is a pointer to a struct of options of a search.
type pageOptions[O any] interface {
	*O
	page() (offset, limit *int)
}

func (s *Service[R]) searchEndpoint() endpoint {
	category := string(s.cache.facts.category)
	return atV2("search "+category, category, "search")
}

func searchCategory[R Record](ctx context.Context, s *Service[R], options any) (*SearchResult[R], error) {
	if s.cache == nil {
		return nil, ErrClosed
	}
	return search[R](ctx, s.cache.client, s.cache.facts.category, s.searchEndpoint().with(options))
}

// search returns a page of the category, or of all for "".
func search[R Record](ctx context.Context, c *Client, category Category, e endpoint) (*SearchResult[R], error) {
	result, err := getJSON[SearchResult[R]](ctx, c, e)
	if err != nil {
		return nil, err
	}
	for i := range result.Rejected {
		result.Rejected[i].Category = cmp.Or(category, result.Rejected[i].Category)
	}
	return &result, nil
}

func searchCategoryAll[R Record, O any, P pageOptions[O]](ctx context.Context, s *Service[R], options P) iter.Seq2[*R, error] {
	if s.cache == nil {
		return func(yield func(*R, error) bool) { yield(nil, ErrClosed) }
	}
	return searchAll[R](ctx, s.cache.client, s.cache.facts.category, s.searchEndpoint(), options)
}

// searchAll yields the records of all pages of the category, or of all categories for "".
func searchAll[R Record, O any, P pageOptions[O]](
	ctx context.Context, c *Client, category Category, e endpoint, options P,
) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		var own O // the caller's options are not written to
		if options != nil {
			own = *options
		}
		offset, limit := P(&own).page()
		if *limit == 0 {
			*limit = maxSearchLimit
		}
		before := ""
		for {
			page, err := search[R](ctx, c, category, e.with(&own))
			if err == nil && page.count > 0 && (page.Offset != *offset || page.raw == before) {
				err = fmt.Errorf("modelref: %s: the page at offset %d leads nowhere: the service gave the one at %d",
					e.what, *offset, page.Offset)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !page.yield(yield) || !page.HasMore || page.count == 0 {
				return
			}
			*offset, before = page.Offset+page.count, page.raw
		}
	}
}

// yield hands out the records of the page, then what did not decode, and reports whether the loop goes on.
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

// PopularSort names what Popular can rank by.
type PopularSort string

// What Popular can rank by.
const (
	PopularSortWorkerCount PopularSort = "worker_count"
	PopularSortUsageDay    PopularSort = "usage_day"
	PopularSortUsageMonth  PopularSort = "usage_month"
	PopularSortUsageTotal  PopularSort = "usage_total"
)

// Known reports whether s is a ranking that this package knows.
func (s PopularSort) Known() bool {
	switch s {
	case PopularSortWorkerCount, PopularSortUsageDay, PopularSortUsageMonth, PopularSortUsageTotal:
		return true
	default:
		return false
	}
}

// PopularOptions says what Popular returns. The zero value returns the ten models that most workers serve.
type PopularOptions struct {
	// Limit is how many models are returned at most, 100 at most; 0 is what the service takes, 10.
	Limit int `url:"limit"`
	// SortBy is what the models are ranked by; "" is what the service takes, the number of workers.
	SortBy PopularSort `url:"sort_by"`
	// IncludeWorkers adds who serves each model.
	IncludeWorkers bool `url:"include_workers"`
}

// PopularModel is a model with its use on the AI Horde.
type PopularModel[R Record] struct {
	// Name is the model's name.
	Name string `json:"name"`
	// Record is the model's record, the caller's own. It is nil where it did not decode; Err then says why.
	Record *R `json:"record"`
	// Stats is the model's use.
	Stats UsageStatistics `json:"stats"`
	// Err is a RecordError where Record is nil.
	Err error `json:"-"`
}

// UnmarshalJSON reads a model. A record that does not decode is left nil, with the reason in Err.
func (p *PopularModel[R]) UnmarshalJSON(data []byte) error {
	var plain struct {
		Name   string          `json:"name"`
		Record jsontext.Value  `json:"record"`
		Stats  UsageStatistics `json:"stats"`
	}
	if err := decodeJSON(string(data), &plain); err != nil {
		return err
	}
	*p = PopularModel[R]{Name: plain.Name, Stats: plain.Stats}
	record, rejected := decodeRecord[R](bytes.TrimSpace(plain.Record))
	p.Record = record
	if rejected != nil {
		rejected.Name = plain.Name
		p.Err = *rejected
	}
	return nil
}

// Popular returns the image models that are used most on the AI Horde, the first the most. It is empty while the AI
// Horde does not answer the service, which Heartbeat tells. nil options are the zero ones. It is a request at each call;
// errors are those of Client.Get.
func (s *ImageGenerationService) Popular(ctx context.Context, options *PopularOptions) ([]PopularModel[ImageGenerationRecord], error) {
	return popular(ctx, &s.Service, options)
}

// Popular returns the text models that are used most on the AI Horde, the first the most. It is empty while the AI Horde
// does not answer the service, which Heartbeat tells. nil options are the zero ones. It is a request at each call;
// errors are those of Client.Get.
func (s *TextGenerationService) Popular(ctx context.Context, options *PopularOptions) ([]PopularModel[TextGenerationRecord], error) {
	return popular(ctx, &s.Service, options)
}

func popular[R Record](ctx context.Context, s *Service[R], options *PopularOptions) ([]PopularModel[R], error) {
	if s.cache == nil {
		return nil, ErrClosed
	}
	category := string(s.cache.facts.category)
	e := atV2("popular "+category, category, "popular").with(options)
	models, err := getJSON[[]PopularModel[R]](ctx, s.cache.client, e)
	for i := range models {
		if rejected, ok := models[i].Err.(RecordError); ok { //nolint:errorlint // as UnmarshalJSON has put it there
			rejected.Category = s.cache.facts.category
			models[i].Err = rejected
		}
	}
	return models, err
}
