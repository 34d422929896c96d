// This file has the live test. It reads everything from a deployment and checks the properties that all data must have.
// It does not write.

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// maxLiveRequests is the number of requests, including retries, that the live test may send.
const maxLiveRequests = 200

// countingTransport counts requests and rejects requests over the limit.
type countingTransport struct{ sent atomic.Int64 }

func (c *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.sent.Add(1) > maxLiveRequests {
		return nil, errors.New("the live test must not send more requests")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// live is one run against a deployment.
type live struct {
	*API
	c   *modelref.Client
	key bool // the client has an API key
}

func TestLiveEndpoints(t *testing.T) {
	base := os.Getenv("MODELREF_LIVE_URL")
	if base == "" {
		t.Skip("MODELREF_LIVE_URL must be the URL of a deployment")
	}
	runLive(t, base, os.Getenv("MODELREF_LIVE_API_KEY"))
}

func runLive(t *testing.T, base, key string, more ...modelref.Option) {
	t.Helper()
	transport := &countingTransport{}
	options := []modelref.Option{
		modelref.WithPrimaryURL(base), modelref.WithoutGitHub(), modelref.WithTTL(time.Hour),
		modelref.WithHTTPClient(&http.Client{Transport: transport}), modelref.WithUserAgent("modelref-go-live-test"),
		modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 2}),
	}
	if key != "" {
		options = append(options, modelref.WithAPIKey(key))
	}
	c, err := modelref.New(append(options, more...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	l := live{API: New(c), c: c, key: key != ""}
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

// refused reports whether the deployment does not have an endpoint, or temporarily does not have it. For example, a
// replica has no metadata. Any other error fails the test.
func refused(t *testing.T, what string, err error) bool {
	t.Helper()
	var status *modelref.APIError
	if errors.As(err, &status) {
		t.Logf("%s: not on this deployment: %v", what, err)
		return true
	}
	require.NoError(t, err, what)
	return false
}

// requireRefused checks that the error is the one for a request without an API key.
func requireRefused(t *testing.T, err error) {
	t.Helper()
	requireStatus(t, err, http.StatusForbidden, http.StatusUnauthorized, http.StatusNotFound, http.StatusServiceUnavailable)
}

func requireStatus(t *testing.T, err error, statuses ...int) {
	t.Helper()
	var status *modelref.APIError
	require.ErrorAs(t, err, &status)
	assert.Contains(t, statuses, status.StatusCode)
}

func (l live) service(t *testing.T) {
	beat, err := l.Heartbeat(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, beat.Status)
	able, err := l.Capabilities(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, able.ReplicateMode)
	info, err := l.Info(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, info)
	if root, err := l.Root(t.Context()); err != nil {
		t.Logf("root: a proxy may respond with its own page: %v", err)
	} else {
		assert.NotEmpty(t, root)
	}
	var raw struct{ Message string }
	require.NoError(t, l.c.GetJSON(t.Context(), "model_references/v2/info", nil, &raw))
	assert.Equal(t, info, raw.Message)
	roles, err := l.Roles(t.Context())
	if !l.key {
		requireRefused(t, err)
	} else if !refused(t, "roles", err) {
		assert.NotEmpty(t, roles.UserID)
	}
}

func (l live) metadata(t *testing.T) {
	for _, m := range []*MetadataService{l.Metadata, l.Legacy.Metadata} {
		latest, err := m.LastUpdated(t.Context())
		if refused(t, "metadata "+m.version, err) {
			continue
		}
		all, err := m.All(t.Context())
		if refused(t, "metadata of all categories "+m.version, err) {
			continue
		}
		for category, of := range all {
			assert.Equal(t, category, of.Category)
			assert.False(t, of.LastUpdated.Before(of.InitializationTime), category)
			assert.False(t, latest.Add(time.Hour).Before(of.LastUpdated), "%s: later than the latest", category)
		}
		at, err := m.CategoryLastUpdated(t.Context(), modelref.CategoryImageGeneration)
		one := all[modelref.CategoryImageGeneration]
		if refused(t, "last updated "+m.version, err) || one == nil {
			continue
		}
		of, err := m.Category(t.Context(), modelref.CategoryImageGeneration)
		require.NoError(t, err)
		assert.Equal(t, one.InitializationTime, of.InitializationTime)
		assert.False(t, at.Before(one.LastUpdated))
	}
}

// categories loads every category, and requests one record of each.
func (l live) categories(t *testing.T) {
	listed, err := l.Categories(t.Context())
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
	pending, err := Pending(t.Context(), l.API, l.c.ImageGeneration)
	if !l.key {
		requireRefused(t, err)
	} else if !refused(t, "pending", err) {
		t.Logf("%d image models are pending", pending.Len())
	}
}

func liveCategory[R modelref.Record](t *testing.T, s *modelref.Service[R]) {
	t.Helper()
	ref, err := s.Load(t.Context())
	if refused(t, string(s.Category()), err) {
		return
	}
	assert.Equal(t, modelref.SourcePrimary, ref.Source())
	assert.False(t, ref.Stale())
	for _, rejected := range ref.Rejected() {
		t.Logf("%s: rejected: %v", s.Category(), rejected)
	}
	for name, r := range ref.All() {
		assert.NotEmpty(t, name)
		assert.NotEmpty(t, nameOf(r))
	}
	for _, want := range ref.Names()[:min(1, ref.Len())] {
		one, err := s.FetchRecord(t.Context(), want)
		if errors.Is(err, modelref.ErrNotFound) {
			assert.Contains(t, want, "/", "%v", err)
			continue
		}
		require.NoError(t, err)
		held, _ := ref.Get(want)
		assert.Equal(t, encoded(t, held), encoded(t, one))
	}
}

// nameOf returns the name in the record. It may differ from the name of the record in the document.
func nameOf(record any) string { return reflect.ValueOf(record).Elem().FieldByName("Name").String() }

func encoded(t *testing.T, record any) any {
	t.Helper()
	data, err := json.Marshal(record)
	require.NoError(t, err)
	return parse(t, data)
}

func (l live) search(t *testing.T) {
	liveSearch(t, &l.c.ImageGeneration.Service)
	liveSearch(t, &l.c.TextGeneration.Service)
	liveSearch(t, &l.c.CLIP.Service)
	liveSearch(t, &l.c.VideoGeneration.Service)
	if _, err := l.c.LoRA.Search(t.Context(), nil); err != nil {
		_ = refused(t, "search lora", err)
	}
	safe, err := l.c.ImageGeneration.Search(t.Context(), &modelref.ImageSearchOptions{
		SortBy:   "size_on_disk_bytes",
		SortDesc: true,
		Filter:   modelref.Filter{NSFW: modelref.Some(false)},
		Page:     modelref.Page{Limit: 20},
	})
	if refused(t, "search", err) {
		return
	}
	largest := int64(1) << 62
	for _, r := range safe.Results {
		assert.False(t, r.NSFW, r.Name)
		if size, ok := r.SizeOnDiskBytes.Get(); ok {
			assert.LessOrEqual(t, size, largest, r.Name)
			largest = size
		}
	}
	texts, err := l.c.TextGeneration.Search(t.Context(), &modelref.TextSearchOptions{
		ExcludeBackendVariations: true, Page: modelref.Page{Limit: 500},
	})
	require.NoError(t, err)
	for _, r := range texts.Results {
		assert.NotContains(t, r.Name, modelref.TextBackendKoboldCPP.Prefix())
	}
	options := &modelref.SearchOptions{NameContains: "diffusion", Page: modelref.Page{Limit: 20}}
	n := 0
	for r, err := range l.c.SearchAll(t.Context(), options) {
		require.NoError(t, err)
		assert.True(t, r.RecordType.Known(), r.RecordType)
		if n++; n == 30 {
			break
		}
	}
}

// liveSearch compares the pages of a search without conditions with the category.
func liveSearch[R modelref.Record](t *testing.T, s *modelref.Service[R]) {
	t.Helper()
	ref, err := s.Load(t.Context())
	if refused(t, string(s.Category()), err) || ref.Len() == 0 {
		return
	}
	own := map[string]bool{}
	for _, r := range ref.All() {
		own[nameOf(r)] = true
	}
	found := map[string]bool{}
	options := &modelref.CategorySearchOptions{Page: modelref.Page{Limit: max(50, ref.Len()/3+1)}}
	for r, err := range s.SearchAll(t.Context(), options) {
		if errors.As(err, new(modelref.RecordError)) {
			t.Log(err)
			continue
		}
		if err != nil && refused(t, "search "+string(s.Category()), err) {
			return
		}
		name := nameOf(r)
		assert.False(t, found[name], "%s: found twice", name)
		found[name] = true
		assert.True(t, own[name], "%s: %q is found but is not in the category", s.Category(), name)
	}
	assert.NotEmpty(t, found)
}

func (l live) usage(t *testing.T) {
	popular, err := l.c.ImageGeneration.Popular(t.Context(), &modelref.PopularOptions{Limit: 5, IncludeWorkers: true})
	_ = refused(t, "popular", err)
	assert.LessOrEqual(t, len(popular), 5)
	for i, model := range popular {
		require.NoError(t, model.Err)
		assert.Equal(t, model.Name, model.Record.Name)
		assert.True(t, i == 0 || popular[i-1].Stats.WorkerCount >= model.Stats.WorkerCount, "the ranking")
	}
	texts, err := l.c.TextGeneration.Popular(t.Context(), &modelref.PopularOptions{SortBy: modelref.PopularSortUsageTotal})
	_ = refused(t, "popular", err)
	assert.LessOrEqual(t, len(texts), 10)
	for _, category := range []modelref.Category{modelref.CategoryImageGeneration, modelref.CategoryTextGeneration} {
		usage, err := l.Statistics.Usage(t.Context(), category, &UsageOptions{SortBy: UsageSortTotal})
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
	for _, category := range []modelref.Category{
		modelref.CategoryImageGeneration, modelref.CategoryTextGeneration, modelref.CategoryCLIP,
	} {
		stats, err := l.Statistics.Category(t.Context(), category, nil)
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
		options := &DeletionRiskOptions{Preset: preset, Page: modelref.Page{Limit: 10}}
		risk, err := l.Statistics.DeletionRisk(t.Context(), modelref.CategoryImageGeneration, options)
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
	ctx := t.Context()
	parsed, err := l.Text.ParseName(ctx, "Org/Llama-3-8B-Instruct-Q4_K_M")
	if !refused(t, "parse name", err) {
		assert.Equal(t, "8B", parsed.Size)
		assert.Equal(t, "Q4_K_M", parsed.Quant)
	}
	groups, err := l.Text.Groups(ctx)
	if !refused(t, "groups", err) && len(groups) > 0 {
		l.textGroup(ctx, t, groups[len(groups)/2])
	}
	summaries, err := l.Text.GroupSummaries(ctx)
	if !refused(t, "group summaries", err) {
		assert.Len(t, summaries.Groups, summaries.TotalGroups)
	}
	health, err := l.Text.GroupsHealth(ctx)
	if !refused(t, "groups health", err) {
		sum := 0
		for _, n := range health.IssueCountsByType {
			sum += n
		}
		assert.Len(t, health.Issues, sum)
	}
	baselines, err := l.Text.Baselines(ctx)
	if !refused(t, "baselines", err) {
		assert.Len(t, slices.Compact(slices.Clone(baselines)), len(baselines))
	}
	l.textFamilies(ctx, t)
}

func (l live) textGroup(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	group, err := l.Text.Group(ctx, name)
	if !refused(t, "group", err) {
		assert.Equal(t, name, group.Name)
		assert.Len(t, group.Members, group.CanonicalCount+group.BackendDuplicateCount)
	}
	schema, err := l.Text.NameSchema(ctx, name)
	if !refused(t, "name schema", err) {
		assert.Equal(t, name, schema.GroupName)
	}
}

func (l live) textFamilies(ctx context.Context, t *testing.T) {
	t.Helper()
	found, err := l.Text.DetectFamilies(ctx, &DetectFamiliesOptions{MinFamilySize: 3})
	if !refused(t, "detect families", err) {
		assert.Equal(t, found.TotalGroupsAnalyzed, found.GroupsInFamilies+found.StandaloneGroups)
	}
	families, err := l.Text.Families(ctx)
	_ = refused(t, "families", err)
	for _, family := range families[:min(1, len(families))] {
		one, err := l.Text.Family(ctx, family.Name)
		require.NoError(t, err)
		assert.Equal(t, family, *one)
	}
	aliases, err := l.Text.Aliases(ctx)
	_ = refused(t, "aliases", err)
	for _, entry := range aliases[:min(1, len(aliases))] {
		one, err := l.Text.AliasesOf(ctx, entry.Canonical)
		require.NoError(t, err)
		assert.Equal(t, entry, *one)
	}
}

func (l live) legacy(t *testing.T) {
	info, err := l.Legacy.Info(t.Context())
	if !refused(t, "v1 info", err) {
		assert.NotEmpty(t, info)
	}
	listed, err := l.Legacy.Categories(t.Context())
	if !refused(t, "v1 categories", err) {
		assert.NotEmpty(t, listed)
	}
	clip, err := l.Legacy.Category(t.Context(), modelref.CategoryCLIP)
	if !refused(t, "v1 clip", err) {
		assert.True(t, json.Valid(clip))
	}
	texts, err := l.Legacy.TextGeneration(t.Context(), &LegacyTextOptions{IncludeGroup: true})
	if !refused(t, "v1 text_generation", err) {
		assert.True(t, json.Valid(texts))
	}
}

func (l live) errors(t *testing.T) {
	const nobody = "no model has this name"
	notFound := []int{http.StatusNotFound, http.StatusServiceUnavailable}
	_, err := l.c.CLIP.FetchRecord(t.Context(), nobody)
	requireStatus(t, err, notFound...)
	_, err = l.c.CLIP.Get(t.Context(), nobody)
	require.ErrorIs(t, err, modelref.ErrNotFound)
	_, err = l.Text.Group(t.Context(), nobody)
	requireStatus(t, err, notFound...)
	_, err = l.Text.AliasesOf(t.Context(), nobody)
	requireStatus(t, err, notFound...)
	_, err = l.Statistics.Category(t.Context(), "no_category", nil)
	requireStatus(t, err, append(notFound, http.StatusUnprocessableEntity)...)
	_, err = l.c.ImageGeneration.Search(t.Context(), &modelref.ImageSearchOptions{Page: modelref.Page{Limit: 501}})
	requireStatus(t, err, append(notFound, http.StatusUnprocessableEntity)...)
	_, err = l.Statistics.DeletionRisk(t.Context(), modelref.CategoryImageGeneration, &DeletionRiskOptions{Preset: "nope"})
	requireStatus(t, err, append(notFound, http.StatusBadRequest)...)
}

// replica responds like a deployment that has a copy of the categories but not the endpoints of a PRIMARY.
func replica(w http.ResponseWriter, r *http.Request) {
	const record = `{"name": "one", "baseline": "flux_1", "nsfw": false}`
	response := respond(http.StatusServiceUnavailable, "application/json", `{"detail": "This is a replica"}`)
	ok := func(text string) http.HandlerFunc { return respond(http.StatusOK, "application/json", text) }
	path := strings.TrimPrefix(r.URL.Path, "/api/")
	if category, found := strings.CutPrefix(path, "model_references/v2/"); found && modelref.Category(category).Known() {
		response = ok(`{}`)
	}
	switch path {
	case "heartbeat":
		response = ok(`{"status": "ok", "ai_horde": {"degraded": true, "consecutive_failures": 2}}`)
	case "replicate_mode":
		response = ok(`"REPLICA"`)
	case "model_references/v2/info":
		response = ok(`{"message": "a replica"}`)
	case "model_references/v2/model_categories":
		response = ok(`["image_generation"]`)
	case "model_references/v2/image_generation":
		response = ok(`{"one": ` + record + `}`)
	case "model_references/v2/image_generation/model/one":
		response = ok(record)
	}
	response(w, r)
}

func TestLiveEndpointsOfAReplica(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(replica))
	t.Cleanup(server.Close)
	runLive(t, server.URL+"/api", "", modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}))
}
