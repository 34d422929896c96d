// search, popular and stats: what the service itself finds, ranks and counts. Each is a request.

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
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

func newPopular(a *app) *cobra.Command {
	var sortBy string
	var limit int
	cmd := &cobra.Command{
		Use:   "popular [CATEGORY]",
		Short: "Rank the models that the AI Horde uses most",
		Long:  "Rank the models of image_generation, which is the default, or text_generation by their use on the AI Horde.",
		Example: `  modelref --demo popular --limit 3
  modelref --demo popular text_generation --sort usage_month`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions([]string{"image_generation", "text_generation"},
			cobra.ShellCompDirectiveNoFileComp),
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 10, "models to print, 100 at most")
	cmd.Flags().StringVarP(&sortBy, "sort", "s", "worker_count", "one of worker_count, usage_day, usage_month, usage_total")
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions( // the flag is there
		[]string{"worker_count", "usage_day", "usage_month", "usage_total"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := modelref.PopularOptions{Limit: limit, SortBy: modelref.PopularSort(sortBy)}
		switch {
		case limit < 1 || limit > 100:
			return usagef("--limit %d: must be 1 to 100", limit)
		case !o.SortBy.Known():
			return usagef("--sort %s: must be one of worker_count, usage_day, usage_month, usage_total", sortBy)
		}
		return a.popular(cmd.Context(), append(args, "image_generation")[0], &o)
	}
	return cmd
}

func (a *app) popular(ctx context.Context, category string, o *modelref.PopularOptions) error {
	if category != "image_generation" && category != "text_generation" {
		return usagef("popular %s: the AI Horde counts image_generation and text_generation alone", category)
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	if category == "text_generation" {
		models, err := client.TextGeneration.Popular(ctx, o)
		return printPopular(ctx, a, models, err)
	}
	models, err := client.ImageGeneration.Popular(ctx, o)
	return printPopular(ctx, a, models, err)
}

func printPopular[R modelref.Record](ctx context.Context, a *app, models []modelref.PopularModel[R], err error) error {
	if err != nil {
		return within(ctx, endpointError{err})
	}
	if len(models) == 0 {
		a.notef("the service has no use of models at the moment: it could not ask the AI Horde. Try again later.")
	}
	usage := make([]api.ModelUsage, len(models))
	for i, m := range models {
		usage[i] = api.ModelUsage{Name: m.Name, UsageStatistics: m.Stats}
	}
	if a.flags.json || a.flags.jsonl {
		return printEach(a, models)
	}
	return a.printUsage(usage)
}

// printUsage prints the use of models as a table, or their names.
func (a *app) printUsage(models []api.ModelUsage) error {
	t := newTable("NAME", "WORKERS", "DAY", "MONTH", "TOTAL").right(1, 2, 3, 4)
	rows := make([]row, len(models))
	for i, m := range models {
		rows[i].name = m.Name
		var counts modelref.UsageCounts
		if m.Usage != nil {
			counts = *m.Usage
		}
		t.add(m.Name, strconv.Itoa(m.WorkerCount), strconv.FormatInt(counts.Day, 10),
			strconv.FormatInt(counts.Month, 10), strconv.FormatInt(counts.Total, 10))
	}
	if a.flags.quiet {
		return a.printNames(rows)
	}
	return t.print(a.stdout, a.screen)
}

func newStats(a *app) *cobra.Command {
	var usage, group bool
	cmd := &cobra.Command{
		Use:   "stats CATEGORY",
		Short: "Count the models of a category, or tell the use of each",
		Example: `  modelref --demo stats image_generation
  modelref --demo stats text_generation --usage`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCategories(1),
	}
	cmd.Flags().BoolVar(&usage, "usage", false, "the use of every model on the AI Horde")
	cmd.Flags().BoolVar(&group, "group", false, "count the sizes and quantisations of a text model once")
	cmd.MarkFlagsMutuallyExclusive("usage", "group")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindOf(args[0])
		if err != nil {
			return err
		}
		category := modelref.Category(k.name())
		if usage {
			return a.usage(cmd.Context(), category)
		}
		return a.stats(cmd.Context(), category, group)
	}
	return cmd
}

func (a *app) usage(ctx context.Context, category modelref.Category) error {
	if category != modelref.CategoryImageGeneration && category != modelref.CategoryTextGeneration {
		return usagef("stats --usage %s: the AI Horde counts image_generation and text_generation alone", category)
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	models, err := api.New(client).Statistics.Usage(ctx, category, &api.UsageOptions{SortBy: api.UsageSortTotal})
	if err != nil {
		return within(ctx, endpointError{err})
	}
	if a.flags.json || a.flags.jsonl {
		return printEach(a, models)
	}
	return a.printUsage(models)
}

func (a *app) stats(ctx context.Context, category modelref.Category, group bool) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	s, err := api.New(client).Statistics.Category(ctx, category, &api.StatisticsOptions{GroupTextModels: group})
	if err != nil {
		return within(ctx, endpointError{err})
	}
	if a.flags.json || a.flags.jsonl {
		return a.printJSON(s)
	}
	t := newTable("COUNT", "MODELS", "PERCENT").right(1, 2)
	percent := func(n int) string {
		return strconv.FormatFloat(100*float64(n)/float64(max(1, s.TotalModels)), 'f', 1, 64)
	}
	t.add("all", strconv.Itoa(s.TotalModels), percent(s.TotalModels))
	t.add("nsfw", strconv.Itoa(s.NSFWCount), percent(s.NSFWCount))
	for _, name := range slices.Sorted(maps.Keys(s.BaselineDistribution)) {
		n := s.BaselineDistribution[name].Count
		t.add("baseline "+name, strconv.Itoa(n), percent(n))
	}
	for _, tag := range s.TopTags {
		t.add("tag "+tag.Tag, strconv.Itoa(tag.Count), percent(tag.Count))
	}
	for _, bucket := range s.ParameterBuckets {
		t.add("parameters "+bucket.Label, strconv.Itoa(bucket.Count), percent(bucket.Count))
	}
	if err := t.print(a.stdout, a.screen); err != nil || s.DownloadStats == nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\n%d files, %s in %d models that state a size\n", s.DownloadStats.TotalDownloadEntries,
		modelref.FormatSize(s.DownloadStats.TotalSizeBytes), s.DownloadStats.ModelsWithSizeInfo)
	return err
}
