package modelreftest

// This file has the options of a Server, and its built-in documents.

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/haidra-org/modelref"
)

// An Option configures a Server. Pass options to [NewServer] or [Start].
type Option func(*settings)

// settings are the result of all options.
type settings struct {
	documents map[modelref.Category]string // nil: the built-in set
	legacy    map[string]string
	catalogs  catalogs
	older     bool
	inMemory  bool
	errs      []error
}

//go:embed documents/*.json documents/catalogs/*.json
var builtIn embed.FS

// newSettings applies the options. If none of them sets a document, it uses the built-in documents.
func newSettings(options []Option) (*settings, error) {
	builtInCatalogs, err := newCatalogs()
	if err != nil {
		return nil, err
	}
	s := &settings{legacy: map[string]string{}, catalogs: builtInCatalogs}
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

// WithDocuments sets the documents of all categories. The file system has a v2 document CATEGORY.json for each, for example
// [os.DirFS] of a directory of recorded responses. A category without a file is {}, unless another option sets it. Start returns
// an error if a file cannot be read or if there are no files.
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

// WithDocument sets the v2 document of one category, byte for byte. The document need not be JSON. The built-in documents are
// then not used: a category that no option sets is {}.
func WithDocument(category modelref.Category, document string) Option {
	return func(s *settings) { s.setDocument(category, document) }
}

// WithRecords sets the records of one category, in the given order, as WithDocument does with their JSON. Start returns an error
// if a record has no name or belongs to another category.
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

// WithLegacyFile sets a file of the fake GitHub, such as "stable_diffusion.json" or "models.csv", byte for byte, instead of the
// file that is derived from the category's document.
func WithLegacyFile(name, content string) Option {
	return func(s *settings) { s.legacy[name] = content }
}

// InMemory makes the Server reachable only through its HTTPClient, over connections inside the process and without sockets, so
// that it works in a testing/synctest bubble. Start the Server inside the bubble.
func InMemory() Option { return func(s *settings) { s.inMemory = true } }
