package modelreftest

// This file has the faults of requests, and how the Server causes them.

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one way in which a request fails. The zero Fault is OK.
type Fault struct {
	name string
	// respond sends the response instead of the Server.
	respond func(*exchange)
	// alter changes the normal response before it is sent.
	alter func(*answer)
	// network returns the error of the network for the request.
	network func(*http.Request) error
}

// String returns the call that makes the fault, such as "Status(503)".
func (f Fault) String() string {
	if f.name == "" {
		return "OK()"
	}
	return f.name
}

// OK is the absence of a fault, for requests of a Script that succeed.
func OK() Fault { return Fault{} }

// respondWith returns a fault with the same response to every request.
func respondWith(name string, a *answer) Fault {
	return Fault{name: name, respond: func(e *exchange) { e.send(a) }}
}

// Status responds with a status and the body that the service has for it: plain text for 500, otherwise JSON with the meaning of
// the status in "detail".
func Status(code int) Fault {
	return respondWith(fmt.Sprintf("Status(%d)", code), statusAnswer(code, http.StatusText(code)))
}

// RetryAfter responds with a status, as Status does, and a Retry-After header: seconds, a date, or an invalid value.
func RetryAfter(code int, value string) Fault {
	a := statusAnswer(code, http.StatusText(code))
	a.header.Set("Retry-After", value)
	return respondWith(fmt.Sprintf("RetryAfter(%d, %q)", code, value), a)
}

// HTML responds with a status and the page of a proxy.
func HTML(code int) Fault {
	title := strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
	page := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
	return respondWith(fmt.Sprintf("HTML(%d)", code), newAnswer(code, "text/html", page))
}

// Body responds with a status, a content type ("" for none) and a body.
func Body(code int, contentType, body string) Fault {
	return respondWith(fmt.Sprintf("Body(%d, %q, …)", code, contentType), newAnswer(code, contentType, body))
}

// Empty responds with 200 and an empty body.
func Empty() Fault { return respondWith("Empty()", newAnswer(http.StatusOK, contentJSON, "")) }

// RedirectTo responds with 302 and a Location.
func RedirectTo(url string) Fault {
	a := newAnswer(http.StatusFound, "", "")
	a.header.Set("Location", url)
	return respondWith(fmt.Sprintf("RedirectTo(%q)", url), a)
}

// RedirectLoop responds with 302 and the URL of the request as the Location.
func RedirectLoop() Fault {
	return Fault{name: "RedirectLoop()", respond: func(e *exchange) {
		a := newAnswer(http.StatusFound, "", "")
		a.header.Set("Location", e.request.URL.RequestURI())
		e.send(a)
	}}
}

// Delay sends the normal response after d.
func Delay(d time.Duration) Fault {
	return Fault{name: fmt.Sprintf("Delay(%s)", d), respond: func(e *exchange) {
		e.pause(d)
		e.send(e.normal())
	}}
}

// Stall accepts the request and sends no response. It ends when the client disconnects or the Server is closed.
func Stall() Fault {
	return Fault{name: "Stall()", respond: func(e *exchange) {
		select {
		case <-e.request.Context().Done():
		case <-e.server.done:
		}
		e.abort()
	}}
}

// Trickle sends the normal response: the header at once, and then one byte of the body every d.
func Trickle(d time.Duration) Fault {
	return Fault{name: fmt.Sprintf("Trickle(%s)", d), respond: func(e *exchange) {
		a := e.normal()
		e.start(a, len(a.body))
		e.flush()
		for i := range a.body {
			e.pause(d)
			e.write(a.body[i : i+1])
		}
	}}
}

// Truncated sends the normal response with the Content-Length of the whole body, but only half of the body, and closes the
// connection.
func Truncated() Fault {
	return Fault{name: "Truncated()", respond: func(e *exchange) {
		e.half()
		e.abort()
	}}
}

// WrongLength sends half of the normal body. The response is valid HTTP with a matching Content-Length. Only a parser can detect
// the truncation.
func WrongLength() Fault {
	return Fault{name: "WrongLength()", alter: func(a *answer) { a.body = a.body[:len(a.body)/2] }}
}

// ResetInBody sends the normal response up to half of its body, and resets the connection.
func ResetInBody() Fault {
	return Fault{name: "ResetInBody()", respond: func(e *exchange) {
		e.half()
		e.reset()
	}}
}

// Reset resets the connection before a response is sent.
func Reset() Fault { return Fault{name: "Reset()", respond: (*exchange).reset} }

// Refused is a refused connection. Requests that are not sent through HTTPClient get Reset instead. The same holds for
// DNSFailure and TLSFailure.
func Refused() Fault {
	return Fault{name: "Refused()", network: func(r *http.Request) error { return refused("tcp", hostPort(r)) }}
}

// DNSFailure is a host that cannot be resolved.
func DNSFailure() Fault {
	return Fault{name: "DNSFailure()", network: func(r *http.Request) error {
		host, _, _ := net.SplitHostPort(hostPort(r)) // hostPort has joined it
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}}
}

// TLSFailure is a certificate of an unknown authority.
func TLSFailure() Fault {
	return Fault{name: "TLSFailure()", network: func(*http.Request) error {
		return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	}}
}

// hostPort returns the address that a request would dial.
func hostPort(r *http.Request) string {
	port := r.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
	}
	return net.JoinHostPort(r.URL.Hostname(), port)
}

// padding is the number of bytes that are written at a time to reach the size of a document.
const padding = 1 << 20

// Oversized responds with an empty JSON object that is padded to n bytes with blanks, and the Content-Length n.
func Oversized(n int64) Fault {
	return Fault{name: fmt.Sprintf("Oversized(%d)", n), respond: func(e *exchange) {
		e.start(newAnswer(http.StatusOK, contentJSON, ""), int(max(n, 2)))
		blanks := bytes.Repeat([]byte{' '}, padding)
		e.write([]byte("{"))
		for left := n - 2; left > 0; left -= padding {
			e.write(blanks[:min(left, padding)])
		}
		e.write([]byte("}"))
	}}
}

// GzipBomb responds with a gzip body of about n/1000 bytes that expands to an empty JSON object of n bytes.
func GzipBomb(n int64) Fault {
	return Fault{name: fmt.Sprintf("GzipBomb(%d)", n), respond: func(e *exchange) {
		a := newAnswer(http.StatusOK, contentJSON, "")
		a.header.Set("Content-Encoding", "gzip")
		e.start(a, -1)
		// A gzip body may have many members. The large one is compressed once.
		blanks := bytes.Repeat([]byte{' '}, padding)
		member := gzipped(blanks)
		e.write(gzipped([]byte("{")))
		left := n - 2
		for ; left >= padding; left -= padding {
			e.write(member)
		}
		e.write(gzipped(append(blanks[:max(left, 0)], '}')))
	}}
}

func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// InvalidUTF8 sends the normal response with two bytes of invalid UTF-8 inside the first name, or in the middle of a body that
// has no quotes.
func InvalidUTF8() Fault {
	return Fault{name: "InvalidUTF8()", alter: func(a *answer) {
		at := bytes.IndexByte(a.body, '"') + 1
		if at == 0 {
			at = len(a.body) / 2
		}
		a.body = bytes.Join([][]byte{a.body[:at], a.body[at:]}, []byte("\xff\xfe"))
	}}
}

// DeepNesting responds with a document of one record that has depth nested arrays.
func DeepNesting(depth int) Fault {
	arrays := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	return respondWith(fmt.Sprintf("DeepNesting(%d)", depth),
		newAnswer(http.StatusOK, contentJSON, `{"deep":{"name":"deep","extra":`+arrays+`}}`))
}

// DuplicateNames sends the normal response with the first record repeated at the end, with the description "second of two".
// In a CSV file the first row is repeated. A body without records is not changed.
func DuplicateNames() Fault {
	return Fault{name: "DuplicateNames()", alter: func(a *answer) { a.body = duplicateFirst(a.body) }}
}

func duplicateFirst(body []byte) []byte {
	entries, err := decodeObject(body)
	if err != nil {
		return duplicateRow(body)
	}
	if len(entries) == 0 {
		return body
	}
	again := entries[0]
	if fields, err := decodeObject(again.value); err == nil {
		again.value = encodeObject(setField(fields, "description", `"second of two"`))
	}
	return encodeObject(append(entries, again))
}
