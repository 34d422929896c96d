package breaker_test

import (
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/breaker"
	"github.com/haidra-org/modelref/internal/clock"
)

var errDown = errors.New("down")

// machine simulates the clocks of a machine.
type machine struct {
	wall time.Time
	mono time.Duration
}

func (m *machine) clock() *clock.Clock {
	return clock.New(func() time.Time { return m.wall }, func() time.Duration { return m.mono })
}

func (m *machine) run(d time.Duration) { m.wall, m.mono = m.wall.Add(d), m.mono+d }

func newMachine() *machine { return &machine{wall: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// allow asserts what Allow returns.
func allow(t *testing.T, b *breaker.Breaker, wantAllowed, wantProbe bool, what string) {
	t.Helper()
	assert.Equal(t, wantAllowed, b.Ready(), "Ready: %s", what)
	allowed, probe := b.Allow()
	assert.Equal(t, wantAllowed, allowed, "allowed: %s", what)
	assert.Equal(t, wantProbe, probe, "probe: %s", what)
}

func TestTheBreakerOpensProbesAndCloses(t *testing.T) {
	t.Parallel()
	m := newMachine()
	start := m.wall
	b := breaker.New(5*time.Minute, m.clock(), nil)
	allow(t, b, true, false, "closed")
	assert.Equal(t, breaker.State{}, b.State())
	remaining, err := b.Remaining()
	assert.Zero(t, remaining)
	require.NoError(t, err)

	b.Failed(errDown, 0)
	allow(t, b, false, false, "open")
	remaining, err = b.Remaining()
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, breaker.State{Open: true, RetryAt: start.Add(remaining), Since: start, Err: errDown}, b.State())

	m.run(remaining - 1)
	allow(t, b, false, false, "a nanosecond too early")
	m.run(1)
	allow(t, b, true, true, "half-open")
	allow(t, b, false, false, "only one probe at a time")
	remaining, err = b.Remaining()
	assert.Zero(t, remaining)
	require.ErrorIs(t, err, errDown)
	b.ReleaseProbe()
	allow(t, b, true, true, "the probe was released")

	b.Succeeded()
	allow(t, b, true, false, "closed")
	assert.Equal(t, breaker.State{Since: m.wall}, b.State())
	m.run(time.Hour)
	b.Succeeded()
	assert.Equal(t, m.wall.Add(-time.Hour), b.State().Since, "nothing has changed")
}

func TestDelays(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, test := range map[string]struct {
		maxDelay   time.Duration
		retryAfter time.Duration
		means      []time.Duration // of the delays of the first failures
		exact      bool
	}{
		"growing":                 {5 * time.Minute, 0, []time.Duration{30 * s, 60 * s, 120 * s, 240 * s, 300 * s, 300 * s}, false},
		"small maximum":           {20 * s, 0, []time.Duration{20 * s, 20 * s, 20 * s}, true},
		"Retry-After":             {time.Hour, 30 * time.Minute, []time.Duration{30 * time.Minute, 30 * time.Minute}, true},
		"Retry-After of a second": {time.Hour, s, []time.Duration{30 * s, 60 * s, 120 * s, 240 * s, 300 * s, 300 * s}, false},
		"Retry-After of a day":    {time.Hour, 24 * time.Hour, []time.Duration{time.Hour, time.Hour}, true},
		"largest Retry-After":     {math.MaxInt64, math.MaxInt64, []time.Duration{clock.MaxAge, clock.MaxAge}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := map[time.Duration]bool{}
			for range 50 {
				m := newMachine()
				b := breaker.New(test.maxDelay, m.clock(), nil)
				for _, mean := range test.means {
					b.Allow()
					b.Failed(errDown, test.retryAfter)
					delay, _ := b.Remaining()
					seen[delay] = true
					if test.exact {
						assert.Equal(t, mean, delay)
					} else {
						assert.GreaterOrEqual(t, delay, mean*3/4)
						assert.LessOrEqual(t, delay, min(mean*5/4, test.maxDelay))
					}
					m.run(delay)
				}
			}
			assert.Equal(t, !test.exact, len(seen) > 3, "delays are random unless they are limited: %d values", len(seen))
		})
	}
}

func TestManyFailuresDoNotOverflowTheDelay(t *testing.T) {
	t.Parallel()
	m := newMachine()
	b := breaker.New(time.Hour, m.clock(), nil)
	for range 200 {
		b.Allow()
		b.Failed(errDown, 0)
		delay, _ := b.Remaining()
		require.Greater(t, delay, 20*time.Second)
		m.run(delay)
	}
}

func TestASuspendedMachineProbesAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine()
	b := breaker.New(5*time.Minute, m.clock(), nil)
	b.Failed(errDown, 0)
	m.wall = m.wall.Add(8 * time.Hour) // the monotonic clock stands still
	allow(t, b, true, true, "after a suspend of eight hours")

	m = newMachine()
	b = breaker.New(5*time.Minute, m.clock(), nil)
	b.Failed(errDown, 0)
	m.wall = m.wall.Add(-24 * time.Hour) // set back
	delay, _ := b.Remaining()
	assert.LessOrEqual(t, delay, time.Minute)
	assert.Equal(t, m.wall.Add(delay), b.State().RetryAt, "the time at which the probe is due by the present clock")
	m.run(delay)
	allow(t, b, true, true, "a wall clock that was set back does not lengthen the delay")
}

func TestAFailureThatWasInProgressDoesNotLengthenTheDelay(t *testing.T) {
	t.Parallel()
	m := newMachine()
	b := breaker.New(5*time.Minute, m.clock(), nil)
	b.Allow()
	b.Allow()
	b.Failed(errDown, 0)
	want, _ := b.Remaining()
	b.Failed(errors.New("another"), 4*time.Minute)
	delay, err := b.Remaining()
	assert.Equal(t, want, delay)
	assert.Equal(t, errDown, err)
}

func TestChangesAreReportedInOrderWithoutTheLock(t *testing.T) {
	t.Parallel()
	m := newMachine()
	var (
		b      *breaker.Breaker
		states []bool
		errs   []error
	)
	b = breaker.New(time.Minute, m.clock(), func(open bool, err error) {
		states, errs = append(states, open), append(errs, err)
		if len(states) == 1 {
			b.Succeeded() // a call from within: it is reported after this one
			assert.Equal(t, []bool{true}, states)
		}
		b.State() // would deadlock if the lock were held
	})
	b.Failed(errDown, 0)
	assert.Equal(t, []bool{true, false}, states)
	assert.Equal(t, []error{errDown, nil}, errs)
	b.Failed(errDown, 0)
	b.Failed(errDown, 0)
	assert.Equal(t, []bool{true, false, true}, states, "no change, no call")
	m.run(time.Minute)
	b.Allow()
	b.Failed(errDown, 0)
	assert.Equal(t, []bool{true, false, true, true}, states, "a failed probe opens the breaker again")
}

func TestConcurrentChangesAreReportedOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			running atomic.Int32
			last    bool
			calls   int
		)
		b := breaker.New(time.Minute, nil, func(open bool, _ error) {
			assert.Equal(t, int32(1), running.Add(1))
			runtime.Gosched()
			assert.True(t, calls == 0 || open != last, "opened and closed alternate")
			last = open
			calls++
			running.Add(-1)
		})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 200 {
					if i%2 == 0 {
						b.Failed(errDown, 0)
					} else {
						b.Succeeded()
					}
				}
			})
		}
		all.Wait()
		assert.Equal(t, b.State().Open, last, "the last report is the state")
	})
}

func TestACallbackThatEndsItsGoroutineDoesNotStopTheReports(t *testing.T) {
	t.Parallel()
	calls := 0
	b := breaker.New(time.Minute, nil, func(bool, error) {
		calls++
		if calls == 1 {
			runtime.Goexit()
		}
	})
	var first sync.WaitGroup
	first.Go(func() { b.Failed(errDown, 0) })
	first.Wait()
	b.Succeeded()
	assert.Equal(t, 2, calls)
}

func TestOnlyOneOfManyCallersProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(time.Minute, nil, nil)
		b.Failed(errDown, 0)
		time.Sleep(time.Minute)
		var (
			all    sync.WaitGroup
			probes atomic.Int32
		)
		for range 20 {
			all.Go(func() {
				if _, probe := b.Allow(); probe {
					probes.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), probes.Load())
	})
}
