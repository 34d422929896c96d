// The requests to one host: how many are sent concurrently, and when none are sent because the server asked for it.

package download

import (
	"context"
	"slices"
	"sync"
	"time"
)

// host limits the connections to one host. The limit is halved by a response that asks for fewer requests, and grows
// slowly with successful responses.
type host struct {
	max int

	mu       sync.Mutex
	limit    int
	active   int
	waiters  []chan struct{}
	resumeAt time.Time
	rounds   int // consecutive pauses without a successful response
	good     int // successful responses since the limit was changed
}

func newHost(limit int) *host { return &host{max: limit, limit: limit} }

// acquire waits for a connection.
func (h *host) acquire(ctx context.Context) error {
	h.mu.Lock()
	if h.active < h.limit && len(h.waiters) == 0 {
		h.active++
		h.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	h.waiters = append(h.waiters, granted)
	h.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.waiters, granted); i >= 0 {
		h.waiters = slices.Delete(h.waiters, i, i+1)
	} else { // it was granted at the same moment
		h.releaseLocked()
	}
	return context.Cause(ctx)
}

// tryAcquire takes a connection only if nobody waits for one.
func (h *host) tryAcquire() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active >= h.limit || len(h.waiters) > 0 {
		return false
	}
	h.active++
	return true
}

// contended reports whether somebody waits for a connection, or more are open than the limit permits.
func (h *host) contended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiters) > 0 || h.active > h.limit
}

func (h *host) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releaseLocked()
}

func (h *host) releaseLocked() {
	h.active--
	h.grantLocked()
}

func (h *host) grantLocked() {
	for h.active < h.limit && len(h.waiters) > 0 {
		h.active++
		close(h.waiters[0])
		h.waiters = h.waiters[1:]
	}
}

// pause stops new requests for d and halves the limit. It returns the number of consecutive pauses without a successful
// response in between. Responses that arrive during a pause belong to that pause.
func (h *host) pause(d time.Duration) (rounds int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !now.Before(h.resumeAt) {
		h.rounds++
		h.good, h.limit = 0, max(1, h.limit/2)
	}
	if until := now.Add(d); until.After(h.resumeAt) {
		h.resumeAt = until
	}
	return h.rounds
}

// wait waits for the end of a pause.
func (h *host) wait(ctx context.Context) error {
	for {
		h.mu.Lock()
		d := time.Until(h.resumeAt)
		h.mu.Unlock()
		if d <= 0 {
			return nil
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// pausing reports whether a pause is in effect.
func (h *host) pausing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Before(h.resumeAt)
}

// succeeded reports a successful response.
func (h *host) succeeded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rounds = 0
	if h.good++; h.good >= 2*h.limit && h.limit < h.max {
		h.good = 0
		h.limit++
		h.grantLocked()
	}
}
