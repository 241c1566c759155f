package graph

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIdentityIDsOfARunAreDistinctAndSortByRun(t *testing.T) {
	first, err := NewIDs(1, 42, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := NewIDs(2, 42, 100_000)
	if slices.Max(first) >= slices.Min(second) {
		t.Error("an id of run 2 sorts before one of run 1")
	}
	sorted := slices.Sorted(slices.Values(append(first, second...)))
	if len(slices.Compact(sorted)) != 200_000 {
		t.Error("an id was issued twice")
	}
	if slices.IsSorted(first) {
		t.Error("the ids of a run count upwards")
	}
	again, _ := NewIDs(1, 42, 100_000)
	if !slices.Equal(again, first) {
		t.Error("the same run and seed gave other ids")
	}
}

// The counter is spread evenly: of 64 buckets, none is far from its share.
func TestIdentityIDsSpread(t *testing.T) {
	for _, seed := range []uint64{0, 1, 1 << 63} {
		var buckets [64]int
		ids, _ := NewIDs(7, seed, 64_000)
		for _, id := range ids {
			buckets[id>>(counterBits-6)&63]++
		}
		for b, n := range buckets {
			if n < 800 || n > 1200 {
				t.Errorf("seed %d: bucket %d has %d ids of 64000, expected 1000", seed, b, n)
			}
		}
	}
}

func TestIdentityIDsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := Issuer{rapid.Uint32Range(1, MaxRun).Draw(t, "run"), rapid.Uint64().Draw(t, "seed")}
		n := rapid.Uint64Range(0, 1<<counterBits-1).Draw(t, "n")
		a, b := is.ID(n), is.ID((n+1)&(1<<counterBits-1))
		for _, s := range []string{a.String(), strings.ToUpper(a.String()), strings.NewReplacer("0", "o", "1", "l").Replace(a.String())} {
			if got, err := ParseIdentityID(s); err != nil || got != a || got.Run() != is.Run {
				t.Fatalf("%s: %v, %v", s, got, err)
			}
		}
		if strings.Compare(a.String(), b.String()) < 0 != (a < b) {
			t.Fatalf("%v and %v sort differently as text", a, b)
		}
	})
}

func TestMistypedIdentityIDsAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := Issuer{rapid.Uint32Range(1, MaxRun).Draw(t, "run"), 9}.ID(rapid.Uint64Range(0, 1<<40-1).Draw(t, "n"))
		good := id.String()
		for i := range idLength {
			for _, c := range []byte(idAlphabet) {
				bad := []byte(good)
				bad[i] = c
				if _, err := ParseIdentityID(string(bad)); c != good[i] && err == nil {
					t.Fatalf("%s taken for %s", bad, good)
				}
			}
			for j := range i {
				bad := []byte(good)
				bad[i], bad[j] = bad[j], bad[i]
				if _, err := ParseIdentityID(string(bad)); bad[i] != bad[j] && err == nil {
					t.Fatalf("%s taken for %s", bad, good)
				}
			}
		}
	})
	for _, s := range []string{"", "0", "0000000000000", "zzzzzzzzzzzz!", "12345678901234", strings.Repeat("u", 13)} {
		if id, err := ParseIdentityID(s); err == nil {
			t.Errorf("%q read as %v", s, id)
		}
	}
	if _, err := NewIDs(0, 1, 1); err == nil {
		t.Error("run 0 issued an id")
	}
}

func TestFirstAssignmentFollowsTheKeys(t *testing.T) {
	c := ClustersOf([]uint32{5, 3, 5, 9})
	a, err := Assign(c, new(Past), Issuer{Run: 1, Seed: 8})
	if err != nil {
		t.Fatal(err)
	}
	ids, _ := NewIDs(1, 8, 3)
	if !slices.Equal(a.IDs, ids) || a.Issued != 3 || len(a.Events) != 3 {
		t.Fatalf("assignment %+v", a)
	}
	if e := a.Events[0]; e.Kind != Created || e.Identity != ids[0] || !slices.Equal(e.Records, []uint32{0, 2}) {
		t.Errorf("first event %+v", e)
	}
}

func FuzzParseIdentityID(f *testing.F) {
	f.Add("0001abcdefgh0")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseIdentityID(s); err == nil {
			if again, err := ParseIdentityID(id.String()); err != nil || again != id {
				t.Fatalf("%q: %v does not read back", s, id)
			}
		}
	})
}
