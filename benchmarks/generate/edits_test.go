package generate

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/antzucaro/matchr"
	"pgregory.net/rapid"
)

func TestCivilAgreesWithTime(t *testing.T) {
	for day := int32(-40_000); day < 25_000; day++ {
		want := time.Unix(int64(day)*86400, 0).UTC()
		if y, m, d := civil(day); y != want.Year() || m != int(want.Month()) || d != want.Day() {
			t.Fatalf("day %d is %d-%d-%d, not %v", day, y, m, d, want)
		}
	}
	for day, want := range map[int32]string{windowStart: "2014-01-01", windowEnd: "2026-10-31"} {
		if got := string(appendISO(nil, day)); got != want {
			t.Errorf("%d is %s, not %s", day, got, want)
		}
	}
	if got := string(appendFinnish(nil, windowEnd)); got != "31.10.2026" {
		t.Errorf("got %s", got)
	}
}

func TestWrongBirthIsADate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := stream{rapid.Uint64().Draw(t, "seed")}
		day := rapid.Int32Range(-25_000, windowEnd).Draw(t, "day")
		got := string(wrongBirth(nil, &r, day))
		wrong, err := time.Parse("2006-01-02", got)
		if err != nil {
			t.Fatal(err)
		}
		right := time.Unix(int64(day)*86400, 0).UTC()
		same := one(wrong.Year() == right.Year()) + one(wrong.Month() == right.Month()) + one(wrong.Day() == right.Day())
		if same == 0 {
			t.Fatalf("%s for %v: nothing is right", got, right)
		}
	})
}

func TestMisspellMakesOneOrTwoEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := stream{rapid.Uint64().Draw(t, "seed")}
		name := rapid.StringMatching(`[A-ZÄÖ][a-zäöå]{1,12}`).Draw(t, "name")
		isName := rapid.Bool().Draw(t, "isName")
		got := string(misspell(nil, &r, []byte(name), isName))
		if got == name {
			t.Fatalf("%s was not misspelt", name)
		}
		// A phonetic edit (ks for x) is at most two edits of one letter.
		if d := matchr.DamerauLevenshtein(name, got); d > 4 {
			t.Fatalf("%s for %s is %d edits", got, name, d)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
	})
}

// TestEditKinds checks the published mix on a long word of distinct letters.
func TestEditKinds(t *testing.T) {
	r := stream{1}
	const n = 40_000
	word := []rune("palvelujkymhgtro")
	shorter, longer, first, swapped := 0, 0, 0, 0
	for range n {
		got := edit(&r, slices.Clone(word), false)
		shorter += one(len(got) < len(word))
		longer += one(len(got) > len(word))
		if len(got) == len(word) {
			first += one(got[0] != word[0])
			var differ []int
			for i := range got {
				if got[i] != word[i] {
					differ = append(differ, i)
				}
			}
			swapped += one(len(differ) == 2)
		}
	}
	near(t, "deletions", 0.33, shorter, n)
	near(t, "insertions", 0.20, longer, n)
	near(t, "transpositions", 0.11, swapped, n, 0.002)
	// Substitutions at the first letter, and transpositions of the first two,
	// which come from position 0 and from none other.
	near(t, "first letter", firstLetter*(0.36+0.11), first, n)
}

func TestUpperAndLowerAgreeWithStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("aåäözAÅÄÖZł ŁéÉ-.'šŠ1"))).Draw(t, "s")
		if got := string(appendUpper(nil, []byte(s))); got != strings.ToUpper(s) {
			t.Fatalf("%q: %q", s, got)
		}
		if got := string(appendLower(nil, []byte(s))); got != strings.ToLower(s) {
			t.Fatalf("%q: %q", s, got)
		}
	})
}

func TestBrokenEncodings(t *testing.T) {
	for _, c := range []struct {
		kind int
		want string
	}{{mojibake, "MÃ¤kinen"}, {noDots, "Makinen"}, {question, "M?kinen"}} {
		if got := string(appendBroken(nil, []byte("Mäkinen"), c.kind)); got != c.want {
			t.Errorf("kind %d: %s", c.kind, got)
		}
	}
}

func TestCellsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab,;\t\"\n å\\\x01"))).Draw(t, "s")
		var b bytes.Buffer
		w := bufio.NewWriter(&b)
		w.WriteString("x;")
		writeCell(w, s, ';')
		w.WriteString("\n")
		w.Flush()
		r := csv.NewReader(&b)
		r.Comma = ';'
		row, err := r.Read()
		if err != nil || row[1] != s {
			t.Fatalf("%q reads as %q, %v", s, row, err)
		}
		b.Reset()
		writeString(w, s)
		w.Flush()
		var back string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back != s {
			t.Fatalf("%q reads as %q, %v", s, back, err)
		}
	})
}

func TestFold(t *testing.T) {
	for name, want := range map[string]string{
		"Mäkinen": "makinen", "Öhman": "ohman", "Åström": "astrom", "Kaisa-Leena": "kaisa-leena", "Łukasz": "lukasz",
		"O'Brien": "obrien", "Yılmaz": "yilmaz", "Þór": "or", "Ж": "x",
	} {
		if got := fold(name); got != want {
			t.Errorf("%s folds to %s", name, got)
		}
	}
}

func TestPhoneFormats(t *testing.T) {
	for format, want := range []string{"0401234567", "+358401234567", "040 123 4567", "040-1234567", "00358401234567", "+358 40 123 4567", "+358(0)40 1234567"} {
		if got := string(appendPhoneAs(nil, []byte("401234567"), format)); got != want {
			t.Errorf("format %d: %s", format, got)
		}
	}
}
