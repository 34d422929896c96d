// This file tests the public behavior of the Client with a fake PRIMARY and a fake GitHub, in simulated time.

package modelref_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// TestMain checks that no goroutine is left after the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if left := goroutinesLeft(); code == 0 && left != "" {
		fmt.Println("goroutines are left after the tests:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits until all other goroutines have ended. After a limit, it returns the stacks of the rest.
func goroutinesLeft() string {
	var stacks string
	for range 100 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		var left []string
		for _, stack := range strings.Split(stacks, "\n\n") {
			if !strings.Contains(stack, "goroutinesLeft") && !strings.Contains(stack, "os/signal") &&
				!strings.Contains(stack, "testing.runFuzz") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		stacks = strings.Join(left, "\n\n")
		time.Sleep(20 * time.Millisecond) // goroutines may end in real time, not in simulated time
	}
	return stacks
}

const (
	twoModels = `{
	"Small/1": {"name": "Small/1", "baseline": "stable_diffusion_xl", "nsfw": false, "size_on_disk_bytes": 1000},
	"Large?": {"name": "Large?", "baseline": "flux_1", "nsfw": true, "future_field": {"a": [1, 2]}}}`
	threeModels = `{
	"Small/1": {"name": "Small/1", "baseline": "stable_diffusion_xl", "nsfw": false},
	"Large?": {"name": "Large?", "baseline": "flux_1", "nsfw": true},
	"New": {"name": "New", "baseline": "new_family", "nsfw": false}}`
)

// inBubble runs a test in simulated time, with a server in memory that has two image models.
func inBubble(t *testing.T, test func(t *testing.T, server *modelreftest.Server)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryImageGeneration, twoModels))
		test(t, server)
	})
}

func load(t *testing.T, client *modelref.Client) *modelref.Reference[modelref.ImageGenerationRecord] {
	t.Helper()
	ref, err := client.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	return ref
}

// requested returns the endpoints that were requested, in order, such as "documents last_updated github".
func requested(server *modelreftest.Server) string {
	var out []string
	for _, r := range server.Requests() {
		out = append(out, r.Endpoint.String())
	}
	server.ResetRequests()
	return strings.Join(out, " ")
}

const minute = time.Minute + time.Second

func TestLoadReadsOnceAndServesFromMemory(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		ref := load(t, client)
		assert.Equal(t, []string{"Small/1", "Large?"}, ref.Names())
		assert.Equal(t, modelref.SourcePrimary, ref.Source())
		assert.False(t, ref.Stale())
		assert.Equal(t, time.Now(), ref.FetchedAt())
		assert.Equal(t, modelref.CategoryImageGeneration, ref.Category())
		assert.Empty(t, ref.Rejected())
		time.Sleep(50 * time.Second)
		assert.Same(t, ref, load(t, client))
		assert.Equal(t, "documents", requested(server))
	})
}

func TestGetFindsNamesThatNoPathCanHave(t *testing.T) {
	t.Parallel()
	client := modelreftest.NewServer(t,
		modelreftest.WithDocument(modelref.CategoryTextGeneration, `{"acrastt/Marx-3B-V3": {"name": "acrastt/Marx-3B-V3", "parameters": 3e9}}`),
		modelreftest.WithDocument(modelref.CategoryCLIP, `{"ViT-L/14": {"name": "ViT-L/14"}, "a?#%&+ ☃": {}, "search": {}}`),
	).Client(t)
	text, err := client.TextGeneration.Get(t.Context(), "acrastt/Marx-3B-V3")
	require.NoError(t, err)
	assert.Equal(t, int64(3_000_000_000), text.Parameters)
	for _, name := range []string{"ViT-L/14", "a?#%&+ ☃", "search"} {
		clip, err := client.CLIP.Get(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, name, clip.Name)
		assert.Equal(t, modelref.PurposeFeatureExtractor, clip.Classification.Purpose)
	}
	_, err = client.CLIP.Get(t.Context(), "nobody")
	require.ErrorIs(t, err, modelref.ErrNotFound)
	assert.Equal(t, `modelref: clip: "nobody": not found`, err.Error())
}

func TestEveryCategoryHasAService(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	client := server.Client(t)
	for _, category := range modelref.Categories() {
		reader, err := client.Category(string(category))
		require.NoError(t, err)
		ref, err := reader.Load(t.Context())
		require.NoError(t, err, category)
		assert.Equal(t, category, ref.Category())
		for name, m := range ref.All() {
			assert.Equal(t, category, m.RecordType)
			got, err := reader.Get(t.Context(), name)
			require.NoError(t, err)
			assert.Same(t, m, got)
		}
	}
	for _, got := range []modelref.Category{
		client.ImageGeneration.Category(), client.TextGeneration.Category(), client.ControlNet.Category(),
		client.ControlNetAnnotator.Category(), client.CLIP.Category(), client.BLIP.Category(), client.ESRGAN.Category(),
		client.GFPGAN.Category(), client.CodeFormer.Category(), client.SafetyChecker.Category(),
		client.VideoGeneration.Category(), client.AudioGeneration.Category(), client.Miscellaneous.Category(),
		client.LoRA.Category(), client.TextualInversion.Category(),
	} {
		assert.True(t, got.Known(), got)
	}
	_, err := client.Category("checkpoints")
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	assert.Contains(t, err.Error(), "image_generation")
}

func TestAThousandCallersShareOneRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Delay(time.Second))
		client := server.Client(t)
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := client.ImageGeneration.Load(first)
			assert.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 999 {
			wg.Go(func() {
				ref, err := client.ImageGeneration.Load(t.Context())
				if assert.NoError(t, err) {
					assert.Equal(t, 2, ref.Len())
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		assert.Equal(t, "documents", requested(server))
	})
}

func TestUnchangedDataNeedsOneSmallRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		first := load(t, client)
		requested(server)
		for range 5 {
			time.Sleep(minute)
			ref := load(t, client)
			require.Len(t, server.Requests(), 1)
			assert.Less(t, server.Requests()[0].BodyBytes, 200)
			assert.Equal(t, "last_updated", requested(server))
			assert.False(t, ref.Stale())
			assert.Equal(t, first.FetchedAt(), ref.FetchedAt())
			assert.Equal(t, time.Now(), ref.ConfirmedAt())
			a, _ := first.Get("Large?")
			b, _ := ref.Get("Large?")
			assert.Same(t, a, b, "the same records")
		}
	})
}

func TestAChangeIsLoadedWhenTheTTLExpires(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		requested(server)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
		assert.Equal(t, "last_updated documents", requested(server))
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, "last_updated", requested(server))
	})
}

func TestAChangeInTheSecondOfTheLastUpdatedTimeIsNotLost(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryImageGeneration, twoModels) // the last-updated time is now
		client := server.Client(t)
		require.Equal(t, 2, load(t, client).Len())
		server.SetDocument(modelref.CategoryImageGeneration, threeModels) // in the same second
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
		assert.Equal(t, "documents last_updated documents", requested(server))
	})
}

func TestAnEarlierLastUpdatedTimeIsAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-24*time.Hour).Unix()) // the deployment was restored
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
	})
}

func TestAFailedDownloadAfterAChangeIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.Break(modelreftest.Documents, modelreftest.Truncated())
		time.Sleep(minute)
		ref := load(t, client)
		assert.True(t, ref.Stale())
		assert.Equal(t, 2, ref.Len())
		server.Heal(modelreftest.Documents)
		time.Sleep(2 * time.Minute)
		ref = load(t, client)
		assert.False(t, ref.Stale())
		assert.Equal(t, 3, ref.Len(), "the change is not lost")
	})
}

func TestADocumentIsDownloadedEveryHourEvenIfItIsUnchanged(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		downloads := 0
		for start := time.Now(); time.Since(start) < 3*time.Hour+10*time.Minute; time.Sleep(minute) {
			load(t, client)
		}
		for _, r := range server.Requests() {
			if r.Endpoint == modelreftest.Documents {
				downloads++
			}
		}
		assert.Equal(t, 4, downloads)
	})
}

func TestWithoutMetadataTheDocumentIsDownloaded(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.WithoutMetadata(http.StatusServiceUnavailable)
		client := server.Client(t)
		load(t, client)
		for range 3 {
			time.Sleep(minute)
			assert.False(t, load(t, client).Stale())
		}
		assert.Equal(t, "documents last_updated documents documents documents", requested(server), "the last-updated time is not requested again")
	})
}

// outages returns the faults of an unavailable PRIMARY. Each is retried and opens the breaker.
func outages() map[string]modelreftest.Fault {
	return map[string]modelreftest.Fault{
		"refused":           modelreftest.Refused(),
		"reset":             modelreftest.Reset(),
		"reset in the body": modelreftest.ResetInBody(),
		"stalled":           modelreftest.Stall(),
		"long Retry-After":  modelreftest.RetryAfter(503, "86400"),
		"HTML 502":          modelreftest.HTML(502),
		"truncated":         modelreftest.Truncated(),
		"408":               modelreftest.Status(408),
		"429":               modelreftest.Status(429),
		"500":               modelreftest.Status(500),
	}
}

// invalidResponses returns faults that are not outages. The PRIMARY responds, but not with a reference.
func invalidResponses() map[string]modelreftest.Fault {
	return map[string]modelreftest.Fault{
		"truncated JSON":   modelreftest.WrongLength(),
		"empty body":       modelreftest.Empty(),
		"a list":           modelreftest.Body(200, "application/json", `[{"name": "a"}]`),
		"null":             modelreftest.Body(200, "application/json", `null`),
		"an HTML page":     modelreftest.HTML(200),
		"no valid record":  modelreftest.Body(200, "application/json", `{"a": {"name": 1}, "b": []}`),
		"unknown category": modelreftest.Status(422),
		"wrong base URL":   modelreftest.Status(404),
		"forbidden":        modelreftest.Status(403),
	}
}

func allFaults() map[string]modelreftest.Fault {
	out := outages()
	for name, fault := range invalidResponses() {
		out[name] = fault
	}
	return out
}

func TestAColdReadFallsBackToGitHub(t *testing.T) {
	for name, fault := range allFaults() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Documents, fault)
				client := server.Client(t)
				start := time.Now()
				ref := load(t, client)
				assert.Equal(t, modelref.SourceGitHub, ref.Source())
				assert.False(t, ref.Stale())
				assert.Equal(t, []string{"Small/1", "Large?"}, ref.Names())
				assert.LessOrEqual(t, time.Since(start), 20*time.Second, "the budget")
			})
		})
	}
}

func TestOutagesAreRetriedAndInvalidResponsesAreNot(t *testing.T) {
	for name, fault := range outages() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Documents, fault)
				client := server.Client(t)
				load(t, client)
				_, err := client.CLIP.Load(t.Context())
				require.NoError(t, err)
				want := "documents documents documents github github"
				switch name {
				case "long Retry-After": // exceeds the time budget, so there is no retry
					want = "documents github github"
				case "stalled": // a part of the time budget is reserved for GitHub
					want = "documents documents github github"
				}
				assert.Equal(t, want, requested(server), "the breaker is open for the second category")
			})
		})
	}
	for name, fault := range invalidResponses() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Documents, fault)
				client := server.Client(t)
				load(t, client)
				_, err := client.CLIP.Load(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "documents github documents github", requested(server), "no retry, and the breaker is closed")
			})
		})
	}
}

func TestFaultsNeverReplaceTheCopyInMemory(t *testing.T) {
	for name, fault := range allFaults() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				dir := t.TempDir()
				client := server.Client(t, modelref.WithCacheDir(dir))
				load(t, client)
				before := readFile(t, dir, "stable_diffusion.json")
				server.SetDocument(modelref.CategoryImageGeneration, threeModels) // so that the document is requested
				server.Break(modelreftest.Documents, fault)
				for range 5 {
					time.Sleep(minute)
					start := time.Now()
					ref := load(t, client)
					assert.True(t, ref.Stale())
					assert.Equal(t, modelref.SourcePrimary, ref.Source())
					assert.Equal(t, []string{"Small/1", "Large?"}, ref.Names())
					assert.LessOrEqual(t, time.Since(start), 20*time.Second)
				}
				assert.Equal(t, before, readFile(t, dir, "stable_diffusion.json"))
				assert.NotContains(t, requested(server), "github", "the copy in memory is not too old")
				server.Heal(modelreftest.Documents)
				time.Sleep(10 * time.Minute)
				assert.Equal(t, 3, load(t, client).Len())
			})
		})
	}
}

func TestWhileTheBreakerIsOpenAReadReturnsImmediately(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Stall())
		time.Sleep(minute)
		require.True(t, load(t, client).Stale())
		time.Sleep(14 * time.Second) // the load that has detected the outage ends
		requested(server)
		start := time.Now()
		for range 20 {
			time.Sleep(time.Second)
			before := time.Now()
			assert.True(t, load(t, client).Stale())
			assert.Zero(t, time.Since(before), "no request is sent")
			ref, err := client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
			require.NoError(t, err)
			assert.True(t, ref.Stale())
			assert.Zero(t, time.Since(before), "a refresh sends no request either")
		}
		assert.Less(t, time.Since(start), 22*time.Second)
		assert.Empty(t, requested(server))
	})
}

func TestTheDelayGrowsAndEndsWithOneProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithoutGitHub())
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(minute)
		server.ResetRequests()
		var probes []time.Time
		for start := time.Now(); time.Since(start) < 40*time.Minute; time.Sleep(time.Second) {
			load(t, client)
			if r := server.Requests(); len(r) > 0 {
				probes = append(probes, r[0].At)
				server.ResetRequests()
			}
		}
		require.Greater(t, len(probes), 6)
		first, last := probes[1].Sub(probes[0]), probes[len(probes)-1].Sub(probes[len(probes)-2])
		assert.InDelta(t, 30, first.Seconds(), 10)
		assert.Greater(t, last, 3*time.Minute)
		assert.LessOrEqual(t, last, 6*time.Minute)
		server.Heal(modelreftest.Primary)
		time.Sleep(10 * time.Minute)
		assert.False(t, load(t, client).Stale())
	})
}

func TestGitHubIsPreferredToAnOldCopy(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithMaxStale(10*time.Minute))
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(9 * time.Minute)
		assert.Equal(t, modelref.SourcePrimary, load(t, client).Source())
		time.Sleep(5 * time.Minute)
		ref := load(t, client)
		assert.Equal(t, modelref.SourceGitHub, ref.Source())
		assert.False(t, ref.Stale())
		server.ResetRequests()
		time.Sleep(minute)
		assert.Equal(t, modelref.SourceGitHub, load(t, client).Source())
		for _, r := range server.Requests() {
			if r.Endpoint == modelreftest.GitHub {
				assert.Equal(t, http.StatusNotModified, r.Status, "the request has the ETag")
				assert.Zero(t, r.BodyBytes)
			}
		}
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		time.Sleep(2 * time.Minute)
		ref = load(t, client)
		assert.Equal(t, modelref.SourceGitHub, ref.Source(), "the copy in memory, from any source")
		assert.True(t, ref.Stale())
		server.Heal(modelreftest.Primary)
		time.Sleep(6 * time.Minute)
		assert.Equal(t, modelref.SourcePrimary, load(t, client).Source())
	})
}

func TestIfAllSourcesAreDownDiskThenBootstrapThenAnErrorWithAllSources(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		server.Break(modelreftest.Primary, modelreftest.RetryAfter(503, "86400"))
		server.Break(modelreftest.GitHub, modelreftest.DNSFailure())
		time.Sleep(48 * time.Hour)

		bootstrap := fstest.MapFS{"image_generation.json": {Data: []byte(threeModels)}}
		clipOnly := fstest.MapFS{"clip.json": {Data: []byte("{}")}}
		ref := load(t, server.Client(t, modelref.WithCacheDir(dir), modelref.WithBootstrap(bootstrap)))
		assert.Equal(t, modelref.SourceDisk, ref.Source())
		assert.True(t, ref.Stale())
		assert.Equal(t, 48*time.Hour, time.Since(ref.ConfirmedAt()).Truncate(time.Hour))

		ref = load(t, server.Client(t, modelref.WithCacheDir(t.TempDir()), modelref.WithBootstrap(bootstrap)))
		assert.Equal(t, modelref.SourceBootstrap, ref.Source())
		assert.True(t, ref.Stale())
		assert.Equal(t, 3, ref.Len())

		client := server.Client(t, modelref.WithCacheDir(t.TempDir()), modelref.WithBootstrap(clipOnly))
		_, err := client.ImageGeneration.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, fs.ErrNotExist)
		var fetch *modelref.FetchError
		require.ErrorAs(t, err, &fetch)
		assert.Equal(t, modelref.CategoryImageGeneration, fetch.Category)
		var origins []modelref.Source
		for _, a := range fetch.Sources {
			origins = append(origins, a.Source)
		}
		assert.Equal(t, []modelref.Source{
			modelref.SourcePrimary, modelref.SourceGitHub, modelref.SourceDisk, modelref.SourceBootstrap,
		}, origins)
		var api *modelref.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 503, api.StatusCode)
		assert.Equal(t, 24*time.Hour, api.RetryAfter)
		assert.Regexp(t, `^modelref: image_generation: primary: GET .*: 503 Service Unavailable \(1 attempt, .*github: .*no such host.*\(3 attempts, .*disk: .*bootstrap: `, err.Error())
		assert.NotContains(t, err.Error(), "\n")
	})
}

func TestTheErrorOfACategoryThatIsNotOnGitHub(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		client := server.Client(t)
		_, err := client.LoRA.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		server.ResetRequests()
		_, err = client.LoRA.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		assert.Contains(t, err.Error(), "refused", "the error has the cause of the open breaker")
		assert.Empty(t, requested(server), "no second request during an outage")
	})
}

func TestA404IsCachedForATTL(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Status(404))
		client := server.Client(t)
		for range 10 {
			_, err := client.LoRA.Load(t.Context())
			var api *modelref.APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, 404, api.StatusCode)
		}
		assert.Equal(t, "documents", requested(server))
		server.Heal(modelreftest.Documents)
		time.Sleep(minute)
		_, err := client.LoRA.Load(t.Context())
		require.NoError(t, err)
	})
}

func TestAnEmptyDocumentMustBeConfirmed(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		client := server.Client(t, modelref.WithCacheDir(dir))
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, `{}`)
		time.Sleep(minute)
		ref := load(t, client)
		assert.True(t, ref.Stale())
		assert.Equal(t, 2, ref.Len())
		_, err := client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		assert.Equal(t, 2, load(t, client).Len(), "an immediate second load does not confirm the first")
		assert.Contains(t, readFile(t, dir, "stable_diffusion.json"), "Small/1")
		time.Sleep(minute)
		ref = load(t, client)
		assert.Zero(t, ref.Len())
		assert.False(t, ref.Stale())
		assert.Equal(t, `{}`, readFile(t, dir, "stable_diffusion.json"))
	})
	t.Run("after a restart", func(t *testing.T) {
		inBubble(t, func(t *testing.T, server *modelreftest.Server) {
			dir := t.TempDir()
			load(t, server.Client(t, modelref.WithCacheDir(dir)))
			server.SetDocument(modelref.CategoryImageGeneration, `{}`)
			time.Sleep(minute)
			client := server.Client(t, modelref.WithCacheDir(dir))
			assert.Equal(t, 2, load(t, client).Len())
			time.Sleep(minute)
			assert.Zero(t, load(t, client).Len())
		})
	})
	t.Run("with a restart after each read", func(t *testing.T) {
		for _, withNote := range []bool{true, false} {
			t.Run(fmt.Sprint("note ", withNote), func(t *testing.T) {
				inBubble(t, func(t *testing.T, server *modelreftest.Server) {
					dir := t.TempDir()
					load(t, server.Client(t, modelref.WithCacheDir(dir)))
					server.SetDocument(modelref.CategoryImageGeneration, `{}`)
					if !withNote { // the document of another program
						require.NoError(t, os.Remove(filepath.Join(dir, "stable_diffusion.json.modelref")))
						old := time.Now().Add(-time.Hour)
						require.NoError(t, os.Chtimes(filepath.Join(dir, "stable_diffusion.json"), old, old))
					}
					time.Sleep(minute)
					for range 2 {
						assert.Equal(t, 2, load(t, server.Client(t, modelref.WithCacheDir(dir))).Len())
						time.Sleep(20 * time.Second)
					}
					time.Sleep(minute)
					assert.Zero(t, load(t, server.Client(t, modelref.WithCacheDir(dir))).Len())
				})
			})
		}
	})
	t.Run("if the store has a newer copy than memory", func(t *testing.T) {
		inBubble(t, func(t *testing.T, server *modelreftest.Server) {
			dir := t.TempDir()
			idle := server.Client(t, modelref.WithCacheDir(dir))
			load(t, idle)
			server.SetDocument(modelref.CategoryImageGeneration, threeModels)
			time.Sleep(minute)
			require.Equal(t, 3, load(t, server.Client(t, modelref.WithCacheDir(dir))).Len())
			server.SetDocument(modelref.CategoryImageGeneration, `{}`)
			time.Sleep(minute)
			assert.True(t, load(t, idle).Stale())
			assert.Equal(t, threeModels, readFile(t, dir, "stable_diffusion.json"))
		})
	})
	t.Run("if the clock was ahead", func(t *testing.T) {
		inBubble(t, func(t *testing.T, server *modelreftest.Server) {
			dir := t.TempDir()
			load(t, server.Client(t, modelref.WithCacheDir(dir)))
			server.SetDocument(modelref.CategoryImageGeneration, `{}`)
			time.Sleep(minute)
			load(t, server.Client(t, modelref.WithCacheDir(dir)))
			note := readFile(t, dir, "stable_diffusion.json.modelref")
			ahead := strings.Replace(note, `"empty_at": "2000`, `"empty_at": "2031`, 1)
			require.NotEqual(t, note, ahead)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json.modelref"), []byte(ahead), 0o600))
			client := server.Client(t, modelref.WithCacheDir(dir))
			assert.Equal(t, 2, load(t, client).Len())
			time.Sleep(minute)
			assert.Zero(t, load(t, client).Len())
		})
	})
	t.Run("after a document with records, two are required again", func(t *testing.T) {
		inBubble(t, func(t *testing.T, server *modelreftest.Server) {
			client := server.Client(t)
			load(t, client)
			for range 3 {
				server.SetDocument(modelref.CategoryImageGeneration, `{}`)
				time.Sleep(minute)
				assert.Equal(t, 2, load(t, client).Len())
				server.SetDocument(modelref.CategoryImageGeneration, twoModels)
				time.Sleep(minute)
				assert.Equal(t, 2, load(t, client).Len())
			}
		})
	})
}

func TestWithRefreshLoadsEvenIfTheCopyIsFresh(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		assert.Equal(t, 2, load(t, client).Len())
		ref, err := client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		assert.Equal(t, 3, ref.Len())
		assert.Same(t, ref, load(t, client))
		assert.Equal(t, "documents documents", requested(server))
	})
}

func TestARefreshWaitOfZeroReturnsImmediately(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithRefreshWait(0))
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.Break(modelreftest.Documents, modelreftest.Delay(3*time.Second))
		time.Sleep(minute)
		server.ResetRequests()
		start := time.Now()
		for range 100 {
			ref := load(t, client)
			assert.True(t, ref.Stale())
			assert.Equal(t, 2, ref.Len())
		}
		assert.Zero(t, time.Since(start))
		time.Sleep(5 * time.Second)
		assert.Equal(t, 3, load(t, client).Len())
		assert.Equal(t, "last_updated documents", requested(server))
	})
}

func TestAnInvalidRecordDoesNotAffectOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryImageGeneration, `{
			"good": {"name": "good", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 5.0, "tags": null},
			"no nsfw": {"name": "no nsfw", "baseline": "flux_1"},
			"text size": {"name": "x", "baseline": "flux_1", "nsfw": false, "config": {"download": [
				{"file_name": "a", "file_url": "b"}, {"file_name": "a", "file_url": "b", "size_bytes": "big"}]}},
			"twice": {"name": "twice", "baseline": "old", "nsfw": false},
			"other": {"name": "other", "baseline": "odd", "nsfw": true, "style": "cubist"},
			"twice": {"name": "twice", "baseline": "new", "nsfw": false}}`)
		ref := load(t, server.Client(t))
		assert.Equal(t, []string{"good", "twice", "other"}, ref.Names())
		twice, _ := ref.Get("twice")
		assert.EqualValues(t, "new", twice.Baseline)
		other, _ := ref.Get("other")
		assert.False(t, other.Style.Known())
		assert.False(t, other.Baseline.Known())
		good, _ := ref.Get("good")
		assert.Equal(t, modelref.Some[int64](5), good.SizeOnDiskBytes)
		assert.Nil(t, good.Tags)
		var said []string
		for _, r := range ref.Rejected() {
			said = append(said, r.Error())
		}
		assert.Equal(t, []string{
			`"no nsfw": nsfw: missing`,
			`"text size": config.download[1].size_bytes: must be a whole number of 64 bits, got the string "big"`,
			`"twice": the name is repeated; the last record is used`,
		}, said)
	})
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(data)
}

func TestAFreshCopyOnDiskAvoidsTheFirstRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		fetched := time.Now()
		assert.Equal(t, "documents", requested(server))
		time.Sleep(30 * time.Second)
		client := server.Client(t, modelref.WithCacheDir(dir))
		ref := load(t, client)
		assert.Equal(t, modelref.SourceDisk, ref.Source())
		assert.False(t, ref.Stale())
		assert.True(t, fetched.Equal(ref.FetchedAt()))
		assert.Empty(t, requested(server))
		time.Sleep(35 * time.Second)
		assert.False(t, load(t, client).Stale())
		assert.Equal(t, "last_updated", requested(server), "the copy has its last-updated time")
		assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "the document is unchanged")
	})
}

func TestACopyFromTheFutureIsNotFresh(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		requested(server)
		path := filepath.Join(dir, "stable_diffusion.json.modelref")
		ahead := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		stamped := regexp.MustCompile(`"((?:confirmed|downloaded)_at)": "[^"]*"`).
			ReplaceAllString(readFile(t, dir, "stable_diffusion.json.modelref"), `"$1": "`+ahead+`"`)
		require.Equal(t, 2, strings.Count(stamped, ahead))
		require.NoError(t, os.WriteFile(path, []byte(stamped), 0o600))

		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-time.Hour).Unix())
		ref := load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Equal(t, modelref.SourcePrimary, ref.Source())
		assert.Equal(t, 3, ref.Len())
		assert.Equal(t, "documents", requested(server))

		require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), []byte(twoModels), 0o600))
		require.NoError(t, os.WriteFile(path, []byte(stamped), 0o600))
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		ref = load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Equal(t, modelref.SourceDisk, ref.Source(), "it is used if there is no other copy")
		assert.True(t, ref.Stale())
	})
}

func TestACorruptedCopyOnDiskIsNeverReturned(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "garbage": "\x00\x01\x02", "half": twoModels[:len(twoModels)/2], "a list": "[]",
		"no valid record": `{"a": 1}`,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				dir := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), []byte(content), 0o600))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json.modelref"), []byte("{"), 0o600))
				now := time.Now()
				require.NoError(t, os.Chtimes(filepath.Join(dir, "stable_diffusion.json"), now, now))
				var log bytes.Buffer
				client := server.Client(t, modelref.WithCacheDir(dir), logTo(&log))
				ref := load(t, client)
				assert.Equal(t, modelref.SourcePrimary, ref.Source())
				assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "the cause is logged once: %s", log.String())
				assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "the copy is replaced")
			})
		})
	}
}

func logTo(w io.Writer) modelref.Option {
	return modelref.WithLogger(slog.New(slog.NewTextHandler(w, nil)))
}

func TestTheFilesOfAKilledWriterAreNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := filepath.Join(t.TempDir(), "a[b") // not a valid pattern of package filepath
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		half := filepath.Join(dir, ".modelref-123.tmp")
		require.NoError(t, os.WriteFile(half, []byte(threeModels[:40]), 0o600))
		client := server.Client(t, modelref.WithCacheDir(dir))
		assert.Equal(t, []string{"Small/1", "Large?"}, load(t, client).Names())
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(half, old, old))
		server.Client(t, modelref.WithCacheDir(dir))
		assert.NoFileExists(t, half, "an abandoned temporary file is removed")
	})
}

func TestReadsDoNotNeedTheCacheDirectory(t *testing.T) {
	removed := func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir)) }
	aFile := func(t *testing.T, dir string) {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
	}
	readOnly := func(t *testing.T, dir string) {
		if os.Getuid() == 0 {
			t.Skip("root may write to a read-only directory")
		}
		require.NoError(t, os.Chmod(dir, 0o500))
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	}
	inTheWay := func(t *testing.T, dir string) { // a directory with the name of the document cannot be replaced, not even by root
		require.NoError(t, os.Remove(filepath.Join(dir, "stable_diffusion.json")))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "stable_diffusion.json", "x"), 0o700))
	}
	for name, test := range map[string]struct {
		damage   func(*testing.T, string)
		warnings int
	}{
		"removed": {removed, 0}, "a file in its place": {aFile, 1}, "read-only": {readOnly, 1}, "in the way": {inTheWay, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				dir := filepath.Join(t.TempDir(), "cache")
				var log bytes.Buffer
				client := server.Client(t, modelref.WithCacheDir(dir), logTo(&log))
				load(t, client)
				test.damage(t, dir)
				for i := range 4 {
					server.SetDocument(modelref.CategoryImageGeneration, []string{threeModels, twoModels}[i%2])
					time.Sleep(minute)
					ref := load(t, client)
					assert.Equal(t, 3-i%2, ref.Len())
					assert.False(t, ref.Stale())
				}
				assert.Equal(t, test.warnings, strings.Count(log.String(), "level=WARN"), log.String())
				if name == "removed" {
					assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "the directory is created again")
				}
			})
		})
	}
}

func TestOffline(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		requested(server)
		time.Sleep(24 * time.Hour)
		client := server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline())
		ref := load(t, client)
		assert.Equal(t, modelref.SourceDisk, ref.Source())
		assert.True(t, ref.Stale())
		_, err := client.CLIP.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, modelref.ErrOffline)
		assert.Empty(t, requested(server))
	})
}

func TestGitHubOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithoutPrimary())
		assert.Equal(t, modelref.SourceGitHub, load(t, client).Source())
		time.Sleep(minute)
		assert.False(t, load(t, client).Stale())
		assert.Equal(t, "github github", requested(server))
	})
}

func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Stall())
		client := server.Client(t)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := client.ImageGeneration.Load(t.Context())
				assert.ErrorIs(t, err, modelref.ErrClosed)
			})
		}
		time.Sleep(time.Second)
		require.NoError(t, client.Close())
		require.NoError(t, client.Close(), "again")
		wg.Wait()
		_, err := client.ImageGeneration.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrClosed)
		_, err = client.ControlNet.Get(t.Context(), "x")
		require.ErrorIs(t, err, modelref.ErrClosed)
	})
	t.Run("a zero Client is closed", func(t *testing.T) {
		t.Parallel()
		var client modelref.Client
		require.NoError(t, client.Close())
		var service modelref.ImageGenerationService
		_, err := service.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrClosed)
		var ref modelref.Reference[modelref.CLIPRecord]
		assert.Zero(t, ref.Len())
		assert.Empty(t, ref.Names())
		_, ok := ref.Get("x")
		assert.False(t, ok)
	})
}

func TestNoRequestIfTheContextIsDone(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the user left"))
		_, err := client.ImageGeneration.Load(ctx)
		require.ErrorContains(t, err, "the user left")
		assert.Empty(t, requested(server))
	})
}

type contextKey struct{}

func TestALoadHasTheValuesOfItsCallersContext(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var seen []any
		next := server.HTTPClient().Transport
		client := server.Client(t, modelref.WithHTTPClient(&http.Client{Transport: roundTripper(
			func(r *http.Request) (*http.Response, error) {
				seen = append(seen, r.Context().Value(contextKey{}))
				return next.RoundTrip(r)
			})}))
		server.Break(modelreftest.Primary, modelreftest.Delay(time.Second))
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), contextKey{}, "trace 1"), time.Millisecond)
		defer cancel()
		_, err := client.ImageGeneration.Load(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller does not wait after its context is done")
		time.Sleep(2 * time.Second)
		ref, err := client.ImageGeneration.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, ref.Len())
		assert.Equal(t, []any{"trace 1"}, seen, "the load continues")
	})
}

func TestNothingIsWrittenToStandardOutputOrError(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	func() {
		defer func() { os.Stdout, os.Stderr = stdout, stderr }()
		server := modelreftest.NewServer(t)
		server.Break(modelreftest.Primary, modelreftest.RetryAfter(503, "86400"))
		server.Break(modelreftest.GitHub, modelreftest.Reset())
		client := server.Client(t, modelref.WithRetry(modelref.RetryPolicy{BaseDelay: time.Millisecond}))
		_, err = client.ImageGeneration.Load(t.Context())
		_ = client.Close()
	}()
	require.Error(t, err)
	require.NoError(t, write.Close())
	said, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Empty(t, string(said))
}

func TestTwoClientsOnOneCacheDirectoryDownloadOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Delay(time.Second))
		dir := t.TempDir()
		wait := modelref.WithRefreshWait(minute)
		a, b := server.Client(t, modelref.WithCacheDir(dir), wait), server.Client(t, modelref.WithCacheDir(dir), wait)
		var wg sync.WaitGroup
		for _, client := range []*modelref.Client{a, b} {
			wg.Go(func() { load(t, client) })
		}
		wg.Wait()
		assert.Equal(t, "documents", requested(server))
		for range 10 {
			time.Sleep(minute)
			first, second := load(t, a), load(t, b)
			assert.False(t, first.Stale() || second.Stale())
		}
		assert.Equal(t, strings.TrimSpace(strings.Repeat("last_updated ", 10)), requested(server), "only one of them sends the request")
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, a).Len())
		assert.Equal(t, 3, load(t, b).Len())
		assert.Equal(t, "last_updated documents", requested(server))
	})
}

func TestALockFileThatNobodyHoldsIsIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir() // the file of a crashed process, whose lock the kernel has released
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".stable_diffusion.json.lock"), nil, 0o600))
		start := time.Now()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Zero(t, time.Since(start))
	})
}
