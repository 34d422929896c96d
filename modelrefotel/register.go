// This file has the gauges of Client.Status, which are read when metrics are collected.

package modelrefotel

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/haidra-org/modelref"
)

// gauges has the instruments of Register.
type gauges struct {
	client *modelref.Client
	common []attribute.KeyValue

	records, rejected, stale, breakerOpen metric.Int64ObservableGauge
	age                                   metric.Float64ObservableGauge
}

// Register adds the gauges of a Client, which the package documentation lists, to the meter provider. Unregister of the
// result removes them. A collection calls [modelref.Client.Status], which does not use the network and does not block
// reads. A category that was never read has no gauges. Only the options of metrics have an effect: [WithMeterProvider],
// and [WithAttributes], which is required to distinguish the gauges of several Clients. Register returns an error if
// client is nil or if the meter provider returns an error.
//
// The gauges of a closed Client keep their last values until Unregister is called.
func Register(client *modelref.Client, options ...Option) (metric.Registration, error) {
	if client == nil {
		return nil, errors.New("modelrefotel: Register: client must not be nil")
	}
	s := newSettings(options)
	g := &gauges{client: client, common: s.attributes}
	meter := s.meter()
	var errs []error
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		instrument, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return instrument
	}
	g.records = gauge("modelref.category.records", "{record}", "Records of the reference in memory.")
	g.rejected = gauge("modelref.category.rejected", "{record}", "Records left out because they could not be decoded.")
	g.stale = gauge("modelref.category.stale", "1", "1 if the reference in memory may be out of date, otherwise 0.")
	g.breakerOpen = gauge("modelref.source.breaker_open", "1", "1 while the circuit breaker of the source is open, otherwise 0.")
	var err error
	g.age, err = meter.Float64ObservableGauge("modelref.category.age", metric.WithUnit("s"),
		metric.WithDescription("Time since a source confirmed the reference in memory."))
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return meter.RegisterCallback(g.observe, g.records, g.rejected, g.stale, g.breakerOpen, g.age)
}

func (g *gauges) observe(_ context.Context, o metric.Observer) error {
	status := g.client.Status()
	for i := range status.Categories {
		c := &status.Categories[i]
		if !c.Loaded {
			continue
		}
		category := categoryKey.String(string(c.Category))
		of := g.of(category)
		o.ObserveInt64(g.records, int64(c.Records), g.of(category, originKey.String(c.Source.String())))
		o.ObserveInt64(g.rejected, int64(c.Rejected), of)
		o.ObserveInt64(g.stale, oneIf(c.Stale), of)
		if !c.ConfirmedAt.IsZero() { // without a time there is no age
			o.ObserveFloat64(g.age, c.Age().Seconds(), of)
		}
	}
	g.source(o, modelref.SourcePrimary, status.Primary)
	g.source(o, modelref.SourceGitHub, status.GitHub)
	return nil
}

func (g *gauges) source(o metric.Observer, origin modelref.Source, s modelref.SourceStatus) {
	if s.Configured {
		o.ObserveInt64(g.breakerOpen, oneIf(s.BreakerOpen), g.of(originKey.String(origin.String())))
	}
}

func (g *gauges) of(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(g.common), more...)...))
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
