package textname

// This file holds what is left of a name while parts are cut out of it. It remembers the cuts, so that a part which
// stands in the name in one piece is returned as a piece of the name and costs no memory of its own.

import "unicode/utf8"

// span is a stretch of bytes. The zero span means that nothing was found: no part is empty.
type span struct{ start, end int }

func (s span) found() bool { return s.end > s.start }

// without returns where the span is once another, which does not overlap it, is cut out.
func (s span) without(cut span) span {
	if s.start < cut.end {
		return s
	}
	n := cut.end - cut.start
	return span{s.start - n, s.end - n}
}

// maxCuts is how many parts are cut out of one name: a leading version, size, version, quant, variant and date.
const maxCuts = 6

// remains is a name without the parts cut out of it so far. The name itself is handed to the methods that return pieces
// of it: were it a field, the compiler would take their results for pieces of text and keep that on the heap.
type remains struct {
	text []byte
	cuts [maxCuts]span // each in the text as it was before that cut
	n    int
}

// newRemains returns the whole name, written to scratch.
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
	// Shortening the field itself, rather than storing what append returns, keeps the text of split on its stack.
	copy(r.text[s.start:], r.text[s.end:])
	r.text = r.text[:len(r.text)-(s.end-s.start)]
	r.cuts[r.n] = s
	r.n++
}

// string returns a span of the text: a piece of the name unless a cut lies inside it.
func (r *remains) string(name string, s span) string {
	first, last := r.origin(s.start), r.origin(s.end-1)
	if last-first == s.end-1-s.start {
		return name[first : last+1]
	}
	return string(r.text[s.start:s.end])
}

// origin returns where in the name the byte at a place of the text stands.
func (r *remains) origin(at int) int {
	for i := r.n - 1; i >= 0; i-- {
		if c := r.cuts[i]; at >= c.start {
			at += c.end - c.start
		}
	}
	return at
}

// base returns the text without separators at its ends and with every run of one separator as a single one, or the
// name where nothing is left. The text is spent afterwards.
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

// squeeze drops every separator that follows the same separator, in place, and returns what is left.
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
