package httpx

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	// initialBuffer is the size of the first buffer for a body of unknown length.
	initialBuffer = 4 << 10
	// maxPrealloc limits the first buffer, whatever Content-Length claims.
	maxPrealloc = 1 << 20
	// maxGrowth limits a later buffer to this multiple of the bytes received so far, whatever Content-Length claims.
	maxGrowth = 64
)

// copyBuffers holds the buffers through which bodies are copied.
var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// A boundedBuffer receives a body up to a limit. Its memory grows with the bytes received: a Content-Length that is a
// lie costs little.
type boundedBuffer struct {
	text  *strings.Builder
	size  int64 // of the memory
	limit int64
}

// grow enlarges the buffer. A contentLength that is not positive is unknown. The buffer has one byte more than the length, to
// detect the end of the body.
func (b *boundedBuffer) grow(contentLength int64) {
	n := int64(b.text.Len())
	switch {
	case n == 0 && contentLength > 0:
		b.size = min(contentLength+1, maxPrealloc)
	case n == 0:
		b.size = initialBuffer
	case contentLength >= n:
		b.size = min(contentLength+1, maxGrowth*n)
	default:
		b.size = 2 * n
	}
	b.size = min(b.size, b.limit+1)
	larger := new(strings.Builder) // Builder.Grow would at least double the memory
	larger.Grow(int(b.size))
	larger.WriteString(b.text.String())
	b.text = larger
}

// fill copies from r until the buffer is full or r ends, and reports whether the buffer is full.
func (b *boundedBuffer) fill(r io.Reader, scratch []byte) (full bool, err error) {
	_, err = io.CopyBuffer(b.text, io.LimitReader(r, b.size-int64(b.text.Len())), scratch)
	return int64(b.text.Len()) == b.size, err
}

// A longBodyError is a body that is longer than its Content-Length: a transport has decompressed it and left the header.
type longBodyError struct{ contentLength int64 }

func (e *longBodyError) Error() string {
	return fmt.Sprintf("it is longer than the Content-Length of %d bytes", e.contentLength)
}

// readBody reads a body into a string, up to the limit, and checks its length.
func readBody(resp *http.Response, limit int64) (string, error) {
	length := resp.ContentLength
	if resp.Uncompressed || isEncoded(resp.Header) {
		length = -1 // it is the length of the compressed body
	}
	if length > limit {
		return "", &BodyTooLargeError{limit}
	}
	scratch := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(scratch)
	buffer := boundedBuffer{text: new(strings.Builder), limit: limit}
	var err error
	for full := true; full && err == nil; {
		n := int64(buffer.text.Len())
		if n > limit || length > 0 && n > length {
			break
		}
		buffer.grow(length)
		full, err = buffer.fill(resp.Body, scratch[:])
	}
	n := int64(buffer.text.Len())
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the body: %w", err)
	case n > limit:
		return "", &BodyTooLargeError{limit}
	case length > 0 && n > length: // 0 is also the length of a response that was made by hand
		return "", &longBodyError{length}
	case length > 0 && n < length:
		return "", fmt.Errorf("reading the body: got %d of %d bytes: %w", n, length, io.ErrUnexpectedEOF)
	}
	text := buffer.text.String()
	if int64(buffer.text.Cap()-len(text)) > n/8 { // the body stays in memory
		return strings.Clone(text), nil
	}
	return text, nil
}

// isEncoded reports whether the header says that the body is compressed. A transport that decompresses a body may leave it.
func isEncoded(header http.Header) bool {
	encoding := header.Get("Content-Encoding")
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}
