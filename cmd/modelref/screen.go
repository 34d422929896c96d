// The screen: how wide it is, whether it takes colours, and text that is safe to show on it.

package main

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// screen is what is known of standard output.
type screen struct {
	width   int // in columns; 0 if lines may have any length, as in a file
	colours bool
	// terminal reports whether standard output is a terminal, and links whether it shows hyperlinks.
	terminal, links bool

	format   string // formatCSV, formatTSV, or "" for a table
	noHeader bool
}

// screenOf asks the terminal, if out is a terminal.
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
	return screen{
		width: width, colours: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", terminal: true, links: showsLinks(),
	}
}

// showsLinks reports whether the environment is that of a terminal that is known to show hyperlinks.
func showsLinks() bool {
	if forced, ok := os.LookupEnv("FORCE_HYPERLINK"); ok {
		return forced != "0"
	}
	for _, name := range []string{"KITTY_WINDOW_ID", "WT_SESSION", "DOMTERM", "KONSOLE_VERSION"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	if version, err := strconv.Atoi(os.Getenv("VTE_VERSION")); err == nil && version >= 5000 {
		return true
	}
	return slices.Contains([]string{"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper"}, os.Getenv("TERM_PROGRAM"))
}

// link makes a text a hyperlink if the terminal shows hyperlinks. The URL comes from the network.
func (s screen) link(target, text string) string {
	isWeb := strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://")
	if !s.links || !isWeb || text == "" || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return text
	}
	return "\x1b]8;;" + target + "\x1b\\" + text + "\x1b]8;;\x1b\\"
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
