// get: one record with all that is known of it.

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newGet(a *app) *cobra.Command {
	var s selection
	var urls bool
	cmd := &cobra.Command{
		Use:     "get [CATEGORY] NAME",
		Aliases: []string{"show"},

		SuggestFor: []string{"describe", "info"},

		Short: "Print one record: its fields, and the files to download",
		Long: `Print one record: its fields, and the files to download. Without a category, the name is looked for in all
categories. A name that no record has is taken as people type it, or as a worker announces it
("koboldcpp/…"), if it fits one record only.`,
		Example: `  modelref --demo get 'Plain Diffusion'
  modelref --demo get image_generation 'Plain Diffusion' --json
  modelref --demo get image inkwel --urls`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeCategoryAndName,
	}
	cmd.Flags().StringSliceVarP(&s.fields, "fields", "f", nil, "fields to print, separated by commas")
	cmd.Flags().BoolVar(&urls, "urls", false, "print only the URLs of the files")
	cmd.MarkFlagsMutuallyExclusive("fields", "urls")
	a.completeField(cmd, "fields", firstKind)
	s.limit = -1
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, name, err := recordArgs(args)
		if err != nil {
			return err
		}
		if len(categories) == 1 {
			k, err := several(categories)
			if err != nil {
				return err
			}
			if _, err := k.check(s); err != nil {
				return err
			}
		}
		client, err := a.client()
		if err != nil {
			return err
		}
		category, name, err := a.locate(cmd.Context(), client, categories, name)
		if err != nil {
			return err
		}
		return a.get(cmd.Context(), client, category, name, s, urls)
	}
	return cmd
}

// recordArgs parses arguments: a name, or a category and a name. Without a category it returns all categories. The words of a
// name may be separate arguments.
func recordArgs(args []string) ([]modelref.Category, string, error) {
	if len(args) == 1 {
		return modelref.Categories(), args[0], nil
	}
	category, err := parseCategory(args[0])
	switch {
	case err == nil:
		return []modelref.Category{category}, strings.Join(args[1:], " "), nil
	case len(modelref.NearestNames(args[0], categoryNames(), 1)) > 0:
		return nil, "", err
	default:
		return modelref.Categories(), strings.Join(args, " "), nil
	}
}

// locate finds a record by its name, and returns its category and its name in the document. If no record has the name, and the
// name is similar to that of one record only, locate returns this record and prints a remark.
func (a *app) locate(ctx context.Context, client *modelref.Client, categories []modelref.Category, name string) (modelref.Category, string, error) {
	var exact []modelref.Category
	var own string
	var names []string
	var missing []modelref.CategoryError
	for _, load := range loadCategories(ctx, client, categories) {
		if load.err != nil {
			missing = append(missing, modelref.CategoryError{Category: load.category, Err: load.err})
			continue
		}
		if len(categories) == 1 {
			a.remark(&about{load.category, load.ref})
		}
		names = append(names, load.ref.Names()...)
		if key, ok := keyOf(load.ref, name); ok {
			exact, own = append(exact, load.category), key
		}
	}
	switch {
	case len(exact) == 1:
		return exact[0], own, nil
	case len(exact) > 1:
		return "", "", usagef("%q is a name in several categories: name one of %s", name, joinNames(exact))
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case len(missing) > 0:
		return "", "", &modelref.PartialError{Missing: missing}
	}
	matches, err := client.Find(ctx, modelref.StripBackendPrefix(name), categories...)
	if err != nil {
		return "", "", within(ctx, err)
	}
	if best, ok := matches.Best(); ok {
		a.notef("%q is taken as %q", name, best.Name)
		return best.Category, best.Name, nil
	}
	return "", "", notFound(categories, name, names)
}

// keyOf returns the name in the document of the record with a name, which may be the one that the record gives itself.
func keyOf(ref *modelref.Reference[modelref.ModelRecord], name string) (string, bool) {
	found, ok := ref.Get(name)
	for key, record := range ref.All() {
		if ok && record == found || !ok && record.Name == name {
			return key, true
		}
	}
	return "", false
}

// notFound returns the error for a name that no record has.
func notFound(categories []modelref.Category, name string, names []string) error {
	err := &modelref.NotFoundError{Name: name, Suggestions: modelref.NearestNames(name, names, maxSuggestions)}
	list := "modelref search"
	if len(categories) == 1 {
		err.Category = categories[0]
		list = "modelref list " + string(categories[0])
	}
	if len(err.Suggestions) > 0 {
		return err
	}
	if category, parseErr := parseCategory(name); parseErr == nil {
		return fmt.Errorf("%w; `modelref list %s` shows its models", err, category)
	}
	return fmt.Errorf("%w; `%s` shows the names", err, list)
}

// maxSuggestions is the number of names that an error suggests.
const maxSuggestions = 3

// get prints a record of a category.
func (a *app) get(ctx context.Context, client *modelref.Client, category modelref.Category, name string, s selection, urls bool) error {
	k, err := kindOf(string(category))
	if err != nil {
		return err
	}
	found, err := k.answer(ctx, client, s)
	if err != nil {
		return err
	}
	r, ok := rowNamed(found.rows, name)
	if !ok { // the category has changed since its name was found
		return &modelref.NotFoundError{Category: category, Name: name}
	}
	if urls {
		return a.printURLs(r)
	}
	return a.printRecord(k, r, found.columns, len(s.fields) > 0)
}

// rowNamed returns the row of the record with a name in the document.
func rowNamed(rows []row, name string) (row, bool) {
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}

func (a *app) printRecord(k kind, r row, columns []field, chosen bool) error {
	switch {
	case a.flags.quiet:
		return a.printNames([]row{r})
	case a.flags.json || a.flags.jsonl:
		data, err := r.json()
		if chosen {
			data, err = pick(r, columns)
		}
		if err != nil {
			return err
		}
		if a.flags.jsonl {
			return printLine(a.stdout, data)
		}
		return a.printIndented(data)
	}
	if !chosen {
		columns = k.fields()
	}
	t := newTable("FIELD", "VALUE")
	for _, f := range columns {
		if text := shown(f, r.text(f.name)); text != "" || chosen {
			t.add(f.name, text)
		}
	}
	if err := t.printWrapped(a.stdout, a.screen); err != nil || chosen || a.screen.format != "" {
		return err
	}
	return a.printFiles(r)
}

// filesOfRow returns the files of a record.
func filesOfRow(r row) ([]modelref.DownloadRecord, error) {
	full, err := r.full()
	if err != nil {
		return nil, err
	}
	var record modelref.ModelRecord
	if err := record.UnmarshalJSON(full); err != nil {
		return nil, err
	}
	return record.Config.Download, nil
}

// printURLs prints the URLs of the files of a record, each once.
func (a *app) printURLs(r row) error {
	files, err := filesOfRow(r)
	if err != nil {
		return err
	}
	var printed []string
	for i := range files {
		target := files[i].FileURL
		if target == "" || slices.Contains(printed, target) || strings.ContainsFunc(target, hidden) {
			continue
		}
		printed = append(printed, target)
		if _, err := fmt.Fprintln(a.stdout, target); err != nil {
			return err
		}
	}
	return nil
}

// printFiles prints the files of a record. A URL and a checksum have a line of their own, so that they can be copied.
func (a *app) printFiles(r row) error {
	files, err := filesOfRow(r)
	if err != nil {
		return err
	}
	var errs []error
	for i := range files {
		d := &files[i]
		size := ""
		if n, ok := d.SizeBytes.Get(); ok {
			size = "  " + modelref.FormatSize(n)
		}
		_, err := fmt.Fprintf(a.stdout, "\n%s%s\n  %s\n", printable(d.FileName), size, a.screen.link(d.FileURL, printable(d.FileURL)))
		errs = append(errs, err)
		if d.HasChecksum() {
			_, err = fmt.Fprintf(a.stdout, "  sha256 %s\n", printable(d.SHA256Sum))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
