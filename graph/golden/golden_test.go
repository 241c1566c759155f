package golden

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/txtar"

	"sama/graph"
	"sama/record"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// Each file of testdata has a table (source, id, cluster, created, updated and
// the columns), options, and the golden records that are expected: the value,
// the rule that decided, and what lost with its number of records.
func TestSurvivorship(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no cases in testdata")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			part := func(name string) *txtar.File {
				for i := range ar.Files {
					if ar.Files[i].Name == name {
						return &ar.Files[i]
					}
				}
				ar.Files = append(ar.Files, txtar.File{Name: name})
				return &ar.Files[len(ar.Files)-1]
			}
			names, lines := readLines(t, string(part("records.csv").Data))
			tab, clusters := build(t, names, lines)
			var opt Options
			if err := yaml.UnmarshalWithOptions(part("options.yaml").Data, &opt, yaml.Strict()); err != nil {
				t.Fatal(err)
			}
			var got string
			if columns, err := Merge(tab, clusters, opt, nil, 2); err != nil {
				got = err.Error() + "\n"
			} else {
				got = describe(tab, clusters, columns)
			}
			if want := part("want"); *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want.Data) {
				t.Errorf("got\n%swant\n%s", got, want.Data)
			}
		})
	}
}

func readLines(t *testing.T, text string) (names []string, lines []line) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.TrimLeadingSpace = '#', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil && s != "" {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range rows[1:] {
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		lines = append(lines, line{row[0], row[1], uint32(number(row[2])), number(row[3]), number(row[4]), row[5:]})
	}
	for _, n := range rows[0][5:] {
		names = append(names, strings.TrimSpace(n))
	}
	return names, lines
}

func describe(t *record.Table, c *graph.Clusters, columns []Column) string {
	var b strings.Builder
	for k := range uint32(c.Len()) {
		fmt.Fprintf(&b, "%s:", t.Key(c.At(k)[0]))
		for i, col := range columns {
			fmt.Fprintf(&b, "\n  %s:", t.Columns[i].Name)
			if r := col.Chosen[k]; r != NoRecord {
				fmt.Fprintf(&b, " %q of %s,", t.Columns[i].RawValue(r), t.Key(r))
			}
			fmt.Fprintf(&b, " %v", col.Rule[k])
			for _, l := range col.Losing[col.LosingStart[k]:col.LosingStart[k+1]] {
				fmt.Fprintf(&b, " | %q ×%d", t.Columns[i].RawValue(l.Record), l.Records)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
