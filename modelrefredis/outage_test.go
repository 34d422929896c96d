//go:build unix

// Redis that is killed, stopped or never was one: reads go on without it, at a bounded price, and use it when it is back.

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

// buffer is a log that is written and read side by side.
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

// unbounded is what a go-redis client without our bound takes at the least for a Redis that does not answer: its default
// ReadTimeout.
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
			store := redis.store(t, modelrefredis.WithTimeout(500*time.Millisecond), modelrefredis.WithCoolDown(time.Hour))
			client := server.Client(t, modelref.WithStore(store), log.option())
			read := func(options ...modelref.LoadOption) modelref.Origin {
				t.Helper()
				ref, err := client.ImageGeneration.Load(t.Context(), options...)
				require.NoError(t, err)
				assert.False(t, ref.Stale())
				return ref.Origin()
			}
			read()
			failure.end(t, redis)
			assertWithin(t, unbounded-time.Second, "the read that finds Redis gone", func() {
				assert.Equal(t, modelref.OriginPrimary, read(modelref.Refresh()))
			})
			assertWithin(t, 5*time.Second, "ten reads while Redis is left alone", func() {
				for range 10 {
					assert.Equal(t, modelref.OriginPrimary, read(modelref.Refresh()))
				}
			})
			assertSaidOnce(t, redis, &log)
			failure.back(t, redis)

			// Another Client of the same fleet, which has not been waiting for an hour.
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
			assert.Equal(t, modelref.OriginStore, ref.Origin())
		})
	}
}

func assertSaidOnce(t *testing.T, redis *redisServer, log *buffer) {
	t.Helper()
	said := log.String()
	assert.Equal(t, 1, strings.Count(said, "level=WARN"), said)
	assert.Contains(t, said, `msg="store cannot be used; reading goes on without it" store="redis `+redis.addr+`"`)
}

func TestOneClientFindsRedisBack(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	var log buffer
	store := redis.store(t, modelrefredis.WithCoolDown(10*time.Millisecond))
	client := server.Client(t, modelref.WithStore(store), log.option())
	load := func() {
		_, err := client.ImageGeneration.Load(t.Context(), modelref.Refresh())
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
	require.NoError(t, err, "what was lost with Redis is there again")
	assert.NotEmpty(t, got.Note)
}

func TestWhatListensAndNeverAnswers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	addr := listener.Addr().String()
	for name, options := range map[string]*redis.Options{
		"a client as it comes":                {Addr: addr},
		"a client that goes by contexts":      {Addr: addr, ContextTimeoutEnabled: true},
		"a client with one connection":        {Addr: addr, PoolSize: 1},
		"a client that would wait for ever":   {Addr: addr, ReadTimeout: -1, MaxRetries: 100},
		"a client of a cluster":               nil,
		"a client that nobody lets in at all": {Addr: deadAddress(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redis.UniversalClient(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}}))
			if options != nil {
				client = redis.NewClient(options)
			}
			defer client.Close()
			store := modelrefredis.New(client, modelrefredis.WithTimeout(300*time.Millisecond), modelrefredis.WithCoolDown(time.Hour))
			assertWithin(t, unbounded-time.Second, "the first operation", func() {
				_, err := store.Read(t.Context(), category, limit)
				require.Error(t, err)
				assert.NotErrorIs(t, err, modelref.ErrCoolingDown)
				t.Log(err)
			})
			_, err := store.Read(t.Context(), category, limit)
			require.ErrorIs(t, err, modelref.ErrCoolingDown)
		})
	}
}

func TestWhyThereIsNoRedisIsSaid(t *testing.T) {
	t.Parallel()
	client := newClient(t, &redis.Options{Addr: deadAddress(t), DialerRetries: 1, MaxRetries: -1})
	_, err := modelrefredis.New(client, modelrefredis.WithTimeout(patient)).Read(t.Context(), category, limit)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorContains(t, err, "redis "+client.Options().Addr+": read image_generation: dial tcp ")
}

// deadAddress returns an address where nobody listens.
func deadAddress(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// stall stops Redis for as long as during runs. What was sent meanwhile is answered afterwards.
func stall(t *testing.T, redis *redisServer, during func()) {
	t.Helper()
	require.NoError(t, redis.Process.Signal(syscall.SIGSTOP))
	during()
	require.NoError(t, redis.Process.Signal(syscall.SIGCONT))
	require.Eventually(t, func() bool { return answersPing(redis.addr) }, patient, time.Millisecond)
}

func TestALockThatIsTakenTooLateKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	const timeout = 100 * time.Millisecond
	ours := redis.store(t, modelrefredis.WithTimeout(timeout), modelrefredis.WithCoolDown(time.Millisecond))
	theirs := redis.store(t)
	release, err := ours.TryLock(t.Context(), modelref.CategoryBLIP, time.Minute) // so that Redis knows the script
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

func TestALockIsGivenBackInAPause(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	ours := redis.store(t, modelrefredis.WithTimeout(500*time.Millisecond), modelrefredis.WithCoolDown(time.Hour))
	release, err := ours.TryLock(t.Context(), category, time.Hour)
	require.NoError(t, err)
	require.NotNil(t, release)
	stall(t, redis, func() {
		_, err := ours.ReadNote(t.Context(), modelref.CategoryBLIP)
		require.Error(t, err)
	})
	release()
	release, err = redis.store(t).TryLock(t.Context(), category, time.Hour)
	require.NoError(t, err)
	assert.NotNil(t, release)
}
