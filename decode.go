// The one decoder of v2 category documents, and the encoder that undoes it. Both walk the same tables of fields.

package modelref

import (
	"cmp"
	stdjson "encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// codec says how one field of an R is read and written.
type codec[R any] struct {
	name     string
	quoted   string // the name as it stands before a value, where nothing is between
	required groups // the group that it is of, where records must have one field of that
	decode   func(*R, *scanner) error
	encode   func(*R, *encoder, string) // writes name and value, or nothing where the field is unset
	inner    shape                      // the known fields of the objects inside, nil where there are none
}

// shape maps the name of each known field of an object to the shape of the objects inside it.
type shape map[string]shape

// objectCodec is the table of an object's fields.
type objectCodec[R any] struct {
	fields   []codec[R]
	required groups // the groups of all fields
}

func newObjectCodec[R any](lists ...[]codec[R]) *objectCodec[R] {
	o := &objectCodec[R]{fields: slices.Concat(lists...)}
	for i := range o.fields {
		o.required |= o.fields[i].required
		o.fields[i].quoted = `"` + o.fields[i].name + `":`
	}
	return o
}

// shape returns the known fields.
func (o *objectCodec[R]) shape() shape {
	out := make(shape, len(o.fields))
	for i := range o.fields {
		out[o.fields[i].name] = o.fields[i].inner
	}
	return out
}

// find consumes a name and its colon and returns the index of its field, or -1. Writers keep to one order, so the field
// after the last one found is tried first, by its text.
func (o *objectCodec[R]) find(s *scanner, after int) (int, error) {
	for i := after; i < len(o.fields) && i < after+guesses; i++ {
		if s.literal(o.fields[i].quoted) {
			return i, nil
		}
	}
	name, err := s.str()
	if err != nil {
		return -1, err
	}
	return o.index(name), s.expect(':')
}

// guesses is how many fields are tried before the name is read: records leave out a few in a row.
const guesses = 3

func (o *objectCodec[R]) index(name string) int {
	for i := range o.fields {
		if o.fields[i].name == name {
			return i
		}
	}
	return -1
}

// decode reads an object into r. Unknown fields are passed over; a missing required field is a fieldError.
func (o *objectCodec[R]) decode(r *R, s *scanner) error {
	if s.next() != '{' {
		return s.mismatch("an object")
	}
	s.i++
	var seen groups
	for at, more := 0, s.next() != '}'; more; {
		s.next()
		i, err := o.find(s, at)
		if err != nil {
			return err
		}
		if i < 0 {
			if _, err := s.skip(); err != nil {
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
		if more = s.next() == ','; more {
			s.i++
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

func (o *objectCodec[R]) missing(from groups) error {
	for i := range o.fields {
		if o.fields[i].required&from != 0 {
			return &fieldError{path: o.fields[i].name, reason: "missing"}
		}
	}
	return nil
}

// as makes a table for an R that has an I inside.
func as[R, I any](fields []codec[I], at func(*R) *I) []codec[R] {
	out := make([]codec[R], len(fields))
	for i, f := range fields {
		out[i] = codec[R]{
			name: f.name, required: f.required, inner: f.inner,
			decode: func(r *R, s *scanner) error { return f.decode(at(r), s) },
			encode: func(r *R, e *encoder, name string) { f.encode(at(r), e, name) },
		}
	}
	return out
}

// need makes the field one that a record must have.
func (f codec[R]) need(group groups) codec[R] {
	f.required = group
	return f
}

// readOnly makes the field one that is read but not written: another name of a field in the same table.
func (f codec[R]) readOnly() codec[R] {
	f.encode = func(*R, *encoder, string) {}
	return f
}

// textField is a string, or null for "".
func textField[R any, S ~string](name string, at func(*R) *S) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			if s.next() == '"' {
				v, err := s.str()
				*at(r) = S(v)
				return err
			}
			if s.null() {
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

// strictText is a string that may not be null.
func strictText[R any, S ~string](name string, at func(*R) *S) codec[R] {
	f := textField(name, at)
	f.decode = func(r *R, s *scanner) error {
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

// flagField is a boolean, or null for false.
func flagField[R any](name string, at func(*R) *bool) codec[R] {
	f := strictFlag(name, at)
	strict := f.decode
	f.decode = func(r *R, s *scanner) error {
		if s.null() {
			*at(r) = false
			return nil
		}
		return strict(r, s)
	}
	return f
}

// strictFlag is a boolean that may not be null.
func strictFlag[R any](name string, at func(*R) *bool) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) (err error) {
			*at(r), err = s.boolean()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.buf = strconv.AppendBool(e.buf, *at(r))
		},
	}
}

// intField is a whole number that may not be null.
func intField[R any](name string, at func(*R) *int64) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) (err error) {
			*at(r), err = s.integer()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.buf = strconv.AppendInt(e.buf, *at(r), 10)
		},
	}
}

// optionalField is a value that may be null or absent.
func optionalField[R, T any](
	name string, at func(*R) *Optional[T], read func(*scanner) (T, error), write func([]byte, T) []byte,
) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			if s.null() {
				*at(r) = Optional[T]{}
				return nil
			}
			v, err := read(s)
			*at(r) = Some(v)
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if v, ok := at(r).Get(); ok {
				e.name(name)
				e.buf = write(e.buf, v)
			}
		},
	}
}

func optionalInt[R any](name string, at func(*R) *Optional[int64]) codec[R] {
	return optionalField(name, at, (*scanner).integer, func(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) })
}

// latestTime is the last second since 1970 that a time.Time can hold: it counts from the year 1.
const latestTime = math.MaxInt64 - 62_135_596_800

// timeField is a time in whole seconds since 1970, or null for the zero time.
func timeField[R any](name string, at func(*R) *time.Time) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			*at(r) = time.Time{}
			if s.null() {
				return nil
			}
			seconds, err := s.integer()
			if err != nil {
				return err
			}
			if seconds > latestTime {
				return &fieldError{reason: "want a time, got " + strconv.FormatInt(seconds, 10)}
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

// listField is a list of strings, or null for none.
func listField[R any](name string, at func(*R) *[]string) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			*at(r) = nil
			if s.null() || s.emptyList() {
				return nil
			}
			s.texts.open()
			err := s.elements(func(i int) error {
				v, err := s.text()
				if err != nil {
					return inField(err, "["+strconv.Itoa(i)+"]")
				}
				s.texts.add(v, s)
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

// settingsField is an object of values of any kind, or null for none.
func settingsField[R any](name string, at func(*R) *map[string]any) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			*at(r) = nil
			if s.null() {
				return nil
			}
			if s.next() != '{' {
				return s.mismatch("an object")
			}
			v, err := s.value(0)
			*at(r), _ = v.(map[string]any)
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			if m := *at(r); m != nil {
				e.name(name)
				e.value(m)
			}
		},
	}
}

// textMapField is an object of strings, or null for none.
func textMapField[R any](name string, at func(*R) *map[string]string) codec[R] {
	return codec[R]{
		name: name,
		decode: func(r *R, s *scanner) error {
			*at(r) = nil
			if s.null() {
				return nil
			}
			m := map[string]string{}
			err := s.fields(func(key string) error {
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

// objectField is an object inside R that is always there, if only with its defaults.
func objectField[R, I any](name string, of *objectCodec[I], at func(*R) *I) codec[R] {
	return codec[R]{
		name:  name,
		inner: of.shape(),
		decode: func(r *R, s *scanner) error {
			*at(r) = *new(I) // of two fields with one name the last wins, whole
			if s.null() {
				return nil
			}
			return of.decode(at(r), s)
		},
		encode: func(r *R, e *encoder, name string) {
			e.name(name)
			e.object(func() { of.encodeFields(at(r), e) })
		},
	}
}

// pointerField is an object inside R, or null for nil.
func pointerField[R, I any](name string, of *objectCodec[I], at func(*R) **I) codec[R] {
	return codec[R]{
		name:  name,
		inner: of.shape(),
		decode: func(r *R, s *scanner) error {
			*at(r) = nil
			if s.null() {
				return nil
			}
			v := new(I)
			*at(r) = v
			return of.decode(v, s)
		},
		encode: func(r *R, e *encoder, name string) {
			if v := *at(r); v != nil {
				e.name(name)
				e.object(func() { of.encodeFields(v, e) })
			}
		},
	}
}

// objectsField is a list of objects, or null for none. They are kept in that slab.
func objectsField[R, I any](
	name string, of *objectCodec[I], fresh I, in func(*scanner) *slab[I], at func(*R) *[]I,
) codec[R] {
	return codec[R]{
		name:  name,
		inner: of.shape(),
		decode: func(r *R, s *scanner) error {
			*at(r) = nil
			if s.null() || s.emptyList() {
				return nil
			}
			slab := in(s)
			slab.open()
			err := s.elements(func(i int) error {
				if err := of.decode(slab.add(fresh, s), s); err != nil {
					return inField(err, "["+strconv.Itoa(i)+"]")
				}
				return nil
			})
			*at(r) = slab.list()
			return err
		},
		encode: func(r *R, e *encoder, name string) {
			list := *at(r)
			e.name(name)
			e.list(len(list), func(i int) { e.object(func() { of.encodeFields(&list[i], e) }) })
		},
	}
}

func (o *objectCodec[R]) encodeFields(r *R, e *encoder) {
	for i := range o.fields {
		o.fields[i].encode(r, e, o.fields[i].name)
	}
}

// encoder appends JSON to buf, and keeps the first error.
type encoder struct {
	buf []byte
	err error
}

// separate writes a comma where something stands before in the same brackets.
func (e *encoder) separate() {
	if n := len(e.buf); n > 0 {
		if c := e.buf[n-1]; c != '{' && c != '[' && c != ':' {
			e.buf = append(e.buf, ',')
		}
	}
}

func (e *encoder) name(name string) {
	e.separate()
	e.text(name)
	e.buf = append(e.buf, ':')
}

// text writes a string. Bytes that are not UTF-8 become U+FFFD.
func (e *encoder) text(s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	e.buf, _ = jsontext.AppendQuote(e.buf, s) // fails on invalid UTF-8 alone
}

func (e *encoder) object(fields func()) {
	e.buf = append(e.buf, '{')
	fields()
	e.buf = append(e.buf, '}')
}

func (e *encoder) list(n int, element func(i int)) {
	e.buf = append(e.buf, '[')
	for i := range n {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		element(i)
	}
	e.buf = append(e.buf, ']')
}

// value writes what scanner.value reads, and a value of another type as encoding/json does.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	case float64:
		e.float(v)
	case string:
		e.text(v)
	case []int64:
		e.list(len(v), func(i int) { e.value(v[i]) })
	case []float64:
		e.list(len(v), func(i int) { e.value(v[i]) })
	case []string:
		e.list(len(v), func(i int) { e.text(v[i]) })
	case []any:
		e.list(len(v), func(i int) { e.value(v[i]) })
	case map[string]any:
		e.object(func() {
			for _, key := range slices.Sorted(maps.Keys(v)) {
				e.name(key)
				e.value(v[key])
			}
		})
	case nil:
		e.buf = append(e.buf, "null"...)
	default:
		text, err := stdjson.Marshal(v)
		if err != nil && e.err == nil {
			e.err = err
		}
		e.buf = append(e.buf, text...)
	}
}

// float writes a number so that it is read back as a float64, 2.0 included.
func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.buf = append(e.buf, "null"...)
		return
	}
	from := len(e.buf)
	e.buf = strconv.AppendFloat(e.buf, f, 'g', -1, 64)
	if !slices.ContainsFunc(e.buf[from:], func(c byte) bool { return c == '.' || c == 'e' }) {
		e.buf = append(e.buf, ".0"...)
	}
}

// encodeRecord writes r with its defaults filled in, and after its known fields those of the record's own JSON that
// this package does not know.
func encodeRecord[R any](o *objectCodec[R], r *R, raw string) ([]byte, error) {
	e := &encoder{}
	e.object(func() { o.encodeFields(r, e) })
	if e.err != nil {
		return nil, fmt.Errorf("modelref: record: %w", e.err)
	}
	if raw == "" {
		return e.buf, nil
	}
	merged := &encoder{buf: make([]byte, 0, len(e.buf))}
	merged.object(func() { merged.keepUnknown(string(e.buf), raw, o.shape()) })
	return merged.buf, nil
}

// keepUnknown writes the fields of the object known, then those of the object raw that the shape does not have. Inside
// the known fields it does the same.
func (e *encoder) keepUnknown(known, raw string, of shape) {
	before := rawObject(raw)
	for _, field := range rawObject(known).fields {
		e.name(field.name)
		old, ok := before.value(field.name)
		if !ok {
			e.buf = append(e.buf, field.text...)
			continue
		}
		e.keepInner(field.text, old, of[field.name])
	}
	for _, field := range before.fields {
		if _, known := of[field.name]; !known {
			e.name(field.name)
			e.buf = append(e.buf, field.text...)
		}
	}
}

// keepInner writes the value known with the unknown fields of raw: of an object, or of each object in a list. An object
// without known fields is written as in raw where its values are the same, so that no digit of a number is lost.
func (e *encoder) keepInner(known, raw string, of shape) {
	switch {
	case known[0] != raw[0]:
		e.buf = append(e.buf, known...)
	case of == nil && known[0] == '{' && sameValues(known, raw):
		e.buf = append(e.buf, raw...)
	case of != nil && known[0] == '{':
		e.object(func() { e.keepUnknown(known, raw, of) })
	case of != nil && known[0] == '[':
		now, before := rawList(known), rawList(raw)
		partners := partnersByFile(now, before)
		e.list(len(now), func(i int) {
			if partners[i] == "" {
				e.buf = append(e.buf, now[i]...)
				return
			}
			e.keepInner(now[i], partners[i], of)
		})
	default:
		e.buf = append(e.buf, known...)
	}
}

// sameValues reports whether raw is read as the values that known was written from.
func sameValues(known, raw string) bool {
	s := scanner{s: raw}
	value, err := s.value(0)
	again := &encoder{}
	again.value(value)
	return err == nil && string(again.buf) == known
}

// partnersByFile returns for each download in now the one in before that it comes from, or "": the first with its file
// name that no other has taken, or where as many are left the one in its place, whose file has another name now. A caller
// may have put them in another order, and have left some out.
func partnersByFile(now, before []string) []string {
	byName := make(map[string][]int, len(before))
	for i, text := range before {
		name := fileNameOf(text)
		byName[name] = append(byName[name], i)
	}
	out, taken := make([]string, len(now)), make([]bool, len(before))
	for i, text := range now {
		name := fileNameOf(text)
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

// fileNameOf returns the file name of a download's JSON.
func fileNameOf(download string) string {
	text, _ := rawObject(download).value("file_name")
	s := scanner{s: text}
	name, _ := s.str() // "" where it is no string
	return name
}

type rawField struct{ name, text string }

// rawFields are the fields of a JSON object in their order, to be found by name.
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

// rawObject returns the fields of a JSON object; a name that comes twice is returned once, with its last text.
func rawObject(text string) *rawFields {
	out := &rawFields{at: map[string]int{}}
	s := scanner{s: text}
	_ = s.fields(func(key string) error { // text has been read or written by this package: it is JSON
		value, err := s.skip()
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

func rawList(text string) []string {
	var out []string
	s := scanner{s: text}
	_ = s.elements(func(int) error {
		value, err := s.skip()
		out = append(out, value)
		return err
	})
	return out
}

// maxRecords bounds how many records a document may have: the smallest one takes 7 bytes of the document and some hundred
// in memory. A document of over 64 MiB, which a caller has to ask for, may have one for every 256 bytes.
func maxRecords(document string) int { return max(1<<18, len(document)/256) }

// maxRejected bounds how many rejected records are listed one by one.
const maxRejected = 1000

// decodeDocument reads a v2 category document: an object of records. It fails where the document is not that, or where
// it has records and none of them decodes. A record that does not decode is left out and reported.
func decodeDocument[R Record](document string, facts *traits, table *objectCodec[R], common func(*R) *ModelRecord) (
	*records[R], []RecordError, error,
) {
	d := documentDecoder[R]{
		s: scanner{s: document}, facts: facts, table: table, common: common,
		out: &records[R]{document: document, common: common}, valid: utf8.ValidString(document),
	}
	err := d.s.fields(d.record)
	if err == nil && (d.s.next() != 0 || d.s.i < len(document)) {
		err = d.s.syntax("something follows the document")
	}
	if err == nil && len(d.out.list) == 0 && len(d.rejected) > 0 {
		err = &fieldError{reason: "none of its records decodes: " + d.rejected[0].Error()}
	}
	if err != nil {
		return nil, nil, &DecodeError{Category: facts.category, Offset: offsetOf(err), Reason: err.Error()}
	}
	d.finish()
	return d.out, d.rejected, nil
}

func offsetOf(err error) int {
	if e, ok := err.(*syntaxError); ok { //nolint:errorlint // never wrapped: it is made and consumed in the decoder
		return e.offset
	}
	return -1
}

// documentDecoder holds the state of one decodeDocument.
type documentDecoder[R Record] struct {
	s        scanner
	facts    *traits
	table    *objectCodec[R]
	common   func(*R) *ModelRecord
	valid    bool // the document is UTF-8
	out      *records[R]
	rejected []RecordError
	unlisted int
}

// record decodes the record that comes next, or rejects it.
func (d *documentDecoder[R]) record(name string) error {
	if most := maxRecords(d.s.s); len(d.out.list) == most {
		return &fieldError{reason: "more than " + strconv.Itoa(most) + " records"}
	}
	d.grow()
	d.s.next()
	start := d.s.i
	n, insides := len(d.out.list), d.s.insides
	d.out.list = d.out.list[:n+1] // what is beyond the length is zero
	r := &d.out.list[n]
	err := d.table.decode(r, &d.s)
	if _, syntax := err.(*syntaxError); syntax { //nolint:errorlint // never wrapped: it is made and consumed in the decoder
		return err
	}
	if err != nil {
		d.s.i = start
		if _, err := d.s.skip(); err != nil {
			return err
		}
	}
	raw := d.s.s[start:d.s.i]
	if err == nil && !d.valid && !(utf8.ValidString(raw) && utf8.ValidString(name)) {
		err = &fieldError{reason: "not valid UTF-8"}
	}
	if err != nil {
		clear(d.out.list[n:])
		d.out.list, d.s.insides = d.out.list[:n], insides
		d.reject(name, err)
		return nil
	}
	m := d.common(r)
	m.raw = raw
	fillDefaults(m, name, d.facts)
	if d.out.keys != nil || m.Name != name {
		d.key(name)
	}
	return nil
}

// key notes the name under which the newest record stands in the document, where that is not the name it gives itself.
func (d *documentDecoder[R]) key(name string) {
	if d.out.keys == nil {
		for i := range len(d.out.list) - 1 {
			d.out.keys = append(d.out.keys, d.common(&d.out.list[i]).Name)
		}
	}
	d.out.keys = append(d.out.keys, name)
}

func (d *documentDecoder[R]) reject(name string, reason error) {
	if len(d.rejected) == maxRejected {
		d.unlisted++
		return
	}
	d.rejected = append(d.rejected, RecordError{
		Category: d.facts.category, Name: listedName(name), Reason: shorten(reason.Error()),
	})
}

// listedName is how the name of a rejected record is listed.
func listedName(name string) string { return strings.ToValidUTF8(shorten(name), "\uFFFD") }

// grow makes room for another record, and as soon as the first few say how long one is, for all of them. More of them
// say so better: until there are some thousands, room is made for no more than the next look.
func (d *documentDecoder[R]) grow() {
	n := len(d.out.list)
	if n < cap(d.out.list) {
		return
	}
	room := max(1, 2*n)
	if n >= 4 {
		left := float64(len(d.s.s)-d.s.i) / float64(d.s.i) * float64(n)
		room = n + max(int(left*(1+1./64))+1, n/spareRecords)
	}
	for _, look := range []int{64, 4096} {
		if n < look {
			room = min(room, look)
			break
		}
	}
	d.out.list = append(slices.Grow([]R(nil), min(room, maxRecords(d.s.s))), d.out.list...)
}

// spareRecords is by how much the records are divided for what of their memory may stay unused.
const spareRecords = 16

// finish indexes the records by name; where a name comes twice the last record stands in the place of the first.
func (d *documentDecoder[R]) finish() {
	out := d.out
	if out.index() {
		d.dropRepeated()
	}
	if spare := cap(out.list) - len(out.list); spare > len(out.list)/spareRecords {
		out.list = slices.Clip(append(make([]R, 0, len(out.list)), out.list...))
	}
	if d.unlisted > 0 {
		d.rejected = append(d.rejected, RecordError{
			Category: d.facts.category, Reason: strconv.Itoa(d.unlisted) + " more records were rejected",
		})
	}
}

// dropRepeated keeps of records with one name the last, in the place of the first, and reports the others.
func (d *documentDecoder[R]) dropRepeated() {
	out := d.out
	first := make(map[string]int, len(out.list))
	kept, keys := out.list[:0:0], []string(nil)
	for i := range out.list {
		name := out.name(i)
		at, repeated := first[name]
		if !repeated {
			first[name] = len(kept)
			kept, keys = append(kept, out.list[i]), append(keys, name)
			continue
		}
		kept[at] = out.list[i]
		d.reject(name, &fieldError{reason: "the name comes more than once; the last record stands"})
	}
	out.list = kept
	if out.keys != nil {
		out.keys = keys
	}
	out.index()
}

// fillDefaults sets what a record leaves out and the service takes for granted.
func fillDefaults(m *ModelRecord, name string, facts *traits) {
	m.Name = cmp.Or(m.Name, name)
	m.RecordType = cmp.Or(m.RecordType, facts.category)
	m.Classification.Domain = cmp.Or(m.Classification.Domain, facts.domain)
	m.Classification.Purpose = cmp.Or(m.Classification.Purpose, facts.purpose)
	m.Metadata.SchemaVersion = cmp.Or(m.Metadata.SchemaVersion, defaultSchemaVersion)
}

const defaultSchemaVersion = "2.0.0"
