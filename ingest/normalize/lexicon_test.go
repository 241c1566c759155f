package normalize

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite files that tests compare with")

// refDir returns the folder of reference tables, or skips the test.
func refDir(t *testing.T) string {
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
	ref := filepath.Join(dir, "..", "shared", "data", "ref")
	if _, err := os.Stat(ref); err != nil {
		t.Skip("needs the reference tables in ../shared/data/ref")
	}
	return ref
}

const namesHeader = `# Common given and family names, folded, with two letters for how frequent each is as a given and as a family name:
# "-" not listed, "a" one in 1048576 people of a list, every further letter twice as many.
# Sources:
#   Finnish names: Digital and Population Data Services Agency (DVV), name data of the Population Information System, 1 August 2023, CC BY 4.0
#   German and United States names: ul-mds/gecko-data, MIT
#   Swedish and Estonian names: joke2k/faker, MIT
#   English surnames: Ancestry.com labelled name pairs in tfmorris/Names, Apache-2.0; listed without frequency
#   names by country: sigpwned/popular-names-by-country-dataset, CC0
`

func TestEmbeddedNamesAreWhatTheirSourcesSay(t *testing.T) {
	want := buildNames(t, refDir(t))
	if *update {
		var buf bytes.Buffer
		zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
		if _, err := io.WriteString(zw, want); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("names.txt.gz", buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("names.txt.gz: %d bytes, %d lines", buf.Len(), strings.Count(want, "\n"))
		return
	}
	zr, err := gzip.NewReader(bytes.NewReader(namesFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("names.txt.gz differs from its sources; run go test ./ingest/normalize -run EmbeddedNames -update")
	}
}

// nameList is one list: folded name → share.
type nameList struct {
	family bool
	keep   int // most frequent names kept
	counts map[string]float64
}

func buildNames(t *testing.T, ref string) string {
	var lists []nameList
	add := func(file string, family bool, keep int, pick func(row map[string]string) (string, float64)) {
		l := nameList{family, keep, make(map[string]float64)}
		for _, row := range readTable(t, filepath.Join(ref, file)) {
			name, n := pick(row)
			if f := Fold(name); len(f) > 1 && !strings.Contains(f, " ") && n > 0 {
				l.counts[f] += n
			}
		}
		lists = append(lists, l)
	}
	number := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }
	add("fi_names/fi_given_names.csv.gz", false, 7000, func(r map[string]string) (string, float64) { return r["name"], number(r["count"]) })
	add("fi_names/fi_surnames.csv.gz", true, 12000, func(r map[string]string) (string, float64) { return r["surname"], number(r["count"]) })
	add("eu_names/de_given_names.csv.gz", false, 2000, func(r map[string]string) (string, float64) { return r["given_name"], number(r["count"]) })
	add("eu_names/de_surnames.csv.gz", true, 3500, func(r map[string]string) (string, float64) { return r["last_name"], number(r["count"]) })
	add("eu_names/us_given_names.csv.gz", false, 3300, func(r map[string]string) (string, float64) { return r["given_name"], number(r["count"]) })
	for _, file := range []string{"sv", "et"} {
		for _, family := range []bool{false, true} {
			add("eu_names/"+file+"_names.csv.gz", family, 1000, func(r map[string]string) (string, float64) {
				if strings.HasPrefix(r["kind"], "last") != family || !strings.Contains(r["kind"], "names") {
					return "", 0
				}
				return r["name"], number(cmp.Or(r["weight"], "0.001"))
			})
		}
	}
	rank := func(s string) float64 { return 1 / (3 + number(s)) }
	add("eu_names/forenames_by_country.csv.gz", false, 5000, func(r map[string]string) (string, float64) { return r["Romanized Name"], rank(r["Index"]) })
	add("eu_names/surnames_by_country.csv.gz", true, 5000, func(r map[string]string) (string, float64) { return r["Romanized Name"], rank(r["Rank"]) })
	return writeNames(lists, pairedSurnames(t, filepath.Join(ref, "name_pairs", "name_pairs_ancestry_labelled.csv.gz")))
}

// pairedSurnames returns the surnames that occur in at least four pairs.
func pairedSurnames(t *testing.T, path string) []string {
	seen := make(map[string]int)
	for _, row := range readTable(t, path) {
		if strings.HasPrefix(row["set"], "ancestry_surname") {
			seen[Fold(row["name1"])]++
			seen[Fold(row["name2"])]++
		}
	}
	var names []string
	for name, n := range seen {
		if n >= 4 && len(name) > 2 && !strings.Contains(name, " ") {
			names = append(names, name)
		}
	}
	return names
}

func writeNames(lists []nameList, surnames []string) string {
	shares := make(map[string]nameShare)
	for _, l := range lists {
		total := 0.0
		names := make([]string, 0, len(l.counts))
		for name := range l.counts {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Or(cmp.Compare(l.counts[b], l.counts[a]), strings.Compare(a, b))
		})
		for _, name := range names {
			total += l.counts[name]
		}
		for _, name := range names[:min(l.keep, len(names))] {
			s := shares[name]
			if l.family {
				s.family = max(s.family, l.counts[name]/total)
			} else {
				s.given = max(s.given, l.counts[name]/total)
			}
			shares[name] = s
		}
	}
	for _, name := range surnames {
		s := shares[name]
		s.family = max(s.family, classShare('f'))
		shares[name] = s
	}
	names := make([]string, 0, len(shares))
	for name := range shares {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	out.WriteString(namesHeader)
	for _, name := range names {
		fmt.Fprintf(&out, "%s%c%c\n", name, shareClass(shares[name].given), shareClass(shares[name].family))
	}
	return out.String()
}

// readTable reads a gzipped CSV file with a header.
func readTable(t *testing.T, path string) []map[string]string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(zr).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table []map[string]string
	for _, row := range rows[1:] {
		m := make(map[string]string, len(row))
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		table = append(table, m)
	}
	return table
}
