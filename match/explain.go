package match

import (
	"strings"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Explanation says why a pair has its match weight. It is read from the same
// comparisons and integer tables that scoring uses:
// Prior + Σ Steps.Weight + OtherKinds = Weight, to the last unit.
type Explanation struct {
	A, B        record.Key
	Weight      record.Weight
	Probability float64
	// Against is the kind of non-match that explains the pair best; the steps
	// weigh a match against it.
	Against string
	// Prior is the weight before any field is looked at.
	Prior record.Weight
	Steps []Step
	// OtherKinds is what the remaining kinds of non-match take off; at most 0.
	OtherKinds record.Weight
	// Rules names the blocking rules that propose the pair; none means that
	// blocking would not have compared it.
	Rules []string
}

// Step is one comparison's part.
type Step struct {
	Comparison string
	Level      string
	A, B       string // the values as the sources write them
	Weight     record.Weight
	Untrained  bool // the level was never seen in training
}

// Explain weighs one pair and records why.
func (p *Plan) Explain(pair record.Pair, m *Model, b *blocking.Plan) *Explanation {
	w := p.Compile(m)
	out := make([]comparison.Vector, 1)
	p.Compare(comparison.NewScratch(), []record.Pair{pair}, out)
	v := &out[0]
	sum := w.logs(v)
	against := 1
	for k := 2; k <= w.kinds; k++ {
		if sum[k] > sum[against] {
			against = k
		}
	}
	e := &Explanation{
		A: p.Table.Key(pair.A), B: p.Table.Key(pair.B),
		Weight:     w.OfPair(pair, v),
		Prior:      record.Weight(w.base[0] - w.base[against]),
		OtherKinds: record.Weight(sum[against] - w.nonMatch(&sum)),
	}
	e.Probability = e.Weight.Probability()
	if against-1 < len(m.Kinds) {
		e.Against = m.Kinds[against-1]
	}
	for c, cmp := range p.Comparisons {
		t := &w.table[c][v[c]]
		level := m.Comparisons[c].Levels[v[c]]
		e.Steps = append(e.Steps, Step{
			Comparison: cmp.Name(),
			Level:      level.Label,
			A:          rawValues(cmp.Columns(), pair.A),
			B:          rawValues(cmp.Columns(), pair.B),
			Weight:     record.Weight(t[0]-t[against]) + w.adjust.OfComparison(c, pair, v),
			Untrained:  level.Untrained,
		})
	}
	if b != nil {
		for _, r := range b.FoundBy(pair) {
			e.Rules = append(e.Rules, b.Rules[r].Name)
		}
	}
	return e
}

// Swap exchanges the two records.
func (e *Explanation) Swap() {
	e.A, e.B = e.B, e.A
	for i := range e.Steps {
		s := &e.Steps[i]
		s.A, s.B = s.B, s.A
	}
}

func rawValues(columns []*record.Column, i uint32) string {
	var values []string
	for _, c := range columns {
		if v := c.RawValue(i); v != "" {
			values = append(values, v)
		}
	}
	return strings.Join(values, " ")
}
