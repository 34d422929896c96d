package namesearch

// This file matches a query with every name and ranks the matches.

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind describes how a name matches a query.
type Kind uint8

// The kinds of matches, the best first. None means that a name does not match.
const (
	None      Kind = iota
	Exact          // the query is the name
	Folded         // the same letters and digits, with or without the author
	Words          // every word of the query is a word of the name
	Prefix         // every word of the query starts a word of the name
	Substring      // every word of the query is a part of a word of the name
	Typo           // every word of the query is a word of the name with a few typing errors
)

// Hit is a name that matches.
type Hit struct {
	// Item is the index of the name in the list.
	Item int
	// Kind describes how the name matches.
	Kind Kind
	// Score orders the hits. It is between 0 and 1, and 1 only for an exact match.
	Score float64
	// Whole reports whether the query matches the whole name and not only a part of it. The author is not counted.
	Whole bool
	// Edits is the number of typing errors for a [Typo]. For a [Folded] hit it is 1 if the punctuation differs, and 0
	// otherwise.
	Edits int
}

// Find returns the names that match the query, the best first. It considers typing errors only if no name has a better
// match than [Substring]. Names with the same score are in the order of the list.
func (x *Index) Find(query string) []Hit {
	query = strings.TrimSpace(query)
	q := newQuery(x, query)
	var out []Hit
	better := false
	for i := range x.entries {
		if hit := q.match(&x.entries[i]); hit.Kind != None {
			hit.Item = i
			out = append(out, hit)
			better = better || hit.Kind < Substring
		}
	}
	if !better {
		q.allowTypos()
		found := map[int]bool{}
		for _, hit := range out {
			found[hit.Item] = true
		}
		for i := range x.entries {
			if hit := q.matchTypos(&x.entries[i]); hit.Kind != None && !found[i] {
				hit.Item = i
				out = append(out, hit)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// query is a text that is compared with names.
type query struct {
	index *Index
	text  string
	folded
	runes []rune
	kinds [][]Kind // of each word of the query with each word of the index
}

func newQuery(x *Index, text string) *query {
	q := &query{index: x, text: text, folded: fold(text)}
	q.runes = []rune(q.folded.text)
	q.kinds = make([][]Kind, len(q.start))
	for i := range q.kinds {
		q.kinds[i] = make([]Kind, len(x.words))
		word := q.word(i)
		for j := range x.words {
			q.kinds[i][j] = compareWords(word, x.words[j].text)
		}
	}
	return q
}

// minSubstring is the minimum length in bytes of a text that is searched inside words.
const minSubstring = 3

// compareWords returns how a word of a query matches a word of a name, without typing errors.
func compareWords(word, of string) Kind {
	at := strings.Index(of, word)
	switch {
	case at < 0:
		return None
	case len(word) == len(of):
		return Words
	case at == 0:
		return Prefix
	case len(word) >= minSubstring:
		return Substring
	default:
		return None
	}
}

// allowTypos finds the words of the index that match a word of the query with typing errors.
func (q *query) allowTypos() {
	for i := range q.kinds {
		word := []rune(q.word(i))
		limit := maxTypos(len(word))
		for j := range q.index.words {
			of := q.index.words[j].runes
			if q.kinds[i][j] == None && limit > 0 && distance(word, of, limit) <= limit && sameDigits(word, of) {
				q.kinds[i][j] = Typo
			}
		}
	}
}

// match returns how the name matches without typing errors. Its Kind is None if it does not match.
func (q *query) match(e *entry) Hit {
	if q.text == e.name {
		return Hit{Kind: Exact, Score: 1, Whole: true}
	}
	if len(q.start) == 0 {
		return Hit{}
	}
	if q.folded.text == e.text || q.folded.text == e.text[e.model:] {
		if strings.EqualFold(q.text, e.name) || strings.EqualFold(q.text, e.name[strings.IndexByte(e.name, '/')+1:]) {
			return Hit{Kind: Folded, Score: 0.96, Whole: true}
		}
		return Hit{Kind: Folded, Score: 0.95, Whole: true, Edits: 1}
	}
	kind := q.matchWords(e)
	adjacent := q.matchRun(e)
	if adjacent != None && (kind == None || adjacent <= kind) {
		return Hit{Kind: adjacent, Score: q.score(adjacent, e) + 0.01}
	}
	return Hit{Kind: kind, Score: q.score(kind, e)}
}

// matchWords returns the worst match among the words of the query. Each word is compared with its best word of the
// name.
func (q *query) matchWords(e *entry) Kind {
	worst := None
	for _, kinds := range q.kinds {
		best := None
		for _, word := range e.words {
			if k := kinds[word]; k != None && (best == None || k < best) {
				best = k
			}
		}
		if best == None {
			return None
		}
		worst = max(worst, best)
	}
	return worst
}

// matchRun returns how the query matches the text of the name from any word on. It ignores the separators between the
// words.
func (q *query) matchRun(e *entry) Kind {
	best := None
	text := q.folded.text
	for from := 0; ; {
		at := strings.Index(e.text[from:], text)
		if at < 0 {
			return best
		}
		at += from
		from = at + 1
		starts, _ := e.wordAt(at)
		if !starts {
			if best == None && len(text) >= minSubstring {
				best = Substring
			}
			continue
		}
		if _, ends := e.wordAt(at + len(text)); ends {
			return Words
		}
		best = Prefix
	}
}

// matchTypos returns how the name matches with typing errors, as a whole or word by word.
func (q *query) matchTypos(e *entry) Hit {
	limit := maxTypos(len(q.runes))
	if limit == 0 {
		return Hit{}
	}
	length := float64(len(q.runes))
	if edits := distance(q.runes, e.runes, limit); edits <= limit && sameDigits(q.runes, e.runes) {
		return Hit{Kind: Typo, Score: 0.39 - 0.1*float64(edits)/length, Whole: true, Edits: edits}
	}
	if q.matchWords(e) == None {
		return Hit{}
	}
	edits := 0
	for i := range q.kinds {
		edits += q.editsOf(i, e)
	}
	return Hit{Kind: Typo, Score: q.score(Typo, e) - 0.1*float64(edits)/length, Edits: edits}
}

// editsOf returns the number of typing errors between a word of the query and its best word of the name.
func (q *query) editsOf(i int, e *entry) int {
	word := []rune(q.word(i))
	fewest := maxTypos(len(word))
	for _, place := range e.words {
		switch q.kinds[i][place] {
		case Words, Prefix, Substring:
			return 0
		case Typo:
			fewest = min(fewest, distance(word, q.index.words[place].runes, fewest))
		}
	}
	return fewest
}

// score returns the score of a match with a part of the name. The score is higher if the query covers more of the name.
func (q *query) score(kind Kind, e *entry) float64 {
	covered := min(1, float64(len(q.folded.text))/float64(max(1, len(e.text)-e.model)))
	switch kind {
	case Words:
		return 0.75 + 0.15*covered
	case Prefix:
		return 0.55 + 0.15*covered
	case Substring:
		return 0.4 + 0.1*covered
	case Typo:
		return 0.15 + 0.15*covered
	default:
		return 0
	}
}

// Nearest returns at most n names that are similar to the text, the best first. These are the results of [Index.Find].
// If Find returns no name, Nearest returns names that differ little from the text or have most of its words. It returns
// nil if no name is similar.
func (x *Index) Nearest(text string, n int) []int {
	hits := x.Find(text)
	if len(hits) == 0 {
		hits = x.similar(text)
	}
	var out []int
	for _, hit := range hits[:max(0, min(n, len(hits)))] {
		out = append(out, hit.Item)
	}
	return out
}

// similar returns the names that differ from the text in at most a third of their characters, or that have at least
// half of its words. The best name is first.
func (x *Index) similar(text string) []Hit {
	q := newQuery(x, strings.TrimSpace(text))
	if len(q.runes) < minSubstring {
		return nil
	}
	q.allowTypos()
	limit := min(len(q.runes)/3, 8)
	var out []Hit
	for i := range x.entries {
		e := &x.entries[i]
		score := q.shared(e)
		if edits := distance(q.runes, e.runes, limit); edits <= limit {
			score = max(score, 1-float64(edits)/float64(len(q.runes)))
		}
		if score > 0 {
			out = append(out, Hit{Item: i, Kind: Typo, Score: score})
		}
	}
	slices.SortStableFunc(out, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// shared returns the fraction of the query's letters in words that the name has, too. It returns 0 if the fraction is
// less than a half. The result is lower for a long name: of two names with the same words, the shorter name is better.
func (q *query) shared(e *entry) float64 {
	letters, matched := 0, 0
	for i, kinds := range q.kinds {
		n := utf8.RuneCountInString(q.word(i))
		letters += n
		for _, word := range e.words {
			if k := kinds[word]; k == Words || k == Typo || k == Prefix && n >= minSubstring {
				matched += n
				break
			}
		}
	}
	if letters == 0 || 2*matched < letters {
		return 0
	}
	covered := min(1, float64(matched)/float64(max(1, len(e.runes))))
	return 0.8*float64(matched)/float64(letters) + 0.1*covered
}
