// Tables: columns that line up, and fit the screen if there is one.

package main

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

const (
	gap      = 2 // between columns
	ellipsis = "…"
	// narrowest is how far a column is cut for the others' sake.
	narrowest = 6
)

// cell is the text of one place in a table.
type cell struct {
	text  string
	style string
	link  string // the URL that the text leads to, or ""
}

// table is rows of cells below a header. Numbers are aligned to the right.
type table struct {
	header  []string
	numeric map[int]bool
	rows    [][]cell
}

func newTable(header ...string) *table { return &table{header: header, numeric: map[int]bool{}} }

// right makes a column one of numbers.
func (t *table) right(columns ...int) *table {
	for _, column := range columns {
		t.numeric[column] = true
	}
	return t
}

// add adds a row of plain text.
func (t *table) add(texts ...string) {
	row := make([]cell, len(texts))
	for i, text := range texts {
		row[i].text = text
	}
	t.rows = append(t.rows, row)
}

// print writes the table. If it is wider than the screen, the widest columns are cut.
func (t *table) print(out io.Writer, s screen) error {
	if s.format != "" {
		return t.separated(out, s)
	}
	widths := t.widths(s.noHeader)
	t.shrink(widths, s.width)
	var text strings.Builder
	header := make([]cell, len(t.header))
	for i, name := range t.header {
		header[i] = cell{text: name, style: bold}
	}
	rows := append([][]cell{header}, t.rows...)
	if s.noHeader {
		rows = t.rows
	}
	for _, row := range rows {
		t.line(&text, row, widths, s)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// printWrapped is print for a table of two columns whose second column has long texts. It breaks these texts between words
// and never cuts them.
func (t *table) printWrapped(out io.Writer, s screen) error {
	room := s.width - t.widths(s.noHeader)[0] - gap
	if s.format != "" || s.width <= 0 || room < narrowest {
		return t.print(out, screen{colours: s.colours, format: s.format, noHeader: s.noHeader})
	}
	wrapped := newTable(t.header...)
	for _, row := range t.rows {
		for i, line := range wrap(row[1].text, room) {
			name := row[0].text
			if i > 0 {
				name = ""
			}
			wrapped.add(name, line)
			if isURL(row[1].text) {
				wrapped.rows[len(wrapped.rows)-1][1].link = row[1].text
			}
		}
	}
	return wrapped.print(out, screen{colours: s.colours, links: s.links, noHeader: s.noHeader})
}

// wrap breaks a text between words into lines of at most a width. A word that is longer has its own line.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.SplitSeq(text, " ") {
		n := cells().StringWidth(word)
		if line != "" && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if line != "" {
			line += " "
			used++
		}
		line += word
		used += n
	}
	return append(lines, line)
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

// widths returns the width of each column's widest text, and makes all texts safe to show.
func (t *table) widths(noHeader bool) []int {
	widths := make([]int, len(t.header))
	for i, name := range t.header {
		if !noHeader {
			widths[i] = cells().StringWidth(name)
		}
	}
	for _, row := range t.rows {
		for i := range row {
			row[i].text = printable(row[i].text)
			widths[i] = max(widths[i], cells().StringWidth(row[i].text))
		}
	}
	return widths
}

// shrink makes the widest column narrower until all fit, as far as that goes. Columns that name what a row is about give
// way only if no other column can.
func (t *table) shrink(widths []int, screen int) {
	if screen <= 0 || len(widths) == 0 {
		return
	}
	total := gap * (len(widths) - 1)
	for _, width := range widths {
		total += width
	}
	for ; total > screen; total-- {
		widest := t.widest(widths, false, true)
		if widest < 0 {
			widest = t.widest(widths, false, false)
		}
		if widest < 0 {
			widest = t.widest(widths, true, false)
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// widest returns the widest column that can be cut, of the naming columns or of the others, or -1. If whole is true, the
// heading of a column is not cut.
func (t *table) widest(widths []int, naming, whole bool) int {
	found := -1
	for i, width := range widths {
		least := narrowest
		if whole {
			least = max(least, len(t.header[i]))
		}
		if width > least && (t.header[i] == "NAME" || t.header[i] == "MODEL") == naming && (found < 0 || width > widths[found]) {
			found = i
		}
	}
	return found
}

// fit returns a text for a column. A description is cut at its end, and a bar becomes shorter in proportion. Other texts
// are cut in their middle.
func (t *table) fit(column int, text string, width int) string {
	switch t.header[column] {
	case "":
		if full := cells().StringWidth(text); width < barWidth && full > 0 {
			return strings.Repeat("█", max(1, full*width/barWidth))
		}
	case "DESCRIPTION", "SUMMARY", "OTHER NAMES":
		if cells().StringWidth(text) > width {
			return cells().Truncate(text, width, ellipsis)
		}
	}
	return cut(text, width)
}

// cut shortens a text to a width by leaving out its middle, because both ends tell names apart.
func cut(text string, width int) string {
	full := cells().StringWidth(text)
	if full <= width {
		return text
	}
	if width <= 1 {
		return cells().Truncate(text, width, "")
	}
	right := (width - 1) / 2
	return cells().Truncate(text, width-1-right, "") + ellipsis + cells().TruncateLeft(text, full-right, "")
}

// withoutEmpty removes the columns without any text, except for the first.
func (t *table) withoutEmpty() *table {
	out := &table{numeric: map[int]bool{}, rows: make([][]cell, len(t.rows))}
	for i, name := range t.header {
		used := i == 0 || len(t.rows) == 0
		for _, row := range t.rows {
			used = used || row[i].text != ""
		}
		if !used {
			continue
		}
		out.numeric[len(out.header)] = t.numeric[i]
		out.header = append(out.header, name)
		for j, row := range t.rows {
			out.rows[j] = append(out.rows[j], row[i])
		}
	}
	return out
}

// line writes one row; no spaces follow its last text. A URL that its column has no room for has a line of its own below.
func (t *table) line(out *strings.Builder, row []cell, widths []int, s screen) {
	pending := 0
	var below []string
	for i, c := range row {
		if isURL(c.text) && cells().StringWidth(c.text) > widths[i] {
			below = append(below, c.text)
			c.text = ""
		}
		text := t.fit(i, c.text, widths[i])
		space := widths[i] - cells().StringWidth(text)
		if t.numeric[i] {
			pending += space
			space = 0
		}
		if text != "" {
			out.WriteString(strings.Repeat(" ", pending))
			out.WriteString(s.link(c.link, s.paint(c.style, text)))
			pending = 0
		}
		pending += space + gap
	}
	out.WriteByte('\n')
	for _, target := range below {
		out.WriteString(strings.Repeat(" ", gap) + s.link(target, target) + "\n")
	}
}

// cells measures text. It does not look at the locale, so that a script has the same output everywhere.
func cells() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }
