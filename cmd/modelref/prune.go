// prune: files in the weights folders that no record needs.

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

func newPrune(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "prune DIR [CATEGORY...]",
		Short: "List the files that no model needs, and remove them with --yes",
		Long: `List the files in the weights folders below DIR that no record of the categories needs, of all categories if none is
named. Nothing is removed without --yes. If a category is stale or has records that cannot be decoded, its files may be
needed: they are listed, and --yes is refused.`,
		Example: "  modelref prune /srv/models\n  modelref prune /srv/models --yes",
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return categoryNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "remove the files")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(args[1:])
		if err != nil {
			return err
		}
		if err := checkDirectory(args[0]); err != nil {
			return err
		}
		return a.prune(cmd.Context(), args[0], categories, yes)
	}
	return cmd
}

// orphan is a file as JSON.
type orphan struct {
	Path     string              `json:"path"`
	Kind     download.OrphanKind `json:"kind"`
	Size     int64               `json:"size_bytes"`
	Modified time.Time           `json:"modified"`
}

func (a *app) prune(ctx context.Context, dir string, categories []modelref.Category, yes bool) error {
	records, doubt, err := a.everyRecord(ctx, categories)
	if err != nil {
		return err
	}
	orphans, err := download.Orphans(ctx, categories, records, download.Options{Dir: dir})
	if err != nil {
		return within(ctx, err)
	}
	total, listed := int64(0), make([]orphan, len(orphans))
	t := newTable("KIND", "SIZE", "MODIFIED", "FILE").right(1)
	for i, o := range orphans {
		total += o.Size
		listed[i] = orphan{o.Path, o.Kind, o.Size, o.Modified}
		t.add(o.Kind.String(), sizeText(o.Size), o.Modified.UTC().Format(time.DateTime), o.Path)
	}
	if err := a.printOrphans(listed, t); err != nil {
		return err
	}
	switch {
	case !yes:
		a.notef("%s, %s; nothing was removed, --yes removes them", fileCount(len(orphans)), modelref.FormatSize(total))
		return nil
	case doubt != nil:
		return fmt.Errorf("nothing was removed: %w", doubt)
	}
	var errs []error
	for i := range orphans {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, orphans[i].Remove())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	a.notef("%s, %s, removed", fileCount(len(orphans)), modelref.FormatSize(total))
	return nil
}

// everyRecord returns all records of the categories. doubt says why the records may be incomplete, or is nil.
func (a *app) everyRecord(ctx context.Context, categories []modelref.Category) (records []*modelref.ModelRecord, doubt, err error) {
	client, err := a.client()
	if err != nil {
		return nil, nil, err
	}
	if err := client.Warm(ctx, categories...); err != nil {
		return nil, nil, within(ctx, err) // the files of an unknown category are not orphans
	}
	for _, category := range categories {
		reader, err := client.Category(string(category))
		if err != nil {
			return nil, nil, err
		}
		ref, err := reader.Load(ctx)
		if err != nil {
			return nil, nil, within(ctx, err)
		}
		a.remark(&about{category, ref})
		if ref.Stale() {
			doubt = fmt.Errorf("%s is stale, so a file may be needed", category)
		}
		if len(ref.Rejected()) > 0 {
			doubt = fmt.Errorf("%s has records that cannot be decoded, so a file may be needed", category)
		}
		for _, record := range ref.All() {
			records = append(records, record)
		}
	}
	return records, doubt, nil
}

func (a *app) printOrphans(files []orphan, t *table) error {
	switch {
	case a.flags.json || a.flags.jsonl:
		return printEach(a, files)
	case a.flags.quiet:
		var errs []error
		for _, file := range files {
			errs = append(errs, a.printLine(file.Path))
		}
		return errors.Join(errs...)
	case len(files) == 0:
		return nil
	default:
		return t.print(a.stdout, a.screen)
	}
}
