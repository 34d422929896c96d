// The statistics of a category, and the usage of its models.

package api

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref"
)

// StatisticsService counts the models of a category and their usage, and finds the models that may be deleted.
type StatisticsService service

// getStatistics sends a request to an endpoint of the statistics of a category.
func getStatistics[T any](
	ctx context.Context, s *StatisticsService, category modelref.Category, endpoint string, options any,
) (T, error) {
	if err := checkCategory(category); err != nil {
		var zero T
		return zero, err
	}
	path := "model_references/statistics/" + joinPath(string(category)) + endpoint
	return get[T](ctx, (*service)(s).conn(), path, options)
}

// StatisticsOptions are the options of StatisticsService.Category. The zero value counts every model separately.
type StatisticsOptions struct {
	// GroupTextModels counts the sizes and quantizations of a text model once. Only text models have groups.
	GroupTextModels bool `url:"group_text_models"`
	// Page is returned unchanged by the service. Today it does not change any count.
	modelref.Page
}

// CategoryStatistics counts the models of a category.
type CategoryStatistics struct {
	Category modelref.Category `json:"category"`
	// TotalModels is the number of models, or of groups if text models are grouped.
	TotalModels    int                    `json:"total_models"`
	ReturnedModels int                    `json:"returned_models"`
	Offset         int                    `json:"offset"`
	Limit          modelref.Optional[int] `json:"limit"`
	NSFWCount      int                    `json:"nsfw_count"`
	// BaselineDistribution counts the models by baseline.
	BaselineDistribution map[string]BaselineStatistics `json:"baseline_distribution"`
	// DownloadStats counts the files. It is nil if the service does not count them.
	DownloadStats *DownloadStatistics `json:"download_stats"`
	// TopTags are the most frequent tags, the most frequent first.
	TopTags []TagStatistics `json:"top_tags"`
	// TopStyles are the most frequent styles, the most frequent first.
	TopStyles []TagStatistics `json:"top_styles"`
	// ParameterBuckets counts text models by size, the smallest first.
	ParameterBuckets       []ParameterBucket `json:"parameter_buckets"`
	ModelsWithoutParamInfo int               `json:"models_without_param_info"`
	ModelsWithTriggerWords int               `json:"models_with_trigger_words"`
	ModelsWithInpainting   int               `json:"models_with_inpainting"`
	ModelsWithRequirements int               `json:"models_with_requirements"`
	ModelsWithShowcases    int               `json:"models_with_showcases"`
	// ComputedAt is the time when the service counted. It caches the result for some minutes.
	ComputedAt time.Time `json:"computed_at"`
}

// BaselineStatistics counts the models of one baseline.
type BaselineStatistics struct {
	Baseline string `json:"baseline"`
	Count    int    `json:"count"`
	// Percentage is the share of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// DownloadStatistics counts the files of a category.
type DownloadStatistics struct {
	TotalModelsWithDownloads int   `json:"total_models_with_downloads"`
	TotalDownloadEntries     int   `json:"total_download_entries"`
	TotalSizeBytes           int64 `json:"total_size_bytes"`
	// ModelsWithSizeInfo is the number of models that TotalSizeBytes and AverageSizeBytes are computed from.
	ModelsWithSizeInfo int     `json:"models_with_size_info"`
	AverageSizeBytes   float64 `json:"average_size_bytes"`
	// Hosts counts the files by host.
	Hosts map[string]int `json:"hosts"`
}

// TagStatistics counts the models of one tag or style.
type TagStatistics struct {
	Tag   string `json:"tag"`
	Count int    `json:"count"`
	// Percentage is the share of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// ParameterBucket counts the text models of one range of sizes.
type ParameterBucket struct {
	// Label is the range as text, for example "3B-6B".
	Label string `json:"bucket_label"`
	// MinParams is the smallest number of parameters in the range. It is unset for the lowest range.
	MinParams modelref.Optional[int64] `json:"min_params"`
	// MaxParams is the end of the range. It is unset for the highest range.
	MaxParams modelref.Optional[int64] `json:"max_params"`
	Count     int                      `json:"count"`
	// Percentage is the share of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// Category counts the models of a category. If the category has no models, the error is ErrNotFound.
func (s *StatisticsService) Category(
	ctx context.Context, category modelref.Category, options *StatisticsOptions,
) (*CategoryStatistics, error) {
	return getStatistics[*CategoryStatistics](ctx, s, category, "", options)
}

// UsageSort is an order of StatisticsService.Usage.
type UsageSort string

// The orders that the service has. It accepts any other value, and then does not sort.
const (
	UsageSortWorkerCount UsageSort = "worker_count"
	UsageSortMonth       UsageSort = "usage_month"
	UsageSortTotal       UsageSort = "usage_total"
	UsageSortName        UsageSort = "name"
)

// UsageOptions are the options of StatisticsService.Usage. The zero value returns every model, in the order of the
// category.
type UsageOptions struct {
	// IncludeWorkers adds the workers that serve each model.
	IncludeWorkers bool `url:"include_workers"`
	// IncludeBackendVariations adds the usage of each text model by backend.
	IncludeBackendVariations bool `url:"include_backend_variations"`
	// MinWorkerCount leaves out models with fewer workers. The service counts the workers that IncludeWorkers adds:
	// without IncludeWorkers, today, every model is left out.
	MinWorkerCount modelref.Optional[int] `url:"min_worker_count"`
	// SortBy is the order of the models. "" is the order of the category.
	SortBy UsageSort `url:"sort_by"`
	// SortDesc sorts in descending order (true, the default of the service) or in ascending order (false).
	SortDesc modelref.Optional[bool] `url:"sort_desc"`
}

// ModelUsage is how one model is used on the AI Horde.
type ModelUsage struct {
	// Name is the model's name.
	Name string `json:"name"`
	modelref.UsageStatistics
}

// Usage returns how each model of image_generation or text_generation is used on the AI Horde, in the requested order.
// The service has no usage of other categories. For those the error is a *modelref.APIError, today with a status of 500,
// which is retried as every 5xx.
func (s *StatisticsService) Usage(
	ctx context.Context, category modelref.Category, options *UsageOptions,
) ([]ModelUsage, error) {
	return getStatistics[usageList](ctx, s, category, "/with-stats", options)
}

// usageList is an object of statistics by name, in the order of the object.
type usageList []ModelUsage

// UnmarshalJSON decodes the object. A map would lose the order in which the service has sorted the models.
func (l *usageList) UnmarshalJSON(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data), decoding)
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return errors.Join(errors.New("must be an object of models"), err)
	}
	*l = usageList{}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		usage := ModelUsage{Name: name.String()}
		if err := json.UnmarshalDecode(d, &usage.UsageStatistics, decoding); err != nil {
			return err
		}
		*l = append(*l, usage)
	}
	return nil
}
