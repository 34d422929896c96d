package modelreftest

// This file makes Clients that read from a Server, and detects tests that write to shared records.

import (
	"net/http"
	"sync"
	"testing"

	"github.com/haidra-org/modelref"
)

// Client returns a Client that reads from the Server, with the options added. t.Cleanup closes it.
//
// The test fails if it has written to a record of a reference that the Client returned. Records are shared and read-only; a
// test that changes a record must use a Clone. The references in the Client's memory are checked before every request, and so
// before a new document of the Server replaces an old one, and when the test ends. A reference that was replaced by a copy
// of a cache directory or a Store in between is not checked. If the options include [modelref.WithHTTPClient], the references are
// checked only when the test ends. WithHTTPClient, [modelref.WithPrimaryURL] and [modelref.WithGitHub] override the options of
// the Server.
func (s *Server) Client(t testing.TB, options ...modelref.Option) *modelref.Client {
	t.Helper()
	d := &detector{t: t, next: s.transport, reported: map[string]bool{}}
	all := append(s.Options(), modelref.WithHTTPClient(&http.Client{Transport: d}))
	client, err := modelref.New(append(all, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	d.watch(client)
	t.Cleanup(func() {
		d.check()
		_ = client.Close() // it always returns nil
	})
	return client
}

// detector checks before each request of a Client whether records were written to.
type detector struct {
	t    testing.TB
	next *transport

	mu       sync.Mutex
	client   *modelref.Client
	reported map[string]bool
}

func (d *detector) watch(client *modelref.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client = client
}

// check fails the test if a record was written to, once for each error.
func (d *detector) check() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return
	}
	if err := d.client.CheckUnmodified(); err != nil && !d.reported[err.Error()] {
		d.reported[err.Error()] = true
		d.t.Errorf("modelreftest: the test changed what it shares with others:\n%v", err)
	}
}

// RoundTrip checks and sends.
func (d *detector) RoundTrip(r *http.Request) (*http.Response, error) {
	d.check()
	return d.next.RoundTrip(r)
}

// CloseIdleConnections closes the connections that are not in use.
func (d *detector) CloseIdleConnections() { d.next.CloseIdleConnections() }
