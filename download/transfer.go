// The transfer of one file from one source: which range is requested next, and how failures are handled.

package download

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// segmentSizes are the sizes that control the segments of a file.
type segmentSizes struct {
	first      int64 // the range of the first request; a file that is not larger has one segment
	largest    int64 // of the other segments
	smallest   int64 // of the last segments
	checkpoint int64 // how many received bytes may be unrecorded

	settle time.Duration // how long the rate of a connection is observed
	fast   int64         // the rate of one connection, in bytes a second, at which others are of no use
}

func defaultSegments() segmentSizes {
	return segmentSizes{
		first: 16 << 20, largest: 32 << 20, smallest: 4 << 20, checkpoint: 8 << 20,
		settle: 20 * time.Millisecond, fast: 300_000_000,
	}
}

const (
	// leastProgress is the number of new bytes after which an attempt does not count as a failure.
	leastProgress = 16 << 10
	// maxChanges is the number of times that the content may change during one transfer.
	maxChanges = 3
)

// knowledge is what the responses of a source have shown so far.
type knowledge struct {
	version       version
	total         int64 // the size of the file, or -1
	noRanges      bool  // the server ignores ranges, or gets them wrong
	ignoreVersion bool  // the version differs in every response, so that only the checksum counts
	unproven      bool  // ranges were put together without a version that proves that they are of one content
	unmarkedEnd   bool  // the end of the response was not marked, so that it may have been cut off
}

// transfer receives one file from one source into the partial file. The main connection handles failures. The extra
// connections only take ranges from it.
type transfer struct {
	r    *runner
	file *File
	part *part
	src  *source
	host *host

	requests, fetched atomic.Int64

	// Only the main connection uses these fields.
	failures int   // consecutive attempts without progress
	changes  int   // how often the content has changed
	refused  int   // responses with status 416
	expired  int   // consecutive failures of the target of a redirect
	best     int64 // the largest number of bytes that were on disk so far

	mu       sync.Mutex
	known    knowledge
	resolved *endpoint // the target of the redirects of the source, while it works
	inFlight []*piece
	extras   int
	notified time.Time

	ended       chan struct{} // has an element if a range may have become free
	wg          sync.WaitGroup
	ctx         context.Context // of the transfer
	extraCtx    context.Context // of the extra connections; a restart replaces it
	cancelExtra context.CancelFunc
}

// piece is a range that one connection receives. It is changed under the lock of the transfer.
type piece struct {
	next, end int64 // end is -1 if the size of the file is not known
}

func newTransfer(r *runner, f *File, p *part, src *source) *transfer {
	t := &transfer{r: r, file: f, part: p, src: src, host: r.host(src), ended: make(chan struct{}, 1), best: p.received()}
	id, v, _ := p.origin()
	if id != src.id() {
		v = version{Size: v.Size} // another source may report the same content differently
	}
	t.known = knowledge{version: v, total: v.Size}
	return t
}

// run receives the rest of the file. The partial file is complete if the error is nil.
func (t *transfer) run(ctx context.Context) error {
	if err := t.host.acquire(ctx); err != nil {
		return err
	}
	defer t.host.release()
	t.ctx = ctx
	t.extraCtx, t.cancelExtra = context.WithCancel(ctx)
	defer t.stopExtras()
	for !t.complete() {
		p := t.claim(true)
		if p == nil { // extra connections receive the rest
			select {
			case <-t.ended:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		err := t.fetch(ctx, p, true)
		t.unclaim(p)
		if err == nil {
			t.noteProgress()
			t.failures = 0
			continue
		}
		if err := t.recover(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// knows returns a copy of what is known.
func (t *transfer) knows() knowledge {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

// learn changes what is known.
func (t *transfer) learn(change func(k *knowledge)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.known)
}

func (t *transfer) complete() bool {
	total := t.knows().total
	return total >= 0 && t.part.received() == total
}

// resumable reports whether received data can be continued: a checksum or a version will show whether it belongs
// together.
func (t *transfer) resumable(k *knowledge) bool {
	return !k.noRanges && (t.file.SHA256 != "" || k.version.validator() != "")
}

// maySegment reports whether the file may be split. Without a checksum, it is not.
func (t *transfer) maySegment(k *knowledge) bool {
	return !k.noRanges && t.r.options.Connections > 1 && t.file.SHA256 != ""
}

// claim returns the next range to receive, or nil if there is none now. Only the main connection may claim a range of
// a file that is not segmented.
func (t *transfer) claim(main bool) *piece {
	t.mu.Lock()
	defer t.mu.Unlock()
	var p *piece
	if _, _, segmented := t.part.origin(); segmented {
		p = t.nextSegment()
	} else if main {
		p = t.nextRest()
	}
	if p != nil {
		t.inFlight = append(t.inFlight, p)
	}
	return p
}

// nextRest returns the rest of the file. If the size is not known, the range is limited, so that the file can be split
// when the response has shown the size.
func (t *transfer) nextRest() *piece {
	k := &t.known
	if !t.resumable(k) {
		return &piece{next: 0, end: -1}
	}
	p := &piece{next: t.part.received(), end: -1}
	if t.maySegment(k) {
		p.end = p.next + t.r.segments.first
		if k.total >= 0 {
			p.end = min(p.end, k.total)
		}
	}
	return p
}

// nextSegment returns the first range that nobody receives. The ranges become smaller towards the end, so that the
// connections end at about the same time.
func (t *transfer) nextSegment() *piece {
	taken := t.part.ranges()
	for _, p := range t.inFlight {
		taken = taken.add(p.next, p.end)
	}
	gap := taken.gap(t.known.total)
	if gap.Start >= gap.End {
		return nil
	}
	share := (t.known.total - taken.size()) / int64(2*t.r.options.Connections)
	size := min(max(share, t.r.segments.smallest), t.r.segments.largest)
	return &piece{next: gap.Start, end: min(gap.End, gap.Start+size)}
}

func (t *transfer) unclaim(p *piece) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight = slices.DeleteFunc(t.inFlight, func(q *piece) bool { return q == p })
	select {
	case t.ended <- struct{}{}:
	default:
	}
}

// noteProgress reports whether the last attempt has received enough that had never been received before.
func (t *transfer) noteProgress() bool {
	fresh := t.part.received() - t.best
	t.best += max(fresh, 0)
	return fresh >= leastProgress
}

// errChanged reports that a response has other content than the partial file.
var errChanged = fmt.Errorf("%w at the server", ErrContentChanged)

// recover decides what to do after a failed attempt. It returns nil, after the delay that is due, if another attempt is
// to be made. Otherwise it returns the error with which the source has failed.
func (t *transfer) recover(ctx context.Context, err error) error {
	if isLocal(ctx, err) {
		return err
	}
	var expired *expiredError
	var bad *badRangeError
	var outOfRange *rangeError
	var status *StatusError
	switch {
	case errors.As(err, &expired):
		return t.recoverExpired(ctx, expired)
	case errors.Is(err, errChanged):
		return t.restartChanged(err)
	case errors.As(err, &bad):
		if t.knows().noRanges {
			return err
		}
		if err := t.restart(err); err != nil {
			return err
		}
		t.learn(func(k *knowledge) { k.noRanges = true })
		return nil
	case errors.As(err, &outOfRange):
		return t.recoverRange(ctx, outOfRange)
	case errors.As(err, &status):
		return t.recoverStatus(ctx, status)
	case errors.Is(err, ErrNotTheFile), errors.Is(err, ErrInvalidResponse), errors.Is(err, ErrUnverifiable):
		return err
	}
	return t.retry(ctx, err)
}

// retry counts a failure and waits, or returns err if there were too many. After progress the next attempt is made
// at once.
func (t *transfer) retry(ctx context.Context, err error) error {
	if t.noteProgress() {
		t.failures = 0
		return nil
	}
	t.setResolved(nil)
	t.failures++
	most := t.r.options.Retries
	if t.src.gateway {
		most = 1 // the origin is tried instead
	}
	if t.failures >= most {
		return err
	}
	d := t.backoff(t.failures)
	t.emit(Event{Kind: EventWaiting, Wait: d, Err: err})
	return sleep(ctx, d)
}

// backoff returns the delay after n failures: half a second, doubled each time up to 30 seconds, less up to a quarter.
func (t *transfer) backoff(n int) time.Duration {
	d := min(t.r.options.retryDelay<<min(max(n-1, 0), 10), 30*time.Second)
	return d - rand.N(d/4+1) //nolint:gosec // not a secret
}

// restart discards what was received and what is known about the version.
func (t *transfer) restart(reason error) error {
	t.stopExtras()
	t.emit(Event{Kind: EventRestarted, Err: reason})
	t.learn(func(k *knowledge) { k.version, k.total = version{Size: -1}, -1 })
	t.extraCtx, t.cancelExtra = context.WithCancel(t.ctx)
	return local(t.part.reset())
}

// restartChanged restarts with the new content. If the version differs again and again, as with a group of servers that
// report it differently, only the checksum decides.
func (t *transfer) restartChanged(err error) error {
	if t.changes++; t.changes > maxChanges {
		if t.file.SHA256 == "" || t.knows().ignoreVersion {
			return err
		}
		t.learn(func(k *knowledge) { k.ignoreVersion = true })
	}
	t.best = 0
	return t.restart(err)
}

// recoverRange handles a 416: the partial file is complete, or is not a part of the content.
func (t *transfer) recoverRange(ctx context.Context, err *rangeError) error {
	have := t.part.received()
	if have > 0 && have == err.total {
		if total := t.knows().total; t.file.SHA256 == "" && total >= 0 && total != have {
			return fmt.Errorf("%w: %s has announced %d bytes, and then says that there are %d", ErrInvalidResponse, err.URL, total, have)
		}
		t.learn(func(k *knowledge) { k.total = have })
		return nil
	}
	total := t.knows().total
	if have > 0 && have < total && (err.total < 0 || err.total == total) && t.failures < t.r.options.Retries-1 {
		return t.retry(ctx, err) // the range exists, so that the server is wrong
	}
	if t.refused++; t.refused > 1 {
		return err
	}
	if err := t.restart(err); err != nil {
		return err
	}
	if have == 0 { // some servers refuse a range of an empty file
		t.learn(func(k *knowledge) { k.noRanges = true })
	}
	return nil
}

// recoverStatus handles a status that is an error.
func (t *transfer) recoverStatus(ctx context.Context, err *StatusError) error {
	switch {
	case t.src.gateway || !err.temporary():
		return err
	case err.throttled():
		d := err.RetryAfter
		if d > t.r.options.MaxRetryAfter {
			return err
		}
		if d == 0 {
			d = t.backoff(min(t.failures, 5) + 2)
		}
		if rounds := t.host.pause(d); rounds > t.r.options.Retries {
			return err
		}
		t.emit(Event{Kind: EventWaiting, Wait: d, Err: err})
		return t.host.wait(ctx)
	}
	return t.retry(ctx, err)
}

// recoverExpired uses the source again instead of the target of its redirects. This is not counted as a failure, unless
// it happens again and again without progress.
func (t *transfer) recoverExpired(ctx context.Context, err *expiredError) error {
	if t.noteProgress() {
		t.expired = 0
	}
	if t.expired++; t.expired > t.r.options.Retries {
		return t.retry(ctx, err)
	}
	return nil
}

// setResolved stores the target of the source's redirects, or forgets it.
func (t *transfer) setResolved(at *endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resolved = at
}

// emit completes and reports an event.
func (t *transfer) emit(e Event) {
	e.Path, e.Source, e.Done, e.Size = t.file.Path, t.src.String(), t.part.received(), t.knows().total
	t.r.plan.emit(e)
}

// emitProgress reports the progress if the last report is old enough.
func (t *transfer) emitProgress() {
	now := time.Now()
	t.mu.Lock()
	due := now.Sub(t.notified) >= progressInterval
	if due {
		t.notified = now
	}
	t.mu.Unlock()
	if due {
		t.emit(Event{Kind: EventProgress})
	}
}

func (t *transfer) name() string { return path.Base(t.file.Name) }
