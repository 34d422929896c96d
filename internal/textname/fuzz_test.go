package textname

// This file looks for names that break what holds for every name.

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

// checkBase holds that a base name has no loose separators, unless it is the whole name for want of anything else.
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

// checkNormalized holds that normalising is done once.
func checkNormalized(t *testing.T, n Name) {
	assert.Equal(t, n.Normalized, normalize(n.Normalized))
	assert.Equal(t, n.Normalized, strings.Trim(n.Normalized, "-_. "))
	assert.False(t, strings.ContainsAny(n.Normalized, "-. "))
	assert.NotContains(t, n.Normalized, "__")
}

// checkExtras holds that there is a leading version and a date at most, in this order.
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

// checkBackends holds that a model keeps its group under every name that a backend gives it.
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
