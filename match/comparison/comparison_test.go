package comparison

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

// testTable makes a table of one source with one column per field.
func testTable(t interface{ Fatal(...any) }, fields []record.Field, rows [][]string) *record.Table {
	table := &record.Table{Sources: []string{"s"}, Source: make([]uint16, len(rows))}
	var ids record.StringsBuilder
	for i := range rows {
		if _, err := ids.Append(fmt.Sprintf("%06d", i)); err != nil {
			t.Fatal(err)
		}
	}
	table.IDs = ids.Build()
	for f, field := range fields {
		var in record.Interner
		codes := make([]uint32, len(rows))
		for i, row := range rows {
			codes[i] = in.Code(row[f])
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
	return table
}

// label returns the label of the level of records 0 and 1 in one comparison.
func label(t *testing.T, fields []record.Field, make func(*Layout, *record.Table) Comparison, a, b []string) string {
	t.Helper()
	table := testTable(t, fields, [][]string{a, b})
	l := new(Layout)
	c := make(l, table)
	out := [1]Vector{}
	c.Compare(NewScratch(), l.Rows(2), []record.Pair{{A: 0, B: 1}}, out[:], 0)
	return c.Levels()[out[0][0]].Label
}

func TestNameLevels(t *testing.T) {
	fields := []record.Field{record.GivenName, record.FamilyName}
	for _, c := range []struct{ a, b, want string }{
		{"anna|virtanen", "anna|virtanen", "given names equal, family names equal"},
		{"anna maria|virtanen", "maria|virtanen", "one given name equal, family names equal"},
		{"a|virtanen", "anna|virtanen", "initial or nickname, family names equal"},
		{"b|virtanen", "anna|virtanen", "given names differ, family names equal"},
		{"william|smith", "bill|smith", "initial or nickname, family names equal"},
		{"jonna|virtanen", "jona|virtanne", "given name one edit off, family names nearly equal"},
		{"anna|virtanen", "virtanen|anna", "given and family name swapped"},
		{"anna|virtanen", "anna|korhonen", "given names equal, family names differ"},
		{"anna|virtanen laine", "anna|virtanen", "given names equal, family names nearly equal"},
		{"anna|mac an", "anna|macan", "given names equal, family names nearly equal"},
		{"anna|", "anna|virtanen", "given names equal, family name missing"},
		{"|virtanen", "anna|virtanen", "given name missing, family names equal"},
		{"|", "anna|virtanen", "name missing"},
		{"kalle|aaltonen", "mirja|kivi", "given names differ, family names differ"},
	} {
		got := label(t, fields, NewName, strings.Split(c.a, "|"), strings.Split(c.b, "|"))
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s / %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestFormerFamilyNameCounts(t *testing.T) {
	fields := []record.Field{record.GivenName, record.FamilyName, record.OtherName}
	got := label(t, fields, NewName, []string{"anna", "virtanen", "laine"}, []string{"anna", "laine", ""})
	if !strings.HasPrefix(got, "given names equal, family names nearly equal") {
		t.Errorf("former family name: %q", got)
	}
}

func TestDateLevels(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"19800517", "19800517", "equal"},
		{"19800101", "19800101", "equal, a common date"},
		{"19800517", "19800518", "one digit or a swap apart"},
		{"19800517", "19800571", "one digit or a swap apart"},
		{"19800507", "19800705", "one digit or a swap apart"},
		{"19800517", "19800101", "same year, one side 1 January"},
		{"19800000", "19800517", "equal as far as known"},
		{"19800517", "19800529", "two parts of three equal"},
		{"19800517", "19810518", "two digits apart"},
		{"19800517", "19801129", "one part of three equal"},
		{"19800517", "19451129", "differ"},
		{"19800517", "", "missing"},
	} {
		newDate := func(l *Layout, t *record.Table) Comparison { return NewDate(l, t.Columns[0]) }
		if got := label(t, []record.Field{record.BirthDate}, newDate, []string{c.a}, []string{c.b}); got != c.want {
			t.Errorf("%s / %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestEmailLevels(t *testing.T) {
	fields := []record.Field{record.Email, record.GivenName, record.FamilyName}
	newEmail := func(l *Layout, t *record.Table) Comparison { return NewEmail(l, t, t.Columns[0]) }
	for _, c := range []struct{ a, b, want string }{
		{"a.v@x.fi|anna|virtanen", "a.v@x.fi|anna|virtanen", "equal, used by one given name"},
		{"anna.matti@x.fi|anna|virtanen", "anna.matti@x.fi|matti|virtanen", "equal, carries both given names"},
		{"anna@x.fi|anna|virtanen", "anna@x.fi|matti|virtanen", "equal, used by two given names"},
		{"anna.virtanen@x.fi|anna|virtanen", "anna.virtanen@y.fi|anna|virtanen", "equal before the @"},
		{"anna.virtanen@x.fi|anna|virtanen", "ana.virtanen@x.fi|anna|virtanen", "one edit apart"},
		{"anna.virtanen@x.fi|anna|virtanen", "|anna|virtanen", "one missing, the other fits the name"},
		{"a.virtanen@x.fi|anna|virtanen", "|anna|virtanen", "one missing, the other fits the name"},
		{"kissa@x.fi|anna|virtanen", "|anna|virtanen", "one missing, the other fits no name"},
		{"kissa@x.fi|anna|virtanen", "qqq12@x.fi|anna|virtanen", "differ"},
		{"|anna|virtanen", "|anna|virtanen", "missing"},
	} {
		if got := label(t, fields, newEmail, strings.Split(c.a, "|"), strings.Split(c.b, "|")); got != c.want {
			t.Errorf("%s / %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestAddressLevels(t *testing.T) {
	fields := []record.Field{record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City}
	for _, c := range []struct{ a, b, want string }{
		{"koivupolku|5|b 2|00100|helsinki", "koivupolku|5|b 2|00100|helsinki", "street, number, flat and postal code equal"},
		{"koivupolku|5|b 2|00100|helsinki", "koivupolku|5||00100|helsinki", "street, number and postal code equal, flat missing"},
		{"koivupolku|5|b 2|00100|helsinki", "koivupolku|5|b 3|00100|helsinki", "street, number and postal code equal, flats differ"},
		{"koivupolku|5||00100|helsinki", "koivupolku|5||33100|tampere", "street and number equal, postal codes differ"},
		{"koivupolku|5||00100|helsinki", "koivupolkku|5||00100|helsinki", "street nearly equal, number and postal code equal"},
		{"koivupolku|5||00100|helsinki", "lehtitie|7||00100|helsinki", "postal code equal, streets differ"},
		{"koivupolku|5||00100|helsinki", "lehtitie|7||00140|helsinki", "city equal"},
		{"koivupolku|5||00100|helsinki", "lehtitie|7||00140|espoo", "postal codes share three digits"},
		{"koivupolku|5||00100|helsinki", "lehtitie|7||33100|tampere", "differ"},
		{"||||", "lehtitie|7||33100|tampere", "missing"},
	} {
		if got := label(t, fields, NewAddress, strings.Split(c.a, "|"), strings.Split(c.b, "|")); got != c.want {
			t.Errorf("%s / %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestTextLevels(t *testing.T) {
	newText := func(l *Layout, t *record.Table) Comparison { return NewText(l, t.Columns[0]) }
	order := []string{
		"queries over data streams", "queries over data stream", "queries over streams", "data mining", "shoes and boots",
	}
	before := 1 << 10
	for _, b := range order {
		table := testTable(t, []record.Field{record.Text}, [][]string{{order[0]}, {b}, {"data mining for all"}, {"unlike"}})
		l := new(Layout)
		c := NewText(l, table.Columns[0])
		out := [1]Vector{}
		c.Compare(NewScratch(), l.Rows(4), []record.Pair{{A: 0, B: 1}}, out[:], 0)
		rank := int(out[0][0])
		if rank <= len(textHolders)+1 {
			rank = 100 // equal
		}
		if rank > before {
			t.Errorf("%q agrees more than the one before it", b)
		}
		before = rank
	}
	if got := label(t, []record.Field{record.Text}, newText, []string{""}, []string{"x"}); got != "missing" {
		t.Errorf("null text: %q", got)
	}
}

// TestComparisonsAreSymmetric checks that the order of the two records does
// not matter and that equal records reach an agreeing level, for any values.
func TestComparisonsAreSymmetric(t *testing.T) {
	fields := []record.Field{record.GivenName, record.FamilyName, record.Email, record.Street, record.HouseNumber, record.PostalCode, record.BirthDate, record.Phone}
	makers := map[string]func(*Layout, *record.Table) Comparison{
		"name": NewName, "given": NewGiven, "family": NewFamily, "address": NewAddress, "phone": NewPhone,
		"email":  func(l *Layout, t *record.Table) Comparison { return NewEmail(l, t, t.Columns[2]) },
		"street": func(l *Layout, t *record.Table) Comparison { return NewValue(l, t.Columns[3]) },
		"postal": func(l *Layout, t *record.Table) Comparison { return NewValue(l, t.Columns[5]) },
		"date":   func(l *Layout, t *record.Table) Comparison { return NewDate(l, t.Columns[6]) },
		"text":   func(l *Layout, t *record.Table) Comparison { return NewText(l, t.Columns[3]) },
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`|[a-d]{1,6}( [a-d]{1,5})?|[a-c]{4,14}( [a-c]{1,12}){0,3}`)
		row := func() []string {
			return []string{word.Draw(t, "given"), word.Draw(t, "family"), rapid.StringMatching(`|[a-c]{1,4}@x\.fi`).Draw(t, "email"),
				word.Draw(t, "street"), rapid.StringMatching(`|[1-9]`).Draw(t, "house"), rapid.StringMatching(`|[0-2]{5}`).Draw(t, "postal"),
				rapid.StringMatching(`|19[0-9]{6}`).Draw(t, "date"), rapid.StringMatching(`|[0-3]{6,8}`).Draw(t, "phone")}
		}
		a, b := row(), row()
		table := testTable(t, fields, [][]string{a, b, a})
		for name, maker := range makers {
			l := new(Layout)
			c := maker(l, table)
			out := make([]Vector, 3)
			// A cleared cache on each side: the cache must not be what makes it symmetric.
			c.Compare(NewScratch(), l.Rows(3), []record.Pair{{A: 0, B: 1}}, out[:1], 0)
			c.Compare(NewScratch(), l.Rows(3), []record.Pair{{A: 1, B: 0}, {A: 0, B: 2}}, out[1:], 0)
			if out[0][0] != out[1][0] {
				t.Fatalf("%s: %q / %q: levels %d and %d", name, a, b, out[0][0], out[1][0])
			}
			if level := c.Levels()[out[2][0]]; out[2][0] != 0 && level.Contra > 0 {
				t.Fatalf("%s: equal records %q at level %q", name, a, level.Label)
			}
		}
	})
}

// TestMemoriesHoldEitherOrder compares the values that a comparison remembers by
// their codes both ways round: which way a worker sees first must not matter.
func TestMemoriesHoldEitherOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ab]{2,10}( [ab]{1,8}){0,2}`)
		x := word.Draw(t, "x")
		y := []rune(x) // a few letters off: at the edge of what counts as alike
		for range rapid.IntRange(1, 3).Draw(t, "edits") {
			at := rapid.IntRange(0, len(y)).Draw(t, "at")
			if len(y) > 1 && at < len(y) && rapid.Bool().Draw(t, "out") {
				y = slices.Delete(y, at, at+1)
			} else {
				y = slices.Insert(y, at, rapid.SampledFrom([]rune("abc")).Draw(t, "in"))
			}
		}
		rows := [][]string{{x}, {string(y)}}
		column := testTable(t, []record.Field{record.City}, rows).Columns[0]
		if column.Normal.Len() < 3 {
			return
		}
		c := NewText(new(Layout), column).(*textComparison)
		given := newNames(new(Layout), column, column)
		for name, same := range map[string]bool{
			"nearText":      nearText(column, 1, 2) == nearText(column, 2, 1),
			"rankWord":      rankWord(column, 1, 2) == rankWord(column, 2, 1),
			"rankCode":      rankCode(column, 1, 2) == rankCode(column, 2, 1),
			"overlap":       c.overlap(1, 2) == c.overlap(2, 1),
			"compareGiven":  given.compareGiven(1, 2) == given.compareGiven(2, 1),
			"compareFamily": given.compareFamily(1, 2) == given.compareFamily(2, 1),
		} {
			if !same {
				t.Fatalf("%s: %q and %q the other way round are another level", name, rows[0], rows[1])
			}
		}
	})
}
