package jsondoc

// This file has the fields whose text is the same in many records of a document.

// Recent has the last decoded objects with their texts.
type Recent[T any] struct {
	texts  [recentObjects]string
	values [recentObjects]*T
	next   int // index of the oldest object
}

// recentObjects is the number of objects in a Recent. A comparison of different texts usually ends after a few bytes.
const recentObjects = 4

// Shared is an object inside R, or null for a nil pointer. If the [Recent] that in returns has the text of the object,
// the object is not decoded again, and the records share it.
func Shared[R, I any](name string, of *Object[I], in func(*Scanner) *Recent[I], at func(*R) **I) Codec[R] {
	f := Pointer(name, of, at)
	plain := f.decode
	f.decode = func(r *R, s *Scanner) error {
		if s.Next() != '{' {
			return plain(r, s)
		}
		recent := in(s)
		for i, text := range recent.texts {
			if text != "" && s.literal(text) {
				*at(r) = recent.values[i]
				return nil
			}
		}
		start := s.Offset()
		if err := plain(r, s); err != nil {
			return err
		}
		recent.texts[recent.next], recent.values[recent.next] = s.Since(start), *at(r)
		recent.next = (recent.next + 1) % recentObjects
		return nil
	}
	return f
}

// KeepNull returns the field with null as the value that is written if the field is unset and is null in the record's
// original JSON, which raw returns.
func (f Codec[R]) KeepNull(raw func(*R) string) Codec[R] {
	write := f.encode
	f.encode = func(r *R, e *encoder, name string) {
		before := len(e.buf)
		if write(r, e, name); len(e.buf) == before && IsNull(raw(r), name) {
			e.name(name)
			e.buf = append(e.buf, "null"...)
		}
	}
	return f
}
