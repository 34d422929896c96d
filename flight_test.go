// This file tests loads: a reader never gets an older document than before, a refresh has one time budget, and Close
// waits for all goroutines.

package modelref

import (
	"context"
	"io/fs"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every response has a newer version. A reader must not get an older version than before.
func TestReadersDoNotGoBack(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{1, time.Millisecond, 20 * time.Millisecond} {
		t.Run(ttl.String(), func(t *testing.T) {
			t.Parallel()
			version := 0
			source := &fakeSource{}
			source.respond = func(r *http.Request) fakeResponse {
				if isLastUpdated(r) {
					return fakeResponse{status: http.StatusNotFound}
				}
				version++
				return fakeResponse{status: http.StatusOK, body: versioned(version)}
			}
			client := testClient(t, source)
			client.config.ttl = ttl // shorter than New allows
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var (
				readers     sync.WaitGroup
				reads, back atomic.Int64
			)
			for i := range 32 {
				readers.Go(func() {
					last := 0
					for n := 0; ctx.Err() == nil; n++ {
						var options []LoadOption
						if (n+i)%3 == 0 {
							options = append(options, WithRefresh())
						}
						ref, err := client.BLIP.Load(ctx, options...)
						if err != nil {
							continue
						}
						reads.Add(1)
						now := versionOf(t, ref)
						if now < last {
							back.Add(1)
						}
						last = now
					}
				})
			}
			readers.Wait()
			assert.Zero(t, back.Load(), "of %d reads", reads.Load())
			assert.Positive(t, reads.Load())
		})
	}
}

// A refresh returns data that was requested after the refresh was called.
func TestARefreshDoesNotJoinAnEarlierLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := 1
		source := &fakeSource{}
		source.respond = func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: versioned(version), delay: 3 * time.Second}
		}
		client := testClient(t, source)
		var readers sync.WaitGroup
		readers.Go(func() {
			got, _ := read(t, client)
			assert.Equal(t, 1, got)
		})
		time.Sleep(time.Second)
		source.mu.Lock()
		version = 2
		source.mu.Unlock()
		for range 5 { // the loads are shared
			readers.Go(func() {
				got, _ := read(t, client, WithRefresh())
				assert.Equal(t, 2, got)
			})
		}
		readers.Wait()
		assert.Equal(t, 2, source.sent("blip"))
	})
}

// The time budget of a refresh includes the wait for an earlier load.
func TestARefreshThatWaitsForALoadHasOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{respond: func(r *http.Request) fakeResponse {
			if isGitHub(r) {
				return fakeResponse{status: http.StatusNotFound, delay: 6 * time.Second}
			}
			return fakeResponse{status: http.StatusNotFound, delay: 9900 * time.Millisecond}
		}}
		client := testClient(t, source, WithGitHub(GitHubConfig{}))
		var readers sync.WaitGroup
		for _, options := range [][]LoadOption{nil, {WithRefresh()}} {
			readers.Go(func() {
				start := time.Now()
				_, err := client.BLIP.Load(t.Context(), options...)
				require.ErrorIs(t, err, ErrUnavailable)
				assert.LessOrEqual(t, time.Since(start), 22*time.Second)
			})
			time.Sleep(time.Millisecond)
		}
		readers.Wait()
		assert.False(t, client.Status().Primary.BreakerOpen, "the PRIMARY has responded within its limits")
	})
}

// A transport that ignores its context delays neither a read nor Close.
func TestATransportThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{deaf: true, respond: func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: versioned(1), delay: time.Hour}
		}}
		client := testClient(t, source)
		start := time.Now()
		_, err := client.BLIP.Load(t.Context())
		require.ErrorIs(t, err, ErrUnavailable)
		assert.LessOrEqual(t, time.Since(start), 22*time.Second)
		assert.True(t, client.Status().Primary.BreakerOpen)
		go func() { _, _ = client.CLIP.Load(t.Context()) }()
		synctest.Wait()
		start = time.Now()
		require.NoError(t, client.Close())
		assert.LessOrEqual(t, time.Since(start), 2*time.Second)
		time.Sleep(2 * time.Hour) // the transport returns
	})
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	source := &fakeSource{respond: func(*http.Request) fakeResponse {
		return fakeResponse{status: http.StatusOK, body: versioned(1)}
	}}
	left := 0
	for range 1000 {
		before := runtime.NumGoroutine()
		client, err := New(WithoutGitHub(), WithHTTPClient(&http.Client{Transport: source}))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var caller sync.WaitGroup
		caller.Go(func() { _, _ = client.BLIP.Load(ctx) })
		runtime.Gosched()
		cancel()
		require.NoError(t, client.Close())
		caller.Wait()
		// A goroutine that has released its caller may need a moment to end.
		for end := time.Now().Add(100 * time.Millisecond); runtime.NumGoroutine() > before && time.Now().Before(end); {
			runtime.Gosched()
		}
		if runtime.NumGoroutine() > before {
			left++
			for runtime.NumGoroutine() > before {
				runtime.Gosched()
			}
		}
	}
	assert.Zero(t, left)
}

func TestANilContextIsAnError(t *testing.T) {
	t.Parallel()
	client := testClient(t, &fakeSource{})
	var none context.Context
	_, err := client.BLIP.Load(none)
	require.ErrorIs(t, err, errNilContext)
	_, err = client.BLIP.Get(none, "a")
	require.ErrorIs(t, err, errNilContext)
	require.ErrorIs(t, client.Warm(none), errNilContext)
	for _, err := range client.BLIP.Watch(none, WatchOptions{}) {
		require.ErrorIs(t, err, errNilContext)
	}
	_, err = client.BLIP.Query().All(none)
	require.ErrorIs(t, err, errNilContext)
}

// hangingFiles is a file system that does not respond when a file is opened.
type hangingFiles struct{ fs.FS }

func (f hangingFiles) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

func (f hangingFiles) Open(string) (fs.File, error) {
	time.Sleep(time.Hour)
	return nil, fs.ErrNotExist
}

// If a transport, a store and a file system all hang, a read takes at most the time budget and a tenth.
func TestEverythingHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{deaf: true, respond: func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: versioned(1), delay: time.Hour}
		}}
		store := newMemoryStore(true)
		client := testClient(t, source, WithStore(store), WithGitHub(GitHubConfig{}), WithBootstrap(hangingFiles{fstest.MapFS{
			"blip.json": {Data: []byte(versioned(1))},
		}}))
		go func() {
			time.Sleep(19 * time.Second)
			store.slow(time.Hour, true)
		}()
		start := time.Now()
		_, err := client.BLIP.Load(t.Context())
		require.ErrorIs(t, err, ErrUnavailable)
		assert.LessOrEqual(t, time.Since(start), 22*time.Second)
		require.NoError(t, client.Close())
		time.Sleep(3 * time.Hour) // the transport, the store and the files return
	})
}
