//go:build unix

// This file tests a Redis that is killed, stopped, or not a Redis server. Reads continue without it at a limited cost,
// and use it again when it is up.

package modelrefredis_test

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
	"github.com/haidra-org/modelref/modelreftest"
)

// buffer is a log that can be written and read concurrently.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *buffer) option() modelref.Option {
	return modelref.WithLogger(slog.New(slog.NewTextHandler(b, nil)))
}

// unbounded is the minimum time that a go-redis client needs for a Redis that does not respond, without the limit of
// the Store: its default ReadTimeout.
const unbounded = 5 * time.Second

func TestReadsGoOnWithoutRedisAndUseItAgain(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	settle(server)
	for name, failure := range map[string]struct {
		end, back func(t *testing.T, redis *redisServer)
	}{
		"killed": {
			func(t *testing.T, redis *redisServer) {
				require.NoError(t, redis.Process.Kill())
				require.Eventually(t, func() bool { return !answersPing(redis.addr) }, patient, time.Millisecond)
			},
			func(t *testing.T, redis *redisServer) { require.True(t, redis.start(t)) },
		},
		"stopped": {
			func(t *testing.T, redis *redisServer) { require.NoError(t, redis.Process.Signal(syscall.SIGSTOP)) },
			func(t *testing.T, redis *redisServer) { require.NoError(t, redis.Process.Signal(syscall.SIGCONT)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := startRedis(t)
			var log buffer
			store := redis.store(t, modelrefredis.WithTimeout(500*time.Millisecond), modelrefredis.WithBreakerDelay(time.Hour))
			client := server.Client(t, modelref.WithStore(store), log.option())
			read := func(options ...modelref.LoadOption) modelref.Source {
				t.Helper()
				ref, err := client.ImageGeneration.Load(t.Context(), options...)
				require.NoError(t, err)
				assert.False(t, ref.Stale())
				return ref.Source()
			}
			read()
			failure.end(t, redis)
			assertWithin(t, unbounded-time.Second, "the read that detects the outage", func() {
				assert.Equal(t, modelref.SourcePrimary, read(modelref.WithRefresh()))
			})
			assertWithin(t, 5*time.Second, "ten reads while the breaker is open", func() {
				for range 10 {
					assert.Equal(t, modelref.SourcePrimary, read(modelref.WithRefresh()))
				}
			})
			assertSaidOnce(t, redis, &log)
			failure.back(t, redis)

			// This Client has the same Redis, but its breaker does not stay open for an hour.
			patientStore := redis.store(t)
			require.Eventually(t, func() bool {
				release, err := patientStore.TryLock(t.Context(), modelref.CategoryCLIP, time.Second)
				return err == nil && release != nil
			}, patient, 10*time.Millisecond)
			first := server.Client(t, modelref.WithStore(patientStore))
			_, err := first.ImageGeneration.Load(t.Context())
			require.NoError(t, err)
			second := server.Client(t, modelref.WithStore(redis.store(t)))
			ref, err := second.ImageGeneration.Load(t.Context())
			require.NoError(t, err)
			assert.Equal(t, modelref.SourceStore, ref.Source())
		})
	}
}

func assertSaidOnce(t *testing.T, redis *redisServer, log *buffer) {
	t.Helper()
	said := log.String()
	assert.Equal(t, 1, strings.Count(said, "level=WARN"), said)
	assert.Contains(t, said, `msg="store cannot be used; reads continue without it" store="redis `+redis.addr+`"`)
}

func TestOneClientFindsThatRedisIsUp(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	var log buffer
	store := redis.store(t, modelrefredis.WithBreakerDelay(10*time.Millisecond))
	client := server.Client(t, modelref.WithStore(store), log.option())
	load := func() {
		_, err := client.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
	}
	load()
	require.NoError(t, redis.Process.Kill())
	require.Eventually(t, func() bool {
		load()
		return strings.Contains(log.String(), "store cannot be used")
	}, patient, 10*time.Millisecond)
	require.True(t, redis.start(t))
	require.Eventually(t, func() bool {
		load()
		return strings.Contains(log.String(), "store works again")
	}, patient, 10*time.Millisecond)
	got, err := store.Read(t.Context(), category, limit)
	require.NoError(t, err, "the lost entry is written again")
	assert.NotEmpty(t, got.Provenance)
}

func TestAServerThatNeverResponds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	addr := listener.Addr().String()
	for name, options := range map[string]*redis.Options{
		"a client with default options":   {Addr: addr},
		"a client that observes contexts": {Addr: addr, ContextTimeoutEnabled: true},
		"a client with one connection":    {Addr: addr, PoolSize: 1},
		"a client without a read timeout": {Addr: addr, ReadTimeout: -1, MaxRetries: 100},
		"a client of a cluster":           nil,
		"a client that cannot connect":    {Addr: deadAddress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redis.UniversalClient(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}}))
			if options != nil {
				client = redis.NewClient(options)
			}
			defer client.Close()
			store := modelrefredis.New(client, modelrefredis.WithTimeout(300*time.Millisecond), modelrefredis.WithBreakerDelay(time.Hour))
			assertWithin(t, unbounded-time.Second, "the first operation", func() {
				_, err := store.Read(t.Context(), category, limit)
				require.Error(t, err)
				assert.NotErrorIs(t, err, modelref.ErrCircuitOpen)
				t.Log(err)
			})
			_, err := store.Read(t.Context(), category, limit)
			require.ErrorIs(t, err, modelref.ErrCircuitOpen)
		})
	}
}

func TestTheErrorHasTheCause(t *testing.T) {
	t.Parallel()
	client := newClient(t, &redis.Options{Addr: deadAddress, DialerRetries: 1, MaxRetries: -1})
	_, err := modelrefredis.New(client, modelrefredis.WithTimeout(patient)).Read(t.Context(), category, limit)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorContains(t, err, "redis "+client.Options().Addr+": read image_generation: dial tcp ")
}

// deadAddress is an address without a listener. A free port that the system has chosen is not suitable, because another
// test may listen on it.
const deadAddress = "127.0.0.1:1"

// stall stops Redis while during runs. Redis processes the commands that it has received afterwards.
func stall(t *testing.T, redis *redisServer, during func()) {
	t.Helper()
	require.NoError(t, redis.Process.Signal(syscall.SIGSTOP))
	during()
	require.NoError(t, redis.Process.Signal(syscall.SIGCONT))
	require.Eventually(t, func() bool { return answersPing(redis.addr) }, patient, time.Millisecond)
}

func TestALockThatIsTakenTooLateExpires(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	const timeout = 100 * time.Millisecond
	ours := redis.store(t, modelrefredis.WithTimeout(timeout), modelrefredis.WithBreakerDelay(time.Millisecond))
	theirs := redis.store(t)
	release, err := ours.TryLock(t.Context(), modelref.CategoryBLIP, time.Minute) // loads the script into Redis
	require.NoError(t, err)
	release()
	stall(t, redis, func() {
		release, err := ours.TryLock(t.Context(), category, time.Minute)
		require.Error(t, err)
		require.Nil(t, release)
	})
	require.Eventually(t, func() bool {
		release, err := theirs.TryLock(t.Context(), category, time.Minute)
		return err == nil && release != nil
	}, patient, timeout/10)
}

func TestALockIsReleasedWhileTheBreakerIsOpen(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	ours := redis.store(t, modelrefredis.WithTimeout(500*time.Millisecond), modelrefredis.WithBreakerDelay(time.Hour))
	release, err := ours.TryLock(t.Context(), category, time.Hour)
	require.NoError(t, err)
	require.NotNil(t, release)
	stall(t, redis, func() {
		_, err := ours.ReadProvenance(t.Context(), modelref.CategoryBLIP)
		require.Error(t, err)
	})
	release()
	release, err = redis.store(t).TryLock(t.Context(), category, time.Hour)
	require.NoError(t, err)
	assert.NotNil(t, release)
}
