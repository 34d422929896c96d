package legacy

// This file reads the CSV of the text repository. It has a row for each model. Some cells have a list or JSON.

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/textname"
)

const textGeneration = "text_generation"

// sheet is the header of a CSV. It maps the name of a column to its index.
type sheet map[string]int

// readText adds the records of a CSV to out. It returns an error if the file as a whole is invalid.
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

// readHeader returns the columns. If two columns have the same name, the later column counts.
func readHeader(rows *csvReader) (sheet, error) {
	cells, err := rows.row()
	if err != nil {
		return nil, fmt.Errorf("invalid CSV header: %w", err)
	}
	columns := make(sheet, len(cells))
	for i, cell := range cells {
		columns[string(cell)] = i
	}
	for _, needed := range []string{"name", "parameters_bn"} {
		if _, ok := columns[needed]; !ok {
			return nil, fmt.Errorf("invalid CSV header: column %s is missing", needed)
		}
	}
	return columns, nil
}

// row is one row of the sheet.
type row struct {
	sheet sheet
	cells [][]byte
}

// cell returns the cell of a column. If the sheet has no such column or the row ends before it, the cell is empty.
func (r *row) cell(column string) string {
	if at, ok := r.sheet[column]; ok && at < len(r.cells) {
		return string(r.cells[at])
	}
	return ""
}

// name returns the name of the row as valid UTF-8.
func (r *row) name() string { return strings.ToValidUTF8(jsondoc.TrimSpace(r.cell("name")), "\ufffd") }

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
		NSFW:           flagOf(strings.EqualFold(jsondoc.TrimSpace(r.cell("nsfw")), "true")),
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
	return rec, r.blocks(rec)
}

// blocks reads the cells that contain JSON objects.
func (r *row) blocks(rec *record) (err error) {
	if rec.ContextWindow, err = r.block("context_window"); err != nil {
		return err
	}
	if rec.InteractionModes, err = r.block("interaction_modes"); err != nil {
		return err
	}
	rec.Capabilities, err = r.block("capabilities")
	return err
}

// check returns an error if the row is not UTF-8, has no name, or is truncated.
func (r *row) check(name string) error {
	for _, cell := range r.cells {
		if !utf8.Valid(cell) {
			return errors.New("must be UTF-8")
		}
	}
	if name == "" {
		return errors.New("name is missing")
	}
	// The columns after the tags are optional. A row that ends before the tags is truncated.
	if at, ok := r.sheet["tags"]; ok && at >= len(r.cells) {
		return fmt.Errorf("row must have tags, but ends after %d cells", len(r.cells))
	}
	return nil
}

// parameterCount converts a count in billions. It returns 0 if the cell is blank. As in v2, the result is truncated and
// not rounded: 8.03 billion is 8029999999.
func parameterCount(billions string) (int64, error) {
	if jsondoc.TrimSpace(billions) == "" {
		return 0, nil
	}
	f, ok := jsondoc.FloatText(billions)
	n, ok := truncated(f*1_000_000_000, ok)
	if !ok {
		return 0, fmt.Errorf("parameters_bn must be a number of billions, got %.40q", billions)
	}
	return n, nil
}

// splitTags returns the tags of a cell. Blank tags are dropped.
func splitTags(cell string) (tags texts) {
	for tag := range strings.SplitSeq(cell, ",") {
		if tag = jsondoc.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// readSettings returns the object in a cell. The result is unset if the cell is blank or null.
func readSettings(cell string) (settings bag, err error) {
	cell = jsondoc.TrimSpace(cell)
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
