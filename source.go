// What the sources of a category have in common: one small interface, the validators of a document, and the guard that
// skips a source that is down or does not have the category.

package modelref

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/breaker"
	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
)

// A source returns the document of a category. Its method fetch sends requests and does not change the cache.
type source interface {
	fetch(ctx context.Context, r fetchRequest) (fetchResult, error)
}

// fetchRequest is a request to a source for one category.
type fetchRequest struct {
	info     *categoryInfo
	decode   decodeFunc
	previous *document // the last document of this source, or nil to request the whole document
	strict   bool      // read the last-updated time before the document
	probe    bool      // send one request over a new connection: the circuit breaker is half-open
}

// fetchResult is a new document, or the validators of the previous one if the source has confirmed it.
type fetchResult struct {
	doc         *document
	unchanged   bool
	validators  validators    // of the previous document, if it is unchanged
	confirmedAt clock.Instant // when the request was sent
	strict      bool          // the result may be taken by a watch
	requests    int
	status      int // the HTTP status of a response that was not accepted, or 0
}

// validators are what the next request to a source uses to find out whether the document has changed. A [Store] keeps them.
type validators struct {
	// Source is the origin of the document on the network, which a copy in a store keeps.
	Source Source `json:"source"`
	// From is the fingerprint of the deployment or of the file on GitHub. A document, a last-updated time or an ETag is
	// not valid for another deployment.
	From string `json:"from,omitempty"`
	// ETag is the entity tag of the response.
	ETag string `json:"etag,omitempty"`
	// LastUpdated is the last-updated time that the document is labeled with, in seconds since 1970, if HasLastUpdated is true.
	LastUpdated    int64 `json:"last_updated,omitempty"`
	HasLastUpdated bool  `json:"has_last_updated,omitempty"`
	// Final reports whether no later change can have the same last-updated time.
	Final bool `json:"final,omitempty"`
	// Assumed reports whether the last-updated time was not read before the document: the Date of the response took its
	// place. A watch does not accept such a label.
	Assumed bool `json:"assumed,omitempty"`
	// Guidance is the revision of the guidance catalog that the document is labeled with, if the category depends on it.
	Guidance guidanceRevision `json:"guidance,omitempty"`
	// NoGuidanceAt is when the deployment was found to have no guidance, if Guidance is noGuidance.
	NoGuidanceAt clock.Instant `json:"-"`
	// AsOf is a time of the server's clock before which the response was not generated.
	AsOf time.Time `json:"as_of,omitzero"`
	// DownloadedAt is when the whole document was last requested.
	DownloadedAt clock.Instant `json:"-"`
	// Empty is when the source with the fingerprint EmptyFrom first returned a document without records. One such response is
	// not accepted yet.
	Empty     clock.Instant `json:"-"`
	EmptyFrom string        `json:"empty_from,omitempty"`
}

// confirms reports whether the document is unchanged if the source returns lastUpdated now.
//
// The first read of a category spends one request and does not read the last-updated time before the document. The server's
// clock takes its place: a change whose second was over before the response was generated is in the document. Only a
// deployment that was restored in between goes back behind that time. A watch must not miss a restored deployment and does
// not accept an assumed label.
func (v *validators) confirms(lastUpdated int64, strict bool) bool {
	if v.HasLastUpdated || strict {
		return v.HasLastUpdated && v.Final && lastUpdated == v.LastUpdated && !(strict && v.Assumed)
	}
	return !v.AsOf.IsZero() && !v.AsOf.Before(time.Unix(lastUpdated, 0).Add(lastUpdatedResolution))
}

// fingerprint identifies a deployment or a file without its secrets: user info, query and fragment are not part of it.
func fingerprint(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && !(u.Scheme == "https" && port == "443") && !(u.Scheme == "http" && port == "80") {
		host = net.JoinHostPort(host, port)
	}
	sum := sha256.Sum256([]byte(u.Scheme + "://" + host + strings.TrimRight(u.EscapedPath(), "/")))
	return hex.EncodeToString(sum[:8])
}

// guardedSource is a source with its circuit breaker and its negative cache.
type guardedSource struct {
	source
	origin  Source
	breaker *breaker.Breaker
	missing *ttlCache[error] // why the source does not have a category
	missTTL time.Duration
	trial   time.Duration // a missed deadline counts as an outage only if the source had this time
	grace   time.Duration // for a transport that ignores its context
	hint    string        // what may be wrong if the source responds, but not with the model reference
	running *sync.WaitGroup
	closed  context.Context // done when the Client is closed

	mu       sync.Mutex
	refusals map[Category]error // the last response for each category, nil if it was a document
	notify   func(error)        // called when misconfigured changes
	problem  error
}

// attempt is the result of a request to a guarded source.
type attempt struct {
	fetchResult
	err      error
	skipped  bool // no request was sent
	short    bool // there was too little time to learn whether the source is down
	duration time.Duration
}

// try requests the category, unless the circuit breaker is open or the negative cache has an entry. A refresh ignores the
// negative cache.
func (g *guardedSource) try(ctx context.Context, r fetchRequest, refresh bool) attempt {
	category := r.info.category
	if err, ok := g.missing.get(string(category)); ok && !refresh {
		return attempt{err: err, skipped: true}
	}
	allowed, probe := g.breaker.Allow()
	if !allowed {
		return attempt{err: g.openError(), skipped: true}
	}
	r.probe = probe
	start := time.Now()
	result, err := await(ctx, g.running, g.grace, func() (fetchResult, error) { return g.fetch(ctx, r) })
	a := attempt{fetchResult: result, err: err, duration: time.Since(start)}
	if end, ok := ctx.Deadline(); ok {
		a.short = end.Sub(start) < g.trial
	}
	if err != nil {
		a.requests = max(a.requests, requestsOf(err))
	}
	g.record(r.info, &a, probe)
	return a
}

// record updates the circuit breaker and the negative cache with the result of a request.
func (g *guardedSource) record(info *categoryInfo, a *attempt, probe bool) {
	var status *APIError
	if errors.As(a.err, &status) {
		status.whole = true
	}
	switch {
	case a.err == nil:
		g.breaker.Succeeded()
		g.setRefusal(info, nil)
	case g.closed.Err() != nil:
		a.err = ErrClosed
		fallthrough
	case errors.Is(a.err, errGoroutineEnded), a.short && errors.Is(a.err, context.DeadlineExceeded):
		if probe {
			g.breaker.ReleaseProbe()
		}
	case isSourceOutage(a.err):
		var retryAfter time.Duration
		if status != nil {
			retryAfter = status.RetryAfter
		}
		g.breaker.Failed(a.err, retryAfter)
	default:
		g.breaker.Succeeded() // the source is there, but this response is not the category
		if g.hint != "" {
			a.err = fmt.Errorf("%w (%s)", a.err, g.hint)
		}
		g.setRefusal(info, a.err)
		if a.requests > 0 {
			g.missing.set(string(info.category), a.err, g.missTTL)
		}
	}
}

// setRefusal records whether the last response for a category was a document. A source that has responded to several requests
// and never with a document is misconfigured. A catalog does not count, because an older deployment does not have it.
func (g *guardedSource) setRefusal(info *categoryInfo, err error) {
	if info.isCatalog() {
		return
	}
	g.mu.Lock()
	g.refusals[info.category] = err
	var problem error
	for _, refusal := range g.refusals {
		if refusal == nil {
			problem = nil
			break
		}
		problem = refusal
	}
	if err != nil && problem != nil {
		problem = err // the latest
	}
	changed := (problem == nil) != (g.problem == nil)
	g.problem = problem
	g.mu.Unlock()
	if changed {
		g.notify(problem)
	}
}

// misconfigured returns the last error of a source that responds and has not returned any document. Otherwise it returns nil.
func (g *guardedSource) misconfigured() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.problem
}

// ready reports whether try would send a request for the category.
func (g *guardedSource) ready(category Category, refresh bool) bool {
	if _, missing := g.missing.get(string(category)); missing && !refresh {
		return false
	}
	return g.breaker.Ready()
}

// openError returns the error of a source whose circuit breaker is open.
func (g *guardedSource) openError() error {
	wait, err := g.breaker.Remaining()
	if err == nil {
		return ErrCircuitOpen
	}
	return fmt.Errorf("%w for %s: %w", ErrCircuitOpen, wait.Round(time.Second), err)
}

// isSourceOutage reports whether an error means that the whole source is down. An invalid response concerns one category
// only.
func isSourceOutage(err error) bool {
	var decode *DecodeError
	return !errors.As(err, &decode) && httpx.IsOutage(err)
}

// requestsOf returns how many requests were sent before the error.
func requestsOf(err error) int {
	var r *httpx.RequestError
	if errors.As(err, &r) {
		return r.Requests
	}
	return 0
}

// datedAt returns the date of a response: the time of the request, or the time at which the response was generated if a cache
// on the way has returned it.
func datedAt(clk *clock.Clock, resp *httpx.Response) clock.Instant {
	at := clk.Now().Add(-time.Since(resp.RequestedAt))
	if generated, date := resp.GeneratedAt(), resp.Date(); generated.Before(date) {
		at = at.Add(generated.Sub(date))
	}
	return at
}
