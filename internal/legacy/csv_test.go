package legacy

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readAll returns every row as strings. For an error, the row ends with the message.
func readAll(raw string) (rows [][]string, lines []int) {
	r := newCSVReader([]byte(raw))
	for {
		cells, err := r.row()
		if errors.Is(err, io.EOF) {
			return rows, lines
		}
		var row []string
		for _, cell := range cells {
			row = append(row, string(cell))
		}
		if err != nil {
			row = append(row, "ERR "+err.Error())
		}
		rows, lines = append(rows, row), append(lines, r.line)
	}
}

// TestCSVDialect expects the result of Python's csv module for each text, except for unclosed quotes.
func TestCSVDialect(t *testing.T) {
	t.Parallel()
	const unclosed = "ERR quoted cell is not closed"
	tests := map[string]struct {
		raw   string
		want  [][]string
		lines []int
	}{
		"plain":               {"a,b\nc,d\n", [][]string{{"a", "b"}, {"c", "d"}}, []int{1, 2}},
		"no last line end":    {"a\nb", [][]string{{"a"}, {"b"}}, []int{1, 2}},
		"last cell empty":     {"a,", [][]string{{"a", ""}}, []int{1}},
		"empty cells":         {",,\n", [][]string{{"", "", ""}}, []int{1}},
		"blank lines":         {"\n\r\na\n\n\nb\n", [][]string{{"a"}, {"b"}}, []int{3, 6}},
		"line ends":           {"a\rb\r\nc\n\rd", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, []int{1, 2, 3, 5}},
		"spaces are kept":     {" a , b\n \n", [][]string{{" a ", " b"}, {" "}}, []int{1, 2}},
		"quoted":              {"\"a,b\",\"\"\n\"\"\n", [][]string{{"a,b", ""}, {""}}, []int{1, 2}},
		"doubled quotes":      {`"""a""b"""`, [][]string{{`"a"b"`}}, []int{1}},
		"quoted line ends":    {"\"a\nb\r\nc\rd\",e\nf\n", [][]string{{"a\nb\r\nc\rd", "e"}, {"f"}}, []int{1, 5}},
		"quote in a cell":     {"a\"b\"\"c\",d", [][]string{{`a"b""c"`, "d"}}, []int{1}},
		"text after a quote":  {"\"a\"b\"c,\"d\" \n", [][]string{{`ab"c`, "d "}}, []int{1}},
		"unclosed":            {"a\nb,\"c\nd\ne\n", [][]string{{"a"}, {"b", unclosed}, {"d"}, {"e"}}, []int{1, 2, 3, 4}},
		"unclosed at the end": {`a,"`, [][]string{{"a", unclosed}}, []int{1}},
		"escaped to the end":  {`"a""`, [][]string{{unclosed}}, []int{1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, lines := readAll(test.raw)
			assert.Equal(t, test.want, rows)
			assert.Equal(t, test.lines, lines)
		})
	}
}

// TestCSVUnclosedQuotes reads a text in which every line starts a cell with an unclosed quote.
func TestCSVUnclosedQuotes(t *testing.T) {
	t.Parallel()
	const line = `a","b` + "\n"
	rows, lines := readAll(strings.Repeat(line, 2*maxRecordBytes/len(line)))
	require.Len(t, rows, maxReopened+1, "what is left is one bad row")
	assert.Equal(t, maxReopened+1, lines[maxReopened], "each is taken back to the line after its own")
}
