// Watch: knowing that a category changed, and what in it.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// longestWatchPause bounds how long Watch waits after errors in a row.
const longestWatchPause = 5 * time.Minute

// WatchOptions says how a category is watched. The zero value is the default.
type WatchOptions struct {
	// Interval is how often the PRIMARY is asked whether something changed; the Client's TTL where it is 0. It is
	// shortened at random by up to a tenth. While GitHub stands in for the PRIMARY the TTL counts, where that is longer.
	Interval time.Duration
}

// Change is a state of a category that differs from the one before.
type Change[R Record] struct {
	// Reference is the category as it is now.
	Reference *Reference[R]
	// Initial is set in the first Change of a watch, which tells the present state; nothing is listed as added.
	Initial bool
	// Added, Removed and Changed list the names that are new, gone, and of records that differ, in document order.
	Added   []string
	Removed []string
	Changed []RecordChange
	// Rejected lists the names of records that were there and no longer decode. They are in the document still, so that
	// they are not among Removed; Reference.Rejected says what is wrong with them. One that decodes again is Added.
	Rejected []string
}

// RecordChange is a record that differs from the one of the same name before.
type RecordChange struct {
	// Name is the record's name.
	Name string
	// Fields are the names of the JSON fields that differ, fields that this package does not know included.
	Fields []string
}

// Watch yields the present state of the category and then every change, until ctx ends or the caller leaves the loop.
//
// It asks the PRIMARY once an interval for the category's change stamp, which is one small request, and downloads the
// document when that has moved; where the deployment keeps no stamps it downloads and compares. Its requests are those
// of Load: watchers and readers of one category share them. A change that another reader finds is told at once. GitHub is
// asked once a TTL at the most, and while its copy is fresh nobody is.
//
// An error is yielded with a zero Change, and the watch goes on, more slowly the more errors come in a row. While the
// PRIMARY is not there, another source's copy is no change once the PRIMARY's own has been told. The other way about it
// is one, of most records: what is converted from the files on GitHub lacks fields that the PRIMARY fills in. After Close
// the watch yields ErrClosed and ends; when ctx ends it ends without a word.
func (s *Service[R]) Watch(ctx context.Context, options WatchOptions) iter.Seq2[Change[R], error] {
	return watch(ctx, s.cache, options, func(ref anyReference) *Reference[R] { return ref.(*Reference[R]) })
}

// Watch yields the present state of the category and then every change, as the Watch of its service does, with the common
// fields of the records. The fields that differ are named all the same, whether they are common ones or not.
func (r *CategoryReader) Watch(ctx context.Context, options WatchOptions) iter.Seq2[Change[ModelRecord], error] {
	if r == nil {
		r = new(CategoryReader)
	}
	return watch(ctx, r.cache, options, anyReference.models)
}

func watch[R Record](
	ctx context.Context, cache *categoryCache, options WatchOptions, as func(anyReference) *Reference[R],
) iter.Seq2[Change[R], error] {
	return func(yield func(Change[R], error) bool) {
		if cache == nil {
			yield(Change[R]{}, ErrClosed)
			return
		}
		w := &watcher[R]{cache: cache, as: as, interval: options.Interval, failedAt: time.Now()}
		if w.interval <= 0 {
			w.interval = cache.client.config.ttl
		}
		for more := true; more; {
			more = w.step(ctx, yield) && w.pause(ctx)
		}
	}
}

// watcher is the state of one watch.
type watcher[R Record] struct {
	cache    *categoryCache
	as       func(anyReference) *Reference[R]
	interval time.Duration
	last     *Reference[R] // the state that was told last
	source   Origin        // where that came from on the network
	failedAt time.Time     // of the last failure that was told
	failures int           // in a row
	wake     <-chan struct{}
}

// step reads the category once and tells what is new. It reports whether the watch goes on.
func (w *watcher[R]) step(ctx context.Context, yield func(Change[R], error) bool) bool {
	if w.cache.client.closed.Load() { // what is fresh is still there while Close waits
		yield(Change[R]{}, ErrClosed)
		return false
	}
	w.wake = w.cache.awaitChange()
	read, err := w.cache.read(ctx, loadOptions{watch: true, maxAge: w.interval * 9 / 10})
	switch {
	case ctx.Err() != nil:
		return false
	case errors.Is(err, ErrClosed):
		yield(Change[R]{}, err)
		return false
	case err != nil:
		w.failures++
		w.failedAt = time.Now()
		return yield(Change[R]{}, err)
	}
	if failed := w.cache.failedSince(w.failedAt); failed.err != nil {
		w.failures++
		w.failedAt = failed.at
		if !yield(Change[R]{}, fmt.Errorf("modelref: %s: %w", w.cache.facts.category, failed.err)) {
			return false
		}
	} else if !read.meta().stale {
		w.failures = 0
	}
	return w.tell(w.as(read), w.cache.sourceOf(read), yield)
}

// tell yields what differs from the state that was told last. The source is where ref came from on the network.
func (w *watcher[R]) tell(ref *Reference[R], source Origin, yield func(Change[R], error) bool) bool {
	switch {
	case w.last == nil:
		w.last, w.source = ref, source
		return yield(Change[R]{Reference: ref, Initial: true}, nil)
	case ref.data == w.last.data:
		w.source = source
		return true
	case w.source == OriginPrimary && source != OriginPrimary:
		return true
	}
	change := Compare(w.last, ref)
	w.last, w.source = ref, source
	if len(change.Added)+len(change.Removed)+len(change.Changed)+len(change.Rejected) == 0 {
		return true
	}
	return yield(change, nil)
}

// pause waits for the next poll, or until somebody else has found a change. It reports whether the watch goes on.
func (w *watcher[R]) pause(ctx context.Context) bool {
	wait := w.interval
	if w.failures > 1 {
		wait = max(wait, min(wait<<min(w.failures-1, 16), longestWatchPause))
	}
	if tenth := wait / 10; tenth > 0 {
		wait -= rand.N(tenth) //nolint:gosec // spreads load; nothing secret hangs on it
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.wake:
	case <-w.cache.client.base.Done():
	case <-ctx.Done():
		return false
	}
	return true
}

// awaitChange returns a channel that is closed when other records are taken in.
func (s *categoryCache) awaitChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// failedSince returns the last failure where it is newer than that time.
func (s *categoryCache) failedSince(at time.Time) failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure.at.After(at) {
		return s.failure
	}
	return failure{}
}

// sourceOf returns where a reference came from on the network, which for a copy on disk is where that came from.
func (s *categoryCache) sourceOf(ref anyReference) Origin {
	if last := s.last(); last != nil && last.ref.sameRecords(ref) && last.state.Source != OriginNone {
		return last.state.Source
	}
	return ref.meta().origin
}

// Compare returns how the later reference differs from the earlier one, as Watch does: by the values of all fields, those
// that this package does not know included, and not by how they are written. A nil reference has no records. The network
// is not touched.
func Compare[R Record](earlier, later *Reference[R]) Change[R] {
	change := Change[R]{Reference: later}
	for name, record := range later.All() {
		before, ok := earlier.Get(name)
		if !ok {
			change.Added = append(change.Added, name)
			continue
		}
		if fields := differingFields(earlier.data.common(before).raw, later.data.common(record).raw); len(fields) > 0 {
			change.Changed = append(change.Changed, RecordChange{Name: name, Fields: fields})
		}
	}
	rejected := later.rejectedNames()
	for name := range earlier.All() {
		if _, ok := later.Get(name); ok {
			continue
		}
		if rejected(name) {
			change.Rejected = append(change.Rejected, name)
		} else {
			change.Removed = append(change.Removed, name)
		}
	}
	return change
}

// rejectedNames returns whether a record that is not in the reference was left out as one that does not decode. Where
// not all of these are listed it is taken for one: that a record is gone must be known.
func (r *Reference[R]) rejectedNames() func(name string) bool {
	if r == nil || len(r.rejected) == 0 {
		return func(string) bool { return false }
	}
	names := make(map[string]bool, len(r.rejected))
	for i := range r.rejected {
		names[r.rejected[i].Name] = true
	}
	return func(name string) bool { return len(r.rejected) > maxRejected || names[listedName(name)] }
}

// differingFields returns the names of the fields whose values differ, however they are written.
func differingFields(earlier, later string) []string {
	if earlier == later {
		return nil
	}
	var out []string
	before, after := rawObject(earlier), rawObject(later)
	for _, field := range after.fields {
		if old, ok := before.value(field.name); !ok || canonicalJSON(old) != canonicalJSON(field.text) {
			out = append(out, field.name)
		}
	}
	for _, field := range before.fields {
		if _, ok := after.value(field.name); !ok {
			out = append(out, field.name)
		}
	}
	return out
}

// canonicalJSON writes a JSON value in its one canonical form.
func canonicalJSON(text string) string {
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return text // a repeated name, which has no canonical form
	}
	return string(value)
}
