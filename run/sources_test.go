package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/record"

	"pgregory.net/rapid"
)

// sourceOf makes a source table out of texts: columns of rows.
func sourceOf(source string, names []string, lists []bool, values [][]string) *SourceTable {
	t := &SourceTable{Source: source, Key: names[0], Rows: len(values[0])}
	for k, name := range names {
		c := SourceColumn{Name: name, Kind: uint8(k % 6), List: lists[k], Codes: make([]uint32, t.Rows)}
		var in record.Interner
		for i, text := range values[k] {
			c.Codes[i] = in.Code(text)
		}
		var err error
		if c.Values, err = in.Strings(); err != nil {
			panic(err)
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

// keepIn keeps a source in the unfinished run below dir and returns that run as
// if it were published.
func keepIn(dir string, t *SourceTable, workers int) (*Run, error) {
	files, err := disk{}.keepSource(context.Background(), dir, t, workers)
	return &Run{Path: filepath.Join(dir, unfinishedName), Info: Info{ID: "a-run", Files: files}}, err
}

// differs returns the first difference between two source tables by text.
func differs(got, want *SourceTable) string {
	if got.Source != want.Source || got.Key != want.Key || got.Rows != want.Rows || len(got.Columns) != len(want.Columns) {
		return fmt.Sprintf("%q %q: %d rows, %d columns", got.Source, got.Key, got.Rows, len(got.Columns))
	}
	for i := range want.Columns {
		a, b := &got.Columns[i], &want.Columns[i]
		if a.Name != b.Name || a.Kind != b.Kind || a.List != b.List || len(a.Codes) != len(b.Codes) || a.Values.At(0) != "" {
			return fmt.Sprintf("column %d is %q, kind %d, list %v, %d codes; want %q, %d, %v", i, a.Name, a.Kind, a.List, len(a.Codes), b.Name, b.Kind, b.List)
		}
		for row := range a.Codes {
			x, y := a.Values.At(a.Codes[row]), b.Values.At(b.Codes[row])
			if x != y || (x == "") != (a.Codes[row] == 0) {
				return fmt.Sprintf("column %q row %d: %q (code %d), want %q", a.Name, row, x, a.Codes[row], y)
			}
		}
	}
	return ""
}

func TestSourcesComeBackAsTheyWere(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		width := rapid.IntRange(1, 5).Draw(t, "columns")
		rows := rapid.SampledFrom([]int{0, 1, 2, 7, 40, 300}).Draw(t, "rows")
		name := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "A", "a.b", "a.b.list.element", "list", "element", "\x00", "\xff", "column", "Ä\n"}), rapid.String())
		text := rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"x", "y", "\x1f", "a\x1fb", "\x1fa", "b\x1f\x1f", "\x00", "x\x1fx"}), rapid.String())
		names := rapid.SliceOfN(name, width, width).Draw(t, "names")
		lists := rapid.SliceOfN(rapid.Bool(), width, width).Draw(t, "lists")
		values := make([][]string, width)
		for k := range values {
			values[k] = rapid.SliceOfN(text, rows, rows).Draw(t, "values")
		}
		want := sourceOf("crm", names, lists, values)
		r, err := keepIn(filepath.Join(base, fmt.Sprint(n)), want, 1)
		if err != nil {
			t.Fatal(err)
		}
		other, err := keepIn(filepath.Join(base, fmt.Sprint(n, "x")), want, 4)
		if err != nil || !slices.Equal(r.Info.Files, other.Info.Files) {
			t.Fatalf("four workers wrote %v, one %v; error %v", other.Info.Files, r.Info.Files, err)
		}
		got, err := r.SourceTable("crm")
		if err != nil {
			t.Fatal(err)
		}
		if d := differs(got, want); d != "" {
			t.Fatal(d)
		}
	})
}

// bigSource is a source of several row groups, with columns of few values, of
// many, of hardly any, and of lists of both.
func bigSource(n, width int) *SourceTable {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	t := &SourceTable{Source: "crm", Key: "id", Rows: n}
	for k := range width {
		c := SourceColumn{Name: fmt.Sprint("column ", k), List: k >= 4 && k <= 5, Codes: make([]uint32, n)}
		distinct := []int{n, 300, 20_000, n / 2, 40, n, 100_000}[k%7]
		var texts record.StringsBuilder
		texts.Append("")
		for v := range distinct {
			text := fmt.Sprint("value ", k, " ", v)
			if c.List && v%3 == 0 {
				text += ListSeparator + "and " + fmt.Sprint(v%7)
			}
			texts.Append(text)
		}
		c.Values = texts.Build()
		for row := range c.Codes {
			switch {
			case distinct == n:
				c.Codes[row] = uint32(row + 1)
			case r.IntN(10) > 0:
				c.Codes[row] = uint32(1 + r.IntN(distinct))
			}
		}
		t.Columns = append(t.Columns, c)
	}
	t.Columns[0].Name = "id"
	return t
}

func TestSourcesOfSeveralRowGroups(t *testing.T) {
	want := bigSource(300_000, 7)
	r, err := keepIn(t.TempDir(), want, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.SourceTable("crm")
	if err != nil {
		t.Fatal(err)
	}
	if d := differs(got, want); d != "" {
		t.Fatal(d)
	}
	// The row groups of a column of few values share its texts.
	for _, k := range []int{1, 4} {
		if a, b := got.Columns[k].Values.Len(), want.Columns[k].Values.Len(); a != b {
			t.Errorf("column %d came back with %d values of %d", k, a, b)
		}
	}
}

// readSources lets DuckDB say what it reads.
const readSources = `
import duckdb, json
t = duckdb.sql("from 'runs/.unfinished/sources/crm.parquet'")
print(json.dumps({'columns': t.columns, 'types': [str(x) for x in t.types], 'rows': t.fetchall()}))
`

func TestDuckDBReadsSources(t *testing.T) {
	dir := t.TempDir()
	names := []string{"id", "City", "city", "", "tags", "a.b"}
	_, err := keepIn(dir, sourceOf("crm", names, []bool{false, false, false, false, true, false}, [][]string{
		{"1", "2", "3"}, {"Turku", "", "Åbo"}, {"", "", "x\ty"}, {"a", "b", "c"}, {"x\x1fy", "", "z"}, {"1", "\x1f", "\x01"},
	}), 1)
	if err != nil {
		t.Fatal(err)
	}
	out := python(t, dir, readSources, nil, "duckdb")
	var got struct {
		Columns, Types []string
		Rows           json.RawMessage
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err, string(out))
	}
	if want := []string{"id", "City", "city_2", "column", "tags", "a.b"}; !slices.Equal(got.Columns, want) {
		t.Errorf("columns %q, want %q", got.Columns, want)
	}
	if want := []string{"VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR[]", "VARCHAR"}; !slices.Equal(got.Types, want) {
		t.Errorf("types %q, want %q", got.Types, want)
	}
	const want = `[["1", "Turku", null, "a", ["x", "y"], "1"], ["2", null, null, "b", [], "\u001f"], ["3", "\u00c5bo", "x\ty", "c", ["z"], "\u0001"]]`
	if string(got.Rows) != want {
		t.Errorf("rows %s\nwant %s", got.Rows, want)
	}
}

// TestDamagedSourcesAreErrors damages the files of a source. Their hashes find
// all of it; reading alone must not panic, nor lose rows.
func TestDamagedSourcesAreErrors(t *testing.T) {
	want := bigSource(3000, 7)
	r, err := keepIn(t.TempDir(), want, 1)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	passed := 0
	for _, file := range []string{"sources/crm.parquet", "sources/crm.json"} {
		whole, err := os.ReadFile(r.File(file))
		if err != nil {
			t.Fatal(err)
		}
		for range 1500 {
			data := damage(rng, slices.Clone(whole))
			if slices.Equal(data, whole) {
				continue
			}
			if err := os.WriteFile(r.File(file), data, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := r.SourceTable("crm"); err == nil || !strings.Contains(err.Error(), file) {
				t.Fatalf("%s: damage passed: %v", file, err)
			}
			if got, err := r.readSource("sources/crm.parquet", "sources/crm.json"); err == nil {
				passed++
				for _, c := range got.Columns {
					if len(c.Codes) != got.Rows {
						t.Fatalf("%d codes for %d rows", len(c.Codes), got.Rows)
					}
				}
			} else if !strings.Contains(err.Error(), "sources/crm.") {
				t.Fatalf("the error does not name the file: %v", err)
			}
		}
		if err := os.WriteFile(r.File(file), whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d damaged pairs could be read but for their hashes", passed)
	if got, err := r.SourceTable("crm"); err != nil || differs(got, want) != "" {
		t.Error("the whole files do not come back:", err)
	}
}

// damage flips bits, cuts, takes out or overwrites.
func damage(rng *rand.Rand, data []byte) []byte {
	i := rng.IntN(len(data))
	if rng.IntN(2) == 0 { // near the end, where the footer is
		i = max(0, len(data)-1-rng.IntN(1500))
	}
	switch rng.IntN(4) {
	case 0:
		data[i] ^= 1 << rng.IntN(8)
	case 1:
		return data[:i]
	case 2:
		return slices.Delete(data, i, min(len(data), i+1+rng.IntN(20)))
	default:
		copy(data[i:], [][]byte{{0xff, 0xff, 0xff, 0x7f}, {0xff, 0xff, 0xff, 0xff, 0x0f}, {0, 0, 0, 0}}[rng.IntN(3)])
	}
	return data
}

// TestEveryFaultOfKeepingASourceIsAnError makes each touch of the disk fail.
func TestEveryFaultOfKeepingASourceIsAnError(t *testing.T) {
	full := errors.New("no space left on device")
	table := sourceOf("crm", []string{"id", "tags"}, []bool{false, true}, [][]string{{"1", "2"}, {"", "a\x1fb"}})
	for n := 0; ; n++ {
		dir := t.TempDir()
		left, failed := n, ""
		d := disk{fault: func(op, path string) error {
			if left--; left != -1 {
				return nil
			}
			failed = op + " " + filepath.Base(path)
			return full
		}}
		_, err := d.keepSource(context.Background(), dir, table, 1)
		if failed == "" {
			if err != nil || n < 8 {
				t.Fatalf("after %d faults: %v", n, err)
			}
			return
		}
		if !errors.Is(err, full) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "crm") {
			t.Errorf("fault at %s: %v", failed, err)
		}
	}
}

func TestSourcesThatCannotBeKept(t *testing.T) {
	good := func() *SourceTable {
		return sourceOf("crm", []string{"id"}, []bool{false}, [][]string{{"1"}})
	}
	for want, spoil := range map[string]func(*SourceTable){
		"cannot be a file name": func(t *SourceTable) { t.Source = "../crm" },
		"no columns":            func(t *SourceTable) { t.Columns = nil },
		"1 codes for 2 rows":    func(t *SourceTable) { t.Rows = 2 },
		"has code 9 of 2":       func(t *SourceTable) { t.Columns[0].Codes[0] = 9 },
		"code 0 is not null":    func(t *SourceTable) { t.Columns[0].Values = record.Strings{} },
	} {
		table := good()
		spoil(table)
		if _, err := keepIn(t.TempDir(), table, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if _, err := KeepSource(context.Background(), nil, good(), 1); err == nil {
		t.Error("a source was kept without the lock")
	}
	dir := t.TempDir()
	if _, err := keepIn(dir, good(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := keepIn(dir, good(), 1); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a source was kept twice: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (disk{}).keepSource(ctx, t.TempDir(), good(), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestAPublishedRunKeepsItsSources goes the whole way of a night.
func TestAPublishedRunKeepsItsSources(t *testing.T) {
	dir := t.TempDir()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		t.Fatal(err)
	}
	want := sourceOf("crm", []string{"id", "city"}, []bool{false, false}, [][]string{{"1", "2"}, {"Turku", ""}})
	files, err := KeepSource(context.Background(), lock, want, 2)
	if err != nil {
		t.Fatal(err)
	}
	r := publish(t, dir, sample(t, 60, 1), Options{Lock: lock, Kept: files})
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	got, err := r.SourceTable("crm")
	if err != nil {
		t.Fatal(err)
	}
	if d := differs(got, want); d != "" {
		t.Error(d)
	}
	if _, err := r.SourceTable("web"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "web") {
		t.Errorf("a source that is not there: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(r.File(f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(text)) != f.Bytes {
			t.Errorf("%s is not what was told of it", f.Name)
		}
		// A file that is gone is damage, not a source that never was.
		if err := os.Remove(r.File(f.Name)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.SourceTable("crm"); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("%s is gone: %v", f.Name, err)
		}
	}
}

// BenchmarkSourceTable writes and reads a million rows of twelve columns; the
// time of writing includes syncing to disk.
func BenchmarkSourceTable(b *testing.B) {
	table := bigSource(1_000_000, 12)
	b.Run("keep", func(b *testing.B) {
		for b.Loop() {
			if _, err := keepIn(b.TempDir(), table, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
	r, err := keepIn(b.TempDir(), table, 2)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.SourceTable("crm"); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(r.Info.Files[1].Bytes)
	})
}
