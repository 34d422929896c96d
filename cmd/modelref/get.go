// get: one record with all that is known of it.

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newGet(a *app) *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:     "get CATEGORY NAME",
		Aliases: []string{"show"},
		Short:   "Print one record: its fields, and the files to download",
		Example: `  modelref --demo get image_generation 'Plain Diffusion'
  modelref --demo get image_generation 'Plain Diffusion' --json`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeCategories(1),
	}
	cmd.Flags().StringSliceVarP(&s.fields, "fields", "f", nil, "fields to print, with commas between them")
	completeField(cmd, "fields", firstKind)
	s.limit = -1
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindOf(args[0])
		if err != nil {
			return err
		}
		found, err := a.find(cmd, k, s)
		if err != nil {
			return err
		}
		if r, ok := named(found.rows, args[1]); ok {
			return a.printRecord(k, r, found.columns, len(s.fields) > 0)
		}
		return notFound(k, args[1], found.rows)
	}
	return cmd
}

// named returns the record of that name: in the document, or the one that it gives itself, which tables show.
func named(rows []row, name string) (row, bool) {
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
	if i < 0 {
		i = slices.IndexFunc(rows, func(r row) bool { return strings.Join(r.text("name"), "") == name })
	}
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}

// notFound returns the error for a name that no row has.
func notFound(k kind, name string, rows []row) error {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.name
	}
	err := &modelref.NotFoundError{
		Category: modelref.Category(k.name()), Name: name, Suggestions: modelref.NearestNames(name, names, maxSuggestions),
	}
	if len(err.Suggestions) > 0 {
		return err
	}
	return fmt.Errorf("%w; `modelref list %s` has the names there are", err, k.name())
}

// maxSuggestions is the number of names that an error suggests.
const maxSuggestions = 3

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
	if err := t.print(a.stdout, a.screen); err != nil || chosen {
		return err
	}
	return a.printFiles(r)
}

// printFiles prints the files of a record, each URL on a line of its own, where it can be copied from.
func (a *app) printFiles(r row) error {
	full, err := r.full()
	if err != nil {
		return err
	}
	var record modelref.ModelRecord
	if err := record.UnmarshalJSON(full); err != nil {
		return err
	}
	var errs []error
	for i := range record.Config.Download {
		d := &record.Config.Download[i]
		size := ""
		if n, ok := d.SizeBytes.Get(); ok {
			size = "  " + modelref.FormatSize(n)
		}
		_, err := fmt.Fprintf(a.stdout, "\n%s%s\n  %s\n", printable(d.FileName), size, printable(d.FileURL))
		errs = append(errs, err)
		if d.HasChecksum() {
			_, err = fmt.Fprintf(a.stdout, "  sha256 %s\n", printable(d.SHA256Sum))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
