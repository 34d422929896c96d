//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// This file tests several processes with one cache directory: they share downloads, read complete documents, and
// continue after another process has crashed.

package modelref_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// Environment variables of a child process: its role, the cache directory, and the URL of the server.
const (
	envRole = "MODELREF_TEST_ROLE"
	envDir  = "MODELREF_TEST_DIR"
	envURL  = "MODELREF_TEST_URL"
)

// The roles of a child process.
const (
	roleReader    = "reader"    // reads until its standard input ends
	roleRefresher = "refresher" // downloads and writes continuously
	roleOther     = "other"     // writes documents in place, like a program that does not rename files
)

const processTTL = 100 * time.Millisecond

// TestHelperProcess is not a test. It is the main function of the child processes.
func TestHelperProcess(t *testing.T) {
	dir := os.Getenv(envDir)
	switch os.Getenv(envRole) {
	case roleReader:
		childReads(t, childClient(t, dir))
	case roleRefresher:
		client := childClient(t, dir)
		for {
			_, _ = client.ImageGeneration.Load(t.Context(), modelref.WithRefresh()) // the parent kills this process
			fmt.Println("loaded")
		}
	case roleOther:
		// Both versions have the same length, which is the worst case for concurrent readers.
		documents := [][]byte{[]byte(longDocument(1)), []byte(longDocument(2))}
		for i := 0; ; i++ {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), documents[i%2], 0o600))
		}
	default:
		t.Skip("used only in the child processes of other tests")
	}
}

// childClient returns a client of the parent's server.
func childClient(t *testing.T, dir string) *modelref.Client {
	client, err := modelref.New(modelref.WithPrimaryURL(os.Getenv(envURL)), modelref.WithoutGitHub(),
		modelref.WithCacheDir(dir), modelref.WithTTL(processTTL))
	require.NoError(t, err)
	return client
}

// childReads reads until the parent closes the standard input. It prints each version when it is first read.
func childReads(t *testing.T, client *modelref.Client) {
	enough := make(chan struct{})
	go func() {
		defer close(enough)
		_, _ = io.Copy(io.Discard, os.Stdin) // until the end or an error
	}()
	reader, err := client.Category("image_generation")
	require.NoError(t, err)
	for last, more := -1, true; more; {
		ref, err := reader.Load(t.Context())
		require.NoError(t, err)
		version, err := versionOf(ref)
		require.NoError(t, err)
		require.GreaterOrEqual(t, version, last, "an older version than before")
		if version > last {
			fmt.Printf("version %d\n", version)
		}
		last = version
		select {
		case <-enough:
			more = false
		case <-time.After(2 * time.Millisecond):
		}
	}
	require.NoError(t, client.Close())
}

// child is a child process.
type child struct {
	*exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// startChild runs this test binary in a child process with a role.
func startChild(t *testing.T, role, dir, url string) *child {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // if the child hangs, only its test fails
	t.Cleanup(cancel)
	c := &child{Cmd: exec.CommandContext(ctx, program, "-test.run=^TestHelperProcess$")}
	c.Env = append(os.Environ(), envRole+"="+role, envDir+"="+dir, envURL+"="+url)
	c.Stderr = os.Stderr
	c.stdin, err = c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewScanner(out)
	require.NoError(t, c.Start())
	return c
}

// await reads the output of the child up to a line.
func (c *child) await(t *testing.T, line string) {
	t.Helper()
	var said []string
	for c.lines.Scan() {
		if c.lines.Text() == line {
			return
		}
		said = append(said, c.lines.Text())
	}
	t.Fatalf("the child ended without printing %q, it printed %q", line, said)
}

// finish ends a reader and checks that it reports no error.
func (c *child) finish(t *testing.T) {
	t.Helper()
	require.NoError(t, c.stdin.Close())
	var said []string
	for c.lines.Scan() {
		said = append(said, c.lines.Text())
	}
	require.NoError(t, c.Wait(), strings.Join(said, "\n"))
}

// kill ends the child immediately, like the kernel if memory is exhausted.
func (c *child) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, c.Process.Signal(syscall.SIGKILL))
	for c.lines.Scan() { // reads to the end, so that Wait may close the pipe
		continue
	}
	require.Error(t, c.Wait())
}

// countOf counts the requests to an endpoint.
func countOf(server *modelreftest.Server, endpoint modelreftest.Endpoint) (n int) {
	for _, r := range server.Requests() {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}

// publish sets a version. Its last-updated time is several seconds in the past. With the current second, every read
// within the next two seconds would have to download the document. That is correct but not the subject of this test.
func publish(server *modelreftest.Server, version int) {
	server.SetDocument(modelref.CategoryImageGeneration, versioned(version))
	server.SetLastUpdated(modelref.CategoryImageGeneration, time.Now().Unix()-1000+int64(version))
}

func TestProcessesShareDownloads(t *testing.T) {
	t.Parallel()
	const processes, changes = 4, 6
	server := modelreftest.NewServer(t)
	dir := t.TempDir()
	publish(server, 0)
	start := time.Now()
	children := make([]*child, processes)
	for i := range children {
		children[i] = startChild(t, roleReader, dir, server.URL())
	}
	// The first read does not request the last-updated time. Later reads compare it with the previous one.
	require.Eventually(t, func() bool { return countOf(server, modelreftest.LastUpdated) >= 3 }, 20*time.Second, time.Millisecond)
	for version := range changes + 1 {
		if version > 0 {
			publish(server, version)
		}
		for _, c := range children {
			c.await(t, fmt.Sprintf("version %d", version))
		}
	}
	for _, c := range children {
		c.finish(t)
	}
	took := time.Since(start)
	documents, updates := countOf(server, modelreftest.Documents), countOf(server, modelreftest.LastUpdated)
	t.Logf("%d processes, %d versions in %s: %d downloads, %d last-updated times; separate processes would request %d downloads and about %d last-updated times",
		processes, changes+1, took.Round(time.Millisecond), documents, updates, processes*(changes+1),
		processes*int(took/processTTL))
	// If the document changes between the requests of one download, there is a second download.
	assert.LessOrEqual(t, documents, 2*(changes+1))
	checkCacheDir(t, dir, changes)
}

// checkCacheDir checks that the directory has only the document of a version, its provenance, and a lock.
func checkCacheDir(t *testing.T, dir string, version int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	assert.Equal(t, []string{".stable_diffusion.json.lock", "stable_diffusion.json", "stable_diffusion.json.modelref"}, names)
	assert.Equal(t, versioned(version), readFile(t, dir, "stable_diffusion.json"), "the document is unchanged")
}

func TestAKilledProcessDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	dir := t.TempDir()
	publish(server, 1)
	server.Break(modelreftest.Documents, modelreftest.Stall())
	c := startChild(t, roleReader, dir, server.URL())
	require.Eventually(t, func() bool { return len(server.Requests()) > 0 }, 10*time.Second, time.Millisecond)
	c.kill(t) // it holds the lock and waits for a response
	server.Heal(modelreftest.Documents)
	start := time.Now()
	ref := load(t, server.Client(t, modelref.WithCacheDir(dir)))
	took := time.Since(start)
	t.Logf("after a SIGKILL of the process with the lock, a read took %s", took.Round(time.Millisecond))
	assert.Less(t, took, 2*time.Second, "a read would wait for a lock for half of the budget, 10 s")
	assert.Equal(t, modelref.SourcePrimary, ref.Source())
	checkCacheDir(t, dir, 1)
}

// longDocument returns a document of about 1 MiB. All versions have the same length.
func longDocument(version int) string {
	var out strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&out, "%c\n    \"Model %04d\": {\n        \"name\": \"Model %04d\",\n        \"description\": \"version %09d\",\n"+
			"        \"baseline\": \"flux_1\",\n        \"nsfw\": false,\n        \"homepage\": \"%s\"\n    }",
			"{,"[min(i, 1)], i, i, version, strings.Repeat("x", 100))
	}
	return out.String() + "\n}\n"
}

// checkWhole checks that a reference has all records of a long document and that they have the same version.
func checkWhole(t *testing.T, ref *modelref.Reference[modelref.ImageGenerationRecord]) {
	t.Helper()
	require.Equal(t, 4000, ref.Len())
	versions := map[string]bool{}
	for _, record := range ref.All() {
		versions[record.Description] = true
	}
	require.Len(t, versions, 1, "torn")
}

func TestAProcessKilledWhileWritingLeavesACompleteFile(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	dir := t.TempDir()
	left := 0
	for round := range 10 {
		server.SetDocument(modelref.CategoryImageGeneration, longDocument(round))
		c := startChild(t, roleRefresher, dir, server.URL())
		c.await(t, "loaded")
		time.Sleep(between(0, 30*time.Millisecond)) // at a random point of its work
		c.kill(t)
		client, err := modelref.New(modelref.WithPrimaryURL(server.URL()), modelref.WithOffline(), modelref.WithCacheDir(dir))
		require.NoError(t, err)
		ref := load(t, client)
		require.NoError(t, client.Close())
		assert.Equal(t, modelref.SourceDisk, ref.Source())
		checkWhole(t, ref)
		found, err := filepath.Glob(filepath.Join(dir, ".modelref-*.tmp"))
		require.NoError(t, err)
		left = len(found)
	}
	t.Logf("10 processes killed while they wrote: no corrupted document, %d unfinished files, which are removed after an hour", left)
}

func TestAFileOfAnotherProgramIsRead(t *testing.T) {
	t.Parallel()
	document := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(versioned(3)), &document))
	indented, err := json.MarshalIndent(document, "", "    ") // like json.dump(…, indent=4)
	require.NoError(t, err)
	for name, provenance := range map[string]string{
		"without provenance": "", "with the provenance of another document": `{"source":"primary","size":5,"crc32c":7}`,
		"with invalid provenance": "{", "with empty provenance": "{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "stable_diffusion.json")
			require.NoError(t, os.WriteFile(path, indented, 0o600))
			written := time.Now().Add(-time.Hour).Truncate(time.Second)
			require.NoError(t, os.Chtimes(path, written, written))
			if provenance != "" {
				require.NoError(t, os.WriteFile(path+".modelref", []byte(provenance), 0o600))
			}
			client, err := modelref.New(modelref.WithOffline(), modelref.WithCacheDir(dir))
			require.NoError(t, err)
			defer func() { _ = client.Close() }()
			ref := load(t, client)
			assert.Equal(t, versionedLen(3), ref.Len())
			assert.Equal(t, modelref.SourceDisk, ref.Source())
			assert.True(t, ref.Stale())
			assert.True(t, written.Equal(ref.FetchedAt()), "its age is that of the file")
		})
	}
}

func TestAFileThatIsWrittenInPlaceIsReadCompletelyOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), []byte(longDocument(0)), 0o600))
	c := startChild(t, roleOther, dir, "http://127.0.0.1:1")
	whole, refused := 0, 0
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		client, err := modelref.New(modelref.WithOffline(), modelref.WithCacheDir(dir))
		require.NoError(t, err)
		ref, err := client.ImageGeneration.Load(t.Context())
		require.NoError(t, client.Close())
		if err != nil {
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			refused++
			continue
		}
		checkWhole(t, ref)
		whole++
	}
	c.kill(t)
	t.Logf("a file that is continuously written in place: %d reads were complete, %d returned an error", whole, refused)
}

// The Python library reads a file with json.load. The top level has the records by name.
func TestPythonReadsTheCacheDirectory(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	server := modelreftest.NewServer(t)
	dir := t.TempDir()
	client := server.Client(t, modelref.WithCacheDir(dir))
	require.NoError(t, client.Warm(t.Context()))
	const script = `
import json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    with open(path, encoding="utf-8") as file:
        print(path.name, len(json.load(file)))
    with open(path) as file: records = json.load(file)
    with open(path, "w") as file: json.dump(records, file, indent=4)
`
	out, err := exec.CommandContext(t.Context(), python, "-c", script, dir).CombinedOutput()
	require.NoError(t, err, string(out))
	again, err := modelref.New(modelref.WithPrimaryURL(server.URL()), modelref.WithOffline(), modelref.WithCacheDir(dir))
	require.NoError(t, err)
	defer func() { _ = again.Close() }()
	for _, category := range modelref.Categories() {
		reader, err := client.Category(string(category))
		require.NoError(t, err)
		ours, err := reader.Load(t.Context())
		require.NoError(t, err)
		assert.Contains(t, string(out), fmt.Sprintf("%s %d\n", category.FileName(), ours.Len()))
		reader, err = again.Category(string(category))
		require.NoError(t, err)
		theirs, err := reader.Load(t.Context())
		require.NoError(t, err, "the file written by Python")
		assert.Equal(t, ours.Names(), theirs.Names())
		assert.Equal(t, modelref.SourceDisk, theirs.Source())
	}
}

func TestAPipeInsteadOfAFileDelaysNoRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"stable_diffusion.json", "stable_diffusion.json.modelref"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "stable_diffusion.json"), []byte(versioned(1)), 0o600))
			_ = os.Remove(filepath.Join(dir, name))
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			client, err := modelref.New(append(server.Options(), modelref.WithCacheDir(dir))...)
			require.NoError(t, err)
			_, err = client.ImageGeneration.Load(ctx)
			if err == nil { // otherwise the load waits for the pipe, and Close would wait, too
				_ = client.Close()
			}
			require.NoError(t, err)
		})
	}
}

// A download that was requested before a change and ends after it must not replace a newer document.
func TestASlowRefreshOfAnotherProcessDoesNotGoBack(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		dir := t.TempDir()
		a, b := server.Client(t, modelref.WithCacheDir(dir)), server.Client(t, modelref.WithCacheDir(dir))
		server.Script(modelreftest.Documents, modelreftest.Trickle(20*time.Millisecond))
		var slow sync.WaitGroup
		slow.Go(func() {
			_, err := a.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
			assert.NoError(t, err)
		})
		time.Sleep(time.Second)
		server.SetDocument(modelref.CategoryImageGeneration, threeModels)
		ref, err := b.ImageGeneration.Load(t.Context(), modelref.WithRefresh())
		require.NoError(t, err)
		require.Equal(t, 3, ref.Len())
		slow.Wait()
		for range 60 {
			require.Equal(t, 3, load(t, b).Len())
			time.Sleep(5 * time.Second)
		}
	})
}
