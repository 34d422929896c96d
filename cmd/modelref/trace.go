// What is printed about requests: each one with --verbose, and what a slow one waits for.

package main

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// slowAfter is the time after which a request is said to be slow.
const slowAfter = 2 * time.Second

// tracedTransport prints requests on standard error.
type tracedTransport struct {
	app  *app
	next http.RoundTripper
	said *sync.Map // the hosts of slow requests that were mentioned
}

// trace returns the wrapper of the transport of a client.
func (a *app) trace(next http.RoundTripper) http.RoundTripper {
	return &tracedTransport{app: a, next: next, said: &a.slowHosts}
}

// RoundTrip sends the request.
func (t *tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	started := time.Now()
	slow := time.AfterFunc(slowAfter, func() {
		if _, said := t.said.LoadOrStore(r.URL.Host, true); !said && r.Context().Err() == nil {
			t.app.notef("waiting for %s", r.URL.Host)
		}
	})
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		slow.Stop()
		t.app.verbosef("%s %s: %v, %v", r.Method, r.URL.Redacted(), err, time.Since(started).Round(time.Millisecond))
		return resp, err
	}
	body := &tracedBody{ReadCloser: resp.Body}
	body.done = sync.OnceFunc(func() {
		slow.Stop()
		t.app.verbosef("%s %s: %s, %d bytes, %v", r.Method, r.URL.Redacted(), resp.Status, body.read.Load(),
			time.Since(started).Round(time.Millisecond))
	})
	resp.Body = body
	return resp, nil
}

// tracedBody is a body that calls done when it has ended.
type tracedBody struct {
	io.ReadCloser
	read atomic.Int64
	done func()
}

func (b *tracedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	if err != nil {
		b.done()
	}
	return n, err
}

func (b *tracedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
