package quality

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sama/graph"
	"sama/record"
)

// Records a, b, c are one person, d, e another, f a third; a and b were found
// as one, c with d and e, f alone; g is of unknown truth, with f.
func TestByHand(t *testing.T) {
	truth := []uint32{1, 1, 1, 2, 2, 3, 0}
	found := []uint32{7, 7, 8, 8, 8, 9, 9}
	e := Evaluate(found, truth)
	want := Evaluation{
		Records: 6, Unknown: 1,
		Pairwise: Pairs{Both: 2, Found: 4, True: 4},
		// Precision: a, b, f 1; c 1/3; d, e 2/3. Recall: a, b 2/3; c 1/3; d, e, f 1.
		BCubed: Cubed{(3 + 1.0/3 + 4.0/3) / 6, (4.0/3 + 1.0/3 + 3) / 6},
		Exact:  Pairs{Both: 1, Found: 3, True: 3},
	}
	if !near(e, want) {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if f := e.Pairwise.F1(); f != 0.5 {
		t.Errorf("F1 %v", f)
	}
	sources := []uint16{0, 1, 1, 0, 0, 1, 1}
	wantSources := []SourcePair{
		{0, 0, Pairs{1, 1, 1}}, // d e
		{0, 1, Pairs{1, 3, 2}}, // ab found and true; cd, ce found; ac true
		{1, 1, Pairs{0, 0, 1}}, // bc
	}
	if got := BySourcePair(found, truth, sources); !slices.Equal(got, wantSources) {
		t.Errorf("by source pair %v", got)
	}
	edges := []record.Edge{{A: 0, B: 1, Weight: 5}, {A: 2, B: 3, Weight: 6}, {A: 2, B: 4, Weight: 9}, {A: 1, B: 2, Weight: -4}, {A: 5, B: 6, Weight: 3}}
	if b := BlockingOf(found, truth, edges); b != (Blocking{True: 4, Met: 2, Found: 1}) {
		t.Errorf("blocking %+v", b)
	}
	if got := FalseMerges(found, truth, edges, 1); !slices.Equal(got, []record.Edge{{A: 2, B: 4, Weight: 9}}) {
		t.Errorf("false merges %v", got)
	}
	if got := Misses(found, truth, edges, 9); !slices.Equal(got, []record.Edge{{A: 1, B: 2, Weight: -4}}) {
		t.Errorf("misses %v", got)
	}
	if got := Unmet(found, truth, edges, 9); !slices.Equal(got, []record.Pair{{A: 0, B: 2}}) {
		t.Errorf("never compared %v", got)
	}
	points := EdgesOverThresholds(truth, edges, []record.Weight{6, -4, 100})
	if want := []EdgePoint{{6, Pairs{0, 2, 4}}, {-4, Pairs{2, 4, 4}}, {100, Pairs{0, 0, 4}}}; !slices.Equal(points, want) {
		t.Errorf("edges over thresholds %v", points)
	}
}

func near(a, b Evaluation) bool {
	ok := math.Abs(a.BCubed.Precision-b.BCubed.Precision) < 1e-12 && math.Abs(a.BCubed.Recall-b.BCubed.Recall) < 1e-12
	a.BCubed, b.BCubed = Cubed{}, Cubed{}
	return ok && a == b
}

// slow evaluates by going through all pairs of records.
func slow(found, truth []uint32) Evaluation {
	var e Evaluation
	ids := map[uint32]bool{}
	persons := map[uint32]bool{}
	for i, x := range truth {
		if x == 0 {
			e.Unknown++
			continue
		}
		e.Records++
		ids[found[i]], persons[x] = true, true
		var both, ofFound, ofTruth float64
		for j, y := range truth {
			if y == 0 {
				continue
			}
			f, p := found[i] == found[j], x == y
			if f {
				ofFound++
			}
			if p {
				ofTruth++
			}
			if f && p {
				both++
			}
			if j < i {
				e.Pairwise.add(Pairs{Both: number(f && p), Found: number(f), True: number(p)})
			}
		}
		e.BCubed.Precision += both / ofFound
		e.BCubed.Recall += both / ofTruth
		first := slices.IndexFunc(truth, func(y uint32) bool { return y == x }) == i
		if first && both == ofFound && both == ofTruth {
			e.Exact.Both++
		}
	}
	e.Exact.Found, e.Exact.True = uint64(len(ids)), uint64(len(persons))
	if e.Records == 0 {
		e.BCubed = Cubed{1, 1}
		return e
	}
	e.BCubed.Precision /= float64(e.Records)
	e.BCubed.Recall /= float64(e.Records)
	return e
}

func number(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func drawLabels(t *rapid.T, name string, n int, low uint32) []uint32 {
	return rapid.SliceOfN(rapid.Uint32Range(low, 6), n, n).Draw(t, name)
}

func TestCountingAgreesWithGoingThroughAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 25).Draw(t, "n")
		found, truth := drawLabels(t, "found", n, 0), drawLabels(t, "truth", n, 0)
		got, want := Evaluate(found, truth), slow(found, truth)
		if !near(got, want) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
		// By source pair the same pairs, parted.
		source := make([]uint16, n)
		for i := range source {
			source[i] = uint16(rapid.IntRange(0, 2).Draw(t, "source"))
		}
		var sum Pairs
		for _, s := range BySourcePair(found, truth, source) {
			part := slices.Clone(truth)
			for i := range part {
				if source[i] != s.A && source[i] != s.B {
					part[i] = 0
				}
			}
			p := slow(found, part).Pairwise
			if s.A != s.B { // less those within either
				for _, inside := range []uint16{s.A, s.B} {
					only := slices.Clone(truth)
					for i := range only {
						if source[i] != inside {
							only[i] = 0
						}
					}
					q := slow(found, only).Pairwise
					p = Pairs{p.Both - q.Both, p.Found - q.Found, p.True - q.True}
				}
			}
			if p != s.Pairs {
				t.Fatalf("sources %d and %d: %+v, want %+v", s.A, s.B, s.Pairs, p)
			}
			sum.add(s.Pairs)
		}
		if sum != want.Pairwise {
			t.Fatalf("source pairs sum to %+v of %+v", sum, want.Pairwise)
		}
	})
}

func TestTheTruthIsPerfectAndNamesOfLabelsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 25).Draw(t, "n")
		found, truth := drawLabels(t, "found", n, 0), drawLabels(t, "truth", n, 0)
		e := Evaluate(truth, truth)
		if e.Pairwise.F1() != 1 || math.Abs(e.BCubed.F1()-1) > 1e-12 || e.Exact.F1() != 1 {
			t.Fatalf("the truth itself: %+v", e)
		}
		a := Evaluate(found, truth)
		names := rapid.Permutation([]uint32{10, 11, 12, 13, 14, 15, 16}).Draw(t, "names")
		for i := range found {
			found[i] = names[found[i]]
			if truth[i] != 0 {
				truth[i] = names[truth[i]]
			}
		}
		if b := Evaluate(found, truth); !near(a, b) {
			t.Fatalf("%+v, with other labels %+v", a, b)
		}
	})
}

func TestBlockingApartFromMatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 15).Draw(t, "n")
		found, truth := drawLabels(t, "found", n, 1), drawLabels(t, "truth", n, 0)
		var edges []record.Edge
		met := map[record.Pair]bool{}
		var want Blocking
		var unmet []record.Pair
		for a := range uint32(n) {
			for b := a + 1; b < uint32(n); b++ {
				has := rapid.Bool().Draw(t, "met")
				if has {
					met[record.Pair{A: a, B: b}] = true
					edges = append(edges, record.Edge{A: a, B: b, Weight: record.Weight(rapid.IntRange(-9, 9).Draw(t, "weight"))})
				}
				if truth[a] == 0 || truth[a] != truth[b] {
					continue
				}
				want.True++
				want.Met += number(has)
				want.Found += number(has && found[a] == found[b])
				if !has && found[a] != found[b] {
					unmet = append(unmet, record.Pair{A: a, B: b})
				}
			}
		}
		if got := BlockingOf(found, truth, edges); got != want {
			t.Fatalf("from edges %+v, want %+v", got, want)
		}
		by := BlockingBy(found, truth, func(a, b uint32) bool { return met[record.Pair{A: a, B: b}] })
		if by != want {
			t.Fatalf("by predicate %+v, want %+v", by, want)
		}
		got := Unmet(found, truth, edges, 1000)
		slices.SortFunc(got, comparePairs)
		if !slices.Equal(got, unmet) {
			t.Fatalf("never compared %v, want %v", got, unmet)
		}
		for _, p := range EdgesOverThresholds(truth, edges, []record.Weight{3, -2, 3, 20}) {
			var sum Pairs
			for _, e := range edges {
				if e.Weight >= p.Threshold && truth[e.A] != 0 && truth[e.B] != 0 {
					sum.add(Pairs{Both: number(truth[e.A] == truth[e.B]), Found: 1})
				}
			}
			if sum.True = want.True; p.Pairs != sum {
				t.Fatalf("at %d: %+v, want %+v", p.Threshold, p.Pairs, sum)
			}
		}
	})
}

func TestOverThresholdsEvaluatesEachClustering(t *testing.T) {
	edges := []record.Edge{{A: 0, B: 1, Weight: 10}, {A: 1, B: 2, Weight: 5}}
	curve := OverThresholds([]uint32{1, 1, 2}, []record.Weight{0, 7}, func(t record.Weight) *graph.Clusters {
		return graph.Components(3, edges, t)
	})
	if curve[0].Pairwise != (Pairs{1, 3, 1}) || curve[1].Pairwise != (Pairs{1, 1, 1}) || curve[1].Threshold != 7 {
		t.Errorf("curve %+v", curve)
	}
}

func TestChangesBetweenRuns(t *testing.T) {
	for _, c := range []struct {
		before, after []uint32
		want          []ChangeKind
	}{
		{[]uint32{1, 1, 2}, []uint32{5, 5, 6}, nil},
		{[]uint32{0, 1}, []uint32{3, 4}, []ChangeKind{Created}},
		{[]uint32{1, 2, 2}, []uint32{1, 0, 0}, []ChangeKind{Retired}},
		{[]uint32{1, 1, 0}, []uint32{1, 1, 1}, []ChangeKind{Grown}},
		{[]uint32{1, 1, 1}, []uint32{1, 0, 1}, []ChangeKind{Shrunk}},
		{[]uint32{1, 1, 0}, []uint32{1, 0, 1}, []ChangeKind{Altered}},
		{[]uint32{1, 2, 0}, []uint32{3, 3, 3}, []ChangeKind{Merged}},
		{[]uint32{1, 1, 1}, []uint32{3, 4, 0}, []ChangeKind{Split}},
		{[]uint32{1, 1, 2, 2}, []uint32{3, 4, 4, 4}, []ChangeKind{Regrouped}},
		{[]uint32{1, 1, 2, 0, 0}, []uint32{3, 4, 5, 5, 6}, []ChangeKind{Split, Grown, Created}},
		{[]uint32{0, 0}, []uint32{0, 0}, nil},
	} {
		var got []ChangeKind
		for _, change := range Compare(c.before, c.after).Changes {
			got = append(got, change.Kind)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v → %v: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}

// Changes part the records and the labels, and going back turns each kind into
// its opposite.
func TestChangesAreAPartitionAndReversible(t *testing.T) {
	opposite := map[ChangeKind]ChangeKind{
		Unchanged: Unchanged, Created: Retired, Retired: Created, Grown: Shrunk, Shrunk: Grown,
		Altered: Altered, Merged: Split, Split: Merged, Regrouped: Regrouped,
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "n")
		before, after := drawLabels(t, "before", n, 0), drawLabels(t, "after", n, 0)
		there, back := Compare(before, after), Compare(after, before)
		for k, count := range there.Count {
			if back.Count[opposite[ChangeKind(k)]] != count {
				t.Fatalf("there %v, back %v", there.Count, back.Count)
			}
		}
		for i, c := range there.Changes {
			b := back.Changes[i]
			if opposite[c.Kind] != b.Kind || !slices.Equal(c.Before, b.After) || !slices.Equal(c.Records, b.Records) {
				t.Fatalf("change %+v, back %+v", c, b)
			}
			for r := range uint32(n) {
				inside := slices.Contains(c.Records, r)
				if before[r] != 0 && inside != slices.Contains(c.Before, before[r]) || after[r] != 0 && inside != slices.Contains(c.After, after[r]) {
					t.Fatalf("record %d is in or out of %+v by mistake", r, c)
				}
			}
		}
		same := Compare(before, before)
		if len(same.Changes) != 0 || !reflect.DeepEqual(same.Count[Unchanged], len(distinct(before, upTo(n)))) {
			t.Fatalf("a run against itself: %+v", same)
		}
	})
}

func upTo(n int) []uint32 {
	list := make([]uint32, n)
	for i := range list {
		list[i] = uint32(i)
	}
	return list
}

func TestMistakesDoNotDependOnTheOrderOfEdges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found, truth := make([]uint32, 100), make([]uint32, 100)
	for i := range found {
		found[i], truth[i] = uint32(r.IntN(20)), uint32(r.IntN(20))
	}
	var edges []record.Edge
	for b := range uint32(100) {
		for a := range b {
			edges = append(edges, record.Edge{A: a, B: b, Weight: record.Weight(r.IntN(5))})
		}
	}
	merges, misses := FalseMerges(found, truth, edges, 50), Misses(found, truth, edges, 50)
	r.Shuffle(len(edges), func(i, j int) { edges[i], edges[j] = edges[j], edges[i] })
	if !slices.Equal(FalseMerges(found, truth, edges, 50), merges) || !slices.Equal(Misses(found, truth, edges, 50), misses) {
		t.Error("other mistakes in another order of edges")
	}
	if !slices.IsSortedFunc(misses, func(a, b record.Edge) int { return cmp.Compare(a.Weight, b.Weight) }) {
		t.Error("misses are not sorted")
	}
}

func BenchmarkEvaluateMillion(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	found, truth := make([]uint32, 1_000_000), make([]uint32, 1_000_000)
	for i := range found {
		truth[i] = 1 + uint32(r.IntN(400_000))
		if found[i] = truth[i]; r.IntN(20) == 0 {
			found[i] = uint32(r.IntN(400_000))
		}
	}
	for b.Loop() {
		Evaluate(found, truth)
	}
}
