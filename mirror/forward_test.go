// This file tests forwarded requests: the cache, its limits, and the last valid response.

package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
)

// fakePrimary is a requester whose responses are set by a test.
type fakePrimary struct {
	requests atomic.Int64
	active   atomic.Int64
	peak     atomic.Int64
	isDown   atomic.Bool
	delay    time.Duration

	mu     sync.Mutex
	answer func(path string) (*answer, error)
}

func (p *fakePrimary) down() bool { return p.isDown.Load() }

func (p *fakePrimary) set(answer func(path string) (*answer, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *fakePrimary) request(ctx context.Context, path string, _ url.Values) (*answer, error) {
	p.requests.Add(1)
	active := p.active.Add(1)
	defer p.active.Add(-1)
	for peak := p.peak.Load(); active > peak && !p.peak.CompareAndSwap(peak, active); peak = p.peak.Load() {
	}
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer(path)
}

func says(text string) func(string) (*answer, error) {
	return func(string) (*answer, error) {
		return &answer{status: http.StatusOK, contentType: contentJSON, body: []byte(text)}, nil
	}
}

func TestForwarderSendsOneRequestForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePrimary{answer: says("one"), delay: time.Second}
		f := newForwarder(p, time.Minute, 1<<20)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				res, err := f.get(t.Context(), "/x", nil)
				assert.NoError(t, err)
				assert.Equal(t, "one", string(res.body))
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, p.requests.Load())

		time.Sleep(59 * time.Second)
		_, err := f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.EqualValues(t, 1, p.requests.Load(), "a fresh response was requested again")
		time.Sleep(2 * time.Second)
		_, err = f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.EqualValues(t, 2, p.requests.Load(), "an expired response was not requested again")
		_, err = f.get(t.Context(), "/x", url.Values{"a": {"1"}})
		require.NoError(t, err)
		assert.EqualValues(t, 3, p.requests.Load(), "two queries have one response")
	})
}

func TestForwarderServesTheLastValidResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePrimary{answer: says("good")}
		f := newForwarder(p, time.Minute, 1<<20)
		first, err := f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.False(t, first.stale)
		at := first.at
		p.set(func(string) (*answer, error) { return nil, errors.New("outage") })
		time.Sleep(2 * time.Minute)
		for range 50 {
			res, err := f.get(t.Context(), "/x", nil)
			require.NoError(t, err)
			assert.True(t, res.stale)
			assert.Equal(t, at, res.at)
		}
		assert.EqualValues(t, 2, p.requests.Load(), "an outage is not remembered")
		p.isDown.Store(true)
		time.Sleep(time.Minute)
		_, err = f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.EqualValues(t, 2, p.requests.Load(), "a request was sent although the PRIMARY was known to be down")
		_, err = f.get(t.Context(), "/never", nil)
		require.ErrorIs(t, err, errDown)
		p.isDown.Store(false)
		p.set(says("new"))
		time.Sleep(time.Minute)
		res, err := f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.Equal(t, "new", string(res.body))
		assert.False(t, res.stale)
	})
}

func TestForwarderKeepsItsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePrimary{answer: says(strings.Repeat("x", 1000)), delay: time.Second}
		const limit = 100_000
		f := newForwarder(p, time.Minute, limit)
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				_, err := f.get(t.Context(), fmt.Sprintf("/%d", i), nil)
				if err != nil {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, p.peak.Load(), int64(maxForwards))
		f.mu.Lock()
		defer f.mu.Unlock()
		assert.LessOrEqual(t, f.bytes, int64(limit))
		assert.Equal(t, len(f.entries), f.recent.Len())
		var sum int64
		for at := f.recent.Front(); at != nil; at = at.Next() {
			sum += at.Value.(*forwardEntry).size
		}
		assert.Equal(t, sum, f.bytes)
	})
}

func TestForwarderOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePrimary{answer: says("late"), delay: 5 * time.Second}
		f := newForwarder(p, time.Minute, 1<<20)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := f.get(ctx, "/x", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		res, err := f.get(t.Context(), "/x", nil)
		require.NoError(t, err)
		assert.Equal(t, "late", string(res.body))
		assert.EqualValues(t, 1, p.requests.Load(), "the result of a canceled caller was not used")
	})
}

func TestForwardedResponses(t *testing.T) {
	t.Parallel()
	m := &Mirror{constant: newConstantHeaders(time.Minute)}
	res := newForwarded(&answer{status: http.StatusNotFound, contentType: contentJSON, body: []byte(`{"detail":"x"}`)}, time.Now())
	w := httptest.NewRecorder()
	m.respondForwarded(w, httptest.NewRequest(http.MethodGet, "/", nil), res, modelref.SourcePrimary)
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Empty(t, w.Header().Get("Etag"))

	res = newForwarded(&answer{status: http.StatusOK, contentType: contentJSON, etag: `W/"text-guidance-4"`, body: []byte(`{}`)}, time.Now())
	w = httptest.NewRecorder()
	m.respondForwarded(w, httptest.NewRequest(http.MethodGet, "/", nil), res, modelref.SourcePrimary)
	assert.Equal(t, `W/"text-guidance-4"`, w.Header().Get("Etag"), "the ETag says the revision of a catalog")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("If-None-Match", `W/"text-guidance-4"`)
	w = httptest.NewRecorder()
	m.respondForwarded(w, r, res, modelref.SourcePrimary)
	assert.Equal(t, http.StatusNotModified, w.Code)
}

func TestForwardedPagesAreText(t *testing.T) {
	t.Parallel()
	m := &Mirror{constant: newConstantHeaders(time.Minute)}
	for sent, want := range map[string]string{
		"text/html": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8", "image/svg+xml": "text/plain; charset=utf-8",
		"application/json; charset=utf-8": contentJSON, "application/json": contentJSON, "application/json;;": "text/plain; charset=utf-8",
	} {
		w := httptest.NewRecorder()
		res := newForwarded(&answer{status: http.StatusOK, contentType: sent, body: []byte("<script>alert(1)</script>")}, time.Now())
		m.respondForwarded(w, httptest.NewRequest(http.MethodGet, "/", nil), res, modelref.SourcePrimary)
		assert.Equal(t, want, w.Header().Get("Content-Type"), sent)
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	}
}

func TestForwardable(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/model_references/v2/text_generation/groups": true, "/model_references/v1/clip": true,
		"/model_references/v2/licensing/models/clip/ViT-L%2F14": true, "/model_references/v2/image_generation/baselines/": true,
		"/model_references/": false, "/model_references": false, "/docs": false, "/model_references/../x": false,
		"/model_references/%2e%2e/x": false, "/model_references/a%2f..%2fb": false, "/model_references//x": false,
		"/model_references/a%5c..%5cb": false, "/model_references/a;b": false, "/model_references/%zz": false,
		"/model_references/a%0d%0ab": false, "/model_references/a%00": false,
	} {
		assert.Equal(t, want, forwardable(path), path)
	}
	for path, want := range map[string]bool{
		"/model_references/v2/me/roles": true, "/model_references/v1/pending_queue/diffs": true,
		"/model_references/v2/clip/pending": true, "/model_references/v2/clip/model/pending": false,
		"/model_references/v2/text_generation/groups": false,
	} {
		assert.Equal(t, want, needsKey(path), path)
	}
}
