// What the options of New set, and the checks that concern several options.

package modelref

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/redact"
)

const (
	defaultUserAgent = "modelref-go/" + Version + " (+https://github.com/haidra-org/modelref)"
	defaultTTL       = time.Minute
	defaultMaxStale  = time.Hour
	defaultWait      = time.Second
	defaultTimeout   = 10 * time.Second
	defaultMaxBody   = 64 << 20
)

// config is the result of all options.
type config struct {
	primaryURL  *url.URL // nil if there is no PRIMARY
	ttl         time.Duration
	maxStale    time.Duration
	cacheDir    string // "" if the store is that of WithStore, if any
	store       Store
	storeOrigin Source
	bootstrap   fs.FS
	github      githubConfig
	httpClient  *http.Client
	wrappers    []func(http.RoundTripper) http.RoundTripper
	userAgent   string
	apiKey      redact.Secret
	retry       RetryPolicy
	timeout     time.Duration
	maxBody     int64
	offline     bool
	refreshWait time.Duration
	clock       *clock.Clock // nil for the clocks of the system
	logger      *slog.Logger
	observer    func(Event)
	optionError []error

	// The names of the settings that set a value which is checked after all options have been applied.
	cacheDirFrom, apiKeyFrom, githubFrom string
}

func defaultConfig() *config {
	primary, _ := url.Parse(DefaultPrimaryURL) // a constant that can be parsed
	return &config{
		primaryURL: primary,
		ttl:        defaultTTL,
		maxStale:   defaultMaxStale,

		refreshWait: defaultWait,
		github:      githubConfig{GitHubConfig: GitHubConfig{}.withDefaults(), enabled: true},
		githubFrom:  "WithGitHub",
		userAgent:   defaultUserAgent,
		retry:       RetryPolicy{}.withDefaults(),
		timeout:     defaultTimeout,
		maxBody:     defaultMaxBody,
		logger:      slog.New(slog.DiscardHandler),
	}
}

// fail records the error of a setting: the name of an option or of an environment variable. New returns all of them, joined.
func (c *config) fail(setting, format string, args ...any) {
	c.optionError = append(c.optionError, fmt.Errorf("modelref: "+setting+": "+format, args...))
}

// newConfig applies the options and checks the result. The optionError of the configuration has all errors.
func newConfig(options []Option) *config {
	c := defaultConfig()
	for _, option := range options {
		if option != nil {
			option(c)
		}
	}
	if c.github.enabled {
		for _, repo := range []githubRepo{imageRepo, textRepo} {
			if _, err := c.github.fileURL(repo, ""); err != nil {
				c.fail(c.githubFrom, "%w", err)
				break
			}
		}
	}
	c.checkAPIKey()
	c.openCacheDir()
	c.checkSources()
	return c
}

// checkSources records an error if no read could ever succeed because there is no source.
func (c *config) checkSources() {
	if c.store != nil || c.bootstrap != nil || len(c.optionError) > 0 {
		return
	}
	switch {
	case c.offline:
		c.fail("WithOffline", "an offline Client must have a cache directory, a store or a bootstrap: "+
			"add WithCacheDir, WithStore or WithBootstrap, or remove WithOffline")
	case c.primaryURL == nil && !c.github.enabled:
		c.fail("WithoutPrimary and WithoutGitHub", "the Client must have a source: remove one of both, "+
			"or add WithCacheDir, WithStore or WithBootstrap")
	}
}

// checkAPIKey records an error if no request could ever carry the API key. A Client that is offline for a while may have one.
func (c *config) checkAPIKey() {
	switch u := c.primaryURL; {
	case c.apiKey == nil:
	case u == nil:
		c.fail(c.apiKeyFrom, "the key is sent only to a PRIMARY, and the Client has none: remove the key, or set WithPrimaryURL")
	case !httpx.IsConfidential(u):
		c.fail(c.apiKeyFrom, "the key is not sent to %s: the URL of the PRIMARY must have https, or the host must be a loopback address",
			redact.URL(u))
	}
}

// openCacheDir opens the cache directory. A directory that cannot be written to is used for reading.
func (c *config) openCacheDir() {
	if c.cacheDir == "" {
		return
	}
	dir, err := newDirectory(c.cacheDir)
	if err != nil {
		c.fail(c.cacheDirFrom, "the path must name a directory that exists or can be created: %w", err)
		return
	}
	c.store = dir
	if err := dir.Writable(); err != nil && !c.offline {
		c.logger.Warn("cache directory cannot be written to; it is used for reading", "directory", dir.String(), "error", err)
	}
}

// parseBaseURL parses a base URL and removes the slashes at its end. A query or a fragment is an error, because paths are
// appended to the URL.
func parseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case err != nil && !strings.Contains(raw, "://"):
		return nil, fmt.Errorf("not a URL: %s: the URL must have http:// or https:// before the host", redact.Text(err.Error()))
	case err != nil:
		return nil, fmt.Errorf("not a URL: %s: the URL must have the form https://HOST/PATH", redact.Text(err.Error()))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: the URL must have http:// or https:// before the host", redact.URL(u))
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("%q: a base URL must not have a query", redact.URL(u))
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, fmt.Errorf("%q: a base URL must not have a fragment", redact.URL(u))
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: the URL must have a host", redact.URL(u))
	}
	return u, nil
}

// minDuration is the shortest TTL and time limit. A shorter one is a mistake: time.Duration(60) is 60 nanoseconds.
const minDuration = time.Millisecond

// checkDuration returns an error if a duration is less than minDuration. If zero is true, 0 is allowed as well.
func checkDuration(what string, d time.Duration, zero bool) error {
	switch {
	case d >= minDuration || zero && d == 0:
		return nil
	case zero:
		return fmt.Errorf("%s must be 0 or at least %v, got %v%s", what, minDuration, d, unitHint(d))
	default:
		return fmt.Errorf("%s must be at least %v, got %v%s", what, minDuration, d, unitHint(d))
	}
}

// unitHint returns a hint for an error if a duration looks like a plain number of seconds.
func unitHint(d time.Duration) string {
	if d > 0 && d < time.Microsecond {
		return fmt.Sprintf(" (did you mean %d*time.Second?)", int64(d))
	}
	return ""
}

// isNil reports whether a value of an interface is nil or holds a nil pointer or a nil function, which panics when it is used.
func isNil(value any) bool {
	if value == nil {
		return true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func:
		return v.IsNil()
	default:
		return false
	}
}
