// Finding records by a name that a person typed, and the names that an error suggests.

package modelref

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/haidra-org/modelref/internal/namesearch"
	"github.com/haidra-org/modelref/internal/textname"
)

// MatchKind is how a name matches what was typed. The kinds are ordered, the best first.
type MatchKind uint8

// The kinds of match. In all but MatchExact, letter case and punctuation do not matter. An author ("Author/Model") may be
// left out.
const (
	// MatchNone is the kind of the zero NameMatch.
	MatchNone MatchKind = iota
	// MatchExact means that the text is the name.
	MatchExact
	// MatchFolded means that the text has the letters and digits of the name: "albedobase-xl 3.1" for "AlbedoBase XL 3.1".
	MatchFolded
	// MatchWords means that every word of the text is a word of the name, in any order: "nemo mistral" for
	// "mistralai/Mistral-Nemo-Instruct-2407".
	MatchWords
	// MatchPrefix means that every word of the text starts a word of the name: "dream inp" for "DreamShaper Inpainting".
	MatchPrefix
	// MatchSubstring means that every word of the text is a part of a word of the name: "shaper" for "DreamShaper XL".
	MatchSubstring
	// MatchTypo means that every word of the text, or the text as a whole, is that of the name with few typing errors:
	// "delibrate" for "Deliberate". Four characters may have one error, eight may have two. Digits must be the same.
	MatchTypo
)

// NameMatch is a record whose name matches what was typed.
type NameMatch[R Record] struct {
	// Category is the category of the record.
	Category Category
	// Name is the name of the record in its category, as Get accepts it.
	Name string
	// Record is the record. It is shared and read-only.
	Record *R
	// Kind is how the name matches.
	Kind MatchKind
	// Score orders matches; a higher one is better. It is between 0 and 1, and depends on the kind first, then on how much
	// of the name is matched. Compare scores of one version of this package only.
	Score float64

	whole bool // the text matches the whole name
	edits int  // typing errors, or 1 for a folded name with other punctuation
}

// NameMatches are the records whose names match what was typed, the best first.
type NameMatches[R Record] []NameMatch[R]

// Best returns the first match and true if it is the only one of its rank. It returns false if there is no match, or if the
// text is ambiguous: then the matches are the candidates. The rank is the kind of the match; a match of the whole name
// ranks before a match of a part of it, fewer typing errors rank before more, and the same punctuation ranks before another.
func (m NameMatches[R]) Best() (NameMatch[R], bool) {
	if len(m) == 0 {
		return NameMatch[R]{}, false
	}
	for _, other := range m[1:] {
		if other.compareRank(&m[0]) <= 0 {
			return NameMatch[R]{}, false
		}
	}
	return m[0], true
}

// compareRank returns a negative number if m ranks before other, and 0 if they have the same rank.
func (m *NameMatch[R]) compareRank(other *NameMatch[R]) int {
	if byKind := cmp.Compare(m.Kind, other.Kind); byKind != 0 {
		return byKind
	}
	if m.whole != other.whole {
		if m.whole {
			return -1
		}
		return 1
	}
	return cmp.Compare(m.edits, other.edits)
}

// Names returns the names of the matches, the best first.
func (m NameMatches[R]) Names() []string {
	out := make([]string, len(m))
	for i := range m {
		out[i] = m[i].Name
	}
	return out
}

// Find returns the records whose names match a text that a person typed, the best first. It returns nil if no name matches.
// See MatchKind for what matches. Names with typing errors are returned only if no name matches better than as
// MatchSubstring. The network is not touched.
//
// The first call for a reference builds an index, which the reference keeps. Find is safe for concurrent use.
func (r *Reference[R]) Find(text string) NameMatches[R] {
	if r == nil || r.data == nil {
		return nil
	}
	index, items := r.data.names.searcher(r.data.searchNames)
	var out NameMatches[R]
	for _, hit := range index.Find(text) {
		i := items[hit.Item]
		if slices.ContainsFunc(out, func(m NameMatch[R]) bool { return m.Record == &r.data.list[i] }) {
			continue // a record with two names matches once
		}
		out = append(out, NameMatch[R]{
			Category: r.category, Name: r.data.name(i), Record: &r.data.list[i],
			Kind: MatchKind(hit.Kind), Score: hit.Score, whole: hit.Whole, edits: hit.Edits,
		})
	}
	return out
}

// Find loads the category and returns the records whose names match a text that a person typed, the best first. See
// Reference.Find. It sends no request if the category was confirmed within the TTL. The errors are those of Load; it is not an error if no
// name matches.
func (s *Service[R]) Find(ctx context.Context, text string, options ...LoadOption) (NameMatches[R], error) {
	ref, err := s.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	return ref.Find(text), nil
}

// Find loads the category and returns the records whose names match a text that a person typed, the best first. See
// Reference.Find. It sends no request if the category was confirmed within the TTL. The errors are those of Load; it is not an error if no
// name matches.
func (r *CategoryReader) Find(ctx context.Context, text string, options ...LoadOption) (NameMatches[ModelRecord], error) {
	ref, err := r.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	return ref.Find(text), nil
}

// Find returns the records of the given categories, or of all if none is given, whose names match a text that a person
// typed, the best first. See Reference.Find. Matches with the same score are in the order of the categories. The categories
// are loaded concurrently, as their services load them; no request is sent for those that were confirmed within the TTL.
//
// If some categories cannot be loaded, Find returns the matches in the others and a *PartialError. It returns
// ErrUnknownCategory for a category that does not exist, and ErrClosed for a closed Client.
func (c *Client) Find(ctx context.Context, text string, categories ...Category) (NameMatches[ModelRecord], error) {
	if c == nil || c.config == nil || c.closed.Load() {
		return nil, errClosed
	}
	if len(categories) == 0 {
		categories = Categories()
	}
	readers := make([]*CategoryReader, len(categories))
	for i, category := range categories {
		reader, err := c.Category(string(category))
		if err != nil {
			return nil, err
		}
		readers[i] = reader
	}
	found, errs := make([]NameMatches[ModelRecord], len(readers)), make([]error, len(readers))
	var loads sync.WaitGroup
	for i, reader := range readers {
		loads.Go(func() { found[i], errs[i] = reader.Find(ctx, text) })
	}
	loads.Wait()
	out := withoutNeedlessTypos(slices.Concat(found...))
	slices.SortStableFunc(out, func(a, b NameMatch[ModelRecord]) int { return cmp.Compare(b.Score, a.Score) })
	return out, partialError(categories, errs)
}

// withoutNeedlessTypos removes the matches with typing errors if a name of another category matches better.
func withoutNeedlessTypos[R Record](matches NameMatches[R]) NameMatches[R] {
	better := func(m NameMatch[R]) bool { return m.Kind < MatchSubstring }
	if !slices.ContainsFunc(matches, better) {
		return matches
	}
	return slices.DeleteFunc(matches, func(m NameMatch[R]) bool { return m.Kind == MatchTypo })
}

// NotFoundError is returned if a category has no record with a name. It is ErrNotFound.
type NotFoundError struct {
	// Category is the category that was read.
	Category Category
	// Name is the name as it was given.
	Name string
	// Suggestions are the names in the category that the name may have been meant to be, the nearest first: three at most,
	// and none if no name is similar.
	Suggestions []string
}

// Error returns the category, the name and the suggestions.
func (e *NotFoundError) Error() string {
	text := "modelref: "
	if e.Category != "" {
		text += string(e.Category) + ": "
	}
	text += strconv.Quote(e.Name) + ": " + ErrNotFound.Error()
	if len(e.Suggestions) == 0 {
		return text
	}
	quoted := make([]string, len(e.Suggestions))
	for i, name := range e.Suggestions {
		quoted[i] = strconv.Quote(name)
	}
	return text + "; did you mean " + orList(quoted) + "?"
}

// Is reports whether target is ErrNotFound.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// orList joins texts as in "a, b or c".
func orList(texts []string) string {
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// maxSuggestions is the number of suggestions of a NotFoundError.
const maxSuggestions = 3

// notFound returns a NotFoundError for a name that the reference does not have.
func (r *Reference[R]) notFound(name string) error {
	return &NotFoundError{r.category, name, r.nearest(name, maxSuggestions)}
}

// nearest returns at most n names of records that the text may have been meant to be, the nearest first.
func (r *Reference[R]) nearest(text string, n int) []string {
	if r == nil || r.data == nil {
		return nil
	}
	index, items := r.data.names.searcher(r.data.searchNames)
	var out []string
	for _, hit := range index.Nearest(text, n+1) { // a record may have two names
		if name := r.data.name(items[hit]); len(out) < n && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// NearestNames returns at most n of the names that text may have been meant to be, the nearest first: what Reference.Find
// would find, or else names that differ little from the text or share most of its words. It returns nil if no name is
// similar. It is meant for "did you mean" messages about any names, such as those of categories or flags.
func NearestNames(text string, names []string, n int) []string {
	var out []string
	for _, i := range namesearch.New(names).Nearest(text, n) {
		out = append(out, names[i])
	}
	return out
}

// searchNames returns the names under which the records can be found, and the place of the record of each. A record can
// be found by its name in the document, and by the name that it states itself if that is another one.
func (d *records[R]) searchNames() (names []string, items []int) {
	names, items = make([]string, 0, len(d.list)), make([]int, 0, len(d.list))
	for i := range d.list {
		names, items = append(names, d.name(i)), append(items, i)
	}
	for i := range d.list {
		if own := d.common(&d.list[i]).Name; own != "" && own != d.name(i) {
			names, items = append(names, own), append(items, i)
		}
	}
	return names, items
}

// nameIndexes are indexes over the names of one reference. Each is built when it is first needed. Two callers may build one
// at the same time; both results are the same.
type nameIndexes struct {
	search  atomic.Pointer[searchIndex]
	resolve atomic.Pointer[textname.Index]
}

// searchIndex finds names, and knows the record of each.
type searchIndex struct {
	index *namesearch.Index
	items []int
}

func (x *nameIndexes) searcher(names func() ([]string, []int)) (index *namesearch.Index, items []int) {
	built := x.search.Load()
	if built == nil {
		all, items := names()
		built = &searchIndex{namesearch.New(all), items}
		x.search.Store(built)
	}
	return built.index, built.items
}

func (x *nameIndexes) resolver(names func() []string) *textname.Index {
	built := x.resolve.Load()
	if built == nil {
		built = textname.NewIndex(names())
		x.resolve.Store(built)
	}
	return built
}
