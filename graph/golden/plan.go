package golden

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"sama/record"
)

// unit is what is decided at once: a column, or the columns of a group.
type unit struct {
	columns []int // indexes into Table.Columns
	rules   []step
	barred  []bool // source → its values never win; nil = none
	before  []int  // earlier columns of the same field, whose values are not repeated
	all     bool   // aggregate: every value survives
}

// step is a rule made ready: every look-up by name done.
type step struct {
	kind      Kind
	bySources bool
	rank      []int64 // source → minus its place, for source_priority
	times     []int64 // record → Unix seconds; noTime where it has none
	trust     []int64 // source → thousandths of a point
	decay     string
	span      float64 // seconds of the decay
	newest    int64   // the time from which age is counted
}

const noTime = math.MinInt64

// plan turns options into units, in the order of their first columns.
func plan(t *record.Table, o *Options) []unit {
	groups := o.Groups
	if len(groups) == 0 && !o.Ungrouped {
		groups = defaultGroups(t)
	}
	of := make([]int, len(t.Columns)) // column → group + 1
	for g, group := range groups {
		for _, name := range group.Columns {
			of[slices.IndexFunc(t.Columns, func(c *record.Column) bool { return c.Name == name })] = g + 1
		}
	}
	p := planner{t: t, times: make(map[string][]int64)}
	var units []unit
	done := make([]bool, len(groups)+1)
	for i, c := range t.Columns {
		g := of[i]
		switch {
		case g == 0:
			u := p.unit([]int{i}, o.rules(c))
			if parsed, err := record.ParseField(numberless(c.Name)); err == nil && parsed == c.Field {
				u.before = siblings(t, i, of)
			}
			units = append(units, u)
		case !done[g]:
			done[g] = true
			var columns []int
			for j := range t.Columns {
				if of[j] == g {
					columns = append(columns, j)
				}
			}
			units = append(units, p.unit(columns, o.groupRules(groups[g-1])))
		}
	}
	return units
}

// siblings returns the earlier columns of the field of column i that are in no
// group.
func siblings(t *record.Table, i int, group []int) []int {
	var list []int
	for j := range i {
		if t.Columns[j].Field == t.Columns[i].Field && group[j] == 0 {
			list = append(list, j)
		}
	}
	return list
}

// numberless cuts the "_2" off the name of a further column of a field.
func numberless(name string) string {
	for i := len(name) - 1; i > 0; i-- {
		switch c := name[i]; {
		case c == '_' && i < len(name)-1:
			return name[:i]
		case c < '0' || c > '9':
			return name
		}
	}
	return name
}

// rules returns the cascade of a column outside groups.
func (o *Options) rules(c *record.Column) []Rule {
	rest := o.Default
	if c.Field == record.Consent {
		rest = nil // what is good for names is not for refusals
	}
	for _, r := range [][]Rule{o.Fields[c.Name], o.Fields[c.Field.String()], rest} {
		if len(r) > 0 {
			return r
		}
	}
	return defaultRules(c.Field, false)
}

func (o *Options) groupRules(g Group) []Rule {
	switch {
	case len(g.Rules) > 0:
		return g.Rules
	case len(o.Default) > 0:
		return o.Default
	}
	return defaultRules(record.Carried, true)
}

// defaultRules returns the cascade of a field, or of a group, for which
// nothing is configured.
func defaultRules(f record.Field, group bool) []Rule {
	if f == record.Consent && !group {
		return []Rule{{Kind: Smallest}}
	}
	rules := []Rule{{Kind: MostFrequent}, {Kind: MostFrequent, By: "records"}, {Kind: MostRecent}, {Kind: Longest}}
	switch {
	case group:
		rules = slices.Insert(rules, 3, Rule{Kind: MostComplete})
	case f == record.UpdatedAt || f == record.Language:
		rules = slices.Insert(rules, 0, Rule{Kind: MostRecent})
	case f == record.CreatedAt:
		rules = slices.Insert(rules, 0, Rule{Kind: FirstSeen})
	}
	return rules
}

// defaultGroups returns the groups that the table has columns for.
func defaultGroups(t *record.Table) []Group {
	fields := [][]record.Field{
		{record.GivenName, record.FamilyName},
		{record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region},
	}
	var groups []Group
	for _, list := range fields {
		for number := 1; ; number++ {
			var g Group
			for _, f := range list {
				name := f.String()
				if number > 1 {
					name += "_" + strconv.Itoa(number)
				}
				if t.Named(name) != nil {
					g.Columns = append(g.Columns, name)
				}
			}
			if len(g.Columns) > 1 {
				groups = append(groups, g)
			}
			if len(g.Columns) == 0 {
				break
			}
		}
	}
	return groups
}

// planner makes steps of rules; times are shared between them.
type planner struct {
	t     *record.Table
	times map[string][]int64
}

func (p *planner) unit(columns []int, rules []Rule) unit {
	u := unit{columns: columns}
	for _, r := range rules {
		switch r.Kind {
		case Aggregate:
			u.all = true
			continue
		case Smallest:
			return u // nothing is left to decide after it
		}
		if r.Only {
			if u.barred == nil {
				u.barred = make([]bool, len(p.t.Sources))
			}
			for i, s := range p.t.Sources {
				u.barred[i] = u.barred[i] || !slices.Contains(r.Sources, s)
			}
		}
		u.rules = append(u.rules, p.step(r))
	}
	return u
}

func (p *planner) step(r Rule) step {
	s := step{kind: r.Kind, bySources: r.By != "records", decay: r.Decay, span: float64(r.Days) * 24 * 3600}
	switch r.Kind {
	case SourcePriority:
		s.rank = make([]int64, len(p.t.Sources))
		for i, name := range p.t.Sources {
			s.rank[i] = -int64(len(r.Sources))
			if at := slices.Index(r.Sources, name); at >= 0 {
				s.rank[i] = -int64(at)
			}
		}
	case MostRecent:
		s.times = p.time(r.Time, "updated_at else created_at")
	case FirstSeen:
		s.times = p.time(r.Time, "created_at else updated_at")
	case Trust:
		s.trust = make([]int64, len(p.t.Sources))
		for i, name := range p.t.Sources {
			s.trust[i] = int64(r.Trust[name]) * 1000
		}
		if r.Decay != "" {
			s.times = p.time(r.Time, "updated_at else created_at")
			s.newest = slices.Max(append([]int64{noTime}, s.times...))
		}
	}
	return s
}

// time returns the times of all records by a name, or by a default.
func (p *planner) time(name, otherwise string) []int64 {
	if name == "" {
		name = otherwise
	}
	if list, ok := p.times[name]; ok {
		return list
	}
	list := make([]int64, p.t.Len())
	var main, spare []int64
	switch name {
	case "updated_at":
		main = p.t.Updated
	case "created_at":
		main = p.t.Created
	case "updated_at else created_at":
		main, spare = p.t.Updated, p.t.Created
	case "created_at else updated_at":
		main, spare = p.t.Created, p.t.Updated
	default:
		c := p.t.Named(name)
		days := make([]int64, c.Normal.Len())
		for code := range days {
			days[code] = unixOf(c.Normal.At(uint32(code)))
		}
		for i, code := range c.Code {
			list[i] = days[code]
		}
		p.times[name] = list
		return list
	}
	for i := range list {
		list[i] = noTime
		switch {
		case main != nil && main[i] != 0:
			list[i] = main[i]
		case spare != nil && spare[i] != 0:
			list[i] = spare[i]
		}
	}
	p.times[name] = list
	return list
}

// unixOf returns the Unix seconds of a date's normal form YYYYMMDD, unknown
// parts counting as the first.
func unixOf(date string) int64 {
	var y, m, d int
	if n, err := fmt.Sscanf(date, "%4d%2d%2d", &y, &m, &d); n != 3 || err != nil || y == 0 {
		return noTime
	}
	return time.Date(y, time.Month(max(m, 1)), max(d, 1), 0, 0, 0, 0, time.UTC).Unix()
}

// trusted returns the trust in a record, in thousandths of a point.
func (s *step) trusted(source uint16, rec uint32) int64 {
	points := s.trust[source]
	if s.decay == "" {
		return points
	}
	at := s.times[rec]
	if at == noTime {
		return 0
	}
	age := float64(s.newest-at) / s.span
	if s.decay == "linear" {
		return int64(math.Round(float64(points) * max(0, 1-age)))
	}
	return int64(math.Round(float64(points) * math.Exp2(-age)))
}
