// The Mirror, its options, and how a request is routed.

package mirror

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref"
)

// The parts of the mirror.
const (
	apiPrefix    = "/api"
	v2Prefix     = "/model_references/v2/"
	statsPrefix  = "/model_references/statistics/"
	apiEndpoints = "/model_references/"
)

// Limits of a request.
const (
	maxPathBytes  = 2 << 10
	maxQueryBytes = 8 << 10
)

// Default values of the options.
const (
	defaultMaxAge       = time.Minute
	defaultForwardTTL   = time.Minute
	defaultForwardBytes = 32 << 20
)

// An Option configures a [Mirror].
type Option func(*Mirror)

// WithMaxAge sets for how long a browser or a proxy may use a response before it sends another request. The default is one
// minute. A value that is negative is taken as 0.
func WithMaxAge(d time.Duration) Option {
	return func(m *Mirror) { m.maxAge = max(d, 0) }
}

// WithForwardTTL sets for how long the response to a forwarded request is served before another request is sent to the PRIMARY. The
// default is one minute. A value that is not positive is taken as the default.
func WithForwardTTL(d time.Duration) Option {
	return func(m *Mirror) {
		if d > 0 {
			m.forwardTTL = d
		}
	}
}

// WithForwardBytes limits the memory for the responses to forwarded requests. The default is 32 MiB. A value that is not
// positive is taken as the default.
func WithForwardBytes(n int64) Option {
	return func(m *Mirror) {
		if n > 0 {
			m.forwardBytes = n
		}
	}
}

// WithLogger sets the logger for requests that could not be served. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(m *Mirror) {
		if logger != nil {
			m.logger = logger
		}
	}
}

// WithoutPage makes the mirror serve the API only: / and the files of the page are not found.
func WithoutPage() Option {
	return func(m *Mirror) { m.page = nil }
}

// Mirror is an [http.Handler] that serves the read API and the page. It is safe for concurrent use. Make it with
// [Handler].
type Mirror struct {
	client       *modelref.Client
	maxAge       time.Duration
	forwardTTL   time.Duration
	forwardBytes int64
	logger       *slog.Logger
	page         *page

	sources   map[modelref.Category]source
	all       atomic.Pointer[combined]
	catalogs  map[modelref.Catalog]*catalogSource
	forwarder *forwarder
	constant  constantHeaders
}

// Handler returns a Mirror of the client. It does not touch the network, and it does not close the client. The client
// should have a cache directory, so that the mirror has data after a restart while the PRIMARY is down, and it should not
// have an API key: forwarded requests would carry it. A nil client and the zero Client are taken as a closed one.
func Handler(client *modelref.Client, options ...Option) *Mirror {
	if client == nil || client.CLIP == nil { // nil, or the zero Client
		client, _ = modelref.New() // the defaults are valid
		_ = client.Close()         // always returns nil
	}
	m := &Mirror{
		client: client, maxAge: defaultMaxAge, forwardTTL: defaultForwardTTL, forwardBytes: defaultForwardBytes,
		logger: slog.New(slog.DiscardHandler), page: newPage(), sources: map[modelref.Category]source{},
	}
	for _, option := range options {
		if option != nil {
			option(m)
		}
	}
	add(m, modelref.CategoryImageGeneration, &client.ImageGeneration.Service)
	add(m, modelref.CategoryTextGeneration, &client.TextGeneration.Service)
	add(m, modelref.CategoryControlNet, &client.ControlNet.Service)
	add(m, modelref.CategoryControlNetAnnotator, &client.ControlNetAnnotator.Service)
	add(m, modelref.CategoryCLIP, &client.CLIP.Service)
	add(m, modelref.CategoryBLIP, &client.BLIP.Service)
	add(m, modelref.CategoryESRGAN, &client.ESRGAN.Service)
	add(m, modelref.CategoryGFPGAN, &client.GFPGAN.Service)
	add(m, modelref.CategoryCodeFormer, &client.CodeFormer.Service)
	add(m, modelref.CategorySafetyChecker, &client.SafetyChecker.Service)
	add(m, modelref.CategoryVideoGeneration, &client.VideoGeneration.Service)
	add(m, modelref.CategoryAudioGeneration, &client.AudioGeneration.Service)
	add(m, modelref.CategoryMiscellaneous, &client.Miscellaneous.Service)
	add(m, modelref.CategoryLoRA, &client.LoRA.Service)
	add(m, modelref.CategoryTextualInversion, &client.TextualInversion.Service)
	m.catalogs = newCatalogSources(client)
	m.constant = newConstantHeaders(m.maxAge)
	m.forwarder = newForwarder(clientRequester{client}, m.forwardTTL, m.forwardBytes)
	return m
}

// add registers the category of a service. The service of a zero Client does not know its category.
func add[R modelref.Record](m *Mirror, category modelref.Category, service *modelref.Service[R]) {
	m.sources[category] = &typedSource[R]{service: service}
}

// ServeHTTP serves one request.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodOptions:
		m.preflight(w)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		m.detail(w, r, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	case len(r.URL.Path) > maxPathBytes || len(r.URL.RawQuery) > maxQueryBytes:
		m.detail(w, r, http.StatusRequestURITooLong, "The URL is too long")
		return
	}
	path, isAPI := strings.CutPrefix(r.URL.Path, apiPrefix)
	if !isAPI || path != "" && path[0] != '/' {
		m.serveSite(w, r)
		return
	}
	if len(r.Header["Origin"]) > 0 {
		w.Header()["Access-Control-Allow-Origin"] = m.constant.anyOrigin
		w.Header()["Access-Control-Expose-Headers"] = m.constant.exposed
	}
	if len(r.Header["Apikey"]) > 0 || len(r.Header["Authorization"]) > 0 {
		m.detail(w, r, http.StatusForbidden,
			"A mirror serves public data only. Send requests with an API key to the PRIMARY.")
		return
	}
	m.serveAPI(w, r, path)
}

// serveSite serves what is outside the API: the page, the status and the health check.
func (m *Mirror) serveSite(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Content-Type-Options"] = m.constant.noSniff
	switch r.URL.Path {
	case "/healthz":
		m.health(w, r)
	case "/status.json":
		m.status(w, r)
	default:
		if m.page == nil || !m.page.serve(w, r) {
			m.detail(w, r, http.StatusNotFound, "Not Found")
		}
	}
}

// serveAPI serves a path of the API, which starts after /api.
func (m *Mirror) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	switch path {
	case "", "/":
		m.json(w, r, http.StatusOK, map[string]string{
			"message": "This is a mirror of the Horde Model Reference API. It serves GET requests.",
		})
		return
	case "/heartbeat":
		m.heartbeat(w, r)
		return
	case "/replicate_mode":
		m.json(w, r, http.StatusOK, struct {
			ReplicateMode   string `json:"replicate_mode"`
			CanonicalFormat string `json:"canonical_format"`
			Writable        bool   `json:"writable"`
		}{"REPLICA", "v2", false})
		return
	}
	if rest, ok := strings.CutPrefix(path, v2Prefix); ok {
		m.serveV2(w, r, rest)
		return
	}
	if rest, ok := strings.CutPrefix(path, statsPrefix); ok && rest != "" && !strings.Contains(rest, "/") {
		m.serveStatistics(w, r, rest)
		return
	}
	m.forward(w, r)
}

// serveV2 serves a path below model_references/v2.
func (m *Mirror) serveV2(w http.ResponseWriter, r *http.Request, rest string) {
	first, after, nested := strings.Cut(rest, "/")
	switch {
	case !nested && first == "model_categories":
		m.modelCategories(w, r)
	case !nested && first == "search":
		m.searchAll(w, r)
	case first == "metadata":
		m.serveMetadata(w, r, after)
	case exports[rest] != nil:
		m.serveExport(w, r, exports[rest])
	case reserved[first]:
		m.forward(w, r)
	case !nested:
		m.serveCategory(w, r, first)
	case after == "search":
		m.searchCategory(w, r, first)
	case strings.HasPrefix(after, "model/") && len(after) > len("model/"):
		m.serveModel(w, r, first, strings.TrimPrefix(after, "model/"))
	case rest == "image_generation/baselines":
		w.Header().Set("Location", apiPrefix+v2Prefix+"image_generation/baselines/")
		m.write(w, r, http.StatusTemporaryRedirect, "", nil)
	default:
		m.forward(w, r)
	}
}

// reserved are the names below model_references/v2 that are not categories.
var reserved = map[string]bool{"info": true, "licensing": true, "me": true, "pending_queue": true}

// serveCategory serves the document of a category.
func (m *Mirror) serveCategory(w http.ResponseWriter, r *http.Request, name string) {
	src, ok := m.sources[modelref.Category(name)]
	if !ok {
		m.invalid(w, r, []validationError{unknownCategory(name)})
		return
	}
	st, err := src.load(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	m.respondDocument(w, r, st)
}

// serveModel serves the record of one model. The name may have slashes.
func (m *Mirror) serveModel(w http.ResponseWriter, r *http.Request, category, name string) {
	src, ok := m.sources[modelref.Category(category)]
	if !ok {
		m.invalid(w, r, []validationError{unknownCategory(category)})
		return
	}
	st, err := src.load(r.Context())
	if err != nil {
		m.unavailable(w, r, err)
		return
	}
	raw, ok := st.lookup(name)
	if !ok {
		m.detail(w, r, http.StatusNotFound, "Model '"+name+"' not found in category '"+category+"'")
		return
	}
	m.respondRecord(w, r, st, raw)
}

// modelCategories serves the list of the categories that the reference itself manages.
func (m *Mirror) modelCategories(w http.ResponseWriter, r *http.Request) {
	listed := []modelref.Category{}
	for _, category := range modelref.Categories() {
		if !category.ManagedElsewhere() {
			listed = append(listed, category)
		}
	}
	m.json(w, r, http.StatusOK, listed)
}
