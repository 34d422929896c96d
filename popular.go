// Popular: the models that are used most on the AI Horde, and the types of their usage statistics.

package modelref

import (
	"bytes"
	"context"

	"github.com/go-json-experiment/json/jsontext"
)

// PopularSort is a ranking of Popular.
type PopularSort string

// The rankings that the service has.
const (
	PopularSortWorkerCount PopularSort = "worker_count"
	PopularSortUsageDay    PopularSort = "usage_day"
	PopularSortUsageMonth  PopularSort = "usage_month"
	PopularSortUsageTotal  PopularSort = "usage_total"
)

// Known reports whether s is a ranking that this package defines.
func (s PopularSort) Known() bool {
	switch s {
	case PopularSortWorkerCount, PopularSortUsageDay, PopularSortUsageMonth, PopularSortUsageTotal:
		return true
	default:
		return false
	}
}

// PopularOptions are the options of Popular. The zero value returns the ten models that most workers serve.
type PopularOptions struct {
	// Limit is the maximum number of models, at most 100. 0 is the default, 10.
	Limit int `url:"limit"`
	// SortBy is the ranking. "" is the default, the number of workers.
	SortBy PopularSort `url:"sort_by"`
	// IncludeWorkers adds the workers that serve each model.
	IncludeWorkers bool `url:"include_workers"`
}

// PopularModel is a model with its use on the AI Horde.
type PopularModel[R Record] struct {
	// Name is the model's name.
	Name string `json:"name"`
	// Record is the model's record. The caller owns it. It is nil if it could not be decoded; Err then has the reason.
	Record *R `json:"record"`
	// Stats are the model's usage statistics.
	Stats UsageStatistics `json:"stats"`
	// Err is a RecordError if Record is nil.
	Err error `json:"-"`
}

// UnmarshalJSON decodes a model. If the record cannot be decoded, it is nil and Err has the reason.
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

// Popular returns the image models that are used most on the AI Horde, the most used model first. The list is empty while
// the service cannot reach the AI Horde. Nil options are the same as the zero value. Popular sends a request at each
// call; errors are those of [Client.Do] and *ResponseDecodeError.
func (s *ImageGenerationService) Popular(
	ctx context.Context, options *PopularOptions,
) ([]PopularModel[ImageGenerationRecord], error) {
	return popular(ctx, &s.Service, options)
}

// Popular returns the text models that are used most on the AI Horde, the most used model first. The list is empty while
// the service cannot reach the AI Horde. Nil options are the same as the zero value. Popular sends a request at each
// call; errors are those of [Client.Do] and *ResponseDecodeError.
func (s *TextGenerationService) Popular(
	ctx context.Context, options *PopularOptions,
) ([]PopularModel[TextGenerationRecord], error) {
	return popular(ctx, &s.Service, options)
}

func popular[R Record](ctx context.Context, s *Service[R], options *PopularOptions) ([]PopularModel[R], error) {
	if s == nil || s.cache == nil {
		return nil, errClosed
	}
	category := string(s.cache.info.category)
	e := newEndpoint("popular "+category, category, "popular").with(options)
	models, err := getJSON[[]PopularModel[R]](ctx, s.cache.client, e)
	for i := range models {
		if rejected, ok := models[i].Err.(RecordError); ok { //nolint:errorlint // UnmarshalJSON does not wrap it
			rejected.Category = s.cache.info.category
			models[i].Err = rejected
		}
	}
	return models, err
}

// UsageStatistics is how a model is used on the AI Horde now. A field is unset if the AI Horde did not report it, for
// example because no worker serves the model.
type UsageStatistics struct {
	// WorkerCount is the number of workers that serve the model.
	WorkerCount int `json:"worker_count"`
	// QueuedJobs is the number of jobs that are waiting or running.
	QueuedJobs Optional[int64] `json:"queued_jobs,omitzero"`
	// Performance is the speed of its workers, in (mega)pixelsteps or tokens per second.
	Performance Optional[float64] `json:"performance,omitzero"`
	// ETA is the time that the queue would take, in seconds.
	ETA Optional[int64] `json:"eta,omitzero"`
	// Queued is the amount of waiting work, in (mega)pixelsteps or tokens.
	Queued Optional[float64] `json:"queued,omitzero"`
	// Usage counts how often the model was used. It is nil if the model was never used.
	Usage *UsageCounts `json:"usage_stats,omitempty"`
	// Workers are the workers that serve the model, by their ID. It is nil unless the options include workers.
	Workers map[string]WorkerSummary `json:"worker_summaries,omitempty"`
	// BackendVariations is the usage of a text model by backend, for example "canonical" or "koboldcpp". The usage statistics
	// of package api have it if the options include backend variations. Otherwise it is nil.
	BackendVariations map[string]BackendUsage `json:"backend_variations,omitempty"`
}

// UsageCounts counts how often a model was used in the past day, in the past month, and in total.
type UsageCounts struct {
	Day   int64 `json:"day"`
	Month int64 `json:"month"`
	Total int64 `json:"total"`
}

// WorkerSummary is a worker that serves a model.
type WorkerSummary struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Performance is the worker's speed with its unit, as text.
	Performance string `json:"performance"`
	Online      bool   `json:"online"`
	Trusted     bool   `json:"trusted"`
	// Uptime is the total time that the worker was online, in seconds.
	Uptime int64 `json:"uptime"`
}

// BackendUsage is how a text model is used with one backend.
type BackendUsage struct {
	// Backend is the name of the backend, or "canonical" for workers that report the model's name without a backend.
	Backend string `json:"backend"`
	// VariantName is the model's name as workers report it, with the prefix of the backend.
	VariantName string            `json:"variant_name"`
	WorkerCount int               `json:"worker_count"`
	Performance Optional[float64] `json:"performance"`
	Queued      Optional[float64] `json:"queued,omitzero"`
	QueuedJobs  Optional[int64]   `json:"queued_jobs,omitzero"`
	// ETA is the time that the queue would take, in seconds.
	ETA        Optional[int64] `json:"eta,omitzero"`
	UsageDay   int64           `json:"usage_day"`
	UsageMonth int64           `json:"usage_month"`
	UsageTotal int64           `json:"usage_total"`
}
