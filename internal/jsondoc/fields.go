package jsondoc

// This file has the fields that hold values: strings, booleans, numbers, times, lists and maps.

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Text is a string, or null for "".
func Text[R any, S ~string](name string, at func(*R) *S) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			if s.Next() == '"' {
				v, err := s.Str()
				*at(r) = S(v)
				return err
			}
			if s.Null() {
				*at(r) = ""
				return nil
			}
			return s.mismatch("a string")
		},
		encode: func(r *R, e *encoder, name string) {
			if v := *at(r); v != "" {
				e.name(name)
				e.text(string(v))
			}
		},
	}
}

// TrimmedText is like [Text], but white space around the string is removed when it is read.
func TrimmedText[R any, S ~string](name string, at func(*R) *S) Codec[R] {
	f := Text(name, at)
	plain := f.decode
	f.decode = func(r *R, s *Scanner) error {
		err := plain(r, s)
		*at(r) = S(TrimSpace(string(*at(r))))
		return err
	}
	return f
}

// StrictText is a string that must not be null.
func StrictText[R any, S ~string](name string, at func(*R) *S) Codec[R] {
	f := Text(name, at)
	f.decode = func(r *R, s *Scanner) error {
		v, err := s.text()
		*at(r) = S(v)
		return err
	}
	f.encode = func(r *R, e *encoder, name string) {
		e.name(name)
		e.text(string(*at(r)))
	}
	return f
}

// Flag is a boolean, or null for false.
func Flag[R any](name string, at func(*R) *bool) Codec[R] {
	f := StrictFlag(name, at)
	strict := f.decode
	f.decode = func(r *R, s *Scanner) error {
		if s.Null() {
			*at(r) = false
			return nil
		}
		return strict(r, s)
	}
	return f
}

// StrictFlag is a boolean that must not be null.
func StrictFlag[R any](name string, at func(*R) *bool) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) (err error) {
			*at(r), err = s.lenientBoolean()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.buf = strconv.AppendBool(e.buf, *at(r))
		},
	}
}

// Int is a whole number that must not be null.
func Int[R any](name string, at func(*R) *int64) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) (err error) {
			*at(r), err = s.LenientInteger()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.buf = strconv.AppendInt(e.buf, *at(r), 10)
		},
	}
}

// Optional is a value that may be null or absent. The record provides get and set, with a flag for an unset value.
func Optional[R, T any](
	name string, get func(*R) (T, bool), set func(r *R, v T, isSet bool),
	read func(*Scanner) (T, error), write func([]byte, T) []byte,
) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			if s.Null() {
				var unset T
				set(r, unset, false)
				return nil
			}
			v, err := read(s)
			set(r, v, true)
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if v, ok := get(r); ok {
				e.name(name)
				e.buf = write(e.buf, v)
			}
		},
	}
}

// OptionalInt is a whole number that may be null or absent.
func OptionalInt[R any](name string, get func(*R) (int64, bool), set func(r *R, v int64, isSet bool)) Codec[R] {
	return Optional(name, get, set, (*Scanner).LenientInteger, func(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) })
}

// OptionalFlag is a boolean that may be null or absent.
func OptionalFlag[R any](name string, get func(*R) (bool, bool), set func(r *R, v bool, isSet bool)) Codec[R] {
	return Optional(name, get, set, (*Scanner).lenientBoolean, strconv.AppendBool)
}

// LatestTime is the last second since 1970 that a time.Time can represent: a time.Time counts from the year 1.
const LatestTime = math.MaxInt64 - 62_135_596_800

// Time is a time in whole seconds since 1970, or null for the zero time.
func Time[R any](name string, at func(*R) *time.Time) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			*at(r) = time.Time{}
			if s.Null() {
				return nil
			}
			seconds, err := s.LenientInteger()
			if err != nil {
				return err
			}
			if seconds > LatestTime {
				return &FieldError{Reason: "must be a time, got " + strconv.FormatInt(seconds, 10)}
			}
			*at(r) = time.Unix(seconds, 0).UTC()
			return nil
		},
		encode: func(r *R, e *encoder, name string) {
			if v := *at(r); !v.IsZero() {
				e.name(name)
				e.buf = strconv.AppendInt(e.buf, v.Unix(), 10)
			}
		},
	}
}

// List is a list of strings, or null for an empty list.
func List[R any](name string, at func(*R) *[]string) Codec[R] {
	return listOf(name, at, func(s string) string { return s })
}

// TrimmedList is like [List], but white space around the strings is removed when they are read.
func TrimmedList[R any](name string, at func(*R) *[]string) Codec[R] {
	return listOf(name, at, TrimSpace)
}

func listOf[R any](name string, at func(*R) *[]string, clean func(string) string) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() || s.emptyList() {
				return nil
			}
			s.texts.begin()
			err := s.Elements(func(i int) error {
				v, err := s.text()
				if err != nil {
					return inField(err, "["+strconv.Itoa(i)+"]")
				}
				s.texts.add(clean(v), s)
				return nil
			})
			*at(r) = s.texts.list()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if list := *at(r); len(list) > 0 {
				e.name(name)
				e.list(len(list), func(i int) { e.text(list[i]) })
			}
		},
	}
}

// Settings is an object of values of any type, or null for a nil map.
func Settings[R any](name string, at func(*R) *map[string]any) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() {
				return nil
			}
			if s.Next() != '{' {
				return s.mismatch("an object")
			}
			v, err := s.Value()
			*at(r), _ = v.(map[string]any)
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if m := *at(r); m != nil {
				e.name(name)
				e.within(name, func() { e.value(m) })
			}
		},
	}
}

// TextMap is an object of strings, or null for a nil map.
func TextMap[R any](name string, at func(*R) *map[string]string) Codec[R] {
	return Codec[R]{
		name: name,
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() {
				return nil
			}
			m := map[string]string{}
			err := s.Fields(func(key string) error {
				v, err := s.text()
				m[key] = v
				return inField(err, key)
			})
			*at(r) = m
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if m := *at(r); m != nil {
				e.name(name)
				e.object(func() {
					for _, key := range slices.Sorted(maps.Keys(m)) {
						e.name(key)
						e.text(m[key])
					}
				})
			}
		},
	}
}
