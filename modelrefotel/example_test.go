package modelrefotel_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefotel"
	"github.com/haidra-org/modelref/modelreftest"
)

func Example() {
	server, err := modelreftest.Start() // stands in for the PRIMARY
	if err != nil {
		panic(err)
	}
	defer server.Close()
	exporter := tracetest.NewInMemoryExporter() // stands in for an exporter that sends spans
	tracers := trace.NewTracerProvider(trace.WithSyncer(exporter))
	defer tracers.Shutdown(context.Background())

	client, err := modelref.New(append(server.Options(),
		modelrefotel.With(modelrefotel.WithTracerProvider(tracers)),
	)...)
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx, caller := tracers.Tracer("example").Start(context.Background(), "choose a model")
	if _, err := client.CLIP.Load(ctx); err != nil {
		panic(err)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name, span.Parent.SpanID() == caller.SpanContext().SpanID())
	}
	// Output: GET true
}

func ExampleWith() {
	client, err := modelref.New(modelrefotel.With()) // uses the global providers
	if err != nil {
		panic(err)
	}
	defer client.Close()
}

func ExampleWithPropagationTo() {
	const replica = "https://models.internal.example/api"
	client, err := modelref.New(
		modelref.WithPrimaryURL(replica),
		modelrefotel.With(
			modelrefotel.WithPropagationTo(replica), // only to our own host, not to GitHub
			modelrefotel.WithPropagators(propagation.TraceContext{}),
		),
	)
	if err != nil {
		panic(err)
	}
	defer client.Close()
}

func ExampleRegister() {
	reader := metric.NewManualReader() // stands in for an exporter
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	defer meters.Shutdown(context.Background())

	about := modelrefotel.WithAttributes(attribute.String("client", "public"))
	client, err := modelref.New(modelrefotel.With(modelrefotel.WithMeterProvider(meters), about))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	gauges, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(meters), about)
	if err != nil {
		panic(err)
	}
	defer gauges.Unregister()
}
