package textname

// This file folds a name into words, so that different spellings of one name become equal. It also finds the offsets at
// which the markers at the end of a name can be cut off.

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a run of characters without a separator.
type word struct {
	start, end int  // offsets in the name
	keyEnd     int  // offset in the key
	separator  byte // before the word: '/', '.', '-' for all others, 0 if there is none
}

// folded is a name as words in lower case. In the key, the words are joined by "-". Slashes and decimal points are
// kept: "model-2.7b" and "model-2-7b" are different models.
type folded struct {
	name  string
	key   string
	words []word
}

// foldName returns the words of a name.
func foldName(name string) folded {
	f := folded{name: name}
	key := make([]byte, 0, len(name)+8)
	separator := byte(0)
	open := false
	for next := 0; next < len(name); {
		at := next
		r, width := utf8.DecodeRuneInString(name[at:])
		next += width
		if s := separatorOf(r); s != 0 {
			open = false
			switch {
			case len(f.words) == 0: // a leading separator has no meaning
			case separator == 0:
				separator = s
			case s == '/':
				separator = '/'
			case separator != '/':
				separator = '-' // "._" is not a decimal point
			}
			continue
		}
		if !open {
			open = true
			f.words = append(f.words, word{start: at, separator: separator})
			switch {
			case separator == 0:
			case separator == '/', separator == '.' && isDigitByte(key[len(key)-1]) && isDigitByte(name[at]):
				key = append(key, separator)
			default:
				key = append(key, '-')
			}
			separator = 0
		}
		key = utf8.AppendRune(key, unicode.ToLower(r))
		last := &f.words[len(f.words)-1]
		last.end, last.keyEnd = next, len(key)
	}
	f.key = string(key)
	return f
}

// separatorOf returns the kind of separator that a character is, or 0 if the character belongs to a word.
func separatorOf(r rune) byte {
	switch r {
	case '/', '.':
		return byte(r)
	case '-', '_', ' ', ':', ',', '(', ')', '[', ']', '{', '}', '@', '\t', '\u00a0':
		return '-'
	}
	return 0
}

// text returns a word in lower case.
func (f *folded) text(i int) string {
	start := 0
	if i > 0 {
		start = f.words[i-1].keyEnd + 1
	}
	return f.key[start:f.words[i].keyEnd]
}

// prefix returns the key of the first n words, and the corresponding part of the name.
func (f *folded) prefix(n int) (key, name string) {
	return f.key[:f.words[n-1].keyEnd], f.name[:f.words[n-1].end]
}

// cuts reports, for each number of words, whether all words after them are markers and at least one of these markers is
// strong. The whole name is always a cut.
func (f *folded) cuts() []bool {
	n := len(f.words)
	texts := make([]string, n)
	for i := range texts {
		texts[i] = f.text(i)
	}
	tail := make([]strength, n+1) // of the words from i on; weak if all are markers but no marker is strong
	tail[n] = weak
	out := make([]bool, n+1)
	out[n] = true
	for i := n - 1; i > 0 && n-i <= maxTailWords; i-- {
		for k := i + 1; k <= min(n, i+maxMarkerWords); k++ {
			if tail[k] == notMarker {
				continue
			}
			if kind := classify(texts[i:k], f.words[i].separator); kind != notMarker {
				tail[i] = max(tail[i], kind, tail[k])
			}
		}
		if f.words[i].separator == '/' {
			break // the words after a slash are never only markers
		}
		out[i] = tail[i] == strong && !f.insideNumber(i, texts)
	}
	return out
}

// maxTailWords is the number of words at the end of a name that may be markers.
const maxTailWords = 24

// insideNumber reports whether the word is the fraction of a decimal number that starts in the word before it.
func (f *folded) insideNumber(i int, texts []string) bool {
	before := texts[i-1]
	return f.words[i].separator == '.' && isDigitByte(before[len(before)-1]) && isDigitByte(texts[i][0])
}

// onlyFormat reports whether the words from i on say that the weights are not quantized, or in the format of a library.
func (f *folded) onlyFormat(i int) bool {
	for ; i < len(f.words); i++ {
		switch f.text(i) {
		case "hf", "fp16", "bf16", "f16":
		default:
			return false
		}
	}
	return true
}

// author returns the number of words before the first slash, or 0 if there is no slash.
func (f *folded) author() int {
	for i := range f.words {
		if f.words[i].separator == '/' {
			return i
		}
	}
	return 0
}

// joined returns a key in which slashes are separators like all others.
func joined(key string) string { return strings.ReplaceAll(key, "/", "-") }
