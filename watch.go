// Watch: the changes of a category.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

// minWatchInterval is the shortest interval of a watch.
const minWatchInterval = time.Second

// longestWatchPause limits how long Watch waits after errors in a row.
const longestWatchPause = 5 * time.Minute

// WatchOptions are the options of [Service.Watch]. The zero value has the defaults.
type WatchOptions struct {
	// Interval is how often the watch checks whether the category has changed at the PRIMARY. The default is the Client's TTL.
	// Each interval is shortened at random by up to a tenth. An interval of less than a second is an error. While the category
	// comes from GitHub, GitHub is asked once per TTL if the TTL is longer.
	Interval time.Duration
}

// Change is a state of a category that differs from the state before.
type Change[R Record] struct {
	// Reference is the category as it is now.
	Reference *Reference[R]
	// Initial reports whether this is the first Change of a watch, which has the present state. It lists no differences.
	Initial bool
	// Added, Removed and Changed list the records that are new, that are gone, and that differ, in the order of the document.
	Added   []string
	Removed []string
	Changed []RecordChange
	// Rejected lists the names of records that can no longer be decoded. They are still in the document, so that they are not
	// listed as Removed; [Reference.Rejected] has the reasons. A record that can be decoded again is listed as Added.
	Rejected []string
}

// RecordChange describes a record that differs from the earlier record of the same name.
type RecordChange struct {
	// Name is the record's name.
	Name string
	// Fields are the names of the JSON fields that differ, including fields that this package does not define.
	Fields []string
}

// Watch yields the present state of the category and then each change, until ctx is done or the caller leaves the loop.
//
// Once per interval it requests the last-updated time of the category from the PRIMARY, which is a small request, and downloads
// the document if the time has changed. For text_generation it also requests the revision of the guidance, which is part of the
// records, unless the deployment has no guidance. If the deployment does not keep last-updated times, the watch downloads and compares
// the document. A watch and the readers of the category share their loads, and a change that a reader finds is yielded at
// once. A watch also notices that a deployment was restored to an earlier state.
//
// An error is yielded with a zero Change, and the watch continues, more slowly after several errors in a row. Once a document of
// the PRIMARY has been yielded, copies from other sources are not reported as changes. If the first state came from another
// source, the first document of the PRIMARY is reported as a change, usually of most records, because converted files lack
// fields. After [Client.Close] the watch yields [ErrClosed] and stops. When ctx is done, it stops and yields no error.
func (s *Service[R]) Watch(ctx context.Context, options WatchOptions) iter.Seq2[Change[R], error] {
	if s == nil {
		s = new(Service[R])
	}
	return watch(ctx, s.cache, options, func(ref anyReference) *Reference[R] { return ref.(*Reference[R]) })
}

// Watch yields the present state of the category and then each change, as [Service.Watch] does. All fields of the records are
// compared, so that [Change.Changed] names the category's own fields as well. The records of [Change.Reference] have the common
// fields; its method [Reference.QueryByName] can use all fields.
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
		if err := checkWatch(ctx, cache, options); err != nil {
			yield(Change[R]{}, err)
			return
		}
		w := &watcher[R]{cache: cache, as: as, interval: options.Interval, failedAt: time.Now()}
		if w.interval == 0 {
			w.interval = max(cache.client.config.ttl, minWatchInterval)
		}
		for more := true; more; {
			more = w.step(ctx, yield) && w.pause(ctx)
		}
	}
}

// checkWatch returns the error of a watch that cannot begin.
func checkWatch(ctx context.Context, cache *categoryCache, options WatchOptions) error {
	switch {
	case ctx == nil:
		return fmt.Errorf("modelref: Watch: %w", errNilContext)
	case cache == nil:
		return errClosed
	case options.Interval != 0 && options.Interval < minWatchInterval:
		return fmt.Errorf("modelref: WatchOptions.Interval: the interval must be at least %v, got %v%s", minWatchInterval,
			options.Interval, unitHint(options.Interval))
	}
	return nil
}

// watcher is the state of one watch.
type watcher[R Record] struct {
	cache    *categoryCache
	as       func(anyReference) *Reference[R]
	interval time.Duration
	yielded  *Reference[R] // the state that was yielded last
	source   Source        // the origin of that state on the network
	failedAt time.Time     // of the last failure that was yielded
	failures int           // in a row
	changed  <-chan struct{}
}

// step reads the category once and yields what is new. It reports whether the watch continues.
func (w *watcher[R]) step(ctx context.Context, yield func(Change[R], error) bool) bool {
	if w.cache.client.closed.Load() { // a fresh reference stays in memory while Close waits
		yield(Change[R]{}, errClosed)
		return false
	}
	w.changed = w.cache.state.awaitChange()
	read, err := w.cache.readRecords(ctx, readOptions{strict: true, maxAge: w.interval * 9 / 10})
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
	if failed := w.cache.state.failedSince(w.failedAt); failed.err != nil {
		w.failures++
		w.failedAt = failed.at
		if !yield(Change[R]{}, fmt.Errorf("modelref: %s: %w", w.cache.info.category, failed.err)) {
			return false
		}
	} else if !read.meta().stale {
		w.failures = 0
	}
	return w.yieldChange(w.as(read), read.meta().source(), yield)
}

// yieldChange yields what differs from the state that was yielded last. source is the origin of ref on the network.
func (w *watcher[R]) yieldChange(ref *Reference[R], source Source, yield func(Change[R], error) bool) bool {
	switch {
	case w.yielded == nil:
		w.yielded, w.source = ref, source
		return yield(Change[R]{Reference: ref, Initial: true}, nil)
	case ref.data == w.yielded.data:
		w.source = source
		return true
	case w.source == SourcePrimary && source != SourcePrimary:
		return true
	}
	change := Compare(w.yielded, ref)
	w.yielded, w.source = ref, source
	if len(change.Added)+len(change.Removed)+len(change.Changed)+len(change.Rejected) == 0 {
		return true
	}
	return yield(change, nil)
}

// pause waits for the next check, or until a reader has found a change. It reports whether the watch continues.
func (w *watcher[R]) pause(ctx context.Context) bool {
	wait := w.interval
	if w.failures > 1 {
		wait = max(wait, min(wait<<min(w.failures-1, 16), longestWatchPause))
	}
	wait -= clock.Jitter(wait / 10)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.changed:
	case <-w.cache.client.base.Done():
	case <-ctx.Done():
		return false
	}
	return true
}
