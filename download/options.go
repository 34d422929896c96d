// The options of a plan and their defaults.

package download

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/haidra-org/modelref"
)

// The limits and defaults of [Options].
const (
	// DefaultJobs is the number of files that are downloaded concurrently.
	DefaultJobs = 8
	// MaxConnections is the largest, and the default, number of connections to one host.
	MaxConnections = 8
	// DefaultRetries is the number of consecutive attempts without progress after which a source has failed.
	DefaultRetries = 5
	// DefaultIdleTimeout is the time after which a transfer without progress is interrupted.
	DefaultIdleTimeout = 30 * time.Second
	// DefaultMaxRetryAfter is the longest Retry-After that is obeyed.
	DefaultMaxRetryAfter = 5 * time.Minute
)

// The environment variables that [OptionsFromEnv] and [WeightsRoot] read. The Python library and the workers use the
// same names.
const (
	EnvCacheHome          = "AIWORKER_CACHE_HOME"
	EnvCivitaiToken       = "CIVIT_API_TOKEN"            //nolint:gosec // the name of a variable, not a token
	EnvDockerCivitaiToken = "AIWORKER_CIVITAI_API_TOKEN" //nolint:gosec // the name of a variable, not a token
	EnvHuggingFaceToken   = "HF_TOKEN"
	EnvGatewayURL         = "HORDE_MODEL_REFERENCE_R2__GATEWAY_URL"
)

// Options configure a [Plan]. The zero value is usable: it stores files below [WeightsRoot] of "".
type Options struct {
	// Dir is the weights root. If it is "", WeightsRoot("") is used. A relative path is made absolute by NewPlan.
	Dir string
	// ExtraDirs are further weights roots. Files in them count as present. They are never written to.
	ExtraDirs []string

	// Check selects how existing files are verified. The default is CheckChanged.
	Check Check

	// HTTPClient sends the requests. If it is nil, a client with the proxy of the environment and HTTP/1.1 is used.
	// A copy of the client is used, without its Timeout and its CheckRedirect.
	HTTPClient *http.Client
	// UserAgent is the User-Agent header. If it is "", the name of this package is used.
	UserAgent string
	// Tokens has the bearer token of a host, for example "huggingface.co". A token is sent only to that host, and only over
	// https or to a loopback address. If another host redirects a request to the host, the token is not sent.
	Tokens map[string]string
	// Gateway is the content-addressed gateway. It is used only for files with a checksum.
	Gateway Gateway
	// Mirror returns further URLs of a file, or nil. They are tried after the URLs in the records. See MirrorURL.
	Mirror func(*File) []string
	// MirrorFirst makes the URLs of Mirror the first sources instead of the last.
	MirrorFirst bool
	// License returns the license and attribution of a record for File.Models, or "". It may be nil.
	License func(*modelref.ModelRecord) string

	// Jobs is the number of files that are downloaded concurrently. The default is DefaultJobs.
	Jobs int
	// Connections is the maximum number of connections to one host. A file has at most this number of segments. The
	// default and the maximum are MaxConnections. If it is 1, files are not split into segments.
	Connections int
	// RateLimit is the largest number of bytes a second for all files together. If it is 0, the rate is not limited.
	RateLimit int64
	// MinFree is the number of bytes that must remain free on the disk.
	MinFree int64
	// Retries is a number of attempts. If as many attempts in a row receive nothing, the source has failed. The default is
	// DefaultRetries.
	Retries int
	// IdleTimeout is the time over which the rate of a transfer is measured. If the transfer receives less than MinRate
	// bytes a second in this time, it is interrupted and tried again. The default is DefaultIdleTimeout.
	IdleTimeout time.Duration
	// MinRate is the slowest permitted rate in bytes a second of one connection. The default is 1 KiB/s.
	MinRate int64
	// MaxRetryAfter is the longest Retry-After that is obeyed. A source that requests more has failed. The default is
	// DefaultMaxRetryAfter.
	MaxRetryAfter time.Duration

	// OnEvent is called for every event of NewPlan and Run, one call at a time. It must not block. It may be nil.
	OnEvent func(Event)

	segments   segmentSizes
	retryDelay time.Duration // after the first failure
}

// Gateway is a content-addressed server: it returns a file by its SHA-256, at URL/by-hash/<sha256>.
type Gateway struct {
	// URL is the base URL. It must be https, except for a loopback address.
	URL string
	// APIKey is sent in the header "apikey". The gateway is not used without a key.
	APIKey string
}

// Check selects how existing files are verified.
type Check uint8

const (
	// CheckChanged trusts the ".sha256" file beside a file if it is newer than the last change of the file. Otherwise
	// the file is read and hashed.
	CheckChanged Check = iota
	// CheckContent reads and hashes every file.
	CheckContent
)

// OptionsFromEnv returns Options with the weights root, tokens and gateway URL from the environment variables that the
// Python library and the workers use. It returns an error if the weights root cannot be read.
func OptionsFromEnv() (Options, error) {
	dir, err := WeightsRoot("")
	if err != nil {
		return Options{}, err
	}
	options := Options{Dir: dir, Tokens: make(map[string]string), Gateway: Gateway{URL: os.Getenv(EnvGatewayURL)}}
	for _, name := range []string{EnvDockerCivitaiToken, EnvCivitaiToken} {
		if token := os.Getenv(name); token != "" {
			options.Tokens["civitai.com"] = token
		}
	}
	if token := os.Getenv(EnvHuggingFaceToken); token != "" {
		options.Tokens["huggingface.co"] = token
	}
	return options, nil
}

// MirrorURL returns a function for Options.Mirror: a file is at base/folder/name, as in a weights root that a web
// server publishes.
func MirrorURL(base string) func(*File) []string {
	return func(f *File) []string {
		u, err := url.Parse(base)
		if err != nil {
			return nil
		}
		return []string{u.JoinPath(f.Path).String()}
	}
}

// withDefaults checks the options and returns a copy in which every default is filled in.
func (o Options) withDefaults() (Options, error) {
	var problems []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf("download: Options."+format, args...))
		}
	}
	require(o.Jobs >= 0, "Jobs: must not be negative, got %d", o.Jobs)
	require(o.Connections >= 0 && o.Connections <= MaxConnections,
		"Connections: must be from 1 to %d, got %d", MaxConnections, o.Connections)
	require(o.RateLimit >= 0, "RateLimit: must not be negative, got %d", o.RateLimit)
	require(o.MinFree >= 0, "MinFree: must not be negative, got %d", o.MinFree)
	require(o.Retries >= 0, "Retries: must not be negative, got %d", o.Retries)
	require(o.IdleTimeout >= 0, "IdleTimeout: must not be negative, got %s", o.IdleTimeout)
	require(o.MinRate >= 0, "MinRate: must not be negative, got %d", o.MinRate)
	require(o.MaxRetryAfter >= 0, "MaxRetryAfter: must not be negative, got %s", o.MaxRetryAfter)
	require(o.Check <= CheckContent, "Check: must be CheckChanged or CheckContent, got %d", o.Check)
	require(!strings.ContainsFunc(o.UserAgent, unicode.IsControl), "UserAgent: must be one line of text, got %q", o.UserAgent)
	if o.Gateway.URL != "" {
		u, err := url.Parse(o.Gateway.URL)
		require(err == nil && u.Host != "" && mayCarrySecret(u),
			"Gateway.URL: must be an https URL, or an http URL of a loopback address")
	}
	for host := range o.Tokens {
		require(host != "" && !strings.ContainsAny(host, "/@ "), "Tokens: %q must be a host name", host)
	}
	if err := errors.Join(problems...); err != nil {
		return o, err
	}
	if o.Dir == "" {
		dir, err := WeightsRoot("")
		if err != nil {
			return o, err
		}
		o.Dir = dir
	}
	dir, err := filepath.Abs(o.Dir) // the working directory may change before Run
	if err != nil {
		return o, fmt.Errorf("download: Options.Dir: %w", err)
	}
	o.Dir = dir
	o.Jobs = orDefault(o.Jobs, DefaultJobs)
	o.Connections = orDefault(o.Connections, MaxConnections)
	o.Retries = orDefault(o.Retries, DefaultRetries)
	o.IdleTimeout = orDefault(o.IdleTimeout, DefaultIdleTimeout)
	o.MinRate = orDefault(o.MinRate, 1<<10)
	o.MaxRetryAfter = orDefault(o.MaxRetryAfter, DefaultMaxRetryAfter)
	o.segments = orDefault(o.segments, defaultSegments())
	o.retryDelay = orDefault(o.retryDelay, 500*time.Millisecond)
	if o.UserAgent == "" {
		o.UserAgent = "modelref-download/" + modelref.Version + " (+https://github.com/haidra-org/modelref)"
	}
	return o, nil
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// mayCarrySecret reports whether a token may be sent to u: over https, or to a loopback address.
func mayCarrySecret(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return u.Scheme == "http" && ip.IsLoopback()
	}
	return u.Scheme == "http" && host == "localhost"
}
