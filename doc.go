// Package modelref reads the model reference of the AI-Horde: the curated list of every model that the cluster may
// serve, with names, baselines, NSFW flags, sizes, download URLs and checksums.
//
//	client, err := modelref.New()
//	if err != nil { … }
//	defer client.Close()
//
//	ref, err := client.ImageGeneration.Load(ctx)               // *Reference[ImageGenerationRecord]
//	rec, err := client.ImageGeneration.Get(ctx, "SDXL 1.0")    // *ImageGenerationRecord
//	recs, err := client.ImageGeneration.Query().
//		ForBaseline(modelref.BaselineStableDiffusionXL).
//		ExcludeNSFW().
//		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc()).
//		Limit(10).
//		All(ctx)                                            // []*ImageGenerationRecord
//
// # Where a reference comes from
//
// There is a service on [Client] for each of the 15 categories. Its Load answers from memory, without touching the
// network, while the category is younger than the TTL (a minute by default, see [WithTTL]). After that one load runs for
// all callers that wait. Where the cache directory ([WithCacheDir]) or the store ([WithStore]) has a copy that is younger
// than the TTL, by this program or another, it takes that, without a request and not Stale. Else it tries in this order:
//
//  1. the change stamp of the PRIMARY, one request of some 50 bytes: where it has not moved, the TTL begins anew;
//  2. the PRIMARY, with retries inside a budget (20 s, see [WithRetry]);
//  3. the last good copy in memory, if it came from the PRIMARY and is younger than [WithMaxStale];
//  4. the legacy file on GitHub, converted, for the categories that have one;
//  5. the last good copy of any age and origin, then that in the cache directory or the store, then the documents that
//     the program brought along ([WithBootstrap]);
//  6. a [*FetchError], which tells what each source said.
//
// A [Reference] tells its Origin, when it was fetched and confirmed, and whether it is Stale, which it is after 3 and 5.
// With [WithOffline] the copy is Stale when it is older than the TTL.
// A source that is gone (network errors, 408, 429 and 5xx) is left alone for half a minute, growing to five, for all
// categories; any other answer concerns its category alone and is asked for again after a TTL.
//
// # Records
//
// Records are shared by all callers and read-only; Clone gives a private copy. A record that does not decode is left out
// and listed by Rejected; the others stand. Fields that this package does not know are kept: see the Raw of a record.
// Values of a baseline, style or purpose that are new to this package are kept as they come; their Known tells.
//
// # Errors
//
// Use errors.Is with [ErrNotFound], [ErrUnavailable], [ErrUnknownCategory], [ErrInvalidQuery], [ErrClosed], and errors.As
// with [*APIError], [*FetchError], [*DecodeError]. A context that ends is in the error of the caller whose it is.
//
// Nothing is logged and nothing is written to standard output or error unless [WithLogger] says where to.
//
// Package [github.com/haidra-org/modelref/modelreftest] has a fake PRIMARY and GitHub for tests.
package modelref
