// The models that download and files are about: by name, or by filters.

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/download"
)

// modelFlags are the flags that select models, and their weights root.
type modelFlags struct {
	filters
	where []string
	sort  []string
	limit int
	all   bool
	dir   string
}

func (a *app) addModelFlags(cmd *cobra.Command, f *modelFlags) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.where, "where", "w", nil, "keep the models that a condition holds for, such as 'style=anime'; repeatable")
	flags.StringSliceVarP(&f.sort, "sort", "s", nil, "sort by fields, such as --sort=size_on_disk_bytes; -field for the highest first")
	flags.IntVarP(&f.limit, "limit", "n", -1, "take at most this many models")
	flags.Lookup("limit").DefValue = "0" // a default of -1 would be printed
	flags.BoolVar(&f.all, "all", false, "take all models of the category")
	a.addFilters(cmd, &f.filters, firstKind)
	for _, flag := range []string{"where", "sort"} {
		a.completeField(cmd, flag, firstKind)
	}
}

// modelArgs parses arguments: a category and names, or one name without its category.
func (a *app) modelArgs(ctx context.Context, args []string) (modelref.Category, []string, error) {
	category, err := parseCategory(args[0])
	if err == nil {
		return category, args[1:], nil
	}
	if len(args) > 1 || len(modelref.NearestNames(args[0], categoryNames(), 1)) > 0 {
		return "", nil, err
	}
	client, err := a.client()
	if err != nil {
		return "", nil, err
	}
	category, name, err := a.locate(ctx, client, modelref.Categories(), args[0])
	return category, []string{name}, err
}

// models returns the models of a category that the names or the filters select. It checks everything before it reads.
func (a *app) models(ctx context.Context, category modelref.Category, names []string, f modelFlags) ([]*modelref.ModelRecord, error) {
	filtered := f.used() || len(f.where) > 0 || f.limit >= 0
	if err := f.checkFilters(); err != nil {
		return nil, err
	}
	switch {
	case f.limit < -1:
		return nil, usagef("--limit %d: must be 0 or more", f.limit)
	case len(names) > 0 && (filtered || f.all):
		return nil, usagef("give names or filters, not both")
	case len(names) == 0 && !filtered && !f.all:
		return nil, usagef("name the models, or select them with filters such as --baseline and --max-size; --all takes all of %s", category)
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	reader, err := client.Category(string(category))
	if err != nil {
		return nil, err
	}
	query, err := f.query(reader)
	if err != nil {
		return nil, asUsage(err)
	}
	ref, err := reader.Load(ctx)
	if err != nil {
		return nil, within(ctx, err)
	}
	a.remark(&about{category, ref})
	if len(names) > 0 {
		return a.modelsByName(ctx, reader, names)
	}
	found, err := query.All(ctx)
	if err != nil {
		return nil, within(ctx, err)
	}
	var out []*modelref.ModelRecord
	for _, record := range found {
		if f.permits(record.Model().Licensing) && (f.limit < 0 || len(out) < f.limit) {
			out = append(out, record.Model())
		}
	}
	return out, nil
}

// query returns the query of the filters that are conditions. The limit is applied after the licenses.
func (f modelFlags) query(reader *modelref.CategoryReader) (modelref.NamedQuery, error) {
	var errs []error
	query := reader.Query()
	add := func(flag string, next modelref.NamedQuery) {
		errs = append(errs, prefix(flag, next.Check()))
		query = next
	}
	for _, c := range f.conditions() {
		err := reader.Query().Where(c.text).Check()
		if _, missing := reader.LookupField(c.field); missing != nil {
			err = c.noField()
		}
		errs = append(errs, prefix(c.flag, err))
		query = query.Where(c.text)
	}
	if errors.Join(errs...) == nil {
		add("--where", query.Where(f.where...))
	}
	if errors.Join(errs...) == nil {
		add("--sort", query.OrderBy(f.sort...))
	}
	return query, errors.Join(errs...)
}

// modelsByName returns the models with these names. A name that is written in another way is accepted if it fits one
// model only.
func (a *app) modelsByName(ctx context.Context, reader *modelref.CategoryReader, names []string) ([]*modelref.ModelRecord, error) {
	var out []*modelref.ModelRecord
	var errs []error
	for _, name := range names {
		record, err := reader.Get(ctx, name)
		if errors.Is(err, modelref.ErrNotFound) {
			if matches, findErr := reader.Find(ctx, modelref.StripBackendPrefix(name)); findErr == nil {
				if best, ok := matches.Best(); ok && best.Kind <= modelref.MatchWords { // files are large: a guess is not enough
					a.notef("%q is taken as %q", name, best.Name)
					record, err = best.Record, nil
				}
			}
		}
		switch {
		case err != nil:
			errs = append(errs, within(ctx, err))
		case !slices.Contains(out, record):
			out = append(out, record)
		}
	}
	return out, errors.Join(errs...)
}

// licenseText returns the license of a model and the attribution that it requires, for people.
func licenseText(record *modelref.ModelRecord) string {
	l := record.Licensing
	switch {
	case l == nil || l.IsNoAssertion():
		return "unknown"
	case l.Attribution != "":
		return fmt.Sprintf("%s (%s)", l.Expression, l.Attribution)
	default:
		return l.Expression
	}
}

// fileOf is one file of a model at its place in the weights root.
type fileOf struct {
	Model  string `json:"model"`
	Path   string `json:"path"` // below the weights root, with slashes
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size_bytes,omitempty"`
	URL    string `json:"url"`
	Err    error  `json:"-"` // why the file has no place
}

// sizeOfOnlyFile returns the size of a model if it has one file, or 0.
func sizeOfOnlyFile(record *modelref.ModelRecord) int64 {
	if len(record.Config.Download) != 1 {
		return 0
	}
	return record.SizeOnDiskBytes.Or(0)
}

// filesOf returns the files of models, each path once.
func filesOf(category modelref.Category, records []*modelref.ModelRecord) []fileOf {
	var out []fileOf
	seen := map[string]bool{}
	for _, record := range records {
		for i := range record.Config.Download {
			d := &record.Config.Download[i]
			file := fileOf{Model: record.Name, URL: d.FileURL, Size: d.SizeBytes.Or(sizeOfOnlyFile(record))}
			if d.HasChecksum() {
				file.SHA256 = strings.ToLower(d.SHA256Sum)
			}
			folder, name, err := download.FileLocation(category, d)
			file.Err = err
			file.Path = folder + "/" + name
			if err != nil {
				file.Path = d.FileName
			}
			if !seen[file.Path+file.SHA256] {
				seen[file.Path+file.SHA256] = true
				out = append(out, file)
			}
		}
	}
	return out
}
