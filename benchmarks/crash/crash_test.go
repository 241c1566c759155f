package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/benchmarks/measure"
)

// crash runs the program with these arguments on a sama that is built once.
func crash(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole nights")
	}
	root, err := measure.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program, err := measure.Build(t.Context(), root, dir)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), append(args, "-sama", string(program), "-tmp", dir), &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
	t.Log(stdout.String())
	return stdout.String()
}

func TestNightsThatAreKilledLoseNothing(t *testing.T) {
	crash(t, "-kills", "8", "-records", "300")
}

// TestNightsWithFaultsLoseNothing takes about twenty of the calls.
func TestNightsWithFaultsLoseNothing(t *testing.T) {
	if why := straceProblem(t.Context(), t.TempDir()); why != "" {
		if os.Getenv("SAMA_TEST_REQUIRE") == "all" && why == noStrace {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	out := crash(t, "-faults", "-every", "29", "-records", "150")
	for _, call := range []string{"write", "SIGKILL", "ENOSPC", "unlinkat"} {
		if !strings.Contains(out, call) {
			t.Errorf("the table has no %s", call)
		}
	}
}

func TestLogsOfStraceAreRead(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	text := `71 openat(AT_FDCWD</w>, "/o/lock", O_RDWR|O_CREAT|O_CLOEXEC, 0666) = 5</o/lock>
71 openat(AT_FDCWD</w>, "/o/current/run.json", O_RDONLY|O_CLOEXEC) = 6</o/runs/a/run.json>
71 pwrite64(5</o/lock>, "{\"pid\":1}", 9, 0) = 9
72 write(8</o/f>, "PAR1", 4) = 4
72 write(8</o/f>, "\"x\"", 3 <unfinished ...>
71 --- SIGURG {si_signo=SIGURG} ---
72 <... write resumed>) = -1 ENOSPC (No space left on device) (INJECTED)
71 symlinkat("runs/b", AT_FDCWD</w>, "/o/.publishing") = 0
71 renameat(AT_FDCWD</w>, "/o/.publishing", AT_FDCWD</w>, "/o/current") = -1 ENOSPC (No space left on device) (INJECTED)
71 unlinkat(9</o/runs/.unfinished>, "f", 0) = 0
72 +++ exited with 1 +++
`
	if err := os.WriteFile(log, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := readLog(log)
	if err != nil {
		t.Fatal(err)
	}
	want := []call{
		{point{"openat", "/o/lock", 1}, true, false},
		{point{"openat", "/o/current/run.json", 1}, false, false},
		{point{"pwrite64", "/o/lock", 1}, true, false},
		{point{"write", "/o/f", 1}, true, false},
		{point{"write", "/o/f", 2}, true, false},
		{point{"write", "", 0}, false, true},
		{point{"symlinkat", "/o/.publishing", 1}, true, false},
		{point{"renameat", "/o/.publishing", 1}, true, true},
		{point{"unlinkat", "/o/runs/.unfinished", 1}, true, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestRowsWithQuotedLinesStayWhole(t *testing.T) {
	dir := t.TempDir()
	all := filepath.Join(dir, "all.csv")
	rows := []string{"id,note\n"}
	for i := range 500 {
		rows = append(rows, string(rune('a'+i%26))+strings.Repeat("1", 1+i/26)+",\"two\nlines\"\n")
	}
	if err := os.WriteFile(all, []byte(strings.Join(rows, "")), 0o666); err != nil {
		t.Fatal(err)
	}
	var s [2]string
	names := []string{filepath.Join(dir, "first.csv"), filepath.Join(dir, "second.csv")}
	if err := splitNights(all, names[0], names[1], rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s[i] = string(text)
	}
	for _, text := range s {
		left := text
		for _, row := range rows {
			left = strings.Replace(left, row, "", 1)
		}
		// A changed row keeps its note.
		if strings.Count(left, "\"two\nlines\"") > 20 || !strings.HasPrefix(text, rows[0]) {
			t.Errorf("left of a night: %q", left)
		}
	}
	if s[0] == s[1] {
		t.Error("both nights are the same")
	}
}
