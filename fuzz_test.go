// Fuzzing of what is not a document: files in the cache directory and change stamps.

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
)

const goodDocument = `{"good":{"baseline":"b","nsfw":false}}`

// FuzzDisk checks that a read goes on whatever the files in the cache directory hold, and serves what decodes and
// nothing else.
func FuzzDisk(f *testing.F) {
	const settled = `{"source":"primary","fetched_at":"2026-01-02T03:04:05Z","confirmed_at":"2026-01-02T03:04:05Z","size":38,` +
		`"crc32c":1234,"state":{"source":1,"stamp":1700000000,"has_stamp":true,"settled":true,"etag":"\"x\""}}`
	for _, document := range []string{
		"", "{", "{}", "[]", "null", goodDocument, goodDocument[:20], goodDocument + "x", `{"a":1}`, `{"a":1,"b":{"baseline":"b","nsfw":true}}`,
		"{\"\xff\":{\"baseline\":\"b\",\"nsfw\":false}}", `{"a":{"baseline":"b","nsfw":false},"a":{"baseline":"c","nsfw":true}}`,
	} {
		for _, beside := range []string{
			"", "{", "null", settled, strings.Replace(settled, "2026", "9999", 2),
			strings.ReplaceAll(settled, "2026-01-02T03:04:05Z", "9999-12-31T23:59:59-23:59"),
		} {
			f.Add([]byte(document), []byte(beside), false)
			f.Add([]byte(document), []byte(beside), true)
		}
	}
	facts, _ := traitsOf(CategoryImageGeneration)
	path := filepath.Join(f.TempDir(), facts.diskFile) // one directory for a whole process: making one takes longer than a read
	f.Fuzz(func(t *testing.T, document, beside []byte, matching bool) {
		if p := (provenance{}); matching && json.Unmarshal(beside, &p) == nil { // a checksum that fits is not found by chance
			p.Size, p.CRC32C = len(document), checksum(string(document))
			beside, _ = json.Marshal(p) // where it cannot be written, nothing stands beside
		}
		require.NoError(t, os.WriteFile(path, document, 0o600))
		require.NoError(t, os.WriteFile(path+noteSuffix, beside, 0o600))
		checkOffline(t, filepath.Dir(path), string(document))
		require.NoError(t, os.WriteFile(path, document, 0o600))
		require.NoError(t, os.WriteFile(path+noteSuffix, beside, 0o600))
		checkOnline(t, filepath.Dir(path), string(document))
	})
}

// checkOffline reads from the directory, with a bootstrap behind it.
func checkOffline(t *testing.T, dir, document string) {
	want, wrong := decoders[CategoryImageGeneration](document, about{category: CategoryImageGeneration})
	bootstrap := fstest.MapFS{"image_generation.json": {Data: []byte(goodDocument)}}
	c, err := New(WithOffline(), WithCacheDir(dir), WithBootstrap(bootstrap))
	require.NoError(t, err)
	defer func() { _ = c.Close() }() // it always returns nil
	ref, err := c.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	if wrong != nil {
		require.Equal(t, OriginBootstrap, ref.Origin(), "what does not decode is not served")
		return
	}
	require.Equal(t, OriginDisk, ref.Origin())
	require.Equal(t, want.(*Reference[ImageGenerationRecord]).Names(), ref.Names())
	_, err = json.Marshal(c.Status())
	require.NoError(t, err)
}

// checkOnline reads with a PRIMARY that has a good document, which must come through and be written.
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
	if ref.Origin() == OriginDisk {
		_, err := decoders[CategoryImageGeneration](document, about{category: CategoryImageGeneration})
		require.NoError(t, err, "what does not decode is not served")
	}
	ref, err = c.ImageGeneration.Load(t.Context(), Refresh())
	require.NoError(t, err)
	require.Equal(t, []string{"good"}, ref.Names())
	found, err := (&directory{path: dir}).Read(t.Context(), CategoryImageGeneration, 1<<20)
	require.NoError(t, err)
	require.Equal(t, goodDocument, found.Document)
	p, err := parseNote(found.Note)
	require.NoError(t, err)
	require.True(t, p.isOf(goodDocument))
	require.Equal(t, OriginPrimary, p.State.Source)
}

// FuzzStamp checks that a change stamp is read as encoding/json reads it, and is a time.
func FuzzStamp(f *testing.F) {
	for _, seed := range []string{
		`{"last_updated":1700000000}`, `{"category":"clip","last_updated":1.7e9}`, `{"last_updated":null}`, `{}`, ``, `[]`, `{"last_updated":""}`,
		`{"last_updated":9223372036854775807}`, `{"last_updated":-1}`, `{"last_updated":1e400}`, `{"last_updated":1,"last_updated":2}`,
		`{"last_updated":1700000000.5}`, `{"last_updated":true}`, `<html>`, `{"x":{"last_updated":[`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		stamp, err := parseStamp(body)
		if err != nil {
			return
		}
		at, ok := stamp.Get()
		if !ok {
			return
		}
		_, err = json.Marshal(time.Unix(at, 0).UTC())
		require.NoError(t, err, "a stamp of no time")
		var seen struct {
			LastUpdated *float64 `json:"last_updated"`
		}
		if json.Unmarshal([]byte(body), &seen) == nil && seen.LastUpdated != nil && strings.Count(strings.ToLower(body), "last_updated") == 1 {
			require.InDelta(t, *seen.LastUpdated, float64(at), 0)
		}
	})
}
