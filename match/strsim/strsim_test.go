package strsim

import "testing"

func TestKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		a, b          string
		jaro, winkler float64
		lev, osa, dl  int
	}{
		{"", "", 1, 1, 0, 0, 0},
		{"", "abc", 0, 0, 3, 3, 3},
		{"a", "a", 1, 1, 0, 0, 0},
		{"a", "b", 0, 0, 1, 1, 1},
		{"martha", "marhta", 17.0 / 18, 0.9611111111111111, 2, 1, 1},
		{"dwayne", "duane", 0.8222222222222223, 0.8400000000000001, 2, 2, 2},
		{"dixon", "dicksonx", 0.7666666666666666, 0.8133333333333332, 4, 4, 4},
		{"ab", "ba", 0, 0, 2, 1, 1},
		{"ca", "abc", 0, 0, 3, 3, 2},
		{"kitten", "sitting", 0.746031746031746, 0.746031746031746, 3, 3, 3},
		{"é", "e", 0, 0, 1, 1, 1},
		{"josé", "jose", 0.8333333333333334, 0.8833333333333333, 1, 1, 1},
	} {
		if got := Jaro(c.a, c.b); !near(got, c.jaro) {
			t.Errorf("Jaro(%q, %q) = %v, want %v", c.a, c.b, got, c.jaro)
		}
		if got := JaroWinkler(c.a, c.b); !near(got, c.winkler) {
			t.Errorf("JaroWinkler(%q, %q) = %v, want %v", c.a, c.b, got, c.winkler)
		}
		got := [3]int{Levenshtein(c.a, c.b), OSA(c.a, c.b), DamerauLevenshtein(c.a, c.b)}
		if want := [3]int{c.lev, c.osa, c.dl}; got != want {
			t.Errorf("Levenshtein, OSA, DamerauLevenshtein(%q, %q) = %v, want %v", c.a, c.b, got, want)
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }
