package match

import (
	"math"

	"sama/match/comparison"
	"sama/record"
)

// Adjustments is what term frequencies add to match weights: for a level that
// asks for it,
//
//	log2 u(exact level) − log2 max(tf(value), floor)
//
// where tf is the value's share of the records that have one, and of two
// different values the more frequent counts. A level of equality on a rare value
// thus weighs as if the value's own share were its u. It is a table look-up a
// level and record. A nil *Adjustments adds nothing.
type Adjustments struct {
	rows  comparison.Rows
	terms []adjustment
}

type adjustment struct {
	comparison, slot int
	level            uint8
	table            []int32 // code → units of weight
}

// Adjustments returns what the plan's term frequencies add under a model, nil if
// no level asks for them.
func (p *Plan) Adjustments(m *Model) *Adjustments {
	terms := p.frequencyTerms(func(c, l int) float64 { return m.Comparisons[c].Levels[l].U[0] })
	if len(terms) == 0 {
		return nil
	}
	a := &Adjustments{rows: p.rows}
	for _, t := range terms {
		table := make([]int32, len(t.table))
		for code, bits := range t.table {
			table[code] = int32(record.WeightOfBits(bits))
		}
		a.terms = append(a.terms, adjustment{t.comparison, t.slot, t.level, table})
	}
	return a
}

// Of returns what is added to the weight of a pair with that comparison vector.
func (a *Adjustments) Of(pair record.Pair, v *comparison.Vector) record.Weight {
	if a == nil {
		return 0
	}
	var sum int32
	for i := range a.terms {
		if t := &a.terms[i]; v[t.comparison] == t.level {
			sum += t.of(a.rows, pair)
		}
	}
	return record.Weight(sum)
}

// OfComparison returns the part of Of that one comparison has.
func (a *Adjustments) OfComparison(comparison int, pair record.Pair, v *comparison.Vector) record.Weight {
	if a == nil {
		return 0
	}
	var sum int32
	for i := range a.terms {
		if t := &a.terms[i]; t.comparison == comparison && v[comparison] == t.level {
			sum += t.of(a.rows, pair)
		}
	}
	return record.Weight(sum)
}

// Most returns the most that Of can add to a pair with that vector.
func (a *Adjustments) Most(v *comparison.Vector) record.Weight {
	if a == nil {
		return 0
	}
	var sum int32
	for i := range a.terms {
		if t := &a.terms[i]; v[t.comparison] == t.level {
			most := int32(math.MinInt32)
			for _, w := range t.table[1:] {
				most = max(most, w)
			}
			sum += most
		}
	}
	return record.Weight(sum)
}

func (t *adjustment) of(rows comparison.Rows, pair record.Pair) int32 {
	x, y := rows.Of(pair.A)[t.slot], rows.Of(pair.B)[t.slot]
	return min(t.table[x], t.table[y])
}

// frequencyTerm is a level that is weighed by frequency.
type frequencyTerm struct {
	comparison, slot int
	level            uint8
	table            []float64 // code → bits; 0 for null
}

// frequencyTerms returns the terms of the plan under given u, in order of
// comparisons and levels.
func (p *Plan) frequencyTerms(u func(comparison, level int) float64) []frequencyTerm {
	var terms []frequencyTerm
	for c, cmp := range p.Comparisons {
		levels, ok := cmp.(*comparison.LevelsComparison)
		if !ok {
			continue
		}
		for l := range cmp.Levels() {
			tf := levels.TermFrequency(l)
			if tf == nil {
				continue
			}
			exact := math.Log2(u(c, int(tf.Exact)))
			terms = append(terms, frequencyTerm{c, tf.Slot, uint8(l), frequencyTable(tf, exact, p.Table.Whole)})
		}
	}
	return terms
}

// filledColumn is what a population knows the number of records under that have
// a value of a column that is not generic.
func filledColumn(c *record.Column) string { return "filled " + c.Name }

func filledRecords(c *record.Column) float64 {
	filled := 0.0
	for code, n := range c.Count {
		if code > 0 && (c.Generic == nil || !c.Generic[code]) {
			filled += float64(n)
		}
	}
	return filled
}

// frequencyTable returns what each value adds, given log2 of u(exact level).
func frequencyTable(tf *comparison.TermFrequency, exact float64, whole *record.Population) []float64 {
	counts := tf.Column.Count
	filled := filledRecords(tf.Column)
	if whole != nil {
		filled = float64(whole.Count(filledColumn(tf.Column), ""))
	}
	table := make([]float64, len(counts))
	for code, n := range counts {
		if code > 0 && n > 0 {
			table[code] = exact - math.Log2(max(float64(n)/filled, tf.Floor))
		}
	}
	return table
}

// bits returns what the term adds to a pair.
func (t *frequencyTerm) bits(rows comparison.Rows, pair record.Pair, v *comparison.Vector) float64 {
	if v[t.comparison] != t.level {
		return 0
	}
	x, y := rows.Of(pair.A)[t.slot], rows.Of(pair.B)[t.slot]
	return min(t.table[x], t.table[y])
}
