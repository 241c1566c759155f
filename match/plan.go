package match

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Plan says which fields are compared and how, prepared for one table.
type Plan struct {
	Table       *record.Table
	Comparisons []comparison.Comparison
	Joint       Joint
	// Left names the columns that were not compared, with the reason.
	Left []LeftOut

	rows   comparison.Rows
	copies *Copies // see Copies
}

// Joint says which groups of fields are compared as one comparison.
type Joint struct {
	Name    bool `json:"name" yaml:"name"`
	Address bool `json:"address" yaml:"address"`
}

// LeftOut is a column that takes no part in comparing.
type LeftOut struct{ Column, Reason string }

// NewPlan chooses the comparisons for a table.
func NewPlan(t *record.Table, joint Joint) *Plan {
	p := &Plan{Table: t, Joint: joint}
	l := &comparison.Layout{Whole: t.Whole}
	p.addPerson(l)
	p.addAddress(l)
	p.addContacts(l)
	p.addOthers(l)
	p.rows = l.Rows(t.Len())
	return p
}

// NewPlanFor makes the comparisons of a saved model again, for another table,
// and returns the model as that plan needs it. Comparisons that the model lacks
// are left out, those whose columns the table lacks give no evidence; both are
// named in Left. It is an error if nothing is left to compare or if a
// comparison's levels are not those of this version.
func NewPlanFor(t *record.Table, m *Model) (*Plan, *Model, error) {
	if n := len(m.Shares); n < 2 || n > MaxKinds+1 {
		return nil, nil, fmt.Errorf("the model has %d classes, want 2 to %d", n, MaxKinds+1)
	}
	p := NewPlan(t, m.Joint)
	if m.Classical != nil {
		var err error
		if p, err = NewClassicalPlan(t, *m.Classical); err != nil {
			return nil, nil, err
		}
	}
	fitted := *m
	fitted.Comparisons = nil
	var kept []comparison.Comparison
	for _, c := range p.Comparisons {
		i := slices.IndexFunc(m.Comparisons, func(cm ComparisonModel) bool { return cm.Name == c.Name() })
		if i < 0 {
			p.Left = append(p.Left, LeftOut{c.Name(), "the model was not trained on it"})
			continue
		}
		if err := m.Comparisons[i].fits(c, len(m.Shares)-1); err != nil {
			return nil, nil, err
		}
		kept = append(kept, c)
		fitted.Comparisons = append(fitted.Comparisons, m.Comparisons[i])
	}
	for _, cm := range m.Comparisons {
		if !slices.ContainsFunc(kept, func(c comparison.Comparison) bool { return c.Name() == cm.Name }) {
			p.Left = append(p.Left, LeftOut{cm.Name, "the model knows it, these sources have nothing to compare there"})
		}
	}
	if len(kept) > comparison.MaxComparisons {
		return nil, nil, fmt.Errorf("the model has %d comparisons, want %d at most", len(kept), comparison.MaxComparisons)
	}
	if len(kept) == 0 {
		return nil, nil, fmt.Errorf("the model and these sources have no comparison in common")
	}
	p.Comparisons = kept
	return p, &fitted, nil
}

// fits reports how a saved comparison differs from the one that would use it.
func (cm *ComparisonModel) fits(c comparison.Comparison, kinds int) error {
	levels := c.Levels()
	if len(cm.Levels) != len(levels) {
		return fmt.Errorf("comparison %s has %d levels in the model, %d here", cm.Name, len(cm.Levels), len(levels))
	}
	for l, level := range levels {
		if cm.Levels[l].Label != level.Label {
			return fmt.Errorf("comparison %s: level %d is %q in the model, %q here", cm.Name, l, cm.Levels[l].Label, level.Label)
		}
		if l > 0 && len(cm.Levels[l].U) != kinds {
			return fmt.Errorf("comparison %s, level %q: %d u probabilities for %d kinds of non-match", cm.Name, level.Label, len(cm.Levels[l].U), kinds)
		}
	}
	return nil
}

func (p *Plan) add(c comparison.Comparison) bool {
	if c == nil {
		return false
	}
	p.Comparisons = append(p.Comparisons, c)
	return true
}

func (p *Plan) addPerson(l *comparison.Layout) {
	t := p.Table
	name := p.Joint.Name && t.Column(record.GivenName) != nil && t.Column(record.FamilyName) != nil
	if name {
		p.add(comparison.NewName(l, t))
	} else {
		if t.Column(record.GivenName) != nil {
			p.add(comparison.NewGiven(l, t))
		}
		if t.Column(record.FamilyName) != nil {
			p.add(comparison.NewFamily(l, t))
		}
		p.Joint.Name = false
	}
	for _, c := range t.All(record.BirthDate)[:min(1, len(t.All(record.BirthDate)))] {
		p.add(comparison.NewDate(l, c))
	}
}

var addressFields = []record.Field{record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City}

func (p *Plan) addAddress(l *comparison.Layout) {
	t := p.Table
	if p.Joint.Address {
		if c := comparison.NewAddress(l, t); c != nil {
			p.add(c)
			return
		}
	}
	p.Joint.Address = false
	for _, f := range addressFields {
		if c := t.Column(f); c != nil {
			p.add(comparison.NewValue(l, c))
		}
	}
}

func (p *Plan) addContacts(l *comparison.Layout) {
	t := p.Table
	if c := t.Column(record.Email); c != nil {
		p.add(comparison.NewEmail(l, t, c))
	}
	if t.Column(record.Phone) != nil {
		p.add(comparison.NewPhone(l, t))
	}
}

// addOthers adds the remaining columns, those that say most first.
func (p *Plan) addOthers(l *comparison.Layout) {
	var others []*record.Column
	for _, c := range p.Table.Columns {
		switch c.Field {
		case record.Gender, record.NationalID, record.Organization, record.OtherName, record.Region, record.Country,
			record.BusinessID, record.VehicleReg, record.Identifier, record.Text, record.Category, record.Number, record.Date:
			switch bits, holders := columnBits(c); {
			case p.Table.Whole != nil:
				others = append(others, c) // what is compared was decided for the whole table
			case holders < minHolders:
				p.Left = append(p.Left, LeftOut{c.Name, "hardly any record has a value"})
			case bits < minBits:
				p.Left = append(p.Left, LeftOut{c.Name, "nearly all records have the same value"})
			default:
				others = append(others, c)
			}
		}
	}
	slices.SortStableFunc(others, func(a, b *record.Column) int {
		return cmp.Compare(columnValue(b), columnValue(a))
	})
	for _, c := range others {
		if len(p.Comparisons) == comparison.MaxComparisons && p.Table.Whole == nil {
			p.Left = append(p.Left, LeftOut{c.Name, "more comparisons than a vector holds; others say more"})
			continue
		}
		switch c.Field {
		case record.Organization, record.Text:
			p.add(comparison.NewText(l, c))
		case record.Date:
			p.add(comparison.NewDate(l, c))
		default:
			p.add(comparison.NewValue(l, c))
		}
	}
}

// A column is compared if so many records have a value and agreement in it is
// worth so many bits.
const (
	minHolders = 5
	minBits    = 0.1
)

// columnBits returns what agreement in a column says about two records that
// both have a value, −log2 of the chance that they agree, and how many records
// have one.
func columnBits(c *record.Column) (bits float64, holders int) {
	holders = len(c.Code) - int(c.Count[0])
	if holders < 2 {
		return 0, holders
	}
	agree := 0.0
	for _, k := range c.Count[1:] {
		agree += float64(k) * float64(k)
	}
	n := float64(holders)
	return -math.Log2(agree / (n * n)), holders
}

// columnValue ranks columns: bits times the chance that both sides have them.
func columnValue(c *record.Column) float64 {
	bits, holders := columnBits(c)
	filled := float64(holders) / float64(len(c.Code))
	return bits * filled * filled
}

// compareAll is Compare by several workers.
func (p *Plan) compareAll(pairs []record.Pair, out []comparison.Vector, workers int) {
	workers = max(1, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			scratch := comparison.NewScratch()
			for from := w * blocking.BatchSize; from < len(pairs); from += workers * blocking.BatchSize {
				to := min(len(pairs), from+blocking.BatchSize)
				p.Compare(scratch, pairs[from:to], out[from:to])
			}
		}()
	}
	wg.Wait()
}

// Compare writes the comparison vectors of pairs into out, which must be as
// long as pairs.
func (p *Plan) Compare(s *comparison.Scratch, pairs []record.Pair, out []comparison.Vector) {
	clear(out)
	for i, c := range p.Comparisons {
		c.Compare(s, p.rows, pairs, out, i)
	}
}
