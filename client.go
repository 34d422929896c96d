// The Client, its services, and how a read comes in.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gocache "github.com/patrickmn/go-cache"
	"golang.org/x/sync/singleflight"
)

// Client reads the model reference. It is safe for concurrent use; one for a whole program is enough. Make it with New
// and end it with Close. The zero Client is closed.
type Client struct {
	ImageGeneration     ImageGenerationService
	TextGeneration      TextGenerationService
	ControlNet          ControlNetService
	ControlNetAnnotator ControlNetAnnotatorService
	CLIP                CLIPService
	BLIP                BLIPService
	ESRGAN              ESRGANService
	GFPGAN              GFPGANService
	CodeFormer          CodeFormerService
	SafetyChecker       SafetyCheckerService
	VideoGeneration     VideoGenerationService
	AudioGeneration     AudioGenerationService
	Miscellaneous       MiscellaneousService
	LoRA                LoRAService
	TextualInversion    TextualInversionService

	config         *config
	http           *httpLayer
	ttl            *gocache.Cache // what holds for a time: fresh references, and answers not to ask for again
	caches         map[Category]*categoryCache
	loads          *singleflight.Group // of all categories, by category and kind
	primaryBreaker *breaker
	githubBreaker  *breaker

	base         context.Context // ends with Close
	cancel       context.CancelFunc
	lifecycle    sync.Mutex // orders begin and Close
	closed       atomic.Bool
	running      sync.WaitGroup
	storeFailing atomic.Int32 // what of it does, as storeRead
	lanes        lanes
}

// New makes a Client. It reports every option that is wrong, joined. The network is not touched; a cache directory is
// made and checked for writing.
func New(options ...Option) (*Client, error) {
	config, err := newConfig(options)
	if err != nil {
		return nil, err
	}
	c := &Client{
		config: config,
		http:   newHTTPLayer(config),
		// No cleanup interval: only a finaliser would stop that goroutine.
		ttl:    gocache.NewFrom(config.ttl, 0, make(map[string]gocache.Item, len(categoryTraits))),
		caches: make(map[Category]*categoryCache, len(categoryTraits)),
		loads:  new(singleflight.Group),
	}
	c.base, c.cancel = context.WithCancel(context.Background())
	c.primaryBreaker = &breaker{longest: coolDownMax, notify: c.breakerMoved(OriginPrimary)}
	c.githubBreaker = &breaker{longest: githubCoolDownMax, notify: c.breakerMoved(OriginGitHub)}
	c.ImageGeneration.bind(c, CategoryImageGeneration)
	c.TextGeneration.bind(c, CategoryTextGeneration)
	c.ControlNet.bind(c, CategoryControlNet)
	c.ControlNetAnnotator.bind(c, CategoryControlNetAnnotator)
	c.CLIP.bind(c, CategoryCLIP)
	c.BLIP.bind(c, CategoryBLIP)
	c.ESRGAN.bind(c, CategoryESRGAN)
	c.GFPGAN.bind(c, CategoryGFPGAN)
	c.CodeFormer.bind(c, CategoryCodeFormer)
	c.SafetyChecker.bind(c, CategorySafetyChecker)
	c.VideoGeneration.bind(c, CategoryVideoGeneration)
	c.AudioGeneration.bind(c, CategoryAudioGeneration)
	c.Miscellaneous.bind(c, CategoryMiscellaneous)
	c.LoRA.bind(c, CategoryLoRA)
	c.TextualInversion.bind(c, CategoryTextualInversion)
	return c, nil
}

func (c *Client) breakerMoved(origin Origin) func(bool, error) {
	return func(open bool, err error) {
		kind := EventBreakerClosed
		if open {
			kind = EventBreakerOpened
		} else {
			c.config.logger.Info("source answers again", "source", origin.String())
		}
		c.observe(Event{Kind: kind, Origin: origin, Err: err})
	}
}

// Close ends what runs in the background and waits for it. Reads that wait get ErrClosed, and so does every read after.
// References stay valid. Close may be called more than once; it always returns nil.
func (c *Client) Close() error {
	if c.config == nil {
		return nil
	}
	c.lifecycle.Lock()
	c.closed.Store(true)
	c.lifecycle.Unlock()
	c.cancel()
	c.running.Wait()
	c.http.close()
	for _, s := range c.caches {
		s.expire()
	}
	return nil
}

// begin notes that something runs in the background, unless the Client is closed. After a true, c.running.Done must
// follow.
func (c *Client) begin() bool {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if c.closed.Load() {
		return false
	}
	c.running.Add(1)
	return true
}

// primaryURL returns the URL of a path at the PRIMARY, each segment escaped.
func (c *Client) primaryURL(segments ...string) string {
	var out strings.Builder
	out.WriteString(c.config.primaryURL.String())
	for _, segment := range segments {
		out.WriteByte('/')
		out.WriteString(url.PathEscape(segment))
	}
	return out.String()
}

// What a note can be about.
const (
	noteRefused = "refused/"  // the PRIMARY answered that it cannot give the category
	noteNoFile  = "no file/"  // GitHub answered that it cannot give the category
	noteNoStamp = "no stamp/" // the PRIMARY cannot say when the category changed
)

// note is why a question is not worth asking for a time.
type note struct {
	term
	why error
}

// note remembers for a time that a question is not worth asking, and why.
func (c *Client) note(about string, category Category, why error, d time.Duration) {
	c.ttl.Set(about+string(category), &note{newTerm(d), why}, d)
}

// noted returns why a question is not worth asking, or nil.
func (c *Client) noted(about string, category Category) error {
	found, ok := c.ttl.Get(about + string(category))
	if !ok {
		return nil
	}
	if n := found.(*note); !n.expired() {
		return n.why
	}
	return nil
}

// Service reads one category. Records that it returns are shared between all callers and read-only.
type Service[R Record] struct {
	cache *categoryCache
}

// bind makes the service the one of a category of the Client.
func (s *Service[R]) bind(c *Client, category Category) {
	facts, _ := traitsOf(category)
	s.cache = &categoryCache{client: c, facts: facts, decode: decoders[category], loading: make(chan struct{}, 1)}
	c.caches[category] = s.cache
}

// Category returns the category that the service reads.
func (s *Service[R]) Category() Category {
	if s.cache == nil {
		return ""
	}
	return s.cache.facts.category
}

// Load returns the category: from memory, the cache directory or the store where it is younger than the TTL, without
// touching the network; else from the first source that can give it, the PRIMARY, the last good copy, GitHub, the cache
// directory or the bootstrap, in the order that the package documentation tells. However many callers wait, one load
// runs; a caller's context ends its own wait and nothing else. The error is a *FetchError, which is ErrUnavailable, where
// no source could give the category, ErrClosed, or that of the context.
func (s *Service[R]) Load(ctx context.Context, options ...LoadOption) (*Reference[R], error) {
	if s.cache == nil {
		return nil, ErrClosed
	}
	if len(options) == 0 {
		return asReference[R](s.cache.read(ctx, loadOptions{}))
	}
	o := newLoadOptions(options)
	ref, err := asReference[R](s.cache.read(ctx, o))
	if err != nil || len(o.overlays) == 0 {
		return ref, err
	}
	return layOver(ctx, s.cache, ref, o.overlays, func(a anyReference) *Reference[R] { return a.(*Reference[R]) })
}

func asReference[R Record](ref anyReference, err error) (*Reference[R], error) {
	if err != nil {
		return nil, err
	}
	return ref.(*Reference[R]), nil
}

func newLoadOptions(options []LoadOption) loadOptions {
	var o loadOptions
	for _, option := range options {
		if option != nil {
			option(&o)
		}
	}
	return o
}

// Get returns the record of that name, any characters in it, from the category as Load returns it. The error is
// ErrNotFound where the category has no such record, else that of Load.
func (s *Service[R]) Get(ctx context.Context, name string, options ...LoadOption) (*R, error) {
	ref, err := s.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if r, ok := ref.Get(name); ok {
		return r, nil
	}
	return nil, fmt.Errorf("modelref: %s: %q: %w", ref.category, name, ErrNotFound)
}

// The services of the categories.
type (
	// ImageGenerationService reads the models that make images.
	ImageGenerationService struct {
		Service[ImageGenerationRecord]
	}
	// TextGenerationService reads the models that make text.
	TextGenerationService struct {
		Service[TextGenerationRecord]
	}
	// ControlNetService reads the ControlNets.
	ControlNetService struct{ Service[ControlNetRecord] }
	// ControlNetAnnotatorService reads the annotators of ControlNets.
	ControlNetAnnotatorService struct {
		Service[ControlNetAnnotatorRecord]
	}
	// CLIPService reads the CLIP models.
	CLIPService struct{ Service[CLIPRecord] }
	// BLIPService reads the BLIP models.
	BLIPService struct{ Service[BLIPRecord] }
	// ESRGANService reads the upscalers.
	ESRGANService struct{ Service[ESRGANRecord] }
	// GFPGANService reads the GFPGAN face fixers.
	GFPGANService struct{ Service[GFPGANRecord] }
	// CodeFormerService reads the CodeFormer face fixers.
	CodeFormerService struct{ Service[CodeFormerRecord] }
	// SafetyCheckerService reads the safety checkers.
	SafetyCheckerService struct{ Service[SafetyCheckerRecord] }
	// VideoGenerationService reads the models that make video.
	VideoGenerationService struct {
		Service[VideoGenerationRecord]
	}
	// AudioGenerationService reads the models that make sound.
	AudioGenerationService struct {
		Service[AudioGenerationRecord]
	}
	// MiscellaneousService reads the models that fit no other category.
	MiscellaneousService struct{ Service[MiscellaneousRecord] }
	// LoRAService reads the LoRAs.
	LoRAService struct{ Service[LoRARecord] }
	// TextualInversionService reads the textual inversions.
	TextualInversionService struct {
		Service[TextualInversionRecord]
	}
)

// DecodeDocument decodes a v2 category document, as one in a file, into the category's record type R or into ModelRecord.
// It returns a *DecodeError for a document that is none or of whose records none decodes; a record that does not decode
// is left out and listed by Rejected. The network is not touched.
func DecodeDocument[R Record](category Category, document string) (*Reference[R], error) {
	decode, ok := decoders[category]
	if !ok {
		return nil, fmt.Errorf("modelref: %w: %q", ErrUnknownCategory, category)
	}
	ref, err := decode(document, about{category: category})
	if err != nil {
		return nil, err
	}
	if typed, ok := ref.(*Reference[R]); ok {
		return typed, nil
	}
	if _, ok := any(*new(R)).(ModelRecord); ok {
		return any(ref.models()).(*Reference[R]), nil
	}
	return nil, fmt.Errorf("modelref: records of %s are no %T", category, *new(R))
}

// decodeFunc decodes a document into a reference that is described by a.
type decodeFunc func(document string, a about) (anyReference, error)

var decoders = map[Category]decodeFunc{
	CategoryImageGeneration:     decoder(imageCodec, (*ImageGenerationRecord).common),
	CategoryTextGeneration:      decoder(textCodec, (*TextGenerationRecord).common),
	CategoryControlNet:          decoder(controlNetCodec, (*ControlNetRecord).common),
	CategoryControlNetAnnotator: decoder(annotatorCodec, (*ControlNetAnnotatorRecord).common),
	CategoryCLIP:                decoder(clipCodec, (*CLIPRecord).common),
	CategoryBLIP:                decoder(blipCodec, (*BLIPRecord).common),
	CategoryESRGAN:              decoder(esrganCodec, (*ESRGANRecord).common),
	CategoryGFPGAN:              decoder(gfpganCodec, (*GFPGANRecord).common),
	CategoryCodeFormer:          decoder(codeFormerCodec, (*CodeFormerRecord).common),
	CategorySafetyChecker:       decoder(safetyCheckerCodec, (*SafetyCheckerRecord).common),
	CategoryVideoGeneration:     decoder(videoCodec, (*VideoGenerationRecord).common),
	CategoryAudioGeneration:     decoder(audioCodec, (*AudioGenerationRecord).common),
	CategoryMiscellaneous:       decoder(miscellaneousCodec, (*MiscellaneousRecord).common),
	CategoryLoRA:                decoder(loraCodec, (*LoRARecord).common),
	CategoryTextualInversion:    decoder(inversionCodec, (*TextualInversionRecord).common),
}

func decoder[R Record](table *objectCodec[R], common func(*R) *ModelRecord) decodeFunc {
	return func(document string, a about) (anyReference, error) {
		facts, _ := traitsOf(a.category)
		data, rejected, err := decodeDocument(document, facts, table, common)
		if err != nil {
			return nil, err
		}
		a.rejected = rejected
		return &Reference[R]{about: a, data: data}, nil
	}
}

// CategoryReader reads one category by its name and returns what the records of all categories have in common, for
// programs that learn the category at run time.
type CategoryReader struct {
	cache *categoryCache
}

// Category returns a reader of the category of that name. The error is ErrUnknownCategory and lists the names there are.
func (c *Client) Category(name string) (*CategoryReader, error) {
	category, err := ParseCategory(name)
	if err != nil {
		return nil, fmt.Errorf("modelref: %w", err)
	}
	return &CategoryReader{cache: c.caches[category]}, nil
}

// Category returns the category that is read, or "" for the zero CategoryReader.
func (r *CategoryReader) Category() Category {
	if r == nil || r.cache == nil {
		return ""
	}
	return r.cache.facts.category
}

// Load returns the category as the Load of its service does, with the common fields of its records; their Raw and their
// JSON have all fields.
func (r *CategoryReader) Load(ctx context.Context, options ...LoadOption) (*Reference[ModelRecord], error) {
	if r == nil || r.cache == nil {
		return nil, ErrClosed
	}
	o := newLoadOptions(options)
	ref, err := r.cache.read(ctx, o)
	if err != nil {
		return nil, err
	}
	models := ref.models()
	if len(o.overlays) == 0 {
		return models, nil
	}
	return layOver(ctx, r.cache, models, o.overlays, anyReference.models)
}

// Get returns the record of that name. The error is ErrNotFound where the category has none, else that of Load.
func (r *CategoryReader) Get(ctx context.Context, name string, options ...LoadOption) (*ModelRecord, error) {
	ref, err := r.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if m, ok := ref.Get(name); ok {
		return m, nil
	}
	return nil, fmt.Errorf("modelref: %s: %q: %w", ref.category, name, ErrNotFound)
}

// VerifyRecords reports which records of the references that the Client holds have been written to since they were
// decoded; see Reference.Verify. It returns nil where none has. It is meant for tests; the network is not touched.
func (c *Client) VerifyRecords() error {
	var errs []error
	for _, category := range Categories() {
		s, ok := c.caches[category]
		if !ok {
			continue
		}
		if last := s.last(); last != nil {
			errs = append(errs, last.ref.Verify())
		}
	}
	return errors.Join(errs...)
}
