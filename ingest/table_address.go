package ingest

import (
	"sama/ingest/normalize"
	"sama/record"
)

// addressFields are the parts of an address, in order of record.Field.
var addressFields = [...]record.Field{record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region, record.Country}

// addressFeeds returns the parts of the address: columns of their own, gaps
// filled from address lines and whole addresses taken apart.
func (s *sourceBuilder) addressFeeds(b *builder) ([]*feed, error) {
	parsed, err := s.parseLines(b, s.with(RoleAddressLine, RoleFullAddress, RoleLocality))
	if err != nil {
		return nil, err
	}
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
	return out, nil
}

// parseLines takes the address lines of a source apart, all lines of a record
// together.
func (s *sourceBuilder) parseLines(b *builder, lines []*columnBuilder) ([]*feed, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	columns := make([][]uint32, len(lines))
	for i, c := range lines {
		columns[i] = c.values.codes
	}
	codes, size := columns[0], int(lines[0].values.size())
	var at [][]uint32
	if len(lines) > 1 {
		codes, at = tuple(s.rows, columns)
		size = len(at)
	}
	out, err := buildTexts(b.opt.Workers, size, 2*len(addressFields), func() func(uint32, []string) {
		return func(code uint32, out []string) {
			var a normalize.Address
			for i, c := range lines {
				line := code
				if at != nil {
					line = at[code][i]
				}
				raw, _ := c.values.at(line)
				a = mergeLines(a, parseLine(c, raw))
			}
			for i, raw := range [...]string{a.Street, a.HouseNumber, a.Unit, a.PostalCode, a.City, a.Region, a.Country} {
				if raw != "" {
					out[2*i], out[2*i+1] = raw, fieldForms[addressFields[i]](raw)
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	feeds := make([]*feed, len(addressFields))
	for i, field := range addressFields {
		feeds[i] = newFeed(field, codes, size, out[2*i], out[2*i+1])
	}
	return feeds, nil
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
