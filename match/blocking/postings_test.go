package blocking

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

// TestFinderFindsThePartnersOfThePlan takes records of a table one by one into
// tables of their own: the postings of the plan propose for each exactly the
// records with which the plan pairs it, by the same rules, whatever the blocks
// were split by.
func TestFinderFindsThePartnersOfThePlan(t *testing.T) {
	fields := []record.Field{record.GivenName, record.FamilyName, record.BirthDate, record.Text}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "records")
		values := make([][]string, len(fields))
		for f := range fields {
			draw := rapid.SampledFrom([][]string{
				{"", "anna", "anna maria", "maria", "m", "liisa anna kaisa"},
				{"", "aalto", "aaltonen", "aalto virtanen", "virtanen", "von essen"},
				{"", "19800101", "19800102", "19810000", "19550704"},
				{"", "red car", "red bus", "blue car fast", "green", "red car fast"},
			}[f])
			for range n {
				values[f] = append(values[f], draw.Draw(t, "value"))
			}
		}
		table := testTable(t, fields, values)
		all := Expressions(table, nil)
		if len(all) < 3 {
			return
		}
		var rules []Rule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			a, b := rapid.SampledFrom(all).Draw(t, "a"), rapid.SampledFrom(all).Draw(t, "b")
			if a == b {
				rules = append(rules, NewRule(a))
			} else {
				rules = append(rules, NewRule(a, b))
			}
		}
		opt := Options{Limit: rapid.SampledFrom([]int{0, 2, 5}).Draw(t, "limit"), Splitters: all[:min(3, len(all))]}
		opt.Splitters = slices.DeleteFunc(slices.Clone(opt.Splitters), func(e *Expression) bool { return len(e.Slots) > 1 })
		plan := NewPlan(table, rules, opt)
		postings := plan.Postings()
		var words record.Counter
		for _, text := range seenTexts(table.Column(record.Text)) {
			for _, w := range distinct(text) {
				words.Add(w, holdersOf(table.Column(record.Text), w))
			}
		}
		whole := record.NewPopulation(uint32(n), []record.Counts{words.Counts(record.WordTexts(table.Column(record.Text)))})
		for i := range uint32(n) {
			one := make([][]string, len(fields))
			for f := range fields {
				one[f] = []string{values[f][i]}
			}
			alone := testTable(t, fields, one)
			alone.Whole = whole
			finder, err := NewFinder(postings, alone)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range finder.Keys(0) {
				for _, r := range postings.Block(k) {
					if r != i {
						got = append(got, fmt.Sprintf("%d by rule %d", r, k.Rule))
					}
				}
			}
			var want []string
			for k := range uint32(n) {
				if k != i {
					for _, rule := range plan.FoundBy(record.Pair{A: min(i, k), B: max(i, k)}) {
						want = append(want, fmt.Sprintf("%d by rule %d", k, rule))
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Fatalf("record %d: found %q, the plan pairs it with %q", i, got, want)
			}
		}
	})
}

// seenTexts are the distinct values of a column.
func seenTexts(c *record.Column) (texts []string) {
	for code := 1; code < c.Normal.Len(); code++ {
		texts = append(texts, c.Normal.At(uint32(code)))
	}
	return texts
}

// holdersOf counts the distinct values that hold a word.
func holdersOf(c *record.Column, word string) (n uint32) {
	for _, text := range seenTexts(c) {
		if slices.Contains(distinct(text), word) {
			n++
		}
	}
	return n
}
