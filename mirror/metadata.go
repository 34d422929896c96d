// When the categories changed, and how the mirror itself is: last-updated times, heartbeat, health and status.

package mirror

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// noMetadata is what a replica of the service answers about times that it does not know.
const noMetadata = "Metadata tracking is not supported in REPLICA mode"

// serveMetadata serves a path below model_references/v2/metadata.
func (m *Mirror) serveMetadata(w http.ResponseWriter, r *http.Request, rest string) {
	first, after, nested := strings.Cut(rest, "/")
	switch {
	case !nested && first == "last_updated":
		m.lastUpdated(w, r)
	case !nested && first == "metadata":
		m.forwardMetadata(w, r)
	case nested && after != "last_updated" || first == "":
		m.detail(w, r, http.StatusNotFound, "Not Found")
	case !modelref.Category(first).Known():
		m.invalid(w, r, []validationError{unknownCategory(first)})
	case nested:
		m.categoryLastUpdated(w, r, modelref.Category(first))
	default:
		m.forwardMetadata(w, r)
	}
}

// forwardMetadata forwards a request for metadata. Without a response it answers as a replica does.
func (m *Mirror) forwardMetadata(w http.ResponseWriter, r *http.Request) {
	m.forwardOr(w, r, func(error) { m.detail(w, r, http.StatusServiceUnavailable, noMetadata) })
}

// categoryLastUpdated serves the last-updated time that belongs to the document that the mirror serves.
func (m *Mirror) categoryLastUpdated(w http.ResponseWriter, r *http.Request, category modelref.Category) {
	at, st, err := m.lastUpdatedOf(r.Context(), category)
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	if at.IsZero() {
		m.detail(w, r, http.StatusServiceUnavailable, noMetadata)
		return
	}
	m.respondTime(w, r, st, `{"category":"`+string(category)+`","last_updated":`+strconv.FormatInt(at.Unix(), 10)+`}`)
}

// respondTime writes a last-updated time. Caches must not keep it: the reader of a time expects the present one.
func (m *Mirror) respondTime(w http.ResponseWriter, r *http.Request, st *state, body string) {
	m.describe(w.Header(), st)
	w.Header().Set("Cache-Control", "no-cache")
	m.conditional(w, r, []byte(body))
}

// lastUpdatedOf loads the category and returns the time that the PRIMARY last reported for it, or the zero time.
func (m *Mirror) lastUpdatedOf(ctx context.Context, category modelref.Category) (time.Time, *state, error) {
	st, err := m.sources[category].load(ctx)
	if err != nil {
		return time.Time{}, nil, err
	}
	at, _ := m.client.Status().Category(category).LastUpdated.Get()
	return at, st, nil
}

// lastUpdated serves the latest of all last-updated times.
func (m *Mirror) lastUpdated(w http.ResponseWriter, r *http.Request) {
	all, err := m.loadAll(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	var latest time.Time
	for _, c := range m.client.Status().Categories {
		if at, ok := c.LastUpdated.Get(); ok && at.After(latest) {
			latest = at
		}
	}
	if latest.IsZero() {
		m.detail(w, r, http.StatusServiceUnavailable, noMetadata)
		return
	}
	m.respondTime(w, r, all.state, `{"last_updated":`+strconv.FormatInt(latest.Unix(), 10)+`}`)
}

// heartbeat says that the mirror works. The state of the AI Horde is not known to a mirror: what depends on it comes from
// the PRIMARY, and is degraded if the PRIMARY is unavailable.
func (m *Mirror) heartbeat(w http.ResponseWriter, r *http.Request) {
	primary := m.client.Status().Primary
	type aiHorde struct {
		Degraded            bool     `json:"degraded"`
		ConsecutiveFailures int      `json:"consecutive_failures"`
		SecondsUntilRetry   *float64 `json:"seconds_until_retry"`
	}
	horde := aiHorde{Degraded: primary.BreakerOpen}
	if primary.BreakerOpen {
		wait := max(time.Until(primary.RetryAt), 0).Seconds()
		horde.ConsecutiveFailures, horde.SecondsUntilRetry = 1, &wait
	}
	m.json(w, r, http.StatusOK, struct {
		Status  string  `json:"status"`
		AIHorde aiHorde `json:"ai_horde"`
	}{"ok", horde})
}

// health serves the health check: 200 if the mirror can serve every category that was requested, otherwise 503.
func (m *Mirror) health(w http.ResponseWriter, r *http.Request) {
	status, code := "ok", http.StatusOK
	if !m.client.Status().Healthy() {
		status, code = "unhealthy", http.StatusServiceUnavailable
	}
	m.write(w, r, code, contentJSON, encode(map[string]string{"status": status}))
}

// sourceStatus is how a source on the network is, in the status of the mirror.
type sourceStatus struct {
	Configured bool       `json:"configured"`
	Available  bool       `json:"available"`
	RetryAt    *time.Time `json:"retry_at,omitempty"`
	Error      string     `json:"error,omitempty"`
}

// categoryStatus is how one category is, in the status of the mirror.
type categoryStatus struct {
	Category    modelref.Category `json:"category"`
	Domain      modelref.Domain   `json:"domain"`
	Purpose     modelref.Purpose  `json:"purpose"`
	Loaded      bool              `json:"loaded"`
	Records     int               `json:"records"`
	Rejected    int               `json:"rejected"`
	Source      string            `json:"origin"`
	Stale       bool              `json:"stale"`
	ConfirmedAt *time.Time        `json:"confirmed_at"`
	AgeSeconds  *int64            `json:"age_seconds"`
	LastUpdated *time.Time        `json:"last_updated"`
	Error       string            `json:"error,omitempty"`
}

// mirrorStatus is the body of /status.json.
type mirrorStatus struct {
	Version    string           `json:"version"`
	Now        time.Time        `json:"now"`
	Stale      bool             `json:"stale"`
	Primary    sourceStatus     `json:"primary"`
	GitHub     sourceStatus     `json:"github"`
	Categories []categoryStatus `json:"categories"`
}

// status serves how the mirror is: each category with its number of records, its origin and its age. Categories that have
// not been loaded yet are loaded.
func (m *Mirror) status(w http.ResponseWriter, r *http.Request) {
	_ = m.client.Warm(r.Context()) // the errors are part of the status
	now, s := time.Now(), m.client.Status()
	out := mirrorStatus{
		Version: modelref.Version, Now: now.UTC().Truncate(time.Second),
		Primary: newSourceStatus(s.Primary), GitHub: newSourceStatus(s.GitHub),
	}
	for _, c := range s.Categories {
		out.Stale = out.Stale || c.Stale
		out.Categories = append(out.Categories, newCategoryStatus(c, now))
	}
	m.write(w, r, http.StatusOK, contentJSON, encode(out))
}

func newSourceStatus(s modelref.SourceStatus) sourceStatus {
	out := sourceStatus{Configured: s.Configured, Available: s.Configured && !s.BreakerOpen}
	if s.BreakerOpen {
		out.RetryAt = timePointer(s.RetryAt)
		out.Error = publicReason(s.LastError)
	}
	return out
}

func newCategoryStatus(c modelref.CategoryStatus, now time.Time) categoryStatus {
	out := categoryStatus{
		Category: c.Category, Domain: c.Category.Domain(), Purpose: c.Category.Purpose(), Loaded: c.Loaded,
		Records: c.Records, Rejected: c.Rejected, Source: c.Source.String(), Stale: c.Stale,
		ConfirmedAt: timePointer(c.ConfirmedAt),
	}
	if at, ok := c.LastUpdated.Get(); ok {
		out.LastUpdated = timePointer(at)
	}
	if !c.ConfirmedAt.IsZero() {
		age := int64(max(now.Sub(c.ConfirmedAt), 0) / time.Second)
		out.AgeSeconds = &age
	}
	if c.Stale || !c.Loaded {
		out.Error = publicReason(c.LastError)
	}
	return out
}

func timePointer(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC().Truncate(time.Second)
	return &at
}

// publicReason returns why a source is unavailable, in words for everyone: the error itself names hosts and paths of the
// site.
func publicReason(err error) string {
	var refused *modelref.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return "it responded with the status " + strconv.Itoa(refused.StatusCode)
	case errors.Is(err, modelref.ErrOffline), errors.Is(err, modelref.ErrNotConfigured):
		return "the mirror is configured not to use it"
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not respond in time"
	default:
		return "it could not be reached"
	}
}
