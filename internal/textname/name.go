// Package textname takes the names of text models apart the way the model reference service does.
//
// A name such as "Author/Model-7B-Instruct-v2-Q4_K_M" has a size, a version, a quantisation, a variant and perhaps a
// date; what is left once they are cut out is its base name, and models of one base name form a group. The service
// cuts with rules that know nothing of words, so some names come apart oddly ("8x22B" is "8x2" of size "2B"). Groups
// are published under the names that come out, so this package keeps every oddity.
//
// Any string is accepted. Bytes that are not UTF-8 count as one character each, which is no letter and no digit.
// Nothing here reads a network, a disk or a clock, and everything may be called from several goroutines.
package textname

// This file holds the result types and the order in which the parts are cut out.

import (
	"strings"
	"unicode/utf8"
)

// Types of an Extra, as the service spells them.
const (
	// TypeDate marks a date or a date code: "08-2024", "2024-08", "2407".
	TypeDate = "DATE"
	// TypeLeadingVersion marks the dotted number that a name starts with: "4.2.0" in "4.2.0-Model".
	TypeLeadingVersion = "LEADING_VERSION"
)

// Extra is a part of a name that is neither of the named ones.
type Extra struct {
	// Value is the part as it stands in the name.
	Value string
	// Position counts the separators before the part. The service looks for them in the whole name but at the place
	// the part has once the parts before it are cut out, so it is an order rather than an index.
	Position int
	// Type is TypeDate or TypeLeadingVersion.
	Type string
}

// Name is a name taken apart. A part that the name does not have is the empty string.
type Name struct {
	// Original is the name as it was given.
	Original string
	// Base is what is left without the other parts; it is Original where nothing is left. An author and a backend
	// prefix stay in it: see Group.
	Base string
	// Size is the parameter count in upper case: "7B", "1.5B", "8X7B", "125M".
	Size string
	// Variant is the kind of tuning as the name spells it: "Instruct", "chat", "Thinking".
	Variant string
	// Quant is the quantisation in upper case: "Q4_K_M", "GGUF", "FP16".
	Quant string
	// Version is the version with its v as the name spells it: "v0.1", "V2".
	Version string
	// Normalized is Original in lower case with every run of separators as one underscore, and none at the ends.
	Normalized string
	// Extras are the other parts, a leading version first. It is nil where there are none.
	Extras []Extra
}

// Parse returns the parts of a name. It never fails: a name without any recognised part is its own base name.
func Parse(name string) Name {
	p := split(name)
	return Name{
		Original:   name,
		Base:       p.base,
		Size:       strings.ToUpper(p.size),
		Variant:    p.variant,
		Quant:      strings.ToUpper(p.quant),
		Version:    p.version,
		Normalized: normalize(name),
		Extras:     p.extras(name),
	}
}

// Base returns the Base that Parse gives for a name, without building the other parts.
func Base(name string) string {
	return split(name).base
}

// Group returns the name of the group that a model belongs to, which is the base name of what is left without the
// backend prefix and the author.
func Group(name string) string {
	return Base(withoutAuthor(StripBackendPrefix(name)))
}

// IsQuantized reports whether a name says that the model is quantised.
func IsQuantized(name string) bool {
	return split(name).quant != ""
}

// parts are the parts of a name in the spelling of the name.
type parts struct {
	base, leading, size, version, quant, variant, date string

	dateAt int // the characters before the date in what was left when it was found
}

// split cuts the parts out of a name. The order is the service's and matters: a part is looked for in what the earlier
// ones left, where the ends of a cut have become neighbours.
func split(name string) parts {
	var (
		p       parts
		scratch [128]byte // holds the name without allocating; longer ones move to the heap
	)
	r := newRemains(name, scratch[:0])
	if s := findLeadingVersion(r.text); s.found() {
		p.leading = name[:s.end]
		s.end++ // the separator goes with it
		r.cut(s)
	}
	if s := findSize(r.text); s.found() {
		p.size = r.take(name, s)
	}
	if s := findVersion(r.text); s.found() {
		p.version = r.take(name, s)
	}
	// Both are whole words, so cutting one out leaves the other as it was and they can be found together.
	quant, variant := findWords(r.text)
	if quant.found() {
		p.quant = r.take(name, quant)
		variant = variant.without(quant)
	}
	if variant.found() {
		p.variant = r.take(name, variant)
	}
	if s := findDate(r.text); s.found() {
		p.dateAt = utf8.RuneCount(r.text[:s.start])
		p.date = r.take(name, s)
	}
	p.base = r.base(name)
	return p
}

// extras returns the parts that have no field of their own in Name.
func (p *parts) extras(name string) []Extra {
	if p.leading == "" && p.date == "" {
		return nil
	}
	extras := make([]Extra, 0, 2)
	if p.leading != "" {
		extras = append(extras, Extra{Value: p.leading, Type: TypeLeadingVersion})
	}
	if p.date != "" {
		extras = append(extras, Extra{Value: p.date, Position: separatorsIn(name, p.dateAt), Type: TypeDate})
	}
	return extras
}
