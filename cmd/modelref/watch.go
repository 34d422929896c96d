// watch: the changes of a category as they come.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newWatch(a *app) *cobra.Command {
	var interval time.Duration
	var changes int
	cmd := &cobra.Command{
		Use:   "watch CATEGORY",
		Short: "Print the changes of a category until interrupted",
		Long: `Print how a category stands, then what is added (+), removed (-) and changed (~), until interrupted.
A record that was there and no longer decodes (!) is told with the reason.
Errors are told on standard error, and the watch goes on. An interrupt ends it with exit code 0.`,
		Example: `  modelref watch image_generation --interval 5m
  modelref watch text_generation --jsonl --changes 1   # wait for one change`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCategories(1),
	}
	cmd.Flags().DurationVar(&interval, "interval", time.Minute, "ask this often whether something changed")
	cmd.Flags().IntVar(&changes, "changes", 0, "end after this many changes; 0 for never")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		k, err := kindOf(args[0])
		switch {
		case err != nil:
			return err
		case interval < time.Second:
			return usagef("--interval must be at least 1s, got %v", interval)
		case changes < 0:
			return usagef("--changes must not be negative, got %d", changes)
		}
		return a.watch(cmd.Context(), k, interval, changes)
	}
	return cmd
}

func (a *app) watch(ctx context.Context, k kind, interval time.Duration, changes int) error {
	client, err := a.client(modelref.WithTTL(interval))
	if err != nil {
		return err
	}
	seen := 0
	for c, err := range k.watch(ctx, client, modelref.WatchOptions{Interval: interval}) {
		if errors.Is(err, modelref.ErrClosed) {
			return err
		}
		if err != nil {
			a.printError(err)
			continue
		}
		if err := a.printChange(k.name(), c); err != nil {
			return err
		}
		if !c.initial {
			seen++
		}
		if changes > 0 && seen >= changes {
			return nil
		}
	}
	return nil
}

// changeEvent is what watch prints of a change.
type changeEvent struct {
	Category string           `json:"category"`
	Initial  bool             `json:"initial"`
	Records  int              `json:"records"`
	Source   string           `json:"origin"`
	Stale    bool             `json:"stale"`
	Added    []string         `json:"added"`
	Removed  []string         `json:"removed"`
	Changed  []changeEntry    `json:"changed"`
	Rejected []rejectedRecord `json:"rejected"`
}

type changeEntry struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

func (a *app) printChange(category string, c change) error {
	event := changeEvent{
		category, c.initial, c.records, c.origin.String(), c.stale,
		append([]string{}, c.added...), append([]string{}, c.removed...), []changeEntry{}, // [] rather than null
		append([]rejectedRecord{}, c.rejected...),
	}
	for _, r := range c.changed {
		event.Changed = append(event.Changed, changeEntry{r.Name, r.Fields})
	}
	if a.flags.json || a.flags.jsonl {
		return a.printJSON(event)
	}
	var errs []error
	line := func(style, sign, name string) {
		text := name
		if !a.flags.quiet {
			text = sign + " " + name
		}
		_, err := fmt.Fprintln(a.stdout, a.screen.paint(style, printable(text)))
		errs = append(errs, err)
	}
	if c.initial && !a.flags.quiet {
		_, err := fmt.Fprintf(a.stdout, "%s: %d records from %s\n", category, c.records, originText(c.origin))
		errs = append(errs, err)
	}
	for _, name := range c.added {
		line(green, "+", name)
	}
	for _, name := range c.removed {
		line(red, "-", name)
	}
	for _, r := range c.changed {
		if a.flags.quiet {
			line(plain, "", r.Name)
		} else {
			line(yellow, "~", r.Name+": "+strings.Join(r.Fields, ", "))
		}
	}
	for _, r := range c.rejected {
		if a.flags.quiet {
			line(plain, "", r.Name)
		} else {
			line(red, "!", r.Name+": "+r.Reason)
		}
	}
	return errors.Join(errs...)
}
