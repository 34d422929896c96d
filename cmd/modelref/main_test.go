// The command is run in the test's process as a user would run it. Nothing leaves the machine.

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() { // a machine that is set up for the Python library tests the same
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "HORDE_MODEL_REFERENCE_") || name == "AIWORKER_CACHE_HOME" || name == "GITHUB_PROXY_URL_BASE" {
			_ = os.Unsetenv(name)
		}
	}
	cache, err := os.MkdirTemp("", "modelref-cache")
	if err != nil {
		panic(err)
	}
	if builds, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil {
		_ = os.Setenv("GOCACHE", strings.TrimSpace(string(builds))) // by default it is in the user's cache directory
	}
	_ = os.Setenv("XDG_CACHE_HOME", cache) // the user's own copies stay as they are
	cobra.EnablePrefixMatching = true
	code := m.Run()
	_ = os.RemoveAll(cache)
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir)
	}
	os.Exit(code)
}

// result is what a run has left.
type result struct {
	code     int
	out, err string
}

func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// demo runs against the built-in server.
func demo(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, "", append([]string{"--demo"}, args...)...)
}

// onScreen runs against the built-in server as on a terminal.
func onScreen(s screen, args ...string) result {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, screen: s}
	defer a.close()
	root := newRoot(a)
	root.SetArgs(append([]string{"--demo"}, args...))
	code := a.report(root.ExecuteContext(context.Background()))
	return result{code, out.String(), errs.String()}
}

// serve starts a server with one document of image_generation, and returns the flags that lead to it.
func serve(t *testing.T, document string) (*modelreftest.Server, []string) {
	t.Helper()
	server := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, document))
	return server, []string{"--no-github", "--primary", server.URL()}
}

const twoModels = `{
  "Small": {"name": "Small", "baseline": "stable_diffusion_1", "nsfw": false, "size_on_disk_bytes": 2000000000, "own_field": 1.50},
  "Grand \u001b[31m": {"name": "Grand \u001b[31m", "baseline": "flux_1", "nsfw": true, "tags": ["a", "b"],
    "config": {"download": [{"file_name": "grand.bin", "file_url": "https://example.org/grand.bin"}]}}
}`

func TestListPrintsATable(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	got := runWith(t, "", append(flags, "list", "image_generation", "--fields", "name,baseline,nsfw,size_on_disk_bytes,tags")...)
	assert.Equal(t, result{0, `NAME            BASELINE            NSFW     SIZE  TAGS
Small           stable_diffusion_1  no    2.00 GB
Grand \x1b[31m  flux_1              yes            a, b
`, ""}, got)
}

func TestSelection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"where and sort": {
			[]string{"list", "image_generation", "--where", "!nsfw", "--where", "size_on_disk_bytes<5e9", "--sort=-size_on_disk_bytes,name", "-q"},
			"Plain Diffusion Inpainting\nPlain Diffusion\nInkwell\n",
		},
		"limit":    {[]string{"list", "clip", "--limit", "1", "-q"}, "ViT-L/14\n"},
		"limit 0":  {[]string{"list", "clip", "--limit", "0", "-q"}, ""},
		"all":      {[]string{"query", "--where", "name~diffusion", "-q"}, "Plain Diffusion\nPlain Diffusion Inpainting\n"},
		"count":    {[]string{"query", "image_generation", "-w", "nsfw", "--count"}, "3\n"},
		"count as": {[]string{"query", "clip", "--count", "--jsonl"}, "{\"count\":2}\n"},
		"distinct": {[]string{"query", "image_generation", "--distinct", "baseline", "--limit", "2"}, `BASELINE             RECORDS
stable_diffusion_xl       13
stable_diffusion_1         4
`},
		"fields as JSON": {
			[]string{"list", "clip", "-n1", "-f", "name,created_at,description", "--jsonl"},
			`{"name":"ViT-L/14","metadata.created_at":1735689600,"description":null}` + "\n",
		},
		"none as JSON": {[]string{"list", "lora", "-o", "json", "-n", "0"}, "[]\n"},
		"search":       {[]string{"search", "plain", "--service", "-q", "--sort=-name"}, "Plain Diffusion Inpainting\nPlain Diffusion\n"},
		"search one":   {[]string{"search", "vit", "-c", "clip", "--service", "-q"}, "ViT-L/14\ncoca_ViT-B-32\n"},
		"popular": {[]string{"popular", "--limit", "2"}, `NAME                        WORKERS   DAY   MONTH    TOTAL
Plain Diffusion                  30  4000  112000  1600000
Plain Diffusion Inpainting       20  2000   56000   800000
`},
		"stats": {[]string{"stats", "clip"}, "COUNT  MODELS  PERCENT\nall         2    100.0\nnsfw        0      0.0\n"},
		"usage": {[]string{"stats", "text_generation", "--usage", "-q"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := demo(t, c.args...)
			assert.Equal(t, 0, got.code, got.err)
			assert.Empty(t, got.err)
			if name == "usage" {
				assert.Len(t, strings.Split(strings.TrimSpace(got.out), "\n"), 13)
				return
			}
			assert.Equal(t, c.want, got.out)
		})
	}
}

func TestJSONIsTheRecordsOwn(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	lines := runWith(t, "", append(flags, "list", "image_generation", "--jsonl")...)
	require.Equal(t, 0, lines.code, lines.err)
	first, _, _ := strings.Cut(lines.out, "\n")
	assert.Equal(t, `{"name":"Small","baseline":"stable_diffusion_1","nsfw":false,"size_on_disk_bytes":2000000000,"own_field":1.50}`, first,
		"unknown fields and the way numbers are written are kept")
	array := runWith(t, "", append(flags, "list", "image_generation", "--json")...)
	for form, text := range map[string]string{"jsonl": lines.out, "json": array.out, "document": twoModels} {
		got := runWith(t, text, append(flags, "diff", "-", "primary:image_generation")...)
		assert.Equal(t, result{0, "", ""}, got, form)
	}
	one := runWith(t, "", append(flags, "get", "image_generation", "Small", "--jsonl")...)
	assert.Equal(t, first+"\n", one.out)
}

func TestARecordOfAnotherNameIsFoundByBoth(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, `{"key": {"name": "own", "baseline": "flux_1", "nsfw": false}}`)
	for _, name := range []string{"key", "own"} {
		got := runWith(t, "", append(flags, "get", "image_generation", name, "-q")...)
		assert.Equal(t, result{0, "key\n", ""}, got)
	}
}

func TestEveryDemoCategoryRoundTrips(t *testing.T) {
	t.Parallel()
	for _, category := range categoryNames() {
		for _, form := range []string{"--json", "--jsonl"} {
			listed := demo(t, "list", category, form)
			require.Equal(t, 0, listed.code, listed.err)
			got := runWith(t, listed.out, "--demo", "diff", category, "-")
			assert.Equal(t, result{0, "", ""}, got, category)
		}
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"help":             {[]string{"--help"}, 0, nil},
		"version":          {[]string{"--version"}, 0, nil},
		"unknown command":  {[]string{"lsit"}, 2, []string{`unknown command "lsit": did you mean list?`}},
		"no such command":  {[]string{"frobnicate"}, 2, []string{"must be one of baselines, categories, "}},
		"unknown flag":     {[]string{"list", "--nope"}, 2, []string{"unknown flag: --nope", "modelref list --help"}},
		"no name":          {[]string{"get"}, 2, []string{"usage: modelref get [CATEGORY] NAME"}},
		"unknown category": {[]string{"--demo", "list", "clipp"}, 2, []string{`unknown category "clipp": did you mean clip?`}},
		"all wrong": {
			[]string{"--demo", "list", "clip", "-w", "foo=1", "-s", "tags", "-f", "x"}, 2,
			[]string{`--where: no field "foo": must be one of record_type, name,`, `--sort: no field "tags"`, `--fields: no field "x"`, "files and checksums are no fields: `get` and --json have them"},
		},
		"distinct what":    {[]string{"--demo", "query", "--distinct", "nsfw"}, 2, []string{`--by: no field "nsfw": must be one of record_type,`}},
		"bad value":        {[]string{"--demo", "list", "clip", "-w", "size_on_disk_bytes<big"}, 2, []string{"--where: size_on_disk_bytes:", "7e9", "8GB or 7.5GiB"}},
		"negative limit":   {[]string{"--demo", "list", "clip", "-n", "-3"}, 2, []string{"--limit -3: must be 0 or more"}},
		"two outputs":      {[]string{"--demo", "list", "clip", "--json", "-q"}, 2, []string{"one of --json, --jsonl, --quiet and --output"}},
		"demo and primary": {[]string{"--demo", "--primary", "http://127.0.0.1", "list", "clip"}, 2, []string{"--demo has its own server"}},
		"bad timeout":      {[]string{"--timeout", "0s", "list", "clip"}, 2, []string{"must be more than 0"}},
		"bad URL":          {[]string{"--primary", "nonsense", "list", "clip"}, 2, []string{"http://"}},
		"not found":        {[]string{"--demo", "get", "image_generation", "plain"}, 3, []string{`did you mean "Plain Diffusion"`}},
		"a typo":           {[]string{"--demo", "get", "image_generation", "Inkwel1"}, 3, []string{`did you mean "Inkwell"?`}},
		"nothing near":     {[]string{"--demo", "get", "clip", "zzz"}, 3, []string{"`modelref list clip`"}},
		"offline":          {[]string{"--offline", "--no-cache", "list", "clip"}, 2, []string{"leave out --no-cache"}},
		"no source": {
			[]string{"--primary", "", "--no-github", "list", "clip"}, 2, []string{"must have a source"},
		},
		"search offline": {[]string{"--offline", "--cache-dir", t.TempDir(), "search", "x", "--service"}, 1, []string{"Run without --offline"}},
		"search limit":   {[]string{"--demo", "search", "x", "--service", "--limit", "501"}, 2, []string{"must be 1 to 500"}},
		"popular of":     {[]string{"--demo", "popular", "clip"}, 2, []string{"image_generation and text_generation"}},
		"popular by":     {[]string{"--demo", "popular", "--sort", "x"}, 2, []string{"must be one of worker_count"}},
		"all offline":    {[]string{"--offline", "--cache-dir", t.TempDir(), "query"}, 1, []string{"no source could give any category", "Run without --offline"}},
		"status what":    {[]string{"--demo", "status", "image_generatoin"}, 2, []string{"did you mean image_generation"}},
		"status offline": {[]string{"--offline", "--cache-dir", t.TempDir(), "status", "clip"}, 1, nil},
		"diff nothing":   {[]string{"--demo", "diff", "clip", "nothere"}, 2, []string{"neither a file nor a category"}},
		"diff stdin":     {[]string{"diff", "-", "-"}, 2, []string{"read once"}},
		"demo to cache":  {[]string{"--demo", "--cache-dir", "x", "list", "clip"}, 2, []string{"leave out --cache-dir"}},
		"diff demo":      {[]string{"--demo", "diff", "clip", "cache:clip"}, 2, []string{"--demo has no cache directory"}},
		"diff no cache":  {[]string{"--no-cache", "diff", "cache:clip", "cache:clip"}, 2, []string{"leave out --no-cache"}},
		"diff no GitHub": {[]string{"--no-github", "diff", "-", "github:clip"}, 2, []string{"github:clip: --no-github switches that source off"}},
		"count by":       {[]string{"--demo", "list", "clip", "--by", "name", "--fields", "name"}, 2, []string{"--by and --fields exclude each other"}},
		"unknown topic":  {[]string{"help", "lst"}, 2, []string{`unknown command "lst": did you mean `}},
		"a near flag":    {[]string{"list", "--limt", "3"}, 2, []string{"did you mean --limit?"}},
		"another's flag": {[]string{"list", "--format", "json"}, 2, []string{"did you mean --output?"}},
		"a near field":   {[]string{"--demo", "list", "image", "-f", "nme"}, 2, []string{`--fields: no field "nme": did you mean name`}},
		"no number":      {[]string{"list", "-n", "x"}, 2, []string{"must be a whole number"}},
		"a diff of one":  {[]string{"diff", "clip"}, 2, []string{"such as primary:clip and github:clip"}},
		"a category":     {[]string{"--demo", "get", "image"}, 3, []string{"`modelref list image_generation` shows its models"}},
		"files as what":  {[]string{"--demo", "files", "image", "--urls", "-o", "csv"}, 2, []string{"leave out --output"}},
		"sfw and nsfw":   {[]string{"--demo", "search", "x", "--nsfw", "--sfw"}, 2, []string{"nsfw", "sfw"}},
		"no demo":        {[]string{"list", "clip", "--demo=false", "--primary", "http://127.0.0.1:9/api"}, 1, []string{"no source could give clip"}},
		"verify where":   {[]string{"--demo", "verify", "nothere"}, 2, []string{"name the directory"}},
		"watch what":     {[]string{"--demo", "watch", "clip", "--interval", "0s"}, 2, []string{"--interval"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runWith(t, "", c.args...)
			assert.Equal(t, c.code, got.code, got.err)
			for _, want := range c.want {
				assert.Contains(t, got.err, want)
			}
			if c.want != nil {
				assert.Empty(t, got.out)
			}
			assert.NotContains(t, got.err, "With")
			assert.NotContains(t, got.err, "modelref: modelref:")
		})
	}
}

func TestAHintIsGivenOnce(t *testing.T) {
	t.Parallel()
	got := runWith(t, "", "--offline", "--cache-dir", t.TempDir(), "query")
	assert.Equal(t, 1, strings.Count(got.err, "Run without --offline"))
}

func TestTheHelpDocumentsExitCodes(t *testing.T) {
	t.Parallel()
	got := runWith(t, "", "--help")
	for _, want := range []string{"Exit codes:\n  0  ", "\n  1  ", "\n  2  ", "\n  3  "} {
		assert.Contains(t, got.out, want)
	}
}

func TestTheEnvironmentIsHeededAndFlagsWin(t *testing.T) {
	server, _ := serve(t, twoModels)
	t.Setenv("HORDE_MODEL_REFERENCE_PRIMARY_API_URL", server.URL())
	t.Setenv("HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK", "false")
	assert.Equal(t, 0, runWith(t, "", "list", "image_generation").code)
	assert.Equal(t, 2, runWith(t, "", "--primary", "", "list", "image_generation").code)
	t.Setenv("HORDE_MODEL_REFERENCE_OFFLINE", "maybe")
	got := runWith(t, "", "list", "image_generation")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "HORDE_MODEL_REFERENCE_OFFLINE")
	assert.Equal(t, 0, demo(t, "list", "clip").code, "the demo works everywhere")
}

func TestCacheDirAnswersWhenNothingElseDoes(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	cache := t.TempDir()
	require.Equal(t, 0, runWith(t, "", append(flags, "--cache-dir", cache, "list", "image_generation")...).code)
	got := runWith(t, "", append(flags, "--offline", "--cache-dir", cache, "list", "image_generation", "-f", "name", "-n1")...)
	assert.Equal(t, 0, got.code)
	assert.Equal(t, "NAME\nSmall\n", got.out)
	assert.Empty(t, got.err, "the copy is younger than the TTL")
	same := runWith(t, "", append(flags, "--cache-dir", cache, "diff", "primary:image_generation", "cache:image_generation")...)
	assert.Equal(t, 0, same.code, same.err)
}

func TestRejectedRecordsAreTold(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, `{"Good": {"name": "Good", "baseline": "flux_1", "nsfw": false}, "Bad": {"name": "Bad", "nsfw": "perhaps"}}`)
	got := runWith(t, "", append(flags, "list", "image_generation", "-f", "name")...)
	assert.Equal(t, 0, got.code)
	assert.Equal(t, "NAME\nGood\n", got.out)
	assert.Contains(t, got.err, `image_generation: left out: "Bad"`)
	quiet := runWith(t, "", append(flags, "list", "image_generation", "-q")...)
	assert.Equal(t, result{0, "Good\n", ""}, quiet)
}

func TestQueryPrintsWhatCouldBeRead(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	cache := t.TempDir()
	require.Equal(t, 0, runWith(t, "", append(flags, "--cache-dir", cache, "list", "image_generation")...).code)
	got := runWith(t, "", append(flags, "--offline", "--cache-dir", cache, "query", "-f", "name")...)
	assert.Equal(t, 1, got.code, "a category is missing")
	assert.Contains(t, got.out, "Small")
	assert.Contains(t, got.err, "no source could give blip, clip, ")
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
		not  string
	}{
		"categories":   {[]string{"list", ""}, "image_generation\n", ""},
		"one category": {[]string{"popular", "image_generation", "x"}, ":4\n", "clip\n"},
		"fields":       {[]string{"list", "image_generation", "--fields", "name,"}, "name,baseline\n", ""},
		"common":       {[]string{"query", "--where", ""}, "size_on_disk_bytes\n", "baseline\n"},
		"descending":   {[]string{"list", "image_generation", "--sort=-"}, "-nsfw\n", ""},
		"search":       {[]string{"search", "--category", ""}, "clip\n", ""},
		"diff":         {[]string{"diff", ""}, "clip\n", ""},
		"commands":     {[]string{""}, "verify\t", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runWith(t, "", append([]string{"__complete"}, c.args...)...)
			assert.Contains(t, got.out, c.want)
			if c.not != "" {
				assert.NotContains(t, got.out, c.not)
			}
		})
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := runWith(t, "", "completion", shell)
		assert.Equal(t, 0, got.code)
		assert.Contains(t, got.out, "modelref")
	}
}

// oldCopy writes a document of image_generation that is five hours old, and returns its cache directory.
func oldCopy(t *testing.T, document string) string {
	t.Helper()
	cache := t.TempDir()
	then := time.Now().Add(-5*time.Hour - time.Minute)
	require.NoError(t, os.Chtimes(write(t, cache, "stable_diffusion.json", document), then, then))
	return cache
}

func TestARemarkOnAStaleCopySaysWhy(t *testing.T) {
	t.Parallel()
	server, flags := serve(t, twoModels)
	cache := oldCopy(t, twoModels)
	flags = append(flags, "--cache-dir", cache)
	list := []string{"list", "image_generation", "-f", "name", "-n1"}

	got := runWith(t, "", append([]string{"--offline", "--cache-dir", cache}, list...)...)
	assert.Equal(t, result{0, "NAME\nSmall\n", "modelref: image_generation is from the cache directory, 5h old, and may be behind: " +
		"no source could be asked\n"}, got)

	server.Break(modelreftest.Primary, modelreftest.Status(403))
	got = runWith(t, "", append(flags, list...)...)
	assert.Equal(t, "NAME\nSmall\n", got.out)
	assert.Regexp(t, "^modelref: image_generation is from the cache directory, 5h old, and may be behind: no source answered with it\n"+
		`  primary: GET .*: 403 Forbidden .*\(1 attempt, .*\)`+"\n$", got.err)
	assert.Empty(t, runWith(t, "", append(append(flags, list...), "-q")...).err)
}

func TestStatusTellsTheAge(t *testing.T) {
	t.Parallel()
	got := runWith(t, "", "--offline", "--cache-dir", oldCopy(t, twoModels), "status", "image_generation", "clip")
	assert.Equal(t, 1, got.code, "there is no copy of clip")
	assert.Regexp(t, `CATEGORY +STATE +ORIGIN +AGE +RECORDS +REJECTED`, got.out)
	assert.Regexp(t, `image_generation +stale +disk +5h +2 +0\n`, got.out)
	assert.Regexp(t, `clip +unavailable +0 +0 `, got.out)
}

func TestEndpointsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	for status, hint := range map[int]string{
		404: "The service does not have this endpoint, or --primary is the URL of another service. `modelref list` and `search` do not need it.",
		503: "The service has failed. `modelref list` and `search` do not need it.",
	} {
		server, flags := serve(t, twoModels)
		server.Break(modelreftest.Primary, modelreftest.Status(status))
		for _, args := range [][]string{
			{"search", "x", "--service"}, {"search", "x", "-c", "clip", "--service"}, {"popular"}, {"stats", "clip"}, {"stats", "image_generation", "--usage"},
		} {
			got := runWith(t, "", append(flags, args...)...)
			assert.Equal(t, 1, got.code, args)
			assert.Contains(t, got.err, strconv.Itoa(status), args)
			assert.Contains(t, got.err, hint, args)
		}
	}
}

func TestDistinctCountsTheRecordsWithoutAValue(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, twoModels)
	for form, want := range map[string]string{
		"--json=false": "SIZE     RECORDS\n2.00 GB        1\n(unset)        1\n",
		"--jsonl":      `{"value":"2000000000","count":1}` + "\n" + `{"value":null,"count":1}` + "\n",
		"-q":           "2000000000\n",
	} {
		got := runWith(t, "", append(flags, "query", "image_generation", "--distinct", "size_on_disk_bytes", form)...)
		assert.Equal(t, result{0, want, ""}, got, form)
	}
}
