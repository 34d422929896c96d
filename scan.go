// A JSON scanner over one document held as a string. Strings without escapes are cut out of the document, not copied.

package modelref

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxNesting bounds how deep arrays and objects may nest anywhere in a document.
const maxNesting = 10_000

// maxValueNesting bounds how deep a value may nest that is decoded into maps and slices.
const maxValueNesting = 32

// syntaxError says that a document is not JSON: nothing after the offset can be trusted.
type syntaxError struct {
	offset int
	reason string
}

func (e *syntaxError) Error() string {
	return "not valid JSON at byte " + strconv.Itoa(e.offset) + ": " + e.reason
}

// fieldError says that a value is JSON, but not what its field holds: only the record is lost.
type fieldError struct {
	path   string
	reason string
}

func (e *fieldError) Error() string {
	if e.path == "" {
		return e.reason
	}
	return e.path + ": " + e.reason
}

// inField puts the name of the enclosing field before the path of a fieldError; other errors pass.
func inField(err error, name string) error {
	inner, ok := err.(*fieldError) //nolint:errorlint // never wrapped: it is made and consumed in the decoder
	if !ok {
		return err
	}
	if inner.path != "" && inner.path[0] != '[' {
		name += "."
	}
	return &fieldError{path: name + inner.path, reason: inner.reason}
}

// scanner reads JSON values from s, starting at i.
type scanner struct {
	s string
	i int
	// insides is how many lists and objects value has made.
	insides int
	// The lists of records are cut out of these.
	texts     slab[string]
	downloads slab[DownloadRecord]
}

// slab is memory for many short lists, so that not each is an allocation. One list is open at a time.
type slab[T any] struct {
	piece []T
	start int // of the open list
	room  int // in all pieces
}

// largestPiece bounds how many elements the pieces have; a list that is longer has a piece of its own.
const largestPiece = 256

// open begins a list.
func (l *slab[T]) open() { l.start = len(l.piece) }

// add puts v at the end of the open list and returns where it is, until the next one is added.
func (l *slab[T]) add(v T, s *scanner) *T {
	if len(l.piece) == cap(l.piece) {
		list := l.piece[l.start:]
		l.piece = append(make([]T, 0, max(l.next(s), 2*len(list))), list...)
		l.start, l.room = 0, l.room+cap(l.piece)
	}
	l.piece = append(l.piece, v)
	return &l.piece[len(l.piece)-1]
}

// next returns how long the next piece is: a quarter of those before, and no longer than the rest of the document is
// likely to need.
func (l *slab[T]) next(s *scanner) int {
	rest := float64(len(s.s)-s.i) / float64(s.i+1)
	return max(min(l.room/4, largestPiece, int(float64(l.room)*rest)), 1)
}

// list returns the open list, nil where it is empty.
func (l *slab[T]) list() []T {
	if l.start == len(l.piece) {
		return nil
	}
	return slices.Clip(l.piece[l.start:])
}

func (s *scanner) syntax(reason string) error { return &syntaxError{offset: s.i, reason: reason} }

// next skips white space and returns the byte that follows, or 0 at the end.
func (s *scanner) next() byte {
	if s.i < len(s.s) && s.s[s.i] > ' ' {
		return s.s[s.i]
	}
	return s.nextAfterSpace()
}

func (s *scanner) nextAfterSpace() byte {
	for i := s.i; i < len(s.s); i++ {
		switch c := s.s[i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			s.i = i
			return c
		}
	}
	s.i = len(s.s)
	return 0
}

// expect consumes the byte c after white space.
func (s *scanner) expect(c byte) error {
	if got := s.next(); got != c {
		return s.unexpected("want '" + string(rune(c)) + "'")
	}
	s.i++
	return nil
}

func (s *scanner) unexpected(want string) error {
	if s.i >= len(s.s) {
		return s.syntax("the document ends early, " + want)
	}
	return s.syntax(fmt.Sprintf("%s, got %q", want, s.s[s.i]))
}

// literal consumes word where the input goes on with it.
func (s *scanner) literal(word string) bool {
	if !strings.HasPrefix(s.s[s.i:], word) {
		return false
	}
	s.i += len(word)
	return true
}

// null consumes a null and reports whether there was one.
func (s *scanner) null() bool { return s.next() == 'n' && s.literal("null") }

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// load64 reads eight bytes as a little-endian word; the compiler makes one load of it.
func load64(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// plainEnd returns the index of the first byte from i on that cannot stand for itself inside a string: a quote, a
// backslash or a control character; or len(s). It looks at eight bytes at a time: a byte that equals the wanted one
// becomes zero by exclusive or, and a zero byte is found by the borrow that subtracting one leaves in its high bit.
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

// str consumes a string and returns its value, cut out of the document where it has no escapes.
func (s *scanner) str() (string, error) {
	if s.next() != '"' {
		return "", s.unexpected("want a string")
	}
	start := s.i + 1
	end := plainEnd(s.s, start)
	if end < len(s.s) && s.s[end] == '"' {
		s.i = end + 1
		return s.s[start:end], nil
	}
	return s.escapedStr(start, end)
}

// escapedStr is str for a string that starts at start and has something else than plain text at i.
func (s *scanner) escapedStr(start, i int) (string, error) {
	var out strings.Builder
	for {
		out.WriteString(s.s[start:i])
		if i >= len(s.s) {
			s.i = i
			return "", s.syntax("a string does not end")
		}
		switch s.s[i] {
		case '"':
			s.i = i + 1
			return out.String(), nil
		case '\\':
			n, err := s.escape(&out, i)
			if err != nil {
				return "", err
			}
			start = i + n
		default:
			s.i = i
			return "", s.syntax("a control character in a string")
		}
		i = plainEnd(s.s, start)
	}
}

// escape writes what the escape at i stands for and returns its length. Half a surrogate pair stands for U+FFFD.
func (s *scanner) escape(out *strings.Builder, i int) (int, error) {
	if i+1 < len(s.s) {
		switch c := s.s[i+1]; c {
		case '"', '\\', '/':
			out.WriteByte(c)
			return 2, nil
		case 'b', 'f', 'n', 'r', 't':
			out.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
			return 2, nil
		case 'u':
			if r, ok := hex4(s.s, i+2); ok {
				if utf16.IsSurrogate(r) {
					if low, ok := hex4(s.s, i+8); ok && s.s[i+6] == '\\' && s.s[i+7] == 'u' {
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
	s.i = i
	return 0, s.syntax("an escape that JSON does not have")
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

// skipStr consumes a string without making its value.
func (s *scanner) skipStr() error {
	end := plainEnd(s.s, s.i+1)
	if end < len(s.s) && s.s[end] == '"' {
		s.i = end + 1
		return nil
	}
	_, err := s.escapedStr(s.i+1, end)
	return err
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number consumes a number and returns its text, and whether it is written without fraction and exponent.
func (s *scanner) number() (text string, integer bool, err error) {
	start, i := s.i, s.i
	digits := func() bool {
		from := i
		for i < len(s.s) && isDigit(s.s[i]) {
			i++
		}
		return i > from
	}
	if i < len(s.s) && s.s[i] == '-' {
		i++
	}
	integer = true
	ok := true
	if i < len(s.s) && s.s[i] == '0' {
		i++
	} else {
		ok = digits()
	}
	if ok && i < len(s.s) && s.s[i] == '.' {
		i++
		integer, ok = false, digits()
	}
	if ok && i < len(s.s) && s.s[i]|0x20 == 'e' {
		i++
		if i < len(s.s) && (s.s[i] == '+' || s.s[i] == '-') {
			i++
		}
		integer, ok = false, digits()
	}
	s.i = i
	if !ok {
		return "", false, s.unexpected("want a digit")
	}
	return s.s[start:i], integer, nil
}

// skip consumes a value of any kind, checking that it is JSON, and returns its text.
func (s *scanner) skip() (string, error) {
	s.next()
	start := s.i
	var open []byte // the brackets that are open, innermost last
	for {
		c := s.next()
		switch {
		case c == '"':
			if err := s.skipStr(); err != nil {
				return "", err
			}
		case c == '{' || c == '[':
			if len(open) == maxNesting {
				return "", s.syntax("nested too deep")
			}
			s.i++
			if s.next() != c+2 { // ']' is '[' + 2, '}' is '{' + 2
				open = append(open, c)
				if err := s.skipKey(c); err != nil {
					return "", err
				}
				continue
			}
			s.i++
		case c == '-' || isDigit(c):
			if _, _, err := s.number(); err != nil {
				return "", err
			}
		case s.literal("true") || s.literal("false") || s.literal("null"):
		default:
			return "", s.unexpected("want a value")
		}
		more, err := s.closeBrackets(&open)
		if err != nil {
			return "", err
		}
		if !more {
			return s.s[start:s.i], nil
		}
	}
}

// closeBrackets consumes what follows a value inside open brackets, and reports whether another value comes.
func (s *scanner) closeBrackets(open *[]byte) (bool, error) {
	for len(*open) > 0 {
		inner := (*open)[len(*open)-1]
		switch s.next() {
		case ',':
			s.i++
			return true, s.skipKey(inner)
		case inner + 2:
			s.i++
			*open = (*open)[:len(*open)-1]
		default:
			return false, s.unexpected("want ',' or '" + string(rune(inner+2)) + "'")
		}
	}
	return false, nil
}

// skipKey consumes a key and its colon where the open bracket is an object's.
func (s *scanner) skipKey(open byte) error {
	if open != '{' {
		return nil
	}
	if s.next() != '"' {
		return s.unexpected("want a key")
	}
	if err := s.skipStr(); err != nil {
		return err
	}
	return s.expect(':')
}

// fields calls each with the key of every field of the object that comes next; each must consume the value.
func (s *scanner) fields(each func(key string) error) error {
	if s.next() != '{' {
		return s.mismatch("an object")
	}
	s.i++
	if s.next() == '}' {
		s.i++
		return nil
	}
	for {
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.unexpected("want ',' or '}'")
		}
	}
}

// emptyList consumes an empty list and reports whether there was one.
func (s *scanner) emptyList() bool { return s.next() == '[' && s.literal("[]") }

// elements calls each for every element of the array that comes next; each must consume the element.
func (s *scanner) elements(each func(i int) error) error {
	if s.next() != '[' {
		return s.mismatch("a list")
	}
	s.i++
	if s.next() == ']' {
		s.i++
		return nil
	}
	for i := 0; ; i++ {
		if err := each(i); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.unexpected("want ',' or ']'")
		}
	}
}

// mismatch is the error for a value of another kind than the field holds. What is not JSON at all stays a syntaxError.
func (s *scanner) mismatch(want string) error {
	var kind string
	switch c := s.next(); {
	case c == '"':
		kind = "a string"
	case c == '{':
		kind = "an object"
	case c == '[':
		kind = "a list"
	case c == '-' || isDigit(c):
		kind = "a number"
	case c == 't' || c == 'f':
		kind = "a boolean"
	case c == 'n':
		kind = "null"
	default:
		return s.unexpected("want " + want)
	}
	return &fieldError{reason: "want " + want + ", got " + kind}
}

// text consumes a string.
func (s *scanner) text() (string, error) {
	if s.next() != '"' {
		return "", s.mismatch("a string")
	}
	return s.str()
}

// boolean consumes true or false.
func (s *scanner) boolean() (bool, error) {
	switch s.next() {
	case 't':
		if s.literal("true") {
			return true, nil
		}
	case 'f':
		if s.literal("false") {
			return false, nil
		}
	default:
		return false, s.mismatch("a boolean")
	}
	return false, s.unexpected("want a boolean")
}

// integer consumes a whole number, which may be written as 5.0 or 5e3. It is exact, as a float64 would not be.
func (s *scanner) integer() (int64, error) {
	if c := s.next(); c != '-' && !isDigit(c) {
		return 0, s.mismatch("a whole number")
	}
	if n, ok := s.plainInteger(); ok {
		return n, nil
	}
	text, _, err := s.number()
	if err != nil {
		return 0, err
	}
	if n, err := parseInteger(text); err == nil {
		return n, nil
	}
	return 0, &fieldError{reason: "want a whole number of 64 bits, got " + text}
}

// plainInteger consumes digits alone, so few that they cannot be too large, and reports whether there were such.
func (s *scanner) plainInteger() (n int64, ok bool) {
	i := s.i
	for ; i < len(s.s) && isDigit(s.s[i]); i++ {
		n = n*10 + int64(s.s[i]-'0')
	}
	digits := i - s.i
	if digits == 0 || digits > 18 || digits > 1 && s.s[s.i] == '0' {
		return 0, false
	}
	if i < len(s.s) && (s.s[i] == '.' || s.s[i]|0x20 == 'e') {
		return 0, false
	}
	s.i = i
	return n, true
}

// value consumes any value: nil, bool, int64, float64, string, a map, or a slice, which is a []int64, []float64 or
// []string where all its elements are of that kind.
func (s *scanner) value(depth int) (any, error) {
	if depth > maxValueNesting {
		return nil, &fieldError{reason: "nested too deep"}
	}
	c := s.next()
	if c == '[' || c == '{' {
		if s.insides++; s.insides > 2*maxRecords(s.s) {
			return nil, &fieldError{reason: "too many lists and objects in a document"}
		}
	}
	switch {
	case c == '"':
		return s.str()
	case c == '-' || isDigit(c):
		return s.numberValue()
	case c == '[':
		var list []any
		err := s.elements(func(int) error {
			v, err := s.value(depth + 1)
			list = append(list, v)
			return err
		})
		return uniform(list), err
	case c == '{':
		object := map[string]any{}
		err := s.fields(func(key string) error {
			v, err := s.value(depth + 1)
			object[key] = v
			return err
		})
		return object, err
	case s.null():
		return nil, nil
	default:
		return s.boolean()
	}
}

func (s *scanner) numberValue() (any, error) {
	text, plain, err := s.number()
	if err != nil {
		return nil, err
	}
	if plain {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, &fieldError{reason: "number out of range: " + text}
	}
	return f, nil
}

// uniform turns a list into a slice of its elements' type where they share one. Whole numbers among fractions become
// float64.
func uniform(list []any) any {
	var ints, floats, texts int
	for _, v := range list {
		switch v.(type) {
		case int64:
			ints++
		case float64:
			floats++
		case string:
			texts++
		}
	}
	switch len(list) {
	case 0:
		return []any{}
	case ints:
		return sliceOf(list, func(v any) int64 { return v.(int64) })
	case texts:
		return sliceOf(list, func(v any) string { return v.(string) })
	case ints + floats:
		return sliceOf(list, func(v any) float64 {
			if n, ok := v.(int64); ok {
				return float64(n)
			}
			return v.(float64)
		})
	}
	return list
}

func sliceOf[T any](list []any, as func(any) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = as(v)
	}
	return out
}
