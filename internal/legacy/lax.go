package legacy

// This file has the types of single fields. They read what upstream's validation takes for a string, a flag or an
// integer, which is more than JSON's own idea of them: a flag may be 1 or "yes", an integer 5.0 or "5".

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// laterWins reads objects as Python does: of two members with one name the later counts.
var laterWins = jsontext.AllowDuplicateNames(true)

// optional is a value that may be absent. set is true where it is there, null where the file says null.
type optional[T any] struct {
	value     T
	set, null bool
}

// IsZero tells the encoder to leave the field out.
func (o *optional[T]) IsZero() bool { return !o.set }

// readNull returns true, and has the field say null, where null is next.
func (o *optional[T]) readNull(dec *jsontext.Decoder) (bool, error) {
	*o = optional[T]{null: dec.PeekKind() == 'n'}
	if !o.null {
		return false, nil
	}
	return true, dec.SkipValue()
}

func (o *optional[T]) put(value T) { *o = optional[T]{value: value, set: true} }

// text is an optional string.
type text struct{ optional[string] }

func textOf(s string) (t text) {
	t.put(s)
	return t
}

// UnmarshalJSONFrom reads a string or null.
func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if null, err := t.readNull(dec); null || err != nil {
		return err
	}
	s, err := readString(dec)
	if err != nil {
		return err
	}
	t.put(s)
	return nil
}

// MarshalJSONTo writes the string.
func (t *text) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteToken(jsontext.String(t.value))
}

// texts is a list of strings; absent, null and empty are the same.
type texts []string

// UnmarshalJSONFrom reads an array of strings or null.
func (t *texts) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = nil
	switch kind := dec.PeekKind(); kind {
	case 'n':
		return dec.SkipValue()
	case '[':
	default:
		return mismatch(dec, "an array of strings")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		s, err := readString(dec)
		if err != nil {
			return err
		}
		*t = append(*t, s)
	}
	_, err := dec.ReadToken()
	return err
}

// flag is an optional boolean.
type flag struct{ optional[bool] }

func flagOf(b bool) (f flag) {
	f.put(b)
	return f
}

// UnmarshalJSONFrom reads a boolean, null, 0 or 1, or one of the words for a boolean.
func (f *flag) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if null, err := f.readNull(dec); null || err != nil {
		return err
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case 't', 'f':
		f.put(token.Bool())
		return nil
	case '0':
		if n, err := strconv.ParseFloat(token.String(), 64); err == nil && (n == 0 || n == 1) {
			f.put(n == 1)
			return nil
		}
	case '"':
		switch strings.ToLower(token.String()) {
		case "1", "on", "t", "true", "y", "yes":
			f.put(true)
			return nil
		case "0", "off", "f", "false", "n", "no":
			f.put(false)
			return nil
		}
	}
	return errors.New("want a boolean")
}

// MarshalJSONTo writes the boolean.
func (f *flag) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteToken(jsontext.Bool(f.value))
}

// whole is an optional integer.
type whole struct{ optional[int64] }

func wholeOf(n int64) (w whole) {
	w.put(n)
	return w
}

// UnmarshalJSONFrom reads null or what wholeNumber takes for an integer.
func (w *whole) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if null, err := w.readNull(dec); null || err != nil {
		return err
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	n, ok := wholeNumber(raw)
	if !ok {
		return errors.New("want an integer of 64 bits")
	}
	w.put(n)
	return nil
}

// MarshalJSONTo writes the integer.
func (w *whole) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteToken(jsontext.Int(w.value))
}

// wholeNumber returns the integer that a JSON value stands for: a number without a fraction, a boolean, or a string of
// digits. It is false where there is none, or none of 64 bits.
func wholeNumber(raw jsontext.Value) (int64, bool) {
	switch raw.Kind() {
	case 't':
		return 1, true
	case 'f':
		return 0, true
	case '0':
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return n, true
		}
		if isInteger(raw) {
			return 0, false
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		return truncated(f, err == nil && f == math.Trunc(f))
	case '"':
		s, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return 0, false
		}
		return wholeText(string(s))
	}
	return 0, false
}

// wholeText returns the integer that a string spells: digits with a sign, single underscores between them, and
// nothing but zeros after a point.
func wholeText(s string) (int64, bool) {
	s, ok := plainDigits(trim(s), ".+-")
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

// floatText returns the finite number that a string spells, as Python's float does: underscores between digits are
// passed over, hexadecimal is none.
func floatText(s string) (float64, bool) {
	s, ok := plainDigits(trim(s), ".+-eE")
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// plainDigits returns s without the underscores that stand between digits. It is false where s has anything but
// digits, those underscores and the bytes of others.
func plainDigits(s, others string) (string, bool) {
	isDigit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		between := s[i] == '_' && isDigit(i-1) && isDigit(i+1)
		if !isDigit(i) && !between && strings.IndexByte(others, s[i]) < 0 {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), s != ""
}

// truncated returns the integer part of f. It is false where ok is, or where 64 bits do not hold it.
func truncated(f float64, ok bool) (int64, bool) {
	if !ok || !(f >= math.MinInt64 && f < math.MaxInt64) { // NaN fails every comparison
		return 0, false
	}
	return int64(f), true
}

// isInteger tells whether a JSON number is written as an integer.
func isInteger(raw jsontext.Value) bool {
	return raw.Kind() == '0' && !strings.ContainsAny(string(raw), ".eE")
}

// trim cuts what Python takes for white space, which is Unicode's and the four separators of ASCII.
func trim(s string) string {
	return strings.TrimFunc(s, isSpace)
}

func isSpace(r rune) bool {
	return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}

func readString(dec *jsontext.Decoder) (string, error) {
	if dec.PeekKind() != '"' {
		return "", mismatch(dec, "a string")
	}
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

// mismatch returns the error for a value that is not what it should be, or the one that makes it no JSON at all.
func mismatch(dec *jsontext.Decoder, want string) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return fmt.Errorf("want %s, not %s", want, kindName(raw.Kind()))
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '0':
		return "a number"
	case '"':
		return "a string"
	case '{':
		return "an object"
	}
	return "an array"
}
