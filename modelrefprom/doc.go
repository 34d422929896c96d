// Package modelrefprom tells Prometheus how a modelref.Client stands.
//
//	client, err := modelref.New()
//	if err != nil { … }
//	defer client.Close()
//	prometheus.MustRegister(modelrefprom.NewCollector(client))
//	http.Handle("/metrics", promhttp.Handler())
//
// A scrape reads Client.Status: the network is not touched, and no read is held up. The metrics of each category have
// the label category; counters are those since the Client was made:
//
//	modelref_hits_total             reads answered from memory
//	modelref_loads_total            documents taken in
//	modelref_revalidations_total    answers that nothing has changed
//	modelref_fallbacks_total        references from another source than the PRIMARY, or stale
//	modelref_unavailable_total      reads that no source could answer
//	modelref_requests_total         requests sent
//	modelref_received_bytes_total   size of the bodies received
//	modelref_category_loaded        1 where there is a reference in memory, else 0
//
// Those of the reference in memory are missing while there is none:
//
//	modelref_category_info                     1, with the label origin: primary, github, disk, store or bootstrap
//	modelref_category_records                  records that it has
//	modelref_category_rejected_records         records left out because they did not decode
//	modelref_category_age_seconds              time since a source confirmed it; missing where none has
//	modelref_category_stale                    1 where it may be behind, else 0
//	modelref_category_fresh                    1 where the next read is answered from memory, else 0
//	modelref_change_stamp_timestamp_seconds    when the PRIMARY last changed the category, where it has said so
//
// And of what went wrong:
//
//	modelref_last_error_timestamp_seconds    when something last went wrong with the category; missing where nothing has
//	modelref_source_cooling_down             1 while a source is left alone after a failure, else 0; by the label source:
//	                                         primary or github, without those that the Client may not ask
package modelrefprom
