// Categories by the names that people type.

package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
)

// parseCategory returns the category with a name. A beginning of a name that fits one category only is accepted, and so
// is a name with hyphens in place of underscores: "image", "text", "control-net".
func parseCategory(name string) (modelref.Category, error) {
	category, err := modelref.ParseCategory(name)
	if err == nil {
		return category, nil
	}
	typed := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if strings.HasSuffix(typed, "s") && len(typed) > len("mis") && typed != string(modelref.CategoryMiscellaneous) {
		typed = strings.TrimSuffix(typed, "s") // "images"
	}
	var found []modelref.Category
	for _, c := range modelref.Categories() {
		if string(c) == typed {
			return c, nil
		}
		if typed != "" && strings.HasPrefix(string(c), typed) {
			found = append(found, c)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	switch near := modelref.NearestNames(typed, categoryNames(), maxSuggestions); {
	case len(found) > 1:
		return "", usagef("%q is the beginning of several categories: %s", name, joinNames(found))
	case len(near) > 0:
		return "", usagef("%w %q: did you mean %s?", modelref.ErrUnknownCategory, name, strings.Join(near, " or "))
	default:
		return "", usagef("%w %q: must be one of %s", modelref.ErrUnknownCategory, name, strings.Join(categoryNames(), ", "))
	}
}

func joinNames(categories []modelref.Category) string {
	names := make([]string, len(categories))
	for i, c := range categories {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// categoriesOf returns the categories with these names, each once, or all categories if there are no names.
func categoriesOf(names []string) ([]modelref.Category, error) {
	if len(names) == 0 {
		return modelref.Categories(), nil
	}
	var out []modelref.Category
	var errs []error
	for _, name := range names {
		category, err := parseCategory(name)
		if err == nil && !slices.Contains(out, category) {
			out = append(out, category)
		}
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}
