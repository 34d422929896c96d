// The default cache directory, the requests that it saves, and what is printed about requests.

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/modelreftest"
)

// runAtHome runs the built command with a user's cache directory, and without one that the environment names.
func runAtHome(t *testing.T, home string, args ...string) result {
	t.Helper()
	cmd := command(t, t.Context(), args...)
	cmd.Env = append(cmd.Env, "AIWORKER_CACHE_HOME=", "MODELREF_CACHE_DIR=", "XDG_CACHE_HOME="+home, "HOME="+home, "LocalAppData="+home)
	return resultOf(t, cmd)
}

func TestASecondCallSendsNoRequest(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	home := t.TempDir()
	list := append(flags, "list", "image", "-q")
	want := "Small\nGrand \\x1b[31m\n"
	assert.Equal(t, result{0, want, ""}, runAtHome(t, home, list...))
	server.ResetRequests()
	assert.Equal(t, result{0, want, ""}, runAtHome(t, home, list...))
	assert.Empty(t, server.Requests())

	assert.Equal(t, result{0, want, ""}, runAtHome(t, home, append(list, "--offline")...))
	assert.Equal(t, result{0, want, ""}, runAtHome(t, home, append(list, "--no-cache")...))
	assert.Len(t, server.Requests(), 1, "--no-cache asks the service")

	server.Break(modelreftest.Primary, modelreftest.Status(503))
	other := runAtHome(t, home, "--primary", server.URL()+"/other", "--no-github", "list", "image", "-q")
	assert.Equal(t, 1, other.code, "a copy does not answer for another deployment")
}

func TestNothingIsKeptWithoutACache(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	home := t.TempDir()
	require.Equal(t, 0, runAtHome(t, home, append(flags, "--no-cache", "list", "image", "-q")...).code)
	files, err := filepath.Glob(filepath.Join(home, "modelref", "*", "*"))
	require.NoError(t, err)
	assert.Empty(t, files)
	require.Equal(t, 0, runAtHome(t, home, "--demo", "list", "clip", "-q").code)
	files, err = filepath.Glob(filepath.Join(home, "modelref", "*", "*"))
	require.NoError(t, err)
	assert.Empty(t, files, "the demo keeps nothing")
}

func TestAUserWithoutACacheDirectoryIsServed(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	got := runAtHome(t, file, append(flags, "list", "image", "--count")...)
	assert.Equal(t, result{0, "2\n", ""}, got)
}

func TestDirectoryNames(t *testing.T) {
	t.Parallel()
	for primary, want := range map[string]string{
		"": "github", "https://models.aihorde.net/api": "models.aihorde.net_api", "http://[::1]:80/a/../b": "___1__80_a_.._b",
		"http://user:secret@example.org/api/": "example.org_api",
	} {
		assert.Equal(t, want, directoryName(primary))
	}
}

func TestVerbosePrintsRequests(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	got := runBinary(t, append(flags, "-v", "list", "image", "-q")...)
	assert.Regexp(t, `^modelref: GET `+server.URL()+`/model_references/v2/image_generation: 200 OK, \d+ bytes, \S+\n$`, got.err)
}

func TestASlowRequestSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	server.Break(modelreftest.Documents, modelreftest.Delay(slowAfter+500*time.Millisecond))
	got := runBinary(t, append(flags, "list", "image", "--count")...)
	host, _, _ := strings.Cut(strings.TrimPrefix(server.URL(), "http://"), "/")
	assert.Equal(t, result{0, "2\n", "modelref: waiting for " + host + "\n"}, got)
}
