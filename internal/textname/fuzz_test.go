package textname

// This file searches for names that violate the properties of all names.

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "-", "/", "7B", "Harbour/Lantern-7B-Instruct-v0.2-Q4_K_M", "4.2.0-Lantern_8x7B_2024-03", "8x22b", "7B12x",
		"aphrodite/Harbour/Lantern", "koboldcpp/Lantern-2407", "aphrodite/koboldcpp/", "v1.2.3b", "v٣٤x", "\xff-08-2024",
		"İNT8-ſ-\u212A-ΑΣ", "A\xe2\x82-é", "Lantern-v23B.4", "a--b__c", "search?#%&+",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n := Parse(name)
		assert.Equal(t, name, n.Original)
		assert.Equal(t, n, Parse(name))
		assert.Equal(t, n.Base, Base(name))
		assert.Equal(t, n.Quant != "", IsQuantized(name))
		checkBase(t, n)
		checkNormalized(t, n)
		checkExtras(t, n)
		checkBackends(t, name)
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range spellings() {
		f.Add(s.of("Harbour/Lantern-7B"), "Harbour/Lantern-7B")
	}
	f.Add("a/\xff-\u212A", "\xe2\x82/K")
	f.Fuzz(func(t *testing.T, reported, name string) {
		x := NewIndex([]string{"Harbour/Lantern-7B", name})
		i, ok := x.Resolve(reported)
		assert.True(t, !ok || i == 0 || i == 1)
		if len(foldName(Model(reported)).words) == 0 {
			assert.False(t, ok, "nothing names a model")
		}
		Model(name)
		f := foldName(name)
		for k := range f.words {
			assert.Equal(t, f.text(k), strings.Trim(f.text(k), "-/"))
		}
	})
}

// checkBase checks that a base name has no separators at its ends and no repeated separators. If nothing else is left,
// the base name is the whole name.
func checkBase(t *testing.T, n Name) {
	if n.Base == n.Original {
		return
	}
	require.NotEmpty(t, n.Base)
	assert.Less(t, len(n.Base), len(n.Original))
	assert.Equal(t, n.Base, strings.Trim(n.Base, "-_. "))
	for _, double := range []string{"--", "__", "..", "  "} {
		assert.NotContains(t, n.Base, double)
	}
}

// checkNormalized checks that normalizing a normalized name does not change it.
func checkNormalized(t *testing.T, n Name) {
	assert.Equal(t, n.Normalized, normalize(n.Normalized))
	assert.Equal(t, n.Normalized, strings.Trim(n.Normalized, "-_. "))
	assert.False(t, strings.ContainsAny(n.Normalized, "-. "))
	assert.NotContains(t, n.Normalized, "__")
}

// checkExtras checks that there are at most a leading version and a date, in this order.
func checkExtras(t *testing.T, n Name) {
	for i, e := range n.Extras {
		require.NotEmpty(t, e.Value)
		assert.LessOrEqual(t, e.Position, len(n.Original))
		if e.Type == TypeLeadingVersion {
			assert.Zero(t, i)
			assert.Zero(t, e.Position)
			assert.True(t, strings.HasPrefix(n.Original, e.Value))
			continue
		}
		assert.Equal(t, TypeDate, e.Type)
		assert.Equal(t, len(n.Extras)-1, i)
	}
}

// checkBackends checks that a model has the same group under the names of all backends.
func checkBackends(t *testing.T, name string) {
	stripped := StripBackendPrefix(name)
	assert.Equal(t, HasBackendPrefix(name), stripped != name)
	assert.True(t, strings.HasSuffix(name, stripped))
	variants := BackendVariants(name)
	assert.Equal(t, name, variants[0])
	assert.Equal(t, name, StripBackendPrefix(variants[1]))
	if stripped != name {
		assert.Equal(t, Base(withoutAuthor(stripped)), Group(name))
		return
	}
	require.Len(t, variants, 3)
	assert.Equal(t, Group(name), Group(variants[1]))
	if !strings.Contains(withoutAuthor(name), "/") {
		assert.Equal(t, Group(name), Group(variants[2]))
	}
}
