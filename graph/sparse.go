package graph

import (
	"cmp"
	"slices"

	"sama/record"
)

// sparse contracts a component too large for a matrix.
//
// A cell holds what the edges between two clusters weigh and how many they
// are; pairs without an edge are added on reading. Joining empties the cluster
// with fewer neighbours into the other, so that every edge moves at most
// log E times. Since a pair without an edge never speaks for joining, growth
// alone only lowers the sum between two clusters; entries of the heap that
// were not renewed are therefore upper bounds, and the largest entry that
// proves true is the best join.
type sparse struct {
	opt   *Options
	root  []uint32 // node → the node that it was joined to
	size  []uint32 // node → records
	id    []uint32 // node → its largest record
	near  [][]uint32
	cells map[uint64]cell
	codes [][]uint32 // unique column → node → code, 0 or mixed
	heap  joinHeap
}

type cell struct {
	sum    int64
	seen   uint32
	barred bool // by a "not same" decision
}

func (s *solver) sparse(members []uint32, edges []localEdge, t record.Weight) {
	p := newSparse(s, members, edges)
	p.fill(edges, t, s.opt.Clip)
	for len(p.heap) > 0 {
		e := p.heap.pop()
		if p.root[e.a] != e.a || p.root[e.b] != e.b {
			continue
		}
		now, ok := p.entry(e.a, e.b)
		switch {
		case !ok:
		case now != e:
			p.heap.push(now)
		default:
			p.join(e.a, e.b)
		}
	}
	first := sized(s.best, len(members))
	for i := range first {
		first[i] = none
	}
	for i := range s.label {
		c := p.find(uint32(i))
		if first[c] == none {
			first[c] = uint32(i)
		}
		s.label[i] = first[c]
	}
	s.best = first
}

// newSparse makes the nodes: records, joined by "same" decisions.
func newSparse(s *solver, members []uint32, edges []localEdge) *sparse {
	m := len(members)
	p := &sparse{
		opt: &s.opt, root: singles(nil, m), id: singles(nil, m), size: make([]uint32, m),
		near: make([][]uint32, m), cells: make(map[uint64]cell, len(edges)),
	}
	for _, e := range edges {
		if e.weight == weightSame {
			unite(p.root, e.a, e.b)
		}
	}
	for i := range p.root {
		r := p.find(uint32(i))
		p.size[r]++
		p.id[r] = uint32(i)
	}
	for _, u := range s.cons.Unique {
		code := make([]uint32, m)
		several, one := false, uint32(0)
		for i, r := range members {
			v, n := u.Code[r], p.find(uint32(i))
			code[n] = bothCodes(code[n], v)
			several = several || v != 0 && one != 0 && v != one
			one = max(one, v)
		}
		if several {
			p.codes = append(p.codes, code)
		}
	}
	return p
}

// fill makes the cells and the first entries of the heap.
func (p *sparse) fill(edges []localEdge, t, clip record.Weight) {
	for _, e := range edges {
		a, b := p.find(e.a), p.find(e.b)
		if a == b {
			continue
		}
		c, ok := p.cells[cellOf(a, b)]
		if !ok {
			p.near[a] = append(p.near[a], b)
			p.near[b] = append(p.near[b], a)
		}
		if e.weight == weightNotSame {
			c.barred = true
		} else {
			c.sum += p.opt.signed(e.weight, t)
			c.seen++
		}
		p.cells[cellOf(a, b)] = c
	}
	for a, near := range p.near {
		for _, b := range near {
			if uint32(a) < b {
				if e, ok := p.entry(uint32(a), b); ok {
					p.heap = append(p.heap, e)
				}
			}
		}
	}
	slices.SortFunc(p.heap, func(a, b joinEntry) int { return a.compare(b) })
}

// entry returns the heap entry of two clusters as they are now, and whether
// they may and should be joined.
func (p *sparse) entry(a, b uint32) (joinEntry, bool) {
	c := p.cells[cellOf(a, b)]
	unseen := int64(p.size[a])*int64(p.size[b]) - int64(c.seen)
	sum := c.sum + unseen*int64(p.opt.Unseen)
	if sum <= 0 || c.barred {
		return joinEntry{}, false
	}
	for _, code := range p.codes {
		if v, w := code[a], code[b]; v != 0 && w != 0 && (v != w || v == mixed) {
			return joinEntry{}, false
		}
	}
	if p.id[a] > p.id[b] {
		a, b = b, a
	}
	return joinEntry{sum: sum, low: p.id[a], high: p.id[b], a: a, b: b}, true
}

// join joins two clusters.
func (p *sparse) join(into, from uint32) {
	if len(p.near[into]) < len(p.near[from]) {
		into, from = from, into
	}
	p.root[from] = into
	p.size[into] += p.size[from]
	p.id[into] = max(p.id[into], p.id[from])
	for _, code := range p.codes {
		code[into] = bothCodes(code[into], code[from])
	}
	delete(p.cells, cellOf(into, from))
	for _, n := range p.near[from] {
		n = p.find(n)
		moved, ok := p.cells[cellOf(from, n)]
		if n == into || !ok {
			continue // moved already, by an earlier name of n
		}
		delete(p.cells, cellOf(from, n))
		c, known := p.cells[cellOf(into, n)]
		if !known {
			p.near[into] = append(p.near[into], n)
		}
		p.cells[cellOf(into, n)] = cell{c.sum + moved.sum, c.seen + moved.seen, c.barred || moved.barred}
		if e, ok := p.entry(into, n); ok {
			p.heap.push(e)
		}
	}
	p.near[from] = nil
}

func (p *sparse) find(n uint32) uint32 {
	for p.root[n] != n {
		p.root[n] = p.root[p.root[n]]
		n = p.root[n]
	}
	return n
}

func cellOf(a, b uint32) uint64 { return uint64(min(a, b))<<32 | uint64(max(a, b)) }

// bothCodes returns the code of a node that holds both.
func bothCodes(a, b uint32) uint32 {
	switch {
	case a == 0 || a == b:
		return b
	case b == 0:
		return a
	}
	return mixed
}

// joinEntry is a possible join: the sum of signed weights and the two clusters,
// the one with the smaller id first.
type joinEntry struct {
	sum       int64
	low, high uint32 // ids
	a, b      uint32 // nodes
}

// compare orders entries: the one to join first comes first.
func (e joinEntry) compare(o joinEntry) int {
	return cmp.Or(cmp.Compare(o.sum, e.sum), cmp.Compare(e.low, o.low), cmp.Compare(e.high, o.high))
}

// joinHeap is a binary heap with the entry to join first at the root.
type joinHeap []joinEntry

func (h *joinHeap) push(e joinEntry) {
	*h = append(*h, e)
	list := *h
	for i := len(list) - 1; i > 0; {
		up := (i - 1) / 2
		if list[up].compare(list[i]) <= 0 {
			return
		}
		list[up], list[i] = list[i], list[up]
		i = up
	}
}

func (h *joinHeap) pop() joinEntry {
	list := *h
	top, last := list[0], len(list)-1
	list[0] = list[last]
	list = list[:last]
	*h = list
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			return top
		}
		if c+1 < last && list[c+1].compare(list[c]) < 0 {
			c++
		}
		if list[i].compare(list[c]) <= 0 {
			return top
		}
		list[i], list[c] = list[c], list[i]
		i = c
	}
}
