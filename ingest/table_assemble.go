package ingest

import (
	"context"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// learnNames counts the words of all name columns, for taking full names apart.
func (b *builder) learnNames() {
	b.names = normalize.NewNames()
	for i := range b.sources {
		for _, c := range b.sources[i].columns {
			var add func(string, int)
			switch c.As {
			case Role(record.GivenName.String()), RoleMiddleName:
				add = b.names.AddGiven
			case Role(record.FamilyName.String()), Role(record.OtherName.String()):
				add = b.names.AddFamily
			default:
				continue
			}
			for code, norm := range c.values.norm {
				if norm != "" {
					add(norm, int(c.counts[code]))
				}
			}
		}
	}
}

// assemble makes the feeds of every source out of its columns: simple columns
// as they are, compound ones taken apart or put together.
func (b *builder) assemble(ctx context.Context) error {
	return b.inParallel(ctx, len(b.sources), func(i int) error {
		s := &b.sources[i]
		s.feeds = append(s.feeds, s.nameFeeds(b)...)
		s.feeds = append(s.feeds, s.birthFeeds(b)...)
		s.feeds = append(s.feeds, s.addressFeeds()...)
		for _, c := range s.columns {
			if field, ok := c.As.Field(); ok && !assembled(field) {
				s.feeds = append(s.feeds, spreadList(c)...)
			}
		}
		return nil
	})
}

// assembled reports the fields that are put together from several columns of a
// source.
func assembled(f record.Field) bool {
	switch f {
	case record.GivenName, record.FamilyName, record.Organization, record.BirthDate,
		record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region, record.Country:
		return true
	}
	return false
}

// with returns the source's columns of a role, in order of their names.
func (s *sourceBuilder) with(roles ...Role) []*columnBuilder {
	var out []*columnBuilder
	for _, role := range roles {
		for _, c := range s.columns {
			if c.As == role {
				out = append(out, c)
			}
		}
	}
	return out
}

func role(f record.Field) Role { return Role(f.String()) }

// tuple numbers the distinct combinations of codes in several columns: codes
// row → number, and at[number] the codes. Number 0 is "all null". Rows that
// are not kept are left at 0.
func tuple(rows []uint32, columns [][]uint32) (codes []uint32, at [][]uint32) {
	n := 0
	if len(columns) > 0 {
		n = len(columns[0])
	}
	codes = make([]uint32, n)
	at = [][]uint32{make([]uint32, len(columns))}
	for k, col := range columns {
		next := [][]uint32{make([]uint32, len(columns))}
		seen := map[uint64]uint32{0: 0}
		for _, row := range rows {
			pair := uint64(codes[row])<<32 | uint64(col[row])
			code, ok := seen[pair]
			if !ok {
				code = uint32(len(next))
				seen[pair] = code
				t := append([]uint32(nil), at[codes[row]]...)
				t[k] = col[row]
				next = append(next, t)
			}
			codes[row] = code
		}
		at = next
	}
	return codes, at
}

// joinColumns puts the raw texts of several columns together, separated by
// spaces, and normalises the whole. One column alone is taken as it is.
func (s *sourceBuilder) joinColumns(field record.Field, columns []*columnBuilder, form func(string) string) *feed {
	switch len(columns) {
	case 0:
		return nil
	case 1:
		f := *columns[0].values
		f.field = field
		for code, raw := range f.raw {
			if raw != "" && f.norm[code] != "" {
				f.norm[code] = form(raw)
			}
		}
		return &f
	}
	all := make([][]uint32, len(columns))
	for i, c := range columns {
		all[i] = c.values.codes
	}
	codes, at := tuple(s.rows, all)
	f := &feed{field: field, codes: codes, raw: make([]string, len(at)), norm: make([]string, len(at))}
	for code, t := range at {
		var parts []string
		for i, c := range columns {
			if raw := c.values.raw[t[i]]; raw != "" {
				parts = append(parts, normalize.Trim(raw))
			}
		}
		f.raw[code] = strings.Join(parts, " ")
		f.norm[code] = form(f.raw[code])
	}
	return f
}

// fillGaps returns main with its nulls filled from other.
func (s *sourceBuilder) fillGaps(main, other *feed) *feed {
	if main == nil {
		return other
	}
	if other == nil {
		return main
	}
	offset := uint32(len(main.norm))
	f := &feed{field: main.field, name: main.name, codes: make([]uint32, len(main.codes))}
	f.raw = append(append(f.raw, main.raw...), other.raw...)
	f.norm = append(append(f.norm, main.norm...), other.norm...)
	for _, row := range s.rows {
		f.codes[row] = main.codes[row]
		if main.norm[main.codes[row]] == "" && other.norm[other.codes[row]] != "" {
			f.codes[row] = other.codes[row] + offset
		}
	}
	return f
}

// birthFeeds returns the date of birth: whole dates, gaps filled from separate
// columns of year, month and day.
func (s *sourceBuilder) birthFeeds(b *builder) []*feed {
	var dates *feed
	for _, c := range s.with(role(record.BirthDate)) {
		dates = s.fillGaps(dates, c.values)
	}
	var parts [3]*columnBuilder
	found := 0
	for i, r := range []Role{RoleBirthYear, RoleBirthMonth, RoleBirthDay} {
		if cs := s.with(r); len(cs) > 0 {
			parts[i] = cs[0]
			found++
		}
	}
	if found > 0 {
		dates = s.fillGaps(dates, s.joinBirth(parts, b.opt.Pivot))
	}
	if dates == nil {
		return nil
	}
	return []*feed{dates}
}

func (s *sourceBuilder) joinBirth(parts [3]*columnBuilder, pivot int) *feed {
	var columns [][]uint32
	var used []int
	for i, c := range parts {
		if c != nil {
			columns, used = append(columns, c.values.codes), append(used, i)
		}
	}
	codes, at := tuple(s.rows, columns)
	f := &feed{field: record.BirthDate, codes: codes, raw: make([]string, len(at)), norm: make([]string, len(at))}
	for code, t := range at {
		var text [3]string
		for k, i := range used {
			text[i] = parts[i].values.raw[t[k]]
		}
		f.norm[code] = normalize.DateParts(text[0], text[1], text[2], pivot)
		if normalize.JunkDate(f.norm[code]) {
			f.norm[code] = ""
		}
		if f.norm[code] != "" {
			d := f.norm[code]
			f.raw[code] = d[:4] + "-" + d[4:6] + "-" + d[6:]
		}
	}
	return f
}

// spreadList returns the feeds of a column; a column of lists gives one feed an
// element, for text one with all elements.
func spreadList(c *columnBuilder) []*feed {
	if !c.raw.List {
		return []*feed{c.values}
	}
	const sep, most = ListSeparator, 8
	width := 1
	for _, raw := range c.values.raw {
		width = max(width, min(most, strings.Count(raw, sep)+1))
	}
	if f := c.values.field; f == record.Text || f == record.Carried || f == record.Category {
		width = 1
	}
	if width == 1 {
		for i, raw := range c.values.raw {
			c.values.raw[i] = strings.ReplaceAll(raw, sep, ", ")
		}
		return []*feed{c.values}
	}
	feeds := make([]*feed, width)
	for k := range feeds {
		feeds[k] = &feed{field: c.values.field, name: c.values.name, codes: c.values.codes,
			raw: make([]string, len(c.values.raw)), norm: make([]string, len(c.values.raw))}
	}
	for code, raw := range c.values.raw {
		for k, item := range strings.Split(raw, sep) {
			if k < width {
				feeds[k].raw[code], feeds[k].norm[code] = item, c.one(item)
			}
		}
	}
	return feeds
}
