// Filters: the conditions that people need every day, as flags of their own.

package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// filters are the flags that select records beside --where.
type filters struct {
	sfw, nsfw, commercial     bool
	baselines, tags, licenses []string
	maxSize, maxParams        string
}

// addFilters adds the flags to a command.
func (a *app) addFilters(cmd *cobra.Command, f *filters, kindFor func([]string) kind) {
	flags := cmd.Flags()
	flags.BoolVar(&f.sfw, "sfw", false, "keep the models that are safe for work")
	flags.BoolVar(&f.nsfw, "nsfw", false, "keep the models that are not safe for work")
	flags.StringSliceVar(&f.baselines, "baseline", nil, "keep the models of one of these baselines, such as sdxl,flux_1")
	flags.StringVar(&f.maxSize, "max-size", "", "keep the models of at most this size, such as 8GB")
	flags.StringVar(&f.maxParams, "max-params", "", "keep the text models of at most this many parameters, such as 13B")
	flags.StringSliceVar(&f.tags, "tag", nil, "keep the models with one of these tags")
	flags.StringSliceVar(&f.licenses, "license", nil, "keep the models for which these licenses are sufficient, such as apache-2.0")
	flags.BoolVar(&f.commercial, "commercial", false, "keep the models whose license permits commercial use without conditions")
	cmd.MarkFlagsMutuallyExclusive("sfw", "nsfw")
	var baselines []string
	for _, name := range modelref.PackagedBaselines().Names() {
		baselines = append(baselines, string(name))
	}
	a.completeFlagValues(cmd, "baseline", "baseline", kindFor, baselines)
	a.completeFlagValues(cmd, "tag", "tags", kindFor, nil)
	for flag, values := range map[string][]string{
		"max-size": {"4GB", "8GB", "16GB", "24GB"}, "max-params": {"3B", "8B", "13B", "24B", "70B"},
		"license": {"apache-2.0", "mit", "openrail", "creativeml-openrail-m"},
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flags exist
	}
}

// A condition is a condition in the language of --where, and the flag that stands for it.
type condition struct{ flag, text string }

// conditions returns the filters that are conditions on fields.
func (f filters) conditions() []condition {
	var out []condition
	add := func(given bool, flag, text string) {
		if given {
			out = append(out, condition{flag, text})
		}
	}
	add(f.sfw, "--sfw", "!nsfw")
	add(f.nsfw, "--nsfw", "nsfw")
	add(len(f.baselines) > 0, "--baseline", "baseline="+strings.Join(f.baselines, ","))
	add(len(f.tags) > 0, "--tag", "tags="+strings.Join(f.tags, ","))
	add(f.maxSize != "", "--max-size", "size_on_disk_bytes<="+f.maxSize)
	add(f.maxParams != "", "--max-params", "parameters<="+f.maxParams)
	return out
}

// allConditions returns the filters and the conditions of --where.
func (s selection) allConditions() []condition {
	out := s.conditions()
	for _, text := range s.where {
		out = append(out, condition{"--where", text})
	}
	return out
}

// used reports whether a filter was given.
func (f filters) used() bool { return len(f.conditions()) > 0 || f.commercial || len(f.licenses) > 0 }

// permits reports whether a license satisfies --license and --commercial.
func (f filters) permits(l *modelref.Licensing) bool {
	return (len(f.licenses) == 0 || l.LicensedUnder(f.licenses...)) && (!f.commercial || l.AllowsCommercialUse())
}

// filter adds the filters to a query. Each error names its flag.
func filter[R modelref.Record](q modelref.Query[R], f filters) (modelref.Query[R], error) {
	var errs []error
	for _, c := range f.conditions() {
		where, err := modelref.ParsePredicate[R](c.text)
		errs = append(errs, prefix(c.flag, err))
		q = q.Where(where)
	}
	if f.commercial {
		q = q.AllowsCommercialUse()
	}
	if len(f.licenses) > 0 {
		q = q.LicensedUnder(f.licenses...)
	}
	return q, errors.Join(errs...)
}
