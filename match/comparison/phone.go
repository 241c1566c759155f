package comparison

import (
	"sama/match/strsim"
	"sama/record"
)

// Levels of a phone number.
const (
	phoneNull     = iota
	phoneEqualOne // equal, one given name uses it
	phoneEqualTwo
	phoneEqualMany
	phoneOff1 // one digit off, or two neighbours swapped
	phoneOff2
	phoneOff4
	phoneOff6
	phoneDiffer
	phoneLevels
)

// phoneComparison compares phone numbers: the best agreement of any number of
// one side with any number of the other.
type phoneComparison struct {
	columns []*record.Column
	slots   []int
	all     record.Strings // code over all columns → number
	users   []uint8
	levels  []Level
}

// NewPhone returns the comparison of all phone columns together, or nil.
func NewPhone(l *Layout, t *record.Table) Comparison {
	columns := t.All(record.Phone)
	if len(columns) == 0 {
		return nil
	}
	c := &phoneComparison{columns: columns}
	merged, ok := mergeColumns(columns)
	if !ok {
		return nil
	}
	c.all = merged.Normal
	given := t.Column(record.GivenName)
	c.users = make([]uint8, c.all.Len())
	for _, codes := range merged.codes {
		c.slots = append(c.slots, l.Slot(codes))
		part := &record.Column{Code: codes, Normal: merged.Normal, Count: merged.Count}
		for code, n := range userCounts(l, phoneUsers, part, given) {
			c.users[code] = max(c.users[code], n)
		}
	}
	c.levels = []Level{
		phoneNull:      {Label: "missing"},
		phoneEqualOne:  {Label: "equal, used by one given name", Agree: 1, M: 0.66, Traits: ContactShared},
		phoneEqualTwo:  {Label: "equal, used by two given names", Agree: 0.7, M: 0.06, Traits: ContactShared},
		phoneEqualMany: {Label: "equal, used by several given names", Agree: 0.4, M: 0.03, Traits: ContactShared},
		phoneOff1:      {Label: "one digit off", Agree: 0.8, M: 0.04},
		phoneOff2:      {Label: "two digits off", Agree: 0.4, M: 0.02},
		phoneOff4:      {Label: "three or four digits off", M: 0.02, Contra: 0.3},
		phoneOff6:      {Label: "five or six digits off", M: 0.07, Contra: 0.5, Traits: ContactDiffers},
		phoneDiffer:    {Label: "differ", M: 0.10, Contra: 0.5, Traits: ContactDiffers},
	}
	return c
}

// merged is several columns of one field under one numbering of values.
type merged struct {
	Normal record.Strings
	Count  []uint32
	codes  [][]uint32 // column → record → code, generic values null
}

// mergeColumns numbers the values of several columns together; ok is false if
// their text is too much for one list.
func mergeColumns(columns []*record.Column) (*merged, bool) {
	m := new(merged)
	if len(columns) == 1 {
		c := columns[0]
		return &merged{Normal: c.Normal, Count: c.Count, codes: [][]uint32{withoutGeneric(c)}}, true
	}
	var in record.Interner
	maps := make([][]uint32, len(columns))
	for i, c := range columns {
		maps[i] = make([]uint32, c.Normal.Len())
		for code := range maps[i] {
			if c.Generic == nil || !c.Generic[code] {
				maps[i][code] = in.Code(c.Normal.At(uint32(code)))
			}
		}
	}
	m.Count = make([]uint32, in.Len())
	for i, c := range columns {
		codes := make([]uint32, len(c.Code))
		for r, code := range c.Code {
			codes[r] = maps[i][code]
			m.Count[codes[r]]++
		}
		m.codes = append(m.codes, codes)
	}
	var err error
	m.Normal, err = in.Strings()
	return m, err == nil
}

// Counts implements [Counting].
func (c *phoneComparison) Counts() []record.Counts {
	return []record.Counts{usersCounted(phoneUsers, c.users, &c.all)}
}

func (c *phoneComparison) Name() string    { return "phone" }
func (c *phoneComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *phoneComparison) Columns() []*record.Column { return c.columns }

func (c *phoneComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	for i, p := range pairs {
		a, b := rows.Of(p.A), rows.Of(p.B)
		best := uint8(phoneNull)
		for _, sa := range c.slots {
			for _, sb := range c.slots {
				x, y := a[sa], b[sb]
				if x == 0 || y == 0 {
					continue
				}
				if level := c.compare(x, y); best == phoneNull || level < best {
					best = level
				}
			}
		}
		out[i][index] = best
	}
}

func (c *phoneComparison) compare(x, y uint32) uint8 {
	if x == y {
		switch n := c.users[x]; {
		case n <= 1:
			return phoneEqualOne
		case n == 2:
			return phoneEqualTwo
		}
		return phoneEqualMany
	}
	off := digitsOff(c.all.At(x), c.all.At(y))
	switch {
	case off <= 1:
		return phoneOff1
	case off == 2:
		return phoneOff2
	case off <= 4:
		return phoneOff4
	case off <= 6:
		return phoneOff6
	}
	return phoneDiffer
}

// digitsOff counts the places in which two numbers of one length differ, a
// swap of neighbours as one; numbers of different length are compared by edit
// distance, at most 8.
func digitsOff(a, b string) int {
	if len(a) != len(b) {
		if strsim.OSAWithin(a, b, 1) {
			return 1
		}
		if strsim.OSAWithin(a, b, 2) {
			return 2
		}
		return 8
	}
	off := 0
	for i := 0; i < len(a); i++ {
		if a[i] == b[i] {
			continue
		}
		off++
		if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] {
			i++
		}
	}
	if off > 2 && strsim.OSAWithin(a, b, 2) {
		return 2
	}
	return off
}
