// What a terminal shows: tables that fit, colours, and nothing that steers it.

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/assert"
)

func splitLines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

func TestTablesFitTheScreen(t *testing.T) {
	t.Parallel()
	for _, width := range []int{20, 40, 60, 80, 200} {
		got := onScreen(screen{width: width}, "query", "--limit", "12")
		for _, line := range splitLines(got.out) {
			if width >= 40 { // below that there is no room for four columns
				assert.LessOrEqual(t, runewidth.StringWidth(line), width, line)
			}
			assert.Equal(t, strings.TrimRight(line, " "), line, "nothing trails")
		}
	}
}

func TestTheWidestColumnIsCut(t *testing.T) {
	t.Parallel()
	table := newTable("A", "N", "B").right(1)
	table.add("short", "12", "a rather long text")
	table.add("日本語のモデル", "3", "x")
	var wide, narrow bytes.Buffer
	assert.NoError(t, table.print(&wide, screen{}))
	assert.Equal(t, "A                N  B\nshort           12  a rather long text\n日本語のモデル   3  x\n", wide.String())
	assert.NoError(t, table.print(&narrow, screen{width: 28}))
	assert.Equal(t, "A             N  B\nshort        12  a rat… text\n日本… デル    3  x\n", narrow.String())
}

func TestColoursAreForScreensAlone(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, demo(t, "status").out, "\x1b")
	assert.NotContains(t, onScreen(screen{width: 80}, "status").out, "\x1b")
	got := onScreen(screen{width: 80, colours: true}, "status", "clip")
	assert.Contains(t, got.out, bold+"SOURCE"+reset)
	assert.Contains(t, got.out, green+"ok"+reset)
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "日本 é": "日本 é", "a\x1b[31mb": `a\x1b[31mb`, "line\nbreak": `line\nbreak`,
		"\u202eright": `\u202eright`, "\u009b": `\u009b`, "no\u00a0break": "no\u00a0break",
	} {
		assert.Equal(t, want, printable(in))
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 60 * time.Second: "1m", 119 * time.Minute: "1h", 47 * time.Hour: "1d",
		400 * 24 * time.Hour: "400d",
	} {
		assert.Equal(t, want, ageText(age))
	}
}
