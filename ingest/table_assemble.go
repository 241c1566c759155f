package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// learnNames counts the words of all name columns, for taking full names apart.
func (b *builder) learnNames() {
	b.names = normalize.NewNames()
	if b.opt.Known != nil {
		b.recallNames()
		return
	}
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
			for code := uint32(1); code < c.values.size(); code++ {
				if _, norm := c.values.at(code); norm != "" {
					add(norm, int(c.counts[code]))
				}
			}
		}
	}
}

// recallNames looks up how often the words of full names are given and family
// names in the table that the records come to.
func (b *builder) recallNames() {
	k := b.opt.Known
	if k.Given == nil || k.Family == nil {
		return
	}
	givens, families := k.Givens, k.Families
	for i := range b.sources {
		for _, c := range b.sources[i].columns {
			if c.As != RoleFullName {
				continue
			}
			for code := uint32(1); code < c.values.size(); code++ {
				full, _ := c.values.at(code)
				for word := range strings.FieldsSeq(normalize.Fold(full)) {
					given, family := k.Given(word), k.Family(word)
					b.names.AddGiven(word, given)
					b.names.AddFamily(word, family)
					givens, families = givens-given, families-family
				}
			}
		}
	}
	b.names.AddOthers(givens, families)
}

// assemble makes the feeds of every source out of its columns: simple columns
// as they are, compound ones taken apart or put together.
func (b *builder) assemble(ctx context.Context) error {
	kinds := [...]func(*sourceBuilder) ([]*feed, error){
		func(s *sourceBuilder) ([]*feed, error) { return s.nameFeeds(b) },
		func(s *sourceBuilder) ([]*feed, error) { return s.birthFeeds(b) },
		func(s *sourceBuilder) ([]*feed, error) { return s.addressFeeds(b) },
		func(s *sourceBuilder) ([]*feed, error) { return s.simpleFeeds(b) },
	}
	feeds := make([][]*feed, len(b.sources)*len(kinds))
	err := b.inParallel(ctx, len(feeds), func(i int) error {
		s := &b.sources[i/len(kinds)]
		out, err := kinds[i%len(kinds)](s)
		if err != nil {
			return fmt.Errorf("source %s: %w", s.raw.Source, err)
		}
		feeds[i] = out
		return nil
	})
	for i, out := range feeds {
		s := &b.sources[i/len(kinds)]
		s.feeds = append(s.feeds, out...)
	}
	return err
}

// simpleFeeds returns the columns that are taken as they are.
func (s *sourceBuilder) simpleFeeds(b *builder) ([]*feed, error) {
	var out []*feed
	for _, c := range s.columns {
		if field, ok := c.As.Field(); ok && !assembled(field) {
			feeds, err := c.spreadList(b.opt.Workers)
			if err != nil {
				return nil, err
			}
			if field == record.Consent {
				for _, f := range feeds {
					f.consent = c
				}
			}
			out = append(out, feeds...)
		}
	}
	return out, nil
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
func (s *sourceBuilder) joinColumns(b *builder, field record.Field, columns []*columnBuilder, form func(string) string) (*feed, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	if _, simple := columns[0].As.Field(); len(columns) == 1 && simple && !columns[0].raw.List {
		return columns[0].values, nil
	}
	all := make([][]uint32, len(columns))
	for i, c := range columns {
		all[i] = c.values.codes
	}
	codes, at := tuple(s.rows, all)
	out, err := buildTexts(b.opt.Workers, len(at), 2, func() func(uint32, []string) {
		var parts []string
		return func(code uint32, out []string) {
			parts = parts[:0]
			for i, c := range columns {
				if raw, _ := c.values.at(at[code][i]); raw != "" {
					parts = append(parts, strings.ReplaceAll(normalize.Trim(raw), ListSeparator, " "))
				}
			}
			out[0] = strings.Join(parts, " ")
			out[1] = cmp.Or(form(out[0]), mark(out[0]))
		}
	})
	if err != nil {
		return nil, err
	}
	return newFeed(field, codes, len(at), out[0], out[1]), nil
}

// fillGaps returns main with its nulls filled from other.
func (s *sourceBuilder) fillGaps(main, other *feed) *feed {
	if main == nil {
		return other
	}
	if other == nil {
		return main
	}
	offset := main.size()
	f := &feed{field: main.field, name: main.name, codes: make([]uint32, len(main.codes)), parts: slices.Clone(main.parts)}
	for _, p := range other.parts {
		p.base += offset
		f.parts = append(f.parts, p)
	}
	for _, row := range s.rows {
		f.codes[row] = main.codes[row]
		if _, norm := main.at(main.codes[row]); norm == "" {
			if _, norm := other.at(other.codes[row]); norm != "" {
				f.codes[row] = other.codes[row] + offset
			}
		}
	}
	return f
}

// birthFeeds returns the date of birth: whole dates, gaps filled from separate
// columns of year, month and day.
func (s *sourceBuilder) birthFeeds(b *builder) ([]*feed, error) {
	var dates *feed
	for _, c := range s.with(role(record.BirthDate)) {
		dates = s.fillGaps(dates, c.values)
	}
	var parts [3]*columnBuilder
	found := false
	for i, r := range []Role{RoleBirthYear, RoleBirthMonth, RoleBirthDay} {
		if cs := s.with(r); len(cs) > 0 {
			parts[i], found = cs[0], true
		}
	}
	if found {
		joined, err := s.joinBirth(b, parts)
		if err != nil {
			return nil, err
		}
		dates = s.fillGaps(dates, joined)
	}
	if dates == nil {
		return nil, nil
	}
	return []*feed{dates}, nil
}

func (s *sourceBuilder) joinBirth(b *builder, parts [3]*columnBuilder) (*feed, error) {
	var columns [][]uint32
	var used []int
	for i, c := range parts {
		if c != nil {
			columns, used = append(columns, c.values.codes), append(used, i)
		}
	}
	codes, at := tuple(s.rows, columns)
	out, err := buildTexts(b.opt.Workers, len(at), 2, func() func(uint32, []string) {
		return func(code uint32, out []string) {
			var text [3]string
			for k, i := range used {
				text[i], _ = parts[i].values.at(at[code][k])
			}
			d := normalize.DateParts(text[0], text[1], text[2], b.opt.Pivot)
			if d != "" && !normalize.JunkDate(d) {
				out[0], out[1] = d[:4]+"-"+d[4:6]+"-"+d[6:], d
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return newFeed(record.BirthDate, codes, len(at), out[0], out[1]), nil
}

// spreadList returns the feeds of a column; a column of lists gives one feed an
// element, for text one with all elements.
func (c *columnBuilder) spreadList(workers int) ([]*feed, error) {
	if !c.raw.List {
		return []*feed{c.values}, nil
	}
	const most = 8
	width := 1
	for code := uint32(1); code < c.values.size(); code++ {
		raw, _ := c.values.at(code)
		width = max(width, min(most, strings.Count(raw, ListSeparator)+1))
	}
	if f := c.values.field; f == record.Text || f == record.Carried || f == record.Category || f == record.Consent {
		width = 1
	}
	out, err := buildTexts(workers, int(c.values.size()), 2*width, func() func(uint32, []string) {
		return func(code uint32, out []string) {
			raw, norm := c.values.at(code)
			if width == 1 {
				out[0], out[1] = strings.ReplaceAll(raw, ListSeparator, ", "), cmp.Or(norm, mark(raw))
				return
			}
			for k, item := range strings.SplitN(raw, ListSeparator, most+1) {
				if k < width {
					out[2*k], out[2*k+1] = item, cmp.Or(c.one(item), mark(item))
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	feeds := make([]*feed, width)
	for k := range feeds {
		feeds[k] = newFeed(c.values.field, c.values.codes, int(c.values.size()), out[2*k], out[2*k+1])
		feeds[k].name = c.values.name
	}
	return feeds, nil
}

// mark is the normal form of a text that has none: null or not understood.
func mark(raw string) string {
	if raw == "" {
		return ""
	}
	return notUnderstood
}
