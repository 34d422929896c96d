// Shell completion: names of categories and of fields. Nothing is read for it.

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// completeCategories completes up to that many names of categories; any number where it is 0.
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

// completeFields completes the fields of a selection's flags.
func completeFields(cmd *cobra.Command, kindFor func([]string) kind) {
	for _, flag := range []string{"where", "sort", "fields"} {
		completeField(cmd, flag, kindFor)
	}
}

// completeField completes the last of a list of fields with commas between them.
func completeField(cmd *cobra.Command, flag string, kindFor func([]string) kind) {
	complete := func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		k := kindFor(args)
		if k == nil {
			k = everything{}
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
	_ = cmd.RegisterFlagCompletionFunc(flag, complete) // the flag is there
}
