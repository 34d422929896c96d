// How changes of records are shown: a line for each value that differs, with the value before and after in full.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// leafChange is a value inside a record that differs. Before or After is nil if the record does not have the value.
type leafChange struct {
	Path          string // such as config.download[0].file_url
	Before, After json.RawMessage
}

// leafChanges returns the values that differ between two values. It descends into objects, and into lists of objects. A list
// of plain values is one value.
func leafChanges(path string, before, after json.RawMessage) []leafChange {
	if sameValue(before, after) {
		return nil
	}
	var old, now document
	if kindOfJSON(before) == '{' && kindOfJSON(after) == '{' && old.addFields(before) == nil && now.addFields(after) == nil {
		return fieldLeaves(path, &old, &now)
	}
	oldItems, newItems := items(before), items(after)
	if oldItems == nil || newItems == nil || plainList(oldItems) && plainList(newItems) {
		return []leafChange{{path, before, after}}
	}
	var out []leafChange
	for i := range max(len(oldItems), len(newItems)) {
		var x, y json.RawMessage
		if i < len(oldItems) {
			x = oldItems[i]
		}
		if i < len(newItems) {
			y = newItems[i]
		}
		out = append(out, leafChanges(path+"["+strconv.Itoa(i)+"]", x, y)...)
	}
	return out
}

// fieldLeaves is leafChanges for two objects: the fields of the later one in its order, then those that are gone.
func fieldLeaves(path string, old, now *document) []leafChange {
	below := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	var out []leafChange
	for _, name := range now.names {
		out = append(out, leafChanges(below(name), old.records[name], now.records[name])...)
	}
	for _, name := range old.names {
		if _, ok := now.records[name]; !ok {
			out = append(out, leafChange{Path: below(name), Before: old.records[name]})
		}
	}
	return out
}

// kindOfJSON returns the first character of a value, or 0.
func kindOfJSON(value json.RawMessage) byte {
	text := strings.TrimSpace(string(value))
	if text == "" {
		return 0
	}
	return text[0]
}

// items returns the elements of a list, or nil if the value is not a list.
func items(value json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	if kindOfJSON(value) != '[' || json.Unmarshal(value, &out) != nil {
		return nil
	}
	return out
}

// plainList reports whether no element is an object or a list.
func plainList(list []json.RawMessage) bool {
	return !slices.ContainsFunc(list, func(v json.RawMessage) bool { return kindOfJSON(v) == '{' || kindOfJSON(v) == '[' })
}

// text returns the change for people.
func (c leafChange) text() string {
	oldItems, newItems := items(c.Before), items(c.After)
	if oldItems != nil && newItems != nil {
		return c.Path + ": " + listChange(c.Path, oldItems, newItems)
	}
	before, after := valueText(c.Path, c.Before), valueText(c.Path, c.After)
	if before == after { // the difference is smaller than what people read
		before, after = compactText(c.Before), compactText(c.After)
	}
	return c.Path + ": " + before + " -> " + after
}

// listChange returns the elements that were added and removed.
func listChange(path string, before, after []json.RawMessage) string {
	var out []string
	rest := slices.Clone(before)
	for _, v := range after {
		if i := slices.IndexFunc(rest, func(old json.RawMessage) bool { return sameValue(old, v) }); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			out = append(out, "+"+valueText(path, v))
		}
	}
	for _, v := range rest {
		out = append(out, "-"+valueText(path, v))
	}
	if len(out) == 0 {
		return "another order"
	}
	return strings.Join(out, " ")
}

// valueText returns a value for people: sizes and counts with a unit, and text without quotes.
func valueText(path string, value json.RawMessage) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	var text string
	n, err := strconv.ParseInt(strings.TrimSpace(string(value)), 10, 64)
	switch {
	case value == nil:
		return "(none)"
	case err == nil && (name == "size_on_disk_bytes" || name == "size_bytes"):
		return modelref.FormatSize(n)
	case err == nil && (name == "parameters" || name == "parameters_count"):
		return modelref.FormatCount(n)
	case string(value) == "true", string(value) == "false":
		return yesNo(string(value) == "true")
	case json.Unmarshal(value, &text) == nil && text != "" && strings.TrimSpace(text) == text && kindOfJSON(value) == '"':
		return text
	}
	return compactText(value)
}

func compactText(value json.RawMessage) string {
	if value == nil {
		return "(none)"
	}
	var line strings.Builder
	if printLine(&line, value) != nil {
		return string(value)
	}
	return strings.TrimSuffix(line.String(), "\n")
}

// recordText says in a few words what a record is.
func recordText(record json.RawMessage) string {
	var r struct {
		Baseline    string `json:"baseline"`
		NSFW        bool   `json:"nsfw"`
		Size        int64  `json:"size_on_disk_bytes"`
		Parameters  int64  `json:"parameters"`
		Description string `json:"description"`
	}
	if json.Unmarshal(record, &r) != nil {
		return ""
	}
	var out []string
	if r.Baseline != "" {
		out = append(out, r.Baseline)
	}
	if r.Parameters > 0 {
		out = append(out, modelref.FormatCount(r.Parameters)+" parameters")
	}
	if r.Size > 0 {
		out = append(out, modelref.FormatSize(r.Size))
	}
	if r.NSFW {
		out = append(out, "nsfw")
	}
	if r.Description != "" {
		line, _, _ := strings.Cut(r.Description, "\n")
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

// changeSet is what was added, removed and changed, in the order in which it is printed.
type changeSet struct {
	category string // "" if only two documents are compared
	added    []namedRecord
	removed  []string
	changed  []recordDiff
	same     int
}

type namedRecord struct {
	name   string
	record json.RawMessage
}

type recordDiff struct {
	name   string
	fields []fieldChange // the fields of the record, for JSON
	leaves []leafChange  // the values inside of it, for people
}

func (c *changeSet) empty() bool { return len(c.added)+len(c.removed)+len(c.changed) == 0 }

// count returns the numbers of changes, without those that are 0.
func (c *changeSet) count() string {
	var out []string
	for _, part := range []struct {
		n    int
		what string
	}{{len(c.added), "added"}, {len(c.removed), "removed"}, {len(c.changed), "changed"}, {c.same, "the same"}} {
		if part.n > 0 {
			out = append(out, strconv.Itoa(part.n)+" "+part.what)
		}
	}
	return strings.Join(out, ", ")
}

// printChangeSet prints the changes. With stat, a changed record has the number of its values that differ.
func (a *app) printChangeSet(c *changeSet, stat bool) error {
	p := changePrinter{app: a, out: a.stdout}
	for _, added := range c.added {
		p.line(green, "+", added.name, recordText(added.record))
	}
	for _, name := range c.removed {
		p.line(red, "-", name, "")
	}
	for _, changed := range c.changed {
		if stat {
			p.line(yellow, "~", changed.name, plural(len(changed.leaves), "value"))
			continue
		}
		p.line(yellow, "~", changed.name, "")
		if a.flags.quiet {
			continue
		}
		for _, leaf := range changed.leaves {
			p.print("    " + printable(leaf.text()))
		}
	}
	return errors.Join(p.errs...)
}

// plural returns a number of things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

type changePrinter struct {
	app  *app
	out  io.Writer
	errs []error
}

func (p *changePrinter) print(line string) {
	_, err := fmt.Fprintln(p.out, line)
	p.errs = append(p.errs, err)
}

func (p *changePrinter) line(style, sign, name, about string) {
	if p.app.flags.quiet {
		p.print(printable(name))
		return
	}
	text := p.app.screen.paint(style, sign+" "+printable(name))
	if about != "" {
		text += "  " + printable(about)
	}
	p.print(text)
}
