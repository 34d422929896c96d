package bench

import (
	"os"
	"testing"
)

// mostHeld is how many times its document a category may keep on the heap.
const mostHeld = 2.0

func TestHeldHeap(t *testing.T) {
	corpus := os.Getenv(CorpusVariable)
	if corpus == "" {
		t.Skipf("%s is not set: the target is for the real documents", CorpusVariable)
	}
	held, err := RealHeld(corpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		t.Logf("%-18s %6d bytes, %4d records: held %.2f × the document", h.Category, h.Document, h.Records, h.Ratio())
		if h.Weighty() && h.Ratio() > mostHeld {
			t.Errorf("%s keeps %.2f × its document on the heap, want at most %.0f", h.Category, h.Ratio(), mostHeld)
		}
	}
}

func TestHeldHeapGenerated(t *testing.T) {
	for _, n := range Sizes[:2] {
		held, err := GeneratedHeld(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range held {
			t.Logf("%-18s %s: held %.2f × the document", h.Category, h.Label, h.Ratio())
		}
	}
}
