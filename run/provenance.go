package run

import "sama/run/columns"

// provenance has one row a golden value, in the order of golden.parquet and then
// its columns: the record it comes from, the rule that chose it, and the values
// that lost.
func (l *layout) provenance() table {
	values := newChain(l)
	total, lost := 0, 0
	for f, g := range l.Golden {
		for id := range g.Chosen {
			if l.value(f, uint32(id)) != 0 {
				total++
			}
		}
		lost += len(g.Losing)
	}
	p := provenanceCodes{
		identity: make([]uint32, 0, total), field: make([]uint32, 0, total), value: make([]uint32, 0, total),
		record: make([]uint32, 0, total), rule: make([]uint32, 0, total), start: make([]uint32, 1, total+1),
		lostValue: make([]uint32, 0, lost), lostRecord: make([]uint32, 0, lost), lostCount: make([]uint32, 0, lost),
	}
	for row, id := range l.order {
		for f := range l.Golden {
			if l.value(f, id) != 0 {
				p.add(l, values, uint32(row), id, f)
			}
		}
	}
	return table{len(p.identity), p.columns(l, values)}
}

// value returns the raw code of an identity's golden value in column f, 0 for
// null.
func (l *layout) value(f int, id uint32) uint32 {
	r := l.Golden[f].Chosen[id]
	if r == NoRecord {
		return 0
	}
	return l.Table.Columns[f].Raw[r]
}

// provenanceCodes are the columns of provenance.parquet while they grow.
type provenanceCodes struct {
	identity, field, value, record, rule, start []uint32
	lostValue, lostRecord, lostCount            []uint32
	mostLost                                    uint32
}

// add appends the row of one golden value.
func (p *provenanceCodes) add(l *layout, values *chain, row, id uint32, f int) {
	g, col := &l.Golden[f], l.Table.Columns[f]
	r := g.Chosen[id]
	p.identity = append(p.identity, row)
	p.field = append(p.field, uint32(f))
	p.value = append(p.value, values.code(f, col.Raw[r]))
	p.record = append(p.record, r)
	p.rule = append(p.rule, uint32(g.Rule[id]))
	if g.LosingStart != nil {
		for _, lost := range g.Losing[g.LosingStart[id]:g.LosingStart[id+1]] {
			p.lostValue = append(p.lostValue, values.code(f, col.Raw[lost.Record]))
			p.lostRecord = append(p.lostRecord, lost.Record)
			p.lostCount = append(p.lostCount, lost.Records)
			p.mostLost = max(p.mostLost, lost.Records)
		}
	}
	p.start = append(p.start, uint32(len(p.lostValue)))
}

// columns returns the file's columns.
func (p *provenanceCodes) columns(l *layout, values *chain) []columns.Column {
	winner := l.sourceAndID("source", "record_id", p.record, columns.NoNulls)
	loser := l.sourceAndID("source", "record_id", p.lostRecord, columns.NoNulls)
	cols := []columns.Column{
		text("identity_id", p.identity, l.ids, columns.NoNulls),
		text("field", p.field, columns.List(l.names), columns.NoNulls),
		text("value", p.value, values, columns.NoNulls),
		winner[0],
		winner[1],
		text("rule", p.rule, columns.List(l.RuleNames), columns.NoNulls),
		{
			Leaf:   columns.Leaf{Name: "losing"},
			Starts: p.start,
			Elements: []columns.Leaf{
				{Name: "value", Codes: p.lostValue, Texts: values},
				loser[0].Leaf,
				loser[1].Leaf,
				{Name: "records", Kind: columns.Int, Codes: p.lostCount, Ints: upTo(p.mostLost)},
			},
		},
	}
	return cols
}

// chain is the raw values of all columns of the table, one behind the other.
type chain struct {
	texts []columns.Texts
	base  []uint32 // column → code of its code 0; one more at the end
	hint  []uint16 // code/hintStep → the column of the first code there
}

// hintStep is how many codes share a hint.
const hintStep = 1 << 12

func newChain(l *layout) *chain {
	c := &chain{texts: l.raw, base: make([]uint32, 1)}
	for i, t := range l.raw {
		c.base = append(c.base, c.base[i]+uint32(t.Len()))
	}
	column := uint16(0)
	for code := 0; code < c.Len(); code += hintStep {
		for c.base[column+1] <= uint32(code) {
			column++
		}
		c.hint = append(c.hint, column)
	}
	return c
}

// code returns the chain's code of a column's raw code.
func (c *chain) code(column int, raw uint32) uint32 { return c.base[column] + raw }

// Len returns the number of values.
func (c *chain) Len() int { return int(c.base[len(c.base)-1]) }

// At returns the value of that code.
func (c *chain) At(code uint32) string {
	column := c.hint[code/hintStep]
	for c.base[column+1] <= code {
		column++
	}
	return c.texts[column].At(code - c.base[column])
}
