package strsim

import "math"

// OSA returns the optimal string alignment distance of a and b: the least
// number of insertions, deletions, substitutions and transpositions of
// neighbours that turn a into b, where no part is edited twice.
func OSA(a, b string) int {
	return distance(a, b, math.MaxInt, true)
}

// OSAWithin reports whether OSA(a, b) is at most k. For k ≤ 1 this is also
// whether DamerauLevenshtein(a, b) is at most k.
func OSAWithin(a, b string, k int) bool {
	if k < 0 {
		return false
	}
	return distance(a, b, k, true) <= k
}

// osaMasks is levenshteinMasks with transpositions (Hyyrö 2003).
func osaMasks[M mask, T text](pm *[128]M, la int, b T, most int) int {
	vp, vn := ^uint64(0), uint64(0)
	var d0, before uint64
	shift := uint(la-1) & 63
	d := la
	for j := 0; j < len(b); j++ {
		x := uint64(pm[b[j]&127])
		swap := (^d0 & x) << 1 & before
		d0 = (((x & vp) + vp) ^ vp) | x | vn | swap
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
		before = x
	}
	return d
}

// distance returns the Levenshtein distance, or with swaps the OSA distance, of
// a and b; any number above most when the distance is above most.
func distance(a, b string, most int, swaps bool) int {
	if isASCII(a) && isASCII(b) {
		if max(len(a), len(b))-min(len(a), len(b)) > most {
			return most + 1
		}
		a, b = trimText(a, b)
		if min(len(a), len(b)) > wordBits {
			return distanceLong(a, b, most, swaps)
		}
		return distancePair(a, b, most, swaps)
	}
	var s short
	if !s.encode(a, b) {
		return distanceLong(a, b, most, swaps)
	}
	x, y := trimText(s.a(), s.b())
	return distancePair(x, y, most, swaps)
}

// distancePair is distance for texts that agree neither at the start nor at the
// end and of which one has at most 64 bytes.
func distancePair[T text](a, b T, most int, swaps bool) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 || len(b)-len(a) > most {
		return len(b)
	}
	if most <= 1 && len(b) > 1 {
		// One edit can only be the swap of all there is.
		if swaps && len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0] {
			return 1
		}
		return 2
	}
	if len(a) <= 16 {
		var pm [128]uint16
		set(&pm, a)
		return distanceMasks(&pm, len(a), b, most, swaps)
	}
	var pm masks
	set(&pm, a)
	return distanceMasks(&pm, len(a), b, most, swaps)
}

// distanceMasks is osaMasks with swaps, otherwise levenshteinMasks.
func distanceMasks[M mask, T text](pm *[128]M, la int, b T, most int, swaps bool) int {
	if swaps {
		return osaMasks(pm, la, b, most)
	}
	return levenshteinMasks(pm, la, b, most)
}

// distanceLong is distance for strings of any length.
func distanceLong(a, b string, most int, swaps bool) int {
	s := pool.Get().(*scratch)
	defer pool.Put(s)
	s.decode(a, b)
	x, y := trim(s.a, s.b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 0 || len(y)-len(x) > most {
		return len(y) - len(x)
	}
	for i := range s.rows {
		s.rows[i] = grow(s.rows[i], len(x)+1)
	}
	return band(x, y, min(most, len(y)), swaps, &s.rows)
}

// band fills the table of distances between prefixes row by row, x across and
// y down, within most cells of the diagonal: no path to a distance of at most
// most leaves that band. It returns most+1 for any distance above most.
//
// A row without a cell of at most most ends it: a transposition skips a row
// only beside a substitution that is no dearer and does not.
func band(x, y []rune, most int, swaps bool, rows *[3][]int32) int {
	over := int32(most) + 1
	two, one, row := rows[0], rows[1], rows[2]
	for i := range one {
		one[i] = min(int32(i), over)
		two[i] = over
	}
	for j := 1; j <= len(y); j++ {
		lo, hi := max(1, j-most), min(len(x), j+most)
		row[lo-1] = over
		if lo == 1 {
			row[0] = min(int32(j), over)
		}
		least := row[lo-1]
		for i := lo; i <= hi; i++ {
			d := one[i-1]
			if x[i-1] != y[j-1] {
				up := over
				if i < j+most {
					up = one[i]
				}
				d = min(d, up, row[i-1]) + 1
				if swaps && i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
					d = min(d, two[i-2]+1)
				}
			}
			d = min(d, over)
			row[i] = d
			least = min(least, d)
		}
		if least == over {
			return int(over)
		}
		two, one, row = one, row, two
	}
	return int(one[len(x)])
}
