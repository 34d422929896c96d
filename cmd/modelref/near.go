// Names that a mistyped one comes near to.

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haidra-org/modelref"
)

// otherNames are what categories are called elsewhere, without what looseName drops.
var otherNames = map[string]modelref.Category{
	"stablediffusion":  modelref.CategoryImageGeneration, // its file on GitHub
	"textualinversion": modelref.CategoryTextualInversion,
}

// parseCategory is modelref.ParseCategory whose error says what may have been meant.
func parseCategory(name string) (modelref.Category, error) {
	category, err := modelref.ParseCategory(name)
	if near := nearCategories(name); err != nil && len(near) > 0 {
		return "", fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return category, err
}

// nearCategories returns the categories that a name may mean.
func nearCategories(name string) []string {
	loose := looseName(name)
	if category, ok := otherNames[loose]; ok {
		return []string{string(category)}
	}
	var out []string
	for _, category := range categoryNames() {
		if len(loose) > 2 && strings.HasPrefix(looseName(category), loose) {
			out = append(out, category)
		}
	}
	if len(out) > 0 {
		return out
	}
	return nearest(name, categoryNames())
}

// nearest returns the names with the fewest letters to change, of which short names have one and others two at most.
func nearest(name string, names []string) []string {
	loose := looseName(name)
	fewest := min(2, utf8.RuneCountInString(loose)/3)
	var out []string
	for _, candidate := range names {
		n := distance(loose, looseName(candidate))
		if n < fewest {
			out, fewest = nil, n
		}
		if n == fewest {
			out = append(out, candidate)
		}
	}
	return out
}

// looseName drops letter case and what stands between words.
func looseName(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// distance returns how many letters must be added, left out or replaced to make b of a.
func distance(a, b string) int {
	to := []rune(b)
	row := make([]int, len(to)+1) // from the letters of a so far to each start of b
	for j := range row {
		row[j] = j
	}
	for i, from := range []rune(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range to {
			replaced := corner
			if from != to[j] {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
