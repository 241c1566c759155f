package comparison

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"sama/match/strsim"
	"sama/record"
)

// levelsOf compares two rows under a specification written as YAML.
func levelsOf(t *testing.T, spec string, columns []string, a, b []string) string {
	t.Helper()
	fields := make([]record.Field, len(columns))
	for i := range fields {
		fields[i] = record.Field(int(record.GivenName) + i)
	}
	table := testTable(t, fields, [][]string{a, b})
	for i, name := range columns {
		table.Columns[i].Name = name
	}
	l := new(Layout)
	c, err := NewLevels(l, table, parseLevels(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	out := [2]Vector{}
	c.Compare(NewScratch(), l.Rows(2), []record.Pair{{A: 0, B: 1}, {A: 1, B: 0}}, out[:], 0)
	if out[0] != out[1] {
		t.Errorf("%v and %v: not symmetric", a, b)
	}
	return c.Levels()[out[0][0]].Label
}

func parseLevels(t interface{ Fatal(...any) }, text string) LevelSpec {
	var spec LevelSpec
	if err := yaml.UnmarshalWithOptions([]byte(text), &spec, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return spec
}

const (
	nameSpec = `
columns: [x]
levels:
  - {is: exact, term_frequency: true}
  - {is: jaro_winkler, at_least: 0.92}
  - {is: damerau_levenshtein, at_most: 1}
  - {is: levenshtein, at_most: 2, label: two edits}
`
	dateSpec = `
columns: [x]
levels:
  - {is: exact}
  - {is: date_within, at_most: 3}
  - {is: date_within, at_most: 1, unit: month}
  - {is: date_within, at_most: 1, unit: year}
`
	emailSpec = `
columns: [x]
levels:
  - {is: exact}
  - {is: email_user}
  - {is: email_user, at_least: 0.88}
`
	numberSpec = `
columns: [x]
levels:
  - {is: exact}
  - {is: number_within, below: 0.1}
`
	pairSpec = `
name: names
columns: [x, y]
levels:
  - all: [{is: exact, column: x}, {is: exact, column: y}]
  - {is: swapped, column: x, with: y}
  - all: [{is: jaro_winkler, column: x, at_least: 0.9}, {is: exact, column: y}]
  - {is: exact, column: y, term_frequency: true}
`
)

func TestLevels(t *testing.T) {
	for _, c := range []struct{ spec, a, b, want string }{
		{nameSpec, "martha", "martha", "equal"},
		{nameSpec, "martha", "marhta", "Jaro-Winkler ≥ 0.92"}, // 0.961
		{nameSpec, "ab", "ba", "Damerau-Levenshtein ≤ 1"},
		{nameSpec, "ca", "abc", "differ"}, // 2 by Damerau-Levenshtein, 3 by Levenshtein
		{nameSpec, "abcd", "xbcy", "two edits"},
		{nameSpec, "é", "e", "Damerau-Levenshtein ≤ 1"}, // one code point
		{nameSpec, "martha", "", "missing"},
		{nameSpec, "", "", "missing"},
		{dateSpec, "20240228", "20240302", "within 3 day"},
		{dateSpec, "2024-02-28", "20240302", "within 3 day"},
		{dateSpec, "20230228", "20230304", "within 1 month"},
		{dateSpec, "20240101", "20240131", "within 1 month"}, // 30 days
		{dateSpec, "20240101", "20240201", "within 1 year"},  // 31 days are more than 30.4375
		{dateSpec, "20230101", "20240101", "within 1 year"},  // 365 days
		{dateSpec, "20240101", "20250101", "differ"},         // 366 days
		{dateSpec, "20240230", "20240229", "differ"},         // no such day
		{dateSpec, "20240000", "20240101", "differ"},         // unknown parts
		{emailSpec, "a.b@x.fi", "a.b@y.fi", "user equal"},
		{emailSpec, "anna.virtanen@x.fi", "anna.virtane@y.fi", "user Jaro-Winkler ≥ 0.88"},
		{emailSpec, "@x.fi", "@y.fi", "differ"},
		{emailSpec, "a.b", "a.b@y.fi", "user equal"},
		{numberSpec, "100", "90.01", "differ by less than 10 %"},
		{numberSpec, "100", "90", "differ"},
		{numberSpec, "100", "1e2", "differ by less than 10 %"},
		{numberSpec, "-100", "100", "differ"},
		{numberSpec, "0", "-0", "differ by less than 10 %"},
		{numberSpec, "x", "100", "differ"},
		{numberSpec, "inf", "100", "differ"},
	} {
		if got := levelsOf(t, c.spec, []string{"x"}, []string{c.a}, []string{c.b}); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	for _, c := range []struct{ a, b, want string }{
		{"anna|virtanen", "anna|virtanen", "x equal, y equal"},
		{"anna|virtanen", "virtanen|anna", "x swapped with y"},
		{"anna|anna", "anna|anna", "x equal, y equal"},
		{"annika|virtanen", "annikka|virtanen", "x Jaro-Winkler ≥ 0.9, y equal"},
		{"|virtanen", "anna|virtanen", "y equal"},
		{"|virtanen", "anna|", "missing"},
		{"anna|", "anna|virtanen", "differ"},
		{"anna|", "|anna", "missing"},
	} {
		if got := levelsOf(t, pairSpec, []string{"x", "y"}, strings.Split(c.a, "|"), strings.Split(c.b, "|")); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

// TestLevelsAreTheConditionsInOrder compares signatures, masks and caches with
// the plain metrics on many pairs of one table.
func TestLevelsAreTheConditionsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abcé1]{0,7}`)
		n := rapid.IntRange(2, 30).Draw(t, "records")
		rows := make([][]string, n)
		for i := range rows {
			rows[i] = []string{word.Draw(t, "value")}
		}
		table := testTable(t, []record.Field{record.GivenName}, rows)
		threshold := float64(rapid.IntRange(50, 99).Draw(t, "threshold")) / 100
		k := rapid.IntRange(1, 3).Draw(t, "edits")
		spec := LevelSpec{Columns: []string{"given_name"}, Levels: []LevelRule{
			{Condition: Condition{Is: IsJaroWinkler, AtLeast: threshold}},
			{Condition: Condition{Is: IsLevenshtein, AtMost: float64(k)}},
			{Condition: Condition{Is: IsDamerauLevenshtein, AtMost: float64(k)}},
			{Condition: Condition{Is: IsNumberWithin, Below: 0.5}},
		}}
		l := new(Layout)
		c, err := NewLevels(l, table, spec)
		if err != nil {
			t.Fatal(err)
		}
		var pairs []record.Pair
		for a := range uint32(n) {
			for b := range uint32(n) {
				pairs = append(pairs, record.Pair{A: a, B: b})
			}
		}
		out := make([]Vector, len(pairs))
		scratch := NewScratch()
		for range 2 { // once more, from the cache
			c.Compare(scratch, l.Rows(n), pairs, out, 3)
			for i, p := range pairs {
				if want := plainLevel(rows[p.A][0], rows[p.B][0], threshold, k); out[i][3] != want {
					t.Fatalf("%q, %q: level %d, want %d", rows[p.A][0], rows[p.B][0], out[i][3], want)
				}
			}
		}
	})
}

func plainLevel(a, b string, threshold float64, k int) uint8 {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	switch {
	case a == "" || b == "":
		return 0
	case strsim.JaroWinkler(a, b) >= threshold:
		return 1
	case strsim.Levenshtein(a, b) <= k:
		return 2
	case strsim.DamerauLevenshtein(a, b) <= k:
		return 3
	case errA == nil && errB == nil && (x == y || math.Abs(x-y)/max(math.Abs(x), math.Abs(y)) < 0.5):
		return 4
	}
	return 5
}

func TestLevelSpecSurvivesWriting(t *testing.T) {
	for _, text := range []string{nameSpec, dateSpec, emailSpec, numberSpec, pairSpec} {
		spec := parseLevels(t, text)
		written, err := yaml.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		again := parseLevels(t, string(written))
		asJSON, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON LevelSpec
		if err := json.Unmarshal(asJSON, &fromJSON); err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(spec)
		for _, other := range []LevelSpec{again, fromJSON} {
			if got, _ := json.Marshal(other); string(got) != string(want) {
				t.Errorf("written and read again:\n%s\nwas\n%s", got, want)
			}
		}
	}
}

func TestBadLevelsAreNamed(t *testing.T) {
	table := testTable(t, []record.Field{record.GivenName, record.FamilyName}, [][]string{{"a", "b"}, {"c", "d"}})
	for _, c := range []struct{ spec, want string }{
		{`{columns: [given_name]}`, `comparison "given_name": needs columns and levels`},
		{`{columns: [shoe_size], levels: [{is: exact}]}`, `there is no column "shoe_size"; the columns are given_name, family_name`},
		{`{columns: [given_name], levels: [{is: exact}, {is: jaro_winkler}]}`, `comparison "given_name", level 2: jaro_winkler needs at_least`},
		{`{columns: [given_name], levels: [{is: jaro_winkler, at_least: 92}]}`, `at most 1, such as 0.92`},
		{`{columns: [given_name], levels: [{is: levenshtein, at_most: 1.5}]}`, `levenshtein needs at_most, a whole number`},
		{`{columns: [given_name], levels: [{is: date_within}]}`, `date_within needs at_most`},
		{`{columns: [given_name], levels: [{is: number_within}]}`, `number_within needs below`},
		{`{columns: [given_name], levels: [{is: exact, column: family_name}]}`, `column "family_name" is not among the comparison's columns`},
		{`{columns: [given_name], levels: [{is: swapped}]}`, `swapped needs column and with`},
		{`{columns: [given_name], levels: [{label: nothing}]}`, `says no condition`},
		{`{columns: [given_name], levels: [{is: jaro_winkler, at_least: 0.9, term_frequency: true}]}`, `needs an exact level on the same column`},
		{`{columns: [given_name], term_frequency_floor: 2, levels: [{is: exact, term_frequency: true}]}`, `term_frequency_floor is 2`},
		{`{columns: [given_name, family_name], levels: [{all: [{is: exact}, {is: exact, column: family_name}], term_frequency: true}]}`, `not on several`},
	} {
		_, err := NewLevels(new(Layout), table, parseLevels(t, c.spec))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.spec, err, c.want)
		}
	}
	var spec LevelSpec
	err := yaml.UnmarshalWithOptions([]byte(`{columns: [a], levels: [{is: exakt}]}`), &spec, yaml.Strict())
	if err == nil || !strings.Contains(err.Error(), `unknown condition "exakt"; the conditions are exact, jaro_winkler`) {
		t.Errorf("got %v", err)
	}
}

func TestComparingLevelsAllocatesNothing(t *testing.T) {
	table := testTable(t, []record.Field{record.GivenName, record.FamilyName}, [][]string{{"anna", "virtanen"}, {"anne", "virtanne"}, {"matti", "meikäläinen"}})
	table.Columns[0].Name, table.Columns[1].Name = "x", "y"
	l := new(Layout)
	c, err := NewLevels(l, table, parseLevels(t, pairSpec))
	if err != nil {
		t.Fatal(err)
	}
	rows, scratch, out := l.Rows(3), NewScratch(), make([]Vector, 3)
	pairs := []record.Pair{{A: 0, B: 1}, {A: 0, B: 2}, {A: 1, B: 2}}
	if n := testing.AllocsPerRun(100, func() { c.Compare(scratch, rows, pairs, out, 0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
