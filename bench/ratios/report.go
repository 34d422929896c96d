package main

// This file says which ratios are wanted, and prints them.

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref/bench"
)

// row is a line of the table for every group whose name has the prefix.
type row struct {
	prefix  string
	ours    string   // the case
	against []string // the fastest of these counts
	target  float64  // at most; 0 where none is set
	only    string   // the target is for groups whose name has this in it
}

var plainDecoders = []string{"encoding/json", "go-json-experiment", "sonic", "goccy"}

var rows = []row{
	{"Decode/category=text", "modelref", plainDecoders, 1, "doc=real"},
	{"Decode/category=text", "modelref", plainDecoders[:1], 0, ""},
	{"Decode/category=image", "modelref", plainDecoders, 0, ""},
	{"ColdRead/", "modelref", []string{"http.Get+encoding/json"}, 0.35, ""},
	{"ColdRead/", "modelref", withPrefix("http.Get+", plainDecoders), 0, ""},
	{"Warm/", "modelref.Load", []string{"go-cache.Get"}, 1.5, ""},
	{"Warm/", "modelref.Get", []string{"go-cache.Get"}, 2, ""},
	{"Warm/", "modelref.Load-x2", []string{"modelref.Load"}, 0.5, ""},
	{"Warm/", "modelref.Get-x2", []string{"modelref.Get"}, 0.5, ""},
	{"Warm/", "go-cache.Get-x2", []string{"go-cache.Get"}, 0, ""},
	{"Warm/", "spin-x2", []string{"spin"}, 0, ""},
	{"Query/shape=FilterOrderLimit/", "modelref", []string{"hand"}, 1.3, ""},
	{"Query/", "modelref", []string{"hand"}, 0, ""},
	{"Convert/", "modelref", []string{"hand"}, 0, ""},
	{"WatchPoll/", "modelref", []string{"http.Get+encoding/json"}, 0, ""},
	{"Restart/", "modelref", []string{"os.ReadFile+encoding/json"}, 1.3, ""},
	{"Restart/", "modelref", withPrefix("os.ReadFile+", plainDecoders), 0, ""},
	{"Restart/", "modelref", []string{"os.ReadFile+modelref"}, 1.3, ""},
}

func withPrefix(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i := range names {
		out[i] = prefix + names[i]
	}
	return out
}

// report gathers what has been measured.
type report struct {
	settings
	allocs map[string]int
}

func newReport(s settings) *report {
	fmt.Printf("%-62s %-26s %9s %9s\n", "ratio", "to", "is", "at most")
	return &report{settings: s, allocs: map[string]int{}}
}

// documents measures all groups on the documents of the corpus, or of those sizes, and prints their rows.
func (r *report) documents(corpus string, sizes ...int) error {
	groups, err := bench.Groups(corpus, sizes...)
	if err != nil {
		return err
	}
	for i := range groups {
		g := &groups[i]
		if g.Records > 10_000 && strings.HasPrefix(g.Name, "Warm/") {
			continue // says nothing that the smaller ones do not
		}
		contenders, err := measureGroup(g, r.settings)
		if err != nil {
			return err
		}
		r.note(g, contenders)
		printRows(g, contenders)
	}
	return nil
}

// note keeps what is looked at when all is measured.
func (r *report) note(g *bench.Group, contenders []*contender) {
	for _, c := range contenders {
		if c.allocs >= 0 {
			r.allocs[g.Name+"/by="+c.name] = c.allocs
		}
	}
}

func printRows(g *bench.Group, contenders []*contender) {
	find := func(name string) *contender {
		i := slices.IndexFunc(contenders, func(c *contender) bool { return c.name == name })
		if i < 0 {
			return nil
		}
		return contenders[i]
	}
	printed := map[string]bool{}
	for _, want := range rows {
		c := find(want.ours)
		if !strings.HasPrefix(g.Name, want.prefix) || c == nil {
			continue
		}
		var other *contender
		for _, name := range want.against {
			if o := find(name); o != nil && (other == nil || o.median() < other.median()) {
				other = o
			}
		}
		name := g.Name + "/by=" + c.name
		if other == nil || printed[name+other.name] {
			continue
		}
		printed[name+other.name] = true
		target := "-"
		if want.target > 0 && strings.Contains(g.Name, want.only) {
			target = fmt.Sprintf("%.2f", want.target)
		}
		fmt.Printf("%-62s %-26s %9.2f %9s\n", shorten(name), other.name, c.ratioTo(other), target)
	}
}

func shorten(name string) string {
	return strings.NewReplacer("category=", "", "shape=", "", "_generation", "").Replace(name)
}

// growth prints how the time of one record grows with the number of records, from ten thousand on.
func (r *report) growth() error {
	const few = 10_000
	fmt.Printf("\n%-62s %-26s %9s %9s\n", "time of one record", "to that of", "is", "at most")
	for _, many := range r.sizes {
		if many <= few {
			continue
		}
		groups, err := bench.GrowthGroups(few, many)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			g := groups[name]
			pair, err := measureGroup(&g, r.settings)
			if err != nil {
				return err
			}
			target := "-"
			if name == "Query/shape=FilterOrderLimit/by=modelref" && many == 1_000_000 {
				target = "1.15"
			}
			fmt.Printf("%-62s %-26s %9.2f %9s\n", shorten(name)+"/"+pair[1].name, pair[0].name,
				pair[1].ratioTo(pair[0])*few/float64(many), target)
		}
	}
	return nil
}

// heap prints what the categories keep on the heap.
func (r *report) heap() error {
	var all []bench.Held
	if r.corpus != "" {
		held, err := bench.RealHeld(r.corpus)
		if err != nil {
			return err
		}
		all = held
	}
	for _, n := range r.sizes {
		held, err := bench.GeneratedHeld(n)
		if err != nil {
			return err
		}
		all = append(all, held...)
	}
	fmt.Printf("\n%-34s %9s %12s %8s %8s %9s %9s\n", "held on the heap, by the document", "records", "document", "records", "rest", "is", "at most")
	sum := bench.Held{Category: "all of them", Label: "doc=real"}
	for _, h := range all {
		if h.Label == sum.Label {
			sum.Records, sum.Document = sum.Records+h.Records, sum.Document+h.Document
			sum.Slab, sum.Rest = sum.Slab+h.Slab, sum.Rest+h.Rest
		}
	}
	if sum.Records > 0 {
		all = append(all, sum)
	}
	for _, h := range all {
		target := "-"
		if h.Label == sum.Label && h.Document > 4<<10 { // what a category costs whatever is in it is half of a small document
			target = "2.00"
		}
		by := float64(h.Document)
		fmt.Printf("%-34s %9d %12d %8.2f %8.2f %9.2f %9s\n", string(h.Category)+"/"+h.Label, h.Records, h.Document,
			float64(h.Slab)/by, float64(h.Rest)/by, h.Ratio(), target)
	}
	return nil
}

// allocations compares the counts with allocs.txt, or writes it.
func (r *report) allocations(update bool) error {
	path := allocsFile()
	want, err := readAllocs(path)
	if err != nil && !(update && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	if update {
		maps.Copy(want, r.allocs)                                  // what was not measured stands
		return os.WriteFile(path, []byte(allocsText(want)), 0o644) //nolint:gosec // it is committed
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(r.allocs)) {
		if n, ok := want[name]; !ok || n != r.allocs[name] {
			wrong = append(wrong, fmt.Sprintf("  %s: %d, want %d", name, r.allocs[name], n))
		}
	}
	fmt.Printf("\nallocations: %d counts compared with %s\n", len(r.allocs), filepath.Base(path))
	if text, err := os.ReadFile(path); err == nil && !strings.Contains(string(text), allocsHeader()) {
		fmt.Printf("NOTE: they were counted with another version of Go than %s, so that %d differences are no failure\n",
			runtime.Version(), len(wrong))
		return nil
	}
	if len(wrong) > 0 {
		return fmt.Errorf("allocations have changed (write them anew with -update where that is meant):\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// allocsFile is beside the module file, whether the command runs in bench or above it.
func allocsFile() string {
	if _, err := os.Stat("go.mod"); err == nil {
		if _, err := os.Stat("ratios"); err == nil {
			return "allocs.txt"
		}
	}
	return filepath.Join("bench", "allocs.txt")
}

// allocsHeader is the first line of the file. What the standard library allocates differs between versions of Go.
func allocsHeader() string {
	parts := append(strings.SplitN(runtime.Version(), ".", 3), "")
	return "# Allocations of one operation with " + parts[0] + "." + parts[1] + ". Written by: go run ./ratios -update\n"
}

func allocsText(counts map[string]int) string {
	var out strings.Builder
	out.WriteString(allocsHeader())
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&out, "%s %d\n", name, counts[name])
	}
	return out.String()
}

func readAllocs(path string) (map[string]int, error) {
	out := map[string]int{}
	text, err := os.ReadFile(path)
	if err != nil {
		return out, err
	}
	for line := range strings.Lines(string(text)) {
		if name, count, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			n, err := strconv.Atoi(count)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", path, line, err)
			}
			out[name] = n
		}
	}
	return out, nil
}
