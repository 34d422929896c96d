package main

// This file defines the ratios in the report and prints them.

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

// row defines a line of the report for every group whose name has the prefix.
type row struct {
	prefix  string
	ours    string   // the case of modelref
	against []string // the fastest of these cases counts
	target  float64  // the maximum, or 0 if there is no target
	only    string   // if not empty, the target applies only to groups whose name contains it
}

var plainDecoders = []string{"encoding/json", "go-json-experiment", "sonic", "goccy"}

var rows = []row{
	{"Decode/category=text", "modelref", plainDecoders, 1, "doc="},
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

// worse is the factor above which a ratio counts as worse than the ratio in ratios.txt.
const worse = 1.1

// report has all measurements.
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
	fmt.Printf("%-62s %-26s %9s %9s %9s\n", "case", "compared with", "now", "before", "at most")
	return &report{settings: s, allocs: map[string]int{}, ratios: map[string]float64{}, before: before}, nil
}

// documents measures all groups for the documents of the corpus, or of the given sizes. It prints their rows.
func (r *report) documents(corpus string, sizes ...int) error {
	groups, err := bench.Groups(corpus, sizes...)
	if err != nil {
		return err
	}
	for i := range groups {
		g := &groups[i]
		if !strings.Contains(g.Name, r.group) {
			continue
		}
		if g.Records > 10_000 && strings.HasPrefix(g.Name, "Warm/") {
			continue // the smaller documents have the same results
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

// note stores the allocations for the comparison at the end.
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

// printRow prints a ratio next to the former ratio with the same key, and marks it if it has become worse.
func (r *report) printRow(key, name, other string, ratio float64, target string) {
	r.ratios[key] = ratio
	former, mark := "-", ""
	if before, ok := r.before[key]; ok {
		former = fmt.Sprintf("%.2f", before)
		if ratio > before*worse {
			mark = " worse"
		}
	}
	fmt.Printf("%-62s %-26s %9.2f %9s %9s%s\n", name, other, ratio, former, target, mark)
}

// fallen prints the ratios that have become worse. It does not fail, because other machines have other ratios and other
// load affects each ratio.
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
			fallen = append(fallen, fmt.Sprintf("  %s: %.2f, before %.2f", key, r.ratios[key], before))
		}
	}
	fmt.Printf("\nratios: %d compared with %s\n", compared, ratiosFile)
	if len(fallen) > 0 {
		fmt.Printf("NOTE: these ratios are more than a tenth worse:\n%s\n", strings.Join(fallen, "\n"))
	}
}

func shorten(name string) string {
	return strings.NewReplacer("category=", "", "shape=", "", "_generation", "").Replace(name)
}

// growth prints how the time of one record changes with the number of records, starting at ten thousand.
func (r *report) growth() error {
	const few = 10_000
	fmt.Printf("\n%-62s %-26s %9s %9s %9s\n", "time of one record", "compared with", "now", "before", "at most")
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

// heap prints the heap memory of the categories.
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
	fmt.Printf("\n%-34s %9s %12s %8s %8s %9s %9s\n", "heap memory / document", "records", "document", "records", "rest", "now", "at most")
	sum := bench.Held{Category: "all categories", Label: "doc=real"}
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
		if strings.HasPrefix(h.Label, "doc=") && h.Weighty() {
			target = "2.00"
		}
		by := float64(h.Document)
		fmt.Printf("%-34s %9d %12d %8.2f %8.2f %9.2f %9s\n", string(h.Category)+"/"+h.Label, h.Records, h.Document,
			float64(h.Slab)/by, float64(h.Rest)/by, h.Ratio(), target)
	}
	return nil
}

// The files with the former measurements.
const (
	allocsFile = "allocs.txt"
	ratiosFile = "ratios.txt"
)

// update writes the measurements to the files. Entries that were not measured are kept.
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
			wrong = append(wrong, fmt.Sprintf("  %s: must be %.0f, got %d", name, n, r.allocs[name]))
		}
	}
	fmt.Printf("\nallocations: %d counts compared with %s\n", len(r.allocs), allocsFile)
	if text, err := os.ReadFile(beside(allocsFile)); err == nil && !strings.Contains(string(text), allocsHeader()) {
		fmt.Printf("NOTE: the file was written by another version of Go than %s, so %d differences are not a failure\n",
			runtime.Version(), len(wrong))
		return nil
	}
	if len(wrong) > 0 {
		return fmt.Errorf("allocations have changed (if the change is intended, update the file with -update):\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// beside returns the path of a file next to the go.mod of the module bench. The working directory may be bench or its
// parent.
func beside(name string) string {
	if _, err := os.Stat("go.mod"); err == nil {
		if _, err := os.Stat("ratios"); err == nil {
			return name
		}
	}
	return filepath.Join("bench", name)
}

// allocsHeader is the first line of allocs.txt. The allocations of the standard library differ between versions of Go.
func allocsHeader() string {
	parts := append(strings.SplitN(runtime.Version(), ".", 3), "")
	return "# Allocations of one operation with " + parts[0] + "." + parts[1] + ". Written by: go run ./ratios -update\n"
}

// writeNumbers writes a file of names and numbers. The numbers have the given number of decimals.
func writeNumbers(path, header string, numbers map[string]float64, decimals int) error {
	var out strings.Builder
	out.WriteString(header)
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		fmt.Fprintf(&out, "%s %.*f\n", name, decimals, numbers[name])
	}
	return os.WriteFile(path, []byte(out.String()), 0o644) //nolint:gosec // committed file
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
