// The fallback chain: the order of the sources, and what is served if no source has the category.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

// loader runs one load.
type loader struct {
	*categoryCache
	ctx      context.Context // ends with the time budget, or when the Client is closed
	flight   *flight
	options  readOptions
	store    *storeSession
	attempts []SourceError // the sources that did not have the category
	failure  error         // of a source on the network
}

// run tries the sources in their order, until one step has a result.
func (l *loader) run() outcome {
	release := func() {}
	defer func() { release() }()
	l.offerLast()
	for _, step := range []func() *outcome{
		l.freshStoreCopy,
		func() (out *outcome) { out, release = l.awaitOtherDownload(); return out },
		l.primary,    // its last-updated time, then its document
		l.recentCopy, // from the PRIMARY, younger than MaxStale
		l.github,     // the legacy file, converted
		l.olderCopy,  // of any age
		l.bootstrap,  // the document that is packaged with the program
	} {
		if out := step(); out != nil {
			out.failure = l.failure
			return *out
		}
	}
	return outcome{err: l.unavailable()}
}

// offerLast makes the copy in memory available to callers while the load continues.
func (l *loader) offerLast() {
	if last := l.state.last(); last != nil && l.usable(last) {
		l.state.offer(l.flight, last, true)
	}
}

// freshStoreCopy takes the copy in the store if it was confirmed within the TTL and is newer than the copy in memory: after a
// restart, or because another process has written it. A copy that is not fresh is offered to callers that do not wait.
func (l *loader) freshStoreCopy() *outcome {
	if l.client.config.store == nil {
		return nil
	}
	doc := l.storeCopy()
	if doc == nil {
		return nil
	}
	if !l.options.refresh && l.isFresh(doc) {
		hold := l.ttl() - l.client.clock.Age(doc.confirmedAt())
		l.observeLoad(EventLoad, doc.ref.meta().origin, doc, 0)
		return &outcome{doc: doc, hold: max(hold, l.minHold())}
	}
	if l.belongs(doc) && doc.validators.Source != SourceNone {
		l.state.offer(l.flight, doc, l.usable(doc))
	}
	return nil
}

// storeCopy returns the copy in the store if it is newer than the copy in memory, or nil. If there is a copy in memory, the
// document is read only if the provenance says that it is newer.
func (l *loader) storeCopy() *document {
	last := l.state.last()
	if last != nil && !last.isBootstrap() {
		p, err := l.store.provenance()
		newer := err == nil && last.confirmedAt().Before(instant(p.ConfirmedAt))
		if newer {
			if doc := l.store.confirmed(last, p); doc != nil {
				return doc
			}
		}
		// Without the network, a program that does not write provenance is the only one that brings newer documents.
		if !newer && !l.client.config.offline {
			return nil
		}
	}
	doc, err := l.store.read()
	if err != nil {
		l.addAttempt(SourceError{Source: l.client.config.storeOrigin, Err: err})
		return nil
	}
	if last != nil && !last.olderThan(doc) {
		return nil
	}
	return doc
}

// isFresh reports whether a read may take a copy that another process has written, without a request: the copy belongs to this
// deployment and was confirmed within the TTL. A copy from GitHub is not fresh while the PRIMARY can be requested. A copy of
// unknown origin is fresh only if no source can be requested.
func (l *loader) isFresh(doc *document) bool {
	config := l.client.config
	maxAge := config.ttl
	if l.options.maxAge > 0 {
		maxAge = min(maxAge, l.options.maxAge)
	}
	meta := doc.ref.meta()
	switch {
	case l.client.clock.Age(meta.confirmedAt) >= maxAge || !l.belongs(doc):
		return false
	case l.options.strict && !meta.strict:
		return false
	}
	switch doc.validators.Source {
	case SourcePrimary:
		return true
	case SourceGitHub:
		return config.primaryURL == nil || config.offline || !l.client.primary.ready(l.info.category, false)
	default:
		return config.offline || config.primaryURL == nil && !config.github.enabled
	}
}

// belongs reports whether a copy may be served at all: it came from this deployment, from the GitHub repository of this
// Client, or its origin is unknown. A Client without a PRIMARY belongs to no deployment and takes the copies of any.
func (l *loader) belongs(doc *document) bool {
	config := l.client.config
	switch doc.validators.Source {
	case SourcePrimary:
		return config.primaryURL == nil || doc.validators.From == fingerprint(config.primaryURL)
	case SourceGitHub:
		from := config.github.from(l.info.category)
		return doc.validators.From == from || from == "" && config.primaryURL == nil
	default:
		return true
	}
}

// awaitOtherDownload waits while another process with the same store downloads the category, and then takes what that process
// has written. It also returns the function that lets other processes download.
func (l *loader) awaitOtherDownload() (*outcome, func()) {
	if l.client.config.store == nil || l.sendsNoRequest() {
		return nil, func() {}
	}
	var out *outcome
	look := func() bool {
		l.store.copy = nil // another process may have replaced it
		out = l.freshStoreCopy()
		return out != nil
	}
	release, contended := l.store.waitForDownload(l.ctx, l.client.config.retry.MaxDuration/2, look)
	if contended && out == nil {
		look()
	}
	return out, release
}

// sendsNoRequest reports whether this load will send no request, so that it need not wait for a process that does.
func (l *loader) sendsNoRequest() bool {
	config, category := l.client.config, l.info.category
	switch last := l.state.last(); {
	case config.offline:
		return true
	case config.primaryURL != nil && l.client.primary.ready(category, l.options.refresh):
		return false
	case last != nil && l.isRecent(last):
		return true
	}
	return !config.github.enabled || l.info.repo == noRepo || !l.client.github.ready(category, l.options.refresh)
}

// primary requests the category from the PRIMARY.
func (l *loader) primary() *outcome {
	config := l.client.config
	l.attempts = nil // the look at the store is repeated later
	switch {
	case config.offline:
		l.addAttempt(SourceError{Source: SourcePrimary, Err: ErrOffline})
		return nil
	case config.primaryURL == nil:
		return nil
	}
	ctx, cancel := l.primaryContext()
	defer cancel()
	return l.ask(ctx, l.client.primary, fingerprint(config.primaryURL))
}

// primaryContext returns the context for the PRIMARY. If GitHub has the category, a third of the time is reserved for GitHub.
func (l *loader) primaryContext() (context.Context, context.CancelFunc) {
	if l.info.repo == noRepo || !l.client.config.github.enabled {
		return context.WithCancel(l.ctx)
	}
	end, _ := l.ctx.Deadline() // load has set it
	return context.WithTimeout(l.ctx, time.Duration(float64(time.Until(end))*2/3))
}

// github requests the category from GitHub.
func (l *loader) github() *outcome {
	config := l.client.config
	if config.offline || !config.github.enabled || l.info.repo == noRepo {
		return nil
	}
	return l.ask(l.ctx, l.client.github, config.github.from(l.info.category))
}

// ask requests the category from a source on the network and accepts the result. from is the fingerprint of the source.
func (l *loader) ask(ctx context.Context, g *guardedSource, from string) *outcome {
	r := fetchRequest{info: l.info, decode: l.decode, strict: l.options.strict}
	last := l.state.last()
	if last != nil && last.validators.Source == g.origin && last.validators.From == from && !l.options.refresh {
		r.previous = last
	}
	if ctx.Err() != nil { // this is not a failure of the source
		l.addAttempt(SourceError{Source: g.origin, Err: errNoTimeLeft})
		return nil
	}
	a := g.try(ctx, r, l.options.refresh)
	l.state.counters.requests.Add(int64(a.requests))
	if a.err == nil {
		return l.accept(g.origin, last, a.fetchResult)
	}
	l.sourceFailed(g.origin, a)
	return nil
}

var errNoTimeLeft = errors.New("the time budget of the load was used up before a request was sent")

// addAttempt notes that a source does not have the category. It adds the URL, the status and a hint.
func (l *loader) addAttempt(a SourceError) {
	a.Err = hideContext(a.Err)
	a.URL = l.urlAt(a.Source)
	if a.StatusCode == 0 {
		a.StatusCode = statusOf(a.Err)
	}
	a.Hint = l.hintFor(&a)
	l.attempts = append(l.attempts, a)
}

// accept stores the result of a source on the network: a new document, or the confirmation of the last one.
func (l *loader) accept(origin Source, last *document, r fetchResult) *outcome {
	doc, kind := r.doc, EventLoad
	if r.unchanged {
		doc, kind = last, EventRevalidate
	}
	firstConfirmation := r.unchanged && last.ref.meta().confirmedAt.Time().Equal(last.ref.meta().fetchedAt)
	doc = doc.describe(func(m *metadata) {
		m.confirmedAt, m.strict, m.network = r.confirmedAt, r.strict, origin
		m.stale, m.fallback = false, nil
		if origin != SourcePrimary {
			m.fallback = l.whyNotPrimary()
		}
		if !r.unchanged {
			m.fetchedAt = r.confirmedAt.Time()
		}
	})
	if r.unchanged {
		doc.validators, doc.size = r.validators, 0
	}
	l.state.counters.bytes.Add(int64(doc.size))
	if out := l.rejectOlder(last, doc); out != nil {
		return out
	}
	if out := l.deferEmpty(last, doc); out != nil {
		return out
	}
	hold := l.ttl()
	if firstConfirmation { // clients that started together drift apart
		hold -= clock.Jitter(hold/2 + 1)
	}
	l.reportRejected(doc)
	l.store.write(doc, r.unchanged)
	l.observeLoad(kind, origin, doc, r.requests)
	return &outcome{doc: doc, hold: max(hold, l.minHold())}
}

// rejectOlder serves the last good copy if a source has returned an older document, for example from a cache on the way. The
// difference must be more than two seconds, because a cache counts ages in whole seconds.
func (l *loader) rejectOlder(last, doc *document) *outcome {
	if last == nil || last.validators.From != doc.validators.From || last.ref.text() == doc.ref.text() ||
		!doc.confirmedAt().Add(2*time.Second).Before(last.confirmedAt()) {
		return nil
	}
	l.failure = fmt.Errorf("%s: %w", doc.validators.Source, errOlderDocument)
	l.addAttempt(SourceError{Source: doc.validators.Source, Err: errOlderDocument})
	return l.serveStale(last)
}

var errOlderDocument = errors.New("the response is older than the copy at hand")

// deferEmpty serves the last good copy if a source that had records returns a document without records for the first time. The
// empty document is accepted if the same source returns it again one TTL later, also after a restart.
func (l *loader) deferEmpty(last, doc *document) *outcome {
	if doc.ref.Len() > 0 {
		return nil
	}
	if last == nil && l.client.config.store != nil {
		last, _ = l.store.read() // an error is reported by the session
	}
	if last == nil || last.ref.Len() == 0 || !l.belongs(last) {
		return nil
	}
	first, from := last.validators.Empty, doc.validators.From
	known := last.validators.EmptyFrom == from && !first.IsZero()
	if known && l.client.clock.Age(first) >= l.client.config.ttl*9/10 {
		return nil
	}
	doubted := *last
	doubted.validators = validators{ // without last-updated time and ETag: the next read downloads the document
		Source: last.validators.Source, From: last.validators.From, Empty: first, EmptyFrom: from,
	}
	if !known {
		doubted.validators.Empty = l.client.clock.Now()
		l.store.writeDoubt(&doubted)
	}
	l.addAttempt(SourceError{Source: doc.validators.Source, Err: errEmptyDocument})
	l.client.config.logger.Warn("source has no records any more; waiting for a second response that says the same",
		"category", l.info.category, "source", doc.validators.Source.String(), "kept", last.ref.Len())
	return l.serveStale(&doubted)
}

var errEmptyDocument = errors.New("the response has no records; waiting for a second one before it replaces the copy at hand")

// bootstrap serves the document that is packaged with the program.
func (l *loader) bootstrap() *outcome {
	config := l.client.config
	if config.bootstrap == nil {
		return nil
	}
	source := &bootstrapSource{
		documents: config.bootstrap, maxBody: config.maxBody, limit: config.retry.MaxDuration / 40, running: &l.client.running,
	}
	r, err := source.fetch(detachedContext{l.client.base, l.ctx}, fetchRequest{info: l.info, decode: l.decode})
	if err != nil {
		l.addAttempt(SourceError{Source: SourceBootstrap, Err: err})
		return nil
	}
	return l.serveStale(r.doc)
}

// unavailable returns the error of a load without a result.
func (l *loader) unavailable() error {
	if len(l.attempts) == 0 {
		reason := "the Client has no source"
		if l.client.config.github.enabled {
			reason = "GitHub does not have the category, and the Client has no PRIMARY"
		}
		l.addAttempt(SourceError{Source: SourceNone, Err: fmt.Errorf("%w: %s", ErrNotConfigured, reason)})
	}
	err := &FetchError{Category: l.info.category, Sources: l.attempts}
	l.observeUnavailable(err)
	return err
}

// whyNotPrimary returns why the reference of this load does not come from the PRIMARY.
func (l *loader) whyNotPrimary() error {
	for _, a := range l.attempts {
		if a.Source == SourcePrimary {
			return a.Err
		}
	}
	switch {
	case l.client.config.primaryURL == nil:
		return fmt.Errorf("%w: the Client has no PRIMARY", ErrNotConfigured)
	case len(l.attempts) > 0:
		return l.attempts[len(l.attempts)-1].Err
	default:
		return errNoResponse
	}
}

// ttl returns the TTL, shortened at random by up to a tenth.
func (l *loader) ttl() time.Duration {
	ttl := l.client.config.ttl
	return ttl - clock.Jitter(ttl/10)
}

// minHold returns the minimum time for which the result is served.
func (l *loader) minHold() time.Duration { return min(minHold, l.client.config.ttl) }
