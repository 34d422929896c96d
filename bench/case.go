// Package bench compares modelref with its alternatives: http.Get with one of four JSON decoders, a plain go-cache, and
// loops written by hand. It is a separate module, so that users of modelref do not download the alternatives.
//
// The same cases run in Go's benchmark harness (go test -bench .) and in the program in ratios. That program runs the
// cases of a group in turn, so that other load on the machine affects all of them equally.
package bench

// This file defines the cases and lists them.

import (
	"fmt"
	"strings"

	"github.com/haidra-org/modelref"
)

// ours is the By of the cases of modelref. All other cases are alternatives.
const ours = "modelref"

// Case is one way to perform an operation.
type Case struct {
	// By is the name of the case. It follows "by=" in the name of the benchmark.
	By string
	// Inexact is true if the number of allocations depends on timing and cannot be compared exactly.
	Inexact bool
	// Open prepares the case. It returns the operation, and a function that reverts Open. This function may be nil.
	Open func() (run func() error, done func(), err error)
}

// Ours reports whether the case measures modelref and not an alternative.
func (c *Case) Ours() bool { return len(c.By) >= len(ours) && c.By[:len(ours)] == ours }

// Group is an operation with the cases that perform it.
type Group struct {
	// Name is the name of the benchmark after "Benchmark", up to "by=".
	Name string
	// Bytes and Records are the size of the input of one operation, or 0.
	Bytes, Records int
	// Real is true if the group uses the real documents.
	Real  bool
	Cases []Case
}

// Case returns the case with the given By.
func (g *Group) Case(by string) (*Case, error) {
	for i := range g.Cases {
		if g.Cases[i].By == by {
			return &g.Cases[i], nil
		}
	}
	return nil, fmt.Errorf("%s: there is no case by=%s", g.Name, by)
}

// Sizes are the numbers of records in the generated documents.
var Sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// Groups returns all groups: for the documents in the corpus, unless it is "", and for generated documents of the given
// sizes. The documents are created by Groups. Therefore a caller should request only the sizes that it needs.
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

// documentGroups returns the groups for one document.
func documentGroups(d *document) []Group {
	var out []Group
	switch {
	case d.newest && d.text():
		out = append(out, decodeGroup[modelref.TextGenerationRecord, PlainText](d))
	case d.newest:
		out = append(out, decodeGroup[modelref.ImageGenerationRecord, PlainImage](d))
	case d.text():
		out = append(out, decodeGroup[modelref.TextGenerationRecord, PlainText](d), coldReadGroup[PlainText](d), warmGroup(d),
			restartGroup[PlainText](d))
	default:
		out = append(out, decodeGroup[modelref.ImageGenerationRecord, PlainImage](d))
		out = append(out, queryGroups(d)...)
	}
	for i := range out {
		out[i].Real, out[i].Records = d.real, d.records
	}
	return out
}

// GrowthGroups pairs each operation on few records with the same operation on many records, so that the times of one
// record can be compared in one run. The cases are named "n=" and the number. The key of the result has the By of the
// operation.
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
