// This file tests the collector with a real registry, in every state of a Client.

package modelrefprom_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefprom"
	"github.com/haidra-org/modelref/modelreftest"
)

// perCategory is the number of metrics of a category that was never read. sources is the number of metrics of a Client
// with both sources.
const (
	perCategory = 8
	sources     = 2
)

// scrape returns the HTTP response of a registry that has only the collectors. It checks the names and the consistency
// of the metrics.
func scrape(t *testing.T, collectors ...prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	for _, collector := range collectors {
		require.NoError(t, registry.Register(collector))
	}
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return w.Body.String()
}

// clip returns the samples of the category clip and of the sources, without the prefix of their names.
func clip(metrics string) []string {
	var out []string
	for line := range strings.Lines(metrics) {
		if strings.Contains(line, `"clip"`) || strings.Contains(line, "source=") {
			line = strings.Replace(strings.TrimSuffix(line, "\n"), `{category="clip"}`, "", 1)
			out = append(out, strings.TrimPrefix(line, "modelref_"))
		}
	}
	return out
}

// TestStatesOfACategory uses simulated time, which starts with the year 2000.
func TestStatesOfACategory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryCLIP, `{"A": {"name": "A"}, "B": {"name": "B"}, "C": 3}`))
		client := server.Client(t)
		collector := modelrefprom.NewCollector(client)
		load := func(times int) {
			t.Helper()
			for range times {
				_, err := client.CLIP.Load(t.Context())
				require.NoError(t, err)
			}
		}
		never := scrape(t, collector)
		assert.Equal(t, []string{
			"category_loaded 0", "fallbacks_total 0", "hits_total 0", "loads_total 0", "received_bytes_total 0",
			"requests_total 0", "revalidations_total 0",
			`source_breaker_open{source="github"} 0`, `source_breaker_open{source="primary"} 0`, "unavailable_total 0",
		}, clip(never))
		assert.Equal(t, len(modelref.Categories())*perCategory+sources, testutil.CollectAndCount(collector))

		load(3)
		time.Sleep(30 * time.Second)
		assert.Equal(t, []string{
			"category_age_seconds 30", "category_fresh 1", `category_info{category="clip",origin="primary"} 1`,
			"category_loaded 1", "category_records 2", "category_rejected_records 1", "category_stale 0",
			"fallbacks_total 0", "hits_total 2", "loads_total 1", "received_bytes_total 48", "requests_total 1",
			"revalidations_total 0",
			`source_breaker_open{source="github"} 0`, `source_breaker_open{source="primary"} 0`, "unavailable_total 0",
		}, clip(scrape(t, collector)))

		server.SetLastUpdated(modelref.CategoryCLIP, 946684700) // 100 s before the year 2000
		time.Sleep(time.Minute)
		assert.Contains(t, clip(scrape(t, collector)), "category_fresh 0")
		load(1) // requests the last-updated time
		time.Sleep(time.Minute)
		server.Break(modelreftest.Primary, modelreftest.Status(404))
		load(1) // 150 s after the start of the year
		got := clip(scrape(t, collector))
		assert.Contains(t, got, "category_stale 1")
		assert.Contains(t, got, "fallbacks_total 1")
		assert.Contains(t, got, "last_updated_timestamp_seconds 9.466847e+08")
		assert.Contains(t, got, "last_error_timestamp_seconds 9.4668495e+08")
	})
}

func TestSourcesWithOpenBreakers(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	server.Break(modelreftest.Primary, modelreftest.Status(503))
	client := server.Client(t, modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 1}), modelref.WithoutGitHub())
	_, err := client.CLIP.Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnavailable)
	require.NoError(t, testutil.CollectAndCompare(modelrefprom.NewCollector(client), strings.NewReader(`
# HELP modelref_source_breaker_open 1 while the circuit breaker of the source is open, otherwise 0.
# TYPE modelref_source_breaker_open gauge
modelref_source_breaker_open{source="primary"} 1
`), "modelref_source_breaker_open"))
	assert.Contains(t, clip(scrape(t, modelrefprom.NewCollector(client))), "unavailable_total 1")
}

func TestBootstrapWithoutATimeHasNoAge(t *testing.T) {
	t.Parallel()
	client, err := modelref.New(modelref.WithOffline(), modelref.WithBootstrap(embedded{}))
	require.NoError(t, err)
	defer client.Close()
	_, err = client.CLIP.Load(t.Context())
	require.NoError(t, err)
	got := clip(scrape(t, modelrefprom.NewCollector(client)))
	assert.Contains(t, got, `category_info{category="clip",origin="bootstrap"} 1`)
	assert.Contains(t, got, "category_records 1")
	assert.NotContains(t, strings.Join(got, "\n"), "age")
	assert.NotContains(t, strings.Join(got, "\n"), "source=", "the Client may send no request")
}

func TestScrapeSendsNoRequest(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	collector := modelrefprom.NewCollector(server.Client(t, modelref.WithTTL(time.Millisecond)))
	scrape(t, collector)
	assert.Empty(t, server.Requests())
}

func TestSeveralClients(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	one, two := server.Client(t), server.Client(t)
	require.NoError(t, two.Warm(t.Context(), modelref.CategoryCLIP))
	labelled := func(client *modelref.Client, name string) prometheus.Collector {
		return modelrefprom.NewCollector(client, nil, modelrefprom.WithConstLabels(prometheus.Labels{"client": name}),
			modelrefprom.WithConstLabels(prometheus.Labels{"zone": "z"}))
	}
	got := scrape(t, labelled(one, "one"), labelled(two, "two"))
	assert.Contains(t, got, `modelref_loads_total{category="clip",client="one",zone="z"} 0`)
	assert.Contains(t, got, `modelref_loads_total{category="clip",client="two",zone="z"} 1`)
	assert.Contains(t, got, `modelref_source_breaker_open{client="two",source="primary",zone="z"} 0`)
	assert.Contains(t, got, `modelref_category_info{category="clip",client="two",origin="primary",zone="z"} 1`)

	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(modelrefprom.NewCollector(one)))
	assert.ErrorAs(t, registry.Register(modelrefprom.NewCollector(two)), new(prometheus.AlreadyRegisteredError))
	taken := modelrefprom.NewCollector(two, modelrefprom.WithConstLabels(prometheus.Labels{"category": "x"}))
	assert.ErrorContains(t, registry.Register(taken), "duplicate label names")
	assert.NotPanics(t, func() { taken.Collect(make(chan prometheus.Metric, 1000)) })
}

func TestClosedClientHasMetrics(t *testing.T) {
	t.Parallel()
	client := modelreftest.NewServer(t).Client(t)
	require.NoError(t, client.Warm(t.Context(), modelref.CategoryCLIP))
	collector := modelrefprom.NewCollector(client)
	require.NoError(t, client.Close())
	got := clip(scrape(t, collector))
	assert.Contains(t, got, "loads_total 1")
	assert.Contains(t, got, "category_loaded 1")
	assert.Contains(t, got, "category_fresh 0")
}

func TestNoClient(t *testing.T) {
	t.Parallel()
	assert.Empty(t, scrape(t, modelrefprom.NewCollector(nil)))
	assert.Empty(t, scrape(t, modelrefprom.NewCollector(&modelref.Client{})), "the zero Client is closed")
	assert.Empty(t, scrape(t, &modelrefprom.Collector{}))
}

// TestConcurrentScrapes is also a test for the race detector. It checks that counters never decrease.
func TestConcurrentScrapes(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	client := server.Client(t, modelref.WithTTL(time.Millisecond))
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(modelrefprom.NewCollector(client)))
	scraped := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer scraped.Close()

	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, category := range modelref.Categories()[:4] {
		reader, err := client.Category(string(category))
		require.NoError(t, err)
		readers.Go(func() {
			for ctx.Err() == nil {
				_, _ = reader.Load(ctx)
			}
		})
	}
	before := map[string]float64{}
	for range 20 {
		response, err := scraped.Client().Get(scraped.URL)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, family := range families {
			for _, sample := range family.GetMetric() {
				if counter := sample.GetCounter(); counter != nil {
					key := family.GetName() + " " + sample.GetLabel()[0].GetValue()
					assert.GreaterOrEqual(t, counter.GetValue(), before[key], key)
					before[key] = counter.GetValue()
				}
			}
		}
	}
	stop()
	readers.Wait()
	total := 0.0
	for _, n := range before {
		total += n
	}
	assert.Positive(t, total, "something was read meanwhile")
}

// BenchmarkScrape measures a scrape without the encoding of its metrics.
func BenchmarkScrape(b *testing.B) {
	server := modelreftest.NewServer(b)
	client := server.Client(b)
	require.NoError(b, client.Warm(b.Context()))
	registry := prometheus.NewRegistry()
	registry.MustRegister(modelrefprom.NewCollector(client))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = registry.Gather()
	}
}
