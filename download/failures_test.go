// This file tests the failures that users of other tools report, and the faults of the engine of the Python library.
// They concern the content and the files on disk.

package download_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// Kinds 1 and 4: broken connections, and retries that are counted despite progress.
func TestDrops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		segmented bool
		size      int
		every     func() int64
	}{
		{"every MB, one connection", false, 20_000_000, func() int64 { return 1_000_000 }},
		{"every MB, segments", true, 20_000_000, func() int64 { return 1_000_000 }},
		{"at random, one connection", false, 4_000_000, func() int64 { return 17_000 + rand.Int64N(100_000) }},
		{"at random, segments", true, 4_000_000, func() int64 { return 17_000 + rand.Int64N(100_000) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, dir := newServer(t), t.TempDir()
			data := newContent(4, c.size)
			url := s.put("/m", data)
			s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				s.dropAfter(w, r, c.every())
				return true
			})
			o := quick(dir)
			if c.segmented {
				o = download.WithSmallSegments(o, 2<<20, 2<<20, 256<<10, 1<<20)
			}
			report, err := run(t, o, model("m", fileOf("m.bin", url, data)))
			require.NoError(t, err)
			requireFile(t, dir, "compvis/m.bin", data)
			assert.LessOrEqual(t, only(t, report).Fetched, int64(c.size)+int64(c.size/100), "at most 1 % is fetched twice")
		})
	}
}

// Kind 2: the size is correct, but the content is not.
func TestWrongContentIsRetriedAtTheNextSourceOnce(t *testing.T) {
	t.Parallel()
	good, bad := newServer(t), newServer(t)
	c := newContent(5, 300_000)
	wrong := newContent(5, 300_000)
	wrong.data[123_456] ^= 1
	record := model("m", fileOf("m.bin", bad.put("/m", wrong), c))
	other := model("other", fileOf("m.bin", good.put("/m", c), c))

	dir := t.TempDir()
	report, err := run(t, quick(dir), record, other)
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	assert.Equal(t, good.URL+"/m", only(t, report).Source)
	assert.Len(t, bad.log(), 1)

	dir = t.TempDir()
	bad.reset()
	_, err = run(t, quick(dir), record)
	require.ErrorIs(t, err, modelref.ErrChecksumMismatch)
	require.ErrorContains(t, err, bad.URL+"/m")
	var failed *download.FileError
	require.ErrorAs(t, err, &failed)
	assert.Len(t, failed.Sources, 1)
	assert.Empty(t, filesIn(t, dir), "wrong content is not kept")
	assert.Len(t, bad.log(), 1, "a mismatch is not retried")
}

// Kind 3: a download that the caller has interrupted is resumed.
func TestResumeAfterCancel(t *testing.T) {
	t.Parallel()
	for _, segments := range []bool{false, true} {
		t.Run("segments="+strconv.FormatBool(segments), func(t *testing.T) {
			t.Parallel()
			s, dir := newServer(t), t.TempDir()
			c := newContent(6, 4<<20)
			record := model("m", fileOf("m.bin", s.put("/m", c), c))
			o := quick(dir)
			if segments {
				o = segmented(o)
			}
			var fetched int64
			for range 10 {
				ctx, cancel := context.WithCancel(t.Context())
				s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
					if s.sent() > fetched+200_000 {
						cancel()
					}
					return false
				})
				slow := o
				slow.RateLimit = 20 << 20
				slow.OnEvent = func(e download.Event) {
					if e.Kind == download.EventProgress && e.Done > fetched+200_000 {
						cancel()
					}
				}
				p, err := download.NewPlan(t.Context(), []*modelref.ImageGenerationRecord{record}, slow)
				require.NoError(t, err)
				before := p.Files()[0].Received
				report, err := p.Run(ctx)
				cancel()
				fetched += only(t, report).Fetched
				assert.Equal(t, before, only(t, report).Resumed)
				if err == nil {
					break
				}
				require.ErrorIs(t, err, context.Canceled)
				requireNoFile(t, dir, "compvis/m.bin")
			}
			s.on(nil)
			report, err := run(t, o, record)
			require.NoError(t, err)
			fetched += only(t, report).Fetched
			requireFile(t, dir, "compvis/m.bin", c)
			assert.EqualValues(t, len(c.data), fetched, "no byte is fetched twice")
		})
	}
}

// Kind 5: a server that sends a part of the body and then stalls.
func TestStallIsResumed(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(8, 2<<20)
	url := s.put("/m", c)
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			return false
		}
		s.hang(w, r, 1<<20)
		return true
	})
	o := quick(dir)
	o.IdleTimeout = 200 * time.Millisecond
	report, err := run(t, o, model("m", fileOf("m.bin", url, c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	assert.EqualValues(t, len(c.data), only(t, report).Fetched)
	require.Len(t, s.log(), 2)
	assert.Equal(t, "bytes=1048576-", strings.TrimSuffix(s.log()[1].header.Get("Range"), "2097151"))
	assert.Equal(t, c.etag, s.log()[1].header.Get("If-Range"))

	t.Run("cancel", func(t *testing.T) {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
			time.AfterFunc(50*time.Millisecond, cancel)
			s.hang(w, r, 1<<20)
			return true
		})
		start := time.Now()
		_, err := plan(t, download.Options{Dir: dir}, model("m", fileOf("m.bin", url, c))).Run(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.Less(t, time.Since(start), 5*time.Second, "the idle limit of 30 s does not matter")
	})
}

// Kind 6: the content changes between two attempts, under the same URL.
func TestContentChanges(t *testing.T) {
	t.Parallel()
	modified := func(c content, minute int) content {
		c.etag, c.modified = "", time.Date(2024, 1, 1, 0, minute, 0, 0, time.UTC)
		return c
	}
	bare := func(c content) content {
		c.etag = ""
		return c
	}
	old, fresh := newContent(9, 600_000), newContent(10, 600_000)
	longer := newContent(11, 700_000)
	for _, c := range []struct {
		name     string
		old, new content
		sum      bool
	}{
		{"new ETag", old, fresh, true},
		{"new ETag, no checksum", old, fresh, false},
		{"new size", old, longer, true},
		{"new Last-Modified", modified(old, 1), modified(fresh, 2), true},
		{"new Last-Modified, no checksum", modified(old, 1), modified(fresh, 2), false},
		{"no version", bare(old), bare(fresh), true},
		{"no version, no checksum", bare(old), bare(fresh), false},
		{"no version, new size, no checksum", bare(old), bare(longer), false},
		{"version appears, no checksum", bare(old), fresh, false},
		{"version disappears, no checksum", old, bare(fresh), false},
	} {
		for _, segments := range []bool{false, true} {
			t.Run(c.name+", segments="+strconv.FormatBool(segments), func(t *testing.T) {
				t.Parallel()
				s, dir := newServer(t), t.TempDir()
				file := fileOf("m.bin", s.put("/m", c.old), c.new)
				if !c.sum {
					file.SHA256Sum = "FIXME"
				}
				s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n > 0 {
						return false
					}
					defer s.put("/m", c.new)
					s.dropAfter(w, r, 100_000)
					return true
				})
				o := quick(dir)
				if segments {
					o = segmented(o)
				}
				_, err := run(t, o, model("m", file))
				require.NoError(t, err)
				requireFile(t, dir, "compvis/m.bin", c.new)
			})
		}
	}
}

// The content changes without a new version. The checksum detects the change, and a mixed file is never used.
func TestContentChangesWithoutANewVersion(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	old, fresh := newContent(12, 600_000), newContent(13, 600_000)
	old.etag = fresh.etag
	record := model("m", fileOf("m.bin", s.put("/m", old), fresh))
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		s.dropAfter(w, r, 100_000)
		return true
	})
	_, err := run(t, quick(dir), record)
	require.Error(t, err)
	s.reset()
	s.put("/m", fresh)
	report, err := run(t, quick(dir), record)
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", fresh)
	assert.EqualValues(t, 100_000, only(t, report).Resumed)
	assert.EqualValues(t, 500_000+600_000, only(t, report).Fetched, "the partial file of an earlier run is downloaded again once")
}

// A group of servers that report different versions of the same content does not prevent the download.
func TestVersionsThatAlwaysDiffer(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(14, 600_000)
	url := s.put("/m", c)
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		other := c
		other.etag = strconv.Quote(strconv.Itoa(n))
		serveContent(&droppingWriter{ResponseWriter: w, left: 200_000}, r, other)
		return true
	})
	_, err := run(t, quick(dir), model("m", fileOf("m.bin", url, c)))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
}

// Kind 13: insufficient space is detected before the first byte if the size is known.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := newContent(19, 100_000)
	file := fileOf("m.bin", s.put("/m", c), c)
	o := quick(t.TempDir())
	o.MinFree = 1 << 60

	report, err := run(t, o, model("m", file))
	require.ErrorIs(t, err, download.ErrNoSpace)
	assert.Zero(t, only(t, report).Fetched)
	assert.Len(t, s.log(), 1, "the size is in the header of the response")

	s.reset()
	file.SizeBytes = modelref.Some(int64(len(c.data)))
	_, err = run(t, o, model("m", file))
	require.ErrorIs(t, err, download.ErrNoSpace)
	assert.Empty(t, s.log(), "the size is in the record")
}

// Kind 14: a partial file that is complete, or larger than the file.
func TestPartialFilesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	c := newContent(20, 300_000)
	for _, k := range []struct {
		name    string
		part    []byte
		fetched int
	}{
		{"complete", c.data, 0},
		{"half", c.data[:150_000], 150_000},
		{"too long", append(append([]byte{}, c.data...), 1, 2, 3), 300_000},
		{"of other content", newContent(21, 150_000).data, 150_000 + 300_000},
		{"complete and wrong", newContent(21, 300_000).data, 300_000},
		{"empty", nil, 300_000},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s, dir := newServer(t), t.TempDir()
			file := fileOf("m.bin", s.put("/m", c), c)
			path := filepath.Join(dir, "compvis", "m.bin.part")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, k.part, 0o644))
			report, err := run(t, quick(dir), model("m", file))
			require.NoError(t, err)
			requireFile(t, dir, "compvis/m.bin", c)
			assert.EqualValues(t, k.fetched, only(t, report).Fetched)

			require.NoError(t, os.Remove(filepath.Join(dir, "compvis", "m.bin")))
			require.NoError(t, os.WriteFile(path, k.part, 0o644))
			file.SHA256Sum = "FIXME"
			report, err = run(t, quick(dir), model("m", file))
			require.NoError(t, err)
			requireFile(t, dir, "compvis/m.bin", c)
			assert.EqualValues(t, 300_000, only(t, report).Fetched, "without a checksum, data of unknown origin is not used")
		})
	}
}

// Kind 15: the file cannot be renamed to its final name. The partial file is kept, and the next run needs no request.
func TestNameIsTaken(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(22, 300_000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	path := filepath.Join(dir, "compvis", "m.bin")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o755))
	_, err := run(t, quick(dir), record)
	require.ErrorContains(t, err, "a directory has the name of the file")
	require.FileExists(t, path+".part")
	require.NoError(t, os.RemoveAll(path))
	s.reset()
	_, err = run(t, quick(dir), record)
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	assert.Empty(t, s.log())
}

// A checksum file is not valid for a file that was changed later, even if the time of the file was set back.
func TestChecksumFileOfAChangedFile(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(23, 300_000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	_, err := run(t, quick(dir), record)
	require.NoError(t, err)
	path := filepath.Join(dir, "compvis", "m.bin")
	info, err := os.Stat(path)
	require.NoError(t, err)
	wrong := append([]byte{}, c.data...)
	wrong[7] ^= 1
	time.Sleep(20 * time.Millisecond) // the clock of the file system has a resolution of some milliseconds
	require.NoError(t, os.WriteFile(path, wrong, 0o644))
	require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime().Add(-time.Hour)))
	p := plan(t, quick(dir), record)
	assert.Equal(t, download.StateMismatch, p.Files()[0].State)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
}

// An empty or corrupted checksum file, for example after a full disk, is ignored and replaced.
func TestDamagedChecksumFile(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(24, 300_000)
	record := model("m", fileOf("m.safetensors", s.put("/m", c), c))
	_, err := run(t, quick(dir), record)
	require.NoError(t, err)
	sidecar := filepath.Join(dir, "compvis", "m.sha256")
	for _, text := range []string{"", "x", c.sum()[:10], strings.Repeat("g", 64), newContent(1, 1).sum() + " *other.safetensors"} {
		require.NoError(t, os.WriteFile(sidecar, []byte(text), 0o644))
		require.NoError(t, os.Chtimes(sidecar, time.Now(), time.Now().Add(time.Minute)))
		p := plan(t, quick(dir), record)
		assert.Equal(t, download.StateVerified, p.Files()[0].State, "%q", text)
		got, err := os.ReadFile(sidecar)
		require.NoError(t, err)
		assert.Equal(t, c.sum()+" *m.safetensors", string(got))
	}
}

// The file gets its final name only after the content has been verified. Until then the old content is kept.
func TestNameAppearsLast(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	old, c := newContent(25, 300_000), newContent(26, 400_000)
	path := filepath.Join(dir, "compvis", "m.bin")
	_, err := run(t, quick(dir), model("m", fileOf("m.bin", s.put("/old", old), old)))
	require.NoError(t, err)
	check := func() {
		got, err := os.ReadFile(path)
		assert.NoError(t, err)
		assert.Len(t, got, len(old.data))
	}
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		check()
		s.dropAfter(w, r, 150_000)
		check()
		return true
	})
	p := plan(t, quick(dir), model("m", fileOf("m.bin", s.put("/m", c), c)))
	assert.Equal(t, download.StateMismatch, p.Files()[0].State, "the record has a new checksum")
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
}

// If a source fails permanently, the next source continues with the partial file.
func TestNextSourceContinues(t *testing.T) {
	t.Parallel()
	failing, mirror := newServer(t), newServer(t)
	c := newContent(27, 600_000)
	failing.put("/m", c)
	failing.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			w.WriteHeader(http.StatusGone)
			return true
		}
		failing.dropAfter(w, r, 200_000)
		return true
	})
	mirror.put("/weights/compvis/m.bin", c)
	o := quick(t.TempDir())
	o.Mirror = download.MirrorURL(mirror.URL + "/weights")
	report, err := run(t, o, model("m", fileOf("m.bin", failing.URL+"/m", c)))
	require.NoError(t, err)
	requireFile(t, o.Dir, "compvis/m.bin", c)
	assert.EqualValues(t, len(c.data), only(t, report).Fetched)
	assert.EqualValues(t, 400_000, mirror.sent())
}

// Without a checksum, the data of two sources must not be mixed.
func TestNextSourceStartsAgainWithoutAChecksum(t *testing.T) {
	t.Parallel()
	failing, mirror := newServer(t), newServer(t)
	c, other := newContent(28, 600_000), newContent(29, 600_000)
	other.etag = c.etag
	failing.put("/m", c)
	failing.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			w.WriteHeader(http.StatusGone)
			return true
		}
		failing.dropAfter(w, r, 200_000)
		return true
	})
	mirror.put("/compvis/m.bin", other)
	o := quick(t.TempDir())
	o.Mirror = download.MirrorURL(mirror.URL)
	file := fileOf("m.bin", failing.URL+"/m", c)
	file.SHA256Sum = ""
	_, err := run(t, o, model("m", file))
	require.NoError(t, err)
	requireFile(t, o.Dir, "compvis/m.bin", other)
}

// Without a checksum, a partial file that another program has modified is not used.
func TestForeignDataWithoutAChecksum(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(36, matrixSize)
	file := fileOf("m.bin", s.put("/m", c), c)
	file.SHA256Sum = ""
	interrupt(t, s, quick(dir), model("m", file))
	part, err := os.OpenFile(filepath.Join(dir, "compvis", "m.bin.part"), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = part.WriteString("foreign")
	require.NoError(t, err)
	require.NoError(t, part.Close())
	s.reset()
	report, err := run(t, quick(dir), model("m", file))
	require.NoError(t, err)
	assert.Zero(t, only(t, report).Resumed)
	requireFile(t, dir, "compvis/m.bin", c)
}
