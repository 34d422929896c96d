// This file tests many Clients with one Redis server: one Client downloads, one confirms, and all have the same age of
// the copy.

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

// fleet returns Clients that share only the server and Redis.
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

// countOf counts the requests to an endpoint.
func countOf(server *modelreftest.Server, endpoint modelreftest.Endpoint) (n int) {
	for _, r := range server.Requests() {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}

// settle sets the last-updated time to a time in the past. If it were the current second, each read would have to
// download the document.
func settle(server *modelreftest.Server) {
	server.SetLastUpdated(category, time.Now().Unix()-1000)
}

func TestAFleetDownloadsOnce(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	settle(server)
	server.Break(modelreftest.Primary, modelreftest.Delay(300*time.Millisecond)) // all Clients need the category at the same time

	origins := map[modelref.Source]int{}
	var first time.Time
	for _, ref := range loadAll(t, fleet(t, server, redis)) {
		origins[ref.Source()]++
		assert.False(t, ref.Stale())
		if first.IsZero() {
			first = ref.ConfirmedAt()
		}
		assert.True(t, first.Equal(ref.ConfirmedAt()), "the age is the same for all")
		assert.Positive(t, ref.Len())
	}
	assert.Equal(t, map[modelref.Source]int{modelref.SourcePrimary: 1, modelref.SourceStore: fleetSize - 1}, origins)
	assert.Equal(t, 1, countOf(server, modelreftest.Documents))
}

func TestAFleetSendsOneRequestPerTTL(t *testing.T) {
	t.Parallel()
	const ttl, rounds = 500 * time.Millisecond, 4
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	settle(server)
	clients := fleet(t, server, redis, modelref.WithTTL(ttl))
	loadAll(t, clients) // a late Client may find a copy older than the TTL and download it again
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
				time.Sleep(5 * time.Millisecond) // workers may read this often
			}
		})
	}
	require.Eventually(t, func() bool { return countOf(server, modelreftest.LastUpdated) >= rounds }, patient, time.Millisecond)
	stop()
	all.Wait()
	took := time.Since(start)
	updates, documents := countOf(server, modelreftest.LastUpdated), countOf(server, modelreftest.Documents)
	t.Logf("%d clients, %s: %d last-updated times, %d documents; each on its own would request about %d last-updated times",
		fleetSize, took.Round(time.Millisecond), updates, documents, fleetSize*int(took/ttl))
	assert.LessOrEqual(t, updates, int(took/(ttl*9/10))+1, "the TTL is up to a tenth shorter at random")
	assert.Zero(t, documents)
}

func TestACopyThatDoesNotDecodeIsReplaced(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	server := modelreftest.NewServer(t)
	client := redis.client(t)
	require.NoError(t, client.HSet(t.Context(), key, "document", "\x00garbage", "note", "{").Err())
	ref := loadAll(t, []*modelref.Client{server.Client(t, modelref.WithStore(redis.store(t)))})[0]
	assert.Equal(t, modelref.SourcePrimary, ref.Source())
	ref = loadAll(t, []*modelref.Client{server.Client(t, modelref.WithStore(redis.store(t)))})[0]
	assert.Equal(t, modelref.SourceStore, ref.Source())
}
