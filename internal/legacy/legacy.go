// Package legacy turns the files of the two AI-Horde model reference repositories on GitHub into v2 category documents.
//
// The image repository holds a JSON object per category, the text repository a CSV. A record that does not convert is
// left out and reported; the rest of its file stands. Nothing here reads a network, a disk or a clock.
package legacy

// This file is the way in: which category is read how, the limits, and the document that is written.

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits on what is read. The files are a few hundred kilobytes with records of a few kilobytes; the limits are there
// for a file that is none of ours, and keep what it can cost within a small multiple of its size.
const (
	maxFileBytes   = 16 << 20
	maxRecordBytes = 1 << 20
	maxRecords     = 100_000
	maxDepth       = 32
)

// ErrDuplicate is the reason in a Rejected whose record was replaced by a later one of the same name: the name is in
// the document, the earlier record is not.
var ErrDuplicate = errors.New("replaced by a later record of the same name")

// ErrBackendPrefix is the reason in a Rejected for a text model listed under the name that a backend gives it. The
// model itself is listed without the prefix, so nothing is lost.
var ErrBackendPrefix = errors.New("name has a text backend's prefix, the model is listed without it")

// Rejected is a record that is not in the document: it did not convert, or the file itself replaced it (ErrDuplicate).
// Name is the record's name in the file, with U+FFFD for what is not UTF-8, and empty for a CSV row without one.
type Rejected struct {
	Name   string
	Reason error
}

// Convert returns the v2 document for the raw file of a category: a JSON object from model name to record, in the
// order of the file, with only the fields that are set.
//
// Records that did not convert are in rejected, in the order of the file, and cost no other record. The document is
// "{}" where none converted. Of two records with one name the later is taken, in the earlier one's place, and the
// earlier is reported. In JSON the name decides before anything else does, so a later bad record takes the name with
// it; a bad CSV row replaces nothing.
//
// The error is non-nil, and nothing else is returned, where the file as a whole is not what it should be: a category
// without a file on GitHub, JSON that is not an object or whose structure is broken, a CSV without the columns name
// and parameters_bn, or a file over the limits.
func Convert(category string, raw []byte) (document []byte, rejected []Rejected, err error) {
	if len(raw) > maxFileBytes {
		return nil, nil, fmt.Errorf("legacy %s: file of %d bytes, at most %d are read", category, len(raw), maxFileBytes)
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

// document gathers the records of one file in the file's order.
type document struct {
	category string
	entries  []entry
	index    map[string]int
	rejected []Rejected
}

// entry is a name and its record. A record that is nil holds the place of a name whose record did not convert.
type entry struct {
	name   string
	record []byte
}

func newDocument(category string) *document {
	return &document{category: category, index: make(map[string]int)}
}

// put adds a record under its name, or replaces the one that is there.
func (d *document) put(name string, rec *record) {
	rec.RecordType = d.category
	encoded, err := json.Marshal(rec)
	if err != nil {
		d.reject(name, err)
		return
	}
	d.place(name, encoded)
}

// place puts an encoded record, or nil for one that did not convert, where the name stands in the file.
func (d *document) place(name string, encoded []byte) {
	at, again := d.index[name]
	if !again {
		d.index[name] = len(d.entries)
		d.entries = append(d.entries, entry{name, encoded})
		return
	}
	if d.entries[at].record != nil {
		d.reject(name, ErrDuplicate)
	}
	d.entries[at].record = encoded
}

func (d *document) reject(name string, reason error) {
	d.rejected = append(d.rejected, Rejected{Name: name, Reason: reason})
}

// full returns an error once the file has had more records, good and bad, than are read.
func (d *document) full() error {
	if len(d.entries)+len(d.rejected) > maxRecords {
		return fmt.Errorf("more than %d records", maxRecords)
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
		if e.record == nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		// Names were checked to be UTF-8 when they were read, which is all that quoting can fail for.
		out, _ = jsontext.AppendQuote(out, e.name)
		out = append(out, ':')
		out = append(out, e.record...)
	}
	return append(out, '}')
}
