package graph

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

func TestChosenThresholdHasTheHighestExpectedF1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 25).Draw(t, "n")
		edges, cons := drawEdges(t, n), drawConstraints(t, n)
		opt := DefaultOptions(0)
		opt.Unkept = rapid.Float64Range(0, 3).Draw(t, "unkept")
		best, curve := ChooseThreshold(n, edges, cons, opt, Candidates())
		var most float64
		at := map[record.Weight]float64{}
		for i, c := range Candidates() {
			opt.Threshold = c
			of := correlate(n, edges, cons, opt, true)
			want := ExpectedF1(of, edges, opt.Unkept)
			want.Threshold = c
			if curve[i] != want {
				t.Fatalf("at %d: %+v, from the clusters %+v", c, curve[i], want)
			}
			var both, right, matches float64
			for b := range n {
				for a := range b {
					if of.Of[a] == of.Of[b] {
						both++
					}
				}
			}
			for _, e := range edges {
				p := 1 / (1 + math.Pow(2, -float64(e.Weight)/1024))
				matches += p
				if of.Of[e.A] == of.Of[e.B] {
					right += p
				}
			}
			f := 2 * right / (both + matches + opt.Unkept)
			if math.Abs(f-want.F1()) > 1e-6 || math.Abs(want.Recall()*(matches+opt.Unkept)-right) > 1e-6 {
				t.Fatalf("at %d: expected F1 %v, formula %v", c, want.F1(), f)
			}
			most, at[c] = max(most, want.F1()), want.F1()
		}
		if at[best] != most {
			t.Fatalf("chose %d with %v, best %v", best, at[best], most)
		}
	})
}

func TestNothingToClusterIsNoError(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		c, found := Correlate(n, nil, Constraints{}, DefaultOptions(0))
		if c.Len() != n || found != nil || c.Check() != nil {
			t.Errorf("%d records without edges: %d clusters, %v", n, c.Len(), c.Check())
		}
		if _, curve := ChooseThreshold(n, nil, Constraints{}, DefaultOptions(0), Candidates()); curve[0].F1() != 1 || curve[0].Precision() != 1 || curve[0].Recall() != 1 {
			t.Errorf("%d records without edges: expected F1 %v", n, curve[0].F1())
		}
		if got := MissingPairs(c, nil, 10); got != nil {
			t.Errorf("%d records without edges: missing %v", n, got)
		}
	}
}
