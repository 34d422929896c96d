// This file has the circuit breaker of Redis. It opens after a failure, for a longer time after each repeated failure.

package modelrefredis

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/haidra-org/modelref"
)

// longestDelay limits the time that the breaker is open.
const longestDelay = time.Minute

// breaker is the circuit breaker. When its delay has ended, one operation is the probe, and the result of the probe
// applies to all operations.
type breaker struct {
	delay time.Duration

	mu       sync.Mutex
	failures int // consecutive failures
	until    time.Time
	probing  bool
	cause    string
}

// allow returns an error if the breaker is open. probe is true if the operation is the probe. If err is nil, the
// operation must end with a call of succeed, fail or cancel.
func (b *breaker) allow() (probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch left := time.Until(b.until); {
	case b.failures == 0:
		return false, nil
	case left > 0:
		return false, fmt.Errorf("%w, for another %s: %s", modelref.ErrCircuitOpen, left.Round(time.Millisecond), b.cause)
	case b.probing:
		return false, fmt.Errorf("%w, while a probe is running: %s", modelref.ErrCircuitOpen, b.cause)
	}
	b.probing = true
	return true, nil
}

// succeed records that Redis has responded.
func (b *breaker) succeed(probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
	b.probing = b.probing && !probe
}

// fail records that Redis has not responded. Concurrent operations that fail count as one failure.
func (b *breaker) fail(probe bool, cause string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = b.probing && !probe
	if b.failures > 0 && !probe {
		return
	}
	delay, longest := b.delay, max(b.delay, longestDelay)
	for range b.failures {
		delay = min(2*delay, longest)
	}
	b.failures = min(b.failures+1, 64)                                      // a larger number would not increase the delay
	b.until = time.Now().Add(delay - rand.N(max(delay/4, time.Nanosecond))) //nolint:gosec // only spreads the load
	b.cause = cause
}

// cancel records that the operation ended without a result that concerns the availability of Redis.
func (b *breaker) cancel(probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = b.probing && !probe
}
