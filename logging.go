// What a load reports: events for the observer, and one log line for each change of state.

package modelref

import (
	"errors"
	"sync"
	"sync/atomic"
)

// reporter remembers what was logged for one category, so that a state is logged when it begins and not at each load.
type reporter struct {
	corrupt atomic.Bool // the copy in the store cannot be decoded

	mu       sync.Mutex
	refusals map[Source]string // the last error of a source that is not down
	serving  string            // how the category is served
}

// refused reports whether an error of a source is new.
func (r *reporter) refused(origin Source, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.refusals, origin)
		return false
	}
	if r.refusals == nil {
		r.refusals = map[Source]string{}
	}
	was := r.refusals[origin]
	r.refusals[origin] = err.Error()
	return r.refusals[origin] != was
}

// serves notes how the category is served, and returns how it was served before.
func (r *reporter) serves(how string) (before string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, r.serving = r.serving, how
	return before
}

// sourceFailed reports that a source on the network did not have the category. An outage is logged by the circuit breaker, for
// all categories together.
func (l *loader) sourceFailed(origin Source, a attempt) {
	l.addAttempt(SourceError{
		Source: origin, StatusCode: a.status, Requests: a.requests, Duration: a.duration, Err: a.err,
	})
	if a.skipped {
		return
	}
	l.failure = hideContext(a.err)
	l.client.observe(Event{
		Kind: EventSourceFailed, Category: l.info.category, Source: origin, Requests: a.requests, Duration: a.duration,
		Err: a.err,
	})
	if !isSourceOutage(a.err) && !errors.Is(a.err, ErrClosed) && l.report.refused(origin, a.err) {
		l.client.config.logger.Warn("source does not have the category", "category", l.info.category,
			"source", origin.String(), "requests", a.requests, "error", a.err)
	}
}

// observeLoad reports that a document was taken from a source or the store, or was confirmed.
func (l *loader) observeLoad(kind EventKind, origin Source, doc *document, requests int) {
	counters := &l.state.counters
	if kind == EventLoad {
		counters.loads.Add(1)
	} else {
		counters.revalidations.Add(1)
	}
	e := Event{
		Kind: kind, Category: l.info.category, Source: origin, Requests: requests, Bytes: doc.size,
		Records: doc.ref.Len(), Duration: l.client.clock.Age(l.flight.created),
	}
	l.client.observe(e)
	l.report.refused(origin, nil)
	how := "primary"
	if doc.validators.Source == SourceGitHub && l.client.config.primaryURL != nil {
		how = "github"
		if kind == EventLoad && origin == SourceGitHub {
			counters.fallbacks.Add(1)
			e.Kind = EventFallback
			l.client.observe(e)
		}
	}
	l.logServing(how, doc)
}

// observeStale reports that a stale copy is served.
func (l *loader) observeStale(doc *document) {
	meta := doc.ref.meta()
	l.state.counters.fallbacks.Add(1)
	l.client.observe(Event{
		Kind: EventFallback, Category: l.info.category, Source: meta.origin, Records: doc.ref.Len(), Stale: true,
		Duration: l.client.clock.Age(l.flight.created),
	})
	if l.client.base.Err() == nil {
		l.logServing("stale "+meta.origin.String(), doc)
	}
}

// observeUnavailable reports that no source has the category.
func (l *loader) observeUnavailable(err *FetchError) {
	l.state.counters.failures.Add(1)
	l.client.observe(Event{
		Kind: EventUnavailable, Category: l.info.category, Err: err, Duration: l.client.clock.Age(l.flight.created),
	})
	if l.client.base.Err() == nil && l.report.serves("unavailable") != "unavailable" {
		l.client.config.logger.Warn("category is unavailable", "category", l.info.category, "error", err)
	}
}

// logServing logs how the category is served, if that has changed.
func (l *loader) logServing(how string, doc *document) {
	before := l.report.serves(how)
	if before == how || before == "" && how == "primary" {
		return
	}
	logger, meta := l.client.config.logger, doc.ref.meta()
	switch {
	case how == "primary":
		logger.Info("category is up to date again", "category", l.info.category, "source", meta.origin.String(),
			"records", doc.ref.Len())
	case meta.stale:
		logger.Warn("serving a stale copy", "category", l.info.category, "source", meta.origin.String(),
			"confirmed", meta.confirmedAt.Time(), "records", doc.ref.Len(), "reason", meta.fallback)
	default:
		logger.Warn("serving the copy of GitHub", "category", l.info.category, "records", doc.ref.Len(), "reason", meta.fallback)
	}
}

// reportRejected logs that records of a new document were rejected.
func (l *loader) reportRejected(doc *document) {
	meta := doc.ref.meta()
	if len(meta.rejected) == 0 || l.state.last() != nil && l.state.last().ref.sameContent(doc.ref) {
		return
	}
	l.client.config.logger.Warn("records rejected", "category", l.info.category, "source", meta.origin.String(),
		"rejected", len(meta.rejected), "kept", doc.ref.Len(), "first", meta.rejected[0].Error())
}

// reportStore reports the result of a call of the store. A failure is logged once until what has failed works again.
func (c *categoryCache) reportStore(operation storeOperation, err error) {
	config, failing := c.client.config, &c.client.storeHealth.failing
	if isMissing(err) {
		return // that there is no copy is neither a failure nor a sign that the store works
	}
	if err == nil {
		if failing.Load()&int32(operation) != 0 && failing.Swap(0) != 0 {
			config.logger.Info("store works again", "store", storeName(config.store))
		}
		return
	}
	if operation == storeLock && errors.Is(err, errors.ErrUnsupported) || c.client.base.Err() != nil {
		return
	}
	c.client.observe(Event{Kind: EventStoreFailed, Category: c.info.category, Source: config.storeOrigin, Err: err})
	if failing.Or(int32(operation)) == 0 {
		config.logger.Warn("store cannot be used; reads continue without it", "store", storeName(config.store),
			"category", c.info.category, "error", err)
	}
}

// reportCorruptCopy reports a copy in the store that was read and cannot be decoded, once until it is replaced.
func (c *categoryCache) reportCorruptCopy(err error) {
	config := c.client.config
	c.client.observe(Event{Kind: EventStoreFailed, Category: c.info.category, Source: config.storeOrigin, Err: err})
	if !c.report.corrupt.Swap(true) {
		config.logger.Warn("copy in the store is corrupted; reads continue without it", "store", storeName(config.store),
			"category", c.info.category, "error", err)
	}
}

// observeBreaker returns the function that a circuit breaker calls when it opens and when it closes.
func (c *Client) observeBreaker(origin Source) func(open bool, err error) {
	wasOpen := false // calls come one at a time
	return func(open bool, err error) {
		kind := EventBreakerClosed
		if open {
			kind = EventBreakerOpened
		}
		switch {
		case open && !wasOpen:
			c.config.logger.Warn("source is unavailable; its circuit breaker is open", "source", origin.String(), "error", err)
		case !open:
			c.config.logger.Info("source is available again", "source", origin.String())
		}
		wasOpen = open
		c.observe(Event{Kind: kind, Source: origin, Err: err})
	}
}

// observeConfiguration returns the function that is called when a source turns out to be misconfigured, with the error, and
// when it works, with nil.
func (c *Client) observeConfiguration(origin Source) func(error) {
	return func(err error) {
		if err == nil {
			c.config.logger.Info("source serves the model reference", "source", origin.String())
			return
		}
		c.config.logger.Warn("source responds, but not with the model reference", "source", origin.String(), "error", err)
	}
}
