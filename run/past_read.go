package run

import (
	"fmt"

	"sama/graph"
	"sama/record"
)

// listLengths reads how many entries the list of each row has; name is the path
// of one of its leaves.
func (r *Run) listLengths(file, name string) ([]int, error) {
	pieces, err := r.pieces(file, name)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, p := range pieces {
		for i := range p.rows {
			all = append(all, int(p.starts[i+1]-p.starts[i]))
		}
	}
	return all, nil
}

// ended is an id that is not live, with the keys of its records.
type ended struct {
	graph.Dormant
	founder record.Key // zero if not known
	records []record.Key
}

// ended reads aliases.parquet.
func (r *Run) ended() ([]ended, error) {
	const file = "aliases.parquet"
	ids, err := r.idColumn(file, "identity_id")
	if err != nil {
		return nil, err
	}
	into, err := r.idColumn(file, "surviving_identity_id")
	if err != nil {
		return nil, err
	}
	in, err := r.numbers(file, "ended")
	if err != nil {
		return nil, err
	}
	founders, err := r.keyColumns(file, "founding_source", "founding_record_id")
	if err != nil {
		return nil, err
	}
	records, err := r.keyColumns(file, "records.list.element.source", "records.list.element.record_id")
	if err != nil {
		return nil, err
	}
	lengths, err := r.listLengths(file, "records.list.element.source")
	if err != nil {
		return nil, err
	}
	n := len(ids)
	if len(into) != n || len(in) != n || len(founders) != n || len(lengths) != n {
		return nil, fmt.Errorf("%s: columns of different length", file)
	}
	out := make([]ended, n)
	for i := range out {
		if lengths[i] > len(records) {
			return nil, fmt.Errorf("%s: row %d: its list is cut", file, i+1)
		}
		out[i] = ended{graph.Dormant{ID: ids[i], Into: into[i], Ended: uint32(in[i])}, founders[i], records[:lengths[i]]}
		records = records[lengths[i]:]
	}
	return out, nil
}

// foreign returns the ids that a run which is not followed issued after the run
// of that number, or that those before it did, but for the ones already known.
func (r *Run) foreign(after uint32, known []ended) ([]ended, error) {
	seen := make(map[graph.IdentityID]bool, len(known))
	for _, e := range known {
		seen[e.ID] = true
	}
	m, err := r.Members()
	if err != nil {
		return nil, err
	}
	ids, err := parseIDs(&m.Identities)
	if err != nil {
		return nil, err
	}
	founding, err := r.numbers("members.parquet", "founding")
	if err != nil {
		return nil, err
	}
	at := make(map[uint32]int)
	var out []ended
	for i, identity := range m.Identity {
		id := ids[identity]
		if id.Run() <= after || seen[id] {
			continue
		}
		k, ok := at[identity]
		if !ok {
			k = len(out)
			at[identity] = k
			out = append(out, ended{Dormant: graph.Dormant{ID: id, Ended: r.Info.Number, Foreign: true}})
		}
		key := m.Key(uint32(i))
		out[k].records = append(out[k].records, key)
		if founding[i] != 0 {
			out[k].founder = key
		}
	}
	aliases, err := r.ended()
	for _, e := range aliases {
		if e.ID.Run() > after && !seen[e.ID] {
			e.Into, e.Foreign = 0, true
			out = append(out, e)
		}
	}
	return out, err
}

// Founded is an identity that was founded between two runs, for a record that
// came online, with all the records that it has now.
type Founded struct {
	ID      graph.IdentityID
	Records []record.Key // ascending
}

// foundedOnline returns such identities as ids that no run tells of, but for
// those that are known.
func foundedOnline(list []Founded, number uint32, known []ended) []ended {
	seen := make(map[graph.IdentityID]bool, len(known))
	for _, e := range known {
		seen[e.ID] = true
	}
	var out []ended
	for _, f := range list {
		if seen[f.ID] {
			continue
		}
		e := ended{Dormant: graph.Dormant{ID: f.ID, Ended: number, Foreign: true}, records: f.Records}
		if len(f.Records) > 0 {
			e.founder = f.Records[0]
		}
		out = append(out, e)
	}
	return out
}

// goldenTimes reads when the sources saw each of n identities.
func (r *Run) goldenTimes(n int) ([]Times, error) {
	first, err := r.numbers("golden.parquet", "first_seen")
	if err != nil {
		return nil, err
	}
	changed, err := r.numbers("golden.parquet", "last_changed")
	if err != nil {
		return nil, err
	}
	if len(first) != n || len(changed) != n {
		return nil, fmt.Errorf("golden.parquet: columns of different length")
	}
	out := make([]Times, n)
	for i := range out {
		out[i] = Times{first[i] / 1000, changed[i] / 1000}
	}
	return out, nil
}

// parseIDs reads a list of ids.
func parseIDs(texts *record.Strings) ([]graph.IdentityID, error) {
	ids := make([]graph.IdentityID, texts.Len())
	for i := range ids {
		var err error
		if ids[i], err = graph.ParseIdentityID(texts.At(uint32(i))); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// idColumn reads a column of ids, 0 for null.
func (r *Run) idColumn(file, name string) ([]graph.IdentityID, error) {
	c, err := r.text(file, name)
	if err != nil {
		return nil, err
	}
	ids := make([]graph.IdentityID, len(c.codes))
	for i, code := range c.codes {
		if code == 0 {
			continue
		}
		if ids[i], err = graph.ParseIdentityID(c.texts[code]); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", file, i+1, err)
		}
	}
	return ids, nil
}

// keyColumns reads two columns that name records.
func (r *Run) keyColumns(file, sourceColumn, idColumn string) ([]record.Key, error) {
	source, err := r.text(file, sourceColumn)
	if err != nil {
		return nil, err
	}
	id, err := r.text(file, idColumn)
	if err != nil {
		return nil, err
	}
	if len(source.codes) != len(id.codes) {
		return nil, fmt.Errorf("%s: columns of different length", file)
	}
	keys := make([]record.Key, len(id.codes))
	for i := range keys {
		keys[i] = record.Key{Source: source.texts[source.codes[i]], ID: id.texts[id.codes[i]]}
	}
	return keys, nil
}
