package httpx

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/haidra-org/modelref/internal/redact"
)

// maxRedirects is how many redirects one attempt follows, as in net/http.
const maxRedirects = 10

// A RedirectError is a redirect that was refused.
type RedirectError struct {
	// Err is the reason.
	Err error
}

// Error returns the reason.
func (e *RedirectError) Error() string { return "redirect not followed: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *RedirectError) Unwrap() error { return e.Err }

// checkRedirect applies the caller's redirect policy, or the default if there is none.
func (e *exchange) checkRedirect(req *http.Request, via []*http.Request) error {
	policy := e.client.base.CheckRedirect
	if policy == nil {
		policy = defaultRedirects
	}
	switch err := policy(req, via); {
	case err == nil:
		e.hop = req.URL
		return nil
	case errors.Is(err, http.ErrUseLastResponse):
		return err
	default:
		return &RedirectError{e.client.config.APIKey.Err(err)}
	}
}

// defaultRedirects is the redirect policy unless the caller has set one.
func defaultRedirects(req *http.Request, via []*http.Request) error {
	from, to := via[len(via)-1].URL.Scheme, req.URL.Scheme
	switch {
	case len(via) >= maxRedirects:
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	case from == "https" && to != "https":
		return errors.New("it leads from https to " + to)
	case to != "https" && to != "http":
		return errors.New("it leads to the unsupported scheme " + to)
	}
	return nil
}

// checkLocation returns an error for a redirect to a malformed URL. net/http would quote the header, with all secrets in it.
func (e *exchange) checkLocation(req *http.Request, resp *http.Response) error {
	location := redirectOf(resp)
	if location == "" {
		return nil
	}
	if _, err := req.URL.Parse(location); err != nil {
		return e.invalid(resp.StatusCode, "malformed Location header", errors.New(redact.Text(err.Error())))
	}
	return nil
}

// redirectOf returns the Location of a redirect, or "".
func redirectOf(resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return resp.Header.Get("Location")
	}
	return ""
}
