package comparison

import (
	"math/bits"

	"sama/record"
)

// Levels of a date. Dates are packed as eight 4-bit digits, YYYYMMDD; a part
// that is unknown is all zeros and compares with nothing.
const (
	dateNull = iota
	dateEqual
	dateEqualCommon // 1 January, or a date that very many records carry
	dateYearOnly    // the known parts are equal, day or month unknown on one side
	dateNewYear     // same year, one side says 1 January
	dateOneDigit    // one digit, two neighbouring digits swapped, or day and month swapped
	dateTwoParts    // two of year, month and day are equal
	dateTwoDigits
	dateOnePart
	dateDiffers
	dateLevels
)

// dateComparison compares dates digit by digit and part by part.
type dateComparison struct {
	name   string
	column *record.Column
	slot   int
	common map[uint32]bool // packed dates that too many records carry
	levels []Level
}

// NewDate returns the comparison of a column of dates in normal form YYYYMMDD.
func NewDate(l *Layout, c *record.Column) Comparison {
	packed := make([]uint32, c.Normal.Len())
	d := &dateComparison{name: c.Name, column: c, common: make(map[uint32]bool)}
	filled, distinct := 0, 0
	for code := 1; code < len(packed); code++ {
		if c.Generic == nil || !c.Generic[code] {
			packed[code] = packDate(c.Normal.At(uint32(code)))
		}
		filled += int(c.Count[code])
		distinct++
	}
	for code := 1; code < len(packed); code++ {
		// A date carried ten times as often as the average date, and by a
		// thousandth of the records, is likelier a default than a birthday.
		n := int(c.Count[code])
		common := n*distinct > 10*filled && n > 5 && n*1000 > filled
		if l.Whole != nil {
			common = l.Whole.Count(commonDates(c), c.Normal.At(uint32(code))) > 0
		}
		if common || packed[code]&0xffff == 0x0101 {
			d.common[packed[code]] = true
		}
	}
	slot := make([]uint32, len(c.Code))
	for i, code := range c.Code {
		slot[i] = packed[code]
	}
	d.slot = l.Slot(slot)
	same, differs := OtherSame, OtherDiffers
	agree, contra := 1.0, 0.7
	if c.Field == record.BirthDate {
		same, differs, agree, contra = BirthSame, BirthDiffers, 1.5, 1.2
	}
	d.levels = []Level{
		{Label: "missing"},
		{Label: "equal", Agree: agree, M: 0.80, Traits: same},
		{Label: "equal, a common date", Agree: 0.7 * agree, M: 0.04, Traits: same},
		{Label: "equal as far as known", Agree: 0.5 * agree, M: 0.01, Traits: same},
		{Label: "same year, one side 1 January", Agree: 0.3 * agree, M: 0.02, Traits: same},
		{Label: "one digit or a swap apart", Agree: 0.8 * agree, M: 0.06, Traits: same},
		{Label: "two parts of three equal", Agree: 0.5 * agree, M: 0.03},
		{Label: "two digits apart", Agree: 0.2 * agree, M: 0.01, Contra: 0.3 * contra},
		{Label: "one part of three equal", Contra: contra, M: 0.015, Traits: differs},
		{Label: "differ", Contra: contra, M: 0.015, Traits: differs},
	}
	return d
}

// packDate packs eight digits into 32 bits, 0 if there are not eight.
func packDate(s string) uint32 {
	if len(s) != 8 {
		return 0
	}
	var v uint32
	for i := range 8 {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		v = v<<4 | uint32(s[i]-'0')
	}
	return v
}

// Counts implements [Counting].
func (d *dateComparison) Counts() []record.Counts {
	var c record.Counter
	for code := 1; code < d.column.Normal.Len(); code++ {
		text := d.column.Normal.At(uint32(code))
		if packed := packDate(text); packed&0xffff != 0x0101 && d.common[packed] {
			c.Add(text, 1)
		}
	}
	return []record.Counts{c.Counts(commonDates(d.column))}
}

func (d *dateComparison) Name() string    { return d.name }
func (d *dateComparison) Levels() []Level { return d.levels }

// Columns implements Comparison.
func (d *dateComparison) Columns() []*record.Column { return []*record.Column{d.column} }

func (d *dateComparison) Compare(_ *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	for i, p := range pairs {
		a, b := rows.Of(p.A)[d.slot], rows.Of(p.B)[d.slot]
		switch {
		case a == 0 || b == 0:
			out[i][index] = dateNull
		case a == b:
			out[i][index] = dateEqual
			if d.common[a] {
				out[i][index] = dateEqualCommon
			}
		default:
			out[i][index] = compareDates(a, b)
		}
	}
}

// compareDates returns the level of two different packed dates.
func compareDates(a, b uint32) uint8 {
	x := a ^ b
	known := uint32(0xffffffff)
	for _, part := range [3]uint32{0xffff0000, 0xff00, 0xff} {
		if a&part == 0 || b&part == 0 {
			known &^= part
		}
	}
	switch {
	case known == 0:
		return dateNull
	case x&known == 0:
		return dateYearOnly
	}
	digits := bits.OnesCount32((x | x>>1 | x>>2 | x>>3) & 0x11111111)
	sameYear, sameMonth, sameDay := x>>16 == 0, x&0xff00 == 0, x&0xff == 0
	switch {
	case sameYear && (a&0xffff == 0x0101 || b&0xffff == 0x0101):
		return dateNewYear
	case digits == 1, digits == 2 && swapped(a, b), sameYear && a&0xff == b>>8&0xff && b&0xff == a>>8&0xff:
		return dateOneDigit
	case sameYear && sameMonth, sameYear && sameDay, sameMonth && sameDay:
		return dateTwoParts
	case digits == 2:
		return dateTwoDigits
	case sameYear, sameMonth && sameDay:
		return dateOnePart
	}
	return dateDiffers
}

// swapped says whether two dates that differ in two digits differ by a swap of
// neighbours.
func swapped(a, b uint32) bool {
	for shift := 0; shift < 28; shift += 4 {
		if a>>shift&0xff == b>>(shift+4)&0xf|(b>>shift&0xf)<<4 && (a^b)&^(0xff<<shift) == 0 {
			return true
		}
	}
	return false
}
