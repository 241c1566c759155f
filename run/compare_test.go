package run

import (
	"math/rand/v2"
	"testing"

	"sama/record"
)

// TestRunsAreUnitedByTheirKeys compares with maps over keys, also where a run
// lacks a source of the other.
func TestRunsAreUnitedByTheirKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	runs := []*Run{
		publish(t, t.TempDir(), sample(t, 90, 1), Options{}),
		publish(t, t.TempDir(), sample(t, 60, 2), Options{}),
		night(t, t.TempDir(), r, nightTable(t, r, "abcdef"), false), // sources a and b
		publish(t, t.TempDir(), sample(t, 0, 3), Options{}),
	}
	for _, x := range runs {
		for _, y := range runs {
			before, after := members(t, x), members(t, y)
			at := make(map[record.Key]bool)
			want := 0
			for i := range uint32(before.Len()) {
				at[before.Key(i)] = true
			}
			for i := range uint32(after.Len()) {
				if at[after.Key(i)] {
					want++
				}
			}
			u := Unite(before, after)
			if u.Both != want || len(u.Before) != before.Len()+after.Len()-want {
				t.Fatalf("%d records, %d in both, want %d", len(u.Before), u.Both, want)
			}
			b, a := uint32(0), uint32(0)
			var last record.Key
			for i := range u.Before {
				var key record.Key
				if u.Before[i] != NoRecord {
					if u.Before[i] != b {
						t.Fatalf("record %d of the run before is missing", b)
					}
					key = before.Key(b)
					b++
				}
				if u.After[i] != NoRecord {
					if u.After[i] != a || key != (record.Key{}) && key != after.Key(a) {
						t.Fatalf("record %d of the run after is missing, or in the wrong place", a)
					}
					key = after.Key(a)
					a++
				}
				if i > 0 && last.Compare(key) >= 0 {
					t.Fatalf("%s comes before %s", last, key)
				}
				last = key
			}
		}
	}
}

func members(t *testing.T, r *Run) *Members {
	t.Helper()
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGoldenValuesAreCompared compares with the golden records of the contents,
// value by value.
func TestGoldenValuesAreCompared(t *testing.T) {
	x, y := sample(t, 300, 1), sample(t, 297, 1)
	y.Golden[2].Chosen[4] = NoRecord
	before, after := publish(t, t.TempDir(), x, Options{}), publish(t, t.TempDir(), y, Options{})
	was, is := members(t, before), members(t, after)
	same := is.Match(was)
	golden := func(c *Content, row uint32, field int) string {
		l := newLayout(c, 1)
		return c.Table.Columns[field].RawText.At(l.value(field, l.order[row]))
	}
	fields, changed, err := CompareGolden(before, after, same, 2)
	if err != nil || len(fields) != len(x.Table.Columns) {
		t.Fatalf("%d fields, error %v", len(fields), err)
	}
	want := make([]FieldChange, len(fields))
	any := make([]bool, len(same))
	for a, b := range same {
		if id := is.Identities.At(uint32(a)); b == NoRecord || was.Identities.At(b) != id {
			t.Fatalf("identity %s was not found", id)
		}
		for i := range fields {
			from, to := golden(x, b, i), golden(y, uint32(a), i)
			switch {
			case from == to:
				continue
			case from == "":
				want[i].Appeared++
			case to == "":
				want[i].Vanished++
			default:
				want[i].Changed++
			}
			any[a] = true
		}
	}
	total := 0
	for i, f := range fields {
		if f.Appeared != want[i].Appeared || f.Vanished != want[i].Vanished || f.Changed != want[i].Changed {
			t.Errorf("field %s: %+v, want %+v", f.Field, f, want[i])
		}
		total += f.Appeared + f.Vanished + f.Changed
		for _, e := range f.Examples {
			if e.From != golden(x, e.Before, i) || e.To != golden(y, e.After, i) {
				t.Errorf("field %s: example %+v", f.Field, e)
			}
		}
	}
	for a := range any {
		if any[a] != changed[a] {
			t.Errorf("identity %d: changed %v, want %v", a, changed[a], any[a])
		}
	}
	if total == 0 {
		t.Error("nothing changed, so nothing was tested")
	}
}

// TestRecordsAreFoundWhereverTheyAre asks for keys in any order, by dictionary
// and without, near to where they are and not.
func TestRecordsAreFoundWhereverTheyAre(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	m := members(t, night(t, t.TempDir(), r, nightTable(t, r, "abcdefghij"), false))
	list := func(words ...string) texts {
		var x texts
		for _, w := range words {
			x.data = append(x.data, w...)
			x.ends = append(x.ends, uint32(len(x.data)))
		}
		return x
	}
	sources, ids := []string{"a", "b", "c"}, []string{"a", "b", "c", "d", "e", "f"}
	for range 200 {
		source, id := &piece{texts: list(sources...), codes: []uint32{}}, &piece{texts: list(ids...), codes: []uint32{}}
		var plain []string
		for range 30 {
			s, i := uint32(r.IntN(len(sources))), uint32(r.IntN(len(ids)))
			plain = append(plain, ids[i])
			source.codes, id.codes = append(source.codes, s), append(id.codes, i)
		}
		for _, x := range []*piece{id, {texts: list(plain...)}} {
			got, err := m.recordsOf(source, x, func(int) uint32 { return []uint32{NoRecord, unknown, 0, 1}[r.IntN(4)] })
			if err != nil {
				t.Fatal(err)
			}
			for e, rec := range got {
				key := record.Key{Source: sources[source.codes[e]], ID: plain[e]}
				if want, ok := m.Find(key); ok && rec != want || !ok && rec != unknown {
					t.Fatalf("%s is record %d, want %d, %v", key, rec, want, ok)
				}
			}
		}
	}
}

func TestMembersStandInOrder(t *testing.T) {
	for name, x := range map[string]struct {
		sources string // of each record, a letter
		ids     string
		ok      bool
	}{
		"in order":                  {"aab", "121", true},
		"ids out of order":          {"aab", "211", false},
		"an id twice":               {"aab", "111", false},
		"sources out of order":      {"bba", "121", false},
		"a source in two stretches": {"aba", "112", false},
	} {
		source := &textColumn{texts: []string{"", "a", "b"}}
		var ids record.StringsBuilder
		for i := range x.ids {
			source.codes = append(source.codes, uint32(x.sources[i]-'a')+1)
			ids.Append(x.ids[i : i+1])
		}
		m := &Members{IDs: ids.Build()}
		if err := m.fill(source); (err == nil) != x.ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
	var ids record.StringsBuilder
	ids.Append("1")
	m := &Members{IDs: ids.Build()}
	if m.fill(&textColumn{texts: []string{""}, codes: []uint32{0}}) == nil {
		t.Error("a record without a source: no error")
	}
}
