// Columns: one field of all records of a reference, side by side.
//
// A record has some hundreds of bytes, of which a predicate looks at a few: a loop over records waits for memory, the
// longer the more there are. So the first query that asks for a field copies its values into a column of one or eight
// bytes a record, which stays with the records; that query and those after it go over the column, 64 records at a time.

package modelref

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

const (
	// blockSize is how many records are gone over at a time: one for each bit of a word.
	blockSize = 64
	// worthColumns is how many records are worth a column; fewer are looked at one by one.
	worthColumns = 64
	// noNumber stands in a column for a number that is absent.
	noNumber = math.MinInt64
)

// column holds one field of all records, in one of three forms, filled up to a whole number of blocks.
type column struct {
	// numbers are the numbers.
	numbers []int64
	// codes are the codes of texts, 0 for no text.
	codes []uint8
	// sets are the codes of lists of texts, a bit each.
	sets []uint64
	// codeOf has the code of each text.
	codeOf map[string]uint8
}

// blocks returns how many values a column has for n records.
func blocks(n int) int { return (n + blockSize - 1) / blockSize * blockSize }

// code returns the code of a text, a new one below limit where it has none yet, and false where these have run out.
func (c *column) code(text string, limit int) (uint8, bool) {
	code, ok := c.codeOf[text]
	if !ok && len(c.codeOf) < limit {
		code, ok = uint8(len(c.codeOf)), true
		c.codeOf[text] = code
	}
	return code, ok
}

// columnField makes the column of one field. Its address tells the field apart from others.
type columnField[R Record] struct {
	// fill returns the column of the field, or nil where a column cannot hold what is in the records.
	fill func(list []R) *column
}

// textColumn makes columns of the text at an offset.
func textColumn[R Record, S ~string](offset uintptr) *columnField[R] {
	return &columnField[R]{func(list []R) *column {
		c := &column{codes: make([]uint8, blocks(len(list))), codeOf: map[string]uint8{"": 0}}
		for i := range list {
			code, ok := c.code(string(*valueAt[S](&list[i], offset)), math.MaxUint8+1)
			if !ok {
				return nil
			}
			c.codes[i] = code
		}
		return c
	}}
}

// flagColumn makes columns of the flag at an offset.
func flagColumn[R Record](offset uintptr) *columnField[R] {
	return &columnField[R]{func(list []R) *column {
		c := &column{codes: make([]uint8, blocks(len(list))), codeOf: map[string]uint8{"false": 1, "true": 2}}
		for i := range list {
			c.codes[i] = 1 + uint8(bit(*valueAt[bool](&list[i], offset)))
		}
		return c
	}}
}

// listColumn makes columns of the list of texts at an offset.
func listColumn[R Record](offset uintptr) *columnField[R] {
	return &columnField[R]{func(list []R) *column {
		c := &column{sets: make([]uint64, blocks(len(list))), codeOf: map[string]uint8{}}
		for i := range list {
			for _, text := range *valueAt[[]string](&list[i], offset) {
				code, ok := c.code(text, 64)
				if !ok {
					return nil
				}
				c.sets[i] |= 1 << code
			}
		}
		return c
	}}
}

// numberColumn makes columns of an integer.
func numberColumn[R Record](get func(*R) (int64, bool)) *columnField[R] {
	return &columnField[R]{func(list []R) *column {
		c := &column{numbers: make([]int64, blocks(len(list)))}
		for i := range list {
			n, ok := get(&list[i])
			if !ok {
				n = noNumber
			} else if n == noNumber {
				return nil
			}
			c.numbers[i] = n
		}
		return c
	}}
}

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

// columns are the columns that have been made of a list of records.
type columns[R Record] struct {
	making sync.Mutex
	made   atomic.Pointer[[]madeColumn[R]] // replaced, never written to
}

type madeColumn[R Record] struct {
	field  *columnField[R]
	column *column // nil where there can be none
}

// of returns the column of a field of the list, which is the same at each call; nil where there is none.
func (c *columns[R]) of(field *columnField[R], list []R) *column {
	if c == nil || field == nil || len(list) < worthColumns {
		return nil
	}
	if made, ok := c.find(field); ok {
		return made
	}
	c.making.Lock()
	defer c.making.Unlock()
	if made, ok := c.find(field); ok { // while we waited
		return made
	}
	var all []madeColumn[R]
	if before := c.made.Load(); before != nil {
		all = append(all, *before...)
	}
	made := field.fill(list)
	all = append(all, madeColumn[R]{field, made})
	c.made.Store(&all)
	return made
}

func (c *columns[R]) find(field *columnField[R]) (*column, bool) {
	if made := c.made.Load(); made != nil {
		for i := range *made {
			if m := &(*made)[i]; m.field == field {
				return m.column, true
			}
		}
	}
	return nil, false
}

// question is a predicate that a column can answer.
type question[R Record] struct {
	field   *columnField[R]
	texts   []string // one of which the text, or an element of the list, is to be
	negated bool     // it is to be none of them
	in      span     // in which the number is to be
}

// put puts the question to a column.
func (q *question[R]) put(c *column) filter {
	f := filter{column: c}
	switch {
	case c.numbers != nil:
		f.putSpan(q.in)
	case c.sets != nil:
		for _, text := range q.texts {
			if code, ok := c.codeOf[text]; ok {
				f.wanted[0] |= 1 << code
			}
		}
		f.kind = filterSets
		if f.wanted[0] == 0 {
			f.kind = filterNone
		}
	default:
		f.putTexts(q.texts, q.negated)
	}
	return f
}

// filter is a question that has been put to a column.
type filter struct {
	column *column
	kind   filterKind
	// low and width say which numbers are kept, compared without a sign: one comparison instead of two.
	low, width uint64
	// wanted has a bit for each code that is kept.
	wanted [4]uint64
	// first and second are the codes that are kept, or those that are not, each in all bytes of a word.
	first, second uint64
}

// filterKind says how a filter goes over its column. The lower, the cheaper it is.
type filterKind uint8

const (
	filterNone   filterKind = iota // keeps no record
	filterAll                      // keeps every record
	filterTwo                      // keeps two codes, or one
	filterNotTwo                   // keeps all but those
	filterCodes                    // keeps the codes that are wanted
	filterSets                     // keeps the sets that have one that is wanted
	filterSpan                     // keeps the numbers in a span
)

func (f *filter) putSpan(in span) {
	low := max(in.low, noNumber+1)
	if low > in.high {
		f.kind = filterNone
		return
	}
	f.kind, f.low, f.width = filterSpan, uint64(low), uint64(in.high)-uint64(low)
}

func (f *filter) putTexts(texts []string, negated bool) {
	found := 0
	for _, text := range texts {
		code, ok := f.column.codeOf[text]
		if !ok || text == "" { // which no record has, or stands for none
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

// keep returns those of the selected records that the filter keeps. There is a bit for each record of the block that
// starts at from.
func (f *filter) keep(from int, selected uint64) uint64 {
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
	if bits.OnesCount64(selected) > blockSize/3 { // so many that it is cheaper to look at all, without a branch
		return selected & f.whole(from)
	}
	return f.some(from, selected)
}

// two returns the records of a block whose code is first or second. It looks at eight at a time: a code that is the
// wanted one becomes zero by exclusive or, and only of a zero both the byte and the sum of its low bits and 0x7f leave the
// high bit clear. The multiplication gathers the high bits in one byte.
func (f *filter) two(from int) (found uint64) {
	block := f.column.codes[from : from+blockSize]
	first, second := f.first, f.second
	for i := 0; i < blockSize; i += 8 {
		w := binary.LittleEndian.Uint64(block[i:])
		a, b := w^first, w^second
		miss := (a&^highBits + lowBits*0x7f | a) & (b&^highBits + lowBits*0x7f | b)
		found |= (^miss & highBits) * 0x0002040810204081 >> 56 << i
	}
	return found
}

// whole returns the records of a block that the filter keeps.
func (f *filter) whole(from int) (found uint64) {
	switch f.kind {
	case filterSpan:
		low, width := f.low, f.width
		for i, n := range f.column.numbers[from : from+blockSize] {
			found |= bit(uint64(n)-low <= width) << i
		}
	case filterSets:
		wanted := f.wanted[0]
		for i, set := range f.column.sets[from : from+blockSize] {
			found |= bit(set&wanted != 0) << i
		}
	default:
		wanted := f.wanted
		for i, code := range f.column.codes[from : from+blockSize] {
			found |= (wanted[code/64] >> (code % 64) & 1) << i
		}
	}
	return found
}

// some returns those of the selected records of a block that the filter keeps.
func (f *filter) some(from int, selected uint64) (kept uint64) {
	c := f.column
	for left := selected; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		var keep uint64
		switch at := from + i; f.kind {
		case filterSpan:
			keep = bit(uint64(c.numbers[at])-f.low <= f.width)
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

// bit returns 1 for true and 0 for false; the compiler makes no branch of it.
func bit(b bool) uint64 {
	var n uint64
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
