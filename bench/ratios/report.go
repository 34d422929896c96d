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

// worse is by how much a ratio may be above that of ratios.txt before it is said.
const worse = 1.1

// report gathers what has been measured.
type report struct {
	settings
	allocs map[string]int
	ratios map[string]float64
	before map[string]float64 // the ratios of ratios.txt
}

func newReport(s settings) (*report, error) {
	before, err := readNumbers(beside(ratiosFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	fmt.Printf("%-62s %-26s %9s %9s %9s\n", "ratio", "to", "is", "was", "at most")
	return &report{settings: s, allocs: map[string]int{}, ratios: map[string]float64{}, before: before}, nil
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
		r.printRows(g, contenders)
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

func (r *report) printRows(g *bench.Group, contenders []*contender) {
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
		key := shorten(name) + "/to=" + other.name
		if len(want.against) > 1 {
			key = shorten(name) + "/to=the-fastest"
		}
		r.printRow(key, shorten(name), other.name, c.ratioTo(other), target)
	}
}

// printRow prints a ratio beside what it was under that key, and marks one that has become worse.
func (r *report) printRow(key, name, other string, ratio float64, target string) {
	r.ratios[key] = ratio
	was, mark := "-", ""
	if before, ok := r.before[key]; ok {
		was = fmt.Sprintf("%.2f", before)
		if ratio > before*worse {
			mark = " worse"
		}
	}
	fmt.Printf("%-62s %-26s %9.2f %9s %9s%s\n", name, other, ratio, was, target, mark)
}

// fallen says how many ratios have become worse. It is for people to judge: other machines have other ratios, and a
// neighbour's work is in each.
func (r *report) fallen() {
	var fallen []string
	compared := 0
	for _, key := range slices.Sorted(maps.Keys(r.ratios)) {
		before, ok := r.before[key]
		if !ok {
			continue
		}
		compared++
		if r.ratios[key] > before*worse {
			fallen = append(fallen, fmt.Sprintf("  %s: %.2f, was %.2f", key, r.ratios[key], before))
		}
	}
	fmt.Printf("\nratios: %d compared with %s\n", compared, ratiosFile)
	if len(fallen) > 0 {
		fmt.Printf("NOTE: more than a tenth worse:\n%s\n", strings.Join(fallen, "\n"))
	}
}

func shorten(name string) string {
	return strings.NewReplacer("category=", "", "shape=", "", "_generation", "").Replace(name)
}

// growth prints how the time of one record grows with the number of records, from ten thousand on.
func (r *report) growth() error {
	const few = 10_000
	fmt.Printf("\n%-62s %-26s %9s %9s %9s\n", "time of one record", "to that of", "is", "was", "at most")
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
			name = shorten(name) + "/" + pair[1].name
			r.printRow(name+"/to="+pair[0].name, name, pair[0].name, pair[1].ratioTo(pair[0])*few/float64(many), target)
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
		if h.Label == sum.Label && h.Weighty() {
			target = "2.00"
		}
		by := float64(h.Document)
		fmt.Printf("%-34s %9d %12d %8.2f %8.2f %9.2f %9s\n", string(h.Category)+"/"+h.Label, h.Records, h.Document,
			float64(h.Slab)/by, float64(h.Rest)/by, h.Ratio(), target)
	}
	return nil
}

// The files that say what was measured before.
const (
	allocsFile = "allocs.txt"
	ratiosFile = "ratios.txt"
)

// update writes down what has been measured. What was not measured stands.
func (r *report) update() error {
	allocs, err := readNumbers(beside(allocsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for name, n := range r.allocs {
		allocs[name] = float64(n)
	}
	ratios := maps.Clone(r.before)
	maps.Copy(ratios, r.ratios)
	return errors.Join(
		writeNumbers(beside(allocsFile), allocsHeader(), allocs, 0),
		writeNumbers(beside(ratiosFile), "# Ratios of the times in one run. Written by: go run ./ratios -update\n", ratios, 2),
	)
}

// allocations compares the counts with allocs.txt.
func (r *report) allocations() error {
	want, err := readNumbers(beside(allocsFile))
	if err != nil {
		return err
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(r.allocs)) {
		if n, ok := want[name]; !ok || int(n) != r.allocs[name] {
			wrong = append(wrong, fmt.Sprintf("  %s: %d, want %.0f", name, r.allocs[name], n))
		}
	}
	fmt.Printf("\nallocations: %d counts compared with %s\n", len(r.allocs), allocsFile)
	if text, err := os.ReadFile(beside(allocsFile)); err == nil && !strings.Contains(string(text), allocsHeader()) {
		fmt.Printf("NOTE: they were counted with another version of Go than %s, so that %d differences are no failure\n",
			runtime.Version(), len(wrong))
		return nil
	}
	if len(wrong) > 0 {
		return fmt.Errorf("allocations have changed (write them anew with -update where that is meant):\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// beside returns the path of a file beside the module file, whether the command runs in bench or above it.
func beside(name string) string {
	if _, err := os.Stat("go.mod"); err == nil {
		if _, err := os.Stat("ratios"); err == nil {
			return name
		}
	}
	return filepath.Join("bench", name)
}

// allocsHeader is the first line of allocs.txt. What the standard library allocates differs between versions of Go.
func allocsHeader() string {
	parts := append(strings.SplitN(runtime.Version(), ".", 3), "")
	return "# Allocations of one operation with " + parts[0] + "." + parts[1] + ". Written by: go run ./ratios -update\n"
}

// writeNumbers writes a file of names with their numbers, each with that many decimals.
func writeNumbers(path, header string, numbers map[string]float64, decimals int) error {
	var out strings.Builder
	out.WriteString(header)
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		fmt.Fprintf(&out, "%s %.*f\n", name, decimals, numbers[name])
	}
	return os.WriteFile(path, []byte(out.String()), 0o644) //nolint:gosec // it is committed
}

func readNumbers(path string) (map[string]float64, error) {
	out := map[string]float64{}
	text, err := os.ReadFile(path)
	if err != nil {
		return out, err
	}
	for line := range strings.Lines(string(text)) {
		if name, number, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			n, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", path, line, err)
			}
			out[name] = n
		}
	}
	return out, nil
}
