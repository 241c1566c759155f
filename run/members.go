package run

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"sama/record"

	"golang.org/x/sync/errgroup"
)

// Members is members.parquet: who belongs to which identity. Records are
// numbered as in the table that the run was made from.
type Members struct {
	Sources    []string
	Source     []uint16       // record → index into Sources
	IDs        record.Strings // record → record id
	Identity   []uint32       // record → index into Identities
	Identities record.Strings // identity ids in the order of golden.parquet
	Founding   []bool         // record → whether it founds its identity

	first      []uint32 // source → its first record; one more at the end
	identities *textIndex
	groupOnce  sync.Once  // guards the making of start and members
	start      []uint32   // identity → its first place in members; one more at the end
	members    []uint32   // records by identity, ascending
	tagsOnce   sync.Once  // guards the making of tags
	tags       []uint32   // record → upper half of its key's hash
	keysOnce   sync.Once  // guards the making of keys
	keys       *textIndex // of the record ids by source
}

// Len returns the number of records.
func (m *Members) Len() int { return len(m.Source) }

// Key returns the key of record i.
func (m *Members) Key(i uint32) record.Key {
	return record.Key{Source: m.Sources[m.Source[i]], ID: m.IDs.At(i)}
}

// Find returns the number of the record with that key.
func (m *Members) Find(k record.Key) (uint32, bool) {
	s, ok := slices.BinarySearch(m.Sources, k.Source)
	if !ok {
		return 0, false
	}
	from, to := m.first[s], m.first[s+1]
	for from < to {
		mid := from + (to-from)/2
		if m.IDs.At(mid) < k.ID {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from, from < m.first[s+1] && m.IDs.At(from) == k.ID
}

// FindIdentity returns the number of the identity with that id.
func (m *Members) FindIdentity(id string) (uint32, bool) {
	i := m.identities.find(0, []byte(id))
	return i, i != NoRecord
}

// Members reads who belongs to which identity. That the identity ids are
// different, and the records in order of their keys, is verified.
func (r *Run) Members() (*Members, error) {
	m := new(Members)
	var both errgroup.Group
	both.Go(func() (err error) {
		if m.Identities, err = r.strings("golden.parquet", "identity_id"); err != nil {
			return err
		}
		var repeated uint32
		if m.identities, repeated = newTextIndex(&m.Identities, nil); repeated != NoRecord {
			return fmt.Errorf("golden.parquet: row %d: identity %s is there twice", repeated+1, m.Identities.At(repeated))
		}
		return nil
	})
	both.Go(func() error {
		source, err := r.text("members.parquet", "source")
		if err != nil {
			return err
		}
		if m.IDs, err = r.strings("members.parquet", "record_id"); err != nil {
			return err
		}
		return m.fill(source)
	})
	if err := both.Wait(); err != nil {
		return nil, err
	}
	m.Identity = make([]uint32, m.Len())
	m.Founding = make([]bool, m.Len())
	return m, r.groups("members.parquet", []string{"identity_id", "founding"}, func(g group) error {
		if g.first+g.rows > m.Len() {
			return fmt.Errorf("members.parquet: columns of different length")
		}
		for i, id := range m.identitiesOf(g.columns[0]) {
			if id >= unknown {
				return fmt.Errorf("members.parquet: row %d: identity_id %q is not in golden.parquet", g.first+i+1, g.columns[0].text(i))
			}
			m.Identity[g.first+i] = id
		}
		for i := range g.rows {
			m.Founding[g.first+i] = g.columns[1].words[g.columns[1].code(i)] != 0
		}
		return nil
	})
}

// fill numbers the sources, which stand in ascending order, and verifies the
// order of the keys.
func (m *Members) fill(source *textColumn) error {
	if m.IDs.Len() != len(source.codes) {
		return fmt.Errorf("members.parquet: columns of different length")
	}
	m.Source = make([]uint16, len(source.codes))
	last := uint32(0) // the null code, which no source has
	for i, code := range source.codes {
		if code != last {
			name := source.texts[code]
			if n := len(m.Sources); n > 0 && m.Sources[n-1] >= name || n == math.MaxUint16 {
				return fmt.Errorf("members.parquet: row %d: source %s does not come before %s", i+1, m.Sources[n-1], name)
			}
			last = code
			m.Sources = append(m.Sources, name)
			m.first = append(m.first, uint32(i))
		} else if code == 0 || m.IDs.At(uint32(i-1)) >= m.IDs.At(uint32(i)) {
			return fmt.Errorf("members.parquet: row %d: the record does not come after the one before", i+1)
		}
		m.Source[i] = uint16(len(m.Sources) - 1)
	}
	m.first = append(m.first, uint32(len(source.codes)))
	return nil
}

// unknown stands for a record or identity that is named and not there; NoRecord,
// which is greater, for one that is not named.
const unknown = NoRecord - 1

// identitiesOf returns the number of the identity that each entry names.
func (m *Members) identitiesOf(p *piece) []uint32 {
	next := uint32(0) // most files are in order of golden.parquet
	find := func(v uint32) uint32 {
		text := p.texts.at(v)
		i := next
		if next >= uint32(m.Identities.Len()) || m.Identities.At(next) != string(text) {
			if i = m.identities.find(0, text); i == NoRecord {
				return unknown
			}
		}
		next = i + 1
		return i
	}
	list := make([]uint32, p.entries())
	if p.codes == nil {
		for i := range list {
			list[i] = find(uint32(i))
		}
		return list
	}
	byValue := make([]uint32, p.values())
	for v := range byValue {
		byValue[v] = find(uint32(v))
	}
	for i, code := range p.codes {
		list[i] = NoRecord
		if code != noValue {
			list[i] = byValue[code]
		}
	}
	return list
}

// of returns the records of an identity, ascending; none for an unknown one.
func (m *Members) of(identity uint32) []uint32 {
	if identity >= unknown {
		return nil
	}
	m.groupOnce.Do(m.group)
	return m.members[m.start[identity]:m.start[identity+1]]
}

// group sorts the records by identity, counting.
func (m *Members) group() {
	m.start = make([]uint32, m.Identities.Len()+1)
	for _, id := range m.Identity {
		m.start[id+1]++
	}
	for i := range m.Identities.Len() {
		m.start[i+1] += m.start[i]
	}
	m.members = make([]uint32, m.Len())
	at := slices.Clone(m.start)
	for rec, id := range m.Identity {
		m.members[at[id]] = uint32(rec)
		at[id]++
	}
}

// tag notes a part of every key's hash. What is compared with many keys touches
// the texts of few of them: these are all over the memory, the tags are not.
func (m *Members) tag() {
	m.tags = make([]uint32, m.Len())
	for i := range m.tags {
		m.tags[i] = uint32(hashText(m.Source[i], m.IDs.At(uint32(i))) >> 32)
	}
}

// recordsOf returns the number of the record that each entry of two columns
// names. near says, entry by entry in order, which identity the record is likely
// to be of: most are found among its records without a search in all.
func (m *Members) recordsOf(source, id *piece, near func(entry int) uint32) ([]uint32, error) {
	if source.entries() != id.entries() {
		return nil, fmt.Errorf("columns of different length")
	}
	const none = -1
	sourceOf := make([]int, source.values())
	for v := range sourceOf {
		s, ok := slices.BinarySearch(m.Sources, string(source.texts.at(uint32(v))))
		if sourceOf[v] = s; !ok {
			sourceOf[v] = none
		}
	}
	m.tagsOnce.Do(m.tag)
	list := make([]uint32, id.entries())
	// Of every value the record that it named last: one record fills many
	// neighbouring rows.
	var known []uint32
	if id.codes != nil {
		known = make([]uint32, id.values())
		for v := range known {
			known[v] = NoRecord
		}
	}
	next := uint32(0) // the record after the last one: files walk through the records
	for i := range list {
		s, v := source.code(i), id.code(i)
		list[i] = unknown
		switch {
		case s == noValue && v == noValue:
			list[i] = NoRecord
			continue
		case s == noValue || v == noValue || sourceOf[s] == none:
			continue
		}
		in := uint16(sourceOf[s])
		if known != nil && known[v] != NoRecord && m.Source[known[v]] == in {
			list[i] = known[v]
			continue
		}
		list[i] = m.search(in, id.texts.at(v), next, near(i))
		if list[i] != unknown {
			next = list[i] + 1
			if known != nil {
				known[v] = list[i]
			}
		}
	}
	return list, nil
}

// stepsAhead is how many records are passed over in looking for the next one.
const stepsAhead = 8

// search returns the number of a record that is likely to be next or soon after,
// or of the identity near.
func (m *Members) search(source uint16, id []byte, next, near uint32) uint32 {
	h := hashBytes(source, id)
	tag := uint32(h >> 32)
	is := func(rec uint32) bool {
		return m.tags[rec] == tag && m.Source[rec] == source && m.IDs.At(rec) == string(id)
	}
	for _, rec := range m.of(near) {
		if is(rec) {
			return rec
		}
	}
	for rec := next; rec < min(next+stepsAhead, uint32(m.Len())); rec++ {
		if is(rec) {
			return rec
		}
	}
	m.keysOnce.Do(func() { m.keys, _ = newTextIndex(&m.IDs, m.Source) })
	return min(unknown, m.keys.findHash(h, source, id))
}

// Edges reads the scored pairs, by the record numbers of m, with the name of
// the blocking rule that found each.
func (r *Run) Edges(m *Members) (edges []record.Edge, rules []string, err error) {
	rule, err := r.text("edges.parquet", "blocking_rule")
	if err != nil {
		return nil, nil, err
	}
	edges, err = r.scoredPairs(m)
	if err != nil {
		return nil, nil, err
	}
	if len(edges) != len(rule.codes) {
		return nil, nil, fmt.Errorf("edges.parquet: columns of different length")
	}
	rules = make([]string, len(edges))
	for i := range edges {
		rules[i] = rule.texts[rule.codes[i]]
	}
	return edges, rules, nil
}

// scoredPairs reads the edges without their rules.
func (r *Run) scoredPairs(m *Members) ([]record.Edge, error) {
	var parts groupList[[]record.Edge]
	names := []string{"source_a", "record_id_a", "source_b", "record_id_b", "match_weight"}
	err := r.groups("edges.parquet", names, func(g group) error {
		edges := make([]record.Edge, g.rows)
		for side := range 2 {
			source, id := g.columns[2*side], g.columns[2*side+1]
			// Most edges are inside an identity.
			list, err := m.recordsOf(source, id, func(i int) uint32 {
				if side == 0 || edges[i].A >= unknown {
					return NoRecord
				}
				return m.Identity[edges[i].A]
			})
			if err != nil {
				return fmt.Errorf("edges.parquet: %w", err)
			}
			for i, rec := range list {
				if rec >= unknown {
					return fmt.Errorf("edges.parquet: row %d: %s:%s is a record that is not in members.parquet", g.first+i+1, source.text(i), id.text(i))
				}
				if side == 0 {
					edges[i].A = rec
				} else {
					edges[i].B = rec
				}
			}
		}
		weight := g.columns[4]
		for i := range edges {
			if code := weight.code(i); code != noValue {
				edges[i].Weight = record.WeightOfBits(math.Float64frombits(weight.words[code]))
			}
		}
		parts.set(g.number, edges)
		return nil
	})
	return slices.Concat(parts.all...), err
}

// groupList collects one result a row group, whichever is done first.
type groupList[T any] struct {
	mu  sync.Mutex // guards all
	all []T
}

func (l *groupList[T]) set(group int, v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.all) <= group {
		var none T
		l.all = append(l.all, none)
	}
	l.all[group] = v
}
