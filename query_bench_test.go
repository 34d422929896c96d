// Benchmarks that compare queries with equivalent loops.

package modelref

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const generatedRecords = 100_000

// generatedImages returns a reference with n generated records.
func generatedImages(n int) *Reference[ImageGenerationRecord] {
	random := rand.New(rand.NewPCG(1, 2))
	baselines, styles := Baselines(), Styles()
	list := make([]ImageGenerationRecord, n)
	for i := range list {
		list[i] = ImageGenerationRecord{
			ModelRecord: ModelRecord{
				Name:        fmt.Sprintf("Model %06d", random.IntN(1_000_000)),
				Description: "An invented model number " + fmt.Sprint(i),
			},
			Baseline: baselines[random.IntN(len(baselines))],
			Style:    styles[random.IntN(len(styles))],
			NSFW:     random.IntN(3) == 0,
			Tags:     KnownTags()[random.IntN(10):][:random.IntN(4)],
		}
		if random.IntN(10) > 0 {
			list[i].SizeOnDiskBytes = Some(random.Int64N(20_000_000_000))
		}
	}
	return referenceTo(list)
}

// benchmarkQuery is a usual query: filter, order and limit.
func benchmarkQuery(ref *Reference[ImageGenerationRecord]) ImageQuery {
	return NewImageQuery(ref).
		Where(ImageFields.Baseline.In(BaselineStableDiffusionXL, BaselineFlux1),
			ImageFields.SizeOnDiskBytes.Lt(7_000_000_000)).
		ExcludeNSFW().
		OrderBy(ImageFields.SizeOnDiskBytes.Asc(), ImageFields.Name.Asc()).
		Limit(10)
}

func handKeeps(r *ImageGenerationRecord) bool {
	if r.Baseline != BaselineStableDiffusionXL && r.Baseline != BaselineFlux1 {
		return false
	}
	size, ok := r.SizeOnDiskBytes.Get()
	return ok && size < 7_000_000_000 && !r.NSFW
}

func handCompare(a, b *ImageGenerationRecord) int {
	x, _ := a.SizeOnDiskBytes.Get() // the filter selects only records with a size
	y, _ := b.SizeOnDiskBytes.Get()
	if c := cmp.Compare(x, y); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// handSorted filters, sorts all remaining records, and truncates the result.
func handSorted(ref *Reference[ImageGenerationRecord]) []*ImageGenerationRecord {
	var out []*ImageGenerationRecord
	for i := range ref.data.list {
		if r := &ref.data.list[i]; handKeeps(r) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, handCompare)
	return out[:min(10, len(out))]
}

// handTop filters and keeps the first ten by insertion sort. This is the fastest careful implementation.
func handTop(ref *Reference[ImageGenerationRecord]) []*ImageGenerationRecord {
	out := make([]*ImageGenerationRecord, 0, 11)
	for i := range ref.data.list {
		r := &ref.data.list[i]
		if !handKeeps(r) || len(out) == 10 && handCompare(r, out[9]) >= 0 {
			continue
		}
		at := len(out)
		for at > 0 && handCompare(r, out[at-1]) < 0 {
			at--
		}
		out = slices.Insert(out, at, r)
		out = out[:min(10, len(out))]
	}
	return out
}

func TestQueryBenchmarkedLoopsAreEquivalent(t *testing.T) {
	t.Parallel()
	ref := generatedImages(20_000)
	want, err := benchmarkQuery(ref).All(t.Context())
	require.NoError(t, err)
	require.Len(t, want, 10)
	require.Equal(t, want, handSorted(ref))
	require.Equal(t, want, handTop(ref))
}

func BenchmarkQuery(b *testing.B) {
	ctx := context.Background()
	run := func(name string, ref *Reference[ImageGenerationRecord]) {
		q := benchmarkQuery(ref)
		unordered := q.OrderBy().Limit(generatedRecords)
		b.Run(name+"/FilterOrderLimit/query", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = q.All(ctx)
			}
		})
		b.Run(name+"/FilterOrderLimit/hand-sorted", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = handSorted(ref)
			}
		})
		b.Run(name+"/FilterOrderLimit/hand-top", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = handTop(ref)
			}
		})
		b.Run(name+"/FilterOrder/query", func(b *testing.B) {
			b.ReportAllocs()
			all := q.Limit(generatedRecords)
			for b.Loop() {
				_, _ = all.All(ctx)
			}
		})
		b.Run(name+"/Count/query", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = unordered.Count(ctx)
			}
		})
		b.Run(name+"/Count/hand", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for i := range ref.data.list {
					if handKeeps(&ref.data.list[i]) {
						n++
					}
				}
				sink = n
			}
		})
		b.Run(name+"/First", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = unordered.First(ctx)
			}
		})
		b.Run(name+"/Exists", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = q.Exists(ctx)
			}
		})
	}
	run("100000", generatedImages(generatedRecords))
	run("real", loadReal[ImageGenerationRecord](b, CategoryImageGeneration))
}

var sink int

// BenchmarkQueryAgainstHand reports the ratio of the times of a query and of the loop. It runs them alternately and
// compares their best times, so that other load on the machine affects both equally.
func BenchmarkQueryAgainstHand(b *testing.B) {
	ctx := context.Background()
	best := func(repeat int, what func()) time.Duration {
		start := time.Now()
		for range repeat {
			what()
		}
		return time.Since(start)
	}
	run := func(name string, ref *Reference[ImageGenerationRecord], repeat int) {
		q := benchmarkQuery(ref)
		hands := map[string]func(){"sorted": func() { _ = handSorted(ref) }, "top": func() { _ = handTop(ref) }}
		for hand, loop := range hands {
			b.Run(name+"/"+hand, func(b *testing.B) {
				query, byHand := time.Hour, time.Hour
				for b.Loop() {
					query = min(query, best(repeat, func() { _, _ = q.All(ctx) }))
					byHand = min(byHand, best(repeat, loop))
				}
				b.ReportMetric(float64(query)/float64(byHand), "x-hand")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
	run("100000", generatedImages(generatedRecords), 1)
	run("real", loadReal[ImageGenerationRecord](b, CategoryImageGeneration), 50)
}

func BenchmarkParseTextModelName(b *testing.B) {
	names := loadReal[TextGenerationRecord](b, CategoryTextGeneration).Names()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = ParseTextModelName(names[i%len(names)])
	}
}

func BenchmarkResolveTextModel(b *testing.B) {
	ref := loadReal[TextGenerationRecord](b, CategoryTextGeneration)
	var reported []string
	for _, name := range ref.Names() {
		variants := BackendVariants(name)
		reported = append(reported, variants[len(variants)-1]+"::somebody")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = ResolveTextModel(ref, reported[i%len(reported)])
	}
}
