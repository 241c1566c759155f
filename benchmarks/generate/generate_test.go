package generate

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"
)

func TestWorkersDoNotChangeTheOutput(t *testing.T) {
	var first *Manifest
	for _, workers := range []int{1, 2, 7} {
		m, err := Run(context.Background(), Options{Records: 30_000, Seed: 7, Workers: workers}, t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		} else if diff := cmp.Diff(first, m); diff != "" {
			t.Errorf("%d workers (-1 worker +%d workers):\n%s", workers, workers, diff)
		}
	}
}

// recordsOf collects a whole stream by source, sorted by id.
func recordsOf(t *testing.T, opt Options) map[string][]Record {
	t.Helper()
	all := map[string][]Record{}
	for rec, err := range Silos(context.Background(), opt) {
		if err != nil {
			t.Fatal(err)
		}
		all[rec.Source] = append(all[rec.Source], rec)
	}
	for _, recs := range all {
		slices.SortFunc(recs, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	}
	return all
}

func TestHouseholdAloneIsTheSameAsInTheWhole(t *testing.T) {
	opt := Options{Records: 20_000, Seed: 11, Noise: Dirty}
	p, err := newPopulation(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	whole := map[string][]Record{}
	for rec, err := range Silos(context.Background(), opt) {
		if err != nil {
			t.Fatal(err)
		}
		whole[rec.HouseholdID] = append(whole[rec.HouseholdID], rec)
	}
	for _, h := range []uint64{0, 1, 17, blockSize - 1, blockSize, blockSize + 1, 5000, p.households - 1} {
		want := whole[string(appendHouseholdID(nil, h))]
		if diff := cmp.Diff(want, p.household(h)); diff != "" {
			t.Errorf("household %d:\n%s", h, diff)
		}
	}
}

// readRows reads a file that Run wrote into rows of texts, record id first.
func readRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	name := filepath.Base(path)
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
		name = strings.TrimSuffix(name, ".gz")
	}
	source, format, _ := strings.Cut(name, ".")
	switch format {
	case "parquet":
		return parquetRows(t, path)
	case "jsonl":
		var rows [][]string
		for d := json.NewDecoder(r); d.More(); {
			object := map[string]string{}
			if err := d.Decode(&object); err != nil {
				t.Fatal(err)
			}
			row := make([]string, 0, 16)
			for _, c := range Columns(source) {
				row = append(row, object[c])
			}
			rows = append(rows, row)
		}
		return rows
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	cr := csv.NewReader(strings.NewReader(text))
	cr.Comma = rune(text[len("record_id")])
	rows, err := cr.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Columns(source), rows[0]); diff != "" {
		t.Errorf("%s header:\n%s", name, diff)
	}
	return rows[1:]
}

// parquetRows reads every row; null is empty and no present value may be.
func parquetRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	pf, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, group := range pf.RowGroups() {
		r := group.Rows()
		buf := make([]parquet.Row, 512)
		for {
			n, err := r.ReadRows(buf)
			for _, row := range buf[:n] {
				texts := make([]string, len(row))
				for i, v := range row {
					if texts[i] = v.Clone().String(); v.IsNull() {
						texts[i] = ""
					} else if texts[i] == "" {
						t.Fatalf("%s: an empty text is not null: %v", path, row)
					}
				}
				rows = append(rows, texts)
			}
			if err != nil {
				break
			}
		}
		r.Close()
	}
	return rows
}

func TestFilesHoldTheStream(t *testing.T) {
	for _, format := range []Format{Parquet, CSV, Mixed} {
		opt := Options{Records: 9_000, Seed: 3, Noise: Dirty, Format: format}
		dir := t.TempDir()
		m, err := Run(context.Background(), opt, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		var truth [][]string
		all := recordsOf(t, opt)
		for _, source := range slices.Sorted(maps.Keys(all)) {
			var want [][]string
			for _, rec := range all[source] {
				want = append(want, append([]string{rec.ID}, rec.Values...))
				truth = append(truth, []string{rec.Source, rec.ID, rec.PersonID, rec.HouseholdID, rec.Flags, rec.PersonFlags})
			}
			i := slices.IndexFunc(m.Files, func(f ManifestFile) bool { return strings.HasPrefix(f.Name, source+".") })
			if diff := cmp.Diff(want, readRows(t, filepath.Join(dir, m.Files[i].Name))); diff != "" {
				t.Errorf("%s as %s:\n%.2000s", source, format, diff)
			}
			if m.Files[i].Rows != len(want) || m.Counts.Records[source] != len(want) {
				t.Errorf("%s: manifest says %d and %d rows of %d", source, m.Files[i].Rows, m.Counts.Records[source], len(want))
			}
		}
		if diff := cmp.Diff(truth, parquetRows(t, filepath.Join(dir, "truth.parquet"))); diff != "" {
			t.Errorf("truth:\n%.2000s", diff)
		}
	}
}

func TestAboutAsManyRecordsAsAsked(t *testing.T) {
	for _, n := range []int{1, 2, 10, 1_000, 12_345, 60_000} {
		p, err := newPopulation(context.Background(), Options{Records: n, Seed: uint64(n)})
		if err != nil {
			t.Fatal(err)
		}
		if got := int(p.records()); got < n || got > n+40 {
			t.Errorf("asked for %d records, got %d", n, got)
		}
	}
}

func TestOutputIsLikeItsReference(t *testing.T) {
	for _, seed := range []uint64{20261124, 99} {
		p, err := newPopulation(context.Background(), Options{Records: 100_000, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		tally, err := newRowStore(p).fill(context.Background(), 2, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range tally.checks(Normal) {
			t.Logf("seed %d: %-60s %.4f expected %.4f", seed, c.Name, c.Got, c.Want)
			if !c.OK {
				t.Errorf("seed %d: %s is %.4f, expected %.4f", seed, c.Name, c.Got, c.Want)
			}
		}
	}
}

func TestFailedCheckFailsTheRun(t *testing.T) {
	m := &Manifest{Records: checkedFrom, Checks: []Check{{Name: "x", Want: 1, Got: 2, Must: true}, {Name: "y", Want: 1, Got: 2}}}
	var failed *CheckError
	if err := m.failed(); !errors.As(err, &failed) || len(failed.Failed) != 1 || !strings.Contains(err.Error(), "x is 2, expected 1") {
		t.Errorf("got %v", err)
	}
	m.Records--
	if err := m.failed(); err != nil {
		t.Errorf("a small run must only report: %v", err)
	}
}

func TestCancelledRunLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	_, err := Run(ctx, Options{Records: 60_000}, dir, func(done, total int) {
		if done > total/2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	last, end := 0, 0
	_, err := Run(context.Background(), Options{Records: 20_000}, t.TempDir(), func(done, total int) {
		if done < last {
			t.Errorf("progress went from %d to %d", last, done)
		}
		last, end = done, total
	})
	if err != nil || last != end || end == 0 {
		t.Errorf("%d of %d, %v", last, end, err)
	}
}

func TestOptionsSayEveryProblem(t *testing.T) {
	err := Options{Records: -1, Noise: 9, Format: 9, Workers: -1}.Validate()
	for _, word := range []string{"records", "noise", "format", "workers"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("no word of %s in %v", word, err)
		}
	}
	for _, p := range []Profile{Normal, Clean, Dirty} {
		var back Profile
		if err := back.UnmarshalText([]byte(p.String())); err != nil || back != p {
			t.Errorf("%s reads as %s, %v", p, back, err)
		}
	}
	var f Format
	if err := f.UnmarshalText([]byte("xml")); err == nil {
		t.Error("no error for the format xml")
	}
	if _, err := Run(context.Background(), Options{}, t.TempDir(), nil); err == nil {
		t.Error("no error for no records")
	}
}

func TestUnwritableFolderIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), Options{Records: 100}, filepath.Join(path, "out"), nil); err == nil {
		t.Error("no error for a folder inside a file")
	}
}

func BenchmarkRun(b *testing.B) {
	const n = 200_000
	loadTables()
	for b.Loop() {
		if _, err := Run(context.Background(), Options{Records: n, Seed: 1}, b.TempDir(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}

func ExampleColumns() {
	fmt.Println(Columns("service"))
	// Output: [record_id surname forename phone1 phone2 email address plate company first_visit last_visit]
}
