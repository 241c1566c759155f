package match

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"sama/match/comparison"
	"sama/record"
)

// pattern is what EM sees of a pair: its comparison vector, and what term
// frequencies add to its weight, in bits.
type pattern struct {
	vector comparison.Vector
	addend float64
}

type countedPattern struct {
	pattern
	pairs  float64
	nonLog float64 // ln Π u
}

// unseen is the m of a level that a session does not show.
const unseen = 1e-6

// leastProbability keeps logarithms finite.
const leastProbability = 1e-300

// session runs EM on the pairs that agree on columns.
func (t *trainer) session(columns []string) error {
	name := strings.Join(columns, " + ")
	on, err := named(t.plan.Table, columns)
	if err != nil {
		return fmt.Errorf("sessions: %s: %w", name, err)
	}
	return t.train(name, on, agreeing(on))
}

// train runs EM on pairs that are known to agree on the columns.
func (t *trainer) train(name string, on []*record.Column, space *pairSpace) error {
	held, fixed := t.fixedBy(on)
	patterns, err := t.patterns(space, held)
	if err != nil {
		return err
	}
	if len(patterns) == 0 {
		t.warn("training session %s: no two records agree on it", name)
		return nil
	}
	odds := t.startLambda() / (1 - t.startLambda())
	for _, at := range fixed {
		odds *= t.m[at.comparison][at.level] / t.u[at.comparison][at.level]
	}
	e := &em{t: t, held: held, patterns: patterns, lambda: odds / (1 + odds)}
	if !e.run() {
		t.training.Converged = false
		t.warn("training session %s did not converge in %d iterations", name, t.spec.MaxIterations)
	}
	t.keep(e)
	t.endings = append(t.endings, ending{e.lambda, fixed})
	return nil
}

// fixedBy returns which comparisons use the columns, and the exact levels that
// agreement on them implies: those on most columns first, each column once.
func (t *trainer) fixedBy(columns []*record.Column) (held []bool, fixed []levelAt) {
	type candidate struct {
		levelAt
		columns []*record.Column
	}
	var exact []candidate
	held = make([]bool, len(t.plan.Comparisons))
	for c, cmp := range t.plan.Comparisons {
		for _, column := range cmp.Columns() {
			held[c] = held[c] || slices.Contains(columns, column)
		}
		levels, ok := cmp.(*comparison.LevelsComparison)
		if !ok {
			continue
		}
		for l := range cmp.Levels() {
			if on := levels.Exact(l); on != nil {
				exact = append(exact, candidate{levelAt{c, l}, on})
			}
		}
	}
	slices.SortStableFunc(exact, func(a, b candidate) int { return cmp.Compare(len(b.columns), len(a.columns)) })
	rest := slices.Clone(columns)
	for _, e := range exact {
		if slices.ContainsFunc(e.columns, func(c *record.Column) bool { return !slices.Contains(rest, c) }) {
			continue
		}
		rest = slices.DeleteFunc(rest, func(c *record.Column) bool { return slices.Contains(e.columns, c) })
		fixed = append(fixed, e.levelAt)
	}
	return held, fixed
}

// patterns counts the patterns of the pairs, held-out comparisons left aside,
// in a fixed order.
func (t *trainer) patterns(space *pairSpace, held []bool) ([]countedPattern, error) {
	if space.pairs() == 0 {
		return nil, nil
	}
	var terms []frequencyTerm
	if !t.spec.PlainSessions {
		for _, term := range t.plan.frequencyTerms(func(c, l int) float64 { return t.u[c][l] }) {
			if !held[term.comparison] {
				terms = append(terms, term)
			}
		}
	}
	counts := make([]map[pattern]int64, t.workers)
	scratch := make([]*comparison.Scratch, t.workers)
	out := make([][]comparison.Vector, t.workers)
	for i := range counts {
		counts[i], scratch[i], out[i] = make(map[pattern]int64), comparison.NewScratch(), make([]comparison.Vector, stretch)
	}
	_, err := space.each(t.ctx, uint64(t.spec.MaxPairs), t.workers, func(worker int, pairs []record.Pair) {
		pairs = t.across(pairs)
		v := out[worker][:len(pairs)]
		clear(v)
		for c, cmp := range t.plan.Comparisons {
			if !held[c] {
				cmp.Compare(scratch[worker], t.plan.rows, pairs, v, c)
			}
		}
		for i, p := range pairs {
			addend := 0.0
			for k := range terms {
				addend += terms[k].bits(t.plan.rows, p, &v[i])
			}
			counts[worker][pattern{v[i], addend}]++
		}
	})
	if err != nil {
		return nil, err
	}
	for _, other := range counts[1:] {
		for p, n := range other {
			counts[0][p] += n
		}
	}
	return t.sorted(counts[0]), nil
}

func (t *trainer) sorted(counts map[pattern]int64) []countedPattern {
	list := make([]countedPattern, 0, len(counts))
	for p, n := range counts {
		nonLog := 0.0
		for c := range t.u {
			if l := p.vector[c]; l > 0 {
				nonLog += math.Log(t.u[c][l])
			}
		}
		list = append(list, countedPattern{p, float64(n), nonLog})
	}
	slices.SortFunc(list, func(a, b countedPattern) int {
		return cmp.Or(bytes.Compare(a.vector[:], b.vector[:]), cmp.Compare(a.addend, b.addend))
	})
	return list
}

// em is expectation maximisation of m and λ with u fixed.
type em struct {
	t        *trainer
	held     []bool
	patterns []countedPattern
	lambda   float64
	m        [][]float64
	matches  [][]float64 // expected matches per level
	shown    [][]bool    // the level occurs
	loglik   float64     // nats over all pairs
}

// run iterates until no parameter changes by Convergence and reports whether it
// got there.
func (e *em) run() bool {
	e.m = make([][]float64, len(e.t.m))
	e.shown = make([][]bool, len(e.t.m))
	for c, m := range e.t.m {
		e.m[c] = slices.Clone(m)
		e.shown[c] = make([]bool, len(m))
	}
	for i := range e.patterns {
		for c := range e.m {
			e.shown[c][e.patterns[i].vector[c]] = true
		}
	}
	for range e.t.spec.MaxIterations {
		e.t.iterations++
		if e.step() < e.t.spec.Convergence {
			return true
		}
	}
	return false
}

// step is one iteration. It returns the greatest change of a parameter.
func (e *em) step() float64 {
	bits := make([][]float64, len(e.m))
	next := make([][]float64, len(e.m))
	for c, m := range e.m {
		bits[c], next[c] = make([]float64, len(m)), make([]float64, len(m))
		for l := 1; l < len(m); l++ {
			bits[c][l] = math.Log2(max(m[l], leastProbability) / e.t.u[c][l])
		}
	}
	prior := math.Log2(e.lambda / (1 - e.lambda))
	var matches, pairs float64
	e.loglik = 0
	for i := range e.patterns {
		p := &e.patterns[i]
		weight := prior + p.addend
		for c := range bits {
			weight += bits[c][p.vector[c]]
		}
		probability := 1 / (1 + math.Exp2(-weight))
		share := probability * p.pairs
		for c := range next {
			next[c][p.vector[c]] += share
		}
		matches += share
		pairs += p.pairs
		// P(pattern) = (1−λ) Π u · (1 + 2^weight)
		e.loglik += p.pairs * (p.nonLog + math.Log(1-e.lambda) + max(0, weight)*math.Ln2 + math.Log1p(math.Exp2(-math.Abs(weight))))
	}
	return e.take(next, matches/pairs)
}

// take makes the expected matches per level the new m.
func (e *em) take(next [][]float64, lambda float64) float64 {
	change := math.Abs(lambda - e.lambda)
	e.lambda = min(max(lambda, 1e-15), 1-1e-15)
	e.matches = next
	for c, counts := range next {
		if e.held[c] {
			continue
		}
		sum := 0.0
		for _, n := range counts[1:] {
			sum += n
		}
		for l := 1; l < len(counts); l++ {
			m := unseen
			if e.shown[c][l] && sum > 0 {
				m = counts[l] / sum
			}
			change = max(change, math.Abs(m-e.m[c][l]))
			e.m[c][l] = m
		}
	}
	return change
}

// keep takes a session's estimates over: the m of a level is the median of the
// sessions that showed it.
func (t *trainer) keep(e *em) {
	pairs := 0.0
	for i := range e.patterns {
		pairs += e.patterns[i].pairs
	}
	before := float64(t.training.Pairs) * t.training.LogLik
	t.training.Pairs += int64(pairs)
	t.training.LogLik = (before + e.loglik) / float64(t.training.Pairs)
	t.training.Vectors += len(e.patterns)
	t.training.Iterations = t.iterations
	for c := range t.m {
		if e.held[c] {
			continue
		}
		for l := 1; l < len(t.m[c]); l++ {
			if !e.shown[c][l] {
				continue
			}
			t.seen[c][l] = append(t.seen[c][l], e.m[c][l])
			t.matches[c][l] += e.matches[c][l]
			t.m[c][l] = median(t.seen[c][l])
		}
	}
}
