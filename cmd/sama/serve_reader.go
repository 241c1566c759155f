package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"sama/cmd/sama/internal/config"
	"sama/ingest"
	"sama/match/comparison"
	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve/online"
)

// reading is what a run found out about its values that reading one record of
// the same sources needs.
type reading struct {
	FamilyFirst []ingest.FamilyFirst         `json:"family_first,omitempty"`
	Layouts     map[string]map[string]string `json:"layouts,omitempty"` // source → column → how its dates or numbers are written
}

// readingOf returns what a run found out.
func readingOf(built *ingest.BuildReport) reading {
	r := reading{Layouts: make(map[string]map[string]string)}
	for _, s := range built.Sources {
		r.FamilyFirst = append(r.FamilyFirst, s.FamilyFirst...)
		for _, c := range s.Columns {
			if c.Layout == "" {
				continue
			}
			if r.Layouts[s.Source] == nil {
				r.Layouts[s.Source] = make(map[string]string)
			}
			r.Layouts[s.Source][c.Column] = c.Layout
		}
	}
	return r
}

// openEngine makes the engine of a run.
func openEngine(r *run.Run, x *index.Index) (*online.Engine, error) {
	model, err := os.ReadFile(r.File("model.json"))
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Info.ID, err)
	}
	name := r.File("sama.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Info.ID, err)
	}
	conf, err := config.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return online.NewEngine(x, model, func(text json.RawMessage, whole *record.Population) (online.Reader, error) {
		var found reading
		if len(text) > 0 {
			if err := json.Unmarshal(text, &found); err != nil {
				return nil, fmt.Errorf("run %s: what its index says of reading: %w", r.Info.ID, err)
			}
		}
		return newRecordReader(withFiles(r, conf.Sources), found, x, whole), nil
	})
}

// withFiles returns the mappings of the sources that have files. A source of which
// records only came online names its columns by field, however few of them it has
// named before.
func withFiles(r *run.Run, sources []ingest.SourceMapping) []ingest.SourceMapping {
	return slices.DeleteFunc(slices.Clone(sources), func(s ingest.SourceMapping) bool { return onlyOnline(r, s.Source) })
}

// recordReader reads records one by one as a run read its sources.
type recordReader struct {
	sources map[string]ingest.SourceMapping
	byField ingest.SourceMapping // of sources of which it has read no file
	known   ingest.Known
}

// keyColumn is the name of the column in which a record's id is handed over.
const keyColumn = "\x00id"

func newRecordReader(sources []ingest.SourceMapping, found reading, x *index.Index, whole *record.Population) *recordReader {
	r := &recordReader{sources: make(map[string]ingest.SourceMapping)}
	r.byField.Key = keyColumn
	phones := ""
	for _, s := range sources {
		s = withKey(s)
		for i := range s.Columns {
			c := &s.Columns[i]
			c.Layout = cmp.Or(c.Layout, found.Layouts[s.Source][c.Column])
			if c.As == ingest.Role(record.Phone.String()) {
				phones = cmp.Or(phones, c.Layout)
			}
		}
		r.sources[s.Source] = s
	}
	for _, role := range ingest.Roles() {
		if role == ingest.RoleIgnore || role == ingest.RoleKey || role == ingest.Role(record.Consent.String()) {
			continue
		}
		c := ingest.ColumnMapping{Column: string(role), As: role}
		switch role {
		case ingest.Role(record.Phone.String()):
			c.Layout = phones
		case ingest.Role(record.BirthDate.String()), ingest.Role(record.Date.String()), ingest.Role(record.CreatedAt.String()), ingest.Role(record.UpdatedAt.String()):
			c.Layout = "YMD"
		}
		r.byField.Columns = append(r.byField.Columns, c)
	}
	r.known = ingest.Known{FamilyFirst: found.FamilyFirst}
	given, family := -1, -1
	for c, info := range x.Columns() {
		switch info.Column {
		case record.GivenName.String():
			given = c
			r.known.Givens = int(whole.Records - x.Count(c, 0))
		case record.FamilyName.String():
			family = c
			r.known.Families = int(whole.Records - x.Count(c, 0))
		}
	}
	if given >= 0 && family >= 0 {
		what := comparison.WordRecords(record.GivenName.String())
		r.known.Given = func(word string) int { return int(whole.Count(what, word)) }
		r.known.Family = func(word string) int {
			code, ok := x.FindNormal(family, word)
			if !ok {
				return 0
			}
			return int(x.Count(family, code))
		}
	}
	return r
}

// withKey puts the column of the record id in the place of the source's own key.
func withKey(s ingest.SourceMapping) ingest.SourceMapping {
	own := s.Key
	s.Key, s.Mode, s.Deleted, s.Deletes = keyColumn, "", nil, nil
	s.Columns = slices.DeleteFunc(slices.Clone(s.Columns), func(c ingest.ColumnMapping) bool { return c.Column == own })
	return s
}

// Read implements [online.Reader].
func (r *recordReader) Read(ctx context.Context, key record.Key, fields map[string]string) (*record.Table, error) {
	m, ok := r.sources[key.Source]
	if !ok {
		// By field, no column has its place from another.
		m = ingest.SourceMapping{Source: key.Source, Key: keyColumn}
		for _, c := range r.byField.Columns {
			if fields[c.Column] != "" {
				m.Columns = append(m.Columns, c)
			}
		}
	}
	columns := make([]string, len(m.Columns)+1)
	columns[0] = keyColumn
	for i, c := range m.Columns {
		columns[i+1] = c.Column
	}
	raw := ingest.RawOf(key.Source, onlineMode, columns, 1, func(_, i int) string {
		if i == 0 {
			return key.ID
		}
		return fields[columns[i]]
	})
	t, report, err := ingest.Build(ctx, []*ingest.Raw{raw}, ingest.Mapping{Sources: []ingest.SourceMapping{m}}, ingest.BuildOptions{Workers: 1, Known: &r.known})
	if err != nil {
		return nil, err
	}
	if len(report.Rejects) > 0 {
		return nil, fmt.Errorf("the record is refused: %s", report.Rejects[0].Reason)
	}
	return t, nil
}
