// The models of a category that may be deleted.

package api

import (
	"context"
	"slices"

	"github.com/haidra-org/modelref"
)

// DeletionRiskPreset is a set of models that StatisticsService.DeletionRisk can return.
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

// Known reports whether p is a preset that this package defines.
func (p DeletionRiskPreset) Known() bool { return slices.Contains(DeletionRiskPresets(), p) }

// DeletionRiskOptions are the options of StatisticsService.DeletionRisk. The zero value returns every model.
type DeletionRiskOptions struct {
	// GroupTextModels treats the sizes and quantizations of a text model as one model. Only text models have groups.
	GroupTextModels bool `url:"group_text_models"`
	// IncludeBackendVariations adds the usage of each text model by backend, if text models are not grouped.
	IncludeBackendVariations bool `url:"include_backend_variations"`
	// Preset returns only the models of a preset. If the service does not have the preset, the error is a
	// *modelref.APIError with a status of 400.
	Preset DeletionRiskPreset `url:"preset"`
	// Page chooses a part of the models. A Limit of 0 returns all of them.
	modelref.Page
}

// DeletionRisk has the models of a category that may be deleted, and the reasons.
type DeletionRisk struct {
	Category modelref.Category `json:"category"`
	// CategoryTotalMonthUsage counts how often all models of the category were used in the past month.
	CategoryTotalMonthUsage int64 `json:"category_total_month_usage"`
	// TotalCount is the number of models of the preset, on all pages.
	TotalCount    int                    `json:"total_count"`
	ReturnedCount int                    `json:"returned_count"`
	Offset        int                    `json:"offset"`
	Limit         modelref.Optional[int] `json:"limit"`
	Models        []ModelDeletionRisk    `json:"models"`
	Summary       DeletionRiskSummary    `json:"summary"`
}

// DeletionRiskSummary counts the models by the reasons to delete them.
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

// DeletionRiskFlags are the reasons to delete a model.
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

// ModelDeletionRisk has the reasons to delete one model, and its usage.
type ModelDeletionRisk struct {
	Name     string            `json:"name"`
	Category modelref.Category `json:"category"`
	Flags    DeletionRiskFlags `json:"deletion_risk_flags"`
	// AtRisk reports whether any of the flags is set.
	AtRisk bool `json:"at_risk"`
	// RiskScore is the number of flags that are set.
	RiskScore   int   `json:"risk_score"`
	WorkerCount int   `json:"worker_count"`
	UsageDay    int64 `json:"usage_day"`
	UsageMonth  int64 `json:"usage_month"`
	UsageTotal  int64 `json:"usage_total"`
	// UsageHour and UsageMinute are unset if the AI Horde does not report them.
	UsageHour   modelref.Optional[int64] `json:"usage_hour"`
	UsageMinute modelref.Optional[int64] `json:"usage_minute"`
	// UsagePercentageOfCategory is the share of the category's usage in the past month, from 0 to 100.
	UsagePercentageOfCategory float64    `json:"usage_percentage_of_category"`
	UsageTrend                UsageTrend `json:"usage_trend"`
	// CostBenefitScore is the usage in the past month per gigabyte. It is unset if the size is unknown.
	CostBenefitScore modelref.Optional[float64] `json:"cost_benefit_score"`
	// SizeGB is the model's size in gigabytes. It is unset if the size is unknown.
	SizeGB         modelref.Optional[float64] `json:"size_gb"`
	Baseline       string                     `json:"baseline"`
	NSFW           modelref.Optional[bool]    `json:"nsfw"`
	HasDescription bool                       `json:"has_description"`
	DownloadCount  int                        `json:"download_count"`
	DownloadHosts  []string                   `json:"download_hosts"`
	// BackendVariations is the usage by backend. It is nil unless the options include backend variations.
	BackendVariations []modelref.BackendUsage `json:"backend_variations"`
	// IsCritical reports whether the model is rarely used and served by few workers.
	IsCritical bool `json:"is_critical"`
	// HasWarning reports whether there is a problem with its files or hosts.
	HasWarning bool `json:"has_warning"`
}

// UsageTrend compares the usage of a model over time.
type UsageTrend struct {
	// DayToMonthRatio is the usage of the past day divided by that of the past month. It is unset if the latter is 0.
	DayToMonthRatio modelref.Optional[float64] `json:"day_to_month_ratio"`
	// MonthToTotalRatio is the usage of the past month divided by the total usage. It is unset if the latter is 0.
	MonthToTotalRatio modelref.Optional[float64] `json:"month_to_total_ratio"`
}

// DeletionRisk returns the models of a category that may be deleted, and the reasons.
func (s *StatisticsService) DeletionRisk(
	ctx context.Context, category modelref.Category, options *DeletionRiskOptions,
) (*DeletionRisk, error) {
	return getStatistics[*DeletionRisk](ctx, s, category, "/deletion-risk", options)
}
