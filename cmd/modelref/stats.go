// popular and stats: what the service itself ranks and counts. Each is a request.

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
