// Package clock measures ages and deadlines with the wall clock and the monotonic clock together.
//
// Neither clock is sufficient. The monotonic clock of Go stands still while the machine is suspended, so that data
// looks hours younger than it is. The wall clock continues during a suspend, but it can be set forward or back. An age
// is therefore the larger of both ages and never negative, and a deadline has passed as soon as one of the clocks has
// reached it.
package clock

import (
	"math"
	"math/rand/v2"
	"time"
)

// MaxAge is the largest age and the longest duration of an [Expiry]. Longer durations are shortened to MaxAge, so that
// no sum overflows.
const MaxAge = 100 * 365 * 24 * time.Hour

// base is the origin of the monotonic readings of the system clock.
var base = time.Now()

// A Clock reads the wall clock and the monotonic clock. The zero Clock and the nil Clock read the system's clocks. A
// Clock is safe for concurrent use. Values of one Clock must not be passed to another one.
type Clock struct {
	wall func() time.Time
	mono func() time.Duration
}

// New returns a Clock that reads the given functions, for tests that simulate a suspend or a change of the wall clock.
// Both functions must be non-nil and safe for concurrent use; mono returns the time since any fixed origin and must not decrease.
func New(wall func() time.Time, mono func() time.Duration) *Clock {
	return &Clock{wall: wall, mono: mono}
}

// An Instant is a point in time, as read from both clocks or from the wall clock only. Instants are comparable. The zero
// Instant is an unknown time; its age is [MaxAge].
type Instant struct {
	wall    time.Time // without a monotonic reading
	mono    time.Duration
	hasMono bool
}

// At returns the Instant of a wall-clock time without a monotonic reading, such as a time read from a file. Its age is
// measured with the wall clock only.
func At(t time.Time) Instant { return Instant{wall: t.Round(0)} }

// Time returns the wall-clock time of i.
func (i Instant) Time() time.Time { return i.wall }

// IsZero reports whether i is the zero Instant, or was made from the zero time.
func (i Instant) IsZero() bool { return i.wall.IsZero() && !i.hasMono }

// Before reports whether i is before j. The monotonic readings are compared if both Instants have one, and the wall-clock times
// otherwise.
func (i Instant) Before(j Instant) bool {
	if i.hasMono && j.hasMono {
		return i.mono < j.mono
	}
	return i.wall.Before(j.wall)
}

// Add returns the Instant i+d.
func (i Instant) Add(d time.Duration) Instant {
	i.wall = i.wall.Add(d)
	if i.hasMono {
		i.mono = add(i.mono, d)
	}
	return i
}

// Now returns the current Instant.
func (c *Clock) Now() Instant {
	wall, mono := c.read()
	return Instant{wall: wall.Round(0), mono: mono, hasMono: true}
}

// Age returns how long ago i was: the larger of its ages by the wall clock and by the monotonic clock. It returns 0 if i
// is in the future, and at most MaxAge.
func (c *Clock) Age(i Instant) time.Duration {
	wall, mono := c.read()
	age := wall.Sub(i.wall) // Sub saturates
	if i.hasMono {
		age = max(age, mono-i.mono)
	}
	return min(max(age, 0), MaxAge)
}

// An Expiry is a deadline on both clocks. The zero Expiry has expired. Expiries are comparable.
type Expiry struct {
	wall int64 // nanoseconds since 1970
	mono time.Duration
}

// Expire returns the Expiry that is reached when the given time has passed. If after is not positive, the Expiry is
// reached at once. It is at most MaxAge.
func (c *Clock) Expire(after time.Duration) Expiry {
	wall, mono := c.read()
	after = min(max(after, 0), MaxAge)
	return Expiry{wall: int64(add(time.Duration(wall.UnixNano()), after)), mono: add(mono, after)}
}

// Expired reports whether one of the clocks has reached e. It does not allocate.
func (c *Clock) Expired(e Expiry) bool {
	if c == nil || c.wall == nil { // repeats read to save a call, because every cached read calls Expired
		now := time.Now()
		return now.UnixNano() >= e.wall || now.Sub(base) >= e.mono
	}
	wall, mono := c.read()
	return mono >= e.mono || wall.UnixNano() >= e.wall
}

// Remaining returns the time until e is reached, or 0 if e has expired. A change of the wall clock changes the result.
func (c *Clock) Remaining(e Expiry) time.Duration {
	wall, mono := c.read()
	return max(min(time.Duration(e.wall-wall.UnixNano()), e.mono-mono), 0)
}

// read returns the current readings. The wall-clock time of the system clock includes its monotonic reading.
func (c *Clock) read() (wall time.Time, mono time.Duration) {
	if c == nil || c.wall == nil {
		now := time.Now()
		return now, now.Sub(base)
	}
	return c.wall().Round(0), c.mono()
}

// add returns a+b, limited to the range of a duration.
func add(a, b time.Duration) time.Duration {
	switch sum := a + b; {
	case b > 0 && sum < a:
		return math.MaxInt64
	case b < 0 && sum > a:
		return math.MinInt64
	default:
		return sum
	}
}

// Jitter returns a random duration in [0, d), or 0 if d is not positive. It spreads load over time and must not be used
// for secrets.
func Jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // the doc comment excludes secrets
}
