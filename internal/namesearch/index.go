// Package namesearch finds names for the texts that people type. A text may differ from the name in letter case,
// punctuation and the order of the words, may be shortened, and may have typing errors.
//
// Any string is accepted as a name and as a query. The package uses no network, no disk and no clock.
package namesearch

// This file holds the index and the folding of names into words.

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Index finds names of a list. An Index is immutable and safe for concurrent use.
type Index struct {
	entries []entry
	words   []vocabulary // the different words of all names
}

// entry is a name of the list.
type entry struct {
	name  string
	text  string  // the folded words, joined
	start []int32 // the offset of each word in text
	words []int32 // the words, as indexes in Index.words
	model int     // the offset in text of the name without its author
	runes []rune  // text from model on
}

// vocabulary is a word that occurs in the names.
type vocabulary struct {
	text  string
	runes []rune
}

// New returns an index of the names.
func New(names []string) *Index {
	x := &Index{entries: make([]entry, 0, len(names))}
	places := make(map[string]int32, 2*len(names))
	for _, name := range names {
		f := fold(name)
		e := entry{
			name: name, text: f.text, start: f.start, model: f.model, words: make([]int32, len(f.start)),
			runes: []rune(f.text[f.model:]),
		}
		for i := range e.words {
			word := f.word(i)
			place, ok := places[word]
			if !ok {
				place = int32(len(x.words)) //nolint:gosec // fewer than 2³¹ words
				places[word] = place
				x.words = append(x.words, vocabulary{word, []rune(word)})
			}
			e.words[i] = place
		}
		x.entries = append(x.entries, e)
	}
	return x
}

// folded is a text split into words of letters and digits in lower case.
type folded struct {
	text  string  // the words joined; a point separates two digits of different words, so that "1.3" is not "13"
	start []int32 // the offset of each word
	end   []int32 // the end of each word
	model int     // the offset of the first word after the first slash, or 0
}

// fold returns the words of a text.
func fold(text string) folded {
	out := make([]byte, 0, len(text)+8)
	f := folded{}
	open, slash := false, -1
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			open = false
			if r == '/' && slash < 0 {
				slash = len(f.start)
			}
			continue
		}
		if !open {
			open = true
			if len(out) > 0 && isDigit(out[len(out)-1]) && isDigit(text[i]) {
				out = append(out, '.')
			}
			f.start = append(f.start, int32(len(out))) //nolint:gosec // fewer than 2³¹ bytes
			f.end = append(f.end, 0)
		}
		out = utf8.AppendRune(out, unicode.ToLower(r))
		f.end[len(f.end)-1] = int32(len(out)) //nolint:gosec // fewer than 2³¹ bytes
	}
	if slash > 0 && slash < len(f.start) {
		f.model = int(f.start[slash])
	}
	f.text = string(out)
	return f
}

// word returns a word of the text.
func (f *folded) word(i int) string { return f.text[f.start[i]:f.end[i]] }

func isDigit(c byte) bool { return c-'0' < 10 }

// sameDigits reports whether two texts have the same digits in the same order. If a digit differs, it is a different
// model and not a typing error.
func sameDigits(a, b []rune) bool {
	for {
		var x, y rune
		x, a = nextDigit(a)
		y, b = nextDigit(b)
		if x != y {
			return false
		}
		if x == 0 {
			return true
		}
	}
}

// nextDigit returns the first digit of a text and the text after it, or 0 if there is no digit.
func nextDigit(text []rune) (rune, []rune) {
	for i, r := range text {
		if unicode.IsDigit(r) {
			return r, text[i+1:]
		}
	}
	return 0, nil
}

// wordAt reports whether a word of the entry starts at an offset of its text, or ends there.
func (e *entry) wordAt(place int) (starts, ends bool) {
	ends = place == len(e.text)
	for i, start := range e.start {
		if int(start) == place {
			return true, true
		}
		// A point before the word is part of neither word.
		if i > 0 && int(start) == place+1 && strings.HasPrefix(e.text[place:], ".") {
			return false, true
		}
	}
	return false, ends
}
