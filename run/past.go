package run

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"sama/graph"
	"sama/record"
)

// Past is what earlier runs know about the records of a new one.
type Past struct {
	Previous *Run   // nil for a first run
	Number   uint32 // of the new run
	// Graph is the past as graph.Assign takes it; the records that are gone are
	// Gone, numbered behind the table's.
	Graph graph.Past
	Gone  []record.Key
	Since *Since // nil for a first run
	// Unread says which of Later could not be read.
	Unread []error
	Later  []*Run // runs begun after the previous one that this one does not go on from

	table   *record.Table
	changed []bool  // record → it is new, or some value of it differs
	times   []Times // previous identity → as its golden record says
}

// Follow reads what the current run of dir, and the runs that were begun after
// it and are not current, hand to a new run on table. The fingerprints are the
// table's; founded are the identities that were founded online since the current
// run. Without a current run the past is empty.
func Follow(dir string, table *record.Table, fingerprints []uint64, founded []Founded) (*Past, error) {
	p := &Past{Number: 1, table: table}
	last, later, err := p.find(dir)
	if err != nil {
		return nil, err
	}
	p.Number = last + 1
	if p.Previous == nil {
		return p, nil
	}
	if err := p.Previous.QuickCheck(); err != nil {
		return nil, p.damaged(dir, err)
	}
	p.Later = later
	ended, err := p.Previous.ended()
	if err != nil {
		return nil, p.damaged(dir, err)
	}
	for _, r := range later {
		more, err := r.foreign(p.Previous.Info.Number, ended)
		if err != nil {
			// Its number is known, so the ids that it issued are not used again.
			p.Unread = append(p.Unread, fmt.Errorf("run %s is damaged, and the ids that it issued are not known: %w", r.Info.ID, err))
			continue
		}
		ended = append(ended, more...)
	}
	ended = append(ended, foundedOnline(founded, p.Previous.Info.Number, ended)...)
	if err := p.join(ended, fingerprints); err != nil {
		return nil, p.damaged(dir, err)
	}
	return p, nil
}

// damaged says what can be done where the current run cannot be read.
func (p *Past) damaged(dir string, err error) error {
	return fmt.Errorf("the current run %s is damaged: %w\nRestore it, or go on from an earlier one with sama rollback RUN --out %s (sama runs --out %s lists them)", p.Previous.Info.ID, err, dir, dir)
}

// find opens the current run and those with a higher number, the highest first,
// and returns the highest number of all.
func (p *Past) find(dir string) (last uint32, later []*Run, err error) {
	current, err := Open(dir)
	if err != nil && !errors.Is(err, ErrNoRun) {
		return 0, nil, fmt.Errorf("%w\nThe next run goes on with the identities of the current one: sama rollback names another, or name another --out", err)
	}
	list, err := List(dir)
	if err != nil && !errors.Is(err, ErrNoRun) {
		return 0, nil, err
	}
	for _, e := range list {
		if e.Err != nil {
			return 0, nil, fmt.Errorf("%w; move it elsewhere if it is damaged", e.Err)
		}
		last = max(last, e.Run.Info.Number)
		if current == nil || e.Run.Info.Number > current.Info.Number {
			later = append(later, e.Run)
		}
	}
	if current == nil && len(later) > 0 {
		return 0, nil, errNoCurrent(dir, later)
	}
	p.Previous = current
	slices.SortFunc(later, func(a, b *Run) int { return cmp.Compare(b.Info.Number, a.Info.Number) })
	return last, later, nil
}

// Unfollowed returns an error if dir has runs and none of them is current: a new
// run would not go on with any of their identities.
func Unfollowed(dir string) error {
	if _, err := Open(dir); !errors.Is(err, ErrNoRun) {
		return nil
	}
	list, err := List(dir)
	if err != nil {
		return nil // there are no runs yet
	}
	var runs []*Run
	for _, e := range list {
		if e.Run != nil {
			runs = append(runs, e.Run)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	return errNoCurrent(dir, runs)
}

func errNoCurrent(dir string, runs []*Run) error {
	newest := slices.MaxFunc(runs, func(a, b *Run) int { return cmp.Compare(a.Info.Number, b.Info.Number) })
	return fmt.Errorf("%s names no run, though there are runs in %s, whose identities a new run has to go on with. The newest is %s: make it current with sama rollback %s --out %s",
		filepath.Join(dir, currentName), filepath.Join(dir, runsFolder), newest.Info.ID, newest.Info.ID, dir)
}

// join numbers the records of the previous run and of the ended ids by the
// table, and counts what changed.
func (p *Past) join(ended []ended, fingerprints []uint64) error {
	m, err := p.Previous.Members()
	if err != nil {
		return err
	}
	if p.Graph.IDs, err = parseIDs(&m.Identities); err != nil {
		return err
	}
	if p.times, err = p.Previous.goldenTimes(len(p.Graph.IDs)); err != nil {
		return err
	}
	before, err := p.Previous.numbers("members.parquet", "fingerprint")
	if err != nil {
		return err
	}
	founding, err := p.Previous.numbers("members.parquet", "founding")
	if err != nil {
		return err
	}
	if len(before) != m.Len() || len(founding) != m.Len() {
		return fmt.Errorf("members.parquet: columns of different length")
	}
	n := p.table.Len()
	numbers := p.pair(m) // previous record → its number, NoRecord if it is gone
	p.Gone = gone(p.table, m, numbers, ended)
	p.Graph.Of = make([]uint32, n+len(p.Gone))
	for i := range p.Graph.Of {
		p.Graph.Of[i] = graph.None
	}
	p.Graph.Founder = make([]uint32, len(p.Graph.IDs))
	for i := range p.Graph.Founder {
		p.Graph.Founder[i] = graph.None
	}
	p.changed = make([]bool, n)
	for i := range p.changed {
		p.changed[i] = true
	}
	p.Since = &Since{}
	count := p.counter()
	for i, number := range numbers {
		if number == NoRecord {
			number = p.numberOf(m.Key(uint32(i)))
			count(m.Sources[m.Source[i]]).Gone++
		} else {
			c := count(m.Sources[m.Source[i]])
			if p.changed[number] = uint64(before[i]) != fingerprints[number]; p.changed[number] {
				c.Changed++
			} else {
				c.Same++
			}
		}
		p.Graph.Of[number] = m.Identity[i]
		if founding[i] != 0 {
			p.Graph.Founder[m.Identity[i]] = number
		}
	}
	for i := range n {
		if p.Graph.Of[i] == graph.None {
			count(p.table.Sources[p.table.Source[i]]).Added++
		}
	}
	slices.SortFunc(p.Since.Sources, func(a, b SourceChange) int { return strings.Compare(a.Source, b.Source) })
	p.remember(ended)
	return nil
}

// counter returns a function that finds the figures of a source.
func (p *Past) counter() func(source string) *SourceChange {
	at := make(map[string]int)
	return func(source string) *SourceChange {
		i, ok := at[source]
		if !ok {
			i = len(p.Since.Sources)
			at[source] = i
			p.Since.Sources = append(p.Since.Sources, SourceChange{Source: source})
		}
		return &p.Since.Sources[i]
	}
}

// pair walks through both lists of keys, which ascend, and returns for every
// record before its number in the table, or NoRecord.
func (p *Past) pair(m *Members) []uint32 {
	numbers := make([]uint32, m.Len())
	n := uint32(p.table.Len())
	next := uint32(0)
	for i := range numbers {
		key := m.Key(uint32(i))
		for next < n && p.table.Key(next).Compare(key) < 0 {
			next++
		}
		numbers[i] = NoRecord
		if next < n && p.table.Key(next) == key {
			numbers[i] = next
		}
	}
	return numbers
}

// gone returns the keys of the records that are remembered and not in the
// table, ascending.
func gone(t *record.Table, m *Members, numbers []uint32, ended []ended) []record.Key {
	var keys []record.Key
	for i, number := range numbers {
		if number == NoRecord {
			keys = append(keys, m.Key(uint32(i)))
		}
	}
	for _, e := range ended {
		for _, k := range e.records {
			if _, ok := t.Find(k); !ok {
				keys = append(keys, k)
			}
		}
	}
	slices.SortFunc(keys, record.Key.Compare)
	return slices.Compact(keys)
}

// numberOf returns the number of a key: the table's, or that of a record that is
// gone; NoRecord if it is neither.
func (p *Past) numberOf(k record.Key) uint32 {
	if i, ok := p.table.Find(k); ok {
		return i
	}
	if i, ok := slices.BinarySearchFunc(p.Gone, k, record.Key.Compare); ok {
		return uint32(p.table.Len() + i)
	}
	return NoRecord
}

// remember puts the ended ids into the past, by number.
func (p *Past) remember(ended []ended) {
	p.Graph.Dormant = make([]graph.Dormant, len(ended))
	for i, e := range ended {
		d := e.Dormant
		d.Founder = p.numberOf(e.founder)
		for _, k := range e.records {
			d.Records = append(d.Records, p.numberOf(k))
		}
		slices.Sort(d.Records)
		p.Graph.Dormant[i] = d
	}
}

// Times returns, identity by identity, what earlier runs know of when the sources
// saw it. An identity that has changed in this run though no source gives a
// time for it has changed by the latest time that any source gives; the clock
// has no part in it. nil for a first run.
func (p *Past) Times(c *graph.Clusters, a *graph.Assignment) []Times {
	if p.Previous == nil {
		return nil
	}
	before := make(map[graph.IdentityID]uint32, len(p.Graph.IDs))
	for i, id := range p.Graph.IDs {
		before[id] = uint32(i)
	}
	now := latest(p.table)
	touched := make(map[graph.IdentityID]bool, len(a.Events))
	merged := make(map[graph.IdentityID]int64) // into → when what was merged was first seen
	for _, e := range a.Events {
		touched[e.Identity] = e.Kind != graph.Created
		if b, ok := before[e.Identity]; ok && e.Kind == graph.Merged {
			merged[e.Other] = earliest(merged[e.Other], p.times[b].First)
		}
	}
	out := make([]Times, c.Len())
	for k := range out {
		id, members := a.IDs[k], c.At(uint32(k))
		b, lived := before[id]
		if lived {
			out[k] = p.times[b]
		}
		out[k].First = earliest(out[k].First, merged[id])
		if !touched[id] && !(lived && slices.ContainsFunc(members, func(r uint32) bool { return p.changed[r] })) {
			continue
		}
		if timesOf(p.table, members).Changed <= out[k].Changed {
			out[k].Changed = max(out[k].Changed, now)
		}
	}
	return out
}

// and returns the bounds of both.
func (t Times) and(u Times) Times {
	return Times{earliest(t.First, u.First), max(t.Changed, u.Changed)}
}

// earliest returns the smaller time, of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// timesOf returns what the sources say of the records.
func timesOf(t *record.Table, records []uint32) (out Times) {
	for _, r := range records {
		created := timeOf(t.Created, r)
		out.First = earliest(out.First, created)
		out.Changed = max(out.Changed, created, timeOf(t.Updated, r))
	}
	return out
}

// timeOf returns a record's time, 0 where no source has such a column.
func timeOf(times []int64, rec uint32) int64 {
	if times == nil {
		return 0
	}
	return times[rec]
}

// latest returns the latest time that any source gives for a record.
func latest(t *record.Table) (last int64) {
	for _, times := range [][]int64{t.Created, t.Updated} {
		for _, s := range times {
			last = max(last, s)
		}
	}
	return last
}
