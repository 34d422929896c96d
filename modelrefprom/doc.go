// Package modelrefprom exports the status of a [modelref.Client] to Prometheus.
//
//	client, err := modelref.New()
//	if err != nil { … }
//	defer client.Close()
//	prometheus.MustRegister(modelrefprom.NewCollector(client))
//	http.Handle("/metrics", promhttp.Handler())
//
// A scrape calls [modelref.Client.Status], which does not use the network and does not block reads. The metrics of each
// category have the label category. Counters start when the Client is created:
//
//	modelref_hits_total             reads answered from memory
//	modelref_loads_total            loads that brought a new document
//	modelref_revalidations_total    loads in which a source confirmed the document in memory
//	modelref_fallbacks_total        loads whose reference did not come from the PRIMARY, or is stale
//	modelref_unavailable_total      loads for which no source had the category
//	modelref_requests_total         requests sent
//	modelref_received_bytes_total   size of the bodies received
//	modelref_category_loaded        1 if there is a reference in memory, otherwise 0
//
// The following metrics exist only if there is a reference in memory:
//
//	modelref_category_info                     1, with the label origin: primary, github, disk, store or bootstrap
//	modelref_category_records                  number of records
//	modelref_category_rejected_records         number of records that could not be decoded
//	modelref_category_age_seconds              time since a source confirmed the reference; absent if no source has
//	modelref_category_stale                    1 if the reference may be out of date, otherwise 0
//	modelref_category_fresh                    1 if the next read is answered from memory, otherwise 0
//	modelref_last_updated_timestamp_seconds    last-updated time of the category on the PRIMARY; absent if it is unknown
//
// The following metrics describe failures:
//
//	modelref_last_error_timestamp_seconds    time of the last error of the category; absent if there was no error
//	modelref_source_breaker_open             1 while the circuit breaker is open, otherwise 0. The label source is
//	                                         primary or github. Sources that the Client does not use are absent.
package modelrefprom
