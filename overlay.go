// Overlays: records of a second source laid over the canonical ones, for one read.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// OverlaySource gives records to lay over the canonical ones.
type OverlaySource interface {
	// Overlay returns a v2 document: a JSON object of records by name. It is asked once for every read WithOverlay.
	Overlay(ctx context.Context, category Category) ([]byte, error)
}

// OverlayFunc is a function as an OverlaySource.
type OverlayFunc func(ctx context.Context, category Category) ([]byte, error)

// Overlay calls f.
func (f OverlayFunc) Overlay(ctx context.Context, category Category) ([]byte, error) {
	return f(ctx, category)
}

// Pending returns the source of the records that wait at the PRIMARY for approval. It needs WithAPIKey, and the network
// at every read. It can be asked through a Client alone.
func Pending() OverlaySource { return pendingSource{} }

type pendingSource struct{}

func (pendingSource) Overlay(context.Context, Category) ([]byte, error) {
	return nil, fmt.Errorf("%w: pending records are read through a Client", ErrNotConfigured)
}

// WithOverlay lays the records of sources over the canonical ones, for this read alone: a record of a later source takes
// the place of one of the same name. The sources are asked side by side, also where the category is in memory. One that
// fails is left out and listed by Overlays, and never takes the canonical records with it.
func WithOverlay(sources ...OverlaySource) LoadOption {
	return func(o *loadOptions) { o.overlays = append(o.overlays, sources...) }
}

// OverlayStatus is what came of one source that was laid over a reference.
type OverlayStatus struct {
	// Name says which it was: "pending", or the Go type of the source.
	Name string
	// Records is how many records it gave.
	Records int
	// Replaced are the names that took the place of a record of an earlier source, in the source's order.
	Replaced []string
	// Rejected are the records of it that did not decode.
	Rejected []RecordError
	// Err is why it gave nothing, or nil.
	Err error
}

// Overlays returns what came of the sources that the read laid over the canonical records, in their order; none for a
// read without WithOverlay. The slice is shared: read it only.
func (r *Reference[R]) Overlays() []OverlayStatus {
	if r == nil || r.over == nil {
		return nil
	}
	return r.over.statuses
}

// laidOver is what a read has laid over the canonical records.
type laidOver[R Record] struct {
	statuses []OverlayStatus
	source   map[*R]int // which of them a record is of; the canonical ones are not in it
}

// SourceOf returns where the record of that name comes from: the Origin of the reference as text, or the name of the
// overlay. It returns "" where there is no such record.
func (r *Reference[R]) SourceOf(name string) string {
	record, ok := r.Get(name)
	if !ok {
		return ""
	}
	if r.over != nil {
		if i, ok := r.over.source[record]; ok {
			return r.over.statuses[i].Name
		}
	}
	return r.origin.String()
}

// layOver lays the sources over ref.
func layOver[R Record](
	ctx context.Context, s *categoryCache, ref *Reference[R], sources []OverlaySource, as func(anyReference) *Reference[R],
) (*Reference[R], error) {
	statuses := make([]OverlayStatus, len(sources))
	layers := make([]*Reference[R], len(sources))
	var wg sync.WaitGroup
	for i, source := range sources {
		wg.Go(func() { layers[i], statuses[i] = askOverlay(ctx, s, source, as) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, s.interrupted(ctx)
	}
	return lay(ref, layers, statuses), nil
}

// askOverlay asks one source for the category.
func askOverlay[R Record](
	ctx context.Context, s *categoryCache, source OverlaySource, as func(anyReference) *Reference[R],
) (*Reference[R], OverlayStatus) {
	status := OverlayStatus{Name: fmt.Sprintf("%T", source)}
	category := s.facts.category
	var document []byte
	switch source.(type) {
	case nil:
		status.Err = fmt.Errorf("%w: no source given", ErrNotConfigured)
	case pendingSource:
		status.Name = "pending"
		document, status.Err = s.client.pendingDocument(ctx, category)
	default:
		document, status.Err = source.Overlay(ctx, category)
	}
	if status.Err != nil {
		status.Err = fmt.Errorf("modelref: %s: overlay %s: %w", category, status.Name, status.Err)
		return nil, status
	}
	decoded, err := s.decode(string(document), about{category: category})
	if err != nil {
		status.Err = fmt.Errorf("modelref: %s: overlay %s: %w", category, status.Name, err)
		return nil, status
	}
	status.Records, status.Rejected = decoded.Len(), decoded.meta().rejected
	return as(decoded), status
}

// pendingDocument reads the records of a category that wait for approval.
func (c *Client) pendingDocument(ctx context.Context, category Category) ([]byte, error) {
	if c.config.apiKey == nil {
		return nil, errors.New("pending records need an API key: see WithAPIKey")
	}
	resp, err := c.answer(ctx, atV2("pending", string(category), "pending"))
	if err != nil {
		return nil, err
	}
	return []byte(resp.body), nil
}

// lay returns a reference of copies of the records of ref and of the layers, the later over the earlier.
func lay[R Record](ref *Reference[R], layers []*Reference[R], statuses []OverlayStatus) *Reference[R] {
	data := &records[R]{common: ref.data.common}
	from := []int{}
	place := map[string]int{}
	put := func(name string, record *R, source int) (replaced bool) {
		at, replaced := place[name]
		if !replaced {
			at = len(data.list)
			place[name] = at
			data.list, data.keys, from = append(data.list, *record), append(data.keys, name), append(from, source)
		}
		data.list[at], from[at] = *record, source
		return replaced
	}
	for name, record := range ref.All() {
		put(name, record, -1)
	}
	for i, over := range layers {
		if over == nil {
			continue
		}
		for name, record := range over.All() {
			if put(name, record, i) {
				statuses[i].Replaced = append(statuses[i].Replaced, name)
			}
		}
	}
	data.index()
	over := &laidOver[R]{statuses: statuses, source: map[*R]int{}}
	for i := range data.list {
		if from[i] >= 0 {
			over.source[&data.list[i]] = from[i]
		}
	}
	return &Reference[R]{about: ref.about, data: data, over: over}
}
