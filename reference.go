// Reference: the records of one category as they were read from one source at one time.

package modelref

import (
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"reflect"
	"sync/atomic"
	"time"
)

// Origin says which kind of source a reference was read from.
type Origin uint8

// The kinds of source, the best first.
const (
	// OriginNone is the Origin of no source: that of the zero Reference and of references made from records.
	OriginNone Origin = iota
	// OriginPrimary is the PRIMARY, the service itself.
	OriginPrimary
	// OriginGitHub is the legacy file in a GitHub repository, converted.
	OriginGitHub
	// OriginDisk is the copy in the cache directory.
	OriginDisk
	// OriginStore is the copy in the Store of WithStore.
	OriginStore
	// OriginBootstrap is the document that the program brought along.
	OriginBootstrap
)

// String returns the name of the origin, as "primary" or "github".
func (o Origin) String() string {
	switch o {
	case OriginPrimary:
		return "primary"
	case OriginGitHub:
		return "github"
	case OriginDisk:
		return "disk"
	case OriginStore:
		return "store"
	case OriginBootstrap:
		return "bootstrap"
	default:
		return "none"
	}
}

// Reference holds the records of one category as they were read from one source at one time. It never changes and is
// safe for concurrent use; so are its records, which are shared and read-only (see their Clone).
type Reference[R Record] struct {
	about
	data *records[R]
	over *laidOver[R] // nil where nothing was laid over the canonical records
}

// about is what a reference knows of where it came from.
type about struct {
	category    Category
	origin      Origin
	stale       bool
	fetchedAt   time.Time
	confirmedAt time.Time
	rejected    []RecordError
}

// Category returns the category that the records are of.
func (a *about) Category() Category { return a.category }

// Origin returns the kind of source that the document was read from.
func (a *about) Origin() Origin { return a.origin }

// FetchedAt returns when the document came off the network. For a copy on disk that is when it was written, and for a
// bootstrap document that does not say, the zero time.
func (a *about) FetchedAt() time.Time { return a.fetchedAt }

// ConfirmedAt returns when its source last said that this is its present state: FetchedAt, or the time of a later
// answer that nothing had changed.
func (a *about) ConfirmedAt() time.Time { return a.confirmedAt }

// Stale reports whether the reference was served though no source had confirmed it in time, so that it may be behind: none
// could be asked, none answered, one said for the first time that there are no records any more, or the answer is still on
// its way (RefreshInBackground).
func (a *about) Stale() bool { return a.stale }

// Rejected returns the records that were left out because they did not decode or convert, and the names that came more
// than once. The slice is shared: read it only.
func (a *about) Rejected() []RecordError { return a.rejected }

// Len returns the number of records.
func (r *Reference[R]) Len() int {
	if r == nil || r.data == nil {
		return 0
	}
	return len(r.data.list)
}

// Get returns the record of that name and true, or nil and false. The record is shared and read-only.
func (r *Reference[R]) Get(name string) (*R, bool) {
	if r == nil || r.data == nil {
		return nil, false
	}
	return r.data.lookup(name)
}

// All yields the records by name, in the document's order. They are shared and read-only.
func (r *Reference[R]) All() iter.Seq2[string, *R] {
	return func(yield func(string, *R) bool) {
		for i := range r.Len() {
			if !yield(r.data.name(i), &r.data.list[i]) {
				return
			}
		}
	}
}

// Names returns the names of all records, in the document's order.
func (r *Reference[R]) Names() []string {
	out := make([]string, r.Len())
	for i := range out {
		out[i] = r.data.name(i)
	}
	return out
}

func (r *Reference[R]) meta() *about { return &r.about }

func (r *Reference[R]) with(a about) anyReference { return &Reference[R]{about: a, data: r.data} }

func (r *Reference[R]) sameRecords(other anyReference) bool {
	o, ok := other.(*Reference[R])
	return ok && o.data == r.data
}

func (r *Reference[R]) text() string { return r.data.document }

func (r *Reference[R]) each(visit func(string, any)) {
	for name, record := range r.All() {
		visit(name, record)
	}
}

// models returns the same reference with the common fields of its records alone. They are copied once.
func (r *Reference[R]) models() *Reference[ModelRecord] {
	if same, ok := any(r).(*Reference[ModelRecord]); ok {
		return same
	}
	copied := r.data.models.Load()
	if copied == nil {
		list := make([]ModelRecord, len(r.data.list))
		for i := range list {
			list[i] = *r.data.common(&r.data.list[i])
		}
		r.data.models.CompareAndSwap(nil, &records[ModelRecord]{
			document: r.data.document, list: list, keys: r.data.keys, common: (*ModelRecord).common,
			table: r.data.table, seed: r.data.seed,
		})
		copied = r.data.models.Load()
	}
	return &Reference[ModelRecord]{about: r.about, data: copied}
}

// Verify reports which records have been written to since they were decoded, by decoding the document again and
// comparing. It returns nil where none has, which is as it should be: records are shared and read-only. It takes as
// long as decoding, and is meant for tests.
func (r *Reference[R]) Verify() error {
	if r == nil || r.data == nil || r.data.document == "" {
		return nil
	}
	again, err := decoders[r.category](r.data.document, about{category: r.category})
	if err != nil {
		return err
	}
	pristine := map[string]any{}
	again.each(func(name string, record any) { pristine[name] = record })
	var errs []error
	r.each(func(name string, record any) {
		if _, ok := record.(*ModelRecord); ok {
			pristine[name] = pristine[name].(interface{ common() *ModelRecord }).common()
		}
		if !reflect.DeepEqual(record, pristine[name]) {
			errs = append(errs, fmt.Errorf("modelref: %s: the record %q was written to: records are shared, Clone it first",
				r.category, name))
		}
	})
	if copied := r.data.models.Load(); copied != nil {
		errs = append(errs, (&Reference[ModelRecord]{about: r.about, data: copied}).Verify())
	}
	return errors.Join(errs...)
}

// records are the decoded records of one document, and the index of their names.
type records[R Record] struct {
	document string
	list     []R
	keys     []string // the names in the document, nil where every record states its own
	common   func(*R) *ModelRecord
	table    []uint32 // open addressing: bits of the hash above 1 + the place in list, 0 for none
	seed     maphash.Seed

	models  atomic.Pointer[records[ModelRecord]] // what models has copied
	columns columns[R]
}

func (d *records[R]) name(i int) string {
	if d.keys != nil {
		return d.keys[i]
	}
	return d.common(&d.list[i]).Name
}

// slot returns the place in the table of the name, or the free one where it would stand, and the bits of its hash that an
// entry has above the place of the record: names that stand in each other's way are hardly ever looked at.
func (d *records[R]) slot(name string) (at, tag uint32) {
	hash := maphash.String(d.seed, name)
	mask := uint32(len(d.table) - 1)                    //nolint:gosec // fewer than 2³² records
	at, tag = uint32(hash)&mask, uint32(hash>>32)&^mask //nolint:gosec // the bits that are wanted
	for {
		entry := d.table[at]
		if entry == 0 || entry&^mask == tag && d.name(int(entry&mask-1)) == name {
			return at, tag
		}
		at = (at + 1) & mask
	}
}

// index builds the table, half full at most, and reports whether a name comes twice.
func (d *records[R]) index() (repeated bool) {
	size := 2
	for size < 2*len(d.list) {
		size *= 2
	}
	d.table, d.seed = make([]uint32, size), maphash.MakeSeed()
	for i := range d.list {
		at, tag := d.slot(d.name(i))
		repeated = repeated || d.table[at] != 0
		d.table[at] = tag | uint32(i+1)
	}
	return repeated
}

func (d *records[R]) lookup(name string) (*R, bool) {
	at, _ := d.slot(name)
	if entry := d.table[at]; entry != 0 {
		return &d.list[int(entry)&(len(d.table)-1)-1], true
	}
	return nil, false
}
