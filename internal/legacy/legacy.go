// Package legacy converts the files of the two AI-Horde model reference repositories on GitHub into v2 category
// documents.
//
// The image repository has a JSON object for each category. The text repository has one CSV. A record that cannot be
// converted is left out and reported, and the other records of the file are kept. The package uses no network, no disk
// and no clock.
package legacy

// This file has the entry point: the choice of the reader for a category, the limits, and the document that is written.

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits of the input. The files have a few hundred kilobytes, and their records have a few kilobytes. The limits
// protect against foreign files: the memory used stays within a small multiple of the size of the file.
const (
	maxFileBytes   = 16 << 20
	maxRecordBytes = 1 << 20
	maxRecords     = 100_000
	maxDepth       = 32
)

// ErrDuplicate is the reason in a [Rejected] if a later record of the same name replaced the record. The document has
// the name, with the later record.
var ErrDuplicate = errors.New("replaced by a later record of the same name")

// ErrBackendPrefix is the reason in a [Rejected] if a text model is listed under the name that a backend gives it. The
// model is also listed without the prefix, so no model is lost.
var ErrBackendPrefix = errors.New("name must not have the prefix of a text backend; the model is listed without the prefix")

// Rejected is a record that is not in the document, because the record cannot be converted or because a later record
// replaced it ([ErrDuplicate]). Name is the name of the record in the file. In Name, U+FFFD replaces bytes that are not
// UTF-8. Name is empty for a CSV row without a name.
type Rejected struct {
	Name   string
	Reason error
}

// Convert returns the v2 document for the raw file of a category. The document is a JSON object from model name to
// record, in the order of the file. The records have only the fields that are set.
//
// Convert returns the records that cannot be converted in rejected, in the order of the file. They do not affect other
// records. If no record can be converted, the document is "{}". If two records have the same name, the later record
// takes the place of the earlier one, and the earlier record is rejected. A record that cannot be converted replaces no
// other record.
//
// Convert returns only an error if the file as a whole is invalid: the category has no file on GitHub, the JSON is not
// an object or is malformed, the CSV has no column name or parameters_bn, or the file exceeds the limits.
func Convert(category string, raw []byte) (document []byte, rejected []Rejected, err error) {
	if len(raw) > maxFileBytes {
		return nil, nil, fmt.Errorf("legacy %s: file must have at most %d bytes, got %d", category, maxFileBytes, len(raw))
	}
	out := newDocument(category)
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if category == textGeneration {
		err = readText(raw, out)
	} else if convert, ok := converters[category]; ok {
		err = readJSON(raw, convert, out)
	} else {
		err = errors.New("category has no file on GitHub")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("legacy %s: %w", category, err)
	}
	return out.bytes(), out.rejected, nil
}

// document collects the records of one file in the order of the file.
type document struct {
	category string
	entries  []entry
	index    map[string]int
	rejected []Rejected
}

// entry is a name with its record.
type entry struct {
	name   string
	record []byte
}

func newDocument(category string) *document {
	return &document{category: category, index: make(map[string]int)}
}

// put adds a record under its name. If the document has the name, put replaces the record.
func (d *document) put(name string, rec *record) {
	rec.RecordType = d.category
	encoded, err := json.Marshal(rec)
	if err != nil {
		d.reject(name, err)
		return
	}
	d.place(name, encoded)
}

// place stores an encoded record at the position of its name in the file.
func (d *document) place(name string, encoded []byte) {
	at, again := d.index[name]
	if !again {
		d.index[name] = len(d.entries)
		d.entries = append(d.entries, entry{name, encoded})
		return
	}
	d.reject(name, ErrDuplicate)
	d.entries[at].record = encoded
}

func (d *document) reject(name string, reason error) {
	d.rejected = append(d.rejected, Rejected{Name: name, Reason: reason})
}

// full returns an error if the file has more records, valid or invalid, than the limit.
func (d *document) full() error {
	if len(d.entries)+len(d.rejected) > maxRecords {
		return fmt.Errorf("file must have at most %d records", maxRecords)
	}
	return nil
}

// bytes returns the JSON of the document.
func (d *document) bytes() []byte {
	size := len("{}")
	for _, e := range d.entries {
		size += len(e.name) + len(e.record) + len(`"":,`)
	}
	out := append(make([]byte, 0, size), '{')
	for _, e := range d.entries {
		if len(out) > 1 {
			out = append(out, ',')
		}
		// Names are checked to be UTF-8 when they are read, and quoting fails for no other reason.
		out, _ = jsontext.AppendQuote(out, e.name)
		out = append(out, ':')
		out = append(out, e.record...)
	}
	return append(out, '}')
}
