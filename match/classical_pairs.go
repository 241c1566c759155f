package match

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
	"sync"

	"sama/record"
)

// pairSpace numbers the pairs of the members of each of several blocks, so that
// any of them can be had by its number.
type pairSpace struct {
	members []uint32 // block by block
	starts  []int    // block → its first member; one more at the end
	first   []uint64 // block → the number of its first pair; one more at the end
	self    int      // 1: a member also makes a pair with itself
}

func (s *pairSpace) addBlock(members []uint32) {
	if len(s.starts) == 0 {
		s.starts, s.first = []int{0}, []uint64{0}
	}
	n := uint64(len(members))
	pairs := n * (n - 1) / 2
	if s.self == 1 {
		pairs = n * (n + 1) / 2
	}
	if n == 0 || pairs == 0 {
		return
	}
	s.members = append(s.members, members...)
	s.starts = append(s.starts, len(s.members))
	s.first = append(s.first, s.pairs()+pairs)
}

// pairs returns the number of pairs.
func (s *pairSpace) pairs() uint64 {
	if len(s.first) == 0 {
		return 0
	}
	return s.first[len(s.first)-1]
}

// cursor is a place in a pair space: members i ≤ j of a block.
type cursor struct{ block, i, j int }

// at returns the place of pair k: within a block pairs are ordered by the later
// member, then by the earlier.
func (s *pairSpace) at(k uint64) cursor {
	block := sort.Search(len(s.first)-1, func(b int) bool { return s.first[b+1] > k })
	r := k - s.first[block]
	// j(j−1)/2 pairs come before those of member j, j(j+1)/2 with self pairs.
	before := func(j uint64) uint64 {
		if s.self == 1 {
			return j * (j + 1) / 2
		}
		return j * (j - 1) / 2
	}
	j := uint64(math.Sqrt(2 * float64(r)))
	for j > 0 && before(j) > r {
		j--
	}
	for before(j+1) <= r {
		j++
	}
	return cursor{block, int(r - before(j)), int(j)}
}

// next moves to the following pair.
func (s *pairSpace) next(c *cursor) {
	c.i++
	if c.i < c.j+s.self {
		return
	}
	c.i = 0
	c.j++
	if c.j == s.starts[c.block+1]-s.starts[c.block] {
		c.block++
		c.j = 1 - s.self
	}
}

func (s *pairSpace) pair(c cursor) record.Pair {
	start := s.starts[c.block]
	a, b := s.members[start+c.i], s.members[start+c.j]
	return record.Pair{A: min(a, b), B: max(a, b)}
}

// stretch is how many pairs one worker takes at a time.
const stretch = 1 << 14

// each calls fn with all pairs in batches, or with limit of them spread evenly,
// one drawn by a hash from each of limit equal parts. It returns how many pairs
// fn was given.
func (s *pairSpace) each(ctx context.Context, limit uint64, workers int, fn func(worker int, pairs []record.Pair)) (uint64, error) {
	all := s.pairs()
	count := min(all, max(1, limit))
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			pairs := make([]record.Pair, 0, stretch)
			for from := uint64(worker) * stretch; from < count && ctx.Err() == nil; from += uint64(workers) * stretch {
				to := min(count, from+stretch)
				if count == all {
					pairs = s.run(pairs[:0], from, to)
				} else {
					pairs = pairs[:0]
					for i := from; i < to; i++ {
						pairs = append(pairs, s.pair(s.at(drawn(i, count, all))))
					}
				}
				fn(worker, pairs)
			}
		}()
	}
	wg.Wait()
	return count, ctx.Err()
}

// run appends the pairs from … to.
func (s *pairSpace) run(pairs []record.Pair, from, to uint64) []record.Pair {
	if from == to {
		return pairs
	}
	c := s.at(from)
	for k := from; k < to; k++ {
		pairs = append(pairs, s.pair(c))
		s.next(&c)
	}
	return pairs
}

// drawn returns a number of the i-th of count equal parts of all numbers.
func drawn(i, count, all uint64) uint64 {
	hi, lo := bits.Mul64(i, all)
	from, _ := bits.Div64(hi, lo, count)
	hi, lo = bits.Mul64(i+1, all)
	to, _ := bits.Div64(hi, lo, count)
	return from + mix64(i)%max(1, to-from)
}

// mix64 is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// agreeing returns the pairs of records that agree in all columns, generic
// values and nulls agreeing with nothing.
func agreeing(columns []*record.Column) *pairSpace {
	n := len(columns[0].Code)
	key := make([]uint32, n) // 0 = agrees with nothing
	for i := range key {
		key[i] = 1
	}
	for _, c := range columns {
		ids := make(map[uint64]uint32)
		for i, code := range c.Code {
			if key[i] == 0 || code == 0 || c.Generic != nil && c.Generic[code] {
				key[i] = 0
				continue
			}
			k := uint64(key[i])<<32 | uint64(code)
			id, ok := ids[k]
			if !ok {
				id = uint32(len(ids) + 1)
				ids[k] = id
			}
			key[i] = id
		}
	}
	order := make([]uint32, 0, n)
	for i := range key {
		if key[i] != 0 {
			order = append(order, uint32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return int(key[a]) - int(key[b]) })
	s := new(pairSpace)
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && key[order[end]] == key[order[start]] {
			end++
		}
		s.addBlock(order[start:end])
		start = end
	}
	return s
}

// named returns columns by name.
func named(t *record.Table, names []string) ([]*record.Column, error) {
	columns := make([]*record.Column, len(names))
	for i, name := range names {
		if columns[i] = t.Named(name); columns[i] == nil {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	return columns, nil
}

// across removes the pairs of one source where only pairs of different sources
// count.
func (t *trainer) across(pairs []record.Pair) []record.Pair {
	if !t.spec.OnlyAcross {
		return pairs
	}
	source := t.plan.Table.Source
	return slices.DeleteFunc(pairs, func(p record.Pair) bool { return source[p.A] == source[p.B] })
}
