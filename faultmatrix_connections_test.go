// This file has the rows of the fault matrix that need their own connections: a dead connection, a connection to a
// backend that fails, a PRIMARY that was stopped, and a store that hangs.

package modelref_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// A connectionFault is a fault that depends on the connection or on the store.
type connectionFault struct {
	name  string
	http2 bool
	// deadConns makes the connections that were open at the start of the fault discard everything.
	deadConns bool
	// status is the response to every request over a connection that was open at the start of the fault.
	status int
	// stopped makes the backend accept connections and requests but not respond.
	stopped bool
	// store makes every operation of the store wait until its context ends.
	store bool
	// recovers is the longest time until a read returns the document of the PRIMARY although the fault lasts. If it is
	// 0, no read does.
	recovers time.Duration
}

var connectionFaults = []connectionFault{
	{name: "dead HTTP/2 connection", http2: true, deadConns: true, recovers: matrixBudget},
	{name: "dead kept-alive connection", deadConns: true, recovers: matrixBudget},
	{name: "failing kept-alive backend", status: http.StatusServiceUnavailable, recovers: matrixBudget},
	{name: "failing backend of an HTTP/2 connection", http2: true, status: http.StatusServiceUnavailable, recovers: matrixBudget},
	{name: "stopped PRIMARY", stopped: true},
	{name: "hanging store", store: true, recovers: matrixBudget},
}

// TestFaultMatrixOfConnections compares the time of the reads of each row with their limits. It does not run in
// parallel, because the transport of the Client has the settings of http.DefaultTransport.
func TestFaultMatrixOfConnections(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.EnableHTTP2 = true
	certificate.StartTLS()
	defer certificate.Close()
	states := append(slices.Clone(matrixStates[2:]), matrixState{name: "restarted", loaded: true, ago: minute, again: true})
	for _, f := range connectionFaults {
		for _, s := range states { // the copy is stale in all of them
			for _, wait := range []time.Duration{time.Second, matrixBudget} {
				t.Run(fmt.Sprintf("%s/%s/RefreshWait %s", f.name, s.name, wait), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { testConnectionFault(t, certificate.TLS, &f, &s, wait) })
				})
			}
		}
	}
}

func testConnectionFault(t *testing.T, config *tls.Config, f *connectionFault, s *matrixState, wait time.Duration) {
	network := newFaultNetwork(t, config, f)
	store := &hangingStore{shared: newShared()}
	newClient := func() *modelref.Client {
		client, err := modelref.New(modelref.WithPrimaryURL(network.url()), modelref.WithoutGitHub(), modelref.WithStore(store),
			modelref.WithRefreshWait(wait))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		return client
	}
	client := newClient()
	load(t, client)
	if s.again {
		require.NoError(t, client.Close())
		client = newClient()
		_, err := client.CLIP.Load(t.Context()) // opens the connection
		require.NoError(t, err)
	}
	time.Sleep(s.ago)
	if !s.same {
		network.primary.SetDocument(modelref.CategoryImageGeneration, threeModels)
	}
	network.broken.Store(true)
	store.hangs.Store(f.store)

	there := !s.again || !f.store        // otherwise the copy is in the store that hangs
	usable := there && s.ago < time.Hour // a copy that is older than MaxStale is returned only if all sources fail
	limit := matrixBudget + matrixBudget/10
	began := time.Now()
	for first := true; ; first = false {
		start := time.Now()
		ref, err := client.ImageGeneration.Load(t.Context())
		took := time.Since(start)
		require.LessOrEqual(t, took, limit)
		if there {
			require.NoError(t, err)
		}
		if usable {
			require.LessOrEqual(t, took, wait+wait/10)
		}
		if err == nil && !ref.Stale() {
			require.NotZero(t, f.recovers, "a stopped PRIMARY has confirmed a copy")
			require.Equal(t, modelref.SourcePrimary, ref.Source())
			require.LessOrEqual(t, time.Since(began), f.recovers+f.recovers/10)
			t.Logf("the PRIMARY's document after %s", time.Since(began))
			break
		}
		if f.recovers == 0 && !first {
			break
		}
		require.LessOrEqual(t, time.Since(began), f.recovers+limit, "no read returned the document of the PRIMARY: %v", err)
		time.Sleep(time.Second)
	}
	network.broken.Store(false)
	store.hangs.Store(false)
}

// A hangingStore is a store whose operations can wait until their context ends.
type hangingStore struct {
	*shared
	hangs atomic.Bool
}

func (s *hangingStore) wait(ctx context.Context) error {
	if !s.hangs.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *hangingStore) Read(ctx context.Context, category modelref.Category, limit int64) (modelref.StoreEntry, error) {
	if err := s.wait(ctx); err != nil {
		return modelref.StoreEntry{}, err
	}
	return s.shared.Read(ctx, category, limit)
}

func (s *hangingStore) ReadProvenance(ctx context.Context, category modelref.Category) (string, error) {
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	return s.shared.ReadProvenance(ctx, category)
}

func (s *hangingStore) Write(ctx context.Context, category modelref.Category, document, provenance string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.shared.Write(ctx, category, document, provenance)
}

func (s *hangingStore) WriteProvenance(ctx context.Context, category modelref.Category, provenance string) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	return s.shared.WriteProvenance(ctx, category, provenance)
}

func (s *hangingStore) TryLock(ctx context.Context, category modelref.Category, d time.Duration) (func(), error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.shared.TryLock(ctx, category, d)
}

// A faultNetwork connects clients to a PRIMARY over connections in memory.
type faultNetwork struct {
	fault   *connectionFault
	primary *modelreftest.Server
	conns   chan net.Conn
	closed  chan struct{}
	broken  atomic.Bool

	mu   sync.Mutex
	open []*silencedConn
}

// connOf is the key of the connection of a request in its context.
type connOf struct{}

// newFaultNetwork starts the PRIMARY and connects http.DefaultTransport to it until the end of the test.
func newFaultNetwork(t *testing.T, config *tls.Config, f *connectionFault) *faultNetwork {
	t.Helper()
	n := &faultNetwork{
		fault: f, conns: make(chan net.Conn), closed: make(chan struct{}),
		primary: modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryImageGeneration, twoModels)),
	}
	server := &http.Server{
		Handler:   n.handler(),
		TLSConfig: config.Clone(),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connOf{}, n.broken.Load()) // reports whether the connection was opened after the start of the fault
		},
	}
	server.TLSConfig.NextProtos = []string{"h2"}
	server.TLSConfig.SessionTicketsDisabled = true // a ticket would be written before it is read, and a pipe has no buffer
	transport := &http.Transport{
		DialContext: n.dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	serve := func() { _ = server.Serve(n) }
	if f.http2 {
		transport.ForceAttemptHTTP2 = true
		serve = func() { _ = server.ServeTLS(n, "", "") }
	}
	previous := http.DefaultTransport
	http.DefaultTransport = transport
	done := make(chan struct{})
	go func() { defer close(done); serve() }()
	t.Cleanup(func() {
		http.DefaultTransport = previous
		n.closeAll()
		assert.NoError(t, server.Close())
		<-done
	})
	return n
}

func (n *faultNetwork) url() string {
	if n.fault.http2 {
		return "https://models.example.org/fake/api"
	}
	return "http://models.example.org/fake/api"
}

// handler returns the responses of the PRIMARY with the fault.
func (n *faultNetwork) handler() http.Handler {
	to := strings.TrimSuffix(n.primary.URL(), "/fake/api")
	proxy := &httputil.ReverseProxy{
		Transport: n.primary.HTTPClient().Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", strings.TrimPrefix(to, "http://")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		later, _ := r.Context().Value(connOf{}).(bool)
		switch {
		case n.broken.Load() && n.fault.stopped:
			<-r.Context().Done()
		case n.broken.Load() && n.fault.status != 0 && !later:
			w.WriteHeader(n.fault.status)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

func (n *faultNetwork) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	conn := &silencedConn{Conn: near, closed: make(chan struct{})}
	if n.fault.deadConns && !n.broken.Load() {
		conn.silent = &n.broken
	}
	n.mu.Lock()
	n.open = append(n.open, conn)
	n.mu.Unlock()
	select {
	case n.conns <- far:
		return conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// closeAll closes all connections.
func (n *faultNetwork) closeAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.open {
		_ = conn.Close()
	}
}

// Accept, Close and Addr implement the listener of the server.
func (n *faultNetwork) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *faultNetwork) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.closed:
	default:
		close(n.closed)
	}
	return nil
}

func (n *faultNetwork) Addr() net.Addr { return &net.TCPAddr{} }

// A silencedConn delivers no more data after silent is set, as if the other end were down. It reports no error.
type silencedConn struct {
	net.Conn
	silent *atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (c *silencedConn) Write(p []byte) (int, error) {
	if c.silent != nil && c.silent.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *silencedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.silent != nil && c.silent.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *silencedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
