package strsim

import "math/bits"

// Winkler's constants: the share of the missing similarity given back per
// character of common prefix, the longest prefix that counts, and the Jaro
// similarity above which it does.
const (
	prefixScale = 0.1
	prefixMost  = 4
	boostAbove  = 0.7
)

// Jaro returns the Jaro similarity of a and b, 0 to 1, symmetric.
//
// Two equal characters are common when their positions differ by at most
// max(|a|,|b|)/2 − 1 (rounded down, at least 0), each counting once, taken from
// the left. With m common characters and t half the number (rounded down) of
// positions at which the two sequences of common characters differ, it is
// (m/|a| + m/|b| + (m−t)/m) / 3, and 0 where m is 0 (Jaro 1989; the form of
// jellyfish and rapidfuzz).
func Jaro(a, b string) float64 {
	sim, _ := compareJaro(a, b)
	return sim
}

// JaroWinkler returns the Jaro-Winkler similarity of a and b, 0 to 1: where
// their Jaro similarity j is above 0.7 and they agree in their first p
// characters, at most 4, it is j + 0.1·p·(1−j); otherwise j (Winkler 1990; the
// form of jellyfish and rapidfuzz).
func JaroWinkler(a, b string) float64 {
	return winkler(compareJaro(a, b))
}

// jaroValue is the Jaro similarity of strings of la and lb characters with m
// common ones, of which half is half the transposed ones.
func jaroValue(la, lb, m, half int) float64 {
	if m == 0 {
		if la == 0 && lb == 0 {
			return 1
		}
		return 0
	}
	return (quotient(m, la) + quotient(m, lb) + quotient(m-half, m)) / 3
}

// quotient returns float64(n)/float64(d).
func quotient(n, d int) float64 {
	if uint(n) < uint(len(quotients)) && uint(d) < uint(len(quotients)) {
		return quotients[d][n]
	}
	return float64(n) / float64(d)
}

// quotients holds the quotients of small numbers, the divisor first: a division
// takes longer than comparing a character.
var quotients = func() (q [17][17]float64) {
	for d := range q {
		for n := range q[d] {
			q[d][n] = float64(n) / float64(d)
		}
	}
	return q
}()

// winkler adds the prefix bonus to a Jaro similarity. The inner conversion
// forbids a fused multiply-add, so that all machines agree on the last bit.
func winkler(jaro float64, prefix int) float64 {
	if jaro <= boostAbove {
		return jaro
	}
	return jaro + float64(float64(prefix)*prefixScale*(1-jaro))
}

// compareJaro returns the Jaro similarity and the length of the common prefix,
// at most 4.
func compareJaro(a, b string) (float64, int) {
	switch longer := max(len(a), len(b)); {
	case longer <= 8:
		x, y := loadUpTo8(a), loadUpTo8(b)
		if (x|y)&highBits == 0 {
			return jaroWords(x, y, len(a), len(b))
		}
	case longer <= 16:
		a0, a1 := loadUpTo16(a)
		b0, b1 := loadUpTo16(b)
		if (a0|a1|b0|b1)&highBits == 0 {
			same := min(bits.TrailingZeros64(a0^b0)/8, len(a), len(b))
			return jaroPair(new([128]uint16), a, b, same)
		}
	case isASCII(a) && isASCII(b):
		if longer <= wordBits {
			return jaroPair(new(masks), a, b, commonPrefix(a, b))
		}
		return jaroLong(a, b)
	}
	var s short
	if !s.encode(a, b) {
		return jaroLong(a, b)
	}
	x, y := s.a(), s.b()
	switch longer := max(len(x), len(y)); {
	case longer <= 8:
		return jaroWords(load64(s.aBuf[:], 0), load64(s.bBuf[:], 0), s.la, s.lb)
	case longer <= 16:
		return jaroPair(new([128]uint16), x, y, commonPrefix(x, y))
	}
	return jaroPair(new(masks), x, y, commonPrefix(x, y))
}

// jaroPair compares two texts that fit the masks pm, which are zero. The first
// same characters are known to agree; same is less than 4 only where the common
// prefix is.
func jaroPair[M mask, T text](pm *[128]M, a, b T, same int) (float64, int) {
	if len(a) == 0 || len(b) == 0 {
		return jaroValue(len(a), len(b), 0, 0), 0
	}
	bit := M(1) << same
	for i := same; i < len(a); i++ {
		pm[a[i]&127] |= bit
		bit <<= 1
	}
	m, half := jaroMasks(pm, len(a), b, same)
	return jaroValue(len(a), len(b), m, half), min(same, prefixMost)
}

// window returns how far apart common characters may stand.
func window(la, lb int) int {
	return max(max(la, lb)/2-1, 0)
}

// jaroMasks counts the common characters of b and of the string a of la
// characters whose masks from position same on are pm, and half the transposed
// ones. To position same the two agree: those characters are common, each with
// itself.
//
// For one character value, taking from the left pairs the two sides' positions
// in a merge that drops whichever falls out of the other's window: hence the
// outcome does not depend on which side is a. Unless a character is taken left
// of one taken before (its bit is below the taken ones), the two sequences of
// common characters are equal and nothing is transposed.
func jaroMasks[M mask, T text](pm *[128]M, la int, b T, same int) (m, half int) {
	near, enter := nearby(la, len(b), same)
	before := uint64(1)<<(same&63) - 1
	usedA, usedB, crossed := before, uint64(0), uint64(0)
	for j := same; j < len(b); j++ {
		at := uint64(pm[b[j]&127]) & near &^ usedA
		at &= -at
		crossed |= usedA & -at
		usedA |= at
		usedB |= (at | -at) >> 63 << (j & 63)
		near = near<<1 | enter&1
		enter >>= 1
	}
	m = bits.OnesCount64(usedA)
	if crossed != 0 {
		for usedA &^= before; usedA != 0; usedA &= usedA - 1 {
			if uint64(pm[b[bits.TrailingZeros64(usedB)]&127])&(usedA&-usedA) == 0 {
				half++
			}
			usedB &= usedB - 1
		}
		half /= 2
	}
	return m, half
}

// jaroWords is jaroPair for texts of at most 8 bytes, given as words whose
// further bytes are zero: the mask of a character is computed when needed.
func jaroWords(x, y uint64, lx, ly int) (float64, int) {
	if lx == 0 || ly == 0 {
		return jaroValue(lx, ly, 0, 0), 0
	}
	same := min(bits.TrailingZeros64(x^y)/8, lx, ly)
	near, enter := nearby(lx, ly, same)
	there := uint64(highBits) >> ((64 - 8*lx) & 63)
	before := uint64(1)<<(same&63) - 1
	usedX, usedY, crossed := before, uint64(0), uint64(0)
	rest := y >> (8 * same & 63)
	for j := same; j < ly; j++ {
		at := equalBytes(x, rest&0xFF*lowBits, there) & near &^ usedX
		at &= -at
		crossed |= usedX & -at
		usedX |= at
		usedY |= (at | -at) >> 63 << (j & 63)
		near = near<<1 | enter&1
		enter >>= 1
		rest >>= 8
	}
	m, half := bits.OnesCount64(usedX), 0
	if crossed != 0 {
		for usedX &^= before; usedX != 0; usedX &= usedX - 1 {
			i, j := bits.TrailingZeros64(usedX), bits.TrailingZeros64(usedY)
			if byte(x>>(8*i&63)) != byte(y>>(8*j&63)) {
				half++
			}
			usedY &= usedY - 1
		}
		half /= 2
	}
	return jaroValue(lx, ly, m, half), min(same, prefixMost)
}

// nearby returns, as bits, the positions of a within the window of position j
// of b, and for the positions after j, the lowest bit first, whether position 0
// of a is within their window.
func nearby(la, lb, j int) (near, enter uint64) {
	w := window(la, lb)
	near = uint64(1)<<((2*w+1)&63) - 1
	if j >= w {
		return near << ((j - w) & 63), 0
	}
	return near >> ((w - j) & 63), uint64(1)<<((w-j)&63) - 1
}

// commonPrefix returns the length of the common prefix, at most 4.
func commonPrefix[T text](a, b T) int {
	n := min(len(a), len(b), prefixMost)
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// marks is the scratch memory of jaroLong.
type marks struct {
	head, next   []int32
	usedA, usedB []rune
}

// jaroLong compares strings of any length in linear time: for each character
// value the positions in b form a list, whose head moves right only.
func jaroLong(a, b string) (float64, int) {
	s := pool.Get().(*scratch)
	defer pool.Put(s)
	s.decode(a, b)
	la, lb := len(s.a), len(s.b)
	prefix := 0
	for prefix < min(la, lb, prefixMost) && s.a[prefix] == s.b[prefix] {
		prefix++
	}
	s.ids.reset(la + lb)
	s.ids.replace(s.a)
	s.ids.replace(s.b)

	const none = -1
	s.head, s.next = grow(s.head, int(s.ids.n)), grow(s.next, lb)
	for i := range s.head {
		s.head[i] = none
	}
	for j := lb - 1; j >= 0; j-- {
		s.next[j] = s.head[s.b[j]]
		s.head[s.b[j]] = int32(j)
	}
	w := int32(window(la, lb))
	s.usedA, s.usedB = s.usedA[:0], grow(s.usedB, lb)
	clear(s.usedB)
	for i, x := range s.a {
		j := s.head[x]
		for j != none && j < int32(i)-w {
			j = s.next[j]
		}
		if j != none && j <= int32(i)+w {
			s.usedA = append(s.usedA, x)
			s.usedB[j] = 1
			j = s.next[j]
		}
		s.head[x] = j
	}
	transposed, k := 0, 0
	for j, used := range s.usedB {
		if used == 1 {
			if s.usedA[k] != s.b[j] {
				transposed++
			}
			k++
		}
	}
	return jaroValue(la, lb, len(s.usedA), transposed/2), prefix
}
