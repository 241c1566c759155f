package match

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"sama/record"
)

// maxCopies is how many records that are equal in all that is compared take
// part in blocking and training.
const maxCopies = 5

// Copies says which records stand for others. Where more than maxCopies records
// are equal in all that the plan compares, only the first maxCopies of them are
// active: they are blocked, compared and trained on. The others are paired with
// the first. A value repeated a thousand times thus costs a thousand pairs, not
// half a million, and does not teach the model that equal records are common.
type Copies struct {
	Active []bool
	Pairs  []record.Pair // the first copy with each that is not active
}

// Copies finds the records that are equal in all that the plan compares.
// They are found once a plan; the first call must not be concurrent.
func (p *Plan) Copies() *Copies {
	if p.copies == nil {
		p.copies = p.findCopies()
	}
	return p.copies
}

func (p *Plan) findCopies() *Copies {
	n := p.Table.Len()
	c := &Copies{Active: make([]bool, n)}
	// The seed differs from run to run; it decides nothing, since records are
	// told apart by their values and met in order.
	seed := maphash.MakeSeed()
	type group struct {
		first uint32
		count int
	}
	groups := make(map[uint64][]group)
	key := make([]byte, 0, 4*p.rows.Stride)
	for i := range uint32(n) {
		key = key[:0]
		row := p.rows.Of(i)
		for _, slot := range row {
			key = binary.LittleEndian.AppendUint32(key, slot)
		}
		h := maphash.Bytes(seed, key)
		g := groups[h]
		at := slices.IndexFunc(g, func(g group) bool { return slices.Equal(p.rows.Of(g.first), row) })
		if at < 0 {
			groups[h] = append(g, group{i, 1})
			c.Active[i] = true
			continue
		}
		g[at].count++
		if g[at].count <= maxCopies {
			c.Active[i] = true
		} else {
			c.Pairs = append(c.Pairs, record.Pair{A: g[at].first, B: i})
		}
	}
	return c
}

// activeRecords returns the numbers of the active records.
func (c *Copies) activeRecords() []uint32 {
	var list []uint32
	for i, on := range c.Active {
		if on {
			list = append(list, uint32(i))
		}
	}
	return list
}
