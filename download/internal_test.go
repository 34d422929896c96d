// This file tests the parts without network: sets of ranges, headers, and the detection of content types.

package download

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSpans compares sets of ranges with a list of bytes.
func TestSpans(t *testing.T) {
	t.Parallel()
	const size = 60
	for range 2000 {
		var set spans
		var bytes [size]bool
		for range rand.IntN(12) {
			start := rand.Int64N(size)
			end := start + rand.Int64N(size-start+1)
			set = set.add(start, end)
			for i := start; i < end; i++ {
				bytes[i] = true
			}
		}
		require.True(t, set.valid(size), "%v", set)
		var count, prefix int64
		for prefix < size && bytes[prefix] {
			prefix++
		}
		gap := span{size, size}
		for i := size - 1; i >= 0; i-- {
			if bytes[i] {
				count++
				continue
			}
			end := int64(i + 1)
			if i+1 < size && !bytes[i+1] {
				end = gap.End
			}
			gap = span{int64(i), end}
		}
		require.Equal(t, count, set.size())
		require.Equal(t, prefix, set.prefix())
		require.Equal(t, gap, set.gap(size), "%v", set)
	}
	for _, bad := range []spans{{{-1, 5}}, {{0, 0}}, {{5, 3}}, {{0, 5}, {5, 7}}, {{0, 5}, {3, 7}}, {{0, 61}}, {{10, 20}, {0, 5}}} {
		assert.False(t, bad.valid(size), "%v", bad)
	}
}

func TestParseContentRange(t *testing.T) {
	t.Parallel()
	first, last, total, ok := parseContentRange("bytes 5-9/100")
	assert.True(t, ok)
	assert.Equal(t, []int64{5, 9, 100}, []int64{first, last, total})
	for _, text := range []string{
		"", "5-9/100", "bytes 5-9", "bytes 5-9/*", "bytes */100", "bytes 9-5/100", "bytes -5-9/100", "bytes 5-100/100", "bytes 5-9/-1", "items 5-9/100",
		"bytes 5-9/99999999999999999999", "bytes a-b/c",
	} {
		_, _, _, ok := parseContentRange(text)
		assert.False(t, ok, text)
	}
	assert.EqualValues(t, 100, totalOf("bytes */100"))
	for _, text := range []string{"", "bytes 0-1/100", "bytes */*", "bytes */-5"} {
		assert.EqualValues(t, -1, totalOf(text), text)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	const date, later = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"
	for _, c := range []struct {
		name      string
		a, b      version
		same      bool
		validator string
	}{
		{"ETag", version{ETag: `"1"`, Size: 5}, version{ETag: `"1"`, Size: 5}, true, `"1"`},
		{"other ETag", version{ETag: `"1"`, Size: 5}, version{ETag: `"2"`, Size: 5}, false, `"1"`},
		{"other size", version{ETag: `"1"`, Size: 5}, version{ETag: `"1"`, Size: 6}, false, `"1"`},
		{"unknown size", version{ETag: `"1"`, Size: -1}, version{ETag: `"1"`, Size: 6}, true, `"1"`},
		{"weak ETag", version{ETag: `W/"1"`, Size: 5}, version{ETag: `"1"`, Size: 5}, true, ""},
		{"weak ETag and date", version{ETag: `W/"1"`, LastModified: date, Size: 5}, version{ETag: `W/"1"`, Size: 5}, true, ""},
		{"date", version{LastModified: date, Size: 5}, version{LastModified: date, Size: 5}, true, date},
		{"other date", version{LastModified: date, Size: 5}, version{LastModified: later, Size: 5}, false, date},
	} {
		for _, otherwise := range []bool{false, true} {
			assert.Equal(t, c.same, c.a.sameContent(c.b, otherwise), c.name)
		}
		assert.Equal(t, c.validator, c.a.validator(), c.name)
	}
	assert.True(t, version{Size: 5}.sameContent(version{ETag: `"1"`, Size: 5}, true))
	assert.False(t, version{Size: 5}.sameContent(version{ETag: `"1"`, Size: 5}, false))
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0,
		"99999999999": year, "99999999999999999999999": year, "Mon, 01 Jan 2024 00:00:09 GMT": 9 * time.Second, "Mon, 01 Jan 2001 00:00:00 GMT": 0,
	} {
		header := http.Header{"Retry-After": {text}, "Date": {"Mon, 01 Jan 2024 00:00:00 GMT"}}
		assert.Equal(t, want, retryAfter(&http.Response{Header: header}), text)
	}
}

func TestCheckStart(t *testing.T) {
	t.Parallel()
	safetensors := func(length uint64, rest string) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, length), rest...)
	}
	for _, c := range []struct {
		name     string
		start    []byte
		size     int64
		verified bool
		ok       bool
	}{
		{"m.safetensors", safetensors(10, `{"a":null}`), 18, false, true},
		{"m.safetensors", safetensors(11, `{"a":null}`), 18, false, false},
		{"m.safetensors", safetensors(1<<63, `{"a":null}`), 18, false, false},
		{"m.safetensors", safetensors(10, `["a",null]`), 18, false, false},
		{"m.safetensors", []byte("short"), 5, false, false},
		{"m.safetensors", []byte("Not found"), 9, true, true}, // the checksum decides
		{"m.ckpt", []byte("PK\x03\x04abc"), 1000, false, true},
		{"m.ckpt", []byte("Entry not found"), 15, false, false},
		{"m.ckpt", []byte("\n  <!doctype html><html>"), 1000, true, false},
		{"m.ckpt", nil, 0, false, false},
		{"config.json", []byte(`{"a":1}`), 7, false, true},
		{"config.json", []byte("<html><body>login</body>"), 1000, false, false},
		{"config.json", []byte("Access to model is restricted"), 29, false, false},
		{"config.json", nil, 0, false, false},
		{"config.json", []byte(" [1]"), 4, false, true},
		{"vocab.txt", []byte("a b c"), 5, false, true},
		{"vocab.txt", nil, 0, false, false},
		{"vocab.txt", nil, 0, true, true},
		{"page.html", []byte("<html>"), 6, false, true},
	} {
		err := checkStart(c.name, c.start, c.size, c.verified)
		if c.ok {
			assert.NoError(t, err, "%s %q", c.name, c.start)
		} else {
			assert.ErrorIs(t, err, ErrNotTheFile, "%s %q", c.name, c.start)
		}
	}
}

// TestFollowerIgnoresOldChunks passes data to a follower that was received before a reset.
func TestFollowerIgnoresOldChunks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		root, err := os.OpenRoot(t.TempDir())
		require.NoError(t, err)
		defer func() { require.NoError(t, root.Close()) }()
		p, err := openPart(root, "m.bin", strings.Repeat("0", 64), 1<<20)
		require.NoError(t, err)
		freed := 0
		f := follow(t.Context(), p, func(*chunk) { freed++ })
		require.NoError(t, p.write(0, []byte("old data")))
		require.NoError(t, p.reset())
		data := []byte("new data")
		require.NoError(t, p.write(0, data))
		synctest.Wait()
		old := &chunk{size: 8}
		copy(old.data[:], "old data")
		p.handed <- old
		synctest.Wait()
		sum, err := f.finish()
		require.NoError(t, err)
		want := sha256.Sum256(data)
		assert.Equal(t, hex.EncodeToString(want[:]), sum)
		assert.Equal(t, 1, freed)
		require.NoError(t, p.discard())
	})
}
