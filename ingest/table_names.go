package ingest

import (
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// nameFeeds returns given name, family name and organisations of a source. A
// full name beside given and family names adds the names between them and
// fills gaps; alone it is taken apart.
func (s *sourceBuilder) nameFeeds(b *builder) ([]*feed, error) {
	given, err := s.joinColumns(b, record.GivenName, s.with(role(record.GivenName), RoleMiddleName), normalize.GivenName)
	if err != nil {
		return nil, err
	}
	family, err := s.joinColumns(b, record.FamilyName, s.with(role(record.FamilyName)), normalize.FamilyName)
	if err != nil {
		return nil, err
	}
	var orgs []*feed
	for _, c := range s.with(role(record.Organization)) {
		orgs = append(orgs, c.values)
	}
	for _, c := range s.with(RoleFullName) {
		split, err := s.splitNames(b, c)
		if err != nil {
			return nil, err
		}
		if given, family, err = s.mergeNames(b, given, family, c, split); err != nil {
			return nil, err
		}
		switch {
		case split.org.empty():
		case len(orgs) == 0:
			orgs = append(orgs, split.org)
		default:
			orgs[0] = s.fillGaps(orgs[0], split.org)
		}
	}
	return slices.DeleteFunc(append([]*feed{given, family}, orgs...), func(f *feed) bool { return f == nil }), nil
}

// splitNames is a column of full names taken apart, by its own values.
type splitNames struct {
	given, family, org *feed
}

// familyFirst returns the share of a column's full names that are written surname
// first.
func (s *sourceBuilder) familyFirst(b *builder, c *columnBuilder) float64 {
	if k := b.opt.Known; k != nil {
		i := slices.IndexFunc(k.FamilyFirst, func(f FamilyFirst) bool { return f.Source == s.raw.Source && f.Column == c.Column })
		if i >= 0 {
			return k.FamilyFirst[i].Share
		}
	}
	share := b.names.FamilyFirst(sampleValues(&c.raw.Values, c.counts, 5000))
	s.report.FamilyFirst = append(s.report.FamilyFirst, FamilyFirst{s.raw.Source, c.Column, share})
	return share
}

func (s *sourceBuilder) splitNames(b *builder, c *columnBuilder) (splitNames, error) {
	familyFirst := s.familyFirst(b, c)
	n := int(c.values.size())
	out, err := buildTexts(b.opt.Workers, n, 6, func() func(uint32, []string) {
		return func(code uint32, out []string) {
			full, _ := c.values.at(code)
			if full == "" {
				return
			}
			if normalize.HasLegalForm(full) {
				out[4], out[5] = full, normalize.Organization(full)
				return
			}
			out[0], out[2] = b.names.Split(full, familyFirst)
			out[1], out[3] = normalize.GivenName(out[0]), normalize.FamilyName(out[2])
		}
	})
	if err != nil {
		return splitNames{}, err
	}
	codes := c.values.codes
	return splitNames{
		given:  newFeed(record.GivenName, codes, n, out[0], out[1]),
		family: newFeed(record.FamilyName, codes, n, out[2], out[3]),
		org:    newFeed(record.Organization, codes, n, out[4], out[5]),
	}, nil
}

// mergeNames puts the names of separate columns and of a full name together.
func (s *sourceBuilder) mergeNames(b *builder, given, family *feed, full *columnBuilder, split splitNames) (g, f *feed, err error) {
	if given == nil && family == nil {
		return split.given, split.family, nil
	}
	rows := len(full.values.codes)
	given, family = orEmpty(given, record.GivenName, rows), orEmpty(family, record.FamilyName, rows)
	codes, at := tuple(s.rows, [][]uint32{given.codes, family.codes, full.values.codes})
	out, err := buildTexts(b.opt.Workers, len(at), 4, func() func(uint32, []string) {
		return func(code uint32, out []string) {
			t := at[code]
			out[0], out[1] = given.at(t[0])
			out[2], out[3] = family.at(t[1])
			if t[2] == 0 {
				return
			}
			if out[1] == "" && out[3] == "" {
				out[0], out[1] = split.given.at(t[2])
				out[2], out[3] = split.family.at(t[2])
				return
			}
			whole, _ := full.values.at(t[2])
			before, after := partNames(whole, out[1], out[3])
			if before != "" {
				out[0], out[1] = before, normalize.GivenName(before)
			}
			if after != "" && out[3] == "" {
				out[2], out[3] = after, normalize.FamilyName(after)
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return newFeed(record.GivenName, codes, len(at), out[0], out[1]), newFeed(record.FamilyName, codes, len(at), out[2], out[3]), nil
}

// partNames finds known names at the ends of a full name and returns what is
// before the family name and, where that is not known, what is behind the
// given name. Both are "" where the names do not fit.
func partNames(full, given, family string) (before, after string) {
	words := normalize.NameWords(full)
	if len(words) < 2 {
		return "", ""
	}
	first, _, _ := strings.Cut(given, " ")
	for k := 1; k < len(words); k++ {
		head, tail := strings.Join(words[:k], " "), strings.Join(words[k:], " ")
		if family != "" {
			if normalize.FamilyName(tail) == family {
				if h := normalize.GivenName(head); first == "" || h == first || strings.HasPrefix(h, first+" ") {
					return head, ""
				}
				return "", ""
			}
		} else if normalize.GivenName(head) == given {
			return "", tail
		}
	}
	return "", ""
}

// orEmpty returns f, or a feed of nulls.
func orEmpty(f *feed, field record.Field, rows int) *feed {
	if f != nil {
		return f
	}
	var none record.StringsBuilder
	if _, err := none.Append(""); err != nil {
		panic("ingest: no room for an empty text")
	}
	null := formTexts{none.Build()}
	return newFeed(field, make([]uint32, rows), 1, null, null)
}
