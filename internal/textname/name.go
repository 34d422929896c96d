// Package textname splits the names of text models into their parts, as the model reference service does.
//
// A name such as "Author/Model-7B-Instruct-v2-Q4_K_M" may have a size, a version, a quantization, a variant and a date.
// The rest of the name is its base name, and models with the same base name form a group. The rules of the service do
// not respect word boundaries, so some results are unexpected: "8x22B" is "8x2" and the size "2B". Groups are published
// under these names, so this package returns the same results.
//
// Any string is accepted. A byte that is not valid UTF-8 counts as one character that is neither a letter nor a digit.
// The package uses no network, no disk and no clock. All its functions are safe for concurrent use.
package textname

// This file has the result types and the order in which the parts are cut out.

import (
	"strings"
	"unicode/utf8"
)

// Types of an [Extra], as the service spells them.
const (
	// TypeDate is the type of a date or a date code: "08-2024", "2024-08", "2407".
	TypeDate = "DATE"
	// TypeLeadingVersion is the type of a dotted number at the start of a name: "4.2.0" in "4.2.0-Model".
	TypeLeadingVersion = "LEADING_VERSION"
)

// Extra is a part of a name that has no field in [Name].
type Extra struct {
	// Value is the part as the name spells it.
	Value string
	// Position is a number that orders the parts. The service computes it as follows: it takes the offset of the part
	// after the earlier parts are cut out, and counts the separators of the whole name before this offset.
	Position int
	// Type is [TypeDate] or [TypeLeadingVersion].
	Type string
}

// Name has the parts of a name. A part that the name does not have is the empty string.
type Name struct {
	// Original is the given name.
	Original string
	// Base is the rest of the name without the other parts. If nothing is left, Base is Original. Base includes the
	// author and the prefix of a backend: see [Group].
	Base string
	// Size is the parameter count in upper case: "7B", "1.5B", "8X7B", "125M".
	Size string
	// Variant is the kind of tuning, as the name spells it: "Instruct", "chat", "Thinking".
	Variant string
	// Quant is the quantization in upper case: "Q4_K_M", "GGUF", "FP16".
	Quant string
	// Version is the version including its v, as the name spells it: "v0.1", "V2".
	Version string
	// Normalized is Original in lower case. Each run of separators is replaced by one underscore, and separators at the
	// ends are removed.
	Normalized string
	// Extras are the other parts. A leading version is first. Extras is nil if there are no other parts.
	Extras []Extra
}

// Parse returns the parts of a name. It never fails: if no part is recognized, the base is the whole name.
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

// Base returns the Base that [Parse] returns for a name. It does not build the other parts.
func Base(name string) string {
	return split(name).base
}

// Group returns the name of the model's group. The group is the base of the name without backend prefix and author.
func Group(name string) string {
	return Base(withoutAuthor(StripBackendPrefix(name)))
}

// IsQuantized reports whether a name has a quantization.
func IsQuantized(name string) bool {
	return split(name).quant != ""
}

// parts are the parts of a name, as the name spells them.
type parts struct {
	base, leading, size, version, quant, variant, date string

	dateAt int // the number of characters before the date when the date was found
}

// split cuts the parts out of a name, in the order of the service. The order is significant: each cut joins the text
// before and after it, and the next part is searched in the joined text.
func split(name string) parts {
	var (
		p       parts
		scratch [128]byte // avoids an allocation; longer names are allocated on the heap
	)
	r := newRemains(name, scratch[:0])
	if s := findLeadingVersion(r.text); s.found() {
		p.leading = name[:s.end]
		s.end++ // the separator is cut out too
		r.cut(s)
	}
	if s := findSize(r.text); s.found() {
		p.size = r.take(name, s)
	}
	if s := findVersion(r.text); s.found() {
		p.version = r.take(name, s)
	}
	// Both parts are whole words. Cutting one out does not change the other, so they are found together.
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

// extras returns the parts that have no field in [Name].
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
