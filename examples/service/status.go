// What the service tells about itself: health for a load balancer, metrics for Prometheus.

package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// health is the answer to /healthz.
type health struct {
	// Status is "starting", "ok", "degraded" where something is served that may be behind, or "unavailable".
	Status     string                       `json:"status"`
	Sources    map[string]string            `json:"sources"`
	Categories map[modelref.Category]string `json:"categories"`
}

// health answers 503 while there is a category without an answer: a stale answer is one.
func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	status := a.client.Status()
	out := health{
		Status:     "ok",
		Sources:    map[string]string{"primary": source(status.Primary), "github": source(status.GitHub)},
		Categories: map[modelref.Category]string{},
	}
	for _, c := range status.Categories {
		switch {
		case !c.Loaded && c.LastError != nil:
			out.Categories[c.Category] = c.LastError.Error()
		case !c.Loaded:
			out.Categories[c.Category] = "not loaded yet"
		case c.Stale:
			out.Categories[c.Category] = "stale, from " + c.Origin.String()
			out.Status = "degraded"
		default:
			out.Categories[c.Category] = "from " + c.Origin.String()
		}
	}
	code := http.StatusOK
	if !a.warmed.Load() {
		out.Status, code = "starting", http.StatusServiceUnavailable
	} else if !status.Healthy() {
		out.Status, code = "unavailable", http.StatusServiceUnavailable
	}
	write(w, code, out)
}

func source(s modelref.SourceStatus) string {
	switch {
	case !s.Configured:
		return "not configured"
	case s.CoolingDown:
		return fmt.Sprintf("left alone until %s: %v", s.RetryAt.Format("15:04:05"), s.LastError)
	default:
		return "in use"
	}
}

// metrics are the counters and gauges of a category.
var metrics = []struct {
	name, kind, help string
	value            func(c *modelref.CategoryStatus) float64
}{
	{"modelref_hits_total", "counter", "Reads answered from memory.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Hits) }},
	{"modelref_loads_total", "counter", "Documents taken in.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Loads) }},
	{"modelref_revalidations_total", "counter", "Answers that nothing has changed.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Revalidations) }},
	{"modelref_fallbacks_total", "counter", "References from another source than the PRIMARY, or stale.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Fallbacks) }},
	{"modelref_failures_total", "counter", "Reads that no source could answer.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Failures) }},
	{"modelref_requests_total", "counter", "Requests sent.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Requests) }},
	{"modelref_received_bytes_total", "counter", "Size of the bodies received.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Counters.Bytes) }},
	{"modelref_records", "gauge", "Records in memory.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Records) }},
	{"modelref_rejected_records", "gauge", "Records left out because they did not decode.",
		func(c *modelref.CategoryStatus) float64 { return float64(c.Rejected) }},
	{"modelref_loaded", "gauge", "1 where there is a reference in memory.",
		func(c *modelref.CategoryStatus) float64 { return oneIf(c.Loaded) }},
	{"modelref_stale", "gauge", "1 where the reference in memory may be behind.",
		func(c *modelref.CategoryStatus) float64 { return oneIf(c.Stale) }},
	{"modelref_age_seconds", "gauge", "Time since a source confirmed the reference in memory.",
		func(c *modelref.CategoryStatus) float64 { return c.Age().Seconds() }},
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics answers in the text format of Prometheus. The labels need no escaping: categories and sources are words.
func (a *api) metrics(w http.ResponseWriter, _ *http.Request) {
	status := a.client.Status()
	var out strings.Builder
	for _, m := range metrics {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
		for i := range status.Categories {
			c := &status.Categories[i]
			if m.name == "modelref_age_seconds" && c.ConfirmedAt.IsZero() {
				continue // no age is not age 0
			}
			fmt.Fprintf(&out, "%s{category=%q} %s\n", m.name, c.Category, strconv.FormatFloat(m.value(c), 'g', -1, 64))
		}
	}
	const cooling = "modelref_source_cooling_down"
	fmt.Fprintf(&out, "# HELP %s 1 while the source is left alone after a failure.\n# TYPE %s gauge\n", cooling, cooling)
	fmt.Fprintf(&out, "%s{source=\"primary\"} %g\n", cooling, oneIf(status.Primary.CoolingDown))
	fmt.Fprintf(&out, "%s{source=\"github\"} %g\n", cooling, oneIf(status.GitHub.CoolingDown))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write([]byte(out.String()))
}
