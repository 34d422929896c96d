// Client, New and Close, and how a program reads a category.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref/internal/breaker"
	"github.com/haidra-org/modelref/internal/clock"
	"github.com/haidra-org/modelref/internal/httpx"
)

// Client reads the model reference. It is safe for concurrent use; one Client is enough for a program. Make it with [New] and
// end it with [Client.Close]. Do not use the zero Client: its service fields are nil.
type Client struct {
	ImageGeneration     *ImageGenerationService
	TextGeneration      *TextGenerationService
	ControlNet          *ControlNetService
	ControlNetAnnotator *ControlNetAnnotatorService
	CLIP                *CLIPService
	BLIP                *BLIPService
	ESRGAN              *ESRGANService
	GFPGAN              *GFPGANService
	CodeFormer          *CodeFormerService
	SafetyChecker       *SafetyCheckerService
	VideoGeneration     *VideoGenerationService
	AudioGeneration     *AudioGenerationService
	Miscellaneous       *MiscellaneousService
	LoRA                *LoRAService
	TextualInversion    *TextualInversionService

	config      *config
	clock       *clock.Clock
	http        *httpx.Client
	fresh       *ttlCache[anyDocument]
	caches      map[Category]*categoryCache
	catalogs    map[Catalog]*categoryCache
	primary     *guardedSource
	github      *guardedSource
	storeHealth storeHealth

	base      context.Context // ends with Close
	cancel    context.CancelFunc
	lifecycle sync.Mutex // orders begin and Close
	closed    atomic.Bool
	running   sync.WaitGroup
}

// New returns a Client. If options are invalid, the error reports all of them. New does not use the network; it creates the
// cache directory if there is none.
func New(options ...Option) (*Client, error) {
	config := newConfig(options)
	http := newHTTPClient(config) // calls the transport wrappers
	if err := errors.Join(config.optionError...); err != nil {
		return nil, err
	}
	c := &Client{
		config: config, clock: config.clock, http: http, caches: make(map[Category]*categoryCache, len(categoryInfos)),
	}
	c.base, c.cancel = context.WithCancel(context.Background())
	c.fresh = newTTLCache[anyDocument](c.clock)
	c.primary = c.guard(SourcePrimary, breaker.New(primaryMaxDelay, c.clock, c.observeBreaker(SourcePrimary)))
	c.github = c.guard(SourceGitHub, breaker.New(githubMaxDelay, c.clock, c.observeBreaker(SourceGitHub)))
	if config.primaryURL != nil {
		if !strings.HasSuffix(config.primaryURL.Path, "/api") {
			c.primary.hint = apiHint
		}
		c.primary.source = &primarySource{
			http: c.http, base: config.primaryURL, from: fingerprint(config.primaryURL), budget: config.retry.MaxDuration,
			clock: c.clock, logger: config.logger, apiKey: config.apiKey, noLastUpdated: newTTLCache[error](c.clock),
			noGuidance: newTTLCache[clock.Instant](c.clock), guidanceOutage: newTTLCache[error](c.clock),
		}
	}
	c.github.source = &githubSource{http: c.http, config: &config.github, clock: c.clock}
	c.bindServices()
	c.bindCatalogs()
	return c, nil
}

// newHTTPClient returns the HTTP client for all sources of one Client.
func newHTTPClient(c *config) *httpx.Client {
	return httpx.New(httpx.Config{
		HTTPClient: c.httpClient, Wrappers: c.wrappers, KeyURL: c.primaryURL, APIKey: c.apiKey, UserAgent: c.userAgent,
		MaxAttempts: c.retry.MaxAttempts, BaseDelay: c.retry.BaseDelay, MaxDuration: c.retry.MaxDuration, Timeout: c.timeout,
		MaxBodyBytes: c.maxBody, OnStatus: newAPIError(c.apiKey),
	})
}

const (
	// primaryMaxDelay is the longest time for which the circuit breaker of the PRIMARY stays open.
	primaryMaxDelay = 5 * time.Minute
	// githubMaxDelay is longer, because GitHub blocks an address for half an hour.
	githubMaxDelay = time.Hour
)

func (c *Client) guard(origin Source, b *breaker.Breaker) *guardedSource {
	return &guardedSource{
		origin: origin, breaker: b, missing: newTTLCache[error](c.clock), missTTL: max(c.config.ttl/10*9, 1),
		trial: c.config.retry.MaxDuration / 4, grace: c.config.retry.MaxDuration / 40, running: &c.running, closed: c.base, refusals: map[Category]error{},
		notify: c.observeConfiguration(origin),
	}
}

// Close cancels all loads and requests and waits for them. Calls that are waiting return [ErrClosed], and so does every later
// call. References stay valid. Close does not wait for a store or a transport that hangs. It can be called more than once
// and always returns nil.
func (c *Client) Close() error {
	if c == nil || c.config == nil {
		return nil
	}
	c.lifecycle.Lock()
	c.closed.Store(true)
	c.lifecycle.Unlock()
	c.cancel()
	c.running.Wait()
	c.http.Close()
	for _, s := range c.caches {
		s.state.expire()
	}
	for _, s := range c.catalogs {
		s.state.expire()
	}
	return nil
}

// begin notes that something runs in the background. It returns false if the Client is closed. If it returns true,
// c.running.Done must be called later.
func (c *Client) begin() bool {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if c.closed.Load() {
		return false
	}
	c.running.Add(1)
	return true
}

// Service reads one category. The records that it returns are shared by all callers and must not be modified.
type Service[R Record] struct {
	cache *categoryCache
}

// newService returns the service of a category of the Client.
func newService[R Record](c *Client, category Category) Service[R] {
	info, _ := infoOf(category)
	records := recordTypes[category]
	cache := c.newCache(info, func(document string, a metadata) (anyDocument, error) { return records.decode(document, a) })
	c.caches[category] = cache
	return Service[R]{cache}
}

// newCache returns the cache of a category or a catalog.
func (c *Client) newCache(info *categoryInfo, decode decodeFunc) *categoryCache {
	cache := &categoryCache{client: c, info: info, decode: hideSecrets(c.config.apiKey, decode)}
	cache.state.key, cache.state.clock, cache.state.fresh = string(info.category), c.clock, c.fresh
	return cache
}

// Category returns the category that the service reads.
func (s *Service[R]) Category() Category {
	if s == nil || s.cache == nil {
		return ""
	}
	return s.cache.info.category
}

// Load returns the category. If a copy that was confirmed within the TTL is in memory, in the cache directory or in the store,
// Load returns it without using the network. Otherwise it waits for the load that all callers share, which tries the PRIMARY,
// the last good copy, GitHub, older copies and the bootstrap in this order. If there is a usable copy, Load waits no longer than
// [WithRefreshWait] and then returns the copy, marked as stale.
//
// The error is a *[FetchError], which matches [ErrUnavailable], if no source has the category; [ErrClosed]; or it wraps the error
// of ctx. The end of ctx does not affect other callers.
func (s *Service[R]) Load(ctx context.Context, options ...LoadOption) (*Reference[R], error) {
	if s == nil || s.cache == nil {
		return nil, errClosed
	}
	if len(options) == 0 {
		if ref := s.cache.fresh(ctx); ref != nil {
			return ref.(*Reference[R]), nil
		}
		return asReference[R](s.cache.read(ctx, readOptions{}))
	}
	o := newReadOptions(options)
	ref, err := asReference[R](s.cache.read(ctx, o))
	if err != nil || len(o.overlays) == 0 {
		return ref, err
	}
	return ref.applyOverlays(ctx, s.cache, o.overlays)
}

func asReference[R Record](ref anyDocument, err error) (*Reference[R], error) {
	if err != nil {
		return nil, err
	}
	return ref.(*Reference[R]), nil
}

func newReadOptions(options []LoadOption) readOptions {
	var o readOptions
	for _, option := range options {
		if option != nil {
			option(&o)
		}
	}
	return o
}

// Get loads the category and returns the record with the given name. The name may contain any characters. If there is no such
// record, the error is a *[NotFoundError], which matches [ErrNotFound] and suggests similar names; other errors are those of
// [Service.Load]. To test many names, call Load once and then [Reference.Get].
func (s *Service[R]) Get(ctx context.Context, name string, options ...LoadOption) (*R, error) {
	ref, err := s.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if r, ok := ref.Get(name); ok {
		return r, nil
	}
	return nil, ref.notFound(name)
}

// DecodeDocument decodes a v2 category document, for example from a file, into the category's record type R or into ModelRecord.
// It returns a *[DecodeError] if document is not a category document or if no record can be decoded. A record that cannot be
// decoded is left out and listed by [Reference.Rejected]. The network is not used.
func DecodeDocument[R Record](category Category, document string) (*Reference[R], error) {
	records, ok := recordTypes[category]
	if !ok {
		return nil, fmt.Errorf("modelref: DecodeDocument: %w: %q must be a category of Categories", ErrUnknownCategory, category)
	}
	ref, err := records.decode(document, metadata{category: category})
	if err != nil {
		return nil, fmt.Errorf("modelref: DecodeDocument: %w", err)
	}
	if typed, ok := ref.(*Reference[R]); ok {
		return typed, nil
	}
	if _, ok := any(*new(R)).(ModelRecord); ok {
		return any(ref.models()).(*Reference[R]), nil
	}
	return nil, fmt.Errorf("modelref: DecodeDocument: the records of %s must have the type of the category or ModelRecord, got %T", category, *new(R))
}

// CheckUnmodified reports the records in memory that were modified since they were decoded; see [Reference.CheckUnmodified]. It returns nil
// if there are none. It is meant for tests. The network is not used.
func (c *Client) CheckUnmodified() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, category := range Categories() {
		s, ok := c.caches[category]
		if !ok {
			continue
		}
		if last := s.state.last(); last != nil {
			errs = append(errs, last.ref.CheckUnmodified())
		}
	}
	return errors.Join(errs...)
}
