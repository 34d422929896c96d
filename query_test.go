// This file tests the results of queries, that queries are immutable, and that they agree with a simple evaluator.

package modelref

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref/internal/columns"
)

// anImage returns an invented record.
func anImage(name string, change ...func(*ImageGenerationRecord)) *ImageGenerationRecord {
	r := &ImageGenerationRecord{ModelRecord: ModelRecord{Name: name}, Baseline: BaselineStableDiffusionXL}
	for _, c := range change {
		c(r)
	}
	return r
}

func sized(bytes int64) func(*ImageGenerationRecord) {
	return func(r *ImageGenerationRecord) { r.SizeOnDiskBytes = Some(bytes) }
}

func styled(style Style) func(*ImageGenerationRecord) {
	return func(r *ImageGenerationRecord) { r.Style = style }
}

func tagged(tags ...string) func(*ImageGenerationRecord) {
	return func(r *ImageGenerationRecord) { r.Tags = tags }
}

func fiveImages() ImageQuery {
	return NewImageQuery(Records([]*ImageGenerationRecord{
		anImage("d", sized(4), styled(StyleAnime), tagged("x", "y", "x")),
		anImage("a", styled(StyleFurry)),
		nil,
		anImage("c", sized(2), styled(StyleAnime), tagged("y")),
		anImage("b", sized(4)),
		anImage("e"),
	}))
}

func requireNames[R Record](t *testing.T, want string, q AnyQuery[R]) {
	t.Helper()
	got, err := q.query().All(t.Context())
	require.NoError(t, err)
	require.NotNil(t, got)
	require.Equal(t, want, strings.Join(namesOf(got), ""))
}

func TestQueryOrderIsStableAndAbsentValuesAreLast(t *testing.T) {
	t.Parallel()
	q := fiveImages()
	f := ImageFields
	requireNames(t, "dacbe", q)
	requireNames(t, "cdbae", q.OrderBy(f.SizeOnDiskBytes.Asc()))
	requireNames(t, "dbcae", q.OrderBy(f.SizeOnDiskBytes.Desc()))
	requireNames(t, "dcabe", q.OrderBy(f.Style.Asc()))
	requireNames(t, "adcbe", q.OrderBy(f.Style.Desc()))
	requireNames(t, "bdcae", q.OrderBy(f.SizeOnDiskBytes.Desc(), f.Name.Asc()))
	requireNames(t, "edcba", q.OrderBy(f.Name.Desc()))
	requireNames(t, "dacbe", q.OrderBy(f.Name.Desc()).OrderBy())
	requireNames(t, "dacbe", q.OrderBy(f.NSFW.Asc()))
	requireNames(t, "dacbe", q.OrderBy(f.CreatedAt.Desc()))
	for limit := range 6 {
		for offset := range 6 {
			want := "dbcae"[min(offset, 5):min(offset+limit, 5)]
			requireNames(t, want, q.OrderBy(f.SizeOnDiskBytes.Desc()).Offset(offset).Limit(limit))
			want = "dacbe"[min(offset, 5):min(offset+limit, 5)]
			requireNames(t, want, q.Limit(9).Offset(9).Limit(limit).Offset(offset))
		}
	}
	requireNames(t, "be", q.Offset(3).Limit(math.MaxInt))
	requireNames(t, "", q.Offset(math.MaxInt).Limit(math.MaxInt))
	requireNames(t, "", q.Offset(math.MaxInt).OrderBy(f.Name.Asc()))
}

func TestQueryTerminals(t *testing.T) {
	t.Parallel()
	ctx, q := t.Context(), fiveImages()
	none := q.Where(ImageFields.Name.Eq("z"))

	first, err := q.OrderBy(ImageFields.Name.Asc()).Offset(1).First(ctx)
	require.NoError(t, err)
	require.Equal(t, "b", first.Name)
	_, err = none.First(ctx)
	require.ErrorIs(t, err, ErrNotFound)

	only, err := q.Where(ImageFields.Style.Eq(StyleFurry)).Only(ctx)
	require.NoError(t, err)
	require.Equal(t, "a", only.Name)
	_, err = none.Only(ctx)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = q.Only(ctx)
	require.ErrorIs(t, err, ErrNotUnique)
	_, err = q.Limit(1).Only(ctx)
	require.NoError(t, err, "Limit applies to Only")

	for want, q := range map[int]ImageQuery{5: q, 0: none, 2: q.Limit(2), 1: q.Offset(4), 3: q.Offset(2).Limit(9)} {
		n, err := q.Count(ctx)
		require.NoError(t, err)
		require.Equal(t, want, n)
		found, err := q.Exists(ctx)
		require.NoError(t, err)
		require.Equal(t, want > 0, found)
	}
	found, err := q.Limit(0).Exists(ctx)
	require.NoError(t, err)
	require.False(t, found)

	for _, q := range []ImageQuery{q, q.OrderBy(ImageFields.Name.Desc())} {
		all, err := q.All(ctx)
		require.NoError(t, err)
		var seen []*ImageGenerationRecord
		for r, err := range q.Iter(ctx) {
			require.NoError(t, err)
			seen = append(seen, r)
			if len(seen) == 3 {
				break
			}
		}
		require.Equal(t, all[:3], seen)
	}
}

func TestDistinctAndGroupBy(t *testing.T) {
	t.Parallel()
	ctx, q := t.Context(), fiveImages()
	styles, err := Distinct(ctx, q, ImageFields.Style)
	require.NoError(t, err)
	require.Equal(t, []Style{StyleAnime, StyleFurry}, styles)
	sizes, err := Distinct(ctx, q.OrderBy(ImageFields.SizeOnDiskBytes.Asc()), ImageFields.SizeOnDiskBytes)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 4}, sizes)
	tags, err := Distinct(ctx, q, ImageFields.Tags)
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, tags)

	byTag, err := GroupBy(ctx, q, ImageFields.Tags)
	require.NoError(t, err)
	require.Len(t, byTag, 3)
	require.Equal(t, []string{"d"}, namesOf(byTag[0].Records), "the record is counted once although it has the tag twice")
	require.Equal(t, []string{"d", "c"}, namesOf(byTag[1].Records))
	require.Equal(t, []string{"a", "b", "e"}, namesOf(byTag[2].Records))
	require.True(t, byTag[2].Unset)

	none, err := GroupBy(ctx, q.Limit(0), ImageFields.NSFW)
	require.NoError(t, err)
	require.Equal(t, []Group[ImageGenerationRecord, bool]{}, none)

	byStyle, err := NewControlNetQuery(Records([]*ControlNetRecord{
		{ModelRecord: ModelRecord{Name: "1"}, ControlNetStyle: ControlNetCanny},
		{ModelRecord: ModelRecord{Name: "2"}},
		{ModelRecord: ModelRecord{Name: "3"}, ControlNetStyle: ControlNetCanny},
	})).GroupByStyle(ctx)
	require.NoError(t, err)
	require.Len(t, byStyle, 2)
	require.Equal(t, ControlNetCanny, byStyle[0].Key)
	require.Equal(t, []string{"1", "3"}, namesOf(byStyle[0].Records))
	require.True(t, byStyle[1].Unset)
}

func TestDistinctAndGroupByNeedAField(t *testing.T) {
	t.Parallel()
	q := fiveImages().Limit(-1)
	for _, field := range []FieldOf[ImageGenerationRecord, string]{nil, StringField[ImageGenerationRecord, string]{}} {
		_, err := Distinct(t.Context(), q, field)
		require.ErrorIs(t, err, ErrInvalidQuery)
		require.ErrorContains(t, err, "the field is a zero value")
		require.ErrorContains(t, err, "Limit(-1)")
		_, err = GroupBy(t.Context(), q, field)
		require.ErrorContains(t, err, "the field is a zero value")
	}
}

// sharedHelpers has the methods of queries whose records have tags and an NSFW flag.
type sharedHelpers[R Record, Q any] interface {
	AnyQuery[R]
	Where(predicates ...Predicate[R]) Q
	OrderBy(orders ...Order[R]) Q
	Limit(n int) Q
	Offset(n int) Q
	TagsAny(tags ...string) Q
	TagsAll(tags ...string) Q
	TagsNone(tags ...string) Q
	ExcludeNSFW() Q
	OnlyNSFW() Q
}

// checkHelpers calls every helper with three records: a has the tags x and y, b has y and is not safe for work, c has
// no tags.
func checkHelpers[R Record, Q sharedHelpers[R, Q]](t *testing.T, make func(RecordSource[R]) Q, name StringField[R, string]) {
	t.Helper()
	var list []*R
	for _, document := range []string{
		`{"name": "a", "baseline": "flux_1", "parameters": 1, "nsfw": false, "tags": ["x", "y"]}`,
		`{"name": "b", "baseline": "flux_1", "parameters": 2, "nsfw": true, "tags": ["y"]}`,
		`{"name": "c", "baseline": "other", "parameters": 3, "nsfw": false}`,
	} {
		r := new(R)
		require.NoError(t, json.Unmarshal([]byte(document), r))
		list = append(list, r)
	}
	q := make(Records(list))
	requireNames(t, "abc", q)
	requireNames(t, "b", q.Where(name.Eq("b")))
	requireNames(t, "cba", q.OrderBy(name.Desc()))
	requireNames(t, "ab", q.Limit(2))
	requireNames(t, "c", q.Offset(2))
	requireNames(t, "ab", q.TagsAny("y", "z"))
	requireNames(t, "a", q.TagsAll("y", "x"))
	requireNames(t, "bc", q.TagsNone("x", "z"))
	requireNames(t, "ac", q.ExcludeNSFW())
	requireNames(t, "b", q.OnlyNSFW())
	requireNames(t, "c", q.OrderBy(name.Desc()).ExcludeNSFW().TagsNone("x").Limit(1).Offset(0))
}

func TestEveryQueryHasItsHelpers(t *testing.T) {
	t.Parallel()
	checkHelpers(t, NewImageQuery, ImageFields.Name)
	checkHelpers(t, NewTextQuery, TextFields.Name)
	checkHelpers(t, NewVideoQuery, VideoFields.Name)
	checkHelpers(t, NewAudioQuery, AudioFields.Name)
	checkHelpers(t, NewLoRAQuery, LoRAFields.Name)
	checkHelpers(t, NewTextualInversionQuery, TextualInversionFields.Name)
	requireNames(t, "", NewLoRAQuery(&Reference[LoRARecord]{}).ForBaseline(BaselineFlux1))
	requireNames(t, "", NewTextualInversionQuery(&Reference[TextualInversionRecord]{}).ForBaseline(BaselineFlux1))

	client := documentClient(t)
	requireNames(t, "a image_generation", client.ImageGeneration.Query().ForBaseline(BaselineFlux1))
	requireNames(t, "a text_generation", client.TextGeneration.Query().Where(TextFields.Parameters.Eq(7)))
	requireNames(t, "a controlnet", client.ControlNet.Query().Limit(1))
	requireNames(t, "a controlnet_annotator", client.ControlNetAnnotator.Query())
	requireNames(t, "a video_generation", client.VideoGeneration.Query().ExcludeNSFW())
	requireNames(t, "a audio_generation", client.AudioGeneration.Query().ExcludeNSFW())
	requireNames(t, "a lora", client.LoRA.Query().ForBaseline(BaselineFlux1))
	requireNames(t, "a ti", client.TextualInversion.Query().ForBaseline(BaselineFlux1))
	requireNames(t, "a safety_checker", client.SafetyChecker.Query().Where(SafetyCheckerFields.Purpose.Eq(PurposeSafetyChecker)))
}

func TestQueryOverNumbersThatAreNeverAbsent(t *testing.T) {
	t.Parallel()
	list := make([]TextGenerationRecord, 5)
	for i := range list {
		list[i].Name, list[i].Parameters = string(rune('a'+i)), int64(i)
	}
	q := (&Reference[TextGenerationRecord]{data: &records[TextGenerationRecord]{list: list}}).Query()
	f := TextFields.Parameters
	many := make([]int64, mapThreshold)
	for i := range many {
		many[i] = int64(i) + 3
	}
	for want, p := range map[string]Predicate[TextGenerationRecord]{
		"ab": f.Lt(2), "abc": f.Le(2), "de": f.Gt(2), "cde": f.Ge(2), "bcd": f.Between(1, 3), "": f.Between(3, 1),
		"abcde": f.IsSet(), "c": f.Eq(2), "abde": f.Ne(2), "d": And(f.In(many...), f.Lt(4)),
		"abe": And(Not(f.Between(2, 3)), f.IsSet()), "a": f.Eq(0),
	} {
		requireNames(t, want, q.Where(p))
	}
	requireNames(t, "abc", q.Where(f.NotIn(many...)))
	names := make([]string, mapThreshold, mapThreshold+1)
	requireNames(t, "c", q.Where(TextFields.Name.In(append(names, "c")...)))
}

func TestOneInstantInTwoZonesIsOneGroup(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	q := QueryRecords([]*CLIPRecord{
		{ModelRecord: ModelRecord{Name: "1", Metadata: RecordMetadata{CreatedAt: at}}},
		{ModelRecord: ModelRecord{Name: "2", Metadata: RecordMetadata{CreatedAt: at.In(time.FixedZone("", 3600))}}},
	})
	groups, err := GroupBy(t.Context(), q, CLIPFields.CreatedAt)
	require.NoError(t, err)
	require.Len(t, groups, 1)
	require.Equal(t, at, groups[0].Key)
}

func TestTheTerminalReturnsAllErrorsOfAQuery(t *testing.T) {
	t.Parallel()
	var service TextGenerationService
	q := service.Query().Limit(-1).Offset(-2).ForBackend("tabby").Where(MatchFunc[TextGenerationRecord](nil)).OrderBy(OrderFunc[TextGenerationRecord](nil)).
		Where(And(Or(Not(StringField[TextGenerationRecord, string]{}.Eq("x"))))).
		OrderBy(IntField[TextGenerationRecord]{}.Asc()).Limit(3)
	check := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, ErrInvalidQuery)
		require.NotErrorIs(t, err, ErrClosed, "no category was loaded")
		for _, part := range []string{"Limit(-1)", "Offset(-2)", "tabby", "aphrodite, koboldcpp", "MatchFunc(nil)", "OrderFunc(nil)"} {
			require.ErrorContains(t, err, part)
		}
		require.Equal(t, 2, strings.Count(err.Error(), "the field is a zero value"))
	}
	ctx := t.Context()
	_, err := q.All(ctx)
	check(err)
	_, err = q.First(ctx)
	check(err)
	_, err = q.Only(ctx)
	check(err)
	_, err = q.Count(ctx)
	check(err)
	_, err = q.Exists(ctx)
	check(err)
	for r, err := range q.Iter(ctx) {
		require.Nil(t, r)
		check(err)
	}
	_, err = q.GroupByBaseModel(ctx)
	check(err)
	_, err = Distinct(ctx, q, TextFields.Name)
	check(err)
	_, err = GroupBy(ctx, q, TextFields.Name)
	check(err)

	var images ImageGenerationService
	_, err = images.Query().All(ctx)
	require.ErrorIs(t, err, ErrClosed, "a valid query loads the categories")
	_, err = new(Client).QueryModels().All(ctx)
	require.ErrorIs(t, err, ErrClosed)
	_, err = ImageQuery{}.ExcludeNSFW().Count(ctx)
	require.ErrorIs(t, err, ErrInvalidQuery, "a query without categories")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = fiveImages().All(ended)
	require.ErrorIs(t, err, context.Canceled)
}

func TestQueryZeroValuesAreSafe(t *testing.T) {
	t.Parallel()
	q := fiveImages()
	var none *ImageGenerationRecord
	requireNames(t, "dacbe", q.Where(Predicate[ImageGenerationRecord]{}).OrderBy(Order[ImageGenerationRecord]{}))
	requireNames(t, "dacbe", q.Where(And[ImageGenerationRecord](), And(Predicate[ImageGenerationRecord]{})))
	requireNames(t, "", q.Where(Or[ImageGenerationRecord]()))
	requireNames(t, "", q.Where(Not(Predicate[ImageGenerationRecord]{})))
	requireNames(t, "", QueryRecords([]*ImageGenerationRecord{none}))
	requireNames(t, "", (&Reference[ImageGenerationRecord]{}).Query())
	requireNames(t, "", (*Reference[ImageGenerationRecord])(nil).Query().Limit(3))
}

func TestQueryBranchesAreIndependent(t *testing.T) {
	t.Parallel()
	parent := fiveImages().Where(ImageFields.Name.Ne("e"), ImageFields.NSFW.IsFalse()).Where(ImageFields.Name.Ne("b"))
	parent = parent.OrderBy(ImageFields.Name.Asc())
	ctx := t.Context()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				one := parent.Where(ImageFields.Name.Ne("a")).Limit(1)
				two := parent.Where(ImageFields.Name.Ne("c")).OrderBy(ImageFields.Name.Desc())
				wrong := parent.Limit(-1)
				_, err := parent.First(ctx)
				assert.NoError(t, err)
				_, err = parent.Only(ctx)
				assert.ErrorIs(t, err, ErrNotUnique)
				_, err = wrong.Offset(-1).Count(ctx)
				assert.ErrorIs(t, err, ErrInvalidQuery)
				for want, q := range map[string]ImageQuery{"acd": parent, "c": one, "da": two} {
					got, err := q.All(ctx)
					assert.NoError(t, err)
					assert.Equal(t, want, strings.Join(namesOf(got), ""))
				}
			}
		})
	}
	all.Wait()
}

func TestQueryCopiesItsArguments(t *testing.T) {
	t.Parallel()
	baselines := []Baseline{BaselineStableDiffusionXL}
	records := []*ImageGenerationRecord{anImage("a", tagged("x"))}
	tags := []string{"x"}
	q := NewImageQuery(Records(records)).TagsAll(tags...).TagsAny(tags...).
		Where(ImageFields.Baseline.In(baselines...), Not(ImageFields.Baseline.NotIn(baselines...)))
	baselines[0], records[0], tags[0] = "other", anImage("b"), "other"
	requireNames(t, "a", q)
}

func TestFirstAndExistsStopEarly(t *testing.T) {
	t.Parallel()
	ref := generatedImages(10_000)
	looked := 0
	q := ref.Query().Where(MatchFunc(func(*ImageGenerationRecord) bool { looked++; return true }))
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"First":  func() error { _, err := q.First(ctx); return err },
		"Exists": func() error { _, err := q.Exists(ctx); return err },
		"Limit":  func() error { _, err := q.Limit(1).All(ctx); return err },
		"Iter": func() error {
			for _, err := range q.Iter(ctx) {
				return err
			}
			return nil
		},
	} {
		looked = 0
		require.NoError(t, ask())
		require.Equal(t, 1, looked, name)
	}
	looked = 0
	_, err := q.Limit(1000).Count(ctx)
	require.NoError(t, err)
	require.Less(t, looked, 1000+columns.BlockSize+1)
}

func TestLimitAfterOrderBySortsOnlyTheResult(t *testing.T) {
	t.Parallel()
	compared := 0
	order := Order[ImageGenerationRecord]{compare: func(a, b *ImageGenerationRecord) int {
		compared++
		return cmp.Compare(a.SizeOnDiskBytes.Or(0), b.SizeOnDiskBytes.Or(0))
	}}
	const n = 20_000
	_, err := generatedImages(n).Query().OrderBy(order).Limit(5).All(t.Context())
	require.NoError(t, err)
	require.Less(t, compared, n+n/10, "about one comparison for each record")
}

func TestQueryDoesNotAllocateForRecordsThatDoNotMatch(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("counting coverage allocates")
	}
	f := ImageFields
	small, large := generatedImages(1000), generatedImages(20_000)
	for name, p := range map[string]Predicate[ImageGenerationRecord]{
		"texts":    f.Baseline.In("none", "no"),
		"fold":     And(f.Description.ContainsFold("NOWHERE"), f.Name.HasPrefix("ſ")),
		"lists":    f.Tags.ContainsAny("none", "no"),
		"combined": Or(f.SizeOnDiskBytes.Lt(-1), Not(f.CreatedAt.IsUnset()), f.Style.Gt("zzz")),
	} {
		ask := func(ref *Reference[ImageGenerationRecord]) float64 {
			q := ref.Query().Where(p).OrderBy(f.Name.Asc())
			return testing.AllocsPerRun(10, func() {
				if got, err := q.All(context.Background()); err != nil || len(got) > 0 {
					panic("a record matches")
				}
			})
		}
		require.InDelta(t, ask(small), ask(large), 2, name) // a pool may have been emptied
	}
}

// randomPredicate returns a predicate and an equivalent function.
func randomPredicate(r *rand.Rand, depth int) (Predicate[ImageGenerationRecord], func(*ImageGenerationRecord) bool) {
	type record = ImageGenerationRecord
	if depth > 0 && r.IntN(2) == 0 {
		p, keepP := randomPredicate(r, depth-1)
		q, keepQ := randomPredicate(r, depth-1)
		switch r.IntN(3) {
		case 0:
			return And(p, q), func(m *record) bool { return keepP(m) && keepQ(m) }
		case 1:
			return Or(p, q), func(m *record) bool { return keepP(m) || keepQ(m) }
		default:
			return Not(p), func(m *record) bool { return !keepP(m) }
		}
	}
	f, n := ImageFields, []int64{math.MinInt64, 0, 1, 2, 3, math.MaxInt64}[r.IntN(6)]
	m := []int64{-1, 2, 3, math.MaxInt64}[r.IntN(4)]
	s, u := randomText(r), randomText(r)
	size := func(test func(int64) bool) func(*record) bool {
		return func(m *record) bool { v, ok := m.SizeOnDiskBytes.Get(); return ok && test(v) }
	}
	text := func(test func(string) bool) func(*record) bool {
		return func(m *record) bool { return m.Style != "" && test(string(m.Style)) }
	}
	not := func(keep func(*record) bool) func(*record) bool { return func(m *record) bool { return !keep(m) } }
	isSize, isText := size(func(v int64) bool { return v == n }), text(func(v string) bool { return v == s })
	among := text(func(v string) bool { return v == s || v == u })
	amongMore := text(func(v string) bool { return v == s || v == "a" || v == "ab" || v == "日本" })
	has := func(m *record) bool { return slices.Contains(m.Tags, s) }
	choices := []struct {
		p    Predicate[record]
		keep func(*record) bool
	}{
		{f.SizeOnDiskBytes.Eq(n), isSize},
		{f.SizeOnDiskBytes.Ne(n), not(isSize)},
		{f.SizeOnDiskBytes.In(n), isSize},
		{f.SizeOnDiskBytes.Lt(n), size(func(v int64) bool { return v < n })},
		{f.SizeOnDiskBytes.Le(n), size(func(v int64) bool { return v <= n })},
		{f.SizeOnDiskBytes.Gt(n), size(func(v int64) bool { return v > n })},
		{f.SizeOnDiskBytes.Ge(n), size(func(v int64) bool { return v >= n })},
		{f.SizeOnDiskBytes.Between(n, m), size(func(v int64) bool { return n <= v && v <= m })},
		{f.SizeOnDiskBytes.IsSet(), size(func(int64) bool { return true })},
		{f.SizeOnDiskBytes.IsUnset(), not(size(func(int64) bool { return true }))},
		{f.Style.Eq(Style(s)), isText},
		{f.Style.Ne(Style(s)), not(isText)},
		{f.Style.In(Style(s), Style(u)), among},
		{f.Style.NotIn(Style(s), Style(u)), not(among)},
		{f.Style.In("a", "ab", Style(s), "日本"), amongMore},
		{f.Style.NotIn("a", "ab", Style(s), "日本"), not(amongMore)},
		{f.Style.Lt(Style(s)), text(func(v string) bool { return v < s })},
		{f.Style.Ge(Style(s)), text(func(v string) bool { return v >= s })},
		{f.Style.HasPrefix(Style(s)), text(func(v string) bool { return strings.HasPrefix(v, s) })},
		{f.Style.ContainsFold(s), text(func(v string) bool {
			return strings.Contains(strings.ToLower(v), strings.ToLower(s))
		})},
		{f.NSFW.IsTrue(), func(m *record) bool { return m.NSFW }},
		{f.NSFW.Ne(true), func(m *record) bool { return !m.NSFW }},
		{f.NSFW.In(), func(*record) bool { return false }},
		{f.Tags.Contains(s), has},
		{f.Tags.ContainsAny(s, u), func(m *record) bool { return has(m) || slices.Contains(m.Tags, u) }},
		{f.Tags.ContainsNone(s), not(has)},
		{f.Tags.ContainsAll(s, s), has},
		{f.Tags.IsUnset(), func(m *record) bool { return len(m.Tags) == 0 }},
		{MatchFunc(func(m *record) bool { return len(m.Name)%2 == 0 }), func(m *record) bool { return len(m.Name)%2 == 0 }},
	}
	c := choices[r.IntN(len(choices))]
	return c.p, c.keep
}

func randomText(r *rand.Rand) string {
	return []string{"", "a", "A", "ab", "aB", "b", "日本", "日", "é", "É", "\U0001F600", "\uFFFD"}[r.IntN(12)]
}

func randomOrder(r *rand.Rand) (Order[ImageGenerationRecord], func(a, b *ImageGenerationRecord) int) {
	type record = ImageGenerationRecord
	sign := 1
	if r.IntN(2) == 0 {
		sign = -1
	}
	pick := func(asc, desc Order[record]) Order[record] {
		if sign < 0 {
			return desc
		}
		return asc
	}
	switch r.IntN(3) {
	case 0:
		return pick(ImageFields.SizeOnDiskBytes.Asc(), ImageFields.SizeOnDiskBytes.Desc()), func(a, b *record) int {
			x, okX := a.SizeOnDiskBytes.Get()
			y, okY := b.SizeOnDiskBytes.Get()
			if okX && okY {
				return sign * cmp.Compare(x, y)
			}
			return cmp.Compare(map[bool]int{true: 0, false: 1}[okX], map[bool]int{true: 0, false: 1}[okY])
		}
	case 1:
		return pick(ImageFields.Style.Asc(), ImageFields.Style.Desc()), func(a, b *record) int {
			if a.Style != "" && b.Style != "" {
				// The order is defined by runes. The implementation compares bytes.
				return sign * slices.Compare([]rune(a.Style), []rune(b.Style))
			}
			return cmp.Compare(min(1, len(b.Style)), min(1, len(a.Style)))
		}
	default:
		return pick(ImageFields.NSFW.Asc(), ImageFields.NSFW.Desc()), func(a, b *record) int {
			number := map[bool]int{false: 0, true: 1}
			return sign * cmp.Compare(number[a.NSFW], number[b.NSFW])
		}
	}
}

func TestRandomQueriesAgreeWithAPlainEvaluator(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		list := make([]ImageGenerationRecord, r.IntN(400))
		sizes := []int64{math.MinInt64, -1, 0, 1, 2, 3, math.MaxInt64}
		if r.IntN(4) > 0 {
			sizes = sizes[1:] // a column cannot represent the lowest number
		}
		for i := range list {
			list[i].Name = strings.Repeat("n", r.IntN(3)) + fmt.Sprint(i)
			list[i].Style, list[i].NSFW = Style(randomText(r)), r.IntN(2) == 0
			if r.IntN(3) > 0 {
				list[i].SizeOnDiskBytes = Some(sizes[r.IntN(len(sizes))])
			}
			for range r.IntN(3) {
				list[i].Tags = append(list[i].Tags, randomText(r))
			}
		}
		checkRandomQuery(t, r, seed, list)
	}
}

func checkRandomQuery(t *testing.T, r *rand.Rand, seed uint64, list []ImageGenerationRecord) {
	t.Helper()
	ref := &Reference[ImageGenerationRecord]{data: &records[ImageGenerationRecord]{list: list}}
	pointers := []*ImageGenerationRecord{}
	for i := range list {
		pointers = append(pointers, &list[i])
	}
	source := RecordSource[ImageGenerationRecord](ref)
	if r.IntN(4) == 0 {
		source = Records(pointers)
	}
	q, want, hidden := NewQuery(source), slices.Clone(pointers), map[*ImageGenerationRecord]bool{}
	for range r.IntN(4) {
		p, keep := randomPredicate(r, 2)
		q = q.Where(p)
		for _, m := range pointers {
			hidden[m] = hidden[m] || !keep(m)
		}
	}
	want = slices.DeleteFunc(want, func(m *ImageGenerationRecord) bool { return hidden[m] })
	var orders []Order[ImageGenerationRecord]
	var compares []func(a, b *ImageGenerationRecord) int
	for range r.IntN(3) {
		order, compare := randomOrder(r)
		orders, compares = append(orders, order), append(compares, compare)
	}
	q = q.OrderBy(orders...)
	slices.SortStableFunc(want, func(a, b *ImageGenerationRecord) int {
		for _, compare := range compares {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	})
	if r.IntN(2) == 0 {
		n := r.IntN(60)
		q, want = q.Offset(n), want[min(n, len(want)):]
	}
	if r.IntN(2) == 0 {
		n := 1 + r.IntN(60)
		q, want = q.Limit(n), want[:min(n, len(want))]
	}
	got, err := q.All(t.Context())
	require.NoError(t, err)
	require.Equal(t, namesOf(want), namesOf(got), "seed %d", seed)
	n, err := q.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(want), n, "seed %d", seed)
	first, err := q.First(t.Context())
	if len(want) == 0 {
		require.ErrorIs(t, err, ErrNotFound, "seed %d", seed)
	} else {
		require.Same(t, want[0], first, "seed %d", seed)
	}
	var yielded []*ImageGenerationRecord
	for m, err := range q.Iter(t.Context()) {
		require.NoError(t, err)
		yielded = append(yielded, m)
	}
	require.Equal(t, namesOf(want), namesOf(yielded), "seed %d", seed)
}

// categoryDocuments has the documents of a service by category. It responds with 404 for a missing category.
type categoryDocuments map[Category]string

func (d categoryDocuments) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, ok := d[Category(path.Base(r.URL.Path))]
	status := http.StatusOK
	if !ok || !strings.Contains(r.URL.Path, "/model_references/v2/") {
		status, body = http.StatusNotFound, `{"detail":"no such category"}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// documentClient returns a Client of a service with one record in each category, except for the given categories.
func documentClient(t *testing.T, without ...Category) *Client {
	t.Helper()
	documents := categoryDocuments{}
	for _, category := range Categories() {
		name := "a " + string(category)
		documents[category] = fmt.Sprintf(`{%q: {"name": %q, "baseline": "flux_1", "nsfw": false, "parameters": 7,
			"size_on_disk_bytes": %d}}`, name, name, len(category))
	}
	for _, category := range without {
		delete(documents, category)
	}
	client, err := New(WithHTTPClient(&http.Client{Transport: documents}), WithoutGitHub())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestQueryAllSpansEveryCategory(t *testing.T) {
	t.Parallel()
	ctx, client := t.Context(), documentClient(t)
	got, err := client.QueryModels().All(ctx)
	require.NoError(t, err)
	var categories []Category
	for _, r := range got {
		categories = append(categories, r.RecordType)
	}
	require.Equal(t, Categories(), categories)
	got, err = client.QueryModels().Where(ModelFields.SizeOnDiskBytes.Le(4)).
		OrderBy(ModelFields.SizeOnDiskBytes.Asc(), ModelFields.Name.Desc()).Offset(1).Limit(2).All(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"a lora", "a clip"}, namesOf(got))
	reader, err := client.Category("clip")
	require.NoError(t, err)
	one, err := reader.Query().Where("domain=image").All(ctx)
	require.NoError(t, err)
	require.Len(t, one, 1)
	require.Equal(t, "a clip", one[0].Name)
	n, err := client.CLIP.Query().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestQueryAllReportsMissingCategories(t *testing.T) {
	t.Parallel()
	ctx, client := t.Context(), documentClient(t, CategoryLoRA, CategoryCLIP)
	check := func(err error) {
		t.Helper()
		var incomplete *PartialError
		require.ErrorAs(t, err, &incomplete)
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorContains(t, err, "clip: primary: GET https://models.aihorde.net/api/model_references/v2/clip: 404 Not Found")
		require.ErrorContains(t, err, "; lora: primary: GET https://models.aihorde.net/api/model_references/v2/lora: 404 Not Found")
		require.Equal(t, []Category{CategoryCLIP, CategoryLoRA}, incomplete.Categories())
	}
	got, err := client.QueryModels().All(ctx)
	check(err)
	require.Nil(t, got)
	for r, err := range client.QueryModels().Iter(ctx) {
		require.Nil(t, r)
		check(err)
	}

	partial := client.QueryModels().Where(ModelFields.Name.HasPrefix("a ")).Partial()
	got, err = partial.All(ctx)
	check(err)
	require.Len(t, got, 13)
	n, err := partial.Count(ctx)
	check(err)
	require.Equal(t, 13, n)
	first, err := partial.First(ctx)
	check(err)
	require.Equal(t, "a blip", first.Name)
	_, err = partial.Where(ModelFields.Name.Eq("z")).First(ctx)
	check(err)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = partial.Only(ctx)
	check(err)
	require.ErrorIs(t, err, ErrNotUnique)
	yes, err := partial.Exists(ctx)
	check(err)
	require.True(t, yes)
	seen, last := 0, error(nil)
	for r, err := range partial.Iter(ctx) {
		if err == nil {
			require.NotNil(t, r)
			seen++
		}
		last = err
	}
	require.Equal(t, 13, seen)
	check(last)
	groups, err := GroupBy(ctx, partial, ModelFields.RecordType)
	check(err)
	require.Len(t, groups, 13)
	_, err = client.QueryModels().All(ctx)
	check(err)

	ended, cancel := context.WithCancel(ctx)
	cancel()
	got, err = partial.All(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, got)
	require.NoError(t, client.Close())
	_, err = partial.All(ctx)
	require.ErrorIs(t, err, ErrClosed)
	require.False(t, errors.As(err, new(*PartialError)))
}

func TestResolveFindsTheNamesThatWorkersReport(t *testing.T) {
	t.Parallel()
	document := `{`
	for i, name := range []string{
		"Author/Model-7B", "Other/Model-7B", "Plain-13B", "Author/Model-7B-Q4_K_M", "koboldcpp/Kept", "Org/Sub/Deep-7B",
		"aphrodite/Odd::name", "Late/Kept", "Author/Q8-Model",
	} {
		if i > 0 {
			document += ","
		}
		document += fmt.Sprintf(`%q: {"name": %q, "parameters": 7}`, name, name)
	}
	client, err := New(WithHTTPClient(&http.Client{Transport: categoryDocuments{CategoryTextGeneration: document + "}"}}),
		WithoutGitHub())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	for reported, want := range map[string]string{
		"Author/Model-7B":                    "Author/Model-7B",
		"Author/Model-7B::me#12":             "Author/Model-7B",
		"aphrodite/Author/Model-7B":          "Author/Model-7B",
		"aphrodite/Other/Model-7B::me":       "Other/Model-7B",
		"koboldcpp/Model-7B":                 "",
		"koboldcpp/Model-7B::me":             "",
		"koboldcpp/Author/Model-7B":          "Author/Model-7B",
		"koboldcpp/Plain-13B":                "Plain-13B",
		"Model-7B":                           "",
		"koboldcpp/Model-7B-Q4_K_M":          "Author/Model-7B-Q4_K_M",
		"koboldcpp/Model-7B.Q5_K_S":          "",
		"koboldcpp/Model-7B-Q5_K_S.gguf::me": "",
		"Other/Model-7B-Q8_0":                "Other/Model-7B",
		"Plain-13B.gguf":                     "Plain-13B",
		"koboldcpp/Kept":                     "koboldcpp/Kept",
		"aphrodite/Kept":                     "Late/Kept",
		"koboldcpp/Sub/Deep-7B":              "Org/Sub/Deep-7B",
		"aphrodite/Odd::name":                "aphrodite/Odd::name",
		"koboldcpp/Q8-Model":                 "Author/Q8-Model",
		"Nobody/Model-7B":                    "",
		"Deep-7B":                            "",
		"koboldcpp/":                         "",
		"::me":                               "",
		"":                                   "",
		"Q4_K_M":                             "",
		"model-7b":                           "",
	} {
		got, err := client.TextGeneration.Resolve(t.Context(), reported)
		if want == "" {
			assert.ErrorIs(t, err, ErrNotFound, reported)
			continue
		}
		if assert.NoError(t, err, reported) {
			assert.Equal(t, want, got.Name, reported)
		}
	}
}
