package modelreftest

// This file decides which fault a request meets, and keeps the log of requests.

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref"
)

// Tier is a part of the Server that can be broken on its own.
type Tier uint8

// The tiers.
const (
	// Primary is everything below URL, Documents and Stamp included.
	Primary Tier = iota + 1
	// Documents is GET model_references/v2/CATEGORY alone.
	Documents
	// Stamp is GET model_references/v2/metadata/CATEGORY/last_updated alone.
	Stamp
	// GitHub is everything below GitHubURL.
	GitHub
)

// String returns the tier's name, as "documents".
func (t Tier) String() string {
	switch t {
	case Primary:
		return "primary"
	case Documents:
		return "documents"
	case Stamp:
		return "stamp"
	case GitHub:
		return "github"
	default:
		return "unknown"
	}
}

// Request is one request that came to the Server, or that met a fault of the network on its way there.
type Request struct {
	// Tier is Documents, Stamp, GitHub, or Primary for the rest.
	Tier Tier
	// Method is the HTTP method.
	Method string
	// Path is the path below the tier's base URL, with the slash it starts with, escaped as it was sent. Outside of
	// both base URLs it is the whole path.
	Path string
	// Query is the query string, without the question mark.
	Query string
	// Header is the header of the request.
	Header http.Header
	// Status is that of the answer, 0 where there is none (yet).
	Status int
	// BodyBytes is how much of the body of the answer was handed to the connection.
	BodyBytes int
	// At is when the request came.
	At time.Time
	// Fault names the fault that the request met, as "Status(503)", or is "".
	Fault string

	fault Fault
}

// plan is what is to happen to the requests of a tier.
type plan struct {
	script []Fault
	broken *Fault
}

// Break makes every request of the tier meet the fault, until Heal.
func (s *Server) Break(tier Tier, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan(tier).broken = &fault
}

// Script makes the next requests of the tier meet the faults, one each and in that order, after those of earlier calls;
// OK lets one pass. After them the tier is as it was: sound, or as Break says. A script of Documents or Stamp goes
// before one of Primary, whose steps are kept for the requests that meet no other; scripts go before Break, and there
// too the narrower tier goes first.
func (s *Server) Script(tier Tier, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plan(tier)
	p.script = append(p.script, faults...)
}

// Heal ends Break and drops what is left of a Script. Heal of Primary is also for Documents and Stamp. Requests that
// have met their fault already are not freed of it.
func (s *Server) Heal(tier Tier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.plans, tier)
	if tier == Primary {
		delete(s.plans, Documents)
		delete(s.plans, Stamp)
	}
}

func (s *Server) plan(tier Tier) *plan {
	p, ok := s.plans[tier]
	if !ok {
		p = &plan{}
		s.plans[tier] = p
	}
	return p
}

// nextFault takes the step of the script that a request of the tier meets.
func (s *Server) nextFault(tier Tier) Fault {
	tiers := []Tier{tier}
	if tier == Documents || tier == Stamp {
		tiers = append(tiers, Primary)
	}
	for _, t := range tiers {
		if p := s.plans[t]; p != nil && len(p.script) > 0 {
			fault := p.script[0]
			p.script = p.script[1:]
			return fault
		}
	}
	for _, t := range tiers {
		if p := s.plans[t]; p != nil && p.broken != nil {
			return *p.broken
		}
	}
	return OK()
}

// Requests returns what came, in the order in which it came. Requests that are under way are in it, with what has been
// answered so far.
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

// plannedHeader carries the number of a request from HTTPClient to the handler. It is in no log.
const plannedHeader = "Modelreftest-Request"

// record logs a request with the fault that it meets. s.mu is held.
func (s *Server) record(r *http.Request) *Request {
	tier, path := locate(r)
	entry := &Request{
		Tier: tier, Method: r.Method, Path: path, Query: r.URL.RawQuery, Header: r.Header.Clone(), At: time.Now(),
		fault: s.nextFault(tier),
	}
	if entry.fault.name != "" {
		entry.Fault = entry.fault.String()
	}
	s.log = append(s.log, entry)
	return entry
}

// announce logs a request before it is sent, and returns the number by which the handler knows it, also where the client
// has given up by then.
func (s *Server) announce(r *http.Request) (entry *Request, number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry = s.record(r)
	s.nextPlanned++
	number = strconv.Itoa(s.nextPlanned)
	s.planned[number] = entry
	return entry, number
}

// forget drops a request that will not come to the handler.
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
	entry.Header = r.Header.Clone() // as it came, with what the transport added
	return entry
}

// answered notes in the log what is being answered.
func (s *Server) answered(entry *Request, status, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry.Status == 0 {
		entry.Status = status
	}
	entry.BodyBytes += bytes
}

// locate returns the tier that a request is for, and the path below its base URL.
func locate(r *http.Request) (Tier, string) {
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
		return Stamp, path
	}
	return Primary, path
}

// below returns the rest of a path after a prefix of whole segments.
func below(path, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}
