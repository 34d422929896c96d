// This file tests the Store with a real Redis server: its entries, the entries of other programs, and its locks.

package modelrefredis_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
	"github.com/haidra-org/modelref/modelreftest"
)

const (
	key     = "modelref:image_generation"
	lockKey = key + ":lock"
	limit   = 1 << 20
)

func TestTheStorePassesTheContractTest(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	modelreftest.TestStore(t, func(t *testing.T) (modelref.Store, modelref.Store) {
		prefix := modelrefredis.WithPrefix(t.Name() + ":")
		return server.store(t, prefix), server.store(t, prefix)
	})
}

func TestTheEntriesInRedis(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client := server.client(t)
	for name, test := range map[string]struct {
		options []modelrefredis.Option
		key     string
		expiry  time.Duration // -1 if the entry does not expire
	}{
		"by default":   {nil, key, 30 * 24 * time.Hour},
		"a prefix":     {[]modelrefredis.Option{modelrefredis.WithPrefix("a/")}, "a/image_generation", 30 * 24 * time.Hour},
		"an expiry":    {[]modelrefredis.Option{modelrefredis.WithPrefix("b:"), modelrefredis.WithExpiry(time.Hour)}, "b:image_generation", time.Hour},
		"no expiry":    {[]modelrefredis.Option{modelrefredis.WithPrefix("c:"), modelrefredis.WithExpiry(0)}, "c:image_generation", -1},
		"a bad expiry": {[]modelrefredis.Option{modelrefredis.WithPrefix("d:"), modelrefredis.WithExpiry(-time.Hour)}, "d:image_generation", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := server.store(t, test.options...)
			expires := func(after string) {
				left := client.TTL(t.Context(), test.key).Val()
				if test.expiry < 0 {
					assert.Equal(t, time.Duration(-1), left, after)
					return
				}
				assert.InDelta(t, test.expiry.Seconds(), left.Seconds(), 60, after)
			}
			require.NoError(t, store.Write(t.Context(), category, "{}", "first"))
			expires("Write")
			require.NoError(t, client.Expire(t.Context(), test.key, 5*time.Minute).Err())
			require.NoError(t, store.WriteProvenance(t.Context(), category, "second"))
			expires("WriteProvenance")

			found := client.HGetAll(t.Context(), test.key).Val()
			at, err := time.Parse(time.RFC3339, found["written_at"])
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now(), at, time.Minute)
			delete(found, "written_at")
			assert.Equal(t, map[string]string{"document": "{}", "note": "second"}, found)
		})
	}
}

func TestProvenanceIsNotKeptWithoutItsDocument(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client, store := server.client(t), server.store(t)
	require.ErrorIs(t, store.WriteProvenance(t.Context(), category, "note"), fs.ErrNotExist)
	assert.Zero(t, client.Exists(t.Context(), key).Val())

	// Such provenance must not be read either: a Client would assume that the document is in the Store.
	require.NoError(t, store.Write(t.Context(), category, "{}", "note"))
	require.NoError(t, client.HDel(t.Context(), key, "document").Err())
	_, err := store.ReadProvenance(t.Context(), category)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = store.Read(t.Context(), category, limit)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestEntriesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client := server.client(t)
	long := strings.Repeat("x", 100_000)
	written := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		put  []any
		want modelref.StoreEntry
		note error
	}{
		"only a document":      {[]any{"document", "{}"}, modelref.StoreEntry{Document: "{}"}, fs.ErrNotExist},
		"with a time":          {[]any{"document", "{}", "written_at", "2026-01-02T03:04:05Z"}, modelref.StoreEntry{Document: "{}", ModTime: written}, fs.ErrNotExist},
		"with an invalid time": {[]any{"document", "{}", "written_at", "yesterday"}, modelref.StoreEntry{Document: "{}"}, fs.ErrNotExist},
		"with a long note":     {[]any{"document", "{}", "note", long, "written_at", long}, modelref.StoreEntry{Document: "{}"}, fs.ErrNotExist},
		"with other fields":    {[]any{"document", "{}", "note", "n", "etag", long}, modelref.StoreEntry{Document: "{}", Provenance: "n"}, nil},
		"an empty document":    {[]any{"document", "", "note", "n"}, modelref.StoreEntry{Provenance: "n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := server.store(t, modelrefredis.WithPrefix(name+":"))
			require.NoError(t, client.HSet(t.Context(), name+":image_generation", test.put...).Err())
			got, err := store.Read(t.Context(), category, limit)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			_, err = store.ReadProvenance(t.Context(), category)
			require.ErrorIs(t, err, test.note)
		})
	}
}

func TestADocumentThatIsTooLargeIsNotFetched(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client, store := server.client(t), server.store(t)
	require.NoError(t, client.HSet(t.Context(), key, "document", strings.Repeat("x", 20<<20), "note", "n").Err())
	before := sentBy(t, client)
	_, err := store.Read(t.Context(), category, 1000)
	require.EqualError(t, err, store.String()+": read image_generation: document must have at most 1000 bytes, got 20971520")
	assert.Less(t, sentBy(t, client)-before, 1<<20)
	note, err := store.ReadProvenance(t.Context(), category)
	require.NoError(t, err)
	assert.Equal(t, "n", note)
}

// sentBy returns the number of bytes that the server has sent to all clients.
func sentBy(t *testing.T, client *redis.Client) int {
	t.Helper()
	info, err := client.InfoMap(t.Context(), "stats").Result()
	require.NoError(t, err)
	var n int
	require.NoError(t, json.Unmarshal([]byte(info["Stats"]["total_net_output_bytes"]), &n))
	return n
}

func TestAKeyOfAnotherTypeIsAnErrorUntilItIsWritten(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client, store := server.client(t), server.store(t)
	require.NoError(t, client.RPush(t.Context(), key, "a").Err())
	require.NoError(t, client.RPush(t.Context(), lockKey, "a").Err())
	for range 2 { // the error does not open the breaker
		_, err := store.Read(t.Context(), category, limit)
		require.ErrorContains(t, err, store.String()+": read image_generation: WRONGTYPE")
		_, err = store.ReadProvenance(t.Context(), category)
		require.ErrorContains(t, err, "WRONGTYPE")
		require.ErrorContains(t, store.WriteProvenance(t.Context(), category, "n"), "WRONGTYPE")
		release, err := store.TryLock(t.Context(), category, time.Minute)
		require.ErrorContains(t, err, "WRONGTYPE")
		assert.Nil(t, release)
	}
	require.NoError(t, store.Write(t.Context(), category, "{}", "note"))
	got, err := store.Read(t.Context(), category, limit)
	require.NoError(t, err)
	assert.Equal(t, "{}", got.Document)
}

func TestAFullRedisKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client, store := server.client(t), server.store(t)
	require.NoError(t, store.Write(t.Context(), category, "{}", "note"))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for range 2 {
		require.ErrorContains(t, store.Write(t.Context(), category, `{"a": {}}`, "other"), "OOM")
	}
	got, err := store.Read(t.Context(), category, limit)
	require.NoError(t, err)
	assert.Equal(t, "{}", got.Document)
	assert.Equal(t, "note", got.Provenance)
}

func TestAReplicaIsReadFrom(t *testing.T) {
	t.Parallel()
	primary := startRedis(t, "--repl-diskless-sync-delay", "0")
	require.NoError(t, primary.store(t).Write(t.Context(), category, "{}", "note"))
	host, port, _ := strings.Cut(primary.addr, ":")
	replica := startRedis(t, "--replicaof", host+" "+port)
	store := replica.store(t)
	require.Eventually(t, func() bool {
		got, err := store.Read(t.Context(), category, limit)
		return err == nil && got.Document == "{}"
	}, patient, 10*time.Millisecond)
	require.ErrorContains(t, store.Write(t.Context(), category, "{}", ""), "READONLY")
	_, err := store.ReadProvenance(t.Context(), category)
	require.NoError(t, err, "the breaker is closed")
}

func TestTheErrorOfAWrongPasswordDoesNotHaveIt(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--requirepass", "correct-horse")
	for name, options := range map[string]*redis.Options{
		"wrong": {Addr: server.addr, Password: "hunter2"},
		"none":  {Addr: server.addr},
		"RESP2": {Addr: server.addr, Password: "hunter2", Protocol: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := modelrefredis.New(newClient(t, options), modelrefredis.WithTimeout(patient))
			_, err := store.Read(t.Context(), category, limit)
			require.Error(t, err)
			assert.Regexp(t, "^redis "+server.addr+": read image_generation: .*(WRONGPASS|NOAUTH)", err.Error())
			assert.NotContains(t, err.Error(), "hunter2")
			_, err = store.Read(t.Context(), category, limit)
			require.ErrorIs(t, err, modelref.ErrCircuitOpen, "the error concerns all operations")
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	right := modelrefredis.New(newClient(t, &redis.Options{Addr: server.addr, Password: "correct-horse"}), modelrefredis.WithTimeout(patient))
	require.NoError(t, right.Write(t.Context(), category, "{}", ""))
}

func TestALockEndsWithItsLease(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client := server.client(t)
	mine, theirs := server.store(t), server.store(t)
	release, err := mine.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, release)
	assert.InDelta(t, 60, client.PTTL(t.Context(), lockKey).Val().Seconds(), 30)

	// The lease has expired and another worker holds the lock. The first holder must not release it.
	require.NoError(t, client.Del(t.Context(), lockKey).Err())
	other, err := theirs.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, other)
	release()
	assert.EqualValues(t, 1, client.Exists(t.Context(), lockKey).Val())
	other()
	assert.Zero(t, client.Exists(t.Context(), lockKey).Val())

	release, err = mine.TryLock(t.Context(), category, 0)
	require.NoError(t, err)
	require.NotNil(t, release, "a lease of 0 is the shortest lease")
	require.Eventually(t, func() bool {
		got, err := theirs.TryLock(t.Context(), category, time.Minute)
		return err == nil && got != nil
	}, patient, time.Millisecond)
}

func TestALockIsReleasedAfterTheContextHasEnded(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client, store := server.client(t), server.store(t)
	ctx, cancel := context.WithCancel(t.Context())
	release, err := store.TryLock(ctx, category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, release)
	cancel()
	release()
	assert.Zero(t, client.Exists(t.Context(), lockKey).Val())

	// A second call must not release the next lock.
	again, err := store.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, again)
	release()
	assert.EqualValues(t, 1, client.Exists(t.Context(), lockKey).Val())
	refused, err := store.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	assert.Nil(t, refused, "two users of one Store cannot both have the lock")
	again()
}

var errLost = errors.New("connection reset")

// dropping lets Redis run a number of scripts and drops their replies.
type dropping struct {
	left int
}

func (d *dropping) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *dropping) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (d *dropping) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && d.left > 0 && strings.HasPrefix(cmd.Name(), "eval") {
			d.left--
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

func TestALockWhoseReplyWasLostIsTakenAgain(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	client := server.client(t)
	client.AddHook(&dropping{left: 1})
	mine := modelrefredis.New(client, modelrefredis.WithTimeout(patient), modelrefredis.WithBreakerDelay(time.Millisecond))
	_, err := mine.TryLock(t.Context(), category, time.Hour)
	require.ErrorIs(t, err, errLost)
	refused, err := server.store(t).TryLock(t.Context(), category, time.Hour)
	require.NoError(t, err)
	require.Nil(t, refused, "the lock is held in Redis")
	require.Eventually(t, func() bool {
		release, err := mine.TryLock(t.Context(), category, time.Hour)
		return err == nil && release != nil
	}, patient, time.Millisecond)
}
