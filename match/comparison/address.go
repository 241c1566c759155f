package comparison

import (
	"sama/match/strsim"
	"sama/record"
)

// Levels of a whole address, most agreement first.
const (
	addressNull           = iota
	addressAll            // street, number, flat and postal code
	addressNoFlat         // street, number and postal code; flat unknown on a side
	addressMoved          // street, number and flat; postal code unknown or not equal
	addressHouse          // street, number and postal code; flats differ
	addressHouseOnly      // street and number; postal code unknown
	addressHouseElsewhere // street and number; postal codes differ
	addressNear           // street nearly, number and postal code
	addressNearElsewhere  // street nearly and number
	addressStreetArea     // street and postal code; numbers differ or are unknown
	addressStreetCity     // street and city
	addressStreet         // street only
	addressNumberArea     // number and postal code; streets differ
	addressNearArea       // street nearly and postal code; numbers differ
	addressArea           // postal code; a street is unknown
	addressAreaOnly       // postal code; streets differ
	addressCity           // city, and the postal codes begin alike
	addressCityOnly       // city
	addressDigits3        // postal codes share three digits
	addressDigits2
	addressDigits1
	addressDiffers
	addressLevels
)

// How far two values of an address part agree.
const (
	partNull = iota
	partEqual
	partNear
	partDiffers
)

// addressComparison compares street, number, flat, postal code and city
// together, because people who share one of them share the others.
type addressComparison struct {
	street, house, unit, postal, city *record.Column
	sstreet, shouse, sunit            int
	spostal, scity                    int
	levels                            []Level
}

// NewAddress returns the joint comparison of the address parts, or nil if the
// table has fewer than two of them.
func NewAddress(l *Layout, t *record.Table) Comparison {
	c := &addressComparison{}
	parts := 0
	slot := func(f record.Field) (*record.Column, int) {
		column := t.Column(f)
		if column == nil {
			return nil, -1
		}
		parts++
		return column, l.Slot(withoutGeneric(column))
	}
	c.street, c.sstreet = slot(record.Street)
	c.house, c.shouse = slot(record.HouseNumber)
	c.unit, c.sunit = slot(record.Unit)
	c.postal, c.spostal = slot(record.PostalCode)
	c.city, c.scity = slot(record.City)
	if parts < 2 || c.street == nil && c.postal == nil {
		return nil
	}
	c.levels = addressLevelTable()
	return c
}

func addressLevelTable() []Level {
	shared := func(label string, agree, m float64) Level {
		return Level{Label: label, Agree: agree, M: m, Traits: ContactShared}
	}
	return []Level{
		addressNull:           {Label: "missing"},
		addressAll:            shared("street, number, flat and postal code equal", 1, 0.25),
		addressNoFlat:         shared("street, number and postal code equal, flat missing", 1, 0.20),
		addressMoved:          shared("street, number and flat equal", 1, 0.03),
		addressHouse:          shared("street, number and postal code equal, flats differ", 0.8, 0.02),
		addressHouseOnly:      shared("street and number equal, postal code missing", 0.9, 0.03),
		addressHouseElsewhere: shared("street and number equal, postal codes differ", 0.8, 0.02),
		addressNear:           shared("street nearly equal, number and postal code equal", 0.9, 0.04),
		addressNearElsewhere:  shared("street nearly equal, number equal", 0.7, 0.01),
		addressStreetArea:     {Label: "street and postal code equal, numbers differ", Agree: 0.6, M: 0.02},
		addressStreetCity:     {Label: "street and city equal", Agree: 0.5, M: 0.01},
		addressStreet:         {Label: "street equal", Agree: 0.2, M: 0.01},
		addressNumberArea:     {Label: "number and postal code equal, streets differ", Agree: 0.4, M: 0.01},
		addressNearArea:       {Label: "street nearly and postal code equal, numbers differ", Agree: 0.5, M: 0.01},
		addressArea:           {Label: "postal code equal, street missing", Agree: 0.4, M: 0.03},
		addressAreaOnly:       {Label: "postal code equal, streets differ", Agree: 0.2, M: 0.03, Traits: ContactDiffers},
		addressCity:           {Label: "city equal, postal codes begin alike", M: 0.04, Contra: 0.2, Traits: ContactDiffers},
		addressCityOnly:       {Label: "city equal", M: 0.05, Contra: 0.3, Traits: ContactDiffers},
		addressDigits3:        {Label: "postal codes share three digits", M: 0.02, Contra: 0.4, Traits: ContactDiffers},
		addressDigits2:        {Label: "postal codes share two digits", M: 0.03, Contra: 0.5, Traits: ContactDiffers},
		addressDigits1:        {Label: "postal codes share one digit", M: 0.04, Contra: 0.5, Traits: ContactDiffers},
		addressDiffers:        {Label: "differ", M: 0.10, Contra: 0.5, Traits: ContactDiffers},
	}
}

func (c *addressComparison) Name() string    { return "address" }
func (c *addressComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *addressComparison) Columns() []*record.Column {
	var columns []*record.Column
	for _, column := range []*record.Column{c.street, c.house, c.unit, c.postal, c.city} {
		if column != nil {
			columns = append(columns, column)
		}
	}
	return columns
}

func (c *addressComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	streets, cities := s.memo(c), s.memo2(c)
	for i, p := range pairs {
		a, b := rows.Of(p.A), rows.Of(p.B)
		street := stringPart(streets, c.street, c.sstreet, a, b)
		city := stringPart(cities, c.city, c.scity, a, b)
		house := exactPart(c.shouse, a, b)
		unit := exactPart(c.sunit, a, b)
		postal := exactPart(c.spostal, a, b)
		level := addressOf(street, house, unit, postal, city)
		if level == addressDiffers && postal == partDiffers {
			level = c.digits(a[c.spostal], b[c.spostal])
		}
		out[i][index] = level
	}
}

// addressOf returns the level for the agreement of the parts.
func addressOf(street, house, unit, postal, city int) uint8 {
	sameHouse := house == partEqual
	switch {
	case street == partNull && postal == partNull && city == partNull:
		return addressNull
	case street == partEqual && sameHouse:
		return sameHouseLevel(unit, postal)
	case street == partNear && sameHouse && postal == partEqual:
		return addressNear
	case street == partNear && sameHouse && postal != partDiffers:
		return addressNearElsewhere
	case street == partEqual && postal == partEqual:
		return addressStreetArea
	case street == partEqual && city == partEqual:
		return addressStreetCity
	case street == partEqual:
		return addressStreet
	case street == partNear && postal == partEqual:
		return addressNearArea
	case street == partDiffers && sameHouse && postal == partEqual:
		return addressNumberArea
	case street == partNull && postal == partEqual:
		return addressArea
	case postal == partEqual:
		return addressAreaOnly
	case street == partNull && postal == partNull && city == partDiffers:
		return addressDiffers
	case city == partEqual || city == partNear:
		return addressCityOnly
	}
	return addressDiffers
}

func sameHouseLevel(unit, postal int) uint8 {
	switch {
	case postal == partEqual && unit == partEqual:
		return addressAll
	case postal == partEqual && unit == partDiffers:
		return addressHouse
	case postal == partEqual:
		return addressNoFlat
	case unit == partEqual:
		return addressMoved
	case postal == partNull:
		return addressHouseOnly
	}
	return addressHouseElsewhere
}

// digits returns the level of two addresses that share at most the beginning
// of the postal code.
func (c *addressComparison) digits(x, y uint32) uint8 {
	a, b := c.postal.Normal.At(x), c.postal.Normal.At(y)
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	switch {
	case n >= 3:
		return addressDigits3
	case n == 2:
		return addressDigits2
	case n == 1:
		return addressDigits1
	}
	return addressDiffers
}

func exactPart(slot int, a, b []uint32) int {
	if slot < 0 || a[slot] == 0 || b[slot] == 0 {
		return partNull
	}
	if a[slot] == b[slot] {
		return partEqual
	}
	return partDiffers
}

func stringPart(m *memo, column *record.Column, slot int, a, b []uint32) int {
	part := exactPart(slot, a, b)
	if part != partDiffers {
		return part
	}
	x, y := a[slot], b[slot]
	entry, key, level, ok := m.find(x, y)
	if !ok {
		level = partDiffers
		if nearText(column, min(x, y), max(x, y)) {
			level = partNear
		}
		m.put(entry, key, level)
	}
	return int(level)
}

// nearText says whether two different values are one typing error apart, or
// long and alike.
func nearText(c *record.Column, x, y uint32) bool {
	a, b := c.Normal.At(x), c.Normal.At(y)
	return squeezedEqual(a, b) ||
		len(a) > 3 && len(b) > 3 && (strsim.OSAWithin(a, b, 1) || max(len(a), len(b)) > 7 && strsim.OSAWithin(a, b, 2)) ||
		strsim.JaroWinkler(a, b) >= 0.93
}
