package jsondoc

// This file reads values leniently. It accepts the other spellings of integers and flags that the validation of the
// service accepts. The conversion of legacy files uses the same rules.

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LenientInteger consumes a whole number, a string that represents one, or a boolean, which counts as 1 or 0.
func (s *Scanner) LenientInteger() (int64, error) {
	switch s.Next() {
	case '"':
		text, err := s.Str()
		if err != nil {
			return 0, err
		}
		if n, ok := IntegerText(text); ok {
			return n, nil
		}
		return 0, &FieldError{Reason: "must be a whole number of 64 bits, got the string " + quoteStart(text)}
	case 't', 'f':
		v, err := s.boolean()
		if v {
			return 1, err
		}
		return 0, err
	}
	return s.Integer()
}

// lenientBoolean consumes a boolean, 1 or 0, or a string that represents a boolean.
func (s *Scanner) lenientBoolean() (bool, error) {
	switch c := s.Next(); {
	case c == '"':
		text, err := s.Str()
		if err != nil {
			return false, err
		}
		if v, ok := FlagText(text); ok {
			return v, nil
		}
		return false, &FieldError{Reason: "must be a boolean, got the string " + quoteStart(text)}
	case c == '-' || isDigit(c):
		text, _, err := s.number()
		if err != nil {
			return false, err
		}
		if n, err := ParseInteger(text); err == nil && (n == 0 || n == 1) {
			return n == 1, nil
		}
		return false, &FieldError{Reason: "must be a boolean, got the number " + text}
	}
	return s.boolean()
}

// quoteStart returns the text in quotes, shortened if it is long.
func quoteStart(text string) string {
	const most = 40
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strconv.Quote(text)
}

// FlagText returns the boolean that a string represents, such as "true", "Yes" or "0". ok is false if the string does
// not represent a boolean.
func FlagText(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "on", "t", "true", "y", "yes":
		return true, true
	case "0", "off", "f", "false", "n", "no":
		return false, true
	}
	return false, false
}

// IntegerText returns the integer that a string represents: digits with an optional sign, single underscores between
// digits, and only zeros after a decimal point. White space around the number is ignored.
func IntegerText(s string) (int64, bool) {
	s, ok := plainDigits(TrimSpace(s), ".+-")
	if !ok {
		return 0, false
	}
	if whole, fraction, found := strings.Cut(s, "."); found {
		if fraction == "" || strings.Trim(fraction, "0") != "" {
			return 0, false
		}
		s = whole
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// FloatText returns the finite number that a string represents in the syntax of Python's float. Underscores between
// digits are ignored. Hexadecimal numbers are not accepted.
func FloatText(s string) (float64, bool) {
	s, ok := plainDigits(TrimSpace(s), ".+-eE")
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// plainDigits returns s without the underscores between digits. It returns false if s has other characters than digits,
// such underscores, and the bytes of others.
func plainDigits(s, others string) (string, bool) {
	digit := func(i int) bool { return i >= 0 && i < len(s) && isDigit(s[i]) }
	for i := range len(s) {
		between := s[i] == '_' && digit(i-1) && digit(i+1)
		if !digit(i) && !between && strings.IndexByte(others, s[i]) < 0 {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), s != ""
}

// TrimSpace returns s without white space at both ends, as Python defines it: the white space of Unicode and the four
// separators of ASCII.
func TrimSpace(s string) string {
	if n := len(s); n == 0 || isPlain(s[0]) && isPlain(s[n-1]) {
		return s
	}
	return strings.TrimFunc(s, isSpace)
}

func isPlain(c byte) bool { return c > ' ' && c < utf8.RuneSelf }

func isSpace(r rune) bool { return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r) }
