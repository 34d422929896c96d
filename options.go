// What a Client can be told when it is made, and for one read.

package modelref

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Version is the version of this package, as the User-Agent names it.
const Version = "0.1.0"

// DefaultPrimaryURL is the base URL of the public PRIMARY.
const DefaultPrimaryURL = "https://models.aihorde.net/api"

const (
	defaultUserAgent = "modelref-go/" + Version + " (+https://github.com/haidra-org/modelref)"
	defaultTTL       = time.Minute
	defaultMaxStale  = time.Hour
	defaultTimeout   = 10 * time.Second
	defaultMaxBody   = 64 << 20
)

// Option is one thing that a Client is told when it is made.
type Option func(*config)

// Options joins options into one, which is each of them in turn.
func Options(options ...Option) Option {
	return func(c *config) {
		for _, option := range options {
			if option != nil {
				option(c)
			}
		}
	}
}

// config is what the options add up to.
type config struct {
	primaryURL  *url.URL // nil: there is no PRIMARY
	ttl         time.Duration
	maxStale    time.Duration
	store       Store
	storeOrigin Origin
	bootstrap   fs.FS
	github      githubConfig
	httpClient  *http.Client
	wrappers    []func(http.RoundTripper) http.RoundTripper
	userAgent   string
	apiKey      secret
	retry       RetryPolicy
	timeout     time.Duration
	maxBody     int64
	offline     bool
	background  bool
	logger      *slog.Logger
	observer    func(Event)
	optionError []error
}

func defaultConfig() *config {
	primary, _ := url.Parse(DefaultPrimaryURL) // a constant that parses
	return &config{
		primaryURL: primary,
		ttl:        defaultTTL,
		maxStale:   defaultMaxStale,
		github:     githubConfig{GitHubConfig: GitHubConfig{}.withDefaults(), enabled: true},
		userAgent:  defaultUserAgent,
		retry:      RetryPolicy{}.withDefaults(),
		timeout:    defaultTimeout,
		maxBody:    defaultMaxBody,
		logger:     slog.New(slog.DiscardHandler),
	}
}

// fail notes what is wrong with an option; New reports all of them.
func (c *config) fail(option, format string, args ...any) {
	c.optionError = append(c.optionError, fmt.Errorf("modelref: "+option+": "+format, args...))
}

// newConfig applies the options and checks the whole.
func newConfig(options []Option) (*config, error) {
	c := defaultConfig()
	for _, option := range options {
		if option != nil {
			option(c)
		}
	}
	if _, err := c.github.fileURL(imageRepo, ""); c.github.enabled && err != nil {
		c.fail("WithGitHub", "%w", err)
	}
	if dir, ok := c.store.(*directory); ok {
		if err := dir.check(); err != nil {
			c.fail("WithCacheDir", "%w", err)
		}
		dir.removeAbandoned()
	}
	return c, errors.Join(c.optionError...)
}

// parseBaseURL returns a base URL without a slash at its end.
func parseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case err != nil && !strings.Contains(raw, "://"):
		return nil, fmt.Errorf("not a URL: %s: want one with http:// or https:// before the host", redactText(err.Error()))
	case err != nil:
		return nil, fmt.Errorf("not a URL: %s", redactText(err.Error()))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: want a URL with http:// or https:// before the host", redactURL(u))
	case u.Host == "":
		return nil, fmt.Errorf("%q: the URL has no host", redactURL(u))
	}
	u.RawQuery, u.Fragment = "", ""
	return u, nil
}

// WithPrimaryURL sets the base URL of the PRIMARY, as "https://models.aihorde.net/api", which is the default. A URL
// without scheme or host is an error of New.
func WithPrimaryURL(base string) Option {
	return func(c *config) {
		u, err := parseBaseURL(base)
		if err != nil {
			c.fail("WithPrimaryURL", "%w", err)
			return
		}
		c.primaryURL = u
	}
}

// WithoutPrimary makes the Client read from GitHub, the cache directory and the bootstrap alone.
func WithoutPrimary() Option { return func(c *config) { c.primaryURL = nil } }

// WithTTL sets how long a category is served from memory before its source is asked whether it changed; a minute by
// default, shortened at random by up to a tenth, and the first time that the source confirms what it gave by up to a half,
// so that a fleet does not ask all at once. A TTL of 0 or less is an error of New.
func WithTTL(ttl time.Duration) Option {
	return func(c *config) {
		if ttl <= 0 {
			c.fail("WithTTL", "%v: want more than 0", ttl)
			return
		}
		c.ttl = ttl
	}
}

// WithMaxStale sets how old a copy that came from the PRIMARY may be to be preferred to GitHub while the PRIMARY is not
// there; an hour by default. 0 prefers GitHub always; less is an error of New.
func WithMaxStale(age time.Duration) Option {
	return func(c *config) {
		if age < 0 {
			c.fail("WithMaxStale", "%v: want 0 or more", age)
			return
		}
		c.maxStale = age
	}
}

// WithCacheDir makes the Client keep a copy of each document in dir, which is made where it does not exist, and read
// it when it starts and when no source answers. The files are named as the Python library names them, so that both can
// share one directory. A copy younger than the TTL saves the first request, unless it came from another deployment, or
// from GitHub while the PRIMARY can be asked. A directory that cannot be written to is an error of New. There is none by
// default.
func WithCacheDir(dir string) Option {
	return func(c *config) {
		if dir == "" {
			c.fail("WithCacheDir", "want the path of a directory")
			return
		}
		c.setCacheDir(dir)
	}
}

func (c *config) setCacheDir(dir string) { c.store, c.storeOrigin = &directory{path: dir}, OriginDisk }

// WithStore keeps documents in a store of the caller's own, in place of a cache directory: one that other machines share,
// say. The last of WithCacheDir and WithStore counts.
func WithStore(store Store) Option {
	return func(c *config) {
		if store == nil {
			c.fail("WithStore", "want a store")
			return
		}
		c.store, c.storeOrigin = store, OriginStore
	}
}

// WithBootstrap gives documents to serve as the last resort: a v2 document CATEGORY.json at the root for each category
// that the program brings along, as fs.Sub gives it of an embed.FS. A reference to one is confirmed when its file was last
// written, which embedded files do not say. With no such file at all it is an error of New. There are none by default.
func WithBootstrap(documents fs.FS) Option {
	return func(c *config) {
		if err := checkBootstrap(documents); err != nil {
			c.fail("WithBootstrap", "%w", err)
			return
		}
		c.bootstrap = documents
	}
}

// GitHubRepo names a branch of a repository on GitHub.
type GitHubRepo struct {
	Owner  string
	Name   string
	Branch string
}

// GitHubConfig says where the legacy files are read from while the PRIMARY is not there. A field that is empty has its
// default.
type GitHubConfig struct {
	// Image holds the files of the image categories; Haidra-Org/AI-Horde-image-model-reference, main by default.
	Image GitHubRepo
	// Text holds models.csv; Haidra-Org/AI-Horde-text-model-reference, main by default.
	Text GitHubRepo
	// BaseURL is the server of raw files; https://raw.githubusercontent.com by default.
	BaseURL string
	// ProxyPrefix is put before the whole URL of a file, for mirrors that work that way. There is none by default.
	ProxyPrefix string
}

// WithGitHub sets where the legacy files on GitHub are read from. It also switches the fallback on, where WithoutGitHub
// came before.
func WithGitHub(github GitHubConfig) Option {
	return func(c *config) { c.github = githubConfig{GitHubConfig: github.withDefaults(), enabled: true} }
}

// WithoutGitHub switches the fallback to the files on GitHub off.
func WithoutGitHub() Option { return func(c *config) { c.github.enabled = false } }

// WithHTTPClient sets the HTTP client that requests are made with. It is copied and never written to; its Timeout
// bounds one attempt where it is shorter than that of WithTimeout. nil is an error of New.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) {
		if client == nil {
			c.fail("WithHTTPClient", "want a client")
			return
		}
		c.httpClient = client
	}
}

// WithTransport puts wrap around the transport that every request goes through, each attempt and each redirect on its own:
// for traces, metrics and tests. The API key is added further in, where wrap does not see it. The requests of a read carry
// the values of the context of the caller that started it. Of several, the one given last sees a request first.
func WithTransport(wrap func(next http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) {
		if wrap == nil {
			c.fail("WithTransport", "want a function")
			return
		}
		c.wrappers = append(c.wrappers, wrap)
	}
}

// WithUserAgent sets the User-Agent of every request. By default it names this package and its version; a program does
// well to put its own name before.
func WithUserAgent(userAgent string) Option {
	return func(c *config) {
		if userAgent == "" || strings.ContainsFunc(userAgent, isControl) {
			c.fail("WithUserAgent", "%q: want one line of text", userAgent)
			return
		}
		c.userAgent = userAgent
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// WithAPIKey sets the key that the endpoints for registered users ask for. It is sent to the PRIMARY's own host alone,
// over https or to a loopback address, and never shows in errors, logs or events.
func WithAPIKey(key string) Option {
	return func(c *config) {
		if strings.ContainsFunc(key, isControl) {
			c.fail("WithAPIKey", "the key holds control characters")
			return
		}
		c.apiKey = newSecret(key)
	}
}

// secret is a text that nothing can print: not fmt, not encoding/json, and not the dumpers that test libraries show
// differences with, which look through pointers and pass over String methods. nil is no secret.
type secret func() string

func newSecret(text string) secret {
	if text == "" {
		return nil
	}
	return func() string { return text }
}

// hide returns text without the secret.
func (s secret) hide(text string) string {
	if s == nil {
		return text
	}
	return strings.ReplaceAll(text, s(), "…")
}

// RetryPolicy says how often and how long a source is tried within one read. A field that is 0 has its default.
type RetryPolicy struct {
	// MaxAttempts is how many requests are made for one document before its source counts as failed; 3 by default.
	MaxAttempts int
	// BaseDelay is the longest wait before the second attempt; it doubles for each one after. The wait is drawn at
	// random between 0 and that. 250 ms by default.
	BaseDelay time.Duration
	// Budget is how long one read may take with all its sources, attempts and waits; 20 s by default. A Store that is
	// asked as the last resort may take a tenth of it more. A Retry-After is obeyed where it fits in, and ends the
	// attempts where it does not.
	Budget time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.BaseDelay == 0 {
		p.BaseDelay = 250 * time.Millisecond
	}
	if p.Budget == 0 {
		p.Budget = 20 * time.Second
	}
	return p
}

// WithRetry sets how often and how long a source is tried. A negative field is an error of New.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) {
		if policy.MaxAttempts < 0 || policy.BaseDelay < 0 || policy.Budget < 0 {
			c.fail("WithRetry", "%+v: want no negative field", policy)
			return
		}
		c.retry = policy.withDefaults()
	}
}

// WithTimeout bounds one attempt, from dialling to the last byte of the body; 10 s by default. 0 or less is an error
// of New.
func WithTimeout(perAttempt time.Duration) Option {
	return func(c *config) {
		if perAttempt <= 0 {
			c.fail("WithTimeout", "%v: want more than 0", perAttempt)
			return
		}
		c.timeout = perAttempt
	}
}

// WithMaxBodyBytes bounds the size of a document, after decompression; 64 MiB by default. 0 or less is an error of New.
func WithMaxBodyBytes(n int64) Option {
	return func(c *config) {
		if n <= 0 {
			c.fail("WithMaxBodyBytes", "%d: want more than 0", n)
			return
		}
		c.maxBody = min(n, math.MaxInt-1) // a string is no longer
	}
}

// WithOffline makes the Client read from the cache directory and the bootstrap alone; nothing is sent.
func WithOffline() Option { return func(c *config) { c.offline = true } }

// RefreshInBackground makes a read of an expired category return what is in memory at once, marked stale, while one load
// brings the new state for the reads that follow. By default such a read waits for the load, and so does the first read
// of a category in either case: an old copy on disk or a bootstrap is no reason not to ask.
func RefreshInBackground() Option { return func(c *config) { c.background = true } }

// WithLogger sets where the Client says what went wrong and what it did about that: sources that failed, records that
// were rejected, a cache directory that cannot be written, stale copies that are served. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) {
		if logger == nil {
			c.fail("WithLogger", "want a logger")
			return
		}
		c.logger = logger
	}
}

// WithObserver adds a function that is called for every Event, at once and in the goroutine in which it happens: it
// must be quick, safe for concurrent use, and neither read nor close the Client, which would wait for itself. Several
// are called in the order in which they were given. Most events happen in a goroutine of the Client, where a panic ends
// the program.
func WithObserver(observe func(Event)) Option {
	return func(c *config) {
		earlier := c.observer
		switch {
		case observe == nil:
		case earlier == nil:
			c.observer = observe
		default:
			c.observer = func(e Event) {
				earlier(e)
				observe(e)
			}
		}
	}
}

const envPrefix = "HORDE_MODEL_REFERENCE_"

// FromEnv reads the environment variables of the Python library horde_model_reference, so that a machine that is set
// up for one is set up for the other:
//
//	HORDE_MODEL_REFERENCE_PRIMARY_API_URL          base URL of the PRIMARY; empty means GitHub only
//	HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS        WithTTL
//	HORDE_MODEL_REFERENCE_PRIMARY_API_TIMEOUT      WithTimeout, in seconds
//	HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK   false is WithoutGitHub
//	HORDE_MODEL_REFERENCE_OFFLINE                  true is WithOffline
//	HORDE_MODEL_REFERENCE_IMAGE_GITHUB_REPO__OWNER, __NAME and __BRANCH
//	HORDE_MODEL_REFERENCE_TEXT_GITHUB_REPO__OWNER, __NAME and __BRANCH
//	GITHUB_PROXY_URL_BASE                          GitHubConfig.ProxyPrefix
//	AIWORKER_CACHE_HOME                            WithCacheDir, the folder horde_model_reference in it
//
// A variable that is not set changes nothing. A value that does not parse is an error of New that names the variable.
// Options after FromEnv win over the environment, those before it do not.
func FromEnv() Option { return func(c *config) { c.fromEnv(os.LookupEnv) } }

func (c *config) fromEnv(lookup func(string) (string, bool)) {
	read := func(name string, use func(value string) error) {
		value, ok := lookup(name)
		if !ok {
			return
		}
		if err := use(strings.TrimSpace(value)); err != nil {
			c.optionError = append(c.optionError, fmt.Errorf("modelref: environment variable %s: %w", name, err))
		}
	}
	read(envPrefix+"PRIMARY_API_URL", func(value string) (err error) {
		if value == "" {
			c.primaryURL = nil
			return nil
		}
		u, err := parseBaseURL(value)
		if err == nil {
			c.primaryURL = u
		}
		return err
	})
	read(envPrefix+"CACHE_TTL_SECONDS", func(value string) error { return parseSeconds(value, &c.ttl) })
	read(envPrefix+"PRIMARY_API_TIMEOUT", func(value string) error { return parseSeconds(value, &c.timeout) })
	read(envPrefix+"ENABLE_GITHUB_FALLBACK", func(value string) error { return parseEnvFlag(value, &c.github.enabled) })
	read(envPrefix+"OFFLINE", func(value string) error { return parseEnvFlag(value, &c.offline) })
	for _, repo := range []struct {
		name string
		repo *GitHubRepo
	}{{"IMAGE", &c.github.Image}, {"TEXT", &c.github.Text}} {
		prefix := envPrefix + repo.name + "_GITHUB_REPO__"
		read(prefix+"OWNER", func(value string) error { return parseWord(value, &repo.repo.Owner) })
		read(prefix+"NAME", func(value string) error { return parseWord(value, &repo.repo.Name) })
		read(prefix+"BRANCH", func(value string) error { return parseWord(value, &repo.repo.Branch) })
	}
	read("GITHUB_PROXY_URL_BASE", func(value string) error {
		if value == "" {
			return nil
		}
		u, err := parseBaseURL(value)
		if err == nil {
			c.github.ProxyPrefix = u.String()
		}
		return err
	})
	read("AIWORKER_CACHE_HOME", func(value string) error {
		if value != "" {
			c.setCacheDir(filepath.Join(value, "horde_model_reference"))
		}
		return nil
	})
}

// parseSeconds reads a positive number of seconds, fractions allowed.
func parseSeconds(value string, to *time.Duration) error {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds > 0) || seconds > float64(1<<62/time.Second) {
		return fmt.Errorf("%q: want a number of seconds, more than 0", value)
	}
	d := time.Duration(seconds * float64(time.Second))
	if d <= 0 {
		return fmt.Errorf("%q: want a nanosecond or more", value)
	}
	*to = d
	return nil
}

// parseEnvFlag reads a boolean in the spellings that the Python library takes.
func parseEnvFlag(value string, to *bool) error {
	switch strings.ToLower(value) {
	case "1", "true", "t", "yes", "y", "on":
		*to = true
	case "0", "false", "f", "no", "n", "off":
		*to = false
	default:
		return fmt.Errorf("%q: want true or false", value)
	}
	return nil
}

func parseWord(value string, to *string) error {
	if value == "" {
		return errors.New("want a value")
	}
	*to = value
	return nil
}

// LoadOption is one thing that a single read is told.
type LoadOption func(*loadOptions)

type loadOptions struct {
	refresh  bool
	ahead    bool // the caller has its answer already
	watch    bool // the caller must not miss a change
	overlays []OverlaySource
	maxAge   time.Duration // how old a confirmation may be, where that is shorter than the TTL
}

// key tells loads apart that cannot stand for each other.
func (o loadOptions) key() string {
	switch {
	case o.refresh:
		return "refresh"
	case o.ahead:
		return "ahead"
	case o.watch:
		return "watch " + o.maxAge.String()
	default:
		return "load"
	}
}

// Refresh makes a read ask the sources even where the copy in memory is fresh, and download the document even where its
// change stamp has not moved. A read joins another one with Refresh that is already under way. A source that is cooling
// down after a failure is left alone all the same.
func Refresh() LoadOption { return func(o *loadOptions) { o.refresh = true } }
