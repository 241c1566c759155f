package ingest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sama/record"
)

var update = flag.Bool("update", false, "rewrite the expected files")

// TestProposedMappingsOfEvaluationSets compares what is proposed for the
// evaluation sets, and how full the table's columns become, with files that
// people have read and found right. The files hold names and counts, no data.
func TestProposedMappingsOfEvaluationSets(t *testing.T) {
	for _, set := range evalSets(t) {
		t.Run(set, func(t *testing.T) {
			raws := loadEval(t, set)
			m, notes := Propose(raws)
			table, report, err := Build(context.Background(), raws, m, BuildOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := table.Check(); err != nil {
				t.Error(err)
			}
			rows := 0
			for _, r := range raws {
				rows += r.Rows
			}
			if table.Len()+report.RejectCount != rows {
				t.Errorf("%d records and %d rejects of %d rows", table.Len(), report.RejectCount, rows)
			}
			compareFile(t, filepath.Join("testdata", "mapping", set+".txt"), describe(m, notes, table, report))
		})
	}
}

// describe writes a mapping and the table it makes as text.
func describe(m Mapping, notes []Note, t *record.Table, report *BuildReport) string {
	var out strings.Builder
	for i, s := range m.Sources {
		fmt.Fprintf(&out, "source %s, key %s, %d records\n", s.Source, s.Key, report.Sources[i].Records)
		layouts := make(map[string]string)
		for _, c := range report.Sources[i].Columns {
			layouts[c.Column] = c.Layout
		}
		for _, c := range s.Columns {
			fmt.Fprintf(&out, "\t%-24s %-14s %-4s %s\n", c.Column, c.As, layouts[c.Column], c.Why)
		}
	}
	out.WriteString("table\n")
	for _, c := range t.Columns {
		fmt.Fprintf(&out, "\t%-24s %-14s %5.1f %% %7d distinct\n", c.Name, c.Field, 100*c.Filled(), c.Normal.Len()-1)
	}
	for _, s := range report.Sources {
		for _, c := range s.Columns {
			if c.Junk+c.Invalid > 0 {
				fmt.Fprintf(&out, "%s.%s: %d junk, %d invalid\n", s.Source, c.Column, c.Junk, c.Invalid)
			}
		}
	}
	for i := 0; i < len(report.Generic); {
		column, values, records := report.Generic[i].Column, 0, 0
		for ; i < len(report.Generic) && report.Generic[i].Column == column; i++ {
			values, records = values+1, records+report.Generic[i].Records
		}
		fmt.Fprintf(&out, "%s: %d generic values in %d records\n", column, values, records)
	}
	for _, n := range notes {
		fmt.Fprintf(&out, "note %s\n", n)
	}
	return out.String()
}

// compareFile compares got with an expected file, or rewrites the file.
func compareFile(t *testing.T, path, got string) {
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		wl, gl := strings.Split(string(want), "\n"), strings.Split(got, "\n")
		for i := range max(len(wl), len(gl)) {
			w, g := "", ""
			if i < len(wl) {
				w = wl[i]
			}
			if i < len(gl) {
				g = gl[i]
			}
			if w != g {
				t.Fatalf("%s, line %d:\nwant %s\ngot  %s\nrun with -update if the change is right", path, i+1, w, g)
			}
		}
	}
}
