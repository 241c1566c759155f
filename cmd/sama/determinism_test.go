package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sama/benchmarks/generate"
)

// silos makes three silos of 1,900 records, too many to compare all pairs.
func silos(t *testing.T, format generate.Format) string {
	t.Helper()
	dir := t.TempDir()
	opt := generate.Options{Records: 1900, Seed: 11, Format: format}
	if _, err := generate.Run(context.Background(), opt, dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mustRun runs a command line that must end with the exit code.
func mustRun(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := Run(context.Background(), args, strings.NewReader(""), &out, &errs); got != code {
		t.Fatalf("sama %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, errs.String())
	}
	return out.String(), errs.String()
}

// fingerprints returns a hash for every file of a run but run.json; of the
// report without what it says about the clock and the machine.
func fingerprints(t *testing.T, out string) map[string][sha256.Size]byte {
	t.Helper()
	current, err := filepath.EvalSymlinks(filepath.Join(out, "current"))
	if err != nil {
		t.Fatal(err)
	}
	prints := make(map[string][sha256.Size]byte)
	err = filepath.WalkDir(current, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "run.json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(current, path)
		prints[rel] = sha256.Sum256(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return prints
}

func TestOutputDependsOnTheValuesAlone(t *testing.T) {
	parquet, csv := silos(t, generate.Parquet), silos(t, generate.CSV)
	in := func(dir string, names ...string) []string {
		for i, n := range names {
			names[i] = filepath.Join(dir, n)
		}
		return names
	}
	files := in(parquet, "crm.parquet", "service.parquet", "webshop.parquet")
	resolve := func(t *testing.T, args ...string) map[string][sha256.Size]byte {
		out := filepath.Join(t.TempDir(), "out")
		mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--arrow", "--out", out}, args...)...)
		mustRun(t, exitDone, "check", out)
		return fingerprints(t, out)
	}
	want := resolve(t, append(files, "--workers", "2")...)
	if len(want) < 15 {
		t.Fatalf("only %d files", len(want))
	}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"one worker", append(in(parquet, "crm.parquet", "service.parquet", "webshop.parquet"), "--workers", "1")},
		{"seven workers", append(in(parquet, "crm.parquet", "service.parquet", "webshop.parquet"), "--workers", "7")},
		{"other order of files", in(parquet, "webshop.parquet", "crm.parquet", "service.parquet")},
		{"a pattern", []string{filepath.Join(parquet, "[csw]*e*.parquet"), filepath.Join(parquet, "crm.parquet")}},
		{"CSV of the same values", in(csv, "crm.csv", "service.csv", "webshop.csv")},
		{"split files", []string{split(t, filepath.Join(csv, "crm.csv")), filepath.Join(csv, "service.csv"), split(t, filepath.Join(csv, "webshop.csv"))}},
		{"shuffled rows", []string{reversed(t, filepath.Join(csv, "crm.csv")), filepath.Join(csv, "service.csv"), reversed(t, filepath.Join(csv, "webshop.csv"))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := resolve(t, c.args...)
			for name, sum := range want {
				if got[name] != sum {
					t.Errorf("%s differs", name)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d files, want %d", len(got), len(want))
			}
		})
	}
}

// split cuts a CSV file into three in a folder named after its source.
func split(t *testing.T, path string) string {
	t.Helper()
	header, rows := csvRows(t, path)
	dir := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".csv"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, part := range [][]string{rows[:len(rows)/5], rows[len(rows)/5 : len(rows)/2], rows[len(rows)/2:]} {
		writeFile(t, filepath.Join(dir, string(rune('c'-i))+".csv"), header+strings.Join(part, ""))
	}
	return dir
}

// reversed writes a CSV file with its rows in the other order.
func reversed(t *testing.T, path string) string {
	t.Helper()
	header, rows := csvRows(t, path)
	var b strings.Builder
	b.WriteString(header)
	for i := len(rows) - 1; i >= 0; i-- {
		b.WriteString(rows[i])
	}
	out := filepath.Join(t.TempDir(), filepath.Base(path))
	writeFile(t, out, b.String())
	return out
}

// csvRows returns the lines of a CSV file without line breaks in cells.
func csvRows(t *testing.T, path string) (header string, rows []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		rows = append(rows, line)
	}
	return rows[0], rows[1:]
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
