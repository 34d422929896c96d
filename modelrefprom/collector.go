// This file has the collector, which returns Client.Status as metrics.

package modelrefprom

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haidra-org/modelref"
)

// An Option configures a [Collector]. Pass options to [NewCollector].
type Option func(*settings)

type settings struct{ labels prometheus.Labels }

// WithConstLabels adds labels to every metric, so that several Clients can be registered with one registry. The labels
// of several calls are combined. Register returns an error if a name is not a valid label, or if a metric already has
// it.
func WithConstLabels(labels prometheus.Labels) Option {
	return func(s *settings) { maps.Copy(s.labels, labels) }
}

// Collector is a [prometheus.Collector] for the status of a Client. Use [NewCollector] to create one. The zero
// Collector has no metrics. It is safe for concurrent use.
type Collector struct {
	client *modelref.Client

	categories        []metric
	info, breakerOpen *prometheus.Desc
}

// metric is one metric of a category.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	// value returns the value and whether there is one.
	value func(c *modelref.CategoryStatus) (float64, bool)
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns a collector of the metrics that the package documentation lists. It does not close the Client.
// The metrics of a closed Client keep their last values. If client is nil, there are no metrics. A scrape does not use
// the network.
func NewCollector(client *modelref.Client, options ...Option) *Collector {
	s := &settings{labels: prometheus.Labels{}}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, s.labels)
	}
	c := &Collector{
		client: client,
		info:   desc("modelref_category_info", "Source of the reference in memory.", "category", "origin"),
		breakerOpen: desc("modelref_source_breaker_open",
			"1 while the circuit breaker of the source is open, otherwise 0.", "source"),
	}
	for _, m := range counters {
		c.categories = append(c.categories, metric{desc(m.name, m.help, "category"), prometheus.CounterValue, m.value})
	}
	for _, m := range gauges {
		c.categories = append(c.categories, metric{desc(m.name, m.help, "category"), prometheus.GaugeValue, m.value})
	}
	return c
}

// Describe sends the descriptions of all metrics.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	if c.info == nil {
		return
	}
	for _, m := range c.categories {
		out <- m.desc
	}
	out <- c.info
	out <- c.breakerOpen
}

// Collect sends the current metrics.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	if c.client == nil {
		return
	}
	status := c.client.Status()
	for i := range status.Categories {
		category := &status.Categories[i]
		name := string(category.Category)
		for _, m := range c.categories {
			if value, ok := m.value(category); ok {
				out <- sample(m.desc, m.kind, value, name)
			}
		}
		if category.Loaded {
			out <- sample(c.info, prometheus.GaugeValue, 1, name, category.Source.String())
		}
	}
	c.collectSource(out, modelref.SourcePrimary, status.Primary)
	c.collectSource(out, modelref.SourceGitHub, status.GitHub)
}

func (c *Collector) collectSource(out chan<- prometheus.Metric, origin modelref.Source, s modelref.SourceStatus) {
	if s.Configured {
		out <- sample(c.breakerOpen, prometheus.GaugeValue, oneIf(s.BreakerOpen), origin.String())
	}
}

// sample returns a metric. If the description is invalid, the metric reports the error to the registry.
func sample(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(desc, kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

// field is a metric of a category without labels.
type field struct {
	name, help string
	value      func(c *modelref.CategoryStatus) (float64, bool)
}

var counters = []field{
	{"modelref_hits_total", "Reads answered from memory.", count(func(c *modelref.Counters) int64 { return c.Hits })},
	{"modelref_loads_total", "Loads that brought a new document.", count(func(c *modelref.Counters) int64 { return c.Loads })},
	{"modelref_revalidations_total", "Loads in which a source confirmed the document in memory.",
		count(func(c *modelref.Counters) int64 { return c.Revalidations })},
	{"modelref_fallbacks_total", "Loads whose reference did not come from the PRIMARY, or is stale.",
		count(func(c *modelref.Counters) int64 { return c.Fallbacks })},
	{"modelref_unavailable_total", "Loads for which no source had the category.",
		count(func(c *modelref.Counters) int64 { return c.Failures })},
	{"modelref_requests_total", "Requests sent.", count(func(c *modelref.Counters) int64 { return c.Requests })},
	{"modelref_received_bytes_total", "Size of the bodies received.",
		count(func(c *modelref.Counters) int64 { return c.Bytes })},
}

func count(of func(*modelref.Counters) int64) func(*modelref.CategoryStatus) (float64, bool) {
	return func(c *modelref.CategoryStatus) (float64, bool) { return float64(of(&c.Counters)), true }
}

var gauges = []field{
	{"modelref_category_loaded", "1 if there is a reference in memory, otherwise 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Loaded), true }},
	{"modelref_category_records", "Records of the reference in memory.",
		func(c *modelref.CategoryStatus) (float64, bool) { return float64(c.Records), c.Loaded }},
	{"modelref_category_rejected_records", "Records left out of the reference in memory because they could not be decoded.",
		func(c *modelref.CategoryStatus) (float64, bool) { return float64(c.Rejected), c.Loaded }},
	{"modelref_category_age_seconds", "Time since a source confirmed the reference in memory.",
		func(c *modelref.CategoryStatus) (float64, bool) { return c.Age().Seconds(), !c.ConfirmedAt.IsZero() }},
	{"modelref_category_stale", "1 if the reference in memory may be out of date, otherwise 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Stale), c.Loaded }},
	{"modelref_category_fresh", "1 if the next read is answered from memory, otherwise 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Fresh), c.Loaded }},
	{"modelref_last_updated_timestamp_seconds", "Last-updated time of the category on the PRIMARY.",
		func(c *modelref.CategoryStatus) (float64, bool) {
			updated, ok := c.LastUpdated.Get()
			return seconds(updated), ok
		}},
	{"modelref_last_error_timestamp_seconds", "Time of the last error of the category.",
		func(c *modelref.CategoryStatus) (float64, bool) {
			return seconds(c.LastErrorAt), !c.LastErrorAt.IsZero()
		}},
}

// seconds returns a time in seconds since 1970, as Prometheus expects.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
