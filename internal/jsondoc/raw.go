package jsondoc

// This file keeps the unknown fields of a record's original JSON when the record is written.

// EncodeRecord returns the JSON of r with its defaults filled in. The unknown fields of raw, the original JSON of the
// record, follow the known fields. If raw is "", there are no unknown fields.
func EncodeRecord[R any](o *Object[R], r *R, raw string) ([]byte, error) {
	e := &encoder{}
	e.object(func() { o.encodeFields(r, e) })
	if e.err != nil {
		return nil, e.err
	}
	if raw == "" {
		return e.buf, nil
	}
	merged := &encoder{buf: make([]byte, 0, len(e.buf))}
	merged.object(func() { merged.mergeUnknown(string(e.buf), raw, o.shape()) })
	return merged.buf, nil
}

// mergeUnknown writes the fields of the object known, then the fields of the object raw that the shape does not have. It
// does the same for the objects inside the known fields.
func (e *encoder) mergeUnknown(known, raw string, of *shape) {
	before := rawObject(raw)
	for _, field := range rawObject(known).fields {
		e.name(field.name)
		old, ok := before.value(field.name)
		if !ok {
			e.buf = append(e.buf, field.text...)
			continue
		}
		inner, _ := of.field(field.name)
		e.mergeNested(field.text, old, inner)
	}
	for _, field := range before.fields {
		if _, known := of.field(field.name); !known {
			e.name(field.name)
			e.buf = append(e.buf, field.text...)
		}
	}
}

// mergeNested writes the value known. If it is an object or a list of objects, mergeNested adds the unknown fields of
// raw. An object without a shape is written as in raw if its values are equal, so that no digit of a number is lost.
func (e *encoder) mergeNested(known, raw string, of *shape) {
	switch {
	case known[0] != raw[0]:
		e.buf = append(e.buf, known...)
	case of == nil && known[0] == '{' && sameValues(known, raw):
		e.buf = append(e.buf, raw...)
	case of != nil && known[0] == '{':
		e.object(func() { e.mergeUnknown(known, raw, of) })
	case of != nil && known[0] == '[':
		now, before := rawList(known), rawList(raw)
		partners := matchObjects(now, before, of.key)
		e.list(len(now), func(i int) {
			if partners[i] == "" {
				e.buf = append(e.buf, now[i]...)
				return
			}
			e.mergeNested(now[i], partners[i], of)
		})
	default:
		e.buf = append(e.buf, known...)
	}
}

// sameValues reports whether known was written from the values in raw.
func sameValues(known, raw string) bool {
	s := Scanner{doc: raw}
	value, err := s.Value()
	again := &encoder{}
	again.value(value)
	return err == nil && string(again.buf) == known
}

// matchObjects returns, for each object in now, the object in before that it comes from, or "". This is the first
// unused object with the same value in the field key. If there is none and both lists have the same length, it is the
// object at the same index, because the key may have changed. A caller may have reordered the objects and removed some.
func matchObjects(now, before []string, key string) []string {
	byName := make(map[string][]int, len(before))
	for i, text := range before {
		name := keyOf(text, key)
		byName[name] = append(byName[name], i)
	}
	out, taken := make([]string, len(now)), make([]bool, len(before))
	for i, text := range now {
		name := keyOf(text, key)
		if left := byName[name]; len(left) > 0 {
			out[i], taken[left[0]], byName[name] = before[left[0]], true, left[1:]
		}
	}
	if len(now) == len(before) {
		for i := range out {
			if out[i] == "" && !taken[i] {
				out[i] = before[i]
			}
		}
	}
	return out
}

// keyOf returns the string in the field key of an object, or "" if the object has no such string.
func keyOf(object, key string) string {
	text, _ := rawObject(object).value(key)
	s := Scanner{doc: text}
	value, _ := s.Str()
	return value
}

type rawField struct{ name, text string }

// rawFields are the fields of a JSON object in their order, with an index of their names.
type rawFields struct {
	fields []rawField
	at     map[string]int
}

// value returns the text of the field of that name.
func (r *rawFields) value(name string) (string, bool) {
	i, ok := r.at[name]
	if !ok {
		return "", false
	}
	return r.fields[i].text, true
}

// rawObject returns the fields of a JSON object. A name that is repeated is returned once, with its last value.
func rawObject(text string) *rawFields {
	out := &rawFields{at: map[string]int{}}
	s := Scanner{doc: text}
	_ = s.Fields(func(key string) error { // this package has read or written the text, so it is valid JSON
		value, err := s.Skip()
		if i, ok := out.at[key]; ok {
			out.fields[i].text = value
			return err
		}
		out.at[key] = len(out.fields)
		out.fields = append(out.fields, rawField{key, value})
		return err
	})
	return out
}

// rawList returns the elements of a JSON list.
func rawList(text string) []string {
	var out []string
	s := Scanner{doc: text}
	_ = s.Elements(func(int) error {
		value, err := s.Skip()
		out = append(out, value)
		return err
	})
	return out
}
