// The typed fields that queries compare and order by.

package modelref

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/columns"
	"github.com/haidra-org/modelref/internal/fold"
)

// FieldOf is a field of the records R with values of type V. Every field type of this package implements it. Distinct
// and GroupBy accept it.
type FieldOf[R Record, V comparable] interface {
	// Name returns the field's name in the service's JSON.
	Name() string
	// values appends the record's values to into: none if the field is absent, several for a list.
	values(r *R, into []V) []V
	// dictionary returns the dictionary-encoded column of the field (equal values have equal codes), or nil if the
	// field has none.
	dictionary() *columns.Field[R]
}

// A valueField has what a field with one value is made of. It has no methods: a method of a generic type that is embedded is
// compiled for each record type, value type and embedding type.
type valueField[R Record, V comparable] struct {
	name string
	get  func(*R) (V, bool)
	// column builds the column of the field. It is nil if the field has none.
	column *columns.Field[R]
	// text returns a value as the column of a field of texts or flags encodes it.
	text func(V) string
}

// among keeps the records whose value is one of the given values. If negated, it keeps all other records instead.
func among[R Record, V comparable](f valueField[R, V], values []V, negated bool) Predicate[R] {
	get := f.get
	var p Predicate[R]
	if len(values) == 1 { // saves a call for each record
		want := values[0]
		p = testOf(f, func(r *R) bool { v, ok := get(r); return (ok && v == want) != negated })
	} else {
		has := memberOf(values)
		p = testOf(f, func(r *R) bool { v, ok := get(r); return (ok && has(v)) != negated })
	}
	if f.column != nil && f.text != nil {
		p.pushdown = &columns.Condition[R]{Field: f.column, Negated: negated, Texts: make([]string, len(values))}
		for i, v := range values {
			p.pushdown.Texts[i] = f.text(v)
		}
	}
	return p
}

// presence keeps the records that have a value, or those that have none.
func presence[R Record, V comparable](f valueField[R, V], present bool) Predicate[R] {
	get := f.get
	return testOf(f, func(r *R) bool { _, ok := get(r); return ok == present })
}

// testOf returns a predicate of a field. It is an error if the field is the zero value.
func testOf[R Record, V comparable](f valueField[R, V], test func(*R) bool) Predicate[R] {
	if f.get == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return Predicate[R]{test: test}
}

// orderByValue orders by a comparison of values, records without a value last.
func orderByValue[R Record, V comparable](f valueField[R, V], compare func(x, y V) int) Order[R] {
	get := f.get
	if get == nil {
		return Order[R]{err: errZeroField()}
	}
	return Order[R]{compare: func(a, b *R) int {
		x, okX := get(a)
		y, okY := get(b)
		if !okX || !okY {
			return absentLast(okX, okY)
		}
		return compare(x, y)
	}}
}

// valuesOf appends the value of a record to into.
func valuesOf[R Record, V comparable](f valueField[R, V], r *R, into []V) []V {
	if f.get == nil {
		return into
	}
	if v, ok := f.get(r); ok {
		into = append(into, v)
	}
	return into
}

// within keeps the records whose value is in the interval.
func within[R Record, V cmp.Ordered](f valueField[R, V], in columns.Interval[V]) Predicate[R] {
	get := f.get
	return testOf(f, func(r *R) bool { v, ok := get(r); return ok && in.Contains(v) })
}

// mapThreshold is the number of values from which a map lookup is faster than a comparison with each value.
const mapThreshold = 12

// memberOf returns a function that reports whether a value is one of values, which it copies.
func memberOf[V comparable](values []V) func(V) bool {
	if len(values) < mapThreshold {
		values = slices.Clone(values)
		return func(v V) bool { return slices.Contains(values, v) }
	}
	set := make(map[V]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(v V) bool { _, ok := set[v]; return ok }
}

// An IntField is a field of integers. An absent value does not match any comparison except Ne and NotIn.
type IntField[R Record] struct{ valueField[R, int64] }

// Name returns the field's name in the service's JSON. The name of a nested field is its path, such as
// "metadata.created_at".
func (f IntField[R]) Name() string { return f.name }

// Eq keeps the records whose value is v.
func (f IntField[R]) Eq(v int64) Predicate[R] { return among(f.valueField, []int64{v}, false) }

// Ne keeps the records whose value is not v, including those without a value.
func (f IntField[R]) Ne(v int64) Predicate[R] { return among(f.valueField, []int64{v}, true) }

// In keeps the records whose value is one of the given values.
func (f IntField[R]) In(values ...int64) Predicate[R] { return among(f.valueField, values, false) }

// NotIn keeps the records whose value is none of the given values, including those without a value.
func (f IntField[R]) NotIn(values ...int64) Predicate[R] { return among(f.valueField, values, true) }

// IsSet keeps the records that have a value.
func (f IntField[R]) IsSet() Predicate[R] { return presence(f.valueField, true) }

// IsUnset keeps the records that have no value.
func (f IntField[R]) IsUnset() Predicate[R] { return presence(f.valueField, false) }

// Lt keeps the records whose value is less than v.
func (f IntField[R]) Lt(v int64) Predicate[R] {
	return f.within(columns.Interval[int64]{Max: v, MaxBound: columns.Open})
}

// Le keeps the records whose value is v or less.
func (f IntField[R]) Le(v int64) Predicate[R] {
	return f.within(columns.Interval[int64]{Max: v, MaxBound: columns.Closed})
}

// Gt keeps the records whose value is greater than v.
func (f IntField[R]) Gt(v int64) Predicate[R] {
	return f.within(columns.Interval[int64]{Min: v, MinBound: columns.Open})
}

// Ge keeps the records whose value is v or greater.
func (f IntField[R]) Ge(v int64) Predicate[R] {
	return f.within(columns.Interval[int64]{Min: v, MinBound: columns.Closed})
}

// Between keeps the records whose value is from low to high, both included. If low is greater than high, it keeps no
// record.
func (f IntField[R]) Between(low, high int64) Predicate[R] {
	return f.within(columns.Interval[int64]{Min: low, MinBound: columns.Closed, Max: high, MaxBound: columns.Closed})
}

func (f IntField[R]) within(in columns.Interval[int64]) Predicate[R] {
	p := within(f.valueField, in)
	if f.column != nil {
		p.pushdown = &columns.Condition[R]{Field: f.column, Interval: in}
	}
	return p
}

// Asc orders the lowest value first and records without a value last.
func (f IntField[R]) Asc() Order[R] { return f.orderBy(cmp.Compare[int64], false) }

// Desc orders the highest value first and records without a value last.
func (f IntField[R]) Desc() Order[R] {
	return f.orderBy(func(x, y int64) int { return cmp.Compare(y, x) }, true)
}

func (f IntField[R]) orderBy(compare func(x, y int64) int, descending bool) Order[R] {
	o := orderByValue(f.valueField, compare)
	if f.column != nil {
		o.key = &orderKey[R]{field: f.column, get: f.get, descending: descending}
	}
	return o
}

func (f IntField[R]) values(r *R, into []int64) []int64 { return valuesOf(f.valueField, r, into) }

func (f IntField[R]) dictionary() *columns.Field[R] { return nil }

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

// A StringField is a field of strings. Strings are compared by Unicode code point. An empty string is an absent value. An absent
// value does not match any comparison except Ne and NotIn.
type StringField[R Record, S ~string] struct{ valueField[R, S] }

// Name returns the field's name in the service's JSON. The name of a nested field is its path, such as
// "metadata.created_at".
func (f StringField[R, S]) Name() string { return f.name }

// Eq keeps the records whose value is v.
func (f StringField[R, S]) Eq(v S) Predicate[R] { return among(f.valueField, []S{v}, false) }

// Ne keeps the records whose value is not v, including those without a value.
func (f StringField[R, S]) Ne(v S) Predicate[R] { return among(f.valueField, []S{v}, true) }

// In keeps the records whose value is one of the given values.
func (f StringField[R, S]) In(values ...S) Predicate[R] { return among(f.valueField, values, false) }

// NotIn keeps the records whose value is none of the given values, including those without a value.
func (f StringField[R, S]) NotIn(values ...S) Predicate[R] { return among(f.valueField, values, true) }

// IsSet keeps the records that have a value.
func (f StringField[R, S]) IsSet() Predicate[R] { return presence(f.valueField, true) }

// IsUnset keeps the records that have no value.
func (f StringField[R, S]) IsUnset() Predicate[R] { return presence(f.valueField, false) }

// Lt keeps the records whose value is less than v.
func (f StringField[R, S]) Lt(v S) Predicate[R] {
	return within(f.valueField, columns.Interval[S]{Max: v, MaxBound: columns.Open})
}

// Le keeps the records whose value is v or less.
func (f StringField[R, S]) Le(v S) Predicate[R] {
	return within(f.valueField, columns.Interval[S]{Max: v, MaxBound: columns.Closed})
}

// Gt keeps the records whose value is greater than v.
func (f StringField[R, S]) Gt(v S) Predicate[R] {
	return within(f.valueField, columns.Interval[S]{Min: v, MinBound: columns.Open})
}

// Ge keeps the records whose value is v or greater.
func (f StringField[R, S]) Ge(v S) Predicate[R] {
	return within(f.valueField, columns.Interval[S]{Min: v, MinBound: columns.Closed})
}

// Between keeps the records whose value is from low to high, both included. If low is greater than high, it keeps no
// record.
func (f StringField[R, S]) Between(low, high S) Predicate[R] {
	return within(f.valueField, columns.Interval[S]{Min: low, MinBound: columns.Closed, Max: high, MaxBound: columns.Closed})
}

// ContainsFold keeps the records whose value contains part, ignoring letter case.
func (f StringField[R, S]) ContainsFold(part string) Predicate[R] {
	get, needle := f.get, fold.New(part)
	return testOf(f.valueField, func(r *R) bool { v, ok := get(r); return ok && needle.In(string(v)) })
}

// HasPrefix keeps the records whose value begins with prefix.
func (f StringField[R, S]) HasPrefix(prefix S) Predicate[R] {
	get, start := f.get, string(prefix)
	return testOf(f.valueField, func(r *R) bool { v, ok := get(r); return ok && strings.HasPrefix(string(v), start) })
}

// Asc orders by Unicode code point, records without a value last.
func (f StringField[R, S]) Asc() Order[R] {
	return orderByValue(f.valueField, func(x, y S) int { return strings.Compare(string(x), string(y)) })
}

// Desc orders by Unicode code point in descending order, records without a value last.
func (f StringField[R, S]) Desc() Order[R] {
	return orderByValue(f.valueField, func(x, y S) int { return strings.Compare(string(y), string(x)) })
}

func (f StringField[R, S]) values(r *R, into []S) []S { return valuesOf(f.valueField, r, into) }

func (f StringField[R, S]) dictionary() *columns.Field[R] { return f.column }

// A BoolField is a flag. A flag is never absent: it is false in a record that does not state it.
type BoolField[R Record] struct{ valueField[R, bool] }

// Name returns the field's name in the service's JSON.
func (f BoolField[R]) Name() string { return f.name }

// Eq keeps the records whose flag is v.
func (f BoolField[R]) Eq(v bool) Predicate[R] { return among(f.valueField, []bool{v}, false) }

// Ne keeps the records whose flag is not v.
func (f BoolField[R]) Ne(v bool) Predicate[R] { return among(f.valueField, []bool{v}, true) }

// In keeps the records whose flag is one of the given values.
func (f BoolField[R]) In(values ...bool) Predicate[R] { return among(f.valueField, values, false) }

// NotIn keeps the records whose flag is none of the given values.
func (f BoolField[R]) NotIn(values ...bool) Predicate[R] { return among(f.valueField, values, true) }

// IsSet keeps all records, since a flag is never absent.
func (f BoolField[R]) IsSet() Predicate[R] { return presence(f.valueField, true) }

// IsUnset keeps no record, since a flag is never absent.
func (f BoolField[R]) IsUnset() Predicate[R] { return presence(f.valueField, false) }

// IsTrue keeps the records whose flag is true.
func (f BoolField[R]) IsTrue() Predicate[R] { return f.Eq(true) }

// IsFalse keeps the records whose flag is false.
func (f BoolField[R]) IsFalse() Predicate[R] { return f.Eq(false) }

// Asc orders false before true.
func (f BoolField[R]) Asc() Order[R] { return orderByValue(f.valueField, compareBool) }

// Desc orders true before false.
func (f BoolField[R]) Desc() Order[R] {
	return orderByValue(f.valueField, func(x, y bool) int { return compareBool(y, x) })
}

func (f BoolField[R]) values(r *R, into []bool) []bool { return valuesOf(f.valueField, r, into) }

func (f BoolField[R]) dictionary() *columns.Field[R] { return f.column }

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

// A TimeField is a time. Two times are equal if they are the same instant, even in different time zones. The zero time is
// an absent value. Distinct and GroupBy return times in UTC.
type TimeField[R Record] struct {
	name string
	get  func(*R) time.Time
}

// Name returns the field's name in the service's JSON.
func (f TimeField[R]) Name() string { return f.name }

// Eq keeps the records whose time is t.
func (f TimeField[R]) Eq(t time.Time) Predicate[R] { return f.matching(t.Equal) }

// Ne keeps the records whose time is not t, including those without a time.
func (f TimeField[R]) Ne(t time.Time) Predicate[R] { return Not(f.Eq(t)) }

// In keeps the records whose time is one of the given times.
func (f TimeField[R]) In(times ...time.Time) Predicate[R] {
	times = slices.Clone(times)
	return f.matching(func(v time.Time) bool { return slices.ContainsFunc(times, v.Equal) })
}

// NotIn keeps the records whose time is none of the given times, including those without a time.
func (f TimeField[R]) NotIn(times ...time.Time) Predicate[R] { return Not(f.In(times...)) }

// Lt keeps the records whose time is before t.
func (f TimeField[R]) Lt(t time.Time) Predicate[R] { return f.matching(t.After) }

// Le keeps the records whose time is t or earlier.
func (f TimeField[R]) Le(t time.Time) Predicate[R] {
	return f.matching(func(v time.Time) bool { return !v.After(t) })
}

// Gt keeps the records whose time is after t.
func (f TimeField[R]) Gt(t time.Time) Predicate[R] { return f.matching(t.Before) }

// Ge keeps the records whose time is t or later.
func (f TimeField[R]) Ge(t time.Time) Predicate[R] {
	return f.matching(func(v time.Time) bool { return !v.Before(t) })
}

// Between keeps the records whose time is from low to high, both included.
func (f TimeField[R]) Between(low, high time.Time) Predicate[R] {
	return f.matching(func(v time.Time) bool { return !v.Before(low) && !v.After(high) })
}

// IsSet keeps the records that have a time.
func (f TimeField[R]) IsSet() Predicate[R] { return f.matching(func(time.Time) bool { return true }) }

// IsUnset keeps the records that have no time.
func (f TimeField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// Asc orders the earliest time first and records without a time last.
func (f TimeField[R]) Asc() Order[R] { return f.orderBy(time.Time.Compare) }

// Desc orders the latest time first and records without a time last.
func (f TimeField[R]) Desc() Order[R] {
	return f.orderBy(func(x, y time.Time) int { return y.Compare(x) })
}

// matching keeps the records that have a time for which test returns true.
func (f TimeField[R]) matching(test func(time.Time) bool) Predicate[R] {
	get := f.get
	if get == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return Predicate[R]{test: func(r *R) bool { v := get(r); return !v.IsZero() && test(v) }}
}

func (f TimeField[R]) orderBy(compare func(x, y time.Time) int) Order[R] {
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

func (f TimeField[R]) dictionary() *columns.Field[R] { return nil }

// A ListField is a list of strings. An empty list is an absent value. Distinct returns the elements of the lists, and
// GroupBy puts a record into the group of each of its elements.
type ListField[R Record] struct {
	name string
	get  func(*R) []string
	// column builds the column of the lists.
	column *columns.Field[R]
}

// Name returns the field's name in the service's JSON.
func (f ListField[R]) Name() string { return f.name }

// Contains keeps the records whose list contains v.
func (f ListField[R]) Contains(v string) Predicate[R] { return f.ContainsAny(v) }

// ContainsAny keeps the records whose list contains at least one of the given values.
func (f ListField[R]) ContainsAny(values ...string) Predicate[R] {
	has := memberOf(values)
	p := f.matching(func(list []string) bool { return slices.ContainsFunc(list, has) })
	if f.column != nil {
		p.pushdown = &columns.Condition[R]{Field: f.column, Texts: slices.Clone(values)}
	}
	return p
}

// ContainsAll keeps the records whose list contains all of the given values. ContainsAll() keeps the records that have a
// list.
func (f ListField[R]) ContainsAll(values ...string) Predicate[R] {
	values = slices.Clone(values)
	return f.matching(func(list []string) bool {
		for _, v := range values {
			if !slices.Contains(list, v) {
				return false
			}
		}
		return len(list) > 0
	})
}

// ContainsNone keeps the records whose list contains none of the given values, including those without a list.
func (f ListField[R]) ContainsNone(values ...string) Predicate[R] {
	return Not(f.ContainsAny(values...))
}

// IsSet keeps the records whose list is not empty.
func (f ListField[R]) IsSet() Predicate[R] {
	return f.matching(func(list []string) bool { return len(list) > 0 })
}

// IsUnset keeps the records that have no list or an empty one.
func (f ListField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// containsFold keeps the records in whose list an element contains part, ignoring letter case.
func (f ListField[R]) containsFold(part string) Predicate[R] {
	needle := fold.New(part)
	return f.matching(func(list []string) bool { return slices.ContainsFunc(list, needle.In) })
}

// matching keeps the records for whose list test returns true.
func (f ListField[R]) matching(test func([]string) bool) Predicate[R] {
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

func (f ListField[R]) dictionary() *columns.Field[R] { return nil }
