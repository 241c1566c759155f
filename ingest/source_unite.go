package ingest

import (
	"fmt"
	"slices"
	"strings"

	"sama/record"
)

// unite lays the files of one source end to end. Columns are united by name; a
// file without a column has nulls there; a column whose kind differs between
// files is text.
func unite(name string, tables []*fileTable) (*Raw, error) {
	r := &Raw{Source: name}
	for _, t := range tables {
		r.Files = append(r.Files, t.File)
		r.Rows += t.Rows
	}
	if r.Rows > maxRows {
		return nil, fmt.Errorf("source %s has %d records; a source can have %d, split it", name, r.Rows, maxRows)
	}
	if len(tables) == 1 {
		r.Columns = tables[0].columns
		return r, nil
	}
	names := make(map[string]bool)
	for _, t := range tables {
		for i := range t.columns {
			name := t.columns[i].Name
			if names[name] {
				continue
			}
			names[name] = true
			c, err := uniteColumn(name, tables, r.Rows)
			if err != nil {
				return nil, fmt.Errorf("source %s: column %s: %w", r.Source, name, err)
			}
			r.Columns = append(r.Columns, c)
		}
	}
	return r, nil
}

func uniteColumn(name string, tables []*fileTable, rows int) (RawColumn, error) {
	out := RawColumn{Name: name, Codes: make([]uint32, 0, rows)}
	var text record.StringsBuilder
	text.Append("")
	kindKnown := false
	for _, t := range tables {
		c := t.column(name)
		if c == nil {
			out.Codes = append(out.Codes, make([]uint32, t.Rows)...)
			continue
		}
		// Code k of this file becomes k+shift; null stays null.
		shift := uint32(text.Len()) - 1
		for code := 1; code < c.Values.Len(); code++ {
			if _, err := text.Append(c.Values.At(uint32(code))); err != nil {
				return out, err
			}
		}
		for _, code := range c.Codes {
			if code != 0 {
				code += shift
			}
			out.Codes = append(out.Codes, code)
		}
		out.List = out.List || c.List
		if c.Values.Len() > 1 { // a column of nulls says nothing of its kind
			if kindKnown && c.Kind != out.Kind {
				c.Kind = KindText
			}
			out.Kind, kindKnown = c.Kind, true
		}
	}
	out.Values = text.Build()
	return out, nil
}

// column returns the file's column of that name, or nil.
func (t *fileTable) column(name string) *RawColumn {
	for i := range t.columns {
		if t.columns[i].Name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// splitBySource makes a source of each value of the column named "source", if
// there is one with at most maxSources values, and drops the column. Records
// without a value there are rejected.
func splitBySource(r *Raw, opt ReadOptions) ([]*Raw, []Reject, error) {
	at := slices.IndexFunc(r.Columns, func(c RawColumn) bool { return strings.EqualFold(c.Name, "source") && !c.List })
	if at < 0 {
		return []*Raw{r}, nil, nil
	}
	c := &r.Columns[at]
	names := make(map[string]int)
	part := make([]int, c.Values.Len()) // code → index of its source, -1 = null
	part[0] = -1
	for code := 1; code < len(part); code++ {
		name := SourceName(strings.TrimSpace(c.Values.At(uint32(code))))
		i, ok := names[name]
		if !ok && len(names) == maxSources {
			return []*Raw{r}, nil, nil
		}
		if !ok {
			i = len(names)
			names[name] = i
		}
		part[code] = i
	}
	if len(names) == 0 {
		return []*Raw{r}, nil, nil
	}
	rows := make([][]uint32, len(names))
	var rejected rejects
	rejected.limit = opt.KeepRejects
	for row, code := range c.Codes {
		if i := part[code]; i >= 0 {
			rows[i] = append(rows[i], uint32(row))
			continue
		}
		file, n := r.Where(row)
		rejected.file = file
		rejected.add(n, "", "no value in the column "+c.Name+", which names the source", "")
		r.skip(row)
	}
	parts := make([]*Raw, 0, len(names))
	for name, i := range names { // sorted by ReadSources
		p, err := r.take(name, rows[i], at)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b *Raw) int { return strings.Compare(a.Source, b.Source) })
	return parts, rejected.list, nil
}

// skip counts a row of the united files as rejected, without taking it out.
func (r *Raw) skip(row int) {
	for i := range r.Files {
		if row < r.Files[i].Rows {
			r.Files[i].Skipped++
			return
		}
		row -= r.Files[i].Rows
	}
}

// take returns a source of some of the rows, without column drop.
func (r *Raw) take(name string, rows []uint32, drop int) (*Raw, error) {
	p := &Raw{Source: name, Files: r.Files, Rows: len(rows), rows: rows}
	for i := range r.Columns {
		if i == drop {
			continue
		}
		c := &r.Columns[i]
		out := RawColumn{Name: c.Name, Codes: make([]uint32, len(rows)), List: c.List, Kind: c.Kind}
		codes := make([]uint32, c.Values.Len())
		var text record.StringsBuilder
		text.Append("")
		for k, row := range rows {
			code := c.Codes[row]
			if code != 0 && codes[code] == 0 {
				n, err := text.Append(c.Values.At(code))
				if err != nil {
					return nil, err
				}
				codes[code] = n
			}
			out.Codes[k] = codes[code]
		}
		out.Values = text.Build()
		p.Columns = append(p.Columns, out)
	}
	return p, nil
}
