package redact

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"
)

// A Secret is a text that nothing can print: not fmt, not encoding/json, and not the functions with which test libraries
// show differences, which follow pointers and ignore String methods. A nil Secret is no secret.
type Secret func() secretText

// A secretText is what a Secret returns to the methods of this package.
type secretText struct {
	text  string
	forms func() *regexp.Regexp
}

// NewSecret returns text as a Secret, or nil if text is empty.
func NewSecret(text string) Secret {
	if text == "" {
		return nil
	}
	value := secretText{text, sync.OnceValue(func() *regexp.Regexp { return formsOf(text) })}
	return func() secretText { return value }
}

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s == nil {
		return ""
	}
	return s().text
}

// Hide returns text with every occurrence of the secret replaced by "…". It recognizes the secret in any letter case, and
// with any of its characters escaped as in JSON or Go strings, in URLs, or in HTML, even if it was escaped several times.
func (s Secret) Hide(text string) string {
	if s == nil || text == "" {
		return text
	}
	return s().forms().ReplaceAllLiteralString(text, "…")
}

// Clean returns text without the secret and without the secrets of the URLs in it, see [URLs].
func (s Secret) Clean(text string) string { return s.Hide(URLs(text)) }

// formsOf returns an expression that matches all forms of a secret.
func formsOf(secret string) *regexp.Regexp {
	var out strings.Builder
	out.WriteString("(?i)")
	for _, r := range secret {
		out.WriteString("(?:" + strings.Join(formsOfRune(r), "|") + ")")
	}
	return regexp.MustCompile(out.String())
}

// htmlNames has the names of the characters that HTML escapes.
var htmlNames = map[rune]string{'&': "amp", '<': "lt", '>': "gt", '"': "quot", '\'': "apos"}

// formsOfRune returns expressions for the forms of one character, the longest ones first.
func formsOfRune(r rune) []string {
	const (
		backslashes = `\\+`
		percent     = `%(?:25)*`
		ampersand   = `&(?:amp;)*`
	)
	var forms []string
	var unicode, url strings.Builder
	for _, unit := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(&unicode, "%su%04x", backslashes, unit)
	}
	forms = append(forms, unicode.String(), backslashes+fmt.Sprintf("U%08x", r))
	for _, b := range []byte(string(r)) {
		fmt.Fprintf(&url, "%s%02x", percent, b)
	}
	forms = append(forms, url.String())
	forms = append(forms, ampersand+fmt.Sprintf("#0*%d;?", r), ampersand+fmt.Sprintf("#x0*%x;?", r))
	if name, ok := htmlNames[r]; ok {
		forms = append(forms, ampersand+name+";?")
	}
	if r < 0x100 {
		forms = append(forms, backslashes+fmt.Sprintf("x%02x", r))
	}
	switch r {
	case ' ':
		forms = append(forms, `\+`)
	case '\\':
		return append(forms, backslashes)
	case '"', '\'', '/':
		forms = append(forms, backslashes+regexp.QuoteMeta(string(r)))
	}
	return append(forms, regexp.QuoteMeta(string(r)))
}
