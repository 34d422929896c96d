package modelreftest

// This file has the faults: what can go wrong with a request, and how the Server makes it so.

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

// Fault is one way in which a request goes wrong. The zero Fault is OK.
type Fault struct {
	name string
	// respond answers in place of the Server.
	respond func(*exchange)
	// alter changes the normal answer before it is sent.
	alter func(*answer)
	// network returns the error that the request meets on its way.
	network func(*http.Request) error
}

// String returns the call that makes the fault, as "Status(503)".
func (f Fault) String() string {
	if f.name == "" {
		return "OK()"
	}
	return f.name
}

// OK is no fault: it lets a request of a Script pass.
func OK() Fault { return Fault{} }

// respondWith is a fault that gives the same answer to every request.
func respondWith(name string, a *answer) Fault {
	return Fault{name: name, respond: func(e *exchange) { e.send(a) }}
}

// Status answers with a status and the body that the service has for it: plain text for 500, else JSON that says what
// the status means under "detail".
func Status(code int) Fault {
	return respondWith(fmt.Sprintf("Status(%d)", code), statusAnswer(code, http.StatusText(code)))
}

// RetryAfter answers with a status, as Status does, and the header Retry-After as given: seconds, a date, or neither.
func RetryAfter(code int, value string) Fault {
	a := statusAnswer(code, http.StatusText(code))
	a.header.Set("Retry-After", value)
	return respondWith(fmt.Sprintf("RetryAfter(%d, %q)", code, value), a)
}

// HTML answers with a status and the page of a proxy.
func HTML(code int) Fault {
	title := strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
	page := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
	return respondWith(fmt.Sprintf("HTML(%d)", code), newAnswer(code, "text/html", page))
}

// Body answers with a status, a content type ("" for none) and a body.
func Body(code int, contentType, body string) Fault {
	return respondWith(fmt.Sprintf("Body(%d, %q, …)", code, contentType), newAnswer(code, contentType, body))
}

// Empty answers 200 with an empty body.
func Empty() Fault { return respondWith("Empty()", newAnswer(http.StatusOK, contentJSON, "")) }

// RedirectTo answers 302 with a Location.
func RedirectTo(url string) Fault {
	a := newAnswer(http.StatusFound, "", "")
	a.header.Set("Location", url)
	return respondWith(fmt.Sprintf("RedirectTo(%q)", url), a)
}

// RedirectLoop answers 302 and sends the client to where it is.
func RedirectLoop() Fault {
	return Fault{name: "RedirectLoop()", respond: func(e *exchange) {
		a := newAnswer(http.StatusFound, "", "")
		a.header.Set("Location", e.request.URL.RequestURI())
		e.send(a)
	}}
}

// Delay gives the normal answer after d.
func Delay(d time.Duration) Fault {
	return Fault{name: fmt.Sprintf("Delay(%s)", d), respond: func(e *exchange) {
		e.pause(d)
		e.send(e.normal())
	}}
}

// Stall takes the request and never answers, until the client goes away.
func Stall() Fault {
	return Fault{name: "Stall()", respond: func(e *exchange) {
		select {
		case <-e.request.Context().Done():
		case <-e.server.done:
		}
		e.abort()
	}}
}

// Trickle gives the normal answer, its header at once and then one byte of its body every d.
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

// Truncated gives the normal answer with the Content-Length of the whole and half of the body, and closes the
// connection.
func Truncated() Fault {
	return Fault{name: "Truncated()", respond: func(e *exchange) {
		e.half()
		e.abort()
	}}
}

// WrongLength gives half of the normal body in an answer that is whole by the rules of HTTP: only who parses it can
// tell.
func WrongLength() Fault {
	return Fault{name: "WrongLength()", alter: func(a *answer) { a.body = a.body[:len(a.body)/2] }}
}

// ResetInBody gives the normal answer up to half of its body, and resets the connection.
func ResetInBody() Fault {
	return Fault{name: "ResetInBody()", respond: func(e *exchange) {
		e.half()
		e.reset()
	}}
}

// Reset resets the connection before anything is answered.
func Reset() Fault { return Fault{name: "Reset()", respond: (*exchange).reset} }

// Refused is a port where nobody listens. Requests that come in by another way than HTTPClient meet Reset instead, as
// with DNSFailure and TLSFailure.
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

// TLSFailure is a certificate by an authority that nobody knows.
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

// padding is what documents of a size that was asked for are filled with.
const padding = 1 << 20

// Oversized answers with an empty JSON object, blown up to n bytes with blanks. Its Content-Length says so.
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

// GzipBomb answers with a gzip body of about a thousandth of n that expands to an empty JSON object of n bytes.
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

// InvalidUTF8 gives the normal answer with two bytes that are no UTF-8 inside its first name, or in the middle of a
// body that has no quotes.
func InvalidUTF8() Fault {
	return Fault{name: "InvalidUTF8()", alter: func(a *answer) {
		at := bytes.IndexByte(a.body, '"') + 1
		if at == 0 {
			at = len(a.body) / 2
		}
		a.body = bytes.Join([][]byte{a.body[:at], a.body[at:]}, []byte("\xff\xfe"))
	}}
}

// DeepNesting answers with a document of one record that holds as many arrays within each other.
func DeepNesting(depth int) Fault {
	arrays := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	return respondWith(fmt.Sprintf("DeepNesting(%d)", depth),
		newAnswer(http.StatusOK, contentJSON, `{"deep":{"name":"deep","extra":`+arrays+`}}`))
}

// DuplicateNames gives the normal answer with its first record once more at the end, there with the description
// "second of two"; of a CSV, with its first row twice. A body of no record is not changed.
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
