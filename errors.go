// The errors of this package: sentinels for errors.Is, and types for errors.As.

package modelref

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref/internal/httpx"
)

var (
	// ErrNotFound is returned if no record has the requested name, or if none matches a query and First or Only is called. A
	// *NotFoundError matches it, and so does an *APIError with the status 404 for a record.
	ErrNotFound = errors.New("not found")
	// ErrUnknownCategory is returned if the model reference has no category with a name.
	ErrUnknownCategory = errors.New("unknown category")
	// ErrUnavailable is returned if no source has a category: the error is then a *FetchError with the reasons. It is also
	// returned by a method that sends a request at each call, after a network error or a status of 408, 429 or 5xx.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnsupported is returned if the deployment does not have an endpoint or an option, for example because it is too old.
	ErrUnsupported = errors.New("not supported by this deployment, which may be too old")
	// ErrInvalidQuery is returned if a query or a request is invalid, for example if it names an unknown field.
	ErrInvalidQuery = errors.New("invalid query")
	// ErrClosed is returned if the Client is closed, or is the zero Client.
	ErrClosed = errors.New("the client is closed")
	// ErrOffline is returned if a call needs the network and the Client was made with WithOffline. A *FetchError of such a
	// Client matches it too.
	ErrOffline = errors.New("offline")
	// ErrNotConfigured is returned if a call needs a source that the Client was made without.
	ErrNotConfigured = errors.New("not configured")
	// ErrCircuitOpen is returned if no request was sent to a source because its circuit breaker is open.
	ErrCircuitOpen = errors.New("the circuit breaker is open after a failure")
)

// errClosed is ErrClosed as exported functions return it.
var errClosed = fmt.Errorf("modelref: %w", ErrClosed)

// APIError is a response with a status that is not 2xx.
type APIError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Method is the HTTP method of the request.
	Method string
	// URL is the URL of the request, without user info and query values.
	URL string
	// Detail is the reason that the service returned: its "detail", the start of a body that has another form, or "".
	Detail string
	// Validation lists the parts of the request that the service did not accept, for a status of 422.
	Validation []ValidationError
	// ContentType is the media type of the body.
	ContentType string
	// RetryAfter is the time after which the server permits the next request, or 0 if the response does not have it.
	RetryAfter time.Duration
	// Body is the body of the response, without the API key. A long body is cut off.
	Body string

	whole bool // the response is that for a whole category rather than for a record
}

// ValidationError is one part of a request that the service did not accept.
type ValidationError struct {
	// Type is the service's name of the fault, such as "enum" or "less_than_equal".
	Type string
	// Location is the path to the part, such as "query.limit".
	Location string
	// Message is the description of the fault.
	Message string
}

// Error returns the request, the status and the detail.
func (e *APIError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Detail != "" && e.Detail != http.StatusText(e.StatusCode) {
		text += ": " + e.Detail
	}
	return text
}

// Is reports whether target is ErrNotFound and the status is 404. A 404 for a whole category does not match.
func (e *APIError) Is(target error) bool {
	return target == ErrNotFound && !e.whole && e.StatusCode == http.StatusNotFound
}

// Retryable reports whether the same request may succeed later. It returns true for 408, 429 and 5xx.
func (e *APIError) Retryable() bool { return httpx.IsOutageStatus(e.StatusCode) }

// DecodeError is returned for a document that is not a JSON object of records, or in which no record can be decoded.
type DecodeError struct {
	// Category is the category that the document was read for.
	Category Category
	// Offset is the offset of the first byte that is not JSON, or -1 if the document is JSON of another form.
	Offset int
	// Reason is the description of the fault.
	Reason string
}

// Error returns the category and the reason.
func (e *DecodeError) Error() string {
	return "the document is not a valid " + string(e.Category) + " reference: " + e.Reason
}

// RecordError describes a record that was left out of a reference, or whose name occurs more than once.
type RecordError struct {
	// Category is the category of the document.
	Category Category
	// Name is the record's name in the document.
	Name string
	// Reason is the description of the fault, with the path of the field.
	Reason string
}

// Error returns the name of the record and the reason.
func (e RecordError) Error() string {
	if e.Name == "" {
		return e.Reason
	}
	return strconv.Quote(e.Name) + ": " + e.Reason
}

// FetchError is returned if no source has a category. It has the error of each source and matches ErrUnavailable. errors.Is and
// errors.As also find the errors of the sources, such as ErrOffline, ErrCircuitOpen or an *APIError. It does not
// match the errors of package context: a time limit of the Client is not the end of the caller's context.
type FetchError struct {
	// Category is the category that was read.
	Category Category
	// Sources lists the sources in the order in which they were tried.
	Sources []SourceError
}

// SourceError is the error of one source that did not have a category.
type SourceError struct {
	// Source is the kind of source.
	Source Source
	// URL is the URL of the category at a source on the network, without user info and query values. It is "" for other sources.
	URL string
	// StatusCode is the HTTP status of the last response, or 0 if there was no response.
	StatusCode int
	// Requests is the number of requests that were sent to the source.
	Requests int
	// Duration is the time until the source had failed.
	Duration time.Duration
	// Hint says what to check or to do.
	Hint string
	// Err is the error of the source.
	Err error
}

// String returns the source, its URL and error, the number of requests and the time, on one line.
func (a SourceError) String() string {
	text := a.Source.String() + ": "
	reason := a.Err.Error()
	if a.URL != "" && !strings.Contains(reason, a.URL) {
		text += "GET " + a.URL + ": "
		if a.StatusCode != 0 && a.Requests > 0 {
			text += strconv.Itoa(a.StatusCode) + " " + http.StatusText(a.StatusCode) + ": "
		}
	}
	text += reason
	if a.Requests > 0 {
		text += fmt.Sprintf(" (%s, %s)", plural(a.Requests, "attempt"), a.Duration.Round(time.Millisecond))
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Error returns the errors of all sources and the hint on one line.
func (e *FetchError) Error() string {
	texts := make([]string, len(e.Sources))
	for i, a := range e.Sources {
		texts[i] = a.String()
	}
	text := "modelref: " + string(e.Category) + ": " + strings.Join(texts, ", ")
	if hint := e.Hint(); hint != "" && !strings.Contains(text, hint) {
		text += "; hint: " + hint
	}
	return text
}

// Hint says what to check or to do. It is the hint for the first source that was tried.
func (e *FetchError) Hint() string {
	for _, a := range e.Sources {
		if a.Hint != "" {
			return a.Hint
		}
	}
	return ""
}

// Is reports whether target is ErrUnavailable.
func (e *FetchError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the errors of all sources.
func (e *FetchError) Unwrap() []error {
	out := make([]error, len(e.Sources))
	for i, a := range e.Sources {
		out[i] = a.Err
	}
	return out
}
