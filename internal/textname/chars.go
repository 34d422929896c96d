package textname

// This file says what letters, digits and word characters are. The service's rules are case-blind Unicode regular
// expressions, whose classes differ from the plain ASCII ones in a few characters that have to be kept.

import (
	"unicode"
	"unicode/utf8"
)

// fold returns a character as a case-blind comparison with ASCII letters sees it. Four characters outside ASCII are
// equal to a letter inside it.
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

// foldAt returns the folded character at a place of the text and its width in bytes, or -1 and 0 at the end.
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

// foldBefore returns the folded character that ends before a place of the text, or -1 at the start.
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

// isLetter reports whether a folded character is a letter of the ASCII alphabet.
func isLetter(folded rune) bool { return 'a' <= folded && folded <= 'z' }

// isAlnum reports whether a folded character is an ASCII letter or digit.
func isAlnum(folded rune) bool { return isLetter(folded) || '0' <= folded && folded <= '9' }

// digitAt returns the width of the digit of any script at a place of the text, or 0 where there is none.
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

// skipDigits returns where the run of digits at a place of the text ends.
func skipDigits(text []byte, at int) int {
	for {
		width := digitAt(text, at)
		if width == 0 {
			return at
		}
		at += width
	}
}

// nextDigit returns where the first digit at or after a place of the text starts, or the length of the text.
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

// skipWord returns where the run of word characters at a place of the text ends.
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

// widthAt returns the width of the character at a place of the text.
func widthAt(text []byte, at int) int {
	if text[at] < utf8.RuneSelf {
		return 1
	}
	_, width := utf8.DecodeRune(text[at:])
	return width
}
