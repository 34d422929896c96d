// The errors of this package: sentinels for errors.Is, and types for errors.As that list what was tried.

package download

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// errNilContext is the error of every function that is called with a nil context.
var errNilContext = errors.New("the context must not be nil")

var (
	// ErrUnsafeName reports a file name that must not be used, for example one that leads out of the weights folder.
	ErrUnsafeName = errors.New("unsafe file name")
	// ErrConflict reports two records that need different content under one file name.
	ErrConflict = errors.New("records contradict each other")
	// ErrNoFolder reports a file of a category that has no weights folder.
	ErrNoFolder = errors.New("no weights folder")
	// ErrNoSource reports a file without a usable URL.
	ErrNoSource = errors.New("no download URL")
	// ErrNoSpace reports that the free space on the disk is too small.
	ErrNoSpace = errors.New("not enough free disk space")
	// ErrAccessDenied reports a response that requires a token or a permission.
	ErrAccessDenied = errors.New("access denied")
	// ErrNotTheFile reports a response that is a web page or an error message in place of the file.
	ErrNotTheFile = errors.New("response is not the file")
	// ErrInvalidResponse reports a response that violates HTTP, for example one with the wrong range.
	ErrInvalidResponse = errors.New("invalid response")
	// ErrContentChanged reports that the content at the server changed during the download.
	ErrContentChanged = errors.New("content changed during the download")
	// ErrUnverifiable reports that neither a checksum nor a length can prove that the response was complete.
	ErrUnverifiable = errors.New("completeness cannot be verified")
	// ErrStalled reports a transfer that was slower than the permitted minimum.
	ErrStalled = errors.New("transfer stalled")
)

// StatusError is a response with a status other than 200 or 206.
type StatusError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// URL is the URL of the response, without user info and query.
	URL string
	// RetryAfter is the delay that the server requested, or 0.
	RetryAfter time.Duration
	// Hint says what the caller can do, or is "".
	Hint string
}

// Error returns the status, the URL and the hint.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: %d %s", e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(" (retry after %s)", e.RetryAfter)
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Is reports whether target is ErrAccessDenied and the status is 401 or 403.
func (e *StatusError) Is(target error) bool {
	return target == ErrAccessDenied && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden)
}

// temporary reports whether the same request may succeed later.
func (e *StatusError) temporary() bool {
	switch e.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return e.StatusCode >= 500
}

// throttled reports whether the server asked for fewer requests.
func (e *StatusError) throttled() bool {
	return e.StatusCode == http.StatusTooManyRequests ||
		e.StatusCode == http.StatusServiceUnavailable && e.RetryAfter > 0
}

// SourceError is the failure of one source.
type SourceError struct {
	// URL is the URL of the source, without user info and query.
	URL string
	// Requests is the number of requests that were sent, including those to the targets of redirects.
	Requests int
	// Err is the last error.
	Err error
}

// Error returns the URL, the number of requests and the last error.
func (e *SourceError) Error() string {
	text := e.Err.Error()
	if !strings.HasPrefix(text, e.URL) {
		text = e.URL + ": " + text
	}
	if e.Requests == 1 {
		return text + " (1 request)"
	}
	return fmt.Sprintf("%s (%d requests)", text, e.Requests)
}

// Unwrap returns the last error.
func (e *SourceError) Unwrap() error { return e.Err }

// FileError is the failure of one file.
type FileError struct {
	// Path is the path of the file below the weights root, with slashes.
	Path string
	// Sources lists the sources that were tried. It is empty if the failure was a local one.
	Sources []*SourceError
	// Err is the local failure, for example a full disk, or nil if every source failed.
	Err error
}

// Error returns the path and the reason, or the reasons of every source.
func (e *FileError) Error() string {
	reasons := make([]string, 0, len(e.Sources)+1)
	for _, s := range e.Sources {
		reasons = append(reasons, s.Error())
	}
	if e.Err != nil {
		reasons = append(reasons, e.Err.Error())
	}
	return e.Path + ": " + strings.Join(reasons, "; ")
}

// Unwrap returns the failures of the sources and the local failure.
func (e *FileError) Unwrap() []error {
	out := make([]error, 0, len(e.Sources)+1)
	for _, s := range e.Sources {
		out = append(out, s)
	}
	if e.Err != nil {
		out = append(out, e.Err)
	}
	return out
}

// PartialError is returned by [Plan.Run] if at least one file of the plan is not available.
type PartialError struct {
	// Failed lists the files that are not available.
	Failed []*FileError
	// Files is the number of files in the plan, including those that cannot be planned.
	Files int
}

// orNil returns e, or nil if no file has failed.
func (e *PartialError) orNil() error {
	if len(e.Failed) == 0 {
		return nil
	}
	return e
}

// Error returns the number of failed files and the reason of each, at most ten of them.
func (e *PartialError) Error() string {
	const most = 10
	reasons := make([]string, 0, most+1)
	for i, f := range e.Failed {
		if i == most {
			reasons = append(reasons, fmt.Sprintf("and %d more", len(e.Failed)-most))
			break
		}
		reasons = append(reasons, f.Error())
	}
	return fmt.Sprintf("download: %d of %d files failed: %s", len(e.Failed), e.Files, strings.Join(reasons, "; "))
}

// Unwrap returns the failures of the files.
func (e *PartialError) Unwrap() []error {
	out := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		out[i] = f
	}
	return out
}

// localError marks a failure on this machine. Another source cannot help.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// local marks err as a failure on this machine. It adds ErrNoSpace if the disk is full.
func local(err error) error {
	if err == nil {
		return nil
	}
	if isDiskFull(err) && !errors.Is(err, ErrNoSpace) {
		err = fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return &localError{err}
}

// isLocal reports whether err was marked by local or is the end of the caller's context.
func isLocal(ctx context.Context, err error) bool {
	var l *localError
	return ctx.Err() != nil || errors.As(err, &l)
}
