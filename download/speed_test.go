// This file compares the speed of downloads with curl and aria2c, in one run with the same server.

package download_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// envSpeed selects the size of the comparison: "full" downloads 2 GiB and requires the ratios in docs/downloads.md.
// Otherwise the files are small and the ratios are only printed.
const envSpeed = "MODELREF_DOWNLOAD_SPEED"

// envSpeedDir is the directory for the downloaded files. It can be on another disk than the temporary files.
const envSpeedDir = "MODELREF_DOWNLOAD_SPEED_DIR"

// maxMemory limits the memory of a download, for all file sizes and numbers of connections.
const maxMemory = 64 << 20

func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds; run it without -short")
	}
	if raceDetector {
		t.Skip("the race detector changes both speed and memory; run it without -race")
	}
	for _, tool := range []string{"curl", "aria2c"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install curl aria2", tool)
		}
	}
	full := os.Getenv(envSpeed) == "full"
	size, slowSize, rate, small := int64(256<<20), int64(64<<20), int64(16<<20), 40
	if full {
		size, slowSize, rate, small = 2<<30, 2<<30, 50_000_000, 200
	}
	address := startServer(t)
	sumOf(size)
	sumOf(slowSize)
	compare := func(name string, limit float64, ours, theirs func(dir string) float64) {
		t.Helper()
		a, b := math.Inf(1), math.Inf(1)
		for range 3 { // alternately, because of other load on the machine
			b = min(b, inNewDir(t, theirs))
			a = min(a, inNewDir(t, ours))
		}
		t.Logf("%-45s ours %6.2f s, theirs %6.2f s, ratio %.2f (at most %.2f)", name, a, b, a/b, limit)
		if full {
			assert.LessOrEqual(t, a/b, limit, name)
		}
	}
	unlimited := fmt.Sprintf("http://%s/%d/0/0/", address, size)
	compare(fmt.Sprintf("%d MiB, verified, v. curl, unverified", size>>20), 1.4,
		func(dir string) float64 { return timeDownload(t, dir, 1, size, unlimited) },
		func(dir string) float64 {
			return timeCommand(t, "curl", "-sS", "-o", filepath.Join(dir, "f"), unlimited+"f")
		})

	slow := fmt.Sprintf("http://%s/%d/%d/0/", address, slowSize, rate)
	compare(fmt.Sprintf("%d MiB, %d MB/s a connection, v. aria2c -x8", slowSize>>20, rate/1_000_000), 0.5,
		func(dir string) float64 { return timeDownload(t, dir, 1, slowSize, slow) },
		func(dir string) float64 {
			return timeCommand(t, "aria2c", "-q", "-x8",
				"--checksum=sha-256="+sumOf(slowSize), "-d", dir, "-o", "f", slow+"f")
		})

	many := fmt.Sprintf("http://%s/%d/0/50/", address, 1<<20)
	compare(fmt.Sprintf("%d files of 1 MiB, 50 ms each, v. curl -Z 8", small), 1.2,
		func(dir string) float64 { return timeDownload(t, dir, small, 1<<20, many) },
		func(dir string) float64 {
			args := []string{"-sS", "-Z", "--parallel-max", "8"}
			for i := range small {
				args = append(args, "-o", filepath.Join(dir, fmt.Sprint(i)), many+fmt.Sprint(i))
			}
			return timeCommand(t, "curl", args...)
		})
}

// TestLargeFileWithDrops downloads a file whose connections are repeatedly reset, in one call. The full size is 2 GiB
// with a drop every 300 MB.
func TestLargeFileWithDrops(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a large file; run it without -short")
	}
	size, drop := int64(64<<20), int64(9_000_000)
	if os.Getenv(envSpeed) == "full" {
		size, drop = 2<<30, 300_000_000
	}
	url := fmt.Sprintf("http://%s/%d/0/0/f?drop=%d", startServer(t), size, drop)
	result := runChild(t, job{Dir: speedDir(t), Files: []modelref.DownloadRecord{{FileName: "f.bin", FileURL: url, SHA256Sum: sumOf(size)}}})
	require.Empty(t, result.Err)
	t.Logf("%d MiB with a drop every %d MB: %.1f s, %d requests, %d bytes fetched twice, %d MB of memory",
		size>>20, drop/1_000_000, result.Seconds, result.Requests, result.Fetched-size, result.MaxRSS>>20)
	assert.LessOrEqual(t, result.Fetched, size+size/100)
	if !raceDetector { // the race detector needs additional memory
		assert.LessOrEqual(t, result.MaxRSS, int64(maxMemory))
	}
}

// startServer starts the server process and returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	server := startChild(t, roleServer, "", writer)
	require.NoError(t, writer.Close())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = reader.Close()
	})
	address, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(address)
}

// speedDir returns a new directory for downloaded files.
func speedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(envSpeedDir), "modelref-speed-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// inNewDir calls measure with a new directory, which it removes afterwards: the next measurement gets its memory or its place on
// the disk. Otherwise each one would need new memory, which can take longer than the download on a virtual machine.
func inNewDir(t *testing.T, measure func(dir string) float64) float64 {
	t.Helper()
	dir := speedDir(t)
	defer os.RemoveAll(dir)
	return measure(dir)
}

// timeCommand returns the seconds that a command takes.
func timeCommand(t *testing.T, name string, args ...string) float64 {
	t.Helper()
	start := time.Now()
	output, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", name, output)
	return time.Since(start).Seconds()
}

// timeDownload downloads count files to dir in another process and returns the seconds that it takes.
func timeDownload(t *testing.T, dir string, count int, size int64, base string) float64 {
	t.Helper()
	j := job{Dir: dir}
	for i := range count {
		file := modelref.DownloadRecord{FileName: fmt.Sprintf("%d.safetensors", i), FileURL: base + fmt.Sprint(i), SHA256Sum: sumOf(size)}
		if count > 1 {
			file.SHA256Sum = "" // files with the same checksum would be downloaded once
			file.FileName = fmt.Sprintf("%d.bin", i)
		}
		j.Files = append(j.Files, file)
	}
	result := runChild(t, j)
	require.Empty(t, result.Err)
	require.EqualValues(t, size*int64(count), result.Fetched)
	t.Logf("%d requests, %d MB of memory", result.Requests, result.MaxRSS>>20)
	assert.LessOrEqual(t, result.MaxRSS, int64(maxMemory))
	return result.Seconds
}

var sums = make(map[int64]string)

// sumOf returns the checksum of computed content.
func sumOf(size int64) string {
	if sum, ok := sums[size]; ok {
		return sum
	}
	digest := sha256.New()
	_, _ = io.Copy(digest, &computed{size: size})
	sums[size] = hex.EncodeToString(digest.Sum(nil))
	return sums[size]
}
