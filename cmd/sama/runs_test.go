package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"sama/run"
)

// TestChangesOfADirectoryWaitForNobody holds the lock and has commands that write
// turned away.
func TestChangesOfADirectoryWaitForNobody(t *testing.T) {
	silos := people(t)
	t.Chdir(t.TempDir())
	if err := os.CopyFS(".", silos); err != nil {
		t.Fatal(err)
	}
	command := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := Run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); got != want {
			t.Errorf("%v: exit code %d, want %d: %s", args, got, want, stderr.String())
		}
		return stderr.String()
	}
	for range 2 {
		command(exitDone, "resolve", "crm.csv", "webshop.csv", "--out", "customers", "--quiet")
	}
	current := run.CurrentID("customers")
	lock, err := run.Acquire("customers", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"rollback", "--out", "customers"}, {"prune", "--keep", "1", "--out", "customers"}} {
		if said := command(exitLocked, args...); !strings.Contains(said, "process") {
			t.Errorf("%v: %q does not name the holder", args, said)
		}
	}
	for _, args := range [][]string{{"runs"}, {"check", "customers", "--all"}, {"diff", "customers", "customers"}, {"prune", "--keep", "1", "--dry-run"}} {
		command(exitDone, args...)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if got := run.CurrentID("customers"); got != current {
		t.Errorf("current is %s, was %s", got, current)
	}
	command(exitDone, "rollback")
	if got := run.CurrentID("customers"); got == current || got == "" {
		t.Errorf("current is still %s", got)
	}
}
