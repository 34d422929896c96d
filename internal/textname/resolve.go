package textname

// This file finds the model of a worker by the name that the worker reports.

import (
	"strings"
	"unicode/utf8"
)

// Index finds models by the spellings that workers report. An Index is immutable and safe for concurrent use.
type Index struct {
	names  []string
	full   map[string]int32 // key: the whole name
	short  map[string]int32 // key: the name without its author
	joined map[string]int32 // key: the whole name with "-" for the slash, as in the names of files
	plain  map[string]int32 // key: the whole name and the short name, without a format such as "-hf" at the end
}

// ambiguous is the value of a key that several names share.
const ambiguous = -1

// NewIndex returns an index of the names. It keeps the slice, which must not be changed.
func NewIndex(names []string) *Index {
	n := len(names)
	x := &Index{
		names: names, full: make(map[string]int32, n), short: make(map[string]int32, n), joined: make(map[string]int32, n),
		plain: map[string]int32{},
	}
	for i, name := range names {
		x.add(int32(i), name)
	}
	return x
}

func (x *Index) add(i int32, name string) {
	f := foldName(name)
	if len(f.words) == 0 {
		return
	}
	put(x.full, f.key, i)
	author := f.author()
	if HasBackendPrefix(name) {
		return // a backend is not an author: the name is a variation of a model with another name
	}
	short := func(key string) string {
		if author == 0 {
			return key
		}
		return key[f.words[author-1].keyEnd+1:]
	}
	put(x.short, short(f.key), i)
	put(x.joined, joined(f.key), i)
	cuts := f.cuts()
	for n := len(f.words) - 1; n > author && f.onlyFormat(n); n-- {
		if cuts[n] || f.text(n) == "hf" {
			key, _ := f.prefix(n)
			put(x.plain, key, i)
			if author > 0 {
				put(x.plain, short(key), i)
			}
		}
	}
}

func put(keys map[string]int32, key string, i int32) {
	if before, ok := keys[key]; ok && before != i {
		i = ambiguous
	}
	keys[key] = i
}

// Resolve returns the index of the name that a worker reports. It returns false if no name matches or if several names
// could match. The spelling may differ in letter case and separators. Resolve ignores the prefix of a runtime, a user
// after "::", the path of a file, and quantization, format and extension at the end. The author must match, unless the
// reported author is known for quantizing the models of others.
func (x *Index) Resolve(reported string) (int, bool) {
	for _, model := range candidates(reported) {
		if i, found := x.resolveModel(model); found {
			return int(i), i != ambiguous
		}
	}
	return 0, false
}

// candidates returns the names that a reported name may represent: first without the user and the path, then also
// without one, two or more runtime prefixes.
func candidates(reported string) []string {
	model, _, _ := strings.Cut(reported, "::")
	if _, rest, ok := strings.Cut(model, "://"); ok {
		model = rest
	}
	model = baseOfPath(strings.TrimSpace(model))
	out := []string{model}
	for range maxPrefixes {
		before, rest, ok := strings.Cut(model, "/")
		if !ok || !isRuntime(before) {
			break
		}
		model = strings.TrimSpace(rest)
		out = append(out, baseOfPath(model))
	}
	return out
}

// maxPrefixes is the number of runtime prefixes that are removed from one name.
const maxPrefixes = 3

// baseOfPath returns the name of the file if the name is an absolute path or a Windows path. Otherwise it returns the
// name.
func baseOfPath(name string) string {
	absolute := strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "~/")
	if !absolute && !strings.Contains(name, `\`) {
		return name
	}
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// resolveModel returns the index of a name without prefix, or ambiguous. It removes as few markers as possible.
func (x *Index) resolveModel(model string) (i int32, found bool) {
	f := foldName(model)
	author := f.author()
	byQuantizer := author > 0 && isQuantizer(f.key[:f.words[author-1].keyEnd])
	cuts := f.cuts()
	for n := len(f.words); n > author; n-- {
		if !cuts[n] {
			continue
		}
		key, text := f.prefix(n)
		if i, found = x.lookup(key, text); found {
			return i, true
		}
		if byQuantizer && n < len(f.words) {
			if i, found = x.lookup(key[f.words[author-1].keyEnd+1:], text[f.words[author].start:]); found {
				return i, true
			}
		}
	}
	return 0, false
}

// lookup returns the index of the name with a key. If several names have the key, the text must be equal to exactly one
// of these names.
func (x *Index) lookup(key, text string) (i int32, found bool) {
	order := [...]map[string]int32{x.full, x.short, x.plain, nil}
	if !strings.Contains(key, "/") {
		order = [...]map[string]int32{x.full, x.short, x.joined, x.plain}
	}
	for _, keys := range order {
		if i, found = keys[key]; found {
			if i == ambiguous {
				i = x.exact(text)
			}
			return i, true
		}
	}
	return 0, false
}

// exact returns the index of the only name that is equal to text, with or without its author. If there are several, it
// returns ambiguous.
func (x *Index) exact(text string) int32 {
	out := int32(ambiguous)
	for i, name := range x.names {
		if name == text {
			return int32(i)
		}
		if !HasBackendPrefix(name) && withoutAuthor(name) == text {
			if out != ambiguous {
				return ambiguous
			}
			out = int32(i)
		}
	}
	return out
}

// Model returns the model's name in a reported name. It removes runtime prefixes, user, path and the markers at the
// end.
func Model(reported string) string {
	all := candidates(reported)
	f := foldName(all[len(all)-1])
	for n, ok := range f.cuts() {
		if ok && n > f.author() {
			_, name := f.prefix(n)
			return name
		}
	}
	return all[len(all)-1]
}

// isRuntime reports whether the first part of a name is a runtime or a host of models.
func isRuntime(name string) bool {
	var scratch [24]byte
	key := scratch[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case c >= utf8.RuneSelf:
			return false
		case isAlnumByte(c) && len(key) < len(scratch):
			key = append(key, lowerByte(c))
		}
	}
	for len(key) > 0 && isDigitByte(key[len(key)-1]) { // a version, as in "exllamav2"
		key = key[:len(key)-1]
	}
	switch string(key) {
	case "aphrodite", "aphroditeengine", "koboldcpp", "koboldcpprocm", "kobold", "tabbyapi", "tabby", "vllm", "sglang", "ollama",
		"llamacpp", "llamacpppython", "llamacppserver", "llamaserver", "llamafile", "ikllamacpp", "exllama", "exllamav",
		"textgenerationwebui", "textgenwebui", "oobabooga", "ooba", "textgenerationinference", "tgi", "lmstudio", "lmdeploy",
		"localai", "mlx", "mlxlm", "mlcllm", "tensorrtllm", "trtllm", "transformers", "yals", "gpt4all",
		"hf", "hfco", "huggingface", "huggingfaceco", "models":
		return true
	}
	return false
}

// isQuantizer reports whether an author publishes the models of others in other formats. The author must be folded.
func isQuantizer(author string) bool {
	switch author {
	case "thebloke", "bartowski", "mradermacher", "lonestriker", "quantfactory", "lewdiculous", "unsloth", "lmstudio-community",
		"mlx-community", "second-state", "bullerwins", "mav23", "dranger003", "tensorblock", "maziyarpanahi", "casperhansen",
		"solidrust", "neuralmagic", "redhatai", "nm-testing", "ggml-org", "featherless-ai-quants", "duyntnet",
		"inferenceillusionist", "legraphista", "artefact2", "turboderp", "ubergarm", "hugging-quants", "modelcloud", "mlc-ai",
		"thireus", "intel", "backyardai", "nexesenex", "richarderkhov", "afrideva":
		return true
	}
	return false
}
