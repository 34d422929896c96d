package redact

import (
	"context"
	"errors"
	"net"
	"net/url"
)

// Err returns err without the secrets of the URLs in its text, see [Secret.Err].
func Err(err error) error { return Secret(nil).Err(err) }

// Err returns err without the secret and without the secrets of the URLs in its text, nor in the text of any error that it
// wraps. It returns err itself if there are none. Otherwise the errors without secrets are still found by errors.As, and
// all of them by errors.Is.
func (s Secret) Err(err error) error {
	_, clean := s.clean(err)
	return clean
}

// clean returns the error without secrets, and reports whether it differs from err.
func (s Secret) clean(err error) (changed bool, clean error) {
	switch e := err.(type) { //nolint:errorlint // it goes through the tree itself
	case nil:
		return false, nil
	case *url.Error:
		return s.cleanURLError(e)
	case *hiddenError, *timeoutError:
		return false, err
	}
	var wrapped []error
	switch e := err.(type) { //nolint:errorlint // it goes through the tree itself
	case interface{ Unwrap() error }:
		wrapped = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		wrapped = e.Unwrap()
	}
	text := err.Error()
	hidden := &hiddenError{text: s.Clean(text), is: func(target error) bool { return errors.Is(err, target) }}
	changed = hidden.text != text
	for _, inner := range wrapped {
		other, inner := s.clean(inner)
		if changed = changed || other; inner != nil {
			hidden.wrapped = append(hidden.wrapped, inner)
		}
	}
	if !changed {
		return false, err
	}
	var network net.Error
	hidden.timeout = errors.As(err, &network) && network.Timeout()
	return true, hidden
}

// cleanURLError returns an error of net/http with a URL and a cause that can be shown.
func (s Secret) cleanURLError(e *url.Error) (changed bool, clean error) {
	shown := "the URL"
	if u, err := url.Parse(e.URL); err == nil {
		if shown = e.URL; u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" {
			shown = URL(u)
		}
		shown = s.Hide(shown)
	}
	changed, cause := s.clean(e.Err)
	if _, done := cause.(*timeoutError); !done && e.Timeout() && errors.Is(cause, context.DeadlineExceeded) { //nolint:errorlint // not one that is wrapped
		cause, changed = &timeoutError{cause}, true
	}
	if !changed && shown == e.URL {
		return false, e
	}
	return true, &url.Error{Op: e.Op, URL: shown, Err: cause}
}

// A hiddenError replaces an error whose text has a secret. It does not hold that error where a printer could find it.
type hiddenError struct {
	text    string
	wrapped []error
	is      func(target error) bool
	timeout bool
}

func (e *hiddenError) Error() string        { return e.text }
func (e *hiddenError) Unwrap() []error      { return e.wrapped }
func (e *hiddenError) Is(target error) bool { return e.is(target) }
func (e *hiddenError) Timeout() bool        { return e.timeout }

// Temporary makes a hiddenError a net.Error.
func (e *hiddenError) Temporary() bool { return e.timeout }

// A timeoutError is an attempt that took too long. net/http has many texts for it.
type timeoutError struct{ err error }

func (e *timeoutError) Error() string   { return "no response in time" }
func (e *timeoutError) Unwrap() error   { return e.err }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

var (
	_ net.Error = (*timeoutError)(nil)
	_ net.Error = (*hiddenError)(nil)
)
