// Every example of the README and of the help is run, and prints what the README says.

package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// words splits a command line as a shell would, as far as the examples need it.
func words(line string) []string {
	var out []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return out
}

func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(text), "```console\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	t.Chdir(t.TempDir())
	examples := strings.Split(block, "$ modelref ")[1:]
	require.NotEmpty(t, examples)
	for _, example := range examples {
		line, want, _ := strings.Cut(example, "\n")
		got := runWith(t, "", words(line)...)
		assert.Equal(t, 0, got.code, line+"\n"+got.err)
		assert.Equal(t, strings.TrimRight(want, "\n"), strings.TrimRight(got.out, "\n"), line)
	}
}

func TestHelpExamples(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("downloads", 0o750))
	a := &app{stdout: io.Discard, stderr: io.Discard}
	ran := 0
	for _, cmd := range newRoot(a).Commands() {
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			line = strings.TrimPrefix(strings.TrimSpace(line), "modelref ")
			if !strings.HasPrefix(line, "--demo") && line != "categories" {
				continue // it needs the network, or files of somebody's
			}
			ran++
			got := runWith(t, "", words(line)...)
			want := 0
			if cmd.Name() == "diff" || cmd.Name() == "verify" {
				want = 3 // a converted file differs; nothing was downloaded
			}
			assert.Equal(t, want, got.code, line+"\n"+got.err)
		}
		assert.NotEmpty(t, cmd.Short, cmd.Name())
	}
	assert.Greater(t, ran, 15)
}

func TestREADMENamesEveryCommand(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, cmd := range newRoot(&app{stdout: io.Discard, stderr: io.Discard}).Commands() {
		if cmd.Runnable() { // a topic of the help is not a command
			assert.Contains(t, string(text), "`"+cmd.Name())
		}
	}
}
