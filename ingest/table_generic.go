package ingest

import (
	"cmp"
	"fmt"
	"slices"

	"sama/ingest/normalize"
	"sama/record"
)

// Limits of the learned junk: a contact that more names share is generic.
const (
	genericSurnames = 5 // more distinct surnames on one e-mail or phone
	genericGivens   = 6 // this many distinct given names, where there are no surnames
)

// markGeneric marks the values that name nobody in particular: placeholder
// names, addresses of desks, contacts shared by too many names, dates that
// forms fill in.
func (b *builder) markGeneric(t *record.Table) {
	given, family := t.Column(record.GivenName), t.Column(record.FamilyName)
	b.markJunkNames(t, given, family)
	for _, c := range t.Columns {
		switch c.Field {
		case record.Email, record.Phone:
			b.markShared(c, given, family)
		case record.BirthDate:
			b.markDates(c)
		}
	}
	slices.SortStableFunc(b.report.Generic, func(x, y GenericValue) int {
		return cmp.Or(cmp.Compare(x.Column, y.Column), cmp.Compare(y.Records, x.Records), cmp.Compare(x.Value, y.Value))
	})
}

// generic marks one normal form of a column.
func (b *builder) generic(c *record.Column, code uint32, reason string) {
	if c.Generic == nil {
		c.Generic = make([]bool, c.Normal.Len())
	}
	if !c.Generic[code] {
		c.Generic[code] = true
		b.report.Generic = append(b.report.Generic, GenericValue{Column: c.Name, Value: c.Normal.At(code), Records: int(c.Count[code]), Reason: reason})
	}
}

// markJunkNames marks names that occur mostly in placeholder persons such as
// "testi asiakas".
func (b *builder) markJunkNames(t *record.Table, given, family *record.Column) {
	if given == nil || family == nil {
		return
	}
	junkGiven, junkFamily := make([]uint32, len(given.Count)), make([]uint32, len(family.Count))
	for i := range t.Len() {
		g, f := given.Code[i], family.Code[i]
		if g+f > 0 && normalize.JunkName(given.Normal.At(g), family.Normal.At(f)) {
			junkGiven[g]++
			junkFamily[f]++
		}
	}
	for _, col := range []struct {
		c    *record.Column
		junk []uint32
	}{{given, junkGiven}, {family, junkFamily}} {
		for code := 1; code < len(col.junk); code++ {
			if n := col.junk[code]; n > 0 && 2*n > col.c.Count[code] {
				b.generic(col.c, uint32(code), "placeholder name")
			}
		}
	}
}

// markShared marks contacts that too many different names share, and e-mail
// addresses of desks.
func (b *builder) markShared(c, given, family *record.Column) {
	if c.Field == record.Email {
		for code := 1; code < len(c.Count); code++ {
			if c.Count[code] > 1 && normalize.RoleEmail(c.Normal.At(uint32(code))) {
				b.generic(c, uint32(code), "address of a desk")
			}
		}
	}
	names, limit, what := family, genericSurnames+1, "different surnames"
	if names == nil {
		names, limit, what = given, genericGivens, "different given names"
	}
	if names == nil {
		return
	}
	for code, records := range holders(c, limit) {
		var codes []uint32
		for _, i := range records {
			if n := names.Code[i]; n > 0 {
				codes = append(codes, n)
			}
		}
		slices.Sort(codes)
		if n := differentNames(names, slices.Compact(codes), limit); n >= limit {
			b.generic(c, uint32(code), fmt.Sprintf("shared by at least %d %s", n, what))
		}
	}
}

// differentNames counts names that are no misspellings of one counted before,
// up to limit: six ways to misspell a surname are one person, not six.
func differentNames(names *record.Column, codes []uint32, limit int) int {
	var counted []string
	for _, code := range codes {
		name := names.Normal.At(code)
		if !slices.ContainsFunc(counted, func(c string) bool { return normalize.Misspelt(c, name) }) {
			if counted = append(counted, name); len(counted) == limit {
				break
			}
		}
	}
	return len(counted)
}

// holders lists the records of every normal form that at least least hold.
func holders(c *record.Column, least int) [][]uint32 {
	held := make([][]uint32, len(c.Count))
	for i, code := range c.Code {
		if code > 0 && int(c.Count[code]) >= least {
			held[code] = append(held[code], uint32(i))
		}
	}
	return held
}

// markDates marks dates that forms fill in by themselves (1 January of a round
// year) where they are much more frequent than the dates around them.
func (b *builder) markDates(c *record.Column) {
	filled := 0
	for _, n := range c.Count[1:] {
		filled += int(n)
	}
	distinct := len(c.Count) - 1
	if distinct < 50 {
		return
	}
	usual := float64(filled) / float64(distinct)
	for code := 1; code < len(c.Count); code++ {
		d := c.Normal.At(uint32(code))
		n := float64(c.Count[code])
		if normalize.TypicalPlaceholderDate(d) && n >= 5 && n > 2.5*usual && n > yearlyFirst(c, d)*2 {
			b.generic(c, uint32(code), "placeholder date")
		}
	}
}

// yearlyFirst is the mean number of records with 1 January of the years around
// that of d: in some registers an unknown day is always 1 January.
func yearlyFirst(c *record.Column, d string) float64 {
	year := int(d[0]-'0')*1000 + int(d[1]-'0')*100 + int(d[2]-'0')*10 + int(d[3]-'0')
	sum := 0.0
	for code := 1; code < len(c.Count); code++ {
		x := c.Normal.At(uint32(code))
		if x[4:] != "0101" || x == d {
			continue
		}
		y := int(x[0]-'0')*1000 + int(x[1]-'0')*100 + int(x[2]-'0')*10 + int(x[3]-'0')
		if y >= year-5 && y <= year+5 && !normalize.TypicalPlaceholderDate(x) {
			sum += float64(c.Count[code])
		}
	}
	return sum / 10
}
