package graph

import (
	"cmp"
	"slices"

	"sama/record"
)

// twoStepPartners is how many records one record of a large cluster is offered.
const twoStepPartners = 32

// MissingPairs returns the pairs of records that share a cluster and have no
// edge, ascending within each cluster, for the caller to score and to cluster
// again with their edges. Blocking never met them.
//
// In a cluster of more than limit records, only pairs two steps apart are
// returned: each record is offered at most 32 partners, the neighbours of its
// neighbours, the strongest edges first, and at most 128 edges are followed
// from it, so that one giant component does not cost the square of its size.
//
// For [ChooseThreshold], take the components at the lowest candidate: they
// hold the clusters of all others.
func MissingPairs(c *Clusters, edges []record.Edge, limit int) []record.Pair {
	g := &grouped{comps: c}
	g.fill(edges, new(Constraints), nil)
	var missing []record.Pair
	var met []bool
	for k := range uint32(c.Len()) {
		switch m := c.Size(k); {
		case m < 3 && len(g.at(k)) > 0 || m == 1:
		case m <= limit:
			met = sized(met, m*m)
			clear(met)
			missing = allMissing(missing, c.At(k), g.at(k), met)
		default:
			missing = twoSteps(missing, c.At(k), g.at(k))
		}
	}
	return missing
}

// allMissing appends every pair of members without an edge. met is a cleared
// matrix of members.
func allMissing(missing []record.Pair, members []uint32, edges []localEdge, met []bool) []record.Pair {
	m := len(members)
	for _, e := range edges {
		met[int(min(e.a, e.b))*m+int(max(e.a, e.b))] = true
	}
	for i, a := range members {
		for j := i + 1; j < m; j++ {
			if !met[i*m+j] {
				missing = append(missing, record.Pair{A: a, B: members[j]})
			}
		}
	}
	return missing
}

// twoSteps appends pairs of members that share a neighbour and have no edge.
func twoSteps(missing []record.Pair, members []uint32, edges []localEdge) []record.Pair {
	start, near := neighbours(len(members), edges)
	from := len(missing)
	mark := make([]uint32, len(members)) // place → the last one it was an offer or neighbour of, plus 1
	for a := range uint32(len(members)) {
		mark[a] = a + 1
		for _, n := range near[start[a]:start[a+1]] {
			mark[n.place] = a + 1
		}
		offered, followed := 0, 0
	offers:
		for _, n := range near[start[a]:start[a+1]] {
			for _, o := range near[start[n.place]:start[n.place+1]] {
				if offered == twoStepPartners || followed == 4*twoStepPartners {
					break offers
				}
				followed++
				if mark[o.place] != a+1 {
					mark[o.place] = a + 1
					offered++
					missing = append(missing, record.Pair{A: members[min(a, o.place)], B: members[max(a, o.place)]})
				}
			}
		}
	}
	slices.SortFunc(missing[from:], comparePairs)
	return missing[:from+len(slices.Compact(missing[from:]))]
}

type neighbour struct {
	place  uint32
	weight record.Weight
}

// neighbours returns the adjacency lists of m places, each with the strongest
// edge first, equals by place: list i is near[start[i]:start[i+1]].
func neighbours(m int, edges []localEdge) (start []uint32, near []neighbour) {
	start = make([]uint32, m+1)
	next := start[1:]
	for _, e := range edges {
		next[e.a]++
		next[e.b]++
	}
	var sum uint32
	for i, size := range next {
		next[i] = sum
		sum += size
	}
	near = make([]neighbour, sum)
	put := func(a, b uint32, w record.Weight) {
		near[next[a]] = neighbour{b, w}
		next[a]++
	}
	for _, e := range edges {
		put(e.a, e.b, e.weight)
		put(e.b, e.a, e.weight)
	}
	for i := range m {
		slices.SortFunc(near[start[i]:start[i+1]], func(a, b neighbour) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.place, b.place))
		})
	}
	return start, near
}
