// Completion in the shells themselves, as a person uses it: words are typed, and the Tab key is pressed.

//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// oddNames is a document whose names must be quoted in a shell.
const oddNames = `{
  "Odd Name (v2) [beta]": {"name": "Odd Name (v2) [beta]", "baseline": "stable_diffusion_xl", "nsfw": false, "style": "it's $5"},
  "Other": {"name": "Other", "baseline": "flux_1", "nsfw": false}
}`

// shell is a shell with the completion of the command.
type shell struct {
	name string
	args []string
	// setup is typed first. It loads the completion script from FILE, and defines modelref as a function that prints
	// its arguments, unless the script calls it.
	setup string
}

func shells() []shell {
	const function = `modelref() { if [ "$1" = __complete ]; then command modelref "$@"; else printf '<%s>' "$@"; echo "=done"; fi; }`
	return []shell{
		{"bash", []string{"--norc", "--noprofile", "-i"}, ". /usr/share/bash-completion/bash_completion; . FILE; bind 'set bell-style none'; " + function},
		{"zsh", []string{"-f", "-i"}, "autoload -U compinit; compinit -u -d FILE.dump; . FILE; unsetopt beep; " + function},
	}
}

// completionEnv returns an environment in which the built command is in PATH and its cache directory has oddNames.
func completionEnv(t *testing.T) []string {
	t.Helper()
	path, err := buildBinary()
	require.NoError(t, err)
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, oddNames))
	cache := t.TempDir()
	env := append(os.Environ(), "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"), "MODELREF_CACHE_DIR="+cache,
		"MODELREF_PRIMARY_URL="+server.URL(), "MODELREF_GITHUB=false", "TERM=dumb", "HOME="+t.TempDir())
	fill := exec.CommandContext(t.Context(), path, "list", "image_generation", "-q")
	fill.Env = env
	out, err := fill.CombinedOutput()
	require.NoError(t, err, string(out))
	server.Close() // completion sends no request
	return env
}

// terminalSession is a shell on a terminal.
type terminalSession struct {
	t    *testing.T
	in   *os.File
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *terminalSession) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.in.Read(buffer)
		s.mu.Lock()
		s.text.Write(buffer[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *terminalSession) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// typeKeys types keys and waits for a text that follows in the output, but is not among the keys.
func (s *terminalSession) typeKeys(keys, until string) string {
	s.t.Helper()
	s.mu.Lock()
	from := s.text.Len()
	s.mu.Unlock()
	_, err := s.in.WriteString(keys)
	require.NoError(s.t, err)
	var got string
	require.Eventually(s.t, func() bool {
		got = s.output()[from:]
		return strings.Contains(got, until)
	}, 20*time.Second, 10*time.Millisecond, "after %q: %s", keys, &s.text)
	return got
}

func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	for _, sh := range shells() {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(sh.name)
			if err != nil {
				t.Skip(sh.name + " is not installed")
			}
			if _, err := os.Stat("/usr/share/bash-completion/bash_completion"); sh.name == "bash" && err != nil {
				t.Skip("bash-completion is not installed")
			}
			session := startShell(t, path, sh)
			for typed, want := range map[string]string{
				"modelref cat\t":                                        "<categories>",
				"modelref list image\t":                                 "<list><image_generation>",
				"modelref get image_generation Odd\t":                   "<get><image_generation><Odd Name (v2) [beta]>",
				"modelref get Oth\t":                                    "<get><Other>",
				"modelref list image_generation --baseline flu\t":       "<list><image_generation><--baseline><flux_1>",
				"modelref list image_generation --where baseline=flu\t": "<list><image_generation><--where><baseline=flux_1>",
				"modelref list clip --color al\t":                       "<list><clip><--color><always>",
			} {
				session.typeKeys(typed, "")
				time.Sleep(700 * time.Millisecond) // the shell completes while nobody types; it says nothing when it has
				got := session.typeKeys("\n", "=done")
				assert.Contains(t, got, want+"=done", typed)
			}
		})
	}
}

func startShell(t *testing.T, path string, sh shell) *terminalSession {
	t.Helper()
	env := completionEnv(t)
	binary, err := buildBinary()
	require.NoError(t, err)
	script, err := exec.CommandContext(t.Context(), binary, "completion", sh.name).Output()
	require.NoError(t, err)
	file := write(t, t.TempDir(), "completion", string(script))
	cmd := exec.CommandContext(t.Context(), path, sh.args...)
	cmd.Env = append(env, "PS1=> ")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	require.NoError(t, err)
	session := &terminalSession{t: t, in: terminal}
	go session.read()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = terminal.Close()
	})
	session.typeKeys(strings.ReplaceAll(sh.setup, "FILE", file)+"; echo ready''now\n", "readynow")
	return session
}

func TestCompletionInFish(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("fish")
	if err != nil {
		t.Skip("fish is not installed")
	}
	env := completionEnv(t)
	for typed, want := range map[string]string{
		"modelref cat":                                         "categories",
		"modelref list image":                                  "image_generation",
		"modelref get image_generation Odd":                    "Odd Name (v2) [beta]",
		"modelref list image_generation --where baseline=flu":  "baseline=flux_1",
		"modelref list image_generation --baseline stable_dif": "stable_diffusion_xl",
		"modelref list image_generation --sort=-":              "--sort=-baseline",
	} {
		cmd := exec.CommandContext(t.Context(), path, "--no-config", "-c", "modelref completion fish | source; complete -C '"+typed+"'")
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		first, _, _ := strings.Cut(string(out), "\n")
		first, _, _ = strings.Cut(first, "\t")
		assert.Equal(t, want, first, typed)
	}
}
