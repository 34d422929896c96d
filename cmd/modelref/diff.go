// diff: what differs between two documents or sources.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
)

func newDiff(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Tell what was added, removed and changed from A to B",
		Long: `Tell what was added (+), removed (-) and changed (~) from A to B. Each of them is one of

  FILE               a category's document, or what --json or --jsonl has printed; - for standard input
  CATEGORY           the category as a read has it now, from whichever source answers
  primary:CATEGORY   the category at the PRIMARY, and nowhere else
  github:CATEGORY    the legacy file on GitHub, converted
  cache:CATEGORY     the copy in --cache-dir

A file that is named like a category is written ./FILE. Values are compared, however they are written.
The exit code is 0 where nothing differs and 3 where something does.`,
		Example: `  modelref --demo diff primary:clip github:clip
  modelref diff yesterday/image_generation.json image_generation`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return categoryNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.diff(cmd.Context(), args[0], args[1]) },
	}
}

func (a *app) diff(ctx context.Context, from, to string) error {
	if from == "-" && to == "-" {
		return usagef("diff - -: standard input can be read once")
	}
	before, err := a.readSide(ctx, from)
	if err != nil {
		return err
	}
	after, err := a.readSide(ctx, to)
	if err != nil {
		return err
	}
	if before.listed && !after.listed {
		after, err = after.asListed()
	} else if after.listed && !before.listed {
		before, err = before.asListed()
	}
	if err != nil {
		return err
	}
	d := compare(before, after)
	if err := a.printDifferences(d); err != nil {
		return err
	}
	if len(d.Added)+len(d.Removed)+len(d.Changed) > 0 {
		return errNo
	}
	return nil
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

func (a *app) printDifferences(d differences) error {
	switch {
	case a.flags.json:
		return a.printJSON(d)
	case a.flags.jsonl:
		return a.printDifferenceLines(d)
	}
	var errs []error
	line := func(style, sign, name string) {
		if !a.flags.quiet {
			name = sign + " " + name
		}
		_, err := fmt.Fprintln(a.stdout, a.screen.paint(style, printable(name)))
		errs = append(errs, err)
	}
	for _, name := range d.Added {
		line(green, "+", name)
	}
	for _, name := range d.Removed {
		line(red, "-", name)
	}
	for _, c := range d.Changed {
		line(yellow, "~", c.Name)
		if a.flags.quiet {
			continue
		}
		for _, f := range c.Fields {
			text := printable("    " + f.Field + ": " + valueText(f.Before) + " -> " + valueText(f.After))
			if a.screen.width > 0 {
				text = runewidth.Truncate(text, a.screen.width, ellipsis)
			}
			_, err := fmt.Fprintln(a.stdout, text)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// printDifferenceLines prints an object for each record that differs.
func (a *app) printDifferenceLines(d differences) error {
	type line struct {
		Change string        `json:"change"`
		Name   string        `json:"name"`
		Fields []fieldChange `json:"fields,omitempty"`
	}
	var lines []line
	for _, name := range d.Added {
		lines = append(lines, line{"added", name, nil})
	}
	for _, name := range d.Removed {
		lines = append(lines, line{"removed", name, nil})
	}
	for _, c := range d.Changed {
		lines = append(lines, line{"changed", c.Name, c.Fields})
	}
	return printEach(a, lines)
}

func valueText(value json.RawMessage) string {
	if value == nil {
		return "(none)"
	}
	var line strings.Builder
	if printLine(&line, value) != nil {
		return string(value)
	}
	return strings.TrimSuffix(line.String(), "\n")
}

// readAll reads a side that is a stream.
func readAll(r io.Reader, what string) (*document, error) {
	doc, err := readDocument(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: it must be a category's document, or what --json or --jsonl prints", what, err)
	}
	return doc, nil
}
