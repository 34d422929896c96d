// Package redact makes texts and errors fit to be shown: without secrets, on one line, and of bounded length.
package redact

import (
	"strconv"
	"strings"
)

// MaxText is the number of bytes after which Truncate cuts a text.
const MaxText = 512

// SingleLine makes text fit for one line of a log. It has no control characters and no repeated spaces, and only the title
// of an HTML page.
func SingleLine(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		return "the body is HTML" + titleOf(text)
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return IsControl(r) || r == ' '
	}), " ")
}

// titleOf returns ", titled" and the quoted title of an HTML page, or "" if it has none.
func titleOf(page string) string {
	lower := strings.ToLower(page)
	if len(lower) != len(page) {
		return ""
	}
	from := strings.Index(lower, "<title>")
	to := strings.Index(lower, "</title>")
	if from < 0 || to < from+len("<title>") {
		return ""
	}
	title := strings.TrimSpace(page[from+len("<title>") : to])
	if title == "" || title[0] == '<' {
		return ""
	}
	return ", titled " + strconv.Quote(SingleLine(title))
}

// Truncate returns text, cut after MaxText bytes.
func Truncate(text string) string {
	if len(text) <= MaxText {
		return text
	}
	return strings.ToValidUTF8(text[:MaxText], "") + "…"
}

// IsControl reports whether r is an ASCII control character.
func IsControl(r rune) bool { return r < ' ' || r == 0x7f }
