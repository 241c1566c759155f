package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reads makes rows of the access log.
func reads(n int) []Access {
	var rows []Access
	for i := range n {
		rows = append(rows, Access{Client: "garage", Purpose: "booking", Identity: fmt.Sprintf("id-%d", i%3), Fields: []string{"given_name", "phone"}[:1+i%2], What: "read", Basis: "contract"})
	}
	return rows
}

func mustAppend(t *testing.T, s *Store, rows ...Access) {
	t.Helper()
	if err := s.AppendAccess(ctx, rows); err != nil {
		t.Fatal(err)
	}
}

// TestTheChainIsAsWritten compares with hashes computed by Python's hashlib.
func TestTheChainIsAsWritten(t *testing.T) { eachDatabase(t, theChainIsAsWritten) }

func theChainIsAsWritten(t *testing.T, b backend) {
	s := b.open(t)
	if v, err := s.VerifyAccess(ctx); err != nil || v.Rows != 0 || v.Head.ID != 0 {
		t.Errorf("of an empty log: %v %v", v, err)
	}
	mustAppend(t, s, Access{At: time.UnixMicro(1_800_000_000_123_456), Client: "garage", Staff: "s-7", Purpose: "booking", Identity: "id-1", Fields: []string{"given_name", "phone"}, What: "read", Basis: "granted 17"})
	mustAppend(t, s, Access{At: time.UnixMicro(1_800_000_001_000_000), Client: "mailer", Purpose: "mailing", Job: "export-ä", What: "export", Persons: 1_000_000})
	head, err := s.AccessHead(ctx)
	if want := "5dc3249f7b634985ea5354103ab3ba041f83842df11e3e20eb9eaa2b3c2b9816"; err != nil || head.ID != 2 || hex.EncodeToString(head.Hash[:]) != want {
		t.Errorf("head %d %x, want %s (%v)", head.ID, head.Hash, want, err)
	}
	mustAppend(t, s, Access{At: time.UnixMicro(1_800_000_002_000_000), Client: "mailer", Purpose: "mailing", Job: "sha256:1", Fields: []string{"email"}, What: "extract", Basis: "consent",
		Identities: []string{"ä", "0002q7x5nz8qx", "0001fjp96q73d", "ä"}})
	head, err = s.AccessHead(ctx)
	if want := "bae7394e219402804339df6fc0233a4634e33c4902a02c545fca3d607c34d26c"; err != nil || head.ID != 3 || hex.EncodeToString(head.Hash[:]) != want {
		t.Errorf("of a job with persons: head %d %x, want %s (%v)", head.ID, head.Hash, want, err)
	}
}

func TestOnesOwnAccesses(t *testing.T) { eachDatabase(t, onesOwnAccesses) }

func onesOwnAccesses(t *testing.T, b backend) {
	s := b.open(t)
	mustAppend(t, s, reads(10)...) // id-0 in 1, 4, 7, 10; id-1 in 2, 5, 8
	mustAppend(t, s, Access{Client: "mailer", Purpose: "mailing", Job: "export", What: "export", Persons: 3})
	ids := func(before int64, limit int, identities ...string) (got []int64) {
		list, err := s.AccessOf(ctx, identities, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			got = append(got, a.ID)
		}
		return got
	}
	for _, c := range []struct{ got, want []int64 }{
		{ids(0, 9, "id-0"), []int64{10, 7, 4, 1}},
		{ids(0, 4, "id-0", "id-1"), []int64{10, 8, 7, 5}},
		{ids(5, 4, "id-0", "id-1"), []int64{4, 2, 1}},
		{ids(0, 9, "id-9"), nil}, {ids(0, 9, ""), nil}, {ids(0, 9), nil},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	list, err := s.AccessOf(ctx, []string{"id-1"}, 0, 1)
	want := reads(8)[7]
	want.ID, want.At = 8, s.opt.Now()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	want.Hash = list[0].Hash
	if !cmp.Equal(list[0], want) {
		t.Error(cmp.Diff(want, list[0]))
	}
	for _, wrong := range []Access{{What: "read"}, {Client: "x", What: "Read"}, {Client: "x", What: "swept"}, {Client: "x", What: "read", Fields: []string{"a,b"}}, {Client: "x", What: "read", Identity: "id-1", Identities: []string{"id-1"}},
		{Client: "x", What: "read", Identities: []string{""}}, {Client: "x", What: "read", Identities: []string{"a\x00b"}}, {Client: "x", What: "read", Basis: "\xff"}} {
		if err := s.AppendAccess(ctx, []Access{wrong}); err == nil {
			t.Errorf("appended %v", wrong)
		}
	}
}

// broken tells the row at which the log does not hold, 0 if it holds.
func broken(t *testing.T, s *Store) int64 {
	t.Helper()
	_, err := s.VerifyAccess(ctx)
	if err == nil {
		return 0
	}
	found, ok := errors.AsType[*BrokenError](err)
	if !ok {
		t.Fatal(err)
	}
	return found.ID
}

// tampered changes a log by statements, verifies it and takes them back: it has
// to be broken at a row, for a reason.
func tampered(t *testing.T, s *Store, what string, want int64, why string, statements ...string) {
	t.Helper()
	tx, err := s.begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := tx.tx.Exec(statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	head, err := accessHead(ctx, tx.tx)
	if err == nil {
		_, err = verify(ctx, tx.tx, head)
	}
	found, _ := errors.AsType[*BrokenError](err)
	if found == nil || found.ID != want || !strings.Contains(found.Why, why) {
		t.Errorf("%s: got %v, want row %d", what, err, want)
	}
	if err := tx.tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// TestEveryChangeOfTheLogIsFound changes each column of each row, and takes
// rows away, adds and swaps them, each time from the whole log.
func TestEveryChangeOfTheLogIsFound(t *testing.T) { eachDatabase(t, everyChangeOfTheLogIsFound) }

func everyChangeOfTheLogIsFound(t *testing.T, b backend) {
	s := b.open(t)
	const rows = 9
	mustAppend(t, s, reads(rows)...)
	try := func(what string, want int64, statements ...string) {
		t.Helper()
		tampered(t, s, what, want, "", statements...)
	}
	for id := int64(1); id <= rows; id++ {
		for _, set := range []string{"at = at + 1", "client = 'other'", "staff = 'x'", "purpose = ''", "identity = 'id-7'", "job = 'x'", "fields = fields || ',email'",
			"what = 'searched'", "basis = 'consent'", "persons = 1", "client = 'garageb', purpose = 'ooking'", fmt.Sprintf("hash = (SELECT hash FROM access_log WHERE id = %d)", id%rows+1)} {
			try(set, id, fmt.Sprintf("UPDATE access_log SET %s WHERE id = %d", set, id))
		}
		try("removed", id, fmt.Sprintf("DELETE FROM access_log WHERE id = %d", id))
		if id < rows {
			try("swapped", id, fmt.Sprintf("UPDATE access_log SET id = 99 WHERE id = %d", id), fmt.Sprintf("UPDATE access_log SET id = %d WHERE id = %d", id, id+1), fmt.Sprintf("UPDATE access_log SET id = %d WHERE id = 99", id+1))
		}
		try("cut", id, fmt.Sprintf("DELETE FROM access_log WHERE id >= %d", id))
		try("begun later", 1, fmt.Sprintf("DELETE FROM access_log WHERE id <= %d", id))
	}
	columns := strings.TrimPrefix(accessColumns, "id, ")
	try("added at the end", rows+1, fmt.Sprintf("INSERT INTO access_log (%s) SELECT %d, %s FROM access_log WHERE id = 1", accessColumns, rows+1, columns))
	try("added before", -1, fmt.Sprintf("INSERT INTO access_log (%s) SELECT -1, %s FROM access_log WHERE id = 1", accessColumns, columns))
	try("a forged checkpoint", 4, "INSERT INTO access_checkpoints (id, hash, at, made_by, removed) SELECT 4, hash, 0, 'kim', 4 FROM access_log WHERE id = 4", "DELETE FROM access_log WHERE id <= 4")
	try("all removed, with the end", 1, "DELETE FROM access_log", "DELETE FROM access_head")
	try("cut, with the end", 6, "DELETE FROM access_log WHERE id > 5", "UPDATE access_head SET id = 5, hash = (SELECT hash FROM access_log WHERE id = 5)")
	try("numbers given out anew", 6, "UPDATE heads SET last = 5 WHERE name = 'access'")
	try("an end far behind", rows+1, "UPDATE access_head SET id = 1000000000000000")
	try("an older end", rows, fmt.Sprintf("UPDATE access_head SET hash = (SELECT hash FROM access_log WHERE id = %d)", rows-1))
	if id := broken(t, s); id != 0 {
		t.Errorf("the log itself is broken at %d", id)
	}
}

func TestALogThatWasWrittenAnew(t *testing.T) { eachDatabase(t, aLogThatWasWrittenAnew) }

// aLogThatWasWrittenAnew forges the whole log, as who can write to the state can.
// Only heads that were kept elsewhere know better.
func aLogThatWasWrittenAnew(t *testing.T, b backend) {
	s := b.open(t)
	var kept []AccessHead
	for range 3 {
		mustAppend(t, s, reads(4)...)
		head, err := s.AccessHead(ctx)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, head)
	}
	if _, err := s.VerifyAccess(ctx, kept...); err != nil {
		t.Errorf("as it was appended: %v", err)
	}
	forge := func(rows int) {
		t.Helper()
		for _, statement := range []string{"DELETE FROM access_log", "DELETE FROM access_head", "UPDATE heads SET last = 0 WHERE name = 'access'"} {
			if _, err := s.write.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		list := reads(12)[:rows]
		list[min(5, rows-1)].Client = "somebody"
		mustAppend(t, s, list...)
	}
	for _, c := range []struct {
		rows int
		kept []AccessHead
		want int64
	}{{12, nil, 0}, {12, kept[:1], 0}, {12, kept[1:2], 8}, {12, kept, 8}, {8, kept[2:], 9}, {1, kept[:1], 2}} {
		forge(c.rows)
		_, err := s.VerifyAccess(ctx, c.kept...)
		if found, _ := errors.AsType[*BrokenError](err); (found == nil) != (c.want == 0) || found != nil && found.ID != c.want {
			t.Errorf("%d rows, kept %v: got %v, want row %d", c.rows, c.kept, err, c.want)
		}
	}
}

func TestTheLogIsSwept(t *testing.T) { eachDatabase(t, theLogIsSwept) }

func theLogIsSwept(t *testing.T, b backend) {
	var c clock
	s := openClocked(t, b.fresh(t), &c)
	if p, err := s.SweepAccess(ctx, c.now(), "kim"); err != nil || p.ID != 0 {
		t.Errorf("of an empty log: %v %v", p, err)
	}
	for range 4 {
		mustAppend(t, s, reads(5)...)
		c.advance(24 * time.Hour)
	}
	head, err := s.AccessHead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.SweepAccess(ctx, at("2026-11-26T01:00:00Z")(), "kim")
	if err != nil || p.ID != 10 || p.Removed != 10 || p.By != "kim" {
		t.Fatalf("%v %v", p, err)
	}
	v, err := s.VerifyAccess(ctx)
	if err != nil || v.First != 11 || v.Last != 21 || v.Rows != 11 || v.Checkpoint != p || v.Head.ID != head.ID+1 {
		t.Errorf("%+v %v", v, err)
	}
	if p, err := s.SweepAccess(ctx, at("2026-11-26T01:00:00Z")(), "kim"); err != nil || p.ID != 0 {
		t.Errorf("a second time: %v %v", p, err)
	}
	p, err = s.SweepAccess(ctx, c.now().Add(time.Hour), "lee") // everything
	if err != nil || p.ID != 21 || p.Removed != 11 {
		t.Errorf("%v %v", p, err)
	}
	if _, err := s.VerifyAccess(ctx, AccessHead{21, p.Hash}); err != nil {
		t.Errorf("kept at the checkpoint: %v", err)
	}
	if _, err := s.VerifyAccess(ctx, AccessHead{21, head.Hash}); err == nil {
		t.Error("another row was swept than was kept")
	}
	if _, err := s.VerifyAccess(ctx, head); err == nil || !strings.Contains(err.Error(), "row 20 of the access log, whose hash was kept, cannot be compared") {
		t.Errorf("kept before the checkpoint: %v", err)
	}
	mustAppend(t, s, reads(2)...)
	if v, err := s.VerifyAccess(ctx); err != nil || v.First != 22 || v.Rows != 3 {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := s.write.Exec("DELETE FROM access_log WHERE id = 22"); err != nil {
		t.Fatal(err)
	}
	if id := broken(t, s); id != 22 {
		t.Errorf("broken at %d, want 22", id)
	}
	if _, err := s.SweepAccess(ctx, c.now().Add(time.Hour), "lee"); err == nil || !strings.Contains(err.Error(), "does not hold at row 22: it is missing") {
		t.Errorf("swept: %v", err)
	}
}
