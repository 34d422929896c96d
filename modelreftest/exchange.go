package modelreftest

// This file responds to one request: the normal response, and the steps of which faults consist.

import (
	"net/http"
	"strconv"
	"time"
)

const (
	contentJSON = "application/json"
	contentText = "text/plain; charset=utf-8"
)

// answer is a complete response before it is sent.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newAnswer(status int, contentType, body string) *answer {
	a := &answer{status: status, header: http.Header{}, body: []byte(body)}
	a.header["Content-Type"] = nil // without an entry, net/http guesses the type
	if contentType != "" {
		a.header.Set("Content-Type", contentType)
	}
	return a
}

// statusAnswer returns the response of the service for a status other than 200.
func statusAnswer(status int, detail string) *answer {
	switch {
	case !hasBody(status):
		return newAnswer(status, "", "")
	case status == http.StatusInternalServerError:
		return newAnswer(status, contentText, "Internal Server Error")
	}
	return newAnswer(status, contentJSON, string(encode(map[string]string{"detail": detail})))
}

// hasBody reports whether a response with that status can have a body.
func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// exchange is one request and its response.
type exchange struct {
	server  *Server
	entry   *Request
	request *http.Request
	writer  http.ResponseWriter
}

// ServeHTTP responds as the PRIMARY and as GitHub, with the faults that the test has set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		panic(http.ErrAbortHandler)
	}
	defer s.handlers.Done()
	e := &exchange{server: s, entry: s.arrived(r), request: r, writer: w}
	fault := e.entry.fault
	switch {
	case fault.network != nil:
		e.reset()
	case fault.respond != nil:
		fault.respond(e)
	case fault.alter == nil && e.handle():
	default:
		a := e.normal()
		if fault.alter != nil {
			fault.alter(a)
		}
		e.send(a)
	}
}

// normal returns the response of a Server without faults.
func (e *exchange) normal() *answer {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.entry.Endpoint == GitHub {
		return s.fromGitHub(e.request, e.entry.Path)
	}
	return s.fromPrimary(e.request)
}

// send sends a complete response.
func (e *exchange) send(a *answer) {
	e.start(a, len(a.body))
	if len(a.body) > 0 {
		e.write(a.body)
	}
}

// start sends the header with the given Content-Length. If it is -1, the header has none.
func (e *exchange) start(a *answer, length int) {
	header := e.writer.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if length >= 0 && hasBody(a.status) {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	e.server.answered(e.entry, a.status, 0) // before the client can receive it
	e.writer.WriteHeader(a.status)
}

// write sends a part of the body at once.
func (e *exchange) write(part []byte) {
	e.server.answered(e.entry, 0, len(part))
	if _, err := e.writer.Write(part); err != nil {
		e.abort()
	}
	e.flush()
}

// flush sends buffered data.
func (e *exchange) flush() {
	if err := http.NewResponseController(e.writer).Flush(); err != nil {
		e.abort()
	}
}

// half sends the header of the normal response and half of its body.
func (e *exchange) half() {
	a := e.normal()
	e.start(a, len(a.body))
	e.write(a.body[:len(a.body)/2])
}

// pause waits. If the client disconnects or the Server is closed meanwhile, pause ends the exchange and does not return.
func (e *exchange) pause(d time.Duration) {
	if !e.server.pause(e.request.Context(), d) {
		e.abort()
	}
}

// abort closes the connection. It does not return.
func (e *exchange) abort() { panic(http.ErrAbortHandler) }

// reset resets the connection.
func (e *exchange) reset() {
	conn, _, err := http.NewResponseController(e.writer).Hijack()
	if err != nil {
		e.abort()
	}
	cutOff(conn)
}
