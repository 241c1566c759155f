package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sama/graph"
)

// Checked is what CheckAll found about one run.
type Checked struct {
	ID  string // of the run; "" is the output directory itself
	Run *Run   // nil if it cannot be opened
	Err error  // everything that is wrong with it, or nil
}

// CheckAll verifies every run of an output directory, and the directory itself:
// that current names a run, that the runs' numbers are different and ascend from
// each run to the one that goes on from it. Where all runs are there from the
// first to the current one, their events are replayed, and must give exactly the
// members of the current run; replayed is the number of those runs, 0 where one
// was removed.
func CheckAll(dir string) (all []Checked, replayed int, err error) {
	list, err := List(dir)
	if err != nil {
		return nil, 0, err
	}
	whole := true
	byID := make(map[string]*Run)
	for _, e := range list {
		c := Checked{e.ID, e.Run, e.Err}
		if e.Run != nil {
			byID[e.ID] = e.Run
			c.Err = e.Run.Check()
		}
		whole = whole && c.Err == nil
		all = append(all, c)
	}
	bad := append(checkNumbers(list, byID), checkCurrent(dir, byID))
	if whole && errors.Join(bad...) == nil {
		if chain := chainTo(CurrentID(dir), byID); chain != nil {
			bad = append(bad, replay(chain))
			replayed = len(chain)
		}
	}
	if err := errors.Join(bad...); err != nil {
		all = append(all, Checked{Err: err})
	}
	return all, replayed, nil
}

// checkCurrent: current is a link to a run.
func checkCurrent(dir string, byID map[string]*Run) error {
	path := filepath.Join(dir, currentName)
	target, err := os.Readlink(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s: not a link to a run: %w; sama rollback RUN --out %s makes one", path, err, dir)
	case filepath.ToSlash(target) != runsFolder+"/"+filepath.Base(target):
		return fmt.Errorf("%s: leads to %s, which is outside of %s", path, target, runsFolder)
	case byID[filepath.Base(target)] == nil:
		return fmt.Errorf("%s: leads to %s, which is no run; sama rollback RUN --out %s names another", path, target, dir)
	}
	return nil
}

// checkNumbers: no number comes twice, and a run has a higher one than the run
// that it goes on from.
func checkNumbers(list []Entry, byID map[string]*Run) []error {
	var bad []error
	owner := make(map[uint32]string)
	for _, e := range list {
		if e.Run == nil {
			continue
		}
		info := &e.Run.Info
		if other, ok := owner[info.Number]; ok {
			bad = append(bad, fmt.Errorf("run %s has number %d, and so has run %s", e.ID, info.Number, other))
		}
		owner[info.Number] = e.ID
		if before := byID[info.Previous]; before != nil && before.Info.Number >= info.Number {
			bad = append(bad, fmt.Errorf("run %s has number %d, and the run %s before it %d", e.ID, info.Number, info.Previous, before.Info.Number))
		}
	}
	return bad
}

// chainTo returns the runs from the first to the one of that id, each going on
// from the one before; nil if one of them is not there.
func chainTo(id string, byID map[string]*Run) []*Run {
	var chain []*Run
	for id != "" {
		r := byID[id]
		if r == nil {
			return nil
		}
		chain = append([]*Run{r}, chain...)
		id = r.Info.Previous
	}
	return chain
}

// replayer knows which records every identity has by the events alone.
type replayer struct {
	keys   map[string]map[string]uint32 // source → record id → record
	ids    map[string]uint32            // identity id → identity
	names  []string                     // identity → its id
	owner  []uint32                     // record → identity, NoRecord: none
	owned  []int                        // identity → number of its records
	events []replayedEvent              // of the run at hand
}

type replayedEvent struct {
	kind     graph.EventKind
	identity uint32
	records  []uint32
}

// replay reads the events of runs, from a first one on, and compares what they
// add up to with the members of the last.
func replay(chain []*Run) error {
	p := &replayer{keys: make(map[string]map[string]uint32), ids: make(map[string]uint32)}
	for _, r := range chain {
		if err := p.read(r); err != nil {
			return fmt.Errorf("run %s: %w", r.Info.ID, err)
		}
		if err := p.apply(); err != nil {
			return fmt.Errorf("replaying the events of run %s: %w", r.Info.ID, err)
		}
	}
	return p.compare(chain[len(chain)-1])
}

// read numbers the identities and records of a run's events.
func (p *replayer) read(r *Run) error {
	p.events = p.events[:0]
	names := []string{"event", "identity_id", "records.list.element.source", "records.list.element.record_id"}
	var parts groupList[group]
	if err := r.groups("events.parquet", names, func(g group) error {
		parts.set(g.number, g)
		return nil
	}); err != nil {
		return err
	}
	for _, g := range parts.all {
		kinds, err := eventKinds(g)
		if err != nil {
			return err
		}
		sources, ids := g.columns[2], g.columns[3]
		records := make([]uint32, ids.entries())
		for i := range records {
			records[i] = p.record(string(sources.text(i)), ids.text(i))
		}
		for i, kind := range kinds {
			p.events = append(p.events, replayedEvent{kind, p.identity(g.columns[1].text(i)), records[ids.starts[i]:ids.starts[i+1]]})
		}
	}
	return nil
}

func (p *replayer) record(source string, id []byte) uint32 {
	of := p.keys[source]
	if of == nil {
		of = make(map[string]uint32)
		p.keys[source] = of
	}
	n, ok := of[string(id)]
	if !ok {
		n = uint32(len(p.owner))
		of[string(id)] = n
		p.owner = append(p.owner, NoRecord)
	}
	return n
}

func (p *replayer) identity(id []byte) uint32 {
	n, ok := p.ids[string(id)]
	if !ok {
		n = uint32(len(p.names))
		p.names = append(p.names, string(id))
		p.ids[p.names[n]] = n
		p.owned = append(p.owned, 0)
	}
	return n
}

// apply replays the events of one run: first what identities lose, then what
// they gain, since the order within a run means nothing.
func (p *replayer) apply() error {
	for _, e := range p.events {
		ends := e.kind == graph.Merged || e.kind == graph.Retired
		if !ends && e.kind != graph.Shrunk {
			continue
		}
		for _, rec := range e.records {
			// An id that was not live remembers records that it does not have.
			if p.owner[rec] == e.identity {
				p.owner[rec] = NoRecord
				p.owned[e.identity]--
			} else if !ends {
				return fmt.Errorf("identity %s loses a record that it did not have", p.names[e.identity])
			}
		}
		if ends && p.owned[e.identity] != 0 {
			return fmt.Errorf("identity %s ends, and has %d records more than its event says", p.names[e.identity], p.owned[e.identity])
		}
	}
	for _, e := range p.events {
		switch e.kind {
		case graph.Merged, graph.Retired, graph.Shrunk:
			continue
		case graph.Created, graph.Split, graph.Restored:
			if p.owned[e.identity] != 0 {
				return fmt.Errorf("identity %s is %s, and had records before", p.names[e.identity], e.kind)
			}
		}
		for _, rec := range e.records {
			if held := p.owner[rec]; held != NoRecord {
				return fmt.Errorf("identity %s gains a record that %s still has", p.names[e.identity], p.names[held])
			}
			p.owner[rec] = e.identity
			p.owned[e.identity]++
		}
	}
	return nil
}

// compare verifies that the events give exactly the members of a run, and that
// every id that they named is live or has an alias there.
func (p *replayer) compare(r *Run) error {
	m, err := r.Members()
	if err != nil {
		return err
	}
	total := 0
	for _, n := range p.owned {
		total += n
	}
	if total != m.Len() {
		return fmt.Errorf("the events of all runs give %d records an identity; run %s has %d", total, r.Info.ID, m.Len())
	}
	for i := range uint32(m.Len()) {
		rec := p.record(m.Sources[m.Source[i]], []byte(m.IDs.At(i)))
		id := p.owner[rec]
		if want := m.Identities.At(m.Identity[i]); id == NoRecord || p.names[id] != want {
			return fmt.Errorf("the events of all runs do not give record %s the identity %s that it has in run %s", m.Key(i), want, r.Info.ID)
		}
	}
	aliases, err := r.text("aliases.parquet", "identity_id")
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(aliases.texts))
	for _, id := range aliases.texts {
		known[id] = true
	}
	for _, id := range p.names {
		if _, live := m.FindIdentity(id); !live && !known[id] {
			return fmt.Errorf("identity id %s was issued and resolves to nothing in run %s", id, r.Info.ID)
		}
	}
	return nil
}
