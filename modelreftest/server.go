package modelreftest

// This file has the Server: its start and end, its URLs, and its documents.

import (
	"context"
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/haidra-org/modelref"
)

// The parts of the Server are mounted below a prefix, so that a request without the path of the base URL is noticed.
const (
	primaryPrefix = "/fake/api"
	githubPrefix  = "/fake/github"
)

// settled is the time since the last change of the documents that a Server starts with.
const settled = time.Hour

// Server is a fake PRIMARY and a fake GitHub. Use [NewServer] or [Start] to create one. It is safe for concurrent use.
type Server struct {
	base      string
	http      *http.Server
	transport *transport
	done      chan struct{} // closed by Close
	served    chan struct{} // closed when the http.Server has returned

	mu          sync.Mutex
	closed      bool
	handlers    sync.WaitGroup
	documents   map[modelref.Category]string
	updated     map[modelref.Category]int64
	legacy      map[string]string
	pinned      map[string]bool // the legacy files that are not derived
	catalogs    catalogs
	licensed    *licensingCatalog // derived from the catalogs and the documents, or nil
	older       bool
	handled     map[string]http.Handler
	noMetadata  int
	plans       map[Endpoint]*plan
	planned     map[string]*Request // requests on their way from HTTPClient to the Server
	log         []*Request
	nextPlanned int
}

// NewServer starts a Server; t.Cleanup closes it. Invalid options fail the test at once.
func NewServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := Start(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server on a loopback address, or [InMemory], for programs and for tests that restart it. The caller must
// Close it. It returns an error if an option is invalid or if the Server cannot listen.
func Start(options ...Option) (*Server, error) {
	settings, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	listener, dial, err := listen(settings.inMemory)
	if err != nil {
		return nil, err
	}
	s := &Server{
		base:      "http://" + listener.Addr().String(),
		done:      make(chan struct{}),
		served:    make(chan struct{}),
		documents: settings.documents,
		catalogs:  settings.catalogs,
		older:     settings.older,
		handled:   map[string]http.Handler{},
		updated:   map[modelref.Category]int64{},
		legacy:    map[string]string{},
		pinned:    map[string]bool{},
		plans:     map[Endpoint]*plan{},
		planned:   map[string]*Request{},
	}
	s.fill(settings.legacy)
	s.transport = newTransport(s, dial)
	s.http = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	s.http.SetKeepAlivesEnabled(false) // net/http repeats a request by itself if a reused connection breaks
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always http.ErrServerClosed
	}()
	return s, nil
}

// fill derives the legacy files and sets the last-updated times of the documents that the Server starts with.
func (s *Server) fill(legacy map[string]string) {
	updated := time.Now().Add(-settled).Unix()
	for _, category := range modelref.Categories() {
		if _, ok := s.documents[category]; !ok {
			s.documents[category] = emptyDocument
		}
		s.updated[category] = updated
		if file := legacyFile(category); file != "" {
			s.legacy[file] = emptyLegacy(category)
			s.derive(category)
		}
	}
	for name, content := range legacy {
		s.legacy[name], s.pinned[name] = content, true
	}
}

// Close ends the Server and closes its connections, including those of requests without a response. It returns when no handler
// is running. It can be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if !again {
		close(s.done)
		_ = s.http.Close() // the Server ends in any case
	}
	<-s.served
	s.transport.CloseIdleConnections()
	s.handlers.Wait()
}

// begin records that a handler runs. It returns false if the Server is closed. Otherwise s.handlers.Done must be called later.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// pause waits for d and reports whether the time has passed. It returns early if the client disconnects or the Server is closed.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

// URL returns the base URL of the PRIMARY. It ends in /api.
func (s *Server) URL() string { return s.base + primaryPrefix }

// GitHubURL returns the base URL of the raw files: GitHubURL()/OWNER/NAME/refs/heads/BRANCH/FILE, for any owner, name
// and branch.
func (s *Server) GitHubURL() string { return s.base + githubPrefix }

// HTTPClient returns an HTTP client that connects only to the Server and, on loopback, to other Servers. Only this client has the
// faults of the network (Refused, DNSFailure, TLSFailure). An InMemory Server cannot be reached without it.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// Options returns the options for a Client that reads only from the Server: the URLs of PRIMARY and GitHub, and the HTTP client.
func (s *Server) Options() []modelref.Option {
	return []modelref.Option{
		modelref.WithPrimaryURL(s.URL()),
		modelref.WithGitHub(modelref.GitHubConfig{BaseURL: s.GitHubURL()}),
		modelref.WithHTTPClient(s.HTTPClient()),
	}
}

// SetDocument replaces the document of a category, byte for byte, sets its last-updated time to the current second, and derives
// the file at GitHub again, unless a test has set that file. If document is not a JSON object, the file at GitHub is not
// changed. SetDocument panics if the category is unknown.
func (s *Server) SetDocument(category modelref.Category, document string) {
	mustKnow(category)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents[category] = document
	s.licensed = nil
	s.updated[category] = time.Now().Unix()
	s.derive(category)
}

// derive makes the legacy file of a category from its document.
func (s *Server) derive(category modelref.Category) {
	file := legacyFile(category)
	if file == "" || s.pinned[file] {
		return
	}
	if content, err := toLegacy(category, s.documents[category]); err == nil {
		s.legacy[file] = content
	}
}

// SetLastUpdated sets only the last-updated time of a category, in seconds since 1970. It panics if the category is unknown.
func (s *Server) SetLastUpdated(category modelref.Category, unix int64) {
	mustKnow(category)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updated[category] = unix
}

// SetLegacyFile replaces a file of the fake GitHub, byte for byte. SetDocument no longer changes this file.
func (s *Server) SetLegacyFile(name, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.legacy[name], s.pinned[name] = content, true
}

// WithoutMetadata makes the metadata endpoints respond with a status: a replica responds with 503, an old deployment with 404. If
// status is 0, they work again.
func (s *Server) WithoutMetadata(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noMetadata = status
}

func mustKnow(category modelref.Category) {
	if !category.Known() {
		panic("modelreftest: no category " + string(category))
	}
}
