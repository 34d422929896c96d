// The limits of the rate: the largest rate of all transfers together, and the smallest of one.

package download

import (
	"context"
	"io"
	"sync"
	"time"
)

// limiter spaces transfers so that together they do not exceed a rate. A nil limiter does not limit.
type limiter struct {
	rate int64 // bytes a second

	mu   sync.Mutex
	next time.Time // when the next transfer may be accounted
}

func newLimiter(rate int64) *limiter {
	if rate <= 0 {
		return nil
	}
	return &limiter{rate: rate}
}

// chunk returns the largest read that keeps the transfer smooth.
func (l *limiter) chunk(size int) int {
	if l == nil {
		return size
	}
	return int(min(int64(size), max(l.rate/16, 1<<10)))
}

// wait accounts n bytes and waits until the rate permits them.
func (l *limiter) wait(ctx context.Context, n int) error {
	if l == nil {
		return nil
	}
	const burst = 50 * time.Millisecond // what may be caught up after a pause
	l.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-burst); l.next.Before(earliest) {
		l.next = earliest
	}
	l.next = l.next.Add(time.Duration(float64(n) / float64(l.rate) * float64(time.Second)))
	d := l.next.Sub(now)
	l.mu.Unlock()
	return sleep(ctx, d)
}

// stallGuard cancels a transfer that delivers fewer bytes in a time limit than are required. Only the time spent in
// reads counts, so that the rate limit and a slow disk are not taken for a slow server.
type stallGuard struct {
	limit  time.Duration
	least  int64 // bytes required in the time limit
	cancel context.CancelCauseFunc

	timer *time.Timer
	left  time.Duration
	got   int64
}

func newStallGuard(limit time.Duration, rate int64, cancel context.CancelCauseFunc) *stallGuard {
	g := &stallGuard{limit: limit, least: max(int64(limit.Seconds()*float64(rate)), 1), cancel: cancel, left: limit}
	g.timer = time.AfterFunc(limit, func() { cancel(ErrStalled) })
	return g
}

// read reads from body with the time limit.
func (g *stallGuard) read(body io.Reader, buffer []byte) (int, error) {
	start := time.Now()
	g.timer.Reset(g.left)
	n, err := body.Read(buffer)
	g.timer.Stop()
	g.left -= time.Since(start)
	g.got += int64(n)
	if g.got >= g.least {
		g.left, g.got = g.limit, 0
	}
	return n, err
}

// headersReceived starts the time limit of the body.
func (g *stallGuard) headersReceived() {
	g.timer.Stop()
	g.left = g.limit
}

func (g *stallGuard) stop() { g.timer.Stop() }
