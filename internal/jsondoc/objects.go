package jsondoc

// This file has fields that are rare or that records share, so that they need no memory from an arena.

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Values is a list of strings of the type S, or null for an empty list.
func Values[R any, S ~string](name string, at func(*R) *[]S) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() || s.emptyList() {
				return nil
			}
			return s.Elements(func(i int) error {
				v, err := s.text()
				*at(r) = append(*at(r), S(v))
				return inField(err, "["+strconv.Itoa(i)+"]")
			})
		},
		encode: func(r *R, e *encoder, name string) {
			if list := *at(r); len(list) > 0 {
				e.name(name)
				e.list(len(list), func(i int) { e.text(string(list[i])) })
			}
		},
	}
}

// Few is like [Objects] without an arena. An empty list is not written.
func Few[R, I any](name, key string, of *Object[I], at func(*R) *[]I) Codec[R] {
	inner := of.shape()
	inner.key = key
	return Codec[R]{
		name:  name,
		inner: inner,
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() || s.emptyList() {
				return nil
			}
			return s.Elements(func(i int) error {
				var v I
				err := s.container()
				if err == nil {
					err = of.Decode(&v, s)
				}
				*at(r) = append(*at(r), v)
				return inField(err, "["+strconv.Itoa(i)+"]")
			})
		},
		encode: func(r *R, e *encoder, name string) {
			if list := *at(r); len(list) > 0 {
				e.name(name)
				e.list(len(list), func(i int) { e.object(func() { of.encodeFields(&list[i], e) }) })
			}
		},
	}
}

// ObjectMap is an object with keys of any name, whose values are objects, or null for a nil map.
func ObjectMap[R any, K ~string, I any](name string, of *Object[I], at func(*R) *map[K]I) Codec[R] {
	return Codec[R]{
		name:  name,
		inner: &shape{values: of.shape()},
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() {
				return nil
			}
			m := map[K]I{}
			err := s.Fields(func(key string) error {
				var v I
				err := s.container()
				if err == nil {
					err = of.Decode(&v, s)
				}
				m[K(key)] = v
				return inField(err, key)
			})
			*at(r) = m
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			m := *at(r)
			if m == nil {
				return
			}
			e.name(name)
			e.object(func() {
				for _, key := range slices.Sorted(maps.Keys(m)) {
					v := m[key]
					e.name(string(key))
					e.object(func() { of.encodeFields(&v, e) })
				}
			})
		},
	}
}

// Parsed is a string that parse reads and format writes, or null for the zero value. An empty string is read as the
// zero value.
func Parsed[R any, T comparable](name string, at func(*R) *T, parse func(string) (T, error), format func(T) string) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			var zero T
			*at(r) = zero
			if s.Null() {
				return nil
			}
			text, err := s.text()
			if err != nil || text == "" {
				return err
			}
			v, err := parse(text)
			if err != nil {
				return &FieldError{Reason: strings.TrimPrefix(err.Error(), "modelref: ")}
			}
			*at(r) = v
			return nil
		},
		encode: func(r *R, e *encoder, name string) {
			if text := format(*at(r)); text != "" {
				e.name(name)
				e.text(text)
			}
		},
	}
}

// Mapped returns the field with a function that changes the value after it has been read.
func (f Codec[R]) Mapped(change func(*R)) Codec[R] {
	read := f.decode
	f.decode = func(r *R, s *Scanner) error {
		err := read(r, s)
		if err == nil {
			change(r)
		}
		return err
	}
	return f
}

// IsNull reports whether the field of that name is null in the JSON object.
func IsNull(object, name string) bool {
	if !strings.Contains(object, "null") {
		return false
	}
	text, _ := rawObject(object).value(name)
	return text == "null"
}
