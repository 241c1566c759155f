package generate

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the embedded tables and testdata")

// referenceDir returns the folder of published reference tables beside the
// repository, or skips the test.
func referenceDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(repoRoot(t), "..", "shared", "data", "ref"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no reference tables beside the repository")
	}
	return dir
}

func repoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func TestTablesAreWhatTheReferenceSays(t *testing.T) {
	ref := referenceDir(t)
	for name, content := range map[string]string{
		"surnames.gz":   surnameTable(t, ref),
		"given.gz":      givenTable(t, ref),
		"population.gz": populationTable(t, ref),
		"foreign.gz":    foreignTable(t, ref),
	} {
		path := filepath.Join("tables", name)
		if *update {
			var b bytes.Buffer
			zw, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			io.WriteString(zw, content)
			zw.Close()
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := readGzip(t, path); got != content {
			t.Errorf("%s differs from the reference tables; -update rewrites it", name)
		}
	}
}

func TestTablesAreSmall(t *testing.T) {
	total := int64(0)
	entries, err := tableFiles.ReadDir("tables")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, _ := e.Info()
		total += info.Size()
	}
	if total > 700<<10 {
		t.Errorf("embedded tables take %d bytes", total)
	}
}

func readGzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// rowsOf returns the rows of a gzipped CSV without its header.
func rowsOf(t *testing.T, parts ...string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(readGzip(t, filepath.Join(parts...)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func surnameTable(t *testing.T, ref string) string {
	var b strings.Builder
	for _, r := range rowsOf(t, ref, "fi_names", "fi_surnames.csv.gz") {
		fmt.Fprintf(&b, "%s\t%s\n", r[0], r[1])
	}
	return b.String()
}

func givenTable(t *testing.T, ref string) string {
	counts := map[string]*[4]string{}
	var names []string
	for _, r := range rowsOf(t, ref, "fi_names", "fi_given_names.csv.gz") {
		if counts[r[0]] == nil {
			counts[r[0]] = &[4]string{"0", "0", "0", "0"}
			names = append(names, r[0])
		}
		at := 0
		if r[1] == "M" {
			at = 2
		}
		if r[2] == "other" {
			at++
		}
		counts[r[0]][at] = r[3]
	}
	slices.Sort(names)
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "%s\t%s\n", n, strings.Join(counts[n][:], "\t"))
	}
	return b.String()
}

func populationTable(t *testing.T, ref string) string {
	var b strings.Builder
	var men, women []string
	for i, r := range rowsOf(t, ref, "fi_geo", "fi_population_by_municipality_age_sex_2020.csv.gz") {
		men, women = append(men, r[3]), append(women, r[4])
		if i%101 == 100 { // ages 0 to 99 and 100 or more
			area, _, _ := strings.Cut(r[0], " - ")
			fmt.Fprintf(&b, "%s\t%s\t%s\n", area, strings.Join(men, " "), strings.Join(women, " "))
			men, women = nil, nil
		}
	}
	return b.String()
}

func foreignTable(t *testing.T, ref string) string {
	var b strings.Builder
	kinds := map[string]string{"first_names_female": "f", "first_names_male": "m", "last_names": "s"}
	for _, r := range rowsOf(t, ref, "eu_names", "sv_names.csv.gz") {
		var w float64
		fmt.Sscan(r[2], &w)
		if k := kinds[r[0]]; k != "" && w > 0 {
			fmt.Fprintf(&b, "sv\t%s\t%s\t%d\n", k, r[1], max(1, int(w*1e6)))
		}
	}
	forenames := rowsOf(t, ref, "eu_names", "forenames_by_country.csv.gz")
	surnames := rowsOf(t, ref, "eu_names", "surnames_by_country.csv.gz")
	for _, country := range strings.Fields("AL BA CN DE EE ES GB IN LV PH PL RO RU TR UA") {
		for _, kind := range []string{"f", "m", "s"} {
			rows, at, sex := forenames, 11, strings.ToUpper(kind)
			if kind == "s" {
				rows, at, sex = surnames, 5, ""
			}
			rank := 0
			seen := map[string]bool{}
			for _, r := range rows {
				name := strings.TrimSpace(r[at])
				if r[0] != country || sex != "" && r[9] != sex || name == "" || seen[name] || strings.ContainsAny(name, " \t/(") {
					continue
				}
				seen[name] = true
				fmt.Fprintf(&b, "%s\t%s\t%s\t%d\n", country, kind, name, 10000/(rank+5))
				rank++
			}
		}
	}
	return b.String()
}
