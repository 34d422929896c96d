// The fluent, immutable query: its sources, its builder methods, and the terminals that return the result.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/haidra-org/modelref/internal/columns"
)

// ErrNotUnique is returned by Only if more than one record matches.
var ErrNotUnique = errors.New("more than one record")

// A RecordSource supplies the records of a query: the service of a category, a loaded *Reference, or the source that
// Records returns for a slice.
type RecordSource[R Record] interface {
	// rows returns the records to query. Only the source of a service uses the network.
	rows(ctx context.Context) (rows[R], error)
}

// rows are the records that a query reads: first those of table, then those of tables, then those of pointers.
type rows[R Record] struct {
	table    table[R]
	tables   []table[R]
	pointers []*R
	missing  error // an error that is returned with the result, because it concerns only other records
}

// A table is records of one category in contiguous memory, and the columns that have been built of them. The columns may
// be nil. The keys are nil if every record states its key as its name.
type table[R Record] struct {
	list     []R
	columns  *columns.Set[R]
	category Category
	keys     []string
}

func (r *rows[R]) len() int {
	n := len(r.table.list) + len(r.pointers)
	for i := range r.tables {
		n += len(r.tables[i].list)
	}
	return n
}

func (r *Reference[R]) rows(context.Context) (rows[R], error) {
	if r.Len() == 0 {
		return rows[R]{}, nil
	}
	return rows[R]{table: table[R]{r.data.list, &r.data.columns, r.category, r.data.keys}}, nil
}

func (s *Service[R]) rows(ctx context.Context) (rows[R], error) {
	ref, err := s.Load(ctx)
	if err != nil {
		return rows[R]{}, err
	}
	return ref.rows(ctx)
}

type sliceSource[R Record] []*R

func (s sliceSource[R]) rows(context.Context) (rows[R], error) { return rows[R]{pointers: s}, nil }

// Records returns a source of the records of a slice, in the order of the slice. Queries of it need neither a client nor
// the network. Records copies the slice but not the records, and omits nil pointers.
func Records[R Record](records []*R) RecordSource[R] {
	kept := make(sliceSource[R], 0, len(records))
	for _, r := range records {
		if r != nil {
			kept = append(kept, r)
		}
	}
	return kept
}

// AnyQuery is a query over records R: a Query[R] or a type that embeds one, such as ImageQuery. Distinct and GroupBy
// accept it.
type AnyQuery[R Record] interface {
	query() Query[R]
}

// A Query selects records of one type. NewQuery, the Query methods of services and references, and QueryRecords return
// one. A Query is immutable: Where, OrderBy, Limit and Offset return a new query and do not change their receiver. A query
// can therefore be stored, extended in several ways, and used by several goroutines.
//
// The result of a query is computed in this order. The records of the source are filtered by all calls of Where. The
// remaining records are sorted by OrderBy; without OrderBy they stay in the order of the source. Then the first Offset
// records are dropped, and at most Limit records are kept.
//
// The terminals All, First, Only, Count, Exists and Iter read the source and return the result. They use the network only
// if the source is a service whose category is not fresh in memory. If the query itself is invalid, they read nothing and
// return all its errors, joined; each is ErrInvalidQuery. Otherwise they return the error of the source, which
// [Service.Load] describes. The returned records are shared and must not be modified.
type Query[R Record] struct {
	source  RecordSource[R]
	where   []Predicate[R] // each has a test, and none has parts
	orders  []Order[R]
	offset  int
	limit   int
	limited bool
	errs    []error
}

// NewQuery returns a query over all records of the source.
func NewQuery[R Record](source RecordSource[R]) Query[R] { return Query[R]{source: source} }

// QueryRecords returns a query over the records of a slice, in the order of the slice. It needs neither a client nor the
// network. QueryRecords copies the slice but not the records.
func QueryRecords[R Record](records []*R) Query[R] { return NewQuery(Records(records)) }

// Query returns a query over the records of the reference, in the order of the document. Its terminals do not use the
// network. NewImageQuery, NewTextQuery and similar functions return a query with the helper methods of the category.
func (r *Reference[R]) Query() Query[R] { return NewQuery[R](r) }

// Query returns a query over the category. Its terminals read the category in the same way as Load.
func (s *Service[R]) Query() Query[R] { return NewQuery[R](s) }

// Where keeps the records that all the predicates keep. Several calls of Where are combined with AND.
func (q Query[R]) Where(predicates ...Predicate[R]) Query[R] {
	q.where = slices.Clone(q.where) // queries derived from the same one must not share the array
	for _, p := range predicates {
		if p.err != nil {
			q = q.withError(p.err)
		}
		q.where = appendParts(q.where, p)
	}
	return q
}

// appendParts appends a predicate or, if it has parts, each of its parts.
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

// OrderBy sorts the result by the first order. Records that are equal in the first order are sorted by the second, and so
// on. Records that are equal in all orders stay in the order of the source. OrderBy replaces an earlier OrderBy;
// OrderBy() removes it.
func (q Query[R]) OrderBy(orders ...Order[R]) Query[R] {
	q.orders = nil
	for _, o := range orders {
		if o.err != nil {
			q = q.withError(o.err)
		}
		if o.compare != nil {
			q.orders = append(q.orders, o)
		}
	}
	return q
}

// Limit keeps the first n records of the result, after OrderBy and Offset. It replaces an earlier Limit. If n is
// negative, All and the other methods that return the result return ErrInvalidQuery.
func (q Query[R]) Limit(n int) Query[R] {
	if n < 0 {
		return q.withError(invalidQuery("Limit(%d): the limit must not be negative", n))
	}
	q.limit, q.limited = n, true
	return q
}

// Offset drops the first n records of the result, after OrderBy. It replaces an earlier Offset. If n is negative, the
// terminals return ErrInvalidQuery.
func (q Query[R]) Offset(n int) Query[R] {
	if n < 0 {
		return q.withError(invalidQuery("Offset(%d): the offset must not be negative", n))
	}
	q.offset = n
	return q
}

// withError returns the query with an error that its terminals return.
func (q Query[R]) withError(err error) Query[R] {
	q.errs = append(slices.Clip(q.errs), err)
	return q
}

func (q Query[R]) query() Query[R] { return q }

// All returns the records of the result. The slice belongs to the caller and is not nil. The records are shared and must
// not be modified.
func (q Query[R]) All(ctx context.Context) ([]*R, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, err
	}
	return q.collect(rows), rows.missing
}

// First returns the first matching record. It overrides any earlier Limit, including Limit(0). If no record matches, it
// returns ErrNotFound.
func (q Query[R]) First(ctx context.Context) (*R, error) {
	found, missing, err := q.firstN(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("modelref: query: %w", ErrNotFound), missing)
	}
	return found[0], missing
}

// Only returns the record of a result that has exactly one. It returns ErrNotFound if the result is empty, and
// ErrNotUnique if the result has several records.
func (q Query[R]) Only(ctx context.Context) (*R, error) {
	limit := 2 // the second record proves that the first is not the only one
	if q.limited {
		limit = min(limit, q.limit)
	}
	found, missing, err := q.firstN(ctx, limit)
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

// firstN returns at most the first n records of the result.
func (q Query[R]) firstN(ctx context.Context, n int) (found []*R, missing, err error) {
	rows, err := q.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	q.limit, q.limited = n, true
	return q.collect(rows), rows.missing, nil
}

// Count returns the number of records of the result, after Offset and Limit.
func (q Query[R]) Count(ctx context.Context) (int, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	q.stream(rows, false, func(*R, int) bool { n++; return true })
	return n, rows.missing
}

// Exists reports whether the result has a record.
func (q Query[R]) Exists(ctx context.Context) (bool, error) {
	rows, err := q.read(ctx)
	if err != nil {
		return false, err
	}
	found := false
	q.stream(rows, true, func(*R, int) bool { found = true; return false })
	return found, rows.missing
}

// Iter returns an iterator over the records of the result. An error is yielded once, as the last element, with a nil
// record. Each range over the iterator reads the source again. Without OrderBy the records are tested during the range, so
// that a range that ends early does not test the remaining records.
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
	if errs := q.problems(); len(errs) > 0 {
		return rows[R]{}, errors.Join(errs...)
	}
	if ctx == nil {
		return rows[R]{}, fmt.Errorf("modelref: query: %w", errNilContext)
	}
	if ctx.Err() != nil {
		return rows[R]{}, fmt.Errorf("modelref: query: %w", contextError(ctx, nil))
	}
	return q.source.rows(ctx)
}

// problems returns everything that is wrong with the query.
func (q *Query[R]) problems() []error {
	if q.source != nil {
		return q.errs
	}
	return append(slices.Clip(q.errs), invalidQuery("the query has no source: use NewQuery or the Query method of a service"))
}

// end returns the number of matching records after which the result is complete, including those that Offset drops.
func (q *Query[R]) end() int {
	if !q.limited || q.limit > math.MaxInt-q.offset {
		return math.MaxInt
	}
	return q.offset + q.limit
}
