package graph

import (
	"math/bits"

	"sama/record"
)

const (
	exactLimit = 8   // nodes up to which the optimum is computed
	denseLimit = 512 // nodes up to which all pairs are held in a matrix
)

// never is the signed weight of a pair that must not be joined: more than all
// other pairs of a matrix can weigh, and the sum of all of them is no overflow.
const never = int64(-1) << 40

// solver parts components one after the other, reusing its memory.
type solver struct {
	opt   Options
	cons  *Constraints
	rough bool // contraction alone

	label  []uint32
	node   []uint32 // record → node
	id     []uint32 // node → its largest record, by which equals are ordered
	base   []int64  // node × node: signed weight
	work   []int64
	slot   []uint32 // node → cluster
	best   []uint32
	alive  []uint32
	inside []int64
	worth  []int64
	first  []uint16
}

// solve parts one component at threshold t: label[i] is the smallest place
// among the members of the cluster of members[i]. The result is valid until
// the next call.
func (s *solver) solve(members []uint32, edges []localEdge, t record.Weight) (label []uint32) {
	m := len(members)
	s.label = singles(s.label, m)
	switch {
	case m == 1:
	case m == 2:
		s.two(members, edges, t)
	case m <= denseLimit:
		s.dense(members, edges, t)
	default:
		s.sparse(members, edges, t)
	}
	return s.label
}

// two parts a component of two records.
func (s *solver) two(members []uint32, edges []localEdge, t record.Weight) {
	join, part := false, false
	for _, e := range edges {
		switch {
		case e.weight == weightSame:
			s.label[1] = 0
			return
		case e.weight == weightNotSame:
			part = true
		default:
			join = e.weight >= t
		}
	}
	for _, u := range s.cons.Unique {
		a, b := u.Code[members[0]], u.Code[members[1]]
		part = part || a != 0 && b != 0 && a != b
	}
	if join && !part {
		s.label[1] = 0
	}
}

// dense parts a component whose pairs fit in a matrix.
func (s *solver) dense(members []uint32, edges []localEdge, t record.Weight) {
	k := s.matrix(members, edges, t)
	s.work = append(s.work[:0], s.base[:k*k]...)
	s.contract(k)
	switch {
	case s.rough:
	case k <= exactLimit:
		s.exact(k)
	default:
		s.search(k)
	}
	// Name every cluster by its smallest record.
	s.best = sized(s.best, k)
	for i := range s.best {
		s.best[i] = none
	}
	for i := range s.label {
		c := s.slot[s.node[i]]
		if s.best[c] == none {
			s.best[c] = uint32(i)
		}
		s.label[i] = s.best[c]
	}
}

const none = ^uint32(0)

// matrix fills base with the signed weights between the nodes and returns
// their number.
func (s *solver) matrix(members []uint32, edges []localEdge, t record.Weight) int {
	m := len(members)
	s.base = sized(s.base, m*m)
	w := s.base
	for i := range w {
		w[i] = int64(s.opt.Unseen)
	}
	same, notSame := false, false
	for _, e := range edges {
		switch e.weight {
		case weightSame:
			same = true
		case weightNotSame:
			notSame = true
		default:
			v := s.opt.signed(e.weight, t)
			w[int(e.a)*m+int(e.b)], w[int(e.b)*m+int(e.a)] = v, v
		}
	}
	for i := range m {
		w[i*m+i] = 0
	}
	if notSame {
		for _, e := range edges {
			if e.weight == weightNotSame {
				w[int(e.a)*m+int(e.b)], w[int(e.b)*m+int(e.a)] = never, never
			}
		}
	}
	for _, u := range s.cons.Unique {
		forbidDiffering(w, u.Code, members)
	}
	s.node, s.id = singles(s.node, m), singles(s.id, m)
	if !same {
		return m
	}
	return s.group(m, edges)
}

// forbidDiffering sets the weight of every pair with different codes to never.
func forbidDiffering(w []int64, code, members []uint32) {
	m := len(members)
	for i, r := range members {
		if code[r] == 0 {
			continue
		}
		for j := i + 1; j < m; j++ {
			if v := code[members[j]]; v != 0 && v != code[r] {
				w[i*m+j], w[j*m+i] = never, never
			}
		}
	}
}

// group makes nodes of the records that "same" decisions join, adds up base
// over them and returns the number of nodes. What is inside a node is beyond
// deciding and counts 0.
func (s *solver) group(m int, edges []localEdge) int {
	s.slot = singles(s.slot, m)
	for _, e := range edges {
		if e.weight == weightSame {
			unite(s.slot, e.a, e.b)
		}
	}
	k := uint32(0)
	for i, up := range s.slot {
		if up == uint32(i) {
			s.node[i] = k
			k++
		} else {
			s.node[i] = s.node[up]
		}
		s.id[s.node[i]] = uint32(i)
	}
	sums := make([]int64, k*k)
	for i := range m {
		for j := range m {
			if a, b := s.node[i], s.node[j]; a != b {
				sums[a*k+b] += s.base[i*m+j]
			}
		}
	}
	s.base = append(s.base[:0], sums...)
	return int(k)
}

// contract joins clusters greedily in work and sets slot. The row of a cluster
// keeps the best partner of it.
func (s *solver) contract(k int) {
	s.slot, s.alive, s.best = singles(s.slot, k), singles(s.alive, k), sized(s.best, k)
	w, id, best := s.work, s.id, s.best
	for i := range s.alive {
		best[i] = s.partner(uint32(i), k)
	}
	for len(s.alive) > 1 {
		a := s.alive[0]
		for _, i := range s.alive[1:] {
			if s.rather(i, best[i], a, best[a], k) {
				a = i
			}
		}
		b := best[a]
		if w[int(a)*k+int(b)] <= 0 {
			break
		}
		a, b = min(a, b), max(a, b)
		for i := range s.slot {
			if s.slot[i] == b {
				s.slot[i] = a
			}
		}
		id[a] = max(id[a], id[b])
		alive := s.alive[:0]
		for _, i := range s.alive {
			if i != b {
				alive = append(alive, i)
			}
		}
		s.alive = alive
		for _, i := range alive {
			if i != a {
				sum := w[int(a)*k+int(i)] + w[int(b)*k+int(i)]
				w[int(a)*k+int(i)], w[int(i)*k+int(a)] = sum, sum
			}
		}
		if len(alive) == 1 {
			break
		}
		for _, i := range alive {
			switch {
			case i == a || best[i] == a || best[i] == b:
				best[i] = s.partner(i, k)
			case s.rather(i, a, i, best[i], k):
				best[i] = a
			}
		}
	}
}

// partner returns the alive cluster that i would rather join than any other.
func (s *solver) partner(i uint32, k int) uint32 {
	row := s.work[int(i)*k:][:k]
	p := none
	for _, j := range s.alive {
		if j != i && (p == none || row[j] > row[p] || row[j] == row[p] && s.id[j] < s.id[p]) {
			p = j
		}
	}
	return p
}

// rather reports whether joining a with b comes before joining c with d.
func (s *solver) rather(a, b, c, d uint32, k int) bool {
	v, w := s.work[int(a)*k+int(b)], s.work[int(c)*k+int(d)]
	if v != w {
		return v > w
	}
	lo, hi := min(s.id[a], s.id[b]), max(s.id[a], s.id[b])
	lo2, hi2 := min(s.id[c], s.id[d]), max(s.id[c], s.id[d])
	return lo < lo2 || lo == lo2 && hi < hi2
}

// exact replaces slot by an optimal partition where that is worth more: over
// all subsets in ascending order, the worth of the best partition of a subset
// is that of the part with its lowest node plus that of the rest.
func (s *solver) exact(k int) {
	got, most := int64(0), int64(0)
	for i := range k {
		for j := range i {
			v := s.base[i*k+j]
			most += max(0, v)
			if s.slot[i] == s.slot[j] {
				got += v
			}
		}
	}
	if got == most {
		return
	}
	size := 1 << k
	s.inside, s.worth, s.first = sized(s.inside, size), sized(s.worth, size), sized(s.first, size)
	s.inside[0], s.worth[0] = 0, 0
	for set := 1; set < size; set++ {
		low := bits.TrailingZeros(uint(set))
		rest := set &^ (1 << low)
		sum := s.inside[rest]
		for r := rest; r != 0; r &= r - 1 {
			sum += s.base[low*k+bits.TrailingZeros(uint(r))]
		}
		s.inside[set] = sum
		// The lowest node alone, or with any subset of the rest.
		s.worth[set], s.first[set] = s.worth[rest], uint16(1<<low)
		for sub := rest; sub != 0; sub = (sub - 1) & rest {
			part := sub | 1<<low
			if v := s.inside[part] + s.worth[set&^part]; v > s.worth[set] {
				s.worth[set], s.first[set] = v, uint16(part)
			}
		}
	}
	if s.worth[size-1] <= got {
		return
	}
	for set := size - 1; set != 0; set &^= int(s.first[set]) {
		part := uint(s.first[set])
		low := bits.TrailingZeros(part)
		for ; part != 0; part &= part - 1 {
			s.slot[bits.TrailingZeros(part)] = uint32(low)
		}
	}
}
