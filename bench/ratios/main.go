// Command ratios runs modelref and its alternatives in turn and prints how they compare, beside what they were, in
// ratios.txt, and what is aimed at. It fails where modelref allocates otherwise than allocs.txt says; times are for the
// reader to judge.
//
//	go run ./ratios [-short] [-rounds n] [-update] [-sizes 1000,10000]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/haidra-org/modelref/bench"
)

type settings struct {
	rounds int
	burst  time.Duration
	sizes  []int
	corpus string
}

func main() {
	short := flag.Bool("short", false, "few rounds, and small documents alone")
	update := flag.Bool("update", false, "write allocs.txt and ratios.txt instead of comparing with them")
	rounds := flag.Int("rounds", 10, "rounds to take the median of")
	sizes := flag.String("sizes", "", "numbers of records in the generated documents, with commas between")
	flag.Parse()
	s := settings{rounds: *rounds, burst: 20 * time.Millisecond, sizes: bench.Sizes, corpus: os.Getenv(bench.CorpusVariable)}
	if *short {
		s.rounds, s.burst, s.sizes = 3, 10*time.Millisecond, bench.Sizes[:1]
	}
	if err := run(s, *sizes, *update); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(s settings, sizes string, update bool) error {
	if sizes != "" {
		s.sizes = nil
		for part := range strings.SplitSeq(sizes, ",") {
			n, err := strconv.Atoi(part)
			if err != nil || n < 1 {
				return fmt.Errorf("-sizes: %q is no number of records", part)
			}
			s.sizes = append(s.sizes, n)
		}
	}
	fmt.Printf("%s %s/%s, %d cores, %s. Medians of %d rounds.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), processor(), s.rounds)
	if s.corpus == "" {
		fmt.Printf("%s is not set: without the real documents.\n\n", bench.CorpusVariable)
	}
	report, err := newReport(s)
	if err != nil {
		return err
	}
	if s.corpus != "" {
		if err := report.documents(s.corpus); err != nil {
			return err
		}
	}
	for _, n := range s.sizes { // one size after the other: two large documents at once would be measured as one
		if err := report.documents("", n); err != nil {
			return err
		}
	}
	if err := errors.Join(report.growth(), report.heap()); err != nil {
		return err
	}
	if update {
		return report.update()
	}
	report.fallen()
	return report.allocations()
}

// processor returns the model that the kernel names, where it does.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // absent on other systems, which is no matter
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, "\t :\n")
		}
	}
	return "processor unknown"
}
