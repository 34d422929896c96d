package textname

// This file has the rest of a name while parts are cut out of it. It records the cuts. If no cut is inside a part, the
// part is returned as a substring of the name, without an allocation.

import "unicode/utf8"

// span is a range of bytes. The zero span means that nothing was found, because no part is empty.
type span struct{ start, end int }

func (s span) found() bool { return s.end > s.start }

// without returns the position of the span after another span is cut out. The spans must not overlap.
func (s span) without(cut span) span {
	if s.start < cut.end {
		return s
	}
	n := cut.end - cut.start
	return span{s.start - n, s.end - n}
}

// maxCuts is the number of parts that can be cut out of one name: leading version, size, version, quant, variant and
// date.
const maxCuts = 6

// remains is a name without the parts that have been cut out. The name is passed to the methods that return substrings
// of it. If the name were a field, the compiler would move the text to the heap, because it would assume that the
// results refer to the text.
type remains struct {
	text []byte
	cuts [maxCuts]span // positions in the text before that cut
	n    int
}

// newRemains returns the whole name. It stores the text in scratch.
func newRemains(name string, scratch []byte) remains {
	return remains{text: append(scratch, name...)}
}

// take cuts a span out of the text and returns it.
func (r *remains) take(name string, s span) string {
	part := r.string(name, s)
	r.cut(s)
	return part
}

// cut removes a span from the text.
func (r *remains) cut(s span) {
	// Assigning to r.text a slice of r.text, and not the result of append, keeps the text of split on the stack.
	copy(r.text[s.start:], r.text[s.end:])
	r.text = r.text[:len(r.text)-(s.end-s.start)]
	r.cuts[r.n] = s
	r.n++
}

// string returns a span of the text. If no cut is inside the span, the result is a substring of the name.
func (r *remains) string(name string, s span) string {
	first, last := r.origin(s.start), r.origin(s.end-1)
	if last-first == s.end-1-s.start {
		return name[first : last+1]
	}
	return string(r.text[s.start:s.end])
}

// origin returns the offset in the name of the byte at an offset of the text.
func (r *remains) origin(at int) int {
	for i := r.n - 1; i >= 0; i-- {
		if c := r.cuts[i]; at >= c.start {
			at += c.end - c.start
		}
	}
	return at
}

// base returns the text without separators at its ends, and with each run of the same separator replaced by one. If
// nothing is left, it returns the name. base overwrites the text.
func (r *remains) base(name string) string {
	s := span{0, len(r.text)}
	for s.found() && isSeparator(r.text[s.start]) {
		s.start++
	}
	for s.found() && isSeparator(r.text[s.end-1]) {
		s.end--
	}
	if !s.found() {
		return name
	}
	squeezed := squeeze(r.text[s.start:s.end])
	if len(squeezed) == s.end-s.start {
		return r.string(name, s)
	}
	if n := len(squeezed); string(squeezed) == name[:n] {
		return name[:n]
	}
	return string(squeezed)
}

// squeeze removes, in place, each separator that follows the same separator. It returns the remaining text.
func squeeze(text []byte) []byte {
	out := text[:0]
	for i, c := range text {
		if i > 0 && c == out[len(out)-1] && isSeparator(c) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// separatorsIn counts the separators among the first n characters of a name.
func separatorsIn(name string, n int) int {
	count := 0
	for i := 0; n > 0 && i < len(name); n-- {
		if isSeparator(name[i]) {
			count++
		}
		_, size := utf8.DecodeRuneInString(name[i:])
		i += size
	}
	return count
}

func isSeparator(c byte) bool {
	return c == '-' || c == '_' || c == '.' || c == ' '
}
