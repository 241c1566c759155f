package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sama/graph"
	"sama/ingest"
	"sama/record"
	"sama/run"
	"sama/serve/store"
)

// keysName is the file of secret keys in an output directory.
const keysName = "state.keys"

// stateLocation is the state database of an output directory.
func (o *options) stateLocation() string {
	if o.state != "" {
		return o.state
	}
	return filepath.Join(o.out, stateName)
}

// openState opens the state database; it is nil where there is none and none was
// named.
func (j *job) openState(ctx context.Context) (*store.Store, error) {
	keys, err := store.LoadKeys(filepath.Join(j.out, keysName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s, err := store.OpenExisting(ctx, j.stateLocation(), store.Options{Now: j.now, Keys: keys})
	if errors.Is(err, store.ErrNoState) {
		if j.state != "" {
			return nil, usagef("--state %s: there is no such file; sama decide makes one", j.state)
		}
		return nil, nil
	}
	return s, err
}

// came is what came online for one source since the previous run: by record id,
// the newest word on it.
type came struct {
	first   int64                        // sequence number of the first word
	puts    map[string]map[string]string // record id → its fields
	deletes map[string]bool
}

// takeOnline lays the records that came online since the previous run over the
// sources, and lets nobody back in who was erased. A full export knows the
// changes of the day before by itself, so what came online counts in one run; a
// source that only comes online goes on from run to run.
func (j *job) takeOnline(ctx context.Context) (int64, error) {
	if j.out == "" {
		return 0, nil
	}
	previous, err := run.Open(j.out)
	if err != nil && !errors.Is(err, run.ErrNoRun) {
		return 0, err
	}
	if previous != nil {
		j.online.UpTo = previous.Info.Online.UpTo
	}
	sources := make(map[string]*came)
	s, err := j.openState(ctx)
	if err != nil {
		return 0, err
	}
	if s != nil {
		defer s.Close()
		if previous != nil {
			if err := s.Reach(ctx, previous.Info.Online.UpTo, previous.Info.Online.Erasure); err != nil {
				return 0, err
			}
		}
		if err := j.readErasures(ctx, s); err != nil {
			return 0, err
		}
		if err := j.readOnline(ctx, s, sources); err != nil {
			return 0, err
		}
	}
	if err := j.addOnlineSources(previous, sources); err != nil {
		return 0, err
	}
	var n int64
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if err := j.layOnline(previous, name, sources[name]); err != nil {
			return 0, err
		}
		n += int64(len(sources[name].puts) + len(sources[name].deletes))
	}
	return n, nil
}

// readOnline reads what came since, and the identities that were founded for it.
func (j *job) readOnline(ctx context.Context, s *store.Store, sources map[string]*came) error {
	of := make(map[record.Key]string)  // the newest word on a record
	founded := make(map[string]string) // identity → the source that founded it; kept for its order
	for r, err := range s.OnlineSince(ctx, j.online.UpTo) {
		if err != nil {
			return err
		}
		j.online.UpTo = r.Seq
		c := sources[r.Key.Source]
		if c == nil {
			c = &came{r.Seq, make(map[string]map[string]string), make(map[string]bool)}
			sources[r.Key.Source] = c
		}
		delete(c.puts, r.Key.ID)
		delete(c.deletes, r.Key.ID)
		if r.Founded {
			founded[r.Identity] = r.Key.Source
		}
		if r.Op == store.Delete {
			c.deletes[r.Key.ID] = true
			delete(of, r.Key)
			continue
		}
		fields, err := fieldsOf(r.Fields)
		if err != nil {
			return fmt.Errorf("state %s: online record %d: %w", s.Location(), r.Seq, err)
		}
		c.puts[r.Key.ID] = fields
		of[r.Key] = r.Identity
	}
	records := make(map[string][]record.Key)
	for k, id := range of {
		if _, ok := founded[id]; ok {
			records[id] = append(records[id], k)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(founded)) {
		id, err := graph.ParseIdentityID(text)
		if err != nil {
			return fmt.Errorf("state %s: %w", s.Location(), err)
		}
		keys := records[text]
		slices.SortFunc(keys, record.Key.Compare)
		j.founded = append(j.founded, run.Founded{ID: id, Records: keys})
	}
	return nil
}

// fieldsOf reads the fields of a record that came online: texts, numbers and
// truth values, each as a text.
func fieldsOf(text []byte) (map[string]string, error) {
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		return nil, err
	}
	fields := make(map[string]string, len(values))
	for name, v := range values {
		switch v := v.(type) {
		case nil:
		case string:
			fields[name] = v
		case json.Number:
			fields[name] = v.String()
		case bool:
			fields[name] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("field %s is neither a text nor a number", name)
		}
	}
	return fields, nil
}

// onlineMode marks in run.json the sources whose records came online.
const onlineMode = "online"

// addOnlineSources adds the sources that the previous run had from online
// records alone and of which no file came tonight.
func (j *job) addOnlineSources(previous *run.Run, sources map[string]*came) error {
	if previous == nil {
		return nil
	}
	files := make(map[string]bool)
	only := make(map[string]bool)
	for _, in := range previous.Info.Inputs {
		if in.Mode == onlineMode {
			only[in.Source] = true
		} else {
			files[in.Source] = true
		}
	}
	for name := range only {
		if !files[name] && sources[name] == nil {
			sources[name] = &came{}
		}
	}
	return nil
}

// layOnline lays what came online for one source over it.
func (j *job) layOnline(previous *run.Run, name string, c *came) error {
	at := slices.IndexFunc(j.raws, func(r *ingest.Raw) bool { return r.Source == name })
	var before *ingest.Raw
	var key string
	if at >= 0 {
		before = j.raws[at]
		proposed, _ := ingest.Propose([]*ingest.Raw{before})
		key = proposed.Sources[0].Key
	}
	kept, keptKey, err := recordsBefore(previous, name)
	switch {
	case err != nil:
		return err
	case before == nil && kept != nil && !onlyOnline(previous, name):
		j.foldNotes = append(j.foldNotes, ingest.Note{Source: name, Text: "no file of this source came tonight; what came online for it waits for one"})
		if c.first > 0 {
			// What came later, for others, is taken up once more with it, which changes
			// nothing.
			j.online.UpTo = min(j.online.UpTo, c.first-1)
		}
		return nil
	case before == nil:
		before = kept
	}
	if keptKey != "" && (before == nil || slices.Contains(columnsOf(before), keptKey)) {
		key = keptKey
	}
	if s, ok := j.configuredSource(name); ok && s.Key != "" {
		key = s.Key
	}
	if key == "" {
		key = "record_id"
	}
	delta, deletes := c.delta(name, key)
	if before == nil && delta == nil {
		return nil
	}
	folded, rejects, report, err := ingest.Fold(before, delta, key, ingest.Deletes{Keys: deletes}, ingest.ReadOptions{Workers: j.workers})
	if err != nil {
		return &usageError{err}
	}
	j.rejects = append(j.rejects, rejects...)
	if report.BeforeDropped > 0 {
		j.refused += int64(report.BeforeDropped)
		j.rejects = append(j.rejects, ingest.Reject{File: name, Reason: plural(report.BeforeDropped, "row", "rows") + " without a key or with one that an earlier row has"})
	}
	j.keys = append(j.keys, name+"="+key)
	j.online.Put += int64(len(c.puts))
	j.online.Deleted += int64(report.Deleted)
	j.files = append(j.files, run.Input{Source: name, Mode: onlineMode, Path: onlineMode, Format: "jsonl", Rows: int64(len(c.puts))})
	if at >= 0 {
		j.raws[at] = folded
		return nil
	}
	j.raws = append(j.raws, folded)
	slices.SortFunc(j.raws, func(a, b *ingest.Raw) int { return strings.Compare(a.Source, b.Source) })
	return nil
}

func (j *job) configuredSource(name string) (ingest.SourceMapping, bool) {
	i := slices.IndexFunc(j.conf.Sources, func(s ingest.SourceMapping) bool { return s.Source == name })
	if i < 0 {
		return ingest.SourceMapping{}, false
	}
	return j.conf.Sources[i], true
}

// onlyOnline reports whether a run had a source from online records alone.
func onlyOnline(r *run.Run, name string) bool {
	return !slices.ContainsFunc(r.Info.Inputs, func(in run.Input) bool { return in.Source == name && in.Mode != onlineMode })
}

// delta makes a delta of what came: whole records, and keys of those that are
// gone; nil where there are none.
func (c *came) delta(source, key string) (delta, deletes *ingest.Raw) {
	if len(c.puts) > 0 {
		names := make(map[string]bool)
		for _, fields := range c.puts {
			for name := range fields {
				names[name] = true
			}
		}
		delete(names, key)
		ids := slices.Sorted(maps.Keys(c.puts))
		columns := append([]string{key}, slices.Sorted(maps.Keys(names))...)
		delta = ingest.RawOf(source, onlineMode, columns, len(ids), func(row, column int) string {
			if column == 0 {
				return ids[row]
			}
			return c.puts[ids[row]][columns[column]]
		})
	}
	if len(c.deletes) > 0 {
		ids := slices.Sorted(maps.Keys(c.deletes))
		deletes = ingest.RawOf(source, onlineMode, []string{key}, len(ids), func(row, _ int) string { return ids[row] })
	}
	return delta, deletes
}

// readErasures reads who has been erased.
func (j *job) readErasures(ctx context.Context, s *store.Store) (err error) {
	if j.tombstones, err = s.Tombstones(ctx); err != nil {
		return err
	}
	list, err := s.Erasures(ctx, 0)
	for _, e := range list {
		j.online.Erasure = max(j.online.Erasure, e.ID)
	}
	return err
}

// removeErased removes the earlier runs that know less erasures than this one:
// they hold persons who have been erased since.
func (j *job) removeErased() error {
	if j.online.Erasure == 0 || len(j.heldBack) > 0 {
		return nil
	}
	list, err := run.List(j.out)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Current || e.Newest || e.Run == nil || e.Run.Info.Online.Erasure >= j.online.Erasure {
			continue
		}
		if err := j.lock.Remove(e.ID); err != nil {
			return fmt.Errorf("run %s holds persons who have been erased: %w", e.ID, err)
		}
		j.removed++
	}
	return nil
}

// forgetOnline removes from the state the online records that every run of the
// output directory has taken up: they are personal data that nothing needs any
// more.
func (j *job) forgetOnline(ctx context.Context) error {
	list, err := run.List(j.out)
	if err != nil {
		return err
	}
	upTo := j.online.UpTo
	for _, e := range list {
		if e.Run == nil {
			return nil // nobody can tell what it has taken up
		}
		upTo = min(upTo, e.Run.Info.Online.UpTo)
	}
	if upTo == 0 {
		return nil
	}
	s, err := j.openState(ctx)
	if s == nil || err != nil {
		return err
	}
	defer s.Close()
	_, err = s.ForgetOnline(ctx, upTo)
	return err
}

// erasures tells the records of persons who have been erased; nil where there
// are none.
func (j *job) erasures() *ingest.Erased {
	set := j.tombstones
	if set == nil || set.Len() == 0 {
		return nil
	}
	e := &ingest.Erased{Value: make(map[record.Field]func(string) bool)}
	for _, kind := range set.Kinds() {
		m := set.Matcher(kind)
		if kind == store.KindRecord {
			e.Record = func(source, id string) bool { return m.Erased(record.Key{Source: source, ID: id}.String()) }
		} else if field, err := record.ParseField(kind); err == nil {
			e.Value[field] = m.Erased
		}
	}
	return e
}
