package modelreftest

// This file selects the fault of each request, and keeps the log of requests.

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// Endpoint is a part of the Server that can have faults of its own.
type Endpoint uint8

// The endpoints.
const (
	// Primary is everything below URL, including Documents and LastUpdated.
	Primary Endpoint = iota + 1
	// Documents is GET model_references/v2/CATEGORY.
	Documents
	// LastUpdated is GET model_references/v2/metadata/CATEGORY/last_updated.
	LastUpdated
	// GitHub is everything below GitHubURL.
	GitHub
)

var endpointNames = []string{"unknown", "primary", "documents", "last_updated", "github"}

// String returns the name of the endpoint, such as "documents".
func (t Endpoint) String() string {
	if int(t) < len(endpointNames) {
		return endpointNames[t]
	}
	return endpointNames[0]
}

// MarshalText returns the result of String. It never fails.
func (t Endpoint) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText sets t to the endpoint with that name. It returns an error if there is none.
func (t *Endpoint) UnmarshalText(text []byte) error {
	i := slices.Index(endpointNames, string(text))
	if i < 0 {
		return fmt.Errorf("modelreftest: %q is not an endpoint: it must be one of %s", text, strings.Join(endpointNames, ", "))
	}
	*t = Endpoint(i) //nolint:gosec // there are fewer than 256 names
	return nil
}

// Request is a request that the Server received, or that failed because of a fault of the network.
type Request struct {
	// Endpoint is Documents, LastUpdated, GitHub, or Primary for any other path.
	Endpoint Endpoint
	// Method is the HTTP method.
	Method string
	// Path is the path below the base URL of the endpoint, with the leading slash, escaped as it was sent. If the request is
	// outside of both base URLs, Path is the whole path.
	Path string
	// Query is the query string, without the question mark.
	Query string
	// Header is the header of the request.
	Header http.Header
	// Status is the status of the response, or 0 if there is none yet.
	Status int
	// BodyBytes is the number of bytes of the response body that were written to the connection.
	BodyBytes int
	// At is the time of the request.
	At time.Time
	// Fault is the name of the request's fault, such as "Status(503)", or "".
	Fault string

	fault Fault
}

// plan has the faults of the next requests of an endpoint.
type plan struct {
	script []Fault
	broken *Fault
}

// Break gives every request of the endpoint the fault, until Heal is called.
func (s *Server) Break(endpoint Endpoint, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan(endpoint).broken = &fault
}

// Script gives the next requests of the endpoint one fault each, in the given order, after the faults of earlier calls. OK is
// a request without a fault. After the last fault the endpoint works again, or has the fault of Break. Scripts of the narrower
// endpoints Documents and LastUpdated take precedence over a script of Primary, and scripts over Break. If both endpoints are
// broken, the narrower one takes precedence.
func (s *Server) Script(endpoint Endpoint, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plan(endpoint)
	p.script = append(p.script, faults...)
}

// Heal ends the fault of Break and removes the rest of a Script. Heal of Primary includes Documents and LastUpdated. A request
// that already has its fault keeps the fault.
func (s *Server) Heal(endpoint Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.plans, endpoint)
	if endpoint == Primary {
		delete(s.plans, Documents)
		delete(s.plans, LastUpdated)
	}
}

func (s *Server) plan(endpoint Endpoint) *plan {
	p, ok := s.plans[endpoint]
	if !ok {
		p = &plan{}
		s.plans[endpoint] = p
	}
	return p
}

// nextFault removes the next step of the script of an endpoint and returns it.
func (s *Server) nextFault(endpoint Endpoint) Fault {
	endpoints := []Endpoint{endpoint}
	if endpoint == Documents || endpoint == LastUpdated {
		endpoints = append(endpoints, Primary)
	}
	for _, e := range endpoints {
		if p := s.plans[e]; p != nil && len(p.script) > 0 {
			fault := p.script[0]
			p.script = p.script[1:]
			return fault
		}
	}
	for _, e := range endpoints {
		if p := s.plans[e]; p != nil && p.broken != nil {
			return *p.broken
		}
	}
	return OK()
}

// Requests returns the requests in the order in which they were received. A request that has not ended is included, with the
// part of the response that was sent so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.log))
	for i, r := range s.log {
		out[i] = *r
		out[i].Header = r.Header.Clone()
	}
	return out
}

// ResetRequests empties the log.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// plannedHeader has the number of a request, from HTTPClient to the handler. It is not logged.
const plannedHeader = "Modelreftest-Request"

// record logs a request with its fault. s.mu is held.
func (s *Server) record(r *http.Request) *Request {
	endpoint, path := locate(r)
	entry := &Request{
		Endpoint: endpoint, Method: r.Method, Path: path, Query: r.URL.RawQuery, Header: r.Header.Clone(), At: time.Now(),
		fault: s.nextFault(endpoint),
	}
	if entry.fault.name != "" {
		entry.Fault = entry.fault.String()
	}
	s.log = append(s.log, entry)
	return entry
}

// announce logs a request before it is sent, and returns its number. The handler identifies the request by the number, also if
// the client has canceled the request by then.
func (s *Server) announce(r *http.Request) (entry *Request, number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry = s.record(r)
	s.nextPlanned++
	number = strconv.Itoa(s.nextPlanned)
	s.planned[number] = entry
	return entry, number
}

// forget removes a request that will not reach the handler.
func (s *Server) forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.planned, number)
}

// arrived returns the log entry of a request at the handler.
func (s *Server) arrived(r *http.Request) *Request {
	number := r.Header.Get(plannedHeader)
	r.Header.Del(plannedHeader)
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.planned[number]
	if !ok {
		return s.record(r)
	}
	delete(s.planned, number)
	entry.Header = r.Header.Clone() // as received, with the fields that the transport added
	return entry
}

// answered records the response in the log.
func (s *Server) answered(entry *Request, status, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry.Status == 0 {
		entry.Status = status
	}
	entry.BodyBytes += bytes
}

// locate returns the endpoint of a request, and the path below the base URL of the endpoint.
func locate(r *http.Request) (Endpoint, string) {
	full := r.URL.EscapedPath()
	if path, ok := below(full, githubPrefix); ok {
		return GitHub, path
	}
	path, ok := below(full, primaryPrefix)
	if !ok {
		return Primary, full
	}
	if r.Method != http.MethodGet {
		return Primary, path
	}
	segments := strings.Split(strings.TrimPrefix(path, "/model_references/v2/"), "/")
	switch {
	case !strings.HasPrefix(path, "/model_references/v2/"):
	case len(segments) == 1 && modelref.Category(segments[0]).Known():
		return Documents, path
	case len(segments) == 3 && segments[0] == "metadata" && segments[2] == "last_updated":
		return LastUpdated, path
	}
	return Primary, path
}

// below returns the rest of a path after a prefix of whole segments.
func below(path, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}
