// What New accepts and refuses, and what the environment says.

package modelref

import (
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewReportsEveryBadOptionAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := New(
		WithPrimaryURL("models.aihorde.net/api"), WithPrimaryURL("https://"), WithPrimaryURL("ftp://example.org"),
		WithTTL(0), WithTTL(-time.Second), WithMaxStale(-1), WithTimeout(0), WithRetry(RetryPolicy{Budget: -1}),
		WithCacheDir(filepath.Join(file, "below")), WithHTTPClient(nil), WithTransport(nil), WithUserAgent(""), WithUserAgent("a\r\nb"),
		WithAPIKey("k\n"), WithLogger(nil), WithMaxBodyBytes(0), WithGitHub(GitHubConfig{BaseURL: "nope"}),
	)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 17, err.Error())
	for _, line := range lines {
		assert.Regexp(t, `^modelref: With\w+: .+`, line)
	}
	assert.Contains(t, err.Error(), "WithCacheDir")
}

func TestAURLWithoutASchemeSaysSo(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"127.0.0.1:8080/api", "localhost:8080/api", "[::1]:8080", "models.aihorde.net"} {
		_, err := New(WithPrimaryURL(bad))
		require.ErrorContains(t, err, "http:// or https:// before the host", bad)
	}
}

func TestBadOptionsGiveNoSecretsAway(t *testing.T) {
	t.Parallel()
	_, err := New(WithPrimaryURL("user:secret@host"), WithPrimaryURL("ftp://user:secret@host/?key=secret"), WithAPIKey("secret\n"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := newConfig(nil)
	require.NoError(t, err)
	assert.Equal(t, "https://models.aihorde.net/api", c.primaryURL.String())
	assert.Equal(t, time.Minute, c.ttl)
	assert.Equal(t, time.Hour, c.maxStale)
	assert.Equal(t, 10*time.Second, c.timeout)
	assert.Equal(t, RetryPolicy{MaxAttempts: 3, BaseDelay: 250 * time.Millisecond, Budget: 20 * time.Second}, c.retry)
	assert.EqualValues(t, 64<<20, c.maxBody)
	assert.Regexp(t, `^modelref-go/\d+\.\d+\.\d+ \(\+https://`, c.userAgent)
	assert.True(t, c.github.enabled)
	assert.Nil(t, c.store)
}

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
	assert.Equal(t, &directory{path: filepath.Join("/cache", "horde_model_reference")}, c.store)
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

func TestTheCallersHTTPClientIsLeftAlone(t *testing.T) {
	t.Parallel()
	mine := &http.Client{Timeout: time.Hour}
	c, err := New(WithHTTPClient(mine))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, &http.Client{Timeout: time.Hour}, mine)
	assert.Equal(t, 10*time.Second, c.http.client.HTTPClient.Timeout)

	mine.Timeout = time.Second
	c, err = New(WithHTTPClient(mine))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, time.Second, c.http.client.HTTPClient.Timeout, "the shorter of the two")
}

func TestOptionsJoinsOptionsInTheirOrder(t *testing.T) {
	t.Parallel()
	c, err := New(Options(WithTTL(time.Hour), nil, WithTimeout(time.Second)), Options(), WithTTL(2*time.Minute))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, 2*time.Minute, c.config.ttl)
	assert.Equal(t, time.Second, c.config.timeout)
}

func TestClockSteps(t *testing.T) {
	t.Parallel()
	client, err := New(WithoutPrimary(), WithoutGitHub())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	s := client.CLIP.cache
	ref := &Reference[CLIPRecord]{about: about{category: CategoryCLIP}, data: &records[CLIPRecord]{}}

	s.hold(ref, time.Minute)
	require.Same(t, ref, s.current())
	s.fresh.Load().until = time.Now().Add(-time.Second).UnixNano() // the wall clock has gone forward, or the machine slept
	assert.Nil(t, s.current(), "a clock that goes forward ages everything")

	s.hold(ref, time.Minute)
	s.fresh.Load().until = time.Now().Add(time.Hour).UnixNano() // the wall clock has gone back by an hour
	assert.Same(t, ref, s.current())
	s.fresh.Load().since = time.Now().Add(-time.Minute) // by the clock that is never set
	assert.Nil(t, s.current(), "a clock that goes back keeps nothing beyond its time")
}

func TestABodyMayBeOfAnySize(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"blip.json": {Data: []byte(`{"a":{}}`)}}
	client, err := New(WithMaxBodyBytes(math.MaxInt64), WithBootstrap(files), WithOffline())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	ref, err := client.BLIP.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, ref.Len())
}

func TestABootstrapWithoutDocumentsIsAnErrorOfNew(t *testing.T) {
	t.Parallel()
	below := fstest.MapFS{"boot/clip.json": {Data: []byte("{}")}}
	for want, files := range map[string]fs.FS{
		"want a file system": nil,
		"no document at the root, as image_generation.json": below,
		"no document at the root, as ":                      os.DirFS(filepath.Join(t.TempDir(), "missing")),
	} {
		_, err := New(WithBootstrap(files))
		require.ErrorContains(t, err, "modelref: WithBootstrap: "+want)
	}
	boot, err := fs.Sub(below, "boot")
	require.NoError(t, err)
	client, err := New(WithBootstrap(boot))
	require.NoError(t, err)
	require.NoError(t, client.Close())
}
