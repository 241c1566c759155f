package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

// copyFile copies a file byte for byte, as who restores a state does.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, text)
}

func appendN(t *testing.T, s *Store, n int) {
	t.Helper()
	if _, err := s.AppendFeed(ctx, make([]FeedEvent, n)); err == nil {
		t.Fatal("events without a kind were taken")
	}
	list := make([]FeedEvent, n)
	for i := range list {
		list[i].Kind = "x"
	}
	if _, err := s.AppendFeed(ctx, list); err != nil {
		t.Fatal(err)
	}
}

// TestTheFeedOfACopyGoesOnBehindAGap restores a copy twice: what was told in one
// life is a place in no other.
func TestTheFeedOfACopyGoesOnBehindAGap(t *testing.T) {
	dir := t.TempDir()
	var c clock
	first := openClocked(t, filepath.Join(dir, "state.db"), &c)
	appendN(t, first, 5)
	copied := filepath.Join(dir, "copy.db")
	if err := first.Backup(ctx, copied); err != nil {
		t.Fatal(err)
	}
	appendN(t, first, 3)
	told := []int64{6, 7, 8} // in the lives before
	for life := range 3 {
		c.advance(time.Hour)
		location := filepath.Join(dir, fmt.Sprintf("life%d.db", life))
		copyFile(t, copied, location)
		s := openClocked(t, location, &c)
		if headOf(t, s) != 5 {
			t.Errorf("the copy ends at %d", headOf(t, s))
		}
		for range 4 {
			appendN(t, s, 5) // more than any of those before
		}
		list, err := s.Feed(ctx, 5, 100)
		if err != nil || len(list) != 20 || len(feedOf(t, s)) != 25 {
			t.Fatalf("%d events (%v)", len(list), err)
		}
		for i := range list {
			if list[i].Seq != list[0].Seq+int64(i) || list[i].Seq >= 1e18 {
				t.Errorf("event %d is %d", i, list[i].Seq)
			}
		}
		for _, seq := range told {
			_, err := s.Feed(ctx, seq, 100)
			if gone, ok := errors.AsType[*GoneError](err); seq < list[0].Seq && (!ok || !gone.Restored || gone.After != seq || gone.Floor != list[0].Seq-1) {
				t.Errorf("life %d after %d: %v", life, seq, err)
			}
			if seq >= list[0].Seq {
				t.Errorf("number %d was given out twice", seq)
			}
		}
		if again, err := s.Feed(ctx, list[0].Seq-1, 100); err != nil || !cmp.Equal(again, list) {
			t.Errorf("from the place that the error names: %v", err)
		}
		told = append(told, list[0].Seq, list[3].Seq, list[19].Seq)
		s = openClocked(t, location, &c) // opened anew, it goes on without a gap
		if appendN(t, s, 1); headOf(t, s) != list[19].Seq+1 {
			t.Errorf("it goes on with %d", headOf(t, s))
		}
	}
	if appendN(t, first, 1); headOf(t, first) != 9 || len(feedOf(t, first)) != 9 {
		t.Error("the feed of the state that was copied was touched")
	}
}

// TestACopyOfACopyGoesOnLaterStill restores the copy of a restored copy, by a
// clock that stands still.
func TestACopyOfACopyGoesOnLaterStill(t *testing.T) {
	dir := t.TempDir()
	var c clock
	s := openClocked(t, filepath.Join(dir, "state.db"), &c)
	before := int64(0)
	for i := range 3 {
		copied := filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
		if err := s.Backup(ctx, copied); err != nil {
			t.Fatal(err)
		}
		s = openClocked(t, copied, &c)
		if _, err := s.Feed(ctx, before, 1); err != nil {
			t.Error(err)
		}
		appendN(t, s, 2)
		now := headOf(t, s)
		if list, err := s.Feed(ctx, before, 10); err != nil || len(list) != 2 || now-before < 1<<gapBits {
			t.Errorf("copy %d goes on from %d to %d: %d events (%v)", i, before, now, len(list), err)
		}
		if _, err := s.Feed(ctx, before+1, 10); !errors.As(err, new(*GoneError)) {
			t.Errorf("copy %d: %v", i, err)
		}
		before = now
	}
	// What is swept is gone, the gap with it.
	c.advance(time.Hour)
	if n, err := s.SweepFeed(ctx, c.now()); err != nil || n != 6 {
		t.Errorf("swept %d (%v)", n, err)
	}
	if floor, err := s.FeedFloor(ctx); err != nil || floor != before {
		t.Errorf("the floor is %d, want %d (%v)", floor, before, err)
	}
	if appendN(t, s, 1); headOf(t, s) != before+1 {
		t.Errorf("%d comes after %d", headOf(t, s), before)
	}
}

func headOf(t *testing.T, s *Store) int64 {
	t.Helper()
	head, err := s.FeedHead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return head
}
