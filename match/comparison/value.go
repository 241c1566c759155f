package comparison

import (
	"fmt"
	"math"
	"strconv"

	"sama/match/strsim"
	"sama/record"
)

// valueCuts are in ln of a value's share of the records.
var valueCuts = []float64{-8, -6, -4, -2}

// valueComparison compares one column whose values are short strings: equal in
// bands of frequency, then less and less alike.
type valueComparison struct {
	name   string
	column *record.Column
	slot   int
	logs   []float32
	ln     float64
	rank   func(c *record.Column, x, y uint32) uint8 // two different values: 0 = nearest
	levels []Level
}

// valueKind describes how values of a kind of column differ.
type valueKind struct {
	rank          func(c *record.Column, x, y uint32) uint8
	labels        []string
	m, agree      []float64 // equal first, then the labels
	contra        float64
	same, differs Traits
}

var (
	wordKind = valueKind{rankWord, []string{"nearly equal", "alike", "differ"},
		[]float64{0.78, 0.08, 0.03, 0.11}, []float64{0.5, 0.4, 0.1, 0}, 0.3, OtherSame, OtherDiffers}
	codeKind = valueKind{rankCode, []string{"one character off", "begin with the same three", "begin with the same two", "differ"},
		[]float64{0.80, 0.06, 0.03, 0.03, 0.08}, []float64{0.5, 0.4, 0.1, 0, 0}, 0.4, OtherSame, OtherDiffers}
	identifierKind = valueKind{rankIdentifier, []string{"one edit apart", "two edits apart", "differ"},
		[]float64{0.88, 0.05, 0.01, 0.06}, []float64{1.5, 1.2, 0.4, 0}, 0.7, IdentifierSame, OtherDiffers}
	categoryKind = valueKind{rankWord, []string{"nearly equal", "alike", "differ"},
		[]float64{0.90, 0.01, 0.01, 0.08}, []float64{0.1, 0.1, 0, 0}, 0.4, 0, OtherDiffers}
	numberKind = valueKind{rankNumber, []string{"within 1 %", "within 3 %", "within 10 %", "within 30 %", "differ"},
		[]float64{0.70, 0.08, 0.05, 0.05, 0.04, 0.08}, []float64{0.5, 0.3, 0.2, 0.1, 0, 0}, 0.4, OtherSame, OtherDiffers}
)

// NewValue returns the comparison of one column by the kind of its field.
func NewValue(l *Layout, column *record.Column) Comparison {
	kind := wordKind
	switch column.Field {
	case record.PostalCode, record.HouseNumber, record.Unit:
		kind = codeKind
	case record.BusinessID:
		kind = identifierKind
		kind.contra = 1.3 // a firm has one for life
	case record.NationalID, record.VehicleReg, record.Identifier:
		kind = identifierKind
	case record.Gender, record.Category, record.Region, record.Country:
		kind = categoryKind
	case record.Number:
		kind = numberKind
	}
	c := &valueComparison{name: column.Name, column: column, slot: l.Slot(withoutGeneric(column)), rank: kind.rank}
	filled := l.records(column) - int(column.Count[0])
	c.ln = math.Log(float64(max(1, filled)))
	c.logs = make([]float32, len(column.Count))
	for code, n := range column.Count {
		c.logs[code] = float32(math.Log(float64(max(1, n))))
	}
	c.levels = append(c.levels, Level{Label: "missing"})
	bands := len(valueCuts) + 1
	for b := range bands {
		c.levels = append(c.levels, Level{Label: fmt.Sprintf("equal, frequency band %d of %d", b+1, bands),
			Agree: kind.agree[0], M: kind.m[0] / float64(bands), Traits: kind.same})
	}
	for i, label := range kind.labels {
		level := Level{Label: label, Agree: kind.agree[i+1], M: kind.m[i+1]}
		if i == len(kind.labels)-1 {
			level.Contra, level.Traits = kind.contra, kind.differs
		}
		c.levels = append(c.levels, level)
	}
	return c
}

func (c *valueComparison) Name() string    { return c.name }
func (c *valueComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *valueComparison) Columns() []*record.Column { return []*record.Column{c.column} }

func (c *valueComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	m := s.memo(c)
	for i, p := range pairs {
		x, y := rows.Of(p.A)[c.slot], rows.Of(p.B)[c.slot]
		switch {
		case x == 0 || y == 0:
			out[i][index] = 0
		case x == y:
			out[i][index] = 1 + uint8(band(float64(c.logs[x])-c.ln, valueCuts))
		default:
			entry, key, level, ok := m.find(x, y)
			if !ok {
				level = uint8(len(valueCuts)+2) + c.rank(c.column, min(x, y), max(x, y))
				m.put(entry, key, level)
			}
			out[i][index] = level
		}
	}
}

func rankWord(c *record.Column, x, y uint32) uint8 {
	if nearText(c, x, y) {
		return 0
	}
	if c.Sound != nil && c.Sound[x] != 0 && c.Sound[x] == c.Sound[y] || strsim.JaroWinkler(c.Normal.At(x), c.Normal.At(y)) >= 0.84 {
		return 1
	}
	return 2
}

func rankCode(c *record.Column, x, y uint32) uint8 {
	a, b := c.Normal.At(x), c.Normal.At(y)
	switch {
	case strsim.OSAWithin(a, b, 1) && max(len(a), len(b)) > 1:
		return 0
	case samePrefix(a, b, 3):
		return 1
	case samePrefix(a, b, 2):
		return 2
	}
	return 3
}

func samePrefix(a, b string, n int) bool {
	return len(a) >= n && len(b) >= n && a[:n] == b[:n]
}

func rankIdentifier(c *record.Column, x, y uint32) uint8 {
	a, b := c.Normal.At(x), c.Normal.At(y)
	switch {
	case strsim.OSAWithin(a, b, 1):
		return 0
	case strsim.OSAWithin(a, b, 2):
		return 1
	}
	return 2
}

func rankNumber(c *record.Column, x, y uint32) uint8 {
	a, errA := strconv.ParseFloat(c.Normal.At(x), 64)
	b, errB := strconv.ParseFloat(c.Normal.At(y), 64)
	if errA != nil || errB != nil {
		return 4
	}
	d := math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
	for i, cut := range []float64{0.01, 0.03, 0.10, 0.30} {
		if d <= cut {
			return uint8(i)
		}
	}
	return 4
}
