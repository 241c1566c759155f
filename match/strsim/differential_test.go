package strsim

import (
	"flag"
	"math/bits"
	"testing"
	"unicode/utf8"
)

var pairs = flag.Int("pairs", 50_000, "pairs of strings of each comparison with the references")

// longest is the length, in code points, of the longest strings drawn.
const longest = 150

func TestJaroEqualsReference(t *testing.T) {
	p := newPairs(t, 1)
	m := NewMatcher("")
	for range *pairs {
		a, b := p.next(longest)
		checkJaro(t, m, a, b)
	}
}

func TestLevenshteinEqualsReference(t *testing.T) {
	p := newPairs(t, 2)
	m := NewMatcher("")
	for range *pairs {
		a, b := p.next(longest)
		checkLevenshtein(t, m, a, b)
	}
}

func TestOSAEqualsReference(t *testing.T) {
	p := newPairs(t, 3)
	m := NewMatcher("")
	for range *pairs {
		a, b := p.next(longest)
		checkOSA(t, m, a, b)
	}
}

func TestDamerauLevenshteinEqualsReference(t *testing.T) {
	p := newPairs(t, 4)
	for range *pairs {
		a, b := p.next(longest)
		if utf8.RuneCountInString(a)*utf8.RuneCountInString(b) > 400 && p.rnd.IntN(100) > 0 {
			continue // the reference takes the square of the table
		}
		checkDamerau(t, a, b)
	}
}

var cuts = []*JaroWinklerCut{
	NewJaroWinklerCut(-1), NewJaroWinklerCut(0), NewJaroWinklerCut(0.5), NewJaroWinklerCut(0.65),
	NewJaroWinklerCut(0.7), NewJaroWinklerCut(0.71), NewJaroWinklerCut(0.8), NewJaroWinklerCut(0.88),
	NewJaroWinklerCut(0.92), NewJaroWinklerCut(0.99), NewJaroWinklerCut(1), NewJaroWinklerCut(1.5),
}

func TestSignaturesNeverContradictTheExactAnswer(t *testing.T) {
	p := newPairs(t, 5)
	m := NewMatcher("")
	for range *pairs {
		a, b := p.next(longest)
		checkSignature(t, m, a, b)
	}
}

func checkJaro(t *testing.T, m *Matcher, a, b string) {
	t.Helper()
	m.Reset(a)
	jaro, jw := refJaro(a, b), refJaroWinkler(a, b)
	if got := Jaro(a, b); got != jaro {
		t.Fatalf("Jaro(%q, %q) = %v, reference %v", a, b, got, jaro)
	}
	if got := JaroWinkler(a, b); got != jw {
		t.Fatalf("JaroWinkler(%q, %q) = %v, reference %v", a, b, got, jw)
	}
	if got := JaroWinkler(b, a); got != jw {
		t.Fatalf("JaroWinkler(%q, %q) = %v, other order %v", b, a, got, jw)
	}
	if got := m.Jaro(b); got != jaro {
		t.Fatalf("Matcher(%q).Jaro(%q) = %v, reference %v", a, b, got, jaro)
	}
	if got := m.JaroWinkler(b); got != jw {
		t.Fatalf("Matcher(%q).JaroWinkler(%q) = %v, reference %v", a, b, got, jw)
	}
	if got, _ := jaroLong(a, b); got != jaro {
		t.Fatalf("jaroLong(%q, %q) = %v, reference %v", a, b, got, jaro)
	}
}

func checkLevenshtein(t *testing.T, m *Matcher, a, b string) {
	t.Helper()
	m.Reset(a)
	want := refLevenshtein(a, b)
	if got := Levenshtein(a, b); got != want {
		t.Fatalf("Levenshtein(%q, %q) = %d, reference %d", a, b, got, want)
	}
	if got := m.Levenshtein(b); got != want {
		t.Fatalf("Matcher(%q).Levenshtein(%q) = %d, reference %d", a, b, got, want)
	}
	if got := distanceLong(a, b, 1<<30, false); got != want {
		t.Fatalf("distanceLong(%q, %q) = %d, reference %d", a, b, got, want)
	}
	for _, k := range bounds(want) {
		if got := LevenshteinWithin(a, b, k); got != (want <= k) {
			t.Fatalf("LevenshteinWithin(%q, %q, %d) = %v, distance %d", a, b, k, got, want)
		}
		if got := k >= 0 && distanceLong(a, b, k, false) <= k; got != (want <= k) {
			t.Fatalf("distanceLong(%q, %q, %d) ≤ k = %v, distance %d", a, b, k, got, want)
		}
	}
}

func checkOSA(t *testing.T, m *Matcher, a, b string) {
	t.Helper()
	m.Reset(a)
	want := refOSA(a, b)
	if got := OSA(a, b); got != want {
		t.Fatalf("OSA(%q, %q) = %d, reference %d", a, b, got, want)
	}
	if got := m.OSA(b); got != want {
		t.Fatalf("Matcher(%q).OSA(%q) = %d, reference %d", a, b, got, want)
	}
	if got := distanceLong(a, b, 1<<30, true); got != want {
		t.Fatalf("distanceLong(%q, %q) = %d, reference %d", a, b, got, want)
	}
	sa, sb := Signature(a), Signature(b)
	for _, k := range bounds(want) {
		within := [...]bool{OSAWithin(a, b, k), OSAWithinSig(a, b, sa, sb, k), m.OSAWithin(b, k),
			m.OSAWithinSig(b, sb, k), k >= 0 && distanceLong(a, b, k, true) <= k}
		for i, got := range within {
			if got != (want <= k) {
				t.Fatalf("form %d of OSAWithin(%q, %q, %d) = %v, distance %d", i, a, b, k, got, want)
			}
		}
	}
}

func checkDamerau(t *testing.T, a, b string) {
	t.Helper()
	want := refDamerau(a, b)
	if got := DamerauLevenshtein(a, b); got != want {
		t.Fatalf("DamerauLevenshtein(%q, %q) = %d, reference %d", a, b, got, want)
	}
	if got := damerau(a, b); got != want {
		t.Fatalf("damerau(%q, %q) = %d, reference %d", a, b, got, want)
	}
	if got := damerauLong(a, b); got != want {
		t.Fatalf("damerauLong(%q, %q) = %d, reference %d", a, b, got, want)
	}
	for _, k := range bounds(want) {
		if got := DamerauLevenshteinWithin(a, b, k); got != (want <= k) {
			t.Fatalf("DamerauLevenshteinWithin(%q, %q, %d) = %v, distance %d", a, b, k, got, want)
		}
	}
}

// bounds returns the interesting bounds for a distance.
func bounds(d int) []int { return []int{-1, 0, 1, 2, 3, d - 1, d, d + 1, 1 << 40} }

func checkSignature(t *testing.T, m *Matcher, a, b string) {
	t.Helper()
	m.Reset(a)
	sa, sb := Signature(a), Signature(b)
	counts := make(map[rune][2]int)
	for _, r := range a {
		c := counts[r]
		counts[r] = [2]int{c[0] + 1, c[1]}
	}
	inCommon := 0
	for _, r := range b {
		c := counts[r]
		if counts[r] = [2]int{c[0], c[1] + 1}; c[1] < c[0] {
			inCommon++
		}
	}
	if got := CommonAtMost(sa, sb); got < inCommon || got != CommonAtMost(sb, sa) {
		t.Fatalf("CommonAtMost(%q, %q) = %d, other order %d, they have %d in common", a, b, got, CommonAtMost(sb, sa), inCommon)
	}
	if n := utf8.RuneCountInString(a); sa.Len() != n || bits.OnesCount64(sa.letters)+int(sa.over) != n {
		t.Fatalf("Signature(%q) = %+v accounts for the wrong number of characters", a, sa)
	}
	sim := refJaroWinkler(a, b)
	for _, cut := range cuts {
		answers := [...]bool{cut.Reached(a, b, sa, sb), JaroWinklerAtLeast(a, b, sa, sb, cut.t), m.JaroWinklerReaches(b, sb, cut)}
		for i, got := range answers {
			if got != (sim >= cut.t) {
				t.Fatalf("form %d of JaroWinkler(%q, %q) ≥ %v is %v, similarity %v", i, a, b, cut.t, got, sim)
			}
		}
	}
	// The threshold a pair just reaches is where rounding would show.
	if !JaroWinklerAtLeast(a, b, sa, sb, sim) {
		t.Fatalf("JaroWinkler(%q, %q) = %v does not reach itself", a, b, sim)
	}
}
