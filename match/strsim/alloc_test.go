package strsim

import (
	"strings"
	"testing"
)

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool forgets on purpose")
	}
	cut := NewJaroWinklerCut(0.88)
	for _, pair := range [][2]string{
		{"virtanen", "virtainen"},
		{"hämäläinen", "hämälainen"},
		{"николай", "никола"},
		{strings.Repeat("mannerheimintie ", 16), strings.Repeat("mannerheimvägen ", 16)},
		{strings.Repeat("字日", 128), strings.Repeat("日字", 128)},
	} {
		a, b := pair[0], pair[1]
		sa, sb := Signature(a), Signature(b)
		m := NewMatcher(a)
		for name, f := range map[string]func(){
			"Jaro":                     func() { Jaro(a, b) },
			"JaroWinkler":              func() { JaroWinkler(a, b) },
			"JaroWinklerAtLeast":       func() { JaroWinklerAtLeast(a, b, sa, sb, 0.88) },
			"Reached":                  func() { cut.Reached(a, b, sa, sb) },
			"Levenshtein":              func() { Levenshtein(a, b) },
			"LevenshteinWithin":        func() { LevenshteinWithin(a, b, 2) },
			"OSA":                      func() { OSA(a, b) },
			"OSAWithin":                func() { OSAWithin(a, b, 2) },
			"OSAWithinSig":             func() { OSAWithinSig(a, b, sa, sb, 2) },
			"DamerauLevenshtein":       func() { DamerauLevenshtein(a, b) },
			"DamerauLevenshteinWithin": func() { DamerauLevenshteinWithin(a, b, 2) },
			"Signature":                func() { sa = Signature(a) },
			"Matcher.Reset":            func() { m.Reset(a) },
			"Matcher.JaroWinkler":      func() { m.JaroWinkler(b) },
			"Matcher.OSA":              func() { m.OSA(b) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s(%.10q…) allocates %v times", name, a, n)
			}
		}
	}
}
