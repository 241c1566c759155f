package store

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// issued makes ids such as a run issues, in order.
func issued(rng *rand.Rand, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		id := []byte("0001.........")
		for k, v := 12, rng.Uint64(); k > 3; k, v = k-1, v>>5 {
			id[k] = digits[v&31]
		}
		ids[i] = string(id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// anyIDs draws ids of any shape: some that a run would issue, and others.
func anyIDs(most int) *rapid.Generator[[]string] {
	ofRun := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"0001", "0002", "zzzz"}).Draw(t, "run") + rapid.StringOfN(rapid.SampledFrom([]rune(digits)), 9, 9, 9).Draw(t, "id")
	})
	long := rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat("x", rapid.IntRange(1, 40).Draw(t, "n")) + rapid.StringOfN(rapid.SampledFrom([]rune("abcä")), 0, 3, -1).Draw(t, "end")
	})
	other := rapid.StringOfN(rapid.RuneFrom([]rune("0aäz~, ")), 1, 5, -1)
	return rapid.SliceOfN(rapid.OneOf(ofRun, ofRun, long, other), 1, most)
}

// TestPartsAreTheirIDs reads back what was coded, and holds it against what
// whoever looks for an id stands on: it is in one part, whose key is one of the
// id's.
func TestPartsAreTheirIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	many := issued(rng, 20_000)
	alike := make([]string, 0, 10_000) // more than are in a part, and no shorter keys
	for i := range cap(alike) {
		alike = append(alike, strings.Repeat("y", 35)+fmt.Sprintf("%05d", i))
	}
	rapid.Check(t, func(t *rapid.T) {
		ids := anyIDs(60).Draw(t, "ids")
		base := rapid.SampledFrom([][]string{nil, many, alike}).Draw(t, "base")
		from := rapid.IntRange(0, len(base)).Draw(t, "from")
		ids = append(ids, base[from:]...)
		want := slices.Compact(slices.Sorted(slices.Values(ids)))
		p, err := newPersons(ids)
		if err != nil || p.n != int64(len(want)) {
			t.Fatal(err, p.n, len(want))
		}
		var got []string
		for i := range p.parts {
			x := &p.parts[i]
			if i > 0 && bytes.Compare(p.parts[i-1].key, x.key) >= 0 {
				t.Fatalf("%q comes after %q", x.key, p.parts[i-1].key)
			}
			n := len(got)
			if err := x.each(func(id []byte) bool { got = append(got, string(id)); return true }); err != nil {
				t.Fatal(err)
			}
			if n := len(got) - n; n > maxPart && len(x.key) < maxPrefix {
				t.Fatalf("part %q has %d", x.key, n)
			}
			for _, id := range []string{got[n], got[len(got)-1]} {
				if !slices.ContainsFunc(keysOfIDs([]string{id}), func(key []byte) bool { return bytes.Equal(key, x.key) }) {
					t.Fatalf("nobody looks for %q under %q", id, x.key)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

// TestAPartThatIsDamagedIsNoPanic reads parts of any bytes.
func TestAPartThatIsDamagedIsNoPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := part{rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "key"), rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "ids")}
		if err := p.each(func([]byte) bool { return true }); err != nil && err != errPart {
			t.Fatal(err)
		}
	})
}

// TestOnesOwnAccessesAreThoseOfASet holds what a person is shown against sets of
// ids, one a row.
func TestOnesOwnAccessesAreThoseOfASet(t *testing.T) { eachDatabase(t, onesOwnAccessesAreThoseOfASet) }

func onesOwnAccessesAreThoseOfASet(t *testing.T, b backend) {
	s := b.open(t)
	many := issued(rand.New(rand.NewPCG(1, 2)), 9_000)
	sets := map[int64]map[string]bool{} // row → who is in it
	var last int64
	everybody := slices.Clone(many[:50])
	rapid.Check(t, func(t *rapid.T) {
		var rows []Access
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			a := Access{Client: "mailer", What: "extract", Job: "x"}
			ids := anyIDs(8).Draw(t, "ids")
			everybody = append(everybody, ids...)
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				a.Identity, a.Job, ids = ids[0], "", ids[:1]
			case 1:
				ids = append(ids, many[rapid.IntRange(0, len(many)-1).Draw(t, "from"):]...)
				a.Identities = ids
			default:
				ids = append(ids, many[:rapid.IntRange(0, 50).Draw(t, "upto")]...)
				a.Identities = ids
			}
			last++
			sets[last] = make(map[string]bool)
			for _, id := range ids {
				sets[last][id] = true
			}
			rows = append(rows, a)
		}
		if err := s.AppendAccess(ctx, rows); err != nil {
			t.Fatal(err)
		}
		asked := rapid.SliceOfN(rapid.SampledFrom(everybody), 1, 3).Draw(t, "asked")
		before := rapid.Int64Range(0, last+1).Draw(t, "before")
		limit := rapid.IntRange(0, 60).Draw(t, "limit")
		var want, got []int64
		for id := last; id > 0 && len(want) < limit; id-- {
			if (before == 0 || id < before) && slices.ContainsFunc(asked, func(who string) bool { return sets[id][who] }) {
				want = append(want, id)
			}
		}
		list, err := s.AccessOf(ctx, asked, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			got = append(got, list[i].ID)
			if list[i].Identity == "" && list[i].Persons != int64(len(sets[list[i].ID])) {
				t.Fatalf("row %d is about %d persons, want %d", list[i].ID, list[i].Persons, len(sets[list[i].ID]))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("of %q before %d, at most %d: got %v, want %v", asked, before, limit, got, want)
		}
	})
	if _, err := s.VerifyAccess(ctx); err != nil {
		t.Error(err)
	}
}

func TestManyJobsAreGoneThrough(t *testing.T) { eachDatabase(t, manyJobsAreGoneThrough) }

// manyJobsAreGoneThrough has more jobs that may have somebody than are read at a
// time, few of which do.
func manyJobsAreGoneThrough(t *testing.T, b backend) {
	s := b.open(t)
	many := issued(rand.New(rand.NewPCG(3, 4)), fewPersons+2)
	with, without := many, slices.Concat(many[:500], many[501:])
	var rows []Access
	var want []int64
	for i := range int64(2*jobsAtOnce + 50) {
		a := Access{Client: "mailer", What: "extract", Job: "x", Identities: without}
		if i%97 == 0 {
			a.Identities = with
			want = append(want, i+1)
		}
		rows = append(rows, a)
	}
	slices.Reverse(want)
	mustAppend(t, s, rows...)
	list, err := s.AccessOf(ctx, []string{many[500]}, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for i := range list {
		got = append(got, list[i].ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, limit := range []int{1, 3, len(want)} {
		if list, err := s.AccessOf(ctx, []string{many[500], many[3]}, want[0]+1, limit); err != nil || len(list) != limit || list[0].ID != want[0] {
			t.Errorf("%d: %v", len(list), err)
		}
	}
}

// TestEveryChangeOfThePersonsIsFound changes who was in a job.
func TestEveryChangeOfThePersonsIsFound(t *testing.T) {
	eachDatabase(t, everyChangeOfThePersonsIsFound)
}

func everyChangeOfThePersonsIsFound(t *testing.T, b backend) {
	s := b.open(t)
	many := issued(rand.New(rand.NewPCG(5, 6)), 6_000)
	mustAppend(t, s, reads(2)...)
	mustAppend(t, s, Access{Client: "mailer", Job: "x", What: "extract", Identities: many}, Access{Client: "mailer", Job: "wh_1", What: "changes", Identities: []string{"id-1", "id-2"}})
	mustAppend(t, s, reads(1)...)
	const why = "the persons of it are not those that were appended"
	somewhere := "access = 3 AND key = (SELECT key FROM access_persons WHERE access = 3 ORDER BY key LIMIT 1)"
	for _, c := range []struct {
		what      string
		row       int64
		why       string
		statement string
	}{
		{"a part is gone", 3, why, "DELETE FROM access_persons WHERE " + somewhere},
		{"all are gone", 4, why, "DELETE FROM access_persons WHERE access = 4"},
		{"one is gone", 4, why, "DELETE FROM access_persons WHERE access = 4 AND key <> (SELECT MIN(key) FROM access_persons WHERE access = 4)"},
		{"somebody more", 4, why, "INSERT INTO access_persons (access, key, ids) SELECT 4, persons_hash, hash FROM access_log WHERE id = 4"},
		{"somebody of a single read", 5, why, "INSERT INTO access_persons (access, key, ids) SELECT 5, key, ids FROM access_persons WHERE access = 4"},
		{"another job's", 3, why, "UPDATE access_persons SET access = 3 WHERE access = 4"},
		{"of a row that is not there", 6, "", "INSERT INTO access_persons (access, key, ids) SELECT 6, key, ids FROM access_persons WHERE access = 4"},
		{"another key", 3, why, "UPDATE access_persons SET key = (SELECT hash FROM access_log WHERE id = 1) WHERE " + somewhere},
		{"other ids", 3, why, "UPDATE access_persons SET ids = (SELECT hash FROM access_log WHERE id = 1) WHERE " + somewhere},
		{"no ids", 3, why, "UPDATE access_persons SET ids = (SELECT MIN(ids) FROM access_persons WHERE access = 4) WHERE " + somewhere},
		{"another hash of them", 3, "its hash is not", "UPDATE access_log SET persons_hash = hash WHERE id = 3"},
		{"no hash of them", 4, "its hash is not", "UPDATE access_log SET persons_hash = NULL WHERE id = 4"},
		{"a hash where there are none", 5, "its hash is not", "UPDATE access_log SET persons_hash = hash WHERE id = 5"},
	} {
		// PostgreSQL has no order of BYTEA for MIN.
		if b.name != file.name {
			c.statement = strings.NewReplacer("MIN(key)", "CAST(MIN(CAST(key AS TEXT)) AS BYTEA)", "MIN(ids)", "CAST(MIN(CAST(ids AS TEXT)) AS BYTEA)").Replace(c.statement)
		}
		tampered(t, s, c.what, c.row, c.why, c.statement)
	}
	if _, err := s.VerifyAccess(ctx); err != nil {
		t.Error(err)
	}
	if _, err := s.write.Exec("UPDATE access_persons SET ids = $1 WHERE "+somewhere, []byte{maxDigits + 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AccessOf(ctx, many[:1], 0, 9); err == nil || !strings.Contains(err.Error(), "the persons of row 3: a part of them cannot be read; let sama audit verify look at it") {
		t.Errorf("of a part that is damaged: %v", err)
	}
	if list, err := s.AccessOf(ctx, []string{"id-1"}, 0, 9); err != nil || len(list) != 2 {
		t.Errorf("of another: %v %v", list, err)
	}
}

func TestPersonsAreSweptWithTheirRows(t *testing.T) { eachDatabase(t, personsAreSweptWithTheirRows) }

func personsAreSweptWithTheirRows(t *testing.T, b backend) {
	var c clock
	s := openClocked(t, b.fresh(t), &c)
	many := issued(rand.New(rand.NewPCG(7, 8)), 700) // a part each: more than are swept at once
	for range 3 {
		mustAppend(t, s, Access{Client: "mailer", Job: "x", What: "extract", Identities: many})
		c.advance(24 * time.Hour)
	}
	parts := func() (n int) { return len(everything(t, s)["access_persons"]) }
	// A sweep that is cut short after its first steps.
	limited, cancel := context.WithCancel(context.Background())
	transactions := 0
	s.fault = func(at string) {
		if transactions++; at == "done" && transactions >= 4 {
			cancel()
		}
	}
	if p, err := s.SweepAccess(limited, c.now().Add(-25*time.Hour), "kim"); err == nil || parts() != 3*700-sweptParts {
		t.Errorf("swept %v, %v; %d parts", p, err, parts())
	}
	s.fault = func(string) {}
	want := func(rows, persons int) {
		t.Helper()
		list, err := s.AccessOf(ctx, []string{many[0], many[699]}, 0, 9)
		if err != nil || len(list) != rows || parts() != persons {
			t.Errorf("%d rows, %v; %d parts; want %d and %d", len(list), err, parts(), rows, persons)
		}
		if _, err := s.VerifyAccess(ctx); err != nil {
			t.Error(err)
		}
	}
	want(1, 3*700-sweptParts)
	if p, err := s.SweepAccess(ctx, c.now().Add(-25*time.Hour), "kim"); err != nil || p.ID != 0 {
		t.Errorf("swept %v, %v", p, err)
	}
	want(1, 700)
	if p, err := s.SweepAccess(ctx, c.now().Add(time.Hour), "kim"); err != nil || p.Removed != 2 {
		t.Errorf("swept %v, %v", p, err)
	}
	want(0, 0)
}

func BenchmarkAppendJob(b *testing.B) {
	ids := issued(rand.New(rand.NewPCG(1, 2)), 1_000_000)
	for _, n := range []int{100, 1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachDurably(b, func(b *testing.B, s *Store) {
				for b.Loop() {
					if err := s.AppendAccess(ctx, []Access{{Client: "mailer", Job: "x", What: "extract", Identities: ids[:n]}}); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkAccessOf(b *testing.B) {
	ids := issued(rand.New(rand.NewPCG(1, 2)), 1_000_000)
	eachDurably(b, func(b *testing.B, s *Store) {
		for range 30 {
			if err := s.AppendAccess(ctx, []Access{{Client: "mailer", Job: "x", What: "extract", Identities: ids}}); err != nil {
				b.Fatal(err)
			}
		}
		i := 0
		for b.Loop() {
			i++
			if list, err := s.AccessOf(ctx, ids[i*7919%len(ids):][:1], 0, 100); err != nil || len(list) != 30 {
				b.Fatal(len(list), err)
			}
		}
	})
}
