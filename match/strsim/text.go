package strsim

import (
	"math/bits"
	"sync"
	"unicode/utf8"
)

// wordBits is the number of code points that one mask holds.
const wordBits = 64

// text is a string whose code points are one byte each: ASCII as it is, or
// transcoded by an alphabet.
type text interface{ ~string | ~[]byte }

// The lowest and the highest bit of each byte of a word.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// masks holds for each byte of a text, all below 128, the positions, as bits,
// at which the prepared side has it.
type masks = [128]uint64

// mask is the type of masks; a shorter one has less memory to clear.
type mask interface{ uint16 | uint64 }

// set fills the masks of a, which has at most as many bytes as a mask has bits.
// The masks must be zero.
func set[M mask, T text](pm *[128]M, a T) {
	bit := M(1)
	for i := 0; i < len(a); i++ {
		pm[a[i]&127] |= bit
		bit <<= 1
	}
}

// clearMasks makes the masks set for a zero again.
func clearMasks[T text](pm *masks, a T) {
	for i := 0; i < len(a); i++ {
		pm[a[i]&127] = 0
	}
}

// isASCII reports whether every byte of s is below 128.
func isASCII(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if load64(s, i)&highBits != 0 {
			return false
		}
	}
	if i > 0 && i < len(s) {
		return load64(s, len(s)-8)&highBits == 0
	}
	return loadUpTo8(s[i:])&highBits == 0
}

// isPlain reports whether no byte of the ASCII string s is a control character
// before the space.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' {
			return false
		}
	}
	return true
}

// load64 returns bytes i to i+7 of s, the first as the lowest.
func load64[T text](s T, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func load32(s string, i int) uint64 {
	b := s[i : i+4]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
}

// loadUpTo8 returns the bytes of s, at most 8, the first as the lowest and
// those that s lacks as zero.
func loadUpTo8(s string) uint64 {
	switch n := uint(len(s)); {
	case n >= 8:
		return load64(s, 0)
	case n >= 4:
		return load32(s, 0) | load32(s, len(s)-4)<<(8*(n-4)&63)
	case n > 0:
		return uint64(s[0]) | uint64(s[n/2])<<(8*(n/2)&63) | uint64(s[n-1])<<(8*(n-1)&63)
	}
	return 0
}

// loadUpTo16 is loadUpTo8 for at most 16 bytes in two words.
func loadUpTo16(s string) (lo, hi uint64) {
	if len(s) <= 8 {
		return loadUpTo8(s), 0
	}
	return load64(s, 0), load64(s, len(s)-8) >> ((128 - 8*uint(len(s))) & 63)
}

// equalBytes returns the positions, as bits 0 to 7, at which the words x and y
// have equal bytes; all bytes are below 128, and only those of which there has
// the highest bit count. The product moves bit 8i to bit 56+i.
func equalBytes(x, y, there uint64) uint64 {
	const gather = 0x0102040810204080
	return ^((x ^ y) + ^uint64(highBits)) & there >> 7 * gather >> 56
}

// alphabet gives the code points of one short string bytes below 128. ASCII
// characters from the space on are themselves; the others, in order of first
// sight, take the place of the control characters.
type alphabet struct {
	other [foreign]rune
	n     int
}

// foreign is the byte of what the second side of a pair has and the first
// lacks. A string with as many different other characters has no alphabet.
const foreign = 31

// encode writes the bytes of s to dst and returns their number. For the first
// side of a pair, new characters extend the alphabet; for the second they are
// foreign. ok is false when s has more than 64 code points or, as the first
// side, too many different ones.
func (al *alphabet) encode(dst *[wordBits]byte, s string, first bool) (n int, ok bool) {
	if first {
		al.n = 0
	}
	for i := 0; i < len(s); n++ {
		if n == wordBits {
			return 0, false
		}
		c := s[i]
		if c-' ' < utf8.RuneSelf-' ' {
			dst[n] = c
			i++
			continue
		}
		r, size := rune(c), 1
		switch {
		case c < utf8.RuneSelf:
		case c >= 0xC2 && c < 0xE0 && i+1 < len(s) && s[i+1]&0xC0 == 0x80: // two bytes
			r, size = rune(c&0x1F)<<6|rune(s[i+1]&0x3F), 2
		default:
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		code := al.code(r)
		if code == foreign && first {
			if al.n == len(al.other) {
				return 0, false
			}
			code = byte(al.n)
			al.other[al.n] = r
			al.n++
		}
		dst[n] = code
	}
	return n, true
}

// code returns the byte of r, which is no ASCII character from the space on, or
// foreign.
func (al *alphabet) code(r rune) byte {
	for i, other := range al.other[:al.n] {
		if other == r {
			return byte(i)
		}
	}
	return foreign
}

// short is a pair of at most 64 code points a side in one byte alphabet.
type short struct {
	al         alphabet
	aBuf, bBuf [wordBits]byte
	la, lb     int
}

// encode transcodes the pair, or reports false when a side is too long.
func (s *short) encode(a, b string) bool {
	var ok bool
	if s.la, ok = s.al.encode(&s.aBuf, a, true); !ok {
		return false
	}
	s.lb, ok = s.al.encode(&s.bBuf, b, false)
	return ok
}

func (s *short) a() []byte { return s.aBuf[:s.la] }
func (s *short) b() []byte { return s.bBuf[:s.lb] }

// scratch is the memory of the paths for long strings.
type scratch struct {
	a, b []rune
	rows [3][]int32
	ids  ids
	marks
}

// pool holds scratch memory; its size follows the longest strings seen until
// the next two garbage collections.
var pool = sync.Pool{New: func() any { return new(scratch) }}

// decode fills s.a and s.b with the code points of a and b.
func (s *scratch) decode(a, b string) {
	s.a, s.b = s.a[:0], s.b[:0]
	for _, r := range a {
		s.a = append(s.a, r)
	}
	for _, r := range b {
		s.b = append(s.b, r)
	}
}

// ids numbers code points 0, 1, 2 … in order of first sight: an open-addressed
// hash table of a power-of-two size, never more than half full.
type ids struct {
	keys []rune
	vals []int32
	n    int32
}

// reset empties the table and makes room for n code points.
func (t *ids) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if cap(t.keys) < size {
		t.keys, t.vals = make([]rune, size), make([]int32, size)
	}
	t.keys, t.vals = t.keys[:size], t.vals[:size]
	for i := range t.vals {
		t.vals[i] = -1
	}
	t.n = 0
}

// replace overwrites each code point of s with its number.
func (t *ids) replace(s []rune) {
	mask := uint32(len(t.keys) - 1)
	for i, r := range s {
		at := (uint32(r) * 0x9E3779B1 >> 7) & mask
		for t.vals[at] >= 0 && t.keys[at] != r {
			at = (at + 1) & mask
		}
		if t.vals[at] < 0 {
			t.keys[at], t.vals[at] = r, t.n
			t.n++
		}
		s[i] = t.vals[at]
	}
}

// trim drops the common prefix and suffix of a and b, which no distance counts.
func trim(a, b []rune) ([]rune, []rune) {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	a, b = a[n:], b[n:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

// trimText is trim for texts, eight bytes at a time where there are as many.
func trimText[T text](a, b T) (T, T) {
	for len(a) >= 8 && len(b) >= 8 {
		if differ := load64(a, 0) ^ load64(b, 0); differ != 0 {
			n := bits.TrailingZeros64(differ) / 8
			a, b = a[n:], b[n:]
			break
		}
		a, b = a[8:], b[8:]
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) >= 8 && len(b) >= 8 {
		if differ := load64(a, len(a)-8) ^ load64(b, len(b)-8); differ != 0 {
			n := bits.LeadingZeros64(differ) / 8
			return a[:len(a)-n], b[:len(b)-n]
		}
		a, b = a[:len(a)-8], b[:len(b)-8]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

// grow returns a slice of length n in the memory of s where it is enough; its
// contents are arbitrary.
func grow(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}
