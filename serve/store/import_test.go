package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// dyingLines is how many decisions a process imports that is killed meanwhile:
// enough that SQLite writes to its log before the end.
const dyingLines = 30_000

func TestAKilledImportLeavesAllOrNothing(t *testing.T) {
	eachDatabase(t, aKilledImportLeavesAllOrNothing)
}

func aKilledImportLeavesAllOrNothing(t *testing.T, b backend) {
	lines := dyingLines
	if b.name != file.name {
		lines = 2000
	}
	for _, c := range []struct {
		step  string
		after int
		want  int
	}{
		{"insert", 1, 0},
		{"insert", lines / 2, 0},
		{"insert", lines, 0},
		{"commit", 1, 0},
		{"done", 1, lines},
	} {
		location := b.fresh(t)
		s := mustOpen(t, location)
		first := Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"}
		if _, _, err := s.Decide(ctx, first); err != nil {
			t.Fatal(err)
		}
		err := process(t, "die", location, c.step, fmt.Sprint(c.after), fmt.Sprint(lines)).Run()
		if died, ok := errors.AsType[*exec.ExitError](err); !ok || died.ExitCode() != -1 {
			t.Fatalf("%s %d: the process was not killed: %v", c.step, c.after, err)
		}
		if n := len(mustList(t, s, All)); n != 1+c.want {
			t.Errorf("killed at %s %d: %d decisions, want %d", c.step, c.after, n, 1+c.want)
		}
		if err := s.Check(ctx); err != nil {
			t.Error(err)
		}
		first.A.ID = "2"
		if d, _, err := s.Decide(ctx, first); err != nil || d.ID != int64(c.want+2) {
			t.Errorf("the next decision: %v %v", d, err)
		}
	}
}

// TestAnImportKilledAtAnyInstant kills at moments spread over the import, that
// of the commit among them.
func TestAnImportKilledAtAnyInstant(t *testing.T) {
	if testing.Short() {
		t.Skip("ten processes")
	}
	whole := 0
	for i := range 10 {
		location := filepath.Join(t.TempDir(), "state.db")
		cmd := process(t, "import", location)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(i)*40*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, or done: the state has to tell
		kill.Stop()
		s := mustOpen(t, location)
		switch n := len(mustList(t, s, All)); n {
		case dyingLines:
			whole++
		case 0:
		default:
			t.Errorf("killed after %d ms: %d decisions", i*40, n)
		}
		if err := s.Check(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of 10 imports were done before they were killed", whole)
}

// TestAnImportIsDecidingLineByLine compares an import with the same decisions
// made one by one in another state.
func TestAnImportIsDecidingLineByLine(t *testing.T) { eachDatabase(t, anImportIsDecidingLineByLine) }

func anImportIsDecidingLineByLine(tt *testing.T, b backend) {
	locations := []string{b.fresh(tt), b.fresh(tt)}
	rapid.Check(tt, func(t *rapid.T) {
		open := func(location string) *Store {
			cleared(t, location)
			s, err := Open(ctx, location, Options{Now: at("2026-11-24T02:00:00Z")})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		one, two := open(locations[0]), open(locations[1])
		defer func() { _ = errors.Join(one.Close(), two.Close()) }()
		for range 2 {
			var lines []Line
			for i, d := range rapid.SliceOfN(rapid.Custom(drawDecision), 0, 6).Draw(t, "list") {
				lines = append(lines, Line{Number: i + 2, Decision: d})
			}
			var wrong []int
			var recorded []Decision
			before, err := two.Decisions(ctx, Active)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				d, outcome, err := two.Decide(ctx, l.Decision)
				if err != nil {
					wrong = append(wrong, l.Number)
				}
				if outcome == Recorded {
					recorded = append(recorded, d)
				}
			}
			done, err := one.Import(ctx, lines)
			if len(wrong) > 0 {
				refused, ok := errors.AsType[*ImportError](err)
				var got []int
				for _, p := range refused.Problems {
					got = append(got, p.Line)
				}
				if !ok || !slices.Equal(got, wrong) {
					t.Fatalf("lines %v are wrong, want %v (%v)", got, wrong, err)
				}
				after, err := one.Decisions(ctx, Active)
				if err != nil || !slices.Equal(after, before) {
					t.Fatalf("a refused import changed %s (%v)", cmp.Diff(before, after), err)
				}
				return
			}
			if err != nil || !slices.Equal(done.Recorded, recorded) || done.Unchanged != len(lines)-len(recorded) {
				t.Fatalf("got %v %v, want %v", done, err, recorded)
			}
		}
	})
}

func TestAFileIsReadBack(tt *testing.T) {
	locations := []string{file.fresh(tt), file.fresh(tt)}
	text := rapid.StringOf(rapid.SampledFrom([]rune("aä,\"'\n;= \t\U0001F600")))
	rapid.Check(tt, func(t *rapid.T) {
		open := func(location string) *Store {
			cleared(t, location)
			s, err := Open(ctx, location, Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		one, two := open(locations[0]), open(locations[1])
		defer func() { _ = errors.Join(one.Close(), two.Close()) }()
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			d := drawDecision(t)
			d.Reason, d.By = text.Draw(t, "reason"), "k"+text.Draw(t, "by")
			if rapid.Bool().Draw(t, "dated") {
				d.Made = time.UnixMicro(rapid.Int64Range(-1e15, 1e16).Draw(t, "made"))
			}
			// A decision that is refused is no loss here.
			_, _, _ = one.Decide(ctx, d)
			if rapid.Bool().Draw(t, "revoke") {
				_, _ = one.RevokePair(ctx, d.A, d.B, "lee", text.Draw(t, "why"))
			}
		}
		want, err := one.Decisions(ctx, All)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := WriteCSV(&file, want); err != nil {
			t.Fatal(err)
		}
		for _, recorded := range []int{len(want), 0} { // the second time there is nothing new
			lines, err := ReadCSV(bytes.NewReader(file.Bytes()), "nobody")
			if err != nil {
				t.Fatal(err)
			}
			done, err := two.Import(ctx, lines)
			if err != nil || len(done.Recorded) != recorded || done.Unchanged != len(want)-recorded {
				t.Fatalf("%d recorded, %d unchanged, want %d recorded: %v\n%s", len(done.Recorded), done.Unchanged, recorded, err, file.Bytes())
			}
		}
		got, err := two.Decisions(ctx, All)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v\n%s\n%s", err, file.Bytes(), cmp.Diff(want, got))
		}
	})
}

func TestEveryWrongLineIsNamed(t *testing.T) { eachDatabase(t, everyWrongLineIsNamed) }

func everyWrongLineIsNamed(t *testing.T, b backend) {
	s := b.open(t)
	if _, _, err := s.Decide(ctx, Decision{Kind: NotSame, A: key("crm", "C9"), B: key("webshop", "W9"), By: "kim"}); err != nil {
		t.Fatal(err)
	}
	file := "\ufeffmade,decision,record_id_b,source_b,record_id_a,source_a\n" +
		",same,W1,webshop,C1,crm\n" +
		"yesterday,perhaps,W2,webshop,C2,crm\n" +
		",same,W3,webshop,C3\n" +
		",not-same,C1,crm,W1,webshop\n" +
		",same,W9,webshop,C9,crm\n" +
		",same,\"W\n4\",webshop,,crm\n" +
		",same,W5,webshop,C5,crm\n" +
		",same,W\"6,webshop,C6,crm\n"
	lines, err := ReadCSV(strings.NewReader(file), "lee")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Import(ctx, lines)
	want := `line 3: column made: want a time such as 2026-11-23T02:00:00Z; column decision: decision "perhaps": want same or not-same
line 4: it has 5 values, the header names 6 columns
line 5: crm:C1 and webshop:W1 are decided the same in line 2; one of the two lines must go
line 6: crm:C9 and webshop:W9 are decided not the same (decision 1, by kim, 2026-11-24T02:00:00Z); revoke decision 1 first
line 7: record key "crm:": want source:record_id, such as crm:C0012
line 10: bare " in non-quoted-field; what follows was not read`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if n := len(mustList(t, s, All)); n != 1 {
		t.Errorf("%d decisions, want 1", n)
	}
}

func TestHeadersThatAreRefused(t *testing.T) {
	for file, want := range map[string]string{
		"": "it is empty; want the columns decision, source_a, record_id_a, source_b, record_id_b, reason, by, made, revoked, revoked_by, revoke_reason",
		"decision,source_a,record_id_a,source_b,record_id_b,why\n": `column "why" is unknown; the columns are decision, `,
		"decision,source_a,record_id_a,source_b,by,by\n":           "column \"by\" is there twice\ncolumn \"record_id_b\" is missing; needed are decision, source_a, record_id_a, source_b, record_id_b",
	} {
		if _, err := ReadCSV(strings.NewReader(file), "kim"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
	if lines, err := ReadCSV(strings.NewReader("decision,source_a,record_id_a,source_b,record_id_b\n"), "kim"); err != nil || len(lines) != 0 {
		t.Errorf("a file without decisions: %v %v", lines, err)
	}
}

// TestManyDecisions imports a hundred thousand, and has another SQLite count
// them.
func TestManyDecisions(t *testing.T) {
	location := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, location)
	const n = 100_000
	start := time.Now()
	done, err := s.Import(ctx, manyLines(n))
	if err != nil || len(done.Recorded) != n {
		t.Fatalf("%d recorded: %v", len(done.Recorded), err)
	}
	imported := time.Since(start)
	start = time.Now()
	list := mustList(t, s, Active)
	t.Logf("%d decisions: imported in %v, read in %v", n, imported, time.Since(start))
	if !slices.Equal(list, done.Recorded) {
		t.Error("what is read is not what was recorded")
	}
	exe, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("SAMA_TEST_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip("python3 not found")
	}
	out, err := exec.Command(exe, "-c", `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("PRAGMA integrity_check").fetchone()[0],
      *db.execute("SELECT COUNT(*), COUNT(DISTINCT source_a || ':' || record_a || ' ' || source_b || ':' || record_b), SUM(kind = 'same'), MIN(datetime(made / 1000000, 'unixepoch')) FROM decisions").fetchone())
`, location).CombinedOutput()
	if want := "ok 100000 100000 50000 2026-11-24 02:00:00\n"; err != nil || string(out) != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
}
