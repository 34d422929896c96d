// The errors of this package: sentinels for errors.Is, and types for errors.As that say what was asked and answered.

package modelref

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrNotFound says that a category has no record of the name asked for.
	ErrNotFound = errors.New("not found")
	// ErrUnknownCategory says that the model reference has no category of that name.
	ErrUnknownCategory = errors.New("unknown category")
	// ErrUnavailable says that no source could give a category; it comes as a *FetchError that says why.
	ErrUnavailable = errors.New("unavailable")
	// ErrInvalidQuery says that a query cannot be answered as it was put.
	ErrInvalidQuery = errors.New("invalid query")
	// ErrClosed says that the Client was closed.
	ErrClosed = errors.New("modelref: client is closed")
	// ErrOffline says that the answer needs the network and the Client was made WithOffline.
	ErrOffline = errors.New("offline")
	// ErrNotConfigured says that the answer needs a source that the Client was made without.
	ErrNotConfigured = errors.New("not configured")
	// ErrCoolingDown says that a source was left alone because it failed a short while ago.
	ErrCoolingDown = errors.New("cooling down after a failure")
)

// APIError is an answer with a status that is not 2xx.
type APIError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Method is the HTTP method of the request.
	Method string
	// URL is that of the request, without user info and query values.
	URL string
	// Detail is what the service says went wrong: its "detail", or the start of a body of another form, or "".
	Detail string
	// Validation lists the parts of the request that the service did not accept, for a status of 422.
	Validation []ValidationError
	// ContentType is the media type of the body.
	ContentType string
	// RetryAfter is how long the server asked to be left alone, or 0 where it did not.
	RetryAfter time.Duration

	whole bool // the answer is about a whole category, and says nothing about any record
}

// ValidationError is one part of a request that the service did not accept.
type ValidationError struct {
	// Type is the service's name for what is wrong, as "enum" or "less_than_equal".
	Type string
	// Location is the path to the part, as "query.limit".
	Location string
	// Message says what is wrong.
	Message string
}

// Error returns the request, the status and what the service said.
func (e *APIError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Is makes a 404 for the one thing that was asked for ErrNotFound. A 404 for a category that is read is none.
func (e *APIError) Is(target error) bool {
	return target == ErrNotFound && !e.whole && e.StatusCode == http.StatusNotFound
}

// Temporary reports whether the same request may be answered later: for 408, 429 and 5xx.
func (e *APIError) Temporary() bool { return isOutage(e.StatusCode) }

// isOutage reports whether a status says that the service is not there rather than that the request is wrong.
func isOutage(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

// DecodeError is a document that is not a JSON object of records, or of whose records none decodes.
type DecodeError struct {
	// Category is the category that the document was read for.
	Category Category
	// Offset is the place of the first byte that is not JSON, or -1 where the document is JSON of another form.
	Offset int
	// Reason says what is wrong.
	Reason string
}

// Error returns the category and what is wrong with its document.
func (e *DecodeError) Error() string {
	return "document is no " + string(e.Category) + " reference: " + e.Reason
}

// RecordError is a record that was left out of a reference, or that stands in it twice.
type RecordError struct {
	// Category is the category of the document.
	Category Category
	// Name is the record's name in the document.
	Name string
	// Reason says what is wrong, with the path of the field.
	Reason string
}

// Error returns the name of the record and what is wrong with it.
func (e RecordError) Error() string {
	if e.Name == "" {
		return e.Reason
	}
	return strconv.Quote(e.Name) + ": " + e.Reason
}

// FetchError says that no source could give a category, and what each of them said. It is ErrUnavailable.
type FetchError struct {
	// Category is the category that was asked for.
	Category Category
	// Attempts lists the sources in the order in which they were tried.
	Attempts []Attempt
}

// Attempt is one source that was asked for a category and could not give it.
type Attempt struct {
	// Origin is the kind of source.
	Origin Origin
	// Requests is how many requests were sent to it.
	Requests int
	// Duration is how long it took to fail.
	Duration time.Duration
	// Err is what it said.
	Err error
}

// String returns the source, what it said and what that took, on one line.
func (a Attempt) String() string {
	text := a.Origin.String() + ": " + a.Err.Error()
	var api *APIError
	if errors.As(a.Err, &api) && !errors.Is(a.Err, ErrCoolingDown) { // which another category has earned
		text = a.Origin.String() + " " + strconv.Itoa(api.StatusCode)
		if api.Detail != "" {
			text += " " + strconv.Quote(api.Detail)
		}
	}
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

// Error returns what every source said, on one line.
func (e *FetchError) Error() string {
	said := make([]string, len(e.Attempts))
	for i, a := range e.Attempts {
		said[i] = a.String()
	}
	return "modelref: " + string(e.Category) + ": " + strings.Join(said, ", ")
}

// Is makes every FetchError ErrUnavailable.
func (e *FetchError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns what every source said.
func (e *FetchError) Unwrap() []error {
	out := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		out[i] = a.Err
	}
	return out
}
