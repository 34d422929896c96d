package modelreftest

// This file has the connections: sockets on loopback or pipes inside the process, and how a connection is reset.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// listen returns a listener, and the function that dials it.
func listen(inMemory bool) (net.Listener, dialFunc, error) {
	if inMemory {
		l := newPipeListener()
		return l, l.dial, nil
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("modelreftest: %w", err)
	}
	return l, dialLoopback, nil
}

// dialLoopback dials loopback addresses only, so that a test cannot depend on another machine.
func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("modelreftest: %s is not a loopback address", address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// pipeListener accepts the other ends of dialed pipes.
type pipeListener struct {
	address pipeAddr
	accept  chan net.Conn
	done    chan struct{}
	close   sync.Once
}

// newPipeListener returns a listener with a loopback address, because a Client sends its key only to such an address. The
// address differs from those of other Servers.
func newPipeListener() *pipeListener {
	address := fmt.Sprintf("127.%d.%d.%d:1", 1+rand.N(250), rand.N(250), 1+rand.N(250)) //nolint:gosec // only a name
	return &pipeListener{address: pipeAddr(address), accept: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Addr() net.Addr { return l.address }

func (l *pipeListener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accept:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// dial connects to the listener, and to no other address.
func (l *pipeListener) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address != string(l.address) {
		return nil, refused(network, address)
	}
	client, server := newPipe(l.address)
	select {
	case l.accept <- server:
		return client, nil
	case <-l.done:
		return nil, refused(network, address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refused returns the error of dialing a port on which no program listens.
func refused(network, address string) error {
	return &net.OpError{
		Op: "dial", Net: network, Addr: pipeAddr(address), Err: os.NewSyscallError("connect", errConnRefused),
	}
}

// pipeAddr is an address that looks like one of TCP.
type pipeAddr string

func (pipeAddr) Network() string  { return "tcp" }
func (a pipeAddr) String() string { return string(a) }

// pipeConn is one end of a pipe that can be reset as a TCP connection can.
type pipeConn struct {
	net.Conn
	address pipeAddr
	reset   *atomic.Bool // shared by both ends
}

func newPipe(address pipeAddr) (client, server *pipeConn) {
	a, b := net.Pipe()
	reset := new(atomic.Bool)
	return &pipeConn{a, address, reset}, &pipeConn{b, address, reset}
}

func (c *pipeConn) LocalAddr() net.Addr  { return c.address }
func (c *pipeConn) RemoteAddr() net.Addr { return c.address }

func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = &net.OpError{
			Op: "read", Net: "tcp", Source: c.address, Addr: c.address,
			Err: os.NewSyscallError("read", errConnReset),
		}
	}
	return n, err
}

// cutOff closes a connection so that the other side gets a reset.
func cutOff(conn net.Conn) {
	switch conn := conn.(type) {
	case *pipeConn:
		conn.reset.Store(true)
	case *net.TCPConn:
		_ = conn.SetLinger(0) // if it fails, the other side gets an early end, which is also a fault
	}
	_ = conn.Close() // the connection ends in any case
}
