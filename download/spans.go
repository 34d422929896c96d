// Sets of byte ranges.

package download

import "slices"

// span is the range of bytes from Start to End, without End.
type span struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// spans is a sorted list of ranges that neither overlap nor touch.
type spans []span

// add returns the set with one more range.
func (s spans) add(start, end int64) spans {
	if start >= end {
		return s
	}
	first, _ := slices.BinarySearchFunc(s, start, func(e span, at int64) int {
		if e.End < at {
			return -1
		}
		return 1
	})
	merged, last := span{start, end}, first
	for ; last < len(s) && s[last].Start <= end; last++ {
		merged.Start = min(merged.Start, s[last].Start)
		merged.End = max(merged.End, s[last].End)
	}
	return slices.Replace(s, first, last, merged)
}

// prefix returns the length of the range that begins at 0.
func (s spans) prefix() int64 {
	if len(s) == 0 || s[0].Start != 0 {
		return 0
	}
	return s[0].End
}

// size returns the number of bytes in the set.
func (s spans) size() (n int64) {
	for _, e := range s {
		n += e.End - e.Start
	}
	return n
}

// gap returns the first range below limit that is not in the set. It is empty if there is none.
func (s spans) gap(limit int64) span {
	var at int64
	for _, e := range s {
		if at < e.Start {
			return span{at, min(e.Start, limit)}
		}
		at = e.End
	}
	if at < limit {
		return span{at, limit}
	}
	return span{limit, limit}
}

// valid reports whether the set is well formed and within size bytes. It is used for sets that were read from a file.
func (s spans) valid(size int64) bool {
	at := int64(-1)
	for _, e := range s {
		if e.Start <= at || e.End <= e.Start || e.End > size {
			return false
		}
		at = e.End
	}
	return len(s) == 0 || s[0].Start >= 0
}
