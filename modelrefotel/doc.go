// Package modelrefotel gives a modelref.Client OpenTelemetry: a span for each HTTP request, the HTTP metrics of the
// semantic conventions, and metrics of the Client itself.
//
//	client, err := modelref.New(modelrefotel.With())
//	if err != nil { … }
//	defer client.Close()
//	gauges, err := modelrefotel.Register(client) // how each category stands, when metrics are collected
//	if err != nil { … }
//	defer gauges.Unregister()
//
// The global providers are used where [WithTracerProvider] and [WithMeterProvider] name no other, also where they are set
// after With. With a provider of package noop there are no spans, or no metrics.
//
// # Spans
//
// Every attempt of a request, and every redirect that it follows, is a client span of otelhttp: GET, with
// http.request.method, url.full, server.address, server.port, http.response.status_code and error.type. It ends with the
// body of the answer. Its parent is the span in the context of the caller that started the read; of several callers that
// wait for one load, the one that came first. A read that is answered from memory has no span. http.request.resend_count
// is not set: a transport cannot tell a second attempt from a new request.
//
// url.full has the names of query parameters and REDACTED for their values. User info, the fragment and the API key are
// in no span and no metric.
//
// No trace headers are sent unless [WithPropagationTo] says to which hosts: by default the requests go to servers of
// others, which have no part in your traces and no need of your baggage.
//
// A Client whose transport makes spans by itself, as one of otelhttp in modelref.WithHTTPClient, would make two of each.
//
// # Metrics
//
// Of the HTTP requests, by the semantic conventions: http.client.request.duration and http.client.request.body.size.
// Of the Client:
//
//	modelref.reads                {read}        modelref.category, .origin, .result
//	modelref.load.duration        s             modelref.category, .origin, .result, but for hits
//	modelref.received             By            modelref.category, .origin: the bodies of documents
//	modelref.fallbacks            {fallback}    modelref.category, .origin: not from the PRIMARY, or stale
//	modelref.source.failures      {failure}     modelref.category, .origin, error.type
//	modelref.store.failures       {failure}     modelref.category, .origin
//	modelref.breaker.transitions  {transition}  modelref.origin, modelref.breaker.state: open or closed
//
// modelref.result is hit for a read from memory; for the one load that all callers share it is load for a new document,
// revalidate where nothing has changed, stale where an earlier copy is served that no source could confirm, unavailable
// where there is none. Each is counted under one result; a caller that waits for the load of another is not counted.
// modelref.origin is that of the document, as modelref.Origin names it; unavailable has none.
//
// A hit costs some 150 ns with the SDK of OpenTelemetry and allocates nothing; see [WithoutHits].
//
// error.type is the status of an answer, as 503, or one of timeout, canceled, invalid_document, dns, tls, connection and
// _OTHER. A source that is left alone after a failure is not asked, so it does not fail.
//
// Those of [Register] are gauges, read from Client.Status when metrics are collected:
//
//	modelref.category.records      {record}  modelref.category, .origin
//	modelref.category.rejected     {record}  modelref.category: records that did not decode
//	modelref.category.age          s         modelref.category: since a source confirmed the reference
//	modelref.category.stale        1         modelref.category: 1 where the reference may be behind, else 0
//	modelref.source.cooling_down   1         modelref.origin: 1 while the source is left alone, else 0
package modelrefotel
