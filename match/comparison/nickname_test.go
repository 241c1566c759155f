package comparison

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var nicknameLists = map[string]string{
	"nickname_en.txt": nicknamesEnglish, "nickname_fi.txt": nicknamesFinnish,
	"nickname_de.txt": nicknamesGerman, "nickname_sv.txt": nicknamesSwedish,
}

func TestNickname(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"william", "bill", true}, // English
		{"robert", "bob", true},
		{"elizabeth", "betty", true},
		{"bessie", "betsy", true}, // both of Elizabeth, neither a name of its own
		{"margaret", "peggy", true},
		{"matti", "masa", true}, // Finnish
		{"johanna", "hanna", true},
		{"juhani", "jukka", true},
		{"mikael", "micke", true},
		{"johannes", "hans", true}, // German
		{"josef", "sepp", true},
		{"friedrich", "fritz", true},
		{"katharina", "kathi", true},
		{"lars", "lasse", true}, // Swedish
		{"karl", "kalle", true},
		{"nils", "nisse", true},
		{"margareta", "greta", true},

		{"jussi", "hannu", false}, // both of Johannes, both names of their own
		{"mari", "marja", false},
		{"matti", "mikko", false},
		{"william", "robert", false},
		{"anna", "anna", false}, // equality is not this function's business
		{"anna", "", false},
		{"", "", false},
		{"zzz", "bill", false},
		{"bill", "zzz", false},
		{"William", "Bill", false}, // callers fold first
	} {
		if got := Nickname(c.a, c.b); got != c.want {
			t.Errorf("Nickname(%q, %q) = %v", c.a, c.b, got)
		}
		if got := Nickname(c.b, c.a); got != c.want {
			t.Errorf("Nickname(%q, %q) = %v", c.b, c.a, got)
		}
	}
}

// TestNicknamesEqualTheDefinition holds the built set against the definition
// of Related, worked out pair by pair from the lists' text.
func TestNicknamesEqualTheDefinition(t *testing.T) {
	short := make(map[[2]string]bool) // full name, short form
	own := make(map[string]bool)
	lines := make(map[string][][]string) // name → lines that have it as a short form
	names := make(map[string]bool)
	for _, list := range nicknameLists {
		for _, line := range strings.Split(list, "\n") {
			if line == "" || line[0] == '#' {
				continue
			}
			words := strings.Fields(line)
			own[words[0]] = true
			for i, word := range words[1:] {
				if name, marked := strings.CutSuffix(word, "+"); marked {
					own[name] = true
					words[i+1] = name
				}
			}
			names[words[0]] = true
			for _, name := range words[1:] {
				names[name] = true
				short[[2]string{words[0], name}] = true
				lines[name] = append(lines[name], words[1:])
			}
		}
	}
	want := func(a, b string) bool {
		if a == b {
			return false
		}
		if short[[2]string{a, b}] || short[[2]string{b, a}] {
			return true
		}
		if own[a] && own[b] {
			return false
		}
		return slices.ContainsFunc(lines[a], func(line []string) bool { return slices.Contains(line, b) })
	}
	set := Nicknames()
	if set.Len() != len(names) {
		t.Fatalf("the set has %d names, the lists %d", set.Len(), len(names))
	}
	related := 0
	sorted := slices.Sorted(maps.Keys(names))
	for i, a := range sorted {
		for j, b := range sorted {
			// All that the set relates, and an eighth of the rest.
			if (i+j)%8 != 0 && !set.Related(a, b) {
				continue
			}
			if got := set.Related(a, b); got != want(a, b) {
				t.Fatalf("Related(%q, %q) = %v", a, b, got)
			} else if got {
				related++
			}
		}
	}
	for pair := range short {
		if !set.Related(pair[0], pair[1]) {
			t.Fatalf("%q and %q are in the lists but not related", pair[0], pair[1])
		}
	}
	t.Logf("%d names, %d related pairs", len(names), related/2)
}

func TestNicknameListsAreWellFormed(t *testing.T) {
	line := regexp.MustCompile(`^[a-z]{2,}( [a-z]{2,}\+?)+$`)
	size := 0
	for file, list := range nicknameLists {
		size += len(list)
		last := ""
		for i, text := range strings.Split(strings.TrimSuffix(list, "\n"), "\n") {
			if strings.HasPrefix(text, "#") {
				continue
			}
			if !line.MatchString(text) {
				t.Errorf("%s:%d: %q is no full name with its short forms", file, i+1, text)
			}
			words := strings.Fields(strings.ReplaceAll(text, "+", ""))
			if words[0] <= last {
				t.Errorf("%s:%d: %q comes after %q", file, i+1, words[0], last)
			}
			last = words[0]
			if !slices.IsSorted(words[1:]) || len(slices.Compact(slices.Clone(words[1:]))) != len(words)-1 || slices.Contains(words[1:], words[0]) {
				t.Errorf("%s:%d: the short forms of %q are not sorted, each once", file, i+1, words[0])
			}
		}
	}
	if size > 150_000 {
		t.Errorf("the lists have %d bytes", size)
	}
}

// TestNicknamesAgainstLabelledPairs counts, on pairs of given names that
// genealogists have judged, how often related names were judged to match.
func TestNicknamesAgainstLabelledPairs(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "ref", "name_pairs", "name_pairs_ancestry_labelled.csv.gz")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the labelled name pairs are absent: ../shared/data/ref/name_pairs")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	judged := make(map[string]int)
	for lines := bufio.NewScanner(z); lines.Scan(); {
		cells := strings.Split(lines.Text(), ",") // set, name1, name2, label, nickname
		if cells[0] == "ancestry_given" && Nickname(cells[1], cells[2]) {
			judged[cells[3]]++
		}
	}
	t.Log(judged)
	if judged["match"] < 8*judged["nonmatch"] || judged["match"] < 800 {
		t.Errorf("of the related pairs %d were judged a match and %d not", judged["match"], judged["nonmatch"])
	}
}

func TestNicknameLookUpsAllocateNothing(t *testing.T) {
	set := Nicknames()
	if n := testing.AllocsPerRun(100, func() { set.Related("william", "bill") }); n != 0 {
		t.Errorf("Related allocates %v times", n)
	}
}

func BenchmarkNicknameRelated(b *testing.B) {
	set := Nicknames()
	pairs := [][2]string{{"william", "bill"}, {"matti", "juhani"}, {"xavier", "pekka"}, {"hanna", "johanna"}}
	i := 0
	for b.Loop() {
		set.Related(pairs[i&3][0], pairs[i&3][1])
		i++
	}
}

func BenchmarkNicknamesBuild(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newNicknameSet(nicknamesEnglish, nicknamesFinnish, nicknamesGerman, nicknamesSwedish)
	}
}
