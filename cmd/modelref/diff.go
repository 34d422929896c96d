// diff: what differs between two documents or sources.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newDiff(a *app) *cobra.Command {
	var stat bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Print what was added, removed and changed from A to B",
		Long: `Print what was added (+), removed (-) and changed (~) from A to B, with each value before and after in full. Each side
is one of

  FILE               a category's document, or what --json or --jsonl has printed; - for standard input
  DIRECTORY          the files that export has written; the other side is a directory or a source
  CATEGORY           the category as it is now, from the first source that is available
  primary:CATEGORY   the category at the PRIMARY, and nowhere else
  github:CATEGORY    the legacy file on GitHub, converted
  cache:CATEGORY     the copy in the cache directory

A file that has the name of a category is written ./FILE. Beside a directory, the category is left out: "primary:".
Values are compared, not how they are written. The exit code is 0 if nothing differs, and 3 otherwise.`,
		Example: `  modelref --demo diff primary:clip github:clip
  modelref --demo diff primary:clip github:clip --stat
  modelref diff yesterday/image_generation.json image_generation
  modelref diff yesterday primary:`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("it needs two sides, such as primary:clip and github:clip")
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return categoryNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.diff(cmd.Context(), args[0], args[1], stat) },
	}
	cmd.Flags().BoolVar(&stat, "stat", false, "print only how many values of each record differ")
	return cmd
}

func (a *app) diff(ctx context.Context, from, to string, stat bool) error {
	if from == "-" && to == "-" {
		return usagef("diff - -: standard input can be read once")
	}
	compared, err := a.compare(ctx, from, to)
	if err != nil {
		return err
	}
	if err := a.printComparisons(compared, stat); err != nil {
		return err
	}
	same := 0
	for _, c := range compared {
		if !c.empty() {
			return errNo
		}
		same += c.same
	}
	if a.screen.terminal { // a script has the exit code
		a.notef("nothing differs: %s the same", plural(same, "record"))
	}
	return nil
}

// compare compares two sides: two documents, or all documents of directories and sources.
func (a *app) compare(ctx context.Context, from, to string) ([]*changeSet, error) {
	if isDirectory(from) || isDirectory(to) || isSource(from) && isSource(to) {
		return a.compareDirectories(ctx, from, to)
	}
	before, err := a.readSide(ctx, from)
	if err != nil {
		return nil, err
	}
	after, err := a.readSide(ctx, to)
	if err != nil {
		return nil, err
	}
	c, err := changesOf(before, after)
	return []*changeSet{c}, err
}

// sameNames returns both sides by the names that the records give themselves if one of them has no other names.
func sameNames(before, after *document) (*document, *document, error) {
	var err error
	if before.listed && !after.listed {
		after, err = after.asListed()
	} else if after.listed && !before.listed {
		before, err = before.asListed()
	}
	return before, after, err
}

// changesOf returns what differs between two documents.
func changesOf(before, after *document) (*changeSet, error) {
	before, after, err := sameNames(before, after)
	if err != nil {
		return nil, err
	}
	c := &changeSet{}
	for _, name := range after.names {
		old, ok := before.records[name]
		now := after.records[name]
		if !ok {
			c.added = append(c.added, namedRecord{name, now})
		} else if leaves := leafChanges("", old, now); len(leaves) > 0 {
			c.changed = append(c.changed, recordDiff{name, compareRecords(old, now), leaves})
		} else {
			c.same++
		}
	}
	for _, name := range before.names {
		if _, ok := after.records[name]; !ok {
			c.removed = append(c.removed, name)
		}
	}
	return c, nil
}

// differences are the changes as JSON.
type differences struct {
	Category string          `json:"category,omitempty"`
	Added    []string        `json:"added"`
	Removed  []string        `json:"removed"`
	Changed  []recordChanges `json:"changed"`
}

type recordChanges struct {
	Name   string        `json:"name"`
	Fields []fieldChange `json:"fields"`
}

// fieldChange is a field that differs. A side that does not have the field is left out.
type fieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// differenceLine is the change of one record as a line of JSON.
type differenceLine struct {
	Category string        `json:"category,omitempty"`
	Change   string        `json:"change"`
	Name     string        `json:"name"`
	Fields   []fieldChange `json:"fields,omitempty"`
}

func (c *changeSet) differences() differences {
	d := differences{c.category, []string{}, append([]string{}, c.removed...), []recordChanges{}} // [] rather than null
	for _, added := range c.added {
		d.Added = append(d.Added, added.name)
	}
	for _, changed := range c.changed {
		d.Changed = append(d.Changed, recordChanges{changed.name, changed.fields})
	}
	return d
}

func (c *changeSet) lines() []differenceLine {
	var lines []differenceLine
	for _, added := range c.added {
		lines = append(lines, differenceLine{c.category, "added", added.name, nil})
	}
	for _, name := range c.removed {
		lines = append(lines, differenceLine{c.category, "removed", name, nil})
	}
	for _, changed := range c.changed {
		lines = append(lines, differenceLine{c.category, "changed", changed.name, changed.fields})
	}
	return lines
}

// printComparisons prints what differs, in the format that the flags select. Two documents have no category.
func (a *app) printComparisons(compared []*changeSet, stat bool) error {
	switch {
	case a.flags.json && len(compared) == 1 && compared[0].category == "":
		return a.printJSON(compared[0].differences())
	case a.flags.json:
		var all []differences
		for _, c := range compared {
			all = append(all, c.differences())
		}
		return a.printJSON(all)
	case a.flags.jsonl:
		var lines []differenceLine
		for _, c := range compared {
			lines = append(lines, c.lines()...)
		}
		return printEach(a, lines)
	}
	var errs []error
	for _, c := range compared {
		if c.empty() {
			continue
		}
		count := !a.flags.quiet
		if count && c.category != "" {
			_, err := fmt.Fprintf(a.stdout, "%s: %s\n", c.category, c.count())
			errs = append(errs, err)
		}
		errs = append(errs, a.printChangeSet(c, stat))
		if count && c.category == "" {
			_, err := fmt.Fprintln(a.stdout, c.count())
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// readAll reads a side that is a stream.
func readAll(r io.Reader, what string) (*document, error) {
	doc, err := readDocument(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: it must be a category's document, or what --json or --jsonl prints", what, err)
	}
	return doc, nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() && path != "-"
}

// isSource reports whether a side beside a directory is a source of every category.
func isSource(side string) bool {
	return slices.Contains([]string{"primary:", "github:", "cache:"}, side)
}

// compareDirectories compares the documents of directories as export writes them. A side may be a source.
func (a *app) compareDirectories(ctx context.Context, from, to string) ([]*changeSet, error) {
	for _, side := range []string{from, to} {
		if !isDirectory(side) && !isSource(side) {
			return nil, usagef("%s: beside a directory it must be a directory, primary:, github: or cache:", side)
		}
	}
	categories := comparedCategories(from, to)
	if len(categories) == 0 {
		return nil, usagef("diff %s %s: neither directory has a document such as clip.json", from, to)
	}
	if len(categories) < len(categoryNames()) {
		a.notef("%d of %d categories are compared: there is no document of the others", len(categories), len(categoryNames()))
	}
	var out []*changeSet
	for _, category := range categories {
		before, err := a.readCategory(ctx, from, category)
		if err != nil {
			return nil, err
		}
		after, err := a.readCategory(ctx, to, category)
		if err != nil {
			return nil, err
		}
		c, err := changesOf(before, after)
		if err != nil {
			return nil, err
		}
		c.category = category
		out = append(out, c)
	}
	return out, nil
}

// comparedCategories returns the categories that at least one of the directories has a document of. Two sources have all categories,
// or those that GitHub has.
func comparedCategories(from, to string) []string {
	var out []string
	for _, name := range categoryNames() {
		category := modelref.Category(name)
		switch {
		case hasDocument(from, name), hasDocument(to, name):
			out = append(out, name)
		case isSource(from) && isSource(to) && (from != "github:" && to != "github:" || category.HasGitHubSource()):
			out = append(out, name)
		}
	}
	return out
}

// hasDocument reports whether a directory has a document of a category.
func hasDocument(side, category string) bool {
	_, err := os.Stat(filepath.Join(side, category+".json"))
	return !isSource(side) && err == nil
}

// readCategory reads a category from a directory or a source. A directory without the category has no records of it.
func (a *app) readCategory(ctx context.Context, side, category string) (*document, error) {
	switch {
	case isSource(side):
		return a.readSide(ctx, side+category)
	case hasDocument(side, category):
		return a.readSide(ctx, filepath.Join(side, category+".json"))
	default:
		return &document{}, nil
	}
}
