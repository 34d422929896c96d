// Command ratios runs modelref and its alternatives in turn. It prints the ratios of their times, next to the former
// ratios in ratios.txt and the targets. It fails if the allocations of modelref differ from allocs.txt. It does not
// fail because of times, which the reader must judge.
//
//	go run ./ratios [-short] [-rounds n] [-update] [-sizes 1000,10000] [-group Decode/category=text]
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
	group  string // only groups whose name has this in it are measured; "" for everything
}

func main() {
	short := flag.Bool("short", false, "only a few rounds, and only small documents")
	update := flag.Bool("update", false, "write allocs.txt and ratios.txt instead of comparing with them")
	rounds := flag.Int("rounds", 10, "number of rounds, whose median is printed")
	sizes := flag.String("sizes", "", "comma-separated numbers of records in the generated documents")
	group := flag.String("group", "", "measure only the groups whose name contains this text, on the documents in the corpus")
	flag.Parse()
	s := settings{rounds: *rounds, burst: 20 * time.Millisecond, sizes: bench.Sizes, corpus: os.Getenv(bench.CorpusVariable)}
	if *short {
		s.rounds, s.burst, s.sizes = 3, 10*time.Millisecond, bench.Sizes[:1]
	}
	s.group = *group
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
				return fmt.Errorf("-sizes: %q must be a positive number of records", part)
			}
			s.sizes = append(s.sizes, n)
		}
	}
	fmt.Printf("%s %s/%s, %d cores, %s. Medians of %d rounds.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), processor(), s.rounds)
	if s.corpus == "" {
		fmt.Printf("%s is not set: the real documents are not measured.\n\n", bench.CorpusVariable)
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
	if s.group != "" {
		if update {
			return report.update()
		}
		report.fallen()
		return nil
	}
	for _, n := range s.sizes { // one size after the other, because two large documents in memory would affect each other's times
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

// processor returns the name of the processor, if the kernel provides it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // missing on other systems
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, "\t :\n")
		}
	}
	return "unknown processor"
}
