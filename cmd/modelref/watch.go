// watch: the changes of categories as they come.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	interval time.Duration
	changes  int
	command  string
}

func newWatch(a *app) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [CATEGORY...]",
		Short: "Print the changes of categories until interrupted",
		Long: `Print the state of categories, or of all if none is named, and then what is added (+), removed (-) and changed (~),
until interrupted. A record that can no longer be decoded (!) is printed with the reason. On standard error, a
source that becomes unavailable is reported once, and once more when it responds again. An interrupt ends the
watch with exit code 0.

--exec runs a command after each change, with the change as JSON on its standard input and in the environment
variables MODELREF_CATEGORY, MODELREF_ADDED, MODELREF_REMOVED and MODELREF_CHANGED, a name on each line.`,
		Example: `  modelref watch image_generation --interval 5m
  modelref watch text_generation --jsonl --changes 1   # wait for one change
  modelref watch image --exec 'systemctl --user reload worker'`,
		ValidArgsFunction: completeCategories(0),
	}
	cmd.Flags().DurationVar(&f.interval, "interval", time.Minute, "check for changes this often")
	cmd.Flags().IntVar(&f.changes, "changes", 0, "end after this many changes; 0 for never")
	cmd.Flags().StringVar(&f.command, "exec", "", "run this command in a shell after each change")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		categories, err := categoriesOf(args)
		switch {
		case err != nil:
			return err
		case f.interval < time.Second:
			return usagef("--interval must be at least 1s, got %v", f.interval)
		case f.changes < 0:
			return usagef("--changes must not be negative, got %d", f.changes)
		}
		return a.watch(cmd.Context(), categories, f)
	}
	return cmd
}

// watched is what a watch of one category has yielded.
type watched struct {
	category string
	change   change
	err      error
}

func (a *app) watch(ctx context.Context, categories []modelref.Category, f watchFlags) error {
	client, err := a.client(modelref.WithTTL(f.interval))
	if err != nil {
		return err
	}
	outages := outages{app: a, since: map[modelref.Source]time.Time{}}
	a.sources.also = outages.observe
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	yielded := make(chan watched)
	var watches sync.WaitGroup
	for _, category := range categories {
		k, err := kindOf(string(category))
		if err != nil {
			return err
		}
		watches.Go(func() {
			for c, err := range k.watch(ctx, client, modelref.WatchOptions{Interval: f.interval}) {
				select {
				case yielded <- watched{k.name(), c, err}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		watches.Wait()
		close(yielded)
	}()
	return a.watchAll(ctx, yielded, f, &outages)
}

// watchAll prints what the watches yield.
func (a *app) watchAll(ctx context.Context, yielded <-chan watched, f watchFlags, outages *outages) error {
	seen := 0
	for w := range yielded {
		switch {
		case errors.Is(w.err, modelref.ErrClosed):
			return w.err
		case w.err != nil:
			outages.yielded(w)
			continue
		}
		if err := a.printChange(w.category, w.change); err != nil {
			return err
		}
		if w.change.initial {
			continue
		}
		if f.command != "" {
			a.runCommand(ctx, f.command, w)
		}
		if seen++; f.changes > 0 && seen >= f.changes {
			return nil
		}
	}
	return nil
}

// outages reports a source that does not respond once, and once more when it responds again.
type outages struct {
	app   *app
	mu    sync.Mutex
	since map[modelref.Source]time.Time
	last  map[string]string // the last error by category
}

func (o *outages) observe(e modelref.Event) {
	if e.Source != modelref.SourcePrimary && e.Source != modelref.SourceGitHub {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	since, down := o.since[e.Source]
	switch e.Kind {
	case modelref.EventBreakerOpened, modelref.EventSourceFailed:
		if !down && errors.Is(e.Err, modelref.ErrUnavailable) || !down && e.Kind == modelref.EventBreakerOpened {
			o.since[e.Source] = time.Now()
			o.app.notef("%s %s does not respond: %v", clockText(), originText(e.Source), e.Err)
		}
	case modelref.EventLoad, modelref.EventRevalidate:
		if down {
			delete(o.since, e.Source)
			o.app.notef("%s %s responds again, after %v", clockText(), originText(e.Source), time.Since(since).Round(time.Second))
		}
	}
}

// yielded reports an error of a category, unless it is about an outage that was reported.
func (o *outages) yielded(w watched) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		o.last = map[string]string{}
	}
	kind := "other: " + w.err.Error()
	if errors.Is(w.err, modelref.ErrUnavailable) {
		kind = "unavailable"
	}
	if o.last[w.category] == kind {
		return
	}
	o.last[w.category] = kind
	o.app.printError(w.err)
}

// clockText returns the time of the day.
func clockText() string { return time.Now().Format(time.TimeOnly) }

// runCommand runs a command after a change. Its failure is reported, and the watch goes on.
func (a *app) runCommand(ctx context.Context, command string, w watched) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command) //nolint:gosec // the user names it
	if runtime.GOOS == "windows" {
		cmd = exec.CommandContext(ctx, "cmd", "/C", command) //nolint:gosec // the user names it
	}
	event, err := marshal(eventOf(w.category, w.change))
	if err != nil {
		a.errorf("--exec: %v", err)
		return
	}
	var changed []string
	for _, r := range w.change.changed {
		changed = append(changed, r.Name)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(event), a.stdout, a.stderr
	cmd.Env = append(os.Environ(), "MODELREF_CATEGORY="+w.category,
		"MODELREF_ADDED="+lines(w.change.added), "MODELREF_REMOVED="+lines(w.change.removed), "MODELREF_CHANGED="+lines(changed))
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		a.errorf("--exec: %v", err)
	}
}

// lines returns names with line feeds between them. Names come from the network: one with a line feed must not look like
// two, and an environment variable ends at a zero byte.
func lines(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = printable(name)
	}
	return strings.Join(shown, "\n")
}

// changeEvent is a change as JSON.
type changeEvent struct {
	Time     time.Time        `json:"time"`
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

func eventOf(category string, c change) changeEvent {
	event := changeEvent{
		time.Now().UTC().Truncate(time.Second), category, c.initial, c.records, c.origin.String(), c.stale,
		append([]string{}, c.added...), append([]string{}, c.removed...), []changeEntry{}, // [] rather than null
		append([]rejectedRecord{}, c.rejected...),
	}
	for _, r := range c.changed {
		event.Changed = append(event.Changed, changeEntry{r.Name, r.Fields})
	}
	return event
}

func (a *app) printChange(category string, c change) error {
	if a.flags.json || a.flags.jsonl {
		return a.printJSON(eventOf(category, c))
	}
	var errs []error
	if !a.flags.quiet {
		what := fmt.Sprintf("%d records from %s", c.records, originText(c.origin))
		if !c.initial {
			what = strings.Join(nonEmpty(c.differences.count(), rejectedCount(c.rejected)), ", ")
		}
		_, err := fmt.Fprintf(a.stdout, "%s %s: %s\n", clockText(), category, what)
		errs = append(errs, err)
	}
	errs = append(errs, a.printChangeSet(&c.differences, false))
	p := changePrinter{app: a, out: a.stdout}
	for _, r := range c.rejected {
		p.line(red, "!", r.Name, r.Reason)
	}
	return errors.Join(append(errs, p.errs...)...)
}

func rejectedCount(rejected []rejectedRecord) string {
	if len(rejected) == 0 {
		return ""
	}
	return fmt.Sprintf("%d cannot be decoded", len(rejected))
}

func nonEmpty(texts ...string) []string {
	var out []string
	for _, text := range texts {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

// change is what Watch has found.
type change struct {
	initial        bool
	records        int
	origin         modelref.Source
	stale          bool
	added, removed []string
	changed        []modelref.RecordChange
	rejected       []rejectedRecord
	differences    changeSet // what added, removed and changed are, for people
}

// rejectedRecord is a record that was there and no longer decodes.
type rejectedRecord struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func (k typed[R]) watch(ctx context.Context, client *modelref.Client, o modelref.WatchOptions) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		var before *modelref.Reference[R]
		for c, err := range k.service(client).Watch(ctx, o) {
			out := change{initial: c.Initial, added: c.Added, removed: c.Removed, changed: c.Changed}
			if c.Reference != nil {
				out.records, out.origin, out.stale = c.Reference.Len(), c.Reference.Source(), c.Reference.Stale()
				out.rejected = rejectedOf(c.Rejected, c.Reference.Rejected())
				out.differences = differencesOf(before, c)
				before = c.Reference
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// differencesOf returns the records and values of a change.
func differencesOf[R modelref.Record](before *modelref.Reference[R], c modelref.Change[R]) changeSet {
	out := changeSet{removed: c.Removed}
	for _, name := range c.Added {
		out.added = append(out.added, namedRecord{name, rawRecord(c.Reference, name)})
	}
	for _, changed := range c.Changed {
		leaves := leafChanges("", rawRecord(before, changed.Name), rawRecord(c.Reference, changed.Name))
		out.changed = append(out.changed, recordDiff{name: changed.Name, leaves: leaves})
	}
	return out
}

// rawRecord returns the JSON of a record, or nil if there is no such record.
func rawRecord[R modelref.Record](ref *modelref.Reference[R], name string) json.RawMessage {
	record, ok := ref.Get(name)
	if !ok {
		return nil
	}
	return json.RawMessage(any(record).(interface{ RawJSON() string }).RawJSON()) // every record has it
}

// rejectedOf says what is wrong with the records of these names. The errors do not list all of very many, and shorten
// long names.
func rejectedOf(names []string, errs []modelref.RecordError) []rejectedRecord {
	reasons := make(map[string]string, len(errs))
	for _, err := range errs {
		reasons[err.Name] = err.Reason
	}
	out := make([]rejectedRecord, len(names))
	for i, name := range names {
		out[i] = rejectedRecord{name, cmp.Or(reasons[name], "it does not decode any more")}
	}
	return out
}

func (everything) watch(context.Context, *modelref.Client, modelref.WatchOptions) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) { yield(change{}, errors.New("one category is watched at a time")) }
}
