package jsondoc

// This file reads JSON strings.

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// load64 reads eight bytes as a little-endian word. The compiler reduces it to one load.
func load64(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// plainEnd returns the index of the first byte at or after i that is not plain text inside a string: a quote, a
// backslash or a control character. If there is none, it returns len(s). It checks eight bytes at a time. Exclusive or
// turns a byte that is searched into zero, and the borrow of a subtraction by one marks a zero byte in its high bit.
func plainEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := load64(s, i)
		quote, slash := w^(lowBits*'"'), w^(lowBits*'\\')
		found := (quote-lowBits)&^quote | (slash-lowBits)&^slash | (w-lowBits*0x20)&^w
		if found &= highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return i
}

// Str consumes a string and returns its value. If the string has no escapes, the value is a substring of the document.
func (s *Scanner) Str() (string, error) {
	if s.Next() != '"' {
		return "", s.unexpected("expected a string")
	}
	start := s.pos + 1
	end := plainEnd(s.doc, start)
	if end < len(s.doc) && s.doc[end] == '"' {
		s.pos = end + 1
		return s.doc[start:end], nil
	}
	return s.escapedStr(start, end)
}

// escapedStr is Str for a string that starts at start and has the first byte that is not plain text at i.
func (s *Scanner) escapedStr(start, i int) (string, error) {
	var out strings.Builder
	for {
		out.WriteString(s.doc[start:i])
		if i >= len(s.doc) {
			s.pos = i
			return "", s.Syntax("string is not closed")
		}
		switch s.doc[i] {
		case '"':
			s.pos = i + 1
			return out.String(), nil
		case '\\':
			n, err := s.escape(&out, i)
			if err != nil {
				return "", err
			}
			start = i + n
		default:
			s.pos = i
			return "", s.Syntax("control character in a string")
		}
		i = plainEnd(s.doc, start)
	}
}

// escape writes the character of the escape at i and returns the length of the escape. Half a surrogate pair becomes
// U+FFFD.
func (s *Scanner) escape(out *strings.Builder, i int) (int, error) {
	if i+1 < len(s.doc) {
		switch c := s.doc[i+1]; c {
		case '"', '\\', '/':
			out.WriteByte(c)
			return 2, nil
		case 'b', 'f', 'n', 'r', 't':
			out.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
			return 2, nil
		case 'u':
			if r, ok := hex4(s.doc, i+2); ok {
				if utf16.IsSurrogate(r) {
					if low, ok := hex4(s.doc, i+8); ok && s.doc[i+6] == '\\' && s.doc[i+7] == 'u' {
						if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
							out.WriteRune(pair)
							return 12, nil
						}
					}
				}
				out.WriteRune(r)
				return 6, nil
			}
		}
	}
	s.pos = i
	return 0, s.Syntax("invalid escape in a string")
}

// hex4 reads four hex digits at i.
func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// skipStr consumes a string without decoding it.
func (s *Scanner) skipStr() error {
	end := plainEnd(s.doc, s.pos+1)
	if end < len(s.doc) && s.doc[end] == '"' {
		s.pos = end + 1
		return nil
	}
	_, err := s.escapedStr(s.pos+1, end)
	return err
}
