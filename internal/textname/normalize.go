package textname

// This file writes the normalized form of a name. It uses the full lower case of the Unicode standard. For two
// characters, this differs from converting each character by itself.

import (
	"unicode"
	"unicode/utf8"
)

// normalize returns a name in lower case. Each run of separators is replaced by one underscore, and separators at the
// ends are removed. If nothing changes, normalize returns the name itself.
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

// appendLower appends the lower case of the character at an offset of the name. It returns the width of the character
// in the name.
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

// endsWord reports whether a character between the two texts is the last cased character of its word.
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

// startsCased reports whether the first character of the text that is not case-ignorable is cased.
func startsCased(text string) bool {
	for _, r := range text {
		if !caseIgnorable(r) {
			return cased(r)
		}
	}
	return false
}

// cased reports whether a character is cased, as Unicode defines it.
func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// caseIgnorable reports whether a character is case-ignorable, such as marks and the punctuation within words.
func caseIgnorable(r rune) bool {
	switch r {
	case '\'', '.', ':', '·', '\u0387', '\u055F', '\u05F4', '\u2018', '\u2019', '\u2024', '\u2027',
		'\uFE13', '\uFE52', '\uFE55', '\uFF07', '\uFF0E', '\uFF1A':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
