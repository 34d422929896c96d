// The formats of --output, from the built command.

package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestOutputFormats(t *testing.T) {
	t.Parallel()
	list := []string{"--demo", "list", "clip", "-f", "name,created_at,description"}
	for format, want := range map[string]string{
		"csv":   "name,metadata.created_at,description\nViT-L/14,2025-01-01T00:00:00Z,\n",
		"tsv":   "name\tmetadata.created_at\tdescription\nViT-L/14\t2025-01-01T00:00:00Z\t\n",
		"name":  "ViT-L/14\ncoca_ViT-B-32\n",
		"jsonl": "{\"name\":\"ViT-L/14\",\"metadata.created_at\":1735689600,\"description\":null}\n",
		"yaml":  "- name: ViT-L/14\n  metadata.created_at: 1735689600\n  description: null\n",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := runBinary(t, append(list, "-o", format)...)
			require.Equal(t, exitOK, got.code, got.err)
			assert.True(t, strings.HasPrefix(got.out, want), got.out)
			if format != "name" {
				plain := runBinary(t, append(list, "-o", format, "--no-header")...)
				assert.Equal(t, format == "csv" || format == "tsv", plain.out != got.out, plain.out)
			}
		})
	}
}

func TestNoHeader(t *testing.T) {
	t.Parallel()
	list := []string{"--demo", "list", "clip", "-f", "name"}
	assert.Equal(t, "NAME\nViT-L/14\ncoca_ViT-B-32\n", runBinary(t, list...).out)
	assert.Equal(t, "ViT-L/14\ncoca_ViT-B-32\n", runBinary(t, append(list, "--no-header")...).out)
}

// YAML says what JSON says, for every record of the demo.
func TestYAMLHasTheValuesOfJSON(t *testing.T) {
	t.Parallel()
	inJSON := runBinary(t, "--demo", "list", "image_generation", "-o", "json")
	inYAML := runBinary(t, "--demo", "list", "image_generation", "-o", "yaml")
	require.Equal(t, exitOK, inYAML.code, inYAML.err)
	var want, got any
	require.NoError(t, json.Unmarshal([]byte(inJSON.out), &want))
	require.NoError(t, yaml.Unmarshal([]byte(inYAML.out), &got))
	text, err := json.Marshal(got)
	require.NoError(t, err)
	again, err := json.Marshal(want)
	require.NoError(t, err)
	assert.JSONEq(t, string(again), string(text))
}

func TestCSVQuotesWhatNeedsIt(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "--demo", "list", "image_generation", "-o", "csv")
	rows, err := csv.NewReader(strings.NewReader(got.out)).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 21)
	for _, row := range rows {
		assert.Len(t, row, len(rows[0]))
	}
}

func TestTimeoutInSeconds(t *testing.T) {
	t.Parallel()
	assert.Equal(t, exitOK, runBinary(t, "--demo", "--timeout", "2.5", "list", "clip").code)
	assert.Equal(t, exitOK, runBinary(t, "--demo", "--timeout", "1m", "list", "clip").code)
	for _, bad := range []string{"0", "-1", "soon"} {
		got := runBinary(t, "--demo", "--timeout="+bad, "list", "clip")
		assert.Equal(t, exitUsage, got.code, bad)
		assert.Contains(t, got.err, "--timeout", bad)
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "--demo", "list", "clip", "-o", "xml")
	assert.Equal(t, exitUsage, got.code)
	assert.Equal(t, "modelref: --output \"xml\": must be one of table, json, jsonl, csv, tsv, yaml, name\n", got.err)
}

// The limit applies to the values, not to the records that are counted.
func TestDistinctIsLimitedAfterCounting(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "--demo", "query", "image_generation", "--distinct", "baseline", "-n", "1", "-o", "csv")
	assert.Equal(t, "baseline,records\nstable_diffusion_xl,13\n", got.out)
}
