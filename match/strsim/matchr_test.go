package strsim

import (
	"testing"

	"github.com/antzucaro/matchr"
)

// matchr is an independent implementation, right but for these cases:
//   - two empty strings have similarity 0;
//   - Jaro-Winkler's common prefix ends at the first digit;
//   - OSA does not see a transposition whose second character is at position 1
//     or 2 of either string.

func TestJaroEqualsMatchr(t *testing.T) {
	p := newPairs(t, 11)
	for range *pairs {
		a, b := p.next(40)
		if a == "" && b == "" {
			continue
		}
		if got, want := Jaro(a, b), matchr.Jaro(a, b); !near(got, want) {
			t.Fatalf("Jaro(%q, %q) = %v, matchr %v", a, b, got, want)
		}
		if digitInPrefix(a, b) {
			continue
		}
		if got, want := JaroWinkler(a, b), matchr.JaroWinkler(a, b, false); !near(got, want) {
			t.Fatalf("JaroWinkler(%q, %q) = %v, matchr %v", a, b, got, want)
		}
	}
}

// digitInPrefix reports whether one of the first four characters is a digit on
// both sides, and equal.
func digitInPrefix(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for i := range min(len(x), len(y), 4) {
		if x[i] == y[i] && x[i] >= '0' && x[i] <= '9' {
			return true
		}
	}
	return false
}

func TestOSAEqualsMatchr(t *testing.T) {
	p := newPairs(t, 12)
	for range *pairs {
		a, b := p.next(40)
		// Two foreign characters in front keep transpositions out of the
		// positions at which matchr does not look.
		got, want := OSA(a, b), matchr.OSA("\U0001F680\U0001F681"+a, "\U0001F680\U0001F681"+b)
		if got != want {
			t.Fatalf("OSA(%q, %q) = %d, matchr %d", a, b, got, want)
		}
	}
}

func TestDistancesEqualMatchr(t *testing.T) {
	p := newPairs(t, 13)
	for range *pairs {
		a, b := p.next(30)
		if got, want := Levenshtein(a, b), matchr.Levenshtein(a, b); got != want {
			t.Fatalf("Levenshtein(%q, %q) = %d, matchr %d", a, b, got, want)
		}
		if got, want := DamerauLevenshtein(a, b), matchr.DamerauLevenshtein(a, b); got != want {
			t.Fatalf("DamerauLevenshtein(%q, %q) = %d, matchr %d", a, b, got, want)
		}
	}
}

func TestMatchrsFaultsAreNotOurs(t *testing.T) {
	if got := JaroWinkler("32", "3"); !near(got, 0.85) {
		t.Errorf(`JaroWinkler("32", "3") = %v`, got)
	}
	if got := JaroWinkler("128 bryant court nasflyto", "128 brynt court nasflyto"); got < 0.9503 || got > 0.99 {
		t.Errorf("JaroWinkler of a street with its number = %v", got)
	}
	if OSA("ab", "ba") != 1 || OSA("sullivan", "usllivan") != 1 {
		t.Error("OSA misses a transposition at the start")
	}
	if matchr.JaroWinkler("32", "3", false) == JaroWinkler("32", "3") || matchr.OSA("ab", "ba") == 1 ||
		matchr.Jaro("", "") == 1 {
		t.Error("matchr has changed: the exceptions of this file are out of date")
	}
}
