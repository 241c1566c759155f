package strsim

import (
	"math/bits"
	"unicode/utf8"
)

// Sig is the signature of a string: enough to bound from above how many
// characters two strings have in common, without reading them. It is 16 bytes;
// computed once per distinct value, it rejects nearly all unrelated pairs.
type Sig struct {
	letters uint64 // two bits a letter, one bit for each of 12 classes of the rest
	head    uint32 // the low bytes of the first four code points, the first lowest
	len     uint16 // code points, at most sigLong
	over    uint16 // characters that found their bits taken
}

// sigLong in Sig.len says that the string is too long for bounds.
const sigLong = 1<<16 - 1

// Signature returns the signature of s.
//
// The first character of a letter (cases alike) sets the letter's first bit and
// the second its second bit; further ones are counted as overflow. The other
// characters have one bit for each of twelve classes: space, hyphen and the
// remainder of the code point by ten, so digits are kept apart and so are the
// usual accented letters.
func Signature(s string) Sig {
	var g Sig
	n := 0
	for _, r := range s {
		if n == sigLong {
			break
		}
		if n < 4 {
			g.head |= uint32(byte(r)) << (8 * n)
		}
		n++
		first := uint64(1)
		second := uint64(0)
		if c := uint32(r|0x20) - 'a'; r < utf8.RuneSelf && c < 26 {
			first <<= 2 * c
			second = first << 1
		} else {
			first <<= restBit(r)
		}
		switch {
		case g.letters&first == 0:
			g.letters |= first
		case second != 0 && g.letters&second == 0:
			g.letters |= second
		default:
			g.over++
		}
	}
	g.len = uint16(n)
	return g
}

// restBit returns the bit, 52 to 63, of a character that is no letter a to z.
func restBit(r rune) uint {
	switch r {
	case ' ':
		return 62
	case '-':
		return 63
	}
	return 52 + uint(r)%10
}

// Len returns the number of code points of the string, or 65535 for all strings
// of that many or more.
func (g Sig) Len() int { return int(g.len) }

// CommonAtMost returns a bound from above on the number of characters, counted
// with their multiplicity, that the strings of a and b have in common.
//
// For one class of characters with room for c bits, of which the strings have
// x and y, the common ones are at most min(x,y) = min(x,y,c) + min(x−c, y−c)
// (the latter at least 0): the bits both have, and no more than the lesser
// overflow.
func CommonAtMost(a, b Sig) int {
	if a.len == sigLong || b.len == sigLong {
		return int(min(a.len, b.len))
	}
	return bits.OnesCount64(a.letters&b.letters) + int(min(a.over, b.over))
}

// prefixAtMost bounds the common prefix, at most 4, from above: equal code
// points have equal low bytes.
func prefixAtMost(a, b Sig) int {
	same := bits.TrailingZeros32(a.head^b.head) / 8
	return min(same, int(a.len), int(b.len))
}

// slack covers the rounding of the bounds in floating point; it makes a filter
// weaker, never wrong.
const slack = 1e-9

// JaroWinklerAtLeast reports whether JaroWinkler(a, b) ≥ t, given the strings'
// signatures. It is exact; where the signatures suffice to say no, the strings
// are not read.
func JaroWinklerAtLeast(a, b string, sa, sb Sig, t float64) bool {
	return mayReach(sa, sb, t) && JaroWinkler(a, b) >= t
}

// mayReach reports whether the signatures allow a Jaro-Winkler similarity of t.
//
// With at most m common characters Jaro is at most (m/la + m/lb + 1)/3. With at
// most p characters of common prefix, t is reached from a Jaro similarity of
// (t − 0.1p)/(1 − 0.1p) on, if that is above 0.7, and otherwise from 0.7 on, as
// the prefix counts only above it; a t of at most 0.7 must be reached without
// the prefix.
func mayReach(a, b Sig, t float64) bool {
	if a.len == sigLong || b.len == sigLong || a.len == 0 || b.len == 0 {
		return true
	}
	need := t
	if t > boostAbove {
		p := prefixAtMost(a, b)
		need = max(boostAbove, (t-prefixScale*float64(p))*perMissing[p])
	}
	la, lb := float64(a.len), float64(b.len)
	return float64(CommonAtMost(a, b))*(la+lb) >= (3*need-1-slack)*(la*lb)
}

// perMissing is 1/(1 − 0.1p).
var perMissing = [prefixMost + 1]float64{1, 1 / 0.9, 1 / 0.8, 1 / 0.7, 1 / 0.6}

// JaroWinklerCut decides JaroWinkler ≥ t for one t and many pairs: the least
// number of common characters that can reach t stands in a table for strings
// of fewer than 31 code points. It is not changed by use and may be shared.
type JaroWinklerCut struct {
	t    float64
	need [(prefixMost + 1) * cutLen * cutLen]uint8
}

// cutLen is a row of the table; its last place is for all longer strings.
const cutLen = 32

// NewJaroWinklerCut returns the cut for the threshold t.
func NewJaroWinklerCut(t float64) *JaroWinklerCut {
	cut := &JaroWinklerCut{t: t}
	for p := 0; p <= prefixMost; p++ {
		for la := range cutLen - 1 {
			for lb := range cutLen - 1 {
				cut.need[(p*cutLen+la)*cutLen+lb] = leastCommon(p, la, lb, t)
			}
		}
	}
	return cut
}

// leastCommon returns the least number of common characters, none transposed,
// with which the similarity reaches t, or 255 if none does.
func leastCommon(p, la, lb int, t float64) uint8 {
	for m := 0; m <= min(la, lb); m++ {
		if winkler(jaroValue(la, lb, m, 0), p) >= t-slack {
			return uint8(m)
		}
	}
	return 255
}

// MayReach reports whether the signatures allow t: false is proof that
// JaroWinkler of the strings is below t. It is inlined, for the innermost loop;
// strings of 31 code points and more always pass.
func (cut *JaroWinklerCut) MayReach(a, b Sig) bool {
	m := bits.OnesCount64(a.letters&b.letters) + int(min(a.over, b.over))
	p := bits.TrailingZeros32(a.head^b.head) >> 3 // 4 for equal heads
	at := p*cutLen*cutLen + int(min(a.len, cutLen-1))*cutLen + int(min(b.len, cutLen-1))
	return m >= int(cut.need[at])
}

// Reached reports whether JaroWinkler(a, b) ≥ t, given the strings' signatures.
func (cut *JaroWinklerCut) Reached(a, b string, sa, sb Sig) bool {
	return cut.MayReach(sa, sb) && JaroWinklerAtLeast(a, b, sa, sb, cut.t)
}

// OSAWithinSig reports whether OSA(a, b) ≤ k, given the strings' signatures. It
// is exact; where the signatures suffice to say no, the strings are not read.
func OSAWithinSig(a, b string, sa, sb Sig, k int) bool {
	return MayBeWithin(sa, sb, k) && OSAWithin(a, b, k)
}

// MayBeWithin reports whether the signatures allow a distance of k (any of the
// distances of this package): false is proof that the distance is above k.
// Each edit leaves all but one character of the longer string in common.
func MayBeWithin(a, b Sig, k int) bool {
	if a.len == sigLong || b.len == sigLong {
		return true
	}
	return int(max(a.len, b.len))-CommonAtMost(a, b) <= k
}
