// search: the records whose names match what a person typed. The service can be asked instead.

package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// searchFlags are the flags of search.
type searchFlags struct {
	selection
	categories []string
	service    bool
	offset     int
}

// searchLimit is the number of records that search prints by default.
const searchLimit = 20

func newSearch(a *app) *cobra.Command {
	var f searchFlags
	cmd := &cobra.Command{
		Use:     "search TEXT...",
		Aliases: []string{"find"},
		Short:   "Find records by a name as people type it, the best match first",
		Long: `Find the records whose names match the words of a text, the best match first. Letter case, punctuation, word order
and an author before the name do not matter; parts of words and typing errors are found if nothing fits
better. The records are those that list reads: no request is sent if they are in the cache directory.

--service asks the service instead, which finds names that contain the text.`,
		Example: `  modelref --demo search diffusion
  modelref --demo search --category image_generation plain inpaint
  modelref --demo search lantern --sfw --max-size 8GB
  modelref --demo search --service xl --sort=-name`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	kindFor := func([]string) kind { return kindOfAll(f.categories) }
	a.addSelection(cmd, &f.selection, kindFor)
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.categories, "category", "c", nil, "search only these categories")
	flags.BoolVar(&f.service, "service", false, "ask the service, which needs the PRIMARY; --limit is 500 at most")
	flags.IntVar(&f.offset, "offset", 0, "leave out this many records before the first")
	_ = flags.Lookup("limit").Value.Set(strconv.Itoa(searchLimit)) // it is a number
	flags.Lookup("limit").DefValue = strconv.Itoa(searchLimit)
	_ = cmd.RegisterFlagCompletionFunc("category", completeCategories(0)) // the flag exists
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(f.categories)
		if err != nil {
			return err
		}
		k, err := several(categories)
		if err != nil {
			return err
		}
		if f.offset < 0 {
			return usagef("--offset %d: must be 0 or more", f.offset)
		}
		text := strings.Join(args, " ")
		if f.service {
			return a.searchService(cmd.Context(), k, text, f)
		}
		return a.search(cmd.Context(), k, categories, text, f)
	}
	return cmd
}

// search ranks the records that the selection keeps. A sort order takes the place of the rank.
func (a *app) search(ctx context.Context, k kind, categories []modelref.Category, text string, f searchFlags) error {
	if err := f.valid(); err != nil {
		return err
	}
	s := f.selection
	s.limit = -1 // of the matches
	if _, err := k.check(s); err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	found, err := k.answer(ctx, client, s)
	if found == nil || (err != nil && len(found.rows) == 0) {
		return err
	}
	a.remark(found.origin)
	matches, findErr := client.Find(ctx, text, categories...)
	var partial *modelref.PartialError
	if findErr != nil && !errors.As(findErr, &partial) {
		return within(ctx, findErr)
	}
	rows := matched(found.rows, matches, len(f.sort) > 0)
	total := len(rows)
	rows = rows[min(f.offset, total):]
	if f.limit >= 0 {
		rows = rows[:min(f.limit, len(rows))]
	}
	if printErr := a.printRows(rows, found.columns, len(f.fields) > 0); printErr != nil {
		return printErr
	}
	switch {
	case total == 0:
		a.notef("no name matches %q", text)
		err = errors.Join(err, errNo)
	case f.offset+len(rows) < total && f.limit > 0:
		a.notef("%d of %d: the next page is --offset %d", len(rows), total, f.offset+len(rows))
	}
	return err
}

// matched returns the rows of the matches, in the order of the matches or of the rows.
func matched(rows []row, matches modelref.NameMatches[modelref.ModelRecord], inOrder bool) []row {
	type key struct{ category, name string }
	at := map[key]row{}
	for _, r := range rows {
		category := strings.Join(r.text("record_type"), "")
		at[key{category, r.name}] = r
	}
	var out []row
	wanted := map[key]bool{}
	for _, m := range matches {
		for _, name := range []string{m.Name, m.Record.Name} { // a row has one of them
			k := key{string(m.Category), name}
			if r, ok := at[k]; ok && !wanted[k] {
				wanted[k] = true
				out = append(out, r)
				break
			}
		}
	}
	if !inOrder {
		return out
	}
	out = nil
	for _, r := range rows {
		if wanted[key{strings.Join(r.text("record_type"), ""), r.name}] {
			out = append(out, r)
		}
	}
	return out
}

// found is a page of a search by the service.
type found struct {
	rows     []row
	total    int
	hasMore  bool
	rejected []modelref.RecordError
}

func foundOf[R modelref.Record](result *modelref.SearchResult[R], err error) (*found, error) {
	if err != nil {
		return nil, err
	}
	return &found{rowsOf(result.Results), result.Total, result.HasMore, result.Rejected}, nil
}

func (k typed[R]) search(ctx context.Context, client *modelref.Client, o modelref.SearchOptions) (*found, error) {
	return foundOf(k.service(client).Search(ctx, &modelref.CategorySearchOptions{
		NameContains: o.NameContains,
		SortBy:       o.SortBy,
		SortDesc:     o.SortDesc,
		Page:         modelref.Page{Limit: o.Limit, Offset: o.Offset},
	}))
}

func (everything) search(ctx context.Context, client *modelref.Client, o modelref.SearchOptions) (*found, error) {
	return foundOf(client.Search(ctx, &o))
}

// searchService asks the service. It has fewer filters than list.
func (a *app) searchService(ctx context.Context, k kind, text string, f searchFlags) error {
	o := modelref.SearchOptions{
		NameContains: text,
		Filter:       modelref.Filter{TagsAny: f.tags},
		Page:         modelref.Page{Limit: f.limit, Offset: f.offset},
	}
	if len(f.sort) == 1 {
		o.SortBy, o.SortDesc = strings.CutPrefix(f.sort[0], "-")
	}
	if f.sfw || f.nsfw {
		o.NSFW = modelref.Some(f.nsfw)
	}
	_, all := k.(everything)
	own := f.filters
	own.tags, own.sfw, own.nsfw = nil, false, false
	switch {
	case f.limit < 1 || f.limit > 500:
		return usagef("--limit %d: must be 1 to 500", f.limit)
	case len(f.categories) > 1:
		return usagef("--service searches one category or all: leave out --service")
	case own.used() || len(f.where) > 0 || len(f.sort) > 1:
		return usagef("--service has only --tag, --sfw, --nsfw and one field of --sort: leave out --service")
	case !all && (len(f.tags) > 0 || f.sfw || f.nsfw):
		return usagef("--service has --tag, --sfw and --nsfw for all categories only: leave out --service")
	}
	columns, err := k.check(selection{fields: f.fields, limit: -1})
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	page, err := k.search(ctx, client, o)
	if err != nil {
		return within(ctx, endpointError{err})
	}
	return a.printPage(page, columns, f)
}

func (a *app) printPage(page *found, columns []field, f searchFlags) error {
	if err := a.printRows(page.rows, columns, len(f.fields) > 0); err != nil {
		return err
	}
	for _, rejected := range page.rejected {
		a.notef("left out: %s", rejected.Error())
	}
	if page.hasMore {
		a.notef("%d of %d: the next page is --offset %d", len(page.rows), page.total, f.offset+f.limit)
	}
	return nil
}
