package ingest

import (
	"cmp"
	"slices"
	"strings"

	"sama/record"
)

// refine looks at the columns of a source together: what one is depends on
// what the others are.
func (p *proposal) refine() {
	p.refineBirth()
	p.refineAddress()
	p.refineCity()
	p.refineNames()
	for _, c := range p.columns {
		if f := c.profile; c.role == role(record.Category) && f.distinct > 100 && f.unique() > 0.2 {
			c.set(role(record.Text), c.named, "many distinct values")
		}
		if c.profile.filled > 0 && c.profile.constant() && p.raw.Rows > 1 {
			switch c.role {
			case role(record.Text), role(record.Category), role(record.Number), role(record.Date), role(record.Identifier):
				c.set(RoleCarried, c.named, "one value only")
			}
		}
	}
}

// having returns the columns with one of the roles.
func (p *proposal) having(roles ...Role) []*candidate {
	var out []*candidate
	for _, c := range p.columns {
		if slices.Contains(roles, c.role) {
			out = append(out, c)
		}
	}
	return out
}

// called returns the column whose name is exactly one of the words.
func (p *proposal) called(words ...string) *candidate {
	for _, c := range p.columns {
		if slices.Contains(words, strings.Join(c.parts, "")) {
			return c
		}
	}
	return nil
}

// refineBirth finds the date of birth where no name says it: columns called
// day, month and year together, else the dates that reach over most years.
func (p *proposal) refineBirth() {
	if len(p.having(role(record.BirthDate), RoleBirthYear)) > 0 {
		return
	}
	day, month, year := p.called("day", "dd", "paiva", "dag", "tag"), p.called("month", "mm", "kuukausi", "manad", "monat"), p.called("year", "yyyy", "vuosi", "ar", "jahr")
	if day != nil && month != nil && year != nil && day.profile.integer > 0.6 && year.profile.integer > 0.6 {
		day.set(RoleBirthDay, true, "day, month and year together")
		month.set(RoleBirthMonth, true, "day, month and year together")
		year.set(RoleBirthYear, true, "day, month and year together")
		return
	}
	var best *candidate
	for _, c := range p.having(role(record.Date)) {
		if c.named || c.profile.time > 0.2 || yearSpan(c) < 40 || c.profile.fill() < 0.1 {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(c.profile.firstYear, best.profile.firstYear), compareColumnNames(c.Name, best.Name)) < 0 {
			best = c
		}
	}
	if best != nil {
		best.set(role(record.BirthDate), false, "values: dates over many years, the earliest")
		return
	}
	p.refineBirthParts()
}

// refineBirthParts finds columns of small numbers that can only be day, month
// and year.
func (p *proposal) refineBirthParts() {
	var day, month, year []*candidate
	for _, c := range p.having(role(record.Number), role(record.Category)) {
		switch f := c.profile; {
		case c.named || f.fill() < 0.1:
		case f.month >= 0.97 && f.distinct >= 10 && f.distinct <= 40:
			month = append(month, c)
		case f.day >= 0.97 && f.distinct >= 28 && f.distinct <= 60:
			day = append(day, c)
		case f.year >= 0.95 && f.distinct >= 30:
			year = append(year, c)
		}
	}
	if len(day) == 1 && len(month) == 1 && len(year) == 1 {
		day[0].set(RoleBirthDay, false, "values: days beside months and years")
		month[0].set(RoleBirthMonth, false, "values: months beside days and years")
		year[0].set(RoleBirthYear, false, "values: years beside days and months")
	}
}

// yearSpan is the number of years that the middle nine tenths of the dates cover.
func yearSpan(c *candidate) int { return c.profile.lastYear - c.profile.firstYear }

// refineAddress tells lines with house numbers from names of streets, and
// second lines that hold units or whole addresses from other texts.
func (p *proposal) refineAddress() {
	lines := p.having(RoleAddressLine, role(record.Street))
	slices.SortStableFunc(lines, func(a, b *candidate) int { return compareColumnNames(a.Name, b.Name) })
	numbers := len(p.having(role(record.HouseNumber))) > 0
	for i, c := range lines {
		if !c.named || c.profile.filled == 0 {
			continue
		}
		switch f := c.profile; {
		case f.streetNumber >= 0.2 && !(numbers && f.streetNumber < 0.5):
			c.set(RoleAddressLine, true, "name; streets with numbers")
		case i > 0 && f.unit >= 0.2:
			c.set(RoleAddressLine, true, "name; units")
		case c.role == role(record.Street) || i == 0 && f.street >= 0.2:
			c.set(role(record.Street), true, "name; streets")
		default:
			c.set(role(record.Text), true, "name says address, values are other texts")
		}
	}
	if len(p.having(RoleAddressLine)) > 0 {
		for _, c := range p.columns {
			if f := c.profile; !c.named && c.role == RoleCarried && (f.streetNumber >= 0.5 || f.unit >= 0.5) && f.distinct >= 20 {
				c.set(RoleAddressLine, false, "values: addresses beside another address line")
			}
		}
	}
	if numbers || len(p.having(role(record.Street))) == 0 {
		return
	}
	for _, c := range p.columns {
		if f := c.profile; !c.named && c.role == role(record.Number) && f.integer >= 0.8 && f.minInt >= 0 && f.maxInt > 130 && f.maxInt < 100_000 && f.middleInt < 10_000 && f.distinct >= 20 {
			c.set(role(record.HouseNumber), false, "values: small numbers beside a street")
			return
		}
	}
}

// refineCity finds the town where no name says it: words that a postal code
// nearly determines.
func (p *proposal) refineCity() {
	codes := p.having(role(record.PostalCode))
	if len(codes) == 0 || len(p.having(role(record.City), RoleFullAddress, RoleLocality)) > 0 {
		return
	}
	var best *candidate
	most, next := 0.0, 0.0
	for _, c := range p.columns {
		if f := c.profile; c.named || f.letters < 0.8 || f.words > 3 || f.distinct < 5 || f.unique() > 0.7 || !slices.Contains([]Role{role(record.Text), role(record.Category), role(record.FamilyName), role(record.GivenName)}, c.role) {
			continue
		}
		switch d := determined(codes[0], c) - c.profile.top; {
		case d > most:
			best, most, next = c, d, most
		case d > next:
			next = d
		}
	}
	if best != nil && most >= 0.25 && most >= next+0.1 {
		best.set(role(record.City), false, "values: words that go with postal codes")
	}
}

// determined is the share of pairs of rows with equal postal codes that have
// equal values too.
func determined(code, c *candidate) float64 {
	type pair struct{ code, value uint32 }
	pairs := make(map[pair]int)
	rows := make(map[uint32]int)
	for i, k := range code.Codes {
		if v := c.Codes[i]; k != 0 && v != 0 {
			pairs[pair{k, v}]++
			rows[k]++
		}
	}
	same, all := 0.0, 0.0
	for _, n := range pairs {
		same += float64(n) * float64(n-1)
	}
	for _, n := range rows {
		all += float64(n) * float64(n-1)
	}
	return same / max(1, all)
}

// refineNames finds the other half of a person's name where one half is known:
// the column of single words with most distinct values.
func (p *proposal) refineNames() {
	if len(p.having(role(record.GivenName), role(record.FamilyName), RoleFullName, role(record.Organization))) == 0 &&
		len(p.having(role(record.Phone), role(record.PostalCode), role(record.City), role(record.Street), RoleAddressLine, RoleFullAddress)) >= 2 {
		for _, c := range p.columns {
			if c.named && c.role == role(record.Text) && ambiguousNames[strings.Join(c.parts, "")] && c.profile.words <= 6 {
				c.set(role(record.Organization), true, "name beside an address: an organisation")
			}
		}
	}
	if len(p.having(role(record.GivenName))) > 0 {
		for _, c := range p.columns {
			if f := c.profile; !c.named && c.role == role(record.Category) && f.initial >= 0.95 && f.distinct >= 10 {
				c.set(RoleMiddleName, false, "values: initials")
			}
		}
	}
	given, family := p.having(role(record.GivenName)), p.having(role(record.FamilyName))
	var want Role
	switch {
	case len(p.having(RoleFullName)) > 0 || len(given) > 0 == (len(family) > 0):
		return
	case len(given) > 0:
		want = role(record.FamilyName)
	default:
		want = role(record.GivenName)
	}
	var best *candidate
	for _, c := range p.columns {
		f := c.profile
		if c.named || c.role != role(record.Text) && c.role != role(record.Category) || f.letters < 0.85 || f.words > 1.8 || f.oneWord < 0.6 || f.distinct < 50 || f.length > 15 || f.fill() < 0.5 {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(f.distinct, best.profile.distinct), strings.Compare(best.Name, c.Name)) > 0 {
			best = c
		}
	}
	if best != nil {
		best.set(want, false, "values: single words beside the other half of a name")
	}
}
