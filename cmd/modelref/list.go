// list: the records that conditions choose, of one, several or all categories. It also counts them.

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/haidra-org/modelref"
)

const selectionHelp = `
Conditions (--where, all of them must hold):
  baseline=flux_1   size_on_disk_bytes<7e9   name~anime   tags!=hentai   created_at>=2024-05-01
  nsfw              the flag is true, or the value is set
  !nsfw             it is false, or unset
  sizes may have a unit, kB MB GB TB or KiB MiB GiB TiB, and parameters K M B T: 'size_on_disk_bytes<=8GB'
  =  !=  every field;  <  <=  >  >=  text, integers and times;  ~  text and lists: contains`

// addSelection adds the flags of a selection; kindFor finds the kind whose fields are completed.
func (a *app) addSelection(cmd *cobra.Command, s *selection, kindFor func(args []string) kind) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&s.where, "where", "w", nil, "keep the records for which a condition holds, such as 'nsfw=no'; repeatable")
	flags.StringSliceVarP(&s.sort, "sort", "s", nil, "sort by fields; -field for the highest first, such as --sort=-size_on_disk_bytes")
	flags.StringSliceVarP(&s.fields, "fields", "f", nil, "fields to print, separated by commas")
	flags.IntVarP(&s.limit, "limit", "n", -1, "print at most this many records")
	flags.Lookup("limit").DefValue = "0" // a default of -1 would be printed
	a.completeFields(cmd, kindFor)
	a.addFilters(cmd, &s.filters, kindFor)
}

func (s selection) valid() error {
	if s.limit < -1 {
		return usagef("--limit %d: must be 0 or more", s.limit)
	}
	return s.checkFilters()
}

func newList(a *app) *cobra.Command {
	var s selection
	var count bool
	cmd := &cobra.Command{
		Use:     "list [CATEGORY...]",
		Aliases: []string{"ls", "query"},

		SuggestFor: []string{"count", "models"},

		Short: "List, filter, sort and count the records of categories",
		Long: `List the records of a category in the order of its document, or sorted. Several categories, or all if none is
named, have the fields that the records of all categories have. If some of them cannot be read, the others
are printed and the exit code is 1.
` + selectionHelp,
		Example: `  modelref --demo list image_generation --where '!nsfw' --where 'size_on_disk_bytes<7e9'
  modelref --demo list text_generation --sort=-parameters --limit 5 --fields name,parameters
  modelref --demo list image --sfw --max-size 8GB --count
  modelref --demo list image --by baseline
  modelref --demo list clip --jsonl
  modelref --demo list --where 'name~diffusion' --sort name
  modelref list image_generation --jsonl | jq -r '[.name, .config.download[]?.sha256sum] | @tsv'`,
		ValidArgsFunction: completeCategories(0),
	}
	a.addSelection(cmd, &s, kindOfAll)
	flags := cmd.Flags()
	flags.BoolVar(&count, "count", false, "print only the number of records")
	flags.StringVar(&s.by, "by", "", "count the records by the values of this field, the most frequent value first")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "distinct" { // an earlier name
			name = "by"
		}
		return pflag.NormalizedName(name)
	})
	cmd.MarkFlagsMutuallyExclusive("by", "fields")
	cmd.MarkFlagsMutuallyExclusive("count", "fields")
	a.completeField(cmd, "by", kindOfAll)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(args)
		if err != nil {
			return err
		}
		k, err := several(categories)
		if err != nil {
			return err
		}
		return a.list(cmd.Context(), k, s, count)
	}
	return cmd
}

func (a *app) list(ctx context.Context, k kind, s selection, count bool) error {
	limit := s.limit
	if s.by != "" && s.valid() == nil {
		s.limit = -1 // of the values, not of the records that are counted
	}
	found, err := a.find(ctx, k, s)
	if found == nil || (err != nil && len(found.rows) == 0) {
		return err
	}
	return errors.Join(a.printList(found, s, count, limit), err)
}

// find checks the selection before anything is read, and reads.
func (a *app) find(ctx context.Context, k kind, s selection) (*answer, error) {
	_, err := k.check(s)
	if err := errors.Join(s.valid(), err); err != nil {
		return nil, err
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	found, err := k.answer(ctx, client, s)
	if found != nil {
		a.remark(found.origin)
	}
	if found != nil && err == nil && len(found.rows) == 0 && s.limit != 0 {
		a.explainNone(ctx, client, k, s)
	}
	return found, err
}

func (a *app) printList(found *answer, s selection, count bool, limit int) error {
	switch {
	case s.by != "": // with or without --count
		return a.printCounts(found.rows, found.columns[0], limit)
	case count && (a.flags.json || a.flags.jsonl):
		return a.printJSON(map[string]int{"count": len(found.rows)})
	case count:
		_, err := fmt.Fprintln(a.stdout, len(found.rows))
		return err
	default:
		return a.printRows(found.rows, found.columns, len(s.fields) > 0)
	}
}

// valueCount is the number of records that have a value, or that have no value if it is nil.
type valueCount struct {
	Value *string `json:"value"`
	Count int     `json:"count"`
}

// countValues counts the values of a field, the most frequent first, and otherwise in the order in which they are first
// seen. The records without a value are counted together.
func countValues(rows []row, f field) []valueCount {
	var values []valueCount
	at, unset := map[string]int{}, -1
	for _, r := range rows {
		texts := r.text(f.name)
		if len(texts) == 0 {
			if unset < 0 {
				unset = len(values)
				values = append(values, valueCount{})
			}
			values[unset].Count++
		}
		for _, text := range texts {
			i, known := at[text]
			if !known {
				i = len(values)
				at[text], values = i, append(values, valueCount{Value: &text})
			}
			values[i].Count++
		}
	}
	slices.SortStableFunc(values, func(x, y valueCount) int { return y.Count - x.Count })
	return values
}

// printCounts prints the values of a field with the number of their records. On a terminal it draws a bar for each.
func (a *app) printCounts(rows []row, f field, limit int) error {
	values := countValues(rows, f)
	if limit >= 0 {
		values = values[:min(limit, len(values))]
	}
	if a.flags.json || a.flags.jsonl {
		return printEach(a, values)
	}
	t := newTable(strings.ToUpper(shortName(f.name)), "RECORDS", "").right(1)
	if a.screen.width == 0 {
		t.header = t.header[:2]
	}
	for _, v := range values {
		if a.flags.quiet {
			if v.Value == nil {
				continue
			}
			if _, err := fmt.Fprintln(a.stdout, printable(*v.Value)); err != nil {
				return err
			}
			continue
		}
		text := "(unset)"
		if v.Value != nil {
			text = shown(f, []string{*v.Value})
		}
		row := []string{text, strconv.Itoa(v.Count)}
		if len(t.header) > len(row) {
			row = append(row, bar(v.Count, values[0].Count))
		}
		t.add(row...)
	}
	if a.flags.quiet {
		return nil
	}
	return t.print(a.stdout, a.screen)
}

// barWidth is the width of the longest bar.
const barWidth = 30

// firstKind returns the kind of the category that is the first argument, or nil.
func firstKind(args []string) kind {
	if len(args) == 0 {
		return nil
	}
	k, _ := kindOf(args[0]) // nil if there is no such category
	return k
}

// kindOfAll returns the kind of the categories that are the arguments, or nil.
func kindOfAll(args []string) kind {
	categories, err := categoriesOf(args)
	if err != nil {
		return nil
	}
	k, _ := several(categories) // the categories exist
	return k
}

func newCategories(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "categories",
		Short:             "List the categories with what is known of each",
		Example:           "  modelref categories",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.printCategories() },
	}
}

// categoryFacts are what is known of a category without reading it.
type categoryFacts struct {
	Category modelref.Category `json:"category"`
	Domain   modelref.Domain   `json:"domain"`
	Purpose  modelref.Purpose  `json:"purpose"`
	GitHub   bool              `json:"github"`
	Weights  string            `json:"weights_folder"`
	Fields   []string          `json:"fields"`
}

func (a *app) printCategories() error {
	var facts []categoryFacts
	t := newTable("CATEGORY", "DOMAIN", "PURPOSE", "GITHUB", "WEIGHTS")
	for _, k := range kinds() {
		c := modelref.Category(k.name())
		f := categoryFacts{c, c.Domain(), c.Purpose(), c.HasGitHubSource(), c.WeightsFolder(), nil}
		for _, field := range k.fields() {
			f.Fields = append(f.Fields, field.name)
		}
		facts = append(facts, f)
		gitHub := yesNo(f.GitHub)
		if a.screen.format != "" {
			gitHub = strconv.FormatBool(f.GitHub)
		}
		t.add(string(c), string(f.Domain), string(f.Purpose), gitHub, f.Weights)
		if a.flags.quiet {
			if _, err := fmt.Fprintln(a.stdout, c); err != nil {
				return err
			}
		}
	}
	switch {
	case a.flags.quiet:
		return nil
	case a.flags.json || a.flags.jsonl:
		return printEach(a, facts)
	default:
		return t.print(a.stdout, a.screen)
	}
}
