package jsondoc

// This file has the table of the fields of an object, and decodes an object with it.

import (
	"slices"
)

// Required is a set of groups of required fields: one bit for each group. The fields of a group are alternatives, and a
// record must have one of them.
type Required uint16

// Codec describes how one field of an R is decoded and encoded.
type Codec[R any] struct {
	name     string
	quoted   string   // the quoted name with its colon, as it is usually written
	required Required // the group of the field, if a record must have a field of this group
	decode   func(*R, *Scanner) error
	encode   func(*R, *encoder, string) // writes name and value, or nothing if the field is unset
	inner    *shape                     // the known fields of the objects inside, nil if it holds no objects
}

// shape describes the known fields of an object.
type shape struct {
	fields map[string]*shape // the shape of the objects inside each field, nil if it holds no objects
	values *shape            // for an object with keys of any name: the shape of its values
	key    string            // for the objects of a list: the field that identifies an object
}

// field returns the shape of the objects inside the field of that name, and whether the field is known.
func (s *shape) field(name string) (inner *shape, known bool) {
	if s.values != nil {
		return s.values, true
	}
	inner, known = s.fields[name]
	return inner, known
}

// Object is the table of an object's fields.
type Object[R any] struct {
	fields   []Codec[R]
	required Required // the Required of all fields
}

// NewObject returns the object whose fields are those of the lists, in order.
func NewObject[R any](lists ...[]Codec[R]) *Object[R] {
	o := &Object[R]{fields: slices.Concat(lists...)}
	for i := range o.fields {
		o.required |= o.fields[i].required
		o.fields[i].quoted = `"` + o.fields[i].name + `":`
	}
	return o
}

// shape returns the shape of the known fields.
func (o *Object[R]) shape() *shape {
	out := &shape{fields: make(map[string]*shape, len(o.fields))}
	for i := range o.fields {
		out.fields[o.fields[i].name] = o.fields[i].inner
	}
	return out
}

// Names returns the names of the fields in the order of the table.
func (o *Object[R]) Names() []string {
	out := make([]string, len(o.fields))
	for i := range out {
		out[i] = o.fields[i].name
	}
	return out
}

// find consumes a name and its colon and returns the index of its field, or -1. Most writers keep the same order, so
// find first compares the text with the field after the last one found.
func (o *Object[R]) find(s *Scanner, after int) (int, error) {
	for i := after; i < len(o.fields) && i < after+lookahead; i++ {
		if s.literal(o.fields[i].quoted) {
			return i, nil
		}
	}
	name, err := s.Str()
	if err != nil {
		return -1, err
	}
	return o.index(name), s.expect(':')
}

// lookahead is the number of fields that are compared before the name is parsed. Records often leave out a few fields
// in a row.
const lookahead = 3

func (o *Object[R]) index(name string) int {
	for i := range o.fields {
		if o.fields[i].name == name {
			return i
		}
	}
	return -1
}

// Decode reads an object into r. It skips unknown fields. If a required field is missing, it returns a [FieldError].
func (o *Object[R]) Decode(r *R, s *Scanner) error {
	if s.Next() != '{' {
		return s.mismatch("an object")
	}
	s.pos++
	var seen Required
	for at, more := 0, s.Next() != '}'; more; {
		s.Next()
		i, err := o.find(s, at)
		if err != nil {
			return err
		}
		if i < 0 {
			if _, err := s.Skip(); err != nil {
				return err
			}
		} else {
			at = i + 1
			field := &o.fields[i]
			seen |= field.required
			if err := field.decode(r, s); err != nil {
				return inField(err, field.name)
			}
		}
		if more = s.Next() == ','; more {
			s.pos++
		}
	}
	if err := s.expect('}'); err != nil {
		return err
	}
	if missing := o.required &^ seen; missing != 0 {
		return o.missing(missing)
	}
	return nil
}

func (o *Object[R]) missing(from Required) error {
	for i := range o.fields {
		if o.fields[i].required&from != 0 {
			return &FieldError{Path: o.fields[i].name, Reason: "missing"}
		}
	}
	return nil
}

// Embed returns the fields of an R that contains an I.
func Embed[R, I any](fields []Codec[I], at func(*R) *I) []Codec[R] {
	out := make([]Codec[R], len(fields))
	for i, f := range fields {
		out[i] = Codec[R]{
			name: f.name, required: f.required, inner: f.inner,
			decode: func(r *R, s *Scanner) error { return f.decode(at(r), s) },
			encode: func(r *R, e *encoder, name string) { f.encode(at(r), e, name) },
		}
	}
	return out
}

// Require returns the field as a member of the given group of required fields.
func (f Codec[R]) Require(group Required) Codec[R] {
	f.required = group
	return f
}

// ReadOnly returns the field as one that is read but not written, such as a second name of a field in the same table.
func (f Codec[R]) ReadOnly() Codec[R] {
	f.encode = func(*R, *encoder, string) {}
	return f
}
