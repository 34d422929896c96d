// Columns: what they cannot hold is answered all the same, and they are made once.

package modelref

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// manyImages returns n records, each changed by a function of its place.
func manyImages(n int, change func(i int, r *ImageGenerationRecord)) *Reference[ImageGenerationRecord] {
	list := make([]ImageGenerationRecord, n)
	for i := range list {
		list[i].Name = fmt.Sprint("model ", i)
		change(i, &list[i])
	}
	return referenceTo(list)
}

func TestFieldsThatNoColumnHoldsAreAnswered(t *testing.T) {
	t.Parallel()
	f := ImageFields
	const n = 1000
	for _, values := range []int{1, 2, 63, 64, 65, 255, 256, 257, n} {
		ref := manyImages(n, func(i int, r *ImageGenerationRecord) {
			r.Homepage, r.Tags = fmt.Sprint(i%values), []string{fmt.Sprint(i % values), "all"}
			r.SizeOnDiskBytes = Some(int64(i % values))
		})
		if values == n {
			ref.data.list[7].SizeOnDiskBytes = Some[int64](math.MinInt64)
		}
		per := n / values
		if n%values > 0 {
			per++ // the value 0 comes once more
		}
		for name, p := range map[string]Predicate[ImageGenerationRecord]{
			"text": f.Homepage.Eq("0"), "list": f.Tags.Contains("0"), "number": f.SizeOnDiskBytes.Between(0, 0),
			"all":      And(f.Homepage.Eq("0"), f.Tags.Contains("0"), f.Tags.Contains("all"), f.SizeOnDiskBytes.Ge(0)),
			"not none": And(f.Homepage.Eq("0"), f.Homepage.Ne("none"), f.Homepage.NotIn()),
		} {
			got, err := ref.Query().Where(p).Count(t.Context())
			require.NoError(t, err)
			require.Equal(t, per, got, "%s of %d values", name, values)
		}
		distinct, err := Distinct(t.Context(), ref.Query(), f.Homepage)
		require.NoError(t, err)
		require.Len(t, distinct, values)
		groups, err := GroupBy(t.Context(), ref.Query().Offset(1), f.Homepage)
		require.NoError(t, err)
		total := 0
		for _, g := range groups {
			total += len(g.Records)
			for _, r := range g.Records {
				require.Equal(t, g.Key, r.Homepage)
			}
		}
		require.Equal(t, n-1, total)
	}
}

func TestAQueryMayHaveAnyNumberOfPredicates(t *testing.T) {
	t.Parallel()
	ref := manyImages(300, func(i int, r *ImageGenerationRecord) { r.SizeOnDiskBytes = Some(int64(i)) })
	q := ref.Query()
	for i := range 200 {
		q = q.Where(ImageFields.SizeOnDiskBytes.Ge(int64(i)), ImageFields.Name.HasPrefix("model"))
	}
	got, err := q.Where(ImageFields.Name.Ne("model 250")).Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 100, got)
}

func TestColumnsAreMadeOnceHoweverManyAsk(t *testing.T) {
	t.Parallel()
	ref := manyImages(5000, func(i int, r *ImageGenerationRecord) { r.NSFW = i%2 == 0 })
	var asking sync.WaitGroup
	for range 32 {
		asking.Go(func() {
			for _, q := range []Query[ImageGenerationRecord]{
				ref.Query().Where(ImageFields.NSFW.IsTrue()),
				ref.Query().Where(ImageFields.NSFW.IsFalse(), ImageFields.Name.IsSet()),
			} {
				got, err := q.Count(t.Context())
				if err != nil || got != 2500 {
					t.Errorf("kept %d, %v", got, err)
				}
			}
		})
	}
	asking.Wait()
	require.Len(t, *ref.data.columns.made.Load(), 1)
}

func TestShortAnswersMakeNoColumns(t *testing.T) {
	t.Parallel()
	ref := manyImages(5000, func(_ int, r *ImageGenerationRecord) { r.NSFW = true })
	_, err := ref.Query().Where(ImageFields.NSFW.IsTrue()).First(t.Context())
	require.NoError(t, err)
	require.Nil(t, ref.data.columns.made.Load())
}
