package httpx

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/redact"
)

const (
	// maxHeaderBytes limits the header of a response, unless the caller has set a transport.
	maxHeaderBytes = 64 << 10
	// pingInterval is the time without any frame after which an HTTP/2 connection is checked with a ping.
	pingInterval = 10 * time.Second
	// pingTimeout is the time after which a connection is closed because a ping was not answered.
	pingTimeout = 5 * time.Second
)

// An ownTransport is the transport that is used unless the caller has set one.
type ownTransport struct {
	pooled    *http.Transport
	singleUse func() *http.Transport // uses a new connection for each request
}

// newOwnTransport returns a transport with the settings of http.DefaultTransport, or nil if the program has replaced it by
// another type.
func newOwnTransport() *ownTransport {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil
	}
	pooled := shared.Clone()
	pooled.MaxResponseHeaderBytes = maxHeaderBytes
	if pooled.HTTP2 == nil {
		pooled.HTTP2 = &http.HTTP2Config{}
	}
	// Without pings a dead HTTP/2 connection is used until the operating system gives up, which takes minutes.
	pooled.HTTP2.SendPingTimeout, pooled.HTTP2.PingTimeout = pingInterval, pingTimeout
	return &ownTransport{pooled: pooled, singleUse: sync.OnceValue(func() *http.Transport {
		single := pooled.Clone()
		single.DisableKeepAlives = true
		return single
	})}
}

// RoundTrip sends a request with Close set over a new connection.
func (t *ownTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Close {
		return t.singleUse().RoundTrip(req)
	}
	return t.pooled.RoundTrip(req)
}

// CloseIdleConnections closes the idle connections. It does nothing if t is nil.
func (t *ownTransport) CloseIdleConnections() {
	if t != nil {
		t.pooled.CloseIdleConnections()
	}
}

// An exchangeTransport is the outermost transport of one exchange. It also hides the CloseIdleConnections of the caller's
// transport, which go-retryablehttp would call after every failure.
type exchangeTransport struct {
	next     http.RoundTripper
	exchange *exchange
}

// RoundTrip sends one request: that of an attempt, or of a redirect.
func (t *exchangeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.exchange.newConnection {
		copied := *req // a transport must not modify its request
		copied.Close = true
		req = &copied
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp == nil {
		return resp, err
	}
	if err := t.exchange.checkLocation(req, resp); err != nil {
		closeBody(resp)
		return nil, err
	}
	return resp, nil
}

// An authTransport adds the API key to the requests that may have it.
type authTransport struct {
	next   http.RoundTripper
	keyURL *url.URL
	apiKey redact.Secret
}

// RoundTrip sends the request, with the API key if it may be sent there.
func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	if t.apiKey != nil && t.shouldSendKey(req.URL) {
		req = req.Clone(req.Context())
		req.Header.Set("apikey", t.apiKey.Reveal())
	}
	return next.RoundTrip(req)
}

// shouldSendKey reports whether u is on the server of the key, and the connection cannot be read by others.
func (t *authTransport) shouldSendKey(u *url.URL) bool {
	if t.keyURL == nil || !strings.EqualFold(u.Host, t.keyURL.Host) || u.Scheme != t.keyURL.Scheme {
		return false
	}
	return IsConfidential(u)
}

// IsConfidential reports whether others cannot read what is sent to u: the scheme is https, or the host is a loopback address.
func IsConfidential(u *url.URL) bool { return u.Scheme == "https" || isLoopback(u.Hostname()) }

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
