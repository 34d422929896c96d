package jsondoc

// This file has the encoder.

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

func (o *Object[R]) encodeFields(r *R, e *encoder) {
	for i := range o.fields {
		o.fields[i].encode(r, e, o.fields[i].name)
	}
}

// encoder appends JSON to buf and stores the first error.
type encoder struct {
	buf []byte
	err error
}

// fail stores the reason if it is the first error.
func (e *encoder) fail(reason string) {
	if e.err == nil {
		e.err = &FieldError{Reason: reason}
	}
}

// within calls write and prepends the name of the field to the path of its error.
func (e *encoder) within(name string, write func()) {
	failed := e.err != nil
	write()
	if !failed && e.err != nil {
		e.err = inField(e.err, name)
	}
}

// separate writes a comma if the current brackets already have an element.
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
	e.buf, _ = jsontext.AppendQuote(e.buf, s) // fails only on invalid UTF-8
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

// value writes a value of the types that [Scanner.Value] returns. It writes a value of another type as encoding/json
// does.
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
		e.list(len(v), func(i int) { e.within("["+strconv.Itoa(i)+"]", func() { e.float(v[i]) }) })
	case []string:
		e.list(len(v), func(i int) { e.text(v[i]) })
	case []any:
		e.list(len(v), func(i int) { e.within("["+strconv.Itoa(i)+"]", func() { e.value(v[i]) }) })
	case map[string]any:
		e.object(func() {
			for _, key := range slices.Sorted(maps.Keys(v)) {
				e.name(key)
				e.within(key, func() { e.value(v[key]) })
			}
		})
	case nil:
		e.buf = append(e.buf, "null"...)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			e.fail(err.Error())
		}
		e.buf = append(e.buf, text...)
	}
}

// float writes a number that is read back as a float64: 2 is written as 2.0. It fails if f is NaN or infinite.
func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail(strconv.FormatFloat(f, 'g', -1, 64) + " is not a JSON number")
		return
	}
	from := len(e.buf)
	e.buf = strconv.AppendFloat(e.buf, f, 'g', -1, 64)
	if !slices.ContainsFunc(e.buf[from:], func(c byte) bool { return c == '.' || c == 'e' }) {
		e.buf = append(e.buf, ".0"...)
	}
}
