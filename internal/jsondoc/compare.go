package jsondoc

// This file compares JSON values by their meaning, not by their spelling.

import (
	"strconv"
	"strings"
)

// DifferingFields returns the names of the fields whose values differ between two JSON objects. The fields of later are
// first, in their order, followed by the fields that only earlier has.
func DifferingFields(earlier, later string) []string {
	if earlier == later {
		return nil
	}
	var out []string
	before, after := rawObject(earlier), rawObject(later)
	for _, field := range after.fields {
		if old, ok := before.value(field.name); !ok || !Equal(old, field.text) {
			out = append(out, field.name)
		}
	}
	for _, field := range before.fields {
		if _, ok := after.value(field.name); !ok {
			out = append(out, field.name)
		}
	}
	return out
}

// Equal reports whether two JSON values are equal. Numbers are compared exactly: 1, 1.0 and 1e0 are equal, and 2^53 and
// 2^53+1 are not. The order of the fields of an object is ignored.
func Equal(a, b string) bool { return equalTexts(a, b, 0) }

// maxReordered limits the depth of nested objects whose fields are in different orders. Each level needs another pass
// over all values inside it. Below this depth, values are equal only if they have the same spelling.
const maxReordered = 32

func equalTexts(a, b string, reordered int) bool {
	if a == b || reordered > maxReordered {
		return a == b
	}
	sa, sb := NewScanner(a), NewScanner(b)
	return equalValues(&sa, &sb, reordered)
}

// equalValues consumes a value of each scanner and compares them. If they differ, the positions are undefined.
func equalValues(a, b *Scanner, reordered int) bool {
	c, d := a.Next(), b.Next()
	switch {
	case isNumberStart(c) && isNumberStart(d):
		m, _, errA := a.number()
		n, _, errB := b.number()
		return errA == nil && errB == nil && equalNumbers(m, n)
	case c != d:
		return false
	case c == '"':
		v, errA := a.Str()
		w, errB := b.Str()
		return errA == nil && errB == nil && v == w
	case c == '[':
		return equalLists(a, b, reordered)
	case c == '{':
		return equalObjects(a, b, reordered)
	}
	v, errA := a.Skip() // a boolean or null
	w, errB := b.Skip()
	return errA == nil && errB == nil && v == w
}

func isNumberStart(c byte) bool { return c == '-' || isDigit(c) }

func equalLists(a, b *Scanner, reordered int) bool {
	a.pos++
	b.pos++
	for first := true; ; first = false {
		moreA, moreB := a.Next() != ']', b.Next() != ']'
		if !moreA || !moreB {
			a.pos++
			b.pos++
			return moreA == moreB
		}
		if !first && (a.expect(',') != nil || b.expect(',') != nil) || !equalValues(a, b, reordered) {
			return false
		}
	}
}

// equalObjects compares the fields one by one while the names of both objects are in the same order. After the first
// difference it compares the fields by name.
func equalObjects(a, b *Scanner, reordered int) bool {
	a.pos++
	b.pos++
	for first := true; ; first = false {
		moreA, moreB := a.Next() != '}', b.Next() != '}'
		if !moreA || !moreB {
			a.pos++
			b.pos++
			return moreA == moreB
		}
		if !first && (a.expect(',') != nil || b.expect(',') != nil) {
			return false
		}
		markA, markB := a.Mark(), b.Mark()
		if nameA, nameB := a.fieldName(), b.fieldName(); nameA != nameB {
			a.Reset(markA)
			b.Reset(markB)
			return equalFields(a.restOfObject(), b.restOfObject(), reordered+1)
		}
		if !equalValues(a, b, reordered) {
			return false
		}
	}
}

func equalFields(a, b map[string]string, reordered int) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if other, ok := b[name]; !ok || !equalTexts(value, other, reordered) {
			return false
		}
	}
	return true
}

// fieldName consumes a name and its colon. The document has been decoded before, so it is valid JSON.
func (s *Scanner) fieldName() string {
	s.Next()
	name, err := s.Str()
	if err == nil {
		err = s.expect(':')
	}
	if err != nil {
		return ""
	}
	return name
}

// restOfObject consumes the remaining fields of an object and its closing bracket.
func (s *Scanner) restOfObject() map[string]string {
	out := map[string]string{}
	for {
		name := s.fieldName()
		value, err := s.Skip()
		out[name] = value
		if c := s.Next(); err != nil || c != ',' {
			s.pos++
			return out
		}
		s.pos++
	}
}

// equalNumbers reports whether two JSON numbers have the same value.
func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, okA := parseDecimal(a)
	y, okB := parseDecimal(b)
	return okA && okB && x == y
}

// decimal is the number 0.digits × 10^exponent. digits neither begins nor ends with a zero.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parseDecimal returns the value of a JSON number. It returns false if the exponent is out of range.
func parseDecimal(text string) (decimal, bool) {
	unsigned, negative := strings.CutPrefix(text, "-")
	mantissa, power, scientific := strings.Cut(strings.ToLower(unsigned), "e")
	var exponent int64
	if scientific {
		n, err := strconv.ParseInt(power, 10, 32)
		if err != nil {
			return decimal{}, false
		}
		exponent = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent += int64(len(whole)) - int64(len(whole)+len(fraction)-len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}, true
	}
	return decimal{negative, digits, exponent}, true
}
