// The extra connections of a transfer, which receive further ranges of a large file.

package download

import (
	"context"
	"errors"
	"time"
)

// useMoreConnections starts extra connections, unless the main connection has received so much in the elapsed time that
// this machine is the limit. Each connection costs some processor time.
func (t *transfer) useMoreConnections(received int64, elapsed time.Duration) {
	sizes := &t.r.segments
	if elapsed < sizes.settle || sizes.fast > 0 && float64(received) >= float64(sizes.fast)*elapsed.Seconds() {
		return
	}
	t.startExtras()
}

// startExtras starts extra connections while there are ranges to receive and the host permits connections.
func (t *transfer) startExtras() {
	for !t.host.pausing() && t.takeExtra() {
		p := t.claim(false)
		if p == nil {
			t.returnExtra()
			return
		}
		ctx := t.extraCtx
		t.wg.Go(func() {
			defer t.returnExtra()
			t.extra(ctx, p)
		})
	}
}

// takeExtra takes a connection, if another one is permitted.
func (t *transfer) takeExtra() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.extras >= t.r.options.Connections-1 || !t.host.tryAcquire() {
		return false
	}
	t.extras++
	return true
}

func (t *transfer) returnExtra() {
	t.mu.Lock()
	t.extras--
	t.mu.Unlock()
	t.host.release()
}

// stopExtras ends the extra connections and waits for them.
func (t *transfer) stopExtras() {
	t.cancelExtra()
	t.wg.Wait()
}

// extra receives ranges over one connection, the first of them p. It ends after a failure without progress, because the
// main connection retries what is left, and if another file needs the connection.
func (t *transfer) extra(ctx context.Context, p *piece) {
	for p != nil {
		before := t.at(p)
		err := t.fetch(ctx, p, false)
		progress := t.at(p) - before
		t.unclaim(p)
		var status *StatusError
		if errors.As(err, &status) {
			if status.throttled() && status.RetryAfter <= t.r.options.MaxRetryAfter {
				t.host.pause(max(status.RetryAfter, t.backoff(1)))
			}
			t.setResolved(nil)
			return
		}
		if err != nil && (isLocal(ctx, err) || errors.Is(err, errChanged) || progress < leastProgress) {
			return
		}
		if t.host.contended() || t.host.pausing() {
			return
		}
		p = t.claim(false)
	}
}

// at returns the next byte that the piece needs.
func (t *transfer) at(p *piece) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.next
}
