// popular and stats: what the service itself ranks and counts. Each is a request.

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions( // the flag exists
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
		return usagef("popular %s: the AI Horde counts only image_generation and text_generation", category)
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
	var usage, group, sizes bool
	cmd := &cobra.Command{
		Use:   "stats CATEGORY",
		Short: "Count the models of a category, or print the use of each",
		Long: `Count the models of a category: the service counts them. --usage prints the use of each model on the AI Horde.
--sizes counts the models by size; it reads the records, as list does, and does not ask the service.`,
		Example: `  modelref --demo stats image_generation
  modelref --demo stats image --sizes
  modelref --demo stats text_generation --usage`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCategories(1),
	}
	cmd.Flags().BoolVar(&usage, "usage", false, "the use of every model on the AI Horde")
	cmd.Flags().BoolVar(&group, "group", false, "count the sizes and quantisations of a text model once")
	cmd.Flags().BoolVar(&sizes, "sizes", false, "count the models by size")
	cmd.MarkFlagsMutuallyExclusive("usage", "group", "sizes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindOf(args[0])
		if err != nil {
			return err
		}
		category := modelref.Category(k.name())
		if sizes {
			return a.sizes(cmd.Context(), k)
		}
		if usage {
			return a.usage(cmd.Context(), category)
		}
		return a.stats(cmd.Context(), category, group)
	}
	return cmd
}

func (a *app) usage(ctx context.Context, category modelref.Category) error {
	if category != modelref.CategoryImageGeneration && category != modelref.CategoryTextGeneration {
		return usagef("stats --usage %s: the AI Horde counts only image_generation and text_generation", category)
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
		return within(ctx, statisticsError(category, err))
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
	a.addBars(t, 1, s.TotalModels)
	if err := t.print(a.stdout, a.screen); err != nil || s.DownloadStats == nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\n%d files, %s in %d models that state a size\n", s.DownloadStats.TotalDownloadEntries,
		modelref.FormatSize(s.DownloadStats.TotalSizeBytes), s.DownloadStats.ModelsWithSizeInfo)
	return err
}

// statisticsError explains that the service does not count a category: today these are lora and ti.
func statisticsError(category modelref.Category, err error) error {
	var status *modelref.APIError
	if errors.As(err, &status) && (status.StatusCode == http.StatusNotFound || status.StatusCode == http.StatusUnprocessableEntity) &&
		(category == modelref.CategoryLoRA || category == modelref.CategoryTextualInversion) {
		return fmt.Errorf("the service does not count %s: %w; `modelref list %s --count` counts its records", category,
			modelref.ErrNotFound, category)
	}
	return endpointError{err}
}

// addBars adds a column with bars if the output is a terminal. The length of a bar is in proportion to the number in the given
// column; the greatest number has the longest bar.
func (a *app) addBars(t *table, column, greatest int) {
	if a.screen.width == 0 || a.screen.format != "" {
		return
	}
	t.header = append(t.header, "")
	for i, row := range t.rows {
		n, _ := strconv.Atoi(row[column].text) // it is a number
		t.rows[i] = append(row, cell{text: bar(n, greatest)})
	}
}

// bar returns the bar of a number. A number above 0 has at least one character.
func bar(n, greatest int) string {
	if n <= 0 || greatest <= 0 {
		return ""
	}
	return strings.Repeat("█", max(1, n*barWidth/greatest))
}

// sizeCount is the number of models in a range of sizes.
type sizeCount struct {
	From   int64 `json:"from_bytes"`
	Below  int64 `json:"below_bytes"`
	Models int   `json:"models"`
	Bytes  int64 `json:"bytes"`
}

// sizes prints how many models have which size. The ranges are powers of two of a gigabyte.
func (a *app) sizes(ctx context.Context, k kind) error {
	found, err := a.find(ctx, k, selection{limit: -1})
	if err != nil {
		return err
	}
	ranges, unknown := sizeRanges(found.rows)
	if a.flags.json || a.flags.jsonl {
		return printEach(a, ranges)
	}
	if a.screen.format != "" {
		return a.printSizes(ranges, unknown)
	}
	t := newTable("SIZE", "MODELS", "TOTAL").right(1, 2)
	greatest := unknown
	for _, r := range ranges {
		name := modelref.FormatSize(r.From) + " to " + modelref.FormatSize(r.Below)
		if r.From == 0 {
			name = "below " + modelref.FormatSize(r.Below)
		}
		t.add(name, strconv.Itoa(r.Models), modelref.FormatSize(r.Bytes))
		greatest = max(greatest, r.Models)
	}
	if unknown > 0 {
		t.add("unknown", strconv.Itoa(unknown), "")
	}
	a.addBars(t, 1, greatest)
	return t.print(a.stdout, a.screen)
}

// printSizes prints the ranges for other programs.
func (a *app) printSizes(ranges []sizeCount, unknown int) error {
	t := newTable("from_bytes", "below_bytes", "models", "bytes")
	for _, r := range ranges {
		t.add(strconv.FormatInt(r.From, 10), strconv.FormatInt(r.Below, 10), strconv.Itoa(r.Models), strconv.FormatInt(r.Bytes, 10))
	}
	if unknown > 0 {
		t.add("", "", strconv.Itoa(unknown), "")
	}
	return t.print(a.stdout, a.screen)
}

// sizeRanges counts records by size, from the smallest range that has records to the greatest. It also returns the number of
// records without a size.
func sizeRanges(rows []row) ([]sizeCount, int) {
	const gigabyte = 1_000_000_000
	counts := map[int]*sizeCount{}
	unknown := 0
	for _, r := range rows {
		size, err := strconv.ParseInt(strings.Join(r.text("size_on_disk_bytes"), ""), 10, 64)
		if err != nil {
			unknown++
			continue
		}
		at, below := 0, int64(gigabyte)
		for size >= below && below < 1<<62 {
			at, below = at+1, 2*below
		}
		if counts[at] == nil {
			counts[at] = &sizeCount{From: map[bool]int64{false: below / 2}[at == 0], Below: below}
		}
		counts[at].Models++
		counts[at].Bytes += size
	}
	if len(counts) == 0 {
		return []sizeCount{}, unknown
	}
	found := slices.Sorted(maps.Keys(counts))
	var out []sizeCount
	for at := found[0]; at <= found[len(found)-1]; at++ {
		if counts[at] == nil {
			counts[at] = &sizeCount{From: int64(gigabyte) << at / 2, Below: int64(gigabyte) << at}
		}
		out = append(out, *counts[at])
	}
	return out, unknown
}
