package ingest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sama/record"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFoldAgreesWithAMap(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		mark := rapid.SampledFrom([]string{"", "gone"}).Draw(t, "mark")
		m := foldModel{records: map[string]map[string]string{}}
		var before *Raw
		for range rapid.IntRange(1, 5).Draw(t, "nights") {
			n := drawNight(t, mark)
			if before == nil && n.names == nil {
				continue
			}
			r, rejected, report := n.fold(t, before, mark)
			m.apply(n, mark)
			checkRaw(outer, r)
			checkFolded(t, r, n, &m, mark)
			if before != nil && len(n.rows) > 0 && n.lines == len(n.rows) {
				checkNoEmptyColumn(t, r, before)
			}
			if before != nil {
				m.report.BeforeDropped = before.Rows - m.report.Before
			}
			if !reflect.DeepEqual(*report, m.report) || len(rejected) != report.Rejected {
				t.Fatalf("report %+v, %d rejects\nwant   %+v", *report, len(rejected), m.report)
			}
			before = kept(r)
		}
	})
}

// checkFolded compares a folded source with the model.
func checkFolded(t *rapid.T, r *Raw, n foldNight, m *foldModel, mark string) {
	if mark != "" && r.column(mark) != nil {
		t.Fatalf("the delete column is still there")
	}
	var order []string
	for row := range r.Rows {
		key := strings.TrimSpace(valueOf(r, row, "id"))
		file, at := r.Where(row)
		sent := file == "s.1.jsonl" || file == "s.2.csv"
		if file == "s.2.csv" {
			at += int64(n.lines)
		}
		if sent {
			if got := strings.TrimSpace(n.rows[at-1][0]); got != key {
				t.Fatalf("row %d (key %q) is said to stand in row %d of the delta, which has key %q", row, key, at, got)
			}
		}
		if key == "" {
			if !sent {
				t.Fatalf("a row without key is kept from before: %s row %d", file, at)
			}
			continue
		}
		order = append(order, key)
		for _, name := range foldColumns[1:] {
			if got, want := valueOf(r, row, name), m.records[key][name]; got != want {
				t.Fatalf("record %s column %s: %q, want %q", key, name, got, want)
			}
		}
	}
	if !slices.Equal(order, m.order) {
		t.Fatalf("records %q, want %q", order, m.order)
	}
	for _, c := range r.Columns {
		for code := 1; code < c.Values.Len(); code++ {
			if !slices.Contains(c.Codes, uint32(code)) {
				t.Fatalf("column %s: no row holds value %q any more", c.Name, c.Values.At(uint32(code)))
			}
		}
	}
}

// checkNoEmptyColumn: JSON Lines add no column without values.
func checkNoEmptyColumn(t *rapid.T, r, before *Raw) {
	for _, c := range r.Columns {
		if c.Values.Len() == 1 && c.Name != "id" && before.column(c.Name) == nil {
			t.Fatalf("the new column %s is all null", c.Name)
		}
	}
}

// TestNightsAddUpToTheFullExport folds random deltas until they have told all of
// a full export, and builds both.
func TestNightsAddUpToTheFullExport(t *testing.T) {
	names := []string{"id", "first_name", "surname", "city", "born"}
	values := [][]string{
		nil, {"Aino", "Väinö", "Otto", "", "Anna Maria"}, {"Näsi", "Klein", "von Essen", ""},
		{"Turku", "Åbo", "Espoo", "", "HELSINKI"}, {"1964-05-11", "11.5.1964", "", "1958-01-31"},
	}
	rapid.Check(t, func(t *rapid.T) {
		records := map[string][]string{}
		var before *Raw
		for night := range rapid.IntRange(1, 6).Draw(t, "nights") {
			n := foldNight{names: append(slices.Clone(names), "deleted")}
			if night == 0 {
				n.rows = append(n.rows, []string{"0", "Aino", "Näsi", "Turku", "1964-05-11", ""})
				records["0"] = n.rows[0][:5]
			}
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				row := []string{fmt.Sprint(rapid.IntRange(1, 15).Draw(t, "key"))}
				for _, v := range values[1:] {
					row = append(row, rapid.SampledFrom(v).Draw(t, "value"))
				}
				if rapid.IntRange(0, 4).Draw(t, "deleted") == 0 {
					delete(records, row[0])
					row = append(row, "d")
				} else {
					records[row[0]] = slices.Clone(row)
					row = append(row, "")
				}
				n.rows = append(n.rows, row)
			}
			r, _, _ := n.fold(t, before, "deleted")
			before = kept(r)
		}
		rows := slices.Collect(maps.Values(records))
		full := rawOfRows(nil, "s", names, rapid.Permutation(rows).Draw(t, "order"))
		m, _ := Propose([]*Raw{full})
		want, _, err := Build(context.Background(), []*Raw{full}, m, BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, report, err := Build(context.Background(), []*Raw{before}, m, BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if report.RejectCount != 0 || !reflect.DeepEqual(got, want) {
			t.Fatalf("the nights built\n%s\nthe full export\n%s", dump(got), dump(want))
		}
	})
}

func TestFoldKeepsKindsAndLists(t *testing.T) {
	before := rawOf(t, "s", `
		id | n | tags | late | all
		1  | 1 | a    |      | 1
		2  | 2 | b    | x    | 2`)
	before.Columns[1].Kind, before.Columns[2].List, before.Columns[4].Kind = KindInteger, true, KindInteger
	delta := rawOf(t, "s", `
		id | n | tags | late | all | new
		2  | 3 | c    | 7    | 4.5 | 2020-01-01
		1  | 5 |      | 8    | 5   |`)
	for i, kind := range []Kind{KindText, KindInteger, KindText, KindInteger, KindFloat, KindDate} {
		delta.Columns[i].Kind = kind
	}
	show := func(r *Raw) string {
		var out []string
		for _, c := range r.Columns {
			out = append(out, fmt.Sprint(c.Name, " ", c.Kind, " ", c.List))
		}
		return strings.Join(out, ", ")
	}
	r, _, _, err := Fold(before, delta, "id", Deletes{}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// What no record says any more decides nothing: tags was a list, late text.
	if got, want := show(r), "id 0 false, n 1 false, tags 0 false, late 1 false, all 2 false, new 4 false"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r, _, _, err = Fold(before, rawOf(t, "s", "id | n | all \n 2 | x | y"), "id", Deletes{}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(r), "id 0 false, n 0 false, tags 0 true, late 0 false, all 0 false"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Two kinds that are left beside each other make text.
	r, _, _, err = Fold(before, func() *Raw {
		d := rawOf(t, "s", "id | n | all \n 2 | 4 | 4.5")
		d.Columns[1].Kind, d.Columns[2].Kind = KindInteger, KindFloat
		return d
	}(), "id", Deletes{}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(r), "id 0 false, n 1 false, tags 0 true, late 0 false, all 0 false"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// A column without values keeps the kind that its only files say.
	r, _, _, err = Fold(nil, func() *Raw {
		d := rawOf(t, "s", "id | n \n 1 |")
		d.Columns[1].Kind = KindFloat
		return d
	}(), "id", Deletes{}, ReadOptions{})
	if err != nil || show(r) != "id 0 false, n 2 false" {
		t.Error(show(r), err)
	}
}

// TestADeletedRecordComesBackNew: a column that the delta does not have keeps
// its value, unless the record was deleted in between.
func TestADeletedRecordComesBackNew(t *testing.T) {
	before := rawOf(t, "s", `
		id | city  | note
		1  | Turku | a
		2  | Espoo | b
		3  | Oulu  | c
		4  |       | d`)
	delta := rawOf(t, "s", `
		id | note | gone
		3  |      | d
		2  | x    |
		3  | c    |
		4  | d    | d
		5  | e    | d
		5  | f    |
		4  | d    |
		1  | a    |`)
	r, _, report, err := Fold(before, delta, "id", Deletes{Column: "gone"}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table(r), "[id][city][note]\n[1][Turku][a]\n[2][Espoo][x]\n[3][][c]\n[4][][d]\n[5][][f]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want := FoldReport{Before: 4, Changed: 2, Unchanged: 2, Added: 1, After: 5, RepeatedKeys: 3, UnknownDeletes: 1}
	if !reflect.DeepEqual(*report, want) {
		t.Errorf("report %+v\nwant   %+v", *report, want)
	}
}

// TestFoldOverASourceThatWasSentWhole: its rejected rows are gone for good, and
// the rows that a delete column of it marks.
func TestFoldOverASourceThatWasSentWhole(t *testing.T) {
	before := rawOf(t, "s", `
		id | city  | deleted
		9  | Turku |
		2  | Espoo | yes
		   | Lahti |
		9  | Salo  |
		5  | Oulu  | no`)
	r, _, report, err := Fold(before, nil, "id", Deletes{Column: "deleted"}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table(r), "[id][city]\n[9][Turku]\n[5][Oulu]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if want := (FoldReport{Before: 3, Deleted: 1, After: 2, BeforeDropped: 2}); !reflect.DeepEqual(*report, want) {
		t.Errorf("report %+v, want %+v", *report, want)
	}
	inOrder, _, _, err := Fold(rawOf(t, "s", "id\n1\n1\n2"), nil, "id", Deletes{}, ReadOptions{})
	if err != nil || inOrder.Rows != 2 {
		t.Errorf("%d rows of two keys, error %v", inOrder.Rows, err)
	}
	if file, row := r.Where(1); file != "the records of s in the previous run" || row != 5 {
		t.Errorf("row 1 is said to stand in %s row %d", file, row)
	}
}

// TestFoldedRowsNameTheFilesOfTheNight: of a source in several files, and of
// one that a source column split off.
func TestFoldedRowsNameTheFilesOfTheNight(t *testing.T) {
	dir := files(t, map[string]string{
		"crm/1.csv": "id,city\n1,Turku\n2\n,Espoo\n", "crm/2.csv": "id,city\n3,Salo\n,Lahti\n",
		"both.csv": "id,source\n1,web\n7,shop\n,shop\n8,shop\n", "gone.csv": "id\n3\n\n \n4\n",
	})
	raws, _ := read(t, Input{Paths: []string{dir + "/crm"}})
	keys, _ := read(t, Input{Paths: []string{dir + "/gone.csv"}})
	r, rejected, report, err := Fold(rawOf(t, "crm", "id|city\n0|Vaasa"), raws[0], "id", Deletes{Keys: keys[0]}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, built, err := Build(context.Background(), []*Raw{r}, Mapping{Sources: []SourceMapping{{Source: "crm", Key: "id"}}}, BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var rejectedAt []string
	for _, x := range append(rejected, built.Rejects...) {
		rejectedAt = append(rejectedAt, fmt.Sprintf("%s %d %s", strings.TrimPrefix(x.File, dir+"/"), x.Row, x.Reason))
	}
	want := []string{"gone.csv 2 the row names no key to delete", "crm/1.csv 3 the record has no key", "crm/2.csv 2 the record has no key"}
	if diff := cmp.Diff(want, rejectedAt); diff != "" {
		t.Error(diff)
	}
	if f := r.Files[2]; len(r.Files) != 3 || f.Skipped != keys[0].Files[0].Skipped+1 || report.UnknownDeletes != 1 {
		t.Errorf("files %+v, report %+v", r.Files, report)
	}
	raws, _ = read(t, Input{Paths: []string{dir + "/both.csv"}})
	r, _, _, err = Fold(nil, raws[0], "id", Deletes{}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if file, row := r.Where(1); file != dir+"/both.csv" || row != 3 || r.Source != "shop" {
		t.Errorf("the shop's row without key stands in %s row %d", file, row)
	}
}

func TestFoldRefusesWhatItCannotUnderstand(t *testing.T) {
	one := rawOf(t, "s", "id|city\n1|Turku")
	two := rawOf(t, "s", "key|what\n1|x")
	for want, f := range map[string]func() error{
		`no key column "nr"; the columns are id, city`:           func() error { return foldError(nil, one, "nr", Deletes{}) },
		`no delete column "gone"; the columns are id, city`:      func() error { return foldError(nil, one, "id", Deletes{Column: "gone"}) },
		`no key column "id"; the columns are key, what; send`:    func() error { return foldError(two, one, "id", Deletes{}) },
		`the file of keys to delete (s.csv): no key column "id"`: func() error { return foldError(one, nil, "id", Deletes{Keys: two}) },
		`cannot be both the key and the mark`:                    func() error { return foldError(nil, one, "id", Deletes{Column: "id"}) },
		`neither tonight's files nor the previous run`:           func() error { return foldError(nil, nil, "id", Deletes{}) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	// A delta without rows says nothing, whatever its columns.
	if err := foldError(one, rawOf(t, "s", "x"), "id", Deletes{Column: "gone"}); err != nil {
		t.Error(err)
	}
}

func foldError(before, delta *Raw, key string, d Deletes) error {
	_, _, _, err := Fold(before, delta, key, d, ReadOptions{})
	return err
}

// TestFoldDoesNotGrow folds the same few changes for a hundred nights.
func TestFoldDoesNotGrow(t *testing.T) {
	source := func(night, n int) *Raw {
		rows := make([][]string, n)
		for i := range rows {
			rows[i] = []string{fmt.Sprint(i), fmt.Sprint("city ", i%5), fmt.Sprint("note ", night, " ", i)}
		}
		return rawOfRows(t, "s", []string{"id", "city", "note"}, rows)
	}
	before := source(0, 400)
	for night := range 100 {
		r, _, _, err := Fold(before, source(night+1, 40), "id", Deletes{}, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before = kept(r)
	}
	for i, want := range []int{401, 6, 401} {
		if got := before.Columns[i].Values.Len(); got != want {
			t.Errorf("column %s has %d values, want %d", before.Columns[i].Name, got, want)
		}
	}
}

// BenchmarkFold lays 10,000 records over a million of twelve columns, once with
// the keys in order and once not.
func BenchmarkFold(b *testing.B) {
	wide := func(n, shift int) *Raw {
		r := benchSource(b, n)
		for i, distinct := range []int{2, 300, 5000, 100_000, n} {
			c := RawColumn{Name: fmt.Sprint("extra", i), Codes: make([]uint32, n)}
			var text record.StringsBuilder
			text.Append("")
			for k := range distinct {
				text.Append(fmt.Sprint("value ", k+shift))
			}
			for row := range c.Codes {
				c.Codes[row] = uint32(1 + row%distinct)
			}
			c.Values = text.Build()
			r.Columns = append(r.Columns, c)
		}
		return r
	}
	delta := wide(10_000, 1)
	for _, name := range []string{"ordered", "unordered"} {
		b.Run(name, func(b *testing.B) {
			before := wide(1_000_000, 0)
			if name == "unordered" {
				for _, c := range before.Columns {
					c.Codes[0], c.Codes[1] = c.Codes[1], c.Codes[0]
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := Fold(before, delta, "id", Deletes{}, ReadOptions{Workers: 2}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
