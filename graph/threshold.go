package graph

import (
	"math"
	"sync"

	"sama/record"
)

// Expected is what the model itself expects of a clustering at a threshold,
// counted over pairs of records.
type Expected struct {
	Threshold record.Weight
	Pairs     uint64  // pairs that share a cluster
	Right     float64 // of these, expected to be matches: their summed probability
	Matches   float64 // expected matches among all scored pairs, clustered or not
}

// Precision returns the expected share of clustered pairs that are matches; 1
// where no pair is clustered.
func (e Expected) Precision() float64 {
	if e.Pairs == 0 {
		return 1
	}
	return e.Right / float64(e.Pairs)
}

// Recall returns the expected share of matches that are clustered; 1 where
// there are none to be expected.
func (e Expected) Recall() float64 {
	if e.Matches == 0 {
		return 1
	}
	return e.Right / e.Matches
}

// F1 returns the closure-aware expected F1 of accuracy.md §3,
//
//	E = 2·Σ p over clustered pairs / (Σ n(n−1)/2 over clusters + Σ p over all),
//
// which counts what a chain puts together, where F1 over edges alone does not.
// It is 1 where the denominator is 0.
func (e Expected) F1() float64 {
	if d := float64(e.Pairs) + e.Matches; d > 0 {
		return 2 * e.Right / d
	}
	return 1
}

// ExpectedF1 returns what the edges' probabilities expect of clusters. A pair
// without an edge counts with probability 0, so pairs inside clusters should
// have been scored ([MissingPairs]). unkept is as in [Options].
func ExpectedF1(c *Clusters, edges []record.Edge, unkept float64) Expected {
	chance := chanceTable()
	var right, all uint64
	for _, e := range edges {
		p := uint64(chance.of(e.Weight))
		all += p
		if c.Of[e.A] == c.Of[e.B] {
			right += p
		}
	}
	return Expected{Pairs: c.Pairs(), Right: probability(right), Matches: probability(all) + unkept}
}

// probability turns units of 2⁻³¹, whose sums are exact, into a number.
func probability(units uint64) float64 { return float64(units) / (1 << 31) }

// Candidates returns the thresholds that accuracy.md's recipe tries: −1 to 5
// nats in steps of a half.
func Candidates() []record.Weight {
	var list []record.Weight
	for half := -2; half <= 10; half++ {
		list = append(list, record.WeightOfBits(float64(half)/2*nat))
	}
	return list
}

// ChooseThreshold clusters the edges at every candidate threshold, as
// [Correlate] does but by contraction alone, and returns the candidate with the
// highest expected F1 (the higher threshold among equals) and what is expected
// at each, in the order of candidates. The work is shared: the edges are
// grouped once, at the lowest candidate. It panics if opt does not validate or
// without candidates.
func ChooseThreshold(n int, edges []record.Edge, cons Constraints, opt Options, candidates []record.Weight) (record.Weight, []Expected) {
	if err := opt.Validate(); err != nil {
		panic(err)
	}
	lowest := candidates[0]
	for _, t := range candidates {
		lowest = min(lowest, t)
	}
	chance := chanceTable()
	g := newGrouped(n, edges, &cons, lowest, chance)
	var mu sync.Mutex // guards tries
	total := make([]tally, len(candidates))
	var tries []*trier
	g.each(opt.workers(), func() func(k uint32) {
		t := &trier{solver: solver{opt: opt, cons: &cons, rough: true}, candidates: candidates, tally: make([]tally, len(candidates))}
		mu.Lock()
		tries = append(tries, t)
		mu.Unlock()
		return func(k uint32) { t.component(g.comps.At(k), g.at(k)) }
	})
	var all uint64
	for _, e := range edges {
		all += uint64(chance.of(e.Weight))
	}
	for _, t := range tries {
		for i := range total {
			total[i].pairs += t.tally[i].pairs
			total[i].right += t.tally[i].right
		}
	}
	best, curve := 0, make([]Expected, len(candidates))
	for i, t := range candidates {
		curve[i] = Expected{t, total[i].pairs, probability(total[i].right), probability(all) + opt.Unkept}
		f, most := curve[i].F1(), curve[best].F1()
		if f > most || f == most && t > candidates[best] {
			best = i
		}
	}
	return candidates[best], curve
}

// tally counts clustered pairs and sums their probabilities, in integers, so
// that the order of adding does not matter.
type tally struct{ pairs, right uint64 }

// trier parts components at every candidate.
type trier struct {
	solver
	candidates []record.Weight
	tally      []tally

	piece   Clusters
	parent  []uint32
	next    []uint32
	grouped []localEdge
	records []uint32
	size    []uint32
}

// component adds what is expected of one component at each candidate.
func (t *trier) component(members []uint32, edges []localEdge) {
	if len(members) == 1 {
		return
	}
	low, high := record.Weight(math.MaxInt32), record.Weight(math.MinInt32)
	for _, e := range edges {
		low, high = min(low, e.weight), max(high, e.weight)
	}
	whole := uint64(len(members)) * uint64(len(members)-1) / 2
	plain := len(t.cons.Unique) == 0 && high != weightSame && uint64(len(edges)) == whole
	for i, c := range t.candidates {
		switch {
		case high < c:
		case plain && low >= c:
			// Every pair speaks for joining.
			t.tally[i].pairs += whole
			for _, e := range edges {
				t.tally[i].right += uint64(e.chance)
			}
		default:
			t.pieces(members, edges, c, &t.tally[i])
		}
	}
}

// pieces parts a component at a threshold above the one that made it: its own
// components first, each then as Correlate would.
func (t *trier) pieces(members []uint32, edges []localEdge, c record.Weight, sum *tally) {
	t.parent = singles(t.parent, len(members))
	for _, e := range edges {
		if e.weight >= c {
			unite(t.parent, e.a, e.b)
		}
	}
	t.piece.fromRoots(t.parent)
	if t.piece.Len() == 1 {
		t.count(t.solve(members, edges, c), edges, sum)
		return
	}
	t.group(edges)
	end := uint32(0)
	for k := range uint32(t.piece.Len()) {
		start := end
		end = t.next[k]
		places := t.piece.At(k)
		if len(places) == 1 {
			continue
		}
		t.records = t.records[:0]
		for _, p := range places {
			t.records = append(t.records, members[p])
		}
		t.count(t.solve(t.records, t.grouped[start:end], c), t.grouped[start:end], sum)
	}
}

// group sorts the edges inside pieces by piece, their ends made places in the
// piece; next is then the end of each piece's edges.
func (t *trier) group(edges []localEdge) {
	of := t.piece.Of
	t.next = sized(t.next, t.piece.Len())
	clear(t.next)
	for _, e := range edges {
		if of[e.a] == of[e.b] {
			t.next[of[e.a]]++
		}
	}
	var sum uint32
	for k, size := range t.next {
		t.next[k] = sum
		sum += size
	}
	t.size = sized(t.size, len(of)) // place in the component → place in its piece
	for i, p := range t.piece.Members {
		t.size[p] = uint32(i) - t.piece.Start[of[p]]
	}
	t.grouped = sized(t.grouped, int(sum))
	for _, e := range edges {
		if k := of[e.a]; k == of[e.b] {
			t.grouped[t.next[k]] = localEdge{t.size[e.a], t.size[e.b], e.weight, e.chance}
			t.next[k]++
		}
	}
}

// count adds the pairs that share a label and the probabilities of the edges
// among them.
func (t *trier) count(label []uint32, edges []localEdge, sum *tally) {
	t.size = sized(t.size, len(label))
	clear(t.size)
	for _, l := range label {
		sum.pairs += uint64(t.size[l])
		t.size[l]++
	}
	for _, e := range edges {
		if label[e.a] == label[e.b] {
			sum.right += uint64(e.chance)
		}
	}
}
