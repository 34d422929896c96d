// This file tests the name of a Store, its errors, and other behavior that does not need Redis.

package modelrefredis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
)

func TestTheNameOfAStoreHasTheAddress(t *testing.T) {
	t.Parallel()
	for want, client := range map[string]redis.UniversalClient{
		"redis 127.0.0.1:6379":                redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", Password: "hunter2"}),
		"redis 127.0.0.1:6379/3":              redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", DB: 3}),
		"redis /run/redis.sock":               redis.NewClient(&redis.Options{Network: "unix", Addr: "/run/redis.sock"}),
		"redis 192.0.2.1:6379":                redis.NewClient(&redis.Options{Addr: "redis://user:hunter2@192.0.2.1:6379"}),
		"redis 192.0.2.2:1,192.0.2.1:2":       redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"192.0.2.2:1", "192.0.2.1:2"}}),
		"redis 192.0.2.1:1,192.0.2.2:1/2":     redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"x": "192.0.2.2:1", "y": "192.0.2.1:1"}, DB: 2}),
		"redis":                               struct{ redis.UniversalClient }{redis.NewClient(&redis.Options{})},
		"redis 192.0.2.3:1":                   struct{ *redis.Client }{redis.NewClient(&redis.Options{Addr: "192.0.2.3:1"})},
		"redis 192.0.2.3:7000":                redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{"192.0.2.3:7000"}}),
		"redis FailoverClient":                redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"192.0.2.6:26379"}}),
		"redis 192.0.2.4:7000,192.0.2.5:7000": redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{"192.0.2.4:7000", "192.0.2.5:7000"}}),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, fmt.Sprint(modelrefredis.New(client)))
			require.NoError(t, client.Close())
		})
	}
}

func TestTheOptionsOfTheClientAreNotModified(t *testing.T) {
	t.Parallel()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"user:hunter2@192.0.2.1:1"}})
	defer client.Close()
	assert.Equal(t, "redis 192.0.2.1:1", modelrefredis.New(client).String())
	assert.Equal(t, []string{"user:hunter2@192.0.2.1:1"}, client.Options().Addrs)
}

func TestErrorsHaveNoPassword(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"in an address":     errors.New("dial tcp: address redis://user:horse@host:6379: too many colons in address"),
		"in a host name":    errors.New("dial tcp: lookup horse@host: no such host"),
		"in quotes":         fmt.Errorf("proxy: cannot log in with %q", "hunter2"),
		"in a reply":        replyError("ERR unknown command 'hunter2'"),
		"in a wrapped text": fmt.Errorf("a: %w", errors.New("b hunter2 c")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, &redis.Options{Addr: "192.0.2.1:6379", Password: "hunter2"})
			client.AddHook(answering(func(context.Context) (any, error) { return nil, cause }))
			store := modelrefredis.New(client)
			for range 2 { // the second error is that of the open breaker
				_, err := store.Read(t.Context(), category, 1)
				for ; err != nil; err = errors.Unwrap(err) {
					assert.NotContains(t, err.Error(), "hunter2")
					assert.NotContains(t, err.Error(), "horse")
				}
			}
		})
	}
}

func TestNoFormatPrintsThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	for name, client := range map[string]redis.UniversalClient{
		"client":  redis.NewClient(&redis.Options{Addr: "192.0.2.1:6379", Password: password}),
		"cluster": redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"192.0.2.1:1"}, Password: password}),
		"ring":    redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"x": "192.0.2.1:1"}, Password: password}),
		"URL":     redis.NewClient(&redis.Options{Addr: "redis://user:" + password + "@192.0.2.1:6379"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { _ = client.Close() })
			store := modelrefredis.New(client)
			inside := struct {
				Store  *modelrefredis.Store
				Any    any
				hidden *modelrefredis.Store
			}{store, store, store}
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
				for _, value := range []any{store, inside, reflect.ValueOf(store).Elem()} {
					assert.NotContains(t, fmt.Sprintf(format, value), password, "%s of %T", format, value)
				}
			}
			text, err := json.Marshal(inside)
			require.NoError(t, err)
			assert.NotContains(t, string(text), password)
		})
	}
}

func TestAStoreWithoutAClientFails(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]*modelrefredis.Store{"nil": modelrefredis.New(nil), "zero": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, "redis without a client", store.String())
			_, err := store.Read(t.Context(), category, 1)
			require.ErrorIs(t, err, modelref.ErrNotConfigured)
			_, err = store.ReadProvenance(t.Context(), category)
			require.ErrorIs(t, err, modelref.ErrNotConfigured)
			require.ErrorIs(t, store.Write(t.Context(), category, "{}", ""), modelref.ErrNotConfigured)
			require.ErrorIs(t, store.WriteProvenance(t.Context(), category, ""), modelref.ErrNotConfigured)
			release, err := store.TryLock(t.Context(), category, time.Minute)
			require.ErrorIs(t, err, modelref.ErrNotConfigured)
			assert.Nil(t, release)
		})
	}
}

func TestAnUnknownCategoryIsNotRequested(t *testing.T) {
	t.Parallel()
	fake := answering(nothingThere)
	store := fake.store(t, nil)
	const outside = modelref.Category("clip:lock")
	_, err := store.Read(t.Context(), outside, 1)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	require.ErrorIs(t, store.Write(t.Context(), outside, "{}", ""), modelref.ErrUnknownCategory)
	_, err = store.TryLock(t.Context(), outside, time.Second)
	require.ErrorIs(t, err, modelref.ErrUnknownCategory)
	assert.Zero(t, fake.asked())
}
