// This file checks that columns and filters agree with a test of each record, for all kinds of values.

package columns

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

type row struct {
	text   string
	flag   bool
	list   []string
	number int64
	set    bool
}

var (
	texts   = Text(func(r *row) string { return r.text })
	flags   = Bool(func(r *row) bool { return r.flag })
	lists   = List(func(r *row) []string { return r.list })
	numbers = Int(func(r *row) (int64, bool) { return r.number, r.set })
)

// someRows returns n rows with the given number of different values.
func someRows(n, values int) []row {
	out := make([]row, n)
	for i := range out {
		v := rand.IntN(values)
		out[i] = row{fmt.Sprint("t", v), v%2 == 0, []string{fmt.Sprint("t", v), "all"}, int64(v), v%3 > 0}
		if v%5 == 0 {
			out[i].text, out[i].list = "", nil
		}
	}
	return out
}

// selected returns the rows that the filters select, starting at first.
func selected(t *testing.T, list []row, first int, filters Filters) []int {
	t.Helper()
	out := []int{}
	for from := first / BlockSize * BlockSize; from < len(list); from += BlockSize {
		bits := filters.Select(from, first, len(list))
		for i := range BlockSize {
			if bits>>i&1 != 0 {
				require.Less(t, from+i, len(list))
				out = append(out, from+i)
			}
		}
	}
	return out
}

func TestFiltersAgreeWithATestOfEachRow(t *testing.T) {
	t.Parallel()
	type test struct {
		condition Condition[row]
		keep      func(row) bool
	}
	for range 200 {
		list := someRows(MinRows+rand.IntN(300), 1+rand.IntN(60))
		wanted := make([]string, rand.IntN(6))
		for i := range wanted {
			wanted[i] = fmt.Sprint("t", rand.IntN(60))
		}
		in := Interval[int64]{rand.Int64N(60), rand.Int64N(60), Bound(rand.IntN(3)), Bound(rand.IntN(3))}
		has := func(r row) bool { return r.text != "" && slices.Contains(wanted, r.text) }
		all := []test{
			{Condition[row]{Field: texts, Texts: wanted}, has},
			{Condition[row]{Field: texts, Texts: wanted, Negated: true}, func(r row) bool { return !has(r) }},
			{Condition[row]{Field: flags, Texts: []string{"true"}}, func(r row) bool { return r.flag }},
			{Condition[row]{Field: flags, Texts: []string{"true"}, Negated: true}, func(r row) bool { return !r.flag }},
			{Condition[row]{Field: lists, Texts: wanted}, func(r row) bool {
				return slices.ContainsFunc(r.list, func(s string) bool { return slices.Contains(wanted, s) })
			}},
			{Condition[row]{Field: numbers, Interval: in}, func(r row) bool { return r.set && in.Contains(r.number) }},
		}
		var set Set[row]
		var filters Filters
		used := all[:0:0]
		for range 1 + rand.IntN(3) {
			next := all[rand.IntN(len(all))]
			used = append(used, next)
			filters = filters.Add(next.condition.Compile(set.Of(next.condition.Field, list)))
		}
		first, want := rand.IntN(len(list)), []int{}
		for i, r := range list {
			if i >= first && !slices.ContainsFunc(used, func(u test) bool { return !u.keep(r) }) {
				want = append(want, i)
			}
		}
		require.Equal(t, want, selected(t, list, first, filters))
		if filters.Empty() {
			require.Empty(t, want)
		}
		require.True(t, slices.IsSortedFunc(filters, func(a, b Filter) int { return cmp.Compare(a.kind, b.kind) }))
	}
}

func TestIntervalsHaveTheIntegersThatTheyContain(t *testing.T) {
	t.Parallel()
	ends := []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}
	for _, low := range ends {
		for _, high := range ends {
			for bounds := range 9 {
				in := Interval[int64]{low, high, Bound(bounds / 3), Bound(bounds % 3)}
				first, last, ok := closed(in)
				for _, v := range ends {
					require.Equal(t, in.Contains(v), ok && first <= v && v <= last, "%d in %+v", v, in)
				}
			}
		}
	}
}

func TestValuesThatAColumnCannotRepresent(t *testing.T) {
	t.Parallel()
	different := make([]row, 1000)
	for i := range different {
		different[i] = row{text: fmt.Sprint(i % 256), list: []string{fmt.Sprint(i % 65)}, set: true}
	}
	different[999].number = math.MinInt64
	var set Set[row]
	for range 2 {
		require.Nil(t, set.Of(texts, different))
		require.Nil(t, set.Of(lists, different))
		require.Nil(t, set.Of(numbers, different))
		require.Equal(t, 3, set.Len(), "a field without a column is tried once")
	}
	for i := range different {
		different[i] = row{text: fmt.Sprint(i % 255), list: []string{fmt.Sprint(i % 64)}}
	}
	set = Set[row]{}
	require.NotNil(t, set.Of(texts, different))
	require.NotNil(t, set.Of(lists, different))
	require.NotNil(t, set.Of(numbers, different), "an absent number may have any value")
}

func TestColumnsAreBuiltOnce(t *testing.T) {
	t.Parallel()
	list := someRows(5000, 10)
	var reads atomic.Int64
	field := Bool(func(r *row) bool { reads.Add(1); return r.flag })
	var set Set[row]
	found := make([]*Column, 32)
	var callers sync.WaitGroup
	for i := range found {
		callers.Go(func() { found[i] = set.Of(field, list) })
	}
	callers.Wait()
	require.EqualValues(t, len(list), reads.Load())
	require.Len(t, slices.Compact(found), 1)
	require.Equal(t, 1, set.Len())
}

func TestColumnsThatAreNotBuilt(t *testing.T) {
	t.Parallel()
	var set Set[row]
	require.Nil(t, (*Set[row])(nil).Of(texts, someRows(MinRows, 1)))
	require.Nil(t, set.Of(nil, someRows(MinRows, 1)))
	require.Nil(t, set.Of(texts, someRows(MinRows-1, 1)), "too few rows")
	require.Zero(t, set.Len())
	require.NotNil(t, set.Of(texts, someRows(MinRows, 1)))
}

func TestColumnsHaveTheValuesOfTheRows(t *testing.T) {
	t.Parallel()
	list := someRows(100, 20)
	var set Set[row]
	n, c := set.Of(numbers, list), set.Of(texts, list)
	textOf := map[uint8]string{}
	for i, r := range list {
		v, ok := n.Number(i)
		require.Equal(t, r.set, ok)
		if ok {
			require.Equal(t, r.number, v)
		}
		before, ok := textOf[c.Code(i)]
		require.True(t, !ok || before == r.text, "one code for two texts")
		textOf[c.Code(i)] = r.text
	}
}
