// The screen: how wide it is, whether it takes colours, and text that is safe to show on it.

package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// screen is what is known of standard output.
type screen struct {
	width   int // in columns; 0 where lines may have any length, as in a file
	colours bool

	format   string // formatCSV, formatTSV, or "" for a table
	noHeader bool
}

// screenOf asks the terminal, where out is one.
func screenOf(out io.Writer) screen {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return screen{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		width = columns
	}
	return screen{width: width, colours: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The styles of text on a screen with colours.
const (
	plain  = ""
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (s screen) paint(style, text string) string {
	if !s.colours || style == plain || text == "" {
		return text
	}
	return style + text + reset
}

// printable writes what would not show, or would steer the terminal, as an escape: names come from the network.
func printable(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if hidden(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func hidden(r rune) bool { return !unicode.IsPrint(r) && !unicode.In(r, unicode.Zs) }
