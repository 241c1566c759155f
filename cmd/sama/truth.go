package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sama/ingest"
	"sama/record"
	"sama/run"
)

// Names by which the columns of a truth or label file are found, the surest
// first, without regard to case, spaces and underscores.
var (
	truthKeyNames    = []string{"recordid", "recid", "uniqueid", "id", "key", "record"}
	truthIDNames     = []string{"entityid", "personid", "clusterid", "identityid", "trueid", "truthid", "entity", "person", "cluster", "identity", "label", "truth"}
	truthSourceNames = []string{"source", "silo", "sourcedataset", "dataset", "system", "file"}
)

// truthLabels is the truth by the numbers of the run's members.
type truthLabels struct {
	labels    []uint32 // 0 = not known
	unmatched int      // rows that name no record of the run
}

// readColumns reads one file whole, as one source.
func readColumns(ctx context.Context, path string) (*ingest.Raw, error) {
	raws, rejects, err := ingest.ReadSources(ctx, []ingest.Input{{Paths: []string{path}, Source: "truth"}}, ingest.ReadOptions{})
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(rejects, func(r ingest.Reject) bool { return r.Row == 0 || r.Column != "" })
	switch {
	case len(rows) > 0:
		return nil, usagef("%s has rows that cannot be read; mend them\n%s", path, strings.Join(rejectLines(rows), "\n"))
	case raws[0].Rows == 0:
		return nil, usagef("%s has no rows", path)
	}
	return raws[0], nil
}

// findColumn returns the column that a flag names, or the first that has one of
// the usual names; nil where there is none.
func findColumn(r *ingest.Raw, given, flag string, names []string) (*ingest.RawColumn, error) {
	plain := func(s string) string {
		return strings.NewReplacer("_", "", " ", "", "-", "", ".", "").Replace(strings.ToLower(s))
	}
	if given != "" {
		for i := range r.Columns {
			if r.Columns[i].Name == given {
				return &r.Columns[i], nil
			}
		}
		return nil, usagef("%s %s: %s has no such column; its columns are %s", flag, given, r.Files[0].Path, joinComma(columnsOf(r)))
	}
	for _, want := range names {
		for i := range r.Columns {
			if plain(r.Columns[i].Name) == want {
				return &r.Columns[i], nil
			}
		}
	}
	return nil, nil
}

// readTruth reads who the records are.
func readTruth(ctx context.Context, o *truthOptions, m *run.Members) (*truthLabels, error) {
	r, err := readColumns(ctx, o.file)
	if err != nil {
		return nil, err
	}
	key, err := findColumn(r, o.key, "--truth-key", truthKeyNames)
	if err != nil {
		return nil, err
	}
	id, err := findColumn(r, o.id, "--truth-id", truthIDNames)
	if err != nil {
		return nil, err
	}
	source, err := findColumn(r, o.source, "--truth-source", truthSourceNames)
	if err != nil {
		return nil, err
	}
	switch columns := joinComma(columnsOf(r)); {
	case key == nil:
		return nil, usagef("%s: no column with the record id; name it with --truth-key (columns: %s)", o.file, columns)
	case id == nil || id == key:
		return nil, usagef("%s: no column that says who a record is; name it with --truth-id (columns: %s)", o.file, columns)
	}
	return labelMembers(r, key, id, source, m)
}

// labelMembers gives the members the labels of the truth's rows.
func labelMembers(r *ingest.Raw, key, id, source *ingest.RawColumn, m *run.Members) (*truthLabels, error) {
	t := &truthLabels{labels: make([]uint32, m.Len())}
	find := memberFinder(m)
	var labels record.Interner
	for row := range r.Rows {
		in := ""
		if source != nil {
			in = source.Values.At(source.Codes[row])
		}
		who, name := id.Values.At(id.Codes[row]), key.Values.At(key.Codes[row])
		member, ok, err := find(in, name)
		if err != nil {
			file, at := r.Where(row)
			return nil, usagef("%s, row %d: %w", file, at, err)
		}
		if !ok {
			t.unmatched++
			continue
		}
		label := labels.Code(who)
		if before := t.labels[member]; before != 0 && before != label {
			file, at := r.Where(row)
			return nil, usagef("%s, row %d: record %s was another person in an earlier row", file, at, printable(m.Key(member).String()))
		}
		t.labels[member] = label
	}
	if t.unmatched == r.Rows {
		return nil, usagef("%s: none of its %s names a record of the run (sources %s); check --truth-key and --truth-source", r.Files[0].Path, plural(r.Rows, "row", "rows"), joinComma(m.Sources))
	}
	if labels.Len() < 2 {
		return nil, usagef("%s: column %s is empty wherever a record of the run is named; name the column that says who a record is with --truth-id", r.Files[0].Path, id.Name)
	}
	return t, nil
}

// memberFinder returns a function that finds a member by source and record id.
// Where the source is not given, or is no source of the run, the id alone must
// do.
func memberFinder(m *run.Members) func(source, id string) (uint32, bool, error) {
	return func(source, id string) (uint32, bool, error) {
		if slices.Contains(m.Sources, source) {
			n, ok := m.Find(record.Key{Source: source, ID: id})
			return n, ok, nil
		}
		var hits []uint32
		for _, s := range m.Sources {
			if n, ok := m.Find(record.Key{Source: s, ID: id}); ok {
				hits = append(hits, n)
			}
		}
		if len(hits) > 1 {
			return 0, false, fmt.Errorf("record id %s is in %s and in %s, and no column says which source is meant; name one with --truth-source", printable(id), m.Key(hits[0]).Source, m.Key(hits[1]).Source)
		}
		if len(hits) == 0 {
			return 0, false, nil
		}
		return hits[0], true, nil
	}
}
