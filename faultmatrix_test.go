// The fault matrix has every fault of modelreftest, at every source, in every state of the cache. A model that does not
// use the code predicts the result of each cell from the rules of reading a category. The tests compare the results
// with these predictions.

package modelref_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// The defaults of a Client.
const (
	matrixBudget     = 20 * time.Second       // for one load with all its sources
	matrixShare      = matrixBudget * 2 / 3   // for the PRIMARY, if GitHub may be needed
	matrixUpdatedCap = matrixBudget / 4       // for the last-updated time, which can only save a download
	matrixAttempt    = 10 * time.Second       // for one attempt
	matrixBackoff    = 250 * time.Millisecond // the maximum delay before the second attempt; doubled for the third
	matrixAttempts   = 3
	matrixMaxBody    = 64 << 10
)

// effect is the effect of a fault on a response.
type effect int

const (
	harmless effect = iota // the response is valid
	spoilt                 // the first record is invalid, the others are valid
	emptied                // the document has no records
	invalid                // the response is invalid: no retry, and the breaker stays closed
	outage                 // no response: retried within the time budget, and the breaker opens
)

// matrixFault is a fault with the properties that the model needs.
type matrixFault struct {
	name    string
	make    func() modelreftest.Fault
	does    effect
	message string // a part of the error of the affected source
	// takes is the time until the response. If hangs is true, there is no response.
	takes time.Duration
	hangs bool
	// final is true for an outage that is not retried.
	final bool
	// wait is the Retry-After time, at the given time since the start of the read.
	wait func(since time.Duration) time.Duration
	// hops is the number of requests of one attempt, if it is not one.
	hops int
	// reported is true if the reference lists the fault as a rejected record.
	reported bool
}

func matrixFaults() []matrixFault {
	return append(append(matrixNetworkFaults(), matrixBodyFaults()...), matrixStatusFaults()...)
}

func scripted(f modelreftest.Fault) func() modelreftest.Fault {
	return func() modelreftest.Fault { return f }
}

// matrixNetworkFaults returns the faults of the network. An untrusted certificate is not retried, because it does not
// change.
func matrixNetworkFaults() []matrixFault {
	return []matrixFault{
		{name: "none", make: modelreftest.OK},
		{name: "refused", make: modelreftest.Refused, does: outage, message: "connection refused"},
		{name: "reset before headers", make: modelreftest.Reset, does: outage, message: "connection reset"},
		{name: "reset in the body", make: modelreftest.ResetInBody, does: outage, message: "connection reset"},
		{name: "DNS failure", make: modelreftest.DNSFailure, does: outage, message: "no such host"},
		{name: "TLS failure", make: modelreftest.TLSFailure, does: outage, final: true, message: "certificate"},
		{name: "stall before headers", make: modelreftest.Stall, does: outage, hangs: true, message: "no response in time"},
		{
			name: "slow trickle", make: scripted(modelreftest.Trickle(time.Second)), does: outage, hangs: true,
			message: "reading the body",
		},
		{name: "slow", make: scripted(modelreftest.Delay(3 * time.Second)), takes: 3 * time.Second},
		{name: "truncated", make: modelreftest.Truncated, does: outage, message: "unexpected EOF"},
		{name: "redirect loop", make: modelreftest.RedirectLoop, does: invalid, hops: 10, message: "redirect"},
		{
			name: "redirect to a host that refuses", make: scripted(modelreftest.RedirectTo("http://127.0.0.1:9/x")),
			does: outage, message: "connection refused",
		},
		{
			name: "redirect to a login page", make: scripted(modelreftest.RedirectTo("http://" + portalHost + "/login")),
			does: invalid, message: "document is no",
		},
	}
}

// matrixBodyFaults returns responses with status 200 and an unexpected body.
func matrixBodyFaults() []matrixFault {
	body := func(text string) func() modelreftest.Fault {
		return scripted(modelreftest.Body(http.StatusOK, "application/json", text))
	}
	const no = "document is no"
	return []matrixFault{
		{name: "wrong length", make: modelreftest.WrongLength, does: invalid, message: no},
		{name: "gzip bomb", make: scripted(modelreftest.GzipBomb(1 << 20)), does: invalid, message: "larger than"},
		{name: "oversized body", make: scripted(modelreftest.Oversized(1 << 20)), does: invalid, message: "larger than"},
		{name: "HTML", make: scripted(modelreftest.HTML(http.StatusOK)), does: invalid, message: no},
		{name: "empty", make: modelreftest.Empty, does: invalid, message: no},
		{name: "null", make: body("null"), does: invalid, message: no},
		{name: "list", make: body(`[{"name":"a"}]`), does: invalid, message: no},
		{name: "no valid record", make: body(`{"a":1,"b":[]}`), does: invalid, message: no},
		{name: "empty object", make: body(`{}`), does: emptied},
		{name: "invalid UTF-8", make: modelreftest.InvalidUTF8, does: spoilt, reported: true},
		{name: "duplicate names", make: modelreftest.DuplicateNames, reported: true},
		{name: "deep nesting", make: scripted(modelreftest.DeepNesting(20_000)), does: invalid, message: no},
	}
}

// matrixStatusFaults returns the error statuses, and 429 with several values of Retry-After.
func matrixStatusFaults() []matrixFault {
	var out []matrixFault
	for _, code := range []int{401, 403, 404, 422, 408, 429, 500, 502, 503, 504} {
		f := matrixFault{
			name: fmt.Sprint(code), make: scripted(modelreftest.Status(code)), does: invalid, message: fmt.Sprint(code),
		}
		if code == 408 || code == 429 || code >= 500 {
			f.does = outage
		}
		out = append(out, f)
	}
	out = append(out, matrixFault{
		name: "HTML 502", make: scripted(modelreftest.HTML(http.StatusBadGateway)), does: outage, message: "502",
	})
	always := func(d time.Duration) func(time.Duration) time.Duration {
		return func(time.Duration) time.Duration { return d }
	}
	for _, r := range []struct {
		name, header string
		wait         func(time.Duration) time.Duration
	}{
		{"429, Retry-After 2", "2", always(2 * time.Second)},
		{"429, Retry-After 7", "7", always(7 * time.Second)},
		{"429, Retry-After 3600", "3600", always(time.Hour)},
		{"429, Retry-After negative", "-5", nil},
		{"429, Retry-After absurd", "99999999999999999999999", always(1 << 62)},
		{"429, Retry-After nonsense", "soon", nil},
	} {
		out = append(out, matrixFault{
			name: r.name, make: scripted(modelreftest.RetryAfter(429, r.header)), does: outage, message: "429", wait: r.wait,
		})
	}
	return append(out, dated("429, Retry-After a date", 3*time.Second), dated("429, Retry-After an old date", -time.Hour))
}

// dated returns a 429 with a date. The date and the clock that it is compared with are in whole seconds.
func dated(name string, in time.Duration) matrixFault {
	return matrixFault{
		name: name, does: outage, message: "429",
		make: func() modelreftest.Fault {
			return modelreftest.RetryAfter(429, time.Now().Add(in).UTC().Format(http.TimeFormat))
		},
		wait: func(since time.Duration) time.Duration { return max(in-since.Truncate(time.Second), 0) },
	}
}

// matrixPlace is the place of the fault.
type matrixPlace struct {
	name                       string
	documents, updated, github bool
	// refused means that the PRIMARY is down as well, so that GitHub is used.
	refused bool
}

var matrixPlaces = []matrixPlace{
	{name: "documents", documents: true},
	{name: "last_updated", updated: true},
	{name: "PRIMARY", documents: true, updated: true},
	{name: "GitHub", github: true},
	{name: "GitHub, PRIMARY down", github: true, refused: true},
	{name: "both", documents: true, updated: true, github: true},
}

// apply adds the fault to the server.
func (w *matrixPlace) apply(server *modelreftest.Server, f modelreftest.Fault) {
	if w.refused {
		server.Break(modelreftest.Primary, modelreftest.Refused())
	}
	for endpoint, broken := range map[modelreftest.Endpoint]bool{
		modelreftest.Documents: w.documents, modelreftest.LastUpdated: w.updated, modelreftest.GitHub: w.github,
	} {
		if broken {
			server.Break(endpoint, f)
		}
	}
}

// matrixState is the state of the Client when the fault starts.
type matrixState struct {
	name   string
	loaded bool          // the Client has read twoModels before, with a cache directory
	ago    time.Duration // the time since that read
	same   bool          // the PRIMARY has nothing newer; otherwise it has threeModels
	again  bool          // the Client was restarted after the read
}

var matrixStates = []matrixState{
	{name: "cold"},
	{name: "fresh", loaded: true, ago: 30 * time.Second},
	{name: "stale", loaded: true, ago: minute},
	{name: "stale, unchanged", loaded: true, ago: minute, same: true},
	{name: "stale for 2 h", loaded: true, ago: 2 * time.Hour},
	{name: "disk only", loaded: true, ago: 2 * time.Hour, again: true},
}

// inMemory reports whether there is a copy in memory that is younger than d.
func (s *matrixState) inMemory(d time.Duration) bool { return s.loaded && !s.again && s.ago < d }

// forecast is the predicted result.
type forecast struct {
	origin      modelref.Source // SourceNone if the read returns an error
	stale       bool
	names       []string
	requests    int
	least, most time.Duration
	failures    map[modelref.Source]string // a part of the error of each source that failed
	open        map[modelref.Source]bool   // the sources whose breaker opens
	written     bool                       // the document on disk has changed
	reported    bool                       // the reference lists the invalid record
	met         bool                       // a request is affected by the fault
}

var (
	namesBefore = []string{"Small/1", "Large?"}
	namesNow    = []string{"Small/1", "Large?", "New"}
)

// predict processes the sources in their order.
func predict(f *matrixFault, w *matrixPlace, s *matrixState) *forecast {
	p := &forecast{failures: map[modelref.Source]string{}, open: map[modelref.Source]bool{}, names: namesNow}
	if s.same {
		p.names = namesBefore
	}
	if s.inMemory(time.Minute) { // fresh: no request
		p.origin, p.names = modelref.SourcePrimary, namesBefore
		return p
	}
	refused := &matrixFault{does: outage, message: "connection refused"}
	at := func(here, primary bool) *matrixFault {
		switch {
		case primary && w.refused:
			return refused
		case here:
			p.met = true
			return f
		}
		return &matrixFault{}
	}
	if s.inMemory(time.Hour) { // downloaded from the PRIMARY within the hour: the last-updated time may save the download
		updated := at(w.updated, true)
		if p.ask(updated, 1, matrixUpdatedCap, matrixUpdatedCap) && updated.does != emptied && s.same {
			p.origin = modelref.SourcePrimary
			return p
		}
	}
	if p.source(modelref.SourcePrimary, at(w.documents, true), s, matrixShare) {
		return p
	}
	if !s.inMemory(time.Hour) && p.source(modelref.SourceGitHub, at(w.github, false), s, matrixBudget) {
		return p
	}
	p.useCopy(s)
	return p
}

// source requests the document and reports whether the read is complete.
func (p *forecast) source(origin modelref.Source, f *matrixFault, s *matrixState, until time.Duration) bool {
	if !p.ask(f, matrixAttempts, matrixAttempt, until) {
		p.failures[origin], p.open[origin] = f.message, f.does == outage
		return false
	}
	if f.does == emptied && s.loaded {
		p.useCopy(s) // the empty document must be confirmed
		return true
	}
	p.origin, p.reported = origin, f.reported
	p.written = !s.same || origin != modelref.SourcePrimary || f.reported // otherwise the document is the same
	switch f.does {
	case spoilt:
		p.names = p.names[1:]
	case emptied:
		p.names = nil
	}
	return true
}

// ask predicts the attempts for one resource. It reports whether an attempt has a usable response.
func (p *forecast) ask(f *matrixFault, attempts int, perAttempt, until time.Duration) bool {
	for i := range attempts {
		p.requests += max(f.hops, 1)
		spent := f.takes
		if f.hangs {
			spent = perAttempt
		}
		p.pass(spent, spent, until)
		switch {
		case f.does < invalid:
			return true
		case f.does == invalid || f.final || i == attempts-1 || p.least >= until:
			return false
		}
		var wait time.Duration
		if f.wait != nil {
			wait = f.wait(p.least)
		}
		switch {
		case wait >= until-p.least:
			return false // exceeds the time that is left
		case wait > 0:
			p.pass(wait, wait, until)
		default:
			p.pass(0, matrixBackoff<<i, until)
		}
	}
	return false
}

func (p *forecast) pass(least, most, until time.Duration) {
	p.least, p.most = min(p.least+least, until), min(p.most+most, until)
}

// useCopy returns the copy in memory. If there is none, it returns the copy on disk or nothing.
func (p *forecast) useCopy(s *matrixState) {
	p.stale, p.names = s.loaded, namesBefore
	switch {
	case s.inMemory(1 << 62):
		p.origin = modelref.SourcePrimary
	case s.loaded:
		p.origin = modelref.SourceDisk
	default:
		p.names = nil
	}
}

// matrixCell is one cell of the matrix.
type matrixCell struct {
	server   *modelreftest.Server
	client   *modelref.Client
	dir      string
	mu       sync.Mutex
	failures map[modelref.Source]error // the error of each source that failed
	keys     int                       // the number of API keys that the portal received
}

// portalHost is a host that responds to every request with a login page.
const portalHost = "portal.example"

// RoundTrip sends requests to all hosts.
func (c *matrixCell) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != portalHost {
		return c.server.HTTPClient().Transport.RoundTrip(r)
	}
	if r.Header.Get("apikey") != "" {
		c.keys++
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, ContentLength: -1, Request: r,
		Body: io.NopCloser(strings.NewReader("<html><title>Log in</title></html>")),
	}, nil
}

func (c *matrixCell) newClient(t *testing.T, options ...modelref.Option) *modelref.Client {
	t.Helper()
	client, err := modelref.New(append(append(c.server.Options(),
		modelref.WithHTTPClient(&http.Client{Transport: c}), modelref.WithCacheDir(c.dir), modelref.WithAPIKey("secret"),
		modelref.WithMaxBodyBytes(matrixMaxBody), modelref.WithObserver(c.observe),
		modelref.WithRefreshWait(matrixBudget)), options...)...) // the cells compare the result of the load
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *matrixCell) observe(e modelref.Event) {
	if e.Kind == modelref.EventSourceFailed {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failures[e.Source] = e.Err
	}
}

// newMatrixCell creates a Client in the state.
func newMatrixCell(t *testing.T, s *matrixState) *matrixCell {
	t.Helper()
	first := twoModels
	if !s.loaded {
		first = threeModels
	}
	c := &matrixCell{
		dir: t.TempDir(), failures: map[modelref.Source]error{},
		server: modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryImageGeneration, first)),
	}
	c.client = c.newClient(t)
	if s.loaded {
		load(t, c.client)
		time.Sleep(s.ago)
	}
	if s.loaded && !s.same {
		c.server.SetDocument(modelref.CategoryImageGeneration, threeModels)
	}
	if s.again {
		require.NoError(t, c.client.Close())
		c.client = c.newClient(t)
	}
	c.server.ResetRequests()
	return c
}

// onDisk returns the document in the cache directory, or "".
func (c *matrixCell) onDisk() string {
	data, _ := os.ReadFile(filepath.Join(c.dir, "stable_diffusion.json")) // a cold Client has no file
	return string(data)
}

func namesOf(ref *modelref.Reference[modelref.ImageGenerationRecord]) []string {
	if ref.Len() == 0 {
		return nil
	}
	return ref.Names()
}

// check reads once with the fault and compares the result with the forecast. It returns a line of the table.
func (c *matrixCell) check(t *testing.T, want *forecast) string {
	before, start := c.onDisk(), time.Now()
	ref, err := c.client.ImageGeneration.Load(t.Context())
	took, requests := time.Since(start), len(c.server.Requests())
	after := c.onDisk()

	origin, stale := modelref.SourceNone, false
	if err == nil {
		origin, stale = ref.Source(), ref.Stale()
	} else {
		require.ErrorIs(t, err, modelref.ErrUnavailable)
		assert.NotContains(t, err.Error(), "\n")
	}
	assert.Equal(t, want.origin.String(), origin.String(), "source")
	assert.Equal(t, want.stale, stale, "stale")
	assert.Equal(t, want.names, namesOf(ref), "records")
	assert.Equal(t, want.requests, requests, "requests")
	assert.GreaterOrEqual(t, took, want.least, "time")
	assert.LessOrEqual(t, took, want.most, "time")
	assert.LessOrEqual(t, took, matrixBudget, "the budget")
	assert.Equal(t, want.written, before != after, "the document on disk is another one")
	assert.Zero(t, c.keys, "the API key went to another host")
	if err == nil {
		assert.Equal(t, want.reported, len(ref.Rejected()) > 0, "rejected: %v", ref.Rejected())
	}
	return fmt.Sprintf(matrixRow, origin, fmt.Sprint(stale), fmt.Sprint(requests), seconds(took), seconds(want.most),
		c.checkFailures(t, want, err))
}

// matrixRow is the format of a line: the source, whether it is stale, the requests, the time, the longest time that the
// rules allow, and the errors.
const matrixRow = "%-8s %-6s %8s %8s %8s  %s"

func seconds(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

// checkFailures compares the errors of the sources and the opened breakers. It returns the first line of the error.
func (c *matrixCell) checkFailures(t *testing.T, want *forecast, err error) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	status, head := c.client.Status(), ""
	for origin, breaker := range map[modelref.Source]modelref.SourceStatus{
		modelref.SourcePrimary: status.Primary, modelref.SourceGitHub: status.GitHub,
	} {
		message, failed := want.failures[origin]
		assert.Equal(t, failed, c.failures[origin] != nil, "%s failed: %v", origin, c.failures[origin])
		assert.Equal(t, want.open[origin], breaker.BreakerOpen, "breaker of %s: %v", origin, breaker.LastError)
		if failed && c.failures[origin] != nil {
			assert.Contains(t, c.failures[origin].Error(), message)
			if err != nil {
				assert.Contains(t, err.Error(), origin.String(), "the error has the source")
				assert.Contains(t, err.Error(), message)
			}
		}
	}
	for _, origin := range []modelref.Source{modelref.SourcePrimary, modelref.SourceGitHub} {
		if failures := c.failures[origin]; failures != nil && err == nil {
			head += modelref.SourceError{Source: origin, Err: failures}.String() + "  "
		}
	}
	if err != nil {
		head = strings.TrimPrefix(err.Error(), "modelref: image_generation: ")
	}
	at := strings.TrimSuffix(c.server.URL(), "/fake/api")
	head = strings.NewReplacer(c.server.URL(), "PRIMARY", c.server.GitHubURL(), "GITHUB", strings.TrimPrefix(at, "http://"),
		"HOST").Replace(head) // the port is random
	return firstRunes(strings.TrimSpace(head), 130)
}

func firstRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}

// checkAfterwards makes every source unavailable, restarts the Client, and makes the sources available again. The copy
// must still be in memory and on disk, and the PRIMARY must be read again within ten minutes, because the longest delay
// of a breaker is five minutes. If a valid response had wrong data, its last-updated time hides the change until the
// hourly download.
func (c *matrixCell) checkAfterwards(t *testing.T, s *matrixState, want *forecast) {
	kept := c.onDisk()
	c.server.Break(modelreftest.Primary, modelreftest.Refused())
	c.server.Heal(modelreftest.Documents)
	c.server.Heal(modelreftest.LastUpdated)
	c.server.Break(modelreftest.GitHub, modelreftest.Refused())
	time.Sleep(minute)
	ref, err := c.client.ImageGeneration.Load(t.Context())
	if want.origin == modelref.SourceNone {
		require.ErrorIs(t, err, modelref.ErrUnavailable)
	} else {
		require.NoError(t, err)
		assert.Equal(t, want.names, namesOf(ref), "the copy in memory is kept")
	}
	assert.Equal(t, kept, c.onDisk(), "the copy on disk is kept")

	restarted, err := c.newClient(t, modelref.WithOffline()).ImageGeneration.Load(t.Context())
	if kept == "" {
		require.ErrorIs(t, err, modelref.ErrUnavailable)
	} else {
		require.NoError(t, err)
		assert.Equal(t, want.names, namesOf(restarted), "the copy is returned after a restart")
	}

	c.server.Heal(modelreftest.Primary)
	time.Sleep(10 * time.Minute)
	if want.written && len(want.names) < len(namesNow) {
		time.Sleep(time.Hour)
	}
	ref = load(t, c.client)
	assert.Equal(t, modelref.SourcePrimary, ref.Source())
	assert.False(t, ref.Stale())
	if s.same {
		assert.Equal(t, namesBefore, namesOf(ref))
		return
	}
	assert.Equal(t, namesNow, namesOf(ref), "the change is not lost")
}

// TestFaultMatrix with -v prints a table with a line for each cell.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	faults := matrixFaults()
	tables := make([][]string, len(faults))
	t.Run("cells", func(t *testing.T) {
		for i := range faults {
			t.Run(faults[i].name, func(t *testing.T) {
				t.Parallel()
				tables[i] = testMatrixFault(t, &faults[i])
			})
		}
	})
	if testing.Verbose() {
		lines := slices.Concat(tables...)
		t.Logf("%d cells\n%-34s %-20s %-16s "+matrixRow+"\n%s", len(lines), "fault", "at", "state", "source", "stale",
			"requests", "time", "at most", "errors", strings.Join(lines, "\n"))
	}
}

// testMatrixFault tests one fault at all places and returns its lines of the table. With -short or -race it skips the
// cells in which no request is affected by the fault.
func testMatrixFault(t *testing.T, f *matrixFault) []string {
	var lines []string
	for _, w := range matrixPlaces {
		for _, s := range matrixStates {
			want := predict(f, &w, &s)
			if !want.met && isSlow() {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				cell := fmt.Sprintf("%-34s %-20s %-16s ", f.name, w.name, s.name)
				defer func() {
					if t.Failed() {
						t.Log("cell: " + cell)
					}
				}()
				c := newMatrixCell(t, &s)
				w.apply(c.server, f.make())
				cell += c.check(t, want)
				lines = append(lines, strings.TrimSpace(cell))
				c.checkAfterwards(t, &s, want)
			})
		}
	}
	return lines
}

// TestAnOutageDoesNotDisableTheLastUpdatedTime tests an outage of the document and of its last-updated time. This does
// not mean that the deployment has no last-updated times. If the Client did not request them for an hour, every read
// after the outage would be a download.
func TestAnOutageDoesNotDisableTheLastUpdatedTime(t *testing.T) {
	for name, test := range map[string]struct {
		endpoint modelreftest.Endpoint
		want     string
	}{
		"the whole PRIMARY": {modelreftest.Primary, "last_updated last_updated"},
		"only last_updated": {modelreftest.LastUpdated, "documents documents"}, // the last-updated time is not requested for a while
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				client := server.Client(t)
				load(t, client)
				time.Sleep(minute)
				server.Break(test.endpoint, modelreftest.Status(http.StatusServiceUnavailable))
				load(t, client)
				server.Heal(modelreftest.Primary)
				time.Sleep(minute)
				server.ResetRequests()
				load(t, client)
				time.Sleep(minute)
				load(t, client)
				assert.Equal(t, test.want, requested(server))
				time.Sleep(15 * time.Minute)
				load(t, client)
				assert.Equal(t, "last_updated", requested(server))
			})
		})
	}
}

// TestTheProbeIsNotRetried checks that a source that is down gets one request of each client, not three.
func TestTheProbeIsNotRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		client := server.Client(t)
		for _, want := range []string{"documents documents documents github github github", "documents github"} {
			_, err := client.ImageGeneration.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.Equal(t, want, requested(server))
			time.Sleep(minute)
		}
	})
}

// A reader that can get a usable copy waits at most for the refresh wait and a tenth. This is true for each fault at
// each source, also after a restart, and if the store hangs.
func TestNoReaderWaitsLongForAUsableCopy(t *testing.T) {
	states := []matrixState{
		{name: "stale", loaded: true, ago: minute},
		{name: "stale, unchanged", loaded: true, ago: minute, same: true},
		{name: "stale, restarted", loaded: true, ago: minute, again: true},
	}
	var longest time.Duration
	for _, f := range matrixFaults() {
		for _, w := range matrixPlaces {
			for _, s := range states {
				synctest.Test(t, func(t *testing.T) {
					c := newMatrixCell(t, &s)
					require.NoError(t, c.client.Close())
					c.client = c.newClient(t, modelref.WithRefreshWait(time.Second))
					if !s.again {
						load(t, c.client) // from the cache directory, into memory
					}
					w.apply(c.server, f.make())
					start := time.Now()
					ref, err := c.client.ImageGeneration.Load(t.Context())
					took := time.Since(start)
					longest = max(longest, took)
					require.NoError(t, err, "%s at %s, %s", f.name, w.name, s.name)
					require.LessOrEqual(t, took, 1100*time.Millisecond, "%s at %s, %s", f.name, w.name, s.name)
					require.NotZero(t, ref.Len())
				})
			}
		}
	}
	t.Logf("%d cells, the longest read took %s", len(matrixFaults())*len(matrixPlaces)*len(states), longest)
}
