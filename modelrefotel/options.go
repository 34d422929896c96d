// This file has With and the options of With and Register.

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

// scope is the instrumentation scope of the metrics.
const scope = "github.com/haidra-org/modelref/modelrefotel"

// An Option configures [With] or [Register].
type Option func(*settings)

type settings struct {
	tracers     trace.TracerProvider // if it is nil, the provider of the caller's span or the global provider is used
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

// With returns an option of [modelref.New] that records spans and metrics of the Client. It does not use the network
// and starts no goroutine. Errors of instruments are reported to the error handler of OpenTelemetry.
func With(options ...Option) modelref.Option {
	s := newSettings(options)
	return modelref.JoinOptions(modelref.WithTransportWrapper(s.transport), modelref.WithObserver(newReads(s).observe))
}

// WithTracerProvider sets the provider of the tracer. By default, or if provider is nil, it is the provider of the
// caller's span. If the caller has no span, it is the global provider.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(s *settings) {
		if provider != nil {
			s.tracers = provider
		}
	}
}

// WithMeterProvider sets the provider of the meter. By default, or if provider is nil, it is the global provider.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(s *settings) {
		if provider != nil {
			s.meters = provider
		}
	}
}

// WithPropagators sets the format of the trace headers that are sent to the hosts of [WithPropagationTo]. By default,
// or if propagators is nil, it is the global propagator.
func WithPropagators(propagators propagation.TextMapPropagator) Option {
	return func(s *settings) {
		if propagators != nil {
			s.propagators = propagators
		}
	}
}

// WithPropagationTo sends trace headers, such as traceparent, with requests to these hosts. A host is written as
// "models.example.org" (any port), "models.example.org:8080", or as the URL of a PRIMARY. By default no trace headers
// are sent. The hosts of several calls are combined. Redirects to other hosts have no trace headers.
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

// propagatesTo reports whether a request to u may have trace headers.
func (s *settings) propagatesTo(u *url.URL) bool {
	return slices.ContainsFunc(s.hosts, func(host string) bool {
		return strings.EqualFold(host, u.Host) || strings.EqualFold(host, u.Hostname())
	})
}

// WithAttributes adds attributes to every span and to every metric whose name begins with modelref, for example to
// distinguish several Clients of a program. Attributes that the package sets replace attributes of the same name.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return func(s *settings) { s.attributes = append(s.attributes, attributes...) }
}

// WithoutHits does not count reads from memory in the metrics. Counting such a read costs as much as two or three more
// reads. This is significant for a program with millions of reads per second. [modelref.Client.Status] has the number
// of hits.
func WithoutHits() Option { return func(s *settings) { s.withoutHits = true } }
