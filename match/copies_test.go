package match_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"sama/match"
	"sama/record"
)

// cityTable makes a table of one source with a given name and a city.
func cityTable(t interface{ Fatal(...any) }, rows [][2]string) *record.Table {
	table := &record.Table{Sources: []string{"s"}, Source: make([]uint16, len(rows))}
	var ids record.StringsBuilder
	for i := range rows {
		if _, err := ids.Append(fmt.Sprintf("%06d", i)); err != nil {
			t.Fatal(err)
		}
	}
	table.IDs = ids.Build()
	for f, field := range []record.Field{record.GivenName, record.City} {
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

// TestCopiesStandForEqualRecords compares with counting equal rows one by one:
// the first five of a kind are active, every other is paired with the first.
func TestCopiesStandForEqualRecords(t *testing.T) {
	const most = 5
	rapid.Check(t, func(t *rapid.T) {
		var rows [][2]string
		for range rapid.IntRange(2, 40).Draw(t, "records") {
			rows = append(rows, [2]string{rapid.SampledFrom([]string{"", "anna", "matti"}).Draw(t, "name"),
				rapid.SampledFrom([]string{"", "espoo", "turku"}).Draw(t, "city")})
		}
		copies := match.NewPlan(cityTable(t, rows), match.Joint{}).Copies()
		var pairs []record.Pair
		for i, row := range rows {
			first, before := -1, 0
			for j := range i {
				if rows[j] == row {
					before++
					if first < 0 {
						first = j
					}
				}
			}
			if copies.Active[i] != (before < most) {
				t.Fatalf("record %d has %d equals before it; active %v", i, before, copies.Active[i])
			}
			if before >= most {
				pairs = append(pairs, record.Pair{A: uint32(first), B: uint32(i)})
			}
		}
		if fmt.Sprint(copies.Pairs) != fmt.Sprint(pairs) {
			t.Fatalf("pairs %v, want %v", copies.Pairs, pairs)
		}
	})
}
