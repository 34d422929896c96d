// Status: the state of a Client, its sources and its categories.

package modelref

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Status is the state of a Client at one time, for health checks, metrics and commands. Its JSON form has the names of the fields
// in lower case, see [Status.MarshalJSON].
type Status struct {
	// Closed reports whether the Client is closed, or is the zero Client.
	Closed bool
	// Primary and GitHub are the sources on the network.
	Primary SourceStatus
	GitHub  SourceStatus
	// Categories has an entry for every category, in the order of [Categories].
	Categories []CategoryStatus
}

// SourceStatus is the state of a source on the network.
type SourceStatus struct {
	// Configured is false if the Client does not have the source, or is offline.
	Configured bool
	// BreakerOpen reports whether the circuit breaker of the source is open or half-open.
	BreakerOpen bool
	// RetryAt is the earliest time of the next attempt. It is set only if the circuit breaker is open.
	RetryAt time.Time
	// Since is when the circuit breaker last opened or closed. It is the zero time if the breaker never opened.
	Since time.Time
	// LastError is why the circuit breaker is open. If the breaker is closed, it is why the source seems to be misconfigured: it
	// responds, but has not returned a document of any category. Otherwise it is nil.
	LastError error
}

// CategoryStatus is the state of one category.
type CategoryStatus struct {
	Category Category
	// Loaded reports whether there is a reference in memory. The fields down to LastUpdated describe it.
	Loaded bool
	// Fresh reports whether the next read is answered from memory.
	Fresh       bool
	Stale       bool
	Source      Source
	Records     int
	Rejected    int
	FetchedAt   time.Time
	ConfirmedAt time.Time
	// LastUpdated is the last-updated time of the category at the PRIMARY. It is unset if the PRIMARY has not returned it.
	LastUpdated Optional[time.Time]
	// LastError is the last error of the category, and LastErrorAt its time. Both remain after the category works again.
	LastError   error
	LastErrorAt time.Time
	// Counters since the Client was made.
	Counters Counters
}

// Counters count what a Client has done for one category. A read is a call of a program, such as Load, Get or the last call of a
// query. A load is what a read waits for if the category in memory has expired; concurrent reads share one load.
type Counters struct {
	// Hits are reads that were answered from memory, without waiting for the end of a load.
	Hits int64 `json:"hits"`
	// Loads are loads that brought a new document, from a source or from the store.
	Loads int64 `json:"loads"`
	// Revalidations are loads in which a source confirmed the document in memory.
	Revalidations int64 `json:"revalidations"`
	// Fallbacks are loads whose reference did not come from the PRIMARY or was stale.
	Fallbacks int64 `json:"fallbacks"`
	// Failures are loads for which no source had the category.
	Failures int64 `json:"failures"`
	// Requests are the requests that were sent.
	Requests int64 `json:"requests"`
	// Bytes is the total size of the response bodies.
	Bytes int64 `json:"bytes"`
}

// String returns the state of the Client on one line, for logs: the sources, and the categories that were read.
func (s Status) String() string {
	if s.Closed {
		return "closed"
	}
	parts := []string{"PRIMARY " + s.Primary.String(), "GitHub " + s.GitHub.String()}
	for _, c := range s.Categories {
		if c.Loaded || c.LastError != nil {
			parts = append(parts, c.String())
		}
	}
	return strings.Join(parts, "; ")
}

// String returns the state of the source in a few words.
func (s SourceStatus) String() string {
	switch {
	case !s.Configured:
		return "not configured"
	case s.BreakerOpen:
		return fmt.Sprintf("unavailable until %s: %s", s.RetryAt.UTC().Format(time.TimeOnly), errorText(s.LastError))
	case s.LastError != nil:
		return "misconfigured: " + errorText(s.LastError)
	default:
		return "ok"
	}
}

// String returns the state of the category in a few words.
func (c CategoryStatus) String() string {
	switch {
	case !c.Loaded && c.LastError != nil:
		return string(c.Category) + ": not loaded, failed at " + c.LastErrorAt.UTC().Format(time.TimeOnly)
	case !c.Loaded:
		return string(c.Category) + ": not read"
	}
	text := fmt.Sprintf("%s: %d records from %s", c.Category, c.Records, c.Source)
	if !c.ConfirmedAt.IsZero() {
		text += fmt.Sprintf(", confirmed %s ago", c.Age().Round(time.Second))
	}
	if c.Stale {
		text += ", stale"
	}
	return text
}

// Age returns how long ago a source confirmed the reference in memory. It returns 0 if ConfirmedAt is the zero time: there is
// no reference, or the time is unknown, as for an embedded bootstrap.
func (c CategoryStatus) Age() time.Duration {
	if c.ConfirmedAt.IsZero() {
		return 0
	}
	return time.Since(c.ConfirmedAt)
}

// Category returns the status of one category. If the category is unknown, only the field Category is set.
func (s Status) Category(category Category) CategoryStatus {
	for _, c := range s.Categories {
		if c.Category == category {
			return c
		}
	}
	return CategoryStatus{Category: category}
}

// Healthy reports whether the Client is open and every category that was read has a reference. A stale reference counts.
func (s Status) Healthy() bool {
	if s.Closed {
		return false
	}
	for i := range s.Categories {
		if c := &s.Categories[i]; !c.Loaded && c.LastError != nil {
			return false
		}
	}
	return true
}

// Ready reports whether the Client is open and each of the given categories has a reference in memory. Without arguments it
// reports whether all categories have one. A stale reference counts.
func (s Status) Ready(categories ...Category) bool {
	if s.Closed {
		return false
	}
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

// Status returns the present state of the Client. It does not use the network.
func (c *Client) Status() Status {
	if c == nil || c.config == nil {
		return Status{Closed: true}
	}
	out := Status{
		Closed:  c.closed.Load(),
		Primary: c.primary.status(!c.config.offline && c.config.primaryURL != nil),
		GitHub:  c.github.status(!c.config.offline && c.config.github.enabled),
	}
	for _, category := range Categories() {
		out.Categories = append(out.Categories, c.caches[category].status())
	}
	return out
}

func (g *guardedSource) status(configured bool) SourceStatus {
	state := g.breaker.State()
	s := SourceStatus{
		Configured: configured, BreakerOpen: state.Open, RetryAt: state.RetryAt, Since: state.Since, LastError: state.Err,
	}
	if s.LastError == nil {
		s.LastError = g.misconfigured()
	}
	return s
}

func (c *categoryCache) status() CategoryStatus {
	s := &c.state
	s.mu.Lock()
	last, failed := s.lastGood, s.failure
	s.mu.Unlock()
	out := CategoryStatus{
		Category: c.info.category, LastError: failed.err, LastErrorAt: failed.at, Counters: s.counters.sums(),
	}
	if last == nil {
		return out
	}
	_, out.Fresh = s.fresh.get(s.key)
	meta := last.ref.meta()
	out.Loaded, out.Stale, out.Source, out.Records = true, meta.stale, meta.origin, last.ref.Len()
	out.Rejected, out.FetchedAt, out.ConfirmedAt = len(meta.rejected), meta.fetchedAt, meta.confirmedAt.Time()
	if last.validators.HasLastUpdated {
		out.LastUpdated = Some(time.Unix(last.validators.LastUpdated, 0).UTC())
	}
	return out
}

// Warm loads the given categories concurrently, so that later reads are answered from memory. Without arguments it loads all
// categories. If some cannot be loaded, the others are in memory and the error is a *PartialError.
func (c *Client) Warm(ctx context.Context, categories ...Category) error {
	if c == nil || c.config == nil {
		return errClosed
	}
	if ctx == nil {
		return fmt.Errorf("modelref: Warm: %w", errNilContext)
	}
	if len(categories) == 0 {
		categories = Categories()
	}
	errs := make([]error, len(categories))
	var wg sync.WaitGroup
	for i, category := range categories {
		s, ok := c.caches[category]
		if !ok {
			errs[i] = fmt.Errorf("%w: %q must be a category of Categories", ErrUnknownCategory, category)
			continue
		}
		wg.Go(func() { _, errs[i] = s.read(ctx, readOptions{}) })
	}
	wg.Wait()
	return partialError(categories, errs)
}
