package run

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sama/record"
)

// python runs a script in dir with what follows on its standard input, and
// returns what it prints. It skips the test where Python or a module is
// missing, unless SAMA_TEST_REQUIRE=all.
func python(t *testing.T, dir, script string, input []byte, modules ...string) []byte {
	t.Helper()
	exe, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(exe, "-c", "import "+strings.Join(modules, ", ")).Run()
	}
	if err != nil {
		if os.Getenv("SAMA_TEST_REQUIRE") == "all" {
			t.Fatalf("python3 with %v is needed: %v", modules, err)
		}
		t.Skipf("python3 with %v not found", modules)
	}
	cmd := exec.Command(exe, "-c", script)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, stderr.Bytes())
	}
	return out
}

// TestReadmeQueriesRun runs every query of README.md in DuckDB.
func TestReadmeQueriesRun(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(text, -1) {
		queries = append(queries, string(m[1]))
	}
	if headings := strings.Count(string(text), "\n## "); len(queries) != headings {
		t.Errorf("%d queries for %d files", len(queries), headings)
	}
	dir := t.TempDir()
	publishKept(t, filepath.Join(dir, "customers"), withConsents(t, sample(t, 900, 1)))
	input, err := json.Marshal(queries)
	if err != nil {
		t.Fatal(err)
	}
	out := python(t, dir, `
import duckdb, json, sys
for q in json.load(sys.stdin):
    rows = duckdb.execute(q).fetchall()
    if not rows and "aliases" not in q:
        print("no rows:", q)
`, input, "duckdb")
	if len(out) > 0 {
		t.Error(string(out))
	}
}

// publishKept publishes content together with the one source that it has kept.
func publishKept(t *testing.T, dir string, c *Content) *Run {
	t.Helper()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	ids := make([]uint32, c.Table.Len()/3)
	var texts record.Interner
	for i := range ids {
		ids[i] = texts.Code(c.Table.IDs.At(uint32(i)))
	}
	values, err := texts.Strings()
	if err != nil {
		t.Fatal(err)
	}
	table := &SourceTable{Source: "crm", Rows: len(ids), Key: "id", Columns: []SourceColumn{{Name: "id", Codes: ids, Values: values}}}
	files, err := KeepSource(t.Context(), lock, table, 2)
	if err != nil {
		t.Fatal(err)
	}
	return publish(t, dir, c, Options{Lock: lock, Kept: files})
}

// TestReadmeColumnsAreTheFiles compares the columns that README.md documents
// with those that are written, name and DuckDB type.
func TestReadmeColumnsAreTheFiles(t *testing.T) {
	dir := t.TempDir()
	publish(t, filepath.Join(dir, "customers"), withConsents(t, sample(t, 90, 1)), Options{})
	out := python(t, dir, `
import duckdb, glob
for f in sorted(glob.glob('customers/current/**/*.parquet', recursive=True)):
    print(f[18:])
    for name, type in duckdb.execute(f"select column_name, column_type from (describe from '{f}')").fetchall():
        print(' ', name, type)
`, nil, "duckdb")
	const golden = "testdata/columns.txt"
	if os.Getenv("SAMA_TEST_REWRITE") != "" {
		if err := os.WriteFile(golden, out, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out) {
		t.Errorf("the files' columns are part of the contract; they are now\n%s\nand were\n%s\n(SAMA_TEST_REWRITE=1 accepts them)", out, want)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(want)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, "  ") && !sampleColumnNames[name] && !strings.HasPrefix(name, "level_") && !bytes.Contains(readme, []byte(name)) {
			t.Errorf("README.md does not document %s", name)
		}
	}
}

// sampleColumnNames are the field columns of the sample.
var sampleColumnNames = map[string]bool{
	"given_name": true, "family_name": true, "birth_date": true, "email": true, "phone": true,
	"city": true, "newsletter": true, "Sources": true, "Sources_2": true, "never": true,
}

// readEverything compares what DuckDB and pandas read from the files, and prints
// sums over them.
const readEverything = `
import json, duckdb, pandas, pyarrow, pyarrow.feather, pyarrow.parquet
info = json.load(open('run.json'))
q = lambda s: duckdb.execute(s).fetchall()[0]
sums = {}
for f in info['files']:
    name = f['name']
    if name.endswith('.parquet'):
        frame = pandas.read_parquet(name)
        rows = q(f"select count(*) from '{name}'")[0]
        assert len(frame) == rows == f.get('rows', 0), (name, len(frame), rows, f)
        # Every value of every column, not only those that a count touches.
        duck = duckdb.sql(f"from '{name}'")
        duck = duck.to_arrow_table() if hasattr(duck, 'to_arrow_table') else duck.arrow()
        arrow = pyarrow.parquet.read_table(name, page_checksum_verification=True)
        assert duck.cast(arrow.schema).equals(arrow), name
    if name.endswith('.arrow'):
        a = pyarrow.feather.read_table(name)
        b = pyarrow.parquet.read_table(name.replace('.arrow', '.parquet'))
        assert a.num_rows == f['rows'] and a.cast(b.schema).equals(b.cast(b.schema)), name
        assert pandas.testing.assert_frame_equal(a.to_pandas(), b.to_pandas()) is None
sums['records'], sums['weight'] = q("select count(*), sum(joined_by_weight) from 'members.parquet'")
sums['counted'], sums['city'], sums['sources'] = q("select sum(record_count)::bigint, count(city), sum(len(sources))::bigint from 'golden.parquet'")
sums['edge_weight'], sums['level'] = q("select sum(match_weight), count(*) filter (level_name = 'equal') from 'edges.parquet'")
sums['values'], sums['lost'] = q("select count(*), sum(len(losing))::bigint from 'provenance.parquet'")
sums['event_records'] = q("select sum(len(records))::bigint from 'events.parquet'")[0]
sums['orphans'] = q("select count(*) from 'members.parquet' m anti join 'golden.parquet' g using (identity_id)")[0]
sums['first'] = q("select min(first_seen) = timestamp '2020-09-13 12:26:40' from 'golden.parquet'")[0]
print(json.dumps(sums))
`

// TestOthersReadTheSame lets DuckDB and pandas read every file, and compares
// their counts and sums with run.json and with the content.
func TestOthersReadTheSame(t *testing.T) {
	dir := t.TempDir()
	c := withConsents(t, sample(t, 135_000, 3))
	r := publish(t, dir, c, Options{Arrow: true})
	out := python(t, r.Path, readEverything, nil, "duckdb", "pandas", "pyarrow")
	var got sums
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err, string(out))
	}
	want := sumsOf(c)
	if got != want {
		t.Errorf("others read %+v\nthe content is %+v", got, want)
	}
	if got.Records != r.Info.Counts.Records || got.Lost == 0 {
		t.Errorf("others read %+v\nrun.json says %+v", got, r.Info.Counts)
	}
}

// sums are figures over all files.
type sums struct {
	Records, Counted, City, Sources, Level, Values, Lost, Orphans int64
	Weight                                                        float64
	EdgeWeight                                                    float64 `json:"edge_weight"`
	EventRecords                                                  int64   `json:"event_records"`
	First                                                         bool
}

// sumsOf takes the figures from the content, the slow way.
func sumsOf(c *Content) sums {
	n := int64(c.Table.Len())
	want := sums{Records: n, Counted: n, EventRecords: n, First: true}
	best := map[uint32]float64{}
	for e, edge := range c.Edges {
		want.EdgeWeight += edge.Weight.Bits()
		if c.Levels[e*2] == 2 {
			want.Level++
		}
		if c.Identity[edge.A] == c.Identity[edge.B] {
			for _, rec := range []uint32{edge.A, edge.B} {
				if w, ok := best[rec]; !ok || edge.Weight.Bits() > w {
					best[rec] = edge.Weight.Bits()
				}
			}
		}
	}
	for _, w := range best {
		want.Weight += w
	}
	for i, g := range c.Golden {
		for _, rec := range g.Chosen {
			if rec != NoRecord {
				want.Values++
				if c.Table.Columns[i].Name == "city" {
					want.City++
				}
			}
		}
		want.Lost += int64(len(g.Losing))
	}
	seen := map[[2]uint32]bool{}
	for rec, id := range c.Identity {
		seen[[2]uint32{id, uint32(c.Table.Source[rec])}] = true
	}
	want.Sources = int64(len(seen))
	return want
}
