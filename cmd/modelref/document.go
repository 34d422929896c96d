// Documents: records by name, read from a file or a source, in the forms that this command and the service write.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
)

// document is records by name, in order.
type document struct {
	names   []string
	records map[string]json.RawMessage
	listed  bool // by the names that records give themselves: a list of them has no others
}

// asListed returns the document by the names that its records give themselves, or else those that it has.
func (d *document) asListed() (*document, error) {
	out := &document{listed: true}
	for _, name := range d.names {
		record := d.records[name]
		if err := out.add(cmp.Or(recordName(record), name), record); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *document) add(name string, record json.RawMessage) error {
	if _, twice := d.records[name]; twice {
		return fmt.Errorf("the name %q comes twice", name)
	}
	if d.records == nil {
		d.records = map[string]json.RawMessage{}
	}
	d.names, d.records[name] = append(d.names, name), record
	return nil
}

// readSide reads one side of a diff.
func (a *app) readSide(ctx context.Context, side string) (*document, error) {
	source, name, prefixed := strings.Cut(side, ":")
	switch {
	case side == "-":
		return readUntil(ctx, a.stdin)
	case prefixed && slices.Contains([]string{"primary", "github", "cache"}, source):
		return a.readSource(ctx, source, name)
	case modelref.Category(side).Known():
		return a.readSource(ctx, "", side)
	}
	file, err := os.Open(side) //nolint:gosec // the user names it
	if errors.Is(err, os.ErrNotExist) {
		return nil, usagef("%s is neither a file nor a category: it must be a file, a directory, a category such as clip, or primary:clip, github:clip or cache:clip", side)
	} else if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was read only
	return readAll(file, side)
}

// readUntil reads standard input, which may never end, until an interrupt.
func readUntil(ctx context.Context, stdin io.Reader) (*document, error) {
	type side struct {
		doc *document
		err error
	}
	read := make(chan side, 1)
	go func() {
		doc, err := readAll(stdin, "standard input")
		read <- side{doc, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case s := <-read:
		return s.doc, s.err
	}
}

// readSource reads a category from one source, or from whichever answers.
func (a *app) readSource(ctx context.Context, source, category string) (*document, error) {
	if category == "" {
		return nil, usagef("%s: needs a category, such as %s:clip", source, source)
	}
	if _, err := kindOf(category); err != nil {
		return nil, err
	}
	if source == "github" && a.flags.noGitHub {
		return nil, usagef("github:%s: --no-github switches that source off: leave it out", category)
	}
	if source == "cache" && a.flags.demo {
		return nil, usagef("cache:%s: --demo has no cache directory: leave it out, and name one with --cache-dir", category)
	}
	if source == "cache" && a.flags.noCache {
		return nil, usagef("cache:%s: leave out --no-cache", category)
	}
	var only []modelref.Option
	want := modelref.SourceNone
	switch source {
	case "primary":
		only, want = []modelref.Option{modelref.WithoutGitHub()}, modelref.SourcePrimary
	case "github":
		only, want = []modelref.Option{modelref.WithoutPrimary()}, modelref.SourceGitHub
	case "cache":
		only, want = []modelref.Option{modelref.WithOffline()}, modelref.SourceDisk
	}
	client, err := a.client(only...)
	if err != nil {
		return nil, err
	}
	reader, err := client.Category(category)
	if err != nil {
		return nil, err
	}
	ref, err := loadFor(ctx, reader, source)
	if err != nil {
		return nil, within(ctx, err)
	}
	if want != modelref.SourceNone && ref.Source() != want {
		return nil, fmt.Errorf("%s:%s: only %s could give it: see `modelref status %s`", source, category,
			originText(ref.Source()), category)
	}
	a.remarkOn(source, category, ref)
	return documentOf(ref)
}

// remarkOn remarks on what nobody has asked for: another source than a named one has been refused before.
func (a *app) remarkOn(source, category string, ref *modelref.Reference[modelref.ModelRecord]) {
	if source == "" {
		a.remark(&about{modelref.Category(category), ref})
		return
	}
	for _, rejected := range ref.Rejected() {
		a.notef("%s: left out: %s", category, rejected.Error())
	}
}

// loadFor asks a source on the network itself, whatever lies in the cache directory.
func loadFor(ctx context.Context, reader *modelref.CategoryReader, source string) (*modelref.Reference[modelref.ModelRecord], error) {
	if source == "primary" || source == "github" {
		return reader.Load(ctx, modelref.WithRefresh())
	}
	return reader.Load(ctx)
}

// documentOf returns the records of a reference as the source has them, by the names of the document.
func documentOf(ref *modelref.Reference[modelref.ModelRecord]) (*document, error) {
	doc := &document{}
	for name, record := range ref.All() {
		if err := doc.add(name, json.RawMessage(record.RawJSON())); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// readDocument reads an object of records by name, an array of records, or records one after the other.
func readDocument(r io.Reader) (*document, error) {
	doc, d := &document{}, json.NewDecoder(r)
	for first := true; ; first = false {
		var value json.RawMessage
		switch err := d.Decode(&value); {
		case errors.Is(err, io.EOF):
			return doc, nil
		case err != nil:
			return nil, err
		}
		var err error
		switch {
		case first && value[0] == '[':
			err = doc.addArray(value)
		case first && value[0] == '{' && recordName(value) == "":
			err = doc.addObject(value)
		default:
			err = doc.addRecord(value)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (d *document) addArray(value json.RawMessage) error {
	var records []json.RawMessage
	if err := json.Unmarshal(value, &records); err != nil {
		return err
	}
	for _, record := range records {
		if err := d.addRecord(record); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) addRecord(record json.RawMessage) error {
	name := recordName(record)
	if name == "" {
		return errors.New("a record without a name")
	}
	d.listed = true
	return d.add(name, record)
}

// addObject adds the fields of an object in their order, which a map would not keep.
func (d *document) addObject(value json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var record json.RawMessage
		if err := decoder.Decode(&record); err != nil {
			return err
		}
		if record[0] != '{' {
			return fmt.Errorf("%q is no record", name)
		}
		if err := d.add(name.(string), record); err != nil { // the name of a field is a string
			return err
		}
	}
	return nil
}

// recordName returns the name that a record gives itself, or "".
func recordName(record json.RawMessage) string {
	var named struct {
		Name any `json:"name"`
	}
	if json.Unmarshal(record, &named) != nil {
		return ""
	}
	name, _ := named.Name.(string)
	return name
}

// compareRecords returns the fields that differ: those of the later record in its order, then those that are gone.
func compareRecords(before, after json.RawMessage) []fieldChange {
	if bytes.Equal(before, after) {
		return nil
	}
	var old, now document
	if old.addFields(before) != nil || now.addFields(after) != nil {
		return []fieldChange{{"", before, after}}
	}
	var out []fieldChange
	for _, name := range now.names {
		if !sameValue(old.records[name], now.records[name]) {
			out = append(out, fieldChange{name, old.records[name], now.records[name]})
		}
	}
	for _, name := range old.names {
		if _, ok := now.records[name]; !ok {
			out = append(out, fieldChange{Field: name, Before: old.records[name]})
		}
	}
	return out
}

func (d *document) addFields(record json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(record))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		if err := d.add(name.(string), value); err != nil { // the name of a field is a string
			return err
		}
	}
	return nil
}

// sameValue reports whether two values are equal, however they are written.
func sameValue(a, b json.RawMessage) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, err := decodeValue(a)
	if err != nil {
		return false
	}
	y, err := decodeValue(b)
	return err == nil && equalValues(x, y)
}

func decodeValue(value json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber() // sizes are longer than a float64 is exact
	var out any
	err := decoder.Decode(&out)
	return out, err
}

func equalValues(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, value := range x {
			if other, ok := y[name]; !ok || !equalValues(value, other) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equalValues)
	case json.Number:
		y, ok := b.(json.Number)
		return ok && equalNumbers(string(x), string(y))
	default:
		return a == b
	}
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a+b, ".eE") {
		return false // two integers, of which -0 is not written
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
