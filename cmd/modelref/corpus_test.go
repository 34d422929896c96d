// Recorded documents of the service go through the command unchanged.

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/modelreftest"
)

func TestRecordedDocumentsRoundTrip(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("MODELREF_CORPUS")
	if corpus == "" {
		t.Skip("MODELREF_CORPUS is not set: it names the directory of recorded exchanges")
	}
	documents := filepath.Join(corpus, "primary", "real")
	server := modelreftest.NewServer(t, modelreftest.WithDocuments(os.DirFS(documents)))
	flags := []string{"--no-github", "--primary", server.URL()}
	dir := t.TempDir()
	exported := runWith(t, "", append(flags, "export", dir)...)
	require.Equal(t, 0, exported.code, exported.err)
	for _, category := range categoryNames() {
		recorded := filepath.Join(documents, category+".json")
		if _, err := os.Stat(recorded); err != nil {
			continue
		}
		got := runWith(t, "", append(flags, "diff", recorded, filepath.Join(dir, category+".json"))...)
		assert.Equal(t, result{0, "", ""}, got, category)
		if category == "controlnet" {
			continue // one of its records gives itself another name than the document, which a list cannot tell
		}
		listed := runWith(t, "", append(flags, "list", category, "--jsonl")...)
		again := runWith(t, listed.out, append(flags, "diff", recorded, "-")...)
		assert.Equal(t, 0, again.code, category)
	}
}
