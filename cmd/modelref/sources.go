// The failures of the sources, for remarks on a copy that is used instead.

package main

import (
	"fmt"
	"slices"
	"sync"

	"github.com/haidra-org/modelref"
)

// listener keeps the last failure of each source that a client asks.
type listener struct {
	client *modelref.Client
	mu     sync.Mutex
	failed map[modelref.Category][]modelref.SourceError
	also   func(modelref.Event) // gets every event, if it is not nil
}

func newListener() *listener {
	return &listener{failed: map[modelref.Category][]modelref.SourceError{}}
}

func (l *listener) observe(e modelref.Event) {
	if l.also != nil {
		l.also(e)
	}
	if e.Kind != modelref.EventSourceFailed {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	others := slices.DeleteFunc(l.failed[e.Category], func(a modelref.SourceError) bool { return a.Source == e.Source })
	l.failed[e.Category] = append(others, modelref.SourceError{
		Source: e.Source, Requests: e.Requests, Duration: e.Duration, Err: e.Err,
	})
}

// attempts returns the failures of the sources of a category, including those of sources whose circuit breaker is open.
func (l *listener) attempts(category modelref.Category) []modelref.SourceError {
	l.mu.Lock()
	out := slices.Clone(l.failed[category])
	l.mu.Unlock()
	s := l.client.Status()
	add := func(origin modelref.Source, source modelref.SourceStatus) {
		told := slices.ContainsFunc(out, func(a modelref.SourceError) bool { return a.Source == origin })
		if source.BreakerOpen && !told {
			out = append(out, modelref.SourceError{Source: origin, Err: fmt.Errorf("%w: %w", modelref.ErrCircuitOpen, source.LastError)})
		}
	}
	add(modelref.SourcePrimary, s.Primary)
	if category.HasGitHubSource() {
		add(modelref.SourceGitHub, s.GitHub)
	}
	return out
}

// couldAsk reports whether there is a source on the network that has the category.
func (l *listener) couldAsk(category modelref.Category) bool {
	s := l.client.Status()
	return s.Primary.Configured || (s.GitHub.Configured && category.HasGitHubSource())
}
