// Overlays: records of another source that replace or complete the canonical records, for one read.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// An OverlaySource provides records that are laid over the canonical records. If it is a [fmt.Stringer], OverlayStatus
// has the string as the name of the source. See package api for the source of pending records.
type OverlaySource interface {
	// Document returns a v2 document: a JSON object of records by name. It is called once for each read WithOverlay,
	// possibly concurrently.
	Document(ctx context.Context, category Category) ([]byte, error)
}

// An OverlayFunc is a function that is an OverlaySource.
type OverlayFunc func(ctx context.Context, category Category) ([]byte, error)

// Document calls f.
func (f OverlayFunc) Document(ctx context.Context, category Category) ([]byte, error) {
	return f(ctx, category)
}

// WithOverlay lays the records of sources over the canonical records, for this read only. A record of a later source
// replaces a record of the same name. All sources are called concurrently, even if the category is already in memory. If
// a source fails, its records are left out and its error is listed by Overlays; the canonical records are returned. The
// time of the sources is limited only by the caller's context.
func WithOverlay(sources ...OverlaySource) LoadOption {
	return func(o *readOptions) { o.overlays = append(o.overlays, sources...) }
}

// OverlayStatus is the result of one source that was laid over a reference.
type OverlayStatus struct {
	// Name is the name of the source: its String if it is a fmt.Stringer, otherwise its Go type.
	Name string
	// Records is the number of records that the source has.
	Records int
	// Replaced are the names of the records that replaced a record of an earlier source, in the source's order.
	Replaced []string
	// Rejected are the records of the source that could not be decoded.
	Rejected []RecordError
	// Err is the reason why the source has no records, or nil.
	Err error
}

// Overlays returns the results of the sources of WithOverlay, in their order. It returns nil if the read had no overlay.
// The slice is shared: do not write to it.
func (r *Reference[R]) Overlays() []OverlayStatus {
	if r == nil || r.over == nil {
		return nil
	}
	return r.over.statuses
}

// overlayResult is what a read has laid over the canonical records.
type overlayResult[R Record] struct {
	statuses []OverlayStatus
	source   map[*R]int // the index of the status of a record's source; canonical records are not in it
}

// models returns the same result for copied, which are the common fields of the records of own.
func (o *overlayResult[R]) models(own *records[R], copied *records[ModelRecord]) *overlayResult[ModelRecord] {
	if o == nil {
		return nil
	}
	out := &overlayResult[ModelRecord]{statuses: o.statuses, source: make(map[*ModelRecord]int, len(o.source))}
	for i := range own.list {
		if status, ok := o.source[&own.list[i]]; ok {
			out.source[&copied.list[i]] = status
		}
	}
	return out
}

// SourceOf returns where the record of that name comes from: the Source of the reference as text, or the name of the
// overlay. It returns "" if there is no such record.
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

// overlaid returns the reference with the records of the sources laid over it.
func (r *Reference[R]) overlaid(ctx context.Context, s *categoryCache, sources []OverlaySource) (anyReference, error) {
	ref, err := r.applyOverlays(ctx, s, sources)
	if err != nil {
		return nil, err
	}
	return ref, nil
}

// applyOverlays returns the reference with the records of the sources laid over it.
func (r *Reference[R]) applyOverlays(ctx context.Context, s *categoryCache, sources []OverlaySource) (*Reference[R], error) {
	statuses := make([]OverlayStatus, len(sources))
	layers := make([]*Reference[R], len(sources))
	var wg sync.WaitGroup
	for i, source := range sources {
		wg.Go(func() { layers[i], statuses[i] = readOverlay[R](ctx, s, source) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, s.interrupted(ctx)
	}
	return mergeLayers(r, layers, statuses), nil
}

// readOverlay reads and decodes the category of one source.
func readOverlay[R Record](ctx context.Context, s *categoryCache, source OverlaySource) (*Reference[R], OverlayStatus) {
	status := OverlayStatus{Name: overlayName(source)}
	category := s.info.category
	failed := func(err error) (*Reference[R], OverlayStatus) {
		status.Err = fmt.Errorf("modelref: %s: overlay %s: %w", category, status.Name, withoutPrefix(err))
		return nil, status
	}
	if source == nil {
		return failed(fmt.Errorf("%w: the source must not be nil", ErrNotConfigured))
	}
	document, err := source.Document(ctx, category)
	if err != nil {
		return failed(err)
	}
	decoded, err := s.decode(string(document), metadata{category: category})
	if err != nil {
		return failed(err)
	}
	status.Records, status.Rejected = decoded.Len(), decoded.meta().rejected
	return decoded.(*Reference[R]), status
}

// withoutPrefix returns err without the prefix of this package, for a source that uses a Client.
func withoutPrefix(err error) error {
	if inner := errors.Unwrap(err); inner != nil && err.Error() == "modelref: "+inner.Error() {
		return inner
	}
	return err
}

func overlayName(source OverlaySource) string {
	if named, ok := source.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", source)
}

// mergeLayers returns a reference with copies of the records of ref and of the layers. A later layer has precedence.
func mergeLayers[R Record](ref *Reference[R], layers []*Reference[R], statuses []OverlayStatus) *Reference[R] {
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
	over := &overlayResult[R]{statuses: statuses, source: map[*R]int{}}
	for i := range data.list {
		if from[i] >= 0 {
			over.source[&data.list[i]] = from[i]
		}
	}
	return &Reference[R]{metadata: ref.metadata, data: data, over: over}
}
