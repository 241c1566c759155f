package run

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sama/run/index"
)

// indexCheck compares the profile index with the Parquet files.
type indexCheck struct {
	*Run
	m *Members
	x *index.Index
}

// checkIndex: the index agrees with itself, and says the same as the Parquet
// files of every identity, record, golden value and event. All of them are
// compared, not a sample: at a million records that takes about a second on two
// cores. Provenance is checked on the way.
func (r *Run) checkIndex(m *Members) error {
	if !r.hasIndex() {
		return r.checkProvenance(m, nil)
	}
	x, err := r.Index()
	if err != nil {
		return errors.Join(err, r.checkProvenance(m, nil))
	}
	defer x.Close()
	c := &indexCheck{r, m, x}
	if err := cmp.Or(x.Check(), c.members()); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", indexFolder, err), r.checkProvenance(m, nil))
	}
	return errors.Join(r.checkProvenance(m, c), c.golden(), c.records(), c.history(), c.consents())
}

// members compares keys, identities and columns.
func (c *indexCheck) members() error {
	x, m := c.x, c.m
	if x.Identities() != m.Identities.Len() || x.Records() != m.Len() {
		return fmt.Errorf("%d identities of %d records; members.parquet has %d of %d", x.Identities(), x.Records(), m.Identities.Len(), m.Len())
	}
	for i := range uint32(x.Identities()) {
		if x.IdentityID(i) != m.Identities.At(i) {
			return fmt.Errorf("identity %d is %s, in golden.parquet %s", i, x.IdentityID(i), m.Identities.At(i))
		}
	}
	for rec := range uint32(x.Records()) {
		if x.Key(rec) != m.Key(rec) || x.IdentityOf(rec) != m.Identity[rec] {
			return fmt.Errorf("record %s of identity %s; members.parquet has %s of %s", x.Key(rec), x.IdentityID(x.IdentityOf(rec)), m.Key(rec), m.Identities.At(m.Identity[rec]))
		}
	}
	same := slices.EqualFunc(x.Columns(), c.Info.Columns, func(a index.ColumnInfo, b Column) bool {
		return a.Name == b.Name && a.Column == b.Column && a.Field == b.Field
	})
	if !same {
		return errors.New("its columns are not those of run.json")
	}
	return nil
}

// golden compares the golden values and times.
func (c *indexCheck) golden() error {
	names := []string{"first_seen", "last_changed"}
	var columns []int
	t, err := c.table("golden.parquet")
	if err != nil {
		return err
	}
	defer t.close()
	for i, info := range c.x.Columns() {
		if _, ok := t.leaf(info.Name); ok {
			names, columns = append(names, info.Name), append(columns, i)
		}
	}
	return c.groups("golden.parquet", names, func(g group) error {
		if err := c.times(g); err != nil {
			return err
		}
		texts := make([]textCheck, len(columns))
		for k, p := range g.columns[2:] {
			texts[k] = c.goldenCheck(p, columns[k], g.first)
		}
		if row, k, same := sameTexts(texts, g.rows); !same {
			return fmt.Errorf("golden.parquet: row %d: the index has another %s of identity %s", g.first+row+1, names[k+2], c.x.IdentityID(uint32(g.first+row)))
		}
		return nil
	})
}

// goldenCheck compares a column of a row group of golden.parquet, which begins at
// row first, with that column of the index.
func (c *indexCheck) goldenCheck(p *piece, column, first int) textCheck {
	return newTextCheck(p, func(i int) uint32 {
		if rec, _, ok := c.x.Chosen(column, uint32(first+i)); ok {
			return c.x.RawCode(column, rec)
		}
		return 0
	}, func(code uint32) string { return c.x.RawText(column, code) })
}

// times compares the first two columns of a row group of golden.parquet.
func (c *indexCheck) times(g group) error {
	for i := range g.rows {
		row := uint32(g.first + i)
		first, last := number(g.columns[0], i)/1000, number(g.columns[1], i)/1000
		if c.x.FirstSeen(row) != first || c.x.LastChanged(row) != last {
			return fmt.Errorf("golden.parquet: row %d: seen from %d and changed at %d seconds, in the index %d and %d", row+1, first, last, c.x.FirstSeen(row), c.x.LastChanged(row))
		}
	}
	return nil
}

// textCheck compares the entries of a column of text with those of the index, by
// their codes there. A value of the file's dictionary is compared once with each
// code that follows another.
type textCheck struct {
	piece *piece
	code  func(entry int) uint32   // the index's code of an entry
	text  func(code uint32) string // the index's text of a code
	known []uint32                 // value of the file → the code that it was last equal to; 0 = none
}

func newTextCheck(p *piece, code func(entry int) uint32, text func(code uint32) string) textCheck {
	return textCheck{p, code, text, make([]uint32, p.values())}
}

// same compares entries from to to−1 and returns the first that differs.
func (c *textCheck) same(from, to int) (int, bool) {
	p := c.piece
	for i := from; i < to; i++ {
		v, is := p.code(i), c.code(i)
		if v == noValue || is == 0 {
			if v != noValue && len(p.text(i)) > 0 || is != 0 && c.text(is) != "" {
				return i, false
			}
			continue
		}
		if c.known[v] == is {
			continue
		}
		if c.text(is) != string(p.text(i)) {
			return i, false
		}
		c.known[v] = is
	}
	return 0, true
}

// checkBlock is how many rows are compared column by column: what the index says
// of them stays in the cache meanwhile.
const checkBlock = 512

// sameTexts compares the columns of a row group and returns where they differ.
func sameTexts(columns []textCheck, rows int) (row, column int, same bool) {
	for from := 0; from < rows; from += checkBlock {
		for k := range columns {
			if row, same := columns[k].same(from, min(from+checkBlock, rows)); !same {
				return row, k, false
			}
		}
	}
	return 0, 0, true
}

// number is an entry of a column of numbers, 0 for null.
func number(p *piece, i int) int64 {
	if code := p.code(i); code != noValue {
		return int64(p.words[code])
	}
	return 0
}

// origins compares where the golden values of a row group of provenance.parquet
// come from, and by what rule, with the index.
func (c *indexCheck) origins(identity, winners []uint32, fields, rules *piece, first int) error {
	columns := make([]int, fields.values())
	for v := range columns {
		name := string(fields.texts.at(uint32(v)))
		columns[v] = slices.IndexFunc(c.x.Columns(), func(info index.ColumnInfo) bool { return info.Name == name })
		if columns[v] < 0 {
			return fmt.Errorf("provenance.parquet: field %q is no column of the index", name)
		}
	}
	for i, id := range identity {
		code := fields.code(i)
		if code == noValue {
			return fmt.Errorf("provenance.parquet: row %d: no field", first+i+1)
		}
		rec, rule, ok := c.x.Chosen(columns[code], id)
		if !ok || rec != winners[i] || rule != string(rules.text(i)) {
			return fmt.Errorf("provenance.parquet: row %d: the index has another origin of %s of identity %s", first+i+1, fields.text(i), c.x.IdentityID(id))
		}
	}
	return nil
}

// records compares the normal forms.
func (c *indexCheck) records() error {
	var bad []error
	for s, source := range c.m.Sources {
		from, to := c.m.first[s], c.m.first[s+1]
		filled := c.filled(from, to)
		var names []string
		for _, column := range filled {
			names = append(names, c.x.Columns()[column].Column)
		}
		names = distinctNames([]string{"record_id"}, names)
		bad = append(bad, c.groups(RecordsFile(source), names, func(g group) error {
			if from+uint32(g.first+g.rows) > to {
				return nil // checkRecords says so
			}
			texts := make([]textCheck, len(filled))
			for k, column := range filled {
				texts[k] = newTextCheck(g.columns[k], func(i int) uint32 { return c.x.Code(column, from+uint32(g.first+i)) },
					func(code uint32) string { return c.x.Normal(column, code) })
			}
			if row, k, same := sameTexts(texts, g.rows); !same {
				return fmt.Errorf("%s: row %d: the index has another %s", RecordsFile(source), g.first+row+1, names[k])
			}
			return nil
		}))
	}
	return errors.Join(bad...)
}

// filled returns the columns in which a record of from to to−1 has a normal form.
func (c *indexCheck) filled(from, to uint32) []int {
	empty := make([]int, len(c.x.Columns()))
	for column := range empty {
		empty[column] = column
	}
	var filled []int
	for rec := from; rec < to && len(empty) > 0; rec++ {
		empty = slices.DeleteFunc(empty, func(column int) bool {
			if c.x.Code(column, rec) == 0 {
				return false
			}
			filled = append(filled, column)
			return true
		})
	}
	slices.Sort(filled)
	return filled
}

// history compares the aliases and events.
func (c *indexCheck) history() error {
	ids, into, err := c.Aliases()
	if err != nil {
		return err
	}
	for i := range uint32(ids.Len()) {
		surviving, retired, ok := c.x.Alias(ids.At(i))
		if !ok || surviving != into.At(i) || retired != (into.At(i) == "") {
			return fmt.Errorf("aliases.parquet: row %d: the index says otherwise where %s leads", i+1, ids.At(i))
		}
	}
	kinds, err := c.text("events.parquet", "event")
	if err != nil {
		return err
	}
	identity, err := c.strings("events.parquet", "identity_id")
	if err != nil {
		return err
	}
	other, err := c.strings("events.parquet", "other_identity_id")
	if err != nil {
		return err
	}
	for i, code := range kinds.codes {
		if i >= c.x.Changes() {
			return fmt.Errorf("events.parquet: row %d: the index does not have it", i+1)
		}
		if e := c.x.Change(i); e.Kind != kinds.texts[code] || e.Identity != identity.At(uint32(i)) || e.Other != other.At(uint32(i)) {
			return fmt.Errorf("events.parquet: row %d: the index has another event", i+1)
		}
	}
	if n := len(kinds.codes); n < c.x.Changes() && c.x.Change(n).Kind != index.KindChanged {
		return fmt.Errorf("events.parquet: %d rows, the index has more events", n)
	}
	return nil
}
