// The names of text models: what they say, and which record a name belongs to.

package modelref

import (
	"context"
	"fmt"
	"strings"

	"github.com/haidra-org/modelref/internal/textname"
)

// TextModelName is the name of a text model taken apart. A part that the name does not have is "".
type TextModelName struct {
	// Original is the name as it was given.
	Original string
	// Base is what is left without the other parts, author and backend prefix included.
	Base string
	// Size is the number of parameters in upper case, as "7B" or "8X7B".
	Size string
	// Variant is the kind of tuning as the name spells it, as "Instruct".
	Variant string
	// Quant is the quantisation in upper case, as "Q4_K_M".
	Quant string
	// Version is the version as the name spells it, as "v0.1".
	Version string
	// Normalized is the name in lower case with every run of separators as one underscore.
	Normalized string
	// Extras are the other parts, as dates; nil where there are none.
	Extras []TextModelNameExtra
}

// TextModelNameExtra is a part of a name that is none of the named ones.
type TextModelNameExtra struct {
	// Value is the part as the name spells it.
	Value string
	// Position is the service's count of the separators before the part, good for ordering only.
	Position int
	// Type is the kind of part: "DATE" or "LEADING_VERSION".
	Type string
}

// ParseTextModelName takes the name of a text model apart as the service does. It never fails: a name without any part
// that it knows is its own base. The network is not touched.
func ParseTextModelName(name string) TextModelName {
	n := textname.Parse(name)
	out := TextModelName{
		Original: n.Original, Base: n.Base, Size: n.Size, Variant: n.Variant, Quant: n.Quant, Version: n.Version,
		Normalized: n.Normalized,
	}
	for _, extra := range n.Extras {
		out.Extras = append(out.Extras, TextModelNameExtra(extra))
	}
	return out
}

// BaseModelName returns the Base that ParseTextModelName gives for a name: the name without size, version, variant,
// quantisation and date, but with its author. TextModelGroup leaves the author out, and Baseline of a record is what its
// author says, which most do not.
func BaseModelName(name string) string { return textname.Base(name) }

// TextModelGroup returns the name of the group that a model belongs to: the base of its name without backend prefix and
// author. It is what the service fills in as text_model_group.
func TextModelGroup(name string) string { return textname.Group(name) }

// IsQuantized reports whether ParseTextModelName finds a quantisation in a name. As for the service, that is one of
// these as a word of its own, in whatever letter case, where an underscore joins words: Q2 to Q8, alone or with _0, _1,
// _K, _K_S, _K_M, _K_L or _K_H behind it; GGUF, GGML, GPTQ, AWQ, EXL2; FP16, FP32, INT8, INT4. So
// "gemma-q4_0-unquantized" counts as quantised, and "model-IQ4_XS" does not.
func IsQuantized(name string) bool { return textname.IsQuantized(name) }

// StripBackendPrefix returns a name without the prefix of a backend, as "koboldcpp/", or the name itself where it has
// none. One prefix is taken off.
func StripBackendPrefix(name string) string { return textname.StripBackendPrefix(name) }

// BackendVariants returns the names under which workers report a model: the name itself, then that of each backend.
// Aphrodite puts its prefix before the whole name, KoboldCpp before the name without its author.
func BackendVariants(name string) []string { return textname.BackendVariants(name) }

// Resolve returns the record for a name as a worker reports it. It reads the category as Load does and tries, in this
// order:
//
//  1. the name itself;
//  2. the name without a "::user" at its end;
//  3. that without the prefix of a backend ("aphrodite/Author/Model" is "Author/Model");
//  4. the model whose name without its author that is ("koboldcpp/Model" is "Author/Model");
//  5. steps 3 and 4 without the quantisation at the name's end, and without a ".gguf" behind it
//     ("koboldcpp/Model-Q4_K_M" is "Author/Model").
//
// Where several authors have a model of one name, the first in the document's order is returned. Letter case counts.
// The error is ErrNotFound where none of this finds a record, else that of Load.
func (s *TextGenerationService) Resolve(ctx context.Context, name string, options ...LoadOption) (*TextGenerationRecord, error) {
	ref, err := s.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if r, ok := ResolveTextModel(ref, name); ok {
		return r, nil
	}
	return nil, fmt.Errorf("modelref: %s: %q: %w", CategoryTextGeneration, name, ErrNotFound)
}

// ResolveTextModel returns the record of a loaded reference for a name as a worker reports it and true, or nil and
// false. It tries what TextGenerationService.Resolve does; the network is not touched.
func ResolveTextModel(ref *Reference[TextGenerationRecord], name string) (*TextGenerationRecord, bool) {
	if r, ok := ref.Get(name); ok {
		return r, true
	}
	model, _, shared := strings.Cut(name, "::")
	if shared {
		if r, ok := ref.Get(model); ok {
			return r, true
		}
	}
	model = textname.StripBackendPrefix(model)
	if r, ok := resolvePlain(ref, model); ok {
		return r, true
	}
	if whole, ok := withoutQuant(model); ok {
		return resolvePlain(ref, whole)
	}
	return nil, false
}

// resolvePlain returns the record of that name, or else the first whose name without its author that is.
func resolvePlain(ref *Reference[TextGenerationRecord], model string) (*TextGenerationRecord, bool) {
	if r, ok := ref.Get(model); ok || model == "" {
		return r, ok
	}
	for name, r := range ref.All() {
		// A backend is no author: what has its prefix is a variation of a model of another name.
		if before, ok := strings.CutSuffix(name, model); ok && strings.IndexByte(before, '/') == len(before)-1 &&
			before != "" && !textname.HasBackendPrefix(name) {
			return r, true
		}
	}
	return nil, false
}

// withoutQuant returns a name without the quantisation that it ends in, and whether it ends in one.
func withoutQuant(name string) (string, bool) {
	if end := len(name) - len(".gguf"); end > 0 && strings.EqualFold(name[end:], ".gguf") {
		if rest, ok := withoutQuant(name[:end]); ok {
			return rest, true
		}
	}
	quant := textname.Parse(name).Quant
	start := len(name) - len(quant)
	if quant == "" || start <= 0 || !strings.EqualFold(name[start:], quant) {
		return "", false
	}
	rest := strings.TrimRight(name[:start], "-_.: ")
	return rest, rest != "" && len(rest) < start
}
