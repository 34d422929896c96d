// licenses, guidance and baselines: the catalogs of the newest deployments. They are kept in the cache directory as
// categories are.

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/api"
)

// entry is an entry of a catalog.
type entry struct {
	name    string
	aliases []string
	columns []string    // after the name
	details [][2]string // the fields of one entry, for people
	value   any
}

// catalogCommand is a command that prints a catalog, or one entry of it.
type catalogCommand struct {
	use, short, long, example string
	columns                   []string
	numeric                   []int  // the columns of numbers
	kind                      string // for messages
	load                      func(ctx context.Context, client *modelref.Client) ([]entry, error)
}

func newCatalog(a *app, c catalogCommand) *cobra.Command {
	return &cobra.Command{
		Use:     c.use,
		Short:   c.short,
		Long:    c.long,
		Example: c.example,
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			client := a.completing()
			if client == nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			entries, _ := c.load(cmd.Context(), client) // without entries there is no completion
			var names []string
			for _, e := range entries {
				names = append(names, e.name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := a.client()
			if err != nil {
				return err
			}
			entries, err := c.load(cmd.Context(), client)
			if err != nil {
				return within(cmd.Context(), err)
			}
			if len(args) == 0 {
				return a.printEntries(entries, c)
			}
			return a.printEntry(entries, c.kind, args[0])
		},
	}
}

func (a *app) printEntries(entries []entry, c catalogCommand) error {
	if a.flags.json || a.flags.jsonl {
		values := make([]any, len(entries))
		for i, e := range entries {
			values[i] = e.value
		}
		return printEach(a, values)
	}
	t := newTable(c.columns...).right(c.numeric...)
	rows := make([]row, len(entries))
	for i, e := range entries {
		rows[i].name = e.name
		t.add(append([]string{e.name}, e.columns...)...)
	}
	if a.flags.quiet {
		return a.printNames(rows)
	}
	return t.print(a.stdout, a.screen)
}

func (a *app) printEntry(entries []entry, kind, name string) error {
	i := slices.IndexFunc(entries, func(e entry) bool {
		return strings.EqualFold(e.name, name) || slices.ContainsFunc(e.aliases, func(a string) bool { return strings.EqualFold(a, name) })
	})
	if i < 0 {
		var names []string
		for _, e := range entries {
			names = append(names, e.name)
		}
		err := fmt.Errorf("%s %q: %w", kind, name, modelref.ErrNotFound)
		if near := modelref.NearestNames(name, names, maxSuggestions); len(near) > 0 {
			err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
		}
		return err
	}
	e := entries[i]
	switch {
	case a.flags.quiet:
		return a.printNames([]row{{name: e.name}})
	case a.flags.json || a.flags.jsonl:
		return a.printJSON(e.value)
	}
	t := newTable("FIELD", "VALUE")
	for _, d := range e.details {
		if d[1] != "" {
			t.add(d[0], d[1])
		}
	}
	return t.printWrapped(a.stdout, a.screen)
}

// catalogError explains that a deployment is too old for a catalog.
func catalogError(err error) error {
	if errors.Is(err, modelref.ErrUnsupported) {
		return fmt.Errorf("%w: this deployment does not have it yet", modelref.ErrNotFound)
	}
	return err
}

func newLicenses(a *app) *cobra.Command {
	return newCatalog(a, catalogCommand{
		use: "licenses [ID]", short: "List the licences that models may have, or show one", kind: "licence",
		long: `List the licences that models may have, with what they permit, or show one of them. The licence of a model is in
its record: modelref get NAME.`,
		example: "  modelref --demo licenses\n  modelref licenses apache-2.0",
		columns: []string{"LICENSE", "COMMERCIAL", "REDISTRIBUTION", "USES", "NAME"}, numeric: []int{3},
		load: func(ctx context.Context, client *modelref.Client) ([]entry, error) {
			export, err := api.New(client).Licensing.Load(ctx)
			if err != nil {
				return nil, catalogError(err)
			}
			var out []entry
			for _, l := range export.Licenses {
				models := strconv.Itoa(export.Summary.Licenses[l.ID])
				out = append(out, entry{
					name: l.ID, columns: []string{string(l.CommercialUse), string(l.Redistribution), models, l.Name},
					details: licenseDetails(l, models), value: l,
				})
			}
			return out, nil
		},
	})
}

func licenseDetails(l *api.LicenseDefinition, models string) [][2]string {
	obligations := make([]string, len(l.Obligations))
	for i, o := range l.Obligations {
		obligations[i] = string(o)
	}
	return [][2]string{
		{"license", l.ID}, {"name", l.Name}, {"url", l.CanonicalURL}, {"commercial use", string(l.CommercialUse)},
		{"redistribution", string(l.Redistribution)}, {"obligations", strings.Join(obligations, ", ")},
		{"restrictions", strings.Join(l.Restrictions, "; ")}, {"notes", l.Notes},
		{"deprecated", map[bool]string{true: "yes"}[l.Deprecated]}, {"uses", models + " (models and other works)"},
	}
}

func newGuidance(a *app) *cobra.Command {
	return newCatalog(a, catalogCommand{
		use: "guidance [MODEL]", short: "List the guidance for text models, or show that of one", kind: "guidance for",
		long:    "List the text models for which there is guidance on how to prompt them, or show the guidance of one model.",
		example: "  modelref --demo guidance\n  modelref guidance 'mistralai/Mistral-Nemo-Instruct-2407'",
		columns: []string{"MODEL", "PROFILE", "SUMMARY"},
		load: func(ctx context.Context, client *modelref.Client) ([]entry, error) {
			export, err := api.New(client).Guidance.Load(ctx)
			if err != nil {
				return nil, catalogError(err)
			}
			var out []entry
			for _, name := range slices.Sorted(maps.Keys(export.Assignments)) {
				out = append(out, guidanceEntry(name, export))
			}
			return out, nil
		},
	})
}

func guidanceEntry(name string, export *api.GuidanceExport) entry {
	assigned := export.Assignments[name]
	value := map[string]any{"model_name": name, "assignment": assigned}
	e := entry{name: name, columns: []string{assigned.PrimaryProfileID, ""}, value: value}
	e.details = [][2]string{
		{"model", name}, {"profile", assigned.PrimaryProfileID}, {"also", strings.Join(assigned.SupplementalProfileIDs, ", ")},
	}
	profile := export.Profiles[assigned.PrimaryProfileID]
	if profile == nil {
		return e
	}
	common := profile.Common()
	value["profile"] = profile
	e.columns[1] = common.Summary
	e.details = append(e.details, [][2]string{
		{"name", common.DisplayName}, {"summary", common.Summary}, {"overview", common.User.Overview},
		{"tips", strings.Join(common.User.Tips, "; ")}, {"caveats", strings.Join(common.User.Caveats, "; ")},
	}...)
	if contract, ok := profile.(*api.PromptContract); ok {
		e.details = append(e.details, [2]string{"stop sequences", strings.Join(contract.StopSequences, ", ")})
		for _, template := range contract.Templates {
			e.details = append(e.details, [2]string{"template", template.Name + " (" + string(template.Syntax) + ")"})
		}
	}
	return e
}

func newBaselines(a *app) *cobra.Command {
	return newCatalog(a, catalogCommand{
		use: "baselines [NAME]", short: "List the image baselines, or show one", kind: "baseline",
		long: `List the image baselines with their resolution and other names, or show one of them. If the deployment does not have
them, those that this command knows are printed.`,
		example: "  modelref --demo baselines\n  modelref baselines sdxl",
		columns: []string{"BASELINE", "RESOLUTION", "NAME", "OTHER NAMES"}, numeric: []int{1},
		load: func(ctx context.Context, client *modelref.Client) ([]entry, error) {
			catalog, err := client.LoadBaselines(ctx)
			if err != nil {
				return nil, err
			}
			var out []entry
			for _, name := range catalog.Names() {
				out = append(out, baselineEntry(catalog.Get(name)))
			}
			return out, nil
		},
	})
}

func baselineEntry(b *modelref.BaselineInfo) entry {
	resolution := ""
	if n, ok := b.NativeResolution.Get(); ok {
		resolution = strconv.Itoa(n)
	}
	others := strings.Join(b.AlternativeNames, ", ")
	return entry{
		name: string(b.Name), aliases: b.AlternativeNames, columns: []string{resolution, b.DisplayName, others},
		details: [][2]string{
			{"baseline", string(b.Name)}, {"name", b.DisplayName}, {"resolution", resolution}, {"other names", others},
		},
		value: b,
	}
}
