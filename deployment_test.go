// This file tests that a copy belongs to one deployment, and that an older copy never replaces a newer one: in memory,
// in the store, and between processes.

package modelref

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACopyOfAnotherDeploymentIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, down := newMemoryStore(true), false
		source := &fakeSource{}
		source.respond = func(r *http.Request) fakeResponse {
			switch {
			case isLastUpdated(r):
				return fakeResponse{status: http.StatusNotFound}
			case r.URL.Host == "production" && down:
				return fakeResponse{status: http.StatusServiceUnavailable}
			case r.URL.Host == "production":
				return fakeResponse{status: http.StatusOK, body: versioned(1)}
			default:
				return fakeResponse{status: http.StatusOK, body: versioned(2)}
			}
		}
		open := func(host string) *Client {
			return testClient(t, source, WithStore(store), WithPrimaryURL("https://user:secret@"+host+"/api"))
		}
		production, staging := open("production"), open("staging")
		read(t, production)
		got, _ := read(t, staging)
		assert.Equal(t, 2, got, "it was not served production's copy")
		time.Sleep(2 * time.Minute)
		source.mu.Lock()
		down = true
		source.mu.Unlock()
		read(t, staging, WithRefresh())
		got, ref := read(t, production)
		assert.Equal(t, 1, got, "staging's newer copy is not served")
		assert.True(t, ref.Stale())
		time.Sleep(2 * time.Hour) // longer than MaxStale
		got, _ = read(t, production)
		assert.Equal(t, 1, got, "as the last resort")
		restarted := open("production")
		_, err := restarted.BLIP.Load(t.Context())
		require.ErrorIs(t, err, ErrUnavailable, "there is only the copy of staging")
		require.ErrorIs(t, err, errOtherDeployment)
		assert.NotContains(t, store.copies[CategoryBLIP].Provenance, "secret")
	})
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	of := func(raw string) string {
		u, err := parseBaseURL(raw)
		require.NoError(t, err)
		return fingerprint(u)
	}
	base := of("https://models.example/api")
	for _, same := range []string{
		"https://models.example/api/", "https://MODELS.example/api", "https://models.example:443/api",
		"https://user:password@models.example/api",
	} {
		assert.Equal(t, base, of(same), same)
	}
	for _, other := range []string{
		"http://models.example/api", "https://models.example/", "https://models.example:8443/api", "https://other.example/api",
	} {
		assert.NotEqual(t, base, of(other), other)
	}
}

// A process with a slow response must not replace the newer document of another process by its older document.
func TestAnOlderDocumentDoesNotReplaceANewerOne(t *testing.T) {
	for name, locks := range map[string]bool{"with locks": true, "without locks": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, version := newMemoryStore(locks), 1
				source := &fakeSource{}
				source.respond = func(r *http.Request) fakeResponse {
					if isLastUpdated(r) {
						return fakeResponse{status: http.StatusNotFound}
					}
					resp := fakeResponse{status: http.StatusOK, body: versioned(version)}
					if r.UserAgent() == "slow" {
						resp.delay = 9 * time.Second
					}
					return resp
				}
				slow := testClient(t, source, WithStore(store), WithUserAgent("slow"), WithRetry(RetryPolicy{MaxDuration: 18 * time.Second}))
				fast := testClient(t, source, WithStore(store), WithUserAgent("fast"), WithRetry(RetryPolicy{MaxDuration: 2 * time.Second}))
				var readers sync.WaitGroup
				readers.Go(func() { read(t, slow) })
				time.Sleep(time.Second)
				source.mu.Lock()
				version = 2
				source.mu.Unlock()
				got, _ := read(t, fast) // with locks, it waits for at most half of its time budget
				assert.Equal(t, 2, got)
				readers.Wait()
				fresh := testClient(t, source, WithStore(store))
				got, _ = read(t, fresh)
				assert.Equal(t, 2, got, "another process reads the newer document")
			})
		})
	}
}

// A cached response that is older than the copy in memory must not replace the copy.
func TestAResponseOfACacheDoesNotGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version, header := 2, http.Header{}
		source := &fakeSource{}
		source.respond = func(r *http.Request) fakeResponse {
			if isLastUpdated(r) {
				return fakeResponse{status: http.StatusNotFound}
			}
			return fakeResponse{status: http.StatusOK, body: versioned(version), header: header.Clone()}
		}
		client := testClient(t, source)
		read(t, client)
		time.Sleep(2 * time.Minute)
		source.mu.Lock()
		version, header = 1, http.Header{"Age": {"600"}}
		source.mu.Unlock()
		got, ref := read(t, client)
		assert.Equal(t, 2, got)
		assert.True(t, ref.Stale())
		require.ErrorIs(t, ref.FallbackReason(), errOlderDocument)
	})
}

// One empty document from each of two sources does not count as two empty documents from one source.
func TestTwoSourcesDoNotConfirmAnEmptyDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phase := 0
		source := &fakeSource{}
		source.respond = func(r *http.Request) fakeResponse {
			switch {
			case isLastUpdated(r):
				return fakeResponse{status: http.StatusNotFound}
			case phase == 0:
				return fakeResponse{status: http.StatusOK, body: versioned(1)}
			case phase == 1 && !isGitHub(r):
				return fakeResponse{status: http.StatusServiceUnavailable}
			default:
				return fakeResponse{status: http.StatusOK, body: `{}`}
			}
		}
		next := func() {
			source.mu.Lock()
			defer source.mu.Unlock()
			phase++
		}
		client := testClient(t, source, WithMaxStale(time.Minute), WithGitHub(GitHubConfig{}))
		read(t, client)
		time.Sleep(5 * time.Minute)
		next()
		read(t, client) // the document of GitHub is empty
		time.Sleep(50 * time.Minute)
		next()
		_, ref := read(t, client) // the document of the PRIMARY is empty for the first time
		assert.True(t, ref.Stale())
		time.Sleep(2 * time.Minute)
		ref, err := client.BLIP.Load(t.Context())
		require.NoError(t, err)
		assert.Zero(t, ref.Len(), "the PRIMARY has returned it twice")
	})
}

// A doubt about an empty document is dropped if it was recorded while the wall clock was ahead.
func TestADoubtOfTheFutureIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, empty := newMemoryStore(true), false
		source := &fakeSource{}
		source.respond = func(r *http.Request) fakeResponse {
			switch {
			case isLastUpdated(r):
				return fakeResponse{status: http.StatusNotFound}
			case empty:
				return fakeResponse{status: http.StatusOK, body: `{}`}
			default:
				return fakeResponse{status: http.StatusOK, body: versioned(1)}
			}
		}
		first := testClient(t, source, WithStore(store))
		read(t, first)
		require.NoError(t, first.Close())
		found := store.copies[CategoryBLIP]
		var p provenance
		require.NoError(t, json.Unmarshal([]byte(found.Provenance), &p))
		p.EmptyAt, p.Validators.EmptyFrom = time.Now().Add(24*time.Hour), p.Validators.From
		note, err := json.Marshal(p)
		require.NoError(t, err)
		found.Provenance = string(note)
		store.copies[CategoryBLIP] = found
		source.mu.Lock()
		empty = true
		source.mu.Unlock()
		time.Sleep(2 * time.Minute)
		client := testClient(t, source, WithStore(store))
		for range 2 {
			read(t, client)
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		ref, err := client.BLIP.Load(t.Context())
		require.NoError(t, err)
		assert.Zero(t, ref.Len())
	})
}

// A watch notices within its interval that a deployment was restored to an earlier state, even if there are other
// readers.
func TestAWatchNoticesARestoredDeployment(t *testing.T) {
	for name, withReader := range map[string]bool{"alone": false, "with a reader": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				version, lastUpdated := 2, time.Now().Add(-time.Hour).Unix()
				source := &fakeSource{}
				source.respond = func(r *http.Request) fakeResponse {
					if isLastUpdated(r) {
						return fakeResponse{status: http.StatusOK, body: fmt.Sprintf(`{"last_updated":%d}`, lastUpdated)}
					}
					return fakeResponse{status: http.StatusOK, body: versioned(version)}
				}
				client := testClient(t, source)
				ctx, cancel := context.WithCancel(t.Context())
				var background sync.WaitGroup
				if withReader {
					background.Go(func() {
						for ctx.Err() == nil {
							_, _ = client.BLIP.Load(ctx)
							time.Sleep(time.Second)
						}
					})
					time.Sleep(10 * time.Second)
				}
				var seen []int
				background.Go(func() {
					for change, err := range client.BLIP.Watch(ctx, WatchOptions{}) {
						if assert.NoError(t, err) {
							seen = append(seen, versionOf(t, change.Reference))
						}
					}
				})
				time.Sleep(20 * time.Second)
				source.mu.Lock()
				version, lastUpdated = 1, time.Now().Add(-2*time.Hour).Unix()
				source.mu.Unlock()
				time.Sleep(2 * time.Minute)
				cancel()
				background.Wait()
				assert.Equal(t, []int{2, 1}, seen)
			})
		})
	}
}

// Four processes with one directory read and watch for six hours, while a document changes and responses are slow.
func TestProcessesDoNotGoBack(t *testing.T) {
	for _, locks := range []bool{true, false} {
		for _, latency := range []time.Duration{200 * time.Millisecond, 2 * time.Second, 9 * time.Second} {
			t.Run(fmt.Sprintf("locks=%v,latency=%v", locks, latency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { processesDoNotGoBack(t, locks, latency) })
			})
		}
	}
}

func processesDoNotGoBack(t *testing.T, locks bool, latency time.Duration) {
	random := rand.New(rand.NewPCG(1, uint64(latency)))
	version, lastUpdated := 1, time.Now().Unix()
	source := &fakeSource{}
	source.respond = func(r *http.Request) fakeResponse {
		delay := time.Duration(random.Int64N(int64(latency)))
		if isLastUpdated(r) {
			return fakeResponse{status: http.StatusOK, body: fmt.Sprintf(`{"last_updated":%d}`, lastUpdated), delay: delay / 10}
		}
		return fakeResponse{status: http.StatusOK, body: versioned(version), delay: delay}
	}
	store := newMemoryStore(locks)
	ctx, cancel := context.WithCancel(t.Context())
	var (
		all                       sync.WaitGroup
		mu                        sync.Mutex
		reads, changes, backwards int
	)
	see := func(ref *Reference[BLIPRecord], last *int, count *int) {
		now := versionOf(t, ref)
		mu.Lock()
		defer mu.Unlock()
		*count++
		if now < *last {
			backwards++
		}
		*last = now
	}
	for range 4 {
		client := testClient(t, source, WithStore(store))
		all.Go(func() {
			last := 0
			for ctx.Err() == nil {
				if ref, err := client.BLIP.Load(ctx); err == nil {
					see(ref, &last, &reads)
				}
				time.Sleep(time.Second)
			}
		})
		all.Go(func() {
			last := 0
			for change, err := range client.BLIP.Watch(ctx, WatchOptions{}) {
				if err == nil {
					see(change.Reference, &last, &changes)
				}
			}
		})
	}
	for end := time.Now().Add(6 * time.Hour); time.Now().Before(end); {
		source.mu.Lock()
		pause := time.Duration(random.Int64N(int64(40 * time.Second)))
		source.mu.Unlock()
		time.Sleep(pause)
		source.mu.Lock()
		version++
		lastUpdated = time.Now().Unix()
		source.mu.Unlock()
	}
	cancel()
	all.Wait()
	assert.Zero(t, backwards, "of %d reads and %d changes", reads, changes)
	assert.Greater(t, reads, 10_000)
	assert.Greater(t, changes, 100)
}

// A misconfigured PRIMARY is reported in the status, in the reference, and once in the log.
func TestAMisconfiguredPrimaryIsVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		right := false
		source := &fakeSource{}
		source.respond = func(r *http.Request) fakeResponse {
			switch {
			case isGitHub(r):
				return fakeResponse{status: http.StatusOK, body: `{"a":{"name":"a","description":"version 1","config":{}}}`}
			case right && !isLastUpdated(r):
				return fakeResponse{status: http.StatusOK, body: versioned(2)}
			default:
				return fakeResponse{status: http.StatusNotFound, body: `{"detail":"Not Found"}`}
			}
		}
		var log strings.Builder
		client := testClient(t, source, WithGitHub(GitHubConfig{}), WithPrimaryURL("https://models.example"), logInto(&log))
		for range 10 {
			_, ref := read(t, client)
			assert.Equal(t, SourceGitHub, ref.Source())
			assert.False(t, ref.Stale())
			var status *APIError
			require.ErrorAs(t, ref.FallbackReason(), &status)
			assert.Equal(t, http.StatusNotFound, status.StatusCode)
			require.ErrorIs(t, client.Status().Primary.LastError, status)
			assert.Contains(t, ref.FallbackReason().Error(), "/api")
			time.Sleep(2 * time.Minute)
		}
		assert.Equal(t, 1, strings.Count(log.String(), "not with the model reference"), log.String())
		assert.LessOrEqual(t, strings.Count(log.String(), "level=WARN"), 3, log.String())
		source.mu.Lock()
		right = true
		source.mu.Unlock()
		_, ref := read(t, client)
		require.NoError(t, ref.FallbackReason())
		require.NoError(t, client.Status().Primary.LastError)
		assert.Contains(t, log.String(), "serves the model reference")
	})
}

// A deployment without one category is not misconfigured.
func TestADeploymentWithoutACategory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{respond: func(r *http.Request) fakeResponse {
			if strings.HasSuffix(r.URL.Path, "/blip") {
				return fakeResponse{status: http.StatusOK, body: versioned(1)}
			}
			return fakeResponse{status: http.StatusUnprocessableEntity}
		}}
		client := testClient(t, source)
		_, err := client.CLIP.Load(t.Context())
		require.ErrorIs(t, err, ErrUnavailable)
		require.Error(t, client.Status().Primary.LastError, "so far nothing has worked")
		read(t, client)
		require.NoError(t, client.Status().Primary.LastError)
	})
}
