package ingest

import (
	"sama/ingest/normalize"
	"sama/record"
)

// addressFields are the parts of an address, in order of record.Field.
var addressFields = [...]record.Field{record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region, record.Country}

// addressFeeds returns the parts of the address: columns of their own, gaps
// filled from address lines and whole addresses taken apart.
func (s *sourceBuilder) addressFeeds() []*feed {
	parsed := s.parseLines(s.with(RoleAddressLine, RoleFullAddress, RoleLocality))
	var out []*feed
	for i, field := range addressFields {
		var main *feed
		for k, c := range s.with(role(field)) {
			if k == 0 {
				main = c.values
			} else {
				out = append(out, c.values)
			}
		}
		if parsed != nil {
			main = s.fillGaps(main, parsed[i])
		}
		if main != nil {
			out = append([]*feed{main}, out...)
		}
	}
	return out
}

// parseLines takes the address lines of a source apart, all lines of a record
// together.
func (s *sourceBuilder) parseLines(lines []*columnBuilder) []*feed {
	if len(lines) == 0 {
		return nil
	}
	columns := make([][]uint32, len(lines))
	for i, c := range lines {
		columns[i] = c.values.codes
	}
	codes, at := lines[0].values.codes, [][]uint32(nil)
	if len(lines) > 1 {
		codes, at = tuple(s.rows, columns)
	} else {
		at = make([][]uint32, len(lines[0].values.raw))
		for code := range at {
			at[code] = []uint32{uint32(code)}
		}
	}
	feeds := make([]*feed, len(addressFields))
	for i, field := range addressFields {
		feeds[i] = &feed{field: field, codes: codes, raw: make([]string, len(at)), norm: make([]string, len(at))}
	}
	for code, t := range at {
		var a normalize.Address
		for i, c := range lines {
			a = mergeLines(a, parseLine(c, c.values.raw[t[i]]))
		}
		for i, raw := range [...]string{a.Street, a.HouseNumber, a.Unit, a.PostalCode, a.City, a.Region, a.Country} {
			if raw != "" {
				feeds[i].set(code, raw, fieldForms[addressFields[i]](raw))
			}
		}
	}
	return feeds
}

func parseLine(c *columnBuilder, raw string) normalize.Address {
	if raw == "" {
		return normalize.Address{}
	}
	if c.As == RoleLocality {
		return normalize.ParseLocality(raw)
	}
	return normalize.ParseAddress(raw)
}

// mergeLines adds a further line to an address: what the first line did not
// say. A second street is left out; a line that is only a unit has no street.
func mergeLines(a, b normalize.Address) normalize.Address {
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	if a.Street == "" {
		a.Street, a.HouseNumber = b.Street, b.HouseNumber
		fill(&a.Unit, b.Unit)
	} else if b.Street == "" {
		fill(&a.Unit, b.Unit)
	}
	fill(&a.PostalCode, b.PostalCode)
	fill(&a.City, b.City)
	fill(&a.Region, b.Region)
	fill(&a.Country, b.Country)
	return a
}
