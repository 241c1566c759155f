package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readError reads one file and returns its error.
func readError(t *testing.T, name, content string) string {
	t.Helper()
	_, _, err := ReadSources(context.Background(), []Input{{Paths: []string{writeFile(t, name, []byte(content))}}}, ReadOptions{})
	if err == nil {
		t.Fatalf("%s: no error", name)
	}
	return err.Error()
}

// files writes files below a new folder and returns it.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, inputs ...Input) ([]*Raw, []Reject) {
	t.Helper()
	raws, rejected, err := ReadSources(context.Background(), inputs, ReadOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range raws {
		checkRaw(t, r)
	}
	return raws, rejected
}

func names(raws []*Raw) string {
	var all []string
	for _, r := range raws {
		all = append(all, r.Source)
	}
	return strings.Join(all, " ")
}

func TestSourceNames(t *testing.T) {
	for path, want := range map[string]string{
		"a/crm.csv.gz": "crm", "crm": "crm", "web shop (1).parquet": "web_shop__1_", "asiakkäät.csv": "asiakk__t", ".crm.csv": ".crm",
	} {
		if got := SourceName(baseName(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestDirectoriesAndPatterns(t *testing.T) {
	dir := files(t, map[string]string{
		"crm/2.csv": "id,b\n3,x\n", "crm/1.csv": "id,a\n1,x\n2,y\n", "crm/deep/3.jsonl": `{"id":4,"a":"z"}`,
		"crm/.hidden.csv": "id\n9\n", "crm/_SUCCESS": "", "crm/_old/x.csv": "id\n9\n", "crm/README.md": "text",
		"shop.csv": "id\n1\n", "service.csv": "id\n1\n", "void/README.md": "text",
	})
	raws, _ := read(t, Input{Paths: []string{filepath.Join(dir, "crm"), filepath.Join(dir, "s*.csv")}})
	if got := names(raws); got != "crm service shop" {
		t.Fatalf("sources %s", got)
	}
	if got, want := table(raws[0]), "[id][a][b]\n[1][x][]\n[2][y][]\n[3][][x]\n[4][z][]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if file, row := raws[0].Where(2); filepath.Base(file) != "2.csv" || row != 1 {
		t.Errorf("row 2 lies in %s row %d", file, row)
	}
	for path, want := range map[string]string{"void": "holds no data files", "x*.csv": "matches no file", "none.csv": "no such file"} {
		_, _, err := ReadSources(context.Background(), []Input{{Paths: []string{filepath.Join(dir, path)}}}, ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTheSameFileTwiceIsAnError(t *testing.T) {
	dir := files(t, map[string]string{"a.csv": "id\n1\n", "b/c.csv": "id\n2\n"})
	if err := os.Symlink(filepath.Join(dir, "a.csv"), filepath.Join(dir, "again.csv")); err != nil {
		t.Skip(err)
	}
	for _, paths := range [][]string{{"a.csv", "a.csv"}, {"a.csv", "b/../a.csv"}, {"a.csv", "again.csv"}, {"b", "b/c.csv"}} {
		var inputs []Input
		for _, p := range paths {
			inputs = append(inputs, Input{Paths: []string{dir + "/" + p}})
		}
		_, _, err := ReadSources(context.Background(), inputs, ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), "is given twice") {
			t.Errorf("%v: %v", paths, err)
		}
	}
}

func TestTwoSourcesOfOneNameAreAnErrorUnlessGivenAsOne(t *testing.T) {
	dir := files(t, map[string]string{"a/crm.csv": "id\n1\n", "b/crm.csv": "id\n2\n"})
	a, b := filepath.Join(dir, "a/crm.csv"), filepath.Join(dir, "b/crm.csv")
	_, _, err := ReadSources(context.Background(), []Input{{Paths: []string{a}}, {Paths: []string{b}}}, ReadOptions{})
	if err == nil || !strings.Contains(err.Error(), "two sources are named crm") {
		t.Error(err)
	}
	raws, _ := read(t, Input{Paths: []string{b, a}, Source: "crm"})
	if got := table(raws[0]); got != "[id]\n[1]\n[2]" {
		t.Error(got)
	}
}

func TestASourceColumnSplits(t *testing.T) {
	dir := files(t, map[string]string{"x.csv": "id,Source,n\n1,shop,a\n2,crm,b\n3,,c\n4,shop,b\n5,crm,\n"})
	raws, rejected := read(t, Input{Paths: []string{dir + "/x.csv"}})
	if got := names(raws); got != "crm shop" {
		t.Fatal(got)
	}
	if got := table(raws[0]) + "\n" + table(raws[1]); got != "[id][n]\n[2][b]\n[5][]\n[id][n]\n[1][a]\n[4][b]" {
		t.Error(got)
	}
	if _, row := raws[1].Where(1); row != 4 {
		t.Errorf("data row %d", row)
	}
	if got := rejectTexts(rejected); got != "3: no value in the column Source, which names the source" || raws[0].Files[0].Skipped != 1 {
		t.Error(got, raws[0].Files[0].Skipped)
	}
	// A name given wins over the column.
	if raws, _ := read(t, Input{Paths: []string{dir + "/x.csv"}, Source: "y"}); names(raws) != "y" || len(raws[0].Columns) != 3 {
		t.Error(names(raws))
	}
	// Many values are not names of sources.
	var many strings.Builder
	many.WriteString("id,source\n")
	for i := range maxSources + 1 {
		fmt.Fprintf(&many, "%d,s%d\n", i, i)
	}
	if raws, _ := read(t, Input{Paths: []string{writeFile(t, "x.csv", []byte(many.String()))}}); names(raws) != "x" {
		t.Error(names(raws))
	}
}

func TestAColumnThatChangesItsTypeIsText(t *testing.T) {
	dir := files(t, map[string]string{
		"crm/1.jsonl": `{"a":1,"b":1,"c":null,"d":"x"}`, "crm/2.jsonl": `{"a":"x","b":2,"c":3,"d":["y","z"]}`,
	})
	raws, _ := read(t, Input{Paths: []string{dir + "/crm"}})
	for i, want := range []Kind{KindText, KindInteger, KindInteger, KindText} {
		if c := raws[0].Columns[i]; c.Kind != want || c.List != (c.Name == "d") {
			t.Errorf("%s: kind %d", c.Name, c.Kind)
		}
	}
}

func TestContentDecidesTheFormat(t *testing.T) {
	csv := writeFile(t, "x.parquet", []byte("id,a\n1,x\n"))
	data, err := os.ReadFile("testdata/parquet/empty_groups.parquet")
	if err != nil {
		t.Fatal(err)
	}
	pq := writeFile(t, "y.csv", data)
	lines := writeFile(t, "z.txt", gzipped(t, []byte("{\"id\":1}\n")))
	raws, _ := read(t, Input{Paths: []string{csv, pq, lines}})
	var got []string
	for _, r := range raws {
		got = append(got, r.Files[0].Format)
	}
	if !slices.Equal(got, []string{"csv", "parquet", "jsonl"}) {
		t.Error(got)
	}
	for want, in := range map[string]Input{
		"configured as csv, but is a Parquet file": {Paths: []string{pq}, Format: "csv"},
		"does not begin as a Parquet file":         {Paths: []string{csv}, Format: "parquet"},
	} {
		if _, _, err := ReadSources(context.Background(), []Input{in}, ReadOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	if got := readError(t, "x.parquet", "PAR2\x00\x01\x02"); !strings.Contains(got, "corrupt") {
		t.Error(got)
	}
}

func TestAllBadFilesAreNamedAtOnce(t *testing.T) {
	dir := files(t, map[string]string{"a.csv": "", "b.csv": "id\n1\n", "c.parquet": "PAR1 is all there is"})
	_, _, err := ReadSources(context.Background(), []Input{{Paths: []string{dir + "/c.parquet", dir + "/a.csv", dir + "/b.csv"}}}, ReadOptions{})
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "a.csv: the file is empty") || !strings.Contains(err.Error(), "c.parquet: corrupt") {
		t.Error(err)
	}
}

func TestRejectsAreBoundedAndCounted(t *testing.T) {
	path := writeFile(t, "x.csv", []byte("a,b\n"+strings.Repeat("bad\n1,2\n", 500)))
	raws, rejected, err := ReadSources(context.Background(), []Input{{Paths: []string{path}}}, ReadOptions{KeepRejects: 10})
	if err != nil || len(rejected) != 10 || raws[0].Files[0].Skipped != 500 || raws[0].Rows != 500 {
		t.Errorf("%v, %d listed", err, len(rejected))
	}
}

// The result does not depend on workers nor on the order of inputs.
func TestReadingIsDeterministic(t *testing.T) {
	dir := files(t, map[string]string{"a.csv": string(csvLinesText()), "b.jsonl": string(jsonLinesText()), "c.csv": "x,source\n1,\n\x00,k\n"})
	inputs := []Input{{Paths: []string{dir + "/a.csv", dir + "/b.jsonl"}}, {Paths: []string{dir + "/c.csv"}}, {Paths: []string{"testdata/parquet/odd.parquet"}}}
	show := func(inputs []Input, workers int) string {
		raws, rejected, err := ReadSources(context.Background(), inputs, ReadOptions{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range raws {
			fmt.Fprintln(&b, r.Source, r.Files, r.rows)
			for _, c := range r.Columns {
				fmt.Fprintln(&b, c.Name, c.Kind, c.List, c.Codes)
				for i := range c.Values.Len() {
					fmt.Fprintf(&b, "%q", c.Values.At(uint32(i)))
				}
			}
		}
		fmt.Fprintln(&b, rejected)
		return b.String()
	}
	want := show(inputs, 1)
	for _, workers := range []int{2, 7} {
		slices.Reverse(inputs)
		slices.Reverse(inputs[len(inputs)-1].Paths)
		if got := show(inputs, workers); got != want {
			t.Fatalf("%d workers:\n%s\nwant\n%s", workers, got, want)
		}
	}
}
