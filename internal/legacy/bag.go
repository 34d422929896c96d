package legacy

// This file has the open objects of a record: requirements, settings and the hashes of embedded components, whose
// names are anyone's and whose values follow a rule.

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// bag is an optional object with its members in order.
type bag struct{ optional[[]pair] }

type pair struct {
	name  string
	value jsontext.Value
}

// UnmarshalJSONFrom reads an object or null. Of two members with one name the later counts, in the earlier one's place.
func (b *bag) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if null, err := b.readNull(dec); null || err != nil {
		return err
	}
	if dec.PeekKind() != '{' {
		return mismatch(dec, "an object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	var pairs []pair
	index := make(map[string]int)
	for dec.PeekKind() != '}' {
		name, err := readString(dec)
		if err != nil {
			return err
		}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		at, again := index[name]
		if !again {
			at = len(pairs)
			index[name] = at
			pairs = append(pairs, pair{name: name})
		}
		pairs[at].value = value.Clone()
	}
	b.put(pairs)
	_, err := dec.ReadToken()
	return err
}

// MarshalJSONTo writes the object.
func (b *bag) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, p := range b.value {
		if err := enc.WriteToken(jsontext.String(p.name)); err != nil {
			return err
		}
		if err := enc.WriteValue(p.value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// hashes returns the bag, or an error where a value is not a string.
func (b bag) hashes() (bag, error) {
	for _, p := range b.value {
		if kind := p.value.Kind(); kind != '"' {
			return bag{}, fmt.Errorf("%q: want a string, not %s", p.name, kindName(kind))
		}
	}
	return b, nil
}

// options returns the bag with its lists made uniform, or an error where a value is neither a single value nor a list
// of them that can be.
func (b bag) options() (bag, error) {
	for i, p := range b.value {
		value, err := option(p.value)
		if err != nil {
			return bag{}, fmt.Errorf("%q: %w", p.name, err)
		}
		b.value[i].value = value
	}
	return b, nil
}

func option(raw jsontext.Value) (jsontext.Value, error) {
	switch kind := raw.Kind(); kind {
	case 't', 'f', '"':
		return raw, nil
	case '0':
		if _, ok := floatNumber(raw); !ok {
			return nil, fmt.Errorf("%.40s is out of range", raw)
		}
		return raw, nil
	case '[':
		var items []jsontext.Value
		if err := json.Unmarshal(raw, &items, laterWins); err != nil {
			return nil, err
		}
		return list(items)
	default:
		return nil, fmt.Errorf("want a single value or a list of them, not %s", kindName(kind))
	}
}

// list returns a list of one type, as upstream's types have no other: strings, integers, or numbers with a point.
// Integers among numbers with a point get one too. Where strings or booleans are among numbers, all have to stand for
// integers, or all for numbers.
func list(items []jsontext.Value) (jsontext.Value, error) {
	var numbers, integers, strings int
	for _, item := range items {
		switch {
		case item.Kind() == '"':
			strings++
		case item.Kind() == '0':
			numbers++
			if isInteger(item) {
				integers++
			}
		}
	}
	switch len(items) {
	case strings, integers:
		return join(items, func(v jsontext.Value) (jsontext.Value, bool) { return v, true })
	case numbers:
		return join(items, asFloat)
	}
	if joined, err := join(items, asInteger); err == nil {
		return joined, nil
	}
	return join(items, asFloat)
}

func join(items []jsontext.Value, as func(jsontext.Value) (jsontext.Value, bool)) (jsontext.Value, error) {
	out := []byte{'['}
	for i, item := range items {
		value, ok := as(item)
		if !ok {
			return nil, fmt.Errorf("a list of mixed values, with %s in it", kindName(item.Kind()))
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, value...)
	}
	return append(out, ']'), nil
}

func asInteger(raw jsontext.Value) (jsontext.Value, bool) {
	n, ok := wholeNumber(raw)
	return strconv.AppendInt(nil, n, 10), ok
}

// asFloat keeps a number as it is written but for the point, so that no digit is lost.
func asFloat(raw jsontext.Value) (jsontext.Value, bool) {
	f, ok := floatNumber(raw)
	if !ok {
		return nil, false
	}
	if raw.Kind() != '0' {
		raw = strconv.AppendFloat(nil, f, 'f', -1, 64)
	}
	if isInteger(raw) {
		raw = append(bytes.Clone(raw), ".0"...)
	}
	return raw, true
}

// floatNumber returns the finite number that a JSON value stands for.
func floatNumber(raw jsontext.Value) (float64, bool) {
	switch raw.Kind() {
	case 't':
		return 1, true
	case 'f':
		return 0, true
	case '0':
		f, err := strconv.ParseFloat(string(raw), 64)
		return f, err == nil
	case '"':
		s, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return 0, false
		}
		return floatText(string(s))
	}
	return 0, false
}
