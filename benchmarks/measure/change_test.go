package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

func TestSetIsTheFilesBesideTheTruth(t *testing.T) {
	s := fixture(t, 4)
	if s.Name != "fixture" || len(s.Inputs) != 1 || filepath.Base(s.Inputs[0]) != "records.parquet" {
		t.Errorf("set %+v: want records.parquet alone", s)
	}
	if _, err := Sets(t.TempDir(), nil); err == nil {
		t.Error("a folder without sets gave no error")
	}
	if _, err := Sets(filepath.Dir(filepath.Dir(s.Truth)), []string{"fixture", "nothere", "northere"}); err == nil || strings.Count(err.Error(), "ther") < 2 {
		t.Errorf("two missing sets gave %v", err)
	}
}

// values returns every row as "column=value" in the order of columns, nulls left
// out.
func values(t *testing.T, path string) []string {
	t.Helper()
	f, err := readFrame(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i, row := range f.rows {
		var cells []string
		for c, v := range row {
			if v.Column() != c {
				t.Fatalf("%s: value %d of row %d says column %d", path, c, i, v.Column())
			}
			if !v.IsNull() {
				cells = append(cells, fmt.Sprintf("%s=%s", f.names[c], f.text(i, c)))
			}
		}
		list = append(list, strings.Join(cells, " "))
	}
	return list
}

func apply(t *testing.T, c Change, s Set) Set {
	t.Helper()
	changed, err := c.Apply(s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func TestNothingToChangeCopiesNothing(t *testing.T) {
	s := fixture(t, 4)
	if got := apply(t, Change{Drop: []string{"no_such_column"}}, s); !cmp.Equal(got, s) {
		t.Errorf("got %+v, want the set itself", got)
	}
}

func TestDroppedColumnIsGoneAndTheRestIsEqual(t *testing.T) {
	s := fixture(t, 60)
	got := apply(t, Change{Drop: []string{"soc_sec_id"}}, s)
	var want []string
	for _, line := range values(t, s.Inputs[0]) {
		cells := slices.DeleteFunc(strings.Split(line, " "), func(c string) bool { return strings.HasPrefix(c, "soc_sec_id=") })
		want = append(want, strings.Join(cells, " "))
	}
	if diff := cmp.Diff(want, values(t, got.Inputs[0])); diff != "" {
		t.Error(diff)
	}
	// Types survive: another reader sees the same numbers.
	rows, err := parquet.ReadFile[struct {
		Name   *string `parquet:"name,optional"`
		Visits int64   `parquet:"visits"`
	}](got.Inputs[0])
	if err != nil || rows[3].Visits != 3*1000003 || rows[3].Name != nil || *rows[4].Name != "name rAe" {
		t.Errorf("read back %v, %v", rows[:5], err)
	}
}

func TestShuffleKeepsTheRecordsAndFollowsItsSeed(t *testing.T) {
	s := fixture(t, 60)
	sorted := func(path string) []string {
		var list []string
		for _, line := range values(t, path) {
			cells := strings.Fields(line)
			slices.Sort(cells)
			list = append(list, strings.Join(cells, " "))
		}
		slices.Sort(list)
		return list
	}
	a := apply(t, Change{Shuffle: true, Seed: 1}, s)
	again := apply(t, Change{Shuffle: true, Seed: 1}, s)
	b := apply(t, Change{Shuffle: true, Seed: 2}, s)
	if diff := cmp.Diff(sorted(s.Inputs[0]), sorted(a.Inputs[0])); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(values(t, a.Inputs[0]), values(t, again.Inputs[0])) {
		t.Error("one seed gave two orders")
	}
	if slices.Equal(values(t, a.Inputs[0]), values(t, b.Inputs[0])) || slices.Equal(values(t, a.Inputs[0]), values(t, s.Inputs[0])) {
		t.Error("nothing was shuffled")
	}
}

func TestRenameKeepsWhatNamesRecords(t *testing.T) {
	got := apply(t, Change{Rename: true}, fixture(t, 2))
	f, err := readFrame(got.Inputs[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"record_id", "source", "c3", "c4", "c5"}; !slices.Equal(f.names, want) {
		t.Errorf("columns %v, want %v", f.names, want)
	}
}

func TestSubsetCutsRecordsAndTruthAlike(t *testing.T) {
	s := fixture(t, 400)
	ids := func(path string) []string {
		f, err := readFrame(path)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for i := range f.rows {
			list = append(list, f.text(i, f.column("record_id")))
		}
		slices.Sort(list)
		return list
	}
	got := apply(t, Change{Subset: 0.5, Seed: 3, Shuffle: true}, s)
	kept := ids(got.Inputs[0])
	if diff := cmp.Diff(kept, ids(got.Truth)); diff != "" {
		t.Error(diff)
	}
	if n := len(kept); n < 150 || n > 250 {
		t.Errorf("half of 400 records are %d", n)
	}
	if other := ids(apply(t, Change{Subset: 0.5, Seed: 4}, s).Inputs[0]); slices.Equal(kept, other) {
		t.Error("two seeds kept the same records")
	}
}

func TestWhatCannotBeCopiedIsAnError(t *testing.T) {
	dir := t.TempDir()
	csv := filepath.Join(dir, "records.csv")
	if err := os.WriteFile(csv, []byte("record_id\n1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := write(t, filepath.Join(dir, "list.parquet"), []struct {
		Tags []string `parquet:"tags"`
	}{{[]string{"a"}}})
	broken := filepath.Join(dir, "broken.parquet")
	if err := os.WriteFile(broken, []byte("PAR1 nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{csv, list, broken, filepath.Join(dir, "missing.parquet")} {
		_, err := Change{Rename: true}.Apply(Set{Name: "x", Inputs: []string{path}}, t.TempDir())
		if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: error %v, want one that names the file", filepath.Base(path), err)
		}
	}
	if got, err := (Change{Drop: []string{"x"}}).Apply(Set{Name: "x", Inputs: []string{csv}}, t.TempDir()); err != nil || got.Inputs[0] != csv {
		t.Errorf("a CSV file as it is: %v, %v", got, err)
	}
}
