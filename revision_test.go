// Edits of the guidance and of licences: the document of text_generation changes, its last-updated time does not.

package modelref_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const (
	textModels = `{
	"Org/A": {"name": "Org/A", "parameters": 7000000000, "licensing": {"license_expression": "Apache-2.0",
		"license_ids": ["Apache-2.0"], "commercial_use": "allowed", "redistribution": "allowed"}},
	"Org/B": {"name": "Org/B", "parameters": 13000000000, "instruct_format": "ChatML"}}`
	textModelsLicensed = `{
	"Org/A": {"name": "Org/A", "parameters": 7000000000, "licensing": {"license_expression": "LicenseRef-X",
		"license_ids": ["LicenseRef-X"], "commercial_use": "prohibited", "redistribution": "allowed"}},
	"Org/B": {"name": "Org/B", "parameters": 13000000000, "instruct_format": "ChatML"}}`
)

// guidanceOf returns a guidance catalog with a revision, in which the given models have an assignment.
func guidanceOf(revision int, models ...string) string {
	assigned := make([]string, len(models))
	for i, model := range models {
		assigned[i] = fmt.Sprintf(`%q: {"model_name": %q, "primary_profile_id": "chatml", "supplemental_profile_ids": []}`, model, model)
	}
	return fmt.Sprintf(`{"metadata": {"schema_version": 1, "revision": %d, "updated_at": null},
		"profiles": {"chatml": {"profile_id": "chatml", "kind": "prompt_contract", "display_name": "ChatML"}},
		"assignments": {%s}}`, revision, strings.Join(assigned, ","))
}

// textBubble runs a test in simulated time, with a server in memory that has two text models.
func textBubble(t *testing.T, test func(t *testing.T, server *modelreftest.Server), options ...modelreftest.Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		test(t, modelreftest.NewServer(t, append(options, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryTextGeneration, textModels))...))
	})
}

// sent counts the requests since the last call: documents, last-updated times, and revisions of the guidance.
func sent(t *testing.T, server *modelreftest.Server) (documents, lastUpdated, guidance int) {
	t.Helper()
	for _, r := range server.Requests() {
		switch {
		case r.Endpoint == modelreftest.Documents:
			documents++
		case r.Endpoint == modelreftest.LastUpdated:
			lastUpdated++
		case r.Path == guidancePath && r.Query == "model_name=-":
			guidance++
		default:
			t.Errorf("unexpected request %s?%s", r.Path, r.Query)
		}
	}
	server.ResetRequests()
	return documents, lastUpdated, guidance
}

const guidancePath = "/model_references/v2/text_generation/guidance/assignments"

// statusOf returns the guidance of a model as a Client reads it.
func statusOf(t *testing.T, client *modelref.Client, model string) modelref.GuidanceStatus {
	t.Helper()
	record, err := client.TextGeneration.Get(t.Context(), model)
	require.NoError(t, err)
	if record.Guidance == nil {
		return ""
	}
	return record.Guidance.Status
}

// textWatch collects the changes that a watch of text_generation yields.
func textWatch(t *testing.T, client *modelref.Client, options modelref.WatchOptions) (next func() []string) {
	t.Helper()
	var (
		mu      sync.Mutex
		yielded []string
	)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for change, err := range client.TextGeneration.Watch(ctx, options) {
			text := fmt.Sprint(change.Initial, change.Added, change.Removed, change.Changed, change.Rejected, err)
			mu.Lock()
			yielded = append(yielded, text)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		out := yielded
		yielded = nil
		return out
	}
}

func TestAGuidanceEditIsReportedOnceByAWatch(t *testing.T) {
	for name, first := range map[string]string{"unchanged catalog": guidanceOf(1), "edited catalog": guidanceOf(7, "Org/B")} {
		t.Run(name, func(t *testing.T) {
			textBubble(t, func(t *testing.T, server *modelreftest.Server) {
				next := textWatch(t, server.Client(t), modelref.WatchOptions{})
				assert.Equal(t, []string{"true [] [] [] [] <nil>"}, next())
				time.Sleep(3*time.Hour + 17*time.Second)
				assert.Empty(t, next())
				server.ResetRequests()
				server.SetGuidance(guidanceOf(8, "Org/A", "Org/B"))
				time.Sleep(time.Minute)
				want := "false [] [] [{Org/A [guidance]} {Org/B [guidance]}] [] <nil>"
				if strings.HasPrefix(name, "edited") {
					want = "false [] [] [{Org/A [guidance]}] [] <nil>"
				}
				assert.Equal(t, []string{want}, next(), "within one interval")
				time.Sleep(50 * time.Minute)
				assert.Empty(t, next(), "once")
				documents, lastUpdated, guidance := sent(t, server)
				assert.InDelta(t, 1, documents, 1, "the edit, and perhaps the hourly download")
				assert.Equal(t, lastUpdated, guidance)
				server.SetGuidance(guidanceOf(9, "Org/B"))
				time.Sleep(time.Minute)
				assert.Equal(t, []string{"false [] [] [{Org/A [guidance]}] [] <nil>"}, next())
			}, modelreftest.WithGuidance(first))
		})
	}
}

func TestALicenceEditIsReportedOnceByAWatch(t *testing.T) {
	textBubble(t, func(t *testing.T, server *modelreftest.Server) {
		next := textWatch(t, server.Client(t), modelref.WatchOptions{Interval: 30 * time.Second})
		assert.Len(t, next(), 1)
		time.Sleep(2 * time.Hour)
		server.SetDocument(modelref.CategoryTextGeneration, textModelsLicensed)
		time.Sleep(30 * time.Second)
		assert.Equal(t, []string{"false [] [] [{Org/A [licensing]}] [] <nil>"}, next(), "within one interval")
		time.Sleep(2 * time.Hour)
		assert.Empty(t, next(), "once")
		// The definition of a licence is not part of the records.
		server.SetLicensing(`{"metadata": {"revision": 9}, "licenses": [], "assets": []}`)
		time.Sleep(2 * time.Hour)
		assert.Empty(t, next())
	}, modelreftest.WithGuidance(guidanceOf(3, "Org/B")))
}

func TestAReaderNoticesAGuidanceEditWithinTheTTL(t *testing.T) {
	textBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		assert.Equal(t, modelref.GuidanceUndocumented, statusOf(t, client, "Org/A"))
		documents, lastUpdated, guidance := sent(t, server)
		assert.Equal(t, []int{1, 0, 0}, []int{documents, lastUpdated, guidance}, "the first read sends one request")
		server.SetGuidance(guidanceOf(2, "Org/A")) // before the first check
		time.Sleep(minute)
		assert.Equal(t, modelref.GuidancePublished, statusOf(t, client, "Org/A"))
		for range 20 {
			time.Sleep(minute)
			assert.Equal(t, modelref.GuidancePublished, statusOf(t, client, "Org/A"))
		}
		documents, lastUpdated, guidance = sent(t, server)
		assert.Equal(t, 1, documents)
		assert.Equal(t, lastUpdated, guidance)
		server.SetGuidance(guidanceOf(3))
		time.Sleep(minute)
		assert.Equal(t, modelref.GuidanceUndocumented, statusOf(t, client, "Org/A"))
	}, modelreftest.WithGuidance(guidanceOf(1)))
}

// hours reads text_generation every ten seconds for some hours.
func hours(t *testing.T, client *modelref.Client, n int) {
	t.Helper()
	for range n * 360 {
		_, err := client.TextGeneration.Load(t.Context())
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
	}
}

func TestAnOlderDeploymentIsAskedForGuidanceOnceAnHour(t *testing.T) {
	const simulated = 6
	count := func(t *testing.T, options ...modelreftest.Option) (documents, lastUpdated, guidance int) {
		textBubble(t, func(t *testing.T, server *modelreftest.Server) {
			hours(t, server.Client(t), simulated)
			documents, lastUpdated, guidance = sent(t, server)
		}, options...)
		return documents, lastUpdated, guidance
	}
	t.Run("older", func(t *testing.T) {
		documents, lastUpdated, guidance := count(t, modelreftest.AsOlderDeployment())
		assert.Equal(t, simulated, documents, "one full download an hour")
		assert.InDelta(t, simulated*65, lastUpdated, simulated*10, "one small request per TTL")
		assert.LessOrEqual(t, guidance, simulated)
		assert.GreaterOrEqual(t, guidance, simulated-1)
	})
	t.Run("newer", func(t *testing.T) {
		documents, lastUpdated, guidance := count(t, modelreftest.WithGuidance(guidanceOf(5, "Org/A")))
		assert.Equal(t, simulated+1, documents, "the first read does not know the revision yet")
		assert.InDelta(t, lastUpdated, guidance, simulated)
	})
}

func TestOtherCategoriesDoNotDependOnTheGuidance(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		for range 70 {
			load(t, client)
			time.Sleep(minute)
		}
		_, _, guidance := sent(t, server)
		assert.Zero(t, guidance)
	})
}

// Failures of the endpoint do not fail a read, do not open the circuit breaker, and cost at most one download.
func TestTheRevisionOfTheGuidanceIsUnavailable(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"500":         statusHandler(http.StatusInternalServerError),
		"429":         statusHandler(http.StatusTooManyRequests),
		"403":         statusHandler(http.StatusForbidden),
		"404":         statusHandler(http.StatusNotFound),
		"HTML":        bodyHandler("<html>"),
		"null":        bodyHandler("null"),
		"no metadata": bodyHandler(`{"items": []}`),
		"hangs":       http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
	} {
		t.Run(name, func(t *testing.T) {
			textBubble(t, func(t *testing.T, server *modelreftest.Server) {
				client := server.Client(t)
				next := textWatch(t, client, modelref.WatchOptions{})
				assert.Len(t, next(), 1)
				time.Sleep(5 * time.Minute)
				assert.Empty(t, next())
				server.ResetRequests()
				server.Handle(guidancePath, handler)
				start := time.Now()
				hours(t, client, 1)
				assert.Empty(t, next())
				documents, lastUpdated, guidance := sent(t, server)
				assert.LessOrEqual(t, documents, 2, "at most one download, and the hourly one")
				assert.Greater(t, lastUpdated, 50)
				assert.LessOrEqual(t, guidance, 8)
				assert.False(t, client.Status().Primary.BreakerOpen)
				assert.Less(t, time.Since(start), 62*time.Minute, "a reader does not wait")
				server.Handle(guidancePath, nil)
				server.SetGuidance(guidanceOf(6, "Org/A", "Org/B"))
				time.Sleep(time.Hour + minute)
				assert.Equal(t, []string{"false [] [] [{Org/A [guidance]}] [] <nil>"}, next())
			}, modelreftest.WithGuidance(guidanceOf(5, "Org/B")))
		})
	}
}

func statusHandler(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func bodyHandler(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
}

// The revision is stored with the document, so that a second process does not miss an edit that was made between the two.
func TestASecondProcessNoticesAGuidanceEdit(t *testing.T) {
	for _, older := range []bool{false, true} {
		t.Run(fmt.Sprint("older ", older), func(t *testing.T) {
			dir := t.TempDir()
			options := []modelreftest.Option{modelreftest.WithGuidance(guidanceOf(4, "Org/B"))}
			if older {
				options = append(options, modelreftest.AsOlderDeployment())
			}
			textBubble(t, func(t *testing.T, server *modelreftest.Server) {
				first := server.Client(t, modelref.WithCacheDir(dir))
				for range 5 {
					statusOf(t, first, "Org/A")
					time.Sleep(minute)
				}
				require.NoError(t, first.Close())
				server.ResetRequests()

				second := server.Client(t, modelref.WithCacheDir(dir))
				statusOf(t, second, "Org/A")
				documents, lastUpdated, guidance := sent(t, server)
				assert.Equal(t, 0, documents)
				assert.Equal(t, 1, lastUpdated)
				if older {
					assert.Zero(t, guidance, "the first process has asked within the hour")
					return
				}
				assert.Equal(t, 1, guidance)
				require.NoError(t, second.Close())

				server.SetGuidance(guidanceOf(5, "Org/A", "Org/B"))
				time.Sleep(minute)
				third := server.Client(t, modelref.WithCacheDir(dir))
				assert.Equal(t, modelref.GuidancePublished, statusOf(t, third, "Org/A"))
			}, options...)
		})
	}
}

// A deployment that is replaced by a newer or an older one is noticed within the hour at the latest.
func TestGuidanceComesAndGoes(t *testing.T) {
	textBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Handle(guidancePath, statusHandler(http.StatusNotFound))
		client := server.Client(t)
		next := textWatch(t, client, modelref.WatchOptions{})
		assert.Len(t, next(), 1)
		time.Sleep(10 * time.Minute)
		server.SetGuidance(guidanceOf(2, "Org/A"))
		server.Handle(guidancePath, nil)
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"false [] [] [{Org/A [guidance]} {Org/B [guidance]}] [] <nil>"}, next())
		server.SetGuidance(guidanceOf(3))
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"false [] [] [{Org/A [guidance]}] [] <nil>"}, next())
	})
}
