// This file simulates a fleet of a thousand clients and counts the requests to the PRIMARY: in normal operation, after
// a simultaneous start, after an outage, and after a change of the document.

package modelref_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/haidra-org/modelref"
)

// documentBytes is the size of the image_generation document of the service. The test counts this size for each
// download. The documents of the test are smaller, so that a thousand copies fit into memory.
const (
	documentBytes = 132_000
	updatedBytes  = 60
)

// fleetPrimary is a PRIMARY that counts the requests of each second. It responds immediately and without sockets,
// because only the times of the requests are measured.
type fleetPrimary struct {
	start time.Time

	mu        sync.Mutex
	down      func(*http.Request) (*http.Response, error) // the responses during an outage
	changed   int64
	document  string
	updates   perSecond // responses with a last-updated time
	documents perSecond // responses with a document
	failed    perSecond // requests of both kinds during the outage
}

// perSecond has a count for each second since the start.
type perSecond []int

func (c *perSecond) count(since time.Duration) {
	now := int(since / time.Second)
	for len(*c) <= now {
		*c = append(*c, 0)
	}
	(*c)[now]++
}

func (c perSecond) at(second int) int {
	if second < len(c) {
		return c[second]
	}
	return 0
}

func newFleetPrimary() *fleetPrimary {
	return &fleetPrimary{start: time.Now(), changed: time.Now().Add(-time.Hour).Unix(), document: twoModels}
}

// RoundTrip counts the request and responds.
func (p *fleetPrimary) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := time.Since(p.start)
	switch {
	case p.down != nil:
		p.failed.count(since)
		return p.down(r)
	case strings.HasSuffix(r.URL.Path, "/last_updated"):
		p.updates.count(since)
		changed := strconv.FormatInt(p.changed, 10)
		return fleetAnswer(r, http.StatusOK, `{"category":"image_generation","last_updated":`+changed+`}`), nil
	}
	p.documents.count(since)
	return fleetAnswer(r, http.StatusOK, p.document), nil
}

func fleetAnswer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: r, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "Content-Type": {"application/json"}},
	}
}

func (p *fleetPrimary) setDown(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = answer
}

func (p *fleetPrimary) setDocument(document string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.document, p.changed = document, time.Now().Unix()
}

// fleetLoad is the load between two times after the start.
type fleetLoad struct {
	updates, documents, failed, seconds int
	peak, peakDocuments                 int // maximum of one second
}

func (p *fleetPrimary) between(from, to time.Duration) (l fleetLoad) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := int(from / time.Second); i < int(to/time.Second); i++ {
		updates, documents, failed := p.updates.at(i), p.documents.at(i), p.failed.at(i)
		l.updates, l.documents, l.failed = l.updates+updates, l.documents+documents, l.failed+failed
		l.peak, l.peakDocuments = max(l.peak, updates+documents+failed), max(l.peakDocuments, documents)
		l.seconds++
	}
	return l
}

func (l fleetLoad) requests() int { return l.updates + l.documents + l.failed }

func (l fleetLoad) mean() float64 { return float64(l.requests()) / float64(l.seconds) }

func (l fleetLoad) megabytes() float64 {
	return float64(l.updates*updatedBytes+l.documents*documentBytes) / 1e6
}

func (l fleetLoad) String() string {
	return fmt.Sprintf("%6d last-updated times %6d documents %6d failed  %5.1f/s mean %4d/s peak  %8.2f MB", l.updates, l.documents,
		l.failed, l.mean(), l.peak, l.megabytes())
}

// isSlow reports whether tests must do less: with -short, and with the race detector, which makes all tests slow.
var isSlow = sync.OnceValue(func() bool {
	info, ok := debug.ReadBuildInfo()
	return testing.Short() || ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

// fleetSize returns the number of clients.
func fleetSize() int {
	if isSlow() {
		return 200
	}
	return 1000
}

// runFleet starts the clients, spread over a time. Each client reads every few seconds while script runs. runFleet
// returns the PRIMARY and the number of stale reads.
func runFleet(t *testing.T, spread time.Duration, script func(p *fleetPrimary)) (p *fleetPrimary, stale int) {
	t.Helper()
	p = newFleetPrimary()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range fleetSize() {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			if spread > 0 {
				time.Sleep(time.Duration(random.Int64N(int64(spread))))
			}
			n := readNowAndThen(ctx, t, p, random)
			mu.Lock()
			stale += n
			mu.Unlock()
		})
	}
	script(p)
	cancel()
	wg.Wait()
	return p, stale
}

// readNowAndThen runs one client. It returns the number of its stale reads.
func readNowAndThen(ctx context.Context, t *testing.T, p *fleetPrimary, random *rand.Rand) (stale int) {
	client, err := modelref.New(modelref.WithHTTPClient(&http.Client{Transport: p}), modelref.WithoutGitHub())
	if !assert.NoError(t, err) {
		return 0
	}
	defer func() { assert.NoError(t, client.Close()) }()
	for ctx.Err() == nil {
		ref, err := client.ImageGeneration.Load(ctx)
		switch {
		case ctx.Err() != nil:
			return stale
		case !assert.NoError(t, err):
			return stale
		case ref.Stale():
			stale++
		}
		time.Sleep(2*time.Second + time.Duration(random.Int64N(int64(6*time.Second))))
	}
	return stale
}

func inFleetBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func TestFleet(t *testing.T) {
	t.Parallel()
	t.Run("steady", func(t *testing.T) { inFleetBubble(t, testFleetSteady) })
	t.Run("started at once", func(t *testing.T) { inFleetBubble(t, testFleetStartedAtOnce) })
	t.Run("outage, refused", func(t *testing.T) {
		inFleetBubble(t, func(t *testing.T) {
			testFleetOutage(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		})
	})
	t.Run("outage, 503", func(t *testing.T) {
		inFleetBubble(t, func(t *testing.T) {
			testFleetOutage(t, func(r *http.Request) (*http.Response, error) {
				return fleetAnswer(r, http.StatusServiceUnavailable, ""), nil
			})
		})
	})
	t.Run("document changes", func(t *testing.T) { inFleetBubble(t, testFleetChange) })
}

func testFleetSteady(t *testing.T) {
	p, stale := runFleet(t, time.Minute, func(*fleetPrimary) { time.Sleep(time.Hour) })
	hour, settled := p.between(0, time.Hour), p.between(2*time.Minute, time.Hour)
	t.Logf("first minute           %v", p.between(0, time.Minute))
	t.Logf("minutes 2 to 60        %v", settled)
	t.Logf("the hour               %v", hour)
	assert.Zero(t, stale)
	assert.Equal(t, fleetSize(), hour.documents, "each client downloads once")
	assert.InEpsilon(t, float64(fleetSize())/60, settled.mean(), 0.05, "one request per TTL plus the interval between two reads")
	assertNoHerd(t, settled)
}

// assertNoHerd checks that the peak is not much higher than the mean. The tolerance is the variation of independent
// clients.
func assertNoHerd(t *testing.T, l fleetLoad) {
	t.Helper()
	assert.LessOrEqual(t, float64(l.peak), 3*l.mean()+10, "the load is spread: %v", l)
}

// testFleetStartedAtOnce starts all clients at the same time. The load of the first second is inevitable, because each
// client needs the document. The load must be spread afterwards.
func testFleetStartedAtOnce(t *testing.T) {
	p, _ := runFleet(t, 0, func(*fleetPrimary) { time.Sleep(31 * time.Minute) })
	t.Logf("second 0               %v", p.between(0, time.Second))
	for _, at := range []int{1, 2, 3, 4, 5, 10, 20, 30} {
		from := time.Duration(at) * time.Minute
		t.Logf("30 s around minute %-2d   %v", at, p.between(from-30*time.Second, from+30*time.Second))
	}
	assert.Zero(t, p.between(time.Second, 31*time.Minute).documents)
	assert.LessOrEqual(t, p.between(time.Second, 31*time.Minute).peak, fleetSize()/4, "only small requests, only once")
	assertNoHerd(t, p.between(150*time.Second, 31*time.Minute))
}

func testFleetOutage(t *testing.T, down func(*http.Request) (*http.Response, error)) {
	const from, to, end = 10 * time.Minute, 20 * time.Minute, 45 * time.Minute
	p, stale := runFleet(t, time.Minute, func(p *fleetPrimary) {
		time.Sleep(from)
		p.setDown(down)
		time.Sleep(to - from)
		p.setDown(nil)
		time.Sleep(end - to)
	})
	before, outage, after := p.between(2*time.Minute, from), p.between(from, to), p.between(to, end)
	t.Logf("before                 %v", before)
	t.Logf("outage, first minute   %v", p.between(from, from+time.Minute))
	t.Logf("outage, minutes 2 - 10 %v", p.between(from+time.Minute, to))
	t.Logf("back, first minute     %v", p.between(to, to+time.Minute))
	t.Logf("back, first 5 minutes  %v", p.between(to, to+5*time.Minute))
	t.Logf("back, 25 minutes       %v", after)
	assert.NotZero(t, stale)
	assert.Less(t, outage.mean(), 1.5*before.mean(), "an outage causes few additional requests")
	assert.Less(t, p.between(from+time.Minute, to).mean(), before.mean(), "no additional requests after the breakers have opened")
	assert.LessOrEqual(t, after.documents, fleetSize()/100, "no client downloads an unchanged document")
	assert.LessOrEqual(t, float64(after.peak), 3*before.mean()+10, "the load is spread after the outage")
}

func testFleetChange(t *testing.T) {
	const at, end = 10 * time.Minute, 20 * time.Minute
	p, _ := runFleet(t, time.Minute, func(p *fleetPrimary) {
		time.Sleep(at)
		p.setDocument(threeModels)
		time.Sleep(end - at)
	})
	const seen = 70 * time.Second // a TTL and the interval between two reads
	change := p.between(at, at+seen)
	t.Logf("before                 %v", p.between(2*time.Minute, at))
	t.Logf("70 s after the change  %v, at most %d documents in a second", change, change.peakDocuments)
	t.Logf("then                   %v", p.between(at+seen, end))
	assert.GreaterOrEqual(t, change.documents, fleetSize(), "all clients have the new document")
	assertNoHerd(t, change)
	assert.LessOrEqual(t, p.between(at, end).documents, fleetSize()*11/10,
		"a client downloads twice only while the last-updated time could change again within its second")
}
