// Package breaker is a circuit breaker for one source of data.
//
// gobreaker and similar libraries wait for one fixed time. This breaker waits longer after each failed probe, honours
// Retry-After, and notices that a suspended machine has been away for longer than its delay.
package breaker

import (
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

const (
	// baseDelay is the mean delay after the first failure. It doubles with each failed probe.
	baseDelay = 30 * time.Second
	// maxBackoff limits the doubling. Only a Retry-After leads to a longer delay.
	maxBackoff = 5 * time.Minute
)

// A Breaker stops requests to a source that is down. It is closed at first. Failed opens it, and Allow then returns false
// until a delay has passed. The breaker is then half-open: Allow admits one probe, whose result closes the breaker or
// opens it again. A Breaker is safe for concurrent use. Make it with New.
type Breaker struct {
	maxDelay time.Duration
	clk      *clock.Clock
	onChange func(open bool, err error)

	mu        sync.Mutex
	failures  int // since the breaker was closed
	retry     clock.Expiry
	probing   bool
	err       error
	since     time.Time
	changes   []change // not yet delivered
	notifying bool     // a goroutine is delivering changes
}

type change struct {
	open bool
	err  error
}

// State is the state of a Breaker.
type State struct {
	// Open reports whether the breaker is open or half-open.
	Open bool
	// RetryAt is the earliest time of the next probe. It is the zero time if the breaker is closed.
	RetryAt time.Time
	// Since is the time at which the breaker last opened or closed. It is the zero time if the breaker has never opened.
	Since time.Time
	// Err is the error that opened the breaker last, or nil if the breaker is closed.
	Err error
}

// New returns a closed Breaker. The first delay is 30 seconds, shortened or lengthened at random by up to a quarter. The
// delay doubles after each failed probe, up to 5 minutes. No delay is longer than maxDelay, whatever Retry-After says. A
// nil clk is the system clock.
//
// onChange is called each time the breaker opens, including after a failed probe, and when it closes. err is the reason
// and is nil if the breaker has closed. The calls are made one at a time, in the order of the changes, without a lock
// held; onChange may call methods of the breaker. If onChange is nil, nothing is called.
func New(maxDelay time.Duration, clk *clock.Clock, onChange func(open bool, err error)) *Breaker {
	return &Breaker{maxDelay: maxDelay, clk: clk, onChange: onChange}
}

// Allow reports whether a request may be sent now, and whether that request is the probe of a half-open breaker. A probe
// should not be retried, because a whole fleet may send probes. After an allowed request the caller must call Succeeded
// or Failed. If the request had no result, the caller of a probe must call ReleaseProbe instead.
func (b *Breaker) Allow() (allowed, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return true, false
	}
	if !b.dueLocked() {
		return false, false
	}
	b.probing = true
	return true, true
}

// dueLocked reports whether an open breaker may send a probe.
func (b *Breaker) dueLocked() bool { return !b.probing && b.clk.Expired(b.retry) }

// Succeeded records that the source responded, and closes the breaker.
func (b *Breaker) Succeeded() {
	b.mu.Lock()
	if b.failures > 0 {
		b.since = b.clk.Now().Time()
		b.changes = append(b.changes, change{open: false})
	}
	b.failures, b.probing, b.err = 0, false, nil
	b.mu.Unlock()
	b.notify()
}

// Failed records that the source is down, and opens the breaker for a delay. The delay is at least retryAfter, up to the
// maximum of the breaker. If the breaker is open and no probe is in progress, the failed request was sent before the
// breaker opened; Failed then does nothing.
func (b *Breaker) Failed(err error, retryAfter time.Duration) {
	b.mu.Lock()
	if b.failures > 0 && !b.probing {
		b.mu.Unlock()
		return
	}
	delay := min(baseDelay<<min(b.failures, 10), maxBackoff)
	delay = delay*3/4 + clock.Jitter(delay/2)
	b.failures++
	b.probing, b.err, b.since = false, err, b.clk.Now().Time()
	b.retry = b.clk.Expire(min(max(delay, retryAfter), b.maxDelay))
	b.changes = append(b.changes, change{open: true, err: err})
	b.mu.Unlock()
	b.notify()
}

// ReleaseProbe ends a probe that had no result, for example because it was canceled. The next call of Allow may admit
// another probe. Only the caller that was given the probe may call ReleaseProbe; calling it after Succeeded or Failed
// would release the probe of another caller.
func (b *Breaker) ReleaseProbe() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// Ready reports whether Allow would admit a request.
func (b *Breaker) Ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures == 0 || b.dueLocked()
}

// Remaining returns the time until the next probe is admitted and the error that opened the breaker. The time is 0 if the
// breaker is half-open. If the breaker is closed, Remaining returns 0 and nil.
func (b *Breaker) Remaining() (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return 0, nil
	}
	return b.clk.Remaining(b.retry), b.err
}

// State returns the state of the breaker.
func (b *Breaker) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := State{Open: b.failures > 0, Since: b.since, Err: b.err}
	if s.Open {
		s.RetryAt = b.clk.Now().Time().Add(b.clk.Remaining(b.retry))
	}
	return s
}

// notify delivers the changes. If another goroutine is delivering changes already, that goroutine delivers these as well.
func (b *Breaker) notify() {
	b.mu.Lock()
	if b.notifying {
		b.mu.Unlock()
		return
	}
	b.notifying = true
	defer func() { // also if onChange panics or calls runtime.Goexit
		b.notifying = false
		b.mu.Unlock()
	}()
	for len(b.changes) > 0 {
		next := b.changes[0]
		b.changes = b.changes[1:]
		if b.onChange != nil {
			b.deliver(next)
		}
	}
}

// deliver calls onChange without the lock, which it takes again however onChange ends.
func (b *Breaker) deliver(c change) {
	b.mu.Unlock()
	defer b.mu.Lock()
	b.onChange(c.open, c.err)
}
