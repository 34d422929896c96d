// This file has the metrics that are made from the events of a Client.

package modelrefotel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/haidra-org/modelref"
)

const (
	categoryKey = attribute.Key("modelref.category")
	originKey   = attribute.Key("modelref.origin")
	resultKey   = attribute.Key("modelref.result")
	breakerKey  = attribute.Key("modelref.breaker.state")
)

// loadSeconds are the bounds of modelref.load.duration: the bounds for HTTP requests, and the default time budget of a
// load.
var loadSeconds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20}

// reads has the metrics of reads.
type reads struct {
	common      []attribute.KeyValue
	withoutHits bool
	// hits has the prepared options of each hit. A hit takes only nanoseconds, and counting it must be fast, too.
	hits map[modelref.Category]*[origins][]metric.AddOption

	reads, received, fallbacks, sourceFailures, storeFailures, breakers metric.Int64Counter
	duration                                                            metric.Float64Histogram
}

// origins is the number of origins.
const origins = modelref.SourceBootstrap + 1

func newReads(s *settings) *reads {
	meter := s.meter()
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		if err != nil {
			otel.Handle(err)
		}
		return c
	}
	m := &reads{
		common:      s.attributes,
		withoutHits: s.withoutHits,
		hits:        map[modelref.Category]*[origins][]metric.AddOption{},
		reads: counter("modelref.reads", "{read}",
			"Reads from memory, and loads, by their result."),
		received: counter("modelref.received", "By", "Size of the bodies of the documents received."),
		fallbacks: counter("modelref.fallbacks", "{fallback}",
			"Loads whose reference did not come from the PRIMARY, or is stale."),
		sourceFailures: counter("modelref.source.failures", "{failure}",
			"Requests for a category that failed, by their source."),
		storeFailures: counter("modelref.store.failures", "{failure}", "Failures to read or write a copy."),
		breakers:      counter("modelref.breaker.transitions", "{transition}", "Circuit breakers that were opened or closed."),
	}
	var err error
	m.duration, err = meter.Float64Histogram("modelref.load.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the load of a category, including all sources and attempts."),
		metric.WithExplicitBucketBoundaries(loadSeconds...))
	if err != nil {
		otel.Handle(err)
	}
	for _, category := range modelref.Categories() {
		m.hits[category] = new([origins][]metric.AddOption)
		for origin := range origins {
			m.hits[category][origin] = []metric.AddOption{m.hit(category, origin)}
		}
	}
	return m
}

func (m *reads) hit(category modelref.Category, origin modelref.Source) metric.MeasurementOption {
	return m.of(category, origin, resultKey.String("hit"))
}

// of returns attributes as an option of a measurement. Attributes without a value are left out.
func (m *reads) of(
	category modelref.Category, origin modelref.Source, more ...attribute.KeyValue,
) metric.MeasurementOption {
	all := append(slices.Clone(m.common), more...)
	if category != "" {
		all = append(all, categoryKey.String(string(category)))
	}
	if origin != modelref.SourceNone {
		all = append(all, originKey.String(origin.String()))
	}
	return metric.WithAttributeSet(attribute.NewSet(all...))
}

// observe counts one event. It is the observer of the Client. The events have no context.
func (m *reads) observe(e modelref.Event) {
	if e.Kind != modelref.EventHit {
		m.observeRare(e)
		return
	}
	if m.withoutHits {
		return
	}
	if of, ok := m.hits[e.Category]; ok && e.Source < origins {
		m.reads.Add(context.Background(), 1, of[e.Source]...)
		return
	}
	m.reads.Add(context.Background(), 1, m.hit(e.Category, e.Source)) // an origin that this package does not know
}

// observeRare counts an event of a request or a failure. Such events are rare enough to create their attributes each
// time.
func (m *reads) observeRare(e modelref.Event) {
	ctx := context.Background()
	switch e.Kind {
	case modelref.EventLoad:
		m.loaded(ctx, e, "load")
		if e.Bytes > 0 {
			m.received.Add(ctx, int64(e.Bytes), m.of(e.Category, e.Source))
		}
	case modelref.EventRevalidate:
		m.loaded(ctx, e, "revalidate")
	case modelref.EventFallback:
		m.fallbacks.Add(ctx, 1, m.of(e.Category, e.Source))
		if e.Stale { // otherwise there is also an EventLoad
			m.loaded(ctx, e, "stale")
		}
	case modelref.EventUnavailable:
		m.loaded(ctx, e, "unavailable")
	case modelref.EventSourceFailed:
		m.sourceFailures.Add(ctx, 1, m.of(e.Category, e.Source, semconv.ErrorTypeKey.String(errorType(e.Err))))
	case modelref.EventStoreFailed:
		m.storeFailures.Add(ctx, 1, m.of(e.Category, e.Source))
	case modelref.EventBreakerOpened:
		m.breakers.Add(ctx, 1, m.of("", e.Source, breakerKey.String("open")))
	case modelref.EventBreakerClosed:
		m.breakers.Add(ctx, 1, m.of("", e.Source, breakerKey.String("closed")))
	}
}

func (m *reads) loaded(ctx context.Context, e modelref.Event, result string) {
	of := m.of(e.Category, e.Source, resultKey.String(result))
	m.reads.Add(ctx, 1, of)
	m.duration.Record(ctx, e.Duration.Seconds(), of)
}

// errorType returns a short name for the failure of a source. The types and texts of errors have too many values for a
// metric.
func errorType(err error) string {
	var (
		api     *modelref.APIError
		decode  *modelref.DecodeError
		timeout interface{ Timeout() bool }
		dns     *net.DNSError
		op      *net.OpError
	)
	switch {
	case errors.As(err, &api):
		return strconv.Itoa(api.StatusCode)
	case errors.As(err, &decode):
		return "invalid_document"
	case errors.As(err, &timeout) && timeout.Timeout(): // this includes context.DeadlineExceeded
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &dns):
		return "dns"
	case isTLS(err):
		return "tls"
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection"
	default:
		return semconv.ErrorTypeOther.Value.AsString()
	}
}

func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		invalid     x509.CertificateInvalidError
		record      tls.RecordHeaderError
	)
	return errors.As(err, &certificate) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record)
}
