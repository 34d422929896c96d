// How responses are written: header fields, conditional requests, compression, and the errors of the service.

package mirror

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

const contentJSON = "application/json"

// minCompressed is the size from which a body is compressed if the client accepts it.
const minCompressed = 4 << 10

// constantHeaders are header values that every response shares. They are never modified.
type constantHeaders struct {
	noSniff, anyOrigin, exposed, contentJSON, cacheControl, noStore, vary, gzip, stale []string
	origins                                                                            map[modelref.Source][]string
}

func newConstantHeaders(maxAge time.Duration) constantHeaders {
	h := constantHeaders{
		noSniff:     []string{"nosniff"},
		anyOrigin:   []string{"*"},
		exposed:     []string{"Age, ETag, Retry-After, X-Modelref-Origin, X-Modelref-Stale"},
		contentJSON: []string{contentJSON},
		cacheControl: []string{"public, max-age=" + strconv.Itoa(int(maxAge/time.Second)) +
			", stale-while-revalidate=60, stale-if-error=86400"},
		noStore: []string{"no-store"},
		vary:    []string{"Accept-Encoding, Origin"},
		gzip:    []string{"gzip"},
		stale:   []string{"true"},
		origins: map[modelref.Source][]string{},
	}
	for origin := modelref.SourceNone; origin <= modelref.SourceBootstrap; origin++ {
		h.origins[origin] = []string{origin.String()}
	}
	return h
}

// preflight answers the question of a browser whether a page of another origin may send a request.
func (m *Mirror) preflight(w http.ResponseWriter) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = m.constant.anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Accept, If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Allow", "GET, HEAD, OPTIONS")
	w.WriteHeader(http.StatusNoContent)
}

// describe writes the header fields about the data that a response was made from.
func (m *Mirror) describe(h http.Header, st *state) {
	h["Cache-Control"] = m.constant.cacheControl
	h["Vary"] = m.constant.vary
	h["X-Modelref-Origin"] = m.constant.origins[st.origin]
	if st.stale {
		h["X-Modelref-Stale"] = m.constant.stale
	}
	if !st.confirmedAt.IsZero() {
		h["Age"] = []string{seconds(time.Since(st.confirmedAt))}
	}
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(max(d, 0)/time.Second), 10) }

// respondDocument writes the document of a category, or 304 if the client has it.
func (m *Mirror) respondDocument(w http.ResponseWriter, r *http.Request, st *state) {
	h := w.Header()
	m.describe(h, st)
	if matches(r.Header["If-None-Match"], st.etag) {
		notModified(w, st.quoted)
		return
	}
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		h["Etag"] = st.quotedGzip
		h["Content-Encoding"] = m.constant.gzip
		m.body(w, r, st.compressed())
		return
	}
	h["Etag"] = st.quoted
	m.body(w, r, st.plain())
}

// respondRecord writes the JSON of one record. Its validator is that of the document: the record changes only with it.
func (m *Mirror) respondRecord(w http.ResponseWriter, r *http.Request, st *state, raw string) {
	m.respond(w, r, st, []byte(raw), st.quoted, st.quotedGzip)
}

// respondDerived writes a body that depends on nothing but the URL, the documents and the version of this package, or 304 if
// the client has it.
func (m *Mirror) respondDerived(w http.ResponseWriter, r *http.Request, st *state, body func() []byte) {
	if matches(r.Header["If-None-Match"], st.etag+derivedSuffix) {
		m.describe(w.Header(), st)
		notModified(w, st.derived)
		return
	}
	m.respond(w, r, st, body(), st.derived, st.derivedGzip)
}

// derivedSuffix is the end of the validator of a derived body.
const derivedSuffix = "-" + modelref.Version

// respond writes a body with its validators, or 304 if the client has it.
func (m *Mirror) respond(w http.ResponseWriter, r *http.Request, st *state, body []byte, tag, gzipTag []string) {
	h := w.Header()
	m.describe(h, st)
	if matches(r.Header["If-None-Match"], tag[0][1:len(tag[0])-1]) {
		notModified(w, tag)
		return
	}
	if len(body) >= minCompressed && acceptsGzip(r.Header["Accept-Encoding"]) {
		h["Etag"] = gzipTag
		h["Content-Encoding"] = m.constant.gzip
		m.body(w, r, gzipped(body, gzip.BestSpeed))
		return
	}
	h["Etag"] = tag
	m.body(w, r, body)
}

// conditional writes a body with a strong validator, or 304 if the client has it.
func (m *Mirror) conditional(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	etag := strongTag(body)
	tag := etag[1 : len(etag)-1]
	if matches(r.Header["If-None-Match"], tag) {
		notModified(w, []string{etag})
		return
	}
	if len(body) >= minCompressed && acceptsGzip(r.Header["Accept-Encoding"]) {
		h["Etag"] = []string{`"` + tag + gzipSuffix + `"`}
		h["Content-Encoding"] = m.constant.gzip
		m.body(w, r, gzipped(body, gzip.BestSpeed))
		return
	}
	h["Etag"] = []string{etag}
	m.body(w, r, body)
}

// notModified writes 304. The client has the body and the fields that describe it.
func notModified(w http.ResponseWriter, etag []string) {
	h := w.Header()
	h["Etag"] = etag
	delete(h, "Content-Type")
	delete(h, "X-Content-Type-Options")
	w.WriteHeader(http.StatusNotModified)
}

// body writes a body of JSON with the status 200.
func (m *Mirror) body(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h["Content-Type"] = m.constant.contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if r.Method == http.MethodHead {
		return
	}
	send(w, body)
}

// send writes a body. A client that has gone away is not an error of the mirror.
func send(w http.ResponseWriter, body []byte) {
	_, _ = w.Write(body) //nolint:gosec,nolintlint // the responses are JSON or text, which no browser runs
}

// write writes a body with a status. It is not cached.
func (m *Mirror) write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h["Cache-Control"] = m.constant.noStore
	if contentType != "" {
		h["Content-Type"] = []string{contentType}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		send(w, body)
	}
}

// json writes a value. A response of 200 has a validator.
func (m *Mirror) json(w http.ResponseWriter, r *http.Request, status int, value any) {
	if status != http.StatusOK {
		m.write(w, r, status, contentJSON, encode(value))
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header()["Vary"] = m.constant.vary
	m.conditional(w, r, encode(value))
}

// detail writes an error in the form of the service.
func (m *Mirror) detail(w http.ResponseWriter, r *http.Request, status int, detail string) {
	m.json(w, r, status, struct {
		Detail string `json:"detail"`
	}{detail})
}

// invalid writes what is refused of a request.
func (m *Mirror) invalid(w http.ResponseWriter, r *http.Request, errs []validationError) {
	m.json(w, r, http.StatusUnprocessableEntity, struct {
		Detail []validationError `json:"detail"`
	}{errs})
}

// unavailable writes the error of a category that no source could provide.
func (m *Mirror) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the client has gone away
	}
	m.logger.WarnContext(r.Context(), "request not served", "path", r.URL.Path, "err", err)
	w.Header().Set("Retry-After", "30")
	m.detail(w, r, http.StatusServiceUnavailable, "The mirror has no copy of the data and its sources are unavailable")
}

// strongTag returns the validator of a body as a header value.
func strongTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// gzipSuffix is the end of the validator of a compressed body.
const gzipSuffix = "-gzip"

// matches reports whether one of the validators of If-None-Match is that of the body, compressed or not.
func matches(header []string, tag string) bool {
	for _, value := range header {
		for candidate := range strings.SplitSeq(value, ",") {
			candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
			if candidate == "*" {
				return true
			}
			candidate, ok := strings.CutPrefix(candidate, `"`)
			if !ok {
				continue
			}
			candidate, ok = strings.CutSuffix(candidate, `"`)
			if ok && strings.TrimSuffix(candidate, gzipSuffix) == tag {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reports whether the client accepts a body compressed with gzip.
func acceptsGzip(header []string) bool {
	for _, value := range header {
		for coding := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				return !refusedQuality(parameters)
			}
		}
	}
	return false
}

// refusedQuality reports whether the parameters of a coding say that it is not acceptable (q=0).
func refusedQuality(parameters string) bool {
	name, value, ok := strings.Cut(strings.TrimSpace(parameters), "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return false
	}
	quality, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return err == nil && quality == 0
}
