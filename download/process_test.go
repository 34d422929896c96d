//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// This file tests several processes with one directory, and processes that are killed.

package download_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
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
	"github.com/haidra-org/modelref/download"
)

// TestKilled repeatedly kills a downloading process at random times. A file with its final name is always correct, and
// the next process continues the download.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 500
	if testing.Short() {
		kills = 40
	}
	const workers = 2
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() { killLoop(t, kills/workers, worker%2 == 0) })
	}
	wg.Wait()
}

// killLoop downloads two files until they are complete and then starts again, until enough processes have been killed.
func killLoop(t *testing.T, kills int, small bool) {
	s := newServer(t)
	contents := map[string]content{"a.bin": newContent(40, 700_000), "b.bin": newContent(41, 1_300_000)}
	j := job{Small: small, RateLimit: 64 << 20}
	var size int64
	for name, c := range contents {
		j.Files = append(j.Files, fileOf(name, s.put("/"+name, c), c))
		size += int64(len(c.data))
	}
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		s.plain(&slowTestWriter{w}, r)
		return true
	})
	var killed, rounds int
	var fetched int64
	for killed < kills && !t.Failed() {
		j.Dir = t.TempDir()
		s.reset()
		s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
			s.plain(&slowTestWriter{w}, r)
			return true
		})
		rounds++
		died := 0
		for {
			text, err := json.Marshal(j)
			if !assert.NoError(t, err) {
				return
			}
			err = runAndKill(t, string(text), time.Duration(rand.IntN(30)+died)*time.Millisecond)
			requireNoWrongFile(t, j.Dir, contents)
			if err == nil {
				break
			}
			killed++
			died++
		}
		for name, c := range contents {
			got, err := os.ReadFile(filepath.Join(j.Dir, "compvis", name))
			assert.NoError(t, err)
			assert.True(t, bytes.Equal(got, c.data), name)
		}
		result := runChild(t, j) // removes the files of a process that was killed after it had renamed a file
		assert.Empty(t, result.Err)
		assert.Zero(t, result.Fetched)
		for _, name := range filesIn(t, j.Dir) {
			assert.NotContains(t, name, "part", "left over")
		}
		// Data that the server has written but a killed process has not read is lost.
		const lost = 400_000
		assert.LessOrEqual(t, s.sent(), size+int64(died)*lost, "bytes are fetched again")
		fetched += s.sent()
	}
	t.Logf("segments=%v: %d processes killed in %d downloads, %.2f times the bytes sent", small, killed, rounds, float64(fetched)/float64(size*int64(rounds)))
}

// runAndKill starts a client process and kills it at a time after the start of its main function. The time grows with
// the number of processes that did not finish, because a slow machine needs more time.
func runAndKill(t *testing.T, job string, after time.Duration) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	cmd := startChild(t, roleClient, job, writer)
	_ = writer.Close()
	_, _ = reader.Read(make([]byte, 1)) // the process prints a line when it starts
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait()
}

// slowTestWriter makes a response slow enough to be interrupted.
type slowTestWriter struct{ http.ResponseWriter }

func (w *slowTestWriter) Write(data []byte) (total int, err error) {
	for len(data) > 0 && err == nil {
		var n int
		n, err = w.ResponseWriter.Write(data[:min(len(data), 64<<10)])
		total += n
		data = data[n:]
		time.Sleep(2 * time.Millisecond)
	}
	return total, err
}

// requireNoWrongFile checks that every file with its final name and every checksum file is correct.
func requireNoWrongFile(t *testing.T, dir string, contents map[string]content) {
	t.Helper()
	for name, c := range contents {
		got, err := os.ReadFile(filepath.Join(dir, "compvis", name))
		if err == nil {
			assert.True(t, bytes.Equal(got, c.data), "%s is wrong", name)
		}
		sidecar, err := os.ReadFile(filepath.Join(dir, "compvis", download.ChecksumPath(name)))
		if err == nil {
			assert.Equal(t, c.sum()+" *"+name, string(sidecar))
		}
	}
}

// TestKilledAtTenPoints kills a process after a tenth, two tenths and so on. The next process requests only the rest.
func TestKilledAtTenPoints(t *testing.T) {
	t.Parallel()
	c := newContent(42, 1_000_000)
	for point := 1; point < 10; point++ {
		s, dir := newServer(t), t.TempDir()
		at := point * 100_000
		reached := make(chan struct{})
		var once sync.Once
		file := fileOf("m.bin", s.put("/m", c), c)
		s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("Content-Length", "1000000")
			w.Header().Set("ETag", c.etag)
			w.Header().Set("Content-Type", c.kind)
			_, _ = w.Write(c.data[:at])
			_ = http.NewResponseController(w).Flush()
			once.Do(func() { close(reached) })
			<-r.Context().Done()
			return true
		})
		text, err := json.Marshal(job{Dir: dir, Files: []modelref.DownloadRecord{file}})
		require.NoError(t, err)
		cmd := startChild(t, roleClient, string(text), io.Discard)
		<-reached
		part := filepath.Join(dir, "compvis", "m.bin.part")
		require.Eventually(t, func() bool {
			info, err := os.Stat(part)
			return err == nil && info.Size() == int64(at)
		}, 10*time.Second, time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		s.reset()
		report, err := run(t, quick(dir), model("m", file))
		require.NoError(t, err)
		assert.EqualValues(t, len(c.data)-at, only(t, report).Fetched)
		requireFile(t, dir, "compvis/m.bin", c)
	}
}

// TestProcessesShareADirectory starts processes that need the same files at the same time. Each file is downloaded
// once.
func TestProcessesShareADirectory(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	a, b, own := newContent(43, 400_000), newContent(44, 500_000), newContent(45, 100_000)
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		s.plain(&slowTestWriter{w}, r)
		return true
	})
	shared := []modelref.DownloadRecord{fileOf("a.bin", s.put("/a", a), a), fileOf("b.bin", s.put("/b", b), b)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes := make(map[string]int)
	for i := range 4 {
		wg.Go(func() {
			j := job{Dir: dir, Files: shared, Small: i%2 == 0}
			if i == 0 {
				j.Files = append(j.Files[:2:2], fileOf("own.bin", s.put("/own", own), own))
			}
			result := runChild(t, j)
			mu.Lock()
			defer mu.Unlock()
			assert.Empty(t, result.Err)
			for _, outcome := range result.Outcomes {
				outcomes[outcome]++
			}
		})
	}
	wg.Wait()
	for name, c := range map[string]content{"a.bin": a, "b.bin": b, "own.bin": own} {
		requireFile(t, dir, "compvis/"+name, c)
	}
	assert.Equal(t, map[string]int{"downloaded": 3, "kept": 6}, outcomes)
	assert.EqualValues(t, len(a.data)+len(b.data)+len(own.data), s.sent())
}

// TestTwoPlansInOneProcess runs two plans for the same files in one process.
func TestTwoPlansInOneProcess(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(46, 600_000)
	record := model("m", fileOf("m.bin", s.put("/m", c), c))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := run(t, quick(dir), record)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	requireFile(t, dir, "compvis/m.bin", c)
	assert.EqualValues(t, len(c.data), s.sent())
}

// TestKilledOwner kills the process with the lock. The waiting process continues with the partial file.
func TestKilledOwner(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(47, 600_000)
	file := fileOf("m.bin", s.put("/m", c), c)
	s.on(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 0 {
			return false
		}
		s.hang(w, r, 300_000)
		return true
	})
	text, err := json.Marshal(job{Dir: dir, Files: []modelref.DownloadRecord{file}})
	require.NoError(t, err)
	owner := startChild(t, roleClient, string(text), io.Discard)
	waiting := make(chan struct{})
	var once sync.Once
	o := quick(dir)
	o.OnEvent = func(e download.Event) {
		if e.Kind == download.EventWaiting {
			once.Do(func() { close(waiting) })
		}
	}
	require.Eventually(t, func() bool {
		info, err := os.Stat(filepath.Join(dir, "compvis", "m.bin.part"))
		return err == nil && info.Size() == 300_000
	}, 10*time.Second, time.Millisecond)
	done := make(chan error, 1)
	go func() {
		p, err := download.NewPlan(t.Context(), []*modelref.ImageGenerationRecord{model("m", file)}, o)
		if err == nil {
			_, err = p.Run(t.Context())
		}
		done <- err
	}()
	<-waiting
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the lock of a killed process blocks")
	}
	requireFile(t, dir, "compvis/m.bin", c)
}

// TestStoppedOwner waits for a process that has the lock and is stopped, until the caller cancels.
func TestStoppedOwner(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	c := newContent(48, 600_000)
	file := fileOf("m.bin", s.put("/m", c), c)
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		s.hang(w, r, 300_000)
		return true
	})
	text, err := json.Marshal(job{Dir: dir, Files: []modelref.DownloadRecord{file}})
	require.NoError(t, err)
	owner := startChild(t, roleClient, string(text), io.Discard)
	defer func() {
		_ = owner.Process.Kill()
		_ = owner.Wait()
	}()
	require.Eventually(t, func() bool { return len(s.log()) > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, owner.Process.Signal(syscall.SIGSTOP))
	ctx, cancel := contextWithTimeout(t, 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = plan(t, quick(dir), model("m", file)).Run(ctx)
	require.Error(t, err)
	assert.Less(t, time.Since(start), 5*time.Second)
}

// TestReadOnlyDisk uses the files on a read-only disk. For missing files, it fails immediately.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted: %s", strings.TrimSpace(string(output)))
	}
	defer func() { require.NoError(t, exec.Command("umount", dir).Run()) }()
	s := newServer(t)
	a, b := newContent(60, 1000), newContent(61, 1000)
	there, missing := fileOf("a.bin", s.put("/a", a), a), fileOf("b.bin", s.put("/b", b), b)
	_, err := run(t, quick(dir), model("m", there))
	require.NoError(t, err)
	s.reset()
	require.NoError(t, exec.Command("mount", "-o", "remount,ro", dir).Run())
	report, err := run(t, quick(dir), model("m", there, missing))
	require.ErrorIs(t, err, syscall.EROFS)
	assert.Equal(t, download.OutcomeKept, report.Files[0].Outcome)
	assert.Equal(t, download.OutcomeFailed, report.Files[1].Outcome)
	assert.Empty(t, s.log())
	require.NoError(t, exec.Command("mount", "-o", "remount,rw", dir).Run())
}

// TestDiskFull fills a small disk. The partial file is kept, and the download continues when there is space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted: %s", strings.TrimSpace(string(output)))
	}
	defer func() { require.NoError(t, exec.Command("umount", dir).Run()) }()
	s := newServer(t)
	c := newContent(49, 12<<20)
	file := fileOf("m.bin", s.put("/m", c), c)
	filler := filepath.Join(dir, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 14<<20), 0o644))

	_, err := run(t, quick(dir), model("m", file))
	require.ErrorIs(t, err, download.ErrNoSpace)
	assert.Len(t, s.log(), 1, "rejected if the size is known")
	assert.NoFileExists(t, filepath.Join(dir, "compvis", "m.bin.part"))

	s.reset()
	s.on(func(w http.ResponseWriter, r *http.Request, _ int) bool { // the size is unknown
		if r.Header.Get("Range") != "" && !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-") {
			return false
		}
		w.Header().Set("ETag", c.etag)
		w.Header().Set("Content-Type", c.kind)
		_, _ = w.Write(c.data[:1<<20])
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(c.data[1<<20:])
		return true
	})
	report, err := run(t, quick(dir), model("m", file))
	require.ErrorIs(t, err, download.ErrNoSpace)
	info, statErr := os.Stat(filepath.Join(dir, "compvis", "m.bin.part"))
	require.NoError(t, statErr)
	assert.Greater(t, info.Size(), int64(1<<20))
	assert.EqualValues(t, 1, only(t, report).Requests, "the failure is not retried")

	require.NoError(t, os.Remove(filler))
	report, err = run(t, quick(dir), model("m", file))
	require.NoError(t, err)
	requireFile(t, dir, "compvis/m.bin", c)
	assert.Less(t, only(t, report).Fetched, int64(12<<20))
}
