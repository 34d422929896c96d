// What a Client can tell about itself: where each category stands, and which sources are left alone.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Status is how a Client stands at one time. It is made to be shown: by a health check, a metrics endpoint or a command.
type Status struct {
	// Primary and GitHub are the sources on the network.
	Primary SourceStatus
	GitHub  SourceStatus
	// Categories has an entry for every category, in the order of Categories.
	Categories []CategoryStatus
}

// SourceStatus is how a source on the network stands.
type SourceStatus struct {
	// Configured is false for a source that the Client was made without, or may not ask because it is offline.
	Configured bool
	// CoolingDown is set from a failure on until the source answers again.
	CoolingDown bool
	// RetryAt is from when on the next read asks it again, while it is cooling down.
	RetryAt time.Time
	// Since is when it last came back or failed, or the zero time where it never failed.
	Since time.Time
	// LastError is why it is left alone, or nil.
	LastError error
}

// CategoryStatus is how one category stands.
type CategoryStatus struct {
	Category Category
	// Loaded says that there is a reference in memory; the fields down to Stamp are of that.
	Loaded bool
	// Fresh says that the next read is answered from memory.
	Fresh       bool
	Stale       bool
	Origin      Origin
	Records     int
	Rejected    int
	FetchedAt   time.Time
	ConfirmedAt time.Time
	// Stamp is when the PRIMARY last changed the category, where it has said so.
	Stamp Optional[time.Time]
	// LastError is the last thing that went wrong, and LastErrorAt when; it stays after the category works again.
	LastError   error
	LastErrorAt time.Time
	// Counters since the Client was made.
	Counters Counters
}

// Counters count what was done for one category since the Client was made.
type Counters struct {
	// Hits are reads that were answered from memory.
	Hits int64
	// Loads are documents that were taken in.
	Loads int64
	// Revalidations are answers that nothing has changed.
	Revalidations int64
	// Fallbacks are references that came from another source than the PRIMARY, or were stale.
	Fallbacks int64
	// Failures are loads that no source could answer; however many reads wait for one, it counts once.
	Failures int64
	// Requests are the requests that were sent.
	Requests int64
	// Bytes is the size of the bodies that came.
	Bytes int64
}

// Age returns how long ago a source confirmed the reference in memory: 0 where there is none, and where that is not known,
// as of an embedded bootstrap. ConfirmedAt is the zero time then.
func (c CategoryStatus) Age() time.Duration {
	if c.ConfirmedAt.IsZero() {
		return 0
	}
	return time.Since(c.ConfirmedAt)
}

// Category returns the status of one category; the zero CategoryStatus for one that this package does not know.
func (s Status) Category(category Category) CategoryStatus {
	for _, c := range s.Categories {
		if c.Category == category {
			return c
		}
	}
	return CategoryStatus{Category: category}
}

// Healthy reports whether every category that was asked for has an answer: none has failed without a reference to
// serve. A stale reference is an answer.
func (s Status) Healthy() bool {
	for i := range s.Categories {
		if c := &s.Categories[i]; !c.Loaded && c.LastError != nil {
			return false
		}
	}
	return true
}

// Ready reports whether each of these categories has a reference in memory, so that it is read at once; with none named,
// every category. A stale reference counts.
func (s Status) Ready(categories ...Category) bool {
	if len(categories) == 0 {
		categories = Categories()
	}
	for _, category := range categories {
		if !s.Category(category).Loaded {
			return false
		}
	}
	return true
}

// Status returns how the Client stands now. The network is not touched, and no read waits for it.
func (c *Client) Status() Status {
	if c.config == nil {
		return Status{}
	}
	out := Status{
		Primary: c.primaryBreaker.status(!c.config.offline && c.config.primaryURL != nil),
		GitHub:  c.githubBreaker.status(!c.config.offline && c.config.github.enabled),
	}
	for _, category := range Categories() {
		out.Categories = append(out.Categories, c.caches[category].status())
	}
	return out
}

func (b *breaker) status(configured bool) SourceStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := SourceStatus{Configured: configured, CoolingDown: b.failures > 0, Since: b.since, LastError: b.err}
	if s.CoolingDown {
		s.RetryAt = b.until
	}
	return s
}

func (s *categoryCache) status() CategoryStatus {
	s.mu.Lock()
	last, failed := s.lastGood, s.failure
	s.mu.Unlock()
	out := CategoryStatus{
		Category: s.facts.category, LastError: failed.err, LastErrorAt: failed.at, Counters: s.counters.sums(),
	}
	if last == nil {
		return out
	}
	ref := last.ref
	if served := s.fresh.Load(); served != nil { // what was served last says whether it is stale, expired or not
		ref, out.Fresh = served.ref, !served.expired()
	}
	meta := ref.meta()
	out.Loaded, out.Stale, out.Origin, out.Records = true, meta.stale, meta.origin, ref.Len()
	out.Rejected, out.FetchedAt, out.ConfirmedAt = len(meta.rejected), meta.fetchedAt, meta.confirmedAt
	if last.state.HasStamp {
		out.Stamp = Some(time.Unix(last.state.Stamp, 0).UTC())
	}
	return out
}

func (c *counters) sums() Counters {
	out := Counters{
		Loads: c.loads.Load(), Revalidations: c.revalidations.Load(), Fallbacks: c.fallbacks.Load(),
		Failures: c.failures.Load(), Requests: c.requests.Load(), Bytes: c.bytes.Load(),
	}
	for i := range c.hits {
		out.Hits += c.hits[i].n.Load()
	}
	return out
}

// Warm loads categories side by side, all of them where none is named, so that the reads that follow are answered from
// memory. It returns what failed, joined; the others are loaded all the same.
func (c *Client) Warm(ctx context.Context, categories ...Category) error {
	if c.config == nil {
		return ErrClosed
	}
	if len(categories) == 0 {
		categories = Categories()
	}
	errs := make([]error, len(categories))
	var wg sync.WaitGroup
	for i, category := range categories {
		s, ok := c.caches[category]
		if !ok {
			errs[i] = fmt.Errorf("modelref: %w: %q", ErrUnknownCategory, category)
			continue
		}
		wg.Go(func() { _, errs[i] = s.read(ctx, loadOptions{}) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
