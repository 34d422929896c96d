// This file tests the metrics of reads in all states of a Client, and the cost of a hit.

package modelrefotel_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefotel"
	"github.com/haidra-org/modelref/modelreftest"
)

// counts has the values of a metric by their attributes.
type counts = map[string]float64

func TestReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, modelreftest.InMemory())
		telemetry := newTelemetry(t)
		client := server.Client(t, telemetry.with())
		load := func() {
			t.Helper()
			_, err := client.CLIP.Load(t.Context())
			require.NoError(t, err)
		}
		load() // from the PRIMARY
		load()
		load() // both from memory
		received := telemetry.values(t, "modelref.received")["clip primary"]
		assert.Greater(t, received, 100.0)
		status := client.Status()
		assert.Equal(t, status.Category(modelref.CategoryCLIP).Counters.Bytes, int64(received))
		time.Sleep(2 * time.Minute) // simulated
		load()                      // unchanged
		assert.Equal(t, counts{"clip primary load": 1, "clip primary hit": 2, "clip primary revalidate": 1},
			telemetry.values(t, "modelref.reads"))
		assert.Empty(t, telemetry.values(t, "modelref.fallbacks"))

		server.Break(modelreftest.Primary, modelreftest.Status(503))
		time.Sleep(2 * time.Minute)
		load() // the copy in memory
		_, err := client.BLIP.Load(t.Context())
		require.NoError(t, err) // from GitHub, without another request to the PRIMARY
		_, err = client.VideoGeneration.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable) // there is no file on GitHub
		assert.Equal(t, counts{"clip primary": 1, "blip github": 1}, telemetry.values(t, "modelref.fallbacks"))
		assert.Equal(t, counts{"503 clip primary": 1}, telemetry.values(t, "modelref.source.failures"))
		assert.Equal(t, counts{"open primary": 1}, telemetry.values(t, "modelref.breaker.transitions"))

		server.Heal(modelreftest.Primary)
		time.Sleep(10 * time.Minute)
		load() // unchanged
		reads := counts{
			"clip primary load": 1, "clip primary hit": 2, "clip primary revalidate": 2, "clip primary stale": 1,
			"blip github load": 1, "video_generation unavailable": 1,
		}
		assert.Equal(t, reads, telemetry.values(t, "modelref.reads"))
		delete(reads, "clip primary hit")
		assert.Equal(t, reads, telemetry.values(t, "modelref.load.duration"), "a hit is no load")
		assert.Equal(t, counts{"open primary": 1, "closed primary": 1}, telemetry.values(t, "modelref.breaker.transitions"))
		assert.Empty(t, telemetry.values(t, "modelref.store.failures"))
	})
}

func TestInstrumentsFollowTheConventions(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	server := modelreftest.NewServer(t)
	server.Break(modelreftest.Primary, modelreftest.Refused())
	client := server.Client(t, quick, modelref.WithStore(brokenStore{}), telemetry.with())
	_, err := client.CLIP.Load(t.Context())
	require.NoError(t, err)
	registration, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters))
	require.NoError(t, err)
	units := map[string]string{}
	for _, scope := range telemetry.collect(t).ScopeMetrics {
		if scope.Scope.Name != "github.com/haidra-org/modelref/modelrefotel" {
			continue
		}
		assert.Equal(t, modelref.Version, scope.Scope.Version)
		for _, metric := range scope.Metrics {
			units[metric.Name] = metric.Unit
			assert.NotEmpty(t, metric.Description, metric.Name)
		}
	}
	assert.Equal(t, map[string]string{
		"modelref.reads": "{read}", "modelref.load.duration": "s", "modelref.received": "By",
		"modelref.fallbacks": "{fallback}", "modelref.source.failures": "{failure}", "modelref.store.failures": "{failure}",
		"modelref.breaker.transitions": "{transition}", "modelref.category.records": "{record}",
		"modelref.category.rejected": "{record}", "modelref.category.age": "s", "modelref.category.stale": "1",
		"modelref.source.breaker_open": "1",
	}, units)
	assert.NotEmpty(t, telemetry.values(t, "modelref.store.failures")["clip store"])
	require.NoError(t, registration.Unregister())
}

// brokenStore is a store whose operations fail.
type brokenStore struct{}

var errBroken = errors.New("broken")

func (brokenStore) Read(context.Context, modelref.Category, int64) (modelref.StoreEntry, error) {
	return modelref.StoreEntry{}, errBroken
}
func (brokenStore) ReadProvenance(context.Context, modelref.Category) (string, error) {
	return "", errBroken
}
func (brokenStore) Write(context.Context, modelref.Category, string, string) error { return errBroken }
func (brokenStore) WriteProvenance(context.Context, modelref.Category, string) error {
	return errBroken
}
func (brokenStore) TryLock(context.Context, modelref.Category, time.Duration) (func(), error) {
	return nil, errBroken
}

func TestErrorTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault modelreftest.Fault
		want  string
	}{
		{modelreftest.Status(503), "503"},
		{modelreftest.Status(404), "404"},
		{modelreftest.HTML(200), "invalid_document"},
		{modelreftest.Stall(), "timeout"},
		{modelreftest.DNSFailure(), "dns"},
		{modelreftest.TLSFailure(), "tls"},
		{modelreftest.Refused(), "connection"},
		{modelreftest.Reset(), "connection"},
		{modelreftest.ResetInBody(), "connection"},
		{modelreftest.Truncated(), "connection"},
		{modelreftest.RedirectLoop(), "_OTHER"},
		{modelreftest.Oversized(1 << 20), "_OTHER"},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t)
			server.Break(modelreftest.Primary, test.fault)
			telemetry := newTelemetry(t)
			client := server.Client(t, modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}),
				modelref.WithTimeout(time.Second), modelref.WithMaxBodyBytes(1<<19), modelref.WithoutGitHub(), telemetry.with())
			_, err := client.CLIP.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.Equal(t, counts{test.want + " clip primary": 1}, telemetry.values(t, "modelref.source.failures"))
		})
	}
}

func TestAttributesTellClientsApart(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	server := modelreftest.NewServer(t)
	for _, name := range []string{"a", "b"} {
		client := server.Client(t, telemetry.with(modelrefotel.WithAttributes(
			attribute.String("client", name), attribute.String("modelref.result", "not ours"))))
		_, err := client.CLIP.Load(t.Context())
		require.NoError(t, err)
		_, err = client.CLIP.Load(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, counts{
		"a clip primary load": 1, "a clip primary hit": 1, "b clip primary load": 1, "b clip primary hit": 1,
	}, telemetry.values(t, "modelref.reads"))
}

// setGlobal sets the global providers. Instruments that exist use them only after the first call in a process.
var setGlobal = sync.OnceValue(func() *telemetry {
	out := makeTelemetry()
	otel.SetMeterProvider(out.meters)
	otel.SetTracerProvider(out.tracers)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return out
})

// TestGlobalProvidersMayComeLater is not parallel, because the global providers are shared.
func TestGlobalProvidersMayComeLater(t *testing.T) {
	server := modelreftest.NewServer(t)
	client := server.Client(t, modelrefotel.With(modelrefotel.WithAttributes(attribute.String("client", "global"))))
	telemetry := setGlobal()
	telemetry.spans.Reset()
	before := telemetry.values(t, "modelref.reads")["global clip primary load"]
	_, err := client.CLIP.Load(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, before+1, telemetry.values(t, "modelref.reads")["global clip primary load"], 0)
	assert.Len(t, telemetry.spans.GetSpans(), 1)
	require.Len(t, server.Requests(), 1)
	assert.Empty(t, server.Requests()[0].Header.Get("Traceparent"), "the global propagator is not for everybody")

	asked := server.Client(t, modelrefotel.With(modelrefotel.WithPropagationTo(server.URL())))
	_, err = asked.CLIP.Load(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, server.Requests()[1].Header.Get("Traceparent"))
}

// TestConcurrentReads is also a test for the race detector.
func TestConcurrentReads(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	client := modelreftest.NewServer(t).Client(t, telemetry.with())
	registration, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters))
	require.NoError(t, err)
	var collecting sync.WaitGroup
	collecting.Go(func() {
		for range 20 {
			assert.NoError(t, telemetry.reader.Collect(t.Context(), new(metricdata.ResourceMetrics)))
		}
	})
	require.NoError(t, client.Warm(t.Context()))
	require.NoError(t, client.Warm(t.Context()))
	collecting.Wait()
	want := counts{}
	for _, category := range modelref.Categories() {
		want[string(category)+" primary load"] = 1
		want[string(category)+" primary hit"] = 1
	}
	assert.Equal(t, want, telemetry.values(t, "modelref.reads"))
	assert.Len(t, telemetry.values(t, "modelref.category.records"), len(modelref.Categories()))
	assert.Len(t, telemetry.spans.GetSpans(), len(modelref.Categories()))
	require.NoError(t, registration.Unregister())
}

func TestWithoutHits(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	client := modelreftest.NewServer(t).Client(t, telemetry.with(modelrefotel.WithoutHits()))
	for range 3 {
		_, err := client.CLIP.Load(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, counts{"clip primary load": 1}, telemetry.values(t, "modelref.reads"))
}

func TestHitAllocatesNothing(t *testing.T) {
	server := modelreftest.NewServer(t)
	client := server.Client(t, modelrefotel.With(modelrefotel.WithMeterProvider(noop.NewMeterProvider())))
	ctx := t.Context()
	_, err := client.CLIP.Load(ctx)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, err = client.CLIP.Load(ctx) }))
	require.NoError(t, err)
}

// BenchmarkHit measures a read from memory without an observer, with an observer that does nothing, and with the SDK.
func BenchmarkHit(b *testing.B) {
	for _, bench := range []struct {
		name    string
		options []modelref.Option
	}{
		{"plain", nil},
		{"noop", []modelref.Option{modelrefotel.With(modelrefotel.WithMeterProvider(noop.NewMeterProvider()))}},
		{"sdk", []modelref.Option{modelrefotel.With(modelrefotel.WithMeterProvider(
			metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))))}},
		{"without hits", []modelref.Option{modelrefotel.With(modelrefotel.WithoutHits(), modelrefotel.WithMeterProvider(
			metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))))}},
	} {
		server := modelreftest.NewServer(b)
		client, err := modelref.New(append(append(server.Options(), modelref.WithTTL(time.Hour)), bench.options...)...)
		require.NoError(b, err)
		b.Cleanup(func() { client.Close() })
		ctx := b.Context()
		_, err = client.CLIP.Load(ctx)
		require.NoError(b, err)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = client.CLIP.Load(ctx)
			}
		})
		b.Run(bench.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = client.CLIP.Load(ctx)
				}
			})
		})
	}
}
