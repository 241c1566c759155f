package match

import (
	"bytes"
	"context"
	"slices"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Counted is a comparison vector with the number of candidate pairs that show
// it.
type Counted struct {
	Vector comparison.Vector
	Pairs  int64
}

// Candidates is what one pass over the candidate pairs brought: the distinct
// vectors with their counts and, while they are few, the pairs themselves.
type Candidates struct {
	Vectors []Counted // sorted by vector
	Pairs   int64     // distinct candidate pairs
	ByRule  []int64   // rule → pairs that it was the first to find

	workers []*tally
	kept    bool // the workers hold every pair
}

// keepPairs is the greatest number of candidate pairs that are held in memory
// between counting and scoring; more are enumerated a second time.
const keepPairs = 4 << 20

// tally is one worker's count.
type tally struct {
	scratch *comparison.Scratch
	index   map[comparison.Vector]uint32
	vectors []Counted
	byRule  []int64

	pairs []record.Pair
	ids   []uint32 // pair → index into vectors
	rules []uint16
	out   []comparison.Vector
}

func newTally(rules int) *tally {
	return &tally{
		scratch: comparison.NewScratch(),
		index:   make(map[comparison.Vector]uint32),
		byRule:  make([]int64, rules),
		out:     make([]comparison.Vector, blocking.BatchSize),
	}
}

// Count compares every candidate pair of the blocking plan once.
func (p *Plan) Count(ctx context.Context, b *blocking.Plan, workers int, progress func(done, total int64)) (*Candidates, error) {
	workers = max(1, workers)
	c := &Candidates{kept: b.Pairs() <= keepPairs, ByRule: make([]int64, len(b.Rules))}
	for range workers {
		c.workers = append(c.workers, newTally(len(b.Rules)))
	}
	err := b.Enumerate(ctx, workers, func(worker, rule int, pairs []record.Pair) {
		c.workers[worker].add(p, rule, pairs, c.kept)
	}, progress)
	if err != nil {
		return nil, err
	}
	c.merge()
	return c, nil
}

func (t *tally) add(p *Plan, rule int, pairs []record.Pair, keep bool) {
	out := t.out[:len(pairs)]
	p.Compare(t.scratch, pairs, out)
	t.byRule[rule] += int64(len(pairs))
	for i := range out {
		id, ok := t.index[out[i]]
		if !ok {
			id = uint32(len(t.vectors))
			t.index[out[i]] = id
			t.vectors = append(t.vectors, Counted{Vector: out[i]})
		}
		t.vectors[id].Pairs++
		if keep {
			t.ids = append(t.ids, id)
		}
	}
	if keep {
		t.pairs = append(t.pairs, pairs...)
		for range pairs {
			t.rules = append(t.rules, uint16(rule))
		}
	}
}

// merge joins the workers' counts into one sorted list.
func (c *Candidates) merge() {
	total := 0
	for _, t := range c.workers {
		total += len(t.vectors)
		for rule, n := range t.byRule {
			c.ByRule[rule] += n
			c.Pairs += n
		}
	}
	all := make([]Counted, 0, total)
	for _, t := range c.workers {
		all = append(all, t.vectors...)
	}
	slices.SortFunc(all, func(a, b Counted) int { return bytes.Compare(a.Vector[:], b.Vector[:]) })
	merged := all[:0]
	for _, v := range all {
		if n := len(merged); n > 0 && merged[n-1].Vector == v.Vector {
			merged[n-1].Pairs += v.Pairs
			continue
		}
		merged = append(merged, v)
	}
	c.Vectors = merged
}
