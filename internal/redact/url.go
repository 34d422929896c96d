package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// URL returns a URL without its user info, its fragment and the values of its query. It returns "" for nil.
func URL(u *url.URL) string {
	if u == nil {
		return ""
	}
	clean := *u
	clean.User = nil
	if clean.Opaque != "" {
		clean.Opaque = "…" // "user:secret@host" is parsed as a scheme and an opaque part
	}
	clean.Fragment, clean.RawFragment = "", ""
	if clean.RawQuery != "" {
		names := make([]string, 0, 4)
		for pair := range strings.SplitSeq(clean.RawQuery, "&") {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, name+"=…")
		}
		clean.RawQuery = strings.Join(names, "&")
	}
	return strings.ReplaceAll(clean.String(), "%E2%80%A6", "…") // a path may have been redacted before
}

// urlText matches a URL in a text.
var urlText = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"<>`]+")

// URLs returns text with each URL in it as [URL] returns it. A URL that cannot be parsed becomes its scheme and "…".
func URLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urlText.ReplaceAllStringFunc(text, func(found string) string {
		raw := strings.TrimRight(found, `:;,.!?'\)]}`)
		u, err := url.Parse(raw)
		switch {
		case err != nil:
			scheme, _, _ := strings.Cut(raw, "://")
			return scheme + "://…" + found[len(raw):]
		case u.User == nil && u.RawQuery == "" && u.Fragment == "":
			return found
		}
		return URL(u) + found[len(raw):]
	})
}

// quoted matches a quoted part of a text, with escapes.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// Text returns the text of an error of url.Parse without the parts of the URL that it quotes.
func Text(text string) string {
	return strings.TrimPrefix(quoted.ReplaceAllLiteralString(text, `"…"`), `parse "…": `)
}
