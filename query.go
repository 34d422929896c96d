// The fluent, immutable query: what it is made of, what it reads, and the terminals that answer it.

package modelref

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
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
	slab    slice[R]
	slabs   []slice[R]
	singles []*R
	missing error // what could not be read, where the rest is to be answered all the same
}

// slice is records that lie side by side, and the columns of them, where there are any.
type slice[R Record] struct {
	list    []R
	columns *columns[R]
}

func (r *rows[R]) len() int {
	n := len(r.slab.list) + len(r.singles)
	for i := range r.slabs {
		n += len(r.slabs[i].list)
	}
	return n
}

func (r *Reference[R]) rows(context.Context) (rows[R], error) {
	if r.Len() == 0 {
		return rows[R]{}, nil
	}
	return rows[R]{slab: slice[R]{r.data.list, &r.data.columns}}, nil
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
	where   []Predicate[R] // each with a test, and none with parts
	orders  []Order[R]
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
		q.where = appendParts(q.where, p)
	}
	return q
}

// appendParts appends a predicate, or the parts that it is made of.
func appendParts[R Record](to []Predicate[R], p Predicate[R]) []Predicate[R] {
	switch {
	case p.test == nil: // keeps every record
	case p.parts == nil:
		to = append(to, p)
	default:
		for _, part := range p.parts {
			to = appendParts(to, part)
		}
	}
	return to
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
			q.orders = append(q.orders, o)
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
	q.stream(rows, false, func(*R, int) bool { n++; return true })
	return n, rows.missing
}

// Exists reports whether the answer has a record.
func (q Query[R]) Exists(ctx context.Context) (bool, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return false, err
	}
	found := false
	q.stream(rows, true, func(*R, int) bool { found = true; return false })
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
			q.stream(rows, true, func(r *R, _ int) bool { return each(r) })
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
	var (
		few  [32]*R // so that a short answer is one allocation
		n    int
		many []*R
	)
	q.stream(rows, false, func(r *R, _ int) bool {
		switch {
		case n < len(few):
			few[n] = r
			n++
			return true
		case many == nil:
			many = append(make([]*R, 0, 4*len(few)), few[:]...)
		}
		many = append(many, r)
		return true
	})
	if many == nil {
		return append(make([]*R, 0, n), few[:n]...)
	}
	return many
}

// stream gives the records of the answer in the source's order to visit, as matches does. A visit that is known to stop
// early makes it hurried.
func (q *Query[R]) stream(rows rows[R], hurried bool, visit func(r *R, at int) bool) {
	if q.limited && q.limit == 0 {
		return
	}
	skip, left := q.offset, q.end()-q.offset
	first := 0
	if hurried || left <= singly {
		first = singly
	}
	q.matches(rows, first, func(r *R, at int) bool {
		if skip > 0 {
			skip--
			return true
		}
		left--
		return visit(r, at) && left > 0
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

// matches gives the records that every predicate keeps to visit, with their places in what they are in, until it returns
// false. After the first of a slice, as many as first says, it goes over columns, which is faster for those who want many.
func (q *Query[R]) matches(rows rows[R], first int, visit func(r *R, at int) bool) {
	if !q.matchSlice(rows.slab, first, visit) {
		return
	}
	for _, s := range rows.slabs {
		if !q.matchSlice(s, first, visit) {
			return
		}
	}
	for i, r := range rows.singles {
		if q.keeps(r) && !visit(r, i) {
			return
		}
	}
}

// matchSlice does what matches does for one slice, and reports whether visit wants more.
func (q *Query[R]) matchSlice(s slice[R], first int, visit func(r *R, at int) bool) bool {
	first = min(first, len(s.list))
	for i := range s.list[:first] {
		if r := &s.list[i]; q.keeps(r) && !visit(r, i) {
			return false
		}
	}
	if first == len(s.list) {
		return true
	}
	var few [8]filter
	filters, rest := q.filters(s, few[:0])
	if len(filters) > 0 && filters[0].kind == filterNone {
		return true
	}
	for from := first / blockSize * blockSize; from < len(s.list); from += blockSize {
		selected := ^uint64(0) << max(first-from, 0)
		if left := len(s.list) - from; left < blockSize {
			selected &= 1<<left - 1
		}
		for i := range filters {
			selected = filters[i].keep(from, selected)
		}
		for ; selected != 0; selected &= selected - 1 {
			at := from + bits.TrailingZeros64(selected)
			if r := &s.list[at]; (rest == 0 || q.keepsRest(r, rest)) && !visit(r, at) {
				return false
			}
		}
	}
	return true
}

// filters appends what the query asks of the columns of a slice, the cheap questions first, and returns it with a bit for
// each predicate that no column answers.
func (q *Query[R]) filters(s slice[R], filters []filter) (_ []filter, rest uint64) {
	for i := range q.where {
		var c *column
		ask := q.where[i].ask
		if ask != nil && i < manyPredicates {
			c = s.columns.of(ask.field, s.list)
		}
		if c == nil {
			rest |= 1 << min(i, manyPredicates)
			continue
		}
		f := ask.put(c)
		at := len(filters)
		for at > 0 && f.kind < filters[at-1].kind {
			at--
		}
		filters = slices.Insert(filters, at, f)
	}
	return filters, rest
}

// manyPredicates is from where on predicates share one bit: that of those that no column answers.
const manyPredicates = 63

// keepsRest reports whether the predicates that have a bit in rest keep a record.
func (q *Query[R]) keepsRest(r *R, rest uint64) bool {
	for i := range q.where {
		if rest>>min(i, manyPredicates)&1 != 0 && !q.where[i].test(r) {
			return false
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
	key    int64 // of the first order, where that has keys
	at     int
}

func (q *Query[R]) compare(a, b place[R]) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	for i := range q.orders {
		if c := q.orders[i].compare(a.record, b.record); c != 0 {
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
	add := func(r *R, key int64) {
		next := place[R]{r, key, seen}
		seen++
		switch {
		case len(kept) < end:
			kept = append(kept, next)
			if len(kept) == end {
				q.heapify(kept)
			}
		case key <= kept[0].key && q.compare(next, kept[0]) < 0:
			kept[0] = next
			q.siftDown(kept, 0)
		}
	}
	key := q.orders[0].key
	addSlice := func(s slice[R]) {
		var c *column
		if key != nil {
			c = s.columns.of(key.field, s.list)
		}
		q.matchSlice(s, 0, func(r *R, i int) bool { add(r, key.of(c, r, i)); return true })
	}
	addSlice(rows.slab)
	for _, s := range rows.slabs {
		addSlice(s)
	}
	for _, r := range rows.singles {
		if q.keeps(r) {
			add(r, key.of(nil, r, 0))
		}
	}
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
	add := func(r *R) {
		values = field.values(r, values[:0])
		for _, v := range values {
			if _, ok := seen[v]; !ok {
				seen[v] = struct{}{}
				out = append(out, v)
			}
		}
	}
	if c := plan.codes(rows, field); c != nil {
		var known [math.MaxUint8 + 1]bool
		plan.stream(rows, false, func(r *R, at int) bool {
			if code := c.codes[at]; !known[code] {
				known[code] = true
				add(r)
			}
			return true
		})
		return out, rows.missing
	}
	for _, r := range plan.collect(rows) {
		add(r)
	}
	return out, rows.missing
}

// codes returns the column that tells records apart by the value of the field, or nil where there is none, or where the
// answer is not in the order of its one slice.
func (q *Query[R]) codes(rows rows[R], field interface{ coded() *columnField[R] }) *column {
	if len(q.orders) > 0 || rows.slabs != nil || rows.singles != nil {
		return nil
	}
	return rows.slab.columns.of(field.coded(), rows.slab.list)
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
	rows, err := plan.read(ctx)
	if err != nil {
		return nil, err
	}
	g := newGrouping(field.values)
	if c := plan.codes(rows, field); c != nil {
		var groupOf [math.MaxUint8 + 1]int // 1 more than its place
		plan.stream(rows, false, func(r *R, at int) bool {
			if i := groupOf[c.codes[at]]; i > 0 {
				g.groups[i-1].Records = append(g.groups[i-1].Records, r)
			} else {
				g.add(r)
				groupOf[c.codes[at]] = len(g.groups)
			}
			return true
		})
		return g.groups, rows.missing
	}
	return g.addAll(plan.collect(rows)), rows.missing
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
	return newGrouping(keys).addAll(q.collect(rows)), rows.missing
}

// grouping makes groups of records by their keys.
type grouping[R Record, K comparable] struct {
	keys   func(*R, []K) []K
	groups []Group[R, K]
	at     map[K]int
	unset  int
	memory []K
}

func newGrouping[R Record, K comparable](keys func(*R, []K) []K) *grouping[R, K] {
	return &grouping[R, K]{keys: keys, at: map[K]int{}, unset: -1, groups: []Group[R, K]{}}
}

// addAll returns all groups after the records have come to them.
func (g *grouping[R, K]) addAll(records []*R) []Group[R, K] {
	for _, r := range records {
		g.add(r)
	}
	return g.groups
}

// add puts the record into the group of each of its keys.
func (g *grouping[R, K]) add(r *R) {
	g.memory = g.keys(r, g.memory[:0])
	for i, key := range g.memory {
		if slices.Contains(g.memory[:i], key) {
			continue
		}
		at, ok := g.at[key]
		if !ok {
			at = len(g.groups)
			g.at[key] = at
			g.groups = append(g.groups, Group[R, K]{Key: key})
		}
		g.groups[at].Records = append(g.groups[at].Records, r)
	}
	if len(g.memory) > 0 {
		return
	}
	if g.unset < 0 {
		g.unset = len(g.groups)
		g.groups = append(g.groups, Group[R, K]{Unset: true})
	}
	g.groups[g.unset].Records = append(g.groups[g.unset].Records, r)
}
