package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"

	"github.com/pressly/goose/v3"
)

// TestMain lets the test binary be another process that uses a state.
func TestMain(m *testing.M) {
	if job := os.Getenv("SAMA_STORE_CHILD"); job != "" {
		if err := child(job, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	endServer()
	os.Exit(code)
}

// child does one job of a test in a process of its own.
func child(job string, args []string) error {
	ctx := context.Background()
	var opt Options
	var err error
	if job == "scribble" { // args: state, key file
		if opt.Keys, err = LoadKeys(args[1]); err != nil {
			return err
		}
	}
	s, err := Open(ctx, args[0], opt)
	if err != nil {
		return err
	}
	switch job {
	case "decide": // args: state, name
		for i := range 20 {
			if _, _, err := s.Decide(ctx, Decision{Kind: Same, A: key("crm", args[1]+"-"+fmt.Sprint(i)), B: key("webshop", "W"), By: args[1]}); err != nil {
				return err
			}
		}
		return s.Close()
	case "die": // args: state, step, after how many of it, lines
		left, lines := 0, 0
		fmt.Sscan(args[2]+" "+args[3], &left, &lines)
		s.fault = func(step string) {
			if step != args[1] {
				return
			}
			if left--; left <= 0 {
				self, _ := os.FindProcess(os.Getpid())
				_ = self.Kill()
				select {} // the signal is on its way
			}
		}
		_, err := s.Import(ctx, manyLines(lines))
		return errors.Join(err, errors.New("alive"))
	case "scribble":
		return scribble(s)
	case "import": // args: state
		lines := manyLines(dyingLines)
		fmt.Println("begin")
		if _, err := s.Import(ctx, lines); err != nil {
			return err
		}
		return s.Close()
	}
	return fmt.Errorf("no job %s", job)
}

// process starts the test binary as another process.
func process(t *testing.T, job string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), "SAMA_STORE_CHILD="+job)
	cmd.Stderr = os.Stderr
	return cmd
}

func key(source, id string) record.Key { return record.Key{Source: source, ID: id} }

// manyLines makes decisions of all kinds, as lines of a file.
func manyLines(n int) []Line {
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{Number: i + 2, Decision: Decision{Kind: Kind(i%2 + 1), A: key("webshop", fmt.Sprintf("W%07d", i)), B: key("crm", fmt.Sprintf("C%07d", i*7919%n)), Reason: "same phone, same street", By: "kim"}}
	}
	return lines
}

// at is a clock that stands still.
func at(text string) func() time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

func mustOpen(t *testing.T, location string) *Store {
	t.Helper()
	s, err := Open(t.Context(), location, Options{Now: at("2026-11-24T02:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustList(t *testing.T, s *Store, which Filter) []Decision {
	t.Helper()
	list, err := s.Decisions(t.Context(), which)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAStateIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	location := filepath.Join(t.TempDir(), "odd name ?mode=ro#50%.db")
	if _, err := OpenExisting(t.Context(), location, Options{}); !errors.Is(err, ErrNoState) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("opening what is not there: %v", err)
	}
	s := mustOpen(t, location)
	if !s.Created() || s.Location() != location {
		t.Errorf("created %v, location %q", s.Created(), s.Location())
	}
	if _, _, err := s.Decide(t.Context(), Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(location + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", suffix, mode)
		}
	}
	again, err := OpenExisting(t.Context(), location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Created() || len(mustList(t, again, All)) != 1 {
		t.Error("the second handle does not see the first one's decision")
	}
	if err := errors.Join(again.Check(t.Context()), again.Close()); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(filepath.Dir(location))
	if err != nil || len(entries) != 3 {
		t.Errorf("files %v, %v", entries, err)
	}
}

// TestTheLogIsSynced asks SQLite itself how it writes.
func TestTheLogIsSynced(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "30000"} {
		var got string
		if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
	if _, err := s.read.Exec("DELETE FROM decisions"); err == nil {
		t.Error("a reader's connection could write")
	}
}

// TestAnotherProcessWaits opens and closes a second handle of a process while
// the first writes: another process still waits for the first.
func TestAnotherProcessWaits(t *testing.T) { eachDatabase(t, anotherProcessWaits) }

func anotherProcessWaits(t *testing.T, b backend) {
	location := b.fresh(t)
	s := mustOpen(t, location)
	writer, err := s.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := writer.tx
	defer func() { _ = tx.Rollback() }()
	again, err := OpenExisting(t.Context(), location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	other := process(t, "decide", location, "other")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(insertDecision, (&Decision{ID: 1, Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim", Made: s.opt.Now()}).row()...); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(mustList(t, s, All)); n != 21 {
		t.Errorf("%d decisions, want 21", n)
	}
}

func TestProcessesMakeAndFillOneState(t *testing.T) { eachDatabase(t, processesMakeAndFillOneState) }

func processesMakeAndFillOneState(t *testing.T, b backend) {
	for round := range 3 {
		location := b.fresh(t)
		var all []*exec.Cmd
		for i := range 6 {
			cmd := process(t, "decide", location, fmt.Sprintf("%d", i))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		for _, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		s := mustOpen(t, location)
		list := mustList(t, s, Active)
		if len(list) != 120 {
			t.Errorf("round %d: %d decisions, want 120", round, len(list))
		}
		next := make(map[string]int)
		for i, d := range list {
			if want := fmt.Sprintf("%s-%d", d.By, next[d.By]); d.A.ID != want || d.ID != int64(i+1) {
				t.Fatalf("decision %d in place %d is about %s, want %s", d.ID, i, d.A.ID, want)
			}
			next[d.By]++
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAWriterThatWaitsTooLongSaysWhy(t *testing.T) {
	eachDatabase(t, aWriterThatWaitsTooLongSaysWhy)
}

func aWriterThatWaitsTooLongSaysWhy(t *testing.T, b backend) {
	location := b.fresh(t)
	s := mustOpen(t, location)
	tx, err := s.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.tx.Rollback() }()
	other, err := Open(t.Context(), location, Options{Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, _, err = other.Decide(t.Context(), Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"})
	if err == nil || !strings.Contains(err.Error(), "another process has been writing for 1ms; try again") {
		t.Errorf("got %v", err)
	}
	if list := mustList(t, other, All); len(list) != 0 {
		t.Errorf("a reader beside a writer sees %v", list)
	}
}

func TestANewerStateIsRefused(t *testing.T) { eachDatabase(t, aNewerStateIsRefused) }

func aNewerStateIsRefused(t *testing.T, b backend) {
	location := b.fresh(t)
	s := mustOpen(t, location)
	if _, err := s.write.Exec("INSERT INTO " + versionTable + " (version_id, is_applied) VALUES (77, true)"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), location, Options{})
	newer, ok := errors.AsType[*NewerError](err)
	if !ok || newer.Has != 77 || newer.Program != 4 {
		t.Fatalf("got %v", err)
	}
	if want := "state " + s.Location() + " has schema version 77, this program knows versions up to 4; use the version of sama that wrote it, or a later one"; err.Error() != want {
		t.Errorf("got %q", err)
	}
}

// TestMigrationsAreResumed opens what a killed process may leave of a new
// state: an empty file, and a version table alone.
func TestMigrationsAreResumed(t *testing.T) {
	location := filepath.Join(t.TempDir(), "state.db")
	writeFile(t, location, nil)
	s := mustOpen(t, location)
	if s.Created() {
		t.Error("the file was there")
	}
	back(t, s, 0)
	again := mustOpen(t, location)
	if _, _, err := again.Decide(t.Context(), Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"}); err != nil {
		t.Error(err)
	}
}

// back takes a state back to an earlier version of its schema.
func back(t *testing.T, s *Store, version int64) {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	all, err := goose.NewProvider(s.dialect.goose, s.write, scripts{files, s.dialect.schema}, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = all.DownTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAStateOfTheFirstVersionGoesOn has decisions before it gets the rest.
func TestAStateOfTheFirstVersionGoesOn(t *testing.T) { eachDatabase(t, aStateOfTheFirstVersionGoesOn) }

func aStateOfTheFirstVersionGoesOn(t *testing.T, b backend) {
	location := b.fresh(t)
	s := mustOpen(t, location)
	back(t, s, 1)
	for i, d := range manyDecisions(500) { // as the first version wrote them
		d.ID = int64(i + 1)
		if _, err := s.write.Exec(insertDecision, d.row()...); err != nil {
			t.Fatal(err)
		}
	}
	before := mustList(t, s, All)
	again, err := OpenExisting(t.Context(), location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if after := mustList(t, again, All); len(after) != 500 || !slices.Equal(after, before) {
		t.Errorf("%d decisions before, %d after", len(before), len(after))
	}
	if _, err := again.PutRecords(t.Context(), []OnlineRecord{{Key: key("crm", "1"), Op: Put, Fields: []byte("{}")}}, Also{}); err != nil {
		t.Error(err)
	}
	if d, _, err := again.Decide(t.Context(), Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"}); err != nil || d.ID != 501 {
		t.Errorf("decision %d, %v", d.ID, err)
	}
}

// manyDecisions makes decisions whose keys are in order.
func manyDecisions(n int) []Decision {
	list := make([]Decision, 0, n)
	for _, l := range manyLines(n) {
		d, err := l.Decision.inOrder(time.Unix(0, 0))
		if err != nil {
			panic(err)
		}
		list = append(list, d)
	}
	return list
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNoStateIsRefusedAndLeftAlone tries other files and damaged ones.
func TestWhatIsNoStateIsRefusedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	s, err := Open(t.Context(), good, Options{})
	if err == nil {
		_, err = s.Import(t.Context(), manyLines(2000))
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	torn := append([]byte(nil), whole...)
	copy(torn[8192:], strings.Repeat("torn page ", 3000))
	other := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite", other)
	if err == nil {
		_, err = db.Exec("CREATE TABLE customers (id INTEGER)")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		content    []byte
	}{
		{"text", "the file is no SQLite database, or a damaged one; name another file, or restore it from a copy", []byte(strings.Repeat("decision,source_a\n", 1000))},
		{"short", "the file is no SQLite database", []byte("hello")},
		{"headless", "the file is no SQLite database", append([]byte("SQLITE"), whole[6:]...)},
		{"cut", "the file is damaged; restore it from a copy", whole[:len(whole)/2]},
		{"torn", "the file is damaged; restore it from a copy", torn},
		{"foreign", "it is a database of something else, not a state of sama; name another file", foreign},
	} {
		location := filepath.Join(dir, c.name)
		writeFile(t, location, c.content)
		s, err := Open(t.Context(), location, Options{})
		if err == nil {
			_, err = s.Decisions(t.Context(), All)
			if checked := s.Check(t.Context()); checked == nil {
				t.Errorf("%s: the check finds nothing", c.name)
			}
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), location) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if after, err := os.ReadFile(location); err != nil || string(after) != string(c.content) {
			t.Errorf("%s: the file was changed (%v)", c.name, err)
		}
	}
}

func TestPlacesThatCannotHoldAState(t *testing.T) {
	dir := t.TempDir()
	for location, want := range map[string]string{
		dir:                                   "is a folder; name a file",
		filepath.Join(dir, "nowhere", "s.db"): "cannot be made: no such file or directory; name a file in a folder that exists",
		"mysql://kim:secret@localhost/sama":   `state "mysql://kim@localhost/sama": want the path of a file, or postgres://user@host/database`,
		"":                                    "want the path of a file",
	} {
		if _, err := Open(t.Context(), location, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", location, err, want)
		}
	}
}

func TestAFullDiskChangesNothing(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	if _, err := s.write.Exec("PRAGMA max_page_count = 50"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Import(t.Context(), manyLines(10_000))
	if err == nil || !strings.Contains(err.Error(), "importing decisions into state "+s.Location()+": the disk is full; nothing was changed") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Import(t.Context(), manyLines(100)); err != nil {
		t.Errorf("a smaller import: %v", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestACancelledCallChangesNothing(t *testing.T) { eachDatabase(t, aCancelledCallChangesNothing) }

func aCancelledCallChangesNothing(t *testing.T, b backend) {
	s := b.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	s.fault = func(string) {
		if n++; n == 50 {
			cancel()
		}
	}
	if _, err := s.Import(ctx, manyLines(100)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if list := mustList(t, s, All); len(list) != 0 {
		t.Errorf("%d decisions are left", len(list))
	}
}
