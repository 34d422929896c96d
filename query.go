// The fluent, immutable query: what it is made of, what it reads, and the terminals that answer it.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
)

// ErrNotUnique says that a query has more than one answer where one was asked for.
var ErrNotUnique = errors.New("more than one record")

// Source is what a query reads: a category's service, a loaded *Reference, or what Records makes of a slice.
type Source[R Record] interface {
	// rows returns the records to query. Only a service's touches the network.
	rows(ctx context.Context) (rows[R], error)
}

// rows are the records that a query reads, in this order.
type rows[R Record] struct {
	slab    []R
	slabs   [][]R
	singles []*R
	missing error // what could not be read, where the rest is to be answered all the same
}

func (r *rows[R]) len() int {
	n := len(r.slab) + len(r.singles)
	for _, slab := range r.slabs {
		n += len(slab)
	}
	return n
}

func (r *Reference[R]) rows(context.Context) (rows[R], error) {
	if r.Len() == 0 {
		return rows[R]{}, nil
	}
	return rows[R]{slab: r.data.list}, nil
}

func (s *Service[R]) rows(ctx context.Context) (rows[R], error) {
	ref, err := s.Load(ctx)
	if err != nil {
		return rows[R]{}, err
	}
	return ref.rows(ctx)
}

type recordSource[R Record] []*R

func (s recordSource[R]) rows(context.Context) (rows[R], error) { return rows[R]{singles: s}, nil }

// Records returns a source of the records of a slice, in its order, for queries that need neither client nor network.
// The slice is copied, the records are not. A nil record is left out.
func Records[R Record](records []*R) Source[R] {
	kept := make(recordSource[R], 0, len(records))
	for _, r := range records {
		if r != nil {
			kept = append(kept, r)
		}
	}
	return kept
}

// Queryable is a query over records R: Query[R] and every type that embeds one. Distinct and GroupBy take it.
type Queryable[R Record] interface {
	plan() Query[R]
}

// Query asks for records of one type. Make one with NewQuery, with the Query of a service or of a Reference, or with
// QueryRecords. It is immutable: Where, OrderBy, Limit and Offset return a new query and leave the one that they are
// called on as it was, so that it can be kept, branched and used from many goroutines.
//
// The terminals All, First, Only, Count, Exists and Iter read the source and answer. Only they touch the network, where
// the source is a service whose category is not fresh in memory. They return what is wrong with the query, all of it
// joined, as ErrInvalidQuery without reading anything; else the error of the source, as Service.Load describes it. The
// records that they return are shared and read-only.
//
// The answer is made in this order: the records of the source in their order, those that every Where keeps, ordered
// by OrderBy, without the first Offset, and of those the first Limit.
type Query[R Record] struct {
	source  Source[R]
	where   []Predicate[R] // each with a test and a scan
	orders  []func(a, b *R) int
	offset  int
	limit   int
	limited bool
	errs    []error
}

// NewQuery returns a query over all records of the source.
func NewQuery[R Record](source Source[R]) Query[R] { return Query[R]{source: source} }

// QueryRecords returns a query over the records of a slice, in its order. It needs neither client nor network. The
// slice is copied, the records are not.
func QueryRecords[R Record](records []*R) Query[R] { return NewQuery(Records(records)) }

// Query returns a query over the records of the reference, in the document's order. Its terminals do not touch the
// network. QueryImages, QueryTexts and their like return one with the helpers of the category.
func (r *Reference[R]) Query() Query[R] { return NewQuery[R](r) }

// Query returns a query over the category. Its terminals read the category as Load does.
func (s *Service[R]) Query() Query[R] { return NewQuery[R](s) }

// Where keeps the records that all the predicates keep, and that every other Where keeps.
func (q Query[R]) Where(predicates ...Predicate[R]) Query[R] {
	q.where = slices.Clone(q.where) // so that no branch sees another's
	for _, p := range predicates {
		if p.err != nil {
			q = q.wrong(p.err)
		}
		if p.test != nil {
			p.scan = p.scanner()
			q.where = insert(q.where, p)
		}
	}
	return q
}

// OrderBy orders the answer by the first order, records that are equal in it by the second, and so on; those that are
// equal in all stay in the source's order. It replaces an earlier OrderBy; without any order it takes it away.
func (q Query[R]) OrderBy(orders ...Order[R]) Query[R] {
	q.orders = nil
	for _, o := range orders {
		if o.err != nil {
			q = q.wrong(o.err)
		}
		if o.compare != nil {
			q.orders = append(q.orders, o.compare)
		}
	}
	return q
}

// Limit keeps the first n records of the answer, after ordering and Offset. It replaces an earlier Limit. A negative n
// is ErrInvalidQuery at the terminal.
func (q Query[R]) Limit(n int) Query[R] {
	if n < 0 {
		return q.wrong(invalidQuery("Limit(%d): want 0 or more", n))
	}
	q.limit, q.limited = n, true
	return q
}

// Offset leaves out the first n records of the answer, after ordering. It replaces an earlier Offset. A negative n is
// ErrInvalidQuery at the terminal.
func (q Query[R]) Offset(n int) Query[R] {
	if n < 0 {
		return q.wrong(invalidQuery("Offset(%d): want 0 or more", n))
	}
	q.offset = n
	return q
}

// wrong notes what is wrong with the query, for the terminal.
func (q Query[R]) wrong(err error) Query[R] {
	q.errs = append(slices.Clip(q.errs), err)
	return q
}

func (q Query[R]) plan() Query[R] { return q }

// All returns the records of the answer; the slice is the caller's own and not nil. The records are shared and
// read-only.
func (q Query[R]) All(ctx context.Context) ([]*R, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, err
	}
	return q.collect(rows), rows.missing
}

// First returns the first record of the answer, as if Limit(1) were the last Limit, so that even Limit(0) does not keep
// it back. The error is ErrNotFound where there is none.
func (q Query[R]) First(ctx context.Context) (*R, error) {
	found, missing, err := q.firsts(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("modelref: query: %w", ErrNotFound), missing)
	}
	return found[0], missing
}

// Only returns the one record of the answer. The error is ErrNotFound where there is none, and ErrNotUnique where there
// are several.
func (q Query[R]) Only(ctx context.Context) (*R, error) {
	limit := 2 // enough to see that there are several
	if q.limited {
		limit = min(limit, q.limit)
	}
	found, missing, err := q.firsts(ctx, limit)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, errors.Join(fmt.Errorf("modelref: query: %w", ErrNotFound), missing)
	case len(found) > 1:
		return nil, errors.Join(fmt.Errorf("modelref: query: %w", ErrNotUnique), missing)
	}
	return found[0], missing
}

// firsts returns the first records of the answer, n at most.
func (q Query[R]) firsts(ctx context.Context, n int) (found []*R, missing, err error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	q.limit, q.limited = n, true
	return q.collect(rows), rows.missing, nil
}

// Count returns the number of records of the answer, after Offset and Limit.
func (q Query[R]) Count(ctx context.Context) (int, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	q.stream(rows, false, func(*R) bool { n++; return true })
	return n, rows.missing
}

// Exists reports whether the answer has a record.
func (q Query[R]) Exists(ctx context.Context) (bool, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return false, err
	}
	found := false
	q.stream(rows, true, func(*R) bool { found = true; return false })
	return found, rows.missing
}

// Iter yields the records of the answer. An error comes once, with a nil record, and is the last. Each range over it
// reads the source anew. Without OrderBy the records are looked at as the range goes on, so that leaving it early saves
// the rest.
func (q Query[R]) Iter(ctx context.Context) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		rows, err := q.read(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		stopped := false
		each := func(r *R) bool { stopped = !yield(r, nil); return !stopped }
		if len(q.orders) == 0 {
			q.stream(rows, true, each)
		} else {
			for _, r := range q.collect(rows) {
				if !each(r) {
					break
				}
			}
		}
		if rows.missing != nil && !stopped {
			yield(nil, rows.missing)
		}
	}
}

// read checks the query and reads its source.
func (q *Query[R]) read(ctx context.Context) (rows[R], error) {
	errs := q.errs
	if q.source == nil {
		errs = append(slices.Clip(errs), invalidQuery("it has no source: make it with NewQuery, or the Query of a service"))
	}
	if len(errs) > 0 {
		return rows[R]{}, errors.Join(errs...)
	}
	if err := ctx.Err(); err != nil {
		return rows[R]{}, fmt.Errorf("modelref: query: %w", err)
	}
	return q.source.rows(ctx)
}

// collect returns the records of the answer.
func (q *Query[R]) collect(rows rows[R]) []*R {
	if len(q.orders) > 0 {
		return q.collectOrdered(rows)
	}
	out := []*R{}
	q.stream(rows, false, func(r *R) bool { out = append(out, r); return true })
	return out
}

// stream gives the records of the answer to visit in the source's order, until it returns false.
// A visit that is known to stop early makes it hurried.
func (q *Query[R]) stream(rows rows[R], hurried bool, visit func(*R) bool) {
	if q.limited && q.limit == 0 {
		return
	}
	skip, left := q.offset, q.end()-q.offset
	first := 0
	if hurried || left <= singly {
		first = singly
	}
	q.matches(rows, first, func(r *R) bool {
		if skip > 0 {
			skip--
			return true
		}
		left--
		return visit(r) && left > 0
	})
}

// end returns how many matching records the answer takes from the first on, those that Offset leaves out included.
func (q *Query[R]) end() int {
	if !q.limited || q.limit > math.MaxInt-q.offset {
		return math.MaxInt
	}
	return q.offset + q.limit
}

// singly is how many records are looked at one by one where the answer may be complete after any of them.
const singly = 32

// selections holds memory for selections.
var selections = sync.Pool{New: func() any { return new([blockSize]uint16) }}

// matches gives the records that every predicate keeps to visit, until it returns false. After the first of a slab, as
// many as first says, it looks at a block of records at a time, which is faster for those who want many.
func (q *Query[R]) matches(rows rows[R], first int, visit func(*R) bool) {
	if !q.matchSlab(rows.slab, first, visit) {
		return
	}
	for _, slab := range rows.slabs {
		if !q.matchSlab(slab, first, visit) {
			return
		}
	}
	for _, r := range rows.singles {
		if q.keeps(r) && !visit(r) {
			return
		}
	}
}

// matchSlab gives the records of a slab that every predicate keeps to visit, and reports whether it wants more.
func (q *Query[R]) matchSlab(slab []R, first int, visit func(*R) bool) bool {
	first = min(first, len(slab))
	for i := range slab[:first] {
		if r := &slab[i]; q.keeps(r) && !visit(r) {
			return false
		}
	}
	if slab = slab[first:]; len(slab) == 0 {
		return true
	}
	memory := selections.Get().(*[blockSize]uint16)
	defer selections.Put(memory)
	for len(slab) > 0 {
		block := slab[:min(blockSize, len(slab))]
		slab = slab[len(block):]
		selection := everyPlace[:len(block)]
		for i := range q.where {
			selection = q.where[i].scan(block, selection, memory[:])
		}
		for _, i := range selection {
			if !visit(&block[i]) {
				return false
			}
		}
	}
	return true
}

func (q *Query[R]) keeps(r *R) bool {
	for i := range q.where {
		if !q.where[i].test(r) {
			return false
		}
	}
	return true
}

// place is a matching record and where it stands among all of them, which makes every ordering stable.
type place[R Record] struct {
	record *R
	at     int
}

func (q *Query[R]) compare(a, b place[R]) int {
	for _, order := range q.orders {
		if c := order(a.record, b.record); c != 0 {
			return c
		}
	}
	return a.at - b.at
}

// worthReserving is how many places are reserved at most before it is known how many records match.
const worthReserving = 256

// collectOrdered returns the records of the answer in the query's order. Where there is a limit it holds on to no more
// records than the answer takes, in a heap with the last of them on top, and sorts only those.
func (q *Query[R]) collectOrdered(rows rows[R]) []*R {
	end := q.end()
	if end == 0 || q.limited && q.limit == 0 {
		return []*R{}
	}
	var few [16]place[R]
	kept := few[:0]
	if q.limited && end > len(few) {
		kept = make([]place[R], 0, min(end, rows.len(), worthReserving))
	}
	seen := 0
	q.matches(rows, 0, func(r *R) bool {
		next := place[R]{r, seen}
		seen++
		switch {
		case len(kept) < end:
			kept = append(kept, next)
			if len(kept) == end {
				q.heapify(kept)
			}
		case q.compare(next, kept[0]) < 0:
			kept[0] = next
			q.siftDown(kept, 0)
		}
		return true
	})
	slices.SortFunc(kept, q.compare)
	kept = kept[min(q.offset, len(kept)):]
	out := make([]*R, len(kept))
	for i := range kept {
		out[i] = kept[i].record
	}
	return out
}

func (q *Query[R]) heapify(heap []place[R]) {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		q.siftDown(heap, i)
	}
}

// siftDown moves the element at i down until none below it comes later in the order.
func (q *Query[R]) siftDown(heap []place[R], i int) {
	for {
		last := 2*i + 1
		if last >= len(heap) {
			return
		}
		if right := last + 1; right < len(heap) && q.compare(heap[right], heap[last]) > 0 {
			last = right
		}
		if q.compare(heap[last], heap[i]) <= 0 {
			return
		}
		heap[i], heap[last] = heap[last], heap[i]
		i = last
	}
}

// Distinct returns the values that the field has in the records of the query's answer, each once, in the order in which
// they are first seen. An absent value is left out; of a ListField come the elements of the lists. The errors are those
// of the query's terminals.
func Distinct[R Record, V comparable](ctx context.Context, q Queryable[R], field FieldOf[R, V]) ([]V, error) {
	plan := withField(q.plan(), field)
	rows, err := plan.read(ctx)
	if err != nil {
		return nil, err
	}
	out, seen := []V{}, map[V]struct{}{}
	var values []V
	for _, r := range plan.collect(rows) {
		values = field.values(r, values[:0])
		for _, v := range values {
			if _, ok := seen[v]; !ok {
				seen[v] = struct{}{}
				out = append(out, v)
			}
		}
	}
	return out, rows.missing
}

// Group is the records of an answer that have one value in common.
type Group[R Record, K comparable] struct {
	// Key is the value, or the zero value where the records have none.
	Key K
	// Unset says that the records have no value.
	Unset bool
	// Records are the records in the order of the answer. They are shared and read-only.
	Records []*R
}

// GroupBy returns the records of the query's answer by the value of the field, the groups in the order in which they
// are first seen. The records without a value are one group of their own, which is Unset. By a ListField a record is in
// the group of each of its elements. The errors are those of the query's terminals.
func GroupBy[R Record, K comparable](ctx context.Context, q Queryable[R], field FieldOf[R, K]) ([]Group[R, K], error) {
	plan := withField(q.plan(), field)
	return groupBy(ctx, plan, func(r *R, into []K) []K { return field.values(r, into) })
}

// withField returns the query, and notes where the field is none.
func withField[R Record, V comparable](q Query[R], field FieldOf[R, V]) Query[R] {
	if field == nil || field.Name() == "" {
		return q.wrong(errZeroField())
	}
	return q
}

// groupBy groups by the values that a function appends.
func groupBy[R Record, K comparable](ctx context.Context, q Query[R], keys func(*R, []K) []K) ([]Group[R, K], error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, err
	}
	g := grouping[R, K]{at: map[K]int{}, unset: -1, groups: []Group[R, K]{}}
	var values []K
	for _, r := range q.collect(rows) {
		values = keys(r, values[:0])
		for i, key := range values {
			if !slices.Contains(values[:i], key) {
				g.add(key, r)
			}
		}
		if len(values) == 0 {
			g.addUnset(r)
		}
	}
	return g.groups, rows.missing
}

type grouping[R Record, K comparable] struct {
	groups []Group[R, K]
	at     map[K]int
	unset  int
}

func (g *grouping[R, K]) add(key K, r *R) {
	i, ok := g.at[key]
	if !ok {
		i = len(g.groups)
		g.at[key] = i
		g.groups = append(g.groups, Group[R, K]{Key: key})
	}
	g.groups[i].Records = append(g.groups[i].Records, r)
}

func (g *grouping[R, K]) addUnset(r *R) {
	if g.unset < 0 {
		g.unset = len(g.groups)
		g.groups = append(g.groups, Group[R, K]{Unset: true})
	}
	g.groups[g.unset].Records = append(g.groups[g.unset].Records, r)
}
