// The endpoints that count: statistics of a category, use of its models, and which of them may be dropped.

package modelref

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func atStatistics(what string, category Category, more ...string) endpoint {
	return at(what+" "+string(category), append([]string{"model_references", "statistics", string(category)}, more...)...)
}

// StatisticsOptions says what Statistics counts. The zero value counts every model on its own.
type StatisticsOptions struct {
	// GroupTextModels counts the sizes and quantisations of a text model once. Text models alone have groups.
	GroupTextModels bool `url:"group_text_models"`
	// Limit and Offset are taken by the service and returned as they came; today they change no count.
	Limit  int `url:"limit"`
	Offset int `url:"offset"`
}

// CategoryStatistics counts the models of a category.
type CategoryStatistics struct {
	Category Category `json:"category"`
	// TotalModels is the number of models, or of groups where text models were grouped.
	TotalModels    int           `json:"total_models"`
	ReturnedModels int           `json:"returned_models"`
	Offset         int           `json:"offset"`
	Limit          Optional[int] `json:"limit"`
	NSFWCount      int           `json:"nsfw_count"`
	// BaselineDistribution counts the models by baseline.
	BaselineDistribution map[string]BaselineStatistics `json:"baseline_distribution"`
	// DownloadStats counts the files, or is nil where the service has not.
	DownloadStats *DownloadStatistics `json:"download_stats"`
	// TopTags are the tags that most models have, the first the most frequent.
	TopTags []TagStatistics `json:"top_tags"`
	// TopStyles are the styles that most models have, the first the most frequent.
	TopStyles []TagStatistics `json:"top_styles"`
	// ParameterBuckets count text models by size, the smallest first.
	ParameterBuckets       []ParameterBucket `json:"parameter_buckets"`
	ModelsWithoutParamInfo int               `json:"models_without_param_info"`
	ModelsWithTriggerWords int               `json:"models_with_trigger_words"`
	ModelsWithInpainting   int               `json:"models_with_inpainting"`
	ModelsWithRequirements int               `json:"models_with_requirements"`
	ModelsWithShowcases    int               `json:"models_with_showcases"`
	// ComputedAt is when the service counted; it keeps the result for some minutes.
	ComputedAt time.Time `json:"computed_at"`
}

// BaselineStatistics counts the models of one baseline.
type BaselineStatistics struct {
	Baseline string `json:"baseline"`
	Count    int    `json:"count"`
	// Percentage is the part of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// DownloadStatistics counts the files of a category.
type DownloadStatistics struct {
	TotalModelsWithDownloads int   `json:"total_models_with_downloads"`
	TotalDownloadEntries     int   `json:"total_download_entries"`
	TotalSizeBytes           int64 `json:"total_size_bytes"`
	// ModelsWithSizeInfo is how many models TotalSizeBytes and AverageSizeBytes are made from.
	ModelsWithSizeInfo int     `json:"models_with_size_info"`
	AverageSizeBytes   float64 `json:"average_size_bytes"`
	// Hosts counts the files by the host that has them.
	Hosts map[string]int `json:"hosts"`
}

// TagStatistics counts the models of one tag or style.
type TagStatistics struct {
	Tag   string `json:"tag"`
	Count int    `json:"count"`
	// Percentage is the part of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// ParameterBucket counts the text models of one range of sizes.
type ParameterBucket struct {
	// Label is the range for people, as "3B-6B".
	Label string `json:"bucket_label"`
	// MinParams is the least number of parameters, unset for the lowest range.
	MinParams Optional[int64] `json:"min_params"`
	// MaxParams is the number of parameters that the range ends at, unset for the highest.
	MaxParams Optional[int64] `json:"max_params"`
	Count     int             `json:"count"`
	// Percentage is the part of all models, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// Statistics counts the models of a category. nil options are the zero ones. It is a request at each call; errors are
// those of Get, and a category without models is ErrNotFound.
func (c *Client) Statistics(ctx context.Context, category Category, options *StatisticsOptions) (*CategoryStatistics, error) {
	e := atStatistics("statistics", category).with(options)
	return getNamed[*CategoryStatistics](ctx, c, e, "a category", string(category))
}

// UsageSort names what UsageStatistics can be sorted by.
type UsageSort string

// What UsageStatistics can be sorted by. The service takes any other word and leaves the order as it is.
const (
	UsageSortWorkerCount UsageSort = "worker_count"
	UsageSortMonth       UsageSort = "usage_month"
	UsageSortTotal       UsageSort = "usage_total"
	UsageSortName        UsageSort = "name"
)

// UsageOptions says what UsageStatistics returns. The zero value returns every model in the order of the category.
type UsageOptions struct {
	// IncludeWorkers adds who serves each model.
	IncludeWorkers bool `url:"include_workers"`
	// IncludeBackendVariations adds the use of each text model by backend.
	IncludeBackendVariations bool `url:"include_backend_variations"`
	// MinWorkerCount leaves out models with fewer workers. The service counts those that IncludeWorkers adds: without
	// it, today, every model is left out.
	MinWorkerCount Optional[int] `url:"min_worker_count"`
	// SortBy sorts the models, or leaves them in the order of the category where it is "".
	SortBy UsageSort `url:"sort_by"`
	// SortDesc sorts downward, which the service does where it is unset.
	SortDesc Optional[bool] `url:"sort_desc"`
}

// ModelUsage is the use of one model on the AI Horde.
type ModelUsage struct {
	// Name is the model's name.
	Name string `json:"name"`
	UsageStatistics
}

// UsageStatistics is the use of a model on the AI Horde now. What is unset the AI Horde has not reported, as for a
// model that no worker serves.
type UsageStatistics struct {
	// WorkerCount is how many workers serve the model.
	WorkerCount int `json:"worker_count"`
	// QueuedJobs is how many jobs wait or run.
	QueuedJobs Optional[int64] `json:"queued_jobs,omitzero"`
	// Performance is the speed of its workers, in (mega)pixelsteps or tokens a second.
	Performance Optional[float64] `json:"performance,omitzero"`
	// ETA is how long the queue would take, in seconds.
	ETA Optional[int64] `json:"eta,omitzero"`
	// Queued is how much work waits, in (mega)pixelsteps or tokens.
	Queued Optional[float64] `json:"queued,omitzero"`
	// Usage counts how often the model was used, or is nil where it never was.
	Usage *UsageCounts `json:"usage_stats,omitempty"`
	// Workers are those that serve the model, by their id; nil unless they were asked for.
	Workers map[string]WorkerSummary `json:"worker_summaries,omitempty"`
	// BackendVariations are the uses by backend, as "canonical" or "koboldcpp"; nil unless they were asked for.
	BackendVariations map[string]BackendUsage `json:"backend_variations,omitempty"`
}

// UsageCounts counts how often a model was used in the past day, in the past month and ever.
type UsageCounts struct {
	Day   int64 `json:"day"`
	Month int64 `json:"month"`
	Total int64 `json:"total"`
}

// WorkerSummary is one worker that serves a model.
type WorkerSummary struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Performance is the worker's speed with its unit, for people.
	Performance string `json:"performance"`
	Online      bool   `json:"online"`
	Trusted     bool   `json:"trusted"`
	// Uptime is how long the worker has been online in all, in seconds.
	Uptime int64 `json:"uptime"`
}

// BackendUsage is the use of a text model by one backend.
type BackendUsage struct {
	// Backend is the name of the backend, or "canonical" for workers that put none before the model's name.
	Backend string `json:"backend"`
	// VariantName is the model's name as workers report it, with the backend before.
	VariantName string            `json:"variant_name"`
	WorkerCount int               `json:"worker_count"`
	Performance Optional[float64] `json:"performance"`
	Queued      Optional[float64] `json:"queued,omitzero"`
	QueuedJobs  Optional[int64]   `json:"queued_jobs,omitzero"`
	// ETA is how long the queue would take, in seconds.
	ETA        Optional[int64] `json:"eta,omitzero"`
	UsageDay   int64           `json:"usage_day"`
	UsageMonth int64           `json:"usage_month"`
	UsageTotal int64           `json:"usage_total"`
}

// UsageStatistics returns the use of each model of image_generation or text_generation on the AI Horde, in the order
// that was asked for. nil options are the zero ones. It is a request at each call; errors are those of Get. The service
// has no use of other categories and answers them with an *APIError, today with a status of 500, which is tried again
// like every 5xx.
func (c *Client) UsageStatistics(ctx context.Context, category Category, options *UsageOptions) ([]ModelUsage, error) {
	e := atStatistics("usage statistics", category, "with-stats").with(options)
	out, err := getNamed[usageList](ctx, c, e, "a category", string(category))
	return out, err
}

// usageList is an object of statistics by name, in its order.
type usageList []ModelUsage

// UnmarshalJSON reads the object. The service sorts by the order of its fields, so they cannot become a map.
func (l *usageList) UnmarshalJSON(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data), decoding)
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return errors.Join(errors.New("want an object of models"), err)
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

// DeletionRiskPreset names a choice of models that DeletionRisk can return alone.
type DeletionRiskPreset string

// The presets that the service has.
const (
	DeletionRiskCandidates  DeletionRiskPreset = "deletion_candidates"
	DeletionRiskZeroUsage   DeletionRiskPreset = "zero_usage"
	DeletionRiskNoWorkers   DeletionRiskPreset = "no_workers"
	DeletionRiskMissingData DeletionRiskPreset = "missing_data"
	DeletionRiskHostIssues  DeletionRiskPreset = "host_issues"
	DeletionRiskCritical    DeletionRiskPreset = "critical"
	DeletionRiskLowUsage    DeletionRiskPreset = "low_usage"
)

// DeletionRiskPresets returns the presets that the service has.
func DeletionRiskPresets() []DeletionRiskPreset {
	return []DeletionRiskPreset{
		DeletionRiskCandidates, DeletionRiskZeroUsage, DeletionRiskNoWorkers, DeletionRiskMissingData,
		DeletionRiskHostIssues, DeletionRiskCritical, DeletionRiskLowUsage,
	}
}

// Known reports whether p is a preset that this package knows.
func (p DeletionRiskPreset) Known() bool { return slices.Contains(DeletionRiskPresets(), p) }

// DeletionRiskOptions says what DeletionRisk returns. The zero value returns every model.
type DeletionRiskOptions struct {
	// GroupTextModels takes the sizes and quantisations of a text model as one. Text models alone have groups.
	GroupTextModels bool `url:"group_text_models"`
	// IncludeBackendVariations adds the use of each text model by backend, where they are not grouped.
	IncludeBackendVariations bool `url:"include_backend_variations"`
	// Preset returns the models of a choice alone. One that the service does not have is an *APIError with a status of
	// 400.
	Preset DeletionRiskPreset `url:"preset"`
	// Limit is how many models are returned at most; 0 for all.
	Limit int `url:"limit"`
	// Offset is how many models are left out before the first.
	Offset int `url:"offset"`
}

// DeletionRisk says which models of a category may be dropped, and why.
type DeletionRisk struct {
	Category Category `json:"category"`
	// CategoryTotalMonthUsage is how often any model of the category was used in the past month.
	CategoryTotalMonthUsage int64 `json:"category_total_month_usage"`
	// TotalCount is the number of models that the preset chose, before Limit and Offset.
	TotalCount    int                 `json:"total_count"`
	ReturnedCount int                 `json:"returned_count"`
	Offset        int                 `json:"offset"`
	Limit         Optional[int]       `json:"limit"`
	Models        []ModelDeletionRisk `json:"models"`
	Summary       DeletionRiskSummary `json:"summary"`
}

// DeletionRiskSummary counts the models that DeletionRisk looked at, by what speaks against them.
type DeletionRiskSummary struct {
	TotalModels                 int     `json:"total_models"`
	ModelsAtRisk                int     `json:"models_at_risk"`
	ModelsCritical              int     `json:"models_critical"`
	ModelsWithWarnings          int     `json:"models_with_warnings"`
	ModelsWithZeroDayUsage      int     `json:"models_with_zero_day_usage"`
	ModelsWithZeroMonthUsage    int     `json:"models_with_zero_month_usage"`
	ModelsWithZeroTotalUsage    int     `json:"models_with_zero_total_usage"`
	ModelsWithNoActiveWorkers   int     `json:"models_with_no_active_workers"`
	ModelsWithNoDownloads       int     `json:"models_with_no_downloads"`
	ModelsWithNonPreferredHosts int     `json:"models_with_non_preferred_hosts"`
	ModelsWithMultipleHosts     int     `json:"models_with_multiple_hosts"`
	ModelsWithLowUsage          int     `json:"models_with_low_usage"`
	AverageRiskScore            float64 `json:"average_risk_score"`
	CategoryTotalMonthUsage     int64   `json:"category_total_month_usage"`
}

// DeletionRiskFlags are what can speak against a model.
type DeletionRiskFlags struct {
	ZeroUsageDay        bool `json:"zero_usage_day"`
	ZeroUsageMonth      bool `json:"zero_usage_month"`
	ZeroUsageTotal      bool `json:"zero_usage_total"`
	NoActiveWorkers     bool `json:"no_active_workers"`
	HasMultipleHosts    bool `json:"has_multiple_hosts"`
	HasNonPreferredHost bool `json:"has_non_preferred_host"`
	HasUnknownHost      bool `json:"has_unknown_host"`
	NoDownloadURLs      bool `json:"no_download_urls"`
	MissingDescription  bool `json:"missing_description"`
	MissingBaseline     bool `json:"missing_baseline"`
	LowUsage            bool `json:"low_usage"`
}

// ModelDeletionRisk says what speaks against one model, and how it is used.
type ModelDeletionRisk struct {
	Name     string            `json:"name"`
	Category Category          `json:"category"`
	Flags    DeletionRiskFlags `json:"deletion_risk_flags"`
	// AtRisk says that any of the flags is set.
	AtRisk bool `json:"at_risk"`
	// RiskScore is how many of the flags are set.
	RiskScore   int   `json:"risk_score"`
	WorkerCount int   `json:"worker_count"`
	UsageDay    int64 `json:"usage_day"`
	UsageMonth  int64 `json:"usage_month"`
	UsageTotal  int64 `json:"usage_total"`
	// UsageHour and UsageMinute are unset as long as the AI Horde does not report them.
	UsageHour   Optional[int64] `json:"usage_hour"`
	UsageMinute Optional[int64] `json:"usage_minute"`
	// UsagePercentageOfCategory is the part of the category's use in the past month, from 0 to 100.
	UsagePercentageOfCategory float64    `json:"usage_percentage_of_category"`
	UsageTrend                UsageTrend `json:"usage_trend"`
	// CostBenefitScore is the use in the past month for each gigabyte, where the size is known.
	CostBenefitScore Optional[float64] `json:"cost_benefit_score"`
	// SizeGB is the model's size in gigabytes, where it is known.
	SizeGB         Optional[float64] `json:"size_gb"`
	Baseline       string            `json:"baseline"`
	NSFW           Optional[bool]    `json:"nsfw"`
	HasDescription bool              `json:"has_description"`
	DownloadCount  int               `json:"download_count"`
	DownloadHosts  []string          `json:"download_hosts"`
	// BackendVariations are the uses by backend; nil unless they were asked for.
	BackendVariations []BackendUsage `json:"backend_variations"`
	// IsCritical says that the model is hardly used and hardly served.
	IsCritical bool `json:"is_critical"`
	// HasWarning says that there is something about its files or hosts.
	HasWarning bool `json:"has_warning"`
}

// UsageTrend compares the use of a model over time.
type UsageTrend struct {
	// DayToMonthRatio is the use of the past day by that of the past month, unset where that is 0.
	DayToMonthRatio Optional[float64] `json:"day_to_month_ratio"`
	// MonthToTotalRatio is the use of the past month by that ever, unset where that is 0.
	MonthToTotalRatio Optional[float64] `json:"month_to_total_ratio"`
}

// DeletionRisk returns which models of a category may be dropped, and why. nil options are the zero ones. It is a
// request at each call; errors are those of Get.
func (c *Client) DeletionRisk(ctx context.Context, category Category, options *DeletionRiskOptions) (*DeletionRisk, error) {
	e := atStatistics("deletion risk", category, "deletion-risk").with(options)
	return getNamed[*DeletionRisk](ctx, c, e, "a category", string(category))
}
