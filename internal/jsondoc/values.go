package jsondoc

// This file reads numbers, booleans and values of any type.

import (
	"strconv"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number consumes a number and returns its text. It reports whether the number has neither fraction nor exponent.
func (s *Scanner) number() (text string, integer bool, err error) {
	start, i := s.pos, s.pos
	digits := func() bool {
		from := i
		for i < len(s.doc) && isDigit(s.doc[i]) {
			i++
		}
		return i > from
	}
	if i < len(s.doc) && s.doc[i] == '-' {
		i++
	}
	integer = true
	ok := true
	if i < len(s.doc) && s.doc[i] == '0' {
		i++
	} else {
		ok = digits()
	}
	if ok && i < len(s.doc) && s.doc[i] == '.' {
		i++
		integer, ok = false, digits()
	}
	if ok && i < len(s.doc) && s.doc[i]|0x20 == 'e' {
		i++
		if i < len(s.doc) && (s.doc[i] == '+' || s.doc[i] == '-') {
			i++
		}
		integer, ok = false, digits()
	}
	s.pos = i
	if !ok {
		return "", false, s.unexpected("expected a digit")
	}
	return s.doc[start:i], integer, nil
}

// text consumes a string.
func (s *Scanner) text() (string, error) {
	if s.Next() != '"' {
		return "", s.mismatch("a string")
	}
	return s.Str()
}

// boolean consumes true or false.
func (s *Scanner) boolean() (bool, error) {
	switch s.Next() {
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
	return false, s.unexpected("expected a boolean")
}

// Integer consumes a whole number, which may be written as 5.0 or 5e3. The result is exact. A float64 would not be
// exact.
func (s *Scanner) Integer() (int64, error) {
	if c := s.Next(); c != '-' && !isDigit(c) {
		return 0, s.mismatch("a whole number")
	}
	if n, ok := s.plainInteger(); ok {
		return n, nil
	}
	text, _, err := s.number()
	if err != nil {
		return 0, err
	}
	if n, err := ParseInteger(text); err == nil {
		return n, nil
	}
	return 0, &FieldError{Reason: "must be a whole number of 64 bits, got " + text}
}

// plainInteger consumes a number that consists only of digits, if it has so few digits that it cannot overflow.
func (s *Scanner) plainInteger() (n int64, ok bool) {
	i := s.pos
	for ; i < len(s.doc) && isDigit(s.doc[i]); i++ {
		n = n*10 + int64(s.doc[i]-'0')
	}
	digits := i - s.pos
	if digits == 0 || digits > 18 || digits > 1 && s.doc[s.pos] == '0' {
		return 0, false
	}
	if i < len(s.doc) && (s.doc[i] == '.' || s.doc[i]|0x20 == 'e') {
		return 0, false
	}
	s.pos = i
	return n, true
}

// Value consumes a value of any type: nil, bool, int64, float64, string, a map, or a slice. If all elements of a list
// have the same type, the slice is a []int64, []float64 or []string.
func (s *Scanner) Value() (any, error) { return s.value(0) }

func (s *Scanner) value(depth int) (any, error) {
	if depth > maxValueNesting {
		return nil, &FieldError{Reason: "nested too deeply"}
	}
	c := s.Next()
	if c == '[' || c == '{' {
		if err := s.container(); err != nil {
			return nil, err
		}
	}
	switch {
	case c == '"':
		return s.Str()
	case c == '-' || isDigit(c):
		return s.numberValue()
	case c == '[':
		var list []any
		err := s.Elements(func(int) error {
			v, err := s.value(depth + 1)
			list = append(list, v)
			return err
		})
		return uniform(list), err
	case c == '{':
		object := map[string]any{}
		err := s.Fields(func(key string) error {
			v, err := s.value(depth + 1)
			object[key] = v
			return err
		})
		return object, err
	case s.Null():
		return nil, nil
	default:
		return s.boolean()
	}
}

// container counts a list or an object that takes memory of its own. It returns an error if the document has too many.
func (s *Scanner) container() error {
	if s.containers++; s.MaxContainers > 0 && s.containers > s.MaxContainers {
		return &FieldError{Reason: "too many lists and objects in a document"}
	}
	return nil
}

func (s *Scanner) numberValue() (any, error) {
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
		return nil, &FieldError{Reason: "number out of range: " + text}
	}
	return f, nil
}

// uniform converts a list to a slice of the type of its elements if they have the same type. If there are whole numbers
// and fractions, they become float64.
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
