// This file replays every recorded exchange through its method, and checks that every path and parameter in the OpenAPI
// document of the service is covered.

package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// recorded is one exchange with the real service.
type recorded struct {
	Path        string          `json:"path"`
	Status      int             `json:"status"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"body"`
}

func recordings(t testing.TB, file string) []recorded {
	t.Helper()
	var out []recorded
	require.NoError(t, json.Unmarshal(corpusFile(t, "http", file), &out))
	require.NotEmpty(t, out)
	return out
}

// routeKey returns a path with its query in one spelling, for any escaping.
func routeKey(t testing.TB, raw string) string {
	t.Helper()
	path, query, _ := strings.Cut(raw, "?")
	var out strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		require.NoError(t, err)
		out.WriteString("/" + url.QueryEscape(name))
	}
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	return out.String() + "?" + values.Encode()
}

// replay serves only the recorded exchanges, below /api.
func replay(t testing.TB, exchanges []recorded) *httptest.Server {
	t.Helper()
	byRoute := map[string]recorded{}
	for _, e := range exchanges {
		byRoute[routeKey(t, e.Path)] = e
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, below := strings.CutPrefix(r.RequestURI, "/api/")
		e, ok := byRoute[routeKey(t, "/"+path)]
		if !ok || !below {
			http.Error(w, "nothing is recorded for "+r.RequestURI, http.StatusTeapot)
			return
		}
		body := []byte(e.Body)
		if strings.HasPrefix(e.ContentType, "text/") {
			var text string
			_ = json.Unmarshal(e.Body, &text)
			body = []byte(text)
		}
		w.Header().Set("Content-Type", e.ContentType)
		w.WriteHeader(e.Status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server
}

// call sends a request to one endpoint and returns the result in the form in which it is compared.
type call func(ctx context.Context, c *modelref.Client) (any, error)

// under wraps a result in the object that it was taken from.
func under[T any](key string, ask func(context.Context, *modelref.Client) (T, error)) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		out, err := ask(ctx, c)
		return map[string]any{key: out}, err
	}
}

// rawGet sends a request that the typed methods cannot send.
func rawGet(path string, query url.Values) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		var out json.RawMessage
		err := c.GetJSON(ctx, "model_references/"+path, query, &out)
		return out, err
	}
}

// statsByName converts the list of modelref.UsageStatistics back to the object of the response.
func statsByName(list []ModelUsage, err error) (any, error) {
	out := map[string]modelref.UsageStatistics{}
	for _, usage := range list {
		out[usage.Name] = usage.UsageStatistics
	}
	return out, err
}

const (
	v1 = "/model_references/v1/"
	v2 = "/model_references/v2/"
	st = "/model_references/statistics/"
	tg = v2 + "text_generation/"
	ig = v2 + "image_generation/"
)

// replayCalls has the call for each recorded exchange of http/real.json.
var replayCalls = map[string]call{
	"/heartbeat":                 func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Heartbeat(ctx) },
	"/replicate_mode":            func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Capabilities(ctx) },
	v2 + "info":                  under("message", func(ctx context.Context, c *modelref.Client) (string, error) { return New(c).Info(ctx) }),
	v2 + "model_categories":      func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Categories(ctx) },
	v2 + "metadata/metadata":     func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Metadata.All(ctx) },
	v2 + "me/roles":              func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Roles(ctx) },
	v1 + "info":                  under("message", func(ctx context.Context, c *modelref.Client) (string, error) { return New(c).Legacy.Info(ctx) }),
	v1 + "model_categories":      func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Legacy.Categories(ctx) },
	v1 + "clip":                  legacyCategory("clip"),
	v1 + "lora":                  legacyCategory("lora"),
	v1 + "stable_diffusion.json": legacyCategory("stable_diffusion.json"),

	v2 + "metadata/last_updated": under("last_updated", func(ctx context.Context, c *modelref.Client) (time.Time, error) {
		return New(c).Metadata.LastUpdated(ctx)
	}),
	v1 + "metadata/last_updated": under("last_updated", func(ctx context.Context, c *modelref.Client) (time.Time, error) {
		return New(c).Legacy.Metadata.LastUpdated(ctx)
	}),
	v2 + "metadata/image_generation": func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Metadata.Category(ctx, modelref.CategoryImageGeneration)
	},
	v2 + "metadata/image_generation/last_updated": func(ctx context.Context, c *modelref.Client) (any, error) {
		at, err := New(c).Metadata.CategoryLastUpdated(ctx, modelref.CategoryImageGeneration)
		return map[string]any{"category": "image_generation", "last_updated": at}, err
	},
	v2 + "metadata/nope/last_updated": func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Metadata.CategoryLastUpdated(ctx, "nope")
	},
	v2 + "nope": rawGet("v2/nope", nil),

	ig + "model/Deliberate":                        imageModel("Deliberate"),
	ig + "model/Anything%20Diffusion%20Inpainting": imageModel("Anything Diffusion Inpainting"),
	ig + "model/nope":                              imageModel("nope"),
	v2 + "clip/model/ViT-L%2F14":                   func(ctx context.Context, c *modelref.Client) (any, error) { return c.CLIP.FetchRecord(ctx, "ViT-L/14") },
	tg + "model/acrastt%2FMarx-3B-V3":              textModel("acrastt/Marx-3B-V3"),
	ig + "pending": func(ctx context.Context, c *modelref.Client) (any, error) {
		return Pending(ctx, New(c), c.ImageGeneration)
	},
	ig + "search?limit=3":         searchImages(modelref.ImageSearchOptions{Page: modelref.Page{Limit: 3}}),
	ig + "search?inpainting=true": searchImages(modelref.ImageSearchOptions{Inpainting: modelref.Some(true)}),
	ig + "search?tags_any=anime&tags_any=manga&limit=2": searchImages(modelref.ImageSearchOptions{
		Filter: modelref.Filter{TagsAny: []string{"anime", "manga"}},
		Page:   modelref.Page{Limit: 2},
	}),
	ig + "search?nsfw=false&baseline=stable_diffusion_xl&sort_by=size_on_disk_bytes&sort_desc=true&limit=4&offset=2": searchImages(
		modelref.ImageSearchOptions{
			Baseline: "stable_diffusion_xl",
			SortBy:   "size_on_disk_bytes",
			SortDesc: true,
			Filter:   modelref.Filter{NSFW: modelref.Some(false)},
			Page:     modelref.Page{Limit: 4, Offset: 2},
		}),
	ig + "search?limit=501":      searchImages(modelref.ImageSearchOptions{Page: modelref.Page{Limit: 501}}),
	ig + "search?sort_by=nope":   searchImages(modelref.ImageSearchOptions{SortBy: "nope"}),
	v2 + "clip/search?nsfw=true": rawGet("v2/clip/search", url.Values{"nsfw": {"true"}}), // the typed method cannot send this request
	v2 + "nope/search":           rawGet("v2/nope/search", nil),
	tg + "search?name_contains=mistral&sort_by=parameters_count&limit=3": searchTexts(
		modelref.TextSearchOptions{NameContains: "mistral", SortBy: "parameters_count", Page: modelref.Page{Limit: 3}}),
	tg + "search?quantized=true&exclude_backend_variations=true&limit=2": searchTexts(
		modelref.TextSearchOptions{
			Quantized:                modelref.Some(true),
			ExcludeBackendVariations: true,
			Page:                     modelref.Page{Limit: 2},
		}),
	tg + "search?backend=nope": searchTexts(modelref.TextSearchOptions{Backend: "nope"}),
	v2 + "search?name_contains=flux&limit=3": func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.Search(ctx, &modelref.SearchOptions{NameContains: "flux", Page: modelref.Page{Limit: 3}})
	},
	v2 + "search?tags_any=anime&nsfw=false&limit=2&offset=1": func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.Search(ctx, &modelref.SearchOptions{
			Filter: modelref.Filter{TagsAny: []string{"anime"}, NSFW: modelref.Some(false)},
			Page:   modelref.Page{Limit: 2, Offset: 1},
		})
	},

	ig + "popular?limit=3": popularImages(modelref.PopularOptions{Limit: 3}),
	ig + "popular?limit=2&sort_by=usage_month&include_workers=true": popularImages(
		modelref.PopularOptions{Limit: 2, SortBy: modelref.PopularSortUsageMonth, IncludeWorkers: true}),
	ig + "popular?sort_by=nope": popularImages(modelref.PopularOptions{SortBy: "nope"}),
	tg + "popular?limit=2&sort_by=usage_total": func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.TextGeneration.Popular(ctx, &modelref.PopularOptions{Limit: 2, SortBy: modelref.PopularSortUsageTotal})
	},
	v2 + "clip/popular": rawGet("v2/clip/popular", nil), // the typed method cannot send this request

	st + "image_generation": statistics(modelref.CategoryImageGeneration, nil),
	st + "text_generation":  statistics(modelref.CategoryTextGeneration, nil),
	st + "clip":             statistics(modelref.CategoryCLIP, nil),
	st + "text_generation?group_text_models=true&limit=3": statistics(modelref.CategoryTextGeneration,
		&StatisticsOptions{GroupTextModels: true, Page: modelref.Page{Limit: 3}}),
	st + "image_generation/with-stats?min_worker_count=8&sort_by=usage_month&sort_desc=true": usage(modelref.CategoryImageGeneration,
		&UsageOptions{MinWorkerCount: modelref.Some(8), SortBy: UsageSortMonth, SortDesc: modelref.Some(true)}),
	st + "text_generation/with-stats?include_backend_variations=true&min_worker_count=11": usage(modelref.CategoryTextGeneration,
		&UsageOptions{IncludeBackendVariations: true, MinWorkerCount: modelref.Some(11)}),
	st + "clip/with-stats":                        usage(modelref.CategoryCLIP, nil),
	st + "image_generation/deletion-risk?limit=3": deletionRisk(modelref.CategoryImageGeneration, &DeletionRiskOptions{Page: modelref.Page{Limit: 3}}),
	st + "text_generation/deletion-risk?preset=zero_usage&limit=2&group_text_models=true": deletionRisk(modelref.CategoryTextGeneration,
		&DeletionRiskOptions{Preset: DeletionRiskZeroUsage, Page: modelref.Page{Limit: 2}, GroupTextModels: true}),
	st + "text_generation/deletion-risk?include_backend_variations=true&limit=2": deletionRisk(modelref.CategoryTextGeneration,
		&DeletionRiskOptions{IncludeBackendVariations: true, Page: modelref.Page{Limit: 2}}),
	st + "image_generation/deletion-risk?preset=nope": deletionRisk(modelref.CategoryImageGeneration, &DeletionRiskOptions{Preset: "nope"}),

	tg + "parse_name?name=Org/Llama-3-8B-Instruct-Q4_K_M": func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Text.ParseName(ctx, "Org/Llama-3-8B-Instruct-Q4_K_M")
	},
	tg + "groups": under("groups", func(ctx context.Context, c *modelref.Client) ([]string, error) {
		return New(c).Text.Groups(ctx)
	}),
	tg + "group?name=Qwen2.5": func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Text.Group(ctx, "Qwen2.5") },
	tg + "group?name=nope":    func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Text.Group(ctx, "nope") },
	tg + "group/name_schema?name=Qwen2.5": func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Text.NameSchema(ctx, "Qwen2.5")
	},
	tg + "groups/health": func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Text.GroupsHealth(ctx) },
	tg + "distinct_baselines": under("baselines", func(ctx context.Context, c *modelref.Client) ([]string, error) {
		return New(c).Text.Baselines(ctx)
	}),
	tg + "families": under("families", func(ctx context.Context, c *modelref.Client) ([]TextFamily, error) {
		return New(c).Text.Families(ctx)
	}),
	tg + "families/detect?min_prefix_length=5&min_family_size=6": func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Text.DetectFamilies(ctx, &DetectFamiliesOptions{MinPrefixLength: 5, MinFamilySize: 6})
	},
	tg + "families/nope": func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Text.Family(ctx, "nope") },
	tg + "aliases": under("entries", func(ctx context.Context, c *modelref.Client) ([]TextGroupAliases, error) {
		return New(c).Text.Aliases(ctx)
	}),
	tg + "aliases/nope": func(ctx context.Context, c *modelref.Client) (any, error) { return New(c).Text.AliasesOf(ctx, "nope") },
}

// richCalls has the call for each recorded exchange of http/rich.json.
var richCalls = map[string]call{
	ig + "model/search": imageModel("search"),
	ig + "model/%C3%9Cn%C3%AFcode%20%E2%98%83%20%E3%83%A2%E3%83%87%E3%83%AB": imageModel("Ünïcode ☃ モデル"),
	ig + "model/weird%2Fna%20me%3F%23%25%26%2B":                              imageModel("weird/na me?#%&+"),
	tg + "model/Tiny": textModel("Tiny"),
	tg + "search?exclude_backend_variations=true": searchTexts(modelref.TextSearchOptions{ExcludeBackendVariations: true}),
	tg + "search?backend=koboldcpp":               searchTexts(modelref.TextSearchOptions{Backend: modelref.TextBackendKoboldCPP}),
	v2 + "video_generation/search":                func(ctx context.Context, c *modelref.Client) (any, error) { return c.VideoGeneration.Search(ctx, nil) },
	v2 + "lora/search":                            func(ctx context.Context, c *modelref.Client) (any, error) { return c.LoRA.Search(ctx, nil) },
	v2 + "controlnet_annotator/model/openpose": func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.ControlNetAnnotator.FetchRecord(ctx, "openpose")
	},
	v2 + "lora/model/123": func(ctx context.Context, c *modelref.Client) (any, error) { return c.LoRA.FetchRecord(ctx, "123") },
}

func legacyCategory(category modelref.Category) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Legacy.Category(ctx, category)
	}
}

func imageModel(name string) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.ImageGeneration.FetchRecord(ctx, name)
	}
}

func textModel(name string) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return c.TextGeneration.FetchRecord(ctx, name)
	}
}

func searchImages(o modelref.ImageSearchOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) { return c.ImageGeneration.Search(ctx, &o) }
}

func searchTexts(o modelref.TextSearchOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) { return c.TextGeneration.Search(ctx, &o) }
}

func popularImages(o modelref.PopularOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) { return c.ImageGeneration.Popular(ctx, &o) }
}

func statistics(category modelref.Category, o *StatisticsOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Statistics.Category(ctx, category, o)
	}
}

func usage(category modelref.Category, o *UsageOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return statsByName(New(c).Statistics.Usage(ctx, category, o))
	}
}

func deletionRisk(category modelref.Category, o *DeletionRiskOptions) call {
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		return New(c).Statistics.DeletionRisk(ctx, category, o)
	}
}

func TestEndpointsReturnEveryRecordedExchange(t *testing.T) {
	t.Parallel()
	for _, set := range []struct {
		file  string
		calls map[string]call
	}{{"real.json", replayCalls}, {"rich.json", richCalls}} {
		exchanges := recordings(t, set.file)
		c := clientOf(t, replay(t, exchanges))
		unused := map[string]bool{}
		for path := range set.calls {
			unused[path] = true
		}
		for _, e := range exchanges {
			delete(unused, e.Path)
			t.Run(set.file+e.Path, func(t *testing.T) {
				ask, ok := set.calls[e.Path]
				require.True(t, ok, "no call has this recorded exchange")
				got, err := ask(t.Context(), c)
				if e.Status > 299 {
					requireRecordedError(t, e, err)
					return
				}
				require.NoError(t, err)
				requireRecordedBody(t, e, got)
			})
		}
		assert.Empty(t, unused, "calls for exchanges that are not recorded")
	}
}

// withSchedulers replaces the flag "karras" of the requirements by "schedulers", like the decoder of records.
func withSchedulers(record any) any {
	fields, _ := record.(map[string]any)
	requirements, _ := fields["requirements"].(map[string]any)
	flag, ok := requirements["karras"].(bool)
	if !ok {
		return record
	}
	name := "normal"
	if flag {
		name = "karras"
	}
	replaced := maps.Clone(requirements)
	delete(replaced, "karras")
	if replaced["schedulers"] == nil {
		replaced["schedulers"] = []any{name}
	}
	out := maps.Clone(fields)
	out["requirements"] = replaced
	return out
}

// requireRecordedBody encodes a result and compares it with the body of the response, field by field.
func requireRecordedBody(t testing.TB, e recorded, got any) {
	t.Helper()
	encoded := encodeResult(t, got)
	want := canonical(parse(t, e.Body))
	if _, isModel := got.(interface{ DownloadURLs() []string }); isModel {
		// The body of one model has only the stored fields. The record also has the defaults.
		requireCovers(t, withSchedulers(want), canonical(parse(t, encoded)))
		return
	}
	assert.Equal(t, withoutEmpty(want), withoutEmpty(canonical(parse(t, encoded))))
}

// encodeResult encodes a result with times as the service writes them.
func encodeResult(t testing.TB, v any) []byte {
	t.Helper()
	data, err := jsonv2.Marshal(v, jsonv2.WithMarshalers(jsonv2.MarshalToFunc(func(e *jsontext.Encoder, at time.Time) error {
		if at.IsZero() {
			return e.WriteToken(jsontext.Null)
		}
		return e.WriteToken(jsontext.Int(at.Unix()))
	})))
	require.NoError(t, err)
	return data
}

// canonical writes numbers in one spelling, and the number of parameters under one name.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = canonical(inner)
		}
		if n, ok := v["parameters_count"]; ok {
			delete(v, "parameters_count")
			v["parameters"] = n
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case json.Number:
		if n, ok := new(big.Rat).SetString(v.String()); ok {
			return n.RatString()
		}
	}
	return v
}

// requireRecordedError checks that an error has the status and the details of the recorded response.
func requireRecordedError(t testing.TB, e recorded, err error) {
	t.Helper()
	if errors.Is(err, modelref.ErrInvalidQuery) { // the request was not sent, because the service would refuse it
		assert.Equal(t, http.StatusUnprocessableEntity, e.Status)
		return
	}
	var api *modelref.APIError
	require.ErrorAs(t, err, &api)
	assert.Equal(t, e.Status, api.StatusCode)
	assert.Equal(t, e.Status == http.StatusNotFound, errors.Is(err, modelref.ErrNotFound))
	assert.True(t, strings.HasPrefix(err.Error(), "modelref: "), err)
	media, _, mimeErr := mime.ParseMediaType(e.ContentType)
	require.NoError(t, mimeErr)
	assert.Equal(t, media, api.ContentType)
	if media == "text/plain" {
		assert.Equal(t, parse(t, e.Body), api.Detail)
		return
	}
	var body struct {
		Detail json.RawMessage `json:"detail"`
	}
	require.NoError(t, json.Unmarshal(e.Body, &body))
	var text string
	if json.Unmarshal(body.Detail, &text) == nil {
		assert.True(t, strings.HasPrefix(text, strings.TrimSuffix(api.Detail, "…")) && api.Detail != "", api.Detail)
		return
	}
	var list []struct {
		Type, Msg string
		Loc       []string
	}
	require.NoError(t, json.Unmarshal(body.Detail, &list))
	require.Len(t, api.Validation, len(list))
	for i, v := range list {
		assert.Equal(t, modelref.ValidationError{Type: v.Type, Location: strings.Join(v.Loc, "."), Message: v.Msg}, api.Validation[i])
	}
}
