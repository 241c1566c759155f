package ingest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/record"

	"github.com/parquet-go/parquet-go"
)

// evalDir returns the folder of evaluation data, or skips the test.
func evalDir(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data", "eval")
	if _, err := os.Stat(data); err != nil {
		t.Skip("needs the evaluation data in ../shared/data/eval")
	}
	return data
}

// evalSets returns the names of the evaluation sets.
func evalSets(t testing.TB) []string {
	entries, err := os.ReadDir(evalDir(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// loadEval reads the records of an evaluation set, one source per value of a
// source column.
func loadEval(t testing.TB, set string) []*Raw {
	files, err := filepath.Glob(filepath.Join(evalDir(t), set, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var raws []*Raw
	for _, path := range files {
		switch base := strings.TrimSuffix(filepath.Base(path), ".parquet"); base {
		case "truth", "pairs", "extra":
		default:
			raws = append(raws, splitSources(loadParquet(t, path, base))...)
		}
	}
	slices.SortFunc(raws, func(a, b *Raw) int { return strings.Compare(a.Source, b.Source) })
	return raws
}

// loadParquet reads a file of flat columns row by row: slow and obvious.
func loadParquet(t testing.TB, path, source string) *Raw {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	pf, err := parquet.OpenFile(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	r := &Raw{Source: source, Rows: int(pf.NumRows()), Files: []File{{Path: path, Rows: int(pf.NumRows())}}}
	in := make([]record.Interner, len(pf.Schema().Fields()))
	for _, field := range pf.Schema().Fields() {
		r.Columns = append(r.Columns, RawColumn{Name: field.Name()})
	}
	buf := make([]parquet.Row, 512)
	for _, group := range pf.RowGroups() {
		rows := group.Rows()
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				for _, v := range row {
					text := ""
					if !v.IsNull() {
						text = v.String()
					}
					c := v.Column()
					r.Columns[c].Codes = append(r.Columns[c].Codes, in[c].Code(text))
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rows.Close()
	}
	for i := range r.Columns {
		if r.Columns[i].Values, err = in[i].Strings(); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// splitSources parts a source by its source column.
func splitSources(r *Raw) []*Raw {
	at := slices.IndexFunc(r.Columns, func(c RawColumn) bool { return c.Name == "source" })
	if at < 0 {
		return []*Raw{r}
	}
	parts := make(map[uint32]*Raw)
	var out []*Raw
	for row, code := range r.Columns[at].Codes {
		p := parts[code]
		if p == nil {
			p = &Raw{Source: r.Columns[at].Values.At(code), Files: r.Files}
			for i, c := range r.Columns {
				if i != at {
					p.Columns = append(p.Columns, RawColumn{Name: c.Name, Values: c.Values, Kind: c.Kind})
				}
			}
			parts[code] = p
			out = append(out, p)
		}
		k := 0
		for i, c := range r.Columns {
			if i != at {
				p.Columns[k].Codes = append(p.Columns[k].Codes, c.Codes[row])
				k++
			}
		}
		p.Rows++
	}
	return out
}

// TestReadersGiveTheTablesOfTheSlowLoader holds the readers against reading row
// by row, table against table.
func TestReadersGiveTheTablesOfTheSlowLoader(t *testing.T) {
	for _, set := range []string{"senzing_truthset", "german_time2k", "rldata10000", "winkler_census", "dedupe_early_childhood"} {
		raws, rejects, err := ReadSources(context.Background(), []Input{{Paths: []string{filepath.Join(evalDir(t), set, "records.parquet")}}}, ReadOptions{})
		if err != nil || len(rejects) > 0 {
			t.Fatal(err, rejects)
		}
		got, _ := build(t, 0, raws...)
		want, _ := build(t, 0, loadEval(t, set)...)
		t.Run(set, func(t *testing.T) { sameTable(t, want, got) })
	}
}
