// One load of a category, as its callers see it: what it was asked for, and how to wait for its result.

package modelref

import (
	"context"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

// readOptions say what one read needs.
type readOptions struct {
	refresh  bool          // request the document even if the copy in memory is fresh
	strict   bool          // accept no confirmation that may miss a change: the read is that of a watch
	maxAge   time.Duration // the greatest age of a confirmation; 0 for the TTL
	overlays []OverlaySource
}

// flight is one load. Its options do not change after the load has started.
type flight struct {
	options readOptions
	caller  context.Context // of the first caller, for its values
	created clock.Instant   // the time budget starts here, also for a load that waits for its turn
	usable  chan struct{}   // closed when a copy is at hand that may be served while the load goes on
	done    chan struct{}   // closed when ref and err are set
	ref     anyDocument
	err     error
}

func newFlight(caller context.Context, o readOptions, now clock.Instant) *flight {
	o.overlays = nil // they are not part of the load
	return &flight{
		options: o, caller: caller, created: now, usable: make(chan struct{}), done: make(chan struct{}),
	}
}

// serves reports whether a read with options o may take the result of the flight, which has perhaps started before the read.
func (f *flight) serves(o readOptions) bool {
	switch {
	case o.refresh:
		return false
	case f.options.refresh:
		return true
	default:
		return (!o.strict || f.options.strict) && (o.maxAge == 0 || f.options.maxAge > 0 && f.options.maxAge <= o.maxAge)
	}
}

// merge makes a flight that has not started serve a read with options o as well.
func (f *flight) merge(o readOptions) {
	f.options.refresh = f.options.refresh || o.refresh
	f.options.strict = f.options.strict || o.strict
	if o.maxAge > 0 && (f.options.maxAge == 0 || o.maxAge < f.options.maxAge) {
		f.options.maxAge = o.maxAge
	}
}
