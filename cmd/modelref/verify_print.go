// The results of verify as they become known: rows of a table, lines of JSON, or paths.

package main

import (
	"io"
	"strings"
)

// rowPrinter prints the results of verify.
type rowPrinter struct {
	app    *app
	flags  verifyFlags
	out    io.Writer
	table  *table // has no rows
	widths []int
	begun  bool            // the header was printed
	values []checkedFile   // for an array, which is printed at the end
	paths  map[string]bool // the paths that were printed
}

// unlimited is the width of a column that is never cut.
const unlimited = 1 << 20

// newPrinter returns a printer to out. The widths of the columns are chosen before the first row is known.
func (v *verification) newPrinter(out io.Writer) *rowPrinter {
	p := &rowPrinter{app: v.app, flags: v.flags, out: out, paths: map[string]bool{}, values: []checkedFile{}}
	p.table = newTable("STATE", "CATEGORY", "MODEL", "FILE")
	if v.app.screen.width == 0 {
		p.table.header = append(p.table.header, "REASON")
	}
	all := newTable(p.table.header...)
	add := func(row checkedFile) {
		row.State = fileNoChecksum
		all.rows = append(all.rows, p.cells(row))
	}
	for _, t := range v.targets {
		if state, _ := t.outcome(); !t.pending && state == fileMissing && !v.flags.wrong(state) {
			continue
		}
		for _, row := range t.rows {
			add(row)
		}
	}
	for _, row := range v.extra {
		add(row)
	}
	p.widths = all.widths(v.app.screen.noHeader)
	all.shrink(p.widths, v.app.screen.width)
	if v.app.screen.width == 0 {
		p.widths[len(p.widths)-1] = unlimited
	}
	return p
}

// cells returns the row of a file.
func (p *rowPrinter) cells(row checkedFile) []cell {
	path := row.Path
	if path == "" {
		path = row.File
	}
	styles := map[string]string{fileOK: green, fileNoChecksum: yellow, fileExtra: yellow}
	style, ok := styles[row.State]
	if !ok {
		style = red
	}
	cells := []cell{{text: row.State, style: style}, {text: string(row.Category)}, {text: row.Model}, {text: path}, {text: row.Reason}}
	return cells[:len(p.table.header)]
}

// print prints one result.
func (p *rowPrinter) print(row checkedFile) error {
	switch {
	case p.app.flags.jsonl:
		data, err := marshal(row)
		if err != nil {
			return err
		}
		return printLine(p.out, data)
	case p.app.flags.json:
		p.values = append(p.values, row)
		return nil
	case p.app.flags.quiet:
		return p.printPath(row)
	default:
		return p.printRow(row)
	}
}

// printPath prints the path of a wrong or extra file once. A path that must not be removed goes to standard error: an
// unsafe one, and one that records contradict each other about.
func (p *rowPrinter) printPath(row checkedFile) error {
	switch {
	case !p.flags.wrong(row.State) && row.State != fileExtra || row.Path != "" && p.paths[row.Path]:
		return nil
	case row.Path == "" || row.doubtful && row.State != fileMissing:
		p.app.errorf("%s: %s of %q: %s", row.State, row.File, row.Model, row.Reason)
		return nil
	}
	p.paths[row.Path] = true
	line := printable(row.Path) + "\n"
	if p.flags.null {
		line = row.Path + "\x00"
	}
	_, err := io.WriteString(p.out, line)
	return err
}

// printRow prints a row of the table, after the header if it is the first one. On a terminal the reason is on a line of
// its own.
func (p *rowPrinter) printRow(row checkedFile) error {
	s := p.app.screen
	s.noHeader = s.noHeader || p.begun
	p.begun = true
	one := newTable(p.table.header...)
	one.rows = [][]cell{p.cells(row)}
	if s.format != "" {
		return one.separated(p.out, s)
	}
	var text strings.Builder
	if !s.noHeader {
		header := make([]cell, len(one.header))
		for i, name := range one.header {
			header[i] = cell{text: name, style: bold}
		}
		one.line(&text, header, p.widths, s)
	}
	one.widths(s.noHeader) // makes the texts safe to print
	one.line(&text, one.rows[0], p.widths, s)
	if s.width > 0 && row.Reason != "" {
		text.WriteString("  " + printable(row.Reason) + "\n")
	}
	_, err := io.WriteString(p.out, text.String())
	return err
}

// end prints what can be printed only as a whole.
func (p *rowPrinter) end() error {
	if p.app.flags.json && !p.app.flags.jsonl {
		return printEach(p.app, p.values)
	}
	return nil
}
