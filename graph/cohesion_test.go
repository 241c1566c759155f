package graph

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sama/record"
)

func TestMissingPairsAreThosePairsWithoutAnEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		edges := drawEdges(t, n)
		c := Components(n, edges, 0)
		want := make(map[record.Pair]bool)
		for b := range uint32(n) {
			for a := range b {
				if c.Of[a] == c.Of[b] {
					want[record.Pair{A: a, B: b}] = true
				}
			}
		}
		for _, e := range edges {
			delete(want, record.Pair{A: e.A, B: e.B})
		}
		got := MissingPairs(c, edges, n)
		for _, p := range got {
			if !want[p] {
				t.Fatalf("%v has an edge, is in two clusters, or came twice", p)
			}
			delete(want, p)
		}
		if len(want) > 0 {
			t.Fatalf("%v not found", want)
		}
		// Two steps, where nothing is cut off at this size.
		near := make([][]bool, n)
		for i := range near {
			near[i] = make([]bool, n)
		}
		for _, e := range edges {
			if c.Of[e.A] == c.Of[e.B] {
				near[e.A][e.B], near[e.B][e.A] = true, true
			}
		}
		var steps []record.Pair
		for _, p := range got {
			if slices.ContainsFunc(singles(nil, n), func(x uint32) bool { return near[p.A][x] && near[x][p.B] }) {
				steps = append(steps, p)
			}
		}
		large := MissingPairs(c, edges, 0)
		if n <= 11 && !slices.Equal(large, steps) { // 11 records: at most 10 × 10 edges followed
			t.Fatalf("two steps apart %v, want %v", large, steps)
		}
	})
}

func TestMissingPairsOfAGiantStayBounded(t *testing.T) {
	const n = 5000
	var edges []record.Edge
	for i := range uint32(n - 1) {
		edges = append(edges, record.Edge{A: 0, B: i + 1, Weight: 5000})
	}
	c := Components(n, edges, 0)
	got := MissingPairs(c, edges, 200)
	if len(got) < n || len(got) > n*twoStepPartners {
		t.Errorf("%d pairs for a star of %d records", len(got), n)
	}
}

func TestContradictionsComeWithTheirChain(t *testing.T) {
	cons := Constraints{
		Same:    []record.Pair{{A: 1, B: 4}, {A: 4, B: 6}, {A: 2, B: 6}, {A: 0, B: 7}, {A: 1, B: 2}},
		NotSame: []record.Pair{{A: 1, B: 6}, {A: 0, B: 1}},
		Unique:  []Unique{{"national_id", []uint32{9, 0, 5, 5, 8, 0, 8, 9}}},
	}
	got := cons.Contradictions(8)
	want := []Contradiction{
		{record.Pair{A: 1, B: 6}, -1, []uint32{1, 2, 6}},
		{record.Pair{A: 2, B: 4}, 0, []uint32{2, 1, 4}},
	}
	if !slices.EqualFunc(got, want, func(a, b Contradiction) bool {
		return a.Pair == b.Pair && a.Unique == b.Unique && slices.Equal(a.Chain, b.Chain)
	}) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	// "Same" holds none the less, and no code joins what two codes are in.
	edges := []record.Edge{{A: 1, B: 3, Weight: 9000}, {A: 2, B: 3, Weight: 9000}, {A: 3, B: 5, Weight: 9000}}
	c, _ := Correlate(8, edges, cons, DefaultOptions(0))
	if want := []uint32{0, 1, 1, 2, 1, 2, 1, 0}; !slices.Equal(c.Of, want) {
		t.Errorf("clusters %v, want %v", c.Of, want)
	}
}

// holds reports whether the strong edges without one of them join all places.
func holds(m int, edges []localEdge, without int, t record.Weight) bool {
	parent := singles(nil, m)
	for i, e := range edges {
		if i != without && e.weight >= t {
			unite(parent, e.a, e.b)
		}
	}
	c := new(Clusters)
	c.fromRoots(parent)
	return c.Len() == 1
}

func TestCohesionAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "n")
		edges := drawEdges(t, n)
		opt := DefaultOptions(0)
		c := Components(n, edges, 0)
		x := newWorld(n, edges, Constraints{}, opt)
		g := newGrouped(n, edges, new(Constraints), 0, nil)
		for k, co := range Cohere(c, edges, Constraints{}, opt) {
			members, inside := c.At(uint32(k)), g.at(uint32(k))
			if len(members) == 1 {
				continue
			}
			var bridges uint32
			for i, e := range inside {
				if len(members) > 2 && e.weight >= 0 && !holds(len(members), inside, i, 0) {
					bridges++
				}
			}
			var sums []int64
			for _, r := range members {
				sum, _ := x.between([]uint32{r}, members)
				sums = append(sums, sum-x.w[r][r])
			}
			least := slices.Min(sums)
			weakest := slices.MinFunc(inside, func(a, b localEdge) int { return int(a.weight - b.weight) }).weight
			if co.Bridges != bridges || int64(co.Hold) != least || co.Weakest != weakest || int(co.Edges) != len(inside) {
				t.Fatalf("cluster %v: %+v; bridges %d, hold %d, weakest %d", members, co, bridges, least, weakest)
			}
			if co.Loosest != members[slices.Index(sums, least)] {
				t.Fatalf("cluster %v: loosest %d, sums %v", members, co.Loosest, sums)
			}
		}
	})
}

func TestDoubtfulClustersAreSorted(t *testing.T) {
	edges := []record.Edge{
		{A: 0, B: 1, Weight: 9000}, // firm
		{A: 2, B: 3, Weight: 300},  // weak
		{A: 4, B: 5, Weight: 100},  // weaker
		{A: 6, B: 7, Weight: 8000},
	}
	cons := Constraints{Same: []record.Pair{{A: 6, B: 7}}, NotSame: []record.Pair{{A: 6, B: 7}}}
	opt := DefaultOptions(0)
	c, found := Correlate(9, edges, cons, opt)
	list := Doubtful(Cohere(c, edges, cons, opt), c, 1024)
	var order []uint32
	for _, d := range list {
		order = append(order, d.Cluster)
	}
	if !slices.Equal(order, []uint32{3, 2, 1}) || list[0].Wrong != 1 || len(found) != 1 {
		t.Errorf("doubtful %+v, contradictions %v", list, found)
	}
	if w := list[1].Wrong; w < .48 || w > .49 { // 1/(1+2^(100/1024)) = .4831
		t.Errorf("probability %v that the loosest record is wrong", w)
	}
}

func TestMatrixAndHeapAgreeOnAHairball(t *testing.T) {
	n := 400
	edges := hairball(n)
	cons := new(Constraints)
	g := newGrouped(n, edges, cons, 0, nil)
	s := solver{opt: DefaultOptions(0), cons: cons, rough: true}
	for k := range uint32(g.comps.Len()) {
		members := g.comps.At(k)
		if len(members) < 3 {
			continue
		}
		want := slices.Clone(s.solve(members, g.at(k), 0))
		s.label = singles(s.label, len(members))
		s.sparse(members, g.at(k), 0)
		if !slices.Equal(s.label, want) {
			t.Errorf("component of %d records: heap and matrix differ", len(members))
		}
	}
}
