// This file has the transport that creates spans. The transport of otelhttp is between two others: the first removes
// the parts of the URL that a span must not show, the second restores them.

package modelrefotel

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// redacted is the text that the semantic conventions prescribe in place of a sensitive value.
const redacted = "REDACTED"

// transport returns next with spans for its requests.
func (s *settings) transport(next http.RoundTripper) http.RoundTripper {
	options := []otelhttp.Option{
		otelhttp.WithMeterProvider(s.meters),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()), // no headers: showing adds them for the allowed hosts
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method }),
		otelhttp.WithSpanOptions(trace.WithAttributes(s.attributes...)),
	}
	if s.tracers != nil {
		options = append(options, otelhttp.WithTracerProvider(s.tracers))
	}
	return hiding{otelhttp.NewTransport(showing{next: next, settings: s}, options...)}
}

type sentURL struct{}

// hiding replaces the URL of a request by a URL that can be shown. The original URL is in the context.
type hiding struct{ next http.RoundTripper }

func (t hiding) RoundTrip(r *http.Request) (*http.Response, error) {
	shown := r.WithContext(context.WithValue(r.Context(), sentURL{}, r.URL))
	shown.URL = shownURL(r.URL)
	return t.next.RoundTrip(shown)
}

// showing sends a request to its original URL. It adds trace headers if the host may receive them.
type showing struct {
	next     http.RoundTripper
	settings *settings
}

func (t showing) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.WithContext(r.Context())
	if u, ok := r.Context().Value(sentURL{}).(*url.URL); ok {
		sent.URL = u
	}
	if t.settings.propagatesTo(sent.URL) {
		sent.Header = r.Header.Clone()
		t.settings.propagators.Inject(r.Context(), propagation.HeaderCarrier(sent.Header))
	}
	return t.next.RoundTrip(sent)
}

// shownURL returns u without user info, fragment and the values of its query.
func shownURL(u *url.URL) *url.URL {
	shown := *u
	shown.User, shown.Fragment, shown.RawFragment = nil, "", ""
	if shown.Opaque != "" {
		shown.Opaque = redacted // a redirect to an unknown scheme can have "user:password@host" here
	}
	if shown.RawQuery != "" {
		pairs := strings.Split(shown.RawQuery, "&")
		for i, pair := range pairs {
			name, _, named := strings.Cut(pair, "=")
			pairs[i] = redacted
			if named {
				pairs[i] = name + "=" + redacted
			}
		}
		shown.RawQuery = strings.Join(pairs, "&")
	}
	return &shown
}
