package blocking

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

// testTable makes a table with one column per field, whose values are given
// record by record.
func testTable(t interface{ Fatal(...any) }, fields []record.Field, values [][]string) *record.Table {
	n := len(values[0])
	table := &record.Table{Sources: []string{"s"}, Source: make([]uint16, n)}
	var ids record.StringsBuilder
	for i := range n {
		if _, err := ids.Append(fmt.Sprintf("%06d", i)); err != nil {
			t.Fatal(err)
		}
	}
	table.IDs = ids.Build()
	for f, field := range fields {
		var in record.Interner
		codes := make([]uint32, n)
		for i, v := range values[f] {
			codes[i] = in.Code(v)
		}
		counts := make([]uint32, in.Len())
		for _, c := range codes {
			counts[c]++
		}
		text, err := in.Strings()
		if err != nil {
			t.Fatal(err)
		}
		table.Columns = append(table.Columns, &record.Column{Field: field, Name: field.String(),
			Raw: codes, RawText: text, Code: codes, Normal: text, Count: counts})
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table
}

// collect returns the pairs of a plan with the rule that found each, sorted.
func collect(t interface{ Fatal(...any) }, p *Plan, workers int) map[record.Pair]int {
	var mu sync.Mutex
	found := make(map[record.Pair]int)
	err := p.Enumerate(context.Background(), workers, func(_, rule int, pairs []record.Pair) {
		mu.Lock()
		defer mu.Unlock()
		for _, pair := range pairs {
			if _, twice := found[pair]; twice {
				t.Fatal("pair proposed twice: ", pair)
			}
			found[pair] = rule
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// agree says whether two records have a value of every expression in common.
func agree(r Rule, a, b int) bool {
	for _, e := range r.Expressions {
		same := false
		for _, x := range e.Slots {
			for _, y := range e.Slots {
				same = same || x[a] != 0 && x[a] == y[b]
			}
		}
		if !same {
			return false
		}
	}
	return true
}

// TestPairsEqualBruteForce checks set and attribution of the pairs against
// looking at every pair of records and every rule.
func TestPairsEqualBruteForce(t *testing.T) {
	fields := []record.Field{record.GivenName, record.FamilyName, record.BirthDate, record.PostalCode}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		words := [][]string{{"", "anna", "anna maria", "maria anna", "matti", "m"}, {"", "virtanen", "korhonen laine", "laine"},
			{"", "19800101", "19800102", "19900101"}, {"", "00100", "00120", "33100"}}
		values := make([][]string, len(fields))
		for f := range fields {
			for range n {
				values[f] = append(values[f], rapid.SampledFrom(words[f]).Draw(t, "value"))
			}
		}
		table := testTable(t, fields, values)
		all := Expressions(table, nil)
		if len(all) == 0 {
			return
		}
		var rules []Rule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			var es []*Expression
			for range rapid.IntRange(1, 2).Draw(t, "expressions") {
				es = append(es, rapid.SampledFrom(all).Draw(t, "expression"))
			}
			rules = append(rules, NewRule(es...))
		}
		want := make(map[record.Pair]int)
		for a := range n {
			for b := a + 1; b < n; b++ {
				for r, rule := range rules {
					if agree(rule, a, b) {
						want[record.Pair{A: uint32(a), B: uint32(b)}] = r
						break
					}
				}
			}
		}
		p := NewPlan(table, rules, Options{})
		for _, workers := range []int{1, 3} {
			got := collect(t, p, workers)
			if len(got) != len(want) {
				t.Fatalf("%d pairs, want %d (rules %v)", len(got), len(want), rules)
			}
			for pair, rule := range want {
				if r, ok := got[pair]; !ok || r != rule {
					t.Fatalf("pair %v: rule %d (found %v), want %d", pair, r, ok, rule)
				}
			}
		}
	})
}

// TestSplitKeepsLimitAndCounts checks that split blocks hold the limit, that
// every pair of the unsplit rule is either proposed, or its records differ in
// a splitter, or its block was given up and counted.
func TestSplitKeepsLimitAndCounts(t *testing.T) {
	var given, family, postal []string
	for i := range 300 {
		given = append(given, []string{"anna", "matti", "liisa"}[i%3])
		family = append(family, "virtanen")
		postal = append(postal, []string{"00100", "00200", "00300", "00400", ""}[i%5])
	}
	table := testTable(t, []record.Field{record.GivenName, record.FamilyName, record.PostalCode}, [][]string{given, family, postal})
	all := Expressions(table, nil)
	rule, err := ParseRule("family_name", all)
	if err != nil {
		t.Fatal(err)
	}
	var splitters []*Expression
	for _, e := range all {
		if e.Name == "postal_code" || e.Name == "given_name.sound" || e.Name == "given_name.initial" {
			splitters = append(splitters, e)
		}
	}
	slices.SortFunc(splitters, func(a, b *Expression) int { return b.index - a.index })
	p := NewPlan(table, []Rule{rule}, Options{Limit: 25, Splitters: splitters})
	got := collect(t, p, 2)
	if p.Stats[0].Largest > 25 {
		t.Errorf("largest block %d", p.Stats[0].Largest)
	}
	if p.Stats[0].Split != 1 {
		t.Errorf("%d blocks split", p.Stats[0].Split)
	}
	for pair := range got {
		if postal[pair.A] != postal[pair.B] {
			t.Fatalf("pair %v crosses the splitter", pair)
		}
	}
	// 60 records have no postal code: their pairs are given up, and counted.
	if p.Stats[0].GivenUpPairs < pairsOf(60) {
		t.Errorf("given up %d pairs", p.Stats[0].GivenUpPairs)
	}
	if int64(len(got)) != p.Pairs() {
		t.Errorf("%d pairs, counted %d", len(got), p.Pairs())
	}
}

func TestAllPairs(t *testing.T) {
	table := testTable(t, []record.Field{record.GivenName}, [][]string{{"a", "", "b", "c"}})
	got := collect(t, NewPlan(table, []Rule{AllPairs}, Options{Limit: 2}), 1)
	if len(got) != 6 {
		t.Fatalf("%d pairs, want 6", len(got))
	}
}

func TestParseRuleNamesWhatThereIs(t *testing.T) {
	table := testTable(t, []record.Field{record.GivenName}, [][]string{{"anna", "anna"}})
	all := Expressions(table, nil)
	if r, err := ParseRule(" given_name.initial+given_name ", all); err != nil || r.Name != "given_name.initial + given_name" {
		t.Errorf("rule %q, error %v", r.Name, err)
	}
	if _, err := ParseRule("given_name + shoe_size", all); err == nil {
		t.Error("no error for an unknown expression")
	}
}
