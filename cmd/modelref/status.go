// status: how the sources and the categories stand.

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [CATEGORY...]",
		Short: "Print the state of the sources and the categories",

		SuggestFor: []string{"health", "ping"},

		Long: `Read the categories, or all if none is named, from their sources, and print the state of both.
The age is the time since a source last confirmed the data.
The exit code is 0 if every category can be read, including from a stale copy, and otherwise 1.`,
		Example:           "  modelref --demo status",
		ValidArgsFunction: completeCategories(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			categories, err := categoriesOf(args)
			if err != nil {
				return err
			}
			return a.status(cmd.Context(), categories)
		},
	}
}

// sourceState is how a source stands.
type sourceState struct {
	Source string `json:"source"`
	State  string `json:"state"`
	Error  string `json:"error,omitempty"`
}

// categoryState is how a category stands.
type categoryState struct {
	Category    modelref.Category `json:"category"`
	State       string            `json:"state"`
	Source      string            `json:"origin,omitempty"`
	Records     int               `json:"records"`
	Rejected    int               `json:"rejected"`
	FetchedAt   *time.Time        `json:"fetched_at,omitempty"`
	ConfirmedAt *time.Time        `json:"confirmed_at,omitempty"`
	LastChange  *time.Time        `json:"last_change,omitempty"`
	Error       string            `json:"error,omitempty"`

	reasons []string // the errors of sources that are not down
}

// state is what status prints.
type state struct {
	Sources    []sourceState   `json:"sources"`
	Categories []categoryState `json:"categories"`
}

func (a *app) status(ctx context.Context, categories []modelref.Category) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	a.readAgain(ctx, client, categories)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := client.Status()
	out := state{Sources: []sourceState{sourceStateOf("primary", s.Primary), sourceStateOf("github", s.GitHub)}}
	for _, category := range categories {
		c := s.Category(category)
		state := categoryStateOf(c)
		state.reasons = reasonsOf(c.LastError, s)
		out.Categories = append(out.Categories, state)
	}
	if err := a.printState(out); err != nil {
		return err
	}
	if !s.Healthy() {
		return errPartly
	}
	return nil
}

// readAgain reads the categories from their sources, even if there are recent copies. The status has the errors.
func (a *app) readAgain(ctx context.Context, client *modelref.Client, categories []modelref.Category) {
	var options []modelref.LoadOption
	if !a.flags.offline {
		options = append(options, modelref.WithRefresh())
	}
	var loads sync.WaitGroup
	for _, category := range categories {
		loads.Go(func() {
			if reader, err := client.Category(string(category)); err == nil {
				_, _ = reader.Load(ctx, options...)
			}
		})
	}
	loads.Wait()
}

func sourceStateOf(name string, s modelref.SourceStatus) sourceState {
	out := sourceState{Source: name, State: "ok"}
	switch {
	case !s.Configured:
		out.State = "not used"
	case s.BreakerOpen:
		out.State = "down"
	}
	if s.LastError != nil && s.BreakerOpen {
		out.Error = s.LastError.Error()
	}
	return out
}

func categoryStateOf(c modelref.CategoryStatus) categoryState {
	out := categoryState{Category: c.Category, State: "unavailable", Records: c.Records, Rejected: c.Rejected}
	if c.LastError != nil {
		out.Error = c.LastError.Error()
	}
	if !c.Loaded {
		return out
	}
	out.State, out.Source = "ok", c.Source.String()
	if c.Stale {
		out.State = "stale"
	}
	out.FetchedAt, out.ConfirmedAt = timeOf(c.FetchedAt), timeOf(c.ConfirmedAt)
	if updated, ok := c.LastUpdated.Get(); ok {
		out.LastChange = timeOf(updated)
	}
	return out
}

// timeOf returns a time, or nil if it is unknown, or if JSON has no form for its year.
func timeOf(t time.Time) *time.Time {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}

func (a *app) printState(s state) error {
	switch {
	case a.flags.quiet:
		return nil
	case a.flags.jsonl:
		return printEach(a, s.Categories)
	case a.flags.json:
		return a.printJSON(s)
	}
	return errors.Join(a.printSources(s.Sources), a.printCategoryStates(s.Categories))
}

// reasonsOf returns what the sources of a category said. The error of a source that is down is not repeated for every
// category.
func reasonsOf(err error, s modelref.Status) []string {
	var fetch *modelref.FetchError
	if err == nil {
		return nil
	}
	if !errors.As(err, &fetch) {
		return []string{err.Error()}
	}
	var out []string
	for _, attempt := range told(fetch.Sources) {
		down := attempt.Source == modelref.SourcePrimary && s.Primary.BreakerOpen ||
			attempt.Source == modelref.SourceGitHub && s.GitHub.BreakerOpen
		if !down {
			out = append(out, attempt.String())
		}
	}
	return out
}

// stateStyles are the styles of states.
var stateStyles = map[string]string{"ok": green, "stale": yellow, "down": red, "unavailable": red}

// printSources prints the sources. The reason of a source that is down is printed in full.
func (a *app) printSources(sources []sourceState) error {
	t := newTable("SOURCE", "STATE", "ERROR")
	for _, source := range sources {
		t.add(source.Source, source.State, source.Error)
		t.rows[len(t.rows)-1][1].style = stateStyles[source.State]
	}
	if a.screen.width == 0 {
		return t.print(a.stdout, a.screen)
	}
	short := newTable("SOURCE", "STATE")
	short.rows = t.rows
	for i, row := range t.rows {
		short.rows[i] = row[:2]
	}
	if err := short.print(a.stdout, a.screen); err != nil {
		return err
	}
	for _, source := range sources {
		if source.Error == "" {
			continue
		}
		for i, line := range wrap(printable(source.Source+": "+source.Error), a.screen.width-gap) {
			if _, err := fmt.Fprintf(a.stdout, "%s%s\n", map[bool]string{false: "  "}[i == 0], line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) printCategoryStates(states []categoryState) error {
	t := newTable("CATEGORY", "STATE", "ORIGIN", "AGE", "RECORDS", "REJECTED", "ERROR").right(3, 4, 5)
	for _, c := range states {
		age := ""
		if c.ConfirmedAt != nil {
			age = ageText(time.Since(*c.ConfirmedAt))
		}
		t.add(string(c.Category), c.State, c.Source, age, strconv.Itoa(c.Records), strconv.Itoa(c.Rejected),
			strings.Join(c.reasons, "; "))
		t.rows[len(t.rows)-1][1].style = stateStyles[c.State]
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	if a.screen.format == "" {
		t = t.withoutEmpty()
	}
	return t.print(a.stdout, a.screen)
}
