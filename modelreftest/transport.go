package modelreftest

// This file has the transport from HTTPClient to the Server, which causes the faults of the network.

import (
	"net/http"
	"strings"
)

// transport sends requests to the Server. A request with a fault of the network fails before it is sent.
type transport struct {
	server *Server
	next   *http.Transport
}

func newTransport(s *Server, dial dialFunc) *transport {
	return &transport{server: s, next: &http.Transport{DialContext: dial}}
}

// RoundTrip sends a request. It logs the request before it is sent, so that the order of the log does not depend on the network.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.EqualFold("http://"+r.URL.Host, t.server.base) {
		return t.next.RoundTrip(r)
	}
	entry, number := t.server.announce(r)
	if network := entry.fault.network; network != nil {
		t.server.forget(number)
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper must close it, and cannot report the error
		}
		return nil, network(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set(plannedHeader, number)
	return t.next.RoundTrip(r)
}

// CloseIdleConnections closes the connections that are not in use.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }
