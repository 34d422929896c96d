// The built command, run as a user runs it.

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// binaryDir is where the command is built. TestMain removes it.
var binaryDir string

var buildBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "modelref-command")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	path := filepath.Join(dir, "modelref")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// command returns the built command with arguments. It does not heed the configuration of the machine.
func command(t *testing.T, ctx context.Context, args ...string) *exec.Cmd {
	t.Helper()
	path, err := buildBinary()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "AIWORKER_CACHE_HOME="+t.TempDir(), "NO_PROXY=*")
	return cmd
}

// runBinary runs the built command.
func runBinary(t *testing.T, args ...string) result {
	t.Helper()
	return resultOf(t, command(t, t.Context(), args...))
}

// resultOf runs a command without standard input.
func resultOf(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
