// This file tests clients of a mirror: the responses to the clients, and the requests to the PRIMARY.

package mirror_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/mirror"
	"github.com/haidra-org/modelref/modelreftest"
)

// inMemory is a transport that passes requests to a handler.
type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	t.handler.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, r.Context().Err()
}

// behind returns a client that reads from a handler.
func behind(t testing.TB, h http.Handler, options ...modelref.Option) *modelref.Client {
	t.Helper()
	return clientOf(t, "http://mirror.test/api", append([]modelref.Option{
		modelref.WithHTTPClient(&http.Client{Transport: inMemory{h}}),
	}, options...)...)
}

func image(name string) string {
	return fmt.Sprintf(`{%q:{"name":%q,"baseline":"flux_1","nsfw":false}}`, name, name)
}

func TestTwoMirrorsInARow(t *testing.T) {
	t.Parallel()
	s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, imageDocument))
	first := mirror.Handler(s.Client(t, modelref.WithoutGitHub()))
	second := mirror.Handler(behind(t, first))
	client := behind(t, second)
	ref, err := client.ImageGeneration.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, imageDocument, ref.RawJSON())
	assert.Equal(t, modelref.SourcePrimary, ref.Source())
	record, err := client.ImageGeneration.Get(t.Context(), "org/Beta")
	require.NoError(t, err)
	assert.Equal(t, "org/Beta", record.Name)
	found, err := client.ImageGeneration.Search(t.Context(), &modelref.ImageSearchOptions{Baseline: modelref.BaselineFlux1})
	require.NoError(t, err)
	require.Len(t, found.Results, 1)
	assert.Equal(t, "Gamma", found.Results[0].Name)
	assert.JSONEq(t, `{"replicate_mode":"REPLICA","canonical_format":"v2","writable":false}`,
		get(t, second, "/api/replicate_mode").Body.String())
}

func TestWatchYieldsEachChangeOnceThroughTwoMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := modelreftest.NewServer(t, modelreftest.InMemory(), modelreftest.WithDocument(modelref.CategoryImageGeneration, image("0")))
		first := mirror.Handler(s.Client(t, modelref.WithoutGitHub()))
		client := behind(t, mirror.Handler(behind(t, first)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		const changes = 20
		go func() {
			for i := 1; i <= changes; i++ {
				time.Sleep(7 * time.Minute)
				s.SetDocument(modelref.CategoryImageGeneration, image(fmt.Sprint(i)))
			}
			time.Sleep(10 * time.Minute)
			cancel()
		}()
		var seen []string
		for change, err := range client.ImageGeneration.Watch(ctx, modelref.WatchOptions{Interval: time.Minute}) {
			if err != nil {
				require.ErrorIs(t, err, context.Canceled)
				break
			}
			seen = append(seen, change.Reference.Names()...)
		}
		want := []string{}
		for i := range changes + 1 {
			want = append(want, fmt.Sprint(i))
		}
		assert.Equal(t, want, seen)
	})
}

// TestAThousandClients simulates clients that read for an hour. The PRIMARY must receive the requests of only one
// client.
func TestAThousandClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const spread = 59 * time.Second // the clients start one after the other
		start := func() *modelreftest.Server {
			return modelreftest.NewServer(t, modelreftest.InMemory(),
				modelreftest.WithDocument(modelref.CategoryImageGeneration, image("a")))
		}
		read := func(client *modelref.Client, every, length time.Duration) {
			for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(every) {
				if _, err := client.ImageGeneration.Get(t.Context(), "a"); err != nil {
					t.Errorf("a client failed: %v", err)
					return
				}
			}
		}
		alone := start()
		read(alone.Client(t, modelref.WithoutGitHub()), time.Second, time.Hour+spread)

		behindMirror := start()
		m := mirror.Handler(behindMirror.Client(t, modelref.WithoutGitHub()))
		const clients = 1000
		var wg sync.WaitGroup
		for i := range clients {
			client := behind(t, m)
			wg.Go(func() {
				time.Sleep(time.Duration(i) * spread / clients)
				read(client, time.Minute, time.Hour)
			})
		}
		wg.Wait()
		one, thousand := len(alone.Requests()), len(behindMirror.Requests())
		t.Logf("requests to the PRIMARY in an hour: %d of one client, %d of a mirror with %d clients", one, thousand, clients)
		assert.LessOrEqual(t, thousand, one+1, "a mirror sends more requests than a client")
	})
}

// TestFaultsThroughTheMirror reads through the mirror during every fault of the PRIMARY, first with a copy in the
// memory of the mirror, then without a copy.
func TestFaultsThroughTheMirror(t *testing.T) {
	t.Parallel()
	faults := []modelreftest.Fault{
		modelreftest.Status(500), modelreftest.Status(502), modelreftest.Status(503), modelreftest.Status(404), modelreftest.Status(403),
		modelreftest.Status(429), modelreftest.RetryAfter(503, "3600"), modelreftest.HTML(200), modelreftest.HTML(502), modelreftest.Empty(),
		modelreftest.Truncated(), modelreftest.WrongLength(), modelreftest.ResetInBody(), modelreftest.Reset(), modelreftest.Refused(),
		modelreftest.DNSFailure(), modelreftest.TLSFailure(), modelreftest.RedirectLoop(), modelreftest.RedirectTo("http://127.0.0.1:1/"),
		modelreftest.InvalidUTF8(), modelreftest.GzipBomb(1 << 30), modelreftest.Body(200, "application/json", "[]"),
		modelreftest.Body(200, "application/json", "null"), modelreftest.DeepNesting(100_000),
	}
	for _, fault := range faults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			s := modelreftest.NewServer(t, modelreftest.WithDocument(modelref.CategoryImageGeneration, imageDocument))
			options := []modelref.Option{
				modelref.WithoutGitHub(), modelref.WithTTL(time.Millisecond),
				modelref.WithRetry(modelref.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Millisecond, MaxDuration: 5 * time.Second}),
			}
			warm, cold := mirror.Handler(s.Client(t, options...)), mirror.Handler(s.Client(t, options...))
			require.Equal(t, http.StatusOK, get(t, warm, v2+"image_generation").Code)
			s.Break(modelreftest.Primary, fault)
			time.Sleep(2 * time.Millisecond)
			for range 3 {
				w := get(t, warm, v2+"image_generation")
				assert.Equal(t, http.StatusOK, w.Code)
				assert.Equal(t, imageDocument, w.Body.String(), "the copy in memory is not served")
				assert.Equal(t, http.StatusOK, get(t, warm, v2+"image_generation/search").Code)
				assert.Equal(t, http.StatusOK, get(t, warm, v2+"image_generation/model/org/Beta").Code)
			}
			w := get(t, cold, v2+"image_generation")
			if fault.String() == "InvalidUTF8()" {
				assert.Equal(t, http.StatusOK, w.Code, "an invalid record removes other records")
			} else {
				assert.Equal(t, http.StatusServiceUnavailable, w.Code, w.Body.String())
			}
			assert.NotContains(t, w.Body.String(), "127.0.0.1")
			s.Heal(modelreftest.Primary)
			require.Eventually(t, func() bool { return get(t, warm, v2+"image_generation").Code == http.StatusOK }, time.Second, time.Millisecond)
		})
	}
}

func TestServeEndsAfterTheResponses(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = w.Write([]byte("whole"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- mirror.Serve(ctx, listener, slow) }()
	answered := make(chan *http.Response, 1)
	go func() {
		res, err := http.Get("http://" + listener.Addr().String())
		assert.NoError(t, err)
		answered <- res
	}()
	<-started
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("Serve returned before the response was written: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	res := <-answered
	defer res.Body.Close()
	assert.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, <-ended)
	_, err = listener.Accept()
	require.ErrorIs(t, err, net.ErrClosed, "the listener is still open")
}

func TestServeLimitsHeaders(t *testing.T) {
	t.Parallel()
	m, _ := newMirror(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- mirror.Serve(ctx, listener, m) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+v2+"clip", nil)
	require.NoError(t, err)
	r.Header.Set("X-Long", fmt.Sprintf("%080000d", 1))
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
	cancel()
	require.NoError(t, <-ended)
}
