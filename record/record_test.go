package record

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestStringsKeepWhatWasAppended(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.String()).Draw(t, "strings")
		var b StringsBuilder
		for i, s := range want {
			if n, err := b.Append(s); err != nil || int(n) != i {
				t.Fatalf("append %d: index %d, error %v", i, n, err)
			}
		}
		got := b.Build()
		if got.Len() != len(want) {
			t.Fatalf("%d strings, want %d", got.Len(), len(want))
		}
		for i, s := range want {
			if got.At(uint32(i)) != s {
				t.Fatalf("string %d is %q, want %q", i, got.At(uint32(i)), s)
			}
		}
	})
}

func TestStringsComeBackFromTheirParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.String()).Draw(t, "strings")
		var b StringsBuilder
		for _, s := range want {
			b.Append(s)
		}
		list := b.Build()
		got, err := StringsFrom(list.Parts())
		if err != nil || got.Len() != len(want) {
			t.Fatalf("%d strings, want %d, error %v", got.Len(), len(want), err)
		}
		for i, s := range want {
			if got.At(uint32(i)) != s {
				t.Fatalf("string %d is %q, want %q", i, got.At(uint32(i)), s)
			}
		}
	})
	for _, bad := range []struct {
		ends []uint32
		text string
	}{{nil, "a"}, {[]uint32{0}, "a"}, {[]uint32{2}, "a"}, {[]uint32{2, 1}, "a"}, {[]uint32{1, 0, 1}, "a"}, {[]uint32{math.MaxUint32}, ""}} {
		if _, err := StringsFrom(bad.ends, bad.text); err == nil {
			t.Errorf("ends %v of a text of %d bytes were accepted", bad.ends, len(bad.text))
		}
	}
}

func TestInternerGivesEqualStringsOneCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.StringMatching("[ab]{0,3}")).Draw(t, "values")
		var in Interner
		codes := make([]uint32, len(values))
		for i, v := range values {
			codes[i] = in.Code(v)
		}
		text, err := in.Strings()
		if err != nil {
			t.Fatal(err)
		}
		if text.Len() != in.Len() {
			t.Fatalf("%d texts for %d codes", text.Len(), in.Len())
		}
		for i, v := range values {
			if text.At(codes[i]) != v {
				t.Fatalf("value %q came back as %q", v, text.At(codes[i]))
			}
			for j := range i {
				if (values[j] == v) != (codes[j] == codes[i]) {
					t.Fatalf("%q and %q have codes %d and %d", values[j], v, codes[j], codes[i])
				}
			}
		}
	})
}

func TestKeysRoundTripAndOrder(t *testing.T) {
	for _, bad := range []string{"", "crm", "crm:", ":1", ":"} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("key %q was accepted", bad)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Key {
			return Key{rapid.StringMatching("[a-z]{1,4}").Draw(t, label), rapid.StringMatching("[0-9:]{1,4}").Draw(t, label)}
		}
		a, b := draw("a"), draw("b")
		back, err := ParseKey(a.String())
		if err != nil || back != a {
			t.Fatalf("key %v came back as %v, error %v", a, back, err)
		}
		if a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != (a == b) {
			t.Fatalf("order of %v and %v", a, b)
		}
	})
}

func TestFieldsRoundTrip(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range Fields() {
		text, err := f.MarshalText()
		if err != nil || seen[string(text)] || len(text) == 0 {
			t.Fatalf("field %d: name %q, error %v", f, text, err)
		}
		seen[string(text)] = true
		var back Field
		if err := back.UnmarshalText(text); err != nil || back != f {
			t.Fatalf("field %s came back as %s, error %v", f, back, err)
		}
	}
	var f Field
	if err := f.UnmarshalText([]byte("shoe_size")); err == nil {
		t.Error("an unknown field was accepted")
	}
}

func TestWeightsAreOdds(t *testing.T) {
	for _, c := range []struct{ bits, probability float64 }{{0, 0.5}, {1, 2.0 / 3}, {-1, 1.0 / 3}, {10, 1024.0 / 1025}} {
		if got := WeightOfBits(c.bits).Probability(); math.Abs(got-c.probability) > 1e-9 {
			t.Errorf("%v bits: probability %v, want %v", c.bits, got, c.probability)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(1e-6, 1-1e-6).Draw(t, "p")
		if got := WeightOfProbability(p).Probability(); math.Abs(got-p) > 1e-3 {
			t.Fatalf("probability %v came back as %v", p, got)
		}
	})
}

// smallTable is a valid table of three records of two sources.
func smallTable() *Table {
	text := func(values ...string) Strings {
		var b StringsBuilder
		for _, v := range values {
			if _, err := b.Append(v); err != nil {
				panic(err)
			}
		}
		return b.Build()
	}
	return &Table{
		Sources: []string{"crm", "web"}, Source: []uint16{0, 0, 1}, IDs: text("1", "2", "1"),
		Columns: []*Column{{Field: City, Name: "city",
			Raw: []uint32{1, 0, 2}, RawText: text("", "Espoo", "ESPOO"),
			Code: []uint32{1, 0, 1}, Normal: text("", "espoo"), Count: []uint32{1, 2}}},
	}
}

func TestFindKnowsEveryKey(t *testing.T) {
	table := smallTable()
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(table.Len()) {
		if got, ok := table.Find(table.Key(i)); !ok || got != i {
			t.Errorf("record %d found as %d, %v", i, got, ok)
		}
	}
	for _, k := range []Key{{"crm", "0"}, {"crm", "3"}, {"web", "2"}, {"a", "1"}, {"z", "1"}} {
		if _, ok := table.Find(k); ok {
			t.Errorf("key %s was found", k)
		}
	}
	if c := table.Column(City); c.Value(2) != "espoo" || c.RawValue(2) != "ESPOO" || math.Abs(c.Filled()-2.0/3) > 1e-9 {
		t.Errorf("city of the third record: %q, %q; filled %v", c.Value(2), c.RawValue(2), c.Filled())
	}
}

// TestCheckFindsBrokenTables breaks a table in one way at a time.
func TestCheckFindsBrokenTables(t *testing.T) {
	for name, breakIt := range map[string]func(*Table){
		"keys out of order":     func(t *Table) { t.Source[1] = 1 },
		"sources out of order":  func(t *Table) { slices.Reverse(t.Sources) },
		"two columns of a name": func(t *Table) { t.Columns = append(t.Columns, t.Columns[0]) },
		"code out of range":     func(t *Table) { t.Columns[0].Code[0] = 7 },
		"raw code out of range": func(t *Table) { t.Columns[0].Raw[0] = 7 },
		"a column too short":    func(t *Table) { t.Columns[0].Code = t.Columns[0].Code[:2] },
		"a wrong count":         func(t *Table) { t.Columns[0].Count[1] = 3 },
		"counts missing":        func(t *Table) { t.Columns[0].Count = nil },
		"marks missing":         func(t *Table) { t.Columns[0].Generic = []bool{true} },
	} {
		table := smallTable()
		breakIt(table)
		if table.Check() == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
