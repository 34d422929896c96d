// verify: the built command against directories with right, wrong and missing files.

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordedFile is a file of a record in a test document.
type recordedFile struct {
	Name    string `json:"file_name"`
	URL     string `json:"file_url"`
	Sum     string `json:"sha256sum"`
	Size    int64  `json:"size_bytes,omitempty"`
	Purpose string `json:"file_purpose,omitempty"`
}

// ownNamed returns a file whose content is its name.
func ownNamed(name string) recordedFile {
	return recordedFile{Name: name, URL: "https://example.org/x", Sum: sumOf(name)}
}

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// modelWith returns the member of a document for a model with files.
func modelWith(t *testing.T, name string, files ...recordedFile) string {
	t.Helper()
	data, err := json.Marshal(files)
	require.NoError(t, err)
	return fmt.Sprintf(`%q: {"name": %[1]q, "baseline": "flux_1", "nsfw": false, "config": {"download": %s}}`, name, data)
}

// withFiles returns the document of a model with files of those names, whose content is their name.
func withFiles(t *testing.T, names ...string) string {
	t.Helper()
	var files []recordedFile
	for _, name := range names {
		files = append(files, ownNamed(name))
	}
	files = append(files, recordedFile{Name: "unrecorded.bin", URL: "https://example.org/x", Sum: "FIXME"})
	return "{" + modelWith(t, "One", files...) + "}"
}

// checked parses the lines of --jsonl, by file name.
func checked(t *testing.T, lines string) map[string]checkedFile {
	t.Helper()
	out := map[string]checkedFile{}
	for _, line := range splitLines(lines) {
		var file checkedFile
		require.NoError(t, json.Unmarshal([]byte(line), &file))
		out[file.File] = file
	}
	return out
}

func TestVerify(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "good.bin", "sub/good.bin", "bad.bin", "away.bin"))
	dir := t.TempDir()
	write(t, dir, "compvis/good.bin", "good.bin")
	write(t, dir, "compvis/sub/good.bin", "sub/good.bin")
	write(t, dir, "compvis/unrecorded.bin", "anything")
	verify := append(flags, "verify", dir, "image_generation")
	const table = `STATE        CATEGORY          MODEL  FILE                    REASON
ok           image_generation  One    compvis/good.bin
ok           image_generation  One    compvis/sub/good.bin
no checksum  image_generation  One    compvis/unrecorded.bin
`
	const count = "modelref: 3 of 5 files are there: 2 ok, 0 mismatch, 1 without a checksum, 0 unreadable; 0 unsafe; "
	assert.Equal(t, result{0, table, count + "2 files read, 20 B\n"}, runBinary(t, verify...))
	assert.Equal(t, result{0, table, count + "0 files read, 0 B\n"}, runBinary(t, verify...), "the checksums are remembered")
	assert.Equal(t, 3, runBinary(t, append(verify, "--missing")...).code)
	assert.Equal(t, 3, runBinary(t, append(verify, "--model", "One")...).code, "its files are not all there")
	assert.Equal(t, 3, runBinary(t, append(verify, "--model", "None")...).code)
	flat := runBinary(t, append(verify, "--flat")...)
	assert.Equal(t, 3, flat.code, "nothing is found")
	assert.Contains(t, flat.err, "no file of these records is in "+dir)
}

func TestVerifyOfWhatDownloadHasStored(t *testing.T) {
	t.Parallel()
	w, flags := twoWeights(t)
	dir := t.TempDir()
	require.Equal(t, 0, runBinary(t, append(flags, "download", "image", "--all", "--dir", dir)...).code)
	got := runBinary(t, append(flags, "verify", dir, "image", "--missing", "--extra", "--jsonl")...)
	assert.Equal(t, 0, got.code, got.err)
	files := checked(t, got.out)
	assert.Len(t, files, 2, "nothing is extra")
	for name, file := range files {
		assert.Equal(t, fileOK, file.State, name)
		assert.False(t, file.Hashed, "the download has stored the checksum")
		assert.EqualValues(t, len(w.content[name]), file.Size)
	}
}

func TestVerifyLooksInTheFolderOfThePurpose(t *testing.T) {
	t.Parallel()
	vae, encoder := ownNamed("v.bin"), ownNamed("t.bin")
	vae.Purpose, encoder.Purpose = "vae", "text_encoder"
	vae.Sum = strings.ToUpper(vae.Sum)
	_, flags := serve(t, "{"+modelWith(t, "One", vae, encoder)+"}")
	dir := t.TempDir()
	write(t, dir, "vae/v.bin", "v.bin")
	write(t, dir, "text_encoders/t.bin", "t.bin")
	got := runBinary(t, append(flags, "verify", dir, "image", "--missing", "--output", "csv")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Equal(t, "state,category,model,file,reason\nok,image_generation,One,vae/v.bin,\n"+
		"ok,image_generation,One,text_encoders/t.bin,\n", got.out)
}

func TestVerifySaysWhy(t *testing.T) {
	t.Parallel()
	sized := ownNamed("sized.bin")
	sized.Size = 9
	invalid := ownNamed("invalid.bin")
	invalid.Sum = "abc"
	short := strings.TrimSuffix(modelWith(t, "Short", ownNamed("short.bin")), "}") + `, "size_on_disk_bytes": 5000}`
	_, flags := serve(t, "{"+modelWith(t, "One", ownNamed("bad.bin"), sized, invalid, ownNamed("empty.bin"), ownNamed("folder.bin"),
		ownNamed("begun.bin"), ownNamed("away.bin"), ownNamed("../out.bin"))+","+short+"}")
	dir := t.TempDir()
	for name, content := range map[string]string{
		"bad.bin": "else", "sized.bin": "0123", "invalid.bin": "x", "empty.bin": "", "short.bin": "x", "begun.bin.part": "beg",
		"folder.bin/x": "x",
	} {
		write(t, dir, "compvis/"+name, content)
	}
	verify := append(flags, "verify", dir, "image", "--missing")
	got := runBinary(t, append(verify, "--jsonl")...)
	assert.Equal(t, 3, got.code, got.err)
	files := checked(t, got.out)
	for name, want := range map[string][2]string{
		"bad.bin":     {fileMismatch, fmt.Sprintf("expected %.12s, is %.12s", sumOf("bad.bin"), sumOf("else"))},
		"sized.bin":   {fileMismatch, "4 B, 5 B smaller than in the record"},
		"invalid.bin": {fileNoChecksum, `the record's checksum "abc" is not a SHA-256`},
		"empty.bin":   {fileMismatch, fmt.Sprintf("expected %.12s, is %.12s; the file is empty", sumOf("empty.bin"), sumOf(""))},
		"folder.bin":  {fileUnreadable, "folder.bin is not a regular file"},
		"begun.bin":   {fileMissing, "3 B of it were downloaded: modelref download continues"},
		"away.bin":    {fileMissing, "there is no such file"},
		"../out.bin":  {fileUnsafe, `unsafe file name: "../out.bin" leads out of the weights folder`},
		"short.bin": {fileMismatch, fmt.Sprintf("expected %.12s, is %.12s; 1 B, 5.0 kB smaller than in the record",
			sumOf("short.bin"), sumOf("x"))},
	} {
		assert.Equal(t, want, [2]string{files[name].State, files[name].Reason}, name)
	}
	bad := files["bad.bin"]
	assert.Equal(t, []string{sumOf("bad.bin"), sumOf("else"), "compvis/bad.bin"}, []string{bad.Expected, bad.Actual, bad.Path})
	assert.True(t, bad.Hashed)
	assert.False(t, files["sized.bin"].Hashed, "its size is enough")
	assert.NoFileExists(t, filepath.Join(dir, "compvis", "bad.sha256"), "a wrong file has no checksum file")
	assert.Regexp(t, `mismatch +image_generation +One +compvis/bad\.bin +expected `, runBinary(t, verify...).out)

	rehashed := checked(t, runBinary(t, append(verify, "--jsonl", "--rehash")...).out)["sized.bin"]
	assert.Equal(t, fmt.Sprintf("expected %.12s, is %.12s; 4 B, 5 B smaller than in the record", sumOf("sized.bin"), sumOf("0123")),
		rehashed.Reason)
}

func TestVerifyRemembersTheChecksums(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "a.bin", "b.bin"))
	dir := t.TempDir()
	path := write(t, dir, "compvis/a.bin", "a.bin")
	write(t, dir, "compvis/b.bin", "b.bin")
	verify := append(flags, "verify", dir, "image", "--jsonl")
	hashed := func(args ...string) (out [2]bool) {
		got := runBinary(t, append(verify, args...)...)
		require.Equal(t, 0, got.code, got.err)
		files := checked(t, got.out)
		return [2]bool{files["a.bin"].Hashed, files["b.bin"].Hashed}
	}
	assert.Equal(t, [2]bool{true, true}, hashed())
	assert.Equal(t, [2]bool{false, false}, hashed())
	assert.Equal(t, [2]bool{true, true}, hashed("--rehash"))
	assert.Equal(t, [2]bool{false, false}, hashed())
	t.Run("sha256sum", func(t *testing.T) {
		assert.Equal(t, "a.bin: OK\n", other(t, filepath.Join(dir, "compvis"), "", "sha256sum", "-c", "a.sha256"))
	})
	later := time.Now().Add(3 * time.Second) // the clock of a file system may have steps of two seconds
	require.NoError(t, os.WriteFile(path, []byte("b.bin"), 0o600))
	require.NoError(t, os.Chtimes(path, later, later))
	got := runBinary(t, verify...)
	assert.Equal(t, 3, got.code, "the file was changed")
	assert.True(t, checked(t, got.out)["a.bin"].Hashed)
	assert.False(t, checked(t, got.out)["b.bin"].Hashed)
}

// A checksum file that is newer than a damaged file hides the damage until everything is read again.
func TestVerifyRehashFindsHiddenDamage(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "a.bin"))
	dir := t.TempDir()
	write(t, dir, "compvis/a.bin", "damaged")
	sidecar := write(t, dir, "compvis/a.sha256", sumOf("a.bin")+" *a.bin")
	later := time.Now().Add(3 * time.Second)
	require.NoError(t, os.Chtimes(sidecar, later, later))
	verify := append(flags, "verify", dir, "image")
	assert.Equal(t, 0, runBinary(t, verify...).code)
	assert.Equal(t, 3, runBinary(t, append(verify, "--rehash")...).code)
	assert.NoFileExists(t, sidecar)
	assert.Equal(t, 3, runBinary(t, verify...).code, "the damage stays visible")
}

func TestVerifyCannotStoreTheChecksums(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "a.bin", "b.bin"))
	dir := t.TempDir()
	write(t, dir, "compvis/a.bin", "a.bin")
	write(t, dir, "compvis/b.bin", "b.bin")
	if os.Geteuid() > 0 { // root writes everywhere, and Windows has no such mode
		folder := filepath.Join(dir, "compvis")
		require.NoError(t, os.Chmod(folder, 0o500))
		t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	} else {
		write(t, dir, "compvis/a.sha256/taken", "")
		write(t, dir, "compvis/b.sha256/taken", "")
	}
	for range 2 {
		got := runBinary(t, append(flags, "verify", dir, "image", "--jsonl")...)
		assert.Equal(t, 0, got.code, got.err)
		assert.True(t, checked(t, got.out)["b.bin"].Hashed)
		assert.Equal(t, 1, strings.Count(got.err, "the next run reads 2 files again, because the checksum cannot be stored: "), got.err)
	}
}

func TestVerifyExtra(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, withFiles(t, "a.bin"))
	dir := t.TempDir()
	write(t, dir, "compvis/a.bin", "a.bin")
	write(t, dir, "compvis/a stray.bin", "stray")
	write(t, dir, "compvis/gone.sha256", "")
	write(t, dir, "compvis/a.bin.part", "rest")
	write(t, dir, "elsewhere/b.bin", "x")
	verify := append(flags, "verify", dir, "image")
	plain := runBinary(t, verify...)
	assert.Equal(t, 0, plain.code)
	assert.NotContains(t, plain.out, "stray")
	got := runBinary(t, append(verify, "--extra", "--jsonl")...)
	assert.Equal(t, 0, got.code, "an extra file is not wrong")
	files := checked(t, got.out)
	assert.Equal(t, checkedFile{
		State: fileExtra, File: "compvis/a stray.bin", Path: "compvis/a stray.bin", Size: 5, Reason: "no record names it",
	}, files["compvis/a stray.bin"])
	assert.Equal(t, "the file that it belongs to is not there", files["compvis/gone.sha256"].Reason)
	assert.Equal(t, "no record needs the rest of this download", files["compvis/a.bin.part"].Reason)
	assert.Len(t, files, 4, "the checksum file of a.bin is not extra")
	assert.Contains(t, got.err, "0 unsafe, 3 extra;")
	assert.Equal(t, result{0, "compvis/a stray.bin\x00compvis/a.bin.part\x00compvis/gone.sha256\x00", ""},
		runBinary(t, append(verify, "--extra", "-q0")...))

	_, flags = serve(t, `{"Odd": {"name": 7}, `+modelWith(t, "One", ownNamed("a.bin"))+`}`)
	doubt := runBinary(t, append(flags, "verify", dir, "image", "--extra", "-q")...)
	assert.Contains(t, doubt.err, "may be needed: image_generation is stale or has records that cannot be decoded")
}

func TestVerifyPathsForOtherPrograms(t *testing.T) {
	t.Parallel()
	odd := "it's a b.bin"
	shared, c, contrary := ownNamed("shared.bin"), ownNamed("c.bin"), ownNamed("c.bin")
	contrary.Sum = sumOf("another")
	_, flags := serve(t, "{"+modelWith(t, "One", ownNamed("good.bin"), ownNamed(odd), shared, c, ownNamed("../../up.bin"))+","+
		modelWith(t, "Two", shared, contrary)+"}")
	dir := t.TempDir()
	write(t, dir, "compvis/good.bin", "good.bin")
	write(t, dir, "compvis/"+odd, "bad")
	write(t, dir, "compvis/shared.bin", "bad")
	write(t, dir, "compvis/c.bin", "c.bin")
	verify := append(flags, "verify", dir, "image")
	want := "compvis/" + odd + "\ncompvis/shared.bin\n"
	got := runBinary(t, append(verify, "-q")...)
	assert.Equal(t, 3, got.code)
	assert.Equal(t, want, got.out, "a path that two records share is printed once")
	assert.Contains(t, got.err, `unsafe: ../../up.bin of "One": `)
	assert.Contains(t, got.err, `mismatch: c.bin of "Two": `, "one record needs the file, so that it must not be removed")
	null := runBinary(t, append(verify, "-q", "--null")...)
	assert.Equal(t, strings.ReplaceAll(want, "\n", "\x00"), null.out)
	assert.Contains(t, runBinary(t, verify...).out, "another record expects another content at this path")
	t.Run("xargs", func(t *testing.T) {
		other(t, dir, null.out, "xargs", "-0", "rm", "--")
		assert.NoFileExists(t, filepath.Join(dir, "compvis", odd))
		assert.FileExists(t, filepath.Join(dir, "compvis", "c.bin"))
		assert.FileExists(t, filepath.Join(dir, "compvis", "good.bin"))
	})
}

func TestVerifyNeverLeavesTheDirectory(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "models")
	absolute := write(t, outer, "secret.bin", "../secret.bin")
	write(t, dir, "good.bin", "good.bin")
	_, flags := serve(t, withFiles(t, "good.bin", "../secret.bin", "../../secret.bin", absolute, "a/../../secret.bin"))
	got := runBinary(t, append(flags, "verify", dir, "image_generation", "--flat", "--json")...)
	assert.Equal(t, 3, got.code)
	var files []checkedFile
	require.NoError(t, json.Unmarshal([]byte(got.out), &files), "--json prints one array")
	states := map[string]int{}
	for _, file := range files {
		states[file.State]++
	}
	assert.Equal(t, map[string]int{fileOK: 1, fileUnsafe: 4}, states)
	assert.FileExists(t, filepath.Join(dir, "good.sha256"))
}

func TestVerifyFollowsLinksOfTheOperator(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "models")
	target := write(t, outer, "disk/a.bin", "a.bin")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "compvis"), 0o750))
	if err := os.Symlink(target, filepath.Join(dir, "compvis", "a.bin")); err != nil {
		t.Skip("symbolic links cannot be created here: ", err)
	}
	_, flags := serve(t, withFiles(t, "a.bin"))
	assert.Equal(t, 0, runBinary(t, append(flags, "verify", dir, "image")...).code)
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--null needs --quiet": {"--null"}, "remove --flat": {"--extra", "--flat"}, "one of --json, --jsonl, --quiet": {"--json", "-q"},
	} {
		got := runBinary(t, append([]string{"--demo", "verify", dir, "image"}, args...)...)
		assert.Equal(t, 2, got.code)
		assert.Contains(t, got.err, want)
		assert.Empty(t, got.out)
	}
	assert.Equal(t, 2, runBinary(t, "--demo", "verify", filepath.Join(dir, "away")).code)
}

// large is the size of a file that takes a while to read.
const large = 16 << 30

// withLargeFile returns a directory with a small file, a large one and an unrecorded one, in this order.
func withLargeFile(t *testing.T, size int64) (dir string, flags []string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "compvis/first.bin", "first.bin")
	path := write(t, dir, "compvis/large.bin", "")
	write(t, dir, "compvis/unrecorded.bin", "anything")
	if err := os.Truncate(path, size); err != nil {
		t.Skip("the file system has no sparse files: ", err)
	}
	_, flags = serve(t, withFiles(t, "first.bin", "large.bin"))
	return dir, flags
}

func TestVerifyAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process on Windows cannot be sent an interrupt")
	}
	dir, flags := withLargeFile(t, large)
	for form, want := range map[string]func(t *testing.T, first, rest string){
		"--jsonl": func(t *testing.T, first, rest string) {
			assert.Contains(t, first, `"path":"compvis/first.bin"`, "a line is printed as soon as the file is done")
			assert.Contains(t, rest, `"path":"compvis/unrecorded.bin"`)
			assert.NotContains(t, rest, "large.bin", "nothing is known of it")
		},
		"--output=table": func(t *testing.T, first, rest string) {
			assert.Equal(t, "STATE        CATEGORY          MODEL  FILE                    REASON\n", first)
			assert.Equal(t, "ok           image_generation  One    compvis/first.bin\n"+
				"no checksum  image_generation  One    compvis/unrecorded.bin\n", rest)
		},
		"--output=csv": func(t *testing.T, first, rest string) {
			rows, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
			require.NoError(t, err)
			assert.Len(t, rows, 2)
		},
	} {
		t.Run(form, func(t *testing.T) {
			cmd := command(t, t.Context(), append(flags, "verify", dir, "image", form)...)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			reader := bufio.NewReader(out)
			first, err := reader.ReadString('\n') // while the large file is being read
			require.NoError(t, err)
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
			rest, err := io.ReadAll(reader)
			require.NoError(t, err)
			require.Error(t, cmd.Wait())
			assert.Equal(t, 130, cmd.ProcessState.ExitCode(), errs.String())
			assert.Contains(t, errs.String(), "interrupted after 2 of 3 files, 2 are there: 1 ok, 0 mismatch, 1 without a checksum")
			want(t, first, string(rest))
		})
	}
	assert.NoFileExists(t, filepath.Join(dir, "compvis", "large.sha256"))
}

func TestVerifyPrintsAnArrayAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process on Windows cannot be sent an interrupt")
	}
	dir, flags := withLargeFile(t, large)
	cmd := command(t, t.Context(), append(flags, "verify", dir, "image", "--json")...)
	var out bytes.Buffer
	cmd.Stdout = &out
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { // the first file is done
		_, err := os.Stat(filepath.Join(dir, "compvis", "first.sha256"))
		return err == nil
	}, 20*time.Second, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.Error(t, cmd.Wait())
	assert.Equal(t, 130, cmd.ProcessState.ExitCode())
	var files []checkedFile
	require.NoError(t, json.Unmarshal(out.Bytes(), &files))
	assert.Len(t, files, 2)
}
