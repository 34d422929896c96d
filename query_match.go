// The execution of a query: which records match, and in which order they are returned.

package modelref

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/haidra-org/modelref/internal/columns"
)

const (
	// rowScanPrefix is how many records are tested one by one if the result may be complete after any of them.
	rowScanPrefix = 32
	// maxTrackedPredicates is the number of predicates for which keepsRest has a bit of their own. The others share one.
	maxTrackedPredicates = 63
	// maxPrealloc limits the memory that is allocated before the number of matching records is known.
	maxPrealloc = 256
)

// collect returns the records of the result.
func (q *Query[R]) collect(rows rows[R]) []*R {
	if len(q.orders) > 0 {
		return q.collectOrdered(rows)
	}
	var (
		few  [32]*R // a short result needs only one allocation
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

// stream calls visit for the records of the result in the order of the source, as matches does. Set short if visit is
// likely to stop early.
func (q *Query[R]) stream(rows rows[R], short bool, visit func(r *R, i int) bool) {
	if q.limited && q.limit == 0 {
		return
	}
	skip, left := q.offset, q.end()-q.offset
	first := 0
	if short || left <= rowScanPrefix {
		first = rowScanPrefix
	}
	q.matches(rows, first, func(r *R, i int) bool {
		if skip > 0 {
			skip--
			return true
		}
		left--
		return visit(r, i) && left > 0
	})
}

// matches calls visit for each record that all predicates keep, with its index in its table, until visit returns false.
// In each table it tests the first records one by one. For the others it uses columns, which are faster if many records
// are visited.
func (q *Query[R]) matches(rows rows[R], first int, visit func(r *R, i int) bool) {
	if !q.matchTable(rows.table, first, visit) {
		return
	}
	for _, t := range rows.tables {
		if !q.matchTable(t, first, visit) {
			return
		}
	}
	for i, r := range rows.pointers {
		if q.keeps(r) && !visit(r, i) {
			return
		}
	}
}

// matchTable does the work of matches for one table. It returns false if visit has returned false.
func (q *Query[R]) matchTable(t table[R], first int, visit func(r *R, i int) bool) bool {
	first = min(first, len(t.list))
	for i := range t.list[:first] {
		if r := &t.list[i]; q.keeps(r) && !visit(r, i) {
			return false
		}
	}
	if first == len(t.list) {
		return true
	}
	var few [8]columns.Filter
	filters, rest := q.compile(t, few[:0])
	if filters.Empty() {
		return true
	}
	for from := first / columns.BlockSize * columns.BlockSize; from < len(t.list); from += columns.BlockSize {
		for selected := filters.Select(from, first, len(t.list)); selected != 0; selected &= selected - 1 {
			i := from + bits.TrailingZeros64(selected)
			if r := &t.list[i]; (rest == 0 || q.keepsRest(r, rest)) && !visit(r, i) {
				return false
			}
		}
	}
	return true
}

// compile appends the filters of the predicates that can be evaluated on columns of the table. In rest it returns a bit
// for each of the other predicates.
func (q *Query[R]) compile(t table[R], filters columns.Filters) (_ columns.Filters, rest uint64) {
	for i := range q.where {
		var c *columns.Column
		condition := q.where[i].pushdown
		if condition != nil && i < maxTrackedPredicates {
			c = t.columns.Of(condition.Field, t.list)
		}
		if c == nil {
			rest |= 1 << min(i, maxTrackedPredicates)
			continue
		}
		filters = filters.Add(condition.Compile(c))
	}
	return filters, rest
}

// keepsRest reports whether the predicates that have a bit in rest keep a record.
func (q *Query[R]) keepsRest(r *R, rest uint64) bool {
	for i := range q.where {
		if rest>>min(i, maxTrackedPredicates)&1 != 0 && !q.where[i].test(r) {
			return false
		}
	}
	return true
}

// keeps reports whether all predicates keep a record.
func (q *Query[R]) keeps(r *R) bool {
	for i := range q.where {
		if !q.where[i].test(r) {
			return false
		}
	}
	return true
}

// A candidate is a matching record of an ordered query.
type candidate[R Record] struct {
	record *R
	key    int64 // of the first order, 0 if that has no keys
	i      int   // its position among all matching records, which makes the order stable
}

func (q *Query[R]) compare(a, b candidate[R]) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	for i := range q.orders {
		if c := q.orders[i].compare(a.record, b.record); c != 0 {
			return c
		}
	}
	return a.i - b.i
}

// push adds a candidate to those that come first in the order of the query, n at most. Once there are n of them, they are
// a heap with the last of them at the root.
func (q *Query[R]) push(heap []candidate[R], n int, next candidate[R]) []candidate[R] {
	switch {
	case len(heap) < n:
		heap = append(heap, next)
		if len(heap) == n {
			for i := len(heap)/2 - 1; i >= 0; i-- {
				q.siftDown(heap, i)
			}
		}
	case q.compare(next, heap[0]) < 0:
		heap[0] = next
		q.siftDown(heap, 0)
	}
	return heap
}

// siftDown moves the candidate at i down until no candidate below it comes later in the order.
func (q *Query[R]) siftDown(heap []candidate[R], i int) {
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

// collectOrdered returns the records of the result in the order of the query. If the query has a limit, it keeps and sorts
// only as many records as the result can have.
func (q *Query[R]) collectOrdered(rows rows[R]) []*R {
	end := q.end()
	if end == 0 || q.limited && q.limit == 0 {
		return []*R{}
	}
	var few [16]candidate[R]
	kept := few[:0]
	if q.limited && end > len(few) {
		kept = make([]candidate[R], 0, min(end, rows.len(), maxPrealloc))
	}
	seen := 0
	add := func(r *R, key int64) {
		if len(kept) < end || key <= kept[0].key { // saves a call for most records
			kept = q.push(kept, end, candidate[R]{r, key, seen})
		}
		seen++
	}
	key := q.orders[0].key
	addTable := func(t table[R]) {
		var c *columns.Column
		if key != nil {
			c = t.columns.Of(key.field, t.list)
		}
		q.matchTable(t, 0, func(r *R, i int) bool { add(r, key.of(c, r, i)); return true })
	}
	addTable(rows.table)
	for _, t := range rows.tables {
		addTable(t)
	}
	for _, r := range rows.pointers {
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
