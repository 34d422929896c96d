package legacy

// This file cuts a CSV into rows and cells. It follows Python's csv module, because the file is written for that
// module. It differs from encoding/csv in four cases: a quote in the middle of a cell, text after a closing quote, line
// ends inside quotes (they are kept unchanged), and a lone carriage return (it ends a row).

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxReopened limits how often reading continues after the line of an unclosed quote. After that, the rest of the text
// is rejected as one row. Each unclosed quote costs a second pass over up to maxRecordBytes, and a hostile text could
// have one in every line.
const maxReopened = 16

var errUnclosedQuote = errors.New("quoted cell is not closed")

// A csvReader reads rows from text. line is the line number of the start of the last row.
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

// row returns the cells of the next row that is not blank. They are valid until the next call. It returns io.EOF after
// the last row.
//
// Any other error concerns one row. The cells before the invalid cell are returned with the error. An unclosed quote
// would include all following rows in its cell. Therefore only its row is rejected, and reading continues with the line
// after the start of that row.
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

// scan cuts the row at r.at into r.cells and returns the end of the row.
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
			return 0, fmt.Errorf("row must have at most %d bytes", maxRecordBytes)
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

// cell returns the cell at an offset of a row, and the offset of the comma or line end after the cell. closed is false
// if the row ends inside quotes.
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

// passLines moves to an offset of the text and counts the lines up to that offset.
func (r *csvReader) passLines(to int) {
	for i := r.at; i < to; i++ {
		crlf := r.text[i] == '\r' && i+1 < len(r.text) && r.text[i+1] == '\n'
		if isLineEnd(r.text[i]) && !crlf {
			r.nextLine++
		}
	}
	r.at = to
}

// plainLen returns the number of bytes before the next comma or line end.
func plainLen(row []byte) int {
	for i, c := range row {
		if c == ',' || isLineEnd(c) {
			return i
		}
	}
	return len(row)
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }
