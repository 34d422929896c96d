package legacy

// This file compares the result of the package with upstream's conversion of the same files, field by field.

import (
	"bytes"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// corpusFile returns a file of the recorded data. If the data is not on this machine, it skips the test.
func corpusFile(tb testing.TB, path ...string) []byte {
	tb.Helper()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		tb.Skip("MODELREF_CORPUS must be the directory of the recorded conversions")
	}
	raw, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
	require.NoError(tb, err, "MODELREF_CORPUS is set and has to have every file")
	return raw
}

// rawFile returns the name of a category's file in its repository.
func rawFile(category string) string {
	switch category {
	case textGeneration:
		return "models.csv"
	case "image_generation":
		return "stable_diffusion.json"
	}
	return category + ".json"
}

func TestContract(t *testing.T) {
	t.Parallel()
	purposes := map[string]string{
		"image_generation": "generation", "text_generation": "generation", "controlnet": "auxiliary_or_patch",
		"blip": "feature_extractor", "clip": "feature_extractor", "codeformer": "post_processing",
		"esrgan": "post_processing", "gfpgan": "post_processing", "safety_checker": "safety_checker",
		"miscellaneous": "miscellaneous",
	}
	for _, set := range []struct{ files, expected string }{
		{"github/real", "newest/github/real.expected"},
		{"github/edge", "newest/github/edge.expected"},
	} {
		for category, purpose := range purposes {
			t.Run(set.files+"/"+category, func(t *testing.T) {
				t.Parallel()
				raw := corpusFile(t, set.files, rawFile(category))
				wantNames, want := readDocument(t, corpusFile(t, set.expected, category+".json"))

				document, rejected, err := Convert(category, raw)
				require.NoError(t, err)
				gotNames, got := readDocument(t, document)

				require.Equal(t, wantNames, gotNames, "names in the file's order")
				for _, name := range wantNames {
					assert.Equal(t, want[name], withDefaults(category, purpose, got[name]), name)
				}
				t.Logf("%d records, %d rejected", len(gotNames), len(rejected))
			})
		}
	}
}

// withDefaults returns the record with the defaults that upstream's types add for absent fields.
func withDefaults(category, purpose string, rec map[string]any) map[string]any {
	domain := "image"
	if category == textGeneration {
		domain = "text"
	}
	full := map[string]any{
		"description": nil, "version": nil, "finetune_series": nil, "size_on_disk_bytes": nil, "licensing": nil,
		"metadata": map[string]any{
			"schema_version": "2.1.0", "created_at": nil, "updated_at": nil, "created_by": nil, "updated_by": nil,
		},
		"config":               map[string]any{},
		"model_classification": map[string]any{"domain": domain, "purpose": purpose},
	}
	switch category {
	case "image_generation":
		maps.Copy(full, map[string]any{
			"inpainting": false, "optimization": nil, "min_bridge_version": nil, "homepage": nil, "style": nil,
			"requirements": nil, "tags": []any{}, "showcases": []any{}, "trigger": []any{},
		})
	case "controlnet":
		full["controlnet_style"] = nil
	case "clip":
		full["pretrained_name"] = nil
	case textGeneration:
		maps.Copy(full, map[string]any{
			"tags": []any{}, "instruct_format": nil, "settings": nil, "name_schema_exception": nil,
			"context_window": nil, "interaction_modes": nil, "capabilities": nil, "guidance": nil,
		})
	}
	maps.Copy(full, rec)

	settings := map[string]any{"download": []any{}, "embedded_component_hashes": nil}
	maps.Copy(settings, full["config"].(map[string]any))
	full["config"] = settings
	for i, file := range settings["download"].([]any) {
		filled := map[string]any{"content_hash": nil, "file_purpose": nil, "size_bytes": nil}
		maps.Copy(filled, file.(map[string]any))
		settings["download"].([]any)[i] = filled
	}
	return full
}

// readDocument returns the names of a document in order, and the records with exact numbers.
func readDocument(tb testing.TB, document []byte) (names []string, records map[string]map[string]any) {
	tb.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(document))
	token, err := dec.ReadToken()
	require.NoError(tb, err)
	require.Equal(tb, jsontext.KindBeginObject, token.Kind())
	records = map[string]map[string]any{}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		require.NoError(tb, err)
		name := token.String()
		names = append(names, name)
		rec, ok := readExact(tb, dec).(map[string]any)
		require.True(tb, ok, "record %q is an object", name)
		records[name] = rec
	}
	_, err = dec.ReadToken()
	require.NoError(tb, err)
	return names, records
}

// exact is the exact value of a number: 5.0 and 5 are equal.
type exact string

func readExact(tb testing.TB, dec *jsontext.Decoder) any {
	tb.Helper()
	token, err := dec.ReadToken()
	require.NoError(tb, err)
	switch token.Kind() {
	case 'n':
		return nil
	case 't', 'f':
		return token.Bool()
	case '"':
		return token.String()
	case '0':
		n, ok := new(big.Rat).SetString(token.String())
		require.True(tb, ok)
		return exact(n.RatString())
	case '[':
		list := []any{}
		for dec.PeekKind() != ']' {
			list = append(list, readExact(tb, dec))
		}
		_, err = dec.ReadToken()
		require.NoError(tb, err)
		return list
	}
	object := map[string]any{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		require.NoError(tb, err)
		key := name.String()
		object[key] = readExact(tb, dec)
	}
	_, err = dec.ReadToken()
	require.NoError(tb, err)
	return object
}
