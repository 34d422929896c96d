// Package modelrefotel adds OpenTelemetry to a [modelref.Client]: a span for each HTTP request, the HTTP metrics of the
// semantic conventions, and metrics of the Client itself.
//
//	client, err := modelref.New(modelrefotel.With())
//	if err != nil { … }
//	defer client.Close()
//	gauges, err := modelrefotel.Register(client) // the state of each category, when metrics are collected
//	if err != nil { … }
//	defer gauges.Unregister()
//
// If [WithTracerProvider] or [WithMeterProvider] is not used, the global provider is used, even if it is set after the
// call of [With]. With a provider of package noop there are no spans or no metrics.
//
// # Spans
//
// Every attempt of a request, and every redirect that is followed, is a client span of otelhttp. Its name is GET. It
// has http.request.method, url.full, server.address, server.port, http.response.status_code and error.type. It ends
// with the body of the response. Its parent is the span in the context of the caller that started the load. If several
// callers share one load, the parent is the span of the first caller. A read from memory has no span.
// http.request.resend_count is not set, because a transport cannot distinguish a retry from a new request.
//
// url.full has the names of the query parameters, with REDACTED for their values. User info, the fragment and the API
// key are in no span and in no metric.
//
// Trace headers are sent only to the hosts of [WithPropagationTo]. By default no trace headers are sent, because the
// servers belong to others: they are not part of your traces and must not see your baggage.
//
// If the transport of the Client creates spans itself, such as a transport of otelhttp in [modelref.WithHTTPClient],
// each request has two spans.
//
// # Metrics
//
// HTTP requests have the metrics of the semantic conventions, http.client.request.duration and
// http.client.request.body.size. The Client has these metrics:
//
//	modelref.reads                {read}        modelref.category, .origin, .result
//	modelref.load.duration        s             modelref.category, .origin, .result, except for hits
//	modelref.received             By            modelref.category, .origin: the bodies of documents
//	modelref.fallbacks            {fallback}    modelref.category, .origin: not from the PRIMARY, or stale
//	modelref.source.failures      {failure}     modelref.category, .origin, error.type
//	modelref.store.failures       {failure}     modelref.category, .origin
//	modelref.breaker.transitions  {transition}  modelref.origin, modelref.breaker.state: open or closed
//
// modelref.result is hit for a read from memory. A load that several callers share is counted once, with one of these
// results: load for a new document, revalidate if nothing has changed, stale if no source could confirm the copy that
// is returned, and unavailable if there is no copy. modelref.origin is the source of the document, as [modelref.Source]
// names it. If the result is unavailable, there is no modelref.origin.
//
// A hit costs about 150 ns with the SDK of OpenTelemetry and does not allocate; see [WithoutHits].
//
// error.type is the status of a response, such as 503, or one of timeout, canceled, invalid_document, dns, tls,
// connection and _OTHER. While the circuit breaker of a source is open, no request is sent to the source and no failure
// is counted.
//
// The metrics of [Register] are gauges. They are read from [modelref.Client.Status] when metrics are collected:
//
//	modelref.category.records      {record}  modelref.category, .origin
//	modelref.category.rejected     {record}  modelref.category: records that could not be decoded
//	modelref.category.age          s         modelref.category: time since a source confirmed the reference
//	modelref.category.stale        1         modelref.category: 1 if the reference may be out of date, otherwise 0
//	modelref.source.breaker_open   1         modelref.origin: 1 while the circuit breaker is open, otherwise 0
package modelrefotel
