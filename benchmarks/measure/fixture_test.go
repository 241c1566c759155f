package measure

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestMain lets the test binary be the process between the tests and what they
// measure.
func TestMain(m *testing.M) {
	Helper()
	os.Exit(m.Run())
}

type fixtureRecord struct {
	RecordID string  `parquet:"record_id"`
	Source   string  `parquet:"source"`
	Name     *string `parquet:"name,optional"`
	SocSecID string  `parquet:"soc_sec_id"`
	Visits   int64   `parquet:"visits"`
}

type fixtureTruth struct {
	RecordID string `parquet:"record_id"`
	EntityID string `parquet:"entity_id"`
}

type fixtureSiloTruth struct {
	Silo     string `parquet:"silo"`
	RecordID string `parquet:"record_id"`
	PersonID string `parquet:"person_id"`
}

func write[T any](t *testing.T, path string, rows []T) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

// fixture is a set of n records of one file, two records a person.
func fixture(t *testing.T, n int) Set {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fixture")
	var records []fixtureRecord
	var truth []fixtureTruth
	for i := range n {
		id := "r" + string(rune('A'+i/26)) + string(rune('a'+i%26))
		r := fixtureRecord{RecordID: id, Source: "one", SocSecID: "s" + id, Visits: int64(i) * 1000003}
		if i%3 > 0 {
			name := "name " + id
			r.Name = &name
		}
		records = append(records, r)
		truth = append(truth, fixtureTruth{id, "p" + string(rune('0'+i/2))})
	}
	write(t, filepath.Join(dir, "records.parquet"), records)
	write(t, filepath.Join(dir, "truth.parquet"), truth)
	write(t, filepath.Join(dir, "pairs.parquet"), truth)
	s, err := SetIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
