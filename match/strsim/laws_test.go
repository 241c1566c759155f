package strsim

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawn(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.StringMatching(`[abä]{0,8}`),
		rapid.StringMatching(`[a-z]{1,10}( [a-z]{1,10})?`),
		rapid.StringN(0, 90, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	).Draw(t, label)
}

func TestSimilaritiesAreSymmetricAndInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn(t, "a"), drawn(t, "b")
		for name, f := range map[string]func(a, b string) float64{"Jaro": Jaro, "JaroWinkler": JaroWinkler} {
			s := f(a, b)
			if s != f(b, a) {
				t.Fatalf("%s depends on the order", name)
			}
			if !(s >= 0 && s <= 1) || math.IsNaN(s) {
				t.Fatalf("%s is %v", name, s)
			}
			if f(a, a) != 1 {
				t.Fatalf("%s of equal strings is %v", name, f(a, a))
			}
			if s == 1 && string([]rune(a)) != string([]rune(b)) {
				t.Fatalf("%s of different strings is 1", name)
			}
		}
		if JaroWinkler(a, b) < Jaro(a, b) {
			t.Fatal("the prefix lowers the similarity")
		}
	})
}

func TestDistancesObeyTheirLaws(t *testing.T) {
	distances := map[string]func(a, b string) int{
		"Levenshtein": Levenshtein, "OSA": OSA, "DamerauLevenshtein": DamerauLevenshtein,
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn(t, "a"), drawn(t, "b")
		c := string([]rune(drawn(t, "c"))) // no half a character before a and b
		la, lb := len([]rune(a)), len([]rune(b))
		for name, f := range distances {
			d := f(a, b)
			if d != f(b, a) {
				t.Fatalf("%s depends on the order", name)
			}
			if d < max(la, lb)-min(la, lb) || d > max(la, lb) {
				t.Fatalf("%s is %d for lengths %d and %d", name, d, la, lb)
			}
			if (d == 0) != (string([]rune(a)) == string([]rune(b))) {
				t.Fatalf("%s is %d", name, d)
			}
			if got := f(c+a, c+b); got != d && name != "OSA" || got > d {
				t.Fatalf("%s is %d, and %d behind a common prefix", name, d, got)
			}
			if name != "OSA" && f(a, c) > d+f(b, c) {
				t.Fatalf("%s breaks the triangle inequality", name)
			}
		}
		lev, osa, dl := Levenshtein(a, b), OSA(a, b), DamerauLevenshtein(a, b)
		if !(dl <= osa && osa <= lev && 2*osa <= 3*dl && lev <= 2*dl) {
			t.Fatalf("Levenshtein %d, OSA %d, DamerauLevenshtein %d", lev, osa, dl)
		}
	})
}

func TestMetricsDependOnEqualityOfCharactersOnly(t *testing.T) {
	rename := strings.NewReplacer("a", "ä", "b", "字", "c", "\U0001F600", "d", "d")
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[abcd]{0,70}`).Draw(t, "a")
		b := rapid.StringMatching(`[abcd]{0,70}`).Draw(t, "b")
		x, y := rename.Replace(a), rename.Replace(b)
		if JaroWinkler(a, b) != JaroWinkler(x, y) || Levenshtein(a, b) != Levenshtein(x, y) ||
			OSA(a, b) != OSA(x, y) || DamerauLevenshtein(a, b) != DamerauLevenshtein(x, y) {
			t.Fatal("renaming the characters changes a metric")
		}
	})
}
