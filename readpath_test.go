// This file has helpers for the tests of the read path: a source that computes its responses when a request arrives,
// and a store in memory.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeResponse is a response that a fakeSource returns after a delay.
type fakeResponse struct {
	status int
	body   string
	delay  time.Duration
	header http.Header
}

// fakeSource is a transport. respond is called when a request arrives, so that a slow response has the document of that
// time.
type fakeSource struct {
	mu       sync.Mutex
	requests []string
	respond  func(r *http.Request) fakeResponse
	deaf     bool // ignores the context of a request
}

func (f *fakeSource) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.requests = append(f.requests, r.URL.Path)
	resp := f.respond(r)
	deaf := f.deaf
	f.mu.Unlock()
	if deaf {
		time.Sleep(resp.delay)
	} else if resp.delay > 0 {
		timer := time.NewTimer(resp.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	header := resp.header
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Date") == "" {
		header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	return &http.Response{
		StatusCode: resp.status, Header: header, Body: io.NopCloser(strings.NewReader(resp.body)),
		ContentLength: int64(len(resp.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// set replaces respond.
func (f *fakeSource) set(respond func(r *http.Request) fakeResponse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.respond = respond
}

// sent returns the number of requests whose path contains text.
func (f *fakeSource) sent(text string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, path := range f.requests {
		if strings.Contains(path, text) {
			n++
		}
	}
	return n
}

func isLastUpdated(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/last_updated") }

func isGitHub(r *http.Request) bool { return strings.Contains(r.URL.Path, "/refs/heads/") }

// versioned returns a document with one record that has the version.
func versioned(version int) string {
	return fmt.Sprintf(`{"a":{"name":"a","description":"version %d"}}`, version)
}

// versionOf returns the version of such a document.
func versionOf(t testing.TB, ref *Reference[BLIPRecord]) (version int) {
	t.Helper()
	record, ok := ref.Get("a")
	require.True(t, ok)
	_, err := fmt.Sscanf(record.Description, "version %d", &version)
	require.NoError(t, err)
	return version
}

// testClient returns a Client of the source. The given options are applied last.
func testClient(t testing.TB, source http.RoundTripper, options ...Option) *Client {
	t.Helper()
	client, err := New(append([]Option{WithHTTPClient(&http.Client{Transport: source}), WithoutGitHub()}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// read reads the category blip and returns the version.
func read(t testing.TB, client *Client, options ...LoadOption) (int, *Reference[BLIPRecord]) {
	t.Helper()
	ref, err := client.BLIP.Load(t.Context(), options...)
	require.NoError(t, err)
	return versionOf(t, ref), ref
}

// memoryStore is a Store in memory, with or without locks. Each call takes delay. A deaf store ignores its context.
type memoryStore struct {
	mu     sync.Mutex
	copies map[Category]StoreEntry
	locked map[Category]bool
	delay  time.Duration
	deaf   bool
	locks  bool
	calls  int
}

func newMemoryStore(locks bool) *memoryStore {
	return &memoryStore{copies: map[Category]StoreEntry{}, locked: map[Category]bool{}, locks: locks}
}

func (m *memoryStore) wait(ctx context.Context) error {
	m.mu.Lock()
	m.calls++
	delay, deaf := m.delay, m.deaf
	m.mu.Unlock()
	if delay == 0 {
		return nil
	}
	if deaf {
		time.Sleep(delay)
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memoryStore) slow(delay time.Duration, deaf bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delay, m.deaf = delay, deaf
}

func (m *memoryStore) Read(ctx context.Context, c Category, _ int64) (StoreEntry, error) {
	if err := m.wait(ctx); err != nil {
		return StoreEntry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.copies[c]
	if !ok {
		return found, fs.ErrNotExist
	}
	return found, nil
}

func (m *memoryStore) ReadProvenance(ctx context.Context, c Category) (string, error) {
	found, err := m.Read(ctx, c, 0)
	return found.Provenance, err
}

func (m *memoryStore) Write(ctx context.Context, c Category, document, note string) error {
	if err := m.wait(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.copies[c] = StoreEntry{Document: document, Provenance: note, ModTime: time.Now()}
	return nil
}

func (m *memoryStore) WriteProvenance(ctx context.Context, c Category, note string) error {
	if err := m.wait(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.copies[c]
	if !ok {
		return fs.ErrNotExist
	}
	found.Provenance = note
	m.copies[c] = found
	return nil
}

func (m *memoryStore) TryLock(ctx context.Context, c Category, _ time.Duration) (func(), error) {
	if !m.locks {
		return nil, errors.ErrUnsupported
	}
	if err := m.wait(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked[c] {
		return nil, nil //nolint:nilnil // another client has the lock
	}
	m.locked[c] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.locked[c] = false
	}, nil
}

// logInto returns an option for logging into out as text.
func logInto(out io.Writer) Option {
	return WithLogger(slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelInfo})))
}
