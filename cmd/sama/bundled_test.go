package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBundledSilosGiveTheExpectedResult compares what the three silos of the
// module's testdata resolve to, and how good that is, with accepted texts. A
// change of them is a change of quality: look at it, then run with -rewrite.
func TestBundledSilosGiveTheExpectedResult(t *testing.T) {
	dir := filepath.Join(moduleRoot(t), "testdata")
	out := filepath.Join(t.TempDir(), "customers")
	files := []string{filepath.Join(dir, "crm.parquet"), filepath.Join(dir, "webshop.csv.gz"), filepath.Join(dir, "service.jsonl")}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Skipf("no bundled silos: %v", err)
		}
	}
	resolved, _ := mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, files...)...)
	mustRun(t, exitDone, "check", out)
	evaluated, _ := mustRun(t, exitDone, "evaluate", "--quiet", "--worst", "1", "--truth", filepath.Join(dir, "truth.parquet"), "--out", out)
	planned, _ := mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--dry-run"}, files...)...)
	for name, text := range map[string]string{"resolve": resolved, "evaluate": evaluated, "dryrun": planned} {
		text = strings.ReplaceAll(text, out, "customers")
		text = regexp.MustCompile(`(?m)^Time .*\n`).ReplaceAllString(text, "")
		text = regexp.MustCompile(`(?m)^Run \S+:`).ReplaceAllString(text, "Run:")
		expect(t, filepath.Join("testdata", "bundled", name+".txt"), text)
	}
}

// expect compares a text with a file, or writes the file with -rewrite.
func expect(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		writeFile(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the difference, then accept it with -rewrite\ngot:\n%s", path, got)
	}
}
