// This file tests plans before the download, and files that several models share.

package download_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), filepath.Join(t.TempDir(), "does", "not", "exist")
	c := newContent(100, 1000)
	p := plan(t, quick(dir), model("m", fileOf("m.bin", s.put("/m", c), c)))
	assert.NoDirExists(t, dir)
	assert.Empty(t, s.log())
	sum := p.Summary()
	assert.Equal(t, 1, sum.Files)
	assert.Equal(t, 1, sum.UnknownSizes)
	assert.Positive(t, sum.FreeBytes)
	require.NoError(t, p.FetchSizes(t.Context()))
	assert.EqualValues(t, 1000, p.Summary().BytesToFetch)
	require.Len(t, s.log(), 1)
	assert.EqualValues(t, 0, s.sent(), "HEAD has no body")
}

func TestSummary(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	a, b, d := newContent(101, 1000), newContent(102, 2000), newContent(103, 4000)
	file := func(name string, c content) modelref.DownloadRecord {
		f := fileOf(name, s.put("/"+name, c), c)
		f.SizeBytes = modelref.Some(int64(len(c.data)))
		return f
	}
	_, err := run(t, quick(dir), model("a", file("a.bin", a)))
	require.NoError(t, err)
	unverifiable := file("d.bin", d)
	unverifiable.SHA256Sum = "FIXME"
	o := quick(dir)
	o.License = func(r *modelref.ModelRecord) string { return "license of " + r.Name }
	p := plan(t, o, model("a", file("a.bin", a)), model("b", file("b.bin", b), file("again.bin", b)), model("d", unverifiable),
		model("bad", file("../x.bin", d)))
	got := p.Summary()
	got.FreeBytes = 0
	assert.Equal(t, download.Summary{
		Files: 5, Present: 1, Problems: 1, Shared: 1, Unverifiable: 1, BytesToFetch: 6000, BytesToStore: 6000,
	}, got)
	assert.Equal(t, "compvis/b.bin", p.Files()[2].SameAs)
	assert.Equal(t, "license of a", p.Files()[0].Models[0].License)
	assert.Equal(t, dir, p.Files()[0].Dir)
	require.Len(t, p.Problems(), 1)
	assert.ErrorIs(t, p.Problems()[0].Err, download.ErrUnsafeName)
	_, err = p.Run(t.Context())
	require.ErrorIs(t, err, download.ErrUnsafeName)
	require.ErrorContains(t, err, "1 of 5 files failed")
	assert.Equal(t, 4, p.Summary().Present, "the plan knows what was downloaded")
}

// A hundred models share one VAE, some of them under another name. The VAE is downloaded once.
func TestSharedFiles(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	vae := newContent(104, 500_000)
	var records []*modelref.ImageGenerationRecord
	for i := range 100 {
		file := fileOf("shared.vae.safetensors", s.put("/vae", vae), vae)
		file.FilePurpose = "vae"
		if i%10 == 0 {
			file.FileName = fmt.Sprintf("own%d.safetensors", i)
		}
		if i%20 == 0 {
			file.FilePurpose = "" // in another folder
		}
		own := newContent(uint64(200+i), 100)
		records = append(records, model(fmt.Sprint(i), fileOf(fmt.Sprintf("m%d.bin", i), s.put(fmt.Sprintf("/m%d", i), own), own), file))
	}
	p := plan(t, quick(dir), records...)
	assert.Len(t, p.Files(), 111)
	report, err := p.Run(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 500_000+100*100, report.Fetched())
	for _, path := range []string{"vae/shared.vae.safetensors", "vae/own10.safetensors", "compvis/own20.safetensors"} {
		requireFile(t, dir, path, vae)
	}
	first, err := os.Stat(filepath.Join(dir, "vae/shared.vae.safetensors"))
	require.NoError(t, err)
	other, err := os.Stat(filepath.Join(dir, "compvis/own20.safetensors"))
	require.NoError(t, err)
	assert.True(t, os.SameFile(first, other), "the content is stored once")
	var events int
	o := quick(dir)
	o.OnEvent = func(e download.Event) { events++ }
	assert.Equal(t, 111, plan(t, o, records...).Summary().Present)
	assert.Zero(t, events, "no file is hashed again")
}

// A folder that is a link to another disk cannot have hard links, so the content is copied.
func TestSharedFilesAreCopiedThroughLinks(t *testing.T) {
	t.Parallel()
	s, dir, other := newServer(t), t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(other, filepath.Join(dir, "vae")))
	c := newContent(105, 500_000)
	file := fileOf("a.safetensors", s.put("/a", c), c)
	file.FilePurpose = "vae"
	report, err := run(t, quick(dir), model("m", fileOf("b.safetensors", s.URL+"/a", c), file))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/b.safetensors", c)
	requireFile(t, other, "a.safetensors", c)
	assert.EqualValues(t, len(c.data), report.Fetched())
}

func TestThousandSmallFiles(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	n := 1000
	if testing.Short() {
		n = 100
	}
	var files []modelref.DownloadRecord
	for i := range n {
		c := newContent(uint64(1000+i), 100+i)
		files = append(files, fileOf(fmt.Sprintf("sub%d/f%d.bin", i%10, i), s.put(fmt.Sprintf("/%d", i), c), c))
	}
	report, err := run(t, quick(dir), model("m", files...))
	require.NoError(t, err)
	assert.Len(t, report.Files, n)
	requireNoParts(t, dir)
	assert.Equal(t, n, plan(t, quick(dir), model("m", files...)).Summary().Present)
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	a, b := newContent(106, 10), newContent(107, 20)
	url := "https://weights.example/x"
	sized := func(n int64) modelref.DownloadRecord {
		f := fileOf("s.bin", url, a)
		f.SizeBytes = modelref.Some(n)
		return f
	}
	malformed := fileOf("h.bin", url, a)
	malformed.SHA256Sum = "123"
	noURL := fileOf("u.bin", "", a)
	fileURL := fileOf("v.bin", "file:///etc/passwd", a)
	upper := fileOf("same.bin", url, a)
	upper.SHA256Sum = strings.ToUpper(upper.SHA256Sum)
	p := plan(t, quick(t.TempDir()),
		model("1", fileOf("m.bin", url, a), fileOf("Case.bin", url, a), sized(1), malformed, noURL, fileOf("same.bin", url, a)),
		model("2", fileOf("m.bin", url, b), fileOf("case.BIN", url, a), sized(2), fileURL, upper))
	reasons := make(map[string]error)
	for _, problem := range p.Problems() {
		reasons[problem.FileName] = problem.Err
	}
	assert.ErrorIs(t, reasons["m.bin"], download.ErrConflict)
	assert.ErrorIs(t, reasons["s.bin"], download.ErrConflict)
	assert.ErrorIs(t, reasons["Case.bin"], download.ErrUnsafeName)
	assert.ErrorIs(t, reasons["case.BIN"], download.ErrUnsafeName)
	assert.ErrorIs(t, reasons["h.bin"], modelref.ErrChecksumMismatch)
	assert.ErrorIs(t, reasons["u.bin"], download.ErrNoSource)
	assert.ErrorIs(t, reasons["v.bin"], download.ErrNoSource)
	assert.Len(t, p.Problems(), 7)
	require.Len(t, p.Files(), 1)
	assert.Equal(t, "compvis/same.bin", p.Files()[0].Path)
	assert.Len(t, p.Files()[0].Models, 2)
	assert.Len(t, p.Files()[0].URLs, 1)
}

// Slow hosts are last among the sources of a file and in the order of the files.
func TestSlowHostsAreLast(t *testing.T) {
	t.Parallel()
	a, b := newContent(108, 10), newContent(109, 20)
	slow := fileOf("a.bin", "https://slow.example/a", a)
	slow.KnownSlowDownload = modelref.Some(true)
	onlySlow := fileOf("first.bin", "https://slow.example/b", b)
	onlySlow.KnownSlowDownload = modelref.Some(true)
	p := plan(t, quick(t.TempDir()), model("0", onlySlow), model("1", slow), model("2", fileOf("a.bin", "https://fast.example/a", a)))
	require.Len(t, p.Files(), 2)
	assert.Equal(t, []string{"https://fast.example/a", "https://slow.example/a"}, p.Files()[0].URLs)
	assert.False(t, p.Files()[0].Slow)
	assert.Equal(t, "compvis/first.bin", p.Files()[1].Path)
	assert.True(t, p.Files()[1].Slow)
}

// A file in another weights root counts as present. It is not modified.
func TestExtraDirs(t *testing.T) {
	t.Parallel()
	s, dir, extra := newServer(t), t.TempDir(), t.TempDir()
	c := newContent(110, 1000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	_, err := run(t, quick(extra), record)
	require.NoError(t, err)
	s.reset()
	o := quick(dir)
	o.ExtraDirs = []string{extra, filepath.Join(dir, "none")}
	record.Config.Download = append(record.Config.Download, fileOf("copy.bin", s.URL+"/m", c))
	p := plan(t, o, record)
	assert.Equal(t, download.StateVerified, p.Files()[0].State)
	assert.Equal(t, extra, p.Files()[0].Dir)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	assert.Empty(t, s.log())
	requireFile(t, dir, "compvis/copy.bin", c)
	requireNoFile(t, dir, "compvis/m.bin")
}

// A symbolic link of the operator is followed for reading. It is replaced if the content is wrong.
func TestLinkedFile(t *testing.T) {
	t.Parallel()
	s, dir, elsewhere := newServer(t), t.TempDir(), filepath.Join(t.TempDir(), "m.bin")
	c := newContent(111, 1000)
	require.NoError(t, os.WriteFile(elsewhere, c.data, 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "compvis"), 0o755))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "compvis", "m.bin")))
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	assert.Equal(t, download.StateVerified, plan(t, quick(dir), record).Files()[0].State)
	require.NoError(t, os.WriteFile(elsewhere, []byte("other"), 0o644))
	p := plan(t, quick(dir), record)
	assert.Equal(t, download.StateMismatch, p.Files()[0].State)
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	got, err := os.ReadFile(elsewhere)
	require.NoError(t, err)
	assert.Equal(t, "other", string(got), "the target is not changed")
}

// A folder inside a weights folder must not lead out of it.
func TestLinkedSubfolder(t *testing.T) {
	t.Parallel()
	s, dir, elsewhere := newServer(t), t.TempDir(), t.TempDir()
	c := newContent(112, 1000)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "compvis"), 0o755))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "compvis", "sub")))
	_, err := run(t, quick(dir), model("m", fileOf("sub/m.bin", s.put("/m", c), c)))
	require.ErrorContains(t, err, "escapes")
	assert.Empty(t, filesIn(t, elsewhere))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(113, 1000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	_, err := run(t, quick(dir), record)
	require.NoError(t, err)
	p := plan(t, quick(dir), record)
	path := filepath.Join(dir, "compvis", "m.bin")
	require.NoError(t, os.WriteFile(path, append([]byte{1}, c.data[1:]...), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "m.sha256"), []byte(c.sum()+" *m.bin"), 0o644))
	assert.Equal(t, download.StateVerified, p.Files()[0].State, "the plan is older than the change")
	require.NoError(t, p.Verify(t.Context()))
	assert.Equal(t, download.StateMismatch, p.Files()[0].State)
	ctx, cancel := contextWithTimeout(t, 0)
	defer cancel()
	require.Error(t, p.Verify(ctx))
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(114, 300_000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
		return n == 0
	})
	var report *download.Report
	var kinds []string
	for e, err := range plan(t, quick(dir), record).Events(t.Context(), &report) {
		require.NoError(t, err)
		if e.Kind != download.EventProgress {
			kinds = append(kinds, e.Kind.String())
		}
		assert.Equal(t, "compvis/m.bin", e.Path)
	}
	assert.Equal(t, []string{"started", "waiting", "done"}, kinds)
	assert.Len(t, report.Files, 1)

	// If the loop is left early, the download is interrupted.
	dir = t.TempDir()
	o := quick(dir)
	o.RateLimit = 100_000
	for range plan(t, o, record).Events(t.Context(), nil) {
		break
	}
	requireNoFile(t, dir, "compvis/m.bin")

	// The error of Run is the last element.
	s.reset()
	s.put("/m", newContent(115, 10))
	var last error
	for _, err := range plan(t, quick(t.TempDir()), record).Events(t.Context(), nil) {
		last = err
	}
	require.ErrorIs(t, last, modelref.ErrChecksumMismatch)
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	_, err := download.NewPlan(t.Context(), []*modelref.ModelRecord{}, download.Options{
		Dir: "x", Jobs: -1, Connections: 9, RateLimit: -1, MinFree: -1, Retries: -1, IdleTimeout: -1, MinRate: -1, MaxRetryAfter: -1,
		Check: 7, Tokens: map[string]string{"https://x": "t"},
	})
	for _, name := range []string{"Jobs", "Connections", "RateLimit", "MinFree", "Retries", "IdleTimeout", "MinRate", "MaxRetryAfter", "Check", "Tokens"} {
		assert.ErrorContains(t, err, "Options."+name)
	}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{
		"compvis/m.safetensors", "compvis/m.sha256", "compvis/m.safetensors.component-identity.json", "compvis/next.bin.part",
		"compvis/next.bin.part.json", "compvis/old.ckpt", "compvis/old.sha256", "compvis/old.ckpt.part", "compvis/lost.sha256",
		"compvis/sub/x.bin", "compvis/.modelref/x.lock", "clip/other.pt", "lora/x.safetensors", "controlnet/a.pth", "vae/v.bin",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	c := newContent(116, 10)
	records := []*modelref.ImageGenerationRecord{model("m", fileOf("m.safetensors", "https://x.example", c), fileOf("next.bin", "https://x.example", c))}
	list := func(categories ...modelref.Category) (out []string) {
		orphans, err := download.Orphans(t.Context(), categories, records, quick(dir))
		require.NoError(t, err)
		for _, o := range orphans {
			out = append(out, o.Kind.String()+" "+o.Path)
		}
		return out
	}
	inCompvis := []string{
		"sidecar compvis/lost.sha256", "file compvis/old.ckpt", "partial compvis/old.ckpt.part", "sidecar compvis/old.sha256", "file compvis/sub/x.bin",
	}
	assert.Equal(t, inCompvis, list(modelref.CategoryImageGeneration))
	assert.Empty(t, list(modelref.CategoryControlNet), "the annotators are in the same folder")
	everything := list(modelref.Categories()...)
	assert.Equal(t, append(append([]string{"file clip/other.pt"}, inCompvis...), "file controlnet/a.pth", "file vae/v.bin"), everything)

	orphans, err := download.Orphans(t.Context(), modelref.Categories(), records, quick(dir))
	require.NoError(t, err)
	for _, o := range orphans {
		require.NoError(t, o.Remove())
		require.NoError(t, o.Remove(), "twice")
	}
	assert.Empty(t, list(modelref.Categories()...))
	assert.FileExists(t, filepath.Join(dir, "lora/x.safetensors"))
	assert.FileExists(t, filepath.Join(dir, "compvis/next.bin.part"))
	require.Error(t, (&download.Orphan{Path: "compvis/m.safetensors"}).Remove())
}
