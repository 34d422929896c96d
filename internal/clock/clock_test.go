package clock_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/haidra-org/modelref/internal/clock"
)

// machine simulates the clocks of a machine.
type machine struct {
	wall time.Time
	mono time.Duration
}

func newMachine() *machine {
	return &machine{wall: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), mono: time.Hour}
}

func (m *machine) clock() *clock.Clock {
	return clock.New(func() time.Time { return m.wall }, func() time.Duration { return m.mono })
}

// run lets time pass while the machine is awake.
func (m *machine) run(d time.Duration) { m.wall, m.mono = m.wall.Add(d), m.mono+d }

// suspend lets time pass while the machine is suspended.
func (m *machine) suspend(d time.Duration) { m.wall = m.wall.Add(d) }

// step changes the wall clock.
func (m *machine) step(d time.Duration) { m.wall = m.wall.Add(d) }

func TestAgesAndExpiriesUseBothClocks(t *testing.T) {
	t.Parallel()
	const hold = time.Hour
	for name, test := range map[string]struct {
		happens  func(*machine)
		age      time.Duration // of an Instant of both clocks
		wallAge  time.Duration // of an Instant of the wall clock only
		expired  bool
		remained time.Duration // of an Expiry after an hour
	}{
		"nothing":           {func(*machine) {}, 0, 0, false, hold},
		"59 minutes":        {func(m *machine) { m.run(59 * time.Minute) }, 59 * time.Minute, 59 * time.Minute, false, time.Minute},
		"an hour":           {func(m *machine) { m.run(hold) }, hold, hold, true, 0},
		"a suspend of 8 h":  {func(m *machine) { m.suspend(8 * hold) }, 8 * hold, 8 * hold, true, 0},
		"a short suspend":   {func(m *machine) { m.run(5 * time.Minute); m.suspend(5 * time.Minute) }, 10 * time.Minute, 10 * time.Minute, false, 50 * time.Minute},
		"wall a day ahead":  {func(m *machine) { m.step(24 * hold) }, 24 * hold, 24 * hold, true, 0},
		"wall a day behind": {func(m *machine) { m.step(-24 * hold); m.run(time.Minute) }, time.Minute, 0, false, 59 * time.Minute},
		"wall behind, an hour later": {
			func(m *machine) { m.step(-24 * hold); m.run(hold) }, hold, 0, true, 0,
		},
		"wall ahead and back": {
			func(m *machine) { m.step(24 * hold); m.run(time.Minute); m.step(-24 * hold) }, time.Minute, time.Minute, false, 59 * time.Minute,
		},
		"300 years": {
			func(m *machine) { m.wall = m.wall.AddDate(200, 0, 0); m.mono += 200 * 365 * 24 * time.Hour }, clock.MaxAge, clock.MaxAge, true, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine()
			c := m.clock()
			instant, onWall, expiry := c.Now(), clock.At(m.wall), c.Expire(hold)
			assert.Equal(t, m.wall, instant.Time())
			test.happens(m)
			assert.Equal(t, test.age, c.Age(instant), "age on both clocks")
			assert.Equal(t, test.wallAge, c.Age(onWall), "age on the wall clock")
			assert.Equal(t, test.expired, c.Expired(expiry))
			assert.Equal(t, test.remained, c.Remaining(expiry))
		})
	}
}

func TestAnExpiryMadeWhileTheWallClockIsAheadStillEnds(t *testing.T) {
	t.Parallel()
	m := newMachine()
	c := m.clock()
	m.step(24 * time.Hour)
	expiry := c.Expire(time.Minute)
	m.step(-24 * time.Hour)
	assert.False(t, c.Expired(expiry))
	assert.Equal(t, time.Minute, c.Remaining(expiry))
	m.run(time.Minute)
	assert.True(t, c.Expired(expiry), "the monotonic clock ends it")
}

func TestExpiryLimits(t *testing.T) {
	t.Parallel()
	m := newMachine()
	for name, c := range map[string]*clock.Clock{"system": nil, "zero": {}, "injected": m.clock()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, clock.MaxAge + 1, clock.MaxAge} {
				expiry := c.Expire(d)
				assert.False(t, c.Expired(expiry), "%d", d)
				assert.Greater(t, c.Remaining(expiry), clock.MaxAge-time.Minute, "%d", d)
				assert.LessOrEqual(t, c.Remaining(expiry), clock.MaxAge, "%d", d)
			}
			for _, d := range []time.Duration{0, -1, math.MinInt64} {
				assert.True(t, c.Expired(c.Expire(d)), "%d", d)
				assert.Zero(t, c.Remaining(c.Expire(d)), "%d", d)
			}
			assert.True(t, c.Expired(clock.Expiry{}), "the zero Expiry")
			assert.Zero(t, c.Remaining(clock.Expiry{}), "the zero Expiry")
			assert.Equal(t, clock.MaxAge, c.Age(clock.Instant{}), "the zero Instant")
		})
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	var zero clock.Instant
	assert.True(t, zero.IsZero())
	assert.True(t, clock.At(time.Time{}).IsZero())
	assert.True(t, zero == clock.At(time.Time{}), "comparable")

	m := newMachine()
	c := m.clock()
	now := c.Now()
	assert.False(t, now.IsZero())
	assert.True(t, now == c.Now(), "comparable")
	assert.False(t, now == clock.At(m.wall), "an Instant with a monotonic reading differs from one without")
	assert.Equal(t, time.Minute, c.Age(now.Add(-time.Minute)))
	assert.Zero(t, c.Age(now.Add(time.Minute)), "in the future")
	assert.Zero(t, c.Age(clock.At(m.wall.Add(time.Hour))), "in the future")
	assert.Equal(t, m.wall.Add(time.Minute), now.Add(time.Minute).Time())
	m.step(-time.Hour)
	assert.Equal(t, time.Minute, c.Age(now.Add(-time.Minute)), "Add moves the monotonic reading too")
	assert.Zero(t, c.Age(now.Add(math.MaxInt64)), "no overflow")
	assert.NotZero(t, clock.At(time.Unix(1, 0)).Time(), "the time is kept")
	assert.Equal(t, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), clock.At(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)).Time())
}

func TestTheSystemClockFollowsSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c clock.Clock
		instant, expiry := c.Now(), c.Expire(time.Minute)
		assert.Equal(t, time.Now().Round(0), instant.Time())
		time.Sleep(time.Minute - 1)
		assert.Equal(t, time.Minute-1, c.Age(instant))
		assert.False(t, c.Expired(expiry))
		assert.Equal(t, time.Duration(1), c.Remaining(expiry))
		time.Sleep(time.Nanosecond)
		assert.True(t, c.Expired(expiry))
		assert.Equal(t, time.Minute, c.Age(instant))
	})
}

func TestJitter(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, -1, math.MinInt64, 1} {
		assert.Zero(t, clock.Jitter(d), "%d", d)
	}
	seen := map[time.Duration]bool{}
	for range 1000 {
		j := clock.Jitter(3)
		assert.True(t, 0 <= j && j < 3, "%d", j)
		seen[j] = true
	}
	assert.Len(t, seen, 3, "each value occurs")
	assert.Less(t, clock.Jitter(math.MaxInt64), time.Duration(math.MaxInt64))
}

func TestExpiredDoesNotAllocate(t *testing.T) {
	var c *clock.Clock
	expiry := c.Expire(time.Hour)
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Expired(expiry) }))
}

func BenchmarkExpired(b *testing.B) {
	var c *clock.Clock
	expiry := c.Expire(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if c.Expired(expiry) {
			b.Fatal("expired")
		}
	}
}

func BenchmarkTimeNow(b *testing.B) {
	for b.Loop() {
		if time.Now().IsZero() {
			b.Fatal("zero")
		}
	}
}
