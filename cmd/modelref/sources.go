// What the sources have said of a category, for remarks on a copy that stands in for them.

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
	failed map[modelref.Category][]modelref.Attempt
}

func newListener() *listener {
	return &listener{failed: map[modelref.Category][]modelref.Attempt{}}
}

func (l *listener) observe(e modelref.Event) {
	if e.Kind != modelref.EventSourceFailed {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	others := slices.DeleteFunc(l.failed[e.Category], func(a modelref.Attempt) bool { return a.Origin == e.Origin })
	l.failed[e.Category] = append(others, modelref.Attempt{
		Origin: e.Origin, Requests: e.Requests, Duration: e.Duration, Err: e.Err,
	})
}

// attempts returns what the sources of a category have said, one that is left alone after a failure included.
func (l *listener) attempts(category modelref.Category) []modelref.Attempt {
	l.mu.Lock()
	out := slices.Clone(l.failed[category])
	l.mu.Unlock()
	s := l.client.Status()
	add := func(origin modelref.Origin, source modelref.SourceStatus) {
		told := slices.ContainsFunc(out, func(a modelref.Attempt) bool { return a.Origin == origin })
		if source.CoolingDown && !told {
			out = append(out, modelref.Attempt{Origin: origin, Err: fmt.Errorf("%w: %w", modelref.ErrCoolingDown, source.LastError)})
		}
	}
	add(modelref.OriginPrimary, s.Primary)
	if category.HasGitHubSource() {
		add(modelref.OriginGitHub, s.GitHub)
	}
	return out
}

// couldAsk reports whether there is a source on the network that a category may be asked for.
func (l *listener) couldAsk(category modelref.Category) bool {
	s := l.client.Status()
	return s.Primary.Configured || (s.GitHub.Configured && category.HasGitHubSource())
}
