package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sama/record"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// memory is the state as the slow obvious reference: a list that is searched
// from end to end.
type memory []Decision

func (m memory) active(a, b record.Key) int {
	return slices.IndexFunc(m, func(d Decision) bool {
		return d.Revoked.IsZero() && (d.A == a && d.B == b || d.A == b && d.B == a)
	})
}

// machine drives a state and its reference side by side.
type machine struct {
	location string
	s        *Store
	m        memory
	now      time.Time
}

var ctx = context.Background()

func (x *machine) open(t *rapid.T) {
	s, err := Open(ctx, x.location, Options{Now: func() time.Time { return x.now }})
	if err != nil {
		t.Fatal(err)
	}
	x.s = s
}

func drawKey(t *rapid.T, label string) record.Key {
	return key(rapid.SampledFrom([]string{"crm", "s\U00010000"}).Draw(t, label+" source"), rapid.SampledFrom([]string{"1", ":", "ä'\"; --"}).Draw(t, label+" id"))
}

func drawDecision(t *rapid.T) Decision {
	return Decision{
		Kind:   rapid.SampledFrom([]Kind{Same, NotSame}).Draw(t, "kind"),
		A:      drawKey(t, "a"),
		B:      drawKey(t, "b"),
		Reason: rapid.SampledFrom([]string{"", "a, \"b\"\n", "ü"}).Draw(t, "reason"),
		By:     rapid.SampledFrom([]string{"kim", "lee"}).Draw(t, "by"),
	}
}

// decide is what Decide should do.
func (x *machine) decide(d Decision) (want Decision, outcome Outcome, refused bool) {
	if i := x.m.active(d.A, d.B); i >= 0 {
		if x.m[i].Kind != d.Kind {
			return x.m[i], 0, true
		}
		return x.m[i], Unchanged, false
	}
	if d.A.Compare(d.B) > 0 {
		d.A, d.B = d.B, d.A
	}
	d.ID, d.Made = int64(len(x.m)+1), x.now
	x.m = append(x.m, d)
	return d, Recorded, false
}

func (x *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"decide": func(t *rapid.T) {
			d := drawDecision(t)
			if d.A == d.B {
				if _, _, err := x.s.Decide(ctx, d); err == nil {
					t.Fatal("a record was decided upon with itself")
				}
				return
			}
			want, wantOutcome, refused := x.decide(d)
			got, outcome, err := x.s.Decide(ctx, d)
			if opposite, ok := errors.AsType[*OppositeError](err); ok != refused || ok && opposite.Existing != want {
				t.Fatalf("got %v, want the decision %v in the way: %v", err, want, refused)
			}
			if !refused && (err != nil || got != want || outcome != wantOutcome) {
				t.Fatalf("got %v %v %v, want %v %v", got, outcome, err, want, wantOutcome)
			}
		},
		"revoke": func(t *rapid.T) {
			id := rapid.Int64Range(1, int64(len(x.m)+1)).Draw(t, "id")
			got, err := x.s.Revoke(ctx, id, "lee", "why")
			if id > int64(len(x.m)) {
				if missing, ok := errors.AsType[*NotFoundError](err); !ok || missing.ID != id {
					t.Fatalf("got %v", err)
				}
				return
			}
			d := &x.m[id-1]
			if !d.Revoked.IsZero() {
				if before, ok := errors.AsType[*RevokedError](err); !ok || before.Existing != *d {
					t.Fatalf("got %v, want that %v is revoked", err, *d)
				}
				return
			}
			d.Revoked, d.RevokedBy, d.RevokeReason = x.now, "lee", "why"
			if err != nil || got != *d {
				t.Fatalf("got %v %v, want %v", got, err, *d)
			}
		},
		"revoke pair": func(t *rapid.T) {
			a, b := drawKey(t, "a"), drawKey(t, "b")
			got, err := x.s.RevokePair(ctx, a, b, "kim", "")
			i := x.m.active(a, b)
			if i < 0 {
				if _, ok := errors.AsType[*NotFoundError](err); !ok {
					t.Fatalf("got %v", err)
				}
				return
			}
			x.m[i].Revoked, x.m[i].RevokedBy = x.now, "kim"
			if err != nil || got != x.m[i] {
				t.Fatalf("got %v %v, want %v", got, err, x.m[i])
			}
		},
		"decide several": func(t *rapid.T) {
			list := rapid.SliceOfN(rapid.Custom(drawDecision), 0, 3).Draw(t, "list")
			before := slices.Clone(x.m)
			var want []Decision
			bad := false
			for _, d := range list {
				if bad = bad || d.A == d.B; bad {
					break
				}
				got, _, refused := x.decide(d)
				want, bad = append(want, got), bad || refused
			}
			got, _, err := x.s.DecideAll(ctx, list)
			if bad {
				x.m = before
			}
			if bad != (err != nil) || !bad && !slices.Equal(got, want) {
				t.Fatalf("got %v %v, want %v, refused %v", got, err, want, bad)
			}
		},
		"reopen": func(t *rapid.T) {
			if rapid.Bool().Draw(t, "close") {
				if err := x.s.Close(); err != nil {
					t.Fatal(err)
				}
				x.open(t)
				return
			}
			before := x.s
			x.open(t)
			if err := before.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"time": func(*rapid.T) { x.now = x.now.Add(1234567 * time.Microsecond) },
		"": func(t *rapid.T) {
			all, err := x.s.Decisions(ctx, All)
			if err != nil || !slices.Equal(all, x.m) {
				t.Fatalf("decisions differ (%v):\n%s", err, cmp.Diff([]Decision(x.m), all))
			}
			active, err := x.s.Decisions(ctx, Active)
			want := slices.DeleteFunc(slices.Clone(x.m), func(d Decision) bool { return !d.Revoked.IsZero() })
			if err != nil || !slices.Equal(active, want) {
				t.Fatalf("active decisions differ (%v):\n%s", err, cmp.Diff([]Decision(want), active))
			}
			if Digest(all) != Digest(active) {
				t.Fatal("revoked decisions change the digest")
			}
		},
	}
}

func TestTheStateIsLikeAList(t *testing.T) { eachDatabase(t, theStateIsLikeAList) }

func theStateIsLikeAList(tt *testing.T, b backend) {
	location := b.fresh(tt)
	n := 0
	rapid.Check(tt, func(t *rapid.T) {
		if n++; n > 40 && b.name != file.name {
			return // each step is a few journeys to the server
		}
		cleared(t, location)
		x := &machine{location: location, now: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)}
		x.open(t)
		defer func() { _ = x.s.Close() }()
		t.Repeat(x.actions())
	})
}

func TestADecisionSaysWhatIsInItsWay(t *testing.T) { eachDatabase(t, aDecisionSaysWhatIsInItsWay) }

func aDecisionSaysWhatIsInItsWay(t *testing.T, b backend) {
	s := b.open(t)
	d := Decision{Kind: NotSame, A: key("webshop", "W1"), B: key("crm", "C1"), Reason: "father and son", By: "kim"}
	if _, _, err := s.Decide(ctx, d); err != nil {
		t.Fatal(err)
	}
	d.Kind = Same
	_, _, err := s.Decide(ctx, d)
	if want := "crm:C1 and webshop:W1 are decided not the same (decision 1, by kim, 2026-11-24T02:00:00Z: father and son); revoke decision 1 first"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := s.Revoke(ctx, 1, "lee", "no"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Revoke(ctx, 1, "lee", "no")
	if want := "decision 1 was revoked before, by lee, 2026-11-24T02:00:00Z: no"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoDecisionIsRefused(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	good := Decision{Kind: Same, A: key("crm", "1"), B: key("crm", "2"), By: "kim"}
	for want, spoil := range map[string]func(*Decision){
		"want a decision, same or not-same": func(d *Decision) { d.Kind = 0 },
		"both keys are crm:1":               func(d *Decision) { d.B = d.A },
		"nobody is named":                   func(d *Decision) { d.By = "" },
		`record key "crm:"`:                 func(d *Decision) { d.A.ID = "" },
		`record key "a:b:1"`:                func(d *Decision) { d.A.Source = "a:b" },
		`record key "crm:\xff"`:             func(d *Decision) { d.A.ID = "\xff" },
		`reason "a\x00b"`:                   func(d *Decision) { d.Reason = "a\x00b" },
		"only imported":                     func(d *Decision) { d.Revoked, d.RevokedBy = time.Now(), "kim" },
	} {
		d := good
		spoil(&d)
		if _, _, err := s.Decide(ctx, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if list := mustList(t, s, All); len(list) != 0 {
		t.Errorf("recorded %v", list)
	}
}

// TestDigest compares with digests computed by Python's hashlib.
func TestDigest(t *testing.T) {
	a := Decision{ID: 1, Kind: Same, A: key("crm", "C1"), B: key("webshop", "W1"), Reason: "x", By: "kim"}
	b := Decision{ID: 2, Kind: NotSame, A: key("crm", "C1"), B: key("webshop", "Ä"), By: "kim"}
	gone := Decision{ID: 3, Kind: Same, A: key("crm", "C2"), B: key("webshop", "W1"), By: "kim", Revoked: time.Unix(1, 0)}
	const none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const both = "505d09cbf43c2520d8b7d00401e09670749a0abe070113d383f9b808eabcf8ca"
	if got := Digest([]Decision{gone}); got != none || Digest(nil) != none {
		t.Errorf("of none: %s", got)
	}
	for _, list := range [][]Decision{{a, b, gone}, {b, a}} {
		if got := Digest(list); got != both {
			t.Errorf("of two: %s", got)
		}
	}
	a.Kind = NotSame
	if Digest([]Decision{a, b}) == both {
		t.Error("the kind is not in the digest")
	}
}
