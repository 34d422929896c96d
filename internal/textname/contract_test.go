package textname

// This file compares the package with the service's parse of the same names, and with the groups that the service
// publishes.

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// corpusFile reads a JSON file of the recorded data. If the data is not on this machine, it skips the test.
func corpusFile(tb testing.TB, into any, path ...string) {
	tb.Helper()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		tb.Skip("MODELREF_CORPUS must be the directory of the recorded names")
	}
	raw, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
	require.NoError(tb, err, "MODELREF_CORPUS is set and has to have every file")
	require.NoError(tb, json.Unmarshal(raw, into))
}

// vector is the recorded result of one name.
type vector struct {
	Name       string   `json:"name"`
	Base       string   `json:"base_name"`
	Size       *string  `json:"size"`
	Variant    *string  `json:"variant"`
	Quant      *string  `json:"quant"`
	Version    *string  `json:"version"`
	Normalized string   `json:"normalized_name"`
	Extras     []extra  `json:"extras"`
	Group      string   `json:"group"`
	Quantized  bool     `json:"quantized"`
	Prefixed   bool     `json:"has_backend_prefix"`
	Stripped   string   `json:"stripped"`
	Variants   []string `json:"variants"`
}

type extra struct {
	Value    string `json:"value"`
	Position int    `json:"position"`
	Type     string `json:"type"`
}

// vectorOf returns the result of this package for a name, in the form of the recorded results.
func vectorOf(name string) vector {
	orNull := func(part string) *string {
		if part == "" {
			return nil
		}
		return &part
	}
	n := Parse(name)
	v := vector{
		Name: n.Original, Base: n.Base, Size: orNull(n.Size), Variant: orNull(n.Variant), Quant: orNull(n.Quant),
		Version: orNull(n.Version), Normalized: n.Normalized, Extras: []extra{}, Group: Group(name),
		Quantized: IsQuantized(name), Prefixed: HasBackendPrefix(name), Stripped: StripBackendPrefix(name),
		Variants: BackendVariants(name),
	}
	for _, e := range n.Extras {
		v.Extras = append(v.Extras, extra(e))
	}
	return v
}

func TestContractNames(t *testing.T) {
	t.Parallel()
	var vectors []vector
	corpusFile(t, &vectors, "text_names.json")
	require.Len(t, vectors, 635)
	agreeing := 0
	for _, want := range vectors {
		if assert.Equal(t, want, vectorOf(want.Name), "name %q", want.Name) {
			agreeing++
		}
		assert.Equal(t, want.Base, Base(want.Name), "base of %q", want.Name)
	}
	t.Logf("%d of %d names agree in every field", agreeing, len(vectors))
}

func TestContractGroups(t *testing.T) {
	t.Parallel()
	for path, least := range map[string]int{
		"primary/real/text_generation.json":         719,
		"github/real.expected/text_generation.json": 1,
		"github/edge.expected/text_generation.json": 1,
	} {
		var records map[string]struct {
			Group *string `json:"text_model_group"`
		}
		corpusFile(t, &records, filepath.FromSlash(path))
		groups := 0
		for name, record := range records {
			if record.Group != nil {
				groups++
				assert.Equal(t, *record.Group, Group(name), "%s: group of %q", path, name)
			}
		}
		assert.GreaterOrEqual(t, groups, least, path)
		t.Logf("%s: %d of %d records have a group", path, groups, len(records))
	}
}

func BenchmarkParseRecorded(b *testing.B) {
	var records map[string]json.RawMessage
	corpusFile(b, &records, "primary", "real", "text_generation.json")
	benchmarkParse(b, slices.Sorted(maps.Keys(records)))
}
