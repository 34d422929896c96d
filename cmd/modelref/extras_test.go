// Commands beside the records, with the built command: versions, help topics, completion scripts, pages and catalogs.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "version")
	assert.Regexp(t, `^modelref `+regexp.QuoteMeta(modelref.Version)+`\ncommit .+\ngo1\.\S+ \w+/\w+\n$`, got.out)
	var v buildVersion
	require.NoError(t, json.Unmarshal([]byte(runBinary(t, "version", "--json").out), &v))
	assert.Equal(t, modelref.Version, v.Version)
	assert.NotEmpty(t, v.Go)
	assert.Equal(t, modelref.Version+"\n", runBinary(t, "version", "-q").out)

	info := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2025-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	v = versionOf(info, true)
	assert.Equal(t, []any{"abc", "2025-01-02T03:04:05Z", true}, []any{v.Commit, v.Time, v.Modified})
}

// TestEnvironmentTopic reads the documentation of FromEnv, which lists what the SDK reads.
func TestEnvironmentTopic(t *testing.T) {
	t.Parallel()
	topic := runBinary(t, "help", "environment")
	require.Equal(t, 0, topic.code)
	source, err := os.ReadFile(filepath.Join("..", "..", "env.go"))
	if err != nil {
		t.Skip("the sources of the SDK are not beside the command")
	}
	found := regexp.MustCompile(`(?m)^//\t((?:MODELREF|HORDE|GITHUB|AIWORKER)_[A-Z_]+)`).FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(found), 20)
	for _, match := range append(found, []string{"", "CIVIT_API_TOKEN"}, []string{"", "HF_TOKEN"}, []string{"", "NO_COLOR"}) {
		assert.Contains(t, topic.out, "  "+match[1]+" ", match[1])
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "modelref help environment")
}

func TestReference(t *testing.T) {
	t.Parallel()
	written, err := os.ReadFile("REFERENCE.md")
	require.NoError(t, err)
	got := runBinary(t, "reference", "--markdown", "-")
	assert.Equal(t, string(written), got.out, "run go generate in cmd/modelref")

	dir := filepath.Join(t.TempDir(), "man", "man1")
	require.Equal(t, 0, runBinary(t, "reference", "--man", dir).code)
	page, err := os.ReadFile(filepath.Join(dir, "modelref-list.1"))
	require.NoError(t, err)
	assert.Contains(t, string(page), ".TH")
	assert.Contains(t, string(page), "max-size")
	for _, cmd := range newRoot(&app{}).Commands() {
		if cmd.Name() != "help" {
			assert.FileExists(t, filepath.Join(dir, "modelref-"+cmd.Name()+".1"))
		}
	}
	assert.Equal(t, 2, runBinary(t, "reference").code)
}

func TestCompletionInstall(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for shell, place := range map[string]string{
		"bash": ".local/share/bash-completion/completions/modelref", "fish": ".config/fish/completions/modelref.fish", "zsh": ".zfunc/_modelref",
	} {
		path := filepath.Join(home, filepath.FromSlash(place))
		for _, dry := range []bool{true, false} {
			cmd := command(t, t.Context(), "completion", "install", "--dry-run="+map[bool]string{true: "true", false: "false"}[dry])
			cmd.Env = append(cmd.Env, "HOME="+home, "USERPROFILE="+home, "SHELL=/bin/"+shell, "XDG_DATA_HOME=", "XDG_CONFIG_HOME=",
				"BASH_COMPLETION_USER_DIR=", "ZDOTDIR=")
			got := resultOf(t, cmd)
			assert.Equal(t, 0, got.code, got.err)
			assert.Equal(t, path+"\n", got.out)
			if dry {
				assert.NoFileExists(t, path)
			} else {
				assert.FileExists(t, path)
			}
		}
	}
	got := runBinary(t, "completion", "install", "tcsh")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "must be one of bash, fish, zsh")
}

const modelsWithPages = `{
  "Home": {"name": "Home", "baseline": "flux_1", "nsfw": false, "homepage": "https://example.org/home"},
  "Script": {"name": "Script", "baseline": "flux_1", "nsfw": false, "homepage": "javascript:alert(1)"},
  "Hub": {"name": "Hub", "baseline": "flux_1", "nsfw": false, "config": {"download": [
    {"file_name": "a", "file_url": "https://huggingface.co/org/model/resolve/main/a.safetensors"}]}}
}`

func TestOpenPrintsThePage(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, modelsWithPages)
	for name, want := range map[string]string{"Home": "https://example.org/home\n", "hub": "https://huggingface.co/org/model\n"} {
		got := runBinary(t, append(flags, "open", name, "--print")...)
		assert.Equal(t, 0, got.code, got.err)
		assert.Equal(t, want, got.out)
	}
	got := runBinary(t, append(flags, "open", "Script")...)
	assert.Equal(t, 3, got.code)
	assert.Empty(t, got.out)
	assert.Contains(t, got.err, "has no homepage")

	bin := t.TempDir()
	opened := filepath.Join(bin, "opened")
	require.NoError(t, os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >"+opened+"\n"), 0o700))
	cmd := command(t, t.Context(), append(flags, "open", "Home")...)
	cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	if got := resultOf(t, cmd); got.out == "" { // another system has another program
		text, err := os.ReadFile(opened)
		require.NoError(t, err)
		assert.Equal(t, "https://example.org/home\n", string(text))
	}
}

func TestCatalogs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"licenses"}, 0, []string{"LICENSE", "Apache-2.0", "allowed_with_conditions"}},
		{[]string{"licenses", "mit"}, 0, []string{"https://opensource.org/license/mit", "include_license"}},
		{[]string{"licenses", "mit", "-o", "yaml"}, 0, []string{"license_id: MIT"}},
		{[]string{"licenses", "MITT"}, 3, []string{"did you mean MIT"}},
		{[]string{"guidance"}, 0, []string{"Example/Heron-8B-Instruct", "A conversation in turns"}},
		{[]string{"guidance", "Example/Heron-8B-Instruct"}, 0, []string{"Keep the first message short.", "<user>"}},
		{[]string{"guidance", "Example/Heron-8B-Instruct", "--json"}, 0, []string{`"role_markers"`}},
		{[]string{"baselines", "-q"}, 0, []string{"flux_1\n", "stable_diffusion_xl\n"}},
		{[]string{"baselines", "sdxl"}, 0, []string{"stable_diffusion_xl", "1024"}},
		{[]string{"baselines", "nothing at all"}, 3, []string{"not found"}},
	} {
		got := runBinary(t, append([]string{"--demo"}, c.args...)...)
		assert.Equal(t, c.code, got.code, got.err)
		for _, want := range c.want {
			assert.Contains(t, got.out+got.err, want, c.args)
		}
	}
}

func TestCatalogsOfAnOlderDeployment(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.AsOlderDeployment())
	flags := []string{"--no-github", "--primary", server.URL()}
	for _, command := range []string{"licenses", "guidance"} {
		got := runBinary(t, append(flags, command)...)
		assert.Equal(t, 3, got.code, got.err)
		assert.Contains(t, got.err, "this deployment does not have it yet")
	}
	got := runBinary(t, append(flags, "baselines", "-q")...)
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "flux_1\n", "the baselines that the command knows")
}

func TestSizes(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, `{
	  "a": {"name": "a", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 500000000},
	  "b": {"name": "b", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 2000000000},
	  "c": {"name": "c", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 7900000000},
	  "d": {"name": "d", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 4000000000},
	  "e": {"name": "e", "baseline": "flux_1", "nsfw": false}}`)
	got := runBinary(t, append(flags, "stats", "image", "--sizes", "-o", "csv")...)
	assert.Equal(t, result{0, "from_bytes,below_bytes,models,bytes\n0,1000000000,1,500000000\n1000000000,2000000000,0,0\n" +
		"2000000000,4000000000,1,2000000000\n4000000000,8000000000,2,11900000000\n,,1,\n", ""}, got)
	got = runBinary(t, append(flags, "stats", "image", "--sizes", "--jsonl")...)
	assert.Equal(t, 4, strings.Count(got.out, "\n"))
}

func TestStatsOfACategoryThatIsNotCounted(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	server.Break(modelreftest.Primary, modelreftest.Status(404))
	got := runBinary(t, append(flags, "stats", "lora")...)
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.err, "`modelref list lora --count` counts its records")
}
