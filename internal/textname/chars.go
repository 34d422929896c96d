package textname

// This file defines letters, digits and word characters. The service uses case-insensitive regular expressions for
// Unicode. Their classes have a few more characters than those for ASCII, and this package must match the same
// characters.

import (
	"unicode"
	"unicode/utf8"
)

// fold returns the ASCII letter that a character is equal to in a case-insensitive comparison, in lower case. Four
// characters outside ASCII are equal to an ASCII letter. Other characters are returned unchanged.
func fold(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + ('a' - 'A')
	case r < utf8.RuneSelf:
		return r
	case r == 'ı', r == 'İ':
		return 'i'
	case r == 'ſ':
		return 's'
	case r == '\u212A': // the Kelvin sign
		return 'k'
	}
	return r
}

// isDigitByte reports whether a byte is an ASCII digit.
func isDigitByte(c byte) bool { return c-'0' < 10 }

// isAlnumByte reports whether a byte is an ASCII letter or digit.
func isAlnumByte(c byte) bool { return c|0x20-'a' < 26 || isDigitByte(c) }

// lowerByte returns a byte in lower case if it is an ASCII letter.
func lowerByte(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// foldAt returns the folded character at an offset of the text and its width in bytes. At the end it returns -1 and 0.
func foldAt(text []byte, at int) (rune, int) {
	if at >= len(text) {
		return -1, 0
	}
	if c := text[at]; c < utf8.RuneSelf {
		return fold(rune(c)), 1
	}
	r, width := utf8.DecodeRune(text[at:])
	return fold(r), width
}

// foldBefore returns the folded character that ends at an offset of the text, or -1 at the start.
func foldBefore(text []byte, at int) rune {
	if at <= 0 {
		return -1
	}
	if c := text[at-1]; c < utf8.RuneSelf {
		return fold(rune(c))
	}
	r, _ := utf8.DecodeLastRune(text[:at])
	return fold(r)
}

// isLetter reports whether a folded character is an ASCII letter.
func isLetter(folded rune) bool { return 'a' <= folded && folded <= 'z' }

// isAlnum reports whether a folded character is an ASCII letter or digit.
func isAlnum(folded rune) bool { return isLetter(folded) || '0' <= folded && folded <= '9' }

// digitAt returns the width of the digit (of any script) at an offset of the text, or 0 if there is no digit.
func digitAt(text []byte, at int) int {
	if at >= len(text) {
		return 0
	}
	if c := text[at]; c < utf8.RuneSelf {
		if isDigitByte(c) {
			return 1
		}
		return 0
	}
	if r, width := utf8.DecodeRune(text[at:]); unicode.IsDigit(r) {
		return width
	}
	return 0
}

// skipDigits returns the end of the run of digits at an offset of the text.
func skipDigits(text []byte, at int) int {
	for {
		width := digitAt(text, at)
		if width == 0 {
			return at
		}
		at += width
	}
}

// nextDigit returns the offset of the first digit that starts at or after an offset, or the length of the text.
func nextDigit(text []byte, at int) int {
	for at < len(text) {
		if c := text[at]; c < utf8.RuneSelf {
			if isDigitByte(c) {
				break
			}
			at++
			continue
		}
		r, width := utf8.DecodeRune(text[at:])
		if unicode.IsDigit(r) {
			break
		}
		at += width
	}
	return at
}

// skipWord returns the end of the run of word characters at an offset of the text.
func skipWord(text []byte, at int) int {
	for at < len(text) {
		if c := text[at]; c < utf8.RuneSelf {
			if c != '_' && !isAlnumByte(c) {
				break
			}
			at++
			continue
		}
		r, width := utf8.DecodeRune(text[at:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			break
		}
		at += width
	}
	return at
}

// widthAt returns the width of the character at an offset of the text.
func widthAt(text []byte, at int) int {
	if text[at] < utf8.RuneSelf {
		return 1
	}
	_, width := utf8.DecodeRune(text[at:])
	return width
}
