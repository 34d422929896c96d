// Tests of the endpoints with answers made up for the case at hand: paging, names that make trouble, broken bodies, and
// what ends a call.

package modelref

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering makes a Client of a server that gives every request to answer.
func answering(t *testing.T, answer http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return endpointClient(t, server, options...)
}

// says answers every request with one body.
func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// pages serves n CLIP models in pages and notes the queries.
type pages struct {
	n        int
	requests []string
	answer   func(offset, limit int) string // instead of the honest one
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

func TestEndpointSearchAllPages(t *testing.T) {
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
			options := &CategorySearchOptions{Limit: test.limit, Offset: test.offset}
			all := c.CLIP.SearchAll(t.Context(), options)
			for range 2 { // it can be ranged over again
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
			assert.Equal(t, CategorySearchOptions{Limit: test.limit, Offset: test.offset}, *options, "written to")
		})
	}
}

func TestEndpointSearchAllStopsWithTheLoop(t *testing.T) {
	t.Parallel()
	server := &pages{n: 100}
	c := answering(t, server.ServeHTTP)
	for record, err := range c.CLIP.SearchAll(t.Context(), &CategorySearchOptions{Limit: 10}) {
		require.NoError(t, err)
		if record.Name == "m14" {
			break
		}
	}
	assert.Equal(t, []string{"limit=10", "limit=10&offset=10"}, server.requests)
}

func TestEndpointSearchAllStopsWhereAPageLeadsNowhere(t *testing.T) {
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
		"records between are left out": {
			func(offset, limit int) string { return honest.page(offset+min(offset, 1), limit) }, 10, true,
		},
		"an empty page says there is more": {
			func(offset, limit int) string {
				if offset > 0 {
					return fmt.Sprintf(`{"results": [], "total": 100, "offset": %d, "limit": 10, "has_more": true}`, offset)
				}
				return honest.page(offset, limit)
			}, 10, false,
		},
		"a page breaks": {
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
			for record, err := range c.CLIP.SearchAll(t.Context(), &CategorySearchOptions{Limit: 10}) {
				if err != nil {
					assert.Nil(t, record)
					errs = append(errs, err)
					continue
				}
				names++
			}
			assert.Equal(t, test.names, names)
			assert.Len(t, server.requests, 2)
			if test.failed {
				require.Len(t, errs, 1)
				assert.ErrorContains(t, errs[0], "modelref: search clip: ")
			} else {
				assert.Empty(t, errs)
			}
		})
	}
}

func TestEndpointSearchKeepsTheRestOfAPageWithABadRecord(t *testing.T) {
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

func TestEndpointSearchAllOfEveryCategory(t *testing.T) {
	t.Parallel()
	const page = `{"results": [{"name": "m", "nsfw": false, "baseline": "b", "parameters_count": 1}],
		"total": 1, "offset": 0, "limit": 500, "has_more": false}`
	var asked []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		says(http.StatusOK, "application/json", page)(w, r)
	})
	ctx, safe := t.Context(), Some(false)
	content := &ContentSearchOptions{NSFW: safe}
	got := map[Category]int{
		CategoryImageGeneration:  count(t, c.ImageGeneration.SearchAll(ctx, &ImageSearchOptions{NSFW: safe})),
		CategoryTextGeneration:   count(t, c.TextGeneration.SearchAll(ctx, &TextSearchOptions{NSFW: safe})),
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

func TestEndpointPopularKeepsTheUseOfABadRecord(t *testing.T) {
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

func TestEndpointUsageKeepsTheOrderOfTheService(t *testing.T) {
	t.Parallel()
	const body = `{"zeta": {"worker_count": 2, "eta": 4, "usage_stats": {"day": 1, "month": 2, "total": 3}},
		"alpha/b": {"worker_count": 0}, "mid": {"worker_count": 9, "performance": 1.25}}`
	c := answering(t, says(http.StatusOK, "application/json", body))
	list, err := c.UsageStatistics(t.Context(), CategoryTextGeneration, nil)
	require.NoError(t, err)
	require.Len(t, list, 3)
	assert.Equal(t, []string{"zeta", "alpha/b", "mid"}, []string{list[0].Name, list[1].Name, list[2].Name})
	assert.Equal(t, UsageCounts{Day: 1, Month: 2, Total: 3}, *list[0].Usage)
	assert.Nil(t, list[1].Usage)
	assert.Equal(t, Some(1.25), list[2].Performance)

	for _, body := range []string{`[]`, `{"a": 5}`, `{"a": {"worker_count": "x"}}`, `{"a": {}`, ``} {
		c := answering(t, says(http.StatusOK, "application/json", body))
		_, err := c.UsageStatistics(t.Context(), CategoryTextGeneration, nil)
		var bad *ResponseError
		assert.ErrorAs(t, err, &bad, body)
	}
}

func TestEndpointModelWithASlash(t *testing.T) {
	t.Parallel()
	t.Run("the deployment decodes it", func(t *testing.T) {
		t.Parallel()
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "/api/model_references/v2/text_generation/model/Org%2FM%3Fx", r.URL.EscapedPath())
			says(http.StatusNotFound, "application/json", `{"detail":"Not Found"}`)(w, r)
		})
		_, err := c.TextGeneration.Model(t.Context(), "Org/M?x")
		require.ErrorIs(t, err, ErrNotFound)
		var api *APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, http.StatusNotFound, api.StatusCode)
		assert.ErrorContains(t, err, "one segment")
		assert.ErrorContains(t, err, "Get")
	})
	t.Run("the deployment takes it", func(t *testing.T) {
		t.Parallel()
		c := answering(t, says(http.StatusOK, "application/json", `{"name": "Org/M", "parameters": 1}`))
		r, err := c.TextGeneration.Model(t.Context(), "Org/M")
		require.NoError(t, err)
		assert.Equal(t, CategoryTextGeneration, r.RecordType)
	})
	t.Run("the model is missing", func(t *testing.T) {
		t.Parallel()
		c := answering(t, says(http.StatusNotFound, "application/json", `{"detail":"Model 'Org/M' not found"}`))
		_, err := c.TextGeneration.Model(t.Context(), "Org/M")
		require.ErrorIs(t, err, ErrNotFound)
		assert.NotContains(t, err.Error(), "segment")
	})
	t.Run("families and aliases", func(t *testing.T) {
		t.Parallel()
		c := answering(t, says(http.StatusNotFound, "application/json", `{"detail":"Not Found"}`))
		_, err := c.TextGeneration.Family(t.Context(), "a/b")
		assert.ErrorContains(t, err, "Families lists")
		_, err = c.TextGeneration.AliasesOf(t.Context(), "a/b")
		assert.ErrorContains(t, err, "Aliases lists")
		require.ErrorIs(t, err, ErrNotFound)
	})
}

func TestEndpointModelFillsInWhatTheBodyLeavesOut(t *testing.T) {
	t.Parallel()
	c := answering(t, says(http.StatusOK, "application/json", `{"nsfw": true, "baseline": "flux_1", "later": [1]}`))
	r, err := c.ImageGeneration.Model(t.Context(), "m")
	require.NoError(t, err)
	assert.Equal(t, "m", r.Name)
	assert.Equal(t, PurposeGeneration, r.Classification.Purpose)
	assert.Contains(t, r.Raw(), "later")
}

func TestEndpointNamesThatWouldBeAnotherPath(t *testing.T) {
	t.Parallel()
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) })
	for what, ask := range map[string]func(ctx context.Context) error{
		"no model":    func(ctx context.Context) error { _, err := c.CLIP.Model(ctx, ""); return err },
		"dots":        func(ctx context.Context) error { _, err := c.CLIP.Model(ctx, ".."); return err },
		"no category": func(ctx context.Context) error { _, err := c.Statistics(ctx, "", nil); return err },
		"no group":    func(ctx context.Context) error { _, err := c.TextGeneration.Group(ctx, ""); return err },
		"detect":      func(ctx context.Context) error { _, err := c.TextGeneration.Family(ctx, "detect"); return err },
		"path up":     func(ctx context.Context) error { return c.Get(ctx, "a/../../b", nil, nil) },
		"path up, %":  func(ctx context.Context) error { return c.Get(ctx, "a/%2e%2E/b", nil, nil) },
		"query":       func(ctx context.Context) error { return c.Get(ctx, "a?b=c", nil, nil) },
		"bad escape":  func(ctx context.Context) error { return c.Get(ctx, "a%zz", nil, nil) },
	} {
		assert.ErrorIs(t, ask(t.Context()), ErrInvalidQuery, what)
	}
}

func TestEndpointCapabilitiesOfOlderDeployments(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Capabilities{
		`"REPLICA"`: {ReplicateMode: ReplicateModeReplica},
		` "PRIMARY"
		`: {ReplicateMode: ReplicateModePrimary},
		`{"replicate_mode": "PRIMARY", "canonical_format": "legacy", "writable": true, "later": 1}`: {
			ReplicateMode: ReplicateModePrimary, CanonicalFormat: CanonicalFormatLegacy, Writable: true,
		},
		`{"replicate_mode": "SATELLITE"}`: {ReplicateMode: "SATELLITE"},
	} {
		c := answering(t, says(http.StatusOK, "application/json", body))
		got, err := c.Capabilities(t.Context())
		require.NoError(t, err, body)
		assert.Equal(t, want, *got)
		assert.Equal(t, want.ReplicateMode != "SATELLITE", got.ReplicateMode.Known())
	}
}

func TestEndpointErrorsKeepTheStatus(t *testing.T) {
	t.Parallel()
	const page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
	for name, test := range map[string]struct {
		status            int
		contentType, body string
		says              string
	}{
		"plain text":        {500, "text/plain; charset=utf-8", "Internal Server Error", "Internal Server Error"},
		"HTML":              {502, "text/html", page, "HTML"},
		"nothing":           {503, "", "", "503"},
		"broken JSON":       {500, "application/json", `{"detail": "cut o`, "cut o"},
		"forbidden, HTML":   {403, "text/html", page, "HTML"},
		"forbidden":         {403, "application/json", `{"detail": "Not authenticated"}`, "Not authenticated"},
		"validation":        {422, "application/json", `{"detail": [{"type": "t", "loc": ["query", 1], "msg": "m"}]}`, "query.1: m"},
		"detail of no form": {400, "application/json", `{"detail": {"a": 1}}`, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, says(test.status, test.contentType, test.body))
			_, err := c.Roles(t.Context())
			var api *APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, test.status, api.StatusCode)
			assert.ErrorContains(t, err, "modelref: roles: GET ")
			assert.ErrorContains(t, err, test.says)
		})
	}
}

func TestEndpointRetriesOutagesAlone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int32{500: 2, 429: 2, 408: 2, 400: 1, 404: 1, 403: 1, 422: 1} {
		var requests atomic.Int32
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			says(status, "application/json", `{}`)(w, r)
		})
		_, err := c.Heartbeat(t.Context())
		require.Error(t, err)
		assert.Equal(t, want, requests.Load(), status)
	}
	var requests atomic.Int32
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			says(http.StatusServiceUnavailable, "", "")(w, r)
			return
		}
		says(http.StatusOK, "application/json", `{"status": "ok"}`)(w, r)
	})
	beat, err := c.Heartbeat(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ok", beat.Status)
}

func TestEndpointAnswersThatDoNotDecode(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML": "<!doctype html><title>Welcome</title>", "nothing": "", "null": "null", "another type": `[1, 2]`,
		"a bad field": `{"status": {"a": 1}}`, "two values": `{"status": "ok"} {}`, "cut off": `{"status": "o`,
		"half a failure": `{"status": "ok", "ai_horde": {"consecutive_failures": 1.5}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, says(http.StatusOK, "text/html", body))
			got, err := c.Heartbeat(t.Context())
			assert.Nil(t, got)
			var bad *ResponseError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, http.StatusOK, bad.StatusCode)
			assert.Equal(t, "text/html", bad.ContentType)
			assert.ErrorContains(t, err, "modelref: heartbeat: GET http://")
			assert.ErrorContains(t, err, "200 OK")
			assert.NotContains(t, err.Error(), "<")
		})
	}
}

func TestEndpointTimesOfAnyForm(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for body, at := range map[string]time.Time{
		`{"last_updated": 1777636800}`:                                 want,
		`{"last_updated": 1777636800.0}`:                               want,
		`{"last_updated": 1777636800.5}`:                               want.Add(time.Second / 2),
		`{"last_updated": "2026-05-01T12:00:00Z", "category": "clip"}`: want,
		`{"last_updated": null}`:                                       {},
		`{}`:                                                           {},
	} {
		c := answering(t, says(http.StatusOK, "application/json", body))
		got, err := c.Metadata().CategoryLastUpdated(t.Context(), CategoryCLIP)
		require.NoError(t, err, body)
		assert.True(t, at.Equal(got), "%s gave %s", body, got)
	}
	for _, body := range []string{`{"last_updated": "soon"}`, `{"last_updated": 1e300}`, `{"last_updated": true}`} {
		c := answering(t, says(http.StatusOK, "application/json", body))
		_, err := c.Legacy().Metadata().LastUpdated(t.Context())
		require.Error(t, err, body)
	}
}

func TestEndpointPending(t *testing.T) {
	t.Parallel()
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("apikey") != "secret" {
			says(http.StatusForbidden, "application/json", `{"detail": "Not authenticated"}`)(w, r)
			return
		}
		says(http.StatusOK, "application/json", `{"beta": {"name": "beta"}, "bad": 5}`)(w, r)
	}, WithAPIKey("secret"))
	ref, err := c.ESRGAN.Pending(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"beta"}, ref.Names())
	assert.Len(t, ref.Rejected(), 1)
	assert.Equal(t, OriginPrimary, ref.Origin())
	assert.Equal(t, CategoryESRGAN, ref.Category())
	assert.False(t, ref.FetchedAt().IsZero())
	require.NoError(t, ref.Verify())

	c = answering(t, says(http.StatusOK, "application/json", `[]`))
	_, err = c.ESRGAN.Pending(t.Context())
	var document *DecodeError
	require.ErrorAs(t, err, &document)
	var bad *ResponseError
	require.ErrorAs(t, err, &bad)
}

func TestEndpointGet(t *testing.T) {
	t.Parallel()
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.EscapedPath() {
		case "/api/new/a%2Fb":
			_, _ = fmt.Fprintf(w, `{"query": %q, "Count": 5.0, "at": 0}`, r.URL.Query().Get("q"))
		case "/api/text":
			_, _ = io.WriteString(w, "not JSON")
		case "/api/string":
			_, _ = io.WriteString(w, `"JSON"`)
		default:
			http.NotFound(w, r)
		}
	})
	var out struct {
		Query string
		Count int
		At    time.Time `json:"at"`
	}
	require.NoError(t, c.Get(t.Context(), "/new/a%2Fb", url.Values{"q": {"x&y"}}, &out))
	assert.Equal(t, "x&y", out.Query)
	assert.Equal(t, 5, out.Count)
	assert.True(t, out.At.Equal(time.Unix(0, 0)))

	var raw json.RawMessage
	require.NoError(t, c.Get(t.Context(), "new/a%2Fb", nil, &raw))
	assert.JSONEq(t, `{"query": "", "Count": 5.0, "at": 0}`, string(raw))
	require.NoError(t, c.Get(t.Context(), "new/a%2Fb", nil, nil))

	var text string
	require.NoError(t, c.Get(t.Context(), "text", nil, &text))
	assert.Equal(t, "not JSON", text)
	require.NoError(t, c.Get(t.Context(), "string", nil, &text))
	assert.Equal(t, "JSON", text)

	var bad *ResponseError
	require.ErrorAs(t, c.Get(t.Context(), "text", url.Values{"key": {"secret"}}, &raw), &bad)
	assert.NotContains(t, bad.URL, "secret")
	require.ErrorIs(t, c.Get(t.Context(), "missing", nil, &raw), ErrNotFound)
}

func TestEndpointLimitsTheBody(t *testing.T) {
	t.Parallel()
	c := answering(t, says(http.StatusOK, "application/json", `{"status": "`+strings.Repeat("x", 100)+`"}`), WithMaxBodyBytes(50))
	_, err := c.Heartbeat(t.Context())
	assert.ErrorContains(t, err, "larger than 50 bytes")
}

func TestEndpointWithoutANetwork(t *testing.T) {
	t.Parallel()
	never := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) }
	offline := answering(t, never, WithOffline())
	_, err := offline.Heartbeat(t.Context())
	require.ErrorIs(t, err, ErrOffline)

	alone := answering(t, never, WithoutPrimary())
	_, err = alone.ImageGeneration.Popular(t.Context(), nil)
	require.ErrorIs(t, err, ErrNotConfigured)

	closed := answering(t, never)
	require.NoError(t, closed.Close())
	_, err = closed.Heartbeat(t.Context())
	require.ErrorIs(t, err, ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = answering(t, never).Heartbeat(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestEndpointZeroValues(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var c Client
	var bare *Client
	for what, ask := range map[string]func() error{
		"client":       func() error { _, err := c.Heartbeat(ctx); return err },
		"nil client":   func() error { _, err := bare.Heartbeat(ctx); return err },
		"metadata":     func() error { _, err := (Metadata{}).All(ctx); return err },
		"legacy":       func() error { _, err := (Legacy{}).Category(ctx, CategoryCLIP); return err },
		"model":        func() error { _, err := c.CLIP.Model(ctx, "m"); return err },
		"pending":      func() error { _, err := c.CLIP.Pending(ctx); return err },
		"search":       func() error { _, err := c.CLIP.Search(ctx, nil); return err },
		"image search": func() error { _, err := c.ImageGeneration.Search(ctx, nil); return err },
		"popular":      func() error { _, err := c.TextGeneration.Popular(ctx, nil); return err },
		"groups":       func() error { _, err := c.TextGeneration.Groups(ctx); return err },
		"search all": func() (last error) {
			for _, err := range c.CLIP.SearchAll(ctx, nil) {
				last = err
			}
			return last
		},
	} {
		assert.ErrorIs(t, ask(), ErrClosed, what)
	}
}

func TestEndpointCloseEndsACall(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		close(came)
		<-r.Context().Done()
	})
	failed := make(chan error, 1)
	go func() {
		_, err := c.Heartbeat(context.Background())
		failed <- err
	}()
	<-came
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-failed, ErrClosed)
}

func TestEndpointCallerEndsACall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Heartbeat(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestEndpointDoesNotOpenTheBreakerNorWaitForIt(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		says(http.StatusServiceUnavailable, "", "")(w, r)
	}, WithRetry(RetryPolicy{MaxAttempts: 1}))
	for _, step := range []struct {
		ask      func(context.Context) error
		requests int32
	}{
		{func(ctx context.Context) error { _, err := c.Heartbeat(ctx); return err }, 1},
		{func(ctx context.Context) error { _, err := c.CLIP.Load(ctx); return err }, 1}, // still asked: nothing was opened
		{func(ctx context.Context) error { _, err := c.BLIP.Load(ctx); return err }, 0}, // left alone from here on
		{func(ctx context.Context) error { _, err := c.Heartbeat(ctx); return err }, 1},
	} {
		requests.Store(0)
		require.Error(t, step.ask(t.Context()))
		assert.Equal(t, step.requests, requests.Load())
	}
}

func TestEndpointResultsSurviveJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	want := CategoryStatistics{Category: CategoryCLIP, Limit: Some(0), ComputedAt: at, ParameterBuckets: []ParameterBucket{
		{Label: "< 3B", MaxParams: Some[int64](3_000_000_000)},
	}}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got CategoryStatistics
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, want, got)
	assert.Contains(t, string(data), `"min_params":null`)
	assert.Contains(t, string(data), `"limit":0`)

	var optional Optional[int64]
	require.Error(t, json.Unmarshal([]byte(`"x"`), &optional))
	assert.False(t, optional.IsSet())
	require.NoError(t, json.Unmarshal([]byte(`5.0`), &optional))
	assert.Equal(t, Some[int64](5), optional)
}
