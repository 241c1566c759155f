package run

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// threeNights returns a directory with three runs, the last of which is current.
func threeNights(t *testing.T) (dir string, runs []*Run) {
	r := rand.New(rand.NewPCG(3, 3))
	dir = t.TempDir()
	for _, letters := range []string{"abcd", "abcdef", "bcdefg"} {
		runs = append(runs, night(t, dir, r, nightTable(t, r, letters), false))
	}
	return dir, runs
}

func acquire(t *testing.T, dir string) *Lock {
	t.Helper()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Release() })
	return lock
}

func TestListTellsWhichRunsThereAre(t *testing.T) {
	dir, runs := threeNights(t)
	switchToAny(t, dir, runs[1].Info.ID)
	if err := os.Mkdir(filepath.Join(dir, "runs", "strange"), 0o777); err != nil {
		t.Fatal(err)
	}
	list, err := List(dir)
	if err != nil || len(list) != 4 {
		t.Fatalf("%v, %v", list, err)
	}
	if list[0].ID != "strange" || list[0].Err == nil {
		t.Errorf("first %+v", list[0])
	}
	for i, e := range list[1:] {
		if e.ID != runs[i].Info.ID || e.Current != (i == 1) || e.Newest != (i == 2) || e.Bytes == 0 {
			t.Errorf("run %d: %+v", i, e)
		}
	}
	if _, err := List(filepath.Join(dir, "nowhere")); !errors.Is(err, ErrNoRun) {
		t.Errorf("no directory: %v", err)
	}
}

// TestSwitchIsAllOrNothing makes each touch of the disk fail in turn.
func TestSwitchIsAllOrNothing(t *testing.T) {
	dir, runs := threeNights(t)
	lock := acquire(t, dir)
	first, last := runs[0].Info.ID, runs[2].Info.ID
	full := errors.New("no space left on device")
	for n := 0; ; n++ {
		left := n
		err := lock.switchRun(disk{fault: func(string, string) error {
			if left--; left == -1 {
				return full
			}
			return nil
		}}, first)
		if err == nil {
			break
		}
		if !errors.Is(err, full) {
			t.Fatal(err)
		}
		if got := CurrentID(dir); got != last && got != first {
			t.Fatalf("fault %d: current is %q", n, got)
		}
		if names := tree(t, dir); slices.Contains(names, nextCurrentName) {
			t.Fatalf("fault %d leaves %v", n, names)
		}
	}
	if got := CurrentID(dir); got != first {
		t.Errorf("current is %s, want %s", got, first)
	}
}

func TestSwitchRefusesWhatIsNotWhole(t *testing.T) {
	dir, runs := threeNights(t)
	lock := acquire(t, dir)
	if err := os.Truncate(runs[0].File("golden.parquet"), 10); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(runs[1].File("edges.parquet")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{runs[0].Info.ID, runs[1].Info.ID, "nowhere", "", "..", "../..", ".unfinished", "a/b"} {
		if err := lock.Switch(id); err == nil {
			t.Errorf("switched to %q", id)
		}
	}
	if got := CurrentID(dir); got != runs[2].Info.ID {
		t.Errorf("current is %s", got)
	}
}

// TestRemoveLeavesNoHalves makes each touch of the disk fail in turn, and has
// the next holder of the lock clear up.
func TestRemoveLeavesNoHalves(t *testing.T) {
	dir, runs := threeNights(t)
	full := errors.New("no space left on device")
	for n := 0; ; n++ {
		left := n
		lock, err := Acquire(dir, sampleClock)
		if err != nil {
			t.Fatal(err)
		}
		list, err := List(dir)
		if err != nil {
			t.Fatal(err)
		}
		if list[0].ID != runs[0].Info.ID {
			lock.Release()
			break
		}
		if err := lock.removeRun(disk{fault: func(string, string) error {
			if left--; left == -1 {
				return full
			}
			return nil
		}}, runs[0].Info.ID); err != nil && !errors.Is(err, full) {
			t.Fatal(err)
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		for _, name := range tree(t, dir) {
			if strings.Contains(name, removedPrefix) {
				t.Fatalf("fault %d leaves %s", n, name)
			}
		}
		found, _, err := CheckAll(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.Err != nil {
				t.Fatalf("fault %d: %v", n, f.Err)
			}
		}
	}
	// What a killed removal leaves.
	if err := os.Mkdir(filepath.Join(dir, "runs", removedPrefix+"x"), 0o777); err != nil {
		t.Fatal(err)
	}
	acquire(t, dir)
	if _, err := os.Stat(filepath.Join(dir, "runs", removedPrefix+"x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestCurrentAndNewestStay(t *testing.T) {
	dir, runs := threeNights(t)
	switchToAny(t, dir, runs[0].Info.ID)
	lock := acquire(t, dir)
	for _, id := range []string{runs[0].Info.ID, runs[2].Info.ID, "nowhere"} {
		if err := lock.Remove(id); err == nil {
			t.Errorf("%s was removed", id)
		}
	}
	if err := lock.Remove(runs[1].Info.ID); err != nil {
		t.Error(err)
	}
}
