package modelreftest

// This file has the Server: its start and end, where it is reached, and what it serves.

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

// The parts of the Server are mounted below a prefix, so that a request to a path that leaves out the base URL's own
// shows.
const (
	primaryPrefix = "/fake/api"
	githubPrefix  = "/fake/github"
)

// settled is how long ago the documents that a Server starts with have changed.
const settled = time.Hour

// Server is a fake PRIMARY and a fake GitHub. Make it with NewServer or Start. It is safe for concurrent use.
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
	stamps      map[modelref.Category]int64
	legacy      map[string]string
	pinned      map[string]bool // the legacy files that are not derived
	noMetadata  int
	plans       map[Tier]*plan
	planned     map[string]*Request // requests on their way from HTTPClient to the Server
	log         []*Request
	nextPlanned int
}

// NewServer starts a Server; t.Cleanup closes it. Options that are wrong fail the test at once.
func NewServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := Start(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server on a loopback address, or InMemory, for programs and for tests that restart it. The caller must
// Close it. The error says which options are wrong, or why there is no listening.
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
		stamps:    map[modelref.Category]int64{},
		legacy:    map[string]string{},
		pinned:    map[string]bool{},
		plans:     map[Tier]*plan{},
		planned:   map[string]*Request{},
	}
	s.fill(settings.legacy)
	s.transport = newTransport(s, dial)
	s.http = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	s.http.SetKeepAlivesEnabled(false) // net/http repeats a request by itself where a used connection breaks
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always http.ErrServerClosed
	}()
	return s, nil
}

// fill derives the legacy files and sets the stamps of the documents that the Server starts with.
func (s *Server) fill(legacy map[string]string) {
	stamp := time.Now().Add(-settled).Unix()
	for _, category := range modelref.Categories() {
		if _, ok := s.documents[category]; !ok {
			s.documents[category] = emptyDocument
		}
		s.stamps[category] = stamp
		if file := legacyFile(category); file != "" {
			s.legacy[file] = emptyLegacy(category)
			s.derive(category)
		}
	}
	for name, content := range legacy {
		s.legacy[name], s.pinned[name] = content, true
	}
}

// Close ends the Server: connections are closed, and requests that it holds back are answered with that. It returns
// when no handler runs any more, and may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if !again {
		close(s.done)
		_ = s.http.Close() // there is nobody to tell
	}
	<-s.served
	s.transport.CloseIdleConnections()
	s.handlers.Wait()
}

// begin notes that a handler runs, unless the Server is closed. After a true, s.handlers.Done must follow.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// pause waits, and reports whether it was for that long: a client that goes away and Close end it.
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

// URL returns the base URL of the PRIMARY, which ends in /api.
func (s *Server) URL() string { return s.base + primaryPrefix }

// GitHubURL returns the base URL of the raw files: GitHubURL()/OWNER/NAME/refs/heads/BRANCH/FILE, for any owner, name
// and branch.
func (s *Server) GitHubURL() string { return s.base + githubPrefix }

// HTTPClient returns an HTTP client that reaches the Server and, on loopback, others of its kind, and nothing else. The
// faults of the network (Refused, DNSFailure, TLSFailure) happen to it alone. An InMemory Server cannot be reached
// without it.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// Options returns the options that make a Client read from the Server alone: the URLs of PRIMARY and GitHub, and the
// HTTP client.
func (s *Server) Options() []modelref.Option {
	return []modelref.Option{
		modelref.WithPrimaryURL(s.URL()),
		modelref.WithGitHub(modelref.GitHubConfig{BaseURL: s.GitHubURL()}),
		modelref.WithHTTPClient(s.HTTPClient()),
	}
}

// SetDocument replaces the document of a category, byte for byte, moves its change stamp to the present second of the
// Server, and derives the file at GitHub anew, unless a test has set that. From a document that is not a JSON object no
// file can be derived: GitHub keeps the one it has. A category that does not exist panics.
func (s *Server) SetDocument(category modelref.Category, document string) {
	mustKnow(category)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents[category] = document
	s.stamps[category] = time.Now().Unix()
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

// SetLastUpdated sets the change stamp of a category, in seconds since 1970, and nothing else. A category that does not
// exist panics.
func (s *Server) SetLastUpdated(category modelref.Category, unix int64) {
	mustKnow(category)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamps[category] = unix
}

// SetLegacyFile replaces a file of the fake GitHub, byte for byte. SetDocument leaves it alone from then on.
func (s *Server) SetLegacyFile(name, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.legacy[name], s.pinned[name] = content, true
}

// WithoutMetadata makes the metadata endpoints answer with a status, as a replica does with 503 and an old deployment
// with 404. 0 switches them on again.
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
