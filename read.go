// How a read gets its result: from memory, from the load in flight, or from the last good copy while the load continues.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errNoResponse is the reason why a copy is served while a load continues.
var errNoResponse = errors.New("the load has not ended yet")

// categoryCache serves the reads of one category or catalog.
type categoryCache struct {
	client *Client
	info   *categoryInfo
	decode decodeFunc
	state  categoryState
	report reporter
}

// anyDocument is what the read path knows of a document that it has decoded: a Reference or a CatalogDocument.
type anyDocument interface {
	meta() *metadata
	with(metadata) anyDocument // the same content with other metadata
	text() string              // the document
	sameContent(anyDocument) bool
	CheckUnmodified() error
	Len() int
}

// anyReference is a Reference of any record type.
type anyReference interface {
	anyDocument
	each(func(name string, record any))
	models() *Reference[ModelRecord]
	overlaid(ctx context.Context, s *categoryCache, sources []OverlaySource) (anyReference, error)
	QueryByName() NamedQuery
}

// read returns the category from memory if it is fresh. Otherwise it waits for the load that all callers share.
func (c *categoryCache) read(ctx context.Context, o readOptions) (anyDocument, error) {
	if ctx == nil {
		return nil, fmt.Errorf("modelref: %s: %w", c.info.category, errNilContext)
	}
	if ref := c.state.accepted(o); ref != nil {
		c.hit(ref)
		return ref, nil
	}
	if c.client.closed.Load() {
		return nil, errClosed
	}
	if ctx.Err() != nil {
		return nil, c.interrupted(ctx)
	}
	ref, f, start := c.state.join(ctx, o)
	if ref != nil {
		c.hit(ref)
		return ref, nil
	}
	if start {
		c.start(f)
	}
	return c.wait(ctx, f, o)
}

// readRecords is read for a category.
func (c *categoryCache) readRecords(ctx context.Context, o readOptions) (anyReference, error) {
	document, err := c.read(ctx, o)
	if err != nil {
		return nil, err
	}
	return document.(anyReference), nil // the decode functions of categories return nothing else
}

// fresh returns the fresh reference for a read without options, or nil. It is the fast path of read: it takes no exclusive lock and
// allocates nothing.
func (c *categoryCache) fresh(ctx context.Context) anyDocument {
	if ctx == nil {
		return nil
	}
	ref, ok := c.state.fresh.get(c.state.key)
	if !ok {
		return nil
	}
	c.hit(ref)
	return ref
}

// start runs a flight on a goroutine of the Client.
func (c *categoryCache) start(f *flight) {
	if !c.client.begin() {
		c.end(f, outcome{err: errClosed})
		return
	}
	go func() {
		defer c.client.running.Done()
		out := outcome{err: fmt.Errorf("modelref: %s: %w", c.info.category, errGoroutineEnded)}
		defer func() { c.end(f, out) }()
		out = c.load(f)
	}()
}

// end publishes the result of a flight and starts the next one.
func (c *categoryCache) end(f *flight, out outcome) {
	if next := c.state.finish(f, out); next != nil {
		c.start(next)
	}
}

// load runs one load with its time budget. It ends with the budget or with the Client, and not with the context of a caller.
func (c *categoryCache) load(f *flight) outcome {
	if c.state.accepted(f.options) != nil { // the previous load has the result already
		return outcome{doc: c.state.last()}
	}
	budget := c.client.config.retry.MaxDuration - c.client.clock.Age(f.created)
	ctx, cancel := context.WithTimeout(detachedContext{c.client.base, f.caller}, budget)
	defer cancel()
	l := &loader{categoryCache: c, ctx: ctx, flight: f, options: f.options, store: c.client.openStore(ctx, c)}
	out := l.run()
	if c.client.base.Err() != nil && (out.err != nil || out.doc.ref.meta().stale) {
		return outcome{err: errClosed}
	}
	return out
}

// wait waits for the result of a flight. If there is a usable copy, it waits no longer than patience permits.
func (c *categoryCache) wait(ctx context.Context, f *flight, o readOptions) (anyDocument, error) {
	var impatient <-chan time.Time
	if patience, limited := c.patience(ctx, f, o); limited {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		impatient = timer.C
	}
	var usable <-chan struct{}
	for {
		select {
		case <-f.done:
			return f.ref, f.err
		case <-ctx.Done():
			return nil, c.interrupted(ctx)
		case <-impatient:
			select {
			case <-f.done:
				return f.ref, f.err
			default:
			}
			if ref := c.copyMeanwhile(f); ref != nil {
				c.hit(ref)
				return ref, nil
			}
			impatient, usable = nil, f.usable
		case <-usable:
			if ref := c.copyMeanwhile(f); ref != nil {
				c.hit(ref)
				return ref, nil
			}
			usable = nil
		}
	}
}

// patience returns how long a caller waits for a flight if there is a usable copy: until the refresh wait has passed since
// the load began, or until shortly before the caller's deadline. A refresh waits until its deadline, and a watch waits for the
// result: limited is then false.
func (c *categoryCache) patience(ctx context.Context, f *flight, o readOptions) (patience time.Duration, limited bool) {
	if o.strict {
		return 0, false
	}
	if !o.refresh {
		patience, limited = c.client.config.refreshWait-c.client.clock.Age(f.created), true
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		left -= min(left/8, 50*time.Millisecond)
		if !limited || left < patience {
			patience, limited = left, true
		}
	}
	return max(patience, 0), limited
}

// interrupted returns the error of a caller whose context has ended.
func (c *categoryCache) interrupted(ctx context.Context) error {
	return fmt.Errorf("modelref: %s: %w", c.info.category, contextError(ctx, nil))
}

func (c *categoryCache) hit(ref anyDocument) {
	c.state.counters.hits.Add(1)
	if c.client.config.observer != nil {
		c.observeHit(ref)
	}
}

func (c *categoryCache) observeHit(ref anyDocument) {
	m := ref.meta()
	c.client.observe(Event{
		Kind: EventHit, Category: c.info.category, Source: m.origin, Records: ref.Len(), Stale: m.stale,
	})
}
