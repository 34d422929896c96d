// The fault matrix: every fault that modelreftest can script, at every source, in every state of the cache. What is to
// happen is worked out from the rules of reading a category, in a model that knows nothing of the code, and compared.

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

// The defaults of a Client that the rules speak of.
const (
	matrixBudget   = 20 * time.Second       // of one read with all its sources
	matrixShare    = matrixBudget * 2 / 3   // of that for the PRIMARY, where GitHub may be needed
	matrixStampCap = matrixBudget / 4       // of that for the change stamp, which is only to save a download
	matrixAttempt  = 10 * time.Second       // of one attempt
	matrixBackoff  = 250 * time.Millisecond // the longest wait before the second attempt; doubled for the third
	matrixAttempts = 3
	matrixMaxBody  = 64 << 10
)

// effect is what a fault does to one answer.
type effect int

const (
	harmless effect = iota // the answer is as good as any
	spoilt                 // its first record is lost, the others stand
	emptied                // it has no records any more
	misfit                 // it is an answer, but no reference: not tried again, no breaker
	outage                 // nobody is there: tried again inside the budget, the breaker opens
)

// matrixFault is a fault with what the rules need to know of it.
type matrixFault struct {
	name string
	make func() modelreftest.Fault
	does effect
	says string // a part of what is told of a source that met it
	// takes is how long an answer takes; hangs means that it never comes.
	takes time.Duration
	hangs bool
	// final is an outage that trying again cannot help.
	final bool
	// wait is how long the answer asks to be left alone, that long after the read began.
	wait func(since time.Duration) time.Duration
	// hops is how many requests one attempt is, where that is not one.
	hops int
	// reported is a fault that a reference which has it lists as rejected.
	reported bool
}

func matrixFaults() []matrixFault {
	return append(append(matrixNetworkFaults(), matrixBodyFaults()...), matrixStatusFaults()...)
}

func scripted(f modelreftest.Fault) func() modelreftest.Fault {
	return func() modelreftest.Fault { return f }
}

// matrixNetworkFaults are those on the way. A certificate that is not trusted now is not a moment later either.
func matrixNetworkFaults() []matrixFault {
	return []matrixFault{
		{name: "none", make: modelreftest.OK},
		{name: "refused", make: modelreftest.Refused, does: outage, says: "connection refused"},
		{name: "reset before headers", make: modelreftest.Reset, does: outage, says: "connection reset"},
		{name: "reset in the body", make: modelreftest.ResetInBody, does: outage, says: "connection reset"},
		{name: "DNS failure", make: modelreftest.DNSFailure, does: outage, says: "no such host"},
		{name: "TLS failure", make: modelreftest.TLSFailure, does: outage, final: true, says: "certificate"},
		{name: "stall before headers", make: modelreftest.Stall, does: outage, hangs: true, says: "no answer in time"},
		{
			name: "slow trickle", make: scripted(modelreftest.Trickle(time.Second)), does: outage, hangs: true,
			says: "reading the body",
		},
		{name: "slow", make: scripted(modelreftest.Delay(3 * time.Second)), takes: 3 * time.Second},
		{name: "truncated", make: modelreftest.Truncated, does: outage, says: "unexpected EOF"},
		{name: "redirect loop", make: modelreftest.RedirectLoop, does: misfit, hops: 10, says: "redirect"},
		{
			name: "redirect to a host that refuses", make: scripted(modelreftest.RedirectTo("http://127.0.0.1:9/x")),
			does: outage, says: "connection refused",
		},
		{
			name: "redirect to a login page", make: scripted(modelreftest.RedirectTo("http://" + portalHost + "/login")),
			does: misfit, says: "document is no",
		},
	}
}

// matrixBodyFaults are answers with a status of 200 that are not what was asked for.
func matrixBodyFaults() []matrixFault {
	body := func(text string) func() modelreftest.Fault {
		return scripted(modelreftest.Body(http.StatusOK, "application/json", text))
	}
	const no = "document is no"
	return []matrixFault{
		{name: "wrong length", make: modelreftest.WrongLength, does: misfit, says: no},
		{name: "gzip bomb", make: scripted(modelreftest.GzipBomb(1 << 20)), does: misfit, says: "larger than"},
		{name: "oversized body", make: scripted(modelreftest.Oversized(1 << 20)), does: misfit, says: "larger than"},
		{name: "HTML", make: scripted(modelreftest.HTML(http.StatusOK)), does: misfit, says: no},
		{name: "empty", make: modelreftest.Empty, does: misfit, says: no},
		{name: "null", make: body("null"), does: misfit, says: no},
		{name: "list", make: body(`[{"name":"a"}]`), does: misfit, says: no},
		{name: "no record decodes", make: body(`{"a":1,"b":[]}`), does: misfit, says: no},
		{name: "empty object", make: body(`{}`), does: emptied},
		{name: "invalid UTF-8", make: modelreftest.InvalidUTF8, does: spoilt, reported: true},
		{name: "duplicate names", make: modelreftest.DuplicateNames, reported: true},
		{name: "deep nesting", make: scripted(modelreftest.DeepNesting(20_000)), does: misfit, says: no},
	}
}

// matrixStatusFaults are the statuses, and what a 429 may ask for.
func matrixStatusFaults() []matrixFault {
	var out []matrixFault
	for _, code := range []int{401, 403, 404, 422, 408, 429, 500, 502, 503, 504} {
		f := matrixFault{
			name: fmt.Sprint(code), make: scripted(modelreftest.Status(code)), does: misfit, says: fmt.Sprint(code),
		}
		if code == 408 || code == 429 || code >= 500 {
			f.does = outage
		}
		out = append(out, f)
	}
	out = append(out, matrixFault{
		name: "HTML 502", make: scripted(modelreftest.HTML(http.StatusBadGateway)), does: outage, says: "502",
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
			name: r.name, make: scripted(modelreftest.RetryAfter(429, r.header)), does: outage, says: "429", wait: r.wait,
		})
	}
	return append(out, dated("429, Retry-After a date", 3*time.Second), dated("429, Retry-After a date long past", -time.Hour))
}

// dated is a 429 until a date. Dates have whole seconds, and so has the clock that they are held against.
func dated(name string, in time.Duration) matrixFault {
	return matrixFault{
		name: name, does: outage, says: "429",
		make: func() modelreftest.Fault {
			return modelreftest.RetryAfter(429, time.Now().Add(in).UTC().Format(http.TimeFormat))
		},
		wait: func(since time.Duration) time.Duration { return max(in-since.Truncate(time.Second), 0) },
	}
}

// matrixTier is where the fault is.
type matrixTier struct {
	name                     string
	documents, stamp, github bool
	// refused says that the PRIMARY is gone anyhow, so that GitHub is asked.
	refused bool
}

var matrixTiers = []matrixTier{
	{name: "documents", documents: true},
	{name: "stamp", stamp: true},
	{name: "PRIMARY", documents: true, stamp: true},
	{name: "GitHub", github: true},
	{name: "GitHub, PRIMARY gone", github: true, refused: true},
	{name: "both", documents: true, stamp: true, github: true},
}

// apply breaks the server.
func (w *matrixTier) apply(server *modelreftest.Server, f modelreftest.Fault) {
	if w.refused {
		server.Break(modelreftest.Primary, modelreftest.Refused())
	}
	for tier, broken := range map[modelreftest.Tier]bool{
		modelreftest.Documents: w.documents, modelreftest.Stamp: w.stamp, modelreftest.GitHub: w.github,
	} {
		if broken {
			server.Break(tier, f)
		}
	}
}

// matrixState is what the Client has when the fault strikes.
type matrixState struct {
	name   string
	loaded bool          // it has read twoModels before, with a cache directory
	ago    time.Duration // how long before that was
	same   bool          // the PRIMARY has nothing newer; else it has threeModels
	again  bool          // it was restarted since
}

var matrixStates = []matrixState{
	{name: "cold"},
	{name: "fresh", loaded: true, ago: 30 * time.Second},
	{name: "stale", loaded: true, ago: minute},
	{name: "stale, unchanged", loaded: true, ago: minute, same: true},
	{name: "stale for 2 h", loaded: true, ago: 2 * time.Hour},
	{name: "disk only", loaded: true, ago: 2 * time.Hour, again: true},
}

// inMemory reports whether there is a last good copy in memory, younger than d.
func (s *matrixState) inMemory(d time.Duration) bool { return s.loaded && !s.again && s.ago < d }

// forecast is what the rules say will happen.
type forecast struct {
	origin      modelref.Origin // OriginNone for an error
	stale       bool
	names       []string
	requests    int
	least, most time.Duration
	told        map[modelref.Origin]string // a part of what is told of each source that failed
	open        map[modelref.Origin]bool   // the breakers that open
	written     bool                       // the document on disk is another one
	reported    bool                       // the reference lists what is wrong with it
	met         bool                       // a request meets the fault at all
}

var (
	namesBefore = []string{"Small/1", "Large?"}
	namesNow    = []string{"Small/1", "Large?", "New"}
)

// predict goes through the sources in their order.
func predict(f *matrixFault, w *matrixTier, s *matrixState) *forecast {
	p := &forecast{told: map[modelref.Origin]string{}, open: map[modelref.Origin]bool{}, names: namesNow}
	if s.same {
		p.names = namesBefore
	}
	if s.inMemory(time.Minute) { // fresh: nobody is asked
		p.origin, p.names = modelref.OriginPrimary, namesBefore
		return p
	}
	gone := &matrixFault{does: outage, says: "connection refused"}
	at := func(here, primary bool) *matrixFault {
		switch {
		case primary && w.refused:
			return gone
		case here:
			p.met = true
			return f
		}
		return &matrixFault{}
	}
	if s.inMemory(time.Hour) { // from the PRIMARY, downloaded within the hour: its stamp may save the download
		stamp := at(w.stamp, true)
		if p.ask(stamp, 1, matrixStampCap, matrixStampCap) && stamp.does != emptied && s.same {
			p.origin = modelref.OriginPrimary
			return p
		}
	}
	if p.source(modelref.OriginPrimary, at(w.documents, true), s, matrixShare) {
		return p
	}
	if !s.inMemory(time.Hour) && p.source(modelref.OriginGitHub, at(w.github, false), s, matrixBudget) {
		return p
	}
	p.serveLastGood(s)
	return p
}

// source asks for the document, and reports whether that settles the read.
func (p *forecast) source(origin modelref.Origin, f *matrixFault, s *matrixState, until time.Duration) bool {
	if !p.ask(f, matrixAttempts, matrixAttempt, until) {
		p.told[origin], p.open[origin] = f.says, f.does == outage
		return false
	}
	if f.does == emptied && s.loaded {
		p.serveLastGood(s) // it counts only when it is said again
		return true
	}
	p.origin, p.reported = origin, f.reported
	p.written = !s.same || origin != modelref.OriginPrimary || f.reported // else it is the same document once more
	switch f.does {
	case spoilt:
		p.names = p.names[1:]
	case emptied:
		p.names = nil
	}
	return true
}

// ask works out the attempts at one resource, and reports whether one brings an answer that is of use.
func (p *forecast) ask(f *matrixFault, attempts int, perAttempt, until time.Duration) bool {
	for i := range attempts {
		p.requests += max(f.hops, 1)
		spent := f.takes
		if f.hangs {
			spent = perAttempt
		}
		p.pass(spent, spent, until)
		switch {
		case f.does < misfit:
			return true
		case f.does == misfit || f.final || i == attempts-1 || p.least >= until:
			return false
		}
		var wait time.Duration
		if f.wait != nil {
			wait = f.wait(p.least)
		}
		switch {
		case wait >= until-p.least:
			return false // longer than there is
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

// serveLastGood serves what memory has, else the disk, else nothing.
func (p *forecast) serveLastGood(s *matrixState) {
	p.stale, p.names = s.loaded, namesBefore
	switch {
	case s.inMemory(1 << 62):
		p.origin = modelref.OriginPrimary
	case s.loaded:
		p.origin = modelref.OriginDisk
	default:
		p.names = nil
	}
}

// matrixCell is one cell under test.
type matrixCell struct {
	server *modelreftest.Server
	client *modelref.Client
	dir    string
	mu     sync.Mutex
	told   map[modelref.Origin]error // what failed, by its source
	keys   int                       // API keys that came to the portal
}

// portalHost is a host that answers whatever it is asked with a page to log in at.
const portalHost = "portal.example"

// RoundTrip is the way to all hosts there are.
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
		modelref.WithMaxBodyBytes(matrixMaxBody), modelref.WithObserver(c.observe)), options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *matrixCell) observe(e modelref.Event) {
	if e.Kind == modelref.EventSourceFailed {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told[e.Origin] = e.Err
	}
}

// newMatrixCell brings a Client into the state.
func newMatrixCell(t *testing.T, s *matrixState) *matrixCell {
	t.Helper()
	first := twoModels
	if !s.loaded {
		first = threeModels
	}
	c := &matrixCell{
		dir: t.TempDir(), told: map[modelref.Origin]error{},
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
	data, _ := os.ReadFile(filepath.Join(c.dir, "stable_diffusion.json")) // a cold Client has none
	return string(data)
}

func namesOf(ref *modelref.Reference[modelref.ImageGenerationRecord]) []string {
	if ref.Len() == 0 {
		return nil
	}
	return ref.Names()
}

// check reads once under the fault, compares with the forecast, and returns a line for the table.
func (c *matrixCell) check(t *testing.T, want *forecast) string {
	before, start := c.onDisk(), time.Now()
	ref, err := c.client.ImageGeneration.Load(t.Context())
	took, requests := time.Since(start), len(c.server.Requests())
	after := c.onDisk()

	origin, stale := modelref.OriginNone, false
	if err == nil {
		origin, stale = ref.Origin(), ref.Stale()
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
		c.checkTold(t, want, err))
}

// matrixRow has the source, whether it is stale, the requests, the time, the longest time by the rules, what was told.
const matrixRow = "%-8s %-6s %8s %8s %8s  %s"

func seconds(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

// checkTold compares what is told of each source, and which breakers opened. It returns the error's head.
func (c *matrixCell) checkTold(t *testing.T, want *forecast, err error) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	status, head := c.client.Status(), ""
	for origin, breaker := range map[modelref.Origin]modelref.SourceStatus{
		modelref.OriginPrimary: status.Primary, modelref.OriginGitHub: status.GitHub,
	} {
		says, failed := want.told[origin]
		assert.Equal(t, failed, c.told[origin] != nil, "%s failed: %v", origin, c.told[origin])
		assert.Equal(t, want.open[origin], breaker.CoolingDown, "breaker of %s: %v", origin, breaker.LastError)
		if failed && c.told[origin] != nil {
			assert.Contains(t, c.told[origin].Error(), says)
			if err != nil {
				assert.Contains(t, err.Error(), origin.String(), "the source is named")
				assert.Contains(t, err.Error(), says)
			}
		}
	}
	for _, origin := range []modelref.Origin{modelref.OriginPrimary, modelref.OriginGitHub} {
		if told := c.told[origin]; told != nil && err == nil {
			head += modelref.Attempt{Origin: origin, Err: told}.String() + "  "
		}
	}
	if err != nil {
		head = strings.TrimPrefix(err.Error(), "modelref: image_generation: ")
	}
	at := strings.TrimSuffix(c.server.URL(), "/fake/api")
	head = strings.NewReplacer(c.server.URL(), "PRIMARY", c.server.GitHubURL(), "GITHUB", strings.TrimPrefix(at, "http://"),
		"HOST").Replace(head) // the address is drawn by lot
	return firstRunes(strings.TrimSpace(head), 130)
}

func firstRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}

// checkAfterwards takes every source away, restarts, and brings the sources back: what was good stands, in memory and on
// disk, and nothing is left that keeps a sound PRIMARY from being read. Within ten minutes, the longest cool-down being
// five; only what a sound answer said that was not, its change stamp keeps until the hourly download.
func (c *matrixCell) checkAfterwards(t *testing.T, s *matrixState, want *forecast) {
	kept := c.onDisk()
	c.server.Break(modelreftest.Primary, modelreftest.Refused())
	c.server.Heal(modelreftest.Documents)
	c.server.Heal(modelreftest.Stamp)
	c.server.Break(modelreftest.GitHub, modelreftest.Refused())
	time.Sleep(minute)
	ref, err := c.client.ImageGeneration.Load(t.Context())
	if want.origin == modelref.OriginNone {
		require.ErrorIs(t, err, modelref.ErrUnavailable)
	} else {
		require.NoError(t, err)
		assert.Equal(t, want.names, namesOf(ref), "last good stands in memory")
	}
	assert.Equal(t, kept, c.onDisk(), "last good stands on disk")

	restarted, err := c.newClient(t, modelref.WithOffline()).ImageGeneration.Load(t.Context())
	if kept == "" {
		require.ErrorIs(t, err, modelref.ErrUnavailable)
	} else {
		require.NoError(t, err)
		assert.Equal(t, want.names, namesOf(restarted), "last good stands after a restart")
	}

	c.server.Heal(modelreftest.Primary)
	time.Sleep(10 * time.Minute)
	if want.written && len(want.names) < len(namesNow) {
		time.Sleep(time.Hour)
	}
	ref = load(t, c.client)
	assert.Equal(t, modelref.OriginPrimary, ref.Origin())
	assert.False(t, ref.Stale())
	if s.same {
		assert.Equal(t, namesBefore, namesOf(ref))
		return
	}
	assert.Equal(t, namesNow, namesOf(ref), "the change is not lost")
}

// TestFaultMatrix prints with -v a table that has a line for each cell.
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
			"requests", "time", "at most", "what is told", strings.Join(lines, "\n"))
	}
}

// testMatrixFault tries one fault everywhere, and returns its lines of the table. With -short and -race it leaves out the
// cells in which no request meets the fault.
func testMatrixFault(t *testing.T, f *matrixFault) []string {
	var lines []string
	for _, w := range matrixTiers {
		for _, s := range matrixStates {
			want := predict(f, &w, &s)
			if !want.met && isSlow() {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				cell := fmt.Sprintf("%-34s %-20s %-16s ", f.name, w.name, s.name)
				defer func() {
					if t.Failed() {
						t.Log("in the cell: " + cell)
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

// TestAnOutageDoesNotCostTheChangeStamp: a stamp that is refused while the document is too says nothing of the stamp. To
// do without it for an hour would make every read after the outage a download.
func TestAnOutageDoesNotCostTheChangeStamp(t *testing.T) {
	for name, test := range map[string]struct {
		tier modelreftest.Tier
		want string
	}{
		"the whole PRIMARY": {modelreftest.Primary, "stamp stamp"},
		"the stamp alone":   {modelreftest.Stamp, "document document"}, // it is left alone for a while
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *modelreftest.Server) {
				client := server.Client(t)
				load(t, client)
				time.Sleep(minute)
				server.Break(test.tier, modelreftest.Status(http.StatusServiceUnavailable))
				load(t, client)
				server.Heal(modelreftest.Primary)
				time.Sleep(minute)
				server.ResetRequests()
				load(t, client)
				time.Sleep(minute)
				load(t, client)
				assert.Equal(t, test.want, tiers(server))
				time.Sleep(15 * time.Minute)
				load(t, client)
				assert.Equal(t, "stamp", tiers(server))
			})
		})
	}
}

// TestTheProbeIsNotTriedAgain: what a source gets while it is gone is one attempt of each client, not three.
func TestTheProbeIsNotTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, server *modelreftest.Server) {
		server.Break(modelreftest.Primary, modelreftest.Refused())
		server.Break(modelreftest.GitHub, modelreftest.Refused())
		client := server.Client(t)
		for _, want := range []string{"document document document github github github", "document github"} {
			_, err := client.ImageGeneration.Load(t.Context())
			require.ErrorIs(t, err, modelref.ErrUnavailable)
			assert.Equal(t, want, tiers(server))
			time.Sleep(minute)
		}
	})
}
