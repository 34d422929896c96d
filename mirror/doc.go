// Package mirror serves the model reference to many workers from one [modelref.Client], and a page for people.
//
// A site with many workers needs one download of each category, not one per worker. A mirror is an [http.Handler] that
// serves the read API of the service below the path /api. A worker uses it in place of the PRIMARY, whether the worker is
// written in Go or uses the Python library:
//
//	client, err := modelref.New(modelref.WithCacheDir(dir))
//	if err != nil { … }
//	defer client.Close()
//	listener, err := net.Listen("tcp", "127.0.0.1:8765")
//	if err != nil { … }
//	err = mirror.Serve(ctx, listener, mirror.Handler(client))
//
// # What is served
//
// The following responses are made from the documents that the Client holds in memory: the v2 categories, byte for byte
// as the PRIMARY sent them; single models, including those with a slash in the name; both searches; the statistics of a
// category; the last-updated times; the list of categories; heartbeat and replicate_mode. A category that has expired is
// loaded as [modelref.Service.Load] does, with the fallbacks of the Client. If the PRIMARY is down, the mirror serves its
// last good copy.
//
// All other GET requests of the read API are forwarded to the PRIMARY by the Client, with its retries and limits, and the
// responses are cached. If the PRIMARY is down, the last good response is served.
//
// A mirror says that it is a replica. It refuses requests with an API key, methods other than GET and HEAD, the endpoints
// that need a key, and every path outside the API.
//
// # HTTP
//
// Responses from memory have a strong ETag and answer If-None-Match with 304. Documents are compressed once. Every such
// response has the following header fields:
//
//   - Age: the seconds since a source confirmed the data,
//   - X-Modelref-Origin: the kind of source, for example "primary" or "github",
//   - X-Modelref-Stale: "true" if no source confirmed the data in time; otherwise the field is missing.
//
// Any web page may read the responses (CORS).
//
// # The page
//
// The page at / shows the categories with search, filters, a table, pictures and the details of each model. It is
// embedded, uses nothing but the mirror's own API, and is described in docs/mirror.md.
package mirror
