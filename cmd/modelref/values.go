// The values that a field has: to explain an empty answer, and to complete a condition.

package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/haidra-org/modelref"
)

// equality matches a condition that a field has one of some values.
var equality = regexp.MustCompile(`^\s*([\w.]+)\s*=\s*([^=].*)$`)

// maxValues is the number of values that a message lists.
const maxValues = 10

// explainNone says which condition no record meets, and which values its field has.
func (a *app) explainNone(ctx context.Context, client *modelref.Client, k kind, s selection) {
	var parts []part
	for _, c := range s.allConditions() {
		about := c.text
		if c.flag != "--where" {
			about += " (" + c.flag + ")"
		}
		parts = append(parts, part{about, selection{where: []string{c.text}}, c.text})
	}
	if len(s.licenses) > 0 {
		ids := strings.Join(s.licenses, ",")
		parts = append(parts, part{"--license " + ids, selection{filters: filters{licenses: s.licenses}}, "licensing.license_ids=" + ids})
	}
	if s.commercial {
		parts = append(parts, part{"--commercial", selection{filters: filters{commercial: true}}, "licensing.commercial_use=allowed"})
	}
	for _, p := range parts {
		p.selection.limit = 1
		found, err := k.answer(ctx, client, p.selection)
		if err != nil || len(found.rows) > 0 {
			continue
		}
		a.notef("no record meets %s%s", p.about, valuesHint(ctx, client, k, p.condition))
		return
	}
	if len(parts) == 0 {
		a.notef("there are no records in %s", k.name())
		return
	}
	a.notef("no record meets all conditions together, but each condition is met by some records")
}

// part is one part of a selection: how it is called, the part itself, and the condition whose values explain it.
type part struct {
	about     string
	selection selection
	condition string
}

// valuesHint returns the values of the field of a condition that compares for equality, or "".
func valuesHint(ctx context.Context, client *modelref.Client, k kind, condition string) string {
	parts := equality.FindStringSubmatch(condition)
	if parts == nil {
		return ""
	}
	values := fieldValues(ctx, client, k, parts[1])
	if near := modelref.NearestNames(strings.TrimSpace(parts[2]), values, maxSuggestions); len(values) > maxValues && len(near) > 0 {
		return fmt.Sprintf(": did you mean %s?", strings.Join(near, " or "))
	}
	switch {
	case len(values) == 0:
		return fmt.Sprintf(": %s is not set in any record", parts[1])
	case len(values) > maxValues:
		return fmt.Sprintf(": the most frequent values of %s are %s", parts[1], strings.Join(values[:maxValues], ", "))
	default:
		return fmt.Sprintf(": the values of %s are %s", parts[1], strings.Join(values, ", "))
	}
}

// fieldValues returns the values of a field, the most frequent first. It returns nil if there is no such field, or if the
// records cannot be read.
func fieldValues(ctx context.Context, client *modelref.Client, k kind, name string) []string {
	found, _ := k.answer(ctx, client, selection{by: name, limit: -1}) // the caller has no use for the error
	if found == nil {
		return nil
	}
	var out []string
	for _, v := range countValues(found.rows, found.columns[0]) {
		if v.Value != nil {
			out = append(out, *v.Value)
		}
	}
	return out
}
