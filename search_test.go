// This file tests Search, Popular, Model and LastUpdated with invented responses.

package modelref

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering returns a Client of a server with the handler.
func answering(t *testing.T, answer http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return endpointClient(t, server, options...)
}

// says returns a handler with the same response to every request.
func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// pages serves n CLIP models in pages and records the queries.
type pages struct {
	n        int
	requests []string
	answer   func(offset, limit int) string // replaces page if it is not nil
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests = append(p.requests, r.URL.RawQuery)
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	w.Header().Set("Content-Type", "application/json")
	if p.answer != nil {
		_, _ = io.WriteString(w, p.answer(offset, limit))
		return
	}
	_, _ = io.WriteString(w, p.page(offset, limit))
}

func (p *pages) page(offset, limit int) string {
	results := []string{}
	for i := offset; i < min(offset+limit, p.n); i++ {
		results = append(results, fmt.Sprintf(`{"name": "m%d"}`, i))
	}
	return fmt.Sprintf(`{"results": [%s], "total": %d, "offset": %d, "limit": %d, "has_more": %t}`,
		strings.Join(results, ","), p.n, offset, limit, offset+limit < p.n)
}

func TestSearchAllPages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		n, limit, offset int
		requests         []string
	}{
		"one page":     {n: 3, requests: []string{"limit=500"}},
		"none":         {n: 0, requests: []string{"limit=500"}},
		"three pages":  {n: 5, limit: 2, requests: []string{"limit=2", "limit=2&offset=2", "limit=2&offset=4"}},
		"exact pages":  {n: 4, limit: 2, requests: []string{"limit=2", "limit=2&offset=2"}},
		"not at first": {n: 5, limit: 2, offset: 3, requests: []string{"limit=2&offset=3"}},
		"past the end": {n: 5, limit: 2, offset: 9, requests: []string{"limit=2&offset=9"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &pages{n: test.n}
			c := answering(t, server.ServeHTTP)
			options := &CategorySearchOptions{Page: Page{Limit: test.limit, Offset: test.offset}}
			all := c.CLIP.SearchAll(t.Context(), options)
			for range 2 { // the sequence can be iterated again
				server.requests = nil
				next := test.offset
				for record, err := range all {
					require.NoError(t, err)
					assert.Equal(t, fmt.Sprintf("m%d", next), record.Name)
					assert.Equal(t, CategoryCLIP, record.RecordType)
					next++
				}
				assert.Equal(t, max(test.n, test.offset), next)
				assert.Equal(t, test.requests, server.requests)
			}
			assert.Equal(t, CategorySearchOptions{Page: Page{Limit: test.limit, Offset: test.offset}}, *options, "written to")
		})
	}
}

func TestSearchAcceptsOtherNamesOfBaselines(t *testing.T) {
	t.Parallel()
	p := &pages{}
	client := answering(t, p.ServeHTTP)
	for _, name := range []Baseline{"SDXL", "stable diffusion 1", "flux_1", "brand new"} {
		_, err := client.ImageGeneration.Search(t.Context(), &ImageSearchOptions{Baseline: name})
		require.NoError(t, err)
	}
	assert.Equal(t, []string{
		"baseline=stable_diffusion_xl", "baseline=stable_diffusion_1", "baseline=flux_1", "baseline=brand+new",
	}, p.requests)
}

func TestSearchAllStopsWithTheLoop(t *testing.T) {
	t.Parallel()
	server := &pages{n: 100}
	c := answering(t, server.ServeHTTP)
	for record, err := range c.CLIP.SearchAll(t.Context(), &CategorySearchOptions{Page: Page{Limit: 10}}) {
		require.NoError(t, err)
		if record.Name == "m14" {
			break
		}
	}
	assert.Equal(t, []string{"limit=10", "limit=10&offset=10"}, server.requests)
}

func TestSearchAllEndsOnRepeatedPages(t *testing.T) {
	t.Parallel()
	honest := &pages{n: 100}
	for name, test := range map[string]struct {
		answer func(offset, limit int) string
		names  int
		failed bool
	}{
		"the offset is ignored": {
			func(_, limit int) string { return honest.page(0, limit) }, 10, true,
		},
		"the offset is echoed and ignored": {
			func(offset, limit int) string {
				return strings.Replace(honest.page(0, limit), `"offset": 0`, fmt.Sprintf(`"offset": %d`, offset), 1)
			}, 10, true,
		},
		"records are missing between pages": {
			func(offset, limit int) string { return honest.page(offset+min(offset, 1), limit) }, 10, true,
		},
		"two pages alternate": {
			func(offset, limit int) string {
				page := honest.page(offset/limit%2*limit, limit)
				return strings.Replace(page, fmt.Sprintf(`"offset": %d`, offset/limit%2*limit), fmt.Sprintf(`"offset": %d`, offset), 1)
			}, 20, true,
		},
		"an empty page is not the last": {
			func(offset, limit int) string {
				if offset > 0 {
					return fmt.Sprintf(`{"results": [], "total": 100, "offset": %d, "limit": 10, "has_more": true}`, offset)
				}
				return honest.page(offset, limit)
			}, 10, false,
		},
		"a page fails": {
			func(offset, limit int) string {
				if offset > 0 {
					return `{"detail": "no page"}`
				}
				return honest.page(offset, limit)
			}, 10, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &pages{answer: test.answer}
			c := answering(t, server.ServeHTTP)
			names, errs := 0, []error(nil)
			for record, err := range c.CLIP.SearchAll(t.Context(), &CategorySearchOptions{Page: Page{Limit: 10}}) {
				if err != nil {
					assert.Nil(t, record)
					errs = append(errs, err)
					continue
				}
				names++
			}
			assert.Equal(t, test.names, names)
			assert.LessOrEqual(t, len(server.requests), 3)
			if test.failed {
				require.Len(t, errs, 1)
				assert.ErrorContains(t, errs[0], "modelref: search clip: ")
				assert.NotErrorAs(t, errs[0], new(RecordError))
			} else {
				assert.Empty(t, errs)
			}
		})
	}
}

func TestSearchReturnsTheOtherRecordsOfAPageWithAnInvalidRecord(t *testing.T) {
	t.Parallel()
	const page = `{"results": [{"name": "good", "nsfw": false, "baseline": "flux_1"}, {"name": "bad"}, 7,
		{"name": "fine", "nsfw": true, "baseline": "flux_1", "size_on_disk_bytes": 5.0}],
		"total": 4.0, "offset": 0, "limit": 50, "has_more": false, "later": {}}`
	c := answering(t, says(http.StatusOK, "application/json", page))
	result, err := c.ImageGeneration.Search(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, result.Results, 2)
	assert.Equal(t, 4, result.Total)
	assert.Equal(t, Some[int64](5), result.Results[1].SizeOnDiskBytes)
	require.Len(t, result.Rejected, 2)
	assert.Equal(t, CategoryImageGeneration, result.Rejected[0].Category)
	assert.Equal(t, "bad", result.Rejected[0].Name)
	assert.Contains(t, result.Rejected[0].Reason, "baseline")

	var names []string
	var rejected RecordError
	for record, err := range c.ImageGeneration.SearchAll(t.Context(), nil) {
		if errors.As(err, &rejected) {
			continue
		}
		require.NoError(t, err)
		names = append(names, record.Name)
	}
	assert.Equal(t, []string{"good", "fine"}, names)
	assert.Contains(t, rejected.Reason, "object")
}

func TestSearchAllOfEveryCategory(t *testing.T) {
	t.Parallel()
	const page = `{"results": [{"name": "m", "nsfw": false, "baseline": "b", "parameters_count": 1}],
		"total": 1, "offset": 0, "limit": 500, "has_more": false}`
	var asked []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		says(http.StatusOK, "application/json", page)(w, r)
	})
	ctx, safe := t.Context(), Some(false)
	content := &ContentSearchOptions{Filter: Filter{NSFW: safe}}
	got := map[Category]int{
		CategoryImageGeneration:  count(t, c.ImageGeneration.SearchAll(ctx, &ImageSearchOptions{Filter: Filter{NSFW: safe}})),
		CategoryTextGeneration:   count(t, c.TextGeneration.SearchAll(ctx, &TextSearchOptions{Filter: Filter{NSFW: safe}})),
		CategoryVideoGeneration:  count(t, c.VideoGeneration.SearchAll(ctx, content)),
		CategoryAudioGeneration:  count(t, c.AudioGeneration.SearchAll(ctx, content)),
		CategoryLoRA:             count(t, c.LoRA.SearchAll(ctx, content)),
		CategoryTextualInversion: count(t, c.TextualInversion.SearchAll(ctx, content)),
	}
	require.Len(t, asked, len(got))
	for category, n := range got {
		assert.Equal(t, 1, n, category)
		assert.Contains(t, asked, "/api/model_references/v2/"+string(category)+"/search?limit=500&nsfw=false")
	}
	asked = nil
	assert.Equal(t, 1, count(t, c.SearchAll(ctx, nil)))
	assert.Equal(t, []string{"/api/model_references/v2/search?limit=500"}, asked)
}

func count[R Record](t *testing.T, all iter.Seq2[*R, error]) (n int) {
	t.Helper()
	for _, err := range all {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestPopularReturnsTheUseOfAnInvalidRecord(t *testing.T) {
	t.Parallel()
	const body = `[{"name": "bad", "record": {"name": "bad"}, "stats": {"worker_count": 3, "queued": 1.5}},
		{"name": "a", "record": {"name": "a", "parameters_count": 7e9}, "stats": {
			"worker_count": 1, "worker_summaries": {"id": {"id": "id", "name": "w", "performance": "3 tokens per second",
				"online": true, "trusted": true, "uptime": 60}},
			"backend_variations": {"koboldcpp": {"backend": "koboldcpp", "variant_name": "koboldcpp/a", "usage_day": 2}}}}]`
	c := answering(t, says(http.StatusOK, "application/json", body))
	models, err := c.TextGeneration.Popular(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, models, 2)
	assert.Nil(t, models[0].Record)
	var rejected RecordError
	require.ErrorAs(t, models[0].Err, &rejected)
	assert.Equal(t, "bad", rejected.Name)
	assert.Equal(t, CategoryTextGeneration, rejected.Category)
	assert.Equal(t, 3, models[0].Stats.WorkerCount)
	require.NoError(t, models[1].Err)
	assert.Equal(t, int64(7_000_000_000), models[1].Record.Parameters)
	assert.EqualValues(t, 60, models[1].Stats.Workers["id"].Uptime)
	assert.EqualValues(t, 2, models[1].Stats.BackendVariations["koboldcpp"].UsageDay)
}

func TestModelWithASlash(t *testing.T) {
	t.Parallel()
	t.Run("the deployment decodes it", func(t *testing.T) {
		t.Parallel()
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "/api/model_references/v2/text_generation/model/Org%2FM%3Fx", r.URL.EscapedPath())
			says(http.StatusNotFound, "application/json", `{"detail":"Not Found"}`)(w, r)
		})
		_, err := c.TextGeneration.FetchRecord(t.Context(), "Org/M?x")
		require.ErrorIs(t, err, ErrNotFound)
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, http.StatusNotFound, api.StatusCode)
		assert.ErrorContains(t, err, "one segment")
		assert.ErrorContains(t, err, "Get")
	})
	t.Run("the deployment accepts the request", func(t *testing.T) {
		t.Parallel()
		c := answering(t, says(http.StatusOK, "application/json", `{"name": "Org/M", "parameters": 1}`))
		r, err := c.TextGeneration.FetchRecord(t.Context(), "Org/M")
		require.NoError(t, err)
		assert.Equal(t, CategoryTextGeneration, r.RecordType)
	})
	t.Run("the model is missing", func(t *testing.T) {
		t.Parallel()
		c := answering(t, says(http.StatusNotFound, "application/json", `{"detail":"Model 'Org/M' not found"}`))
		_, err := c.TextGeneration.FetchRecord(t.Context(), "Org/M")
		require.ErrorIs(t, err, ErrNotFound)
		assert.NotContains(t, err.Error(), "segment")
	})
}

func TestModelAddsTheDefaultsOfAbsentFields(t *testing.T) {
	t.Parallel()
	c := answering(t, says(http.StatusOK, "application/json", `{"nsfw": true, "baseline": "flux_1", "later": [1]}`))
	r, err := c.ImageGeneration.FetchRecord(t.Context(), "m")
	require.NoError(t, err)
	assert.Equal(t, "m", r.Name)
	assert.Equal(t, PurposeGeneration, r.Classification.Purpose)
	assert.Contains(t, r.RawJSON(), "later")
}

func TestSearchAllLimitsThePages(t *testing.T) {
	t.Parallel()
	seen := pageSet{seed: maphash.MakeSeed(), hashes: map[uint64]bool{}}
	for i := range maxSearchPages {
		require.NoError(t, seen.add("search clip", i, i, strconv.Itoa(i)))
	}
	err := seen.add("search clip", maxSearchPages, maxSearchPages, "another page")
	assert.EqualError(t, err, "modelref: search clip: page at offset 100000: the service has more than 100000 pages")
}

func TestModelRejectsNamesThatWouldChangeThePath(t *testing.T) {
	t.Parallel()
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected request: %s", r.URL) })
	for _, name := range []string{"", ".", "..", "x/../../../admin", `x\..\admin`} {
		_, err := c.CLIP.FetchRecord(t.Context(), name)
		require.ErrorIs(t, err, ErrInvalidQuery, name)
		assert.ErrorContains(t, err, "it would change the path of the request", name)
	}
}

func TestLastUpdated(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var paths []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		says(http.StatusOK, "application/json", `{"last_updated": 1777636800}`)(w, r)
	})
	at, err := c.LastUpdated(t.Context())
	require.NoError(t, err)
	assert.True(t, want.Equal(at), at)
	at, err = c.CLIP.LastUpdated(t.Context())
	require.NoError(t, err)
	assert.True(t, want.Equal(at), at)
	const metadata = "/api/model_references/v2/metadata/"
	assert.Equal(t, []string{metadata + "last_updated", metadata + "clip/last_updated"}, paths)

	c = answering(t, says(http.StatusOK, "application/json", `{"last_updated": null}`))
	at, err = c.CLIP.LastUpdated(t.Context())
	require.NoError(t, err)
	assert.True(t, at.IsZero(), at)

	c = answering(t, says(http.StatusServiceUnavailable, "application/json", `{"detail": "a replica"}`))
	_, err = c.LastUpdated(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestZeroServices(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var (
		c      Client
		clip   CLIPService
		images ImageGenerationService
		texts  TextGenerationService
	)
	for what, call := range map[string]func() error{
		"model":        func() error { _, err := clip.FetchRecord(ctx, "m"); return err },
		"search":       func() error { _, err := clip.Search(ctx, nil); return err },
		"image search": func() error { _, err := images.Search(ctx, nil); return err },
		"popular":      func() error { _, err := texts.Popular(ctx, nil); return err },
		"last updated": func() error { _, err := clip.LastUpdated(ctx); return err },
		"all":          func() error { _, err := c.LastUpdated(ctx); return err },
		"search all": func() (last error) {
			for _, err := range clip.SearchAll(ctx, nil) {
				last = err
			}
			return last
		},
	} {
		assert.ErrorIs(t, call(), ErrClosed, what)
	}
}

func TestOptionalDecodesLenientNumbers(t *testing.T) {
	t.Parallel()
	var optional Optional[int64]
	require.Error(t, json.Unmarshal([]byte(`"x"`), &optional))
	assert.False(t, optional.IsSet())
	require.NoError(t, json.Unmarshal([]byte(`5.0`), &optional))
	assert.Equal(t, Some[int64](5), optional)
	require.NoError(t, json.Unmarshal([]byte(`null`), &optional))
	assert.False(t, optional.IsSet())
}

// An older service ignores the licence filter. Its records must not be returned as licensed.
func TestSearchChecksTheLicenceFilter(t *testing.T) {
	t.Parallel()
	const licensed = `{"name": "a", "licensing": {"license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "prohibited"}}`
	const conditional = `{"name": "b", "licensing": {"license_ids": [], "commercial_use": "allowed_with_conditions"}}`
	for _, test := range []struct {
		what, records string
		filter        LicenseFilter
		unsupported   bool
	}{
		{"a match", licensed, LicenseFilter{LicenseID: "MIT", CommercialUse: PermissionAllowed, Redistribution: PermissionProhibited}, false},
		{"another licence", licensed, LicenseFilter{LicenseID: "Apache-2.0"}, true},
		{"another redistribution", licensed, LicenseFilter{Redistribution: PermissionAllowed}, true},
		{"a condition", licensed + "," + conditional, LicenseFilter{CommercialUse: PermissionAllowed}, true},
		{"no licence", `{"name": "old"}`, LicenseFilter{CommercialUse: PermissionAllowed}, true},
		{"a licence of null", `{"name": "old", "licensing": null}`, LicenseFilter{CommercialUse: PermissionAllowed}, true},
		{"no licence is unknown", `{"name": "old"}`, LicenseFilter{CommercialUse: PermissionUnknown}, false},
		{"no filter", `{"name": "old"}`, LicenseFilter{}, false},
		{"no records", ``, LicenseFilter{LicenseID: "MIT"}, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			c := answering(t, says(http.StatusOK, "application/json",
				`{"results": [`+test.records+`], "total": 9, "offset": 0, "limit": 50, "has_more": false}`))
			_, err := c.CLIP.Search(t.Context(), &CategorySearchOptions{LicenseFilter: test.filter})
			_, allErr := c.Search(t.Context(), &SearchOptions{LicenseFilter: test.filter})
			if test.unsupported {
				require.ErrorIs(t, err, ErrUnsupported)
				require.ErrorIs(t, allErr, ErrUnsupported)
				return
			}
			require.NoError(t, err)
			require.NoError(t, allErr)
		})
	}
}
