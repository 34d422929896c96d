// The collector: Client.Status as metrics.

package modelrefprom

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haidra-org/modelref"
)

// Option is one thing that NewCollector is told.
type Option func(*settings)

type settings struct{ labels prometheus.Labels }

// WithConstLabels adds labels to every metric, so that several Clients can be registered with one registry. Labels of
// several calls add up. A name that is no label, or that a metric has already, is an error of Register.
func WithConstLabels(labels prometheus.Labels) Option {
	return func(s *settings) { maps.Copy(s.labels, labels) }
}

// Collector is a prometheus.Collector over the status of a Client. Make it with NewCollector; the zero Collector has no
// metrics. It is safe for concurrent use.
type Collector struct {
	client *modelref.Client

	categories        []metric
	info, coolingDown *prometheus.Desc
}

// metric is one metric of a category.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	// value returns the value, and whether there is one.
	value func(c *modelref.CategoryStatus) (float64, bool)
}

var _ prometheus.Collector = (*Collector)(nil)

// NewCollector returns a collector of the metrics that the package documentation lists. The Client stays the caller's:
// one that is closed is still told of as it was. nil is a Client without metrics. A scrape touches no network.
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
		info:   desc("modelref_category_info", "Where the reference in memory came from.", "category", "origin"),
		coolingDown: desc("modelref_source_cooling_down",
			"1 while the source is left alone after a failure, else 0.", "source"),
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
	out <- c.coolingDown
}

// Collect sends the metrics as they are now.
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
			out <- sample(c.info, prometheus.GaugeValue, 1, name, category.Origin.String())
		}
	}
	c.collectSource(out, modelref.OriginPrimary, status.Primary)
	c.collectSource(out, modelref.OriginGitHub, status.GitHub)
}

func (c *Collector) collectSource(out chan<- prometheus.Metric, origin modelref.Origin, s modelref.SourceStatus) {
	if s.Configured {
		out <- sample(c.coolingDown, prometheus.GaugeValue, oneIf(s.CoolingDown), origin.String())
	}
}

// sample returns a metric, which is the error of a description that no registry would have taken.
func sample(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(desc, kind, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

// field is a metric of a category before it has its labels.
type field struct {
	name, help string
	value      func(c *modelref.CategoryStatus) (float64, bool)
}

var counters = []field{
	{"modelref_hits_total", "Reads answered from memory.", count(func(c *modelref.Counters) int64 { return c.Hits })},
	{"modelref_loads_total", "Documents taken in.", count(func(c *modelref.Counters) int64 { return c.Loads })},
	{"modelref_revalidations_total", "Answers that nothing has changed.",
		count(func(c *modelref.Counters) int64 { return c.Revalidations })},
	{"modelref_fallbacks_total", "References from another source than the PRIMARY, or stale.",
		count(func(c *modelref.Counters) int64 { return c.Fallbacks })},
	{"modelref_unavailable_total", "Reads that no source could answer.",
		count(func(c *modelref.Counters) int64 { return c.Failures })},
	{"modelref_requests_total", "Requests sent.", count(func(c *modelref.Counters) int64 { return c.Requests })},
	{"modelref_received_bytes_total", "Size of the bodies received.",
		count(func(c *modelref.Counters) int64 { return c.Bytes })},
}

func count(of func(*modelref.Counters) int64) func(*modelref.CategoryStatus) (float64, bool) {
	return func(c *modelref.CategoryStatus) (float64, bool) { return float64(of(&c.Counters)), true }
}

var gauges = []field{
	{"modelref_category_loaded", "1 where there is a reference in memory, else 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Loaded), true }},
	{"modelref_category_records", "Records of the reference in memory.",
		func(c *modelref.CategoryStatus) (float64, bool) { return float64(c.Records), c.Loaded }},
	{"modelref_category_rejected_records", "Records left out of the reference in memory because they did not decode.",
		func(c *modelref.CategoryStatus) (float64, bool) { return float64(c.Rejected), c.Loaded }},
	{"modelref_category_age_seconds", "Time since a source confirmed the reference in memory.",
		func(c *modelref.CategoryStatus) (float64, bool) { return c.Age().Seconds(), !c.ConfirmedAt.IsZero() }},
	{"modelref_category_stale", "1 where the reference in memory may be behind, else 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Stale), c.Loaded }},
	{"modelref_category_fresh", "1 where the next read is answered from memory, else 0.",
		func(c *modelref.CategoryStatus) (float64, bool) { return oneIf(c.Fresh), c.Loaded }},
	{"modelref_change_stamp_timestamp_seconds", "When the PRIMARY last changed the category.",
		func(c *modelref.CategoryStatus) (float64, bool) {
			stamp, ok := c.Stamp.Get()
			return seconds(stamp), ok
		}},
	{"modelref_last_error_timestamp_seconds", "When something last went wrong with the category.",
		func(c *modelref.CategoryStatus) (float64, bool) {
			return seconds(c.LastErrorAt), !c.LastErrorAt.IsZero()
		}},
}

// seconds returns a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
