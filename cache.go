// One category's cache: what is fresh, what was last good, and the one load that brings the next.

package modelref

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// settledAfter is how long after a change stamp's second no further change can carry the same stamp.
	settledAfter = 2 * time.Second
	// unconditionalEvery is how often a document is downloaded whatever its change stamp says.
	unconditionalEvery = time.Hour
	// shortestHold is how long an answer is at least kept, so that an outage never turns reads into a busy loop.
	shortestHold = time.Second
	// stampPause is how long a change stamp is not asked for that was not to be had while the document was: a replica
	// never has it and says 503, and so does a deployment that is about to have it again.
	stampPause = 10 * time.Minute
)

// sourceState is what the next question to a source needs to know of its last answer.
type sourceState struct {
	// Source is the origin of the document on the network, which a copy in a store keeps.
	Source Origin `json:"source"`
	// Stamp is the change stamp that the document carries, in whole seconds, where HasStamp is set.
	Stamp    int64 `json:"stamp,omitempty"`
	HasStamp bool  `json:"has_stamp,omitempty"`
	// Settled says that no later change can carry the same stamp.
	Settled bool `json:"settled,omitempty"`
	// Assumed says that the stamp was not read before the document: the server's clock stood in, which a watch does not take.
	Assumed bool `json:"assumed,omitempty"`
	// AsOf is the server's own time at which the document was its present state.
	AsOf time.Time `json:"as_of,omitzero"`
	// DownloadedAt is when the whole document was last downloaded.
	DownloadedAt time.Time `json:"downloaded_at,omitzero"`
	// EmptyAt is when the source first said that there are no records any more, which is not believed yet.
	EmptyAt time.Time `json:"empty_at,omitzero"`
	// ETag is the tag of the answer.
	ETag string `json:"etag,omitempty"`
	// From tells the URL of the document apart from others: a stamp or a tag says nothing about another deployment.
	From string `json:"from,omitempty"`
}

// unchanged reports whether a stamp that the source gives now says that the document is still its present state.
//
// Where the document carries no stamp of its own, because the first read spends one request and no more, the server's
// clock stands in: a change whose second was over before the document was sent is in the document.
// Only a deployment that was restored in between goes back behind that; a watch, which must not miss it, takes no such
// stand-in.
func (s *sourceState) unchanged(stamp int64, strict bool) bool {
	if s.HasStamp || strict {
		return s.HasStamp && s.Settled && stamp == s.Stamp && !(strict && s.Assumed)
	}
	return !s.AsOf.IsZero() && !s.AsOf.Before(time.Unix(stamp, 0).Add(settledAfter))
}

// loaded is a reference with what its source needs to know later.
type loaded struct {
	ref   anyReference
	state sourceState
	size  int // of the body that came
}

// anyReference is a Reference of whatever record type.
type anyReference interface {
	meta() *about
	with(about) anyReference // the same records, otherwise described
	text() string            // the document
	sameRecords(anyReference) bool
	each(func(name string, record any))
	models() *Reference[ModelRecord]
	Verify() error
	Len() int
}

// term is a time that ends. It holds to both clocks: the wall clock goes on while the machine sleeps, the other one is
// not set back.
type term struct {
	since time.Time
	hold  time.Duration
	until int64 // wall clock, in nanoseconds since 1970
}

func newTerm(hold time.Duration) term {
	now := time.Now()
	hold = min(hold, longestTerm)
	return term{since: now, hold: hold, until: now.Add(hold).UnixNano()}
}

// longestTerm is what the wall clock can still count.
const longestTerm = 100 * 365 * 24 * time.Hour

func (t *term) expired() bool {
	now := time.Now()
	return now.Sub(t.since) >= t.hold || now.UnixNano() >= t.until
}

// freshEntry is a reference that may be served without asking anybody.
type freshEntry struct {
	term
	ref anyReference
}

// categoryCache is the cache of one category.
type categoryCache struct {
	client  *Client
	facts   *traits
	decode  decodeFunc
	loading chan struct{} // of size one: one load at a time, so that an older document never comes after a newer one
	broken  bool          // the copy in the store does not decode, as the log says; belongs to the load

	// fresh is the entry that go-cache holds, for reads that must not wait on its lock.
	fresh atomic.Pointer[freshEntry]

	mu       sync.Mutex // guards what follows; never held over I/O
	lastGood *loaded
	counters counters
	failure  failure
	changed  chan struct{} // closed when other records are taken in; nil while nobody waits for that
}

// failure is the last thing that went wrong with a category.
type failure struct {
	err error
	at  time.Time
}

// current returns the fresh reference, or nil.
func (s *categoryCache) current() anyReference {
	if f := s.fresh.Load(); f != nil && !f.expired() {
		return f.ref
	}
	return nil
}

// answer returns the fresh reference where it is one that these options accept, or nil. A copy of GitHub's is enough for a
// watch too until it is not fresh any more.
func (s *categoryCache) answer(o loadOptions) anyReference {
	if o.refresh {
		return nil
	}
	ref := s.current()
	if ref != nil && o.maxAge > 0 && time.Since(ref.meta().confirmedAt) >= o.maxAge && s.sourceOf(ref) != OriginGitHub {
		return nil
	}
	return ref
}

// hold serves ref without asking anybody for that long.
func (s *categoryCache) hold(ref anyReference, d time.Duration) {
	entry := &freshEntry{newTerm(d), ref}
	s.client.ttl.Set(string(s.facts.category), entry, d)
	s.fresh.Store(entry)
}

// expire makes the next read ask. What was served last still says whether it was stale.
func (s *categoryCache) expire() {
	s.mu.Lock() // as for who holds a copy ahead of a load
	defer s.mu.Unlock()
	s.client.ttl.Delete(string(s.facts.category))
	if served := s.fresh.Load(); served != nil {
		s.fresh.Store(&freshEntry{ref: served.ref})
	}
}

func (s *categoryCache) last() *loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastGood
}

// ttl returns the TTL, shortened at random by up to a tenth.
func (s *categoryCache) ttl() time.Duration {
	ttl := s.client.config.ttl
	if tenth := ttl / 10; tenth > 0 {
		ttl -= rand.N(tenth) //nolint:gosec // spreads load; nothing secret hangs on it
	}
	return ttl
}

// shortest returns how long an answer is at least kept.
func (s *categoryCache) shortest() time.Duration { return min(shortestHold, s.client.config.ttl) }

// read returns the category from memory where it is fresh, else waits for the one load that all callers share.
func (s *categoryCache) read(ctx context.Context, o loadOptions) (anyReference, error) {
	if ref := s.answer(o); ref != nil {
		s.hit(ref)
		return ref, nil
	}
	if s.client.closed.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, s.interrupted(ctx)
	}
	if s.client.config.background && !o.refresh && !o.watch {
		if ref := s.readAhead(ctx); ref != nil {
			s.hit(ref)
			return ref, nil
		}
	}
	select {
	case result := <-s.flight(ctx, o):
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(anyReference), nil
	case <-ctx.Done():
		return nil, s.interrupted(ctx)
	}
}

// flight starts a load, or joins the one of its kind that is under way.
func (s *categoryCache) flight(ctx context.Context, o loadOptions) <-chan singleflight.Result {
	return s.client.loads.DoChan(string(s.facts.category)+" "+o.key(), func() (any, error) {
		type result struct {
			ref anyReference
			err error
		}
		// On a goroutine of its own, which a transport, a store or an observer may end, as the FailNow of a test does.
		ended := make(chan result, 1)
		go func() {
			r := result{err: fmt.Errorf("modelref: %s: what the load called has ended its goroutine", s.facts.category)}
			defer func() { ended <- r }()
			r.ref, r.err = s.loadOnce(ctx, o)
		}()
		r := <-ended
		return r.ref, r.err
	})
}

// readAhead returns the last good copy, for this read and those that follow, while one load brings the next; nil where
// there is none. A load keeps what it brings before it holds it, so a copy that is the last good one under the lock is
// never held over a newer one.
func (s *categoryCache) readAhead(ctx context.Context) anyReference {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref := s.current(); ref != nil { // it has come meanwhile
		return ref
	}
	if s.lastGood == nil || s.client.closed.Load() {
		return nil
	}
	meta := *s.lastGood.ref.meta()
	meta.stale = true
	ref := s.lastGood.ref.with(meta)
	s.hold(ref, s.client.config.retry.Budget)
	s.flight(ctx, loadOptions{ahead: true})
	return ref
}

func (s *categoryCache) interrupted(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() { //nolint:errorlint // the same or not
		return fmt.Errorf("modelref: %s: %w: %s", s.facts.category, ctx.Err(), cause.Error())
	}
	return fmt.Errorf("modelref: %s: %w", s.facts.category, ctx.Err())
}

func (s *categoryCache) hit(ref anyReference) {
	s.counters.hit(&s.client.lanes)
	if s.client.config.observer != nil {
		meta := ref.meta()
		s.client.observe(Event{
			Kind: EventHit, Category: s.facts.category, Origin: meta.origin, Records: ref.Len(), Stale: meta.stale,
		})
	}
}

// loadOnce runs one load, detached from every caller, joined by Close. Of the context of the caller that started it, it
// has the values, as a trace, and not the end.
func (s *categoryCache) loadOnce(caller context.Context, o loadOptions) (anyReference, error) {
	if !s.client.begin() {
		return nil, ErrClosed
	}
	defer s.client.running.Done()
	select {
	case s.loading <- struct{}{}:
	case <-s.client.base.Done():
		return nil, ErrClosed
	}
	defer func() { <-s.loading }()
	if !o.ahead {
		if ref := s.answer(o); ref != nil { // the load before this one ended between our look and our start
			return ref, nil
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), s.client.config.retry.Budget)
	defer cancel()
	defer context.AfterFunc(s.client.base, cancel)()
	l := &load{categoryCache: s, ctx: ctx, options: o, start: time.Now()}
	ref, err := l.run()
	if s.client.base.Err() != nil && (err != nil || ref.meta().stale) {
		return nil, ErrClosed
	}
	return ref, err
}

// load is one pass through the sources of a category.
type load struct {
	*categoryCache
	ctx        context.Context
	options    loadOptions
	start      time.Time
	attempts   []Attempt
	stored     *loaded // the copy in the store, where it has been read
	storeHangs error   // what the store said that gave no answer in time
}

// run tries the sources in their order.
func (l *load) run() (anyReference, error) {
	if ref := l.fromFreshStore(); ref != nil {
		return ref, nil
	}
	release, waited := l.awaitTurn()
	defer release()
	if waited {
		l.stored = nil // it may be another one by now
		if ref := l.fromFreshStore(); ref != nil {
			return ref, nil
		}
	}
	if ref := l.fromNetworkOrLastGood(); ref != nil {
		return ref, nil
	}
	if ref := l.fromWhatIsLeft(); ref != nil {
		return ref, nil
	}
	err := &FetchError{Category: l.facts.category, Attempts: l.attempts}
	l.mu.Lock()
	l.failure = failure{err: err, at: time.Now()}
	l.mu.Unlock()
	l.counters.failures.Add(1)
	l.client.observe(Event{Kind: EventUnavailable, Category: l.facts.category, Err: err, Duration: time.Since(l.start)})
	return nil, err
}

// fromFreshStore takes in the copy in the store where it is younger than the TTL and newer than what is in memory: after a
// restart, or when another process has written it.
func (l *load) fromFreshStore() anyReference {
	if l.options.refresh || l.client.config.store == nil {
		return nil
	}
	last := l.last()
	if last != nil && !l.storeIsNewer(last) {
		return nil
	}
	got := l.confirmedByStore(last)
	if got == nil {
		got = l.readStore()
	}
	if got == nil {
		return nil
	}
	age := time.Since(got.ref.meta().confirmedAt)
	if age >= l.maxAge() || !l.mayTake(got.state) {
		return nil
	}
	l.keep(got)
	l.hold(got.ref, max(l.ttl()-age, l.shortest()))
	l.observeLoad(EventLoad, got.ref.meta().origin, got, 0)
	return got.ref
}

// maxAge returns how old a confirmation may be for this read.
func (l *load) maxAge() time.Duration {
	if l.options.maxAge > 0 {
		return min(l.options.maxAge, l.client.config.ttl)
	}
	return l.client.config.ttl
}

// confirmedByStore returns the copy in memory as another process has confirmed it, where that has the same document: then
// nothing needs to be decoded.
func (l *load) confirmedByStore(last *loaded) *loaded {
	if last == nil {
		return nil
	}
	p, err := l.storedNote()
	if err != nil || !p.isOf(last.ref.text()) {
		return nil
	}
	meta := *last.ref.meta()
	meta.confirmedAt, meta.stale = p.ConfirmedAt, false
	return &loaded{ref: last.ref.with(meta), state: p.State}
}

// storeIsNewer reports whether the copy in the store was confirmed after what is in memory, as its note says.
func (l *load) storeIsNewer(last *loaded) bool {
	if p, err := l.storedNote(); err == nil && last.olderThan(p.ConfirmedAt) {
		return true
	}
	if !l.client.config.offline { // the next answer of a source mends it
		return false
	}
	got := l.readStore() // of another program, which does not write notes
	return got != nil && last.olderThan(got.ref.meta().confirmedAt)
}

// readStore decodes the copy in the store once in a load, and tells where it is broken.
func (l *load) readStore() *loaded {
	if l.stored != nil {
		return l.stored
	}
	got, err := l.fromStore()
	if err != nil {
		var broken *DecodeError
		switch {
		case errors.As(err, &broken):
			l.storeResult(storeRead, nil)
			l.copyBroken(err)
		case !errors.Is(err, fs.ErrNotExist):
			l.storeResult(storeRead, err)
		}
		l.attempts = append(l.attempts, Attempt{Origin: l.client.config.storeOrigin, Err: err})
		return nil
	}
	l.storeResult(storeRead, nil)
	l.stored, l.broken = got, false
	return got
}

// fromNetworkOrLastGood asks the PRIMARY, falls back to a copy that came from it and is not too old, and else asks
// GitHub.
func (l *load) fromNetworkOrLastGood() anyReference {
	l.attempts = nil // what the look at a fresh copy in the store said is told when that is asked as the last resort
	if ref := l.tryPrimary(); ref != nil {
		return ref
	}
	if l.client.config.offline {
		return nil
	}
	last := l.last()
	if last != nil && last.state.Source == OriginPrimary &&
		time.Since(last.ref.meta().confirmedAt) < l.client.config.maxStale {
		return l.serveStale(last)
	}
	return l.tryGitHub(last)
}

// try asks one source of the network and takes in what it gives.
func (l *load) try(origin Origin, b *breaker, ask func(attempts int) (*loaded, int, error)) anyReference {
	allowed, probe := b.allow()
	if !allowed {
		l.attempts = append(l.attempts, Attempt{Origin: origin, Err: b.coolingDown()})
		return nil
	}
	attempts := 0 // as the policy says
	if probe {
		attempts = 1
	}
	start := time.Now()
	answered := false
	defer func() {
		if !answered { // a transport has ended the goroutine
			b.spared()
		}
	}()
	got, requests, err := ask(attempts)
	answered = true
	if err == nil {
		b.succeeded()
		return l.accept(origin, got, requests)
	}
	var api *APIError
	if errors.As(err, &api) {
		api.whole = true
	}
	switch {
	case l.client.base.Err() != nil:
		b.spared()
		l.attempts = append(l.attempts, Attempt{Origin: origin, Requests: requests, Err: ErrClosed})
		return nil
	case isSourceOutage(err):
		b.failed(err)
	default:
		b.succeeded() // it answered, if not with what we asked for
	}
	l.sourceFailed(Attempt{Origin: origin, Requests: requests, Duration: time.Since(start), Err: err})
	return nil
}

// isSourceOutage reports whether a failure says that the whole source is not there: the network, or a status that says
// so. A document that does not decode, a status that speaks of this category alone, or a redirect that is not followed
// is none.
func isSourceOutage(err error) bool {
	var (
		api   *APIError
		decay *DecodeError
		large *bodyTooLarge
		moved *redirectError
	)
	if errors.As(err, &api) {
		return isOutage(api.StatusCode)
	}
	return !errors.As(err, &decay) && !errors.As(err, &large) && !errors.As(err, &moved)
}

func (l *load) sourceFailed(a Attempt) {
	l.attempts = append(l.attempts, a)
	l.counters.requests.Add(int64(a.Requests))
	l.mu.Lock()
	l.failure = failure{err: a.Err, at: time.Now()}
	l.mu.Unlock()
	l.client.observe(Event{
		Kind: EventSourceFailed, Category: l.facts.category, Origin: a.Origin, Requests: a.Requests,
		Duration: a.Duration, Err: a.Err,
	})
	l.client.config.logger.Warn("source failed", "category", l.facts.category, "source", a.Origin.String(),
		"requests", a.Requests, "took", a.Duration.Round(time.Millisecond), "error", a.Err)
}

func (l *load) tryPrimary() anyReference {
	config := l.client.config
	switch {
	case config.offline:
		l.attempts = append(l.attempts, Attempt{Origin: OriginPrimary, Err: ErrOffline})
		return nil
	case config.primaryURL == nil:
		return nil
	}
	if refusal := l.client.noted(noteRefused, l.facts.category); refusal != nil && !l.options.refresh {
		l.attempts = append(l.attempts, Attempt{Origin: OriginPrimary, Err: refusal})
		return nil
	}
	ctx, cancel := l.primaryShare()
	defer cancel()
	ref := l.try(OriginPrimary, l.client.primaryBreaker, func(attempts int) (*loaded, int, error) {
		return l.fromPrimary(ctx, attempts)
	})
	if ref != nil {
		return ref
	}
	l.noteRefusal(noteRefused)
	return nil
}

// primaryShare leaves a third of the budget to GitHub where that may be needed.
func (l *load) primaryShare() (context.Context, context.CancelFunc) {
	if l.facts.repo == noRepo || !l.client.config.github.enabled {
		return context.WithCancel(l.ctx)
	}
	end, _ := l.ctx.Deadline() // loadOnce has set it
	left := time.Until(end)
	return context.WithTimeout(l.ctx, time.Duration(float64(left)*2/3))
}

// fromPrimary asks the PRIMARY for the change stamp where that can save the download, and for the document. It returns
// nil and no error where nothing has changed. The document is asked for at most that many times, 0 for the policy's.
func (l *load) fromPrimary(ctx context.Context, attempts int) (*loaded, int, error) {
	last := l.last()
	held := sourceState{}
	document := l.client.primaryURL("model_references", "v2", string(l.facts.category))
	if last != nil && last.state.Source == OriginPrimary && last.state.From == fingerprint(document) &&
		time.Since(last.state.DownloadedAt) < unconditionalEvery {
		held = last.state
	}
	conditional := held.Source == OriginPrimary && !l.options.refresh
	state := sourceState{Source: OriginPrimary, From: fingerprint(document), DownloadedAt: time.Now()}
	requests := 0
	var noStamp error
	if (conditional || l.options.watch) && l.client.noted(noteNoStamp, l.facts.category) == nil {
		stamp, date, err := l.stamp(ctx)
		requests++
		switch {
		case err == nil && held.unchanged(stamp, l.options.watch):
			return nil, requests, l.renewStamp(last, stamp)
		case err == nil:
			state.Stamp, state.HasStamp = stamp, true
			state.Settled = !date.Before(time.Unix(stamp, 0).Add(settledAfter))
		case ctx.Err() != nil:
			return nil, requests, err
		}
		noStamp = err
	}
	r := request{
		url: document, accept: "application/json",
		attempts: attempts,
	}
	if conditional {
		r.etag = held.ETag
	}
	asked := time.Now()
	resp, err := l.client.http.do(ctx, r)
	if err != nil {
		return nil, requests + requestsOf(err), err
	}
	requests += resp.requests
	if noStamp != nil { // not before: in an outage the stamp says nothing of itself
		l.noteNoStamp(noStamp)
	}
	if made := resp.made(); !made.IsZero() && made.Before(time.Unix(state.Stamp, 0).Add(settledAfter)) {
		state.Settled = false // a cache on the way may have sent what was there before the stamp moved
	}
	if resp.notModified() {
		state.ETag, state.DownloadedAt = held.ETag, held.DownloadedAt
		state.AsOf = resp.asOf(asked)
		return nil, requests, l.restate(last, state)
	}
	got, err := l.decoded(resp.body, about{origin: OriginPrimary})
	if err != nil {
		return nil, requests, err
	}
	state.ETag, state.AsOf = resp.header.Get("ETag"), resp.asOf(asked)
	got.state, got.size = state, len(resp.body)
	return got, requests, nil
}

// stamp asks the PRIMARY when the category last changed, by one request. It also returns the server's own time.
func (l *load) stamp(ctx context.Context) (int64, time.Time, error) {
	resp, err := l.client.http.do(ctx, request{
		url:      l.client.primaryURL("model_references", "v2", "metadata", string(l.facts.category), "last_updated"),
		accept:   "application/json",
		attempts: 1,
		timeout:  l.client.config.retry.Budget / 4,
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	stamp, err := parseStamp(resp.body)
	if err != nil {
		return 0, time.Time{}, &DecodeError{Category: l.facts.category, Offset: -1, Reason: err.Error()}
	}
	at, ok := stamp.Get()
	if !ok {
		return 0, time.Time{}, &DecodeError{
			Category: l.facts.category, Offset: -1, Reason: "the deployment keeps no change stamp of the category",
		}
	}
	return at, resp.date(), nil
}

// noteNoStamp remembers that the deployment gives the document but not its stamp, so that not every read asks in vain.
func (l *load) noteNoStamp(why error) {
	pause := unconditionalEvery
	if isSourceOutage(why) {
		pause = stampPause
	}
	l.client.note(noteNoStamp, l.facts.category, why, pause)
	l.client.config.logger.Info("no change stamp; asking for the document instead", "category", l.facts.category,
		"for", pause, "error", why)
}

// maxStamp is the last second of the year 9999, after which times have no form in JSON.
const maxStamp = 253402300799

// parseStamp reads {"last_updated": 1700000000}; null is unset.
func parseStamp(body string) (Optional[int64], error) {
	var out Optional[int64]
	found := false
	s := scanner{s: body}
	err := s.fields(func(key string) (err error) {
		if key != "last_updated" {
			_, err = s.skip()
			return err
		}
		found = true
		if s.null() {
			return nil
		}
		stamp, err := s.integer()
		if err == nil && (stamp < 0 || stamp > maxStamp) {
			err = fmt.Errorf("last_updated is no time: %d", stamp)
		}
		out = Some(stamp)
		return err
	})
	if err == nil && !found {
		err = errors.New("no last_updated in the answer")
	}
	return out, err
}

// renewStamp notes the stamp that says that nothing has changed.
func (l *load) renewStamp(last *loaded, stamp int64) error {
	state := last.state
	state.Assumed = state.Assumed || !state.HasStamp
	state.Stamp, state.HasStamp, state.Settled = stamp, true, true
	return l.restate(last, state)
}

// restate replaces what is known of the source of the last good document.
func (l *load) restate(last *loaded, state sourceState) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lastGood == last {
		renewed := *last
		renewed.state = state
		l.lastGood = &renewed
	}
	return nil
}

func (l *load) tryGitHub(last *loaded) anyReference {
	config := l.client.config
	if !config.github.enabled || l.facts.repo == noRepo {
		return nil
	}
	held := ""
	if target, err := config.github.url(l.facts.category); err == nil && last != nil && last.state.Source == OriginGitHub &&
		last.state.From == fingerprint(target) && !l.options.refresh {
		held = last.state.ETag
	}
	if refusal := l.client.noted(noteNoFile, l.facts.category); refusal != nil && !l.options.refresh {
		l.attempts = append(l.attempts, Attempt{Origin: OriginGitHub, Err: refusal})
		return nil
	}
	ref := l.try(OriginGitHub, l.client.githubBreaker, func(attempts int) (*loaded, int, error) {
		return l.fromGitHub(l.ctx, held, attempts)
	})
	if ref != nil {
		return ref
	}
	l.noteRefusal(noteNoFile)
	return nil
}

// noteRefusal remembers an answer that is no outage, until no copy that is served in its place is held any more.
func (l *load) noteRefusal(about string) {
	if last := l.attempts[len(l.attempts)-1]; last.Requests > 0 && !isSourceOutage(last.Err) {
		l.client.note(about, l.facts.category, last.Err, max(l.client.config.ttl/10*9, 1))
	}
}

// fingerprint tells URLs apart without keeping them: they may hold a password.
func fingerprint(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:8])
}

// mayTake reports whether a copy that another process has written may stand for an answer of our own: not one of another
// deployment, nor one of GitHub while the PRIMARY can be asked.
func (l *load) mayTake(s sourceState) bool {
	config := l.client.config
	primary := config.primaryURL != nil && !config.offline
	switch s.Source {
	case OriginPrimary:
		return !primary || s.From == fingerprint(l.client.primaryURL("model_references", "v2", string(l.facts.category)))
	case OriginGitHub:
		return !primary || !l.client.primaryBreaker.ready()
	default:
		return true
	}
}

// accept takes in what a source of the network gave: a new document, or nil for the word that nothing has changed.
func (l *load) accept(origin Origin, got *loaded, requests int) anyReference {
	l.counters.requests.Add(int64(requests))
	now := time.Now()
	if got == nil {
		got = l.last()
		meta := *got.ref.meta()
		hold := l.ttl()
		if meta.confirmedAt.Equal(meta.fetchedAt) { // for the first time: clients that started together part here
			hold -= rand.N(hold/2 + 1) //nolint:gosec // spreads load; nothing secret hangs on it
		}
		meta.confirmedAt, meta.stale = now, false
		got = &loaded{ref: got.ref.with(meta), state: got.state}
		l.keep(got)
		l.hold(got.ref, max(hold, l.shortest()))
		l.storeConfirmed(got)
		l.observeLoad(EventRevalidate, origin, got, requests)
		return got.ref
	}
	l.counters.bytes.Add(int64(got.size))
	meta := got.ref.meta()
	meta.fetchedAt, meta.confirmedAt = now, now
	if ref := l.doubtEmpty(got); ref != nil {
		return ref
	}
	if len(meta.rejected) > 0 {
		l.client.config.logger.Warn("records rejected", "category", l.facts.category, "source", origin.String(),
			"rejected", len(meta.rejected), "kept", got.ref.Len(), "first", meta.rejected[0].Error())
	}
	l.keep(got)
	l.hold(got.ref, l.ttl())
	l.store(got)
	l.observeLoad(EventLoad, origin, got, requests)
	return got.ref
}

// doubtEmpty returns the last good reference where a source says for the first time that it has no records any more:
// that counts only when a second read, a TTL later, says the same, be it after a restart.
func (l *load) doubtEmpty(got *loaded) anyReference {
	last := l.last()
	if last == nil && l.client.config.store != nil {
		last = l.readStore()
	}
	if got.ref.Len() > 0 || last == nil || last.ref.Len() == 0 {
		return nil
	}
	first := last.state.EmptyAt
	if !first.IsZero() && time.Since(first) >= l.client.config.ttl*9/10 {
		return nil
	}
	l.client.config.logger.Warn("source has no records any more; waiting for a second read to say the same",
		"category", l.facts.category, "source", got.state.Source.String(), "kept", last.ref.Len())
	unsure := *last
	unsure.state = sourceState{Source: last.state.Source, EmptyAt: first} // no stamp, no tag: the next read downloads
	if first.IsZero() {
		unsure.state.EmptyAt = time.Now()
		l.storeDoubt(&unsure)
	}
	l.keep(&unsure)
	return l.serveStale(&unsure)
}

// keep makes l the last good copy.
func (s *categoryCache) keep(l *loaded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil && !(s.lastGood != nil && s.lastGood.ref.sameRecords(l.ref)) {
		close(s.changed)
		s.changed = nil
	}
	s.lastGood = l
}

// serveStale serves a copy that nobody could confirm, until the PRIMARY may be asked again.
func (l *load) serveStale(last *loaded) anyReference {
	meta := *last.ref.meta()
	meta.stale = true
	ref := last.ref.with(meta)
	hold := l.ttl()
	if wait, err := l.client.primaryBreaker.openFor(); err != nil {
		hold = min(hold, wait)
	}
	l.hold(ref, max(hold, l.shortest()))
	l.counters.fallbacks.Add(1)
	l.client.observe(Event{
		Kind: EventFallback, Category: l.facts.category, Origin: meta.origin, Records: ref.Len(), Stale: true,
		Duration: time.Since(l.start),
	})
	if l.client.base.Err() == nil { // else the readers get ErrClosed
		l.client.config.logger.Info("stale copy served", "category", l.facts.category, "source", meta.origin.String(),
			"confirmed", meta.confirmedAt, "records", ref.Len())
	}
	return ref
}

// fromWhatIsLeft serves the last good copy of any age, the store's or the bootstrap, the newest of them first.
func (l *load) fromWhatIsLeft() anyReference {
	last := l.last()
	if last != nil && !(l.client.config.store != nil && (last.state.Source == OriginBootstrap || l.storeIsNewer(last))) {
		return l.serveStale(last)
	}
	if l.client.config.store != nil {
		if got := l.readStore(); got != nil {
			l.keep(got)
			return l.serveStale(got)
		}
	}
	if last != nil {
		return l.serveStale(last)
	}
	if l.client.config.bootstrap != nil {
		got, err := l.fromBootstrap()
		if err == nil {
			l.keep(got)
			return l.serveStale(got)
		}
		l.attempts = append(l.attempts, Attempt{Origin: OriginBootstrap, Err: err})
	}
	if len(l.attempts) == 0 {
		why := "the Client was made without any source"
		if l.client.config.github.enabled {
			why = "GitHub has no file of the category, and the Client was made without a PRIMARY"
		}
		l.attempts = []Attempt{{Origin: OriginNone, Err: fmt.Errorf("%w: %s", ErrNotConfigured, why)}}
	}
	return nil
}

// decoded decodes a document of the category.
func (s *categoryCache) decoded(document string, a about) (*loaded, error) {
	a.category = s.facts.category
	ref, err := s.decode(document, a)
	if err != nil {
		return nil, err
	}
	return &loaded{ref: ref}, nil
}

func (l *load) observeLoad(kind EventKind, origin Origin, got *loaded, requests int) {
	switch kind {
	case EventLoad:
		l.counters.loads.Add(1)
	case EventRevalidate:
		l.counters.revalidations.Add(1)
	}
	e := Event{
		Kind: kind, Category: l.facts.category, Origin: origin, Requests: requests, Bytes: got.size,
		Records: got.ref.Len(), Duration: time.Since(l.start),
	}
	l.client.observe(e)
	if origin == OriginGitHub && kind == EventLoad && l.client.config.primaryURL != nil {
		l.counters.fallbacks.Add(1)
		e.Kind = EventFallback
		l.client.observe(e)
	}
}

func requestsOf(err error) int {
	var r *requestError
	if errors.As(err, &r) {
		return r.attempts
	}
	return 0
}

// hitShards spreads the counter of hits, so that cores do not wait for each other over it.
const hitShards = 16

// counters count what a category's cache did.
type counters struct {
	_    [120]byte // what stands before is read by every hit
	hits [hitShards]struct {
		n atomic.Int64
		_ [120]byte // a cache line, and the one that is fetched with it
	}
	loads, revalidations, fallbacks, failures, requests, bytes atomic.Int64
}

// lanes hands out numbers below hitShards, to the goroutines that run on one processor the same one.
type lanes struct {
	pool sync.Pool // which keeps what is put back by processor
	next atomic.Uint32
}

func (c *counters) hit(l *lanes) {
	lane, _ := l.pool.Get().(*uint32)
	if lane == nil {
		lane = new(uint32)
		*lane = l.next.Add(1) % hitShards
	}
	c.hits[*lane].n.Add(1)
	l.pool.Put(lane)
}
