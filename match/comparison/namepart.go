package comparison

import (
	"fmt"

	"sama/record"
)

// givenComparison compares given names alone.
type givenComparison struct {
	*names
	slot   int
	levels []Level
}

// NewGiven returns the comparison of given names by themselves, or nil.
func NewGiven(l *Layout, t *record.Table) Comparison {
	column := t.Column(record.GivenName)
	if column == nil {
		return nil
	}
	c := &givenComparison{names: newNames(l, column, nil), slot: l.Slot(column.Code)}
	c.levels = partLevels("given name", len(givenCuts)+1, givenLabels[:], givenTraits, 1.5,
		[]float64{0.70, 0.08, 0.06, 0.09, 0.03, 0.01, 0.03}, []float64{0.5, 0.5, 0.4, 0.45, 0.25, 0.05, 0})
	return c
}

// partLevels builds the levels of one name field: the equal level in bands of
// frequency, then the others in order.
func partLevels(what string, bands int, labels []string, traits func(int) Traits, contra float64, m, agree []float64) []Level {
	levels := []Level{{Label: what + " missing"}}
	for i, label := range labels {
		l := Level{Label: label, M: m[i], Agree: agree[i], Traits: traits(i)}
		if l.Traits&(GivenDiffers|FamilyDiffers) != 0 {
			l.Contra = contra
		}
		if i > 0 {
			levels = append(levels, l)
			continue
		}
		for b := range bands {
			banded := l
			banded.Label = fmt.Sprintf("%s, frequency band %d of %d", label, b+1, bands)
			banded.M /= float64(bands)
			levels = append(levels, banded)
		}
	}
	return levels
}

// Counts implements [Counting].
func (c *givenComparison) Counts() []record.Counts { return []record.Counts{c.given.counted()} }

func (c *givenComparison) Name() string    { return "given_name" }
func (c *givenComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *givenComparison) Columns() []*record.Column { return []*record.Column{c.giv} }

func (c *givenComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	m := s.memo(c)
	for i, p := range pairs {
		a, b := rows.Of(p.A)[c.slot], rows.Of(p.B)[c.slot]
		switch {
		case a == 0 || b == 0:
			out[i][index] = 0
		case a == b:
			out[i][index] = 1 + uint8(band(float64(c.givenLog[a])-c.ln, givenCuts))
		default:
			entry, key, level, ok := m.find(a, b)
			if !ok {
				level = uint8(len(givenCuts)+1) + uint8(c.compareGiven(min(a, b), max(a, b)))
				m.put(entry, key, level)
			}
			out[i][index] = level
		}
	}
}

// familyComparison compares family names alone, former names included.
type familyComparison struct {
	*names
	slot   int
	levels []Level
}

// NewFamily returns the comparison of family names by themselves, or nil.
func NewFamily(l *Layout, t *record.Table) Comparison {
	column := t.Column(record.FamilyName)
	if column == nil {
		return nil
	}
	c := &familyComparison{names: newNames(l, nil, column), slot: l.Slot(column.Code)}
	c.levels = partLevels("family name", len(familyCuts)+1, familyLabels[:], familyTraits, 0.7,
		[]float64{0.82, 0.08, 0.02, 0.01, 0.07}, []float64{0.5, 0.45, 0.25, 0.05, 0})
	return c
}

func (c *familyComparison) Name() string    { return "family_name" }
func (c *familyComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *familyComparison) Columns() []*record.Column { return []*record.Column{c.fam} }

func (c *familyComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	m := s.memo(c)
	for i, p := range pairs {
		a, b := rows.Of(p.A)[c.slot], rows.Of(p.B)[c.slot]
		switch {
		case a == 0 || b == 0:
			out[i][index] = 0
		case a == b:
			out[i][index] = 1 + uint8(band(float64(c.familyLog[a])-c.ln, familyCuts))
		default:
			entry, key, level, ok := m.find(a, b)
			if !ok {
				level = uint8(len(familyCuts)+1) + uint8(c.compareFamily(min(a, b), max(a, b)))
				m.put(entry, key, level)
			}
			out[i][index] = level
		}
	}
}
