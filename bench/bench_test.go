// This file runs the cases in Go's benchmark harness: go test -bench . -count 10 | benchstat -col /by -

package bench

import (
	"os"
	"strings"
	"testing"
)

func BenchmarkDecode(b *testing.B)   { runGroups(b, "Decode") }
func BenchmarkColdRead(b *testing.B) { runGroups(b, "ColdRead") }
func BenchmarkWarm(b *testing.B)     { runGroups(b, "Warm") }
func BenchmarkRestart(b *testing.B)  { runGroups(b, "Restart") }
func BenchmarkQuery(b *testing.B)    { runGroups(b, "Query") }
func BenchmarkConvert(b *testing.B)  { runGroups(b, "Convert") }

// runGroups runs the groups of a kind, one size after the other, so that only one large document is in memory.
func runGroups(b *testing.B, kind string) {
	corpus := os.Getenv(CorpusVariable)
	if corpus == "" {
		b.Logf("%s is not set: the real documents are not measured", CorpusVariable)
	} else {
		runSome(b, kind, corpus)
	}
	for _, n := range Sizes {
		if testing.Short() && n > 10_000 {
			b.Logf("-short: documents of %d records are not measured", n)
			continue
		}
		runSome(b, kind, "", n)
	}
}

func runSome(b *testing.B, kind, corpus string, sizes ...int) {
	b.Helper()
	groups, err := Groups(corpus, sizes...)
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range groups {
		name, ok := strings.CutPrefix(g.Name, kind+"/")
		if !ok {
			continue
		}
		for _, c := range g.Cases {
			b.Run(name+"/by="+c.By, func(b *testing.B) { runCase(b, &g, &c) })
		}
	}
}

func runCase(b *testing.B, g *Group, c *Case) {
	run, done, err := c.Open()
	if done != nil {
		defer done()
	}
	if err != nil {
		b.Fatal(err)
	}
	if g.Bytes > 0 {
		b.SetBytes(int64(g.Bytes))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCases runs each case once and checks its result.
func TestCases(t *testing.T) {
	groups, err := Groups(os.Getenv(CorpusVariable), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		for _, c := range g.Cases {
			t.Run(g.Name+"/by="+c.By, func(t *testing.T) {
				run, done, err := c.Open()
				if done != nil {
					defer done()
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := run(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
