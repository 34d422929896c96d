// This file has conditions, and the filters that they are compiled to for a column.

package columns

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A Condition is a predicate that can be evaluated on a column. For a field of integers it is an interval; for all other
// fields it is a list of texts.
type Condition[R any] struct {
	// Field is the field that the condition compares.
	Field *Field[R]
	// Texts are the texts to search for. A text field matches if it is equal to one of them. A list field matches if it
	// contains one of them. An absent value does not match.
	Texts []string
	// Negated inverts the condition on a text field. It is not used for lists.
	Negated bool
	// Interval contains the integers that match.
	Interval Interval[int64]
}

// Compile returns the filter that evaluates the condition on a column of its field.
func (q *Condition[R]) Compile(c *Column) Filter {
	f := Filter{column: c}
	switch {
	case c.numbers != nil:
		f.compileInterval(q.Interval)
	case c.sets != nil:
		f.compileSet(q.Texts)
	default:
		f.compileTexts(q.Texts, q.Negated)
	}
	return f
}

// A Filter is a condition that has been compiled for one column.
type Filter struct {
	column *Column
	kind   filterKind
	// low and width are the interval of the numbers that match: uint64(n)-low <= width is one comparison instead of two.
	low, width uint64
	// wanted has a bit for each code that matches.
	wanted [4]uint64
	// first and second are the codes that filterTwo and filterNotTwo search for, each repeated in all bytes.
	first, second uint64
}

// filterKind is the algorithm of a filter. The kinds are sorted by their cost, the cheapest first.
type filterKind uint8

const (
	filterNone     filterKind = iota // no record matches
	filterAll                        // every record matches
	filterTwo                        // one of two codes matches
	filterNotTwo                     // every code except for two matches
	filterCodes                      // the wanted codes match
	filterSets                       // a set matches if it has a wanted code
	filterInterval                   // the numbers in an interval match
)

func (f *Filter) compileInterval(in Interval[int64]) {
	low, high, ok := closed(in)
	if low = max(low, noNumber+1); !ok || low > high {
		f.kind = filterNone
		return
	}
	f.kind, f.low, f.width = filterInterval, uint64(low), uint64(high)-uint64(low) //nolint:gosec // wraps as intended
}

func (f *Filter) compileSet(texts []string) {
	for _, text := range texts {
		if code, ok := f.column.codeOf[text]; ok {
			f.wanted[0] |= 1 << code
		}
	}
	f.kind = filterSets
	if f.wanted[0] == 0 {
		f.kind = filterNone
	}
}

func (f *Filter) compileTexts(texts []string, negated bool) {
	found := 0
	for _, text := range texts {
		code, ok := f.column.codeOf[text]
		if !ok || text == "" { // no record has the text, or the text is the absent value
			continue
		}
		f.wanted[code/64] |= 1 << (code % 64)
		f.second = uint64(code) * lowBits
		if found == 0 {
			f.first = f.second
		}
		found++
	}
	switch {
	case found == 0 && negated:
		f.kind = filterAll
	case found == 0:
		f.kind = filterNone
	case found <= 2 && negated:
		f.kind = filterNotTwo
	case found <= 2:
		f.kind = filterTwo
	default:
		f.kind = filterCodes
		for i := range f.wanted {
			if negated {
				f.wanted[i] = ^f.wanted[i]
			}
		}
	}
}

// Filters are filters that must all match. They are sorted by their cost.
type Filters []Filter

// Add returns the filters with f added.
func (fs Filters) Add(f Filter) Filters {
	at := len(fs)
	for at > 0 && f.kind < fs[at-1].kind {
		at--
	}
	return slices.Insert(fs, at, f)
}

// Empty reports whether it is known that no record matches.
func (fs Filters) Empty() bool { return len(fs) > 0 && fs[0].kind == filterNone }

// Select returns the matching records of a block, one bit for each record. The block starts at the record from, which
// must be a multiple of BlockSize. Records before first and from n on do not match.
func (fs Filters) Select(from, first, n int) uint64 {
	selected := ^uint64(0) << max(first-from, 0)
	if left := n - from; left < BlockSize {
		selected &= 1<<left - 1
	}
	for i := range fs {
		selected = fs[i].narrow(from, selected)
	}
	return selected
}

// narrow returns the matching records among the selected records of a block.
func (f *Filter) narrow(from int, selected uint64) uint64 {
	switch f.kind {
	case filterNone:
		return 0
	case filterAll:
		return selected
	case filterTwo:
		return selected & f.two(from)
	case filterNotTwo:
		return selected &^ f.two(from)
	}
	if bits.OnesCount64(selected) > BlockSize/3 { // a branch for each record would cost more than testing all of them
		return selected & f.whole(from)
	}
	return f.some(from, selected)
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// two returns the records of a block whose code is first or second. It compares eight codes at a time. Exclusive or
// turns a matching code into a zero byte. Only for a zero byte, the high bit is clear both in the byte and in the sum
// of its low bits and 0x7f. The multiplication collects the high bits in one byte.
func (f *Filter) two(from int) (found uint64) {
	block := f.column.codes[from : from+BlockSize]
	first, second := f.first, f.second
	for i := 0; i < BlockSize; i += 8 {
		w := binary.LittleEndian.Uint64(block[i:])
		a, b := w^first, w^second
		miss := (a&^highBits + lowBits*0x7f | a) & (b&^highBits + lowBits*0x7f | b)
		found |= (^miss & highBits) * 0x0002040810204081 >> 56 << i
	}
	return found
}

// whole returns the matching records of a block.
func (f *Filter) whole(from int) (found uint64) {
	switch f.kind {
	case filterInterval:
		low, width := f.low, f.width
		for i, n := range f.column.numbers[from : from+BlockSize] {
			found |= bit(uint64(n)-low <= width) << i //nolint:gosec // wraps as intended
		}
	case filterSets:
		wanted := f.wanted[0]
		for i, set := range f.column.sets[from : from+BlockSize] {
			found |= bit(set&wanted != 0) << i
		}
	default:
		wanted := f.wanted
		for i, code := range f.column.codes[from : from+BlockSize] {
			found |= (wanted[code/64] >> (code % 64) & 1) << i
		}
	}
	return found
}

// some returns the matching records among the selected records of a block. It tests only the selected records.
func (f *Filter) some(from int, selected uint64) (kept uint64) {
	c := f.column
	for left := selected; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		var keep uint64
		switch at := from + i; f.kind {
		case filterInterval:
			keep = bit(uint64(c.numbers[at])-f.low <= f.width) //nolint:gosec // wraps as intended
		case filterSets:
			keep = bit(c.sets[at]&f.wanted[0] != 0)
		default:
			code := c.codes[at]
			keep = f.wanted[code/64] >> (code % 64) & 1
		}
		kept |= keep << i
	}
	return kept
}

// bit returns 1 for true and 0 for false. It is compiled without a branch.
func bit(b bool) uint64 {
	var n uint64
	if b {
		n = 1
	}
	return n
}
