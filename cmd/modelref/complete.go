// Shell completion: categories, fields, names of models and values. Names and values are those in the cache directory:
// no request is sent.

package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// completeCategories completes up to that many names of categories, or any number if it is 0.
func completeCategories(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return categoryNames(), cobra.ShellCompDirectiveNoFileComp
	}
}

func categoryNames() []string {
	var out []string
	for _, c := range modelref.Categories() {
		out = append(out, string(c))
	}
	return out
}

// completing returns a client that reads only the cache directory. It returns nil if there is no cache directory. With --demo,
// the client reads the built-in server.
func (a *app) completing() *modelref.Client {
	if a.checkFlags() != nil {
		return nil
	}
	a.flags.quiet, a.flags.verbose = true, false
	var offline []modelref.Option
	if !a.flags.demo {
		offline = append(offline, modelref.WithOffline())
	}
	client, err := a.client(offline...)
	if err != nil {
		return nil
	}
	return client
}

// completeCategoryAndNames completes a category and then names of its models.
func (a *app) completeCategoryAndNames(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return categoryNames(), cobra.ShellCompDirectiveNoFileComp
	}
	return a.namesOf(cmd.Context(), args[0], typed), cobra.ShellCompDirectiveNoFileComp
}

// completeCategoryAndName completes a category and then the name of one of its models, or a name without a category.
func (a *app) completeCategoryAndName(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch {
	case len(args) == 0 && typed == "":
		return categoryNames(), cobra.ShellCompDirectiveNoFileComp
	case len(args) == 0:
		return append(categoryNames(), a.namesOf(cmd.Context(), "", typed)...), cobra.ShellCompDirectiveNoFileComp
	case len(args) == 1:
		return a.namesOf(cmd.Context(), args[0], typed), cobra.ShellCompDirectiveNoFileComp
	default:
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// namesOf returns the names of the models of a category, or of all categories, that begin with what is typed.
func (a *app) namesOf(ctx context.Context, category, typed string) []string {
	categories := modelref.Categories()
	if category != "" {
		parsed, err := parseCategory(category)
		if err != nil {
			return nil
		}
		categories = []modelref.Category{parsed}
	}
	client := a.completing()
	if client == nil {
		return nil
	}
	var out []string
	for _, category := range categories {
		ref, err := loadCategory(ctx, client, category)
		if err != nil {
			continue
		}
		for name := range ref.All() {
			if len(name) >= len(typed) && strings.EqualFold(name[:len(typed)], typed) && !strings.ContainsFunc(name, hidden) {
				out = append(out, name)
			}
		}
	}
	return out
}

// completeFields completes the fields of a selection's flags.
func (a *app) completeFields(cmd *cobra.Command, kindFor func([]string) kind) {
	for _, flag := range []string{"where", "sort", "fields"} {
		a.completeField(cmd, flag, kindFor)
	}
}

// completeField completes the last field of a list that is separated by commas. A condition also has values.
func (a *app) completeField(cmd *cobra.Command, flag string, kindFor func([]string) kind) {
	complete := func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		k := kindFor(args)
		if k == nil {
			k = everything{}
		}
		if name, _, ok := strings.Cut(typed, "="); ok && flag == "where" {
			name = strings.TrimSuffix(name, "!")
			return a.completeValues(cmd.Context(), k, name, typed, "=")
		}
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var out []string
		for _, f := range k.fields() {
			out = append(out, before+f.name)
		}
		if flag == "sort" && strings.HasPrefix(typed[len(before):], "-") {
			for i := range out {
				out[i] = before + "-" + strings.TrimPrefix(out[i], before)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	_ = cmd.RegisterFlagCompletionFunc(flag, complete) // the flag exists
}

// completeFlagValues completes the values of a flag that is a filter on a field, and other values if the cache directory
// has no records.
func (a *app) completeFlagValues(cmd *cobra.Command, flag, name string, kindFor func([]string) kind, otherwise []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		k := kindFor(args)
		if k == nil {
			k = everything{}
		}
		out, directive := a.completeValues(cmd.Context(), k, name, typed, "")
		if len(out) > 0 {
			return out, directive
		}
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		for _, value := range otherwise {
			out = append(out, before+value)
		}
		return out, directive
	}) // the flag exists
}

// completeValues completes the last of the values of a field, which are separated by commas and follow the separator.
func (a *app) completeValues(ctx context.Context, k kind, name, typed, separator string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	client := a.completing()
	if client == nil {
		return nil, directive
	}
	before := typed[:max(strings.LastIndexByte(typed, ',')+1, strings.LastIndex(typed, separator)+len(separator))]
	if separator == "" {
		before = typed[:strings.LastIndexByte(typed, ',')+1]
	}
	var out []string
	for _, value := range fieldValues(ctx, client, k, name) {
		if !strings.ContainsAny(value, ",") && !strings.ContainsFunc(value, hidden) {
			out = append(out, before+value)
		}
	}
	return out, directive
}
