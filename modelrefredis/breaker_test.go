// This file tests the circuit breaker in simulated time, without a Redis server.

package modelrefredis_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

func refused(context.Context) (any, error) { return nil, errRefused }

func nothingThere(context.Context) (any, error) { return nil, redis.Nil }

// stalled returns a function that does not respond before release is closed, and ignores its context.
func stalled(release <-chan struct{}) func(context.Context) (any, error) {
	return func(context.Context) (any, error) {
		<-release
		return nil, errRefused
	}
}

func TestAFailureOpensTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := answering(refused)
		store := fake.store(t)
		_, err := store.Read(t.Context(), category, 1)
		require.ErrorIs(t, err, errRefused)
		require.EqualError(t, err, "redis 192.0.2.1:6379: read image_generation: dial tcp: connection refused")

		start := time.Now()
		_, err = store.Read(t.Context(), category, 1)
		require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		require.ErrorContains(t, err, "connection refused", "the error has the cause")
		_, err = store.ReadProvenance(t.Context(), modelref.CategoryCLIP)
		require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		require.ErrorIs(t, store.Write(t.Context(), category, "{}", ""), modelref.ErrCircuitOpen)
		require.ErrorIs(t, store.WriteProvenance(t.Context(), category, ""), modelref.ErrCircuitOpen)
		release, err := store.TryLock(t.Context(), category, time.Minute)
		require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		assert.Nil(t, release)
		assert.Zero(t, time.Since(start), "the error is immediate")
		assert.Equal(t, 1, fake.asked())

		fake.answers(nothingThere)
		time.Sleep(5 * time.Second)
		for range 2 {
			_, err = store.ReadProvenance(t.Context(), category)
			require.ErrorIs(t, err, fs.ErrNotExist, "Redis is up again")
		}
		assert.Equal(t, 3, fake.asked())
	})
}

func TestTheDelayGrowsToAMinute(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []modelrefredis.Option
		delays  []time.Duration
	}{
		"by default": {nil, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}},
		"0":          {[]modelrefredis.Option{modelrefredis.WithBreakerDelay(0)}, []time.Duration{5 * time.Second, 10 * time.Second}},
		"short": {
			[]modelrefredis.Option{modelrefredis.WithBreakerDelay(time.Second)},
			[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second},
		},
		"long": {[]modelrefredis.Option{modelrefredis.WithBreakerDelay(time.Hour)}, []time.Duration{time.Hour, time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := answering(refused)
				store := fake.store(t, test.options...)
				const steps = 1000
				step := test.delays[0] / steps
				delay := func() time.Duration {
					start, asked := time.Now(), fake.asked()
					for fake.asked() == asked {
						time.Sleep(step)
						_, _ = store.ReadProvenance(t.Context(), category) // fails
					}
					return time.Since(start)
				}
				_, _ = store.ReadProvenance(t.Context(), category) // fails
				for _, longest := range test.delays {
					got := delay()
					assert.LessOrEqual(t, got, longest+step)
					assert.GreaterOrEqual(t, got, longest*3/4)
				}
				fake.answers(nothingThere)
				delay()
				fake.answers(refused)
				_, _ = store.ReadProvenance(t.Context(), category) // fails
				assert.LessOrEqual(t, delay(), test.delays[0]+step, "a success resets the delay")
			})
		})
	}
}

func TestAStalledRedisCostsOneTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		fake := answering(stalled(release))
		store := fake.store(t, modelrefredis.WithTimeout(300*time.Millisecond))
		start := time.Now()
		_, err := store.Read(t.Context(), category, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "redis 192.0.2.1:6379: read image_generation: no response within 300ms")
		assert.Equal(t, 300*time.Millisecond, time.Since(start))
		_, err = store.Read(t.Context(), category, 1)
		require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		assert.Equal(t, 300*time.Millisecond, time.Since(start), "only once")
		assert.Equal(t, 1, fake.asked())
		close(release) // ends the operation that is still running in the client
	})
}

func TestOneOperationIsTheProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := answering(refused)
		store := fake.store(t)
		_, _ = store.ReadProvenance(t.Context(), category) // fails
		time.Sleep(5 * time.Second)

		answer := make(chan struct{})
		fake.answers(func(context.Context) (any, error) {
			<-answer
			return nil, redis.Nil
		})
		var probe sync.WaitGroup
		probe.Go(func() {
			_, err := store.ReadProvenance(t.Context(), category)
			assert.ErrorIs(t, err, fs.ErrNotExist)
		})
		synctest.Wait()
		for range 10 {
			_, err := store.ReadProvenance(t.Context(), category)
			require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		}
		assert.Equal(t, 2, fake.asked())
		close(answer)
		probe.Wait()
		_, err := store.ReadProvenance(t.Context(), category)
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
}

func TestConcurrentFailuresCountAsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		fake := answering(stalled(release))
		store := fake.store(t)
		var all sync.WaitGroup
		for _, c := range modelref.Categories() {
			all.Go(func() {
				_, err := store.ReadProvenance(t.Context(), c)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		all.Wait()
		time.Sleep(5 * time.Second)
		close(release)
		fake.answers(nothingThere)
		_, err := store.ReadProvenance(t.Context(), category)
		require.ErrorIs(t, err, fs.ErrNotExist, "after the first delay")
	})
}

func TestACanceledCallerDoesNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		fake := answering(stalled(release))
		store := fake.store(t)
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := store.ReadProvenance(hurried, category)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 100*time.Millisecond, time.Since(start))
		_, err = store.ReadProvenance(hurried, category)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, fake.asked(), "no command if the context has ended")
		close(release)

		fake.answers(nothingThere)
		_, err = store.ReadProvenance(t.Context(), category)
		require.ErrorIs(t, err, fs.ErrNotExist, "the breaker is closed")

		// A canceled probe does not change the state of the breaker.
		fake.answers(refused)
		_, _ = store.ReadProvenance(t.Context(), category) // fails
		time.Sleep(5 * time.Second)
		again := make(chan struct{})
		fake.answers(stalled(again))
		hurried, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = store.ReadProvenance(hurried, category)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(again)
		fake.answers(nothingThere)
		_, err = store.ReadProvenance(t.Context(), category)
		require.ErrorIs(t, err, fs.ErrNotExist, "the next operation is the probe")
	})
}

// replyError is an error reply of Redis.
type replyError string

func (e replyError) Error() string { return string(e) }
func (replyError) RedisError()     {}

func TestWhichFailuresOpenTheBreaker(t *testing.T) {
	t.Parallel()
	for message, opens := range map[string]bool{
		"WRONGTYPE Operation against a key holding the wrong kind of value": false,
		"OOM command not allowed when used memory > 'maxmemory'.":           false,
		"READONLY You can't write against a read only replica.":             false,
		"NOPERM this user has no permissions to run the 'evalsha' command":  false,
		"WRONGPASS invalid username-password pair or user is disabled.":     true,
		"NOAUTH Authentication required.":                                   true,
		"LOADING Redis is loading the dataset in memory":                    true,
		"MASTERDOWN Link with MASTER is down":                               true,
		"CLUSTERDOWN The cluster is down":                                   true,
		"ERR max number of clients reached":                                 true,
		"BUSY Redis is busy running a script.":                              true,
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := answering(func(context.Context) (any, error) { return nil, replyError(message) })
				store := fake.store(t)
				err := store.Write(t.Context(), category, "{}", "")
				require.EqualError(t, err, "redis 192.0.2.1:6379: write image_generation: "+message)
				err = store.Write(t.Context(), category, "{}", "")
				assert.Equal(t, opens, errors.Is(err, modelref.ErrCircuitOpen))
			})
		})
	}
}
