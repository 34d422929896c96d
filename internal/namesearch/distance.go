package namesearch

// This file counts typing errors.

// maxDistanceLength is the number of characters of the longest text whose distance is computed.
const maxDistanceLength = 96

// distance returns how many characters must be added, removed, replaced, or swapped with their neighbor to turn a into
// b. If the number exceeds limit, or if a text is very long, distance returns limit+1.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > maxDistanceLength || len(b) > maxDistanceLength {
		return limit + 1
	}
	// row[j] is the distance between a[:i] and b[:j]. Only entries with |i-j| <= limit can lead to a distance of at
	// most limit. All other entries count as limit+1.
	var rows [3][maxDistanceLength + 2]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = min(j, limit+1)
	}
	for i := 1; i <= len(a); i++ {
		from, to := max(1, i-limit), min(len(b), i+limit)
		row[from-1] = limit + 1
		if from == 1 {
			row[0] = min(i, limit+1)
		}
		least := row[from-1]
		for j := from; j <= to; j++ {
			n := last[j-1]
			if a[i-1] != b[j-1] {
				n++
			}
			n = min(n, row[j-1]+1)
			if j < i+limit {
				n = min(n, last[j]+1)
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] { //nolint:gosec // i is more than 1
				n = min(n, before[j-2]+1)
			}
			row[j] = n
			least = min(least, n)
		}
		if to < len(b) {
			row[to+1] = limit + 1
		}
		if least > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}

// maxTypos returns the number of typing errors that are accepted in a text of the given length.
func maxTypos(length int) int {
	switch {
	case length < 4:
		return 0
	case length < 8:
		return 1
	default:
		return 2
	}
}
