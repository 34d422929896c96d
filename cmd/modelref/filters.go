// Filters: the conditions that people need every day, as flags of their own.

package main

import (
	"errors"
	"fmt"
	"strconv"
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
	flags.BoolFunc("sfw", "keep the models that are safe for work", chooseNSFW(&f.sfw, &f.nsfw))
	flags.BoolFunc("nsfw", "keep the models that are not safe for work", chooseNSFW(&f.nsfw, &f.sfw))
	flags.StringSliceVar(&f.baselines, "baseline", nil, "keep the models of one of these baselines, such as sdxl,flux_1")
	flags.StringVar(&f.maxSize, "max-size", "", "keep the models of at most this size, such as 8GB")
	flags.StringVar(&f.maxParams, "max-params", "", "keep the text models of at most this many parameters, such as 13B")
	flags.StringSliceVar(&f.tags, "tag", nil, "keep the models with one of these tags")
	flags.StringSliceVar(&f.licenses, "license", nil, "keep the models for which these licenses are sufficient, such as apache-2.0")
	flags.BoolVar(&f.commercial, "commercial", false, "keep the models whose license permits commercial use without conditions")
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

// chooseNSFW returns the function of a flag that keeps models of one kind. --nsfw=false is --sfw.
func chooseNSFW(this, other *bool) func(string) error {
	return func(text string) error {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("must be true or false")
		}
		if on && *other || !on && *this {
			return errors.New("--sfw and --nsfw exclude each other")
		}
		*this, *other = on, !on
		return nil
	}
}

// A condition is a condition in the language of --where, the flag that sets it, and the field that the flag stands for.
type condition struct{ flag, text, field string }

// noField returns the error for records that do not have the field of the flag.
func (c condition) noField() error { return fmt.Errorf("the records have no field %q", c.field) }

// conditions returns the filters that are conditions on fields.
func (f filters) conditions() []condition {
	var out []condition
	add := func(given bool, flag, field, text string) {
		if given {
			out = append(out, condition{flag, text, field})
		}
	}
	add(f.sfw, "--sfw", "nsfw", "!nsfw")
	add(f.nsfw, "--nsfw", "nsfw", "nsfw")
	add(len(f.baselines) > 0, "--baseline", "baseline", "baseline="+strings.Join(f.baselines, ","))
	add(len(f.tags) > 0, "--tag", "tags", "tags="+strings.Join(f.tags, ","))
	add(f.maxSize != "", "--max-size", "size_on_disk_bytes", "size_on_disk_bytes<="+withUnit(f.maxSize))
	add(f.maxParams != "", "--max-params", "parameters", "parameters<="+f.maxParams)
	return out
}

// withUnit returns a size with a whole unit: people write 8G for 8GB.
func withUnit(size string) string {
	if size != "" && strings.ContainsAny(size[len(size)-1:], "kKMGTmgt") {
		return size + "B"
	}
	return size
}

// checkFilters returns an error for a limit that is certainly meant in another unit.
func (f filters) checkFilters() error {
	for flag, value := range map[string]string{"--max-size": f.maxSize, "--max-params": f.maxParams} {
		if n, err := strconv.ParseFloat(value, 64); err == nil && n < 1000 {
			return usagef("%s %s: must have a unit, such as %s", flag, value, map[string]string{"--max-size": value + "GB", "--max-params": value + "B"}[flag])
		}
	}
	return nil
}

// allConditions returns the filters and the conditions of --where.
func (s selection) allConditions() []condition {
	out := s.conditions()
	for _, text := range s.where {
		out = append(out, condition{flag: "--where", text: text})
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
		if _, missing := modelref.LookupField[R](c.field); missing != nil {
			err = c.noField()
		}
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
