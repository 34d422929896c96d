package jsondoc

// This file has the memory for the lists of records.

import "slices"

// Arena is memory for many short lists, so that not every list needs an allocation of its own. Only one list is open at
// a time.
type Arena[T any] struct {
	chunk    []T
	start    int // of the open list
	capacity int // of all chunks
}

// maxChunk limits the number of elements in a chunk. A longer list has a chunk of its own.
const maxChunk = 256

// begin opens a new list.
func (l *Arena[T]) begin() { l.start = len(l.chunk) }

// add appends v to the open list. It returns a pointer to the element, which is valid until the next call of add.
func (l *Arena[T]) add(v T, s *Scanner) *T {
	if len(l.chunk) == cap(l.chunk) {
		list := l.chunk[l.start:]
		l.chunk = append(make([]T, 0, max(l.nextChunk(s), 2*len(list))), list...)
		l.start, l.capacity = 0, l.capacity+cap(l.chunk)
	}
	l.chunk = append(l.chunk, v)
	return &l.chunk[len(l.chunk)-1]
}

// nextChunk returns the length of the next chunk: a quarter of the total so far, but no more than the rest of the document
// is likely to need.
func (l *Arena[T]) nextChunk(s *Scanner) int {
	rest := float64(len(s.doc)-s.pos) / float64(s.pos+1)
	return max(min(l.capacity/4, maxChunk, int(float64(l.capacity)*rest)), 1)
}

// list returns the open list, or nil if it is empty.
func (l *Arena[T]) list() []T {
	if l.start == len(l.chunk) {
		return nil
	}
	return slices.Clip(l.chunk[l.start:])
}
