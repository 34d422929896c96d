// What the environment sets, and that its documentation is complete.

package modelref

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// env makes a lookup over pairs of names and values.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	c := defaultConfig()
	c.fromEnv(env(
		"HORDE_MODEL_REFERENCE_PRIMARY_API_URL", "http://localhost:19800/api/",
		"HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS", "90",
		"HORDE_MODEL_REFERENCE_PRIMARY_API_TIMEOUT", "2.5",
		"HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK", "False",
		"HORDE_MODEL_REFERENCE_OFFLINE", "1",
		"HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__OWNER", "me",
		"HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__NAME", "images",
		"HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__BRANCH", "feature/x",
		"HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__BRANCH", "next",
		"GITHUB_PROXY_URL_BASE", "https://mirror.example.org/",
		"AIWORKER_CACHE_HOME", "/cache",
	))
	require.Empty(t, c.optionError)
	assert.Equal(t, "http://localhost:19800/api", c.primaryURL.String())
	assert.Equal(t, 90*time.Second, c.ttl)
	assert.Equal(t, 2500*time.Millisecond, c.timeout)
	assert.False(t, c.github.enabled)
	assert.True(t, c.offline)
	assert.Equal(t, filepath.Join("/cache", "horde_model_reference"), c.cacheDir)
	image, err := c.github.url(CategoryImageGeneration)
	require.NoError(t, err)
	assert.Equal(t, "https://mirror.example.org/https://raw.githubusercontent.com/me/images/refs/heads/feature/x/stable_diffusion.json", image)
	text, err := c.github.url(CategoryTextGeneration)
	require.NoError(t, err)
	assert.Contains(t, text, "/Haidra-Org/AI-Horde-text-model-reference/refs/heads/next/models.csv")

	c = defaultConfig()
	c.fromEnv(env("HORDE_MODEL_REFERENCE_PRIMARY_API_URL", ""))
	assert.Nil(t, c.primaryURL, "empty means GitHub only")
	c = defaultConfig()
	c.fromEnv(env())
	assert.Equal(t, DefaultPrimaryURL, c.primaryURL.String())
}

func TestFromEnvNamesWhatDoesNotParse(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"HORDE_MODEL_REFERENCE_PRIMARY_API_URL":            "localhost",
		"HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS":          "soon",
		"HORDE_MODEL_REFERENCE_PRIMARY_API_TIMEOUT":        "-3",
		"HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK":     "perhaps",
		"HORDE_MODEL_REFERENCE_OFFLINE":                    "",
		"HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__OWNER":    "",
		"HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__BRANCH":  " ",
		"GITHUB_PROXY_URL_BASE":                            "mirror",
		"HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS ignored?": "",
	} {
		c := defaultConfig()
		c.fromEnv(env(name, value))
		if strings.HasSuffix(name, "?") {
			assert.Empty(t, c.optionError)
			continue
		}
		require.Len(t, c.optionError, 1, name)
		assert.Contains(t, c.optionError[0].Error(), name)
	}
	for _, ttl := range []string{"0", "NaN", "Inf", "1e300"} {
		c := defaultConfig()
		c.fromEnv(env("HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS", ttl))
		assert.Len(t, c.optionError, 1, ttl)
	}
}

func TestFromEnvReadsTheVariablesOfThisPackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(keyFile, []byte("from the file\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "clip.json"), []byte("{}"), 0o600))
	c := defaultConfig()
	c.fromEnv(env(
		"HORDE_MODEL_REFERENCE_PRIMARY_API_URL", "http://other.example.org/api", "HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS", "7",
		"MODELREF_PRIMARY_URL", "https://example.org/api", "MODELREF_PRIMARY", "true", "MODELREF_API_KEY", " 0000000000 ",
		"MODELREF_CACHE_DIR", dir, "MODELREF_BOOTSTRAP_DIR", dir,
		"MODELREF_TTL", "1m30s", "MODELREF_MAX_STALE", "0", "MODELREF_REFRESH_WAIT", "250ms", "MODELREF_TIMEOUT", "2.5",
		"MODELREF_MAX_ATTEMPTS", "5", "MODELREF_MAX_DURATION", "30", "MODELREF_MAX_BODY_BYTES", "1MiB",
		"MODELREF_USER_AGENT", "worker/1.0", "MODELREF_GITHUB", "off", "MODELREF_OFFLINE", "yes",
	))
	require.Empty(t, c.optionError)
	assert.Equal(t, "https://example.org/api", c.primaryURL.String(), "it takes precedence over the Python library's variable")
	assert.Equal(t, "0000000000", c.apiKey.Reveal())
	assert.Equal(t, dir, c.cacheDir)
	assert.NotNil(t, c.bootstrap)
	assert.Equal(t, 90*time.Second, c.ttl)
	assert.Zero(t, c.maxStale)
	assert.Equal(t, 250*time.Millisecond, c.refreshWait)
	assert.Equal(t, 2500*time.Millisecond, c.timeout)
	assert.Equal(t, RetryPolicy{MaxAttempts: 5, BaseDelay: 250 * time.Millisecond, MaxDuration: 30 * time.Second}, c.retry)
	assert.EqualValues(t, 1<<20, c.maxBody)
	assert.Equal(t, "worker/1.0", c.userAgent)
	assert.False(t, c.github.enabled)
	assert.True(t, c.offline)

	c = defaultConfig()
	c.fromEnv(env("MODELREF_API_KEY_FILE", keyFile, "MODELREF_PRIMARY", "false"))
	require.Empty(t, c.optionError)
	assert.Equal(t, "from the file", c.apiKey.Reveal())
	assert.Nil(t, c.primaryURL)
}

func TestAnEmptyVariableOfThisPackageIsUnset(t *testing.T) {
	t.Parallel()
	c, want := defaultConfig(), defaultConfig()
	for _, variable := range envVariables() {
		if strings.HasPrefix(variable.name, envPrefix) {
			c.fromEnv(env(variable.name, " "))
		}
	}
	c.logger, want.logger = nil, nil
	assert.Equal(t, want, c)
}

func TestAnErrorAfterAllOptionsNamesTheVariable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, set := range map[string][]string{
		"MODELREF_CACHE_DIR":    {"MODELREF_CACHE_DIR", filepath.Join(file, "below")},
		"AIWORKER_CACHE_HOME":   {"AIWORKER_CACHE_HOME", file},
		"MODELREF_API_KEY":      {"MODELREF_API_KEY", "key", "MODELREF_PRIMARY_URL", "http://mirror.example.org/api"},
		"MODELREF_API_KEY_FILE": {"MODELREF_API_KEY_FILE", file},
	} {
		c := newConfig([]Option{func(c *config) { c.fromEnv(env(set...)) }})
		require.Len(t, c.optionError, 1, name)
		assert.Contains(t, c.optionError[0].Error(), "modelref: environment variable "+name+": ")
	}
}

// The README and the doc comment of FromEnv list the variables that FromEnv reads, and no others.
func TestTheEnvironmentVariablesAreDocumented(t *testing.T) {
	t.Parallel()
	var want []string
	for _, variable := range envVariables() {
		want = append(want, variable.name)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "### Environment variables")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		first := ""
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[1]+cells[2], -1) {
			if rest, ok := strings.CutPrefix(name[1], "__"); ok { // the prefix is that of the variable before it
				name[1] = first[:strings.LastIndex(first, "__")+2] + rest
			} else {
				first = name[1]
			}
			rows = append(rows, name[1])
		}
	}
	assert.ElementsMatch(t, want, rows, "the table of README.md")

	source, err := os.ReadFile("env.go")
	require.NoError(t, err)
	var listed []string
	for _, line := range regexp.MustCompile("(?m)^//\t(\\w+)(.*)$").FindAllStringSubmatch(string(source), -1) {
		listed = append(listed, line[1])
		if prefix, ok := strings.CutSuffix(line[1], "OWNER"); ok {
			assert.Equal(t, ", __NAME and __BRANCH", line[2])
			listed = append(listed, prefix+"NAME", prefix+"BRANCH")
		}
	}
	assert.ElementsMatch(t, want, listed, "the doc comment of FromEnv")
}
