package textname

// This file measures the cost of parsing and resolving names.

import "testing"

// benchmarkParse reports the average cost of parsing one of the names.
func benchmarkParse(b *testing.B, names []string) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Parse(names[i%len(names)])
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct{ name, model string }{
		{"plain", "Harbour/Lantern"},
		{"usual", "Harbour/Lantern-7B-Instruct-v0.2"},
		{"every part", "4.2.0-Lantern-Keeper-13b-chat-v2-Q4_K_M-08-2024-Night"},
		{"unicode", "Håfen/Löschblatt-7B-Thinking"},
		{"prefixed", "aphrodite/Harbour/Lantern-8x7B-GGUF"},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmarkParse(b, []string{bench.model}) })
	}
}

func BenchmarkGroup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Group("koboldcpp/Harbour/Lantern-7B-Instruct-v0.2")
	}
}

func BenchmarkResolve(b *testing.B) {
	x := NewIndex(ourNames())
	b.ReportAllocs()
	for b.Loop() {
		x.Resolve("koboldcpp/lantern-7b-instruct-v0.2-i1-Q4_K_M.gguf::somebody")
	}
}
