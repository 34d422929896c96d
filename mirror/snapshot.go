// The documents in memory: one snapshot for each document of a category, with everything that is prepared once per
// document.

package mirror

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref"
)

// entry is one record in its place in a snapshot.
type entry struct {
	*record
	decoded bool // the record is valid, and therefore part of search results
	shared  bool // another entry of the snapshot has the same own name
}

// record is one record of a document.
type record struct {
	category  modelref.Category
	licensed  bool   // the deployment writes a licence on every record
	key       string // the name in the document
	raw       string // the record's own JSON
	facts     facts
	lowerName string

	normalized atomic.Pointer[string]    // the JSON of search results, made on first use
	licence    atomic.Pointer[licensing] // what the filters by licence look at
}

// facts are the fields that searches filter by.
type facts struct {
	name                string
	nsfw, hasNSFW       bool
	inpainting          bool
	baseline            string
	tags                []string
	hasTags             bool
	hasBase, hasInpaint bool
}

// factsOf returns the facts of a record of any type.
func factsOf(record any) facts {
	switch r := record.(type) {
	case *modelref.ImageGenerationRecord:
		return facts{
			name: r.Name, nsfw: r.NSFW, hasNSFW: true, inpainting: r.Inpainting, hasInpaint: true,
			baseline: string(r.Baseline), hasBase: true, tags: r.Tags, hasTags: true,
		}
	case *modelref.TextGenerationRecord:
		return contentFacts(r.Name, r.NSFW, r.Baseline, r.Tags)
	case *modelref.VideoGenerationRecord:
		return contentFacts(r.Name, r.NSFW, r.Baseline, r.Tags)
	case *modelref.AudioGenerationRecord:
		return contentFacts(r.Name, r.NSFW, r.Baseline, r.Tags)
	case *modelref.LoRARecord:
		return contentFacts(r.Name, r.NSFW, string(r.Baseline), r.Tags)
	case *modelref.TextualInversionRecord:
		return contentFacts(r.Name, r.NSFW, string(r.Baseline), r.Tags)
	default:
		return facts{}
	}
}

func contentFacts(name string, nsfw bool, baseline string, tags []string) facts {
	return facts{name: name, nsfw: nsfw, hasNSFW: true, baseline: baseline, hasBase: true, tags: tags, hasTags: true}
}

// snapshot is one document of a category, prepared for serving. It does not change.
type snapshot struct {
	category   modelref.Category
	document   string
	etag       string   // the strong validator of the document, without quotes
	quoted     []string // the validator as a header value
	quotedGzip []string // the validator of the compressed document as a header value
	entries    []*entry
	invalid    map[string]*entry // the entries that are not valid records, by their key
	licensed   bool              // the deployment writes a licence on every record

	// The validators of a body that was made from the document, as header values.
	derived, derivedGzip []string

	plain      func() []byte // the document as bytes, made on first use
	compressed func() []byte // the document with gzip, made on first use
	sorted     sync.Map      // sortOrder -> []*entry
	statistics [2]atomic.Pointer[categoryStatistics]
}

// state is a snapshot with what is known of the reference it was made from.
type state struct {
	*snapshot
	origin      modelref.Source
	stale       bool
	confirmedAt time.Time
	lookup      func(name string) (raw string, ok bool)
}

// source loads one category.
type source interface {
	load(ctx context.Context) (*state, error)
}

// typedSource loads the category of one service and keeps the snapshot of its last document.
type typedSource[R modelref.Record] struct {
	service *modelref.Service[R]
	last    atomic.Pointer[loadedState[R]]
	mu      sync.Mutex // held while a snapshot is made
}

type loadedState[R modelref.Record] struct {
	reference *modelref.Reference[R]
	state     *state
}

// load returns the category as its service returns it. Nothing is allocated while the service returns the same reference.
func (s *typedSource[R]) load(ctx context.Context) (*state, error) {
	ref, err := s.service.Load(ctx)
	if err != nil {
		return nil, err
	}
	if last := s.last.Load(); last != nil && last.reference == ref {
		return last.state, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last.Load()
	if last != nil && last.reference == ref {
		return last.state, nil
	}
	var prepared *snapshot
	if last != nil && last.state.document == ref.RawJSON() {
		prepared = last.state.snapshot // only the time of its confirmation has changed
	} else if prepared, err = newSnapshot(ref); err != nil {
		return nil, err
	}
	next := &loadedState[R]{reference: ref, state: &state{
		snapshot: prepared, origin: ref.Source(), stale: ref.Stale(), confirmedAt: ref.ConfirmedAt(),
		lookup: func(name string) (string, bool) { return rawOf(ref, prepared, name) },
	}}
	s.last.Store(next)
	return next.state, nil
}

// rawOf returns the JSON of the record with the given name, or of the entry that is not a valid record.
func rawOf[R modelref.Record](ref *modelref.Reference[R], prepared *snapshot, name string) (string, bool) {
	if record, ok := ref.Get(name); ok {
		return any(record).(interface{ RawJSON() string }).RawJSON(), true
	}
	if e, ok := prepared.invalid[name]; ok {
		return e.raw, true
	}
	// Newer deployments also find a record by its own name. One record has another name than its key.
	for _, e := range prepared.entries {
		if e.facts.name == name && !e.shared {
			return e.raw, true
		}
	}
	return "", false
}

// newSnapshot prepares the document of a reference.
func newSnapshot[R modelref.Record](ref *modelref.Reference[R]) (*snapshot, error) {
	s := &snapshot{category: ref.Category(), document: ref.RawJSON(), etag: ref.Revision(), invalid: map[string]*entry{}}
	s.licensed = strings.Contains(s.document, `"licensing":`)
	s.label()
	s.plain = sync.OnceValue(func() []byte { return []byte(s.document) })
	s.compressed = sync.OnceValue(func() []byte { return compress(strings.NewReader(s.document), gzip.BestCompression) })
	s.entries = make([]*entry, 0, ref.Len())
	for key, record := range ref.All() {
		raw, f := any(record).(interface{ RawJSON() string }).RawJSON(), factsOf(record)
		if f.name == "" {
			f.name = nameOf(raw, key)
		}
		s.add(key, raw, f, true)
	}
	if len(ref.Rejected()) > 0 {
		if err := addRejected(s, ref); err != nil {
			return nil, fmt.Errorf("mirror: %s: %w", s.category, err)
		}
	}
	markShared(s.entries)
	return s, nil
}

// label makes the header values of the validators.
func (s *snapshot) label() {
	quote := func(suffix string) []string { return []string{`"` + s.etag + suffix + `"`} }
	s.quoted, s.quotedGzip = quote(""), quote(gzipSuffix)
	s.derived, s.derivedGzip = quote(derivedSuffix), quote(derivedSuffix+gzipSuffix)
}

func (s *snapshot) add(key, raw string, f facts, decoded bool) {
	e := &entry{decoded: decoded, record: &record{
		category: s.category, licensed: s.licensed, key: key, raw: raw, facts: f, lowerName: strings.ToLower(f.name),
	}}
	s.entries = append(s.entries, e)
	if !decoded {
		s.invalid[key] = e
	}
}

// addRejected adds the records of the document that are not valid. As in the service, they are served as
// single models and counted, but a search does not find them.
func addRejected[R modelref.Record](s *snapshot, ref *modelref.Reference[R]) error {
	decoder := json.NewDecoder(strings.NewReader(s.document))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return err
		}
		key, _ := token.(string)
		if _, ok := ref.Get(key); !ok {
			s.add(key, string(raw), facts{name: key}, false)
		}
	}
	return nil
}

// nameOf returns the own name of a record, or its key if the record has none.
func nameOf(raw, key string) string {
	var record struct {
		Name *string `json:"name"`
	}
	if json.Unmarshal([]byte(raw), &record) != nil || record.Name == nil {
		return key
	}
	return *record.Name
}

// markShared marks the entries whose own name is not unique. A search returns only the first of them.
func markShared(entries []*entry) {
	first := make(map[string]*entry, len(entries))
	for _, e := range entries {
		if other, ok := first[e.facts.name]; ok {
			e.shared, other.shared = true, true
			continue
		}
		first[e.facts.name] = e
	}
}

// gzipped returns the data compressed with gzip.
func gzipped(data []byte, level int) []byte { return compress(bytes.NewReader(data), level) }

// compress returns what it reads, compressed with gzip.
func compress(from io.Reader, level int) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		panic(err) // the levels are constants
	}
	_, _ = io.Copy(w, from) // neither of them fails
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}
