// When Redis is left alone: after a failure for a while, longer each time, until one operation finds it back.

package modelrefredis

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/haidra-org/modelref"
)

// longestCoolDown is what a pause grows to.
const longestCoolDown = time.Minute

// coolDown says whether Redis may be asked. Between two pauses one operation may, and its outcome counts for all.
type coolDown struct {
	first time.Duration

	mu       sync.Mutex
	failures int // in a row
	until    time.Time
	probing  bool
	cause    string
}

// allow reports whether an operation may ask Redis, and whether it is the one that looks for all. After a nil error the
// operation must end with one of worked, failed and spared.
func (c *coolDown) allow() (probe bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch left := time.Until(c.until); {
	case c.failures == 0:
		return false, nil
	case left > 0:
		return false, fmt.Errorf("%w, for another %s: %s", modelref.ErrCoolingDown, left.Round(time.Millisecond), c.cause)
	case c.probing:
		return false, fmt.Errorf("%w, and being tried again: %s", modelref.ErrCoolingDown, c.cause)
	}
	c.probing = true
	return true, nil
}

// worked notes that Redis has answered.
func (c *coolDown) worked(probe bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = 0
	c.probing = c.probing && !probe
}

// failed notes that Redis has not answered. Operations that were under way side by side count as one.
func (c *coolDown) failed(probe bool, cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = c.probing && !probe
	if c.failures > 0 && !probe {
		return
	}
	pause, longest := c.first, max(c.first, longestCoolDown)
	for range c.failures {
		pause = min(2*pause, longest)
	}
	c.failures = min(c.failures+1, 64)                                      // more would double no further
	c.until = time.Now().Add(pause - rand.N(max(pause/4, time.Nanosecond))) //nolint:gosec // spreads load; nothing secret hangs on it
	c.cause = cause
}

// spared notes that the operation ended without a word on whether Redis is there.
func (c *coolDown) spared(probe bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = c.probing && !probe
}
