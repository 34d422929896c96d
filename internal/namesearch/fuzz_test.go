package namesearch

// This file searches for names and queries that violate the properties of all results.

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func FuzzFind(f *testing.F) {
	for _, seed := range [][2]string{
		{"Deliberate 3.0", "delibrate"}, {"Org/Model-7B", "7b model"}, {"", ""}, {"1.3.4", "13 4"}, {"\xff/\xe2", "\xff"}, {"a//b", "b"},
		{"日本語", "日本"}, {"İ", "i̇"}, {"/x", "x"}, {"x/", "X"}, {"٣3", "3"}, {"1", "1"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, query string) {
		x := New([]string{"Deliberate", name, "Org/Model-7B"})
		for _, text := range []string{name, query} {
			last := 2.0
			seen := map[int]bool{}
			for _, hit := range x.Find(text) {
				assert.False(t, seen[hit.Item], "each name once")
				seen[hit.Item] = true
				assert.NotEqual(t, None, hit.Kind)
				assert.LessOrEqual(t, hit.Score, last)
				assert.Greater(t, hit.Score, 0.0)
				assert.Equal(t, hit.Kind == Exact, hit.Score == 1)
				last = hit.Score
			}
			assert.LessOrEqual(t, len(x.Nearest(text, 2)), 2)
		}
		if len(fold(name).start) > 0 {
			hits := x.Find(name)
			assert.NotEmpty(t, hits)
			assert.LessOrEqual(t, hits[0].Kind, Folded, "a name finds itself")
		}
	})
}
