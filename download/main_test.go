// This file has the processes that tests start: the test binary in another role.

package download_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// Environment variables of a child process.
const (
	envRole = "MODELREF_DOWNLOAD_ROLE"
	envJob  = "MODELREF_DOWNLOAD_JOB"
)

// The roles of a child process.
const (
	roleClient = "client" // downloads the files of a job
	roleServer = "server" // serves files whose content is computed
)

// job is what a client process downloads.
type job struct {
	Dir         string
	Files       []modelref.DownloadRecord
	Small       bool // segments for small files
	Runs        int  // number of runs, for two processes that run at the same time
	RateLimit   int64
	Connections int
}

// jobResult is what a client process prints.
type jobResult struct {
	Err      string
	Fetched  int64
	Requests int64
	Resumed  int64
	Outcomes []string
	Seconds  float64
	MaxRSS   int64 // in bytes
}

func TestMain(m *testing.M) {
	switch os.Getenv(envRole) {
	case roleClient:
		runClient()
	case roleServer:
		runServer()
	default:
		code := m.Run()
		if left := goroutinesLeft(); code == 0 && left != "" {
			fmt.Println("goroutines are left after the tests:\n" + left)
			code = 1
		}
		os.Exit(code)
	}
}

// goroutinesLeft waits until all other goroutines have ended. After a limit, it returns the stacks of the rest.
func goroutinesLeft() string {
	var left []string
	for range 100 {
		left = left[:0]
		buffer := make([]byte, 1<<20)
		for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
			if !strings.Contains(stack, "goroutinesLeft") && !strings.Contains(stack, "testing.runFuzz") && !strings.Contains(stack, "os/signal") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		time.Sleep(20 * time.Millisecond) // goroutines may end in real time
	}
	return strings.Join(left, "\n\n")
}

// runClient downloads the files of the job and prints the result.
func runClient() {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(envJob)), &j); err != nil {
		panic(err)
	}
	options := quick(j.Dir)
	options.RateLimit, options.Connections = j.RateLimit, j.Connections
	if j.Small {
		options = segmented(options)
	}
	fmt.Println() // the parent may wait for the start
	start := time.Now()
	var out jobResult
	report, err := runJob(context.Background(), options, j)
	if err != nil {
		out.Err = err.Error()
	}
	if report != nil {
		for _, f := range report.Files {
			out.Fetched += f.Fetched
			out.Requests += f.Requests
			out.Resumed += f.Resumed
			out.Outcomes = append(out.Outcomes, f.Outcome.String())
		}
	}
	out.Seconds = time.Since(start).Seconds()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err == nil {
		out.MaxRSS = usage.Maxrss << 10
	}
	_ = json.NewEncoder(os.Stdout).Encode(out)
}

func runJob(ctx context.Context, options download.Options, j job) (*download.Report, error) {
	p, err := download.NewPlan(ctx, []*modelref.ImageGenerationRecord{model("m", j.Files...)}, options)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx)
}

// startChild starts the test binary in a role. Its output goes to out.
func startChild(t testing.TB, role, jobText string, out io.Writer) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	// The race detector delays the end of a process by a second, which would be counted as a slow download.
	cmd.Env = append(os.Environ(), envRole+"="+role, envJob+"="+jobText, "GORACE=atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	require.NoError(t, cmd.Start())
	return cmd
}

// runChild downloads the files of a job in another process.
func runChild(t testing.TB, j job) jobResult {
	t.Helper()
	text, err := json.Marshal(j)
	require.NoError(t, err)
	var out strings.Builder
	cmd := startChild(t, roleClient, string(text), &out)
	require.NoError(t, cmd.Wait())
	var result jobResult
	require.NoError(t, json.Unmarshal([]byte(out.String()), &result))
	return result
}

// block is the unit of the computed content. Block number i of a file is this block with the number in its first bytes.
var block = newContent(99, 1<<20).data

// computed is a file of a size whose content is the repeated block.
type computed struct{ size, at int64 }

func (c *computed) Read(p []byte) (int, error) {
	if c.at >= c.size {
		return 0, io.EOF
	}
	offset := c.at % int64(len(block))
	n := copy(p[:min(int64(len(p)), c.size-c.at)], block[offset:])
	c.at += int64(n)
	return n, nil
}

func (c *computed) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		c.at = offset
	case io.SeekCurrent:
		c.at += offset
	case io.SeekEnd:
		c.at = c.size + offset
	}
	return c.at, nil
}

// WriteTo writes large blocks, so that the server does not limit the speed.
func (c *computed) WriteTo(w io.Writer) (total int64, err error) {
	for c.at < c.size {
		offset := c.at % int64(len(block))
		n, err := w.Write(block[offset:min(int64(len(block)), offset+c.size-c.at)])
		total += int64(n)
		c.at += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// runServer serves /SIZE/RATE/DELAY/name on loopback: SIZE bytes at RATE bytes per second for each connection (0 for no
// limit), after DELAY milliseconds. With ?drop=N each connection is reset after N bytes. It prints its address.
func runServer() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		if len(parts) < 5 {
			http.NotFound(w, r)
			return
		}
		size, _ := strconv.ParseInt(parts[1], 10, 64)
		rate, _ := strconv.ParseInt(parts[2], 10, 64)
		delay, _ := strconv.Atoi(parts[3])
		time.Sleep(time.Duration(delay) * time.Millisecond)
		w.Header().Set("ETag", `"computed"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		if drop, _ := strconv.ParseInt(r.URL.Query().Get("drop"), 10, 64); drop > 0 {
			w = &droppingWriter{ResponseWriter: w, left: drop}
		}
		if rate > 0 {
			w = &slowWriter{ResponseWriter: w, rate: rate, start: time.Now()}
		}
		http.ServeContent(w, r, "", time.Time{}, &computed{size: size})
	})))
}

// slowWriter limits the rate of one response.
type slowWriter struct {
	http.ResponseWriter
	rate, sent int64
	start      time.Time
}

func (w *slowWriter) Write(data []byte) (total int, err error) {
	for len(data) > 0 {
		n, err := w.ResponseWriter.Write(data[:min(len(data), 64<<10)])
		total += n
		w.sent += int64(n)
		if err != nil {
			return total, err
		}
		data = data[n:]
		time.Sleep(time.Until(w.start.Add(time.Duration(float64(w.sent) / float64(w.rate) * float64(time.Second)))))
	}
	return total, nil
}
