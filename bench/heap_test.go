package bench

import (
	"os"
	"testing"
)

// mostHeld limits the heap memory of a category, as a multiple of the size of its document.
const mostHeld = 2.0

func TestHeldHeap(t *testing.T) {
	corpus := os.Getenv(CorpusVariable)
	if corpus == "" {
		t.Skipf("%s must be the directory of the recorded documents", CorpusVariable)
	}
	held, err := RealHeld(corpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		t.Logf("%-18s %-10s %6d bytes, %4d records: heap memory is %.2f × the document", h.Category, h.Label, h.Document, h.Records, h.Ratio())
		if h.Weighty() && h.Ratio() > mostHeld {
			t.Errorf("%s %s: heap memory must be at most %.0f × the document, got %.2f", h.Category, h.Label, mostHeld, h.Ratio())
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
			t.Logf("%-18s %s: heap memory is %.2f × the document", h.Category, h.Label, h.Ratio())
		}
	}
}
