// Conditions, orders and values given as text.

package modelref

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParsePredicate returns the predicate of a condition in text form, so that a command line can have a flag such as
//
//	--where 'size_on_disk_bytes<7e9'
//
// A condition has one of these forms:
//
//   - A field, an operator and a value, such as "baseline=flux_1", "name~anime" or "tags!=hentai". See LookupField and
//     NamedField.Where.
//   - A field, such as "nsfw" or "homepage". It keeps the records in which the flag is true or the value is set.
//   - "!" and a field. It keeps the records in which the flag is false or the value is not set.
//
// Spaces around the parts are ignored. A value in double quotes is parsed as a Go string. After = several values may be
// separated by commas, as in "style=anime,realistic": the predicate then keeps the records that match one of them, and after
// != the records that match none of them. A value that contains a comma must be in double quotes. If there are several
// conditions, the predicate keeps the records that all of them keep. If conditions are not valid, ParsePredicate returns
// ErrInvalidQuery with the errors of all of them and the valid choices.
func ParsePredicate[R Record](conditions ...string) (Predicate[R], error) {
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
	values, err := splitValues(value, operator)
	if err != nil {
		return Predicate[R]{}, invalidQuery("%s: %s", field.name, err)
	}
	predicates := make([]Predicate[R], len(values))
	errs := make([]error, len(values))
	for i, v := range values {
		predicates[i], errs[i] = field.Where(operator, v)
	}
	if err := errors.Join(errs...); err != nil || len(values) == 1 {
		return predicates[0], err
	}
	if operator == opNotEqual.String() {
		return And(predicates...), nil
	}
	return Or(predicates...), nil
}

// splitValues returns the values of a condition, without quotes. Only an operator that compares for equality may have
// several values.
func splitValues(text, operator string) ([]string, error) {
	op := parseOperator(operator)
	several := op == opEqual || op == opNotEqual
	var out []string
	for {
		value, rest, more := text, "", false
		if strings.HasPrefix(text, `"`) {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, fmt.Errorf("the value %s is not a quoted string", text)
			}
			rest = strings.TrimSpace(text[len(quoted):])
			if rest, more = strings.CutPrefix(rest, ","); !more && rest != "" || more && !several {
				return nil, fmt.Errorf("the value %s is not a quoted string", text)
			}
			value, _ = strconv.Unquote(quoted)
		} else if several {
			value, rest, more = strings.Cut(text, ",")
			value = strings.TrimSpace(value)
		}
		out = append(out, value)
		if !more {
			return out, nil
		}
		text = strings.TrimSpace(rest)
	}
}

// splitCondition splits a condition at its first operator. No name of a field contains a character of an operator, so the
// rest of the text belongs to the value.
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

// ParseOrder returns the orders of keys in text form. A key is the name of a field, for the lowest value first, or "-" and
// the name, for the highest value first. Several keys may be separated by commas. If keys are not valid, ParseOrder returns
// ErrInvalidQuery with the errors of all of them and the valid choices.
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
