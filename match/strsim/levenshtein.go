package strsim

import "math"

// Levenshtein returns the least number of insertions, deletions and
// substitutions of a character that turn a into b.
func Levenshtein(a, b string) int {
	return distance(a, b, math.MaxInt, false)
}

// LevenshteinWithin reports whether Levenshtein(a, b) is at most k.
func LevenshteinWithin(a, b string, k int) bool {
	if k < 0 {
		return false
	}
	return distance(a, b, k, false) <= k
}

// levenshteinMasks returns the distance of b and the string of la characters
// (1 to 64) whose masks are pm, or any number above most when the distance is
// above most: the algorithm of Myers (1999) as Hyyrö (2003) writes it. vp and
// vn are the cells of a column that are one more and one less than the cell
// above, hp and hn those one more and one less than the cell to the left.
func levenshteinMasks[M mask, T text](pm *[128]M, la int, b T, most int) int {
	vp, vn := ^uint64(0), uint64(0)
	shift := uint(la-1) & 63
	d := la
	for j := 0; j < len(b); j++ {
		x := uint64(pm[b[j]&127])
		d0 := (((x & vp) + vp) ^ vp) | x | vn
		hp := vn | ^(d0 | vp)
		hn := d0 & vp
		d += int(hp>>shift&1) - int(hn>>shift&1)
		if d-(len(b)-1-j) > most {
			return d
		}
		hp = hp<<1 | 1
		hn <<= 1
		vp = hn | ^(d0 | hp)
		vn = hp & d0
	}
	return d
}
