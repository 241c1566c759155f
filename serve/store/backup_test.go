package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestABackupIsTheState(t *testing.T) {
	dir := t.TempDir()
	location, copied := filepath.Join(dir, "state.db"), filepath.Join(dir, "copy.db")
	k := testKeys(t)
	s := openKeyed(t, location, k)
	fillWith(t, s, 0, 30)
	erase(t, s, somebody(3))
	if _, _, err := s.AddClient(ctx, "garage", []Role{RoleRead}, nil, nil); err != nil {
		t.Fatal(err)
	}
	before := everything(t, s)
	if err := s.Backup(ctx, copied); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	fillWith(t, s, 100, 5) // after the backup
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(location + suffix); err != nil && suffix == "" {
			t.Fatal(err)
		}
	}
	if err := os.Rename(copied, location); err != nil {
		t.Fatal(err)
	}
	s = openKeyed(t, location, k)
	if after := everything(t, s); s.Created() || !cmp.Equal(after, before) {
		t.Error(cmp.Diff(before, after))
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
	fillWith(t, s, 200, 2)
	if _, err := s.VerifyAccess(ctx); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%v %v", entries, err)
	}
}

// TestABackupOfOneMoment copies while others write: every copy is of one
// moment.
func TestABackupOfOneMoment(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, filepath.Join(dir, "state.db"))
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.PutRecords(ctx, online(3, i), Also{Feed: []FeedEvent{{Kind: "x"}}}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 5 {
		copied := filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
		if err := s.Backup(ctx, copied); err != nil {
			t.Fatal(err)
		}
		c := mustOpen(t, copied)
		if n, m := len(onlineAfter(t, c, 0)), len(feedOf(t, c)); n != 3*m {
			t.Errorf("%d records, %d events", n, m)
		}
	}
	close(stop)
	writing.Wait()
}

func TestPlacesThatCannotHoldABackup(t *testing.T) {
	s := file.open(t)
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	writeFile(t, there, []byte("precious"))
	for path, want := range map[string]string{there: "file already exists", s.Location(): "file already exists", filepath.Join(dir, "nowhere", "x"): "no such file or directory"} {
		if err := s.Backup(ctx, path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "precious" {
		t.Errorf("%s %v", text, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, errors.Join(err))
	}
}
