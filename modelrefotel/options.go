// With, and what it and Register can be told.

package modelrefotel

import (
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/haidra-org/modelref"
)

// scope names this package as the maker of its metrics.
const scope = "github.com/haidra-org/modelref/modelrefotel"

// Option is one thing that With and Register are told.
type Option func(*settings)

type settings struct {
	tracers     trace.TracerProvider // nil: that of the caller's span, else the global one
	meters      metric.MeterProvider
	propagators propagation.TextMapPropagator
	hosts       []string
	attributes  []attribute.KeyValue
	withoutHits bool
}

func newSettings(options []Option) *settings {
	s := &settings{meters: otel.GetMeterProvider(), propagators: otel.GetTextMapPropagator()}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	return s
}

func (s *settings) meter() metric.Meter {
	return s.meters.Meter(scope, metric.WithInstrumentationVersion(modelref.Version))
}

// With returns the option of modelref.New that makes spans and metrics of what the Client does. It touches no network
// and starts no goroutine. What goes wrong with an instrument goes to the error handler of OpenTelemetry.
func With(options ...Option) modelref.Option {
	s := newSettings(options)
	return modelref.Options(modelref.WithTransport(s.transport), modelref.WithObserver(newReads(s).observe))
}

// WithTracerProvider sets what spans are made with. By default, and with nil, it is the provider of the caller's span,
// or the global one where the caller has none.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(s *settings) {
		if provider != nil {
			s.tracers = provider
		}
	}
}

// WithMeterProvider sets what metrics are made with. By default, and with nil, it is the global provider.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(s *settings) {
		if provider != nil {
			s.meters = provider
		}
	}
}

// WithPropagators sets how trace headers are written, to the hosts of WithPropagationTo. By default, and with nil, it is
// the global propagator.
func WithPropagators(propagators propagation.TextMapPropagator) Option {
	return func(s *settings) {
		if propagators != nil {
			s.propagators = propagators
		}
	}
}

// WithPropagationTo sends trace headers, as traceparent, with requests to these hosts, each as "models.example.org",
// which is any port of it, as "models.example.org:8080", or as the URL of a PRIMARY. By default nobody gets any. Hosts of
// several calls add up. Redirects to other hosts carry none.
func WithPropagationTo(hosts ...string) Option {
	return func(s *settings) {
		for _, host := range hosts {
			if u, err := url.Parse(host); err == nil && u.Host != "" {
				host = u.Host
			}
			s.hosts = append(s.hosts, host)
		}
	}
}

// propagatesTo reports whether a request to u may carry trace headers.
func (s *settings) propagatesTo(u *url.URL) bool {
	return slices.ContainsFunc(s.hosts, func(host string) bool {
		return strings.EqualFold(host, u.Host) || strings.EqualFold(host, u.Hostname())
	})
}

// WithAttributes adds attributes to every span and to every metric whose name begins with modelref, to tell several
// Clients of a program apart. They give way to attributes of the same name that the package sets.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return func(s *settings) { s.attributes = append(s.attributes, attributes...) }
}

// WithoutHits leaves reads that were answered from memory out of the metrics: counting one costs about as much again as
// two or three such reads, which is much where a program does millions a second. Client.Status has their number.
func WithoutHits() Option { return func(s *settings) { s.withoutHits = true } }
