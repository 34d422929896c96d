// The progress bar, for people at a terminal and nobody else.

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	barWidth   = 30
	nameWidth  = 32
	redrawTime = 100 * time.Millisecond
)

// bar shows how far a file has been read. A bar without a writer shows nothing.
type bar struct {
	w           io.Writer
	name        string
	done, total int64
	drawn       time.Time
}

// newBar returns a bar on w where that is a terminal.
func newBar(w io.Writer) *bar {
	if !isTerminal(w) {
		return &bar{}
	}
	return &bar{w: w}
}

// isTerminal reports whether somebody may be watching w. A character device that is no terminal, as /dev/null, takes a
// bar without harm.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (b *bar) start(name string, total int64) {
	b.name, b.done, b.total = shorten(printable(name)), 0, total
	b.draw()
}

func (b *bar) add(n int) {
	b.done += int64(n)
	if time.Since(b.drawn) >= redrawTime {
		b.draw()
	}
}

// end takes the bar away, so that the line is free for what comes next.
func (b *bar) end() {
	if b.w != nil {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

func (b *bar) draw() {
	if b.w == nil {
		return
	}
	b.drawn = time.Now()
	part := 1.0
	if b.total > 0 {
		part = min(float64(b.done)/float64(b.total), 1) // the file may have grown since
	}
	full := int(part * barWidth)
	fmt.Fprintf(b.w, "\r\x1b[K%s [%s%s] %3.0f%% of %s", b.name, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		part*100, size(b.total))
}

// shorten keeps the end of a name, which tells more than its start.
func shorten(name string) string {
	runes := []rune(name)
	if len(runes) <= nameWidth {
		return name
	}
	return "…" + string(runes[len(runes)-nameWidth+1:])
}
