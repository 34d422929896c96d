// This file tests downloads without faults.

package download_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/download"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(1, 1<<20)
	record := model("m", fileOf("m.safetensors", s.put("/m", c), c))
	p := plan(t, quick(dir), record)
	require.Len(t, p.Files(), 1)
	assert.Equal(t, download.StateMissing, p.Files()[0].State)
	report, err := p.Run(t.Context())
	require.NoError(t, err)
	result := only(t, report)
	assert.Equal(t, download.OutcomeDownloaded, result.Outcome)
	assert.True(t, result.Verified)
	assert.EqualValues(t, len(c.data), result.Fetched)
	assert.EqualValues(t, 1, result.Requests)
	requireFile(t, dir, "compvis/m.safetensors", c)
	sidecar, err := os.ReadFile(filepath.Join(dir, "compvis/m.sha256"))
	require.NoError(t, err)
	assert.Equal(t, c.sum()+" *m.safetensors", string(sidecar))

	s.reset()
	again := plan(t, quick(dir), record)
	assert.Equal(t, download.StateVerified, again.Files()[0].State)
	report, err = again.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, download.OutcomeKept, only(t, report).Outcome)
	assert.Empty(t, s.log(), "a file that exists needs no request")
}

func TestSegments(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(2, 3<<20+12345)
	report, err := run(t, segmented(quick(dir)), model("m", fileOf("m.safetensors", s.put("/m", c), c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.safetensors", c)
	assert.EqualValues(t, len(c.data), only(t, report).Fetched, "no byte is fetched twice")
	assert.Greater(t, len(s.log()), 10, "the file has segments")
}

// A small file often has no Content-Length but a marked end.
func TestSmallChunkedFile(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 4095, 4096, 4097, 10_000} {
		for _, sum := range []bool{true, false} {
			s, dir := newServer(t), t.TempDir()
			c := newContent(4, size)
			url := s.put("/m", c)
			s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				s.chunked(w, size, false)
				return true
			})
			file := fileOf("m.bin", url, c)
			if !sum {
				file.SHA256Sum = ""
			}
			report, err := run(t, quick(dir), model("m", file))
			require.NoError(t, err)
			requireFile(t, dir, "compvis/m.bin", c)
			assert.EqualValues(t, 1, only(t, report).Requests)
		}
	}
}

// An empty file is valid, although servers reject a range of it.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(5, 0)
	_, err := run(t, quick(dir), model("m", fileOf("empty.txt", s.put("/m", c), c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/empty.txt", c)
}

func TestMirrorFirst(t *testing.T) {
	t.Parallel()
	origin, mirror := newServer(t), newServer(t)
	c := newContent(6, 1000)
	mirror.put("/compvis/m.bin", c)
	o := quick(t.TempDir())
	o.Mirror, o.MirrorFirst = download.MirrorURL(mirror.URL), true
	_, err := run(t, o, model("m", fileOf("m.bin", origin.put("/m", c), c)))
	require.NoError(t, err)
	assert.Empty(t, origin.log())
	requireFile(t, o.Dir, "compvis/m.bin", c)
}

func TestServerWithoutRanges(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(3, 1<<20)
	url := s.put("/m", c)
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("Range")
		s.plain(w, r)
		return true
	})
	report, err := run(t, segmented(quick(dir)), model("m", fileOf("m.safetensors", url, c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.safetensors", c)
	assert.EqualValues(t, 1, only(t, report).Requests)
}
