// Package bench measures modelref beside what a program would use in its place: http.Get with one of four JSON
// decoders, a bare go-cache, loops written by hand. It is a module of its own, so that no user of modelref downloads
// the alternatives.
//
// The same cases serve Go's benchmark harness (go test -bench .) and the program in ratios, which runs the ways of
// doing one thing in turn, so that what else the machine does meets all of them alike.
package bench

// This file says what a case is, and which there are.

import (
	"fmt"
	"strings"

	"github.com/haidra-org/modelref"
)

// ours is the By of what is measured here; every other way is an alternative to it.
const ours = "modelref"

// Case is one way of doing one thing.
type Case struct {
	// By names the way, as it stands in a benchmark's name after "by=".
	By string
	// Inexact is set where the number of allocations hangs on timing, so that it cannot be compared exactly.
	Inexact bool
	// Open makes ready what is measured. It returns the operation, and what undoes Open, which may be nil.
	Open func() (run func() error, done func(), err error)
}

// Ours reports whether the case measures modelref rather than an alternative.
func (c *Case) Ours() bool { return len(c.By) >= len(ours) && c.By[:len(ours)] == ours }

// Group is one thing that can be done in several ways.
type Group struct {
	// Name is the benchmark's name below "Benchmark", up to "by=".
	Name string
	// Bytes and Records are what one operation goes through, or 0.
	Bytes, Records int
	// Real is set where the group works on the real documents.
	Real  bool
	Cases []Case
}

// Case returns the case of that By.
func (g *Group) Case(by string) (*Case, error) {
	for i := range g.Cases {
		if g.Cases[i].By == by {
			return &g.Cases[i], nil
		}
	}
	return nil, fmt.Errorf("%s has no case by=%s", g.Name, by)
}

// Sizes are the numbers of records in the generated documents.
var Sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// Groups returns everything there is to measure: on the documents in the corpus, where it is not "", and on generated
// ones of those sizes. Documents are made when a group is built, so a caller builds no size that it does not need.
func Groups(corpus string, sizes ...int) ([]Group, error) {
	documents := make([]document, 0, 2+2*len(sizes))
	for _, n := range sizes {
		documents = append(documents, generatedText(n), generatedImages(n))
	}
	if corpus != "" {
		recorded, err := realDocuments(corpus)
		if err != nil {
			return nil, err
		}
		documents = append(recorded, documents...)
	}
	var out []Group
	for i := range documents {
		out = append(out, documentGroups(&documents[i])...)
	}
	if corpus != "" {
		legacy, err := convertGroups(corpus)
		if err != nil {
			return nil, err
		}
		out = append(out, legacy...)
	}
	return out, nil
}

// documentGroups returns what is measured on one document.
func documentGroups(d *document) []Group {
	var out []Group
	if d.text() {
		out = append(out, decodeGroup[modelref.TextGenerationRecord, PlainText](d), coldReadGroup[PlainText](d), warmGroup(d), pollGroup(d),
			restartGroup[PlainText](d))
	} else {
		out = append(out, decodeGroup[modelref.ImageGenerationRecord, PlainImage](d))
		out = append(out, queryGroups(d)...)
	}
	for i := range out {
		out[i].Real, out[i].Records = d.real, d.records
	}
	return out
}

// GrowthGroups pairs each operation on few records with the same on many, so that the time of one record can be
// compared in one run. The cases are named "n=" and the number; By says whose the operation is.
func GrowthGroups(few, many int) (map[string]Group, error) {
	out := map[string]Group{}
	for _, n := range []int{few, many} {
		groups, err := Groups("", n)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			base := strings.TrimSuffix(g.Name, fmt.Sprintf("/n=%d", n))
			if !strings.HasPrefix(base, "Query/") && !strings.HasPrefix(base, "Decode/") {
				continue
			}
			for _, c := range g.Cases {
				if c.By != ours && c.By != "hand" {
					continue
				}
				name := base + "/by=" + c.By
				pair := out[name]
				pair.Name, pair.Records = name, n
				pair.Cases = append(pair.Cases, Case{By: fmt.Sprintf("n=%d", n), Open: c.Open})
				out[name] = pair
			}
		}
	}
	return out, nil
}
