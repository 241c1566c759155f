package ingest

import (
	"strings"

	"sama/ingest/normalize"
	"sama/record"
)

// nameFeeds returns given name, family name and organisations of a source. A
// full name beside given and family names adds the names between them and
// fills gaps; alone it is taken apart.
func (s *sourceBuilder) nameFeeds(b *builder) []*feed {
	given := s.joinColumns(record.GivenName, s.with(role(record.GivenName), RoleMiddleName), normalize.GivenName)
	family := s.joinColumns(record.FamilyName, s.with(role(record.FamilyName)), normalize.FamilyName)
	var orgs []*feed
	for _, c := range s.with(role(record.Organization)) {
		orgs = append(orgs, c.values)
	}
	for _, c := range s.with(RoleFullName) {
		split := s.splitNames(b, c)
		given, family = s.mergeNames(given, family, c, split)
		if split.hasOrg {
			if len(orgs) == 0 {
				orgs = append(orgs, split.org)
			} else {
				orgs[0] = s.fillGaps(orgs[0], split.org)
			}
		}
	}
	var out []*feed
	for _, f := range append([]*feed{given, family}, orgs...) {
		if f != nil {
			out = append(out, f)
		}
	}
	return out
}

// splitNames is a column of full names taken apart, by its own values.
type splitNames struct {
	given, family, org *feed
	hasOrg             bool
}

func (s *sourceBuilder) splitNames(b *builder, c *columnBuilder) splitNames {
	familyFirst := b.names.FamilyFirst(sampleValues(&c.raw.Values, c.counts, 5000))
	n := len(c.values.raw)
	newFeed := func(f record.Field) *feed {
		return &feed{field: f, codes: c.values.codes, raw: make([]string, n), norm: make([]string, n)}
	}
	p := splitNames{given: newFeed(record.GivenName), family: newFeed(record.FamilyName), org: newFeed(record.Organization)}
	for code, full := range c.values.raw {
		if full == "" {
			continue
		}
		if normalize.HasLegalForm(full) {
			p.hasOrg = true
			p.org.raw[code], p.org.norm[code] = full, normalize.Organization(full)
			continue
		}
		given, family := b.names.Split(full, familyFirst)
		p.given.set(code, given, normalize.GivenName(given))
		p.family.set(code, family, normalize.FamilyName(family))
	}
	return p
}

// set stores a value, null where it has no normal form.
func (f *feed) set(code int, raw, norm string) {
	if norm != "" {
		f.raw[code], f.norm[code] = raw, norm
	}
}

// mergeNames puts the names of separate columns and of a full name together.
func (s *sourceBuilder) mergeNames(given, family *feed, full *columnBuilder, split splitNames) (g, f *feed) {
	if given == nil && family == nil {
		return split.given, split.family
	}
	given, family = orEmpty(given, record.GivenName, len(full.values.codes)), orEmpty(family, record.FamilyName, len(full.values.codes))
	codes, at := tuple(s.rows, [][]uint32{given.codes, family.codes, full.values.codes})
	g = &feed{field: record.GivenName, codes: codes, raw: make([]string, len(at)), norm: make([]string, len(at))}
	f = &feed{field: record.FamilyName, codes: codes, raw: make([]string, len(at)), norm: make([]string, len(at))}
	for code, t := range at {
		g.raw[code], g.norm[code] = given.raw[t[0]], given.norm[t[0]]
		f.raw[code], f.norm[code] = family.raw[t[1]], family.norm[t[1]]
		if t[2] == 0 {
			continue
		}
		if g.norm[code] == "" && f.norm[code] == "" {
			g.raw[code], g.norm[code] = split.given.raw[t[2]], split.given.norm[t[2]]
			f.raw[code], f.norm[code] = split.family.raw[t[2]], split.family.norm[t[2]]
			continue
		}
		before, after := partNames(full.values.raw[t[2]], g.norm[code], f.norm[code])
		if before != "" {
			g.raw[code], g.norm[code] = before, normalize.GivenName(before)
		}
		if after != "" && f.norm[code] == "" {
			f.raw[code], f.norm[code] = after, normalize.FamilyName(after)
		}
	}
	return g, f
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
	return &feed{field: field, codes: make([]uint32, rows), raw: []string{""}, norm: []string{""}}
}
