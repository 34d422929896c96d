// This file has intervals of values.

package columns

import (
	"cmp"
	"math"
)

// An Interval is a range of values. The zero value contains every value.
type Interval[V cmp.Ordered] struct {
	// Min and Max are the ends. Each is used only if its bound is Closed or Open.
	Min, Max V
	// MinBound and MaxBound state whether there is an end, and whether it belongs to the interval.
	MinBound, MaxBound Bound
}

// A Bound is the kind of one end of an interval.
type Bound uint8

// The kinds of bound.
const (
	Unbounded Bound = iota // the interval has no end
	Closed                 // the end belongs to the interval
	Open                   // the end does not belong to the interval
)

// Contains reports whether the value is in the interval.
func (in *Interval[V]) Contains(v V) bool {
	return (in.MinBound == Unbounded || v > in.Min || v == in.Min && in.MinBound == Closed) &&
		(in.MaxBound == Unbounded || v < in.Max || v == in.Max && in.MaxBound == Closed)
}

// closed returns the lowest and the highest integer in the interval. It returns false if there is no integer because an
// open end is the lowest or highest int64. If low is above high, the interval is empty, too.
func closed(in Interval[int64]) (low, high int64, ok bool) {
	low, high = math.MinInt64, math.MaxInt64
	switch {
	case in.MinBound == Open && in.Min == math.MaxInt64, in.MaxBound == Open && in.Max == math.MinInt64:
		return 0, 0, false
	case in.MinBound == Open:
		low = in.Min + 1
	case in.MinBound == Closed:
		low = in.Min
	}
	switch in.MaxBound {
	case Open:
		high = in.Max - 1
	case Closed:
		high = in.Max
	}
	return low, high, true
}
