// search: what the service itself finds. It is a request.

package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// found is a page of a search.
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

// searchFlags are the flags of search.
type searchFlags struct {
	category string
	nsfw     string
	tags     []string
	sort     string
	limit    int
	offset   int
}

func newSearch(a *app) *cobra.Command {
	var f searchFlags
	cmd := &cobra.Command{
		Use:   "search [TEXT]",
		Short: "Let the service search all categories for a part of a name",
		Long: `Let the service search for records whose name contains a text, in all categories or in one.
It is one request and needs the PRIMARY; list and query answer also when that is down.`,
		Example: `  modelref --demo search diffusion
  modelref --demo search --category image_generation xl --sort=-name
  modelref --demo search --nsfw=false --limit 20`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.category, "category", "c", "", "search this category alone")
	flags.StringVar(&f.nsfw, "nsfw", "", "records that are (true) or are not (false) unsafe for work; both where it is not given")
	flags.StringSliceVar(&f.tags, "tag", nil, "records that have all of these tags")
	flags.StringVarP(&f.sort, "sort", "s", "", "sort by a field; -field for the highest first, as --sort=-name")
	flags.IntVarP(&f.limit, "limit", "n", 50, "records on a page, 500 at most")
	flags.IntVar(&f.offset, "offset", 0, "leave out this many records before the first")
	_ = cmd.RegisterFlagCompletionFunc("category", completeCategories(0)) // the flag is there, and so is the next
	_ = cmd.RegisterFlagCompletionFunc("nsfw", cobra.FixedCompletions([]string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.search(cmd, f, args)
	}
	return cmd
}

func (a *app) search(cmd *cobra.Command, f searchFlags, args []string) error {
	o := modelref.SearchOptions{
		SortBy: f.sort,
		Filter: modelref.Filter{TagsAll: f.tags},
		Page:   modelref.Page{Limit: f.limit, Offset: f.offset},
	}
	if len(args) == 1 {
		o.NameContains = args[0]
	}
	if len(f.sort) > 1 && f.sort[0] == '-' {
		o.SortBy, o.SortDesc = f.sort[1:], true
	}
	if cmd.Flags().Changed("nsfw") {
		unsafe, err := strconv.ParseBool(f.nsfw)
		if err != nil {
			return usagef("--nsfw %q: must be true or false", f.nsfw)
		}
		o.NSFW = modelref.Some(unsafe)
	}
	var k kind = everything{}
	switch {
	case f.limit < 1 || f.limit > 500:
		return usagef("--limit %d: must be 1 to 500", f.limit)
	case f.offset < 0:
		return usagef("--offset %d: must be 0 or more", f.offset)
	case f.category != "" && (len(f.tags) > 0 || o.NSFW.IsSet()):
		return usagef("--nsfw and --tag search all categories: for one, see `modelref list %s --where`", f.category)
	case f.category != "":
		var err error
		if k, err = kindOf(f.category); err != nil {
			return err
		}
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	page, err := k.search(cmd.Context(), client, o)
	if err != nil {
		return within(cmd.Context(), endpointError{err})
	}
	return a.printPage(k, page, f)
}

func (a *app) printPage(k kind, page *found, f searchFlags) error {
	var columns []field
	for _, name := range k.columns() {
		i := slices.IndexFunc(k.fields(), func(f field) bool { return f.name == name })
		columns = append(columns, k.fields()[i])
	}
	if err := a.printRows(page.rows, columns, false); err != nil {
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
