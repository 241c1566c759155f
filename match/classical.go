package match

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"sama/match/comparison"
	"sama/record"
)

// The classical model is the one of Fellegi and Sunter (1969) with the
// estimators that Splink made common (Linacre, Lindsay, Manassis, Slade and
// Hepworth 2022): comparisons are lists of levels that the user gives, there is
// one kind of non-match, and the parameters come from four places.
//
//	u       level frequencies over all pairs of records: equality levels are
//	        exact (Σ over values of n(n−1)/2), the others exact while the
//	        distinct values are few and from a uniform sample of pairs beyond
//	m       EM sessions: each looks only at pairs that agree on a few columns,
//	        u held fixed; the comparisons that use those columns are held out; a
//	        level's m is the median of the sessions that saw it
//	λ       pairs that strict rules find / their stated recall / all pairs, or,
//	        without strict rules, from the sessions
//	tf      a level may weigh log2 u(exact) − log2 tf(value) more, see
//	        [Adjustments]; sessions take that into account too
//
// A session starts from the m estimated so far and from a prior raised by the
// Bayes factors of the exact levels that its columns fix. It has converged when
// no parameter changes by Convergence, and stops at MaxIterations.
//
// A level that no session saw keeps its default: m 0.95 for a comparison's
// first level and equal parts of the rest for the others; u such that m/u runs
// from 2^10 for the first level over 2^3 … to 2^−5 for the last. It is marked
// untrained.
//
// Everything is a sum of integers or of floats in sorted order: the result
// depends neither on the number of workers nor, as long as nothing is sampled,
// on the order of records.

// ClassicalSpec is the configuration of the classical model.
type ClassicalSpec struct {
	Comparisons []comparison.LevelSpec `json:"comparisons" yaml:"comparisons"`
	// Strict lists rules, each a conjunction with at least one exact condition,
	// that hardly ever hold for two different persons; Recall is the share of the
	// true matches that at least one of them is thought to find.
	Strict [][]comparison.Condition `json:"strict,omitempty" yaml:"strict,omitempty"`
	Recall float64                  `json:"recall,omitempty" yaml:"recall,omitempty"`
	// Sessions lists the columns that the pairs of each training session agree
	// on. Between them they must leave every comparison free once.
	Sessions [][]string `json:"sessions" yaml:"sessions"`
	// PlainSessions leaves term frequencies out of the sessions.
	PlainSessions bool `json:"plain_sessions,omitempty" yaml:"plain_sessions,omitempty"`
	// OnlyAcross says that no source holds a person twice: only pairs of records
	// of different sources count.
	OnlyAcross bool `json:"only_across,omitempty" yaml:"only_across,omitempty"`
	// MaxPairs bounds the pairs that are compared for the u of one comparison and
	// for one session; more are sampled.
	MaxPairs      int64   `json:"max_pairs,omitempty" yaml:"max_pairs,omitempty"`
	MaxIterations int     `json:"max_iterations,omitempty" yaml:"max_iterations,omitempty"`
	Convergence   float64 `json:"convergence,omitempty" yaml:"convergence,omitempty"`
}

// EnsureDefaults fills in what is left out.
func (s *ClassicalSpec) EnsureDefaults() {
	if s.Recall == 0 {
		s.Recall = 0.7
	}
	if s.MaxPairs == 0 {
		s.MaxPairs = 10_000_000
	}
	if s.MaxIterations == 0 {
		s.MaxIterations = 25
	}
	if s.Convergence == 0 {
		s.Convergence = 0.0001
	}
}

// Validate returns every problem of a specification with defaults filled in.
func (s *ClassicalSpec) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if len(s.Comparisons) == 0 {
		bad("comparisons: none given")
	}
	if len(s.Comparisons) > comparison.MaxComparisons {
		bad("comparisons: %d given, at most %d", len(s.Comparisons), comparison.MaxComparisons)
	}
	if len(s.Sessions) == 0 {
		bad("sessions: none given; m cannot be learned without")
	}
	for i, columns := range s.Sessions {
		if len(columns) == 0 {
			bad("sessions: session %d names no column", i+1)
		}
	}
	if s.Recall <= 0 || s.Recall > 1 {
		bad("recall is %v, want above 0 and at most 1", s.Recall)
	}
	if s.MaxPairs < 1 {
		bad("max_pairs is %d, want at least 1", s.MaxPairs)
	}
	if s.MaxIterations < 1 {
		bad("max_iterations is %d, want at least 1", s.MaxIterations)
	}
	if s.Convergence <= 0 || s.Convergence >= 1 {
		bad("convergence is %v, want above 0 and below 1", s.Convergence)
	}
	return errors.Join(problems...)
}

// NewClassicalPlan prepares the comparisons of a specification for a table.
func NewClassicalPlan(t *record.Table, spec ClassicalSpec) (*Plan, error) {
	p := &Plan{Table: t}
	l := &comparison.Layout{Whole: t.Whole}
	names := make(map[string]bool)
	var problems []error
	for _, s := range spec.Comparisons {
		c, err := comparison.NewLevels(l, t, s)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if names[c.Name()] {
			problems = append(problems, fmt.Errorf("two comparisons are named %q; give one of them a name", c.Name()))
		}
		names[c.Name()] = true
		p.add(c)
	}
	if len(p.Comparisons) > comparison.MaxComparisons {
		problems = append(problems, fmt.Errorf("%d comparisons, at most %d", len(p.Comparisons), comparison.MaxComparisons))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	p.rows = l.Rows(t.Len())
	return p, nil
}

// TrainClassical learns the classical model without labels. The plan must come
// from [NewClassicalPlan] with the same specification.
func (p *Plan) TrainClassical(ctx context.Context, spec ClassicalSpec, workers int) (*Model, error) {
	t, err := p.newTrainer(ctx, spec, workers)
	if err != nil {
		return nil, err
	}
	if err := t.countU(); err != nil {
		return nil, err
	}
	if err := t.strictPrior(); err != nil {
		return nil, err
	}
	for _, columns := range t.spec.Sessions {
		if err := t.session(columns); err != nil {
			return nil, err
		}
	}
	t.sessionPrior()
	m := t.model()
	m.Classical = &spec
	return m, nil
}

// trainer holds the parameters while they are learned. Parameters are
// comparison × level; index 0 of the levels is the null level and unused.
type trainer struct {
	plan    *Plan
	spec    ClassicalSpec
	ctx     context.Context
	workers int
	total   float64 // pairs of records

	m, u       [][]float64
	seen       [][][]float64 // the m of the sessions that saw the level
	uSeen      [][]float64   // pairs that u rests on
	matches    [][]float64   // expected matches that m rests on
	lambda     float64       // probability that two random records match, 0 = not known
	endings    []ending
	training   Training
	iterations int
}

// ending is how a session ended: its prior, and the levels that its columns fix.
type ending struct {
	lambda float64
	fixed  []levelAt
}

// levelAt names a level of a comparison.
type levelAt struct{ comparison, level int }

func (p *Plan) newTrainer(ctx context.Context, spec ClassicalSpec, workers int) (*trainer, error) {
	spec.EnsureDefaults()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	t := &trainer{plan: p, spec: spec, ctx: ctx, workers: max(1, workers), training: Training{Converged: true}}
	for _, c := range p.Comparisons {
		levels := c.Levels()
		m, u := make([]float64, len(levels)), make([]float64, len(levels))
		for l := 1; l < len(levels); l++ {
			m[l] = levels[l].M
			u[l] = min(1, m[l]/math.Exp2(defaultBits(l, len(levels)-1)))
		}
		t.m, t.u = append(t.m, m), append(t.u, u)
		t.seen = append(t.seen, make([][]float64, len(levels)))
		t.uSeen = append(t.uSeen, make([]float64, len(levels)))
		t.matches = append(t.matches, make([]float64, len(levels)))
	}
	n := int64(p.Table.Len())
	t.total = float64(n * (n - 1) / 2)
	if spec.OnlyAcross {
		sizes := make([]int64, len(p.Table.Sources))
		for _, s := range p.Table.Source {
			sizes[s]++
		}
		for _, size := range sizes {
			t.total -= float64(size * (size - 1) / 2)
		}
	}
	if t.total == 0 {
		return nil, fmt.Errorf("there are no two records to compare: nothing to train on")
	}
	return t, nil
}

// defaultBits returns the default match weight, in bits, of level l of n.
func defaultBits(l, n int) float64 {
	switch {
	case l == 1:
		return 10
	case n == 2:
		return -5
	}
	return -5 + 8*float64(n-l)/float64(n-2)
}

func (t *trainer) warn(format string, args ...any) {
	t.training.Warnings = append(t.training.Warnings, fmt.Sprintf(format, args...))
}

// strictPrior sets λ from the strict rules, if there are any.
func (t *trainer) strictPrior() error {
	if len(t.spec.Strict) == 0 {
		return nil
	}
	found, err := t.countStrict()
	if err != nil {
		return err
	}
	lambda := found / t.spec.Recall / t.total
	switch {
	case found == 0:
		t.warn("the strict rules find no pair: the prior comes from the training sessions")
		return nil
	case lambda >= 1:
		return fmt.Errorf("strict: the rules find %.0f of %.0f pairs, which with a recall of %v is more matches than pairs; use stricter rules", found, t.total, t.spec.Recall)
	}
	t.lambda = lambda
	return nil
}

// startLambda is the prior that sessions start from while λ is not known.
func (t *trainer) startLambda() float64 {
	if t.lambda > 0 {
		return t.lambda
	}
	return min(0.5, 1/math.Max(2, float64(t.plan.Table.Len())))
}

// sessionPrior sets λ from the sessions where strict rules did not: each one's
// final prior, lowered by the Bayes factors of the levels that it fixes; of
// these the median of the reciprocals.
func (t *trainer) sessionPrior() {
	if t.lambda > 0 {
		return
	}
	var reciprocals []float64
	for _, e := range t.endings {
		odds := e.lambda / (1 - e.lambda)
		for _, at := range e.fixed {
			odds /= t.m[at.comparison][at.level] / t.u[at.comparison][at.level]
		}
		if odds > 0 {
			reciprocals = append(reciprocals, (1+odds)/odds)
		}
	}
	if len(reciprocals) == 0 {
		t.lambda = t.startLambda()
		t.warn("nothing tells how many pairs match: the prior is the default, one match a record")
		return
	}
	t.lambda = 1 / median(reciprocals)
}

// median returns the middle value, or the mean of the two middle ones.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// model writes the parameters down and says what is to be distrusted.
func (t *trainer) model() *Model {
	m := &Model{Version: 1, Method: "classical", Shares: []float64{t.lambda, 1 - t.lambda}, Kinds: []string{"random pairs"}}
	for c, cmp := range t.plan.Comparisons {
		cm := ComparisonModel{Name: cmp.Name()}
		for l, level := range cmp.Levels() {
			lm := LevelModel{Label: level.Label}
			if l > 0 {
				lm.M, lm.U = t.m[c][l], []float64{t.u[c][l]}
				lm.Matches, lm.NonMatches = t.matches[c][l], t.uSeen[c][l]
				lm.Untrained = len(t.seen[c][l]) == 0 || t.uSeen[c][l] == 0
			}
			cm.Levels = append(cm.Levels, lm)
		}
		m.Comparisons = append(m.Comparisons, cm)
		t.judge(&cm, c)
	}
	t.training.Matches = t.lambda * t.total
	m.Training = t.training
	return m
}

// judge warns of levels without training and of weights that do not look like
// those of a match.
func (t *trainer) judge(cm *ComparisonModel, c int) {
	var untrained []string
	for l := 1; l < len(cm.Levels); l++ {
		if cm.Levels[l].Untrained {
			untrained = append(untrained, cm.Levels[l].Label)
		}
	}
	if len(untrained) > 0 {
		t.warn("%s: never seen in training, default weights: %s", cm.Name, strings.Join(untrained, "; "))
	}
	first, last := cm.Levels[1], cm.Levels[len(cm.Levels)-1]
	if !first.Untrained && first.M < first.U[0] {
		t.warn("%s: %q is rarer among matches than among all pairs", cm.Name, first.Label)
	}
	if !last.Untrained && last.M > 0.5 {
		t.warn("%s: %q is the likeliest level among matches", cm.Name, last.Label)
	}
}
