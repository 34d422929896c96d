// Connections: which one is used, when it is closed, and that a transport of the caller is not touched.

package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connections is a server that notes the connection of each request.
type connections struct {
	*httptest.Server
	mu     sync.Mutex
	remote []string
	status int
}

func newConnections(t *testing.T) *connections {
	t.Helper()
	c := &connections{status: 200}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remote = append(c.remote, r.RemoteAddr)
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

// distinct returns how many connections the requests came over.
func (c *connections) distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[string]bool{}
	for _, addr := range c.remote {
		seen[addr] = true
	}
	return len(seen)
}

func TestAConnectionIsKeptUntilAnOutage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ status, requests, connections int }{
		"200": {200, 3, 1},
		"404": {404, 3, 1},
		"503": {503, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newConnections(t)
			server.status = test.status
			h := New(Config{MaxAttempts: 1})
			t.Cleanup(h.Close)
			for range test.requests {
				_, _ = h.Do(t.Context(), Request{URL: server.URL}) // the server has what matters
			}
			assert.Equal(t, test.connections, server.distinct())
		})
	}
	t.Run("retries", func(t *testing.T) {
		t.Parallel()
		server := newConnections(t)
		server.status = 503
		h := New(Config{MaxAttempts: 3, BaseDelay: time.Microsecond})
		t.Cleanup(h.Close)
		_, err := h.Do(t.Context(), Request{URL: server.URL})
		require.Error(t, err)
		assert.Equal(t, 3, server.distinct(), "a retry may reach another backend")
	})
}

func TestANewConnectionIsNew(t *testing.T) {
	t.Parallel()
	server := newConnections(t)
	h := New(Config{MaxAttempts: 1})
	t.Cleanup(h.Close)
	for _, r := range []Request{{}, {NewConnection: true}, {}, {NewConnection: true}} {
		r.URL = server.URL
		_, err := h.Do(t.Context(), r)
		require.NoError(t, err)
	}
	assert.Equal(t, 3, server.distinct(), "two new ones beside the one that is kept")
}

func TestATransportOfTheCallerIsNotModified(t *testing.T) {
	t.Parallel()
	var closing []bool
	mine := &closingTransport{transport: func(r *http.Request) (*http.Response, error) {
		closing = append(closing, r.Close)
		return nil, errors.New("down")
	}}
	hc := &http.Client{Transport: mine, Timeout: time.Hour}
	h := New(Config{HTTPClient: hc, MaxAttempts: 2, BaseDelay: time.Microsecond, Timeout: time.Second})
	for _, r := range []Request{{URL: anURL}, {URL: anURL, NewConnection: true}} {
		_, err := h.Do(t.Context(), r)
		require.Error(t, err)
	}
	h.Close()
	assert.Equal(t, []bool{false, false, true, true}, closing)
	assert.Zero(t, mine.closed.Load())
	assert.Equal(t, &http.Client{Transport: mine, Timeout: time.Hour}, hc)
	assert.Equal(t, time.Second, h.base.Timeout)
	hc.Timeout = time.Millisecond
	assert.Equal(t, time.Millisecond, New(Config{HTTPClient: hc, Timeout: time.Second}).base.Timeout, "the shorter of the two")
}

// A deadableConn is a connection that can stop to deliver anything, as if the network were gone, without an error.
type deadableConn struct {
	net.Conn
	dead *atomic.Bool
	gone chan struct{}
	once sync.Once
}

func (c *deadableConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *deadableConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.dead.Load() {
		<-c.gone
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deadableConn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// A pipeListener accepts the connections that dial makes.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.conns) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestADeadHTTP2ConnectionIsNoticedByPing(t *testing.T) {
	t.Parallel()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.EnableHTTP2 = true
	certificate.StartTLS()
	defer certificate.Close()
	config := certificate.TLS.Clone()
	config.NextProtos = []string{"h2"}
	config.SessionTicketsDisabled = true // a ticket would be written before anybody reads it, and a pipe has no buffer
	synctest.Test(t, func(t *testing.T) {
		var protocols []string
		server := &http.Server{TLSConfig: config, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			protocols = append(protocols, r.Proto)
		})}
		listener := &pipeListener{conns: make(chan net.Conn)}
		go func() { _ = server.ServeTLS(listener, "", "") }() // ends with the listener
		h := New(Config{MaxAttempts: 2, BaseDelay: time.Millisecond, MaxDuration: 5 * time.Minute, Timeout: 2 * time.Minute})
		dials, first := 0, new(atomic.Bool)
		h.own.pooled.Proxy = nil
		h.own.pooled.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		h.own.pooled.DialContext = func(_ context.Context, _, _ string) (net.Conn, error) {
			a, b := net.Pipe()
			listener.conns <- b
			if dials++; dials == 1 {
				return &deadableConn{Conn: a, dead: first, gone: make(chan struct{})}, nil
			}
			return a, nil
		}
		_, err := h.Do(t.Context(), Request{URL: "https://models.example.org/"})
		require.NoError(t, err)
		first.Store(true)
		start := time.Now()
		_, err = h.Do(t.Context(), Request{URL: "https://models.example.org/"})
		require.NoError(t, err)
		assert.LessOrEqual(t, time.Since(start), pingInterval+pingTimeout+time.Second)
		assert.Equal(t, 2, dials)
		assert.Equal(t, []string{"HTTP/2.0", "HTTP/2.0"}, protocols)
		h.Close()
		require.NoError(t, server.Close())
	})
}
