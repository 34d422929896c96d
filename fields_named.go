// Fields by name and conditions as text, for programs that learn at run time what to query.

package modelref

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/haidra-org/modelref/internal/columns"
	"github.com/haidra-org/modelref/internal/jsondoc"
)

// FieldKind is the type of the values of a NamedField.
type FieldKind string

// The kinds of field.
const (
	KindString FieldKind = "string"
	KindInt    FieldKind = "integer"
	KindBool   FieldKind = "boolean"
	KindTime   FieldKind = "time"
	KindList   FieldKind = "list"
)

// An operator compares a field with a value in a condition.
type operator uint8

const (
	opInvalid operator = iota
	opEqual
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opContains
)

// operatorTexts has the text of each operator.
var operatorTexts = [...]string{
	opEqual: "=", opNotEqual: "!=", opLess: "<", opLessEqual: "<=", opGreater: ">", opGreaterEqual: ">=", opContains: "~",
}

func (o operator) String() string { return operatorTexts[o] }

// parseOperator returns the operator of a text, or opInvalid if there is none.
func parseOperator(text string) operator {
	switch text {
	case "":
		return opInvalid
	case "==":
		return opEqual
	}
	return operator(max(slices.Index(operatorTexts[:], text), 0)) //nolint:gosec // a small index
}

var (
	equalOperators   = []operator{opEqual, opNotEqual}
	orderedOperators = []operator{opEqual, opNotEqual, opLess, opLessEqual, opGreater, opGreaterEqual}
)

// A NamedField is a field of the records R that was looked up by its name. Its values are texts. Distinct, GroupBy and Values
// accept it.
type NamedField[R Record] struct {
	name      string
	kind      FieldKind
	operators []operator
	where     func(op operator, value string) (Predicate[R], error) // op is one of operators
	present   Predicate[R]
	asc, desc Order[R] // zero if the field has no order
	read      func(*R) []string
}

// FieldNames returns the names of the fields that records R can be queried by, in the order of the service's JSON.
func FieldNames[R Record]() []string {
	fields := namedFields[R]()
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = fields[i].name
	}
	return out
}

// LookupField returns the field with the given name. The name is one of FieldNames or the last part of one, such as
// "created_at" for "metadata.created_at". A last part "status" may be omitted: "tool_calling" is
// "capabilities.tool_calling.status". Short names and names that other parts of the service use are aliases: "size" is
// "size_on_disk_bytes", "params" and "parameters_count" are "parameters", "category" is "record_type", and the "style" of a
// ControlNet is its "controlnet_style". If there is no such field, LookupField returns ErrInvalidQuery with similar names, or
// with all names if none is similar.
func LookupField[R Record](name string) (NamedField[R], error) {
	fields := namedFields[R]()
	if at := indexOfField(fields, name); at >= 0 {
		return fields[at], nil
	}
	names := FieldNames[R]()
	if near := NearestNames(name, names, maxSuggestions); len(near) > 0 {
		return NamedField[R]{}, invalidQuery("no field %q: did you mean %s?", name, strings.Join(near, " or "))
	}
	return NamedField[R]{}, invalidQuery("no field %q: must be one of %s", name, strings.Join(names, ", "))
}

// indexOfField returns the index of the field that a name means, or -1 if there is none.
func indexOfField[R Record](fields []NamedField[R], name string) int {
	if name == "" {
		return -1
	}
	for _, matches := range []func(field string) bool{
		func(field string) bool { return field == name },
		func(field string) bool { return strings.HasSuffix(field, "."+name) },
		func(field string) bool { return strings.HasSuffix("."+field, "."+name+".status") },
		func(field string) bool { return field == fieldAlias(name) },
	} {
		if at := slices.IndexFunc(fields, func(f NamedField[R]) bool { return matches(f.name) }); at >= 0 {
			return at
		}
	}
	return -1
}

// fieldAlias returns the name of the field that people ("size"), searches ("parameters_count") or legacy files (the "style" of a
// ControlNet) call by another name, or "" if name is not such a name.
func fieldAlias(name string) string {
	switch name {
	case "size":
		return "size_on_disk_bytes"
	case "params", "parameters_count":
		return "parameters"
	case "category":
		return "record_type"
	case "style":
		return "controlnet_style"
	default:
		return ""
	}
}

// Name returns the field's name in the service's JSON.
func (f NamedField[R]) Name() string { return f.name }

// Kind returns the type of the field's values.
func (f NamedField[R]) Kind() FieldKind { return f.kind }

// Operators returns the operators that Where accepts for the field.
func (f NamedField[R]) Operators() []string {
	if f.operators == nil {
		return nil
	}
	out := make([]string, len(f.operators))
	for i, op := range f.operators {
		out[i] = op.String()
	}
	return out
}

// Where returns the predicate that compares the field with a value:
//
//	=  !=         every kind; for a list: it contains the value, or does not contain it
//	<  <=  >  >=  string, integer and time
//	~             string and list: contains, ignoring letter case
//
// An integer may be written as 7e9 or 7_000_000_000, a flag as true, false, yes, no, 1 or 0, a time as
// 2024-05-01 (midnight UTC) or 2024-05-01T12:00:00Z. The size of "size_on_disk_bytes" may have a unit, such as 7.5GB (see
// ParseSize), and so may the counts "parameters" and "context_window.maximum_tokens", such as 13B or 128K (see ParseCount;
// K is 1000). For an image baseline, = and != accept the names that ParseBaseline accepts. If the operator or the value is not valid, Where returns
// ErrInvalidQuery with the valid choices.
func (f NamedField[R]) Where(operator, value string) (Predicate[R], error) {
	if f.where == nil {
		return Predicate[R]{}, errZeroField()
	}
	op := parseOperator(operator)
	if !slices.Contains(f.operators, op) {
		return Predicate[R]{}, invalidQuery("%s (%s) has no operator %q: must be one of %s", f.name, f.kind, operator,
			strings.Join(f.Operators(), " "))
	}
	return f.where(op, value)
}

// IsSet keeps the records that have a value. For a flag it keeps the records in which the flag is true.
func (f NamedField[R]) IsSet() Predicate[R] {
	if f.where == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return f.present
}

// IsUnset keeps the records that have no value. For a flag it keeps the records in which the flag is false.
func (f NamedField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// Asc returns the order that puts the lowest value first and records without a value last. A list has no order: Asc then
// returns ErrInvalidQuery with the names of the fields that have one.
func (f NamedField[R]) Asc() (Order[R], error) { return f.order(f.asc) }

// Desc returns the order that puts the highest value first and records without a value last. It returns the same errors
// as Asc.
func (f NamedField[R]) Desc() (Order[R], error) { return f.order(f.desc) }

func (f NamedField[R]) order(o Order[R]) (Order[R], error) {
	if o.compare != nil {
		return o, nil
	}
	var names []string
	for _, field := range namedFields[R]() {
		if field.asc.compare != nil {
			names = append(names, field.name)
		}
	}
	return Order[R]{}, invalidQuery("cannot order by %q: must be one of %s", f.name, strings.Join(names, ", "))
}

// Text returns the values of the field in a record as text, for example for tables: none if the field is absent, several
// for a list. Times are formatted as RFC 3339.
func (f NamedField[R]) Text(r *R) []string {
	if f.read == nil || r == nil {
		return nil
	}
	return f.read(r)
}

func (f NamedField[R]) values(r *R, into []string) []string { return append(into, f.Text(r)...) }

func (f NamedField[R]) dictionary() *columns.Field[R] { return nil }

// namedFielder is implemented by all field types.
type namedFielder[R Record] interface{ named() NamedField[R] }

// namedFields returns the fields of the field set of R, the common fields first.
func namedFields[R Record]() []NamedField[R] {
	return appendNamed[R](nil, reflect.ValueOf(fieldSet[R]()))
}

func appendNamed[R Record](out []NamedField[R], set reflect.Value) []NamedField[R] {
	for i := range set.NumField() {
		if field, ok := set.Field(i).Interface().(namedFielder[R]); ok {
			out = append(out, field.named())
		} else {
			out = appendNamed(out, set.Field(i))
		}
	}
	return out
}

// comparableField is a field with the operators of orderedOperators.
type comparableField[R Record, V any] interface {
	Eq(v V) Predicate[R]
	Ne(v V) Predicate[R]
	Lt(v V) Predicate[R]
	Le(v V) Predicate[R]
	Gt(v V) Predicate[R]
	Ge(v V) Predicate[R]
}

// compare returns the predicate of one of orderedOperators.
func compare[R Record, V any](f comparableField[R, V], op operator, v V) Predicate[R] {
	switch op {
	case opEqual:
		return f.Eq(v)
	case opNotEqual:
		return f.Ne(v)
	case opLess:
		return f.Lt(v)
	case opLessEqual:
		return f.Le(v)
	case opGreater:
		return f.Gt(v)
	default:
		return f.Ge(v)
	}
}

// texts returns a function that returns the values of a field as text.
func texts[R Record, V comparable](f FieldOf[R, V], text func(V) string) func(*R) []string {
	return func(r *R) []string {
		values := f.values(r, nil)
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = text(v)
		}
		return out
	}
}

func (f IntField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindInt, operators: orderedOperators,
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		read: texts(f, func(v int64) string { return strconv.FormatInt(v, 10) }),
		where: func(op operator, value string) (Predicate[R], error) {
			n, err := parseNumber(f.name, value)
			if err != nil {
				return Predicate[R]{}, err
			}
			return compare(f, op, n), nil
		},
	}
}

func (f StringField[R, S]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindString, operators: append(slices.Clip(orderedOperators), opContains),
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		read: texts(f, func(v S) string { return string(v) }),
		where: func(op operator, value string) (Predicate[R], error) {
			if op == opContains {
				return f.ContainsFold(value), nil
			}
			if values := aliasesOf(S(value)); len(values) > 1 && (op == opEqual || op == opNotEqual) {
				return among(f.valueField, values, op == opNotEqual), nil
			}
			return compare(f, op, S(value)), nil
		},
	}
}

// aliasesOf returns the values that a name stands for: more than one only for the name of a baseline.
func aliasesOf[S ~string](name S) []S {
	baseline, ok := any(name).(Baseline)
	if !ok {
		return []S{name}
	}
	names := baselineNames(baseline)
	out := make([]S, len(names))
	for i := range names {
		out[i] = S(names[i])
	}
	return out
}

// parseNumber returns the integer that text states for the field of that name. A size and a count may have a unit.
func parseNumber(name, text string) (int64, error) {
	n, err := jsondoc.ParseInteger(text)
	if err == nil {
		return n, nil
	}
	reason := ""
	if parse := unitsOf(name); parse != nil && endsWithLetter(text) {
		if n, err = parse(text); err == nil {
			return n, nil
		}
		reason = "; " + strings.TrimPrefix(err.Error(), "modelref: ")
	}
	return 0, invalidQuery("%s: %q: must be an integer of 64 bits, such as 7000000000, 7_000_000_000 or 7e9%s", name, text, reason)
}

// endsWithLetter reports whether text ends with a letter, as a number with a unit does.
func endsWithLetter(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimSpace(text))
	return unicode.IsLetter(last)
}

// unitsOf returns the function that parses a number with a unit, or nil if the field of that name has no units.
func unitsOf(name string) func(string) (int64, error) {
	switch {
	case strings.HasSuffix(name, "_bytes"):
		return ParseSize
	case name == "parameters", name == "context_window.maximum_tokens":
		return ParseCount
	default:
		return nil
	}
}

func (f BoolField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindBool, operators: equalOperators,
		present: f.IsTrue(), asc: f.Asc(), desc: f.Desc(), read: texts(f, strconv.FormatBool),
		where: func(op operator, value string) (Predicate[R], error) {
			want, err := parseYesNo(value)
			if err != nil {
				return Predicate[R]{}, invalidQuery("%s: %q: must be true or false", f.name, value)
			}
			return f.Eq(want == (op == opEqual)), nil
		},
	}
}

func (f TimeField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindTime, operators: orderedOperators,
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		read: texts(f, func(t time.Time) string { return t.Format(time.RFC3339Nano) }),
		where: func(op operator, value string) (Predicate[R], error) {
			t, err := parseTime(value)
			if err != nil {
				return Predicate[R]{}, invalidQuery(
					"%s: %q: must be a time, such as 2024-05-01 or 2024-05-01T12:00:00Z", f.name, value)
			}
			return compare(f, op, t), nil
		},
	}
}

func (f ListField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindList, operators: append(slices.Clip(equalOperators), opContains),
		present: f.IsSet(), read: texts(f, func(s string) string { return s }),
		where: func(op operator, value string) (Predicate[R], error) {
			switch op {
			case opEqual:
				return f.Contains(value), nil
			case opNotEqual:
				return Not(f.Contains(value)), nil
			default:
				return f.containsFold(value), nil
			}
		},
	}
}
