package match

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Edge is a scored pair with what is needed to explain it again.
type Edge struct {
	record.Edge
	Rule   uint16 // blocking rule that found it; SecondLook if none did
	Vector comparison.Vector
}

// SecondLook marks an edge that no blocking rule found: it was scored because
// both records were in one component.
const SecondLook = ^uint16(0)

// Edges returns the candidate pairs whose weight is at least floor, sorted by
// record numbers.
func (p *Plan) Edges(ctx context.Context, b *blocking.Plan, c *Candidates, w *Weights, floor record.Weight, workers int) ([]Edge, error) {
	lists := make([][]Edge, max(1, workers))
	if c.kept {
		lists = make([][]Edge, len(c.workers))
		var wg sync.WaitGroup
		for i, t := range c.workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				lists[i] = t.edges(w, floor)
			}()
		}
		wg.Wait()
	} else {
		scratch := make([]*comparison.Scratch, len(lists))
		vectors := make([][]comparison.Vector, len(lists))
		for i := range scratch {
			scratch[i] = comparison.NewScratch()
			vectors[i] = make([]comparison.Vector, blocking.BatchSize)
		}
		err := b.Enumerate(ctx, workers, func(worker, rule int, pairs []record.Pair) {
			out := vectors[worker][:len(pairs)]
			p.Compare(scratch[worker], pairs, out)
			for i := range out {
				if weight := w.OfPair(pairs[i], &out[i]); weight >= floor {
					lists[worker] = append(lists[worker], Edge{record.Edge{A: pairs[i].A, B: pairs[i].B, Weight: weight}, uint16(rule), out[i]})
				}
			}
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	edges := slices.Concat(lists...)
	SortEdges(edges)
	return edges, nil
}

// Weigh compares and weighs a few pairs, one after the other.
func (p *Plan) Weigh(s *comparison.Scratch, pairs []record.Pair, w *Weights) []record.Weight {
	vectors := make([]comparison.Vector, len(pairs))
	p.Compare(s, pairs, vectors)
	weights := make([]record.Weight, len(pairs))
	for i := range weights {
		weights[i] = w.OfPair(pairs[i], &vectors[i])
	}
	return weights
}

// SortEdges sorts by record numbers.
func SortEdges(edges []Edge) {
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
}

func (t *tally) edges(w *Weights, floor record.Weight) []Edge {
	weights := make([]record.Weight, len(t.vectors))
	for i := range t.vectors {
		weights[i] = w.Of(&t.vectors[i].Vector)
	}
	var edges []Edge
	for i, id := range t.ids {
		weight := weights[id] + w.adjust.Of(t.pairs[i], &t.vectors[id].Vector)
		if weight >= floor {
			edges = append(edges, Edge{record.Edge{A: t.pairs[i].A, B: t.pairs[i].B, Weight: weight}, t.rules[i], t.vectors[id].Vector})
		}
	}
	return edges
}

// Score compares and weighs pairs that blocking did not propose.
func (p *Plan) Score(pairs []record.Pair, w *Weights, workers int) []Edge {
	edges := make([]Edge, len(pairs))
	out := make([]comparison.Vector, len(pairs))
	p.compareAll(pairs, out, workers)
	for i, pair := range pairs {
		edges[i] = Edge{record.Edge{A: pair.A, B: pair.B, Weight: w.OfPair(pair, &out[i])}, SecondLook, out[i]}
	}
	return edges
}
