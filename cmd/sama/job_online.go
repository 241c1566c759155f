package main

import (
	"bytes"
	"cmp"
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
	name := filepath.Join(j.out, keysName)
	keys, err := store.LoadKeys(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s, err := store.OpenExisting(ctx, j.stateLocation(), store.Options{Now: j.now, Keys: keys})
	if err == nil && keys == nil {
		if err := needsNoKeys(ctx, s, name); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if errors.Is(err, store.ErrNoState) {
		if j.state != "" {
			return nil, usagef("--state %s: there is no such file; sama decide makes one", j.state)
		}
		return nil, nil
	}
	return s, err
}

// came is what came online for one source: by record id, the newest word on it.
type came struct {
	first int64 // sequence number of the first word that the run before does not have
	words map[string]word
}

// word is the newest word on a record.
type word struct {
	seq    int64
	fields map[string]string // nil where it is gone
}

// takeOnline lays the records that came online over the sources, and lets nobody
// back in who was erased.
//
// A new export of a source knows better than what came online before the last run:
// from then on it is the authority. One that came again, byte for byte, does not.
// And a record whose key was in no export stays until it is in one, or is deleted
// online: what was acknowledged does not go because an export was made too early. A
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
	j.online.Read = j.online.UpTo
	j.setSince(previous)
	if err := j.addOnlineSources(previous, sources); err != nil {
		return 0, err
	}
	var n int64
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		laid, err := j.layOnline(previous, name, sources[name])
		if err != nil {
			return 0, err
		}
		n += laid
	}
	slices.Sort(j.online.Waiting)
	return n, nil
}

// readOnline reads what came, and the identities that were founded for what came
// since the previous run.
func (j *job) readOnline(ctx context.Context, s *store.Store, sources map[string]*came) error {
	of := make(map[record.Key]string)  // the newest word on a record
	founded := make(map[string]string) // identity → the source that founded it; kept for its order
	before := j.online.UpTo
	for r, err := range s.OnlineSince(ctx, 0) {
		if err != nil {
			return err
		}
		j.online.UpTo = max(j.online.UpTo, r.Seq)
		c := sources[r.Key.Source]
		if c == nil {
			c = &came{words: make(map[string]word)}
			sources[r.Key.Source] = c
		}
		w := word{seq: r.Seq}
		if r.Op == store.Put {
			if w.fields, err = fieldsOf(r.Fields); err != nil {
				return fmt.Errorf("state %s: online record %d: %w", s.Location(), r.Seq, err)
			}
		}
		c.words[r.Key.ID] = w
		if r.Seq <= before {
			continue
		}
		if c.first == 0 {
			c.first = r.Seq
		}
		if r.Founded {
			founded[r.Identity] = r.Key.Source
		}
		if delete(of, r.Key); r.Op == store.Put {
			of[r.Key] = r.Identity
		}
	}
	return j.noteFounded(s, of, founded)
}

// noteFounded notes the identities that were founded online, with their records.
func (j *job) noteFounded(s *store.Store, of map[record.Key]string, founded map[string]string) error {
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

// setSince says of every source up to which online record its export knows better.
func (j *job) setSince(previous *run.Run) {
	if j.online.UpTo == 0 {
		return // nothing has come
	}
	var was run.Online
	var before map[string][]string
	if previous != nil {
		was, before = previous.Info.Online, contentOf(previous.Info.Inputs)
	}
	now := contentOf(j.files)
	j.online.Since = make(map[string]int64)
	for name, since := range was.Since {
		if j.online.Since[name] = since; len(before[name]) > 0 && len(now[name]) == 0 {
			j.online.Since[name] = max(was.Read, was.UpTo) // it had an export until then
		}
	}
	for name := range now {
		_, delta := j.deltas[name]
		if len(before[name]) > 0 && (delta || !slices.Equal(before[name], now[name])) {
			j.online.Since[name] = max(was.Read, was.UpTo)
		} else if _, ok := j.online.Since[name]; !ok {
			j.online.Since[name] = 0
		}
	}
}

// contentOf returns the hashes of the files of each source, in their order.
func contentOf(inputs []run.Input) map[string][]string {
	of := make(map[string][]string)
	for _, in := range inputs {
		if in.Mode != onlineMode {
			of[in.Source] = append(of[in.Source], in.SHA256)
		}
	}
	for _, list := range of {
		slices.Sort(list)
	}
	return of
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
			sources[name] = new(came)
		}
	}
	return nil
}

// layOnline lays what came online for one source over it, and returns how many
// records that were.
func (j *job) layOnline(previous *run.Run, name string, c *came) (int64, error) {
	at := slices.IndexFunc(j.raws, func(r *ingest.Raw) bool { return r.Source == name })
	kept, keptKey, err := recordsBefore(previous, name)
	if err != nil {
		return 0, err
	}
	before := kept
	if at >= 0 {
		before = j.raws[at]
	} else if kept != nil && !onlyOnline(previous, name) {
		j.waitForFile(previous, name, c)
		return 0, nil
	}
	key := j.keyOnline(name, before, at >= 0, keptKey)
	puts, deletes := j.wordsFor(previous, name, c, before, key, at >= 0)
	delta, gone := deltaOf(name, key, puts), deletesOf(name, key, deletes)
	if delta == nil && gone == nil && (at >= 0 || before == nil) {
		return 0, nil
	}
	folded, rejects, report, err := ingest.Fold(before, delta, key, ingest.Deletes{Keys: gone}, ingest.ReadOptions{Workers: j.workers})
	if err != nil {
		return 0, &usageError{err}
	}
	j.rejects = append(j.rejects, rejects...)
	if report.BeforeDropped > 0 {
		j.refused += int64(report.BeforeDropped)
		j.rejects = append(j.rejects, ingest.Reject{File: name, Reason: plural(report.BeforeDropped, "row", "rows") + " without a key or with one that an earlier row has"})
	}
	j.keys = append(j.keys, name+"="+key)
	j.online.Put += int64(len(puts))
	j.online.Deleted += int64(report.Deleted)
	j.files = append(j.files, run.Input{Source: name, Mode: onlineMode, Path: onlineMode, Format: "jsonl", Rows: int64(len(puts))})
	if at >= 0 {
		j.raws[at] = folded
	} else {
		j.raws = append(j.raws, folded)
		slices.SortFunc(j.raws, func(a, b *ingest.Raw) int { return strings.Compare(a.Source, b.Source) })
	}
	return int64(len(puts) + len(deletes)), nil
}

// waitForFile keeps what came for a source of which no file came tonight.
func (j *job) waitForFile(previous *run.Run, name string, c *came) {
	for _, w := range c.words {
		if slices.Contains(previous.Info.Online.Waiting, w.seq) {
			j.online.Waiting = append(j.online.Waiting, w.seq)
		}
	}
	if c.first > 0 {
		j.foldNotes = append(j.foldNotes, ingest.Note{Source: name, Text: "no file of this source came tonight; what came online for it waits for one"})
		j.online.UpTo = min(j.online.UpTo, c.first-1) // until then it is served beside the run
	}
}

// keyOnline returns the column that names the records of a source.
func (j *job) keyOnline(name string, before *ingest.Raw, file bool, keptKey string) string {
	key := ""
	if file {
		proposed, _ := ingest.Propose([]*ingest.Raw{before})
		key = proposed.Sources[0].Key
	}
	if keptKey != "" && (before == nil || slices.Contains(columnsOf(before), keptKey)) {
		key = keptKey
	}
	if s, ok := j.configuredSource(name); ok && s.Key != "" {
		key = s.Key
	}
	return cmp.Or(key, "record_id")
}

// wordsFor returns what of the words on records of a source is to be laid over it:
// records, and ids of those that are gone.
func (j *job) wordsFor(previous *run.Run, name string, c *came, before *ingest.Raw, key string, file bool) (puts map[string]map[string]string, deletes []string) {
	since, last := int64(0), int64(0)
	var waited []int64
	if previous != nil {
		last, waited = previous.Info.Online.UpTo, previous.Info.Online.Waiting
	}
	if since = last; file {
		since = j.online.Since[name]
	}
	var has map[string]bool
	if _, delta := j.deltas[name]; file && !delta {
		has = idsOf(before, key)
	}
	puts = make(map[string]map[string]string)
	for id, w := range c.words {
		_, waits := slices.BinarySearch(waited, w.seq)
		unseen := has != nil && !has[id] && w.fields != nil
		if w.seq <= since && !(unseen && waits) {
			continue
		}
		if w.fields == nil {
			deletes = append(deletes, id)
			continue
		}
		puts[id] = w.fields
		if w.seq <= last {
			j.online.Kept++
		}
		if unseen {
			j.online.Waiting = append(j.online.Waiting, w.seq)
		}
	}
	return puts, deletes
}

// idsOf returns the record ids of a source.
func idsOf(r *ingest.Raw, key string) map[string]bool {
	ids := make(map[string]bool)
	for i := range r.Columns {
		if c := &r.Columns[i]; c.Name == key {
			for code := range uint32(c.Values.Len()) {
				ids[strings.TrimSpace(c.Values.At(code))] = true
			}
		}
	}
	return ids
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

// deltaOf makes a delta of whole records; nil of none.
func deltaOf(source, key string, puts map[string]map[string]string) *ingest.Raw {
	if len(puts) == 0 {
		return nil
	}
	names := make(map[string]bool)
	for _, fields := range puts {
		for name := range fields {
			names[name] = true
		}
	}
	delete(names, key)
	ids := slices.Sorted(maps.Keys(puts))
	columns := append([]string{key}, slices.Sorted(maps.Keys(names))...)
	return ingest.RawOf(source, onlineMode, columns, len(ids), func(row, column int) string {
		if column == 0 {
			return ids[row]
		}
		return puts[ids[row]][columns[column]]
	})
}

// deletesOf makes a list of the keys of records that are gone; nil of none.
func deletesOf(source, key string, ids []string) *ingest.Raw {
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return ingest.RawOf(source, onlineMode, []string{key}, len(ids), func(row, _ int) string { return ids[row] })
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

// forgetOnline removes from the state the online records that no run of the output
// directory needs any more, for they are personal data.
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
		o := e.Run.Info.Online
		upTo = min(upTo, o.UpTo)
		for _, since := range o.Since {
			upTo = min(upTo, since)
		}
	}
	if upTo == 0 {
		return nil
	}
	s, err := j.openState(ctx)
	if s == nil || err != nil {
		return err
	}
	defer s.Close()
	_, err = s.ForgetOnline(ctx, upTo, j.online.Waiting)
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
