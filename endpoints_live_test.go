// The live test: everything that can be read of a deployment, and what must be true of any data. It writes nothing.

package modelref

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxLiveRequests is how many requests the live test may send, those tried again among them.
const maxLiveRequests = 200

// countingTransport counts requests and refuses those over the limit.
type countingTransport struct{ sent atomic.Int64 }

func (c *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.sent.Add(1) > maxLiveRequests {
		return nil, errors.New("the live test has sent all the requests that it may")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// live is one run against a deployment.
type live struct {
	c   *Client
	key bool // there is an API key
}

func TestLiveEndpoints(t *testing.T) {
	base := os.Getenv("MODELREF_LIVE_URL")
	if base == "" {
		t.Skip("MODELREF_LIVE_URL is not set: no deployment is asked")
	}
	transport := &countingTransport{}
	options := []Option{
		WithPrimaryURL(base), WithoutGitHub(), WithHTTPClient(&http.Client{Transport: transport}), WithTTL(time.Hour),
		WithUserAgent("modelref-go-live-test"), WithRetry(RetryPolicy{MaxAttempts: 2}),
	}
	key := os.Getenv("MODELREF_LIVE_API_KEY")
	if key != "" {
		options = append(options, WithAPIKey(key))
	}
	c, err := New(options...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	l := live{c: c, key: key != ""}
	t.Run("service", l.service)
	t.Run("metadata", l.metadata)
	t.Run("categories", l.categories)
	t.Run("search", l.search)
	t.Run("usage", l.usage)
	t.Run("statistics", l.statistics)
	t.Run("text", l.text)
	t.Run("legacy", l.legacy)
	t.Run("errors", l.errors)
	assert.Less(t, transport.sent.Load(), int64(maxLiveRequests))
	t.Logf("%d requests", transport.sent.Load())
}

// refused skips what a deployment answers with a status that says it has no such thing, or cannot now.
func refused(t *testing.T, what string, err error) bool {
	t.Helper()
	var api *APIError
	if errors.As(err, &api) {
		t.Logf("%s: not on this deployment: %v", what, err)
		return true
	}
	require.NoError(t, err, what)
	return false
}

func (l live) service(t *testing.T) {
	beat, err := l.c.Heartbeat(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, beat.Status)
	able, err := l.c.Capabilities(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, able.ReplicateMode)
	info, err := l.c.Info(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, info)
	if root, err := l.c.Root(t.Context()); err != nil {
		t.Logf("root: a proxy may have a page of its own there: %v", err)
	} else {
		assert.NotEmpty(t, root)
	}
	var raw struct{ Message string }
	require.NoError(t, l.c.Get(t.Context(), "model_references/v2/info", nil, &raw))
	assert.Equal(t, info, raw.Message)
	roles, err := l.c.Roles(t.Context())
	if !l.key {
		requireStatus(t, err, http.StatusForbidden, http.StatusUnauthorized, http.StatusServiceUnavailable)
		return
	}
	require.NoError(t, err)
	assert.NotEmpty(t, roles.UserID)
}

func requireStatus(t *testing.T, err error, statuses ...int) {
	t.Helper()
	var api *APIError
	require.ErrorAs(t, err, &api)
	assert.Contains(t, statuses, api.StatusCode)
}

func (l live) metadata(t *testing.T) {
	for _, m := range []Metadata{l.c.Metadata(), l.c.Legacy().Metadata()} {
		latest, err := m.LastUpdated(t.Context())
		if refused(t, "metadata "+m.version, err) {
			continue
		}
		all, err := m.All(t.Context())
		require.NoError(t, err)
		for category, of := range all {
			assert.Equal(t, category, of.Category)
			assert.False(t, of.LastUpdated.Before(of.InitializationTime), category)
			assert.False(t, latest.Add(time.Hour).Before(of.LastUpdated), "%s: later than the latest", category)
		}
		at, err := m.CategoryLastUpdated(t.Context(), CategoryImageGeneration)
		require.NoError(t, err)
		if one := all[CategoryImageGeneration]; one != nil {
			of, err := m.Category(t.Context(), CategoryImageGeneration)
			require.NoError(t, err)
			assert.Equal(t, one.InitializationTime, of.InitializationTime)
			assert.False(t, at.Before(one.LastUpdated))
		}
	}
}

// categories reads every category, and one record of each on its own.
func (l live) categories(t *testing.T) {
	listed, err := l.c.ModelCategories(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, listed)
	liveCategory(t, &l.c.ImageGeneration.Service)
	liveCategory(t, &l.c.TextGeneration.Service)
	liveCategory(t, &l.c.ControlNet.Service)
	liveCategory(t, &l.c.ControlNetAnnotator.Service)
	liveCategory(t, &l.c.CLIP.Service)
	liveCategory(t, &l.c.BLIP.Service)
	liveCategory(t, &l.c.ESRGAN.Service)
	liveCategory(t, &l.c.GFPGAN.Service)
	liveCategory(t, &l.c.CodeFormer.Service)
	liveCategory(t, &l.c.SafetyChecker.Service)
	liveCategory(t, &l.c.VideoGeneration.Service)
	liveCategory(t, &l.c.AudioGeneration.Service)
	liveCategory(t, &l.c.Miscellaneous.Service)
	liveCategory(t, &l.c.LoRA.Service)
	liveCategory(t, &l.c.TextualInversion.Service)
	if pending, err := l.c.ImageGeneration.Pending(t.Context()); l.key && !refused(t, "pending", err) {
		t.Logf("%d image models are pending", pending.Len())
	} else if !l.key {
		requireStatus(t, err, http.StatusForbidden, http.StatusUnauthorized, http.StatusServiceUnavailable)
	}
}

func liveCategory[R Record](t *testing.T, s *Service[R]) {
	t.Helper()
	ref, err := s.Load(t.Context())
	if refused(t, string(s.Category()), err) {
		return
	}
	assert.Equal(t, OriginPrimary, ref.Origin())
	assert.False(t, ref.Stale())
	for _, rejected := range ref.Rejected() {
		t.Logf("%s: rejected: %v", s.Category(), rejected)
	}
	for name, r := range ref.All() {
		model := any(r).(decodedRecord)
		assert.NotEmpty(t, name)
		assert.NotEmpty(t, model.common().Name)
		assert.True(t, json.Valid([]byte(model.Raw())), name)
	}
	for _, want := range ref.Names()[:min(1, ref.Len())] {
		one, err := s.Model(t.Context(), want)
		if errors.Is(err, ErrNotFound) {
			assert.Contains(t, want, "/", "%v", err)
			continue
		}
		require.NoError(t, err)
		held, _ := ref.Get(want)
		assert.Equal(t, parse(t, []byte(any(held).(decodedRecord).Raw())), parse(t, []byte(any(one).(decodedRecord).Raw())))
	}
}

func (l live) search(t *testing.T) {
	liveSearch(t, &l.c.ImageGeneration.Service)
	liveSearch(t, &l.c.TextGeneration.Service)
	liveSearch(t, &l.c.CLIP.Service)
	liveSearch(t, &l.c.VideoGeneration.Service)
	if _, err := l.c.LoRA.Search(t.Context(), nil); err != nil {
		_ = refused(t, "search lora", err)
	}
	safe, err := l.c.ImageGeneration.Search(t.Context(), &ImageSearchOptions{
		NSFW: Some(false), SortBy: "size_on_disk_bytes", SortDesc: true, Limit: 20,
	})
	require.NoError(t, err)
	largest := int64(1) << 62
	for _, r := range safe.Results {
		assert.False(t, r.NSFW, r.Name)
		if size, ok := r.SizeOnDiskBytes.Get(); ok {
			assert.LessOrEqual(t, size, largest, r.Name)
			largest = size
		}
	}
	texts, err := l.c.TextGeneration.Search(t.Context(), &TextSearchOptions{ExcludeBackendVariations: true, Limit: 500})
	require.NoError(t, err)
	for _, r := range texts.Results {
		assert.NotContains(t, r.Name, TextBackendKoboldCPP.Prefix())
	}
	n := 0
	for r, err := range l.c.SearchAll(t.Context(), &SearchOptions{NameContains: "diffusion", Limit: 20}) {
		require.NoError(t, err)
		assert.True(t, r.RecordType.Known(), r.RecordType)
		if n++; n == 30 {
			break
		}
	}
}

// liveSearch compares the pages of a search for everything with the category.
func liveSearch[R Record](t *testing.T, s *Service[R]) {
	t.Helper()
	ref, err := s.Load(t.Context())
	if refused(t, string(s.Category()), err) || ref.Len() == 0 {
		return
	}
	own := map[string]bool{} // a record's own name may differ from the one that it is filed under
	for _, r := range ref.All() {
		own[any(r).(decodedRecord).common().Name] = true
	}
	found := map[string]bool{}
	for r, err := range s.SearchAll(t.Context(), &CategorySearchOptions{Limit: max(50, ref.Len()/3+1)}) {
		if errors.As(err, new(RecordError)) {
			t.Log(err)
			continue
		}
		if err != nil && refused(t, "search "+string(s.Category()), err) {
			return
		}
		name := any(r).(decodedRecord).common().Name
		assert.False(t, found[name], "%s: found twice", name)
		found[name] = true
		assert.True(t, own[name], "%s: %q is found and not in the category", s.Category(), name)
	}
	assert.NotEmpty(t, found)
}

func (l live) usage(t *testing.T) {
	popular, err := l.c.ImageGeneration.Popular(t.Context(), &PopularOptions{Limit: 5, IncludeWorkers: true})
	require.NoError(t, err)
	assert.LessOrEqual(t, len(popular), 5)
	for i, model := range popular {
		require.NoError(t, model.Err)
		assert.Equal(t, model.Name, model.Record.Name)
		assert.True(t, i == 0 || popular[i-1].Stats.WorkerCount >= model.Stats.WorkerCount, "the ranking")
	}
	texts, err := l.c.TextGeneration.Popular(t.Context(), &PopularOptions{SortBy: PopularSortUsageTotal})
	require.NoError(t, err)
	assert.LessOrEqual(t, len(texts), 10)
	for _, category := range []Category{CategoryImageGeneration, CategoryTextGeneration} {
		usage, err := l.c.UsageStatistics(t.Context(), category, &UsageOptions{SortBy: UsageSortTotal})
		if refused(t, "usage", err) {
			continue
		}
		total := func(u ModelUsage) int64 {
			if u.Usage == nil {
				return 0
			}
			return u.Usage.Total
		}
		assert.True(t, slices.IsSortedFunc(usage, func(a, b ModelUsage) int { return int(total(b) - total(a)) }), "the order")
	}
}

func (l live) statistics(t *testing.T) {
	for _, category := range []Category{CategoryImageGeneration, CategoryTextGeneration, CategoryCLIP} {
		stats, err := l.c.Statistics(t.Context(), category, nil)
		if refused(t, "statistics", err) {
			continue
		}
		assert.Equal(t, category, stats.Category)
		assert.Positive(t, stats.TotalModels)
		assert.False(t, stats.ComputedAt.IsZero())
		for name, of := range stats.BaselineDistribution {
			assert.Equal(t, name, of.Baseline)
			assert.LessOrEqual(t, of.Count, stats.TotalModels)
			assert.InDelta(t, 50, of.Percentage, 50)
		}
	}
	for _, preset := range append(DeletionRiskPresets(), "") {
		risk, err := l.c.DeletionRisk(t.Context(), CategoryImageGeneration, &DeletionRiskOptions{Preset: preset, Limit: 10})
		if refused(t, "deletion risk", err) {
			continue
		}
		assert.Len(t, risk.Models, risk.ReturnedCount)
		assert.LessOrEqual(t, risk.ReturnedCount, min(10, risk.TotalCount))
		for _, model := range risk.Models {
			assert.Equal(t, model.AtRisk, model.RiskScore > 0, model.Name)
		}
	}
}

func (l live) text(t *testing.T) {
	ctx, text := t.Context(), &l.c.TextGeneration
	parsed, err := text.ParseName(ctx, "Org/Llama-3-8B-Instruct-Q4_K_M")
	require.NoError(t, err)
	assert.Equal(t, "8B", parsed.Size)
	assert.Equal(t, "Q4_K_M", parsed.Quant)
	groups, err := text.Groups(ctx)
	require.NoError(t, err)
	if len(groups) > 0 {
		l.textGroup(ctx, t, groups[len(groups)/2])
	}
	summaries, err := text.GroupSummaries(ctx)
	require.NoError(t, err)
	assert.Len(t, summaries.Groups, summaries.TotalGroups)
	health, err := text.GroupsHealth(ctx)
	require.NoError(t, err)
	sum := 0
	for _, n := range health.IssueCountsByType {
		sum += n
	}
	assert.Len(t, health.Issues, sum)
	baselines, err := text.DistinctBaselines(ctx)
	require.NoError(t, err)
	assert.Len(t, slices.Compact(slices.Clone(baselines)), len(baselines))
	found, err := text.DetectFamilies(ctx, &DetectFamiliesOptions{MinFamilySize: 3})
	require.NoError(t, err)
	assert.Equal(t, found.TotalGroupsAnalyzed, found.GroupsInFamilies+found.StandaloneGroups)
	families, err := text.Families(ctx)
	require.NoError(t, err)
	for _, family := range families[:min(1, len(families))] {
		one, err := text.Family(ctx, family.Name)
		require.NoError(t, err)
		assert.Equal(t, family, *one)
	}
	aliases, err := text.Aliases(ctx)
	require.NoError(t, err)
	for _, entry := range aliases[:min(1, len(aliases))] {
		one, err := text.AliasesOf(ctx, entry.Canonical)
		require.NoError(t, err)
		assert.Equal(t, entry, *one)
	}
}

func (l live) textGroup(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	group, err := l.c.TextGeneration.Group(ctx, name)
	require.NoError(t, err)
	assert.Equal(t, name, group.Name)
	assert.Len(t, group.Members, group.CanonicalCount+group.BackendDuplicateCount)
	schema, err := l.c.TextGeneration.NameSchema(ctx, name)
	require.NoError(t, err)
	assert.Equal(t, name, schema.GroupName)
}

func (l live) legacy(t *testing.T) {
	info, err := l.c.Legacy().Info(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, info)
	listed, err := l.c.Legacy().ModelCategories(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, listed)
	clip, err := l.c.Legacy().Category(t.Context(), CategoryCLIP)
	if !refused(t, "v1 clip", err) {
		assert.True(t, json.Valid(clip))
	}
	texts, err := l.c.Legacy().TextGeneration(t.Context(), &LegacyTextOptions{IncludeGroup: true})
	if !refused(t, "v1 text_generation", err) {
		assert.True(t, json.Valid(texts))
	}
}

func (l live) errors(t *testing.T) {
	const nobody = "no model has this name"
	_, err := l.c.CLIP.Model(t.Context(), nobody)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = l.c.CLIP.Get(t.Context(), nobody)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = l.c.TextGeneration.Group(t.Context(), nobody)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = l.c.TextGeneration.AliasesOf(t.Context(), nobody)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = l.c.Statistics(t.Context(), "no_category", nil)
	requireStatus(t, err, http.StatusUnprocessableEntity, http.StatusNotFound)
	_, err = l.c.ImageGeneration.Search(t.Context(), &ImageSearchOptions{Limit: maxSearchLimit + 1})
	requireStatus(t, err, http.StatusUnprocessableEntity)
	_, err = l.c.DeletionRisk(t.Context(), CategoryImageGeneration, &DeletionRiskOptions{Preset: "nope"})
	requireStatus(t, err, http.StatusBadRequest, http.StatusNotFound)
}
