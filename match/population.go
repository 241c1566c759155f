package match

import (
	"sama/match/comparison"
	"sama/record"
)

// Population returns what must be known of the plan's table to weigh pairs of a
// few of its records, and of records that come to them, as if all were at hand.
func (p *Plan) Population() *record.Population {
	var counts []record.Counts
	for _, c := range p.Comparisons {
		if k, ok := c.(comparison.Counting); ok {
			counts = append(counts, k.Counts()...)
		}
		levels, ok := c.(*comparison.LevelsComparison)
		if !ok {
			continue
		}
		for l := range c.Levels() {
			if tf := levels.TermFrequency(l); tf != nil {
				var filled record.Counter
				filled.Add("", uint32(filledRecords(tf.Column)))
				counts = append(counts, filled.Counts(filledColumn(tf.Column)))
			}
		}
	}
	for _, c := range p.Table.Columns {
		if c.Field == record.Text || c.Field == record.Organization {
			counts = append(counts, comparison.WordTexts(c))
		}
	}
	return record.NewPopulation(uint32(p.Table.Len()), counts)
}
