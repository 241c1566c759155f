package quality

import (
	"cmp"
	"slices"

	"sama/graph"
	"sama/record"
)

// Blocking tells what blocking missed from what matching missed, over pairs of
// records of one person.
type Blocking struct {
	True  uint64 // all of them
	Met   uint64 // of these, compared
	Found uint64 // of the compared, in one cluster
}

// Recall returns blocking recall: the share of true pairs that was compared.
func (b Blocking) Recall() float64 { return share(b.Met, b.True) }

// MatchingRecall returns the share of compared true pairs that was found.
func (b Blocking) MatchingRecall() float64 { return share(b.Found, b.Met) }

// BlockingOf measures blocking where every compared pair has one edge.
func BlockingOf(found, truth []uint32, edges []record.Edge) Blocking {
	b := Blocking{True: truePairs(truth)}
	for _, e := range edges {
		if truth[e.A] != 0 && truth[e.A] == truth[e.B] {
			b.Met++
			if found[e.A] == found[e.B] {
				b.Found++
			}
		}
	}
	return b
}

// BlockingBy measures blocking where met says whether a pair, the smaller
// record first, was compared. It asks for every true pair.
func BlockingBy(found, truth []uint32, met func(a, b uint32) bool) Blocking {
	b := Blocking{True: truePairs(truth)}
	eachTruePair(truth, func(x, y uint32) bool {
		if met(x, y) {
			b.Met++
			if found[x] == found[y] {
				b.Found++
			}
		}
		return true
	})
	return b
}

func truePairs(truth []uint32) (n uint64) {
	for _, g := range groupSizes(knownRecords(truth), func(r uint32) uint64 { return uint64(truth[r]) }) {
		n += pairs(g.records)
	}
	return n
}

// eachTruePair calls do on every true pair, in the order of persons' smallest
// records, ascending within each, until do returns false.
func eachTruePair(truth []uint32, do func(a, b uint32) bool) {
	persons := graph.ClustersOf(truth)
	for k := range uint32(persons.Len()) {
		records := persons.At(k)
		if truth[records[0]] == 0 {
			continue
		}
		for i, a := range records {
			for _, b := range records[i+1:] {
				if !do(a, b) {
					return
				}
			}
		}
	}
}

// FalseMerges returns the scored pairs of two persons that are in one cluster,
// the highest weight first, then by record; at most limit.
func FalseMerges(found, truth []uint32, edges []record.Edge, limit int) []record.Edge {
	return pick(edges, limit, -1, func(e record.Edge) bool {
		return truth[e.A] != 0 && truth[e.B] != 0 && truth[e.A] != truth[e.B] && found[e.A] == found[e.B]
	})
}

// Misses returns the scored pairs of one person that are in two clusters, the
// lowest weight first, then by record; at most limit.
func Misses(found, truth []uint32, edges []record.Edge, limit int) []record.Edge {
	return pick(edges, limit, 1, func(e record.Edge) bool {
		return truth[e.A] != 0 && truth[e.A] == truth[e.B] && found[e.A] != found[e.B]
	})
}

// pick returns the first of the edges that are wanted, by sign × weight.
func pick(edges []record.Edge, limit, sign int, wanted func(record.Edge) bool) []record.Edge {
	var list []record.Edge
	for _, e := range edges {
		if wanted(e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b record.Edge) int {
		return cmp.Or(sign*cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	return list[:min(limit, len(list))]
}

// Unmet returns pairs of one person that are in two clusters and have no edge,
// in the order of persons' smallest records; at most limit.
func Unmet(found, truth []uint32, edges []record.Edge, limit int) []record.Pair {
	var met []record.Pair
	for _, e := range edges {
		if truth[e.A] != 0 && truth[e.A] == truth[e.B] && found[e.A] != found[e.B] {
			met = append(met, record.Pair{A: e.A, B: e.B})
		}
	}
	slices.SortFunc(met, comparePairs)
	var list []record.Pair
	eachTruePair(truth, func(a, b uint32) bool {
		p := record.Pair{A: a, B: b}
		if found[a] != found[b] {
			if _, ok := slices.BinarySearchFunc(met, p, comparePairs); !ok && len(list) < limit {
				list = append(list, p)
			}
		}
		return len(list) < limit
	})
	return list
}

func comparePairs(a, b record.Pair) int {
	return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
}

// Point is quality at one threshold.
type Point struct {
	Threshold record.Weight
	Evaluation
}

// OverThresholds evaluates the clusters at each threshold.
func OverThresholds(truth []uint32, thresholds []record.Weight, clusters func(t record.Weight) *graph.Clusters) []Point {
	curve := make([]Point, len(thresholds))
	for i, t := range thresholds {
		curve[i] = Point{t, Evaluate(clusters(t).Of, truth)}
	}
	return curve
}

// EdgePoint is the quality of the edges at or above one threshold taken as
// they are, without what follows from chains of them.
type EdgePoint struct {
	Threshold record.Weight
	Pairs
}

// EdgesOverThresholds counts the edges at or above each threshold. True is the
// number of all true pairs, with or without an edge.
func EdgesOverThresholds(truth []uint32, edges []record.Edge, thresholds []record.Weight) []EdgePoint {
	order := make([]int, len(thresholds)) // thresholds, ascending
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(thresholds[a], thresholds[b]) })
	counts := make([]Pairs, len(thresholds)+1) // by the number of thresholds reached
	for _, e := range edges {
		if truth[e.A] == 0 || truth[e.B] == 0 {
			continue
		}
		reached, _ := slices.BinarySearchFunc(order, e.Weight, func(i int, w record.Weight) int {
			if thresholds[i] <= w {
				return -1
			}
			return 1
		})
		counts[reached].Found++
		if truth[e.A] == truth[e.B] {
			counts[reached].Both++
		}
	}
	curve, sum, all := make([]EdgePoint, len(thresholds)), Pairs{}, truePairs(truth)
	for i := len(order) - 1; i >= 0; i-- {
		sum.add(counts[i+1])
		curve[order[i]] = EdgePoint{thresholds[order[i]], Pairs{sum.Both, sum.Found, all}}
	}
	return curve
}
