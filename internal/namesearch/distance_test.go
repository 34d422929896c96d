package namesearch

// This file compares distance, which computes only a part of the table, with the whole table.

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// wholeTable is distance without a limit.
func wholeTable(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			n := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				n++
			}
			n = min(n, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				n = min(n, d[i-2][j-2]+1)
			}
			d[i][j] = n
		}
	}
	return d[len(a)][len(b)]
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"abc", ""}: 3, {"", "abc"}: 3, {"kitten", "sitting"}: 3, {"ab", "ba"}: 1, {"é", "e"}: 1, {"delibrate", "deliberate"}: 1,
	} {
		assert.Equal(t, want, distance([]rune(pair[0]), []rune(pair[1]), 5), pair)
	}
	random := rand.New(rand.NewPCG(1, 2))
	text := func() []rune {
		out := make([]rune, random.IntN(12))
		for i := range out {
			out[i] = rune("abc"[random.IntN(3)])
		}
		return out
	}
	for range 20_000 {
		a, b, limit := text(), text(), random.IntN(6)
		assert.Equal(t, min(wholeTable(a, b), limit+1), distance(a, b, limit), "%q %q %d", string(a), string(b), limit)
	}
	long := make([]rune, maxDistanceLength+1)
	assert.Equal(t, 3, distance(long, long, 2))
	long = long[1:]
	assert.Zero(t, distance(long, long, 2))
	assert.Equal(t, 8, distance(long, long[8:], 8))
}
