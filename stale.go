// When a copy that no source has confirmed within the TTL is served: while a load continues, and if the sources fail.

package modelref

import (
	"errors"
	"fmt"
	"time"
)

// copyMeanwhile returns the last good copy, marked as stale, if it is usable while the flight continues. Otherwise it returns nil.
func (c *categoryCache) copyMeanwhile(f *flight) anyDocument {
	last := c.state.last()
	if last == nil || !c.usable(last) {
		return nil
	}
	if last.ref.meta().stale {
		return last.ref
	}
	return last.stale(fmt.Errorf("%w: it began %s ago", errNoResponse,
		c.client.clock.Age(f.created).Round(time.Millisecond))).ref
}

// usable reports whether a copy may be served while a load continues: it came from this deployment and is younger than
// MaxStale. If the Client has no PRIMARY, GitHub is the deployment.
func (c *categoryCache) usable(doc *document) bool {
	source := SourcePrimary
	if c.client.config.primaryURL == nil {
		source = SourceGitHub
	}
	return doc.validators.Source == source && c.client.clock.Age(doc.confirmedAt()) < c.client.config.maxStale
}

// recentCopy serves the last good copy if it came from the PRIMARY and is younger than MaxStale.
func (l *loader) recentCopy() *outcome {
	if last := l.state.last(); !l.client.config.offline && last != nil && l.isRecent(last) {
		return l.serveStale(last)
	}
	return nil
}

func (l *loader) isRecent(doc *document) bool {
	return doc.validators.Source == SourcePrimary && l.client.clock.Age(doc.confirmedAt()) < l.client.config.maxStale
}

// olderCopy serves the last good copy of any age, from memory or from the store, whichever is newer.
func (l *loader) olderCopy() *outcome {
	if l.client.config.store != nil {
		if doc := l.storeCopy(); doc != nil {
			if l.belongs(doc) {
				return l.serveStale(doc)
			}
			l.addAttempt(SourceError{Source: l.client.config.storeOrigin, Err: errOtherDeployment})
		}
	}
	if last := l.state.last(); last != nil {
		return l.serveStale(last)
	}
	return nil
}

var errOtherDeployment = errors.New("the copy belongs to another deployment")

// serveStale serves a copy that no source could confirm, until the circuit breaker permits the next request to the PRIMARY.
func (l *loader) serveStale(doc *document) *outcome {
	doc = doc.stale(l.whyNotPrimary())
	hold := l.ttl()
	if wait, err := l.client.primary.breaker.Remaining(); err != nil {
		hold = min(hold, wait)
	}
	l.observeStale(doc)
	return &outcome{doc: doc, hold: max(hold, l.minHold())}
}
