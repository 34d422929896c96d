package modelreftest

// This file makes Clients that read from a Server, and finds out tests that write to shared records.

import (
	"net/http"
	"sync"
	"testing"

	"github.com/haidra-org/modelref"
)

// Client returns a Client that reads from the Server, with the options added. t.Cleanup closes it.
//
// The test fails where it wrote to a record of a reference that the Client handed out: records are shared and
// read-only, a test that wants to change one takes a Clone. The references that the Client holds are looked through
// before every request, and so before a new document from the Server takes the place of an old one, and when the test
// ends; one that a cache directory or a Store replaced in between is not seen. With a modelref.WithHTTPClient among the
// options they are looked through when the test ends alone; with one, or with a modelref.WithPrimaryURL or
// modelref.WithGitHub, the Client is wired as these say.
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

// detector looks for records that were written to, before each request of a Client.
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

// check fails the test where a record was written to, once for each finding.
func (d *detector) check() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return
	}
	if err := d.client.VerifyRecords(); err != nil && !d.reported[err.Error()] {
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
