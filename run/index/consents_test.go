package index

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawConsents draws acts for the records of an input, and the same by record.
func drawConsents(t *rapid.T, in *Input) (*ConsentActs, [][]ConsentAct) {
	a := &ConsentActs{Starts: []uint32{0}}
	for _, source := range []string{"a", "b", "c"} {
		for _, column := range []string{"email", "sms"} {
			a.Columns = append(a.Columns, ConsentColumn{source, column, "marketing", rapid.SampledFrom([]string{"", "sms"}).Draw(t, "channel"), rapid.Bool().Draw(t, "read")})
		}
	}
	times := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-1e9, 4e9))
	byRecord := make([][]ConsentAct, in.Table.Len())
	for r := range in.Table.Len() {
		for n, c := range a.Columns {
			if c.Source != in.Table.Key(uint32(r)).Source {
				continue
			}
			run := uint32(0)
			acts := rapid.IntRange(0, 3).Draw(t, "acts")
			for i := range acts {
				act := ConsentAct{ConsentColumn: c, Number: n, Granted: rapid.Bool().Draw(t, "granted"), At: times.Draw(t, "at")}
				act.Run = run + rapid.Uint32Range(1, 9).Draw(t, "run")
				if run = act.Run; i < acts-1 || rapid.Bool().Draw(t, "ended") {
					act.Ended, act.Until = act.Run+1, times.Draw(t, "until")
					run = act.Ended
				}
				byRecord[r] = append(byRecord[r], act)
				a.Of, a.Granted, a.At, a.Until = append(a.Of, uint32(n)), append(a.Granted, act.Granted), append(a.At, act.At), append(a.Until, act.Until)
				a.Run, a.Ended = append(a.Run, act.Run), append(a.Ended, act.Ended)
			}
		}
		a.Starts = append(a.Starts, uint32(len(a.Of)))
	}
	return a, byRecord
}

func TestConsentsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, dir := drawInput(t), tempDir(t)
		var want [][]ConsentAct
		in.Consents, want = drawConsents(t, in)
		if _, err := Build(dir, in, 2); err != nil {
			t.Fatal(err)
		}
		x, err := OpenIndex(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x.ConsentColumns(), in.Consents.Columns) {
			t.Fatalf("columns %v, want %v", x.ConsentColumns(), in.Consents.Columns)
		}
		for r := range uint32(x.Records()) {
			if got := x.Consents(r); !slices.Equal(got, want[r]) {
				t.Fatalf("record %d: %v, want %v", r, got, want[r])
			}
		}
	})
}

// TestConsentsAreOptional: an index without them is what it was before there were
// any, and answers with none.
func TestConsentsAreOptional(t *testing.T) {
	dir := t.TempDir()
	if _, err := Build(dir, sampleInput(), 1); err != nil {
		t.Fatal(err)
	}
	f, err := Open(filepath.Join(dir, recordsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Sections() {
		if strings.HasPrefix(s.Name, consentSection) {
			t.Errorf("section %s", s.Name)
		}
	}
	f.Close()
	x, err := OpenIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Consents(0)) > 0 || len(x.ConsentColumns()) > 0 {
		t.Error("consents out of nothing")
	}
	x.Close()
	defer func() {
		if recover() == nil {
			t.Error("reading after the last release did not panic")
		}
	}()
	x.Consents(0)
}

// TestFalseConsentsAreFound spoils acts that fit together in numbers.
func TestFalseConsentsAreFound(t *testing.T) {
	for name, spoil := range map[string]func(a *ConsentActs){
		"of another source":       func(a *ConsentActs) { a.Columns[0].Source = "zzz" },
		"columns out of order":    func(a *ConsentActs) { slices.Reverse(a.Columns) },
		"acts out of order":       func(a *ConsentActs) { slices.Reverse(a.Run[:2]) },
		"two that stand":          func(a *ConsentActs) { a.Ended[0] = 0 },
		"a column that is none":   func(a *ConsentActs) { a.Of[0] = 7 },
		"lists that do not end":   func(a *ConsentActs) { a.Starts[1] = 9 },
		"lists of another length": func(a *ConsentActs) { a.Starts = a.Starts[1:] },
		"times are missing":       func(a *ConsentActs) { a.At = a.At[1:] },
	} {
		in := sampleInput()
		source := in.Table.Key(0).Source
		a := &ConsentActs{
			Columns: []ConsentColumn{{source, "email", "marketing", "", true}, {source, "sms", "marketing", "", true}},
			Of:      []uint32{0, 0}, Granted: []bool{true, false}, At: []int64{5, 6}, Until: []int64{6, 0}, Run: []uint32{1, 2}, Ended: []uint32{2, 0},
		}
		a.Starts = make([]uint32, in.Table.Len()+1)
		for r := range in.Table.Len() {
			a.Starts[r+1] = 2
		}
		check := func() error {
			in.Consents = a
			dir := t.TempDir()
			if _, err := Build(dir, in, 1); err != nil {
				return err
			}
			x, err := OpenIndex(dir)
			if err != nil {
				return err
			}
			defer x.Close()
			return x.Check()
		}
		if err := check(); err != nil {
			t.Fatal(err)
		}
		spoil(a)
		if err := check(); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
