package modelreftest

// This file has the handlers that a test sets for endpoints.

import (
	"net/http"
	"strings"
)

// Handle makes the handler respond to GET requests for a path below the base URL of the PRIMARY, for example
// "model_references/v2/search". It replaces the response of the Server, if there is one. The path is compared with the
// decoded path of a request; the query is not compared. Faults of Break and Script come before the handler, except those that
// alter the normal response: the handler is not called then. A nil handler removes the handler.
func (s *Server) Handle(path string, handler http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path = "/" + strings.TrimPrefix(path, "/")
	if handler == nil {
		delete(s.handled, path)
		return
	}
	s.handled[path] = handler
}

// handle calls the handler that a test has set for the request, and reports whether there is one.
func (e *exchange) handle() bool {
	path, ok := below(e.request.URL.Path, primaryPrefix)
	if !ok || e.request.Method != http.MethodGet {
		return false
	}
	e.server.mu.Lock()
	handler := e.server.handled[path]
	e.server.mu.Unlock()
	if handler == nil {
		return false
	}
	w := &loggedWriter{ResponseWriter: e.writer, exchange: e}
	handler.ServeHTTP(w, e.request)
	if !w.started {
		w.WriteHeader(http.StatusOK)
	}
	return true
}

// loggedWriter notes in the log what a handler responds.
type loggedWriter struct {
	http.ResponseWriter

	exchange *exchange
	started  bool
}

func (w *loggedWriter) WriteHeader(status int) {
	w.started = true
	w.exchange.server.answered(w.exchange.entry, status, 0)
	w.ResponseWriter.WriteHeader(status)
}

func (w *loggedWriter) Write(data []byte) (int, error) {
	if !w.started {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(data)
	w.exchange.server.answered(w.exchange.entry, 0, n)
	return n, err
}

// Unwrap returns the writer for [http.ResponseController].
func (w *loggedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
