// The names of text models: their parts, and the record that a reported name belongs to.

package modelref

import (
	"context"
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

// Resolve loads the category and returns the record that a worker means by the name that it reports. It tries, in this
// order:
//
//  1. the name itself, then the name without white space around it and without "::user" at its end;
//  2. the same name in another spelling: letter case and separators do not matter ("author/model 7b" is "Author/Model-7B");
//  3. the name without its author, if the reported name has no author ("Model-7B" is "Author/Model-7B");
//  4. steps 2 and 3 without words at the end that describe the file: quantization, format and extension
//     ("Model-7B-i1-Q4_K_M.gguf", "Model-7B-GPTQ", "Model-7B-8bpw-exl2"), as few of them as possible;
//  5. steps 2 to 4 without the prefix of a runtime ("koboldcpp/", "aphrodite/", "tabbyAPI/", "vllm/", "ollama/" and others)
//     or the path of a file.
//
// An author in the reported name must be the author of the record, unless it is known for quantizing the models of others
// ("TheBloke/Model-7B-GPTQ"). A wrong record is worse than none: if several records fit equally well, such as models of two
// authors with one name, Resolve returns none of them.
//
// If there is no such record, the error is a *NotFoundError, which is ErrNotFound and lists similar names. Otherwise the
// errors are those of Load.
func (s *TextGenerationService) Resolve(ctx context.Context, name string, options ...LoadOption) (*TextGenerationRecord, error) {
	ref, err := s.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	if r, ok := ResolveTextModel(ref, name); ok {
		return r, nil
	}
	return nil, &NotFoundError{ref.category, name, ref.nearest(textname.Model(name), maxSuggestions)}
}

// ResolveTextModel returns the record of a loaded reference that a worker means by the name that it reports, and true, or
// nil and false. It follows the rules of TextGenerationService.Resolve. The network is not touched.
func ResolveTextModel(ref *Reference[TextGenerationRecord], name string) (*TextGenerationRecord, bool) {
	if ref == nil || ref.data == nil {
		return nil, false
	}
	if r, ok := ref.Get(name); ok {
		return r, true
	}
	model, _, _ := strings.Cut(name, "::")
	if r, ok := ref.Get(strings.TrimSpace(model)); ok {
		return r, true
	}
	if i, ok := ref.data.names.resolver(ref.Names).Resolve(name); ok {
		return &ref.data.list[i], true
	}
	return nil, false
}
