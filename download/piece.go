// One connection of a transfer: it requests a range and writes the response into the partial file.

package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// fetch receives a piece. The error is nil if the piece, or the part of it that the server chose to send, was received.
// Only the main connection may change what is known about the content.
func (t *transfer) fetch(ctx context.Context, p *piece, main bool) error {
	if err := t.host.wait(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	guard := newStallGuard(t.r.options.IdleTimeout, t.r.options.MinRate, cancel)
	defer guard.stop()
	resp, err := t.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = resp.body.Close() }() // an error of the body was returned by Read
	guard.headersReceived()
	t.host.succeeded()
	if main {
		if err = t.peek(guard, resp); err == nil {
			err = t.accept(p, resp)
		}
	} else {
		err = t.join(p, resp)
	}
	if err != nil {
		return err
	}
	return t.copy(ctx, guard, p, resp, main)
}

// expiredError is a status from the target of an earlier redirect, which may have been valid for a limited time.
type expiredError struct{ error }

func (e *expiredError) Unwrap() error { return e.error }

// open sends the request for a piece and examines the response.
func (t *transfer) open(ctx context.Context, p *piece) (*received, error) {
	t.mu.Lock()
	k, at := t.known, endpoint{t.src.url, true}
	if t.resolved != nil {
		at = *t.resolved
	}
	w := &wanted{method: http.MethodGet, from: p.next, to: p.end}
	t.mu.Unlock()
	w.ranged = !k.noRanges && (w.from > 0 || w.to >= 0)
	if t.part.received() > 0 && !k.ignoreVersion {
		w.ifRange = k.version
	}
	if t.requests.Load() == 0 {
		t.emit(Event{Kind: EventStarted})
	}
	direct := at.url != t.src.url
	resp, at, err := t.r.send(ctx, t.src, at, w, func() { t.requests.Add(1) })
	if err != nil {
		return nil, err
	}
	out, err := t.r.examine(t.src, at, w, resp)
	if err != nil {
		var status *StatusError
		if direct && errors.As(err, &status) {
			t.setResolved(nil)
			return nil, &expiredError{err}
		}
		return nil, err
	}
	if at.url != t.src.url {
		t.setResolved(&at)
	}
	return out, nil
}

// peekBytes is how much of a file is examined before anything is written.
const peekBytes = 4 << 10

// peek examines the start of a response that has the first byte of the file. What is on disk is not touched by a web
// page or an error message in the place of the file.
func (t *transfer) peek(guard *stallGuard, resp *received) error {
	verified := t.file.SHA256 != ""
	if err := checkKind(t.name(), resp.kind, verified); err != nil {
		return t.explain(err, resp)
	}
	if resp.from > 0 {
		return nil
	}
	start := make([]byte, peekBytes)
	var n int
	var err error
	for n < len(start) && err == nil {
		var m int
		m, err = guard.read(resp.body, start[n:])
		n += m
	}
	start = start[:n]
	complete := int64(n) == resp.to || resp.to < 0 && errors.Is(err, io.EOF)
	if err != nil && !complete {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		t.fetched.Add(int64(n))
		return fmt.Errorf("%s: after byte %d: %w", redact(resp.at.url), n, err)
	}
	size := resp.version.Size
	if complete && resp.whole {
		size = int64(n)
	}
	if err := checkStart(t.name(), start, size, verified); err != nil {
		return t.explain(err, resp)
	}
	if have := t.part.received(); verified && complete && resp.whole && have > int64(n) {
		if sum := sha256.Sum256(start); hex.EncodeToString(sum[:]) != t.file.SHA256 {
			return t.explain(fmt.Errorf("%w: it has %d bytes, %d were received before", ErrNotTheFile, n, have), resp)
		}
	}
	resp.body = prefixed{io.MultiReader(bytes.NewReader(start), resp.body), resp.body}
	return nil
}

// prefixed is a body whose start was read before.
type prefixed struct {
	io.Reader
	io.Closer
}

// accept compares the response with what is known about the content, and prepares the partial file for it.
func (t *transfer) accept(p *piece, resp *received) error {
	verified := t.file.SHA256 != ""
	if size := t.file.Size; t.file.declared && resp.version.Size >= 0 && resp.version.Size != size {
		return fmt.Errorf("%w: %s has %d bytes, the record says %d", ErrInvalidResponse, redact(resp.at.url), resp.version.Size, size)
	}
	if !verified && !resp.bounded {
		return fmt.Errorf("%w: %s: the response has no length, and the record has no checksum", ErrUnverifiable, redact(resp.at.url))
	}
	k := t.knows()
	if have := t.part.received(); have > 0 {
		if resp.whole {
			if err := t.replace(resp, &k); err != nil {
				return err
			}
		} else if !k.ignoreVersion && !k.version.sameContent(resp.version, verified) {
			return errChanged
		}
	}
	total := resp.version.Size
	t.learn(func(k *knowledge) {
		k.version, k.total = resp.version, total
		k.unmarkedEnd = !resp.bounded
		k.unproven = k.unproven || !resp.whole && t.part.received() > 0 && resp.version.validator() == ""
		if resp.whole {
			p.next, p.end = 0, resp.to
		} else {
			p.end = resp.to
		}
	})
	if total >= 0 {
		if err := t.r.space.reserve(t.part, total); err != nil {
			return local(err)
		}
	}
	if err := t.part.describe(t.src.id(), resp.version); err != nil {
		return local(err)
	}
	if resp.whole {
		return nil
	}
	if total > resp.to && t.maySegment(&k) {
		if err := t.part.segment(); err != nil {
			return local(err)
		}
	}
	return nil
}

// replace discards the partial file because the response has the whole file, from the first byte.
func (t *transfer) replace(resp *received, k *knowledge) error {
	var reason error
	switch {
	case !t.resumable(k):
		reason = fmt.Errorf("%s: the received data cannot be continued", redact(resp.at.url))
	case k.version.sameContent(resp.version, false):
		reason = fmt.Errorf("%w: %s: the server ignores ranges", ErrInvalidResponse, redact(resp.at.url))
		t.learn(func(k *knowledge) { k.noRanges = true })
	case k.ignoreVersion: // there was no condition in the request
		reason = fmt.Errorf("%w: %s: the server ignores ranges", ErrInvalidResponse, redact(resp.at.url))
		t.learn(func(k *knowledge) { k.noRanges = true })
	default:
		reason = errChanged
		t.best = 0
		if t.changes++; t.changes > maxChanges {
			if t.file.SHA256 == "" {
				return fmt.Errorf("%s: %w", redact(resp.at.url), ErrContentChanged)
			}
			t.learn(func(k *knowledge) { k.ignoreVersion = true })
		}
	}
	return t.restart(reason)
}

// join compares the response to an extra connection with what is known. If it differs, the main connection will notice.
func (t *transfer) join(p *piece, resp *received) error {
	k := t.knows()
	if resp.whole || !k.ignoreVersion && !k.version.sameContent(resp.version, true) {
		return errChanged
	}
	t.mu.Lock()
	p.end = min(p.end, resp.to)
	t.mu.Unlock()
	return nil
}

// explain adds to err where the response came from. If it came from another page, a token may be missing.
func (t *transfer) explain(err error, resp *received) error {
	if resp.at.url == t.src.url {
		return fmt.Errorf("%s: %w", redact(t.src.url), err)
	}
	return fmt.Errorf("%s: %w, after a redirect to %s: %w: %s",
		redact(t.src.url), err, redact(resp.at.url), ErrAccessDenied, t.r.accessHint(t.src))
}

// copy writes the body into the partial file. The start and the end of the piece do not change meanwhile.
func (t *transfer) copy(ctx context.Context, guard *stallGuard, p *piece, resp *received, main bool) error {
	c := t.r.chunks.Get().(*chunk)
	defer func() { t.r.free(c) }()
	start := time.Now()
	from, at, end := p.next, p.next, p.end
	for end < 0 || at < end {
		size := t.r.limiter.chunk(len(c.data))
		if end >= 0 {
			size = int(min(int64(size), end-at))
		}
		n, err := guard.read(resp.body, c.data[:size])
		if n > 0 {
			if err := t.store(ctx, p, c.data[:n]); err != nil {
				return err
			}
			if c.offset, c.size = at, n; t.part.give(c) {
				c = t.r.chunks.Get().(*chunk)
			}
			at += int64(n)
			if main {
				t.useMoreConnections(at-from, time.Since(start))
			}
		}
		if errors.Is(err, io.EOF) {
			if end < 0 {
				t.learn(func(k *knowledge) { k.total = at })
				break
			}
			if at < end {
				return fmt.Errorf("%s: response ended after byte %d, before byte %d: %w", redact(resp.at.url), at, end, io.ErrUnexpectedEOF)
			}
		} else if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return fmt.Errorf("%s: after byte %d: %w", redact(resp.at.url), at, err)
		}
	}
	return nil
}

// store writes received bytes.
func (t *transfer) store(ctx context.Context, p *piece, data []byte) error {
	t.fetched.Add(int64(len(data)))
	if err := t.part.write(p.next, data); err != nil {
		return local(err)
	}
	t.mu.Lock()
	p.next += int64(len(data))
	t.mu.Unlock()
	t.emitProgress()
	return t.r.limiter.wait(ctx, len(data))
}
