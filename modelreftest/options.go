package modelreftest

// This file has what a Server can be told when it starts, and the documents that it has without being told.

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/haidra-org/modelref"
)

// Option is one thing that a Server is told when it starts.
type Option func(*settings)

// settings are what the options add up to.
type settings struct {
	documents map[modelref.Category]string // nil: the built-in set
	legacy    map[string]string
	inMemory  bool
	errs      []error
}

//go:embed documents/*.json
var builtIn embed.FS

// newSettings applies the options. Where none of them gives a document, it takes the built-in set.
func newSettings(options []Option) (*settings, error) {
	s := &settings{legacy: map[string]string{}}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	if s.documents == nil {
		documents, err := fs.Sub(builtIn, "documents")
		if err != nil {
			return nil, err
		}
		WithDocuments(documents)(s)
	}
	return s, errors.Join(s.errs...)
}

func (s *settings) fail(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("modelreftest: "+format, args...))
}

func (s *settings) setDocument(category modelref.Category, document string) {
	if !category.Known() {
		s.fail("no category %q", category)
		return
	}
	if s.documents == nil {
		s.documents = map[modelref.Category]string{}
	}
	s.documents[category] = document
}

// WithDocuments gives the documents of all categories: a v2 document CATEGORY.json for each, as os.DirFS of a directory
// of recorded answers. A category without a file is {}, unless another option gives it. A file that cannot be read is
// an error of Start, and so is none at all.
func WithDocuments(documents fs.FS) Option {
	return func(s *settings) {
		if s.documents == nil {
			s.documents = map[modelref.Category]string{}
		}
		found := false
		for _, category := range modelref.Categories() {
			document, err := fs.ReadFile(documents, string(category)+".json")
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			found = true
			if err != nil {
				s.fail("%s: %w", category, err)
				continue
			}
			s.setDocument(category, string(document))
		}
		if !found {
			s.fail("WithDocuments: no document, as %s.json", modelref.CategoryImageGeneration)
		}
	}
}

// WithDocument gives the v2 document of one category, byte for byte; it need not be JSON. The built-in documents are
// not used then: every category that no option gives is {}.
func WithDocument(category modelref.Category, document string) Option {
	return func(s *settings) { s.setDocument(category, document) }
}

// WithRecords gives the records of one category, in that order, as WithDocument does with their JSON. A record without
// a name is an error of Start, and so are records of another category.
func WithRecords[R modelref.Record](category modelref.Category, records ...*R) Option {
	return func(s *settings) {
		if _, err := modelref.DecodeDocument[R](category, emptyDocument); err != nil {
			s.fail("%w", err)
		}
		var entries []member
		for i, record := range records {
			entry, err := memberOf(record)
			if err != nil {
				s.fail("%s: record %d: %w", category, i, err)
				continue
			}
			entries = append(entries, entry)
		}
		s.setDocument(category, string(encodeObject(entries)))
	}
}

// memberOf returns a record's name and JSON.
func memberOf(record any) (member, error) {
	encoded, err := json.Marshal(record)
	if err != nil {
		return member{}, err
	}
	var named struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(encoded, &named); err != nil {
		return member{}, err
	}
	if named.Name == "" {
		return member{}, errors.New("it has no name")
	}
	return member{named.Name, encoded}, nil
}

// WithLegacyFile gives a file of the fake GitHub, as "stable_diffusion.json" or "models.csv", byte for byte, instead of
// the one that is derived from the category's document.
func WithLegacyFile(name, content string) Option {
	return func(s *settings) { s.legacy[name] = content }
}

// InMemory makes the Server reachable through its HTTPClient alone, over connections within the process and without
// sockets, so that it works inside a testing/synctest bubble. Start it inside the bubble then.
func InMemory() Option { return func(s *settings) { s.inMemory = true } }
