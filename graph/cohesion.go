package graph

import (
	"cmp"
	"slices"

	"sama/record"
)

// Cohesion says how firmly a cluster holds together.
type Cohesion struct {
	Edges   uint32        // scored pairs inside
	Weakest record.Weight // the lowest weight of these; 0 where there are none
	Mean    record.Weight // their mean weight, rounded to the lower unit; 0 where there are none

	// Bridges counts the edges at or above the threshold without which such
	// edges would not hold the cluster together, in clusters of three or more.
	Bridges uint32
	// Conflicts counts what speaks against the cluster and was overruled:
	// "not same" decisions, values of unique columns beyond the first, and
	// edges whose signed weight is at the lower clip.
	Conflicts uint32

	// Loosest is the record that the rest holds with the least evidence, the
	// smallest among equals, and Hold that evidence: the sum of the signed
	// weights of its pairs in the cluster. Both are 0 for a single record.
	Loosest uint32
	Hold    record.Weight
}

// Cohere returns the cohesion of every cluster of c, which edges, constraints
// and options have made.
func Cohere(c *Clusters, edges []record.Edge, cons Constraints, opt Options) []Cohesion {
	g := &grouped{comps: c}
	g.fill(edges, &cons, nil)
	out := make([]Cohesion, c.Len())
	g.each(opt.workers(), func() func(k uint32) {
		w := coherer{opt: opt, cons: &cons}
		return func(k uint32) { out[k] = w.cluster(c.At(k), g.at(k)) }
	})
	return out
}

// coherer looks at one cluster after the other, reusing its memory.
type coherer struct {
	opt  Options
	cons *Constraints
	hold []int64  // place → signed weight of its edges
	seen []uint32 // place → number of its edges
}

func (w *coherer) cluster(members []uint32, edges []localEdge) Cohesion {
	var co Cohesion
	m := len(members)
	if m == 1 {
		return co
	}
	w.hold, w.seen = sized(w.hold, m), sized(w.seen, m)
	clear(w.hold)
	clear(w.seen)
	var sum int64
	for _, e := range edges {
		switch e.weight {
		case weightSame:
			continue
		case weightNotSame:
			co.Conflicts++
			continue
		}
		v := w.opt.signed(e.weight, w.opt.Threshold)
		for _, end := range [2]uint32{e.a, e.b} {
			w.hold[end] += v
			w.seen[end]++
		}
		if v == -int64(w.opt.Clip) {
			co.Conflicts++
		}
		if co.Edges == 0 || e.weight < co.Weakest {
			co.Weakest = e.weight
		}
		co.Edges++
		sum += int64(e.weight)
	}
	if co.Edges > 0 {
		co.Mean = record.Weight(floorDiv(sum, int64(co.Edges)))
	}
	for _, u := range w.cons.Unique {
		co.Conflicts += uint32(len(differing(u.Code, members)))
	}
	least := int64(0)
	for i, r := range members {
		v := w.hold[i] + int64(m-1-int(w.seen[i]))*int64(w.opt.Unseen)
		if i == 0 || v < least {
			least, co.Loosest = v, r
		}
	}
	co.Hold = record.Weight(max(-1<<30, min(1<<30, least)))
	if m > 2 {
		co.Bridges = bridges(m, edges, w.opt.Threshold)
	}
	return co
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// bridges counts the edges of weight at least t, "same" decisions among them,
// whose removal disconnects m places joined by such edges: those from which no
// other path leads back up a depth-first search (Tarjan, A Note on Finding the
// Bridges of a Graph, 1974).
func bridges(m int, edges []localEdge, t record.Weight) uint32 {
	strong := make([]localEdge, 0, len(edges))
	for _, e := range edges {
		if e.weight >= t {
			strong = append(strong, e)
		}
	}
	start, near := neighbours(m, strong)
	var count, clock uint32
	order, low := make([]uint32, m), make([]uint32, m) // time of first visit, earliest time reached; 0 = unvisited
	up, next := make([]uint32, m), slices.Clone(start[:m])
	for root := range uint32(m) {
		if order[root] != 0 {
			continue
		}
		clock++
		order[root], low[root], up[root] = clock, clock, none
		for at := root; at != none; {
			if next[at] == start[at+1] {
				if p := up[at]; p != none {
					low[p] = min(low[p], low[at])
					if low[at] > order[p] {
						count++
					}
				}
				at = up[at]
				continue
			}
			n := near[next[at]].place
			next[at]++
			switch {
			case order[n] == 0:
				clock++
				order[n], low[n], up[n] = clock, clock, at
				at = n
			case n != up[at]:
				low[at] = min(low[at], order[n])
			}
		}
	}
	return count
}

// Doubt is a cluster that a steward should look at.
type Doubt struct {
	Cluster uint32
	// Wrong is the probability that the loosest record does not belong,
	// 1/(1+2^Hold), or 1 where a conflict was overruled.
	Wrong float64
	Cohesion
}

// Doubtful returns the clusters with a conflict or whose loosest record is
// held with less than margin, the most doubtful first: conflicts, most first;
// then the weakest hold; then the number of the cluster.
func Doubtful(cohesion []Cohesion, c *Clusters, margin record.Weight) []Doubt {
	var list []Doubt
	for k, co := range cohesion {
		if c.Size(uint32(k)) < 2 || co.Conflicts == 0 && co.Hold >= margin {
			continue
		}
		d := Doubt{uint32(k), (-co.Hold).Probability(), co}
		if co.Conflicts > 0 {
			d.Wrong = 1
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Doubt) int {
		return cmp.Or(cmp.Compare(b.Conflicts, a.Conflicts), cmp.Compare(a.Hold, b.Hold), cmp.Compare(a.Cluster, b.Cluster))
	})
	return list
}
