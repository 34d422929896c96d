// The PRIMARY as a source: the last-updated time of a category, and its document.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/redact"
)

const (
	// lastUpdatedResolution is the time after the second of a last-updated time when no further change can have the same
	// last-updated time.
	lastUpdatedResolution = 2 * time.Second
	// fullRefreshInterval is the interval at which a document is downloaded even if its last-updated time has not changed.
	fullRefreshInterval = time.Hour
	// lastUpdatedRetryInterval is the time to wait before the last-updated time is requested again after it was unavailable
	// although the document was available. A replica never has it and responds with 503.
	lastUpdatedRetryInterval = 10 * time.Minute
	// maxLastUpdated is the last second of the year 9999. Later times have no form in JSON.
	maxLastUpdated = 253402300799
)

// primarySource is the PRIMARY.
type primarySource struct {
	http   *httpx.Client
	base   *url.URL
	from   string // the fingerprint of base
	budget time.Duration
	clock  *clock.Clock
	logger *slog.Logger
	apiKey redact.Secret
	// noLastUpdated has the reason why the last-updated time of a category is not requested.
	noLastUpdated *ttlCache[error]
	// noGuidance has the time at which the deployment was last found to have no guidance.
	noGuidance *ttlCache[clock.Instant]
	// guidanceOutage has the reason why the revision of the guidance is not requested.
	guidanceOutage *ttlCache[error]
	// guided reports whether the deployment has guidance that was changed.
	guided atomic.Bool
}

// fetch requests the last-updated time if that can save the download of the document, and then the document.
func (p *primarySource) fetch(ctx context.Context, r fetchRequest) (fetchResult, error) {
	x := &primaryFetch{primarySource: p, fetchRequest: r, known: r.previous}
	x.label.Source, x.label.From = SourcePrimary, p.from
	if x.previous != nil && p.clock.Age(x.previous.validators.DownloadedAt) >= fullRefreshInterval {
		x.previous = nil
	}
	switch {
	case x.info.isCatalog(): // there is no last-updated time
	case x.previous != nil || x.strict:
		if unchanged, err := x.checkUnchanged(ctx); unchanged || err != nil {
			return x.result, err
		}
	case x.expectsGuidance(): // without this label the next read would download the document again
		if err := x.readGuidance(ctx); err != nil {
			return x.result, err
		}
	}
	return x.fetchDocument(ctx)
}

// primaryFetch is the state of one fetch.
type primaryFetch struct {
	*primarySource
	fetchRequest
	known          *document     // the previous document, even if it is to be downloaded again
	label          validators    // of the document that is to come
	labeledAt      clock.Instant // when the first part of the label was requested
	lastUpdatedErr error         // why the last-updated time is unavailable
	guidanceAt     time.Time     // when the revision of the guidance was generated, by the server's clock
	result         fetchResult
}

// checkUnchanged requests what the document is labeled with, and reports whether the label says that the previous document
// is unchanged. The label must be read before the document. An error ends the fetch; if the last-updated time is unavailable,
// the document is requested.
func (x *primaryFetch) checkUnchanged(ctx context.Context) (unchanged bool, err error) {
	if known, err := x.readLastUpdated(ctx); !known || err != nil {
		return false, err
	}
	if err := x.readGuidance(ctx); err != nil {
		return false, err
	}
	if x.previous == nil || !x.previous.validators.confirms(x.label.LastUpdated, x.strict) {
		return false, nil
	}
	v := x.previous.validators
	if x.info.guided {
		confirmed, assumed := v.confirmsGuidance(x.label.Guidance, x.strict)
		if !confirmed {
			return false, nil
		}
		if x.label.Guidance != unknownGuidance {
			v.Guidance, v.NoGuidanceAt = x.label.Guidance, x.label.NoGuidanceAt
		}
		v.Assumed = v.Assumed || assumed
	}
	v.Assumed = v.Assumed || !v.HasLastUpdated
	v.LastUpdated, v.HasLastUpdated, v.Final = x.label.LastUpdated, true, true
	x.result.unchanged, x.result.validators = true, v
	x.result.confirmedAt, x.result.strict = x.labeledAt, !v.Assumed
	return true, nil
}

// readLastUpdated requests the last-updated time as part of the label. It reports whether the time is known. It returns an
// error only if ctx has ended.
func (x *primaryFetch) readLastUpdated(ctx context.Context) (known bool, err error) {
	category := x.info.category
	if _, unavailable := x.noLastUpdated.get(string(category)); unavailable {
		return false, nil
	}
	x.labeledAt = x.clock.Now()
	lastUpdated, date, err := x.lastUpdated(ctx, category, x.probe)
	x.result.requests++
	if err != nil {
		x.lastUpdatedErr = err
		if ctx.Err() != nil {
			return false, err
		}
		return false, nil
	}
	x.label.LastUpdated, x.label.HasLastUpdated = lastUpdated, true
	x.label.Final = !date.Before(time.Unix(lastUpdated, 0).Add(lastUpdatedResolution))
	return true, nil
}

// fetchDocument requests the document.
func (x *primaryFetch) fetchDocument(ctx context.Context) (fetchResult, error) {
	request := httpx.Request{
		URL: x.url(x.info.route()...), Accept: "application/json",
	}
	if x.probe {
		request.MaxAttempts, request.NewConnection = 1, true
	}
	if x.previous != nil {
		request.ETag = x.previous.validators.ETag
	}
	resp, err := x.http.Do(ctx, request)
	if err != nil {
		x.result.requests += requestsOf(err)
		if x.info.isCatalog() {
			err = explainUnsupported(err)
		}
		return x.result, err
	}
	x.result.requests += resp.Requests
	x.rememberNoLastUpdated()
	if generated := resp.GeneratedAt(); !generated.IsZero() &&
		generated.Before(time.Unix(x.label.LastUpdated, 0).Add(lastUpdatedResolution)) {
		x.label.Final = false // a cache on the way may have returned the document before the change
	}
	if generated := resp.GeneratedAt(); generated.Before(resp.Date()) && generated.Before(x.guidanceAt.Add(lastUpdatedResolution)) {
		x.label.Guidance = unknownGuidance // a cache on the way may have returned the document before an edit
	}
	x.label.AsOf = resp.NotBefore()
	x.result.confirmedAt = datedAt(x.clock, resp)
	x.result.strict = true
	if resp.NotModified() {
		x.label.ETag, x.label.DownloadedAt = x.previous.validators.ETag, x.previous.validators.DownloadedAt
		x.result.unchanged, x.result.validators = true, x.label
		return x.result, nil
	}
	x.label.ETag, x.label.DownloadedAt = resp.Header.Get("ETag"), x.result.confirmedAt
	if x.info.isCatalog() && x.previous != nil && x.previous.ref.text() == resp.Body {
		x.result.unchanged, x.result.validators = true, x.label // the service ignores If-None-Match
		return x.result, nil
	}
	ref, err := x.decode(resp.Body, metadata{category: x.info.category, origin: SourcePrimary})
	if err != nil {
		x.result.status = resp.StatusCode
		return x.result, err
	}
	x.result.doc = &document{ref: ref, validators: x.label, size: len(resp.Body)}
	return x.result, nil
}

// lastUpdated sends one request for the last-updated time of a category. It also returns the server's own time.
func (p *primarySource) lastUpdated(ctx context.Context, category Category, newConnection bool) (int64, time.Time, error) {
	resp, err := p.http.Do(ctx, httpx.Request{
		URL: p.url("metadata", string(category), "last_updated"), Accept: "application/json",
		MaxAttempts: 1, Timeout: p.budget / 4, NewConnection: newConnection,
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	lastUpdated, err := parseLastUpdated(resp.Body)
	if err != nil {
		return 0, time.Time{}, &DecodeError{Category: category, Offset: -1, Reason: p.apiKey.Clean(err.Error())}
	}
	at, ok := lastUpdated.Get()
	if !ok {
		return 0, time.Time{}, &DecodeError{
			Category: category, Offset: -1, Reason: "the deployment does not keep the last-updated time of the category",
		}
	}
	return at, resp.Date(), nil
}

// rememberNoLastUpdated remembers that the deployment has the document but not its last-updated time. It is called after
// the document was returned: in an outage, every request fails, and the last-updated time is not the cause.
func (x *primaryFetch) rememberNoLastUpdated() {
	if x.lastUpdatedErr == nil {
		return
	}
	pause := fullRefreshInterval
	if isSourceOutage(x.lastUpdatedErr) {
		pause = lastUpdatedRetryInterval
	}
	x.noLastUpdated.set(string(x.info.category), x.lastUpdatedErr, pause)
	x.logger.Info("the last-updated time is unavailable; downloading the document instead", "category", x.info.category,
		"for", pause, "error", x.lastUpdatedErr)
}

// url returns the URL of a path of the v2 API, each segment escaped.
func (p *primarySource) url(segments ...string) string {
	var out strings.Builder
	out.WriteString(p.base.String())
	out.WriteString("/model_references/v2")
	for _, segment := range segments {
		out.WriteByte('/')
		out.WriteString(url.PathEscape(segment))
	}
	return out.String()
}

// parseLastUpdated reads {"last_updated": 1700000000}. The result is unset if the value is null.
func parseLastUpdated(body string) (Optional[int64], error) {
	var out Optional[int64]
	found := false
	s := jsondoc.NewScanner(body)
	err := s.Fields(func(key string) (err error) {
		if key != "last_updated" {
			_, err = s.Skip()
			return err
		}
		found = true
		if s.Null() {
			return nil
		}
		at, err := s.Integer()
		if err == nil && (at < 0 || at > maxLastUpdated) {
			err = fmt.Errorf("last_updated must be a time between 1970 and 9999, got %d", at)
		}
		out = Some(at)
		return err
	})
	if err == nil && !found {
		err = errors.New("the response has no last_updated")
	}
	return out, err
}
