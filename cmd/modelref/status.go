// status: how the sources and the categories stand.

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [CATEGORY...]",
		Short: "Read the categories and tell how they and their sources stand",
		Long: `Read the categories, all where none is named, and tell how they and their sources stand.
The age is how long ago a source last said that this is the present state.
The exit code is 0 where every category has an answer, a stale one included, and 1 where one has none.`,
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
	_ = client.Warm(ctx, categories...) // the status has what failed
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := client.Status()
	out := state{Sources: []sourceState{sourceStateOf("primary", s.Primary), sourceStateOf("github", s.GitHub)}}
	for _, category := range categories {
		out.Categories = append(out.Categories, categoryStateOf(s.Category(category)))
	}
	if err := a.printState(out); err != nil {
		return err
	}
	if !s.Healthy() {
		return errPartly
	}
	return nil
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
	if stamp, ok := c.LastUpdated.Get(); ok {
		out.LastChange = &stamp
	}
	return out
}

// timeOf returns a time that JSON leaves out where it is not known.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
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
	styles := map[string]string{"ok": green, "stale": yellow, "down": red, "unavailable": red}
	sources := newTable("SOURCE", "STATE", "ERROR")
	for _, source := range s.Sources {
		sources.add(source.Source, source.State, source.Error)
		sources.rows[len(sources.rows)-1][1].style = styles[source.State]
	}
	if err := sources.print(a.stdout, a.screen); err != nil {
		return err
	}
	categories := newTable("CATEGORY", "STATE", "ORIGIN", "AGE", "RECORDS", "REJECTED", "ERROR").right(3, 4, 5)
	for _, c := range s.Categories {
		age := ""
		if c.ConfirmedAt != nil {
			age = ageText(time.Since(*c.ConfirmedAt))
		}
		categories.add(string(c.Category), c.State, c.Source, age, strconv.Itoa(c.Records), strconv.Itoa(c.Rejected), c.Error)
		categories.rows[len(categories.rows)-1][1].style = styles[c.State]
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	return categories.print(a.stdout, a.screen)
}
