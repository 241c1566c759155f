package run

import (
	"errors"
	"fmt"

	"sama/graph"
)

// history is events.parquet and aliases.parquet of a run, by the numbers of its
// members.
type history struct {
	*Run
	m      *Members
	alias  map[string]uint32 // id that is not live → the identity that it leads to, NoRecord: none
	events []eventPart       // by row group
}

// eventPart is one row group of events.parquet.
type eventPart struct {
	first    int
	kinds    []graph.EventKind
	identity []uint32 // unknown: an id that is not live
	other    []uint32 // the same, or NoRecord: none
	ids      *piece
	starts   []uint32
	records  []uint32 // unknown: a record that is gone
}

// checkHistory verifies events.parquet and aliases.parquet.
func (r *Run) checkHistory(m *Members) error {
	h, err := r.history(m)
	if err != nil {
		return err
	}
	return errors.Join(h.checkAliases(), h.checkEvents())
}

// history reads what happened to identities, and where the ids lead that are
// not live.
func (r *Run) history(m *Members) (*history, error) {
	h := &history{Run: r, m: m, alias: make(map[string]uint32)}
	names := []string{"event", "identity_id", "other_identity_id", "records.list.element.source", "records.list.element.record_id"}
	var parts groupList[eventPart]
	err := r.groups("events.parquet", names, func(g group) error {
		p := eventPart{first: g.first, ids: g.columns[1], starts: g.columns[4].starts}
		p.identity, p.other = m.identitiesOf(p.ids), m.identitiesOf(g.columns[2])
		kinds, err := eventKinds(g)
		if err != nil {
			return err
		}
		p.kinds = kinds
		if p.records, err = m.recordsOf(g.columns[3], g.columns[4], byRow(p.starts, p.identity)); err != nil {
			return fmt.Errorf("events.parquet: %w", err)
		}
		for i, rec := range p.records {
			if rec == NoRecord {
				return fmt.Errorf("events.parquet: row group %d: entry %d of records names no record", g.number+1, i+1)
			}
		}
		parts.set(g.number, p)
		return nil
	})
	h.events = parts.all
	return h, err
}

// eventKinds reads the first column of a row group of events.
func eventKinds(g group) ([]graph.EventKind, error) {
	p := g.columns[0]
	list := make([]graph.EventKind, g.rows)
	byValue := make([]graph.EventKind, p.values())
	for v := range byValue {
		kind, err := graph.ParseEventKind(string(p.texts.at(uint32(v))))
		if err != nil {
			return nil, fmt.Errorf("events.parquet: row group %d: %w", g.number+1, err)
		}
		byValue[v] = kind
	}
	for i := range list {
		code := p.code(i)
		if code == noValue {
			return nil, fmt.Errorf("events.parquet: row %d: no event", g.first+i+1)
		}
		list[i] = byValue[code]
	}
	return list, nil
}

// checkAliases: every id that is not live has one row, and leads in one step to
// a live identity or to none.
func (h *history) checkAliases() error {
	names := []string{"identity_id", "surviving_identity_id", "ended", "founding_source", "founding_record_id",
		"records.list.element.source", "records.list.element.record_id"}
	var parts groupList[group]
	if err := h.groups("aliases.parquet", names, func(g group) error {
		parts.set(g.number, g)
		return nil
	}); err != nil {
		return err
	}
	for _, g := range parts.all {
		into := h.m.identitiesOf(g.columns[1])
		for i := range g.rows {
			if err := h.addAlias(g, i, into[i]); err != nil {
				return fmt.Errorf("aliases.parquet: row %d: %w", g.first+i+1, err)
			}
		}
	}
	return nil
}

// addAlias verifies one row of aliases.parquet and keeps it.
func (h *history) addAlias(g group, i int, into uint32) error {
	id := string(g.columns[0].text(i))
	if _, err := h.parseID(id); err != nil {
		return err
	}
	if _, live := h.m.FindIdentity(id); live {
		return fmt.Errorf("%s is an identity of this run; an alias cannot be", id)
	}
	if _, ok := h.alias[id]; ok {
		return fmt.Errorf("%s is there twice", id)
	}
	if into == unknown {
		return fmt.Errorf("%s leads to %s, which is no identity of this run", id, g.columns[1].text(i))
	}
	if code := g.columns[2].code(i); code != noValue {
		if ended := int64(g.columns[2].words[code]); ended < 1 || ended > int64(h.Info.Number) {
			return fmt.Errorf("%s ended in run %d, and this is run %d", id, ended, h.Info.Number)
		}
	}
	h.alias[id] = into
	if (g.columns[3].code(i) == noValue) != (g.columns[4].code(i) == noValue) {
		return fmt.Errorf("%s: half of the key of its founding record is missing", id)
	}
	source, rec := g.columns[5], g.columns[6]
	if source.entries() != rec.entries() {
		return errors.New("columns of different length")
	}
	for e := rec.starts[i]; e < rec.starts[i+1]; e++ {
		if len(source.text(int(e))) == 0 || len(rec.text(int(e))) == 0 {
			return fmt.Errorf("%s had a record without a key", id)
		}
	}
	return nil
}

// checkEvents: the events agree with the members and aliases after the run. It
// needs what checkAliases keeps.
func (h *history) checkEvents() error {
	told := make([]uint8, h.m.Identities.Len()) // live identity → kinds of its events, a bit each
	ended := make(map[string]bool)
	for _, p := range h.events {
		for i := range p.kinds {
			if err := h.checkEvent(p, i, told, ended); err != nil {
				return fmt.Errorf("events.parquet: row %d: %s of identity %s: %w", p.first+i+1, p.kinds[i], p.ids.text(i), err)
			}
		}
	}
	if h.Info.Previous != "" {
		return nil
	}
	for id, kinds := range told {
		if kinds != 1<<graph.Created {
			return fmt.Errorf("events.parquet: identity %s was not created, in a first run", h.m.Identities.At(uint32(id)))
		}
	}
	return nil
}

// checkEvent verifies event i of a row group.
func (h *history) checkEvent(p eventPart, i int, told []uint8, ended map[string]bool) error {
	kind, id, other := p.kinds[i], p.identity[i], p.other[i]
	records := p.records[p.starts[i]:p.starts[i+1]]
	if kind == graph.Merged || kind == graph.Retired {
		text := string(p.ids.text(i))
		if ended[text] {
			return errors.New("a second end")
		}
		ended[text] = true
		return h.checkEnd(kind, text, id, other)
	}
	if id >= unknown {
		return errors.New("it is no identity of this run")
	}
	if before := told[id]; before != 0 && (kind != graph.Shrunk || before != 1<<graph.Grown) && (kind != graph.Grown || before != 1<<graph.Shrunk) {
		return errors.New("it contradicts an earlier event")
	}
	told[id] |= 1 << kind
	switch kind {
	case graph.Grown, graph.Shrunk:
		if other != NoRecord {
			return errors.New("it names another identity")
		}
		if len(records) == 0 {
			return errors.New("it names no record")
		}
		for _, rec := range records {
			if has := rec < unknown && h.m.Identity[rec] == id; has != (kind == graph.Grown) {
				return errors.New("members.parquet says otherwise of one of its records")
			}
		}
		return nil
	case graph.Split:
		if other == NoRecord {
			return errors.New("it does not say of which")
		}
	case graph.Created:
		if other != NoRecord {
			return errors.New("it names another identity")
		}
	}
	has := h.m.of(id)
	if len(has) != len(records) {
		return fmt.Errorf("%d records, members.parquet has %d", len(records), len(has))
	}
	for k, rec := range records { // both ascend
		if rec != has[k] {
			return errors.New("other records than in members.parquet")
		}
	}
	return nil
}

// checkEnd verifies an event that an identity ended with.
func (h *history) checkEnd(kind graph.EventKind, text string, id, other uint32) error {
	into, ok := h.alias[text]
	switch {
	case id < unknown:
		return errors.New("it is still there")
	case !ok:
		return errors.New("aliases.parquet does not have it")
	case into != other:
		return errors.New("aliases.parquet says otherwise where it leads")
	case (kind == graph.Retired) != (other == NoRecord):
		return errors.New("it does not say where it leads, or should not")
	}
	return nil
}
