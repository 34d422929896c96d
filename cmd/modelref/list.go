// list and query: the records of a category, or of all, that conditions choose.

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

const selectionHelp = `
Conditions (--where, several must all hold):
  baseline=flux_1   size_on_disk_bytes<7e9   name~anime   tags!=hentai   created_at>=2024-05-01
  nsfw              the flag is true, or the value is set
  !nsfw             it is false, or unset
  sizes may have a unit, kB MB GB TB or KiB MiB GiB TiB, and parameters K M B T: 'size_on_disk_bytes<=8GB'
  =  !=  every field;  <  <=  >  >=  text, integers and times;  ~  text and lists: contains`

// addSelection adds the flags of a selection; kindFor finds the kind whose fields are completed.
func addSelection(cmd *cobra.Command, s *selection, kindFor func(args []string) kind) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&s.where, "where", "w", nil, "keep the records that a condition holds for, as 'nsfw=no'; repeatable")
	flags.StringSliceVarP(&s.sort, "sort", "s", nil, "sort by fields; -field for the highest first, as --sort=-size_on_disk_bytes")
	flags.StringSliceVarP(&s.fields, "fields", "f", nil, "fields to print, with commas between them")
	flags.IntVarP(&s.limit, "limit", "n", -1, "print this many records at most")
	completeFields(cmd, kindFor)
	addFilters(cmd, &s.filters)
}

func (s selection) valid() error {
	if s.limit < -1 {
		return usagef("--limit %d: must be 0 or more", s.limit)
	}
	return nil
}

func newList(a *app) *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:     "list CATEGORY",
		Aliases: []string{"ls"},
		Short:   "List the records of a category",
		Long:    "List the records of a category, in its own order or sorted.\n" + selectionHelp,
		Example: `  modelref --demo list image_generation --where '!nsfw' --where 'size_on_disk_bytes<7e9'
  modelref --demo list text_generation --sort=-parameters --limit 5 --fields name,parameters
  modelref --demo list clip --jsonl
  modelref list image_generation --jsonl | jq -r '[.name, .config.download[]?.sha256sum] | @tsv'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCategories(1),
	}
	addSelection(cmd, &s, firstKind)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindOf(args[0])
		if err != nil {
			return err
		}
		found, err := a.find(cmd, k, s)
		if err != nil {
			return err
		}
		return a.printRows(found.rows, found.columns, len(s.fields) > 0)
	}
	return cmd
}

// find checks the selection before anything is read, and reads.
func (a *app) find(cmd *cobra.Command, k kind, s selection) (*answer, error) {
	if err := errors.Join(s.valid(), k.check(s)); err != nil {
		return nil, err
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	found, err := k.answer(cmd.Context(), client, s)
	if found != nil {
		a.remark(found.origin)
	}
	return found, err
}

func newQuery(a *app) *cobra.Command {
	var s selection
	var count bool
	cmd := &cobra.Command{
		Use:   "query [CATEGORY]",
		Short: "Ask all categories, or one; count and group",
		Long: `Ask the records of all categories by the fields that all have, or of one category by its own.
The categories that could not be read are told, and make the exit code 1.
` + selectionHelp,
		Example: `  modelref --demo query --where 'name~diffusion' --sort name
  modelref --demo query --where 'size_on_disk_bytes>10e9' --count
  modelref --demo query image_generation --distinct baseline`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeCategories(1),
	}
	addSelection(cmd, &s, anyKind)
	cmd.Flags().BoolVar(&count, "count", false, "print how many records there are")
	cmd.Flags().StringVar(&s.distinct, "distinct", "", "print the values of this field, and how many records have each")
	cmd.MarkFlagsMutuallyExclusive("count", "distinct", "fields")
	completeField(cmd, "distinct", anyKind)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindFrom(args)
		if err != nil {
			return err
		}
		limit := s.limit
		if s.distinct != "" && s.valid() == nil {
			s.limit = -1 // of the values, not of the records that are counted
		}
		found, err := a.find(cmd, k, s)
		if found == nil || (err != nil && len(found.rows) == 0) {
			return err
		}
		return errors.Join(a.printQuery(found, s, count, limit), err)
	}
	return cmd
}

func kindFrom(args []string) (kind, error) {
	if len(args) == 0 {
		return everything{}, nil
	}
	return kindOf(args[0])
}

func (a *app) printQuery(found *answer, s selection, count bool, limit int) error {
	switch {
	case count && (a.flags.json || a.flags.jsonl):
		return a.printJSON(map[string]int{"count": len(found.rows)})
	case count:
		_, err := fmt.Fprintln(a.stdout, len(found.rows))
		return err
	case s.distinct != "":
		return a.printDistinct(found.rows, found.columns[0], limit)
	default:
		return a.printRows(found.rows, found.columns, len(s.fields) > 0)
	}
}

// valueCount is how many records have a value, or have none where it is nil.
type valueCount struct {
	Value *string `json:"value"`
	Count int     `json:"count"`
}

// countValues counts the values of a field in the order in which they are first seen. The records without one are counted
// together.
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
	return values
}

// printDistinct prints the values of a field, those of most records first. On a terminal it draws a bar for each.
func (a *app) printDistinct(rows []row, f field, limit int) error {
	values := countValues(rows, f)
	slices.SortStableFunc(values, func(x, y valueCount) int { return y.Count - x.Count })
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
			row = append(row, strings.Repeat("█", max(1, v.Count*barWidth/values[0].Count)))
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

func firstKind(args []string) kind {
	if len(args) == 0 {
		return nil
	}
	k, _ := kindOf(args[0]) // nil where there is none
	return k
}

func anyKind(args []string) kind {
	k, _ := kindFrom(args) // nil where there is none
	return k
}

func newCategories(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "categories",
		Short:             "List the categories, and what is known of each",
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
		t.add(string(c), string(f.Domain), string(f.Purpose), yesNo(f.GitHub), f.Weights)
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
