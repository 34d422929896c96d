// Forwarded requests: what the mirror cannot answer from memory goes to the PRIMARY, through a cache that is small, keeps
// the last good response, and sends one request for all clients that wait for the same response.

package mirror

import (
	"compress/gzip"
	"container/list"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/haidra-org/modelref"
)

const (
	// maxForwards is how many requests are sent to the PRIMARY at the same time.
	maxForwards = 8
	// forwardRetry is how long a response that could not be renewed is served before the next attempt.
	forwardRetry = 15 * time.Second
	// forwardTimeout limits one request with its retries, and the time that it waits for its turn.
	forwardTimeout = 30 * time.Second
	// entryOverhead is what an entry of the cache takes beside its key and its bodies, in bytes.
	entryOverhead = 512
)

// answer is a response of the PRIMARY.
type answer struct {
	status      int
	contentType string
	etag        string
	body        []byte
}

// requester sends a request to the PRIMARY. The path is escaped and starts after the base URL. A status that is not 2xx
// is an answer; an error means that there is no answer.
type requester interface {
	request(ctx context.Context, path string, query url.Values) (*answer, error)
	// down reports whether the PRIMARY is known to be unavailable.
	down() bool
}

// forwardable reports whether a path of the API may be forwarded: GET requests below model_references that need no key.
func forwardable(escaped string) bool {
	rest, ok := strings.CutPrefix(escaped, apiEndpoints)
	if !ok || rest == "" || strings.ContainsAny(rest, "\\;") || strings.Contains(escaped, "//") {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil || strings.ContainsAny(name, "\\\x00\r\n") {
			return false
		}
		for part := range strings.SplitSeq(name, "/") {
			if part == "." || part == ".." {
				return false
			}
		}
	}
	return true
}

// needsKey reports whether the service wants an API key for the path.
func needsKey(escaped string) bool {
	segments := strings.Split(escaped, "/")
	last := segments[len(segments)-1]
	// /model_references/VERSION/NAME/…
	return len(segments) > 3 && (segments[3] == "me" || segments[3] == "pending_queue") ||
		len(segments) == 5 && last == "pending"
}

// forward serves the request from the cache of forwarded requests, or sends it to the PRIMARY.
func (m *Mirror) forward(w http.ResponseWriter, r *http.Request) {
	m.forwardOr(w, r, func(err error) {
		m.logger.WarnContext(r.Context(), "request not forwarded", "path", r.URL.Path, "err", err)
		w.Header().Set("Retry-After", "30")
		m.detail(w, r, http.StatusServiceUnavailable, "The mirror has no copy of this response and the PRIMARY is unavailable")
	})
}

// forwardOr forwards the request and calls fail if there is no response.
func (m *Mirror) forwardOr(w http.ResponseWriter, r *http.Request, fail func(error)) {
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), apiPrefix)
	switch {
	case !forwardable(escaped):
		m.detail(w, r, http.StatusNotFound, "Not Found")
		return
	case needsKey(escaped):
		m.detail(w, r, http.StatusForbidden, "Not authenticated")
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		m.detail(w, r, http.StatusBadRequest, "The query is not valid")
		return
	}
	res, err := m.forwarder.get(r.Context(), escaped, query)
	if r.Context().Err() != nil {
		return // the client has gone away
	}
	if err != nil {
		fail(err)
		return
	}
	m.respondForwarded(w, r, res, modelref.SourcePrimary)
}

// respondForwarded writes a response of the PRIMARY, or a copy of it that was read from origin.
func (m *Mirror) respondForwarded(w http.ResponseWriter, r *http.Request, res *forwarded, origin modelref.Source) {
	h := w.Header()
	h["Vary"] = m.constant.vary
	h["X-Modelref-Origin"] = m.constant.origins[origin]
	if res.stale {
		h["X-Modelref-Stale"] = m.constant.stale
	}
	if !res.at.IsZero() {
		h["Age"] = []string{seconds(time.Since(res.at))}
	}
	h["Cache-Control"] = m.constant.cacheControl
	h["Content-Type"] = []string{safeType(res.contentType)}
	h["X-Content-Type-Options"] = m.constant.noSniff
	if res.status == http.StatusOK {
		etag := res.tag()
		h["Etag"] = []string{etag}
		if matches(r.Header["If-None-Match"], strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)) {
			notModified(w, h["Etag"])
			return
		}
	}
	body := res.body
	if len(body) >= minCompressed && acceptsGzip(r.Header["Accept-Encoding"]) {
		h["Content-Encoding"] = m.constant.gzip
		body = res.compressed()
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(res.status)
	if r.Method != http.MethodHead {
		send(w, body)
	}
}

// safeType returns the type that a response is served with. The PRIMARY could send a page with scripts, which would run with
// the rights of the mirror's own page.
func safeType(contentType string) string {
	if media, _, err := mime.ParseMediaType(contentType); err == nil && media == contentJSON {
		return contentJSON
	}
	return "text/plain; charset=utf-8"
}

// forwarded is a cached response of the PRIMARY.
type forwarded struct {
	*answer
	at         time.Time // when the PRIMARY sent it
	stale      bool      // the response could not be renewed in time
	tag        func() string
	compressed func() []byte
}

// forwarder caches responses of the PRIMARY.
type forwarder struct {
	requester requester
	ttl       time.Duration
	maxBytes  int64
	slots     chan struct{} // has one element for each request that is under way

	mu      sync.Mutex
	bytes   int64
	entries map[string]*list.Element // of *forwardEntry
	recent  *list.List               // the entry used last comes first
}

// forwardEntry is a response in the cache and the request that will renew it.
type forwardEntry struct {
	key    string
	size   int64
	good   *forwarded // the last response, nil if there has been none
	retry  time.Time  // the response is not renewed before
	err    error      // why there is no response, until retry
	flight *flight    // the request under way, nil if there is none
}

// flight is one request that any number of clients wait for.
type flight struct {
	done chan struct{}
	res  *forwarded
	err  error
}

func newForwarder(r requester, ttl time.Duration, maxBytes int64) *forwarder {
	return &forwarder{
		requester: r, ttl: ttl, maxBytes: maxBytes, slots: make(chan struct{}, maxForwards),
		entries: map[string]*list.Element{}, recent: list.New(),
	}
}

// get returns the response for the path and the query. The context ends only the wait of this caller.
func (f *forwarder) get(ctx context.Context, path string, query url.Values) (*forwarded, error) {
	key := path + "?" + query.Encode()
	f.mu.Lock()
	e := f.entry(key)
	now := time.Now()
	if now.Before(e.retry) {
		defer f.mu.Unlock()
		return e.good, e.err
	}
	if e.flight == nil {
		e.flight = &flight{done: make(chan struct{})}
		go f.renew(context.WithoutCancel(ctx), e, path, query)
	}
	waiting := e.flight
	f.mu.Unlock()
	select {
	case <-waiting.done:
		return waiting.res, waiting.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// entry returns the entry of the key, which becomes the one used last. f.mu is held.
func (f *forwarder) entry(key string) *forwardEntry {
	if found, ok := f.entries[key]; ok {
		f.recent.MoveToFront(found)
		return found.Value.(*forwardEntry)
	}
	e := &forwardEntry{key: key}
	f.entries[key] = f.recent.PushFront(e)
	f.resize(e, int64(len(key))+entryOverhead)
	return e
}

// resize sets the size of an entry and removes the entries that were not used for the longest time. f.mu is held.
func (f *forwarder) resize(e *forwardEntry, size int64) {
	if _, ok := f.entries[e.key]; !ok {
		return // it was removed while its request was under way
	}
	f.bytes += size - e.size
	e.size = size
	for at := f.recent.Back(); at != nil && f.bytes > f.maxBytes; {
		oldest := at.Value.(*forwardEntry)
		at = at.Prev()
		if oldest.flight != nil {
			continue // clients wait for it
		}
		f.bytes -= oldest.size
		f.recent.Remove(f.entries[oldest.key])
		delete(f.entries, oldest.key)
	}
}

// renew sends the request of an entry and publishes the result.
func (f *forwarder) renew(ctx context.Context, e *forwardEntry, path string, query url.Values) {
	ctx, cancel := context.WithTimeout(ctx, forwardTimeout)
	defer cancel()
	res, err := f.send(ctx, path, query)
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	size := e.size
	if err == nil {
		e.good, e.err, e.retry = newForwarded(res, now), nil, now.Add(f.ttl)
		size = int64(len(e.key)+2*len(res.body)) + entryOverhead
	} else {
		e.fail(err, now.Add(min(f.ttl, forwardRetry)))
	}
	f.finish(e)
	f.resize(e, size)
}

// fail notes that the response could not be renewed. The last good one is served as stale until retry.
func (e *forwardEntry) fail(err error, retry time.Time) {
	e.retry = retry
	if e.good == nil {
		e.err = err
		return
	}
	stale := *e.good
	stale.stale = true
	e.good = &stale
}

// finish publishes the state of the entry to the clients that wait. f.mu is held.
func (f *forwarder) finish(e *forwardEntry) {
	e.flight.res, e.flight.err = e.good, e.err
	close(e.flight.done)
	e.flight = nil
}

// errDown is the error of a request that is not sent because the PRIMARY is known to be unavailable.
var errDown = errors.New("the PRIMARY is unavailable")

// send sends a request when it is its turn. An outage is an error, also if it has a status.
func (f *forwarder) send(ctx context.Context, path string, query url.Values) (*answer, error) {
	if f.requester.down() {
		return nil, errDown
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return f.requester.request(ctx, path, query)
}

func newForwarded(res *answer, at time.Time) *forwarded {
	return &forwarded{
		answer: res, at: at,
		tag: sync.OnceValue(func() string {
			if res.etag != "" {
				return res.etag
			}
			return strongTag(res.body)
		}),
		compressed: sync.OnceValue(func() []byte { return gzipped(res.body, gzip.DefaultCompression) }),
	}
}

// statusOutage reports whether a status means that the service is unavailable, rather than that it refuses the request.
// The service answers 500 to some requests that it cannot serve, and 503 to a request for metadata of a format that it does
// not have: with a JSON body that is an answer.
func statusOutage(path string, res *answer) bool {
	isJSON := res.contentType == contentJSON && len(res.body) > 0 && res.body[0] == '{'
	switch res.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusInternalServerError:
		return !isJSON
	case http.StatusServiceUnavailable:
		return !isJSON || !strings.Contains(path, "/metadata/")
	default:
		return res.status > http.StatusInternalServerError
	}
}
