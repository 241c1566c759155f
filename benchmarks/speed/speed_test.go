package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sama/benchmarks/generate"
	"sama/benchmarks/measure"
)

// TestMain lets the test binary be the processes that it starts.
func TestMain(m *testing.M) {
	measure.Helper()
	reader()
	os.Exit(m.Run())
}

func TestPlainReaderReadsEveryRowOfGeneratedSilos(t *testing.T) {
	dir := t.TempDir()
	m, err := generate.Run(context.Background(), generate.Options{Records: 2000, Seed: 1}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := measure.SetIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	usage, rows, err := readerUsage(context.Background(), set.Inputs)
	var want int64
	for _, n := range m.Counts.Records {
		want += int64(n)
	}
	if err != nil || rows != want || usage.Wall <= 0 {
		t.Errorf("%d rows of %d, %+v, %v", rows, want, usage, err)
	}
	if _, err := readAll([]string{set.Truth}); err == nil {
		t.Error("the truth was read as a silo")
	}
	if _, err := readAll([]string{filepath.Join(dir, "missing", "crm.parquet")}); err == nil {
		t.Error("a missing file gave no error")
	}
}

func TestMedianOfRuns(t *testing.T) {
	m := median([]row{{Wall: 3, CPU: 1, Peak: 10, Pairs: 7, Precision: 0.5}, {Wall: 1, CPU: 5, Peak: 30, Pairs: 7}, {Wall: 2, CPU: 3, Peak: 20, Pairs: 7}})
	if m.Wall != 2 || m.CPU != 3 || m.Peak != 20 || m.Pairs != 7 || m.Precision != 0.5 {
		t.Errorf("median %+v", m)
	}
}

func TestTableShowsRatios(t *testing.T) {
	var out bytes.Buffer
	err := printTable(&out, []row{{Records: 1000, Wall: 4, CPU: 6, Peak: 3 << 20, Pairs: 2500, Bytes: 5 << 20, Precision: 1, Recall: 0.25, ReadWall: 2, ReadCPU: 2}})
	if want := "1000 4.00 6.00 3 3146 2500 2.5 5 1.0000 0.2500 2.00 2.00 2.00 3.00"; err != nil || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
		t.Errorf("%v, got\n%s", err, out.String())
	}
}

func TestWrongFlagsAreSaid(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Run(context.Background(), []string{"-records", "1000,many", "-runs", "0"}, &out, &errs); code != 2 || !strings.Contains(errs.String(), `"many"`) || !strings.Contains(errs.String(), "-runs 0") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
