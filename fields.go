// The typed fields that queries are made of, and the predicates and orderings that they give.

package modelref

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Predicate says of each record whether a query keeps it. Fields make predicates, And, Or and Not combine them, and
// Match makes one of a function. The zero Predicate keeps every record.
type Predicate[R Record] struct {
	test  func(*R) bool
	ask   *question[R]   // the same of a column, or nil
	parts []Predicate[R] // the same of each of these, or nil
	err   error
}

// Order says which of two records comes first in the answer of a query. Fields make orders with Asc and Desc. The zero
// Order leaves the records as they are.
type Order[R Record] struct {
	compare func(a, b *R) int
	key     *orderKey[R] // where it is by a number, or nil
	err     error
}

// orderKey says by which number an Order orders.
type orderKey[R Record] struct {
	field      *columnField[R]
	get        func(*R) (int64, bool)
	descending bool
}

// of returns the key of the i-th record in a list, which the column is of, if there is one. The lower comes first; of two
// that are the same the Order itself decides, as it does where there are no keys.
func (k *orderKey[R]) of(c *column, r *R, i int) int64 {
	if k == nil {
		return 0
	}
	var (
		n  int64
		ok bool
	)
	if c != nil {
		n = c.numbers[i]
		ok = n != noNumber
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

// OrderFunc orders by a function, which returns a negative number where a comes before b, a positive one where it comes
// after, and 0 where the next key decides. The function sees shared records and must only read them; it must be safe for
// concurrent use.
func OrderFunc[R Record](compare func(a, b *R) int) Order[R] {
	if compare == nil {
		return Order[R]{err: invalidQuery("OrderFunc(nil): want a function")}
	}
	return Order[R]{compare: compare}
}

// And keeps the records that all the predicates keep; with none it keeps every record.
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

// Or keeps the records that at least one of the predicates keeps; with none it keeps no record.
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

// Not keeps the records that the predicate does not keep. It is plain negation: Not(SizeOnDiskBytes.Lt(5)) keeps the
// records that state no size, which SizeOnDiskBytes.Ge(5) does not.
func Not[R Record](predicate Predicate[R]) Predicate[R] {
	test := predicate.test
	if test == nil {
		test = keepAll[R]
	}
	return Predicate[R]{err: predicate.err, test: func(r *R) bool { return !test(r) }}
}

// Match keeps the records for which keep returns true. The function sees shared records and must only read them; it
// may run on several goroutines at once where the query does. A nil function is ErrInvalidQuery at the terminal.
func Match[R Record](keep func(*R) bool) Predicate[R] {
	if keep == nil {
		return Predicate[R]{err: invalidQuery("Match(nil): want a function")}
	}
	return Predicate[R]{test: keep}
}

func keepAll[R Record](*R) bool { return true }

// partsOf returns the predicates, each with a test, and what is wrong with them.
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

func invalidQuery(format string, args ...any) error {
	return fmt.Errorf("modelref: %w: "+format, append([]any{ErrInvalidQuery}, args...)...)
}

// FieldOf is a field of the records R with values of type V: every field type of this package is one. Distinct and
// GroupBy take it.
type FieldOf[R Record, V comparable] interface {
	// Name returns the field's name in the service's JSON.
	Name() string
	// values appends the record's values to into: none where the field is absent, several for a list.
	values(r *R, into []V) []V
	// coded makes the column in which records have the same code that have the same one value; nil where there is none.
	coded() *columnField[R]
}

// Field is a field of the records R with one value of type V. A record may state none; such an absent value fails
// every comparison except Ne and NotIn.
type Field[R Record, V comparable] struct {
	name string
	get  func(*R) (V, bool)
	// column makes the column of texts or flags; nil where there is none.
	column *columnField[R]
	// text returns a value as the column has it.
	text func(V) string
}

// Name returns the field's name in the service's JSON, with the path of a field inside another: "metadata.created_at".
func (f Field[R, V]) Name() string { return f.name }

// Eq keeps the records whose value is v.
func (f Field[R, V]) Eq(v V) Predicate[R] {
	get := f.get
	return f.among(func(r *R) bool { have, ok := get(r); return ok && have == v }, []V{v}, false)
}

// Ne keeps the records whose value is not v, those without a value included.
func (f Field[R, V]) Ne(v V) Predicate[R] {
	get := f.get
	return f.among(func(r *R) bool { have, ok := get(r); return !ok || have != v }, []V{v}, true)
}

// In keeps the records whose value is one of those given.
func (f Field[R, V]) In(values ...V) Predicate[R] {
	get, has := f.get, memberOf(values)
	return f.among(func(r *R) bool { have, ok := get(r); return ok && has(have) }, values, false)
}

// NotIn keeps the records whose value is none of those given, those without a value included.
func (f Field[R, V]) NotIn(values ...V) Predicate[R] {
	get, has := f.get, memberOf(values)
	return f.among(func(r *R) bool { have, ok := get(r); return !ok || !has(have) }, values, true)
}

// IsSet keeps the records that have a value.
func (f Field[R, V]) IsSet() Predicate[R] {
	get := f.get
	return f.predicate(func(r *R) bool { _, ok := get(r); return ok })
}

// IsUnset keeps the records that have no value.
func (f Field[R, V]) IsUnset() Predicate[R] {
	get := f.get
	return f.predicate(func(r *R) bool { _, ok := get(r); return !ok })
}

func (f Field[R, V]) values(r *R, into []V) []V {
	if f.get == nil {
		return into
	}
	if v, ok := f.get(r); ok {
		into = append(into, v)
	}
	return into
}

func (f Field[R, V]) coded() *columnField[R] { return f.column }

// among returns the predicate of In or, negated, of NotIn.
func (f Field[R, V]) among(test func(*R) bool, values []V, negated bool) Predicate[R] {
	p := f.predicate(test)
	if f.text != nil {
		p.ask = &question[R]{field: f.column, negated: negated, texts: make([]string, len(values))}
		for i, v := range values {
			p.ask.texts[i] = f.text(v)
		}
	}
	return p
}

func (f Field[R, V]) predicate(test func(*R) bool) Predicate[R] {
	if f.get == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return Predicate[R]{test: test}
}

func (f Field[R, V]) order(compare func(a, b *R) int) Order[R] {
	if f.get == nil {
		return Order[R]{err: errZeroField()}
	}
	return Order[R]{compare: compare}
}

func errZeroField() error {
	return invalidQuery("the field is a zero value: take one from ImageFields, TextFields and the like")
}

// manyValues is the length from which looking a value up in a map is faster than comparing it with each of a list.
const manyValues = 12

// memberOf returns a function that reports whether a value is one of values, which it copies.
func memberOf[V comparable](values []V) func(V) bool {
	if len(values) < manyValues {
		values = slices.Clone(values)
		return func(v V) bool { return slices.Contains(values, v) }
	}
	set := make(map[V]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(v V) bool { _, ok := set[v]; return ok }
}

// OrderedField is a Field whose values have an order. Strings are compared by Unicode code point.
type OrderedField[R Record, V cmp.Ordered] struct {
	Field[R, V]
	// numbers makes the column of a field of integers; nil where there is none.
	numbers *columnField[R]
	// whole returns a value as the column has it.
	whole func(V) int64
}

// Lt keeps the records whose value is less than v.
func (f OrderedField[R, V]) Lt(v V) Predicate[R] {
	get := f.get
	return f.compared(func(r *R) bool { have, ok := get(r); return ok && have < v }, opLess, v, v)
}

// Le keeps the records whose value is v or less.
func (f OrderedField[R, V]) Le(v V) Predicate[R] {
	get := f.get
	return f.compared(func(r *R) bool { have, ok := get(r); return ok && have <= v }, opLessEqual, v, v)
}

// Gt keeps the records whose value is greater than v.
func (f OrderedField[R, V]) Gt(v V) Predicate[R] {
	get := f.get
	return f.compared(func(r *R) bool { have, ok := get(r); return ok && have > v }, opGreater, v, v)
}

// Ge keeps the records whose value is v or greater.
func (f OrderedField[R, V]) Ge(v V) Predicate[R] {
	get := f.get
	return f.compared(func(r *R) bool { have, ok := get(r); return ok && have >= v }, opGreaterEqual, v, v)
}

// Between keeps the records whose value is from low to high, both included. It keeps none where low is above high.
func (f OrderedField[R, V]) Between(low, high V) Predicate[R] {
	get := f.get
	return f.compared(func(r *R) bool { have, ok := get(r); return ok && low <= have && have <= high }, opBetween, low, high)
}

// compared returns the predicate of an operator, of which only that of Between has two values.
func (f OrderedField[R, V]) compared(test func(*R) bool, operator string, v, high V) Predicate[R] {
	p := f.predicate(test)
	if f.whole != nil {
		p.ask = &question[R]{field: f.numbers, in: spanOf(operator, f.whole(v), f.whole(high))}
	}
	return p
}

// Asc orders the lowest value first, records without a value last.
func (f OrderedField[R, V]) Asc() Order[R] { return f.orderedBy(cmp.Compare[V], false) }

// Desc orders the highest value first, records without a value last.
func (f OrderedField[R, V]) Desc() Order[R] {
	return f.orderedBy(func(x, y V) int { return cmp.Compare(y, x) }, true)
}

// orderedBy orders by a comparison of values.
func (f OrderedField[R, V]) orderedBy(compare func(x, y V) int, descending bool) Order[R] {
	get := f.get
	o := f.order(func(a, b *R) int {
		x, okX := get(a)
		y, okY := get(b)
		if !okX || !okY {
			return absentLast(okX, okY)
		}
		return compare(x, y)
	})
	if f.numbers != nil {
		o.key = &orderKey[R]{field: f.numbers, descending: descending, get: func(r *R) (int64, bool) {
			v, ok := get(r)
			return f.whole(v), ok
		}}
	}
	return o
}

// absentLast compares two values of which at least one is absent.
func absentLast(okA, okB bool) int {
	switch {
	case okA:
		return -1
	case okB:
		return 1
	default:
		return 0
	}
}

// StringField is an OrderedField of text. An empty text is an absent value.
type StringField[R Record, S ~string] struct{ OrderedField[R, S] }

// ContainsFold keeps the records whose value contains part, letter case aside.
func (f StringField[R, S]) ContainsFold(part string) Predicate[R] {
	get, needle := f.get, foldAll(part)
	return f.predicate(func(r *R) bool { have, ok := get(r); return ok && containsFold(string(have), needle) })
}

// HasPrefix keeps the records whose value begins with prefix.
func (f StringField[R, S]) HasPrefix(prefix S) Predicate[R] {
	get, start := f.get, string(prefix)
	return f.predicate(func(r *R) bool { have, ok := get(r); return ok && strings.HasPrefix(string(have), start) })
}

// Asc orders by Unicode code point, records without a value last.
func (f StringField[R, S]) Asc() Order[R] {
	return f.orderedBy(func(x, y S) int { return strings.Compare(string(x), string(y)) }, false)
}

// Desc orders by Unicode code point from the highest down, records without a value last.
func (f StringField[R, S]) Desc() Order[R] {
	return f.orderedBy(func(x, y S) int { return strings.Compare(string(y), string(x)) }, true)
}

// BoolField is a flag. A flag is never absent: a record that does not state it has false.
type BoolField[R Record] struct{ Field[R, bool] }

// IsTrue keeps the records whose flag is true.
func (f BoolField[R]) IsTrue() Predicate[R] {
	get := f.get
	return f.among(func(r *R) bool { have, _ := get(r); return have }, []bool{true}, false)
}

// IsFalse keeps the records whose flag is false.
func (f BoolField[R]) IsFalse() Predicate[R] {
	get := f.get
	return f.among(func(r *R) bool { have, _ := get(r); return !have }, []bool{false}, false)
}

// Asc orders false before true.
func (f BoolField[R]) Asc() Order[R] {
	get := f.get
	return f.order(func(a, b *R) int {
		x, _ := get(a)
		y, _ := get(b)
		return compareBool(x, y)
	})
}

// Desc orders true before false.
func (f BoolField[R]) Desc() Order[R] {
	get := f.get
	return f.order(func(a, b *R) int {
		x, _ := get(a)
		y, _ := get(b)
		return compareBool(y, x)
	})
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	default:
		return 1
	}
}

// TimeField is a moment. Moments are equal where they are the same instant, whatever their time zones; the zero time is
// an absent value. Distinct and GroupBy give moments in UTC.
type TimeField[R Record] struct {
	name string
	get  func(*R) time.Time
}

// Name returns the field's name in the service's JSON.
func (f TimeField[R]) Name() string { return f.name }

// Eq keeps the records whose moment is t.
func (f TimeField[R]) Eq(t time.Time) Predicate[R] { return f.when(t.Equal) }

// Ne keeps the records whose moment is not t, those without one included.
func (f TimeField[R]) Ne(t time.Time) Predicate[R] { return Not(f.Eq(t)) }

// In keeps the records whose moment is one of those given.
func (f TimeField[R]) In(times ...time.Time) Predicate[R] {
	times = slices.Clone(times)
	return f.when(func(have time.Time) bool { return slices.ContainsFunc(times, have.Equal) })
}

// NotIn keeps the records whose moment is none of those given, those without one included.
func (f TimeField[R]) NotIn(times ...time.Time) Predicate[R] { return Not(f.In(times...)) }

// Lt keeps the records whose moment is before t.
func (f TimeField[R]) Lt(t time.Time) Predicate[R] { return f.when(t.After) }

// Le keeps the records whose moment is t or before.
func (f TimeField[R]) Le(t time.Time) Predicate[R] {
	return f.when(func(have time.Time) bool { return !have.After(t) })
}

// Gt keeps the records whose moment is after t.
func (f TimeField[R]) Gt(t time.Time) Predicate[R] { return f.when(t.Before) }

// Ge keeps the records whose moment is t or after.
func (f TimeField[R]) Ge(t time.Time) Predicate[R] {
	return f.when(func(have time.Time) bool { return !have.Before(t) })
}

// Between keeps the records whose moment is from low to high, both included.
func (f TimeField[R]) Between(low, high time.Time) Predicate[R] {
	return f.when(func(have time.Time) bool { return !have.Before(low) && !have.After(high) })
}

// IsSet keeps the records that have a moment.
func (f TimeField[R]) IsSet() Predicate[R] { return f.when(func(time.Time) bool { return true }) }

// IsUnset keeps the records that have none.
func (f TimeField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// Asc orders the earliest moment first, records without one last.
func (f TimeField[R]) Asc() Order[R] { return f.order(time.Time.Compare) }

// Desc orders the latest moment first, records without one last.
func (f TimeField[R]) Desc() Order[R] {
	return f.order(func(x, y time.Time) int { return y.Compare(x) })
}

func (f TimeField[R]) when(test func(time.Time) bool) Predicate[R] {
	get := f.get
	if get == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return Predicate[R]{test: func(r *R) bool { have := get(r); return !have.IsZero() && test(have) }}
}

func (f TimeField[R]) order(compare func(x, y time.Time) int) Order[R] {
	get := f.get
	if get == nil {
		return Order[R]{err: errZeroField()}
	}
	return Order[R]{compare: func(a, b *R) int {
		x, y := get(a), get(b)
		if x.IsZero() || y.IsZero() {
			return absentLast(!x.IsZero(), !y.IsZero())
		}
		return compare(x, y)
	}}
}

func (f TimeField[R]) values(r *R, into []time.Time) []time.Time {
	if f.get == nil {
		return into
	}
	if t := f.get(r); !t.IsZero() {
		into = append(into, t.UTC())
	}
	return into
}

func (f TimeField[R]) coded() *columnField[R] { return nil }

// ListField is a list of texts. An empty list is an absent value. Distinct gives the elements of the lists, and GroupBy
// puts a record into the group of each of its elements.
type ListField[R Record] struct {
	name string
	get  func(*R) []string
	// column makes the column of the lists.
	column *columnField[R]
}

// Name returns the field's name in the service's JSON.
func (f ListField[R]) Name() string { return f.name }

// Contains keeps the records whose list has v.
func (f ListField[R]) Contains(v string) Predicate[R] {
	return f.ContainsAny(v)
}

// ContainsAny keeps the records whose list has at least one of those given.
func (f ListField[R]) ContainsAny(values ...string) Predicate[R] {
	has := memberOf(values)
	p := f.when(func(list []string) bool { return slices.ContainsFunc(list, has) })
	if p.test != nil {
		p.ask = &question[R]{field: f.column, texts: slices.Clone(values)}
	}
	return p
}

// ContainsAll keeps the records whose list has all of those given. With none given it keeps the records that have a
// list.
func (f ListField[R]) ContainsAll(values ...string) Predicate[R] {
	values = slices.Clone(values)
	return f.when(func(list []string) bool {
		for _, v := range values {
			if !slices.Contains(list, v) {
				return false
			}
		}
		return len(list) > 0
	})
}

// ContainsNone keeps the records whose list has none of those given, those without a list included.
func (f ListField[R]) ContainsNone(values ...string) Predicate[R] {
	return Not(f.ContainsAny(values...))
}

// IsSet keeps the records whose list has an element.
func (f ListField[R]) IsSet() Predicate[R] {
	return f.when(func(list []string) bool { return len(list) > 0 })
}

// IsUnset keeps the records that have no list, or an empty one.
func (f ListField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// anyFold keeps the records of whose list an element contains part, letter case aside.
func (f ListField[R]) anyFold(part string) Predicate[R] {
	needle := foldAll(part)
	return f.when(func(list []string) bool {
		return slices.ContainsFunc(list, func(have string) bool { return containsFold(have, needle) })
	})
}

func (f ListField[R]) when(test func([]string) bool) Predicate[R] {
	get := f.get
	if get == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return Predicate[R]{test: func(r *R) bool { return test(get(r)) }}
}

func (f ListField[R]) values(r *R, into []string) []string {
	if f.get == nil {
		return into
	}
	return append(into, f.get(r)...)
}

func (f ListField[R]) coded() *columnField[R] { return nil }

// foldAll returns the runes of s, each as fold returns it.
func foldAll(s string) []rune {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		out = append(out, fold(r))
	}
	return out
}

// fold returns the one rune that stands for all runes that differ from r by letter case alone: the lowest of them.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	lowest := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		lowest = min(lowest, next)
	}
	return lowest
}

// containsFold reports whether s contains the folded needle, letter case aside, and allocates nothing.
func containsFold(s string, needle []rune) bool {
	for start := 0; ; {
		if hasPrefixFold(s[start:], needle) {
			return true
		}
		if start >= len(s) {
			return false
		}
		_, width := utf8.DecodeRuneInString(s[start:])
		start += width
	}
}

func hasPrefixFold(s string, needle []rune) bool {
	at := 0
	for _, want := range needle {
		if at >= len(s) {
			return false
		}
		r, width := rune(s[at]), 1
		if r >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(s[at:])
		}
		if fold(r) != want {
			return false
		}
		at += width
	}
	return true
}
