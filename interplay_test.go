// This file tests combinations of faults: stores that hang or belong to another deployment, caching proxies, clients
// that are closed during a read, and watches with concurrent readers.

package modelref_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestAnotherDeploymentsCopyIsNotConfirmed(t *testing.T) {
	inBubble(t, func(t *testing.T, a *modelreftest.Server) {
		b := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithDocument(modelref.CategoryImageGeneration, threeModels))
		time.Sleep(time.Hour) // both were changed an hour ago
		dir := t.TempDir()
		first := a.Client(t, modelref.WithCacheDir(dir))
		load(t, first)
		require.NoError(t, first.Close())
		time.Sleep(30 * time.Second)
		second := b.Client(t, modelref.WithCacheDir(dir)) // the same program with the URL of another deployment
		load(t, second)
		time.Sleep(minute)
		ref := load(t, second)
		assert.Equal(t, 3, ref.Len(), "the document of b")
		time.Sleep(40 * time.Minute)
		assert.Equal(t, 3, load(t, second).Len(), "the document of b, 40 min later")
	})
}

type hung struct{ *shared }

func (hung) ReadProvenance(ctx context.Context, _ modelref.Category) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func (hung) Read(ctx context.Context, _ modelref.Category, _ int64) (modelref.StoreEntry, error) {
	<-ctx.Done()
	return modelref.StoreEntry{}, ctx.Err()
}

func TestAStoreThatHangsIsSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithStore(hung{newShared()}))
		load(t, client)
		assert.False(t, client.Status().Primary.BreakerOpen, "the PRIMARY is available")
		assert.False(t, client.Status().GitHub.BreakerOpen, "GitHub is available")
	})
}

type polite struct{ *shared }

func (s polite) Read(ctx context.Context, c modelref.Category, n int64) (modelref.StoreEntry, error) {
	if ctx.Err() != nil {
		return modelref.StoreEntry{}, ctx.Err()
	}
	return s.shared.Read(ctx, c, n)
}

func (s polite) ReadProvenance(ctx context.Context, c modelref.Category) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return s.shared.ReadProvenance(ctx, c)
}

func TestTheStoreIsReadAfterTheBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := polite{newShared()}
		load(t, server.Client(t, modelref.WithStore(store)))
		time.Sleep(2 * time.Hour)
		server.Break(modelreftest.Primary, modelreftest.Stall())
		server.Break(modelreftest.GitHub, modelreftest.Stall())
		_, err := server.Client(t, modelref.WithStore(store)).ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		assert.NoError(t, err)
	})
}

func TestAReadWithoutRequestsDoesNotWaitForALock(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		client := server.Client(t, modelref.WithStore(store))
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(minute)
		require.True(t, load(t, client).Stale()) // detects the outage and opens the breaker
		_, err := store.TryLock(t.Context(), modelref.CategoryImageGeneration, time.Minute)
		require.NoError(t, err) // another process, whose probe of the PRIMARY stalls
		start := time.Now()
		_, err = client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		assert.Zero(t, time.Since(start), "no request is sent: the breaker is open")
		_, err = store.TryLock(t.Context(), modelref.CategoryLoRA, time.Minute)
		require.NoError(t, err)
		start = time.Now()
		_, err = client.LoRA.Load(t.Context())
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		assert.Zero(t, time.Since(start), "the error is immediate")
	})
}

func TestNotEveryReadSendsARequestToGitHub(t *testing.T) {
	for name, fault := range map[string]modelreftest.Fault{"404": modelreftest.Status(404), "403": modelreftest.Status(403), "an HTML page": modelreftest.HTML(200)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				server.Break(modelreftest.Primary, modelreftest.Refused())
				server.Break(modelreftest.GitHub, fault)
				client := server.Client(t)
				for range 100 {
					_, err := client.ImageGeneration.Load(t.Context())
					require.Error(t, err)
				}
				assert.LessOrEqual(t, strings.Count(requested(server), "github"), 1)
			})
		})
	}
}

func TestAReaderDoesNotMakeAWatchMissARestore(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client) // a document without a last-updated time
		w := watch(t, client, modelref.WatchOptions{Interval: 70 * time.Second})
		assert.Equal(t, []string{initial}, w.next())
		server.SetDocument(modelref.CategoryImageGeneration, threeModels) // restored from a backup
		server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Add(-24*time.Hour).Unix())
		time.Sleep(61 * time.Second)
		load(t, client) // a reader is first
		time.Sleep(30 * time.Minute)
		assert.Len(t, w.next(), 1, "the watch yields the change; requests: %s", requested(server))
	})
}

// alter returns an option. It changes the responses with the image document before the client receives them.
func alter(server *modelreftest.Server, alter func(*http.Response)) modelref.Option {
	next := server.HTTPClient().Transport
	return modelref.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil && strings.HasSuffix(r.URL.Path, "/image_generation") {
			alter(resp)
		}
		return resp, err
	})})
}

func TestADocumentOfACachingProxy(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		old := true
		client := server.Client(t, alter(server, func(resp *http.Response) {
			if old { // from a cache that keeps documents for a minute: it sets Date, and Age is the age of the body
				_ = resp.Body.Close()
				resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(twoModels)), int64(len(twoModels))
				resp.Header.Set("Age", "55")
			}
		}))
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(30 * time.Second) // the document changed 30 s ago, and the cached copy is 55 s old
		require.Equal(t, 2, load(t, client).Len())
		old = false
		time.Sleep(minute)
		assert.Equal(t, 3, load(t, client).Len(), requested(server))
		time.Sleep(50 * time.Minute)
		assert.Equal(t, 3, load(t, client).Len(), "50 minutes later")
	})
}

func TestTheLastUpdatedTimeIsNotThatOfACachedDocument(t *testing.T) {
	for _, tag := range []string{"", `"of two"`} {
		t.Run("tag "+tag, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				old := false
				client := server.Client(t, alter(server, func(resp *http.Response) {
					resp.Header.Set("ETag", tag)
					if !old {
						return
					}
					_ = resp.Body.Close()
					resp.Header.Set("Age", "55")
					resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(twoModels)), int64(len(twoModels))
					if tag != "" {
						resp.StatusCode, resp.Body, resp.ContentLength = http.StatusNotModified, http.NoBody, 0
					}
				}))
				load(t, client)
				time.Sleep(30 * time.Second)
				server.SetDocument(modelref.CategoryImageGeneration, threeModels)
				time.Sleep(31 * time.Second)
				old = true // the last-updated time is new, but the document is old
				require.Equal(t, 2, load(t, client).Len())
				require.Equal(t, "documents last_updated documents", requested(server))
				old = false
				time.Sleep(minute)
				assert.Equal(t, 3, load(t, client).Len(), requested(server))
			})
		})
	}
}

func TestAChangeWhileTheServiceResponds(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		slow := true
		client := server.Client(t, alter(server, func(resp *http.Response) {
			if slow {
				slow = false
				body, _ := io.ReadAll(resp.Body)
				time.Sleep(time.Second)
				server.SetDocument(modelref.CategoryImageGeneration, threeModels)
				time.Sleep(4 * time.Second)
				resp.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
				resp.Body = io.NopCloser(bytes.NewReader(body))
			}
		}))
		require.Equal(t, 2, load(t, client).Len())
		time.Sleep(50 * time.Minute)
		assert.Equal(t, 3, load(t, client).Len(), "50 minutes later: %s", requested(server))
	})
}

func TestAWrongBaseURLIsNotAMissingRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Status(404))
		client := server.Client(t)
		_, err := client.LoRA.Get(t.Context(), "a LoRA")
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		assert.NotErrorIs(t, err, modelref.ErrNotFound, "it is unknown whether the record exists")
		_, err = client.LoRA.Load(t.Context())
		assert.NotErrorIs(t, err, modelref.ErrNotFound)
		_, err = client.LoRA.Query().First(t.Context())
		assert.NotErrorIs(t, err, modelref.ErrNotFound)
	})
}

// unnamed is a store without a String method.
type unnamed struct {
	modelref.Store
	password string
}

func TestAStoreIsNotPrinted(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var log bytes.Buffer
		broken := newShared()
		broken.breakWith(errors.New("down"))
		load(t, server.Client(t, modelref.WithStore(&unnamed{broken, "hunter2"}), logTo(&log)))
		assert.Contains(t, log.String(), "unnamed")
		assert.NotContains(t, log.String(), "hunter2")
	})
}

func TestAnotherDefaultTransport(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	http.DefaultTransport = roundTripper(before.RoundTrip) // like the transports of otelhttp, httpmock and others
	assert.NotPanics(t, func() { _, _ = modelref.New() })
}

func TestCloseLeavesNoConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	connections := func() int {
		stacks := make([]byte, 4<<20)
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "net/http.(*persistConn).readLoop(")
	}
	before := connections()
	for range 5 {
		client, err := modelref.New(modelref.WithPrimaryURL(server.URL))
		require.NoError(t, err)
		_, err = client.LoRA.Load(t.Context())
		require.NoError(t, err)
		require.NoError(t, client.Close())
	}
	assert.Eventually(t, func() bool { return connections() <= before }, 10*time.Second, time.Millisecond)
}

func TestTheDoubtEndsIfAnotherProcessGetsRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		a, b := server.Client(t, modelref.WithCacheDir(dir)), server.Client(t, modelref.WithCacheDir(dir))
		load(t, a)
		server.SetDocument(modelref.CategoryImageGeneration, `{}`)
		time.Sleep(minute)
		require.Equal(t, 2, load(t, a).Len()) // a has seen one empty document
		server.SetDocument(modelref.CategoryImageGeneration, twoModels)
		_, err := b.ImageGeneration.Load(t.Context(), modelref.WithRefresh()) // b gets a document with records
		require.NoError(t, err)
		time.Sleep(59 * time.Second)
		for range 20 {
			_, err = b.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
			require.NoError(t, err)
			require.Equal(t, 2, load(t, a).Len()) // from the store
			time.Sleep(minute)
		}
		server.SetDocument(modelref.CategoryImageGeneration, `{}`)
		assert.Equal(t, 2, load(t, a).Len(), "this is the first empty document in 20 minutes")
	})
}

func TestAnUnlimitedTTL(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithTTL(math.MaxInt64))
		for range 10 {
			load(t, client)
		}
		assert.Equal(t, "documents", requested(server))
	})
}

func TestAnUnlimitedBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithRetry(modelref.RetryPolicy{MaxDuration: math.MaxInt64}))
		ref, err := client.ImageGeneration.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, modelref.SourcePrimary, ref.Source())
	})
}

func TestACallersCancellationIsContextCanceled(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		ctx, cancel := context.WithCancelCause(t.Context()) // for example errgroup.WithContext
		cancel(fmt.Errorf("another member of the group: %w", modelref.ErrNotFound))
		_, err := client.ImageGeneration.Get(ctx, "Small/1")
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorContains(t, err, "another member of the group", "the cause is wrapped")
	})
}

func TestReadsThatWaitGetErrClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var log bytes.Buffer
		client := server.Client(t, logTo(&log))
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Stall())
		time.Sleep(minute)
		done := make(chan error)
		go func() {
			_, err := client.ImageGeneration.Load(t.Context())
			done <- err
		}()
		time.Sleep(500 * time.Millisecond) // less than the refresh wait
		go client.Close()
		assert.ErrorIs(t, <-done, modelref.ErrClosed)
		assert.Empty(t, log.String())
	})
}

func TestAnAPIKeyThatIsEscapedInJSON(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Body(403, "application/json", `{"detail":"bad key se\u0063ret\/key"}`))
		client := server.Client(t, modelref.WithAPIKey("secret/key"))
		_, err := client.Do(t.Context(), modelref.Request{Path: "model_references/v2/me/roles"})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret/key")
	})
}

func TestATTLFromTheEnvironmentThatRoundsToZero(t *testing.T) {
	t.Setenv("HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS", "0.0000000001")
	_, err := modelref.New(modelref.FromEnv())
	assert.Error(t, err)
}

func TestAPathWithControlCharacters(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		assert.ErrorIs(t, server.Client(t).GetJSON(t.Context(), "a\nb", nil, new(any)), modelref.ErrInvalidQuery)
	})
}

type noNotes struct{ *shared }

func (noNotes) ReadProvenance(context.Context, modelref.Category) (string, error) {
	return "", errors.New("permission denied")
}

func (noNotes) TryLock(context.Context, modelref.Category, time.Duration) (func(), error) {
	return nil, errors.New("permission denied")
}

func TestEveryFailureOfAStoreIsReported(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var log bytes.Buffer
		client := server.Client(t, modelref.WithStore(noNotes{newShared()}), logTo(&log))
		for range 5 {
			load(t, client)
			time.Sleep(minute)
		}
		assert.Contains(t, log.String(), "permission denied")
	})
}

func TestAnOverlayOfNoPendingModels(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t, modelref.WithAPIKey("key"))
		ref, err := client.ImageGeneration.Load(t.Context(), modelref.WithOverlay(api.PendingOverlay(api.New(client))))
		require.NoError(t, err)
		assert.NoError(t, ref.Overlays()[0].Err)
	})
}

func TestWatchDoesNotSpinWhileCloseWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var mu sync.Mutex
		hits := 0
		client := server.Client(t, modelref.WithTTL(time.Hour), modelref.WithStore(slowStore{newShared()}), modelref.WithObserver(func(e modelref.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == modelref.EventHit {
				hits++
				if hits > 100000 {
					panic("spinning")
				}
			}
		}))
		load(t, client)
		watch(t, client, modelref.WatchOptions{})
		go func() { _, _ = client.CLIP.Load(context.Background()) }()
		synctest.Wait()
		_ = client.Close()
		time.Sleep(time.Second) // Close does not wait for the store
		mu.Lock()
		defer mu.Unlock()
		assert.Less(t, hits, 10)
	})
}

type slowStore struct{ *shared }

func (s slowStore) Read(ctx context.Context, c modelref.Category, n int64) (modelref.StoreEntry, error) {
	time.Sleep(500 * time.Millisecond) // like a slow disk
	return s.shared.Read(ctx, c, n)
}

func TestAProcessThatReadsOnlyGitHub(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		server.SetLegacyFile("stable_diffusion.json", `{"Old": {"name": "Old", "baseline": "stable diffusion 1", "type": "ckpt",
			"nsfw": false, "inpainting": false, "config": {"files": [], "download": []}}}`)
		a := server.Client(t, modelref.WithCacheDir(dir))
		load(t, a)
		b := server.Client(t, modelref.WithCacheDir(dir), modelref.WithoutPrimary())
		time.Sleep(2 * time.Minute)
		wrong, reads := 0, 0
		for range 20 {
			for range 30 {
				time.Sleep(10 * time.Second)
				_, err := b.ImageGeneration.Load(t.Context())
				require.NoError(t, err)
			}
			ref := load(t, a)
			reads++
			if _, old := ref.Get("Old"); old && !ref.Stale() {
				wrong++
			}
		}
		assert.Zero(t, wrong, "of %d reads of a Client with an available PRIMARY returned GitHub's file, not stale", reads)
	})
}

func TestWatchWithAProcessThatReadsOnlyGitHub(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		server.SetLegacyFile("stable_diffusion.json", `{"Old": {"name": "Old", "baseline": "stable diffusion 1", "type": "ckpt",
			"nsfw": false, "inpainting": false, "config": {"files": [], "download": []}}}`)
		a := server.Client(t, modelref.WithCacheDir(dir))
		w := watch(t, a, modelref.WatchOptions{Interval: 5 * time.Minute})
		assert.Equal(t, []string{initial}, w.next())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b := server.Client(t, modelref.WithCacheDir(dir), modelref.WithoutPrimary())
		time.Sleep(2 * time.Minute)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ctx.Err() == nil {
				_, _ = b.ImageGeneration.Load(ctx)
				time.Sleep(5 * time.Second)
			}
		}()
		time.Sleep(10 * time.Minute)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		time.Sleep(50 * time.Minute)
		cancel()
		<-done
		assert.Len(t, w.next(), 1, "the change at the PRIMARY")
	})
}

func TestTheETagOfAnotherURLIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		next := server.HTTPClient().Transport
		tagged := roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil || !strings.Contains(r.URL.Path, "stable_diffusion.json") {
				return resp, err
			}
			_ = resp.Body.Close()
			tag := `"v1"` // some mirrors use such a counter
			if r.Header.Get("If-None-Match") == tag {
				resp.StatusCode, resp.Body, resp.ContentLength = 304, http.NoBody, 0
				return resp, nil
			}
			name := "Main"
			if strings.Contains(r.URL.Path, "/next/") {
				name = "Next"
			}
			body := `{"` + name + `": {"name": "` + name + `", "baseline": "stable diffusion 1", "type": "ckpt", "nsfw": false, "inpainting": false, "config": {"files": [], "download": []}}}`
			resp.StatusCode, resp.Body, resp.ContentLength = 200, io.NopCloser(strings.NewReader(body)), int64(len(body))
			resp.Header.Set("ETag", tag)
			return resp, nil
		})
		open := func(branch string) *modelref.Client {
			return server.Client(t, modelref.WithHTTPClient(&http.Client{Transport: tagged}), modelref.WithoutPrimary(), modelref.WithCacheDir(dir),
				modelref.WithGitHub(modelref.GitHubConfig{BaseURL: server.GitHubURL(), Image: modelref.GitHubRepo{Branch: branch}}))
		}
		assert.Equal(t, []string{"Main"}, load(t, open("main")).Names())
		time.Sleep(30 * time.Second)
		other := open("next")
		load(t, other)
		time.Sleep(minute)
		assert.Equal(t, []string{"Next"}, load(t, other).Names())
	})
}

func TestSearchAllReportsTheCategoryOfARejectedRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		server.Break(modelreftest.Primary, modelreftest.Body(200, "application/json", `{"results":[{"name":5}],"total":1,"offset":0,"limit":50,"has_more":false}`))
		for _, err := range client.CLIP.SearchAll(t.Context(), nil) {
			var r modelref.RecordError
			require.ErrorAs(t, err, &r)
			assert.Equal(t, modelref.CategoryCLIP, r.Category)
		}
	})
}

func TestCloseDoesNotWaitForALock(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		client := server.Client(t, modelref.WithStore(store))
		_, _ = store.TryLock(t.Context(), modelref.CategoryCLIP, time.Minute)
		go func() { _, _ = client.CLIP.Load(context.Background()) }()
		time.Sleep(3 * time.Second)
		start := time.Now()
		_ = client.Close()
		assert.Zero(t, time.Since(start))
	})
}

func TestASlowPrimaryAndAStuckLock(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		server.Break(modelreftest.Documents, modelreftest.Delay(4*time.Second))
		client := server.Client(t, modelref.WithStore(store))
		_, _ = store.TryLock(t.Context(), modelref.CategoryImageGeneration, time.Minute)
		ref := load(t, client)
		assert.Equal(t, modelref.SourcePrimary, ref.Source())
		assert.False(t, client.Status().Primary.BreakerOpen, "the PRIMARY responds within 4 s")
	})
}

func TestALoadAndARefreshInABubble(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Documents, modelreftest.Delay(time.Second))
		client := server.Client(t)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = client.ImageGeneration.Load(t.Context()) })
		wg.Go(func() { _, _ = client.ImageGeneration.Load(t.Context(), modelref.WithRefresh()) })
		wg.Wait()
	})
}

func TestOfflineReadsTheFileOfAnotherProgram(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		client := server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline())
		require.Equal(t, 2, load(t, client).Len())
		time.Sleep(minute)
		path := filepath.Join(dir, "stable_diffusion.json")
		require.NoError(t, os.WriteFile(path, []byte(threeModels), 0o600)) // like the Python library
		require.NoError(t, os.Chtimes(path, time.Now(), time.Now()))
		time.Sleep(2 * time.Hour)
		assert.Equal(t, 3, load(t, client).Len())
		fresh := load(t, server.Client(t, modelref.WithCacheDir(dir), modelref.WithOffline()))
		assert.Equal(t, 3, fresh.Len())
	})
}

func TestABootstrapDoesNotPreventTheUseOfTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		store := newShared()
		load(t, server.Client(t, modelref.WithStore(store)))
		time.Sleep(time.Hour)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		store.breakWith(errors.New("connection refused"))
		bootstrap := fstest.MapFS{"image_generation.json": {Data: []byte(threeModels), ModTime: time.Now()}}
		client := server.Client(t, modelref.WithStore(store), modelref.WithBootstrap(bootstrap))
		assert.Equal(t, modelref.SourceBootstrap, load(t, client).Source())
		store.breakWith(nil)
		time.Sleep(time.Hour)
		assert.Equal(t, modelref.SourceStore, load(t, client).Source(), "the bootstrap is used last")
	})
}

func TestAStoreThatFailsPartlyIsReportedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var log bytes.Buffer
		client := server.Client(t, modelref.WithStore(readFails{newShared()}), logTo(&log))
		for range 5 {
			_, err := client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
			require.NoError(t, err)
			_, err = client.CLIP.Load(t.Context())
			require.NoError(t, err)
			_, err = client.BLIP.Load(t.Context())
			require.NoError(t, err)
			time.Sleep(minute)
		}
		assert.LessOrEqual(t, bytes.Count(log.Bytes(), []byte("level=WARN")), 1)
	})
}

type readFails struct{ *shared }

func (readFails) Read(context.Context, modelref.Category, int64) (modelref.StoreEntry, error) {
	return modelref.StoreEntry{}, errors.New("read: permission denied")
}

func TestStatusStaysStale(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		load(t, client)
		server.Break(modelreftest.Primary, modelreftest.Refused())
		time.Sleep(minute)
		require.True(t, load(t, client).Stale())
		st := client.Status()
		require.True(t, func() bool { c := st.Category(modelref.CategoryImageGeneration); return c.Stale }())
		time.Sleep(10 * time.Minute) // the PRIMARY is still down
		s := client.Status()
		c := s.Category(modelref.CategoryImageGeneration)
		assert.True(t, c.Stale, "confirmed %s ago", c.Age())
		require.NoError(t, client.Close())
		s = client.Status()
		c = s.Category(modelref.CategoryImageGeneration)
		assert.True(t, c.Stale, "the status of a closed Client does not change")
		assert.False(t, c.Fresh)
	})
}

func TestStatusHasTheTimeOfTheLastChange(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		client := server.Client(t)
		for range 2 {
			load(t, client)
			time.Sleep(minute)
		}
		assert.Zero(t, client.Status().Primary.Since, "it never failed")
		server.Break(modelreftest.Primary, modelreftest.Refused())
		load(t, client)
		failed := client.Status().Primary.Since
		assert.WithinDuration(t, time.Now(), failed, time.Second)
		server.Heal(modelreftest.Primary)
		time.Sleep(minute)
		load(t, client)
		back := client.Status().Primary.Since
		assert.Equal(t, time.Now(), back)
		time.Sleep(minute)
		load(t, client)
		assert.Equal(t, back, client.Status().Primary.Since)
	})
}

func TestARevalidationIsReportedForItsSource(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		load(t, server.Client(t, modelref.WithCacheDir(dir)))
		var told []string
		client := server.Client(t, modelref.WithCacheDir(dir), modelref.WithObserver(func(e modelref.Event) {
			told = append(told, e.Kind.String()+" "+e.Source.String())
		}))
		load(t, client)
		time.Sleep(minute)
		require.Equal(t, modelref.SourceDisk, load(t, client).Source())
		assert.Equal(t, []string{"load disk", "revalidate primary"}, told)
	})
}

func TestACanceledProbeIsNotTheLast(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		var ended atomic.Bool
		client := server.Client(t, modelref.WithTransportWrapper(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if ended.Load() {
					runtime.Goexit()
				}
				return next.RoundTrip(r)
			})
		}))
		server.Break(modelreftest.Primary, modelreftest.Refused())
		require.Equal(t, modelref.SourceGitHub, load(t, client).Source())
		server.Heal(modelreftest.Primary)
		time.Sleep(10 * time.Minute)
		ended.Store(true)
		ref := load(t, client)
		require.True(t, ref.Stale())
		require.ErrorContains(t, ref.FallbackReason(), "has ended its goroutine")
		ended.Store(false)
		time.Sleep(minute) // net/http waits until its timeout
		assert.Equal(t, modelref.SourcePrimary, load(t, client).Source())
	})
}

// A load calls code of the program, which may end its goroutine. For example, the observer of a test may call FailNow.
func TestAReadEndsIfItsGoroutineIsEnded(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	client, err := modelref.New(modelref.WithoutGitHub(),
		modelref.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return say200(r, strings.NewReader(`{"a":{}}`)), nil
		})}),
		modelref.WithObserver(func(e modelref.Event) {
			if e.Kind == modelref.EventLoad && !ended.Swap(true) {
				runtime.Goexit()
			}
		}))
	require.NoError(t, err)
	_, err = client.BLIP.Load(t.Context())
	require.ErrorContains(t, err, "modelref: blip: the code that the load called has ended its goroutine")
	ref, err := client.BLIP.Load(t.Context(), modelref.WithRefresh())
	require.NoError(t, err, "the next load is not delayed")
	require.Equal(t, 1, ref.Len())
	require.NoError(t, client.Close())
}

func TestAResponseOfATransportNeedsNoLength(t *testing.T) {
	t.Parallel()
	client, err := modelref.New(modelref.WithoutGitHub(), modelref.WithHTTPClient(&http.Client{Transport: roundTripper(
		func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(`{"a":{}}`)),
			}, nil
		})}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	ref, err := client.BLIP.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, ref.Len())
}

func TestTheErrorOfAnUnreadableBootstrapFile(t *testing.T) {
	t.Parallel()
	client, err := modelref.New(modelref.WithOffline(), modelref.WithBootstrap(fstest.MapFS{"blip.json": {Mode: fs.ModeDir}}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	_, err = client.BLIP.Load(t.Context())
	require.ErrorContains(t, err, "bootstrap")
	require.NotContains(t, err.Error(), "larger")
}
