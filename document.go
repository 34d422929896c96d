// The decoder of v2 category documents.

package modelref

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/redact"
)

// maxRecords limits the number of records in a document: the smallest record takes 7 bytes of the document and some hundred
// bytes of memory. A document of more than 64 MiB, which a caller must allow explicitly, may have one record for every
// 256 bytes.
func maxRecords(document string) int { return max(1<<18, len(document)/256) }

// recordScanner is a scanner of records with the memory for what is inside them.
type recordScanner struct {
	jsondoc.Scanner
	memory recordMemory
}

// recordMemory is the memory for the parts of records. Every scanner that decodes records has a pointer to one as its Arena.
type recordMemory struct {
	downloads jsondoc.Arena[DownloadRecord]
	licensing jsondoc.Recent[Licensing]
	guidance  jsondoc.Recent[GuidanceSummary]
}

func newRecordScanner(document string) recordScanner {
	s := recordScanner{Scanner: jsondoc.NewScanner(document)}
	s.MaxContainers = 2 * maxRecords(document)
	return s
}

// maxRejected limits how many rejected records are listed one by one.
const maxRejected = 1000

// decodeDocument reads a v2 category document: an object of records. A legacy file in its place is converted first. It
// fails if the document is neither, or if it has records but none of them can be decoded. A record that cannot be decoded
// is left out and reported.
func decodeDocument[R Record](document string, facts *categoryInfo, table *jsondoc.Object[R], common func(*R) *ModelRecord) (
	*records[R], []RecordError, error,
) {
	var dropped []RecordError
	if isLegacyFile(document, facts) {
		var err error
		if document, dropped, err = convertLegacyFile(document, facts.category); err != nil {
			return nil, nil, err
		}
	}
	d := documentDecoder[R]{
		recordScanner: newRecordScanner(document), document: document, facts: facts, table: table, common: common,
		out: &records[R]{document: document, common: common}, valid: utf8.ValidString(document), rejected: dropped,
	}
	d.SkipBOM()
	d.Arena = &d.memory
	err := d.Fields(d.record)
	if err == nil {
		err = d.End("document")
	}
	if err == nil && len(d.out.list) == 0 && len(d.rejected) > 0 {
		err = &jsondoc.FieldError{Reason: "none of its records can be decoded: " + d.rejected[0].Error()}
	}
	if err != nil {
		return nil, nil, &DecodeError{Category: facts.category, Offset: offsetOf(err), Reason: err.Error()}
	}
	d.finish()
	return d.out, d.rejected, nil
}

func offsetOf(err error) int {
	if e, ok := err.(*jsondoc.SyntaxError); ok { //nolint:errorlint // the decoder never wraps it
		return e.Offset
	}
	return -1
}

// documentDecoder holds the state of one decodeDocument.
type documentDecoder[R Record] struct {
	recordScanner
	document string
	facts    *categoryInfo
	table    *jsondoc.Object[R]
	common   func(*R) *ModelRecord
	valid    bool // the document is UTF-8
	out      *records[R]
	rejected []RecordError
	unlisted int
}

// record decodes the next record, or rejects it. It fails only if it cannot find the end of the record.
func (d *documentDecoder[R]) record(name string) error {
	if most := maxRecords(d.document); len(d.out.list) == most {
		return &jsondoc.FieldError{Reason: "more than " + strconv.Itoa(most) + " records"}
	}
	d.grow()
	d.Next()
	start, mark := d.Offset(), d.Mark()
	n := len(d.out.list)
	d.out.list = d.out.list[:n+1] // elements beyond the length are zero
	r := &d.out.list[n]
	err := d.table.Decode(r, &d.Scanner)
	raw := d.Since(start)
	if err == nil && !d.valid && !(utf8.ValidString(raw) && utf8.ValidString(name)) {
		err = &jsondoc.FieldError{Reason: "not valid UTF-8"}
	}
	if err != nil {
		clear(d.out.list[n:])
		d.out.list = d.out.list[:n]
		d.reject(name, err)
		d.Reset(mark)
		return d.SkipMalformed()
	}
	m := d.common(r)
	m.raw = raw
	fillDefaults(m, name, d.facts)
	if d.out.keys != nil || m.Name != name {
		d.key(name)
	}
	return nil
}

// key records the key of the last record. It is called for every record once a key differs from the name in its record.
func (d *documentDecoder[R]) key(name string) {
	if d.out.keys == nil {
		for i := range len(d.out.list) - 1 {
			d.out.keys = append(d.out.keys, d.common(&d.out.list[i]).Name)
		}
	}
	d.out.keys = append(d.out.keys, name)
}

func (d *documentDecoder[R]) reject(name string, reason error) {
	if len(d.rejected) == maxRejected {
		d.unlisted++
		return
	}
	d.rejected = append(d.rejected, RecordError{
		Category: d.facts.category, Name: listedName(name), Reason: redact.Truncate(reason.Error()),
	})
}

// listedName returns the name of a rejected record as it is listed.
func listedName(name string) string { return strings.ToValidUTF8(redact.Truncate(name), "\uFFFD") }

// grow makes room for another record.
func (d *documentDecoder[R]) grow() {
	n := len(d.out.list)
	if n < cap(d.out.list) {
		return
	}
	total := min(estimateRecords(d.Offset(), len(d.document), n), maxRecords(d.document))
	d.out.list = append(slices.Grow([]R(nil), total), d.out.list...) // Grow uses all of the memory that is allocated
}

const (
	// minSample is the number of records from which the length of the others is estimated. Until then the room doubles.
	minSample = 4
	// smallSample and largeSample are the numbers of records at which the estimate is made again, because a larger sample
	// is more accurate.
	smallSample, largeSample = 64, 4096
	// estimateMargin is the part of the estimated remaining records that is added to the estimate.
	estimateMargin = 1. / 64
	// spareRecords limits the unused memory: at most one record for each spareRecords records.
	spareRecords = 16
)

// estimateRecords returns the number of records to make room for, given that n records were found in the first consumed
// bytes of a document of total bytes. The result is greater than n.
func estimateRecords(consumed, total, n int) int {
	records := max(1, 2*n)
	if n >= minSample {
		left := float64(total-consumed) / float64(consumed) * float64(n)
		records = n + max(int(left*(1+estimateMargin))+1, n/spareRecords)
	}
	switch {
	case n < smallSample:
		return min(records, smallSample)
	case n < largeSample:
		return min(records, largeSample)
	default:
		return records
	}
}

// finish indexes the records by key. If a key is repeated, the last record takes the place of the first.
func (d *documentDecoder[R]) finish() {
	out := d.out
	if out.index() {
		d.dropRepeated()
	}
	if spare := cap(out.list) - len(out.list); spare > len(out.list)/spareRecords {
		out.list = slices.Clip(append(make([]R, 0, len(out.list)), out.list...))
	}
	if d.unlisted > 0 {
		d.rejected = append(d.rejected, RecordError{
			Category: d.facts.category, Reason: strconv.Itoa(d.unlisted) + " more records were rejected",
		})
	}
}

// dropRepeated keeps the last of the records with the same key, in the place of the first, and reports the others.
func (d *documentDecoder[R]) dropRepeated() {
	out := d.out
	first := make(map[string]int, len(out.list))
	kept, keys := out.list[:0:0], []string(nil)
	for i := range out.list {
		name := out.name(i)
		at, repeated := first[name]
		if !repeated {
			first[name] = len(kept)
			kept, keys = append(kept, out.list[i]), append(keys, name)
			continue
		}
		kept[at] = out.list[i]
		d.reject(name, &jsondoc.FieldError{Reason: "the name is repeated; the last record is used"})
	}
	out.list = kept
	if out.keys != nil {
		out.keys = keys
	}
	out.index()
}

// fillDefaults sets the fields that a record leaves out to the service's defaults.
func fillDefaults(m *ModelRecord, name string, facts *categoryInfo) {
	m.Name = cmp.Or(m.Name, name)
	m.RecordType = cmp.Or(m.RecordType, facts.category)
	m.Classification.Domain = cmp.Or(m.Classification.Domain, facts.domain)
	m.Classification.Purpose = cmp.Or(m.Classification.Purpose, facts.purpose)
	m.Metadata.SchemaVersion = cmp.Or(m.Metadata.SchemaVersion, defaultSchemaVersion)
}

// defaultSchemaVersion is the version that the service reads into a record that states none.
const defaultSchemaVersion = "2.1.0"
