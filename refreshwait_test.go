// This file tests stale-while-revalidate: if there is a usable copy, a reader does not wait long for a slow source.

package modelref

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stalling returns a source that responds immediately until stop is called. Then it accepts requests but does not
// respond.
func stalling() (source *fakeSource, stop func()) {
	source = &fakeSource{respond: func(r *http.Request) fakeResponse {
		if isLastUpdated(r) {
			return fakeResponse{status: http.StatusNotFound}
		}
		return fakeResponse{status: http.StatusOK, body: versioned(1)}
	}}
	return source, func() {
		source.set(func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: versioned(2), delay: time.Hour}
		})
	}
}

func TestReadersOfAStoppedPrimaryGetTheCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, stop := stalling()
		client := testClient(t, source)
		read(t, client)
		time.Sleep(2 * time.Minute)
		stop()
		var readers sync.WaitGroup
		for range 10 { // every two seconds
			readers.Go(func() {
				start := time.Now()
				_, ref := read(t, client)
				assert.LessOrEqual(t, time.Since(start), 1100*time.Millisecond)
				assert.True(t, ref.Stale())
				require.Error(t, ref.FallbackReason())
			})
			time.Sleep(2 * time.Second)
		}
		readers.Wait()
	})
}

func TestRefreshWait(t *testing.T) {
	for name, test := range map[string]struct {
		options  []Option
		deadline time.Duration // the deadline of the caller, or 0 if there is none
		refresh  bool
		want     time.Duration // the time until the read returns
		fails    bool
	}{
		"default":                              {want: time.Second},
		"longer":                               {options: []Option{WithRefreshWait(5 * time.Second)}, want: 5 * time.Second},
		"none":                                 {options: []Option{WithRefreshWait(0)}, want: 0},
		"deadline before the wait":             {deadline: 500 * time.Millisecond, want: 450 * time.Millisecond},
		"tiny deadline":                        {deadline: 8 * time.Millisecond, want: 7 * time.Millisecond},
		"deadline after the wait":              {deadline: 5 * time.Second, want: time.Second},
		"a refresh observes only its deadline": {refresh: true, deadline: 5 * time.Second, want: 4950 * time.Millisecond},
		"the copy is too old to be usable": {
			options: []Option{WithMaxStale(time.Minute)}, deadline: 5 * time.Second, want: 5 * time.Second, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, stop := stalling()
				client := testClient(t, source, test.options...)
				read(t, client)
				time.Sleep(2 * time.Minute)
				stop()
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				var options []LoadOption
				if test.refresh {
					options = append(options, WithRefresh())
				}
				start := time.Now()
				ref, err := client.BLIP.Load(ctx, options...)
				assert.Equal(t, test.want, time.Since(start))
				if test.fails {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					return
				}
				require.NoError(t, err)
				assert.True(t, ref.Stale())
			})
		})
	}
}

// After a start, a reader gets the copy in the store while the PRIMARY does not respond.
func TestRefreshWaitAfterAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, stop := stalling()
		store := newMemoryStore(true)
		first := testClient(t, source, WithStore(store))
		read(t, first)
		require.NoError(t, first.Close())
		time.Sleep(10 * time.Minute)
		stop()
		client := testClient(t, source, WithStore(store))
		start := time.Now()
		_, ref := read(t, client)
		assert.Equal(t, time.Second, time.Since(start))
		assert.True(t, ref.Stale())
		assert.Equal(t, SourceStore, ref.Source())
	})
}

// The load continues after a reader has got the copy, and the next reader gets its result.
func TestTheLoadContinues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, _ := stalling()
		client := testClient(t, source)
		read(t, client)
		time.Sleep(2 * time.Minute)
		source.set(func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: versioned(2), delay: 4 * time.Second}
		})
		got, ref := read(t, client)
		assert.Equal(t, 1, got)
		assert.True(t, ref.Stale())
		time.Sleep(8 * time.Second)
		got, ref = read(t, client)
		assert.Equal(t, 2, got)
		assert.False(t, ref.Stale())
		require.NoError(t, ref.FallbackReason())
	})
}

// A store that hangs delays one read by its share of the budget, and is then skipped.
func TestAStoreThatHangs(t *testing.T) {
	for name, deaf := range map[string]bool{"observes its context": false, "ignores its context": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, _ := stalling()
				store := newMemoryStore(true)
				store.slow(time.Hour, deaf)
				client := testClient(t, source, WithStore(store))
				start := time.Now()
				read(t, client)
				assert.LessOrEqual(t, time.Since(start), 2*time.Second, "a tenth of the budget")
				if deaf {
					time.Sleep(2 * time.Minute)
					start = time.Now()
					read(t, client)
					assert.Zero(t, time.Since(start), "it is skipped while a call has not returned")
				}
				go func() { _, _ = client.CLIP.Load(t.Context()) }()
				synctest.Wait()
				start = time.Now()
				require.NoError(t, client.Close())
				assert.LessOrEqual(t, time.Since(start), 200*time.Millisecond)
				time.Sleep(2 * time.Hour) // the store returns
			})
		})
	}
}

// Each call of the store is within its limit, but the sum of the calls is not. The guarantee must still hold.
func TestASlowStoreIsWithinTheGuarantee(t *testing.T) {
	for name, locks := range map[string]bool{"with locks": true, "without locks": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, stop := stalling()
				store := newMemoryStore(locks)
				first := testClient(t, source, WithStore(store))
				read(t, first)
				require.NoError(t, first.Close())
				time.Sleep(2 * time.Hour)
				store.slow(1900*time.Millisecond, false)
				stop()
				client := testClient(t, source, WithStore(store))
				start := time.Now()
				_, ref := read(t, client)
				assert.LessOrEqual(t, time.Since(start), 22*time.Second)
				assert.True(t, ref.Stale())
			})
		})
	}
}
