package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sama/ingest"
	"sama/run"
)

// read reads the exports and counts their rows and rejects.
func (j *job) read(ctx context.Context) (int64, error) {
	var raws []*ingest.Raw
	var rejects []ingest.Reject
	var err error
	if len(j.inputs) > 0 { // on some nights nothing has changed in any delta source
		raws, rejects, err = ingest.ReadSources(ctx, j.inputs, ingest.ReadOptions{Workers: j.workers})
	}
	if err != nil {
		return 0, err
	}
	if j.deltas, err = j.deltaSources(); err != nil {
		return 0, err
	}
	j.raws, j.rejects = raws, rejects
	var rows int64
	var empty []string
	seen := make(map[string]bool)
	j.encodings = make(map[string]string)
	for _, r := range raws {
		rows += int64(r.Rows)
		delta, isDelta := j.deltas[r.Source]
		if r.Rows == 0 && !isDelta {
			empty = append(empty, fmt.Sprintf("source %s has no records (%s)", r.Source, joinComma(paths(r.Files))))
		}
		for _, f := range r.Files {
			j.files = append(j.files, run.Input{Source: r.Source, Mode: delta.Mode, Path: f.Path, Format: f.Format, Bytes: f.Size, SHA256: f.SHA256, Rows: int64(f.Rows), Rejected: int64(f.Skipped)})
			j.encodings[f.Path] = f.Encoding
			if !seen[f.Path] {
				seen[f.Path] = true
				j.refused += int64(f.Skipped) + int64(f.Repaired)
			}
		}
	}
	for _, r := range rejects {
		if r.Row == 0 {
			j.refused++
		}
	}
	switch {
	case rows == 0 && len(j.deltas) == 0:
		return 0, rejectedf("nothing to resolve: %s; check the exports", strings.Join(empty, "; "))
	case len(empty) > 0:
		return 0, rejectedf("%s; an export that came out empty would part every identity from that source: leave the file out if that is meant", strings.Join(empty, "; "))
	}
	return rows, nil
}

func paths(files []ingest.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

// mapColumns decides what the columns are: as configured, else as proposed.
func (j *job) mapColumns(context.Context) (int64, error) {
	if err := j.goOn(); err != nil {
		return 0, err
	}
	proposed, notes := ingest.Propose(j.raws)
	p := &j.found
	j.overrideKeys(p, &proposed)
	j.mappingProblems(p)
	var columns int64
	for i, s := range proposed.Sources {
		if k := slices.IndexFunc(j.conf.Sources, func(c ingest.SourceMapping) bool { return c.Source == s.Source }); k >= 0 {
			proposed.Sources[i] = j.configured(existing(j.conf.Sources[k], j.raws[i]), s)
		} else if before, ok := j.follow.sourceBefore(j.raws[i]); ok {
			proposed.Sources[i] = j.configured(before, s)
		}
		if delta, ok := j.deltas[s.Source]; ok {
			proposed.Sources[i].Mode, proposed.Sources[i].Deleted, proposed.Sources[i].Deletes = delta.Mode, delta.Deleted, delta.Deletes
		}
		for _, n := range notes {
			if n.Source == s.Source && stillTrue(n, s, proposed.Sources[i]) {
				j.notes = append(j.notes, n)
			}
		}
		columns += int64(len(proposed.Sources[i].Columns)) + 1
	}
	j.mapping = proposed
	if err := errors.Join(j.mapping.Validate(j.raws)...); err != nil {
		if p.err() != nil {
			j.problemsWithoutTable(p)
			return 0, p.err()
		}
		return 0, &usageError{err}
	}
	if j.proposing {
		return columns, nil
	}
	return columns, j.identifies()
}

// overrideKeys puts the columns that --key names into the mapping.
func (j *job) overrideKeys(p *problems, m *ingest.Mapping) {
	for _, key := range j.keys {
		hit := false
		for i := range m.Sources {
			s := &m.Sources[i]
			column, ok := keyFor(key, s.Source, j.raws[i])
			if !ok {
				continue
			}
			hit = true
			s.Key = column
			s.Columns = slices.DeleteFunc(s.Columns, func(c ingest.ColumnMapping) bool { return c.Column == column })
		}
		if !hit {
			p.flag(fmt.Errorf("--key %s: no source has that column; the columns are %s", key, j.columnsBySource()))
		}
	}
}

// keyFor returns the column of a source that a --key means: a column's name, or
// source=column.
func keyFor(key, source string, r *ingest.Raw) (string, bool) {
	has := func(name string) bool {
		return slices.ContainsFunc(r.Columns, func(c ingest.RawColumn) bool { return c.Name == name })
	}
	if has(key) {
		return key, true
	}
	of, column, ok := strings.Cut(key, "=")
	return column, ok && of == source && has(column)
}

// existing returns what a mapping says of columns that the source has.
func existing(s ingest.SourceMapping, r *ingest.Raw) ingest.SourceMapping {
	names := columnsOf(r)
	if !slices.Contains(names, s.Key) {
		s.Key = ""
	}
	var columns []ingest.ColumnMapping
	for _, c := range s.Columns {
		if slices.Contains(names, c.Column) {
			columns = append(columns, c)
		}
	}
	s.Columns = columns
	return s
}

// configured returns the mapping of the configuration for a source, with the
// proposal for the columns that it does not list. What it says no different from
// the proposal keeps the proposal's reason.
func (j *job) configured(given, proposed ingest.SourceMapping) ingest.SourceMapping {
	s := ingest.SourceMapping{Source: given.Source, Key: given.Key}
	if given.Key == "" || j.keyGiven(given.Source, proposed.Key) {
		s.Key = proposed.Key
	}
	for _, c := range given.Columns {
		if c.Column == s.Key {
			continue
		}
		if p, ok := mapped(proposed, c.Column); ok {
			why := p.Why
			p.Why = c.Why
			if p == c {
				c.Why = why
			}
		}
		s.Columns = append(s.Columns, c)
	}
	for _, c := range proposed.Columns {
		if _, listed := mapped(s, c.Column); !listed && c.Column != s.Key {
			s.Columns = append(s.Columns, c)
		}
	}
	return s
}

func mapped(s ingest.SourceMapping, column string) (ingest.ColumnMapping, bool) {
	i := slices.IndexFunc(s.Columns, func(c ingest.ColumnMapping) bool { return c.Column == column })
	if i < 0 {
		return ingest.ColumnMapping{}, false
	}
	return s.Columns[i], true
}

// stillTrue reports whether a note about the proposal holds for what is used:
// the key is still missing, the column is still mapped as proposed.
func stillTrue(n ingest.Note, proposed, used ingest.SourceMapping) bool {
	if n.Column == "" {
		return used.Key == ""
	}
	p, _ := mapped(proposed, n.Column)
	u, ok := mapped(used, n.Column)
	return ok && p.As == u.As
}

// keyGiven reports whether --key named this column of the source.
func (j *job) keyGiven(source, column string) bool {
	return slices.ContainsFunc(j.keys, func(k string) bool { return k == column || k == source+"="+column })
}

func sourcesOf(raws []*ingest.Raw) []string {
	out := make([]string, len(raws))
	for i, r := range raws {
		out[i] = r.Source
	}
	return out
}

func columnsOf(r *ingest.Raw) []string {
	out := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		out[i] = c.Name
	}
	return out
}

func (j *job) columnsBySource() string {
	var parts []string
	for _, r := range j.raws {
		parts = append(parts, r.Source+": "+joinComma(columnsOf(r)))
	}
	return strings.Join(parts, "; ")
}

// identifying are the roles of which at least one is needed: without any of
// them nothing says that two records mean the same person.
var identifying = []ingest.Role{
	ingest.RoleFullName, ingest.RoleFullAddress, ingest.RoleAddressLine,
	"given_name", "family_name", "other_name", "organization", "national_id", "email", "phone",
	"business_id", "vehicle_reg", "identifier", "street", "text",
}

// identifies refuses inputs in which no column says who anybody is.
func (j *job) identifies() error {
	var seen []string
	for _, s := range j.mapping.Sources {
		for _, c := range s.Columns {
			if slices.Contains(identifying, c.As) {
				return nil
			}
			seen = append(seen, fmt.Sprintf("%s.%s as %s", s.Source, c.Column, c.As))
		}
	}
	if len(seen) == 0 {
		seen = []string{"none but the key"}
	}
	return usagef("no column identifies anybody: names, birth dates, e-mail addresses, telephone numbers, addresses and identifiers are all missing.\n"+
		"Columns seen: %s.\nIf one of them is meant to, say so in the configuration (sama init prints one)", joinComma(seen))
}

// build normalises the values into the table and refuses input of which too
// much was rejected.
func (j *job) build(ctx context.Context) (int64, error) {
	table, report, err := ingest.Build(ctx, j.raws, j.mapping, ingest.BuildOptions{Workers: j.workers, Erased: j.erasures()})
	if err != nil {
		return 0, err
	}
	j.table, j.built = table, report
	for _, s := range report.Sources {
		j.online.Erased += int64(s.Erased)
	}
	j.rejects = append(j.rejects, report.Rejects...)
	j.refused = max(j.refused+int64(report.RejectCount), int64(len(j.rejects)))
	sortRejects(j.rejects)
	if err := j.tooManyRejects(); err != nil {
		return 0, err
	}
	if table.Len() == 0 {
		return 0, rejectedf("nothing to resolve: no row has a usable key\n%s", strings.Join(rejectLines(j.rejects), "\n"))
	}
	return int64(table.Len()), j.tableProblems()
}

// tooManyRejects compares the rejected rows with what is allowed.
func (j *job) tooManyRejects() error {
	var rows, bad int64
	for _, s := range j.built.Sources {
		rows += int64(s.Rows)
		bad += int64(s.NullKeys) + int64(s.DuplicateKeys)
	}
	seen := make(map[string]bool)
	for _, f := range j.files {
		if !seen[f.Path] {
			seen[f.Path] = true
			rows += f.Rejected
			bad += f.Rejected
		}
	}
	if rows == 0 || float64(bad) <= j.maxRejects*float64(rows) {
		return nil
	}
	return rejectedf("%s of %s rows were rejected, which is more than the %s allowed; mend the export, or allow more with --max-rejects\n%s",
		count(bad), count(rows), percent(j.maxRejects), strings.Join(rejectLines(j.rejects), "\n"))
}

func sortRejects(list []ingest.Reject) {
	slices.SortStableFunc(list, func(a, b ingest.Reject) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), strings.Compare(a.Column, b.Column), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Value, b.Value))
	})
}

// rejectKind is a group of rejects with one reason.
type rejectKind struct {
	file, column, reason string
	count                int64
	first                ingest.Reject
}

// rejectKinds groups rejects by file, column and reason, whatever row numbers
// the reason names, most frequent first.
func rejectKinds(list []ingest.Reject) []rejectKind {
	var kinds []rejectKind
	at := make(map[[3]string]int)
	for _, r := range list {
		key := [3]string{r.File, r.Column, withoutNumbers(r.Reason)}
		i, ok := at[key]
		if !ok {
			i = len(kinds)
			at[key] = i
			kinds = append(kinds, rejectKind{file: r.File, column: r.Column, reason: key[2], first: r})
		}
		kinds[i].count++
	}
	slices.SortStableFunc(kinds, func(a, b rejectKind) int { return cmp.Compare(b.count, a.count) })
	return kinds
}

// withoutNumbers replaces runs of digits by "…".
func withoutNumbers(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		digit := r >= '0' && r <= '9'
		switch {
		case !digit:
			b.WriteRune(r)
		case !in:
			b.WriteString("…")
		}
		in = digit
	}
	return b.String()
}

// example says where the first reject of a kind was.
func (k rejectKind) example() string {
	where := "the whole file"
	if k.first.Row > 0 {
		where = "row " + count(k.first.Row)
	}
	if k.first.Value != "" {
		where += ": " + k.first.Value
	}
	return where
}

// rejectLines says the most frequent kinds of rejects, for an error.
func rejectLines(list []ingest.Reject) []string {
	var lines []string
	for _, k := range rejectKinds(list) {
		if len(lines) == 10 {
			lines = append(lines, "…")
			break
		}
		column := ""
		if k.column != "" {
			column = ", column " + k.column
		}
		lines = append(lines, fmt.Sprintf("%s%s: %s (%s; %s)", k.file, column, k.reason, plural(k.count, "time", "times"), printable(k.example())))
	}
	return lines
}

func joinComma(list []string) string { return strings.Join(list, ", ") }
