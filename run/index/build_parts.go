package index

import (
	"strconv"

	"sama/record"
)

// Postings are kept for the columns of these fields: their values name one
// person or thing, or should.
func identifying(f record.Field) bool {
	switch f {
	case record.Email, record.Phone, record.NationalID, record.BusinessID, record.VehicleReg, record.Identifier:
		return true
	}
	return false
}

// columnSection returns the beginning of the section names of a column.
func columnSection(c int) string { return "column." + strconv.Itoa(c) }

// values writes the values of every column.
func (in *build) values(w *Writer) {
	var tableNames, fields []string
	for _, c := range in.Table.Columns {
		tableNames = append(tableNames, c.Name)
		fields = append(fields, c.Field.String())
	}
	writeNames(w, "columns.name", in.Columns)
	writeNames(w, "columns.table", tableNames)
	writeNames(w, "columns.field", fields)
	for i, c := range in.Table.Columns {
		name := columnSection(i)
		w.Strings(name+".raw", &c.RawText)
		w.Strings(name+".normal", &c.Normal)
		writeFinder(w, name, &c.Normal, 1)
		if identifying(c.Field) {
			writePostings(w, name+".with", c)
		}
		writeFacts(w, name+".facts", c)
	}
}

// writeNames writes a short list of names.
func writeNames(w *Writer, name string, names []string) {
	var b record.StringsBuilder
	for _, s := range names {
		if _, err := b.Append(s); err != nil {
			w.fail(err)
		}
	}
	list := b.Build()
	w.Strings(name, &list)
}

// writePostings writes which records hold each normal form, by a counting sort.
func writePostings(w *Writer, name string, c *record.Column) {
	starts := make([]uint32, c.Normal.Len()+1)
	at := make([]uint32, c.Normal.Len()) // where the next record of a value goes
	filled := uint32(0)
	for code := range at {
		at[code] = filled
		starts[code] = filled
		if code > 0 {
			filled += c.Count[code]
		}
	}
	starts[len(at)] = filled
	list := make([]uint32, filled)
	for r, code := range c.Code {
		if code != 0 {
			list[at[code]] = uint32(r)
			at[code]++
		}
	}
	w.Uint32(name+startsSuffix, starts)
	w.Uint32(name+recordsSuffix, list)
}

// writeFacts writes what is known of each normal form: how many records hold it
// where there are no postings to tell, its sound, and whether it is generic.
func writeFacts(w *Writer, name string, c *record.Column) {
	var p packer
	if identifying(c.Field) {
		p.codes(nil)
	} else {
		p.codes(c.Count)
	}
	p.codes(c.Sound)
	if c.Generic == nil {
		p.codes(nil)
	} else {
		p.add(1, func(b block, from, to int) {
			for i, generic := range c.Generic[from:to] {
				if generic {
					b.put(i, 1)
				}
			}
		})
	}
	p.write(w, name, c.Normal.Len())
}

// records writes the keys of the records and a row of codes for each.
func (in *build) records(w *Writer) {
	t := in.Table
	writeNames(w, "sources", t.Sources)
	w.Uint32("sources.starts", sourceStarts(t))
	w.Strings("ids", &t.IDs)
	var p packer
	p.codes(in.Identity)
	p.add(uint64(max(1, len(t.Sources))-1), func(b block, from, to int) {
		for i, s := range t.Source[from:to] {
			b.put(i, uint64(s))
		}
	})
	base := []int64{p.times(w, t.Created), p.times(w, t.Updated)}
	for _, c := range t.Columns {
		p.codes(c.Raw)
		p.codes(c.Code)
	}
	w.Int64("records.base", base)
	p.write(w, "records", t.Len())
	writeConsents(w, in.Input)
}

// sourceStarts returns the first record of each source, and the number of
// records at the end.
func sourceStarts(t *record.Table) []uint32 {
	starts := make([]uint32, len(t.Sources)+1)
	for _, s := range t.Source {
		starts[s+1]++
	}
	for s := range t.Sources {
		starts[s+1] += starts[s]
	}
	return starts
}

// identities writes the ids, a row for each identity, its records, the
// aliases and the changes.
func (in *build) identities(w *Writer) {
	n := in.IDs.Len()
	w.Uint8("ids"+textSuffix, in.ids)
	writeFinder(w, "ids", in.IDs, 0)

	// The records by identity, and the place of each among those of its own.
	starts := make([]uint32, n+1)
	place := make([]uint32, len(in.Identity))
	for r, i := range in.Identity {
		place[r] = starts[i+1]
		starts[i+1]++
	}
	largest := uint32(0)
	for i := range n {
		largest = max(largest, starts[i+1])
		starts[i+1] += starts[i]
	}
	members := make([]uint32, len(in.Identity))
	for r, i := range in.Identity {
		members[starts[i]+place[r]] = uint32(r)
	}
	w.Uint32("members", members)

	var p packer
	p.codes(starts)
	base := []int64{p.times(w, padded(in.FirstSeen)), p.times(w, padded(in.LastChanged))}
	for _, g := range in.Golden {
		p.add(uint64(largest), func(b block, from, to int) {
			for i, r := range g.Chosen[from:min(to, n)] {
				if r != None {
					b.put(i, uint64(place[r])+1)
				}
			}
		})
		p.add(uint64(max(1, len(in.RuleNames))-1), func(b block, from, to int) {
			for i, rule := range g.Rule[from:min(to, n)] {
				if g.Chosen[from+i] != None {
					b.put(i, uint64(rule))
				}
			}
		})
	}
	w.Int64("identities.base", base)
	p.write(w, "identities", n+1)
	writeNames(w, "rules", in.RuleNames)
	in.aliases(w)
	in.changes(w)
}

// padded returns the times with one more for the row behind the last identity,
// nil for nil.
func padded(times []int64) []int64 {
	if times == nil {
		return nil
	}
	return append(times[:len(times):len(times)], 0)
}

// aliases writes where the ids lead that are no identities.
func (in *build) aliases(w *Writer) {
	into := make([]uint32, len(in.Aliases))
	var ids []byte
	for k, a := range in.Aliases {
		into[k] = a.Into
		ids = append(ids, a.ID...)
	}
	w.Uint8("aliases"+textSuffix, ids)
	w.Uint32("aliases.into", into)
}

// changes writes what the change feed tells of this run.
func (in *build) changes(w *Writer) {
	writeNames(w, "kinds", in.Kinds)
	var p packer
	known := uint64(in.IDs.Len() + len(in.Aliases))
	p.add(uint64(max(1, len(in.Kinds))-1), func(b block, from, to int) {
		for i, e := range in.Events[from:to] {
			b.put(i, uint64(e.Kind))
		}
	})
	p.add(max(1, known)-1, func(b block, from, to int) {
		for i, e := range in.Events[from:to] {
			b.put(i, uint64(e.Identity))
		}
	})
	p.add(known, func(b block, from, to int) { // 0 for none
		for i, e := range in.Events[from:to] {
			if e.Other != None {
				b.put(i, uint64(e.Other)+1)
			}
		}
	})
	p.write(w, "events", len(in.Events))
	w.Uint64("events.number", []uint64{uint64(len(in.Events))})
	changed := make([]uint32, len(in.Changed))
	starts := make([]uint32, 1, len(in.Changed)+1)
	var columns []uint16
	for k, c := range in.Changed {
		changed[k] = c.Identity
		columns = append(columns, c.Columns...)
		starts = append(starts, uint32(len(columns)))
	}
	w.Uint32("changed.identity", changed)
	w.Uint32("changed.starts", starts)
	w.Uint16("changed.columns", columns)
}

// extra writes what others keep in the index.
func (in *build) extra(w *Writer) {
	for _, s := range in.Extra {
		w.Section(s)
	}
}
