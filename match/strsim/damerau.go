package strsim

import "math"

// DamerauLevenshtein returns the unrestricted Damerau-Levenshtein distance of a
// and b: the least number of insertions, deletions, substitutions and
// transpositions of neighbours that turn a into b, where characters may be
// inserted between two that were transposed. It is at most OSA(a, b).
func DamerauLevenshtein(a, b string) int {
	// Both are 0 or 1 together, so that a distance of 2 by OSA is one of 2.
	osa := OSA(a, b)
	if osa <= 2 {
		return osa
	}
	return damerau(a, b)
}

// DamerauLevenshteinWithin reports whether DamerauLevenshtein(a, b) is at most k.
//
// A transposition with g ≥ 1 characters inserted or deleted between costs
// 1 + g, and at most 2 + g without it; so OSA is at most 3/2 of the distance.
func DamerauLevenshteinWithin(a, b string, k int) bool {
	if k <= 1 || OSAWithin(a, b, k) {
		return OSAWithin(a, b, k)
	}
	if k < math.MaxInt/3 && !OSAWithin(a, b, k*3/2) {
		return false
	}
	return damerau(a, b) <= k
}

// damerau is DamerauLevenshtein without a short cut.
func damerau(a, b string) int {
	var p short
	if !p.encode(a, b) {
		return damerauLong(a, b)
	}
	x, y := trimText(p.a(), p.b())
	if len(x) == 0 || len(y) == 0 {
		return max(len(x), len(y))
	}
	var row, above, saved [wordBits + 2]int32
	var lastRow [128]int32
	n := len(y) + 2
	return zhao(x, y, row[:n], above[:n], saved[:n], lastRow[:])
}

// damerauLong is damerau for strings of any length.
func damerauLong(a, b string) int {
	s := pool.Get().(*scratch)
	defer pool.Put(s)
	s.decode(a, b)
	x, y := trim(s.a, s.b)
	if len(x) == 0 || len(y) == 0 {
		return max(len(x), len(y))
	}
	s.ids.reset(len(x) + len(y))
	s.ids.replace(x)
	s.ids.replace(y)
	for i := range s.rows {
		s.rows[i] = grow(s.rows[i], len(y)+2)
	}
	s.head = grow(s.head, int(s.ids.n))
	return zhao(x, y, s.rows[0], s.rows[1], s.rows[2], s.head)
}

// zhao is the linear-space algorithm of Zhao and Sahni (2019), "String
// correction using the Damerau-Levenshtein distance". x and y hold small
// numbers, each an index of lastRow. The rows have len(y)+2 cells, of which the
// first stands for column −1.
func zhao[E byte | rune](x, y []E, row, above, saved, lastRow []int32) int {
	most := int32(max(len(x), len(y)) + 1)
	for j := range row {
		row[j] = int32(j - 1)
		above[j], saved[j] = most, most
	}
	row[0] = most
	for i := range lastRow {
		lastRow[i] = -1
	}
	for i := int32(1); i <= int32(len(x)); i++ {
		row, above = above, row
		c := x[i-1]
		lastCol := int32(-1)
		twoAbove := row[1] // cell (i−2, j−1) of the row being overwritten
		row[1] = i
		atMatch := most // cell (i−2, lastCol−1)
		for j := int32(1); j <= int32(len(y)); j++ {
			d := above[j]
			if c == y[j-1] {
				lastCol = j
				saved[j+1] = above[j-1]
				atMatch = twoAbove
				// A match is never dearer than the ways round it.
			} else {
				d = min(d, row[j], above[j+1]) + 1
				k := lastRow[y[j-1]]
				if j-lastCol == 1 {
					d = min(d, saved[j+1]+i-k)
				} else if i-k == 1 {
					d = min(d, atMatch+j-lastCol)
				}
			}
			twoAbove = row[j+1]
			row[j+1] = d
		}
		lastRow[c] = i
	}
	return int(row[len(y)+1])
}
