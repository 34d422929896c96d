// Package fold finds substrings without regard to letter case.
package fold

import (
	"unicode"
	"unicode/utf8"
)

// A Needle is a text to search for, prepared by New.
type Needle []rune

// New returns the needle for a text.
func New(s string) Needle {
	out := make(Needle, 0, len(s))
	for _, r := range s {
		out = append(out, fold(r))
	}
	return out
}

// In reports whether s contains the needle under Unicode case folding. It does not allocate.
func (n Needle) In(s string) bool {
	for start := 0; ; {
		if n.begins(s[start:]) {
			return true
		}
		if start >= len(s) {
			return false
		}
		_, width := utf8.DecodeRuneInString(s[start:])
		start += width
	}
}

// begins reports whether s begins with the needle.
func (n Needle) begins(s string) bool {
	at := 0
	for _, want := range n {
		if at >= len(s) {
			return false
		}
		r, width := rune(s[at]), 1
		if r >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(s[at:])
		}
		if fold(r) != want {
			return false
		}
		at += width
	}
	return true
}

// fold returns the lowest of all runes that differ from r only by letter case.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	lowest := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		lowest = min(lowest, next)
	}
	return lowest
}
