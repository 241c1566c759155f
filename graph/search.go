package graph

// search improves slot by moving single nodes and joining clusters while that
// adds worth: nodes in ascending order, each to where it adds most, to stand
// alone or to the cluster of the smallest number among equals; when no node
// wants to move, the join that adds most, and again. It ends because worth is
// an integer, bounded, and rises with every step.
func (s *solver) search(k int) {
	s.sums(k)
	for {
		for moved := true; moved; {
			moved = false
			for v := range uint32(k) {
				if to := s.move(v, k); to != none {
					s.shift(v, to, k)
					moved = true
				}
			}
		}
		if !s.join(k) {
			return
		}
	}
}

// sums sets work to node × cluster: what a node's pairs with the cluster weigh.
func (s *solver) sums(k int) {
	clear(s.work[:k*k])
	for v := range k {
		row, pairs := s.work[v*k:][:k], s.base[v*k:][:k]
		for u, w := range pairs {
			row[s.slot[u]] += w
		}
	}
	s.alive = sized(s.alive, k) // cluster → size
	clear(s.alive)
	for _, c := range s.slot[:k] {
		s.alive[c]++
	}
}

// move returns the cluster to which node v had better move, or none.
func (s *solver) move(v uint32, k int) uint32 {
	row, from := s.work[int(v)*k:][:k], s.slot[v]
	to, most := none, row[from]
	if s.alive[from] > 1 && most < 0 {
		to, most = s.empty(), 0
	}
	for c, w := range row {
		if w > most && uint32(c) != from && s.alive[c] > 0 {
			to, most = uint32(c), w
		}
	}
	return to
}

// empty returns the first cluster number without nodes. There is one whenever
// some cluster has two.
func (s *solver) empty() uint32 {
	for c, size := range s.alive {
		if size == 0 {
			return uint32(c)
		}
	}
	return none
}

// shift moves node v to another cluster.
func (s *solver) shift(v, to uint32, k int) {
	from := s.slot[v]
	s.slot[v] = to
	s.alive[from]--
	s.alive[to]++
	for u := range k {
		w := s.base[u*k+int(v)]
		s.work[u*k+int(from)] -= w
		s.work[u*k+int(to)] += w
	}
}

// join joins the two clusters whose joining adds most and reports whether any
// did.
func (s *solver) join(k int) bool {
	s.worth = sized(s.worth, k*k)
	clear(s.worth)
	for v := range k {
		sums, row := s.worth[int(s.slot[v])*k:][:k], s.work[v*k:][:k]
		for c, w := range row {
			sums[c] += w
		}
	}
	var most int64
	var a, b uint32
	for c := range uint32(k) {
		for d := range c {
			if w := s.worth[int(d)*k+int(c)]; w > most && s.alive[c] > 0 && s.alive[d] > 0 {
				most, a, b = w, d, c
			}
		}
	}
	if most == 0 {
		return false
	}
	for v := range uint32(k) {
		if s.slot[v] == b {
			s.shift(v, a, k)
		}
	}
	return true
}
