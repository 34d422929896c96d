// This file tests lock commands that reach Redis late or twice.

package modelrefredis_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/modelrefredis"
)

// delayFirst delays the first script until resume is closed, like a connection that stalls.
type delayFirst struct {
	seen   atomic.Bool
	resume chan struct{}
	done   chan error
}

func (h *delayFirst) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *delayFirst) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h *delayFirst) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !strings.HasPrefix(cmd.Name(), "eval") || !h.seen.CompareAndSwap(false, true) {
			return next(ctx, cmd)
		}
		<-h.resume
		err := next(context.WithoutCancel(ctx), cmd)
		h.done <- err
		return err
	}
}

func TestALateLockCommandDoesNotReplaceANewerLock(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	warm, err := server.store(t).TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, warm, "the script is loaded")
	warm()

	client := server.client(t)
	hook := &delayFirst{resume: make(chan struct{}), done: make(chan error, 1)}
	client.AddHook(hook)
	mine := modelrefredis.New(client, modelrefredis.WithBreakerDelay(time.Nanosecond))
	_, err = mine.TryLock(t.Context(), category, time.Minute)
	require.Error(t, err, "the first command does not reach Redis in time")
	var release func()
	require.Eventually(t, func() bool { // the breaker is open only for a nanosecond
		release, err = mine.TryLock(t.Context(), category, time.Minute)
		return err == nil
	}, patient, time.Millisecond)
	require.NotNil(t, release)
	before, err := client.Get(t.Context(), lockKey).Result()
	require.NoError(t, err)

	close(hook.resume)
	require.NoError(t, <-hook.done)
	after, err := client.Get(t.Context(), lockKey).Result()
	require.NoError(t, err)
	assert.Equal(t, before, after)
	left, err := client.PTTL(t.Context(), lockKey).Result()
	require.NoError(t, err)
	assert.Greater(t, left, 30*time.Second, "the lease is not shortened")
	refused, err := server.store(t).TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	assert.Nil(t, refused, "another process is still excluded")
	release()
	exists, err := client.Exists(t.Context(), lockKey).Result()
	require.NoError(t, err)
	assert.Zero(t, exists, "the lock can be released")
}

// sendTwice sends each script a second time after the next script, like a client whose first attempt stalled.
type sendTwice struct {
	delayFirst
	first atomic.Pointer[redis.Cmd]
}

func (h *sendTwice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if strings.HasPrefix(cmd.Name(), "eval") {
			if earlier := h.first.Swap(redis.NewCmd(ctx, cmd.Args()...)); earlier != nil {
				_ = next(ctx, earlier) // the result is ignored
			}
		}
		return err
	}
}

func TestALockCommandThatIsSentTwiceDoesNotShortenTheLease(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client := server.client(t)
	client.AddHook(&sendTwice{})
	store := modelrefredis.New(client, modelrefredis.WithTimeout(5*time.Second))
	release, err := store.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, release)
	left, err := client.PTTL(t.Context(), lockKey).Result()
	require.NoError(t, err)
	assert.Greater(t, left, 30*time.Second)
	release()
}
