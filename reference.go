// Reference: the records of one category as they were read from one source at one time.

package modelref

import (
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/columns"
)

// Source says which kind of source a reference was read from.
type Source uint8

// The kinds of source, the best first.
const (
	// SourceNone is the Source of no source: that of the zero Reference and of references made from records.
	SourceNone Source = iota
	// SourcePrimary is the PRIMARY, the service itself.
	SourcePrimary
	// SourceGitHub is the legacy file in a GitHub repository, converted.
	SourceGitHub
	// SourceDisk is the copy in the cache directory.
	SourceDisk
	// SourceStore is the copy in the Store of WithStore.
	SourceStore
	// SourceBootstrap is the document that the program brought along.
	SourceBootstrap
)

// Reference holds the records of one category as they were read from one source at one time. It never changes and is
// safe for concurrent use; so are its records, which are shared and read-only (see their Clone).
type Reference[R Record] struct {
	metadata
	data  *records[R]
	over  *overlayResult[R] // nil if nothing was laid over the canonical records
	typed anyReference      // the reference that models has copied, with all fields; otherwise nil
}

// metadata describes where a reference came from.
type metadata struct {
	category    Category
	origin      Source // where the document was read
	network     Source // where it came from originally, if it was read from a store
	stale       bool
	strict      bool  // its confirmation may be taken by a watch
	fallback    error // why it does not come from the PRIMARY
	fetchedAt   time.Time
	confirmedAt clock.Instant
	rejected    []RecordError
}

// source returns the origin on the network.
func (m *metadata) source() Source {
	if m.network != SourceNone {
		return m.network
	}
	return m.origin
}

// Category returns the category of the records.
func (m *metadata) Category() Category { return m.category }

// Source returns where the document in memory was read from. If a copy from the disk was confirmed by the PRIMARY, it is still
// SourceDisk: use FallbackReason to learn whether the PRIMARY has confirmed the data.
func (m *metadata) Source() Source { return m.origin }

// FetchedAt returns when the document was requested from its source. It returns the modification time for a bootstrap
// document and for a copy that another program wrote, and the zero time if that is unknown.
func (m *metadata) FetchedAt() time.Time { return m.fetchedAt }

// ConfirmedAt returns when a source last confirmed that this is its current state. For a bootstrap, and for a file that another
// program wrote to the cache directory, it is the modification time, or the zero time if that is unknown or in the future.
func (m *metadata) ConfirmedAt() time.Time { return m.confirmedAt.Time() }

// Stale reports whether no source confirmed the data within the TTL, so that it may be out of date: no source could be asked, no
// source responded, a source said for the first time that it has no records any more, or the load has not ended yet (see
// [WithRefreshWait]). [Reference.FallbackReason] returns the reason.
func (m *metadata) Stale() bool { return m.stale }

// FallbackReason returns why the reference does not come from the PRIMARY or is stale. It returns nil if the
// PRIMARY has returned or confirmed the reference within the TTL, and for a reference made by [DecodeDocument]. It can wrap an *[APIError], for example if the base
// URL of the PRIMARY is wrong.
func (m *metadata) FallbackReason() error { return m.fallback }

// Rejected returns the records that were left out because they could not be decoded or converted, and the names that occur
// more than once. The slice is shared and must not be modified.
func (m *metadata) Rejected() []RecordError { return m.rejected }

// Len returns the number of records.
func (r *Reference[R]) Len() int {
	if r == nil || r.data == nil {
		return 0
	}
	return len(r.data.list)
}

// Get returns the record with the given name and true, or nil and false. A record is found by its key in the document. If
// no key equals the name, a record is found by the name that it states itself, provided that only one record states it,
// or by a known alias of its key or its name. The record is shared and read-only.
func (r *Reference[R]) Get(name string) (*R, bool) {
	if r == nil || r.data == nil {
		return nil, false
	}
	if record, ok := r.data.lookup(name); ok {
		return record, true
	}
	return r.byAlias(name)
}

// recordAliases lists the names that the service's deployments use for the same record.
var recordAliases = map[Category][][]string{
	CategoryControlNet: {{"control_qr_sdxl", "control_qr_xl"}},
}

// byAlias returns the record of which name is an alias.
func (r *Reference[R]) byAlias(name string) (*R, bool) {
	for _, names := range recordAliases[r.category] {
		if !slices.Contains(names, name) {
			continue
		}
		for _, other := range names {
			if record, ok := r.data.lookup(other); ok {
				return record, true
			}
		}
	}
	return nil, false
}

// byKey returns the record with that key in the document.
func (r *Reference[R]) byKey(key string) (*R, bool) {
	if r == nil || r.data == nil {
		return nil, false
	}
	return r.data.byKey(key)
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

func (r *Reference[R]) meta() *metadata { return &r.metadata }

func (r *Reference[R]) with(m metadata) anyDocument {
	return &Reference[R]{metadata: m, data: r.data, typed: r.typed}
}

func (r *Reference[R]) sameContent(other anyDocument) bool {
	o, ok := other.(*Reference[R])
	return ok && o.data == r.data
}

func (r *Reference[R]) text() string { return r.data.document }

func (r *Reference[R]) each(visit func(string, any)) {
	for name, record := range r.All() {
		visit(name, record)
	}
}

// models returns the same reference with only the common fields of its records. They are copied once.
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
			table: r.data.table, seed: r.data.seed, ownNames: r.data.ownNames,
		})
		copied = r.data.models.Load()
	}
	return &Reference[ModelRecord]{metadata: r.metadata, data: copied, over: r.over.models(r.data, copied), typed: r}
}

// CheckUnmodified returns an error that lists the records that were modified since they were decoded. It decodes the document again
// and compares the records. It returns nil if no record was modified, as it must be, because records are shared and
// read-only. It takes as long as decoding and is meant for tests.
func (r *Reference[R]) CheckUnmodified() error {
	if r == nil || r.data == nil || r.data.document == "" {
		return nil
	}
	again, err := recordTypes[r.category].decode(r.data.document, metadata{category: r.category})
	if err != nil {
		return err
	}
	type keyed struct {
		key    string
		record any
	}
	var pristine []keyed // in the same order as the records: a modified record may have another name
	again.each(func(key string, record any) { pristine = append(pristine, keyed{key, record}) })
	var errs []error
	at := 0
	r.each(func(_ string, record any) {
		want := pristine[at]
		at++
		if _, ok := record.(*ModelRecord); ok {
			want.record = want.record.(interface{ common() *ModelRecord }).common()
		}
		if !reflect.DeepEqual(record, want.record) {
			errs = append(errs, fmt.Errorf("modelref: %s: record %q was modified: records are shared, modify a Clone", r.category, want.key))
		}
	})
	if copied := r.data.models.Load(); copied != nil {
		errs = append(errs, (&Reference[ModelRecord]{metadata: r.metadata, data: copied}).CheckUnmodified())
	}
	return errors.Join(errs...)
}

// records are the decoded records of one document, with an index of their keys.
type records[R Record] struct {
	document string
	list     []R
	keys     []string // the keys in the document, nil if every record states its key as its name
	common   func(*R) *ModelRecord
	table    []uint32 // open addressing: bits of the hash above 1 + the index in list, or 0 for a free slot
	seed     maphash.Seed
	ownNames map[string]int // the index in list of the records whose own name is unique and is not a key

	models  atomic.Pointer[records[ModelRecord]] // the copies that models returns
	columns columns.Set[R]
	names   nameIndexes
}

func (d *records[R]) name(i int) string {
	if d.keys != nil {
		return d.keys[i]
	}
	return d.common(&d.list[i]).Name
}

// slot returns the index of the key in the table, or the free slot for it. tag has the bits of the hash that an entry holds
// above the index of its record, so that other keys are hardly ever compared.
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

// index builds the table, at most half full, and the index of own names. It reports whether a key is repeated.
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
	d.indexOwnNames()
	return repeated
}

// indexOwnNames indexes the records that state another name than their key.
func (d *records[R]) indexOwnNames() {
	d.ownNames = nil
	for i, key := range d.keys {
		name := d.common(&d.list[i]).Name
		if name == key {
			continue
		}
		if _, isKey := d.byKey(name); isKey {
			continue
		}
		if d.ownNames == nil {
			d.ownNames = map[string]int{}
		}
		if _, repeated := d.ownNames[name]; repeated {
			i = -1
		}
		d.ownNames[name] = i
	}
}

// lookup returns the record with that key or, if there is no such key, with that unique own name.
func (d *records[R]) lookup(name string) (*R, bool) {
	if record, ok := d.byKey(name); ok {
		return record, true
	}
	if i, ok := d.ownNames[name]; ok && i >= 0 {
		return &d.list[i], true
	}
	return nil, false
}

func (d *records[R]) byKey(key string) (*R, bool) {
	at, _ := d.slot(key)
	if entry := d.table[at]; entry != 0 {
		return &d.list[int(entry)&(len(d.table)-1)-1], true
	}
	return nil, false
}
