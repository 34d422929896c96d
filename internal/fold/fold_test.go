// This file tests case-insensitive searches in ASCII and in other scripts.

package fold

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, part string
		want       bool
	}{
		{"Anime Model", "MODEL", true},
		{"Anime Model", "models", false},
		{"x", "", true},
		{"STRASSE", "ß", false},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"300 \u212A", "300 k", true},
		{"long \u017Fword", "LONG SWORD", true},
		{"aab", "ab", true},
		{"日本語", "本", true},
		{"a\xffb", "\xffB", true},
		{"", "a", false},
	} {
		assert.Equal(t, c.want, New(c.part).In(c.text), "%q in %q", c.part, c.text)
	}
}

func TestInDoesNotAllocate(t *testing.T) {
	needle, text := New("σίσυφος"), "ΣΊΣΥΦΟΣ"
	assert.Zero(t, testing.AllocsPerRun(10, func() { needle.In(text) }))
}
