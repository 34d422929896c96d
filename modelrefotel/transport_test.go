// This file tests the spans of requests: their attributes, their parents, and the hosts that receive trace headers.

package modelrefotel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefotel"
	"github.com/haidra-org/modelref/modelreftest"
)

// quick is a retry policy with three attempts and short delays.
var quick = modelref.WithRetry(modelref.RetryPolicy{BaseDelay: time.Millisecond})

func TestEachAttemptIsASpan(t *testing.T) {
	t.Parallel()
	const (
		document = "/model_references/v2/clip"
		file     = "/Haidra-Org/AI-Horde-image-model-reference/refs/heads/main/clip.json"
	)
	type want struct {
		path   string
		status int
	}
	for _, test := range []struct {
		name   string
		breaks func(*modelreftest.Server)
		want   []want
	}{
		{"success", func(*modelreftest.Server) {}, []want{{document, 200}}},
		{"retry", func(s *modelreftest.Server) {
			s.Script(modelreftest.Documents, modelreftest.Status(503), modelreftest.OK())
		}, []want{{document, 503}, {document, 200}}},
		{"fallback", func(s *modelreftest.Server) { s.Break(modelreftest.Primary, modelreftest.Status(500)) },
			[]want{{document, 500}, {document, 500}, {document, 500}, {file, 200}}},
		{"no response", func(s *modelreftest.Server) {
			s.Script(modelreftest.Documents, modelreftest.Reset(), modelreftest.OK())
		}, []want{{document, 0}, {document, 200}}},
		{"body breaks off", func(s *modelreftest.Server) {
			s.Script(modelreftest.Documents, modelreftest.ResetInBody(), modelreftest.OK())
		}, []want{{document, -200}, {document, 200}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t)
			test.breaks(server)
			telemetry := newTelemetry(t)
			client := server.Client(t, quick, telemetry.with(modelrefotel.WithAttributes(attribute.String("client", "one"))))

			ctx, parent := telemetry.tracers.Tracer("test").Start(t.Context(), "caller")
			_, err := client.CLIP.Load(ctx)
			parent.End()
			require.NoError(t, err)
			_, err = client.CLIP.Load(ctx)
			require.NoError(t, err)

			spans := telemetry.spans.GetSpans()
			require.Len(t, spans, len(test.want)+1, "and none for what came from memory")
			for i, want := range test.want {
				span := spans[i]
				assert.Equal(t, "GET", span.Name)
				assert.Equal(t, trace.SpanKindClient, span.SpanKind)
				assert.Equal(t, parent.SpanContext().SpanID(), span.Parent.SpanID())
				assert.Equal(t, parent.SpanContext().TraceID(), span.SpanContext.TraceID())
				base, err := url.Parse(server.URL())
				require.NoError(t, err)
				attributes := attribute.NewSet(span.Attributes...)
				assert.Equal(t, "GET", text(attributes, "http.request.method"))
				assert.Equal(t, base.Hostname(), text(attributes, "server.address"))
				assert.Equal(t, base.Port(), text(attributes, "server.port"))
				assert.Equal(t, "one", text(attributes, "client"))
				prefix := server.URL()
				if want.path == file {
					prefix = server.GitHubURL()
				}
				assert.Equal(t, prefix+want.path, text(attributes, "url.full"))
				switch status := text(attributes, "http.response.status_code"); {
				case want.status == 200:
					assert.Equal(t, "200", status)
					assert.Equal(t, codes.Unset, span.Status.Code)
				case want.status > 0:
					assert.Equal(t, strconv.Itoa(want.status), status)
					assert.Equal(t, strconv.Itoa(want.status), text(attributes, "error.type"))
					assert.Equal(t, codes.Error, span.Status.Code)
				case want.status == 0:
					assert.Empty(t, status)
					assert.NotEmpty(t, text(attributes, "error.type"))
					assert.Equal(t, codes.Error, span.Status.Code)
				default:
					assert.Equal(t, "200", status, "the header came")
					assert.Equal(t, codes.Error, span.Status.Code)
				}
			}
			requests := 0.0
			for _, n := range telemetry.values(t, "http.client.request.duration") {
				requests += n
			}
			assert.InDelta(t, len(test.want), requests, 0)
		})
	}
}

// text returns the value of an attribute as text, or "" if there is no such attribute.
func text(of attribute.Set, name attribute.Key) string {
	value, ok := of.Value(name)
	if !ok {
		return ""
	}
	return value.String()
}

func TestURLsShowNoValues(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	telemetry := newTelemetry(t)
	base := strings.Replace(server.URL(), "http://", "http://user:geheim@", 1)
	client := server.Client(t, modelref.WithPrimaryURL(base), telemetry.with())
	plain := server.Client(t, modelref.WithPrimaryURL(base))

	query := url.Values{"name": {"geheim/1 & 2"}, "limit": {"1"}}
	err := client.GetJSON(t.Context(), "no/such/path", query, new(any))
	require.Error(t, err)
	assert.Equal(t, plain.GetJSON(t.Context(), "no/such/path", query, new(any)).Error(), err.Error(), "errors are the same as without spans")

	got := server.Requests()
	require.Len(t, got, 2)
	assert.Equal(t, query.Encode(), got[0].Query, "the server gets the values")
	assert.Equal(t, got[1].Header, got[0].Header, "and the same header as without spans")
	assert.NotEmpty(t, got[0].Header.Get("Authorization"))

	spans := telemetry.spans.GetSpans()
	require.Len(t, spans, 1)
	assert.Equal(t, server.URL()+"/no/such/path?limit=REDACTED&name=REDACTED",
		text(attribute.NewSet(spans[0].Attributes...), "url.full"))
	dump, err := json.Marshal([]any{spans, telemetry.collect(t)})
	require.NoError(t, err)
	assert.NotContains(t, string(dump), "geheim")
	assert.Contains(t, string(dump), "REDACTED")
}

func TestRedirectURLsShowNoValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, to, want string }{
		{"signature", "/there?token&sig=geheim&x=1#geheim", "/there?REDACTED&sig=REDACTED&x=REDACTED"},
		{"scheme made up", "odd:user:geheim@host", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := modelreftest.NewServer(t)
			telemetry := newTelemetry(t)
			client := server.Client(t, quick, modelref.WithoutGitHub(), telemetry.with())
			to, want := test.to, test.want
			if to[0] == '/' {
				to, want = server.GitHubURL()+to, server.GitHubURL()+want
			}
			server.Script(modelreftest.Documents, modelreftest.RedirectTo(to))
			server.Script(modelreftest.GitHub, modelreftest.Status(404))
			_, _ = client.CLIP.Load(t.Context())
			spans := telemetry.spans.GetSpans()
			if want == "" {
				require.Len(t, spans, 1, "the redirect is refused before a request is sent")
			} else {
				require.GreaterOrEqual(t, len(spans), 2)
				assert.Equal(t, want, text(attribute.NewSet(spans[1].Attributes...), "url.full"))
			}
			for _, span := range spans {
				assert.NotContains(t, text(attribute.NewSet(span.Attributes...), "url.full"), "geheim")
			}
		})
	}
}

func TestTraceHeadersAreSentOnlyToTheirHosts(t *testing.T) {
	t.Parallel()
	primary, github := modelreftest.NewServer(t), modelreftest.NewServer(t)
	hostOf := func(server *modelreftest.Server) string {
		u, err := url.Parse(server.URL())
		require.NoError(t, err)
		return u.Host
	}
	for _, test := range []struct {
		name            string
		to              []string
		primary, github bool
	}{
		{"no host by default", nil, false, false},
		{"the PRIMARY by its URL", []string{primary.URL()}, true, false},
		{"GitHub by its host and port", []string{hostOf(github)}, false, true},
		{"any port of a host", []string{"127.0.0.1"}, true, true},
		{"another host", []string{"models.example.org", "127.0.0.1:1", ""}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			telemetry := newTelemetry(t)
			client := primary.Client(t, modelref.WithGitHub(modelref.GitHubConfig{BaseURL: github.GitHubURL()}), telemetry.with(
				modelrefotel.WithPropagationTo(test.to...),
				modelrefotel.WithPropagators(propagation.NewCompositeTextMapPropagator(
					propagation.TraceContext{}, propagation.Baggage{}))))
			primary.ResetRequests()
			github.ResetRequests()
			// The request for the document is redirected and fails, so the legacy file is requested next.
			primary.Script(modelreftest.Documents, modelreftest.RedirectTo(github.GitHubURL()+"/elsewhere"))
			github.Script(modelreftest.GitHub, modelreftest.Status(404), modelreftest.OK())

			member, err := baggage.NewMember("user", "ann")
			require.NoError(t, err)
			bag, err := baggage.New(member)
			require.NoError(t, err)
			_, err = client.CLIP.Load(baggage.ContextWithBaggage(t.Context(), bag))
			require.NoError(t, err)

			spans := telemetry.spans.GetSpans()
			require.Len(t, spans, 3)
			requests := append(primary.Requests(), github.Requests()...)
			require.Len(t, requests, 3)
			for i, request := range requests {
				told := test.primary
				if i > 0 {
					told = test.github
				}
				if !told {
					assert.Empty(t, request.Header.Get("Traceparent"), i)
					assert.Empty(t, request.Header.Get("Baggage"), i)
					continue
				}
				span := spans[i].SpanContext
				assert.Equal(t, "00-"+span.TraceID().String()+"-"+span.SpanID().String()+"-01",
					request.Header.Get("Traceparent"), i)
				assert.Equal(t, "user=ann", request.Header.Get("Baggage"), i)
			}
		})
	}
}

// TestNothingExportedHasTheKey uses a service that repeats the key in every response. It checks the output of a real
// exporter.
func TestNothingExportedHasTheKey(t *testing.T) {
	t.Parallel()
	const key = "0123456789-geheim"
	var exported bytes.Buffer
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(&exported))
	require.NoError(t, err)
	tracers := sdk.NewTracerProvider(sdk.WithBatcher(exporter))
	telemetry := newTelemetry(t)
	server := modelreftest.NewServer(t)
	client := server.Client(t, quick, modelref.WithAPIKey(key), modelref.WithoutGitHub(),
		telemetry.with(), // only its metrics are checked
		modelrefotel.With(modelrefotel.WithTracerProvider(tracers), modelrefotel.WithMeterProvider(telemetry.meters)))
	registration, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters))
	require.NoError(t, err)

	server.Script(modelreftest.Documents, modelreftest.Body(500, "text/plain", "bad key "+key), modelreftest.Reset(),
		modelreftest.OK(), modelreftest.Body(401, "application/json", `{"detail": "`+key+`"}`))
	_, err = client.CLIP.Load(t.Context())
	require.NoError(t, err)
	_, err = client.BLIP.Load(t.Context())
	require.ErrorIs(t, err, modelref.ErrUnavailable)
	for _, request := range server.Requests() {
		if request.Status != 0 {
			assert.Equal(t, key, request.Header.Get("Apikey"), "the server has it")
		}
	}
	require.NoError(t, tracers.Shutdown(t.Context()))
	assert.Equal(t, 4, strings.Count(exported.String(), `"url.full"`), exported.String())
	assert.NotContains(t, exported.String(), "geheim")
	dump, err := json.Marshal([]any{telemetry.spans.GetSpans(), telemetry.collect(t)})
	require.NoError(t, err)
	assert.Contains(t, string(dump), "modelref.category.records")
	assert.NotContains(t, string(dump), "geheim")
	require.NoError(t, registration.Unregister())
}

func TestTheCallersProviderCreatesTheSpans(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t)
	exporter := tracetest.NewInMemoryExporter()
	tracers := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	client := server.Client(t, modelrefotel.With(nil, modelrefotel.WithTracerProvider(nil),
		modelrefotel.WithMeterProvider(nil), modelrefotel.WithPropagators(nil)))
	_, err := client.BLIP.Load(t.Context())
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	ctx, parent := tracers.Tracer("test").Start(ctx, "caller")
	_, err = client.CLIP.Load(ctx)
	cancel()
	require.NoError(t, err)
	spans := exporter.GetSpans()
	require.Len(t, spans, 1)
	assert.Equal(t, parent.SpanContext().SpanID(), spans[0].Parent.SpanID())
	require.NoError(t, tracers.Shutdown(t.Context()))
}
