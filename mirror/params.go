// The parameters of a request, read and refused as the service does.

package mirror

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// validationError is one part of a request that is refused, in the form of the service.
type validationError struct {
	Type    string         `json:"type"`
	Loc     []string       `json:"loc"`
	Msg     string         `json:"msg"`
	Input   any            `json:"input"`
	Context map[string]any `json:"ctx,omitempty"`
}

// params reads the parameters of a query. Its methods return a parameter, or record why its value is refused.
type params struct {
	query  url.Values
	errors []validationError
}

// last returns the last value of a parameter, as the service does, and reports whether there is one.
func (p *params) last(name string) (string, bool) {
	values := p.query[name]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

func (p *params) refuse(name, kind, msg, input string, context map[string]any) {
	p.errors = append(p.errors, validationError{
		Type: kind, Loc: []string{"query", name}, Msg: msg, Input: input, Context: context,
	})
}

// flag returns the value of a flag, or nil if there is none.
func (p *params) flag(name string) *bool {
	text, ok := p.last(name)
	if !ok {
		return nil
	}
	value, ok := parseBool(text)
	if !ok {
		p.refuse(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input", text, nil)
		return nil
	}
	return &value
}

// parseBool returns the flag that a word or a number means to the service.
func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "1", "on", "t", "true", "y", "yes":
		return true, true
	case "0", "off", "f", "false", "n", "no":
		return false, true
	}
	return false, false
}

// noMaximum is the maximum of a number without an upper limit.
const noMaximum = -1

// number returns the value of a whole number, or nil if there is none.
func (p *params) number(name string, minimum, maximum int) *int {
	text, ok := p.last(name)
	if !ok {
		return nil
	}
	value, ok := parseInt(text)
	switch {
	case !ok:
		p.refuse(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", text, nil)
	case value < minimum:
		p.refuse(name, "greater_than_equal", "Input should be greater than or equal to "+strconv.Itoa(minimum), text,
			map[string]any{"ge": minimum})
	case maximum != noMaximum && value > maximum:
		p.refuse(name, "less_than_equal", "Input should be less than or equal to "+strconv.Itoa(maximum), text,
			map[string]any{"le": maximum})
	default:
		return &value
	}
	return nil
}

// parseInt returns the number that a text means to the service: it may have a sign, white space around it, underscores
// between its digits, and a fraction of zeros.
func parseInt(text string) (int, bool) {
	text = strings.TrimSpace(text)
	whole, fraction, found := strings.Cut(text, ".")
	if found && (fraction == "" || strings.Trim(fraction, "0") != "") {
		return 0, false
	}
	digits := strings.TrimLeft(whole, "+-")
	if len(whole)-len(digits) > 1 || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") ||
		strings.Contains(digits, "__") {
		return 0, false
	}
	value, err := strconv.Atoi(strings.ReplaceAll(whole, "_", ""))
	return value, err == nil
}

// choice returns the value of a parameter that must be one of a list, or "" if there is none.
func (p *params) choice(name string, options []string) string {
	text, ok := p.last(name)
	if !ok || slices.Contains(options, text) {
		return text
	}
	expected := quotedList(options)
	p.refuse(name, "enum", "Input should be "+expected, text, map[string]any{"expected": expected})
	return ""
}

// quotedList returns the options as the service lists them: 'a', 'b' or 'c'.
func quotedList(options []string) string {
	quoted := make([]string, len(options))
	for i, option := range options {
		quoted[i] = "'" + option + "'"
	}
	last := len(quoted) - 1
	if last == 0 {
		return quoted[0]
	}
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// categoryNames returns the names of all categories, in the order in which the service lists them.
func categoryNames() []string {
	var out []string
	for _, category := range modelref.Categories() {
		out = append(out, string(category))
	}
	return out
}

// unknownCategory returns the error of a path with a category that does not exist.
func unknownCategory(name string) validationError {
	expected := quotedList(categoryNames())
	return validationError{
		Type: "enum", Loc: []string{"path", "model_category_name"}, Msg: "Input should be " + expected,
		Input: name, Context: map[string]any{"expected": expected},
	}
}

// pythonList returns a list of texts as Python prints it.
func pythonList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = pythonString(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// pythonString returns a text in the quotes that Python prints it in.
func pythonString(text string) string {
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `\'`) + "'"
}
