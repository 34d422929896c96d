package textname

// This file holds the names that workers give a model: those of their backend, before the name of the reference.

import "strings"

// The prefixes of the backends that put one before a name. They are not used alike: see BackendVariants.
const (
	aphrodite = "aphrodite/"
	koboldcpp = "koboldcpp/"
)

// HasBackendPrefix reports whether a name starts with a backend's prefix. Prefixes are compared with case.
func HasBackendPrefix(name string) bool {
	return strings.HasPrefix(name, aphrodite) || strings.HasPrefix(name, koboldcpp)
}

// StripBackendPrefix returns a name without its backend's prefix, or the name where it has none. One prefix is taken
// off: what comes after it is the model's own name, whatever that looks like.
func StripBackendPrefix(name string) string {
	if rest, ok := strings.CutPrefix(name, aphrodite); ok {
		return rest
	}
	return strings.TrimPrefix(name, koboldcpp)
}

// BackendVariants returns the names under which workers report a model, the given one first, each once. Aphrodite puts
// its prefix before the whole name, KoboldCpp before the name without its author.
func BackendVariants(name string) []string {
	variants := []string{name, aphrodite + name}
	if kobold := koboldcpp + withoutAuthor(name); kobold != name {
		variants = append(variants, kobold)
	}
	return variants
}

// withoutAuthor returns what follows the first slash of a name, or the name where it has none.
func withoutAuthor(name string) string {
	if _, rest, ok := strings.Cut(name, "/"); ok {
		return rest
	}
	return name
}
