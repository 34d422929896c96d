package textname

// This file writes the normalised form of a name. Lower case is that of the Unicode standard in full, which differs
// from lowering one character at a time in two characters.

import (
	"unicode"
	"unicode/utf8"
)

// normalize returns a name in lower case with every run of separators as one underscore, and none at the ends. It is
// the name itself where that changes nothing.
func normalize(name string) string {
	var scratch [128]byte
	out := scratch[:0]
	for i := 0; i < len(name); {
		c := name[i]
		if c >= utf8.RuneSelf {
			var width int
			out, width = appendLower(out, name, i)
			i += width
			continue
		}
		i++
		if isSeparator(c) {
			if len(out) > 0 && out[len(out)-1] != '_' {
				out = append(out, '_')
			}
			continue
		}
		out = append(out, lowerByte(c))
	}
	if n := len(out); n > 0 && out[n-1] == '_' {
		out = out[:n-1]
	}
	if string(out) == name {
		return name
	}
	return string(out)
}

// appendLower appends the lower case of the character at a place of the name and returns the width that it has there.
func appendLower(out []byte, name string, at int) ([]byte, int) {
	r, width := utf8.DecodeRuneInString(name[at:])
	switch {
	case r == utf8.RuneError && width == 1:
		return append(out, name[at]), width
	case r == 'İ':
		return append(out, "i\u0307"...), width
	case r == 'Σ' && endsWord(name[:at], name[at+width:]):
		return append(out, "ς"...), width
	}
	return utf8.AppendRune(out, unicode.ToLower(r)), width
}

// endsWord reports whether a character between the two texts is the last cased one of its word.
func endsWord(before, after string) bool {
	for before != "" {
		r, width := utf8.DecodeLastRuneInString(before)
		if !caseIgnorable(r) {
			return cased(r) && !startsCased(after)
		}
		before = before[:len(before)-width]
	}
	return false
}

// startsCased reports whether the first character of the text that case does not pass over has a case.
func startsCased(text string) bool {
	for _, r := range text {
		if !caseIgnorable(r) {
			return cased(r)
		}
	}
	return false
}

// cased reports whether a character has a case.
func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// caseIgnorable reports whether case passes over a character, as it does over marks and the punctuation within words.
func caseIgnorable(r rune) bool {
	switch r {
	case '\'', '.', ':', '·', '\u0387', '\u055F', '\u05F4', '\u2018', '\u2019', '\u2024', '\u2027',
		'\uFE13', '\uFE52', '\uFE55', '\uFF07', '\uFF0E', '\uFF1A':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
