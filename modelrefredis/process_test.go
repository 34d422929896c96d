//go:build unix

// This file tests several processes with one Redis server: only one downloads, the lock of a killed process expires,
// and the package prints nothing.

package modelrefredis_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
	"github.com/haidra-org/modelref/modelreftest"
)

// Environment variables of a child process: its role, and the addresses of Redis and of the server.
const (
	envRole  = "MODELREFREDIS_TEST_ROLE"
	envRedis = "MODELREFREDIS_TEST_REDIS"
	envURL   = "MODELREFREDIS_TEST_URL"
)

// The roles of a child process.
const (
	roleReader = "reader" // reads once and prints the result
	roleHolder = "holder" // takes the lock and keeps it
	roleSilent = "silent" // reads once and prints nothing
)

// holderLease is long enough to kill the holder before it ends, and short enough to wait for its end.
const holderLease = 3 * time.Second

// TestHelperProcess is not a test. It is the main function of the child processes.
func TestHelperProcess(t *testing.T) {
	role := os.Getenv(envRole)
	if role == "" {
		t.Skip("used only in the child processes of other tests")
	}
	client := newClient(t, &redis.Options{Addr: os.Getenv(envRedis), Password: "hunter2"})
	if role == roleHolder {
		release, err := modelrefredis.New(client, modelrefredis.WithTimeout(patient)).TryLock(t.Context(), category, holderLease)
		require.NoError(t, err)
		require.NotNil(t, release)
		fmt.Println("locked")
		select {} // until the parent kills this process
	}
	timeout := map[string]time.Duration{roleReader: patient, roleSilent: 300 * time.Millisecond}[role]
	reader, err := modelref.New(modelref.WithPrimaryURL(os.Getenv(envURL)), modelref.WithoutGitHub(),
		modelref.WithStore(modelrefredis.New(client, modelrefredis.WithTimeout(timeout))))
	require.NoError(t, err)
	ref, err := reader.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	if role == roleReader {
		fmt.Println("read", ref.Source(), ref.Stale(), ref.Len(), ref.ConfirmedAt().UnixNano())
	}
	require.NoError(t, reader.Close())
}

// startChild runs this test binary in a child process with a role.
func startChild(t *testing.T, role, redis, url string) (child *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // if the child hangs, only its test fails
	t.Cleanup(cancel)
	child = exec.CommandContext(ctx, program, "-test.run=^TestHelperProcess$")
	child.Env = append(os.Environ(), envRole+"="+role, envRedis+"="+redis, envURL+"="+url)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	return child, bufio.NewScanner(out)
}

func TestProcessesDownloadOnce(t *testing.T) {
	t.Parallel()
	const processes = 4
	redis := startRedis(t, "--requirepass", "hunter2")
	server := modelreftest.NewServer(t)
	server.Break(modelreftest.Primary, modelreftest.Delay(300*time.Millisecond))
	var all sync.WaitGroup
	var mu sync.Mutex
	origins, confirmed := map[string]int{}, map[int64]bool{}
	for range processes {
		child, lines := startChild(t, roleReader, redis.addr, server.URL())
		all.Go(func() {
			for lines.Scan() {
				var origin string
				var stale bool
				var records int
				var at int64
				if _, err := fmt.Sscanf(lines.Text(), "read %s %t %d %d", &origin, &stale, &records, &at); err != nil {
					continue // output of package testing
				}
				assert.False(t, stale)
				assert.Positive(t, records)
				mu.Lock()
				origins[origin]++
				confirmed[at] = true
				mu.Unlock()
			}
			assert.NoError(t, child.Wait())
		})
	}
	all.Wait()
	assert.Equal(t, map[string]int{
		modelref.SourcePrimary.String(): 1, modelref.SourceStore.String(): processes - 1,
	}, origins)
	assert.Len(t, confirmed, 1, "the age is the same for all")
	assert.Equal(t, 1, countOf(server, modelreftest.Documents))
}

func TestTheLockOfAKilledHolderEnds(t *testing.T) {
	t.Parallel()
	server := startRedis(t, "--requirepass", "hunter2")
	store := modelrefredis.New(newClient(t, &redis.Options{Addr: server.addr, Password: "hunter2"}), modelrefredis.WithTimeout(patient))
	child, lines := startChild(t, roleHolder, server.addr, "")
	for lines.Scan() && lines.Text() != "locked" {
		continue
	}
	taken, err := store.TryLock(t.Context(), category, time.Minute)
	require.NoError(t, err)
	assert.Nil(t, taken)
	require.NoError(t, child.Process.Signal(syscall.SIGKILL))
	require.Error(t, child.Wait())
	require.Eventually(t, func() bool {
		taken, err := store.TryLock(t.Context(), category, time.Minute)
		return err == nil && taken != nil
	}, patient, 10*time.Millisecond)
}

func TestNothingIsPrinted(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	program, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, program, "-test.run=^TestHelperProcess$")
	child.Env = append(os.Environ(), envRole+"="+roleSilent, envRedis+"="+deadAddress, envURL+"="+server.URL())
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	require.NoError(t, child.Run(), out.String())
	for line := range strings.Lines(out.String()) {
		assert.Regexp(t, "^(PASS|coverage: .*)\n$", line, "only the output of package testing")
	}
}
