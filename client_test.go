// The Client as its users meet it: a fake PRIMARY and a fake GitHub, in simulated time.

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

// TestMain checks, when all tests have ended, that no goroutine is left behind.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if left := goroutinesLeft(); code == 0 && left != "" {
		fmt.Println("goroutines left after the last test:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits for a while for all goroutines but its own to end, and returns the stacks of those that do not.
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
		time.Sleep(20 * time.Millisecond) // other goroutines end in real time
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

// tiers returns which parts of the server were asked, in order, as "Documents Stamp GitHub".
func tiers(server *modelreftest.Server) string {
	names := map[modelreftest.Tier]string{
		modelreftest.Documents: "document", modelreftest.Stamp: "stamp", modelreftest.GitHub: "github",
		modelreftest.Primary: "primary",
	}
	var out []string
	for _, r := range server.Requests() {
		out = append(out, names[r.Tier])
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
		assert.Equal(t, modelref.OriginPrimary, ref.Origin())
		assert.False(t, ref.Stale())
		assert.Equal(t, time.Now(), ref.FetchedAt())
		assert.Equal(t, modelref.CategoryImageGeneration, ref.Category())
		assert.Empty(t, ref.Rejected())
		time.Sleep(50 * time.Second)
		assert.Same(t, ref, load(t, client))
		assert.Equal(t, "document", tiers(server))
	})
}

func TestGetFindsNamesThatNoRouteCanReach(t *testing.T) {
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
		assert.Equal(t, "document", tiers(server))
	})
}

func TestUnchangedDataCostsOneSmallRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		first := load(t, client)
		tiers(server)
		for range 5 {
			time.Sleep(minute)
			ref := load(t, client)
			require.Len(t, server.Requests(), 1)
			assert.Less(t, server.Requests()[0].BodyBytes, 200)
			assert.Equal(t, "stamp", tiers(server))
			assert.False(t, ref.Stale())
			assert.Equal(t, first.FetchedAt(), ref.FetchedAt())
			assert.Equal(t, time.Now(), ref.ConfirmedAt())
			a, _ := first.Get("Large?")
			b, _ := ref.Get("Large?")
			assert.Same(t, a, b, "the same records")
		}
	})
}

func TestAChangeIsSeenAtTheNextExpiry(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		tiers(server)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
		assert.Equal(t, "stamp document", tiers(server))
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, "stamp", tiers(server))
	})
}

func TestAWriteInTheSameSecondAsTheStampIsNotLost(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.SetDocument(modelref.CategoryImageGeneration, twoModels) // now, and the stamp says so
		client := server.Client(t)
		require.Equal(t, 2, load(t, client).Len())
		server.SetDocument(modelref.CategoryImageGeneration, threeModels) // in the same second
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
		assert.Equal(t, "document stamp document", tiers(server))
	})
}

func TestAStampThatGoesBackIsAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		time.Sleep(minute)
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-24*time.Hour).Unix()) // restored
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len())
	})
}

func TestADownloadThatFailsAfterTheStampMovedIsTriedAgain(t *testing.T) {
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

func TestADocumentIsDownloadedEveryHourWhateverItsStampSays(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		downloads := 0
		for start := time.Now(); time.Since(start) < 3*time.Hour+10*time.Minute; time.Sleep(minute) {
			load(t, client)
		}
		for _, r := range server.Requests() {
			if r.Tier == modelreftest.Documents {
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
		assert.Equal(t, "document stamp document document document", tiers(server), "the stamp is not asked for again")
	})
}

// outages are the ways in which a PRIMARY can be gone. Each is tried again and opens the breaker.
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

// misfits are answers that are no outage, and no reference either.
func misfits() map[string]modelreftest.Fault {
	return map[string]modelreftest.Fault{
		"cut off":          modelreftest.WrongLength(),
		"empty body":       modelreftest.Empty(),
		"a list":           modelreftest.Body(200, "application/json", `[{"name": "a"}]`),
		"null":             modelreftest.Body(200, "application/json", `null`),
		"an HTML page":     modelreftest.HTML(200),
		"no good record":   modelreftest.Body(200, "application/json", `{"a": {"name": 1}, "b": []}`),
		"unknown category": modelreftest.Status(422),
		"wrong base URL":   modelreftest.Status(404),
		"forbidden":        modelreftest.Status(403),
	}
}

func allFaults() map[string]modelreftest.Fault {
	out := outages()
	for name, fault := range misfits() {
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
				assert.Equal(t, modelref.OriginGitHub, ref.Origin())
				assert.False(t, ref.Stale())
				assert.Equal(t, []string{"Small/1", "Large?"}, ref.Names())
				assert.LessOrEqual(t, time.Since(start), 20*time.Second, "the budget")
			})
		})
	}
}

func TestOutagesAreTriedAgainAndMisfitsAreNot(t *testing.T) {
	for name, fault := range outages() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Documents, fault)
				client := server.Client(t)
				load(t, client)
				_, err := client.CLIP.Load(t.Context())
				require.NoError(t, err)
				want := "document document document github github"
				switch name {
				case "long Retry-After": // lies past the budget: give up at once
					want = "document github github"
				case "stalled": // what GitHub may need is kept back
					want = "document document github github"
				}
				assert.Equal(t, want, tiers(server), "the second category does not pay for the same outage")
			})
		})
	}
	for name, fault := range misfits() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Documents, fault)
				client := server.Client(t)
				load(t, client)
				_, err := client.CLIP.Load(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "document github document github", tiers(server), "no retry, no breaker")
			})
		})
	}
}

func TestFaultsNeverReplaceLastGood(t *testing.T) {
	for name, fault := range allFaults() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				dir := t.TempDir()
				client := server.Client(t, modelref.WithCacheDir(dir))
				load(t, client)
				before := readFile(t, dir, "stable_diffusion.json")
				server.SetDocument(modelref.CategoryImageGeneration, threeModels) // so that the body is asked for
				server.Break(modelreftest.Documents, fault)
				for range 5 {
					time.Sleep(minute)
					start := time.Now()
					ref := load(t, client)
					assert.True(t, ref.Stale())
					assert.Equal(t, modelref.OriginPrimary, ref.Origin())
					assert.Equal(t, []string{"Small/1", "Large?"}, ref.Names())
					assert.LessOrEqual(t, time.Since(start), 20*time.Second)
				}
				assert.Equal(t, before, readFile(t, dir, "stable_diffusion.json"))
				assert.NotContains(t, tiers(server), "github", "last good is young enough")
				server.Heal(modelreftest.Documents)
				time.Sleep(10 * time.Minute)
				assert.Equal(t, 3, load(t, client).Len())
			})
		})
	}
}

func TestDuringTheCoolDownAReadIsServedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Stall())
		time.Sleep(minute)
		require.True(t, load(t, client).Stale()) // pays for the outage
		tiers(server)
		start := time.Now()
		for range 20 {
			time.Sleep(time.Second)
			before := time.Now()
			assert.True(t, load(t, client).Stale())
			assert.Zero(t, time.Since(before), "nobody is asked")
			ref, err := client.ImageGeneration.Load(t.Context(), modelref.Refresh())
			require.NoError(t, err)
			assert.True(t, ref.Stale())
			assert.Zero(t, time.Since(before), "not even by a refresh")
		}
		assert.Less(t, time.Since(start), 22*time.Second)
		assert.Empty(t, tiers(server))
	})
}

func TestTheCoolDownGrowsAndEndsWithOneProbe(t *testing.T) {
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

func TestAnOldCopyGivesWayToGitHub(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithMaxStale(10*time.Minute))
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(9 * time.Minute)
		assert.Equal(t, modelref.OriginPrimary, load(t, client).Origin())
		time.Sleep(5 * time.Minute)
		ref := load(t, client)
		assert.Equal(t, modelref.OriginGitHub, ref.Origin())
		assert.False(t, ref.Stale())
		server.ResetRequests()
		time.Sleep(minute)
		assert.Equal(t, modelref.OriginGitHub, load(t, client).Origin())
		for _, r := range server.Requests() {
			if r.Tier == modelreftest.GitHub {
				assert.Equal(t, http.StatusNotModified, r.Status, "asked by its ETag")
				assert.Zero(t, r.BodyBytes)
			}
		}
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		time.Sleep(2 * time.Minute)
		ref = load(t, client)
		assert.Equal(t, modelref.OriginGitHub, ref.Origin(), "last good of any origin")
		assert.True(t, ref.Stale())
		server.Heal(modelreftest.Primary)
		time.Sleep(6 * time.Minute)
		assert.Equal(t, modelref.OriginPrimary, load(t, client).Origin())
	})
}

func TestWithEverythingDownDiskThenBootstrapThenAnErrorThatNamesAll(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		server.Break(modelreftest.Primary, modelreftest.RetryAfter(503, "86400"))
		server.Break(modelreftest.GitHub, modelreftest.DNSFailure())
		time.Sleep(48 * time.Hour)

		bootstrap := fstest.MapFS{"image_generation.json": {Data: []byte(threeModels)}}
		clipOnly := fstest.MapFS{"clip.json": {Data: []byte("{}")}}
		ref := load(t, server.Client(t, modelref.WithCacheDir(dir), modelref.WithBootstrap(bootstrap)))
		assert.Equal(t, modelref.OriginDisk, ref.Origin())
		assert.True(t, ref.Stale())
		assert.Equal(t, 48*time.Hour, time.Since(ref.ConfirmedAt()).Truncate(time.Hour))

		ref = load(t, server.Client(t, modelref.WithCacheDir(t.TempDir()), modelref.WithBootstrap(bootstrap)))
		assert.Equal(t, modelref.OriginBootstrap, ref.Origin())
		assert.True(t, ref.Stale())
		assert.Equal(t, 3, ref.Len())

		client := server.Client(t, modelref.WithCacheDir(t.TempDir()), modelref.WithBootstrap(clipOnly))
		_, err := client.ImageGeneration.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, fs.ErrNotExist)
		var fetch *modelref.FetchError
		require.ErrorAs(t, err, &fetch)
		assert.Equal(t, modelref.CategoryImageGeneration, fetch.Category)
		var origins []modelref.Origin
		for _, a := range fetch.Attempts {
			origins = append(origins, a.Origin)
		}
		assert.Equal(t, []modelref.Origin{
			modelref.OriginPrimary, modelref.OriginGitHub, modelref.OriginDisk, modelref.OriginBootstrap,
		}, origins)
		var api *modelref.APIError
		require.ErrorAs(t, err, &api)
		assert.Equal(t, 503, api.StatusCode)
		assert.Equal(t, 24*time.Hour, api.RetryAfter)
		assert.Regexp(t, `^modelref: image_generation: primary 503 .*\(1 attempt, .*github: .*no such host.*\(3 attempts, .*disk: .*bootstrap: `, err.Error())
		assert.NotContains(t, err.Error(), "\n")
	})
}

func TestACategoryWithoutASourceOnGitHubSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		client := server.Client(t)
		_, err := client.LoRA.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		server.ResetRequests()
		_, err = client.LoRA.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, modelref.ErrCoolingDown)
		assert.Contains(t, err.Error(), "refused", "and why it cools down")
		assert.Empty(t, tiers(server), "an outage is paid for once")
	})
}

func TestARefusalStandsForATTL(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Status(404))
		client := server.Client(t)
		for range 10 {
			_, err := client.LoRA.Load(t.Context())
			var api *modelref.APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, 404, api.StatusCode)
		}
		assert.Equal(t, "document", tiers(server))
		server.Heal(modelreftest.Documents)
		time.Sleep(minute)
		_, err := client.LoRA.Load(t.Context())
		require.NoError(t, err)
	})
}

func TestAnEmptyDocumentCountsOnlyWhenSaidTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		client := server.Client(t, modelref.WithCacheDir(dir))
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, `{}`)
		time.Sleep(minute)
		ref := load(t, client)
		assert.True(t, ref.Stale())
		assert.Equal(t, 2, ref.Len())
		_, err := client.ImageGeneration.Load(t.Context(), modelref.Refresh())
		require.NoError(t, err)
		assert.Equal(t, 2, load(t, client).Len(), "asking at once is no second read")
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
					if !withNote { // another program wrote it
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
	t.Run("where the store has a newer copy than memory", func(t *testing.T) {
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
	t.Run("with a clock that was ahead", func(t *testing.T) {
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
	t.Run("and once filled again starts anew", func(t *testing.T) {
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

func TestRefreshAsksWhateverIsFresh(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		assert.Equal(t, 2, load(t, client).Len())
		ref, err := client.ImageGeneration.Load(t.Context(), modelref.Refresh())
		require.NoError(t, err)
		assert.Equal(t, 3, ref.Len())
		assert.Same(t, ref, load(t, client))
		assert.Equal(t, "document document", tiers(server))
	})
}

func TestRefreshInBackgroundServesAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.RefreshInBackground())
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
		assert.Equal(t, "stamp document", tiers(server))
	})
}

func TestABadRecordCostsOnlyItself(t *testing.T) {
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
			`"text size": config.download[1].size_bytes: want a whole number, got a string`,
			`"twice": the name comes more than once; the last record stands`,
		}, said)
	})
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(data)
}

func TestAFreshCopyOnDiskSavesTheFirstRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		fetched := time.Now()
		assert.Equal(t, "document", tiers(server))
		time.Sleep(30 * time.Second)
		client := server.Client(t, modelref.WithCacheDir(dir))
		ref := load(t, client)
		assert.Equal(t, modelref.OriginDisk, ref.Origin())
		assert.False(t, ref.Stale())
		assert.True(t, fetched.Equal(ref.FetchedAt()))
		assert.Empty(t, tiers(server))
		time.Sleep(35 * time.Second)
		assert.False(t, load(t, client).Stale())
		assert.Equal(t, "stamp", tiers(server), "the copy kept its stamp")
		assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "the document as it came")
	})
}

func TestACopyFromTheFutureIsNotTakenForFresh(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		tiers(server)
		path := filepath.Join(dir, "stable_diffusion.json.modelref")
		ahead := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		stamped := regexp.MustCompile(`"((?:confirmed|downloaded)_at)": "[^"]*"`).
			ReplaceAllString(readFile(t, dir, "stable_diffusion.json.modelref"), `"$1": "`+ahead+`"`)
		require.Equal(t, 2, strings.Count(stamped, ahead))
		require.NoError(t, os.WriteFile(path, []byte(stamped), 0o600))

		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-time.Hour).Unix())
		ref := load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Equal(t, modelref.OriginPrimary, ref.Origin())
		assert.Equal(t, 3, ref.Len())
		assert.Equal(t, "document", tiers(server))

		require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), []byte(twoModels), 0o600))
		require.NoError(t, os.WriteFile(path, []byte(stamped), 0o600))
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		ref = load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Equal(t, modelref.OriginDisk, ref.Origin(), "better than nothing")
		assert.True(t, ref.Stale())
	})
}

func TestABrokenCopyOnDiskIsNeverServed(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "garbage": "\x00\x01\x02", "half": twoModels[:len(twoModels)/2], "a list": "[]",
		"no good record": `{"a": 1}`,
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
				assert.Equal(t, modelref.OriginPrimary, ref.Origin())
				assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "the log says why, once: %s", log.String())
				assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "and it is replaced")
			})
		})
	}
}

func logTo(w io.Writer) modelref.Option {
	return modelref.WithLogger(slog.New(slog.NewTextHandler(w, nil)))
}

func TestAWriterThatWasKilledLeavesNothingThatIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := filepath.Join(t.TempDir(), "a[b") // no pattern
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		half := filepath.Join(dir, ".modelref-123.tmp")
		require.NoError(t, os.WriteFile(half, []byte(threeModels[:40]), 0o600))
		client := server.Client(t, modelref.WithCacheDir(dir))
		assert.Equal(t, []string{"Small/1", "Large?"}, load(t, client).Names())
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(half, old, old))
		server.Client(t, modelref.WithCacheDir(dir))
		assert.NoFileExists(t, half, "what nobody writes any more is removed")
	})
}

func TestACacheDirectoryThatGoesAwayStopsNoRead(t *testing.T) {
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
	inTheWay := func(t *testing.T, dir string) { // a directory where the document goes cannot be replaced, by root neither
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
					assert.Equal(t, twoModels, readFile(t, dir, "stable_diffusion.json"), "it is made again")
				}
			})
		})
	}
}

func TestOffline(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		tiers(server)
		time.Sleep(24 * time.Hour)
		client := server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline())
		ref := load(t, client)
		assert.Equal(t, modelref.OriginDisk, ref.Origin())
		assert.True(t, ref.Stale())
		_, err := client.CLIP.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		require.ErrorIs(t, err, modelref.ErrOffline)
		assert.Empty(t, tiers(server))
	})
}

func TestGitHubOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithoutPrimary())
		assert.Equal(t, modelref.OriginGitHub, load(t, client).Origin())
		time.Sleep(minute)
		assert.False(t, load(t, client).Stale())
		assert.Equal(t, "github github", tiers(server))
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
	t.Run("zero values are closed", func(t *testing.T) {
		t.Parallel()
		var client modelref.Client
		_, err := client.ImageGeneration.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrClosed)
		require.NoError(t, client.Close())
		var ref modelref.Reference[modelref.CLIPRecord]
		assert.Zero(t, ref.Len())
		assert.Empty(t, ref.Names())
		_, ok := ref.Get("x")
		assert.False(t, ok)
	})
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the user went away"))
		_, err := client.ImageGeneration.Load(ctx)
		require.ErrorContains(t, err, "the user went away")
		assert.Empty(t, tiers(server))
	})
}

type contextKey struct{}

func TestALoadCarriesTheValuesOfItsCallersContext(t *testing.T) {
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
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own end ends its wait")
		time.Sleep(2 * time.Second)
		ref, err := client.ImageGeneration.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, ref.Len())
		assert.Equal(t, []any{"trace 1"}, seen, "and not the load")
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
		a, b := server.Client(t, modelref.WithCacheDir(dir)), server.Client(t, modelref.WithCacheDir(dir))
		var wg sync.WaitGroup
		for _, client := range []*modelref.Client{a, b} {
			wg.Go(func() { load(t, client) })
		}
		wg.Wait()
		assert.Equal(t, "document", tiers(server))
		for range 10 {
			time.Sleep(minute)
			first, second := load(t, a), load(t, b)
			assert.False(t, first.Stale() || second.Stale())
		}
		assert.Equal(t, strings.TrimSpace(strings.Repeat("stamp ", 10)), tiers(server), "one asks for both")
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, a).Len())
		assert.Equal(t, 3, load(t, b).Len())
		assert.Equal(t, "stamp document", tiers(server))
	})
}

func TestALockThatNobodyHoldsKeepsNobodyOut(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir() // a process that crashed has left the file, and the kernel has let go of the lock
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".stable_diffusion.json.lock"), nil, 0o600))
		start := time.Now()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		assert.Zero(t, time.Since(start))
	})
}
