// Store, which keeps copies outside the process, and the session that one load has with it.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// Store keeps the documents of a Client outside its process, for the next start and for other processes. [WithCacheDir]
// uses one in a directory, and [WithStore] takes any other. Beside each document it keeps a text, the provenance, which a
// Client writes and reads: where the document came from, when its source last confirmed it, and a checksum. The category is
// the name of a [Catalog] if the document is a catalog.
//
// A Client calls a Store a few times per TTL and category, and about six times a second while another Client holds the lock.
// All calls of one load share a time limit of a tenth of [RetryPolicy.MaxDuration]; a Store that does not return in this time is
// skipped until its call returns. A Store should end a call when ctx ends. If a Store method returns an error, the read
// continues without the Store; the error is logged once until the Store works again. Methods are called concurrently.
type Store interface {
	// Read returns the copy of the category. If there is none, the error is fs.ErrNotExist. A document of more than maxBytes is
	// an error.
	Read(ctx context.Context, category Category, maxBytes int64) (StoreEntry, error)
	// ReadProvenance returns the provenance only. If there is no document, the error is fs.ErrNotExist.
	ReadProvenance(ctx context.Context, category Category) (string, error)
	// Write replaces the document and the provenance. A reader must never get a part of a document.
	Write(ctx context.Context, category Category, document, provenance string) error
	// WriteProvenance replaces the provenance of a document that stays. If there is no document, the error is fs.ErrNotExist.
	WriteProvenance(ctx context.Context, category Category, provenance string) error
	// TryLock makes the caller the only one that downloads the category, so that others can wait for what it writes. It
	// returns the function that releases the lock. If another Client holds the lock, release and err are both nil. The lock ends
	// when its holder is gone, or after the lease at the latest. An error means that there are no locks. A Store that never
	// has locks returns errors.ErrUnsupported, which is not reported as a failure.
	TryLock(ctx context.Context, category Category, lease time.Duration) (release func(), err error)
}

// StoreEntry is what a Store keeps of one category.
type StoreEntry struct {
	// Document is the v2 category document, byte for byte.
	Document string
	// Provenance is the provenance that was written beside it.
	Provenance string
	// ModTime is when the document was written, for a document that another program has written. The zero time is unknown.
	ModTime time.Time
}

// storeOperation is a set of operations of a store. One of them can fail without the others: a store can be read-only, or
// have no locks.
type storeOperation int32

const (
	storeRead storeOperation = 1 << iota
	storeReadProvenance
	storeWrite
	storeLock
)

// errStoreSlow is returned for a store that has used up the time of a load, or has not returned from an earlier call.
var errStoreSlow = errors.New("the store did not return in time")

// storeHealth is what a Client knows of its store. failing is the set of operations that have failed since the store last
// worked; hanging counts the calls that have not returned in time.
type storeHealth struct {
	failing atomic.Int32
	hanging atomic.Int32
}

// storeSession is the view that one load has of the store: it reads, confirms and writes one category, within one time
// limit. A session of a Client without a store finds nothing and writes nothing.
type storeSession struct {
	cache *categoryCache
	store Store // nil for none
	ctx   context.Context
	left  time.Duration // of the time for all calls
	end   time.Time     // no call lasts longer: a read takes its budget and a tenth at the most
	copy  *document     // what has been read
	err   error         // why the store is not called any more
}

// openStore returns the session of a load whose context is ctx. Its time may lie after the end of ctx, because the store is a
// last resort.
func (c *Client) openStore(ctx context.Context, cache *categoryCache) *storeSession {
	budget := c.config.retry.MaxDuration
	s := &storeSession{cache: cache, store: c.config.store, ctx: detachedContext{c.base, ctx}, left: budget / 10}
	if end, ok := ctx.Deadline(); ok {
		s.end = end.Add(budget / 40 * 3)
	}
	return s
}

// storeGrace is how long a store has to return when its time is up.
const storeGrace = 10 * time.Millisecond

// callStore calls the store within the time that is left to the session.
func callStore[T any](s *storeSession, operation storeOperation, call func(context.Context) (T, error)) (T, error) {
	var none T
	client := s.cache.client
	if s.err == nil && client.storeHealth.hanging.Load() > 0 {
		s.err = errStoreSlow
	}
	if s.err != nil {
		return none, s.err
	}
	limit := s.left
	if !s.end.IsZero() {
		limit = min(limit, time.Until(s.end))
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit-2*storeGrace)
	defer cancel()
	start := client.clock.Now()
	var (
		mu        sync.Mutex
		abandoned bool
		returned  bool
	)
	value, err := await(ctx, &client.running, storeGrace, func() (T, error) {
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			if returned = true; abandoned {
				client.storeHealth.hanging.Add(-1)
			}
		}()
		return call(ctx)
	})
	s.left -= client.clock.Age(start)
	if err != nil && ctx.Err() != nil {
		s.err = fmt.Errorf("%w: %w", errStoreSlow, err)
		mu.Lock()
		if !returned && client.base.Err() == nil {
			abandoned = true
			client.storeHealth.hanging.Add(1)
		}
		mu.Unlock()
	}
	s.cache.reportStore(operation, err)
	return value, err
}

// provenance returns the provenance of the copy in the store.
func (s *storeSession) provenance() (*provenance, error) {
	text, err := callStore(s, storeReadProvenance, func(ctx context.Context) (string, error) {
		return s.store.ReadProvenance(ctx, s.cache.info.category)
	})
	if err != nil {
		return nil, err
	}
	return parseProvenance(text, s.cache.client.clock.Now().Time())
}

// read decodes the copy in the store, once in a session. If there is none, the error is fs.ErrNotExist. A copy without
// provenance, or with the provenance of another document, is of unknown origin.
func (s *storeSession) read() (*document, error) {
	switch {
	case s.store == nil:
		return nil, fs.ErrNotExist
	case s.copy != nil:
		return s.copy, nil
	}
	client, category := s.cache.client, s.cache.info.category
	found, err := callStore(s, storeRead, func(ctx context.Context) (StoreEntry, error) {
		return s.store.Read(ctx, category, client.config.maxBody)
	})
	if err != nil {
		return nil, err
	}
	now := client.clock.Now().Time()
	p, err := parseProvenance(found.Provenance, now)
	if err != nil || !p.describes(found.Document) {
		p = &provenance{FetchedAt: found.ModTime, ConfirmedAt: clampFuture(found.ModTime, now)}
	}
	ref, err := s.cache.decode(found.Document, metadata{
		category: category, origin: client.config.storeOrigin, network: p.Validators.Source, fetchedAt: p.FetchedAt,
		confirmedAt: instant(p.ConfirmedAt), strict: p.Strict, fallback: s.fallback(p),
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", storeName(s.store), err)
		s.cache.reportCorruptCopy(err)
		return nil, err
	}
	s.cache.report.corrupt.Store(false)
	s.copy = &document{ref: ref, validators: p.Validators}
	return s.copy, nil
}

// fallback returns why a copy in the store does not come from the PRIMARY, or nil.
func (s *storeSession) fallback(p *provenance) error {
	if p.Validators.Source == SourcePrimary {
		return nil
	}
	return fmt.Errorf("the copy in %s does not come from the PRIMARY", storeName(s.store))
}

// confirmed returns doc with the provenance in the store, if another process has confirmed the same document there.
func (s *storeSession) confirmed(doc *document, p *provenance) *document {
	if !p.describes(doc.ref.text()) {
		return nil
	}
	out := doc.describe(func(m *metadata) {
		m.confirmedAt, m.strict, m.stale, m.fallback = instant(p.ConfirmedAt), p.Strict, false, nil
	})
	out.validators = p.Validators
	return out
}

// write writes a document that a source has returned or, if unchanged is true, confirmed. A newer document of the same source
// stays, for example one that another process has written meanwhile. If a confirmed document is in the store already, only its
// provenance is written. An error is reported; it does not fail the load.
func (s *storeSession) write(doc *document, unchanged bool) {
	if s.store == nil {
		return
	}
	text, err := doc.provenance()
	if err != nil {
		s.cache.reportStore(storeWrite, err)
		return
	}
	p, err := s.provenance()
	same := err == nil && p.describes(doc.ref.text())
	if err == nil && !same && s.keeps(p, doc) {
		return
	}
	category := s.cache.info.category
	_, err = callStore(s, storeWrite, func(ctx context.Context) (struct{}, error) {
		if same && unchanged {
			return struct{}{}, s.store.WriteProvenance(ctx, category, text)
		}
		return struct{}{}, s.store.Write(ctx, category, doc.ref.text(), text)
	})
	if err == nil && !(same && unchanged) {
		s.cache.report.corrupt.Store(false)
	}
}

// keeps reports whether the copy with provenance p stays although doc is at hand: it is newer, or it came from the PRIMARY of
// this Client within MaxStale and doc came from GitHub.
func (s *storeSession) keeps(p *provenance, doc *document) bool {
	if p.Validators.From == doc.validators.From {
		return doc.confirmedAt().Before(instant(p.ConfirmedAt))
	}
	client := s.cache.client
	return doc.validators.Source == SourceGitHub && p.Validators.Source == SourcePrimary &&
		client.config.primaryURL != nil && p.Validators.From == fingerprint(client.config.primaryURL) &&
		client.clock.Age(instant(p.ConfirmedAt)) < client.config.maxStale
}

// writeDoubt writes to the provenance of the copy in the store that a source has said to have no records. A copy of another
// document is not changed.
func (s *storeSession) writeDoubt(doc *document) {
	if s.store == nil {
		return
	}
	text, err := doc.provenance()
	if err != nil {
		return
	}
	if s.copy == nil || !s.copy.ref.sameContent(doc.ref) {
		if p, err := s.provenance(); err != nil || !p.describes(doc.ref.text()) {
			return
		}
	}
	_, _ = callStore(s, storeWrite, func(ctx context.Context) (struct{}, error) { // reported by callStore
		return struct{}{}, s.store.WriteProvenance(ctx, s.cache.info.category, text)
	})
}

// tryLock tries once to become the only process that downloads the category. release is nil if another process holds the
// lock.
func (s *storeSession) tryLock(lease time.Duration) (release func(), err error) {
	locked, err := callStore(s, storeLock, func(ctx context.Context) (func(), error) {
		locked, err := s.store.TryLock(ctx, s.cache.info.category, lease)
		if locked != nil && ctx.Err() != nil { // nobody waits for the lock any more
			locked()
			return nil, ctx.Err()
		}
		return locked, err
	})
	if locked == nil || err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(s.ctx, releaseLimit)
		defer cancel()
		_, _ = await(ctx, &s.cache.client.running, 0, func() (struct{}, error) { // a lock that hangs ends with its lease
			locked()
			return struct{}{}, nil
		})
	}, nil
}

// releaseLimit is how long a load waits for the release of a lock.
const releaseLimit = 100 * time.Millisecond

// A process that waits for the download of another process looks again after lockPause, then after half as long again each
// time, up to maxLockPause.
const (
	lockPause    = 50 * time.Millisecond
	maxLockPause = 400 * time.Millisecond
)

// waitForDownload waits until no other process with the same store downloads the category, and keeps others from it until
// release. It gives up after limit, or as soon as there is no lock or done reports that the wait is over. contended reports
// whether there was another process, which has perhaps written what is needed.
func (s *storeSession) waitForDownload(ctx context.Context, limit time.Duration, done func() bool) (release func(), contended bool) {
	clk, lease := s.cache.client.clock, s.cache.client.config.retry.MaxDuration+maxLockPause
	end := clk.Expire(limit)
	for pause := lockPause; ; pause = min(pause*3/2, maxLockPause) {
		release, err := s.tryLock(lease)
		if release != nil {
			return release, contended
		}
		if err != nil || clk.Expired(end) || ctx.Err() != nil || contended && done() {
			return func() {}, contended
		}
		contended = true
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// isMissing reports whether an error of the store says that there is no copy.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// storeName names a store for people: by its String method or its type.
func storeName(store Store) string {
	if named, ok := store.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", store)
}
