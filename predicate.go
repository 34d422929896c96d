// Predicates and orders, which queries are built from, and the functions that combine them.

package modelref

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/haidra-org/modelref/internal/columns"
)

// A Predicate reports for each record whether a query keeps it. The methods of fields return predicates, And, Or and Not
// combine them, and MatchFunc makes one from a function. The zero Predicate keeps every record.
type Predicate[R Record] struct {
	test     func(*R) bool
	pushdown *columns.Condition[R] // the same for a column, or nil
	parts    []Predicate[R]        // if not nil, test is true if the test of each part is
	err      error
}

// And keeps the records that all the predicates keep. And() keeps every record.
func And[R Record](predicates ...Predicate[R]) Predicate[R] {
	parts, err := partsOf(predicates)
	return Predicate[R]{err: err, parts: parts, test: func(r *R) bool {
		for i := range parts {
			if !parts[i].test(r) {
				return false
			}
		}
		return true
	}}
}

// Or keeps the records that at least one of the predicates keeps. Or() keeps no record.
func Or[R Record](predicates ...Predicate[R]) Predicate[R] {
	parts, err := partsOf(predicates)
	return Predicate[R]{err: err, test: func(r *R) bool {
		for i := range parts {
			if parts[i].test(r) {
				return true
			}
		}
		return false
	}}
}

// Not keeps the records that the predicate does not keep. It includes records without a value: Not(SizeOnDiskBytes.Lt(5))
// keeps the records that state no size, but SizeOnDiskBytes.Ge(5) does not.
func Not[R Record](predicate Predicate[R]) Predicate[R] {
	test := predicate.test
	if test == nil {
		test = keepAll[R]
	}
	return Predicate[R]{err: predicate.err, test: func(r *R) bool { return !test(r) }}
}

// MatchFunc keeps the records for which keep returns true. The function receives shared records and must not modify them.
// If the query is used by several goroutines, keep must be safe for concurrent use. If keep is nil, the terminals return
// ErrInvalidQuery.
func MatchFunc[R Record](keep func(*R) bool) Predicate[R] {
	if keep == nil {
		return Predicate[R]{err: invalidQuery("MatchFunc(nil): the function must not be nil")}
	}
	return Predicate[R]{test: keep}
}

func keepAll[R Record](*R) bool { return true }

// partsOf returns a copy of the predicates in which each has a test, and their joined errors.
func partsOf[R Record](predicates []Predicate[R]) ([]Predicate[R], error) {
	parts := slices.Clone(predicates)
	var errs []error
	for i := range parts {
		if parts[i].err != nil {
			errs = append(errs, parts[i].err)
		}
		if parts[i].test == nil {
			parts[i].test = keepAll[R]
		}
	}
	return parts, errors.Join(errs...)
}

// An Order says which of two records comes first in the result of a query. The methods Asc and Desc of fields return
// orders. The zero Order does not change the order of the records.
type Order[R Record] struct {
	compare func(a, b *R) int
	key     *orderKey[R] // of an order by integers, or nil
	err     error
}

// OrderFunc orders by a function. The function returns a negative number if a comes before b, a positive number if a comes
// after b, and 0 if the next order decides. It receives shared records and must not modify them. If the query is used by
// several goroutines, compare must be safe for concurrent use.
func OrderFunc[R Record](compare func(a, b *R) int) Order[R] {
	if compare == nil {
		return Order[R]{err: invalidQuery("OrderFunc(nil): the function must not be nil")}
	}
	return Order[R]{compare: compare}
}

// orderKey maps each record to an integer by which an Order sorts.
type orderKey[R Record] struct {
	field      *columns.Field[R]
	get        func(*R) (int64, bool)
	descending bool
}

// of returns the key of the i-th record of a list. It reads the key from the column of the list unless that is nil. The
// record with the lower key comes first. For equal keys the comparison of the Order decides. The key of a nil orderKey
// is always 0.
func (k *orderKey[R]) of(c *columns.Column, r *R, i int) int64 {
	if k == nil {
		return 0
	}
	var (
		n  int64
		ok bool
	)
	if c != nil {
		n, ok = c.Number(i)
	} else {
		n, ok = k.get(r)
	}
	switch {
	case !ok:
		return math.MaxInt64
	case k.descending:
		return ^n
	default:
		return n
	}
}

func invalidQuery(format string, args ...any) error {
	return fmt.Errorf("modelref: %w: "+format, append([]any{ErrInvalidQuery}, args...)...)
}

func errZeroField() error {
	return invalidQuery("the field is a zero value: use a field of ImageFields, TextFields and so on")
}
