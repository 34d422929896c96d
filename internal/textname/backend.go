package textname

// This file has the names under which workers report a model: the prefix of their backend, then the name in the
// reference.

import "strings"

// The prefixes of the backends. [BackendVariants] describes their use.
const (
	aphrodite = "aphrodite/"
	koboldcpp = "koboldcpp/"
)

// HasBackendPrefix reports whether a name starts with the prefix of a backend. The comparison is case-sensitive.
func HasBackendPrefix(name string) bool {
	return strings.HasPrefix(name, aphrodite) || strings.HasPrefix(name, koboldcpp)
}

// StripBackendPrefix returns a name without the prefix of its backend. It removes only one prefix. If the name has no
// prefix, it is returned unchanged.
func StripBackendPrefix(name string) string {
	if rest, ok := strings.CutPrefix(name, aphrodite); ok {
		return rest
	}
	return strings.TrimPrefix(name, koboldcpp)
}

// BackendVariants returns the names under which workers report a model, without duplicates. The first is the given
// name. Aphrodite adds its prefix to the whole name, KoboldCpp to the name without its author.
func BackendVariants(name string) []string {
	variants := []string{name, aphrodite + name}
	if kobold := koboldcpp + withoutAuthor(name); kobold != name {
		variants = append(variants, kobold)
	}
	return variants
}

// withoutAuthor returns the name after the first slash. If there is no slash, it returns the name.
func withoutAuthor(name string) string {
	if _, rest, ok := strings.Cut(name, "/"); ok {
		return rest
	}
	return name
}
