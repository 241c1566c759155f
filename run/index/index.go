package index

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"sama/record"

	"golang.org/x/sync/errgroup"
)

// Index is an opened index. Identities and records are numbers, from 0;
// identity i is row i of golden.parquet and record r row r of members.parquet.
// A number that is out of range is a bug of the caller and panics.
//
// Strings and slices that the methods return are memory of the index itself:
// they are not to be changed, and hold only until the caller's reference is
// given back. An Index begins with one reference, that of its opener, which
// Close gives back. Who uses it from elsewhere takes one with Acquire and gives
// it back with Release; the files are unmapped with the last one. A method
// called after that panics; it does not touch memory that is gone.
type Index struct {
	content
	refs   atomic.Int64
	closed atomic.Bool // Close has given the opener's reference back
}

// content is what an Index holds while it is open.
type content struct {
	files      []*File // identities, records, values, extra
	shape      []uint64
	ids        fixed
	findID     finder
	identities rows
	identity   identityFields
	members    []uint32
	rules      []string
	aliases    fixed
	into       []uint32
	kinds      []string
	events     events

	sources []string
	starts  []uint32 // source → its first record; one more at the end
	keys    record.Strings
	records rows
	record  recordFields

	info    []ColumnInfo
	columns []column

	consents consents
}

type identityFields struct {
	start, first, last  field
	firstBase, lastBase int64
	golden              []goldenFields // by column; none where there are no golden records
}

type goldenFields struct{ chosen, rule field }

type recordFields struct {
	identity, source, created, updated field
	createdBase, updatedBase           int64
}

// column is one column of the table.
type column struct {
	raw, code   field // in a record's row
	rawText     record.Strings
	normal      record.Strings
	find        finder
	facts       rows
	count       field
	sound       field
	generic     field
	identifying bool
	starts      []uint32 // normal code → its first record in with; one more at the end
	with        []uint32
}

type events struct {
	number                int
	rows                  rows
	kind, identity, other field
	changed, starts       []uint32
	columns               []uint16
}

// fixed is a list of strings of one length.
type fixed struct {
	text  string
	width int
}

func (f *fixed) Len() int { return len(f.text) / max(1, f.width) }

func (f *fixed) At(i uint32) string {
	from := int(i) * f.width
	_ = f.text[from] // of an index that is closed nothing is left, not even the width
	return f.text[from : from+f.width]
}

// ColumnInfo describes a column of the records and of the golden records.
type ColumnInfo struct {
	Name   string // as it is served: that of golden.parquet
	Column string // in the table and in the records files; differs where golden.parquet has another column of that name
	Field  record.Field
	// Identifying says that RecordsWith knows the column's values.
	Identifying bool
}

// OpenIndex opens the index in the folder dir: every byte is verified against
// the checksums. The error wraps fs.ErrNotExist where there is none.
func OpenIndex(dir string) (*Index, error) {
	x := &Index{content: content{files: make([]*File, 4)}}
	var g errgroup.Group
	for i, name := range []string{identitiesFile, recordsFile, valuesFile, extraFile} {
		g.Go(func() (err error) {
			x.files[i], err = Open(filepath.Join(dir, name))
			return err
		})
	}
	err := g.Wait()
	if err == nil {
		if err = x.fill(); err != nil {
			err = fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, x.unmap())
	}
	for _, f := range x.files {
		f.forget()
	}
	x.refs.Store(1)
	return x, nil
}

// Acquire takes a reference and reports whether it could: not after Close.
func (x *Index) Acquire() bool {
	for {
		n := x.refs.Load()
		if n <= 0 || x.closed.Load() {
			return false
		}
		if x.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release gives a reference back. The last one closes the files.
func (x *Index) Release() { x.release() }

func (x *Index) release() error {
	switch n := x.refs.Add(-1); {
	case n == 0:
		return x.unmap()
	case n < 0:
		panic("index: released more often than acquired")
	}
	return nil
}

// Close gives the opener's reference back; further calls do nothing. The error
// is that of closing the files, where no one else holds a reference.
func (x *Index) Close() error {
	if x.closed.Swap(true) {
		return nil
	}
	return x.release()
}

// unmap closes the files and forgets all that lies in them.
func (x *Index) unmap() error {
	var bad []error
	for _, f := range x.files {
		if f != nil {
			bad = append(bad, f.Close())
		}
	}
	x.content = content{}
	return errors.Join(bad...)
}

// Identities returns the number of identities.
func (x *Index) Identities() int { return int(x.shape[shapeIdentities]) }

// Records returns the number of records.
func (x *Index) Records() int { return int(x.shape[shapeRecords]) }

// IdentityID returns the id of an identity.
func (x *Index) IdentityID(i uint32) string { return x.ids.At(i) }

// Find returns the identity of that id; an alias is none.
func (x *Index) Find(id string) (i uint32, ok bool) { return x.findID.find(&x.ids, id) }

// Alias returns where an id leads that names no identity: to the surviving one,
// or nowhere if it is retired. ok is false if it is no such id.
func (x *Index) Alias(id string) (surviving string, retired, ok bool) {
	k, ok := x.findAlias(id)
	if !ok {
		return "", false, false
	}
	if x.into[k] == None {
		return "", true, true
	}
	return x.IdentityID(x.into[k]), false, true
}

func (x *Index) findAlias(id string) (int, bool) {
	from, to := 0, x.aliases.Len()
	for from < to {
		mid := int(uint(from+to) / 2)
		if x.aliases.At(uint32(mid)) < id {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from, from < x.aliases.Len() && x.aliases.At(uint32(from)) == id
}

// Members returns the records of an identity, ascending.
func (x *Index) Members(i uint32) []uint32 {
	f := x.identity.start
	return x.members[x.identities.get(f, i):x.identities.get(f, i+1)]
}

// FirstSeen returns when a source first made a record of the identity, in Unix
// seconds; 0 where none says.
func (x *Index) FirstSeen(i uint32) int64 {
	return x.identities.time(x.identity.first, x.identity.firstBase, i)
}

// LastChanged returns when the identity last changed, in Unix seconds; 0 where
// no source says.
func (x *Index) LastChanged(i uint32) int64 {
	return x.identities.time(x.identity.last, x.identity.lastBase, i)
}

// Chosen returns the record whose raw value the golden record shows in column c,
// and the rule that decided; ok is false where there is no value.
func (x *Index) Chosen(c int, i uint32) (r uint32, rule string, ok bool) {
	if x.identity.golden == nil {
		return 0, "", false
	}
	g := x.identity.golden[c]
	place := x.identities.get(g.chosen, i)
	if place == 0 {
		return 0, "", false
	}
	return x.Members(i)[place-1], x.rules[x.identities.get(g.rule, i)], true
}

// Sources returns the names of the sources, sorted.
func (x *Index) Sources() []string { return x.sources }

// Key returns the key of a record.
func (x *Index) Key(r uint32) record.Key {
	return record.Key{Source: x.sources[x.records.get(x.record.source, r)], ID: x.keys.At(r)}
}

// FindRecord returns the record of that key.
func (x *Index) FindRecord(k record.Key) (r uint32, ok bool) {
	s, ok := slices.BinarySearch(x.sources, k.Source)
	if !ok {
		return 0, false
	}
	from, to := x.starts[s], x.starts[s+1]
	for from < to {
		mid := from + (to-from)/2
		if x.keys.At(mid) < k.ID {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from, from < x.starts[s+1] && x.keys.At(from) == k.ID
}

// IdentityOf returns the identity of a record.
func (x *Index) IdentityOf(r uint32) uint32 {
	return uint32(x.records.get(x.record.identity, r))
}

// Created returns when the source made the record, in Unix seconds; 0 where it
// does not say.
func (x *Index) Created(r uint32) int64 {
	return x.records.time(x.record.created, x.record.createdBase, r)
}

// Updated returns when the source last changed the record, likewise.
func (x *Index) Updated(r uint32) int64 {
	return x.records.time(x.record.updated, x.record.updatedBase, r)
}

// Columns returns the columns of the records, in the order of the table: a
// column is named by its place here.
func (x *Index) Columns() []ColumnInfo { return x.info }

// Code returns the code of a record's normal form; 0 = null.
func (x *Index) Code(c int, r uint32) uint32 {
	return uint32(x.records.get(x.columns[c].code, r))
}

// Raw returns a record's value as its source wrote it; "" for null.
func (x *Index) Raw(c int, r uint32) string {
	return x.RawText(c, x.RawCode(c, r))
}

// RawCode returns the code of a record's raw value; 0 = null.
func (x *Index) RawCode(c int, r uint32) uint32 {
	return uint32(x.records.get(x.columns[c].raw, r))
}

// RawText returns the raw value of that code; "" for 0.
func (x *Index) RawText(c int, code uint32) string { return x.columns[c].rawText.At(code) }

// Normals returns the number of codes of a column, that of null included.
func (x *Index) Normals(c int) int { return x.columns[c].normal.Len() }

// Normal returns the normal form of that code; "" for 0.
func (x *Index) Normal(c int, code uint32) string { return x.columns[c].normal.At(code) }

// FindNormal returns the code of a normal form; "" has none.
func (x *Index) FindNormal(c int, text string) (code uint32, ok bool) {
	col := &x.columns[c]
	return col.find.find(&col.normal, text)
}

// Count returns how many records hold a normal form; of 0, how many hold none.
func (x *Index) Count(c int, code uint32) uint32 {
	col := &x.columns[c]
	switch {
	case !col.identifying:
		return uint32(col.facts.get(col.count, code))
	case code == 0:
		return uint32(x.Records() - len(col.with))
	}
	return col.starts[code+1] - col.starts[code]
}

// Generic reports whether a normal form names nobody in particular.
func (x *Index) Generic(c int, code uint32) bool {
	col := &x.columns[c]
	return col.facts.get(col.generic, code) != 0
}

// Sound returns the hash of the phonetic form of a normal form, the same in every
// run; 0 = none.
func (x *Index) Sound(c int, code uint32) uint32 {
	col := &x.columns[c]
	return uint32(col.facts.get(col.sound, code))
}

// RecordsWith returns the records that hold a normal form, ascending, in a column
// that is identifying; nil in any other, and for code 0.
func (x *Index) RecordsWith(c int, code uint32) []uint32 {
	col := &x.columns[c]
	if !col.identifying {
		return nil
	}
	return col.with[col.starts[code]:col.starts[code+1]]
}

// KindChanged is the kind of a Change that is no event: the golden record of an
// identity that was there before has other values.
const KindChanged = "changed"

// Change is one entry of the change feed.
type Change struct {
	Kind     string   // of the event, or KindChanged
	Identity string   // id
	Other    string   // id of the other identity concerned, "" for none
	Columns  []uint16 // of KindChanged: the columns whose golden values changed, ascending
}

// Changes returns how many changes the run told: its events, in the order of
// events.parquet, and then the changed golden records.
func (x *Index) Changes() int { return x.events.number + len(x.events.changed) }

// Change returns a change by its number.
func (x *Index) Change(n int) Change {
	e := &x.events
	if n < e.number {
		row := uint32(n)
		c := Change{Kind: x.kinds[e.rows.get(e.kind, row)], Identity: x.idOf(uint32(e.rows.get(e.identity, row)))}
		if other := e.rows.get(e.other, row); other > 0 {
			c.Other = x.idOf(uint32(other - 1))
		}
		return c
	}
	n -= e.number
	return Change{Kind: KindChanged, Identity: x.IdentityID(e.changed[n]), Columns: e.columns[e.starts[n]:e.starts[n+1]]}
}

// idOf returns the id of an identity or, behind them, of an alias.
func (x *Index) idOf(ref uint32) string {
	if n := uint32(x.Identities()); ref >= n {
		return x.aliases.At(ref - n)
	}
	return x.ids.At(ref)
}

// Uint8 returns a section of Input.Extra. One that is missing or of another kind
// is an error, here and in the methods below.
func (x *Index) Uint8(name string) ([]uint8, error) { return x.extra().Uint8(name) }

// Uint16 returns a section of Input.Extra.
func (x *Index) Uint16(name string) ([]uint16, error) { return x.extra().Uint16(name) }

// Uint32 returns a section of Input.Extra.
func (x *Index) Uint32(name string) ([]uint32, error) { return x.extra().Uint32(name) }

// Uint64 returns a section of Input.Extra.
func (x *Index) Uint64(name string) ([]uint64, error) { return x.extra().Uint64(name) }

// Int64 returns a section of Input.Extra.
func (x *Index) Int64(name string) ([]int64, error) { return x.extra().Int64(name) }

// Strings returns a list of strings of Input.Extra.
func (x *Index) Strings(name string) (record.Strings, error) { return x.extra().Strings(name) }

// Has reports whether Input.Extra had a section of that name.
func (x *Index) Has(name string) bool { return x.extra().Has(name) }

func (x *Index) extra() *File { return x.files[3] }

// names returns a short list of strings that outlives the index.
func (f *File) names(name string) ([]string, error) {
	s, err := f.Strings(name)
	list := make([]string, s.Len())
	for i := range list {
		list[i] = strings.Clone(s.At(uint32(i)))
	}
	return list, err
}
