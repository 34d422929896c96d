package legacy

// This file reads the objects of a record whose members may have any names: requirements, settings, and the hashes of
// embedded components. Only the type of their values is checked.

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// bag is an optional object with ordered members.
type bag struct{ optional[[]pair] }

type pair struct {
	name  string
	value jsontext.Value
}

// UnmarshalJSONFrom reads an object or null. If two members have the same name, the later value takes the place of the
// earlier one.
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

// hashes returns the bag, or an error if a value is not a string.
func (b bag) hashes() (bag, error) {
	for _, p := range b.value {
		if kind := p.value.Kind(); kind != '"' {
			return bag{}, fmt.Errorf("%q: must be a string, got %s", p.name, kindName(kind))
		}
	}
	return b, nil
}

// options returns the bag with normalized lists. It returns an error if a value is neither a single value nor a list
// that can be normalized.
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

// useSchedulers replaces the old flag "karras" by "schedulers". If there are schedulers, the flag is dropped.
func (b *bag) useSchedulers() {
	named := func(name string) func(pair) bool { return func(p pair) bool { return p.name == name } }
	at := slices.IndexFunc(b.value, named("karras"))
	if at < 0 {
		return
	}
	flag := b.value[at].value.Kind()
	b.value = slices.Delete(b.value, at, at+1)
	if slices.ContainsFunc(b.value, named("schedulers")) {
		return
	}
	switch flag {
	case 't':
		b.value = append(b.value, pair{"schedulers", jsontext.Value(`["karras"]`)})
	case 'f':
		b.value = append(b.value, pair{"schedulers", jsontext.Value(`["normal"]`)})
	}
}

func option(raw jsontext.Value) (jsontext.Value, error) {
	switch kind := raw.Kind(); kind {
	case 't', 'f', '"':
		return raw, nil
	case '0':
		if _, ok := floatNumber(raw); !ok {
			return nil, fmt.Errorf("number %.40s is out of range", raw)
		}
		return raw, nil
	case '[':
		var items []jsontext.Value
		if err := json.Unmarshal(raw, &items, laterWins); err != nil {
			return nil, err
		}
		return list(items)
	default:
		return nil, fmt.Errorf("must be a single value or a list of single values, got %s", kindName(kind))
	}
}

// list returns a list with elements of one type: strings, integers or floats. Upstream's types allow no others. If the
// list has integers and floats, the integers are written as floats. If the list has numbers and also strings or
// booleans, all elements are converted to integers or, if that fails, to floats.
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
			return nil, fmt.Errorf("list must have elements of one type, got also %s", kindName(item.Kind()))
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

// asFloat returns a number with a decimal point. Its digits are not changed, so that no precision is lost.
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

// floatNumber returns the finite number that a JSON value represents.
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
		return jsondoc.FloatText(string(s))
	}
	return 0, false
}
