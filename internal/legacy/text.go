package legacy

// This file reads the CSV of the text repository: a row for each model, with a list in one cell and JSON in another.

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/haidra-org/modelref/internal/textname"
)

const textGeneration = "text_generation"

// sheet is the header of a CSV: where each column is.
type sheet map[string]int

// readText puts the records of a CSV into out. The error is for the file as a whole.
func readText(raw []byte, out *document) error {
	rows := newCSVReader(raw)
	header, err := readHeader(rows)
	if err != nil {
		return err
	}
	for {
		cells, err := rows.row()
		if errors.Is(err, io.EOF) {
			return nil
		}
		r := row{sheet: header, cells: cells}
		var rec *record
		if err == nil {
			rec, err = r.record()
		}
		if err != nil {
			out.reject(r.name(), fmt.Errorf("line %d: %w", rows.line, err))
		} else {
			out.put(rec.Name, rec)
		}
		if err := out.full(); err != nil {
			return err
		}
	}
}

// readHeader returns the columns. Of two with one name the later counts.
func readHeader(rows *csvReader) (sheet, error) {
	cells, err := rows.row()
	if err != nil {
		return nil, fmt.Errorf("no usable CSV header: %w", err)
	}
	columns := make(sheet, len(cells))
	for i, cell := range cells {
		columns[string(cell)] = i
	}
	for _, needed := range []string{"name", "parameters_bn"} {
		if _, ok := columns[needed]; !ok {
			return nil, fmt.Errorf("no usable CSV header: no column %s", needed)
		}
	}
	return columns, nil
}

// row is one line of the sheet.
type row struct {
	sheet sheet
	cells [][]byte
}

// cell returns what stands in a column, empty where the sheet has no such column or the row ends before it.
func (r *row) cell(column string) string {
	if at, ok := r.sheet[column]; ok && at < len(r.cells) {
		return string(r.cells[at])
	}
	return ""
}

// name returns the row's name, fit for a report.
func (r *row) name() string { return strings.ToValidUTF8(trim(r.cell("name")), "\ufffd") }

// record returns the v2 record of the row.
func (r *row) record() (*record, error) {
	name := r.name()
	if err := r.check(name); err != nil {
		return nil, err
	}
	parameters, err := parameterCount(r.cell("parameters_bn"))
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(r.cell("settings"))
	if err != nil {
		return nil, err
	}
	if textname.HasBackendPrefix(name) {
		return nil, ErrBackendPrefix
	}
	rec := &record{
		Name:           name,
		Description:    textOf(r.cell("description")),
		Version:        textOf(r.cell("version")),
		Baseline:       textOf(r.cell("baseline")),
		Parameters:     wholeOf(parameters),
		NSFW:           flagOf(strings.EqualFold(trim(r.cell("nsfw")), "true")),
		Style:          textOf(r.cell("style")),
		DisplayName:    textOf(r.cell("display_name")),
		URL:            textOf(r.cell("url")),
		Tags:           splitTags(r.cell("tags")),
		Settings:       settings,
		TextModelGroup: textOf(textname.Group(name)),
	}
	if format := r.cell("instruct_format"); format != "" {
		rec.InstructFormat = textOf(format)
	}
	return rec, nil
}

// check returns what makes the row unfit to be read at all.
func (r *row) check(name string) error {
	for _, cell := range r.cells {
		if !utf8.Valid(cell) {
			return errors.New("not UTF-8")
		}
	}
	if name == "" {
		return errors.New("no name")
	}
	// The columns after the tags may be left out. A row that ends before them is one that was cut off.
	if at, ok := r.sheet["tags"]; ok && at >= len(r.cells) {
		return fmt.Errorf("row ends after %d cells, before its tags", len(r.cells))
	}
	return nil
}

// parameterCount returns the parameters for a count in billions, 0 for a blank cell. It is cut off and not rounded,
// and 8.03 billion are 8029999999, because that is what the same number is in v2.
func parameterCount(billions string) (int64, error) {
	if trim(billions) == "" {
		return 0, nil
	}
	f, ok := floatText(billions)
	n, ok := truncated(f*1_000_000_000, ok)
	if !ok {
		return 0, fmt.Errorf("parameters_bn %.40q is not a number of billions", billions)
	}
	return n, nil
}

// splitTags returns the tags of a cell without the blank ones.
func splitTags(cell string) (tags texts) {
	for tag := range strings.SplitSeq(cell, ",") {
		if tag = trim(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// readSettings returns the object in a cell, unset for a blank cell or null.
func readSettings(cell string) (settings bag, err error) {
	cell = trim(cell)
	if cell == "" {
		return bag{}, nil
	}
	deep, err := (&scanner{text: []byte(cell)}).value()
	if err == nil && deep {
		err = errTooDeep
	}
	if err == nil {
		err = json.Unmarshal([]byte(cell), &settings, laterWins)
	}
	if err == nil {
		settings, err = settings.options()
	}
	if err != nil {
		return bag{}, fmt.Errorf("settings: %w", err)
	}
	return settings, nil
}
