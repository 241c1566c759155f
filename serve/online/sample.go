package online

import (
	"slices"

	"sama/record"
	"sama/run/index"
)

// Values is a record that came online, as the run's columns have it.
type Values struct {
	Key     record.Key
	Raw     []string // column → value as written, "" for null
	Normal  []string // column → normal form
	Sound   []uint32 // column → hash of its phonetic form
	Created int64    // Unix seconds, 0 = not known
	Updated int64
}

// newValues takes the one record of a table apart by the run's columns. What the
// run has no column for is left out: the nightly run will see it.
func newValues(x *index.Index, t *record.Table) *Values {
	columns := x.Columns()
	v := &Values{
		Key: t.Key(0),
		Raw: make([]string, len(columns)), Normal: make([]string, len(columns)), Sound: make([]uint32, len(columns)),
	}
	for i, c := range columns {
		own := t.Named(c.Column)
		if own == nil || own.Field != c.Field {
			continue
		}
		v.Raw[i], v.Normal[i] = own.RawValue(0), own.Value(0)
		if own.Sound != nil {
			v.Sound[i] = own.Sound[own.Code[0]]
		}
	}
	if t.Created != nil {
		v.Created = t.Created[0]
	}
	if t.Updated != nil {
		v.Updated = t.Updated[0]
	}
	return v
}

// row is one record of a sample: of the run, or one that came since.
type row struct {
	record uint32  // of the run, where values is nil
	values *Values // nil for a record of the run
}

// sample is a table of a few records.
type sample struct {
	table *record.Table
	rows  []row // as the table numbers them
}

// find returns the number of a row's record in the sample.
func (s *sample) find(k record.Key) uint32 {
	i, _ := s.table.Find(k)
	return i
}

// newSample makes a table of rows, whose keys must be different.
func newSample(x *index.Index, whole *record.Population, rows []row) (*sample, error) {
	key := func(r row) record.Key {
		if r.values != nil {
			return r.values.Key
		}
		return x.Key(r.record)
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b row) int { return key(a).Compare(key(b)) })
	t := &record.Table{Whole: whole}
	var ids record.StringsBuilder
	for _, r := range rows {
		k := key(r)
		if n := len(t.Sources); n == 0 || t.Sources[n-1] != k.Source {
			t.Sources = append(t.Sources, k.Source)
		}
		t.Source = append(t.Source, uint16(len(t.Sources)-1))
		if _, err := ids.Append(k.ID); err != nil {
			return nil, err
		}
	}
	t.IDs = ids.Build()
	for i, c := range x.Columns() {
		column, err := newColumn(x, i, c, rows)
		if err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, column)
	}
	t.Created, t.Updated = make([]int64, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		if r.values != nil {
			t.Created[i], t.Updated[i] = r.values.Created, r.values.Updated
		} else {
			t.Created[i], t.Updated[i] = x.Created(r.record), x.Updated(r.record)
		}
	}
	return &sample{t, rows}, nil
}

// newColumn makes one column of a sample. A normal form that the run has keeps
// what the run knows of it.
func newColumn(x *index.Index, i int, info index.ColumnInfo, rows []row) (*record.Column, error) {
	c := &record.Column{
		Field: info.Field, Name: info.Column,
		Raw: make([]uint32, len(rows)), Code: make([]uint32, len(rows)), Count: []uint32{x.Count(i, 0)},
	}
	var raw, normal record.Interner
	raw.Code("")
	normal.Code("")
	sounds, generic := []uint32{0}, []bool{false}
	known := []uint32{0} // local code → the run's code, 0 = it has none
	for r, row := range rows {
		var text, form string
		var code, sound uint32
		if v := row.values; v != nil {
			text, form, sound = v.Raw[i], v.Normal[i], v.Sound[i]
		} else {
			text, code = x.Raw(i, row.record), x.Code(i, row.record)
			form = x.Normal(i, code)
		}
		c.Raw[r] = raw.Code(text)
		local := normal.Code(form)
		c.Code[r] = local
		if int(local) == len(known) {
			if row.values != nil && form != "" {
				code, _ = x.FindNormal(i, form)
			}
			if code != 0 {
				sound = x.Sound(i, code)
			}
			known = append(known, code)
			sounds = append(sounds, sound)
			generic = append(generic, code != 0 && x.Generic(i, code))
			count := uint32(0)
			if code != 0 {
				count = x.Count(i, code)
			}
			c.Count = append(c.Count, count)
		}
		if row.values != nil && local != 0 {
			c.Count[local]++
		}
	}
	if slices.ContainsFunc(sounds, func(s uint32) bool { return s != 0 }) {
		c.Sound = sounds
	}
	if slices.Contains(generic, true) {
		c.Generic = generic
	}
	var err error
	if c.RawText, err = raw.Strings(); err != nil {
		return nil, err
	}
	c.Normal, err = normal.Strings()
	return c, err
}
