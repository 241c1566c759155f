package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sama/ingest"
	"sama/run"
)

// foldDeltas lays the sources that only send changes over the records that the
// previous run has of them.
func (j *job) foldDeltas(ctx context.Context) (int64, error) {
	if len(j.deltas) == 0 {
		return 0, nil
	}
	var previous *run.Run
	var err error
	if j.out != "" {
		if previous, err = run.Open(j.out); err != nil && !errors.Is(err, run.ErrNoRun) {
			return 0, err
		}
	}
	var changes int64
	for _, name := range slices.Sorted(maps.Keys(j.deltas)) {
		n, err := j.foldDelta(ctx, previous, j.deltas[name])
		if err != nil {
			return 0, err
		}
		changes += n
	}
	return changes, nil
}

// deltaSources returns the sources of mode delta: those of the configuration and
// of --delta, with the deletions of --deletes.
func (j *job) deltaSources() (map[string]ingest.SourceMapping, error) {
	all := make(map[string]ingest.SourceMapping)
	for _, s := range j.conf.Sources {
		if s.Mode == ingest.ModeDelta {
			all[s.Source] = s
		}
	}
	for _, name := range j.deltaFlags {
		s := all[name]
		s.Source, s.Mode = name, ingest.ModeDelta
		if i := slices.IndexFunc(j.conf.Sources, func(c ingest.SourceMapping) bool { return c.Source == name }); i >= 0 {
			s.Key, s.Deleted, s.Deletes = j.conf.Sources[i].Key, j.conf.Sources[i].Deleted, j.conf.Sources[i].Deletes
		}
		all[name] = s
	}
	if err := j.deletionFlags(all); err != nil {
		return nil, err
	}
	for _, s := range j.conf.Sources {
		if s.Mode != ingest.ModeDelta && all[s.Source].Mode != ingest.ModeDelta && (s.Deleted != nil || len(s.Deletes) > 0) {
			return nil, usagef("source %s: deleted and deletes go with mode: delta; a full export leaves deleted records out", s.Source)
		}
	}
	return all, nil
}

// deletionFlags adds --deleted and --deletes to the delta sources.
func (j *job) deletionFlags(all map[string]ingest.SourceMapping) error {
	for flag, texts := range map[string][]string{"deleted": j.deletedFlags, "deletes": j.deletesFlags} {
		for _, text := range texts {
			name, value, ok := strings.Cut(text, "=")
			s, known := all[name]
			switch {
			case !ok || name == "" || value == "":
				return usagef("--%s %s: want SOURCE=%s", flag, text, map[string]string{"deleted": "COLUMN", "deletes": "FILE"}[flag])
			case !known:
				return usagef("--%s %s: source %s is no delta; say --delta %s too", flag, text, name, name)
			case flag == "deleted":
				s.Deleted = &ingest.DeleteMark{Column: value}
			default:
				s.Deletes = append(slices.Clone(s.Deletes), value)
			}
			all[name] = s
		}
	}
	return nil
}

// hasDeltas reports whether some source only sends changes: then a night without
// any file has sense.
func (j *job) hasDeltas() bool {
	return len(j.deltaFlags) > 0 || slices.ContainsFunc(j.conf.Sources, func(s ingest.SourceMapping) bool { return s.Mode == ingest.ModeDelta })
}

// foldDelta folds one source and returns how many of its records changed.
func (j *job) foldDelta(ctx context.Context, previous *run.Run, s ingest.SourceMapping) (int64, error) {
	before, key, err := recordsBefore(previous, s.Source)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(j.raws, func(r *ingest.Raw) bool { return r.Source == s.Source })
	var delta *ingest.Raw
	if at >= 0 {
		delta = j.raws[at]
	}
	switch {
	case before == nil && delta == nil:
		return 0, usagef("source %s is a delta, but there is nothing: no input is named so, and no earlier run in %s has it; the sources are %s",
			s.Source, orNone(j.out), joinComma(sourcesOf(j.raws)))
	case s.Key != "":
		key = s.Key
	case key == "":
		// A first night: the delta is all there is.
		proposed, _ := ingest.Propose([]*ingest.Raw{delta})
		key = proposed.Sources[0].Key
	}
	for _, k := range j.keys {
		if delta != nil {
			if column, ok := keyFor(k, s.Source, delta); ok {
				key = column
			}
		}
	}
	if key == "" {
		return 0, usagef("source %s: no column names the records, which a delta needs; name it with --key %s=COLUMN", s.Source, s.Source)
	}
	d, err := j.deletes(ctx, s)
	if err != nil {
		return 0, err
	}
	if before == nil && !slices.Contains(columnsOf(delta), d.Column) {
		d.Column = "" // the first night's files are the whole source, in which nothing is gone
	}
	folded, rejects, report, err := ingest.Fold(before, delta, key, d, ingest.ReadOptions{Workers: j.workers})
	if err != nil {
		return 0, &usageError{err}
	}
	j.rejects = append(j.rejects, rejects...)
	j.refused += int64(report.Rejected)
	j.keys = append(j.keys, s.Source+"="+key)
	j.noteFold(s.Source, before != nil, d, report)
	if at >= 0 {
		j.raws[at] = folded
	} else {
		j.raws = append(j.raws, folded)
		slices.SortFunc(j.raws, func(a, b *ingest.Raw) int { return strings.Compare(a.Source, b.Source) })
	}
	return int64(report.Changed + report.Added + report.Deleted), nil
}

// deletes returns which records of a delta source are gone, the files of keys
// read.
func (j *job) deletes(ctx context.Context, s ingest.SourceMapping) (ingest.Deletes, error) {
	var d ingest.Deletes
	if s.Deleted != nil {
		d.Column, d.Values = s.Deleted.Column, s.Deleted.Values
	}
	if len(s.Deletes) == 0 {
		return d, nil
	}
	raws, rejects, err := ingest.ReadSources(ctx, []ingest.Input{{Paths: s.Deletes, Source: s.Source}}, ingest.ReadOptions{Workers: j.workers})
	if err != nil {
		return d, err
	}
	d.Keys = raws[0]
	j.rejects = append(j.rejects, rejects...)
	for _, f := range d.Keys.Files {
		j.files = append(j.files, run.Input{Source: s.Source, Mode: "deletes", Path: f.Path, Format: f.Format, Bytes: f.Size, SHA256: f.SHA256, Rows: int64(f.Rows), Rejected: int64(f.Skipped)})
		j.refused += int64(f.Skipped + f.Repaired)
	}
	return d, nil
}

// noteFold says what came of a delta where a person should look.
func (j *job) noteFold(source string, before bool, d ingest.Deletes, r *ingest.FoldReport) {
	note := func(format string, args ...any) {
		j.foldNotes = append(j.foldNotes, ingest.Note{Source: source, Text: fmt.Sprintf(format, args...)})
	}
	if !before {
		note("there is no earlier run with this source: the delta is all of it")
	}
	if r.UnknownDeletes > 0 {
		note("%s of a record that was not there", plural(r.UnknownDeletes, "deletion", "deletions"))
	}
	if r.RepeatedKeys > 0 {
		note("%s of the delta had a key that an earlier row had; the last one counts", plural(r.RepeatedKeys, "row", "rows"))
	}
	if len(r.OtherMarks) > 0 && len(d.Values) == 0 {
		values := make([]string, len(r.OtherMarks))
		for i, m := range r.OtherMarks {
			values[i] = fmt.Sprintf("%s (%s)", shorten(printable(m.Value), 40), plural(m.Rows, "row", "rows"))
		}
		do := "do"
		if len(values) == 1 {
			do = "does"
		}
		note("column %s: %s %s not mean deleted; say which values do with deleted: {column: %s, values: […]}", d.Column, joinComma(values), do, d.Column)
	}
}

// recordsBefore returns a source as the previous run has it, nil if there is
// none, and the column that names its records.
func recordsBefore(previous *run.Run, source string) (*ingest.Raw, string, error) {
	if previous == nil {
		return nil, "", nil
	}
	t, err := previous.SourceTable(source)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("run %s: %w", previous.Info.ID, err)
	}
	return rawOf(t), t.Key, nil
}

// rawOf returns a source that a run has kept as ingest takes it.
func rawOf(t *run.SourceTable) *ingest.Raw {
	raw := &ingest.Raw{Source: t.Source, Rows: t.Rows}
	for _, c := range t.Columns {
		raw.Columns = append(raw.Columns, ingest.RawColumn{Name: c.Name, Codes: c.Codes, Values: c.Values, List: c.List})
	}
	return raw
}

// keep writes what the sources said into the run that is being made, for the
// next night's deltas, and lets go of it.
func (j *job) keep(ctx context.Context) (int64, error) {
	if err := j.lockOut(); err != nil {
		return 0, err
	}
	var rows int64
	for i, raw := range j.raws {
		raw, err := raw.Records(j.built.Sources[i].Order, j.workers)
		if err != nil {
			return 0, err
		}
		t := &run.SourceTable{Source: raw.Source, Rows: raw.Rows, Key: j.mapping.Sources[i].Key}
		for _, c := range raw.Columns {
			t.Columns = append(t.Columns, run.SourceColumn{Name: c.Name, List: c.List, Codes: c.Codes, Values: c.Values})
		}
		files, err := run.KeepSource(ctx, j.lock, t, j.workers)
		if err != nil {
			return 0, fmt.Errorf("writing the run to %s: %w", j.out, err)
		}
		j.kept = append(j.kept, files...)
		rows += int64(raw.Rows)
		j.raws[i] = nil
	}
	j.raws = nil
	return rows, nil
}

func orNone(dir string) string {
	if dir == "" {
		return "no output directory"
	}
	return dir
}
