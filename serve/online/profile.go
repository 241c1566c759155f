package online

import (
	"sama/graph"
	"sama/graph/golden"
	"sama/record"
)

// Profile is the golden record of an identity, with where each value comes from.
type Profile struct {
	ID string
	// Values are those of the columns that have one, in order of columns.
	Values      []Value
	Records     []record.Key // ascending
	FirstSeen   int64        // Unix seconds, 0 = not known
	LastChanged int64
	// Online says that a record of the identity came, changed or went since the
	// run.
	Online bool
}

// Value is one value of a golden record.
type Value struct {
	Column int    // of the index
	Name   string // of the column
	Value  string
	Record record.Key // that has it
	Rule   string     // survivorship rule that decided
	Losing []Losing   // nil unless asked for
}

// Losing is a value that a golden record did not take.
type Losing struct {
	Value   string
	Record  record.Key // one that has it
	Records int        // how many of the identity have it
}

// Identity returns the id of the live identity that an id names now, by itself or
// as an alias. retired says that it named one that has no records any more.
func (s *Service) Identity(id string) (live string, retired bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.identityNow(id)
}

func (s *Service) identityNow(id string) (live string, retired bool) {
	live, ok := s.live(id)
	if !ok {
		_, retired, known := s.Index.Alias(id)
		return "", known && retired
	}
	if len(s.members(live)) == 0 {
		return "", true
	}
	return live, false
}

// OfRecord returns the identity that a record belongs to, "" if there is no such
// record.
func (s *Service) OfRecord(k record.Key) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, there := s.identityOf(k)
	if !there {
		return ""
	}
	return id
}

// WithValue returns the identities that have a record with a value in a column
// of an identifying field, each once.
func (s *Service) WithValue(column int, normal string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	seen := make(map[string]bool)
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if code, ok := s.Index.FindNormal(column, normal); ok {
		for _, r := range s.Index.RecordsWith(column, code) {
			if s.overlay.byKey[s.Index.Key(r)] == nil {
				add(s.Index.IdentityID(s.Index.IdentityOf(r)))
			}
		}
	}
	for _, a := range s.overlay.byValue[columnValue{column, normal}] {
		add(a.Identity)
	}
	return ids
}

// Profile returns the profile of a live identity, with the values that lost if
// losing is set; false if the id names none.
func (s *Service) Profile(id string, losing bool) (*Profile, bool, error) {
	s.mu.RLock()
	i, inRun := s.Index.Find(id)
	touched := s.overlay.touched[id]
	if inRun && !touched && !losing {
		s.mu.RUnlock()
		return s.fromIndex(i), true, nil
	}
	rows := s.members(id)
	s.mu.RUnlock()
	if len(rows) == 0 {
		return nil, false, nil
	}
	p, err := s.merge(id, rows, losing)
	if err != nil {
		return nil, false, err
	}
	p.Online = touched
	if inRun {
		p.FirstSeen = earlier(p.FirstSeen, s.Index.FirstSeen(i))
		p.LastChanged = max(p.LastChanged, s.Index.LastChanged(i))
	}
	return p, true, nil
}

func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// fromIndex reads an identity's profile as the run left it.
func (e *Engine) fromIndex(i uint32) *Profile {
	x := e.Index
	members := x.Members(i)
	p := &Profile{
		ID: x.IdentityID(i), FirstSeen: x.FirstSeen(i), LastChanged: x.LastChanged(i),
		Values: make([]Value, 0, len(x.Columns())), Records: make([]record.Key, len(members)),
	}
	for k, r := range members {
		p.Records[k] = x.Key(r)
	}
	for c, info := range x.Columns() {
		if r, rule, ok := x.Chosen(c, i); ok {
			p.Values = append(p.Values, Value{Column: c, Name: info.Name, Value: x.Raw(c, r), Record: x.Key(r), Rule: rule})
		}
	}
	return p
}

// merge makes the golden record of rows as the nightly run would.
func (e *Engine) merge(id string, rows []row, losing bool) (*Profile, error) {
	s, err := newSample(e.Index, e.population, rows)
	if err != nil {
		return nil, err
	}
	t := s.table
	p := &Profile{ID: id}
	for i := range uint32(t.Len()) {
		p.Records = append(p.Records, t.Key(i))
		p.FirstSeen = earlier(p.FirstSeen, t.Created[i])
		p.LastChanged = max(p.LastChanged, t.Created[i], t.Updated[i])
	}
	columns, err := golden.Merge(t, graph.ClustersOf(make([]uint32, t.Len())), e.settings.Golden, nil, 1)
	if err != nil {
		return nil, err
	}
	for c, g := range columns {
		r := g.Chosen[0]
		if r == golden.NoRecord {
			continue
		}
		column := t.Columns[c]
		v := Value{Column: c, Name: e.Index.Columns()[c].Name, Value: column.RawValue(r), Record: t.Key(r), Rule: g.Rule[0].String()}
		if losing {
			for _, l := range g.Losing {
				v.Losing = append(v.Losing, Losing{column.RawValue(l.Record), t.Key(l.Record), int(l.Records)})
			}
		}
		p.Values = append(p.Values, v)
	}
	return p, nil
}
