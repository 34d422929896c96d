// This file tests watching a category and the status of a Client, in simulated time.

package modelref_test

import (
	"context"
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

const twoModelsEdited = `{
	"Small/1": {"name": "Small/1", "baseline": "stable_diffusion_xl", "nsfw": true, "size_on_disk_bytes": 1000, "description": "new"},
	"Large?": {"future_field": {"a": [1,2]}, "name": "Large?", "baseline": "flux_1", "nsfw": true}}`

// watched collects the results of a watch, such as "initial 2", "+New", "-Gone", "~Name(field field)" and "error".
type watched struct {
	mu   sync.Mutex
	told []string
	errs []error
	stop context.CancelFunc
	done chan struct{}
}

func watch(t *testing.T, client *modelref.Client, options modelref.WatchOptions) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for change, err := range client.ImageGeneration.Watch(ctx, options) {
			w.mu.Lock()
			w.told = append(w.told, describe(change, err))
			if err != nil {
				w.errs = append(w.errs, err)
			}
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() { cancel(); <-w.done })
	synctest.Wait()
	return w
}

func describe(change modelref.Change[modelref.ImageGenerationRecord], err error) string {
	switch {
	case err != nil:
		return "error"
	case change.Initial:
		return "initial " + strings.Join(change.Reference.Names(), ",")
	}
	var out []string
	for _, name := range change.Added {
		out = append(out, "+"+name)
	}
	for _, name := range change.Removed {
		out = append(out, "-"+name)
	}
	for _, c := range change.Changed {
		out = append(out, "~"+c.Name+"("+strings.Join(c.Fields, " ")+")")
	}
	return strings.Join(out, " ")
}

// next returns the results since the last call.
func (w *watched) next() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told
	w.told = nil
	return told
}

// firstError returns the first error of the watch.
func (w *watched) firstError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errs) == 0 {
		return nil
	}
	return w.errs[0]
}

const initial = "initial Small/1,Large?"

func TestWatchYieldsTheStateAndThenEachChangeOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		assert.Equal(t, []string{initial}, w.next())
		assert.Equal(t, "last_updated documents", requested(server), "the last-updated time is requested before its document")
		time.Sleep(5 * time.Minute)
		assert.Empty(t, w.next())
		log := requested(server)
		assert.Equal(t, strings.Repeat("last_updated ", strings.Count(log, " ")+1), log+" ", "each poll is one small request")
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []string{"+New ~Small/1(size_on_disk_bytes) ~Large?(future_field)"}, w.next())
		server.SetDocument(modelref.CategoryImageGeneration, twoModelsEdited)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []string{"-New ~Small/1(nsfw size_on_disk_bytes description) ~Large?(future_field)"}, w.next())
	})
}

func TestWatchComparesValuesNotTheirSpelling(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		w.next()
		server.SetDocument(modelref.CategoryImageGeneration, strings.NewReplacer(": ", ":", "1000", "1e3").Replace(twoModels))
		time.Sleep(2 * time.Minute)
		assert.Empty(t, w.next(), "the last-updated time has changed, but no record has")
		server.SetDocument(modelref.CategoryImageGeneration, twoModelsEdited)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []string{"~Small/1(nsfw description)"}, w.next())
	})
}

func TestWatchMissesNoChangeInTheSecondOfTheLastUpdatedTime(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		w.next()
		time.Sleep(30 * time.Second)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		_, err := server.Client(t).ImageGeneration.Load(t.Context()) // another client, which is not part of this test
		require.NoError(t, err)
		time.Sleep(28 * time.Second) // the poll is within the second of the next change
		for range 40 {
			server.SetDocument(modelref.CategoryImageGeneration, twoModels)
			time.Sleep(100 * time.Millisecond)
			server.SetDocument(modelref.CategoryImageGeneration, threeModels)
			time.Sleep(100 * time.Millisecond)
		}
		server.SetDocument(modelref.CategoryImageGeneration, twoModelsEdited)
		w.next()
		time.Sleep(2 * time.Minute)
		told := w.next()
		require.NotEmpty(t, told, "the last of several changes in one second is not lost")
		time.Sleep(5 * time.Minute)
		assert.Empty(t, w.next(), "the change is yielded only once")
	})
}

func TestWatchContinuesAfterAFailedDownload(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		w.next()
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.Break(modelreftest.Documents, modelreftest.Reset())
		time.Sleep(90 * time.Second)
		assert.Contains(t, w.next(), "error")
		server.Heal(modelreftest.Documents)
		time.Sleep(10 * time.Minute)
		assert.Equal(t, []string{"+New ~Small/1(size_on_disk_bytes) ~Large?(future_field)"}, w.next())
	})
}

func TestWatchNoticesAnEarlierLastUpdatedTime(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(time.Hour)
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		w.next()
		server.SetDocument(modelref.CategoryImageGeneration, twoModels)
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-24*time.Hour).Unix())
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []string{"-New ~Small/1(size_on_disk_bytes) ~Large?(future_field)"}, w.next())
	})
}

func TestWatchContinuesIfTheDeploymentBecomesAReplica(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		w.next()
		time.Sleep(3 * time.Minute)
		server.WithoutMetadata(http.StatusServiceUnavailable)
		time.Sleep(3 * time.Minute)
		assert.Empty(t, w.next())
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []string{"+New ~Small/1(size_on_disk_bytes) ~Large?(future_field)"}, w.next())
	})
}

func TestTenWatchersAndAReaderShareRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		var all []*watched
		for range 10 {
			all = append(all, watch(t, client, modelref.WatchOptions{}))
		}
		stop := time.Now().Add(30 * time.Minute)
		for time.Now().Before(stop) {
			time.Sleep(time.Second)
			load(t, client)
			if time.Until(stop) == 15*time.Minute {
				server.SetDocument(modelref.CategoryImageGeneration, threeModels)
				// The time is in the past, so that the first poll does not have to be repeated.
				server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-10*time.Second).Unix())
			}
		}
		for _, w := range all {
			assert.Equal(t, []string{initial, "+New ~Small/1(size_on_disk_bytes) ~Large?(future_field)"}, w.next())
		}
		log := strings.Fields(requested(server))
		documents, updates := 0, 0
		for _, endpoint := range log {
			switch endpoint {
			case "documents":
				documents++
			case "last_updated":
				updates++
			}
		}
		assert.Equal(t, 2, documents, "the first state and the change")
		assert.Equal(t, len(log), documents+updates)
		assert.GreaterOrEqual(t, updates, 29)
		assert.LessOrEqual(t, updates, 35, "one per minute for all watches")
	})
}

func TestWatchAtAnIntervalBelowTheTTL(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithTTL(time.Hour))
		w := watch(t, client, modelref.WatchOptions{Interval: 10 * time.Second})
		w.next()
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(11 * time.Second)
		assert.Len(t, w.next(), 1)
		assert.Equal(t, 3, load(t, client).Len(), "readers get the polled document")
	})
}

func TestWatchYieldsErrorsAndBacksOff(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		w := watch(t, server.Client(t), modelref.WatchOptions{})
		time.Sleep(time.Hour)
		told := w.next()
		assert.Greater(t, len(told), 10)
		assert.Less(t, len(told), 25, "the interval is longer after errors")
		require.ErrorIs(t, w.firstError(), modelref.ErrUnavailable)
		server.Heal(modelreftest.Primary)
		time.Sleep(20 * time.Minute)
		told = w.next()
		assert.Equal(t, initial, told[len(told)-1])
		assert.LessOrEqual(t, len(told), 2, "at most one more error, from a poll while the breaker was open")
	})
}

func TestAFallbackIsNotAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithMaxStale(0))
		w := watch(t, client, modelref.WatchOptions{})
		w.next()
		server.SetLegacyFile("stable_diffusion.json", `{"Other": {"name": "Other", "baseline": "stable diffusion 1", "type": "ckpt",
			"nsfw": false, "inpainting": false, "config": {"files": [], "download": []}}}`)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(10 * time.Minute)
		for _, said := range w.next() {
			assert.Equal(t, "error", said)
		}
		server.Heal(modelreftest.Primary)
		time.Sleep(20 * time.Minute)
		assert.Empty(t, w.next(), "the same as before")
	})
}

func TestWatchEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		w := watch(t, client, modelref.WatchOptions{})
		w.stop()
		<-w.done
		assert.Equal(t, []string{initial}, w.next(), "without an error")
		w = watch(t, client, modelref.WatchOptions{})
		require.NoError(t, client.Close())
		<-w.done
		require.ErrorIs(t, w.firstError(), modelref.ErrClosed)
		for range client.ImageGeneration.Watch(t.Context(), modelref.WatchOptions{}) {
			break
		}
	})
}

func TestStatus(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		status := client.Status()
		assert.True(t, status.Primary.Configured)
		assert.True(t, status.Healthy())
		assert.False(t, status.Ready(modelref.CategoryImageGeneration))
		require.Len(t, status.Categories, 15)
		assert.False(t, status.Category(modelref.CategoryImageGeneration).Loaded)

		load(t, client)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		status = client.Status()
		assert.True(t, status.Ready(modelref.CategoryImageGeneration))
		assert.False(t, status.Ready(modelref.CategoryImageGeneration, modelref.CategoryCLIP), "the category has not been requested")
		assert.False(t, status.Ready())
		image := status.Category(modelref.CategoryImageGeneration)
		assert.True(t, image.Loaded && image.Fresh && !image.Stale)
		assert.Equal(t, modelref.SourcePrimary, image.Source)
		assert.Equal(t, 2, image.Records)
		assert.Zero(t, image.Age())
		updated, ok := image.LastUpdated.Get()
		assert.True(t, ok)
		assert.Less(t, updated, time.Now())
		assert.Equal(t, modelref.Counters{Hits: 1, Loads: 1, Revalidations: 1, Requests: 2, Bytes: int64(len(twoModels))}, image.Counters)

		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Status(404))
		time.Sleep(minute)
		load(t, client)
		_, err := client.CLIP.Load(t.Context())
		require.Error(t, err)
		status = client.Status()
		assert.True(t, status.Primary.BreakerOpen)
		assert.False(t, status.GitHub.BreakerOpen)
		assert.True(t, status.Primary.RetryAt.After(time.Now()))
		require.ErrorContains(t, status.Primary.LastError, "refused")
		image = status.Category(modelref.CategoryImageGeneration)
		assert.True(t, image.Stale)
		assert.EqualValues(t, 1, image.Counters.Fallbacks)
		require.ErrorContains(t, image.LastError, "refused")
		clip := status.Category(modelref.CategoryCLIP)
		assert.EqualValues(t, 1, clip.Counters.Failures)
		require.ErrorIs(t, clip.LastError, modelref.ErrUnavailable)
		assert.False(t, status.Healthy())
	})
}

func TestWarm(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		server.Break(modelreftest.Documents, modelreftest.Delay(time.Second))
		start := time.Now()
		require.NoError(t, client.Warm(t.Context()))
		assert.Equal(t, time.Second, time.Since(start), "concurrently")
		assert.Len(t, server.Requests(), 15)
		err := client.Warm(t.Context(), modelref.CategoryCLIP, "nope")
		require.ErrorIs(t, err, modelref.ErrUnknownCategory)
		var incomplete *modelref.PartialError
		require.ErrorAs(t, err, &incomplete)
		assert.Equal(t, []modelref.Category{"nope"}, incomplete.Categories())
		var closed modelref.Client
		require.ErrorIs(t, closed.Warm(t.Context()), modelref.ErrClosed)
	})
}

func TestTheObserverReceivesEveryEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var mu sync.Mutex
		var told, second []string
		observe := func(list *[]string) modelref.Option {
			return modelref.WithObserver(func(e modelref.Event) {
				mu.Lock()
				defer mu.Unlock()
				*list = append(*list, e.Kind.String()+" "+e.Source.String())
			})
		}
		client := server.Client(t, observe(&told), observe(&second))
		load(t, client)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(minute)
		load(t, client)
		server.Heal(modelreftest.Primary)
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, []string{
			"load primary", "hit primary", "revalidate primary",
			"breaker_opened primary", "source_failed primary", "fallback primary",
			"breaker_closed primary", "revalidate primary",
		}, told)
		assert.Equal(t, told, second, "the second observer receives the same events")
		assert.Equal(t, "unknown", modelref.EventKind(99).String())
	})
}

func TestWatchByTheNameOfACategory(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		reader, err := client.Category("image_generation")
		require.NoError(t, err)
		assert.Equal(t, modelref.CategoryImageGeneration, reader.Category())
		w := watch(t, client, modelref.WatchOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		var told []modelref.Change[modelref.ModelRecord]
		done := make(chan struct{})
		go func() {
			defer close(done)
			for change, err := range reader.Watch(ctx, modelref.WatchOptions{}) {
				assert.NoError(t, err)
				told = append(told, change)
			}
		}()
		time.Sleep(5 * time.Minute)
		server.SetDocument(modelref.CategoryImageGeneration, twoModelsEdited)
		time.Sleep(2 * time.Minute)
		cancel()
		<-done
		require.Len(t, told, 2)
		assert.True(t, told[0].Initial)
		assert.Equal(t, []string{"Small/1", "Large?"}, told[0].Reference.Names())
		assert.Equal(t, []modelref.RecordChange{{Name: "Small/1", Fields: []string{"nsfw", "description"}}}, told[1].Changed)
		assert.Equal(t, []string{initial, "~Small/1(nsfw description)"}, w.next(), "the same as the watch of the service")
		log := requested(server)
		assert.Equal(t, 2, strings.Count(log, "documents"), "both share their requests")
	})
	var none *modelref.CategoryReader
	assert.Empty(t, none.Category())
	for _, err := range none.Watch(t.Context(), modelref.WatchOptions{}) {
		require.ErrorIs(t, err, modelref.ErrClosed)
	}
}

func TestCompareAndDecodeDocument(t *testing.T) {
	t.Parallel()
	type image = modelref.ImageGenerationRecord
	before, err := modelref.DecodeDocument[image](modelref.CategoryImageGeneration, twoModels)
	require.NoError(t, err)
	after, err := modelref.DecodeDocument[image](modelref.CategoryImageGeneration, threeModels)
	require.NoError(t, err)
	assert.Equal(t, modelref.SourceNone, after.Source())
	change := modelref.Compare(before, after)
	assert.Same(t, after, change.Reference)
	assert.Equal(t, "+New ~Small/1(size_on_disk_bytes) ~Large?(future_field)", describe(change, nil))
	assert.Equal(t, "-New ~Small/1(size_on_disk_bytes) ~Large?(future_field)", describe(modelref.Compare(after, before), nil))
	assert.Empty(t, describe(modelref.Compare(after, after), nil))
	assert.Equal(t, []string{"Small/1", "Large?"}, modelref.Compare(nil, before).Added)
	assert.Equal(t, []string{"Small/1", "Large?"}, modelref.Compare(before, nil).Removed)

	common, err := modelref.DecodeDocument[modelref.ModelRecord](modelref.CategoryImageGeneration, twoModels)
	require.NoError(t, err)
	small, ok := common.Get("Small/1")
	require.True(t, ok)
	assert.Equal(t, modelref.Some[int64](1000), small.SizeOnDiskBytes)
	_, err = modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryImageGeneration, twoModels)
	require.EqualError(t, err, "modelref: DecodeDocument: the records of image_generation must have the type of the category or ModelRecord, got modelref.CLIPRecord")
	_, err = modelref.DecodeDocument[image]("nonsense", twoModels)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	var decode *modelref.DecodeError
	_, err = modelref.DecodeDocument[image](modelref.CategoryImageGeneration, "[]")
	require.ErrorAs(t, err, &decode)
}

func TestARecordThatCanNoLongerBeDecodedIsNotRemoved(t *testing.T) {
	t.Parallel()
	decode := func(document string) *modelref.Reference[modelref.CLIPRecord] {
		ref, err := modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryCLIP, document)
		require.NoError(t, err)
		return ref
	}
	sound := decode(`{"a": {"name": "a"}, "b": {"name": "b"}, "c": {"name": "c"}}`)
	spoilt := decode(`{"a": {"name": 5}, "c": {"name": "c"}}`)
	change := modelref.Compare(sound, spoilt)
	assert.Equal(t, []string{"b"}, change.Removed)
	assert.Equal(t, []string{"a"}, change.Rejected)
	assert.Empty(t, change.Added)
	change = modelref.Compare(spoilt, sound)
	assert.Equal(t, []string{"a", "b"}, change.Added)
	assert.Empty(t, change.Rejected)
}

func TestAWatchRequestsGitHubOncePerTTL(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		w := watch(t, server.Client(t), modelref.WatchOptions{Interval: time.Second})
		time.Sleep(10 * time.Minute)
		assert.Contains(t, w.next(), initial)
		atGitHub := 0
		for _, r := range server.Requests() {
			if r.Endpoint == modelreftest.GitHub {
				atGitHub++
			}
		}
		assert.Positive(t, atGitHub)
		assert.LessOrEqual(t, atGitHub, 12)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.Heal(modelreftest.Primary)
		time.Sleep(6 * time.Minute) // the longest delay of the breaker, and a TTL
		assert.Contains(t, strings.Join(w.next(), "\n"), "+New")
	})
}
