// This file tests which licences an expression has and which licences satisfy it.

package spdx

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLicenses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"MIT":                             {"MIT"},
		" Apache-2.0  AND MIT ":           {"Apache-2.0", "MIT"},
		"MIT OR (MIT and Zlib)":           {"MIT", "Zlib"},
		"GPL-2.0+ WITH Some-exception":    {"GPL-2.0+"},
		"LicenseRef-own OR OpenRAIL++-M":  {"LicenseRef-own", "OpenRAIL++-M"},
		"DocumentRef-a:LicenseRef-b":      {"DocumentRef-a:LicenseRef-b"},
		"((MIT))":                         {"MIT"},
		"NOASSERTION":                     {"NOASSERTION"},
		"Zlib AND (MIT OR (0BSD OR ISC))": {"Zlib", "MIT", "0BSD", "ISC"},
	} {
		e, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, e.Licenses(), text)
	}
}

func TestInvalidExpressions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "AND", "MIT AND", "OR MIT", "MIT Zlib", "(MIT", "MIT)", "()", "MIT WITH", "MIT WITH OR", "MI_T", "MIT, Zlib",
		strings.Repeat("(", 100) + "MIT" + strings.Repeat(")", 100),
	} {
		_, err := Parse(text)
		assert.Error(t, err, text)
	}
}

func TestSatisfied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, have string
		want       bool
	}{
		{"MIT", "MIT", true},
		{"MIT", "Zlib", false},
		{"MIT AND Zlib", "MIT", false},
		{"MIT AND Zlib", "MIT Zlib", true},
		{"MIT OR Zlib", "Zlib", true},
		{"MIT OR Zlib AND ISC", "Zlib", false}, // AND binds more tightly
		{"MIT OR Zlib AND ISC", "MIT", true},
		{"(MIT OR Zlib) AND ISC", "MIT", false},
		{"(MIT OR Zlib) AND ISC", "MIT ISC", true},
	} {
		e, err := Parse(c.text)
		require.NoError(t, err)
		have := strings.Fields(c.have)
		assert.Equal(t, c.want, e.Satisfied(func(id string) bool { return slices.Contains(have, id) }), "%s with %s", c.text, c.have)
	}
}
