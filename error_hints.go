// What is added to the errors of sources and endpoints: hints for the reader, and whose context has ended.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/redact"
)

// apiHint is the hint for a PRIMARY whose base URL does not end in /api, if it responds but not with the model reference.
const apiHint = "does the base URL of the PRIMARY end in /api?"

// addHint adds a hint to the error of a response that is not that of the endpoint: the endpoint does not exist, or something
// else than the service has responded.
func addHint(err error, hint string) error {
	var api *APIError
	if hint == "" || errors.As(err, &api) &&
		(api.StatusCode != http.StatusNotFound || api.Detail != routeNotFound && api.ContentType == "application/json") {
		return err
	}
	return fmt.Errorf("%w (%s)", err, hint)
}

// urlAt returns the URL of the category at a source on the network, without secrets, or "".
func (l *loader) urlAt(origin Source) string {
	config := l.client.config
	var raw string
	switch primary, _ := l.client.primary.source.(*primarySource); {
	case origin == SourcePrimary && primary != nil:
		raw = primary.url(string(l.info.category))
	case origin == SourceGitHub:
		raw, _ = config.github.url(l.info.category) // "" if GitHub does not have the category
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return config.apiKey.Hide(redact.URL(u))
}

// statusOf returns the last HTTP status in an error, or 0.
func statusOf(err error) int {
	var (
		api     *APIError
		invalid *httpx.InvalidResponseError
	)
	switch {
	case errors.As(err, &api):
		return api.StatusCode
	case errors.As(err, &invalid):
		return invalid.StatusCode
	}
	return 0
}

// hintFor returns what the reader of an error of a source should check or do.
func (l *loader) hintFor(a *SourceError) string {
	switch a.Source {
	case SourcePrimary:
		if hint := l.client.primary.hint; hint != "" && isMisfit(a) {
			return hint
		}
		return networkHint(a, "the URL of the PRIMARY (WithPrimaryURL)")
	case SourceGitHub:
		return networkHint(a, "the addresses of the files on GitHub (WithGitHub)")
	case SourceDisk:
		return storeHint(a.Err, "the cache directory")
	case SourceStore:
		return storeHint(a.Err, "the store")
	case SourceBootstrap:
		return "check the file " + bootstrapFile(l.info) + " of the bootstrap"
	default:
		return "add a source that has the category: WithPrimaryURL, WithCacheDir, WithStore or WithBootstrap"
	}
}

// isMisfit reports whether a source has responded, but not with the model reference.
func isMisfit(a *SourceError) bool {
	return a.Requests > 0 && a.StatusCode != 0 && !httpx.IsOutageStatus(a.StatusCode)
}

// networkHint is hintFor for a source on the network. address names the setting of its address.
func networkHint(a *SourceError, address string) string {
	var (
		dns      *net.DNSError
		large    *httpx.BodyTooLargeError
		redirect *httpx.RedirectError
		timeout  interface{ Timeout() bool }
	)
	switch err := a.Err; {
	case errors.Is(err, ErrOffline):
		return "remove WithOffline, or fill the cache directory or the store with a Client that is not offline"
	case errors.Is(err, ErrCircuitOpen):
		return "try again later: Client.Status has the time of the next attempt"
	case errors.As(err, &large):
		return "raise the limit with WithMaxBodyBytes if the document is that large"
	case errors.As(err, &redirect):
		return "set " + address + " to the target of the redirect"
	case a.StatusCode == http.StatusUnauthorized, a.StatusCode == http.StatusForbidden, a.StatusCode == http.StatusProxyAuthRequired:
		return "check whether the server, or a proxy in front of it, requires a login"
	case a.StatusCode == http.StatusTooManyRequests:
		return "send fewer requests: share one Client, or run a mirror for many workers"
	case isMisfit(a):
		return "check " + address + ", and whether a proxy has responded instead of the server"
	case a.StatusCode != 0:
		return "try again later: the server has an outage"
	case errors.As(err, &dns):
		return "check the host name in " + address + ", and the DNS"
	case httpx.IsTLS(err):
		return "check the certificate of the server, the root certificates and the clock of this machine"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "check the network and " + address + ", or allow more time with WithTimeout and WithRetry"
	default:
		return "check the network and " + address
	}
}

// storeHint is hintFor for the cache directory or the store.
func storeHint(err error, name string) string {
	switch {
	case isMissing(err):
		return name + " has no copy of the category yet: load it once while a source is available"
	case errors.Is(err, errOtherDeployment):
		return "use a cache directory or a store for each deployment"
	default:
		return "check " + name + " and its permissions"
	}
}

// contextError returns the error for a caller whose context has ended. It wraps ctx.Err(), the cause of ctx, and the error of
// the request, if any.
func contextError(ctx context.Context, err error) error {
	end := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(end, cause) {
		end = fmt.Errorf("%w: %w", end, cause)
	}
	switch {
	case err == nil:
		return end
	case errors.Is(err, end):
		return err
	default:
		return fmt.Errorf("%w (%w)", end, err)
	}
}

// hideContext returns err so that errors.Is does not find the errors of package context in it, unless there are none. A time
// limit of the Client must not look like the end of the caller's context.
func hideContext(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &otherContextError{err}
	}
	return err
}

// otherContextError is an error that wraps an error of package context that is not the caller's.
type otherContextError struct{ err error }

func (e *otherContextError) Error() string { return e.err.Error() }

// Is reports whether the error matches target. The errors of package context do not.
func (e *otherContextError) Is(target error) bool {
	return target != context.DeadlineExceeded && target != context.Canceled && errors.Is(e.err, target)
}

// As finds the wrapped errors.
func (e *otherContextError) As(target any) bool { return errors.As(e.err, target) }
