// Gauges over Client.Status, read when metrics are collected.

package modelrefotel

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/haidra-org/modelref"
)

// gauges are the instruments of Register.
type gauges struct {
	client *modelref.Client
	common []attribute.KeyValue

	records, rejected, stale, coolingDown metric.Int64ObservableGauge
	age                                   metric.Float64ObservableGauge
}

// Register adds the gauges of a Client, which the package documentation lists, to what the meter provider collects,
// until Unregister of what it returns. A collection asks Client.Status: the network is not touched and no read is held up. A
// category that was never read has none. Of the options those of metrics count: WithMeterProvider and WithAttributes,
// without which the gauges of several Clients are one. The error says that there is no Client, or what the provider did
// not accept.
//
// A Client that is closed is still told of as it was; Unregister lets go of it.
func Register(client *modelref.Client, options ...Option) (metric.Registration, error) {
	if client == nil {
		return nil, errors.New("modelrefotel: Register: want a client")
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
	g.rejected = gauge("modelref.category.rejected", "{record}", "Records left out because they did not decode.")
	g.stale = gauge("modelref.category.stale", "1", "1 where the reference in memory may be behind, else 0.")
	g.coolingDown = gauge("modelref.source.cooling_down", "1", "1 while the source is left alone after a failure, else 0.")
	var err error
	g.age, err = meter.Float64ObservableGauge("modelref.category.age", metric.WithUnit("s"),
		metric.WithDescription("Time since a source confirmed the reference in memory."))
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return meter.RegisterCallback(g.observe, g.records, g.rejected, g.stale, g.coolingDown, g.age)
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
		o.ObserveInt64(g.records, int64(c.Records), g.of(category, originKey.String(c.Origin.String())))
		o.ObserveInt64(g.rejected, int64(c.Rejected), of)
		o.ObserveInt64(g.stale, oneIf(c.Stale), of)
		if !c.ConfirmedAt.IsZero() { // no age is not age 0
			o.ObserveFloat64(g.age, c.Age().Seconds(), of)
		}
	}
	g.source(o, modelref.OriginPrimary, status.Primary)
	g.source(o, modelref.OriginGitHub, status.GitHub)
	return nil
}

func (g *gauges) source(o metric.Observer, origin modelref.Origin, s modelref.SourceStatus) {
	if s.Configured {
		o.ObserveInt64(g.coolingDown, oneIf(s.CoolingDown), g.of(originKey.String(origin.String())))
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
