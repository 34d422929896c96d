// Status as JSON, for health checks and for people.

package modelref

import (
	stdjson "encoding/json"
	"time"

	"github.com/haidra-org/modelref/internal/redact"
)

// MarshalJSON returns the status as a JSON object for health checks. Times are in UTC and in RFC 3339, durations are in seconds,
// and errors are texts without secrets. A field that does not apply is left out. Field healthy is the result of Healthy.
func (s Status) MarshalJSON() ([]byte, error) {
	return stdjson.Marshal(struct {
		Healthy    bool             `json:"healthy"`
		Closed     bool             `json:"closed"`
		Primary    SourceStatus     `json:"primary"`
		GitHub     SourceStatus     `json:"github"`
		Categories []CategoryStatus `json:"categories"`
	}{s.Healthy(), s.Closed, s.Primary, s.GitHub, append([]CategoryStatus{}, s.Categories...)})
}

// MarshalJSON returns the status of the source as a JSON object, see [Status.MarshalJSON].
func (s SourceStatus) MarshalJSON() ([]byte, error) {
	return stdjson.Marshal(struct {
		Configured  bool      `json:"configured"`
		BreakerOpen bool      `json:"breaker_open"`
		RetryAt     time.Time `json:"retry_at,omitzero"`
		Since       time.Time `json:"since,omitzero"`
		LastError   string    `json:"last_error,omitempty"`
	}{s.Configured, s.BreakerOpen, timeForJSON(s.RetryAt), timeForJSON(s.Since), errorText(s.LastError)})
}

// MarshalJSON returns the status of the category as a JSON object, see [Status.MarshalJSON]. It has the age in seconds. The fields
// that describe a reference are left out if there is none.
func (c CategoryStatus) MarshalJSON() ([]byte, error) {
	type reference struct {
		Fresh       bool      `json:"fresh"`
		Stale       bool      `json:"stale"`
		Source      Source    `json:"source"`
		Records     int       `json:"records"`
		Rejected    int       `json:"rejected"`
		FetchedAt   time.Time `json:"fetched_at,omitzero"`
		ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
		AgeSeconds  *float64  `json:"age_seconds,omitempty"`
		LastUpdated time.Time `json:"last_updated,omitzero"`
	}
	out := struct {
		Category Category `json:"category"`
		Loaded   bool     `json:"loaded"`
		*reference
		LastError   string    `json:"last_error,omitempty"`
		LastErrorAt time.Time `json:"last_error_at,omitzero"`
		Counters    Counters  `json:"counters"`
	}{
		Category: c.Category, Loaded: c.Loaded, LastError: errorText(c.LastError), LastErrorAt: timeForJSON(c.LastErrorAt),
		Counters: c.Counters,
	}
	if c.Loaded {
		updated, _ := c.LastUpdated.Get() // the zero time if it is unset
		out.reference = &reference{
			Fresh: c.Fresh, Stale: c.Stale, Source: c.Source, Records: c.Records, Rejected: c.Rejected,
			FetchedAt: timeForJSON(c.FetchedAt), ConfirmedAt: timeForJSON(c.ConfirmedAt), LastUpdated: timeForJSON(updated),
		}
		if !c.ConfirmedAt.IsZero() {
			age := c.Age().Round(time.Millisecond).Seconds()
			out.AgeSeconds = &age
		}
	}
	return stdjson.Marshal(out)
}

// MarshalJSON returns the event as a JSON object, with the kind and the source as text, the duration in seconds, and the error as
// text without secrets. A field that does not apply is left out.
func (e Event) MarshalJSON() ([]byte, error) {
	return stdjson.Marshal(struct {
		Kind     EventKind `json:"kind"`
		Category Category  `json:"category,omitempty"`
		Source   Source    `json:"source,omitzero"`
		Requests int       `json:"requests,omitempty"`
		Bytes    int       `json:"bytes,omitempty"`
		Records  int       `json:"records,omitempty"`
		Seconds  float64   `json:"duration_seconds,omitempty"`
		Stale    bool      `json:"stale,omitempty"`
		Err      string    `json:"error,omitempty"`
	}{e.Kind, e.Category, e.Source, e.Requests, e.Bytes, e.Records, e.Duration.Seconds(), e.Stale, errorText(e.Err)})
}

// timeForJSON returns a time in UTC with milliseconds. It returns the zero time, which is left out, if the year does not have
// four digits: such a time comes from a damaged file or an invalid response, and JSON has no form for it.
func timeForJSON(t time.Time) time.Time {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.Truncate(time.Millisecond)
}

// errorText returns the text of an error on one line without the secrets of the URLs in it, or "".
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return redact.SingleLine(redact.URLs(err.Error()))
}
