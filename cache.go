// The state of one category: the TTL cache, the last good copy, the load in flight. This file does no I/O.

package modelref

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	gocache "github.com/patrickmn/go-cache"

	"github.com/haidra-org/modelref/internal/clock"
)

// minHold is the minimum time for which the result of a load is served. Without it, reads would send requests in a busy loop
// during an outage.
const minHold = time.Second

// ttlCache keeps values for a limited time. go-cache uses the wall clock only, so each entry has an expiry on both clocks.
// The entries of go-cache itself do not expire, because a second check would read the clock twice.
type ttlCache[V any] struct {
	entries *gocache.Cache
	clock   *clock.Clock
}

type ttlEntry[V any] struct {
	expiry clock.Expiry
	value  V
}

func newTTLCache[V any](clk *clock.Clock) *ttlCache[V] {
	// Without a cleanup interval: only a finalizer would stop that goroutine.
	return &ttlCache[V]{entries: gocache.New(gocache.NoExpiration, 0), clock: clk}
}

func (c *ttlCache[V]) get(key string) (value V, ok bool) {
	item, ok := c.entries.Get(key)
	if !ok {
		return value, false
	}
	entry := item.(*ttlEntry[V])
	if c.clock.Expired(entry.expiry) {
		return value, false
	}
	return entry.value, true
}

func (c *ttlCache[V]) set(key string, value V, ttl time.Duration) {
	c.entries.Set(key, &ttlEntry[V]{c.clock.Expire(ttl), value}, gocache.NoExpiration)
}

func (c *ttlCache[V]) delete(key string) { c.entries.Delete(key) }

// document is a reference together with what the next request to its source needs.
type document struct {
	ref        anyDocument
	validators validators
	size       int // bytes received
}

// confirmedAt returns the time of the request that found the document to be its source's present state. It dates the
// document: nothing older replaces anything newer.
func (d *document) confirmedAt() clock.Instant { return d.ref.meta().confirmedAt }

// olderThan reports whether d is older than other. A bootstrap document is older than any other one.
func (d *document) olderThan(other *document) bool {
	if other == nil {
		return false
	}
	if d.isBootstrap() != other.isBootstrap() {
		return d.isBootstrap()
	}
	return d.confirmedAt().Before(other.confirmedAt())
}

func (d *document) isBootstrap() bool { return d.ref.meta().origin == SourceBootstrap }

// describe returns the document with other metadata. The records are shared.
func (d *document) describe(change func(*metadata)) *document {
	meta := *d.ref.meta()
	change(&meta)
	out := *d
	out.ref = d.ref.with(meta)
	return &out
}

// stale returns the document marked as stale for the given reason.
func (d *document) stale(reason error) *document {
	return d.describe(func(m *metadata) { m.stale, m.fallback = true, reason })
}

// failure is the last error of a category.
type failure struct {
	err error
	at  time.Time
}

// outcome is the result of a load.
type outcome struct {
	doc     *document     // what readers get, and the last good copy from now on
	hold    time.Duration // how long doc is fresh; 0 leaves the freshness as it is
	failure error         // of a source, although the load has a result
	err     error         // no source had the category
}

// categoryState is what is known of one category.
type categoryState struct {
	key      string
	clock    *clock.Clock
	fresh    *ttlCache[anyDocument]
	counters counters

	mu       sync.Mutex
	lastGood *document // its reference is the one that was served last
	inFlight *flight
	queued   *flight // starts when the one in flight ends
	failure  failure
	changed  chan struct{} // closed when the records change; nil if nobody waits for a change
}

// accepted returns the fresh reference if a read with options o may take it, or nil. It takes no exclusive lock.
func (s *categoryState) accepted(o readOptions) anyDocument {
	if o.refresh {
		return nil
	}
	ref, ok := s.fresh.get(s.key)
	if !ok {
		return nil
	}
	if o.strict && !s.acceptedByWatch(ref.meta(), o.maxAge) {
		return nil
	}
	return ref
}

// acceptedByWatch reports whether a watch may take a fresh reference: its confirmation must be as strict as those of the
// watch. A copy of GitHub has no last-updated time, and is good for the watch until it expires.
func (s *categoryState) acceptedByWatch(m *metadata, maxAge time.Duration) bool {
	if m.network == SourceGitHub {
		return true
	}
	return m.strict && s.clock.Age(m.confirmedAt) < maxAge
}

// join returns a reference that a read with options o may take. Otherwise it returns the flight that the read has to wait
// for. If start is true, the caller must start the flight.
func (s *categoryState) join(ctx context.Context, o readOptions) (ref anyDocument, f *flight, start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref := s.accepted(o); ref != nil {
		return ref, nil, false
	}
	switch {
	case s.inFlight == nil:
		s.inFlight = newFlight(ctx, o, s.clock.Now())
		return nil, s.inFlight, true
	case s.inFlight.serves(o):
		return nil, s.inFlight, false
	case s.queued == nil:
		s.queued = newFlight(ctx, o, s.clock.Now())
	default:
		s.queued.merge(o)
	}
	return nil, s.queued, false
}

// offer makes doc the last good copy while the flight continues, unless the present copy is newer. Callers that do not wait
// for the flight can then get doc.
func (s *categoryState) offer(f *flight, doc *document, usable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLastGood(doc)
	if usable {
		f.markUsable()
	}
}

// markUsable notifies the callers that there is a usable copy.
func (f *flight) markUsable() {
	select {
	case <-f.usable:
	default:
		close(f.usable)
	}
}

// finish publishes the result of a flight and ends the flight, in one critical section, so that no caller can join a flight
// that has ended. It returns the queued flight, or nil.
func (s *categoryState) finish(f *flight, out outcome) (next *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.doc != nil {
		out.doc = s.setLastGood(out.doc)
		if out.hold > 0 {
			s.fresh.set(s.key, out.doc.ref, out.hold)
		}
		f.ref = out.doc.ref
	}
	f.err = out.err
	if err := out.err; err != nil || out.failure != nil {
		if err == nil {
			err = out.failure
		}
		s.failure = failure{err, s.clock.Now().Time()}
	}
	if s.inFlight == f {
		s.inFlight, s.queued = s.queued, nil
		next = s.inFlight
	}
	close(f.done)
	return next
}

// setLastGood makes doc the last good copy, unless the present copy is newer. It returns the last good copy.
func (s *categoryState) setLastGood(doc *document) *document {
	if s.lastGood != nil && doc.olderThan(s.lastGood) {
		return s.lastGood
	}
	if s.changed != nil && !(s.lastGood != nil && s.lastGood.ref.sameContent(doc.ref)) {
		close(s.changed)
		s.changed = nil
	}
	s.lastGood = doc
	return doc
}

// last returns the last good copy, or nil.
func (s *categoryState) last() *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastGood
}

// expire ends the freshness of the reference in memory.
func (s *categoryState) expire() { s.fresh.delete(s.key) }

// awaitChange returns a channel that is closed when the records change.
func (s *categoryState) awaitChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// failedSince returns the last failure if it is later than at.
func (s *categoryState) failedSince(at time.Time) failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure.at.After(at) {
		return s.failure
	}
	return failure{}
}

// counters count what was done for one category.
type counters struct {
	hits, loads, revalidations, fallbacks, failures, requests, bytes atomic.Int64
}

func (c *counters) sums() Counters {
	return Counters{
		Hits: c.hits.Load(), Loads: c.loads.Load(), Revalidations: c.revalidations.Load(), Fallbacks: c.fallbacks.Load(),
		Failures: c.failures.Load(), Requests: c.requests.Load(), Bytes: c.bytes.Load(),
	}
}
