// This file has what the tests share: telemetry in memory, and a check that no goroutine is left after the tests.

package modelrefotel_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefotel"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftBehind(); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left after the tests:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of the goroutines of this package, of OpenTelemetry and of net/http that do not end
// within three seconds. A closed connection may need a short time to end.
func leftBehind() (left string) {
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = ""
		for _, stack := range stacks[1:] { // the first stack is that of this goroutine
			if strings.Contains(stack, "modelref") || strings.Contains(stack, "opentelemetry") ||
				strings.Contains(stack, "net/http") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}

// telemetry has the spans and metrics of a test.
type telemetry struct {
	spans   *tracetest.InMemoryExporter
	reader  *metric.ManualReader
	tracers *trace.TracerProvider
	meters  *metric.MeterProvider
}

func makeTelemetry() *telemetry {
	out := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	out.tracers = trace.NewTracerProvider(trace.WithSyncer(out.spans))
	out.meters = metric.NewMeterProvider(metric.WithReader(out.reader))
	return out
}

func newTelemetry(t testing.TB) *telemetry {
	out := makeTelemetry()
	t.Cleanup(func() {
		require.NoError(t, out.tracers.Shutdown(context.WithoutCancel(t.Context())))
		require.NoError(t, out.meters.Shutdown(context.WithoutCancel(t.Context())))
	})
	return out
}

// with returns [modelrefotel.With] with the providers of the telemetry.
func (m *telemetry) with(options ...modelrefotel.Option) modelref.Option {
	return modelrefotel.With(append(options,
		modelrefotel.WithTracerProvider(m.tracers), modelrefotel.WithMeterProvider(m.meters))...)
}

func (m *telemetry) collect(t testing.TB) metricdata.ResourceMetrics {
	var out metricdata.ResourceMetrics
	require.NoError(t, m.reader.Collect(t.Context(), &out))
	return out
}

// values returns the data points of a metric by their attributes. The value of a histogram is its count.
func (m *telemetry) values(t testing.TB, name string) map[string]float64 {
	out := map[string]float64{}
	for _, scope := range m.collect(t).ScopeMetrics {
		for _, found := range scope.Metrics {
			if found.Name != name {
				continue
			}
			switch data := found.Data.(type) {
			case metricdata.Sum[int64]:
				addPoints(out, data.DataPoints)
			case metricdata.Gauge[int64]:
				addPoints(out, data.DataPoints)
			case metricdata.Gauge[float64]:
				addPoints(out, data.DataPoints)
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					out[encoded(point.Attributes)] = float64(point.Count)
				}
			default:
				t.Fatalf("%s: %T", name, data)
			}
		}
	}
	return out
}

func addPoints[N int64 | float64](to map[string]float64, points []metricdata.DataPoint[N]) {
	for _, point := range points {
		to[encoded(point.Attributes)] = float64(point.Value)
	}
}

// encoded returns attributes as "clip primary hit": their values in the order of their names.
func encoded(set attribute.Set) string {
	var words []string
	for _, pair := range set.ToSlice() {
		words = append(words, pair.Value.String())
	}
	return strings.Join(words, " ")
}
