// Many Clients on one Redis: one downloads, one confirms, and all have the same age of the copy.

package modelrefredis_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

const fleetSize = 20

type image = modelref.Reference[modelref.ImageGenerationRecord]

// fleet returns Clients that have nothing in common but the server and Redis.
func fleet(
	t *testing.T, server *modelreftest.Server, redis *redisServer, options ...modelref.Option,
) (clients []*modelref.Client) {
	for range fleetSize {
		clients = append(clients, server.Client(t, append(options, modelref.WithStore(redis.store(t)))...))
	}
	return clients
}

func loadAll(t *testing.T, clients []*modelref.Client) []*image {
	t.Helper()
	refs := make([]*image, len(clients))
	var all sync.WaitGroup
	for i, client := range clients {
		all.Go(func() {
			ref, err := client.ImageGeneration.Load(t.Context())
			assert.NoError(t, err)
			refs[i] = ref
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return refs
}

// countOf counts the requests of a tier.
func countOf(server *modelreftest.Server, tier modelreftest.Tier) (n int) {
	for _, r := range server.Requests() {
		if r.Tier == tier {
			n++
		}
	}
	return n
}

// settle makes the stamp that of a change some time ago: one of this second would make each read download, as it should.
func settle(server *modelreftest.Server) {
	server.SetLastUpdated(category, time.Now().Unix()-1000)
}

func TestAFleetDownloadsOnce(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	settle(server)
	server.Break(modelreftest.Primary, modelreftest.Delay(300*time.Millisecond)) // long enough for all to want it at once

	origins := map[modelref.Origin]int{}
	var first time.Time
	for _, ref := range loadAll(t, fleet(t, server, redis)) {
		origins[ref.Origin()]++
		assert.False(t, ref.Stale())
		if first.IsZero() {
			first = ref.ConfirmedAt()
		}
		assert.True(t, first.Equal(ref.ConfirmedAt()), "the age is the same for all")
		assert.Positive(t, ref.Len())
	}
	assert.Equal(t, map[modelref.Origin]int{modelref.OriginPrimary: 1, modelref.OriginStore: fleetSize - 1}, origins)
	assert.Equal(t, 1, countOf(server, modelreftest.Documents))
}

func TestAFleetAsksOnceATTL(t *testing.T) {
	t.Parallel()
	const ttl, rounds = 500 * time.Millisecond, 4
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	settle(server)
	clients := fleet(t, server, redis, modelref.WithTTL(ttl))
	loadAll(t, clients) // some come late, find a copy older than the TTL, and download: from here on all have one
	server.ResetRequests()
	start := time.Now()
	enough, stop := context.WithTimeout(t.Context(), patient)
	defer stop()
	var all sync.WaitGroup
	for _, client := range clients {
		all.Go(func() {
			for enough.Err() == nil {
				ref, err := client.ImageGeneration.Load(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				assert.False(t, ref.Stale())
				time.Sleep(5 * time.Millisecond) // as often as a worker may well read
			}
		})
	}
	require.Eventually(t, func() bool { return countOf(server, modelreftest.Stamp) >= rounds }, patient, time.Millisecond)
	stop()
	all.Wait()
	took := time.Since(start)
	stamps, documents := countOf(server, modelreftest.Stamp), countOf(server, modelreftest.Documents)
	t.Logf("%d clients, %s: %d stamps, %d documents; each on its own would ask for some %d stamps",
		fleetSize, took.Round(time.Millisecond), stamps, documents, fleetSize*int(took/ttl))
	assert.LessOrEqual(t, stamps, int(took/(ttl*9/10))+1, "the TTL is up to a tenth shorter at random")
	assert.Zero(t, documents)
}

func TestACopyThatDoesNotDecodeIsReplaced(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	client := redis.client(t)
	require.NoError(t, client.HSet(t.Context(), key, "document", "\x00garbage", "note", "{").Err())
	ref := loadAll(t, []*modelref.Client{server.Client(t, modelref.WithStore(redis.store(t)))})[0]
	assert.Equal(t, modelref.OriginPrimary, ref.Origin())
	ref = loadAll(t, []*modelref.Client{server.Client(t, modelref.WithStore(redis.store(t)))})[0]
	assert.Equal(t, modelref.OriginStore, ref.Origin())
}
