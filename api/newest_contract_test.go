// This file replays every recorded exchange of the newest service through its method.

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// newestExchange is one exchange with the newest service.
type newestExchange struct {
	recorded
	Headers        map[string]string `json:"headers"`
	RequestHeaders map[string]string `json:"request_headers"`
}

func newestRecordings(t testing.TB, file string) []newestExchange {
	t.Helper()
	var out []newestExchange
	require.NoError(t, json.Unmarshal(corpusFile(t, "newest", "http", file), &out))
	require.NotEmpty(t, out)
	return out
}

// replayNewest serves one recorded exchange, and the targets of its redirects.
func replayNewest(t testing.TB, e newestExchange, all []newestExchange) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, below := strings.CutPrefix(r.RequestURI, "/api/")
		respond := func(e newestExchange) {
			for name, value := range e.Headers {
				if name == "location" {
					_, value, _ = strings.Cut(value, "/api/")
					value = "/api/" + value
				}
				w.Header().Set(name, value)
			}
			if e.ContentType != "" {
				w.Header().Set("Content-Type", e.ContentType)
			}
			w.WriteHeader(e.Status)
			if e.ContentType != "" {
				_, _ = w.Write(e.Body)
			}
		}
		if below && samePath(t, "/"+path, e.Path) {
			assert.Equal(t, e.RequestHeaders["apikey"], r.Header.Get("apikey"))
			respond(e)
			return
		}
		for _, other := range all {
			if e.Status == http.StatusTemporaryRedirect && other.Path == "/"+path {
				respond(other)
				return
			}
		}
		http.Error(w, "nothing is recorded for "+r.RequestURI, http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	return server
}

// samePath reports whether the service treats two paths as the same. It unescapes a path before routing.
func samePath(t testing.TB, a, b string) bool {
	t.Helper()
	unescape := func(raw string) string {
		path, query, _ := strings.Cut(raw, "?")
		path, err := url.PathUnescape(path)
		require.NoError(t, err)
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		return path + "?" + values.Encode()
	}
	return unescape(a) == unescape(b)
}

// newestCall returns the call that must send the request of a recorded exchange.
func newestCall(t testing.TB, path string) call {
	t.Helper()
	below, rawQuery, _ := strings.Cut(strings.TrimPrefix(path, v2), "?")
	q, err := url.ParseQuery(rawQuery)
	require.NoError(t, err)
	if cannotBeTyped(below, q) {
		return rawGet("v2/"+below, q)
	}
	page := modelref.Page{Limit: number(t, q, "limit"), Offset: number(t, q, "offset")}
	filter := modelref.LicenseFilter{
		LicenseID: q.Get("license_id"), CommercialUse: modelref.Permission(q.Get("commercial_use")),
		Redistribution: modelref.Permission(q.Get("redistribution")),
	}
	var segments []string
	for segment := range strings.SplitSeq(below, "/") {
		name, err := url.PathUnescape(segment)
		require.NoError(t, err)
		segments = append(segments, name)
	}
	rest := func(from int) string { return strings.Join(segments[min(from, len(segments)):], "/") }
	return func(ctx context.Context, c *modelref.Client) (any, error) {
		a := New(c)
		switch two := strings.Join(segments[:min(2, len(segments))], "/"); {
		case replayCalls[path] != nil && rest(1) != "pending":
			return replayCalls[path](ctx, c)
		case two == "image_generation/baselines":
			switch name := rest(2); name {
			case "":
				return a.Baselines.List(ctx)
			case "export":
				return a.Baselines.Export(ctx)
			default:
				return a.Baselines.Get(ctx, modelref.Baseline(name))
			}
		case below == "licensing/licenses":
			o := LicenseOptions{Page: page}
			if v := q.Get("include_deprecated"); v != "" {
				o.IncludeDeprecated = modelref.Some(v == "true")
			}
			return a.Licensing.Licenses(ctx, &o)
		case two == "licensing/licenses":
			return a.Licensing.License(ctx, rest(2))
		case below == "licensing/assets":
			return a.Licensing.Assets(ctx, &AssetOptions{
				Kind: AssetKind(q.Get("asset_kind")), Category: modelref.Category(q.Get("category")), LicenseID: filter.LicenseID,
				CommercialUse: filter.CommercialUse, Redistribution: filter.Redistribution,
				NameContains: q.Get("name_contains"), Page: page,
			})
		case two == "licensing/assets":
			return a.Licensing.Asset(ctx, AssetKind(segments[2]), rest(3))
		case two == "licensing/models":
			return a.Licensing.Model(ctx, modelref.Category(segments[2]), rest(3))
		case below == "licensing/summary":
			return a.Licensing.Summary(ctx)
		case two == "text_generation/guidance":
			return guidanceCall(ctx, a.Guidance, rest(2), q)
		case two == "text_generation/group":
			return a.Text.Group(ctx, q.Get("name"))
		case two == "me/roles":
			return a.Roles(ctx)
		case two == "pending_queue/changes":
			return a.PendingQueue.Changes(ctx, nil)
		case below == "search":
			return c.Search(ctx, &modelref.SearchOptions{LicenseFilter: filter, Page: page})
		case rest(1) == "search":
			return newestSearch(ctx, c, segments[0], filter, q, page)
		case rest(1) == "pending":
			reader, err := c.Category(segments[0])
			require.NoError(t, err)
			return Pending(ctx, a, reader)
		case two == "metadata/controlnet":
			at, err := a.Metadata.CategoryLastUpdated(ctx, "controlnet")
			return map[string]any{"category": "controlnet", "last_updated": at}, err
		case len(segments) == 3 && segments[1] == "model":
			return newestModel(ctx, t, c, segments[0], segments[2])
		case len(segments) == 1:
			reader, err := c.Category(below)
			require.NoError(t, err)
			ref, err := reader.Load(ctx)
			return loaded{ref}, err
		}
		t.Fatalf("no call sends the request %s", path)
		return nil, nil
	}
}

// loaded is a category that has been loaded.
type loaded struct {
	*modelref.Reference[modelref.ModelRecord]
}

// cannotBeTyped reports whether the typed methods cannot send a request, because a parameter has another type or is
// absent.
func cannotBeTyped(below string, q url.Values) bool {
	return q.Get("include_deprecated") == "maybe" || q.Get("limit") == "0" ||
		below == "text_generation/guidance/model" && q.Get("name") == "" ||
		below == "text_generation/baselines/" || below == "image_generation/baselines"
}

func number(t testing.TB, q url.Values, name string) int {
	t.Helper()
	if !q.Has(name) {
		return 0
	}
	n, err := strconv.Atoi(q.Get(name))
	require.NoError(t, err)
	return n
}

func guidanceCall(ctx context.Context, g *GuidanceService, rest string, q url.Values) (any, error) {
	switch rest {
	case "profiles":
		return g.Profiles(ctx, &ProfileOptions{IncludeDeprecated: q.Get("include_deprecated") == "true"})
	case "assignments":
		return g.Assignments(ctx, &AssignmentOptions{ModelName: q.Get("model_name"), ProfileID: q.Get("profile_id")})
	case "model":
		return g.ForModel(ctx, q.Get("name"))
	case "export":
		return g.Export(ctx)
	default:
		return g.Profile(ctx, strings.TrimPrefix(rest, "profiles/"))
	}
}

func newestSearch(
	ctx context.Context, c *modelref.Client, category string, filter modelref.LicenseFilter, q url.Values, page modelref.Page,
) (any, error) {
	switch category {
	case "image_generation":
		return c.ImageGeneration.Search(ctx, &modelref.ImageSearchOptions{
			LicenseFilter: filter, NameContains: q.Get("name_contains"), SortBy: q.Get("sort_by"), Page: page,
		})
	case "text_generation":
		return c.TextGeneration.Search(ctx, &modelref.TextSearchOptions{NameContains: q.Get("name_contains"), Page: page})
	default:
		return c.ControlNet.Search(ctx, &modelref.CategorySearchOptions{
			LicenseFilter: filter, SortBy: q.Get("sort_by"), Page: page,
		})
	}
}

func newestModel(ctx context.Context, t testing.TB, c *modelref.Client, category, name string) (any, error) {
	switch category {
	case "image_generation":
		return c.ImageGeneration.FetchRecord(ctx, name)
	case "text_generation":
		return c.TextGeneration.FetchRecord(ctx, name)
	case "lora":
		return c.LoRA.FetchRecord(ctx, name)
	default:
		require.Equal(t, "controlnet", category)
		return c.ControlNet.FetchRecord(ctx, name)
	}
}

func TestEndpointsReturnEveryExchangeOfTheNewestService(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"new_real.json", "new_rich.json", "new_rich_auth.json"} {
		all := newestRecordings(t, file)
		for _, e := range all {
			t.Run(file+e.Path, func(t *testing.T) {
				t.Parallel()
				var options []modelref.Option
				if key := e.RequestHeaders["apikey"]; key != "" {
					options = append(options, modelref.WithAPIKey(key))
				}
				c := clientOf(t, replayNewest(t, e, all), options...)
				got, err := newestCall(t, e.Path)(t.Context(), c)
				if e.Status == http.StatusTemporaryRedirect {
					e = all[1] // the request was repeated
				}
				if e.Status > 299 {
					requireRecordedError(t, e.recorded, err)
					return
				}
				require.NoError(t, err)
				requireNewestBody(t, e.recorded, got)
			})
		}
	}
}

// requireNewestBody compares a result with the body of the response.
func requireNewestBody(t testing.TB, e recorded, got any) {
	t.Helper()
	ref, ok := got.(loaded)
	if !ok {
		if pending, isPending := got.(*modelref.Reference[modelref.ModelRecord]); isPending {
			ref, ok = loaded{pending}, true
		}
	}
	if !ok {
		requireRecordedBody(t, e, got)
		return
	}
	want := parse(t, e.Body).(map[string]any)
	require.Len(t, want, ref.Len())
	for name, record := range ref.All() {
		require.Contains(t, want, name)
		requireCovers(t, canonical(want[name]), canonical(parse(t, encodeResult(t, record))))
	}
}

func TestLicensingExportOfTheNewestService(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"real", "rich"} {
		body := corpusFile(t, "newest", "http", "licensing_export_"+set+".json")
		c := serving(t, respond(http.StatusOK, "application/json", string(body)))
		export, err := New(c).Licensing.Export(t.Context())
		require.NoError(t, err)
		requireRecordedBody(t, recorded{Body: body}, export)
		loaded, err := New(c).Licensing.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, export, loaded)
		assert.Equal(t, export.Summary.TotalAssets, len(export.Assets))
		for _, asset := range export.Assets {
			assert.True(t, asset.Licensing.CommercialUse.Known() && asset.Kind.Known())
			assert.Equal(t, asset.Kind == AssetModel, asset.Metadata == nil)
		}
	}
}

// Load returns the recorded catalogs as Export does.
func TestCachedExportsOfTheNewestService(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, set := range []string{"real", "rich"} {
		for _, e := range newestRecordings(t, "new_"+set+".json") {
			a := New(serving(t, respond(http.StatusOK, "application/json", string(e.Body))))
			switch {
			case strings.HasSuffix(e.Path, "guidance/export"):
				export, err := a.Guidance.Export(t.Context())
				require.NoError(t, err)
				loaded, err := a.Guidance.Load(t.Context())
				require.NoError(t, err)
				assert.Equal(t, export, loaded)
				seen++
			case strings.HasSuffix(e.Path, "baselines/export"):
				export, err := a.Baselines.Export(t.Context())
				require.NoError(t, err)
				loaded, err := a.Baselines.Load(t.Context())
				require.NoError(t, err)
				assert.Equal(t, export, loaded)
				seen++
			}
		}
	}
	assert.GreaterOrEqual(t, seen, 4)
}

func TestPackagedBaselinesAreThoseOfTheNewestService(t *testing.T) {
	t.Parallel()
	for _, e := range newestRecordings(t, "new_real.json") {
		if !strings.HasSuffix(e.Path, "baselines/export") {
			continue
		}
		var served modelref.BaselineCatalog
		require.NoError(t, json.Unmarshal(e.Body, &served))
		packaged := modelref.PackagedBaselines()
		assert.Equal(t, served.Names(), packaged.Names())
		for name, want := range served.Baselines {
			got := packaged.Get(name)
			require.NotNil(t, got, name)
			for _, other := range want.AlternativeNames {
				assert.Same(t, got, packaged.Resolve(other), other)
			}
			want.AlternativeNames = nil
			if len(want.Capabilities.ControlNetTypesUnavailable) == 0 {
				want.Capabilities.ControlNetTypesUnavailable = nil
			}
			copied := *got
			copied.AlternativeNames = nil
			assert.Equal(t, *want, copied)
		}
		return
	}
	t.Fatal("no export is recorded")
}

// An older deployment has none of the new endpoints.
func TestOlderServiceDoesNotSupportTheNewEndpoints(t *testing.T) {
	t.Parallel()
	c := serving(t, respond(http.StatusNotFound, "application/json", `{"detail": "Not Found"}`))
	a := New(c)
	for name, ask := range map[string]func(context.Context) error{
		"baselines":   func(ctx context.Context) error { _, err := a.Baselines.List(ctx); return err },
		"baseline":    func(ctx context.Context) error { _, err := a.Baselines.Get(ctx, "flux_1"); return err },
		"licenses":    func(ctx context.Context) error { _, err := a.Licensing.Licenses(ctx, nil); return err },
		"license":     func(ctx context.Context) error { _, err := a.Licensing.License(ctx, "MIT"); return err },
		"asset":       func(ctx context.Context) error { _, err := a.Licensing.Asset(ctx, AssetOther, "a/b"); return err },
		"profile":     func(ctx context.Context) error { _, err := a.Guidance.Profile(ctx, "chatml"); return err },
		"for model":   func(ctx context.Context) error { _, err := a.Guidance.ForModel(ctx, "a/b"); return err },
		"assignments": func(ctx context.Context) error { _, err := a.Guidance.Assignments(ctx, nil); return err },
	} {
		err := ask(t.Context())
		assert.ErrorIs(t, err, modelref.ErrUnsupported, name)
		assert.ErrorIs(t, err, modelref.ErrNotFound, name)
		var status *modelref.APIError
		assert.True(t, errors.As(err, &status), name)
	}
}
