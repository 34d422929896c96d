// The options of New, and those of a single read.

package modelref

import (
	"cmp"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haidra-org/modelref/internal/redact"
)

// Version is the version of this package. It is part of the default User-Agent.
const Version = "0.1.0"

// DefaultPrimaryURL is the base URL of the public PRIMARY.
const DefaultPrimaryURL = "https://models.aihorde.net/api"

// An Option configures a Client. Pass options to [New].
type Option func(*config)

// JoinOptions returns an Option that applies the given options in order. Nil options are skipped.
func JoinOptions(options ...Option) Option {
	return func(c *config) {
		for _, option := range options {
			if option != nil {
				option(c)
			}
		}
	}
}

// WithPrimaryURL sets the base URL of the PRIMARY. The default is "https://models.aihorde.net/api". New returns an error if the
// URL has no scheme or no host, or if it has a query or a fragment. New does not use the network; [Client.Ping] checks whether
// the URL leads to a model reference.
func WithPrimaryURL(base string) Option {
	return func(c *config) { c.setPrimaryURL("WithPrimaryURL", base) }
}

func (c *config) setPrimaryURL(setting, base string) {
	u, err := parseBaseURL(base)
	if err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.primaryURL = u
}

// WithoutPrimary makes the Client read only from GitHub, the cache directory or store, and the bootstrap. New returns an error
// if the Client then has no source.
func WithoutPrimary() Option { return func(c *config) { c.primaryURL = nil } }

// WithTTL sets how long a category is served from memory before the Client checks whether it has changed. The default is one
// minute. The Client shortens each TTL at random by up to a tenth. It shortens the TTL by up to a half after the first response
// that says that the document has not changed. Therefore Clients that start together do not send their requests together. New
// returns an error if ttl is less than a millisecond.
func WithTTL(ttl time.Duration) Option {
	return func(c *config) { c.setTTL("WithTTL", ttl) }
}

func (c *config) setTTL(setting string, ttl time.Duration) {
	if err := checkDuration("the TTL", ttl, false); err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.ttl = ttl
}

// WithMaxStale sets the age up to which a copy from the PRIMARY is preferred to GitHub while the PRIMARY is unavailable, and may
// be returned while a load continues, see [WithRefreshWait]. The default is one hour. If age is 0, GitHub is preferred to every
// copy. New returns an error if age is
// negative, or less than a millisecond but not 0.
func WithMaxStale(age time.Duration) Option {
	return func(c *config) { c.setMaxStale("WithMaxStale", age) }
}

func (c *config) setMaxStale(setting string, age time.Duration) {
	if err := checkDuration("the age", age, true); err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.maxStale = age
}

// WithCacheDir makes the Client keep a copy of each document in the directory dir, and read the copies when it starts and
// when no source is available. The files are named as the Python library names them, so that both can share a directory.
// If a source confirmed a copy less than the TTL ago, the Client starts without a request. A copy that came from GitHub is
// used without a request only while the PRIMARY cannot be requested. A copy that came from another PRIMARY is not used,
// unless the Client has no PRIMARY.
//
// New creates the directory if it does not exist, and returns an error if it cannot be created. New makes a relative dir
// absolute. If the directory cannot be written to, it is used for reading; New logs a warning, unless the Client is offline.
// The umask of the process sets the permissions of the files. There is no cache directory by default.
func WithCacheDir(dir string) Option {
	return func(c *config) { c.setCacheDir("WithCacheDir", dir) }
}

func (c *config) setCacheDir(setting, dir string) {
	if dir == "" {
		c.fail(setting, "the path must not be empty")
		return
	}
	c.cacheDir, c.store, c.storeOrigin, c.cacheDirFrom = dir, nil, SourceDisk, setting
}

// WithStore keeps documents in a store of the caller instead of a cache directory, for example in one that several machines
// share. If both WithCacheDir and WithStore are given, the last one is used. New returns an error if store is nil.
func WithStore(store Store) Option {
	return func(c *config) {
		if isNil(store) {
			c.fail("WithStore", "the store must not be nil")
			return
		}
		c.cacheDir, c.store, c.storeOrigin = "", store, SourceStore
	}
}

// WithBootstrap sets the documents that are served as the last resort. The root of the file system has a v2 document
// CATEGORY.json for each category that the program brings along; [fs.Sub] returns such a file system for an embed.FS. The
// ConfirmedAt of a reference is the modification time of the file, which is the zero time for embedded files. New returns an
// error if there is no such file. There is no bootstrap by default.
func WithBootstrap(documents fs.FS) Option {
	return func(c *config) { c.setBootstrap("WithBootstrap", documents) }
}

func (c *config) setBootstrap(setting string, documents fs.FS) {
	if err := checkBootstrap(documents); err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.bootstrap = documents
}

// GitHubRepo names a branch of a repository on GitHub.
type GitHubRepo struct {
	Owner  string
	Name   string
	Branch string
}

// GitHubConfig has the addresses of the legacy files on GitHub, which are read while the PRIMARY is unavailable. An empty field
// has its default.
type GitHubConfig struct {
	// Image has the files of all categories except text_generation. The default is Haidra-Org/AI-Horde-image-model-reference, main.
	Image GitHubRepo
	// Text has models.csv. The default is Haidra-Org/AI-Horde-text-model-reference, main.
	Text GitHubRepo
	// BaseURL is the server of the raw files. The default is https://raw.githubusercontent.com.
	BaseURL string
	// ProxyPrefix is prepended to the whole URL of a file, for proxies that work in this way. The default is none.
	ProxyPrefix string
}

// WithGitHub sets the addresses of the legacy files on GitHub. It enables the fallback, also if WithoutGitHub was given before.
// New returns an error if a URL of github is invalid, or if a name cannot be that of an owner, a repository or a branch.
func WithGitHub(github GitHubConfig) Option {
	return func(c *config) {
		c.github, c.githubFrom = githubConfig{GitHubConfig: github.withDefaults(), enabled: true}, "WithGitHub"
	}
}

// WithoutGitHub disables the fallback to the files on GitHub. New returns an error if the Client then has no source.
func WithoutGitHub() Option { return func(c *config) { c.github.enabled = false } }

// WithHTTPClient sets the HTTP client that sends the requests. The Client uses a copy and does not modify client. The Timeout of
// client limits one attempt if it is shorter than that of [WithTimeout]. New returns an error if client is nil, if its Transport
// is a nil pointer, or if its Timeout is negative.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) {
		switch {
		case client == nil:
			c.fail("WithHTTPClient", "the HTTP client must not be nil")
		case client.Transport != nil && isNil(client.Transport):
			c.fail("WithHTTPClient", "the Transport must not be a nil %T", client.Transport)
		case client.Timeout < 0:
			c.fail("WithHTTPClient", "the Timeout must not be negative, got %v", client.Timeout)
		default:
			c.httpClient = client
		}
	}
}

// WithTransportWrapper wraps the transport that sends the requests, for traces, metrics and tests. The wrapper gets each attempt
// and each redirect separately. It does not get the API key, which is added after it. The context of a request has the values of
// the context of the caller that started the load. If there are several wrappers, the last one given gets a request first. New
// returns an error if wrap or its result is nil.
func WithTransportWrapper(wrap func(next http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) {
		if wrap == nil {
			c.fail("WithTransportWrapper", "the function must not be nil")
			return
		}
		c.wrappers = append(c.wrappers, func(next http.RoundTripper) http.RoundTripper {
			wrapped := wrap(next)
			if isNil(wrapped) {
				c.fail("WithTransportWrapper", "the function must return a transport, got nil: return next to leave it as it is")
				return next
			}
			return wrapped
		})
	}
}

// WithUserAgent sets the User-Agent of every request. The default has the name and the version of this package. A program
// should put its own name in front. New returns an error if userAgent is empty or has control characters.
func WithUserAgent(userAgent string) Option {
	return func(c *config) { c.setUserAgent("WithUserAgent", userAgent) }
}

func (c *config) setUserAgent(setting, userAgent string) {
	if strings.TrimSpace(userAgent) == "" || strings.ContainsFunc(userAgent, redact.IsControl) {
		c.fail(setting, "the User-Agent must be one line of text, got %q", userAgent)
		return
	}
	c.userAgent = userAgent
}

// WithAPIKey sets the key for the endpoints that only registered users can use. It is sent only to the host of the PRIMARY, over
// https or to a loopback address. It is removed from errors, logs and events. If key is empty, no key is sent.
//
// New returns an error if key could never be sent: if it has control characters or spaces around it, is not valid UTF-8 or
// longer than 1024 bytes, or if the Client has no PRIMARY or one with an http URL of another machine.
func WithAPIKey(key string) Option {
	return func(c *config) { c.setAPIKey("WithAPIKey", key) }
}

// maxAPIKey limits the time that it takes to find all forms of the key in a text.
const maxAPIKey = 1024

func (c *config) setAPIKey(setting, key string) {
	switch {
	case strings.ContainsFunc(key, redact.IsControl):
		c.fail(setting, "the key must not have control characters, such as a line break at its end")
	case !utf8.ValidString(key): // its bytes could not be told from those of the text around them in an error
		c.fail(setting, "the key must be valid UTF-8")
	case strings.TrimSpace(key) != key: // a header field is sent without them
		c.fail(setting, "the key must not begin or end with a space")
	case len(key) > maxAPIKey:
		c.fail(setting, "the key must have at most %d bytes, got %d", maxAPIKey, len(key))
	default:
		c.apiKey, c.apiKeyFrom = redact.NewSecret(key), setting
	}
}

// RetryPolicy limits the attempts and the time of one read. A field that is 0 has its default.
type RetryPolicy struct {
	// MaxAttempts is the number of requests for one document before its source has failed. The default is 3.
	MaxAttempts int
	// BaseDelay is the longest delay before the second attempt. It doubles for each further attempt. The delay is a random time
	// between 0 and that limit. The default is 250 ms.
	BaseDelay time.Duration
	// MaxDuration is the time budget of one read with all its sources, attempts and delays. The default is 20 s. A Store that
	// is read as the last resort may take a tenth of it more. If the server sends Retry-After, the next attempt waits for that
	// time; if the time exceeds the budget, there is no further attempt.
	MaxDuration time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	p.MaxAttempts = cmp.Or(p.MaxAttempts, 3)
	p.BaseDelay = cmp.Or(p.BaseDelay, 250*time.Millisecond)
	p.MaxDuration = cmp.Or(p.MaxDuration, 20*time.Second)
	return p
}

// WithRetry limits the attempts and the time of a read. New returns an error if a field of policy is negative, or if MaxDuration is
// less than a millisecond but not 0.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) { c.setRetry("WithRetry", policy) }
}

func (c *config) setRetry(setting string, policy RetryPolicy) {
	switch err := checkDuration("MaxDuration", policy.MaxDuration, true); {
	case policy.MaxAttempts < 0:
		c.fail(setting, "MaxAttempts must be 0 or more, got %d", policy.MaxAttempts)
	case policy.BaseDelay < 0:
		c.fail(setting, "BaseDelay must be 0 or more, got %v", policy.BaseDelay)
	case err != nil:
		c.fail(setting, "%w", err)
	default:
		c.retry = policy.withDefaults()
	}
}

// WithTimeout limits one attempt, from dialing to the last byte of the body. The default is 10 s. New returns an error if
// perAttempt is less than a millisecond.
func WithTimeout(perAttempt time.Duration) Option {
	return func(c *config) { c.setTimeout("WithTimeout", perAttempt) }
}

func (c *config) setTimeout(setting string, perAttempt time.Duration) {
	if err := checkDuration("the timeout", perAttempt, false); err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.timeout = perAttempt
}

// WithMaxBodyBytes limits the size of a document after decompression. The default is 64 MiB. New returns an error if n <= 0.
func WithMaxBodyBytes(n int64) Option {
	return func(c *config) { c.setMaxBody("WithMaxBodyBytes", n) }
}

func (c *config) setMaxBody(setting string, n int64) {
	if n <= 0 {
		c.fail(setting, "the size must be at least 1 byte, got %d", n)
		return
	}
	c.maxBody = min(n, math.MaxInt-1) // a string is no longer
}

// WithOffline makes the Client read only from the cache directory or store, and the bootstrap. It sends no requests. New returns
// an error if there is none of them.
func WithOffline() Option { return func(c *config) { c.offline = true } }

// WithRefreshWait sets how long a read of an expired category waits for the load if there is a usable copy: one that came from
// this deployment and is younger than [WithMaxStale]. The time is counted from the start of the load, so that later callers wait
// less. When it has passed, or shortly before the deadline of the caller, the read returns the copy, marked as stale, and the
// load continues. If wait is 0, a read with a usable copy does not wait. The same holds after a start for a copy in the cache
// directory or the store. The default is one second. New returns an error if wait is negative, or less than a millisecond but
// not 0.
func WithRefreshWait(wait time.Duration) Option {
	return func(c *config) { c.setRefreshWait("WithRefreshWait", wait) }
}

func (c *config) setRefreshWait(setting string, wait time.Duration) {
	if err := checkDuration("the wait", wait, true); err != nil {
		c.fail(setting, "%w", err)
		return
	}
	c.refreshWait = wait
}

// WithLogger sets the logger of the Client. It logs changes of state, each of them once: sources that fail, records that are
// rejected, a cache directory that cannot be written to, stale copies that are served. By default nothing is logged. New
// returns an error if logger is nil.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) {
		if logger == nil {
			c.fail("WithLogger", "the logger must not be nil: without WithLogger nothing is logged")
			return
		}
		c.logger = logger
	}
}

// WithObserver adds a function that is called for every [Event], in the goroutine in which the event happens. The function must
// be fast and safe for concurrent use. It must not read from the Client or close it, because that would be a deadlock. If
// there are several, they are called in the order in which they were given. Most events happen in a goroutine of the Client, in
// which a panic ends the program. New returns an error if observe is nil.
func WithObserver(observe func(Event)) Option {
	return func(c *config) {
		earlier := c.observer
		switch {
		case observe == nil:
			c.fail("WithObserver", "the function must not be nil")
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

// A LoadOption configures a single read.
type LoadOption func(*readOptions)

// WithRefresh makes a read request the document from its source, even if the copy in memory is fresh and the last-updated time
// has not changed. The read joins a load that starts after the call, and waits for it until its own deadline. No request is sent
// to a source whose circuit breaker is open.
func WithRefresh() LoadOption { return func(o *readOptions) { o.refresh = true } }
