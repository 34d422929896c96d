package bench

// This file compares queries with loops over the same records.

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/haidra-org/modelref"
)

type image = modelref.ImageGenerationRecord

// shape is a question that is answered by a query and by a loop. Both return the number of records in the result.
type shape struct {
	name  string
	query func(*modelref.Reference[image]) func() (int, error)
	loop  func([]image) func() int
}

// queryGroups returns a group for each question about a document.
func queryGroups(d *document) []Group {
	var out []Group
	for _, s := range shapes {
		g := Group{Name: "Query/shape=" + s.name + "/" + d.label}
		g.Cases = []Case{
			{By: ours, Open: func() (func() error, func(), error) {
				ref, err := modelref.DecodeDocument[image](d.category, d.body)
				if err != nil {
					return nil, nil, err
				}
				ask := s.query(ref)
				want := s.loop(copied(ref))()
				return func() error {
					n, err := ask()
					return errors.Join(err, wantRecords(n, want))
				}, nil, nil
			}},
			{By: "hand", Inexact: true, Open: func() (func() error, func(), error) {
				ref, err := modelref.DecodeDocument[image](d.category, d.body)
				if err != nil {
					return nil, nil, err
				}
				ask := s.loop(copied(ref))
				want := ask()
				return func() error { return wantRecords(ask(), want) }, nil, nil
			}},
		}
		out = append(out, g)
	}
	return out
}

// copied returns the records as a slice, which is the fastest form for a loop.
func copied(ref *modelref.Reference[image]) []image {
	out := make([]image, 0, ref.Len())
	for _, r := range ref.All() {
		out = append(out, *r)
	}
	return out
}

const (
	answer  = 10
	atMost  = 7_000_000_000
	wanted1 = modelref.BaselineStableDiffusionXL
	wanted2 = modelref.BaselineFlux1
	aTag    = "anime"
)

var shapes = []shape{
	{"FilterOrderLimit", func(ref *modelref.Reference[image]) func() (int, error) {
		q := filtered(ref).OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc(), modelref.ImageFields.Name.Asc()).Limit(answer)
		return func() (int, error) { return count(q.All(context.Background())) }
	}, func(records []image) func() int { return func() int { return len(loopOrdered(records)) } }},

	{"FilterOrderLimitTop", func(ref *modelref.Reference[image]) func() (int, error) {
		q := filtered(ref).OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc(), modelref.ImageFields.Name.Asc()).Limit(answer)
		return func() (int, error) { return count(q.All(context.Background())) }
	}, func(records []image) func() int { return func() int { return len(loopTop(records)) } }},

	{"Filter", func(ref *modelref.Reference[image]) func() (int, error) {
		q := filtered(ref)
		return func() (int, error) { return count(q.All(context.Background())) }
	}, func(records []image) func() int { return func() int { return len(loopFilter(records)) } }},

	{"Count", func(ref *modelref.Reference[image]) func() (int, error) {
		q := filtered(ref)
		return func() (int, error) { return q.Count(context.Background()) }
	}, func(records []image) func() int { return func() int { return loopCount(records) } }},

	{"TagsAny", func(ref *modelref.Reference[image]) func() (int, error) {
		q := modelref.NewImageQuery(ref).TagsAny(aTag)
		return func() (int, error) { return q.Count(context.Background()) }
	}, func(records []image) func() int { return func() int { return loopTags(records) } }},

	{"GroupBy", func(ref *modelref.Reference[image]) func() (int, error) {
		q := modelref.NewImageQuery(ref)
		return func() (int, error) {
			return count(modelref.GroupBy(context.Background(), q, modelref.ImageFields.Baseline))
		}
	}, func(records []image) func() int { return func() int { return loopGroups(records) } }},
}

func filtered(ref *modelref.Reference[image]) modelref.ImageQuery {
	return modelref.NewImageQuery(ref).
		Where(modelref.ImageFields.Baseline.In(wanted1, wanted2), modelref.ImageFields.SizeOnDiskBytes.Lt(atMost)).
		ExcludeNSFW()
}

func count[T any](list []T, err error) (int, error) { return len(list), err }

func keeps(r *image) bool {
	if r.Baseline != wanted1 && r.Baseline != wanted2 {
		return false
	}
	size, ok := r.SizeOnDiskBytes.Get()
	return ok && size < atMost && !r.NSFW
}

func bySize(a, b *image) int {
	x, _ := a.SizeOnDiskBytes.Get() // keeps selects only records that have a size
	y, _ := b.SizeOnDiskBytes.Get()
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Name, b.Name))
}

// loopOrdered is the usual implementation: filter, sort, truncate.
func loopOrdered(records []image) []*image {
	out := loopFilter(records)
	slices.SortStableFunc(out, bySize)
	return out[:min(answer, len(out))]
}

// loopTop is a careful implementation: it keeps only the records of the result, in order.
func loopTop(records []image) []*image {
	out := make([]*image, 0, answer+1)
	for i := range records {
		r := &records[i]
		if !keeps(r) || len(out) == answer && bySize(r, out[answer-1]) >= 0 {
			continue
		}
		at := len(out)
		for at > 0 && bySize(r, out[at-1]) < 0 {
			at--
		}
		out = slices.Insert(out, at, r)
		out = out[:min(answer, len(out))]
	}
	return out
}

func loopFilter(records []image) []*image {
	var out []*image
	for i := range records {
		if r := &records[i]; keeps(r) {
			out = append(out, r)
		}
	}
	return out
}

func loopCount(records []image) int {
	n := 0
	for i := range records {
		if keeps(&records[i]) {
			n++
		}
	}
	return n
}

func loopTags(records []image) int {
	n := 0
	for i := range records {
		if slices.Contains(records[i].Tags, aTag) {
			n++
		}
	}
	return n
}

func loopGroups(records []image) int {
	groups := map[modelref.Baseline][]*image{}
	for i := range records {
		r := &records[i]
		groups[r.Baseline] = append(groups[r.Baseline], r)
	}
	return len(groups)
}
