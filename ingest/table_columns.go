package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sama/ingest/normalize"
	"sama/record"
)

// target is one column of the table and the feeds that fill it.
type target struct {
	field record.Field
	name  string
	place namePlace // of the name
	feeds []*feed   // by source, nil where a source gives nothing
}

// targets unites the feeds of all sources: the first, second … feed of a field
// in each source make its first, second … column; columns named after the
// source's own are united by name.
func (b *builder) targets() []*target {
	type place struct {
		field record.Field
		name  string
	}
	byPlace := make(map[place]*target)
	for i := range b.sources {
		ordinal := make(map[place]int)
		for _, f := range b.sources[i].feeds {
			if f.field != record.Carried && b.opt.Known == nil && f.empty() {
				continue
			}
			name := cmp.Or(f.name, f.field.String())
			p := place{f.field, name}
			ordinal[p]++
			if n := ordinal[p]; n > 1 {
				p.name = fmt.Sprintf("%s_%d", name, n)
			}
			t := byPlace[p]
			if t == nil {
				t = &target{field: p.field, name: p.name, feeds: make([]*feed, len(b.sources))}
				byPlace[p] = t
			}
			t.feeds[i] = f
		}
	}
	all := make([]*target, 0, len(byPlace))
	for _, t := range byPlace {
		t.place = placeOf(t.name)
		all = append(all, t)
	}
	slices.SortFunc(all, func(x, y *target) int {
		return cmp.Or(cmp.Compare(fieldOrder(x.field), fieldOrder(y.field)), x.place.compare(y.place))
	})
	return uniqueNames(all)
}

// empty reports a feed without any value.
func (f *feed) empty() bool {
	for code := range f.size() {
		if raw, _ := f.at(code); raw != "" {
			return false
		}
	}
	return true
}

// fieldOrder is the order of columns in a table: by field, carried ones last.
func fieldOrder(f record.Field) int {
	if f == record.Carried {
		return 1000
	}
	return int(f)
}

// uniqueNames gives columns whose name is taken (a text column called "email")
// the name of their field behind it.
func uniqueNames(all []*target) []*target {
	taken := make(map[string]bool)
	for _, f := range record.Fields() {
		if !named(f) {
			taken[f.String()] = true
		}
	}
	for _, t := range all {
		if !named(t.field) {
			taken[t.name] = true
		}
	}
	for _, t := range all {
		if !named(t.field) {
			continue
		}
		base := t.name
		if taken[t.name] {
			t.name = base + "_" + t.field.String()
		}
		for n := 2; taken[t.name]; n++ {
			t.name = fmt.Sprintf("%s_%s_%d", base, t.field, n)
		}
		taken[t.name] = true
	}
	return all
}

// table puts the feeds together.
func (b *builder) table(ctx context.Context) (*record.Table, error) {
	t := &record.Table{}
	var ids record.StringsBuilder
	for i := range b.sources {
		s := &b.sources[i]
		t.Sources = append(t.Sources, s.raw.Source)
		for _, row := range s.rows {
			t.Source = append(t.Source, uint16(i))
			if _, err := ids.Append(s.id(row)); err != nil {
				return nil, fmt.Errorf("source %s, key column: %w", s.raw.Source, err)
			}
		}
	}
	t.IDs = ids.Build()
	targets := b.targets()
	b.reportConsents(targets)
	t.Columns = make([]*record.Column, len(targets))
	err := b.inParallel(ctx, len(targets), func(i int) error {
		c, err := b.column(targets[i], t.Len())
		t.Columns[i] = c
		return err
	})
	if err != nil {
		return nil, err
	}
	t.Created = b.seconds(t, record.CreatedAt)
	t.Updated = b.seconds(t, record.UpdatedAt)
	return t, nil
}

// column fills one column. Codes are given at first sight in the order of
// records, so that they do not depend on the dictionaries of the files.
func (b *builder) column(t *target, n int) (*record.Column, error) {
	c := &record.Column{Field: t.field, Name: t.name, Raw: make([]uint32, n), Code: make([]uint32, n)}
	size := 0
	for _, f := range t.feeds {
		if f != nil {
			size += int(f.size())
		}
	}
	raws, norms := newInterner(min(size, n)), newInterner(min(size, n))
	var err error
	i := 0
	for k := range b.sources {
		s := &b.sources[k]
		if t.feeds[k] == nil {
			i += len(s.rows)
			continue
		}
		if i, err = fill(c, i, s.rows, t.feeds[k], raws, norms); err != nil {
			return nil, fmt.Errorf("column %s: %w", t.name, err)
		}
		t.feeds[k] = nil // its texts are no longer needed
	}
	if c.RawText, err = raws.strings(); err == nil {
		c.Normal, err = norms.strings()
	}
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", t.name, err)
	}
	c.Count = make([]uint32, c.Normal.Len())
	for _, code := range c.Code {
		c.Count[code]++
	}
	if sounds(t.field) {
		c.Sound = soundCodes(c)
	}
	return c, nil
}

// fill writes the codes of one source's rows, beginning at record i, and returns
// the record behind them.
func fill(c *record.Column, i int, rows []uint32, f *feed, raws, norms *interner) (int, error) {
	const unseen = ^uint32(0)
	toRaw, toNorm := make([]uint32, f.size()), make([]uint32, f.size())
	for code := range toRaw {
		toRaw[code] = unseen
	}
	for _, row := range rows {
		local := f.codes[row]
		if toRaw[local] == unseen {
			raw, norm := f.at(local)
			var err error
			if toRaw[local], err = raws.code(raw); err != nil {
				return i, err
			}
			if toNorm[local], err = norms.code(norm); err != nil {
				return i, err
			}
		}
		c.Raw[i], c.Code[i] = toRaw[local], toNorm[local]
		i++
	}
	return i, nil
}

// sounds reports the fields whose values are names and have a phonetic code.
func sounds(f record.Field) bool {
	switch f {
	case record.GivenName, record.FamilyName, record.OtherName, record.City, record.Street:
		return true
	}
	return false
}

// soundCodes hashes the phonetic codes of a column's normal forms. Of several
// given names the first that is no initial gives the code.
func soundCodes(c *record.Column) []uint32 {
	out := make([]uint32, c.Normal.Len())
	for code := 1; code < len(out); code++ {
		name := c.Normal.At(uint32(code))
		if c.Field == record.GivenName {
			name = normalize.CallName(name)
		}
		if sound := normalize.Sound(name); sound != "" {
			out[code] = max(1, uint32(record.HashText(sound)))
		}
	}
	return out
}

// seconds returns the times of a field in Unix seconds, by record; nil where
// no source has them.
func (b *builder) seconds(t *record.Table, f record.Field) []int64 {
	cols := t.All(f)
	if len(cols) == 0 {
		return nil
	}
	out := make([]int64, t.Len())
	for _, c := range cols {
		times := make([]int64, c.Normal.Len())
		for code := 1; code < len(times); code++ {
			times[code], _ = normalize.Timestamp(c.Normal.At(uint32(code)), normalize.YMD)
		}
		for i, code := range c.Code {
			if out[i] == 0 {
				out[i] = times[code]
			}
		}
	}
	return out
}
