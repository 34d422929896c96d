// This file tests the clocks of the machine: a suspend, and a wall clock that is set ahead and back.

package modelref

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/clock"
)

// machine has the clocks of a machine. They advance only if a test moves them.
type machine struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func newMachine() *machine { return &machine{wall: time.Now().Round(0)} }

func (m *machine) clock() *clock.Clock {
	return clock.New(func() time.Time {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.wall
	}, func() time.Duration {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.mono
	})
}

func (m *machine) move(wall, mono time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wall, m.mono = m.wall.Add(wall), m.mono+mono
}

func (m *machine) run(d time.Duration)     { m.move(d, d) }
func (m *machine) suspend(d time.Duration) { m.move(d, time.Second) } // the suspend takes a second
func (m *machine) setWall(d time.Duration) { m.move(d, time.Second) }

func withClock(c *clock.Clock) Option { return func(config *config) { config.clock = c } }

// steadySource is a source whose version and availability a test can change.
type steadySource struct {
	fakeSource
	version int
	down    bool
}

func newSteadySource() *steadySource {
	s := &steadySource{version: 1}
	s.respond = func(r *http.Request) fakeResponse {
		switch {
		case s.down:
			return fakeResponse{status: http.StatusServiceUnavailable}
		case isLastUpdated(r):
			return fakeResponse{status: http.StatusOK, body: `{"last_updated":1700000000}`}
		default:
			return fakeResponse{status: http.StatusOK, body: versioned(s.version)}
		}
	}
	return s
}

func (s *steadySource) change(version int, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.down = version, down
}

func TestASuspendOfEightHours(t *testing.T) {
	t.Parallel()
	t.Run("the TTL has passed, and the hourly download is due", func(t *testing.T) {
		t.Parallel()
		m, source := newMachine(), newSteadySource()
		client := testClient(t, source, withClock(m.clock()))
		read(t, client)
		source.change(2, false) // the last-updated time does not change
		m.suspend(8 * time.Hour)
		got, _ := read(t, client)
		assert.Equal(t, 2, got)
	})
	t.Run("a copy is older than MaxStale", func(t *testing.T) {
		t.Parallel()
		m, source := newMachine(), newSteadySource()
		github := &fakeSource{respond: func(*http.Request) fakeResponse {
			return fakeResponse{status: http.StatusOK, body: `{"a":{"name":"a","description":"version 7","config":{}}}`}
		}}
		client := testClient(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if isGitHub(r) {
				return github.RoundTrip(r)
			}
			return source.RoundTrip(r)
		}), withClock(m.clock()), WithGitHub(GitHubConfig{}), WithRetry(RetryPolicy{MaxAttempts: 1}))
		read(t, client)
		source.change(1, true)
		m.suspend(8 * time.Hour)
		got, ref := read(t, client)
		assert.Equal(t, 7, got, "%v", ref.FallbackReason())
		assert.Equal(t, SourceGitHub, ref.Source())
	})
	t.Run("the circuit breaker is half-open", func(t *testing.T) {
		t.Parallel()
		m, source := newMachine(), newSteadySource()
		source.change(1, true)
		client := testClient(t, source, withClock(m.clock()), WithRetry(RetryPolicy{MaxAttempts: 1}))
		_, err := client.BLIP.Load(t.Context())
		require.ErrorIs(t, err, ErrUnavailable)
		source.change(1, false)
		m.suspend(8 * time.Hour)
		got, _ := read(t, client)
		assert.Equal(t, 1, got)
	})
}

func TestAWallClockThatIsSet(t *testing.T) {
	t.Parallel()
	m, source := newMachine(), newSteadySource()
	client := testClient(t, source, withClock(m.clock()), WithRetry(RetryPolicy{MaxAttempts: 1}))
	_, first := read(t, client)
	m.setWall(24 * time.Hour)
	source.change(2, false)
	got, _ := read(t, client, WithRefresh())
	assert.Equal(t, 2, got)
	m.setWall(-24 * time.Hour)
	_, ref := read(t, client)
	assert.True(t, ref.ConfirmedAt().After(first.ConfirmedAt()))
	m.run(2 * time.Minute)
	source.change(3, false)
	m.run(time.Hour) // the hourly download is due by the monotonic clock, although the wall clock was set back by a day
	got, ref = read(t, client)
	assert.Equal(t, 3, got)
	assert.False(t, ref.Stale())
	source.change(3, true)
	m.run(2 * time.Minute)
	got, ref = read(t, client)
	assert.Equal(t, 3, got)
	assert.True(t, ref.Stale())
	source.change(4, false)
	m.run(time.Hour)
	got, _ = read(t, client)
	assert.Equal(t, 4, got, "the circuit breaker is half-open by the monotonic clock, and the hourly download is due")
}

// roundTrip is a function that implements a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
