// This file tests which options New accepts, and the options from the environment.

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

func TestNewReportsAllInvalidOptions(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := New(
		WithPrimaryURL("models.aihorde.net/api"), WithPrimaryURL("https://"), WithPrimaryURL("ftp://example.org"),
		WithTTL(0), WithTTL(-time.Second), WithMaxStale(-1), WithTimeout(0), WithRetry(RetryPolicy{MaxDuration: -1}),
		WithCacheDir(filepath.Join(file, "below")), WithHTTPClient(nil), WithTransportWrapper(nil), WithUserAgent(""), WithUserAgent("a\r\nb"),
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

func TestTheErrorOfAURLWithoutAScheme(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"127.0.0.1:8080/api", "localhost:8080/api", "[::1]:8080", "models.aihorde.net"} {
		_, err := New(WithPrimaryURL(bad))
		require.ErrorContains(t, err, "http:// or https:// before the host", bad)
	}
}

func TestABaseURLMustNotHaveAQueryOrFragment(t *testing.T) {
	t.Parallel()
	for tail, want := range map[string]string{
		"?token=s3cr3t": "must not have a query", "/?token=s3cr3t": "must not have a query", "?": "must not have a query",
		"#s3cr3t": "must not have a fragment", "/#": "must not have a fragment", "?a=s3cr3t#s3cr3t": "must not have a query",
	} {
		bad := "https://user:s3cr3t@example.org/api" + tail
		for name, option := range map[string]Option{
			"WithPrimaryURL": WithPrimaryURL(bad),
			"WithGitHub":     WithGitHub(GitHubConfig{BaseURL: bad}),
			"ProxyPrefix":    WithGitHub(GitHubConfig{ProxyPrefix: bad}),
			"HORDE_MODEL_REFERENCE_PRIMARY_API_URL": func(c *config) {
				c.fromEnv(env("HORDE_MODEL_REFERENCE_PRIMARY_API_URL", bad))
			},
			"GITHUB_PROXY_URL_BASE": func(c *config) { c.fromEnv(env("GITHUB_PROXY_URL_BASE", bad)) },
		} {
			_, err := New(option)
			require.ErrorContains(t, err, want, "%s %s", name, bad)
			assert.Contains(t, err.Error(), name)
			assert.NotContains(t, err.Error(), "s3cr3t")
		}
	}
	c, err := New(WithPrimaryURL("https://user:s3cr3t@example.org/api//"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, "https://user:s3cr3t@example.org/api", c.config.primaryURL.String(), "user info is sent")
}

func TestErrorsOfOptionsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	_, err := New(WithPrimaryURL("user:secret@host"), WithPrimaryURL("ftp://user:secret@host/?key=secret"), WithAPIKey("secret\n"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := newConfig(nil)
	require.Empty(t, c.optionError)
	assert.Equal(t, "https://models.aihorde.net/api", c.primaryURL.String())
	assert.Equal(t, time.Minute, c.ttl)
	assert.Equal(t, time.Hour, c.maxStale)
	assert.Equal(t, 10*time.Second, c.timeout)
	assert.Equal(t, RetryPolicy{MaxAttempts: 3, BaseDelay: 250 * time.Millisecond, MaxDuration: 20 * time.Second}, c.retry)
	assert.EqualValues(t, 64<<20, c.maxBody)
	assert.Regexp(t, `^modelref-go/\d+\.\d+\.\d+ \(\+https://`, c.userAgent)
	assert.True(t, c.github.enabled)
	assert.Nil(t, c.store)
}

func TestTheCallersHTTPClientIsNotModified(t *testing.T) {
	t.Parallel()
	mine := &http.Client{Timeout: time.Hour}
	c, err := New(WithHTTPClient(mine))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, &http.Client{Timeout: time.Hour}, mine)
}

func TestOptionsJoinsOptionsInTheirOrder(t *testing.T) {
	t.Parallel()
	c, err := New(JoinOptions(WithTTL(time.Hour), nil, WithTimeout(time.Second)), JoinOptions(), WithTTL(2*time.Minute))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	assert.Equal(t, 2*time.Minute, c.config.ttl)
	assert.Equal(t, time.Second, c.config.timeout)
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
		"the file system must not be nil":                        nil,
		"the root has no document such as image_generation.json": below,
		"the root has no document such as ":                      os.DirFS(filepath.Join(t.TempDir(), "missing")),
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

func TestAnAPIKeyMustBeText(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"\xbe", "secret\xff", "two\nlines"} {
		_, err := New(WithAPIKey(key))
		require.ErrorContains(t, err, "modelref: WithAPIKey: the key")
	}
}

// A Client that could never read anything, and a key that could never be sent, are errors of New.
func TestNewRejectsWhatCouldNeverWork(t *testing.T) {
	t.Parallel()
	boot := WithBootstrap(fstest.MapFS{"clip.json": {Data: []byte("{}")}})
	none := func(http.RoundTripper) http.RoundTripper { return nil }
	typed := func(http.RoundTripper) http.RoundTripper { return (*http.Transport)(nil) }
	for name, test := range map[string]struct {
		options []Option
		want    string // "" if New returns a Client
	}{
		"no source":                  {[]Option{WithoutPrimary(), WithoutGitHub()}, "modelref: WithoutPrimary and WithoutGitHub: the Client must have a source"},
		"no source but a bootstrap":  {[]Option{WithoutPrimary(), WithoutGitHub(), boot}, ""},
		"GitHub only":                {[]Option{WithoutPrimary()}, ""},
		"offline with nothing":       {[]Option{WithOffline()}, "modelref: WithOffline: an offline Client must have a cache directory, a store or a bootstrap"},
		"offline with a bootstrap":   {[]Option{WithOffline(), boot}, ""},
		"offline with a directory":   {[]Option{WithOffline(), WithCacheDir(t.TempDir())}, ""},
		"key without a PRIMARY":      {[]Option{WithAPIKey("key"), WithoutPrimary()}, "modelref: WithAPIKey: the key is sent only to a PRIMARY, and the Client has none"},
		"key over http":              {[]Option{WithAPIKey("key"), WithPrimaryURL("http://user:pass@example.org/api")}, "modelref: WithAPIKey: the key is not sent to http://example.org/api: the URL of the PRIMARY must have https"},
		"key over http to loopback":  {[]Option{WithAPIKey("key"), WithPrimaryURL("http://[::1]:19800/api")}, ""},
		"key over https":             {[]Option{WithPrimaryURL("https://example.org/api"), WithAPIKey("kéy")}, ""},
		"key of an offline Client":   {[]Option{WithAPIKey("key"), WithOffline(), boot}, ""},
		"no key over http":           {[]Option{WithAPIKey("key"), WithAPIKey(""), WithPrimaryURL("http://example.org/api")}, ""},
		"key with spaces":            {[]Option{WithAPIKey(" key")}, "modelref: WithAPIKey: the key must not begin or end with a space"},
		"key of spaces":              {[]Option{WithAPIKey("  ")}, "modelref: WithAPIKey: the key must not begin or end with a space"},
		"wrapper without a result":   {[]Option{WithTransportWrapper(none)}, "modelref: WithTransportWrapper: the function must return a transport, got nil"},
		"wrapper with a nil pointer": {[]Option{WithTransportWrapper(typed)}, "modelref: WithTransportWrapper: the function must return a transport, got nil"},
		"nil transport":              {[]Option{WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)})}, "modelref: WithHTTPClient: the Transport must not be a nil *http.Transport"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(test.options...)
			if test.want == "" {
				require.NoError(t, err)
				require.NoError(t, client.Close())
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "pass")
		})
	}
}
