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
	if isDirectory(from) || isDirectory(to) || isSource(from) && isSource(to) {
		return a.diffDirectories(ctx, from, to, stat)
	}
	before, err := a.readSide(ctx, from)
	if err != nil {
		return err
	}
	after, err := a.readSide(ctx, to)
	if err != nil {
		return err
	}
	before, after, err = sameNames(before, after)
	if err != nil {
		return err
	}
	if err := a.printDifferences(before, after, stat); err != nil {
		return err
	}
	c := changesOf(before, after)
	if !c.empty() {
		return errNo
	}
	a.noteSame(c.same)
	return nil
}

// noteSame says on a terminal that nothing differs. A script has the exit code.
func (a *app) noteSame(records int) {
	if a.screen.terminal {
		a.notef("nothing differs: %s the same", plural(records, "record"))
	}
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

// printDifferences prints what differs between two documents.
func (a *app) printDifferences(before, after *document, stat bool) error {
	switch {
	case a.flags.json:
		return a.printJSON(compare(before, after))
	case a.flags.jsonl:
		return a.printDifferenceLines("", compare(before, after))
	}
	c := changesOf(before, after)
	if err := a.printChangeSet(c, stat); err != nil || c.empty() || a.flags.quiet {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, c.count())
	return err
}

// changesOf returns what differs, for people.
func changesOf(before, after *document) *changeSet {
	c := &changeSet{}
	for _, name := range after.names {
		old, ok := before.records[name]
		if !ok {
			c.added = append(c.added, namedRecord{name, after.records[name]})
		} else if leaves := leafChanges("", old, after.records[name]); len(leaves) > 0 {
			c.changed = append(c.changed, recordDiff{name, leaves})
		} else {
			c.same++
		}
	}
	for _, name := range before.names {
		if _, ok := after.records[name]; !ok {
			c.removed = append(c.removed, name)
		}
	}
	return c
}

// differences are what differs between two documents.
type differences struct {
	Added   []string        `json:"added"`
	Removed []string        `json:"removed"`
	Changed []recordChanges `json:"changed"`
}

type recordChanges struct {
	Name   string        `json:"name"`
	Fields []fieldChange `json:"fields"`
}

// fieldChange is a field that differs; a side that does not have it is left out.
type fieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func compare(before, after *document) differences {
	d := differences{Added: []string{}, Removed: []string{}, Changed: []recordChanges{}}
	for _, name := range after.names {
		old, ok := before.records[name]
		if !ok {
			d.Added = append(d.Added, name)
		} else if fields := compareRecords(old, after.records[name]); len(fields) > 0 {
			d.Changed = append(d.Changed, recordChanges{name, fields})
		}
	}
	for _, name := range before.names {
		if _, ok := after.records[name]; !ok {
			d.Removed = append(d.Removed, name)
		}
	}
	return d
}

// printDifferenceLines prints an object for each record that differs.
func (a *app) printDifferenceLines(category string, d differences) error {
	type line struct {
		Category string        `json:"category,omitempty"`
		Change   string        `json:"change"`
		Name     string        `json:"name"`
		Fields   []fieldChange `json:"fields,omitempty"`
	}
	var lines []line
	for _, name := range d.Added {
		lines = append(lines, line{category, "added", name, nil})
	}
	for _, name := range d.Removed {
		lines = append(lines, line{category, "removed", name, nil})
	}
	for _, c := range d.Changed {
		lines = append(lines, line{category, "changed", c.Name, c.Fields})
	}
	return printEach(a, lines)
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

// diffDirectories compares the documents of directories as export writes them. One side may be a source.
func (a *app) diffDirectories(ctx context.Context, from, to string, stat bool) error {
	for _, side := range []string{from, to} {
		if !isDirectory(side) && !isSource(side) {
			return usagef("%s: beside a directory it must be a directory, primary:, github: or cache:", side)
		}
	}
	type differing struct {
		Category string `json:"category"`
		differences
	}
	all := []differing{}
	categories := comparedCategories(from, to)
	if len(categories) == 0 {
		return usagef("diff %s %s: neither directory has a document such as clip.json", from, to)
	}
	if left := len(categoryNames()) - len(categories); left > 0 {
		a.notef("%d of %d categories are compared: there is no document of the others", len(categories), len(categoryNames()))
	}
	differ, same := false, 0
	for _, category := range categories {
		before, after, err := a.readBoth(ctx, from, to, category)
		if err != nil {
			return err
		}
		c := changesOf(before, after)
		differ, same = differ || !c.empty(), same+c.same
		switch {
		case a.flags.json:
			all = append(all, differing{category, compare(before, after)})
		case a.flags.jsonl:
			err = a.printDifferenceLines(category, compare(before, after))
		case c.empty():
		case a.flags.quiet:
			err = a.printChangeSet(c, stat)
		default:
			_, err = fmt.Fprintf(a.stdout, "%s: %s\n", category, c.count())
			err = errors.Join(err, a.printChangeSet(c, stat))
		}
		if err != nil {
			return err
		}
	}
	if a.flags.json {
		if err := a.printJSON(all); err != nil {
			return err
		}
	}
	if differ {
		return errNo
	}
	a.noteSame(same)
	return nil
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

// readBoth reads a category from both sides. A directory without the category has no records of it.
func (a *app) readBoth(ctx context.Context, from, to, category string) (before, after *document, err error) {
	read := func(side string) (*document, error) {
		switch {
		case isSource(side):
			return a.readSide(ctx, side+category)
		case hasDocument(side, category):
			return a.readSide(ctx, filepath.Join(side, category+".json"))
		default:
			return &document{}, nil
		}
	}
	if before, err = read(from); err != nil {
		return nil, nil, err
	}
	if after, err = read(to); err != nil {
		return nil, nil, err
	}
	return sameNames(before, after)
}
