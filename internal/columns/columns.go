// Package columns holds one field of many records in contiguous memory, so that queries can filter them fast.
//
// A record has several hundred bytes, and a predicate reads only a few of them. A loop over records therefore spends
// most of its time waiting for memory. A column holds the values of one field only, in one or eight bytes per record. It
// is built by the first query that needs it and is kept with the records. Filters are evaluated on 64 records at a time.
package columns

import (
	"math"
	"sync"
	"sync/atomic"
)

const (
	// BlockSize is the number of records that a filter evaluates at a time: one for each bit of a word.
	BlockSize = 64
	// MinRows is the smallest number of records for which columns are built. For fewer records a loop is as fast.
	MinRows = 64
	// MaxCodes is the number of different codes that a column can have.
	MaxCodes = math.MaxUint8 + 1

	// noNumber represents an absent number in a column.
	noNumber = math.MinInt64
)

// A Column holds one field of all records, in one of three forms. Its length is rounded up to a multiple of BlockSize.
type Column struct {
	// numbers holds the values of an integer field.
	numbers []int64
	// codes holds the dictionary codes of a text field. The code of the empty text is 0.
	codes []uint8
	// sets holds the values of a list field. Each bit is the code of one text.
	sets []uint64
	// codeOf maps each text to its code.
	codeOf map[string]uint8
}

// Number returns the number of the i-th record and reports whether the record has one. The field of the column must be
// a field of integers.
func (c *Column) Number(i int) (int64, bool) {
	n := c.numbers[i]
	return n, n != noNumber
}

// Code returns the code of the i-th record. Records with equal values have equal codes. The field of the column must be
// a field of texts or flags.
func (c *Column) Code(i int) uint8 { return c.codes[i] }

// paddedLen returns the length of a column for n records.
func paddedLen(n int) int { return (n + BlockSize - 1) / BlockSize * BlockSize }

// code returns the code of a text. It assigns the next code to a new text. It returns false if this code is limit or
// more.
func (c *Column) code(text string, limit int) (uint8, bool) {
	code, ok := c.codeOf[text]
	if !ok && len(c.codeOf) < limit {
		code, ok = uint8(len(c.codeOf)), true //nolint:gosec // limit is at most MaxCodes
		c.codeOf[text] = code
	}
	return code, ok
}

// A Field builds the columns of one field of the records R. Fields are compared by their address.
type Field[R any] struct {
	// build returns the column of the field, or nil if a column cannot represent the values of the records.
	build func(list []R) *Column
}

// Text returns a field of texts, in which the empty text is an absent value. The field has no column if the records
// have 256 different texts or more.
func Text[R any, S ~string](get func(*R) S) *Field[R] {
	return &Field[R]{func(list []R) *Column {
		c := &Column{codes: make([]uint8, paddedLen(len(list))), codeOf: map[string]uint8{"": 0}}
		for i := range list {
			code, ok := c.code(string(get(&list[i])), MaxCodes)
			if !ok {
				return nil
			}
			c.codes[i] = code
		}
		return c
	}}
}

// Bool returns a field of flags. Conditions on it have the texts "false" and "true".
func Bool[R any](get func(*R) bool) *Field[R] {
	return &Field[R]{func(list []R) *Column {
		c := &Column{codes: make([]uint8, paddedLen(len(list))), codeOf: map[string]uint8{"false": 1, "true": 2}}
		for i := range list {
			c.codes[i] = 1
			if get(&list[i]) {
				c.codes[i] = 2
			}
		}
		return c
	}}
}

// List returns a field of lists of texts. The field has no column if the lists contain more than 64 different texts.
func List[R any](get func(*R) []string) *Field[R] {
	return &Field[R]{func(list []R) *Column {
		c := &Column{sets: make([]uint64, paddedLen(len(list))), codeOf: map[string]uint8{}}
		for i := range list {
			for _, text := range get(&list[i]) {
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

// Int returns a field of integers. get reports whether the integer is present. The field has no column if a record has
// the lowest int64.
func Int[R any](get func(*R) (int64, bool)) *Field[R] {
	return &Field[R]{func(list []R) *Column {
		c := &Column{numbers: make([]int64, paddedLen(len(list)))}
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

// A Set has the columns that have been built for one list of records. The zero value is an empty set. It is safe for
// concurrent use.
type Set[R any] struct {
	mu    sync.Mutex                       // held while a column is built
	built atomic.Pointer[[]builtColumn[R]] // replaced as a whole, never modified
}

type builtColumn[R any] struct {
	field  *Field[R]
	column *Column // nil if the field has none
}

// Of returns the column of a field. The first call builds the column. The list must be the same for each call. Of
// returns nil if the set or the field is nil, if the list has fewer than MinRows records, or if a column cannot
// represent their values.
func (s *Set[R]) Of(field *Field[R], list []R) *Column {
	if s == nil || field == nil || len(list) < MinRows {
		return nil
	}
	if column, ok := s.find(field); ok {
		return column
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if column, ok := s.find(field); ok { // another goroutine has built it in the meantime
		return column
	}
	var all []builtColumn[R]
	if before := s.built.Load(); before != nil {
		all = append(all, *before...)
	}
	column := field.build(list)
	all = append(all, builtColumn[R]{field, column})
	s.built.Store(&all)
	return column
}

// Len returns the number of fields for which a column has been requested, including fields that have no column.
func (s *Set[R]) Len() int {
	if built := s.built.Load(); built != nil {
		return len(*built)
	}
	return 0
}

func (s *Set[R]) find(field *Field[R]) (*Column, bool) {
	if built := s.built.Load(); built != nil {
		for i := range *built {
			if b := &(*built)[i]; b.field == field {
				return b.column, true
			}
		}
	}
	return nil, false
}
