package main

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sama/serve/store"
)

// TestTheLogIsSweptAndComparedWithWhatWasKept keeps the heads of a log of three
// days, sweeps the first, and compares.
func TestTheLogIsSweptAndComparedWithWhatWasKept(t *testing.T) {
	out := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(out, stateName), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	day := time.Date(2025, 11, 24, 12, 0, 0, 0, time.UTC)
	var kept []string
	for i := range 3 {
		at := day.AddDate(0, 0, i)
		err := s.AppendAccess(t.Context(), []store.Access{{At: at, Client: "desk", Identity: "id-1", What: "read"}, {At: at, Client: "mailer", Job: "x", What: "extract", Identities: []string{"id-1", "id-2"}}})
		if err != nil {
			t.Fatal(err)
		}
		head, err := s.AccessHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, fmt.Sprintf("%d:%s", head.ID, hex.EncodeToString(head.Hash[:])))
	}
	stdout, _ := mustRun(t, exitDone, "audit", "verify", "--kept", kept[0], "--kept", kept[2], "--out", out)
	if !strings.Contains(stdout, "whole: 6 rows") || !strings.Contains(stdout, "It has 2 rows that were kept.") {
		t.Error(stdout)
	}
	_, stderr := mustRun(t, exitFailed, "audit", "verify", "--kept", "3"+kept[0][1:], "--out", out)
	if !strings.Contains(stderr, "row 3: it is not the row whose hash was kept") {
		t.Error(stderr)
	}
	stdout, _ = mustRun(t, exitDone, "audit", "sweep", "--before", "2025-11-25", "--by", "kim", "--out", out)
	if want := "2 rows removed, up to row 2 with hash\n  " + kept[0][2:] + "\n"; stdout != want {
		t.Errorf("got %q, want %q", stdout, want)
	}
	stdout, _ = mustRun(t, exitDone, "audit", "verify", "--kept", kept[0], "--kept", kept[1], "--out", out)
	if !strings.Contains(stdout, "whole: 5 rows") || !strings.Contains(stdout, "Rows up to 2 were removed at ") {
		t.Error(stdout)
	}
	mustRun(t, exitDone, "audit", "sweep", "--before", "2025-11-25T23:00:00Z", "--by", "kim", "--out", out, "--json")
	_, stderr = mustRun(t, exitFailed, "audit", "verify", "--kept", kept[0], "--out", out)
	if !strings.Contains(stderr, "rows up to 4 were swept since") {
		t.Error(stderr)
	}
	for _, args := range [][]string{{"verify", "--kept", "1"}, {"sweep", "--before", "2025-11-25"}, {"sweep", "--by", "kim"}, {"sweep", "--by", "kim", "--before", "tomorrow"}} {
		mustRun(t, exitUsage, append(append([]string{"audit"}, args...), "--out", out)...)
	}
}
