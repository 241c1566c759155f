package graph

import (
	"fmt"

	"sama/record"
)

// Clusters is a partition of records. Clusters are numbered in the order of
// their smallest members.
type Clusters struct {
	Of      []uint32 // record → cluster
	Start   []uint32 // cluster → its first place in Members; one more than there are clusters
	Members []uint32 // records, cluster by cluster, ascending within each
}

// Len returns the number of clusters.
func (c *Clusters) Len() int { return max(0, len(c.Start)-1) }

// At returns the members of cluster k, ascending. The slice is not a copy.
func (c *Clusters) At(k uint32) []uint32 { return c.Members[c.Start[k]:c.Start[k+1]] }

// Size returns the number of records of cluster k.
func (c *Clusters) Size(k uint32) int { return int(c.Start[k+1] - c.Start[k]) }

// Pairs returns the number of pairs of records that share a cluster.
func (c *Clusters) Pairs() uint64 {
	var pairs uint64
	for k := range uint32(c.Len()) {
		n := uint64(c.Size(k))
		pairs += n * (n - 1) / 2
	}
	return pairs
}

// Components returns the connected components of n records under the edges
// whose weight is at least min.
func Components(n int, edges []record.Edge, min record.Weight) *Clusters {
	parent := singles(nil, n)
	for _, e := range edges {
		if e.Weight >= min {
			unite(parent, e.A, e.B)
		}
	}
	c := new(Clusters)
	c.fromRoots(parent)
	return c
}

// ClustersOf returns the partition in which records with equal labels share a
// cluster. Labels may be any numbers.
func ClustersOf(labels []uint32) *Clusters {
	first := make(map[uint32]uint32)
	parent := make([]uint32, len(labels))
	for i, l := range labels {
		r, ok := first[l]
		if !ok {
			r = uint32(i)
			first[l] = r
		}
		parent[i] = r
	}
	c := new(Clusters)
	c.fromRoots(parent)
	return c
}

// Check verifies the invariants of c and returns the first that does not hold.
func (c *Clusters) Check() error {
	n := len(c.Of)
	if len(c.Members) != n || len(c.Start) == 0 || c.Start[0] != 0 || int(c.Start[c.Len()]) != n {
		return fmt.Errorf("clusters: %d members in %d places for %d records", len(c.Members), c.Len(), n)
	}
	for k := range uint32(c.Len()) {
		members := c.At(k)
		if len(members) == 0 {
			return fmt.Errorf("clusters: cluster %d is empty", k)
		}
		if k > 0 && c.At(k - 1)[0] >= members[0] {
			return fmt.Errorf("clusters: cluster %d begins with record %d, before its predecessor", k, members[0])
		}
		for i, r := range members {
			if int(r) >= n || c.Of[r] != k || i > 0 && members[i-1] >= r {
				return fmt.Errorf("clusters: record %d is out of place in cluster %d", r, k)
			}
		}
	}
	return nil
}

// fromRoots makes c the partition of a forest in which parent[i] ≤ i, using
// c's memory where it suffices. It overwrites parent.
func (c *Clusters) fromRoots(parent []uint32) {
	n := len(parent)
	c.Of = parent
	c.Members = sized(c.Members, n)
	c.Start = append(c.Start[:0], 0)
	// Parents come before children, so one pass turns roots into cluster numbers.
	for i, p := range parent {
		if p == uint32(i) {
			c.Of[i] = uint32(len(c.Start) - 1)
			c.Start = append(c.Start, 0)
		} else {
			c.Of[i] = c.Of[p]
		}
	}
	fill := c.Start[1:]
	for _, k := range c.Of {
		fill[k]++
	}
	var sum uint32
	for k, size := range fill {
		fill[k] = sum
		sum += size
	}
	for i, k := range c.Of {
		c.Members[fill[k]] = uint32(i)
		fill[k]++
	}
}

// singles returns parent, resized to n, with every record its own root.
func singles(parent []uint32, n int) []uint32 {
	parent = sized(parent, n)
	for i := range parent {
		parent[i] = uint32(i)
	}
	return parent
}

// unite joins the sets of x and y: Rem's union-find with splicing (Patwary,
// Blair and Manne, Experiments on Union-Find Algorithms, SEA 2010), parents
// smaller than children, so that a root is its set's smallest record.
func unite(parent []uint32, x, y uint32) {
	for parent[x] != parent[y] {
		if parent[x] < parent[y] {
			x, y = y, x
		}
		up := parent[x]
		parent[x] = parent[y]
		if up == x {
			return
		}
		x = up
	}
}

// sized returns s with length n, its contents undefined.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
