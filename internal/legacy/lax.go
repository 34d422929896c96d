package legacy

// This file has the types of single fields. Like upstream's validation, they accept more than JSON's types: a flag may
// be 1 or "yes", and an integer may be 5.0 or "5".

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// laterWins reads objects as Python does: if two members have the same name, the later one counts.
var laterWins = jsontext.AllowDuplicateNames(true)

// optional is a value that may be absent. set is true if the value is present. null is true if the file has null.
type optional[T any] struct {
	value     T
	set, null bool
}

// IsZero reports whether the encoder must leave out the field.
func (o *optional[T]) IsZero() bool { return !o.set }

// readNull reads null if it is the next value. It reports whether the value was null.
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

// texts is a list of strings. Absent, null and empty lists are the same.
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

// trimmed returns the strings without surrounding white space.
func (t texts) trimmed() texts {
	for i := range t {
		t[i] = jsondoc.TrimSpace(t[i])
	}
	return t
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
		if n, err := jsondoc.ParseInteger(token.String()); err == nil && (n == 0 || n == 1) {
			f.put(n == 1)
			return nil
		}
	case '"':
		if v, ok := jsondoc.FlagText(token.String()); ok {
			f.put(v)
			return nil
		}
	}
	return errors.New("must be a boolean")
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

// UnmarshalJSONFrom reads null, or a value that wholeNumber accepts as an integer.
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
		return errors.New("must be a 64-bit integer")
	}
	w.put(n)
	return nil
}

// MarshalJSONTo writes the integer.
func (w *whole) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteToken(jsontext.Int(w.value))
}

// wholeNumber returns the integer that a JSON value represents: a number without a fraction, a boolean, or a string of
// digits. It returns false if the value is not an integer of 64 bits.
func wholeNumber(raw jsontext.Value) (int64, bool) {
	switch raw.Kind() {
	case 't':
		return 1, true
	case 'f':
		return 0, true
	case '0':
		n, err := jsondoc.ParseInteger(string(raw))
		return n, err == nil
	case '"':
		s, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return 0, false
		}
		return jsondoc.IntegerText(string(s))
	}
	return 0, false
}

// truncated returns the integer part of f. It returns false if ok is false or if the integer does not fit in 64 bits.
func truncated(f float64, ok bool) (int64, bool) {
	if !ok || !(f >= math.MinInt64 && f < math.MaxInt64) { // NaN fails every comparison
		return 0, false
	}
	return int64(f), true
}

// isInteger reports whether a JSON number is written as an integer.
func isInteger(raw jsontext.Value) bool {
	return raw.Kind() == '0' && !strings.ContainsAny(string(raw), ".eE")
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

// mismatch returns the error for a value of the wrong type. If the value is not valid JSON, it returns the syntax
// error.
func mismatch(dec *jsontext.Decoder, want string) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return fmt.Errorf("must be %s, got %s", want, kindName(raw.Kind()))
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
