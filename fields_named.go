// Fields by name and conditions as text, for tools that learn at run time what to ask for.

package modelref

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FieldKind says what values a NamedField has.
type FieldKind string

// The kinds of field.
const (
	KindString  FieldKind = "string"
	KindInteger FieldKind = "integer"
	KindFlag    FieldKind = "flag"
	KindTime    FieldKind = "time"
	KindList    FieldKind = "list"
)

// The operators of ParseWhere.
const (
	opEqual        = "="
	opNotEqual     = "!="
	opLess         = "<"
	opLessEqual    = "<="
	opGreater      = ">"
	opGreaterEqual = ">="
	opContains     = "~"

	opBetween = "between" // of a field's method alone
)

// NamedField is a field of the records R that was looked up by its name. Its values are given as text.
type NamedField[R Record] struct {
	name      string
	kind      FieldKind
	operators []string
	where     func(operator, value string) (Predicate[R], error) // an operator of the field's
	present   Predicate[R]
	asc, desc Order[R]
	values    func(*R) []string
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

// LookupField returns the field of that name: one of FieldNames, or the last part of one, as "created_at" for
// "metadata.created_at"; "parameters_count" is "parameters". The error is ErrInvalidQuery and lists the names there are.
func LookupField[R Record](name string) (NamedField[R], error) {
	fields := namedFields[R]()
	wanted := name
	if name == "parameters_count" {
		wanted = "parameters"
	}
	found := slices.IndexFunc(fields, func(f NamedField[R]) bool { return f.name == wanted })
	if found < 0 {
		found = slices.IndexFunc(fields, func(f NamedField[R]) bool {
			return wanted != "" && strings.HasSuffix(f.name, "."+wanted)
		})
	}
	if found < 0 {
		return NamedField[R]{}, invalidQuery("no field %q: want one of %s", name, strings.Join(FieldNames[R](), ", "))
	}
	return fields[found], nil
}

// Name returns the field's name in the service's JSON.
func (f NamedField[R]) Name() string { return f.name }

// Kind returns what values the field has.
func (f NamedField[R]) Kind() FieldKind { return f.kind }

// Operators returns the operators that Where takes for the field.
func (f NamedField[R]) Operators() []string { return slices.Clone(f.operators) }

// Where returns the predicate that compares the field with a value:
//
//	=  !=         every kind; of a list: that it has the value, or has it not
//	<  <=  >  >=  string, integer and time
//	~             string and list: contains, letter case aside
//
// An integer may be written as 7e9 or 7_000_000_000, a flag as true, false, yes, no, 1 or 0, a time as
// 2024-05-01 (midnight UTC) or 2024-05-01T12:00:00Z. The error is ErrInvalidQuery and says what would be right.
func (f NamedField[R]) Where(operator, value string) (Predicate[R], error) {
	if operator == "==" {
		operator = opEqual
	}
	if f.where == nil {
		return Predicate[R]{}, errZeroField()
	}
	if !slices.Contains(f.operators, operator) {
		return Predicate[R]{}, invalidQuery("%s (%s) has no operator %q: want one of %s", f.name, f.kind, operator,
			strings.Join(f.operators, " "))
	}
	return f.where(operator, value)
}

// IsSet keeps the records that have a value; of a flag, those where it is true.
func (f NamedField[R]) IsSet() Predicate[R] {
	if f.where == nil {
		return Predicate[R]{err: errZeroField()}
	}
	return f.present
}

// IsUnset keeps the records that have no value; of a flag, those where it is false.
func (f NamedField[R]) IsUnset() Predicate[R] { return Not(f.IsSet()) }

// Asc returns the order that puts the lowest value first, records without one last. The error is ErrInvalidQuery for a
// list, which has no order, and names the fields that have one.
func (f NamedField[R]) Asc() (Order[R], error) { return f.order(f.asc) }

// Desc returns the order that puts the highest value first, records without one last. The errors are those of Asc.
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
	return Order[R]{}, invalidQuery("cannot order by %q: want one of %s", f.name, strings.Join(names, ", "))
}

// Text returns the values of the field in a record as text, for tables: none where it is absent, several for a list.
// Times are in RFC 3339.
func (f NamedField[R]) Text(r *R) []string {
	if f.values == nil || r == nil {
		return nil
	}
	return f.values(r)
}

// ParseWhere returns the predicate of a condition written as text, so that a command line can offer
//
//	--where 'size_on_disk_bytes<7e9'
//
// A condition is a field, an operator and a value, as "baseline=flux_1", "name~anime" or "tags!=hentai" (see LookupField
// and NamedField.Where); or a field alone, as "nsfw" or "homepage", for those where the flag is true or the value set;
// or "!" and a field for those where it is false or unset. Spaces around the parts are dropped; a value in double
// quotes is read as a Go string. Of several conditions all must hold. The error is ErrInvalidQuery, for all conditions
// that are wrong, and lists the choices.
func ParseWhere[R Record](conditions ...string) (Predicate[R], error) {
	predicates := make([]Predicate[R], len(conditions))
	errs := make([]error, len(conditions))
	for i, condition := range conditions {
		predicates[i], errs[i] = parseCondition[R](condition)
	}
	if err := errors.Join(errs...); err != nil {
		return Predicate[R]{err: err}, err
	}
	return And(predicates...), nil
}

func parseCondition[R Record](condition string) (Predicate[R], error) {
	name, operator, value := splitCondition(condition)
	if operator == "" {
		bare, negated := strings.CutPrefix(name, "!")
		field, err := LookupField[R](strings.TrimSpace(bare))
		if err != nil || !negated {
			return field.IsSet(), err
		}
		return field.IsUnset(), nil
	}
	field, err := LookupField[R](name)
	if err != nil {
		return Predicate[R]{}, err
	}
	if strings.HasPrefix(value, `"`) {
		unquoted, err := strconv.Unquote(value)
		if err != nil {
			return Predicate[R]{}, invalidQuery("%s: the value %s is not a quoted string", field.name, value)
		}
		value = unquoted
	}
	return field.Where(operator, value)
}

// splitCondition cuts a condition at its first operator. No field has an operator's character in its name, so what
// follows belongs to the value.
func splitCondition(condition string) (name, operator, value string) {
	at := strings.IndexAny(condition, "=<>~")
	if at < 0 {
		return strings.TrimSpace(condition), "", ""
	}
	start, end := at, at+1
	if at > 0 && condition[at] == '=' && condition[at-1] == '!' {
		start--
	} else if condition[at] != '~' && end < len(condition) && condition[end] == '=' {
		end++
	}
	return strings.TrimSpace(condition[:start]), condition[start:end], strings.TrimSpace(condition[end:])
}

// ParseOrder returns the orders of keys written as text: the name of a field for the lowest value first, "-" and the
// name for the highest first, several with commas between them or as several keys. The error is ErrInvalidQuery, for
// all keys that are wrong, and lists the choices.
func ParseOrder[R Record](keys ...string) ([]Order[R], error) {
	var orders []Order[R]
	var errs []error
	for key := range strings.SplitSeq(strings.Join(keys, ","), ",") {
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		name, descending := strings.CutPrefix(key, "-")
		field, err := LookupField[R](name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		order := field.Asc
		if descending {
			order = field.Desc
		}
		o, err := order()
		orders, errs = append(orders, o), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return orders, nil
}

// namer is what every field type can be turned into.
type namer[R Record] interface{ named() NamedField[R] }

// namedFields returns the fields of R: those in its namespace, the common ones first.
func namedFields[R Record]() []NamedField[R] {
	return appendNamed[R](nil, reflect.ValueOf(fieldSet[R]()))
}

func appendNamed[R Record](out []NamedField[R], set reflect.Value) []NamedField[R] {
	for i := range set.NumField() {
		if field, ok := set.Field(i).Interface().(namer[R]); ok {
			out = append(out, field.named())
		} else {
			out = appendNamed(out, set.Field(i))
		}
	}
	return out
}

var (
	equalOperators   = []string{opEqual, opNotEqual}
	orderedOperators = []string{opEqual, opNotEqual, opLess, opLessEqual, opGreater, opGreaterEqual}
)

// by returns the predicate that an operator stands for.
func (f OrderedField[R, V]) by(operator string, v V) Predicate[R] {
	switch operator {
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

// texts returns a function that gives a field's values as text.
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

// named is that of the integer fields: the others shadow it.
func (f OrderedField[R, V]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindInteger, operators: orderedOperators,
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		values: texts(f, func(v V) string { return fmt.Sprint(v) }),
		where: func(operator, value string) (Predicate[R], error) {
			integers, ok := any(f).(OrderedField[R, int64])
			n, err := parseInteger(value)
			if !ok || err != nil {
				return Predicate[R]{}, invalidQuery("%s: %q: want an integer of 64 bits, as 7000000000, 7_000_000_000 or 7e9", f.name, value)
			}
			return integers.by(operator, n), nil
		},
	}
}

func (f StringField[R, S]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindString, operators: append(slices.Clip(orderedOperators), opContains),
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		values: texts(f, func(v S) string { return string(v) }),
		where: func(operator, value string) (Predicate[R], error) {
			if operator == opContains {
				return f.ContainsFold(value), nil
			}
			return f.by(operator, S(value)), nil
		},
	}
}

func (f BoolField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindFlag, operators: equalOperators,
		present: f.IsTrue(), asc: f.Asc(), desc: f.Desc(), values: texts(f, strconv.FormatBool),
		where: func(operator, value string) (Predicate[R], error) {
			want, err := parseYesNo(value)
			if err != nil {
				return Predicate[R]{}, invalidQuery("%s: %q: want true or false", f.name, value)
			}
			if want == (operator == opEqual) {
				return f.IsTrue(), nil
			}
			return f.IsFalse(), nil
		},
	}
}

func (f TimeField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindTime, operators: orderedOperators,
		present: f.IsSet(), asc: f.Asc(), desc: f.Desc(),
		values: texts(f, func(t time.Time) string { return t.Format(time.RFC3339Nano) }),
		where: func(operator, value string) (Predicate[R], error) {
			t, err := parseTime(value)
			if err != nil {
				return Predicate[R]{}, invalidQuery("%s: %q: want a time, as 2024-05-01 or 2024-05-01T12:00:00Z", f.name, value)
			}
			switch operator {
			case opEqual:
				return f.Eq(t), nil
			case opNotEqual:
				return f.Ne(t), nil
			case opLess:
				return f.Lt(t), nil
			case opLessEqual:
				return f.Le(t), nil
			case opGreater:
				return f.Gt(t), nil
			default:
				return f.Ge(t), nil
			}
		},
	}
}

func (f ListField[R]) named() NamedField[R] {
	return NamedField[R]{
		name: f.name, kind: KindList, operators: append(slices.Clip(equalOperators), opContains),
		present: f.IsSet(), values: texts(f, func(s string) string { return s }),
		where: func(operator, value string) (Predicate[R], error) {
			switch operator {
			case opEqual:
				return f.Contains(value), nil
			case opNotEqual:
				return Not(f.Contains(value)), nil
			default:
				return f.anyFold(value), nil
			}
		},
	}
}

func parseYesNo(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return strconv.ParseBool(s)
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, s)
}

var errNoInteger = errors.New("not an integer")

// parseInteger reads an integer with an underscore between digits, a fraction and an exponent, as long as its value is
// whole. It is exact, where a detour over float64 would not be.
func parseInteger(s string) (int64, error) {
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	shift := 0
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 400 || n < -400 {
			return 0, errNoInteger
		}
		shift = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if strings.HasPrefix(whole, "_") || strings.HasSuffix(whole, "_") || strings.Contains(whole, "__") {
		return 0, errNoInteger
	}
	whole, fraction = strings.ReplaceAll(whole, "_", ""), strings.TrimRight(fraction, "0")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, errNoInteger
	}
	if shift -= len(fraction); shift >= 0 {
		digits += strings.Repeat("0", shift)
	} else {
		point := max(0, len(digits)+shift)
		if strings.Trim(digits[point:], "0") != "" {
			return 0, errNoInteger
		}
		digits = "0" + digits[:point]
	}
	return strconv.ParseInt(sign+digits, 10, 64)
}
