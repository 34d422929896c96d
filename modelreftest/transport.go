package modelreftest

// This file has the way from HTTPClient to the Server, on which the faults of the network happen.

import (
	"net/http"
	"strings"
)

// transport sends requests to the Server, and makes those fail that are to fail before they come there.
type transport struct {
	server *Server
	next   *http.Transport
}

func newTransport(s *Server, dial dialFunc) *transport {
	return &transport{server: s, next: &http.Transport{DialContext: dial}}
}

// RoundTrip sends a request. It notes in the log that it does before it is sent, so that the log has the requests in
// their order whatever the network does.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.EqualFold("http://"+r.URL.Host, t.server.base) {
		return t.next.RoundTrip(r)
	}
	entry, number := t.server.announce(r)
	if network := entry.fault.network; network != nil {
		t.server.forget(number)
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper must, and there is nobody to tell
		}
		return nil, network(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set(plannedHeader, number)
	return t.next.RoundTrip(r)
}

// CloseIdleConnections closes the connections that are not in use.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }
