// Package modelref reads the model reference of the AI-Horde: the list of every model that the cluster may
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
// A [Client] has a service for each of the 15 categories. If the category in memory was confirmed within the TTL (a minute by
// default, see [WithTTL]), [Service.Load] returns it without using the network. When the TTL has expired, the first caller
// starts a load and concurrent callers share its result. If the cache directory ([WithCacheDir]) or the store ([WithStore]) has a copy
// that was confirmed within the TTL, the load returns it without sending a request. Such a copy is not stale. Otherwise the
// load tries the following in order:
//
//  1. the last-updated time of the category at the PRIMARY, a request with a response of about 50 bytes. If it has not
//     changed, the TTL is restarted;
//  2. the document of the PRIMARY, with retries within a time budget (20 s by default, see [WithRetry]);
//  3. the last good copy in memory, in the cache directory or in the store, if it came from the PRIMARY and is younger than [WithMaxStale];
//  4. the legacy file on GitHub, converted, for the categories that have one;
//  5. the last good copy of any age, in memory, in the cache directory or in the store;
//  6. the document that the program brings along ([WithBootstrap]).
//
// If all of them fail, the error is a [*FetchError] with the error of each source. A [Reference] has its Source, the times of its
// download and its last confirmation, whether it is Stale (after the steps 3, 5 and 6), and the reason why it is stale or does not
// come from the PRIMARY ([Reference.FallbackReason]). A reference from GitHub is not stale, although it may be behind and has fewer
// fields.
//
// If a usable copy exists, no caller waits long for a load: after [WithRefreshWait] (a second by default) or shortly before its own
// deadline it gets the copy, marked as stale, and the load continues. A usable copy came from the PRIMARY of this Client and
// is younger than WithMaxStale. A copy of another deployment is not served,
// unless the Client has no PRIMARY, and an older document never replaces a newer one.
//
// After an outage (a network error, 408, 429 or 5xx) the circuit breaker skips the source for all categories: for about 30
// seconds at first, for up to 5 minutes after repeated failures. Any other failure concerns one category only, and the
// request is sent again after the TTL. [Client.Status] has the state of every source and category.
//
// # Records
//
// Records are shared by all callers and read-only. Clone returns a private copy. A record that cannot be decoded is left out
// and listed by [Reference.Rejected]; the others are not affected. Fields that this package does not define are kept, see
// [ModelRecord.RawJSON]. Values of a baseline, style or purpose that this package does not define are kept unchanged. Known
// reports whether a value is defined here.
//
// # Errors
//
// Reads return a [*FetchError], which is [ErrUnavailable], if no source has the category, and a [*NotFoundError], which is
// [ErrNotFound], if no record has the name. Reads of several categories return a [*PartialError]. Requests at each call return
// an [*APIError] or a [*ResponseDecodeError]. A query that is wrong is [ErrInvalidQuery], a category that does not exist is
// [ErrUnknownCategory], and Only returns [ErrNotUnique]. Every call of a closed Client returns [ErrClosed]. [ErrOffline],
// [ErrNotConfigured] and [ErrUnsupported] say that the Client or the deployment cannot do what was asked. A RecordError is a value
// rather than a pointer. A FetchError also matches the errors of its sources. If a caller's context is canceled, the error
// returned to that caller wraps ctx.Err(). Other callers are not affected.
//
// Nothing is logged unless [WithLogger] is used. Nothing is written to standard output or standard error.
//
// # Other packages
//
// Package [github.com/haidra-org/modelref/api] has the other endpoints of the service,
// [github.com/haidra-org/modelref/download] downloads the files of models, [github.com/haidra-org/modelref/mirror] serves the
// model reference to many workers, and [github.com/haidra-org/modelref/modelreftest] has a fake PRIMARY and GitHub for tests.
package modelref
