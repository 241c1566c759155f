package record

import (
	"fmt"
	"sort"
	"strings"
)

// Table holds the records of all sources, column by column. Records are
// sorted by source name and then record id, both bytewise; a record's number
// is its place in that order. A Table must not be changed once built.
type Table struct {
	Sources []string // source names, sorted
	Source  []uint16 // record → index into Sources
	IDs     Strings  // record → record id

	// Columns holds the fields in ascending order of Field, the carried
	// columns last in order of Name. A field may have several columns (two
	// phone numbers); the first of them is the main one.
	Columns []*Column

	// Created and Updated are Unix seconds, 0 where the source does not say;
	// nil where no source does.
	Created, Updated []int64

	// Whole describes the table that these records were taken from, or may come
	// to; nil where this is a table of its own. Count of the columns is then
	// about the whole table.
	Whole *Population
}

// Column is one field of all records.
type Column struct {
	Field Field
	// Name is unique in the table: the field's name, with "_2", "_3" … for
	// further columns of one field, or the source's own name for a carried,
	// text, category, number, date or identifier column.
	Name string

	Raw     []uint32 // record → value as written; 0 = null
	RawText Strings  // raw code → text; 0 → ""

	Code   []uint32 // record → normal form; 0 = null, junk or not understood
	Normal Strings  // normal code → text; 0 → ""; codes 1… are distinct texts
	Count  []uint32 // normal code → number of records that hold it; [0] counts the nulls

	// Sound maps a normal code to a hash of its phonetic form that is the same
	// in every table, 0 = none. Only name-like columns have it; nil otherwise.
	Sound []uint32

	// Generic marks normal codes that name nobody in particular (a placeholder,
	// an info@ address, a desk phone): they neither block nor count as evidence.
	// nil where there are none.
	Generic []bool
}

// Row is what scoring sees of one record: one cache line of 32-bit slots.
type Row [16]uint32

// Len returns the number of records.
func (t *Table) Len() int { return len(t.Source) }

// Key returns the key of record i.
func (t *Table) Key(i uint32) Key {
	return Key{t.Sources[t.Source[i]], t.IDs.At(i)}
}

// Find returns the number of the record with that key.
func (t *Table) Find(k Key) (uint32, bool) {
	n := t.Len()
	i := sort.Search(n, func(i int) bool { return t.Key(uint32(i)).Compare(k) >= 0 })
	if i < n && t.Key(uint32(i)) == k {
		return uint32(i), true
	}
	return 0, false
}

// All returns the columns of field f, the main one first.
func (t *Table) All(f Field) []*Column {
	var cols []*Column
	for _, c := range t.Columns {
		if c.Field == f {
			cols = append(cols, c)
		}
	}
	return cols
}

// Column returns the main column of field f, or nil.
func (t *Table) Column(f Field) *Column {
	for _, c := range t.Columns {
		if c.Field == f {
			return c
		}
	}
	return nil
}

// Named returns the column of that name, or nil.
func (t *Table) Named(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// RawValue returns record i's value as written, "" for null.
func (c *Column) RawValue(i uint32) string { return c.RawText.At(c.Raw[i]) }

// Value returns record i's normal form, "" for null.
func (c *Column) Value(i uint32) string { return c.Normal.At(c.Code[i]) }

// Filled returns the share of records that have a normal form.
func (c *Column) Filled() float64 {
	if len(c.Code) == 0 {
		return 0
	}
	return 1 - float64(c.Count[0])/float64(len(c.Code))
}

// Check verifies the invariants that the stages rely on and returns the first
// one that does not hold.
func (t *Table) Check() error {
	n := t.Len()
	if !sort.StringsAreSorted(t.Sources) {
		return fmt.Errorf("table: sources %v are not sorted", t.Sources)
	}
	if t.IDs.Len() != n {
		return fmt.Errorf("table: %d record ids for %d records", t.IDs.Len(), n)
	}
	for i := 1; i < n; i++ {
		if a, b := t.Key(uint32(i-1)), t.Key(uint32(i)); a.Compare(b) >= 0 {
			return fmt.Errorf("table: key %s does not come before %s", a, b)
		}
	}
	names := make(map[string]bool, len(t.Columns))
	for _, c := range t.Columns {
		if names[c.Name] {
			return fmt.Errorf("table: two columns named %s", c.Name)
		}
		names[c.Name] = true
		if err := c.check(n); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return nil
}

func (c *Column) check(n int) error {
	if len(c.Raw) != n || len(c.Code) != n {
		return fmt.Errorf("%d raw and %d normal codes for %d records", len(c.Raw), len(c.Code), n)
	}
	if len(c.Count) != c.Normal.Len() {
		return fmt.Errorf("%d counts for %d normal forms", len(c.Count), c.Normal.Len())
	}
	if c.Sound != nil && len(c.Sound) != c.Normal.Len() {
		return fmt.Errorf("%d sound codes for %d normal forms", len(c.Sound), c.Normal.Len())
	}
	if c.Generic != nil && len(c.Generic) != c.Normal.Len() {
		return fmt.Errorf("%d generic marks for %d normal forms", len(c.Generic), c.Normal.Len())
	}
	counts := make([]uint32, c.Normal.Len())
	for i := range c.Code {
		if int(c.Code[i]) >= c.Normal.Len() || int(c.Raw[i]) >= c.RawText.Len() {
			return fmt.Errorf("record %d: code out of range", i)
		}
		counts[c.Code[i]]++
	}
	seen := make(map[string]bool, len(counts))
	for code, want := range counts {
		if c.Count[code] != want {
			return fmt.Errorf("value %q: count %d, held by %d records", c.Normal.At(uint32(code)), c.Count[code], want)
		}
		text := c.Normal.At(uint32(code))
		if seen[text] || (text == "") != (code == 0) {
			return fmt.Errorf("normal form %q has two codes", text)
		}
		seen[strings.Clone(text)] = true
	}
	return nil
}
