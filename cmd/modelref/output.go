// How records are printed: as a table, as JSON, or by their names only.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// printRows prints records in the format that the flags select. If columns were chosen, JSON has only these columns.
func (a *app) printRows(rows []row, columns []field, chosen bool) error {
	if a.flags.quiet {
		return a.printNames(rows)
	}
	if !a.flags.json && !a.flags.jsonl {
		return a.printTable(rows, columns, chosen)
	}
	values := make([]json.RawMessage, len(rows))
	for i, r := range rows {
		var err error
		if chosen {
			values[i], err = pick(r, columns)
		} else {
			values[i], err = r.json()
		}
		if err != nil {
			return fmt.Errorf("%q as JSON: %w", r.name, err)
		}
	}
	return a.printValues(values)
}

// printTable prints records as a table. CSV and TSV have the values as they are; a table is for people.
func (a *app) printTable(rows []row, columns []field, chosen bool) error {
	t := rowTable(rows, columns, a.screen.format == "")
	if !chosen && a.screen.format == "" {
		t = t.withoutEmpty()
	}
	if len(rows) > 0 || a.screen.format != "" {
		if err := t.print(a.stdout, a.screen); err != nil {
			return err
		}
	}
	if a.screen.width == 0 || a.screen.format != "" {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "%d %s\n", len(rows), map[bool]string{true: "record", false: "records"}[len(rows) == 1])
	return err
}

func (a *app) printNames(rows []row) error {
	for _, r := range rows {
		if _, err := fmt.Fprintln(a.stdout, printable(r.name)); err != nil {
			return err
		}
	}
	return nil
}

// printValues prints an array, or a line for each value.
func (a *app) printValues(values []json.RawMessage) error {
	if a.flags.jsonl {
		for _, value := range values {
			if err := printLine(a.stdout, value); err != nil {
				return err
			}
		}
		return nil
	}
	if values == nil {
		values = []json.RawMessage{}
	}
	return a.printIndented(joinValues(values))
}

// joinValues makes an array without touching how the values are written.
func joinValues(values []json.RawMessage) []byte {
	parts := make([][]byte, len(values))
	for i, value := range values {
		parts[i] = value
	}
	return append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
}

// printJSON prints a value: in one line for --jsonl, else indented.
func (a *app) printJSON(value any) error {
	data, err := marshal(value)
	if err != nil {
		return err
	}
	if a.flags.jsonl {
		return printLine(a.stdout, data)
	}
	return a.printIndented(data)
}

// printIndented prints a value as indented JSON, or as YAML.
func (a *app) printIndented(value []byte) error {
	if a.flags.yaml {
		return printYAML(a.stdout, value)
	}
	return printIndented(a.stdout, value)
}

// marshal is json.Marshal that leaves < and & as they are.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSpace(out.Bytes()), err
}

func printLine(out io.Writer, value []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, value); err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err := out.Write(line.Bytes())
	return err
}

func printIndented(out io.Writer, value []byte) error {
	var text bytes.Buffer
	if err := json.Indent(&text, value, "", "  "); err != nil {
		return err
	}
	text.WriteByte('\n')
	_, err := out.Write(text.Bytes())
	return err
}

// pick returns an object of the chosen fields of a record, by their full names; null for one that is absent.
func pick(r row, columns []field) (json.RawMessage, error) {
	full, err := r.full()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, column := range columns {
		key, err := marshal(column.name)
		if err != nil {
			return nil, err
		}
		out.WriteByte("{,"[min(i, 1)])
		out.Write(key)
		out.WriteByte(':')
		out.Write(dig(full, strings.Split(column.name, ".")))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// dig returns the value at a path of names, or null.
func dig(object json.RawMessage, path []string) json.RawMessage {
	for _, name := range path {
		var fields map[string]json.RawMessage
		if json.Unmarshal(object, &fields) != nil || fields[name] == nil {
			return json.RawMessage("null")
		}
		object = fields[name]
	}
	return object
}

// rowTable lays out records under the names of the fields, with values for people or as they are.
func rowTable(rows []row, columns []field, people bool) *table {
	header := make([]string, len(columns))
	t := newTable(header...)
	for i, column := range columns {
		t.header[i] = strings.ToUpper(shortName(column.name))
		if !people {
			t.header[i] = column.name
		}
		if column.kind == modelref.KindInt {
			t.right(i)
		}
	}
	for _, r := range rows {
		texts := make([]string, len(columns))
		for i, column := range columns {
			texts[i] = strings.Join(r.text(column.name), ",")
			if people {
				texts[i] = shown(column, r.text(column.name))
			}
		}
		t.add(texts...)
		for i, column := range columns {
			switch {
			case column.name == "name":
				t.rows[len(t.rows)-1][i].link = r.homepage()
			case column.name == "nsfw" && texts[i] == "yes":
				t.rows[len(t.rows)-1][i].style = red
			}
		}
	}
	return t
}

// homepage returns the URL of the homepage of a record, or "".
func (r row) homepage() string {
	if r.text == nil {
		return ""
	}
	return strings.Join(r.text("homepage"), "")
}

// shortName returns what heads a column.
func shortName(name string) string {
	switch name {
	case "size_on_disk_bytes":
		return "size"
	case "record_type":
		return "category"
	default:
		return name
	}
}

// shown writes the values of a field for people.
func shown(f field, values []string) string {
	text := strings.Join(values, ", ")
	switch {
	case text == "":
		return ""
	case f.name == "size_on_disk_bytes":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return modelref.FormatSize(n)
		}
	case f.name == "parameters":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return modelref.FormatCount(n)
		}
	case f.kind == modelref.KindBool:
		return yesNo(text == "true")
	case f.kind == modelref.KindTime:
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC().Format(time.DateTime)
		}
	}
	return text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// ageText writes how old something is in the largest unit that there is one of.
func ageText(age time.Duration) string {
	switch age = max(age, 0); { // a clock may have been set back
	case age >= 24*time.Hour:
		return strconv.FormatInt(int64(age/(24*time.Hour)), 10) + "d"
	case age >= time.Hour:
		return strconv.FormatInt(int64(age/time.Hour), 10) + "h"
	case age >= time.Minute:
		return strconv.FormatInt(int64(age/time.Minute), 10) + "m"
	default:
		return strconv.FormatInt(int64(age/time.Second), 10) + "s"
	}
}

// remark reports data that may be out of date or incomplete.
func (a *app) remark(from *about) {
	if from == nil {
		return
	}
	if from.ref.Stale() {
		a.remarkOnStale(from)
	} else if from.ref.Source() == modelref.SourceGitHub {
		a.notef("%s is from GitHub, converted: the PRIMARY was not asked or did not answer", from.category)
	}
	for _, rejected := range from.ref.Rejected() {
		a.notef("%s: left out: %s", from.category, rejected.Error())
	}
}

// remarkOnStale reports why a copy was used.
func (a *app) remarkOnStale(from *about) {
	what := fmt.Sprintf("%s is from %s and may be behind", from.category, originText(from.ref.Source()))
	if at := from.ref.ConfirmedAt(); !at.IsZero() {
		what = fmt.Sprintf("%s is from %s, %s old, and may be behind", from.category, originText(from.ref.Source()), ageText(time.Since(at)))
	}
	attempts := a.sources.attempts(from.category)
	switch {
	case !a.sources.couldAsk(from.category):
		a.notef("%s: no source could be asked", what)
	case len(attempts) == 0:
		a.notef("%s: no source has confirmed it", what)
	default:
		a.notef("%s: no source answered with it", what)
	}
	for _, attempt := range attempts {
		a.noteLine("  " + attempt.String())
	}
}

// originText returns the name of an origin as people write it.
func originText(origin modelref.Source) string {
	switch origin {
	case modelref.SourcePrimary:
		return "the PRIMARY"
	case modelref.SourceGitHub:
		return "GitHub"
	case modelref.SourceDisk:
		return "the cache directory"
	default:
		return origin.String()
	}
}

// rawValues writes each value as JSON.
func rawValues[T any](values []T) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, len(values))
	for i, value := range values {
		data, err := marshal(value)
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}

// printEach prints values as an array, or each on a line.
func printEach[T any](a *app, values []T) error {
	raw, err := rawValues(values)
	if err != nil {
		return err
	}
	return a.printValues(raw)
}

// fileCount writes a number of files.
func fileCount(n int) string {
	if n == 1 {
		return "1 file"
	}
	return strconv.Itoa(n) + " files"
}
