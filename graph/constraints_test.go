package graph

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

// TestReconciledCodesFollowDecisions compares with joining, until nothing
// changes, all values that a decision or another record of the same value ties
// together.
func TestReconciledCodesFollowDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "records")
		code := rapid.SliceOfN(rapid.Uint32Range(0, 4), n, n).Draw(t, "codes")
		given := slices.Clone(code)
		cons := Constraints{Unique: []Unique{{"id", code}}}
		for range rapid.IntRange(0, 5).Draw(t, "decisions") {
			a, b := rapid.IntRange(0, n-2).Draw(t, "a"), 0
			b = rapid.IntRange(a+1, n-1).Draw(t, "b")
			cons.Same = append(cons.Same, record.Pair{A: uint32(a), B: uint32(b)})
		}
		got := cons.Reconciled(n).Unique[0].Code
		if !slices.Equal(code, given) {
			t.Fatal("the column given was changed")
		}
		// tied holds which records are one person by decisions.
		tied := make([]int, n)
		for i := range tied {
			tied[i] = i
		}
		for range n {
			for _, p := range cons.Same {
				tied[p.A], tied[p.B] = min(tied[p.A], tied[p.B]), min(tied[p.A], tied[p.B])
			}
		}
		one := make(map[[2]uint32]bool)
		for range 5 {
			for i := range n {
				for j := range n {
					x, y := code[i], code[j]
					if x == 0 || y == 0 {
						continue
					}
					if x == y || tied[i] == tied[j] {
						one[[2]uint32{x, y}] = true
					}
					for z := range uint32(5) {
						if one[[2]uint32{x, z}] && one[[2]uint32{z, y}] {
							one[[2]uint32{x, y}] = true
						}
					}
				}
			}
		}
		for i := range n {
			if (got[i] == 0) != (code[i] == 0) {
				t.Fatalf("record %d had code %d and has %d", i, code[i], got[i])
			}
			for j := range n {
				if code[i] != 0 && code[j] != 0 && (got[i] == got[j]) != one[[2]uint32{code[i], code[j]}] {
					t.Fatalf("codes %v, decisions %v: records %d and %d have %d and %d", code, cons.Same, i, j, got[i], got[j])
				}
			}
		}
	})
}
