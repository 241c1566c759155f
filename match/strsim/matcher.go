package strsim

import "math"

// Matcher compares one string, prepared once, with many others, without
// allocating. Its methods return exactly what the functions of the same names
// return. A Matcher must not be used by two goroutines at once. The zero value
// holds the empty string.
type Matcher struct {
	a     string
	sig   Sig
	pm    masks
	al    alphabet
	buf   [wordBits]byte // a in its alphabet
	la    int            // code points of a, when not long
	long  bool           // a is for the paths for long strings
	plain bool           // a is ASCII without control characters
	other [wordBits]byte // the other side in a's alphabet
}

// NewMatcher returns a matcher for a.
func NewMatcher(a string) *Matcher {
	m := new(Matcher)
	m.Reset(a)
	return m
}

// Reset makes the matcher one for a.
func (m *Matcher) Reset(a string) {
	clearMasks(&m.pm, m.buf[:m.la])
	m.a, m.sig = a, Signature(a)
	n, ok := m.al.encode(&m.buf, a, true)
	m.la, m.long, m.plain = n, !ok, ok && m.al.n == 0
	set(&m.pm, m.buf[:n])
}

// Sig returns the signature of the prepared string.
func (m *Matcher) Sig() Sig { return m.sig }

// reads reports whether b is in a's alphabet as it is: plain, or ASCII with
// control characters that stand for nothing.
func (m *Matcher) reads(b string) bool {
	return isASCII(b) && (m.plain || isPlain(b))
}

// Jaro returns Jaro(a, b).
func (m *Matcher) Jaro(b string) float64 {
	sim, _ := m.compareJaro(b)
	return sim
}

// JaroWinkler returns JaroWinkler(a, b).
func (m *Matcher) JaroWinkler(b string) float64 {
	return winkler(m.compareJaro(b))
}

// JaroWinklerReaches reports whether JaroWinkler(a, b) reaches the cut, given
// the signature of b.
func (m *Matcher) JaroWinklerReaches(b string, sb Sig, cut *JaroWinklerCut) bool {
	return cut.MayReach(m.sig, sb) && mayReach(m.sig, sb, cut.t) && m.JaroWinkler(b) >= cut.t
}

func (m *Matcher) compareJaro(b string) (float64, int) {
	if m.long {
		return jaroLong(m.a, b)
	}
	if m.reads(b) {
		if len(b) > wordBits {
			return jaroLong(m.a, b)
		}
		return jaroPrepared(m, b)
	}
	n, ok := m.al.encode(&m.other, b, false)
	if !ok {
		return jaroLong(m.a, b)
	}
	return jaroPrepared(m, m.other[:n])
}

func jaroPrepared[T text](m *Matcher, b T) (float64, int) {
	if m.la == 0 || len(b) == 0 {
		return jaroValue(m.la, len(b), 0, 0), 0
	}
	prefix := 0
	for n := min(m.la, len(b), prefixMost); prefix < n && m.buf[prefix] == b[prefix]; prefix++ {
	}
	common, half := jaroMasks(&m.pm, m.la, b, prefix)
	return jaroValue(m.la, len(b), common, half), prefix
}

// Levenshtein returns Levenshtein(a, b).
func (m *Matcher) Levenshtein(b string) int {
	return m.distance(b, math.MaxInt, false)
}

// OSA returns OSA(a, b).
func (m *Matcher) OSA(b string) int {
	return m.distance(b, math.MaxInt, true)
}

// OSAWithin reports whether OSA(a, b) is at most k.
func (m *Matcher) OSAWithin(b string, k int) bool {
	if k <= 1 {
		return OSAWithin(m.a, b, k) // needs no masks
	}
	return m.distance(b, k, true) <= k
}

// OSAWithinSig reports whether OSA(a, b) is at most k, given the signature of b.
func (m *Matcher) OSAWithinSig(b string, sb Sig, k int) bool {
	return MayBeWithin(m.sig, sb, k) && m.OSAWithin(b, k)
}

func (m *Matcher) distance(b string, most int, swaps bool) int {
	if m.long {
		return distanceLong(m.a, b, most, swaps)
	}
	if m.reads(b) {
		if m.la == 0 || len(b) == 0 {
			return max(m.la, len(b))
		}
		return distanceMasks(&m.pm, m.la, b, most, swaps)
	}
	n, ok := m.al.encode(&m.other, b, false)
	if !ok {
		return distanceLong(m.a, b, most, swaps)
	}
	if m.la == 0 || n == 0 {
		return max(m.la, n)
	}
	return distanceMasks(&m.pm, m.la, m.other[:n], most, swaps)
}
