// This file tests the endpoints with invented responses: names, invalid bodies, zero values.

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

func TestUsageKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const body = `{"zeta": {"worker_count": 2, "eta": 4, "usage_stats": {"day": 1, "month": 2, "total": 3}},
		"alpha/b": {"worker_count": 0}, "mid": {"worker_count": 9, "performance": 1.25}}`
	c := serving(t, respond(http.StatusOK, "application/json", body))
	list, err := New(c).Statistics.Usage(t.Context(), modelref.CategoryTextGeneration, nil)
	require.NoError(t, err)
	require.Len(t, list, 3)
	assert.Equal(t, []string{"zeta", "alpha/b", "mid"}, []string{list[0].Name, list[1].Name, list[2].Name})
	assert.Equal(t, modelref.UsageCounts{Day: 1, Month: 2, Total: 3}, *list[0].Usage)
	assert.Nil(t, list[1].Usage)
	assert.Equal(t, modelref.Some(1.25), list[2].Performance)

	for _, body := range []string{`[]`, `{"a": 5}`, `{"a": {"worker_count": "x"}}`, `{"a": {}`, ``} {
		c := serving(t, respond(http.StatusOK, "application/json", body))
		_, err := New(c).Statistics.Usage(t.Context(), modelref.CategoryTextGeneration, nil)
		var bad *modelref.ResponseDecodeError
		assert.ErrorAs(t, err, &bad, body)
	}
}

func TestNamesWithASlash(t *testing.T) {
	t.Parallel()
	c := serving(t, respond(http.StatusNotFound, "application/json", `{"detail":"Not Found"}`))
	_, err := New(c).Text.Family(t.Context(), "a/b")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	assert.ErrorContains(t, err, "Families lists all")
	_, err = New(c).Text.AliasesOf(t.Context(), "a/b")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	assert.ErrorContains(t, err, "Aliases lists all")

	c = serving(t, respond(http.StatusNotFound, "application/json", `{"detail":"Family 'a/b' not found"}`))
	_, err = New(c).Text.Family(t.Context(), "a/b")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	assert.NotContains(t, err.Error(), "segment")
}

// A name that would change the path of the request is an error, and no request is sent.
func TestNamesThatWouldChangeThePath(t *testing.T) {
	t.Parallel()
	c := serving(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected request: %s", r.URL) })
	a := New(c)
	for what, call := range map[string]func(ctx context.Context) error{
		"no category":           func(ctx context.Context) error { _, err := a.Statistics.Category(ctx, "", nil); return err },
		"dots":                  func(ctx context.Context) error { _, err := a.Statistics.Usage(ctx, "..", nil); return err },
		"dots after a slash":    func(ctx context.Context) error { _, err := a.Statistics.DeletionRisk(ctx, "a/../b", nil); return err },
		"no group":              func(ctx context.Context) error { _, err := a.Text.Group(ctx, ""); return err },
		"no group of a schema":  func(ctx context.Context) error { _, err := a.Text.NameSchema(ctx, ""); return err },
		"detect":                func(ctx context.Context) error { _, err := a.Text.Family(ctx, "detect"); return err },
		"dots of an alias":      func(ctx context.Context) error { _, err := a.Text.AliasesOf(ctx, "."); return err },
		"all metadata":          func(ctx context.Context) error { _, err := a.Metadata.Category(ctx, "metadata"); return err },
		"the last-updated time": func(ctx context.Context) error { _, err := a.Metadata.Category(ctx, "last_updated"); return err },
		"metadata of metadata": func(ctx context.Context) error {
			_, err := a.Legacy.Metadata.CategoryLastUpdated(ctx, "metadata")
			return err
		},
		"v1 info":       func(ctx context.Context) error { _, err := a.Legacy.Category(ctx, "info"); return err },
		"v1 categories": func(ctx context.Context) error { _, err := a.Legacy.Category(ctx, "model_categories"); return err },
	} {
		err := call(t.Context())
		require.ErrorIs(t, err, modelref.ErrInvalidQuery, what)
		assert.True(t, strings.HasPrefix(err.Error(), "modelref: "), err)
	}
}

func TestMetadataOfNoCategory(t *testing.T) {
	t.Parallel()
	c := serving(t, respond(http.StatusOK, "application/json", `{"clip": {"category": "clip"}}`))
	_, err := New(c).Metadata.Category(t.Context(), modelref.CategoryCLIP)
	var invalid *modelref.ResponseDecodeError
	require.ErrorAs(t, err, &invalid)
	assert.ErrorContains(t, err, "it has no category")
}

func TestCapabilitiesOfOlderDeployments(t *testing.T) {
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
		c := serving(t, respond(http.StatusOK, "application/json", body))
		got, err := New(c).Capabilities(t.Context())
		require.NoError(t, err, body)
		assert.Equal(t, want, *got)
		assert.Equal(t, want.ReplicateMode != "SATELLITE", got.ReplicateMode.Known())
	}
}

func TestInvalidBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML": "<!doctype html><title>Welcome</title>", "nothing": "", "null": "null", "another type": `[1, 2]`,
		"a bad field": `{"status": {"a": 1}}`, "two values": `{"status": "ok"} {}`, "cut off": `{"status": "o`,
		"half a failure": `{"status": "ok", "ai_horde": {"consecutive_failures": 1.5}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serving(t, respond(http.StatusOK, "text/html", body))
			got, err := New(c).Heartbeat(t.Context())
			assert.Nil(t, got)
			var bad *modelref.ResponseDecodeError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, http.StatusOK, bad.StatusCode)
			assert.Equal(t, "text/html", bad.ContentType)
			assert.ErrorContains(t, err, "modelref: GET http://")
			assert.ErrorContains(t, err, "/heartbeat: ")
			assert.ErrorContains(t, err, "200 OK")
			assert.NotContains(t, err.Error(), "<")
		})
	}
}

func TestFormsOfTimes(t *testing.T) {
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
		c := serving(t, respond(http.StatusOK, "application/json", body))
		got, err := New(c).Metadata.CategoryLastUpdated(t.Context(), modelref.CategoryCLIP)
		require.NoError(t, err, body)
		assert.True(t, at.Equal(got), "%s gave %s", body, got)
	}
	for _, body := range []string{`{"last_updated": "soon"}`, `{"last_updated": 1e300}`, `{"last_updated": true}`} {
		c := serving(t, respond(http.StatusOK, "application/json", body))
		_, err := New(c).Legacy.Metadata.LastUpdated(t.Context())
		require.Error(t, err, body)
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("apikey") != "secret" {
			respond(http.StatusForbidden, "application/json", `{"detail": "Not authenticated"}`)(w, r)
			return
		}
		respond(http.StatusOK, "application/json", `{"beta": {"name": "beta"}, "bad": 5}`)(w, r)
	}, modelref.WithAPIKey("secret"))
	ref, err := Pending(t.Context(), New(c), c.ESRGAN)
	require.NoError(t, err)
	assert.Equal(t, []string{"beta"}, ref.Names())
	assert.Len(t, ref.Rejected(), 1)
	assert.Equal(t, modelref.CategoryESRGAN, ref.Category())
	require.NoError(t, ref.CheckUnmodified())

	reader, err := c.Category("esrgan")
	require.NoError(t, err)
	models, err := Pending(t.Context(), New(c), reader)
	require.NoError(t, err)
	assert.Equal(t, []string{"beta"}, models.Names())

	c = serving(t, respond(http.StatusOK, "application/json", `[]`))
	_, err = Pending(t.Context(), New(c), c.ESRGAN)
	var document *modelref.DecodeError
	require.ErrorAs(t, err, &document)
	var bad *modelref.ResponseDecodeError
	require.ErrorAs(t, err, &bad)
}

func TestPendingOverlay(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	handler := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/pending") {
			requests.Add(1)
			assert.Equal(t, "0123456789", r.Header.Get("apikey"))
			assert.Empty(t, r.URL.RawQuery, "the key is sent in a header")
			respond(http.StatusOK, "application/json", `{"waiting": {"name": "waiting"}}`)(w, r)
			return
		}
		respond(http.StatusOK, "application/json", `{"own": {"name": "own"}}`)(w, r)
	}
	c := serving(t, handler)
	ref, err := c.ESRGAN.Load(t.Context(), modelref.WithOverlay(PendingOverlay(New(c))))
	require.NoError(t, err)
	assert.Equal(t, []string{"own"}, ref.Names())
	require.ErrorIs(t, ref.Overlays()[0].Err, modelref.ErrNotConfigured)
	require.ErrorContains(t, ref.Overlays()[0].Err, "WithAPIKey")
	assert.Equal(t, 1, strings.Count(ref.Overlays()[0].Err.Error(), "modelref:"))
	assert.Zero(t, requests.Load(), "a request was sent without a key")

	c = serving(t, handler, modelref.WithAPIKey("0123456789"))
	ref, err = c.ESRGAN.Load(t.Context(), modelref.WithOverlay(PendingOverlay(New(c))))
	require.NoError(t, err)
	require.NoError(t, ref.Overlays()[0].Err)
	assert.Equal(t, []string{"own", "waiting"}, ref.Names())
	assert.Equal(t, "pending", ref.SourceOf("waiting"))
	assert.Equal(t, "primary", ref.SourceOf("own"))

	_, err = PendingOverlay(nil).Document(t.Context(), modelref.CategoryCLIP)
	require.ErrorIs(t, err, modelref.ErrClosed)
}

func TestZeroValues(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var (
		zero     API
		bare     *API
		metadata MetadataService
		c        modelref.Client
	)
	for what, call := range map[string]func() error{
		"API":             func() error { _, err := zero.Heartbeat(ctx); return err },
		"nil API":         func() error { _, err := bare.Heartbeat(ctx); return err },
		"nil client":      func() error { _, err := New(nil).Heartbeat(ctx); return err },
		"zero client":     func() error { _, err := New(&c).Roles(ctx); return err },
		"statistics":      func() error { _, err := zero.Statistics.Category(ctx, modelref.CategoryCLIP, nil); return err },
		"metadata":        func() error { _, err := zero.Metadata.All(ctx); return err },
		"zero metadata":   func() error { _, err := metadata.All(ctx); return err },
		"legacy":          func() error { _, err := zero.Legacy.Category(ctx, modelref.CategoryCLIP); return err },
		"text":            func() error { _, err := zero.Text.Groups(ctx); return err },
		"licensing":       func() error { _, err := zero.Licensing.Summary(ctx); return err },
		"license":         func() error { _, err := zero.Licensing.License(ctx, "MIT"); return err },
		"guidance":        func() error { _, err := zero.Guidance.Profile(ctx, "chatml"); return err },
		"baselines":       func() error { _, err := zero.Baselines.Export(ctx); return err },
		"pending queue":   func() error { _, err := zero.PendingQueue.Changes(ctx, nil); return err },
		"pending":         func() error { _, err := Pending(ctx, New(&c), new(modelref.CLIPService)); return err },
		"pending of nil":  func() error { _, err := Pending[modelref.CLIPRecord](ctx, New(&c), nil); return err },
		"pending overlay": func() error { _, err := PendingOverlay(&zero).Document(ctx, modelref.CategoryCLIP); return err },
	} {
		assert.ErrorIs(t, call(), modelref.ErrClosed, what)
	}
}

func TestNilContext(t *testing.T) {
	t.Parallel()
	c := serving(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected request: %s", r.URL) })
	_, err := New(c).Heartbeat(nil) //nolint:staticcheck // a nil context is the test case
	assert.ErrorContains(t, err, "context must not be nil")
}

func TestOutageIsUnavailable(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{400: false, 404: false, 408: true, 429: true, 500: true, 503: true} {
		c := serving(t, respond(status, "application/json", `{"detail": "no"}`))
		_, err := New(c).Heartbeat(t.Context())
		var answer *modelref.APIError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, want, errors.Is(err, modelref.ErrUnavailable), status)
	}
}

func TestResultsSurviveJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	want := CategoryStatistics{
		Category: modelref.CategoryCLIP, Limit: modelref.Some(0), ComputedAt: at,
		ParameterBuckets: []ParameterBucket{{Label: "< 3B", MaxParams: modelref.Some[int64](3_000_000_000)}},
	}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got CategoryStatistics
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, want, got)
	assert.Contains(t, string(data), `"min_params":null`)
	assert.Contains(t, string(data), `"limit":0`)
}
