package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sama/record"
)

// Run is an opened run directory.
type Run struct {
	Path string
	Info Info
}

// ErrNoRun says that a directory holds no run.
var ErrNoRun = errors.New("no run")

// Open opens a run: dir is a run directory itself, or an output directory
// whose current run is meant. The error wraps ErrNoRun if dir is neither.
func Open(dir string) (*Run, error) {
	path := dir
	text, err := os.ReadFile(filepath.Join(path, infoName))
	if errors.Is(err, os.ErrNotExist) {
		// The link is followed once, so that all files are of one run even if
		// current is switched meanwhile.
		if path, err = filepath.EvalSymlinks(filepath.Join(dir, currentName)); err == nil {
			text, err = os.ReadFile(filepath.Join(path, infoName))
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w there: neither %s nor a %s run; write one with sama resolve --out %s", dir, ErrNoRun, infoName, currentName, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the run: %w", err)
	}
	r := &Run{Path: path}
	if err := json.Unmarshal(text, &r.Info); err != nil {
		return nil, fmt.Errorf("%s: not what sama writes: %w", filepath.Join(path, infoName), err)
	}
	if r.Info.Format != FormatVersion {
		return nil, fmt.Errorf("%s: format %d, this sama reads %d; use the version of sama that wrote it (%s)",
			filepath.Join(path, infoName), r.Info.Format, FormatVersion, r.Info.Version)
	}
	return r, nil
}

// File returns the path of one of the run's files by its name in run.json.
func (r *Run) File(name string) string { return filepath.Join(r.Path, filepath.FromSlash(name)) }

// Members is members.parquet: who belongs to which identity. Records are
// numbered as in the table that the run was made from.
type Members struct {
	Sources    []string
	Source     []uint16       // record → index into Sources
	IDs        record.Strings // record → record id
	Identity   []uint32       // record → index into Identities
	Identities record.Strings // identity ids in the order of golden.parquet

	first []uint32 // source → its first record; one more at the end
}

// Len returns the number of records.
func (m *Members) Len() int { return len(m.Source) }

// Key returns the key of record i.
func (m *Members) Key(i uint32) record.Key {
	return record.Key{Source: m.Sources[m.Source[i]], ID: m.IDs.At(i)}
}

// Members reads who belongs to which identity.
func (r *Run) Members() (*Members, error) {
	identities, err := r.text("golden.parquet", "identity_id")
	if err != nil {
		return nil, err
	}
	m := new(Members)
	if m.Identities, err = identities.list(); err != nil {
		return nil, err
	}
	source, err := r.text("members.parquet", "source")
	if err != nil {
		return nil, err
	}
	id, err := r.text("members.parquet", "record_id")
	if err != nil {
		return nil, err
	}
	identity, err := r.text("members.parquet", "identity_id")
	if err != nil {
		return nil, err
	}
	if len(id.codes) != len(source.codes) || len(identity.codes) != len(source.codes) {
		return nil, fmt.Errorf("members.parquet: columns of different length")
	}
	if err := m.fill(source, id); err != nil {
		return nil, err
	}
	m.Identity, err = identity.in(identities, "identity_id of members.parquet", "golden.parquet")
	return m, err
}

// fill numbers the records and their sources, which stand in ascending order.
func (m *Members) fill(source, id *textColumn) error {
	m.Source = make([]uint16, len(source.codes))
	for i, code := range source.codes {
		name := source.texts[code]
		if n := len(m.Sources); n == 0 || m.Sources[n-1] != name {
			if n > 0 && m.Sources[n-1] > name {
				return fmt.Errorf("members.parquet: row %d: source %s does not come before %s", i+1, m.Sources[n-1], name)
			}
			m.Sources = append(m.Sources, name)
			m.first = append(m.first, uint32(i))
		}
		m.Source[i] = uint16(len(m.Sources) - 1)
	}
	m.first = append(m.first, uint32(len(source.codes)))
	var err error
	m.IDs, err = id.list()
	return err
}

// Find returns the number of the record with that key.
func (m *Members) Find(k record.Key) (uint32, bool) {
	for s, name := range m.Sources {
		if name != k.Source {
			continue
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
	return 0, false
}

// Edges reads the scored pairs, by the record numbers of m, with the name of
// the blocking rule that found each.
func (r *Run) Edges(m *Members) (edges []record.Edge, rules []string, err error) {
	a, err := r.records(m, "edges.parquet", "source_a", "record_id_a")
	if err != nil {
		return nil, nil, err
	}
	b, err := r.records(m, "edges.parquet", "source_b", "record_id_b")
	if err != nil {
		return nil, nil, err
	}
	weight, err := r.numbers("edges.parquet", "match_weight")
	if err != nil {
		return nil, nil, err
	}
	rule, err := r.text("edges.parquet", "blocking_rule")
	if err != nil {
		return nil, nil, err
	}
	if len(a) != len(b) || len(a) != len(weight) || len(a) != len(rule.codes) {
		return nil, nil, fmt.Errorf("edges.parquet: columns of different length")
	}
	edges = make([]record.Edge, len(a))
	rules = make([]string, len(a))
	for i := range edges {
		edges[i] = record.Edge{A: a[i], B: b[i], Weight: record.WeightOfBits(weight[i])}
		rules[i] = rule.texts[rule.codes[i]]
	}
	return edges, rules, nil
}

// records reads two columns that name records of m; NoRecord where they are
// null.
func (r *Run) records(m *Members, file, sourceColumn, idColumn string) ([]uint32, error) {
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
	list := make([]uint32, len(id.codes))
	for i := range list {
		k := record.Key{Source: source.texts[source.codes[i]], ID: id.texts[id.codes[i]]}
		if k == (record.Key{}) {
			list[i] = NoRecord
			continue
		}
		n, ok := m.Find(k)
		if !ok {
			return nil, fmt.Errorf("%s: row %d: %s %s names a record that is not in members.parquet", file, i+1, idColumn, k)
		}
		list[i] = n
	}
	return list, nil
}
