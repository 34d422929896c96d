// How fields are read from records, one by one or a block of records at a time.
//
// A call through a function value for each record and predicate would cost several times what the comparison does. So
// the predicates that matter most also come as a scan: a loop over a block of records that drops from a selection those
// that it does not keep. Such a loop finds a field at its offset in the record.

package modelref

import (
	"math"
	"unsafe"
)

// scan copies from a selection of records, given as their places in the block, those that it keeps, in their order, and
// returns them. They are written to the start of memory, which may be that of the selection itself.
type scan[R Record] func(block []R, selection, memory []uint16) []uint16

// blockSize is how many records are scanned at a time: few enough to stay in the processor's cache from one predicate
// to the next.
const blockSize = 256

// everyPlace is the selection of a whole block. It is never written to.
var everyPlace = func() (places [blockSize]uint16) {
	for i := range places {
		places[i] = uint16(i)
	}
	return places
}()

// fieldOffset returns where in a record lies the value that at points to. It must lie in the record itself, not behind a
// pointer.
func fieldOffset[R Record, V any](at func(*R) *V) uintptr {
	record := new(R)
	return uintptr(unsafe.Pointer(at(record))) - uintptr(unsafe.Pointer(record))
}

// valueAt returns the value of type V at an offset that fieldOffset gave for a V in R.
func valueAt[V any, R Record](r *R, offset uintptr) *V {
	return (*V)(unsafe.Add(unsafe.Pointer(r), offset))
}

// scanTest scans with a function of one record.
//
//go:noinline
func scanTest[R Record](test func(*R) bool) scan[R] {
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
		for _, i := range selection {
			if test(&block[i]) {
				memory[kept] = i
				kept++
			}
		}
		return memory[:kept]
	}
}

// scanAll keeps what all the scans keep.
//
//go:noinline
func scanAll[R Record](scans []scan[R]) scan[R] {
	return func(block []R, selection, memory []uint16) []uint16 {
		for _, s := range scans {
			selection = s(block, selection, memory)
		}
		return selection
	}
}

// scanText keeps the records whose text at the offset is one of values. An empty text is no value, so that values must
// not have one.
//
//go:noinline
func scanText[R Record, S ~string](offset uintptr, values []S) scan[R] {
	var lengths uint64 // a bit for the length of each value: most texts have another
	for _, want := range values {
		lengths |= 1 << (len(want) % 64)
	}
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
		for _, i := range selection { // without a call in it, which keeps it tight
			memory[kept] = i
			kept += int(lengths >> (len(*valueAt[S](&block[i], offset)) % 64) & 1)
		}
		selection = memory[:kept]
		kept = 0
		for _, i := range selection {
			have := *valueAt[S](&block[i], offset)
			for _, want := range values {
				if have == want {
					memory[kept] = i
					kept++
					break
				}
			}
		}
		return memory[:kept]
	}
}

// scanNoText keeps the records whose text at the offset is none of values.
//
//go:noinline
func scanNoText[R Record, S ~string](offset uintptr, values []S) scan[R] {
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
	records:
		for _, i := range selection {
			have := *valueAt[S](&block[i], offset)
			for _, want := range values {
				if have == want {
					continue records
				}
			}
			memory[kept] = i
			kept++
		}
		return memory[:kept]
	}
}

// scanList keeps the records whose list at the offset has one of values.
//
//go:noinline
func scanList[R Record](offset uintptr, values []string) scan[R] {
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
	records:
		for _, i := range selection {
			for _, have := range *valueAt[[]string](&block[i], offset) {
				for _, want := range values {
					if have == want {
						memory[kept] = i
						kept++
						continue records
					}
				}
			}
		}
		return memory[:kept]
	}
}

// scanFlag keeps the records whose flag at the offset is the wanted one. Like the scans below it counts without a
// branch, since the processor cannot guess how a flag stands.
//
//go:noinline
func scanFlag[R Record](offset uintptr, want bool) scan[R] {
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
		for _, i := range selection {
			memory[kept] = i
			kept += number(*valueAt[bool](&block[i], offset) == want)
		}
		return memory[:kept]
	}
}

// number returns 1 for true and 0 for false; the compiler makes no branch of it.
func number(b bool) int {
	n := 0
	if b {
		n = 1
	}
	return n
}

// span is a range of integers, both ends included; it is empty where low is above high.
type span struct{ low, high int64 }

// spanOf returns the integers that an operator keeps; high is for opBetween alone.
func spanOf(operator string, v, high int64) span {
	switch {
	case operator == opBetween:
		return span{v, high}
	case operator == opLessEqual:
		return span{math.MinInt64, v}
	case operator == opGreaterEqual:
		return span{v, math.MaxInt64}
	case operator == opLess && v > math.MinInt64:
		return span{math.MinInt64, v - 1}
	case operator == opGreater && v < math.MaxInt64:
		return span{v + 1, math.MaxInt64}
	default:
		return span{1, 0}
	}
}

// width returns how far the span reaches above its low end. A value is in the span where it is as far above at most,
// counted without a sign: one comparison instead of two.
func (in span) width() uint64 { return uint64(in.high) - uint64(in.low) }

func scanNone[R Record]([]R, []uint16, []uint16) []uint16 { return nil }

// scanOptional keeps the records whose Optional at the offset is set and in the span.
//
//go:noinline
func scanOptional[R Record](offset uintptr, in span) scan[R] {
	if in.low > in.high {
		return scanNone[R]
	}
	low, width := uint64(in.low), in.width()
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
		for _, i := range selection {
			have := valueAt[Optional[int64]](&block[i], offset)
			memory[kept] = i
			kept += number(have.set) & number(uint64(have.value)-low <= width)
		}
		return memory[:kept]
	}
}

// scanInteger keeps the records whose integer at the offset is in the span.
//
//go:noinline
func scanInteger[R Record](offset uintptr, in span) scan[R] {
	if in.low > in.high {
		return scanNone[R]
	}
	low, width := uint64(in.low), in.width()
	return func(block []R, selection, memory []uint16) []uint16 {
		kept := 0
		for _, i := range selection {
			have := *valueAt[int64](&block[i], offset)
			memory[kept] = i
			kept += number(uint64(have)-low <= width)
		}
		return memory[:kept]
	}
}
