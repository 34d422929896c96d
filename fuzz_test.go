// This file fuzzes files in the cache directory and responses with last-updated times.

package modelref

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/dirstore"
)

const goodDocument = `{"good":{"baseline":"b","nsfw":false}}`

// FuzzDisk checks that a read works with any files in the cache directory, and that only valid documents are returned.
func FuzzDisk(f *testing.F) {
	const final = `{"source":"primary","fetched_at":"2026-01-02T03:04:05Z","confirmed_at":"2026-01-02T03:04:05Z","size":38,` +
		`"crc32c":1234,"validators":{"source":1,"last_updated":1700000000,"has_last_updated":true,"final":true,"etag":"\"x\""}}`
	for _, document := range []string{
		"", "{", "{}", "[]", "null", goodDocument, goodDocument[:20], goodDocument + "x", `{"a":1}`, `{"a":1,"b":{"baseline":"b","nsfw":true}}`,
		"{\"\xff\":{\"baseline\":\"b\",\"nsfw\":false}}", `{"a":{"baseline":"b","nsfw":false},"a":{"baseline":"c","nsfw":true}}`,
	} {
		for _, beside := range []string{
			"", "{", "null", final, strings.Replace(final, "2026", "9999", 2),
			strings.ReplaceAll(final, "2026-01-02T03:04:05Z", "9999-12-31T23:59:59-23:59"),
			strings.Replace(final, "2026-01-02T03:04:05Z", "9999-12-31T23:59:59-23:59", 1),
		} {
			f.Add([]byte(document), []byte(beside), false)
			f.Add([]byte(document), []byte(beside), true)
		}
	}
	facts, _ := infoOf(CategoryImageGeneration)
	path := filepath.Join(f.TempDir(), facts.file()) // one directory for the process, because creating it takes longer than a read
	f.Fuzz(func(t *testing.T, document, beside []byte, matching bool) {
		if p := (provenance{}); matching && json.Unmarshal(beside, &p) == nil { // fuzzing cannot find a matching checksum
			p.Size, p.CRC32C = len(document), checksum(string(document))
			beside, _ = json.Marshal(p) // if it cannot be encoded, there is no provenance
		}
		require.NoError(t, os.WriteFile(path, document, 0o600))
		require.NoError(t, os.WriteFile(path+dirstore.ProvenanceSuffix, beside, 0o600))
		checkOffline(t, filepath.Dir(path), string(document))
		require.NoError(t, os.WriteFile(path, document, 0o600))
		require.NoError(t, os.WriteFile(path+dirstore.ProvenanceSuffix, beside, 0o600))
		checkOnline(t, filepath.Dir(path), string(document))
	})
}

// checkOffline reads from the directory. The client also has a bootstrap.
func checkOffline(t *testing.T, dir, document string) {
	want, wrong := recordTypes[CategoryImageGeneration].decode(document, metadata{category: CategoryImageGeneration})
	bootstrap := fstest.MapFS{"image_generation.json": {Data: []byte(goodDocument)}}
	c, err := New(WithOffline(), WithoutPrimary(), WithoutGitHub(), WithCacheDir(dir), WithBootstrap(bootstrap))
	require.NoError(t, err)
	defer func() { _ = c.Close() }() // it always returns nil
	ref, err := c.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	if wrong != nil {
		require.Equal(t, SourceBootstrap, ref.Source(), "an invalid document is not returned")
		return
	}
	require.Equal(t, SourceDisk, ref.Source())
	require.Equal(t, want.(*Reference[ImageGenerationRecord]).Names(), ref.Names())
	_, err = json.Marshal(c.Status())
	require.NoError(t, err)
}

// checkOnline reads from a PRIMARY with a valid document. The read must return this document and write it.
func checkOnline(t *testing.T, dir, document string) {
	hc := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/last_updated") {
			return answer(r, 200, `{"last_updated":1700000000}`), nil
		}
		return answer(r, 200, goodDocument, "Date", time.Now().UTC().Format(http.TimeFormat)), nil
	})}
	c, err := New(WithHTTPClient(hc), WithoutGitHub(), WithCacheDir(dir))
	require.NoError(t, err)
	defer func() { _ = c.Close() }() // it always returns nil
	ref, err := c.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	if ref.Source() == SourceDisk {
		_, err := recordTypes[CategoryImageGeneration].decode(document, metadata{category: CategoryImageGeneration})
		require.NoError(t, err, "an invalid document is not returned")
	}
	ref, err = c.ImageGeneration.Load(t.Context(), WithRefresh())
	require.NoError(t, err)
	require.Equal(t, []string{"good"}, ref.Names())
	store, err := DirectoryStore(dir)
	require.NoError(t, err)
	found, err := store.Read(t.Context(), CategoryImageGeneration, 1<<20)
	require.NoError(t, err)
	require.Equal(t, goodDocument, found.Document)
	p, err := parseProvenance(found.Provenance, time.Now())
	require.NoError(t, err)
	require.True(t, p.describes(goodDocument))
	require.Equal(t, SourcePrimary, p.Validators.Source)
}

// FuzzLastUpdated compares the decoding of a last-updated time with encoding/json, and checks that it is a valid time.
func FuzzLastUpdated(f *testing.F) {
	for _, seed := range []string{
		`{"last_updated":1700000000}`, `{"category":"clip","last_updated":1.7e9}`, `{"last_updated":null}`, `{}`, ``, `[]`, `{"last_updated":""}`,
		`{"last_updated":9223372036854775807}`, `{"last_updated":-1}`, `{"last_updated":1e400}`, `{"last_updated":1,"last_updated":2}`,
		`{"last_updated":1700000000.5}`, `{"last_updated":true}`, `<html>`, `{"x":{"last_updated":[`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		lastUpdated, err := parseLastUpdated(body)
		if err != nil {
			return
		}
		at, ok := lastUpdated.Get()
		if !ok {
			return
		}
		_, err = json.Marshal(time.Unix(at, 0).UTC())
		require.NoError(t, err, "it must have a form in JSON")
		var seen struct {
			LastUpdated *float64 `json:"last_updated"`
		}
		if json.Unmarshal([]byte(body), &seen) == nil && seen.LastUpdated != nil && strings.Count(strings.ToLower(body), "last_updated") == 1 {
			require.InDelta(t, *seen.LastUpdated, float64(at), 0)
		}
	})
}
