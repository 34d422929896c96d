// Status and events as JSON, and the text forms of the enumerations.

package modelref_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_999_999, time.FixedZone("CET", 3600))
	status := modelref.Status{
		Primary: modelref.SourceStatus{
			Configured: true, BreakerOpen: true, RetryAt: at.Add(30 * time.Second), Since: at,
			LastError: errors.New("Get \"https://user:secret@example.org/x?token=secret\": dial\ntimeout"),
		},
		GitHub: modelref.SourceStatus{},
		Categories: []modelref.CategoryStatus{
			{
				Category: modelref.CategoryCLIP, Loaded: true, Stale: true, Source: modelref.SourceDisk, Records: 3, Rejected: 1,
				FetchedAt: at, LastUpdated: modelref.Some(at.Truncate(time.Second)), LastError: errors.New("down"), LastErrorAt: at,
				Counters: modelref.Counters{Hits: 1, Loads: 2, Revalidations: 3, Fallbacks: 4, Failures: 5, Requests: 6, Bytes: 7},
			},
			{Category: modelref.CategoryBLIP},
		},
	}
	text, err := json.Marshal(status)
	require.NoError(t, err)
	assert.Equal(t, `{"healthy":true,"closed":false,`+
		`"primary":{"configured":true,"breaker_open":true,"retry_at":"2026-02-03T03:05:36.789Z","since":"2026-02-03T03:05:06.789Z",`+
		`"last_error":"Get \"https://example.org/x?token=…\": dial timeout"},`+
		`"github":{"configured":false,"breaker_open":false},"categories":[`+
		`{"category":"clip","loaded":true,"fresh":false,"stale":true,"source":"disk","records":3,"rejected":1,`+
		`"fetched_at":"2026-02-03T03:05:06.789Z","last_updated":"2026-02-03T03:05:06Z",`+
		`"last_error":"down","last_error_at":"2026-02-03T03:05:06.789Z",`+
		`"counters":{"hits":1,"loads":2,"revalidations":3,"fallbacks":4,"failures":5,"requests":6,"bytes":7}},`+
		`{"category":"blip","loaded":false,`+
		`"counters":{"hits":0,"loads":0,"revalidations":0,"fallbacks":0,"failures":0,"requests":0,"bytes":0}}]}`, string(text))

	text, err = json.Marshal(modelref.Status{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"healthy":true,"closed":false,"primary":{"configured":false,"breaker_open":false},`+
		`"github":{"configured":false,"breaker_open":false},"categories":[]}`, string(text))
}

func TestStatusAsText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	status := modelref.Status{
		Primary: modelref.SourceStatus{
			Configured: true, BreakerOpen: true, RetryAt: at,
			LastError: errors.New("Get \"https://user:secret@example.org/x?token=secret\": dial\ntimeout"),
		},
		Categories: []modelref.CategoryStatus{
			{Category: modelref.CategoryBLIP, LastError: errors.New("down"), LastErrorAt: at},
			{Category: modelref.CategoryCLIP, Loaded: true, Stale: true, Source: modelref.SourceDisk, Records: 3,
				ConfirmedAt: time.Now().Add(-time.Minute)},
			{Category: modelref.CategoryESRGAN},
		},
	}
	assert.Equal(t, `PRIMARY unavailable until 04:05:06: Get "https://example.org/x?token=…": dial timeout; `+
		"GitHub not configured; blip: not loaded, failed at 04:05:06; clip: 3 records from disk, confirmed 1m0s ago, stale", status.String())
	assert.Equal(t, "esrgan: not read", status.Categories[2].String())
	assert.Equal(t, "misconfigured: no", modelref.SourceStatus{Configured: true, LastError: errors.New("no")}.String())
	assert.Equal(t, "ok", modelref.SourceStatus{Configured: true}.String())
	assert.Equal(t, "closed", modelref.Status{Closed: true}.String())
}

func TestStatusWithATimeThatJSONCannotHold(t *testing.T) {
	t.Parallel()
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	text, err := json.Marshal(modelref.CategoryStatus{
		Category: modelref.CategoryCLIP, Loaded: true, FetchedAt: late, ConfirmedAt: late.AddDate(-20000, 0, 0),
		LastUpdated: modelref.Some(time.Unix(1<<50, 0)),
	})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "_at\":")
	assert.NotContains(t, string(text), "last_updated")
}

func TestStatusOfALoadedCategoryAsJSON(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(1500 * time.Millisecond)
		text, err := json.Marshal(client.Status().Category(modelref.CategoryImageGeneration))
		require.NoError(t, err)
		var got map[string]any
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, "primary", got["source"])
		assert.InDelta(t, 1.5, got["age_seconds"], 1e-9)
		confirmed, err := time.Parse(time.RFC3339, got["confirmed_at"].(string))
		require.NoError(t, err)
		assert.Equal(t, 1500*time.Millisecond, time.Since(confirmed))
	})
}

func TestAClosedClientIsNotHealthy(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	client := server.Client(t)
	load(t, client)
	assert.True(t, client.Status().Healthy())
	assert.True(t, client.Status().Ready(modelref.CategoryImageGeneration))
	require.NoError(t, client.Close())
	for name, status := range map[string]modelref.Status{
		"closed": client.Status(), "zero": new(modelref.Client).Status(), "nil": (*modelref.Client)(nil).Status(),
	} {
		assert.True(t, status.Closed, name)
		assert.False(t, status.Healthy(), name)
		assert.False(t, status.Ready(modelref.CategoryImageGeneration), name)
		text, err := json.Marshal(status)
		require.NoError(t, err)
		assert.Contains(t, string(text), `{"healthy":false,"closed":true,`, name)
	}
}

func TestEventAsJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(modelref.Event{
		Kind: modelref.EventSourceFailed, Category: modelref.CategoryCLIP, Source: modelref.SourcePrimary, Requests: 3,
		Duration: 1250 * time.Millisecond, Err: errors.New("redis://:secret@host/0: refused"),
	})
	require.NoError(t, err)
	assert.Equal(t, `{"kind":"source_failed","category":"clip","source":"primary","requests":3,"duration_seconds":1.25,`+
		`"error":"redis://host/0: refused"}`, string(text))
	text, err = json.Marshal(modelref.Event{})
	require.NoError(t, err)
	assert.Equal(t, `{"kind":"unknown"}`, string(text))
}

// textValue is a value of an enumeration.
type textValue interface {
	comparable
	String() string
	encoding.TextMarshaler
}

// checkEnum checks that each of the values has a name of its own that is read back, in JSON as well.
func checkEnum[E textValue, P interface {
	*E
	encoding.TextUnmarshaler
}](t *testing.T, undefined E, values ...E) {
	t.Helper()
	var names []string
	for _, value := range values {
		text, err := value.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, value.String(), string(text))
		assert.NotContains(t, names, value.String())
		names = append(names, value.String())
		in := map[E]E{value: value}
		encoded, err := json.Marshal(in)
		require.NoError(t, err)
		assert.Equal(t, `{"`+value.String()+`":"`+value.String()+`"}`, string(encoded))
		out := map[E]E{}
		require.NoError(t, json.Unmarshal(encoded, &out))
		assert.Equal(t, in, out)
	}
	assert.NotEmpty(t, undefined.String())
	for _, wrong := range []string{"nope", "", "Primary", "7"} {
		err := P(new(E)).UnmarshalText([]byte(wrong))
		require.ErrorContains(t, err, "it must be one of ", wrong)
		for _, name := range slices.Sorted(slices.Values(names)) {
			assert.Contains(t, err.Error(), name)
		}
	}
}

func TestEnumerationsAsText(t *testing.T) {
	t.Parallel()
	checkEnum[modelref.Source](t, 200, modelref.SourceNone, modelref.SourcePrimary, modelref.SourceGitHub, modelref.SourceDisk,
		modelref.SourceStore, modelref.SourceBootstrap)
	checkEnum[modelref.EventKind](t, 200, modelref.EventKind(0), modelref.EventHit, modelref.EventLoad, modelref.EventRevalidate,
		modelref.EventSourceFailed, modelref.EventFallback, modelref.EventUnavailable, modelref.EventBreakerOpened,
		modelref.EventBreakerClosed, modelref.EventStoreFailed)
	checkEnum[modelref.MatchKind](t, 200, modelref.MatchNone, modelref.MatchExact, modelref.MatchFolded, modelref.MatchWords,
		modelref.MatchPrefix, modelref.MatchSubstring, modelref.MatchTypo)
}
