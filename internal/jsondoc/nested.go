package jsondoc

// This file has the fields that hold objects.

import "strconv"

// Nested is an object inside R that is always written, even if it has only defaults. null resets it.
func Nested[R, I any](name string, of *Object[I], at func(*R) *I) Codec[R] {
	return Codec[R]{
		name:  name,
		inner: of.shape(),
		decode: func(r *R, s *Scanner) error {
			*at(r) = *new(I) // if a field is repeated, the last one replaces the earlier ones completely
			if s.Null() {
				return nil
			}
			return of.Decode(at(r), s)
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.object(func() { of.encodeFields(at(r), e) })
		},
	}
}

// Pointer is an object inside R, or null for a nil pointer.
func Pointer[R, I any](name string, of *Object[I], at func(*R) **I) Codec[R] {
	return Codec[R]{
		name:  name,
		inner: of.shape(),
		decode: func(r *R, s *Scanner) error {
			*at(r) = nil
			if s.Null() {
				return nil
			}
			v := new(I)
			*at(r) = v
			return of.Decode(v, s)
		},
		encode: func(r *R, e *encoder, name string) {
			if v := *at(r); v != nil {
				e.name(name)
				e.object(func() { of.encodeFields(v, e) })
			}
		},
	}
}

// Objects is a list of objects, or null for an empty list. The field key identifies an object of the list. Each object is
// decoded into a copy of fresh, in the arena that in returns.
func Objects[R, I any](
	name, key string, of *Object[I], fresh I, in func(*Scanner) *Arena[I], at func(*R) *[]I,
) Codec[R] {
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
			arena := in(s)
			arena.begin()
			err := s.Elements(func(i int) error {
				if err := of.Decode(arena.add(fresh, s), s); err != nil {
					return inField(err, "["+strconv.Itoa(i)+"]")
				}
				return nil
			})
			*at(r) = arena.list()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			list := *at(r)
			e.name(name)
			e.list(len(list), func(i int) { e.object(func() { of.encodeFields(&list[i], e) }) })
		},
	}
}
