package match

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"sama/match/comparison"
	"sama/record"
)

// trainVectors is about the greatest number of distinct vectors that training
// iterates over; more are thinned, evenly over the pairs.
const trainVectors = 30_000

// maxIterations bounds expectation maximisation.
const maxIterations = 150

// Train learns a model from the candidate pairs, without labels.
func (p *Plan) Train(c *Candidates, workers int) (*Model, error) {
	if c.Pairs == 0 {
		return nil, fmt.Errorf("no two records agree on anything that could be compared: nothing to train on")
	}
	vectors := thin(c.Vectors, trainVectors)
	candidates := len(vectors)
	vectors = append(slices.Clip(vectors), p.random(vectors, workers)...)
	x, seed, training := p.clearest(vectors, candidates, workers)
	method := "mixture"
	if training.Matches < trustedMatches {
		method = "prior"
		x = newMixture(p.Comparisons, vectors, 1, workers)
		x.documented(candidates)
		training.Matches = x.shares[0] * float64(c.Pairs)
		seed.kinds = seed.kinds[len(seed.kinds)-1:]
	}
	m := p.model(x, seed, method)
	m.Training = training
	m.check()
	return m, nil
}

// clearest trains from one start after the other until the model tells matches
// from non-matches, and returns the one that does best. The first n vectors are
// the candidate pairs.
func (p *Plan) clearest(vectors []Counted, n, workers int) (best *mixture, seed *seeder, training Training) {
	most := -1.0
	for _, begin := range starts {
		s := newSeeder(p.Comparisons, begin)
		s.prune(vectors)
		x := newMixture(p.Comparisons, vectors, len(s.kinds), workers)
		x.bounds = s.bounds()
		t := x.fit(func(i int) classRow { return s.responsibilities(&vectors[i].Vector) }, maxIterations)
		x.settle(n)
		if clarity := x.clarity(); clarity > most {
			best, seed, training, most = x, s, t, clarity
		}
		if most >= clearEnough {
			break
		}
	}
	return best, seed, training
}

// clearEnough is the clarity from which on no other start is tried.
const clearEnough = 0.8

// trustedMatches is the least number of matches that a mixture may be learned
// from. With fewer the weights are documented priors: each level's documented
// probability among matches against its frequency in the data.
const trustedMatches = 20

// randomShare is how many pairs drawn at random join the candidate pairs in
// training, as a share of these; minRandom is the least number. Without them,
// blocking that proposes almost nothing but matches would leave nothing to
// tell matches from.
const (
	randomShare = 0.1
	minRandom   = 20_000
)

// random returns the vectors of pairs of records drawn uniformly, the same
// ones for the same table.
func (p *Plan) random(candidates []Counted, workers int) []Counted {
	if p.Table.Len() == 0 {
		return nil
	}
	active := p.Copies().activeRecords()
	n := len(active)
	if n < 2 {
		return nil
	}
	var total int64
	for _, v := range candidates {
		total += v.Pairs
	}
	want := max(minRandom, int(randomShare*float64(total)))
	draw := rand.New(rand.NewPCG(uint64(n), 1))
	pairs := make([]record.Pair, 0, want)
	for range want {
		a, b := active[draw.IntN(n)], active[draw.IntN(n)]
		if a != b {
			pairs = append(pairs, record.Pair{A: min(a, b), B: max(a, b)})
		}
	}
	out := make([]comparison.Vector, len(pairs))
	p.compareAll(pairs, out, workers)
	slices.SortFunc(out, func(a, b comparison.Vector) int { return bytes.Compare(a[:], b[:]) })
	var counted []Counted
	for _, v := range out {
		if n := len(counted); n > 0 && counted[n-1].Vector == v {
			counted[n-1].Pairs++
			continue
		}
		counted = append(counted, Counted{v, 1})
	}
	return counted
}

// thin returns about limit vectors that stand for all: every pair has the same
// chance to be kept, decided by its vector alone.
func thin(all []Counted, limit int) []Counted {
	if len(all) <= limit {
		return all
	}
	var total int64
	for _, v := range all {
		total += v.Pairs
	}
	rate := float64(limit) / float64(len(all))
	kept := make([]Counted, 0, limit*2)
	for _, v := range all {
		want := float64(v.Pairs) * rate
		n := int64(want)
		if unit(v.Vector) < want-float64(n) {
			n++
		}
		if n > 0 {
			kept = append(kept, Counted{v.Vector, n})
		}
	}
	return kept
}

// unit hashes a vector to [0, 1).
func unit(v comparison.Vector) float64 {
	h := uint64(14695981039346656037)
	for _, b := range v {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 32
	return float64(h>>11) / (1 << 53)
}

// model turns a fitted mixture into a model.
func (p *Plan) model(x *mixture, seed *seeder, method string) *Model {
	m := &Model{Version: 1, Method: method, Joint: p.Joint}
	for k := 0; k <= x.kinds; k++ {
		m.Shares = append(m.Shares, x.shares[k])
	}
	m.Kinds = seed.kinds
	for c, cmp := range p.Comparisons {
		cm := ComparisonModel{Name: cmp.Name()}
		for l, level := range cmp.Levels() {
			lm := LevelModel{Label: level.Label}
			if l > 0 {
				row := x.first[c] + l - 1
				lm.M = x.q[row][0]
				lm.U = append([]float64(nil), x.q[row][1:x.kinds+1]...)
				seen := x.overall[row] > 0
				lm.Untrained = !seen
			}
			cm.Levels = append(cm.Levels, lm)
		}
		m.Comparisons = append(m.Comparisons, cm)
	}
	return m
}

// check adds warnings about what does not look like a match model.
func (m *Model) check() {
	warn := func(format string, args ...any) {
		m.Training.Warnings = append(m.Training.Warnings, fmt.Sprintf(format, args...))
	}
	if !m.Training.Converged {
		warn("training did not converge in %d iterations", m.Training.Iterations)
	}
	switch {
	case m.Method == "prior":
		warn("too few matches to learn from: weights are documented defaults against the frequencies in the data")
	case m.Training.Matches < 100:
		warn("only about %.0f matches to learn from: weights lean on documented defaults", m.Training.Matches)
	}
}
