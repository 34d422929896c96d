package legacy

// This file cuts a CSV into rows and cells in the dialect of Python's csv module, for which the file is written. It
// differs from encoding/csv where a quote stands in the middle of a cell, where text follows a closing quote, in line
// ends inside quotes, which are kept as they are, and in a lone carriage return, which ends a row.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxReopened is how often an unclosed quote is taken back, after which the rest of the text is one bad row. Each costs
// a second look at up to maxRecordBytes, which a text made for it could otherwise ask for at every line.
const maxReopened = 16

var errUnclosedQuote = errors.New("a quote is not closed")

// csvReader reads rows from text. line is the number of the line on which the last row began.
type csvReader struct {
	text     []byte
	at       int
	line     int
	nextLine int
	reopened int
	cells    [][]byte
	unquoted []byte
}

func newCSVReader(text []byte) *csvReader {
	return &csvReader{text: text, nextLine: 1}
}

// row returns the cells of the next row that is not blank, valid until the next call, or io.EOF.
//
// Any other error is for one row, of which the cells before the bad one are returned. A quote that nothing closes would take every row that follows into its cell: that row
// is the bad one, and reading goes on with the line after the one on which it began.
func (r *csvReader) row() ([][]byte, error) {
	for r.at < len(r.text) && isLineEnd(r.text[r.at]) {
		r.passLines(r.at + 1)
	}
	r.line = r.nextLine
	if r.at == len(r.text) {
		return nil, io.EOF
	}
	end, err := r.scan()
	if err == nil {
		r.passLines(end)
		return r.cells, nil
	}
	r.reopened++
	end = len(r.text)
	if next := bytes.IndexAny(r.text[r.at:], "\r\n"); next >= 0 && r.reopened <= maxReopened {
		end = r.at + next
	}
	r.passLines(end)
	return r.cells, err
}

// scan cuts the row at r.at into r.cells and returns where it ends.
func (r *csvReader) scan() (end int, err error) {
	window := r.text[r.at:]
	cut := len(window) > maxRecordBytes
	if cut {
		window = window[:maxRecordBytes]
	}
	r.cells, r.unquoted = r.cells[:0], r.unquoted[:0]
	for at := 0; ; at++ {
		cell, next, closed := r.cell(window, at)
		if next == len(window) && cut {
			return 0, fmt.Errorf("row of more than %d bytes", maxRecordBytes)
		}
		if !closed {
			return 0, errUnclosedQuote
		}
		r.cells = append(r.cells, cell)
		at = next
		if at == len(window) || isLineEnd(window[at]) {
			return r.at + at, nil
		}
	}
}

// cell returns the cell at a place of a row and where the comma or line end after it is. closed is false where the
// row ends within quotes.
func (r *csvReader) cell(row []byte, at int) (cell []byte, next int, closed bool) {
	if at == len(row) || row[at] != '"' {
		next = at + plainLen(row[at:])
		return row[at:next], next, true
	}
	start := len(r.unquoted)
	at++
	for {
		quote := bytes.IndexByte(row[at:], '"')
		if quote < 0 {
			return nil, len(row), false
		}
		r.unquoted = append(r.unquoted, row[at:at+quote]...)
		at += quote + 1
		if at == len(row) || row[at] != '"' {
			break
		}
		r.unquoted = append(r.unquoted, '"')
		at++
	}
	next = at + plainLen(row[at:])
	r.unquoted = append(r.unquoted, row[at:next]...)
	return r.unquoted[start:], next, true
}

// passLines moves on to a place in the text, counting the lines up to there.
func (r *csvReader) passLines(to int) {
	for i := r.at; i < to; i++ {
		crlf := r.text[i] == '\r' && i+1 < len(r.text) && r.text[i+1] == '\n'
		if isLineEnd(r.text[i]) && !crlf {
			r.nextLine++
		}
	}
	r.at = to
}

// plainLen returns the length of what stands before the next comma or line end.
func plainLen(row []byte) int {
	for i, c := range row {
		if c == ',' || isLineEnd(c) {
			return i
		}
	}
	return len(row)
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }
