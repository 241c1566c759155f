package ingest

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"sama/ingest/normalize"
)

// FoldReport counts what a delta changed. Before + Added − Deleted = After.
type FoldReport struct {
	Before    int // records before: rows with a key of their own
	Changed   int // records before that the delta gave another value
	Unchanged int // records before that the delta sent again as they were
	Added     int // records that were not there before
	Deleted   int // records before that are gone
	After     int // records in the result

	NullKeys       int // rows of the delta without a key: kept, for Build to reject
	RepeatedKeys   int // rows of the delta or of the keys file whose key stood in an earlier row of the same
	UnknownDeletes int // deletions of a key that no record had
	Rejected       int // rows of the keys file without a key, also counted in File.Skipped
	BeforeDropped  int // rows before without a key or with one seen before: rejected in their night

	// OtherMarks are the values of the delete column that left the rows of the
	// delta standing, though they say something: see MarkCount.
	OtherMarks []MarkCount
}

// Fold lays the changed records of a delta over the records before, so that
// what follows sees the whole source.
//
//	before   the source as the previous run kept it; nil = there is nothing yet
//	delta    tonight's files of the source; nil = nothing came
//	key      the column that names a record, compared as Build compares it
//
// A row of the delta replaces the record of its key whole: what is null in the
// row is null afterwards. A column that none of the delta's files has is null
// in a row of a JSON Lines file too, for what an object does not name is null;
// in a row of a CSV or Parquet file it keeps its value. Rows count in the order
// of files by path, then row: of several rows with one key the last wins, a row
// that is marked as deleted removes what came before it, and a later row brings
// the key back as a new record, without the values it had. A delete column that
// the records before still have, because they were once sent whole, is read the
// same way.
//
// The result has the rows before in their order, then the new ones in the order
// of the delta, among them those without a key, which Build rejects. Rows
// before that Build had rejected are left out. Columns are united as those of
// several files are, but kinds and lists only where a value is left that says
// so; and where all rows of the delta are of JSON Lines files, a column that
// before does not have only with a value in it: there "address": null names no
// column. The files are tonight's, those of the delta and then those of the
// keys; [Raw.Where] answers for a row before with the row it had there.
//
// Cost: a look-up a row before and a pass or three a column; texts that no row
// holds any more are dropped. The result does not depend on opt.Workers.
//
// A delta that has rows but no key column, one that has rows of CSV or Parquet
// files but no delete column, records before without the key column, and a file
// of keys in which no column can be told to hold them are errors.
func Fold(before, delta *Raw, key string, d Deletes, opt ReadOptions) (*Raw, []Reject, *FoldReport, error) {
	f := &folder{before: orNoRows(before), delta: orNoRows(delta), key: key, deletes: d, opt: opt.withDefaults()}
	f.rejects.limit = f.opt.KeepRejects
	f.whole, f.allWhole = wholeRows(f.delta)
	if before == nil && delta == nil {
		return nil, nil, nil, errors.New("a delta has nothing to be laid over: neither tonight's files nor the previous run have the source; send it whole once")
	}
	if err := f.findColumns(); err != nil {
		return nil, nil, nil, fmt.Errorf("source %s: %w", f.source(), err)
	}
	f.numberKeys()
	f.matchBefore()
	f.applyRows()
	if err := f.checkHeader(); err != nil {
		return nil, nil, nil, fmt.Errorf("source %s: %w", f.source(), err)
	}
	f.applyKeys()
	f.layRows()
	if len(f.old) > maxRows {
		return nil, nil, nil, fmt.Errorf("source %s has %d records; a source can have %d, split it", f.source(), len(f.old), maxRows)
	}
	pairs := f.pairColumns()
	f.countChanges(pairs)
	r, err := f.result(pairs)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("source %s: %w", f.source(), err)
	}
	return r, f.rejects.list, &f.report, nil
}

// none stands where there is no row or no slot.
const none uint32 = math.MaxUint32

// folder holds the state of one Fold.
type folder struct {
	before, delta *Raw // empty where there is none
	key           string
	deletes       Deletes
	opt           ReadOptions

	beforeKey, deltaKey, keysKey *RawColumn // nil where there are no rows
	deltaMark                    []bool     // code of the delete column → deleted; nil where there is none
	beforeMark                   []bool

	whole    []bool // row of the delta → it is a whole record: see wholeRows
	allWhole bool   // all rows are

	keys     *interner // key → number of its slot, from 1
	slots    []foldSlot
	slotOf   []uint32 // row of the delta → slot, none = no key
	kept     []uint32 // rows before that are records
	keptSlot []uint32 // place in kept → slot, none = the delta does not speak of it

	old, now []uint32 // row of the result → row before and row of the delta, or none

	report  FoldReport
	rejects rejects
}

// foldSlot is what the delta says of one key.
type foldSlot struct {
	before uint32 // its row before, or none
	row    uint32 // the row of the delta that holds, none = gone
	sent   bool   // a row of the delta has it
	listed bool   // a row of the keys file has it
	known  bool   // some record had it
	fresh  bool   // it was deleted or sent as a whole record: what it was before is forgotten
}

// orNoRows returns r, or a source without rows for nil.
func orNoRows(r *Raw) *Raw {
	if r == nil {
		return new(Raw)
	}
	return r
}

// wholeRows returns which rows of the files of a source are whole records, and
// whether all are: those of JSON Lines files, whose writers leave out what is
// null. A row of another format says nothing of a column that its file does not
// have.
func wholeRows(r *Raw) (whole []bool, all bool) {
	whole, all = make([]bool, r.Rows), r.Rows > 0
	file, end := -1, 0
	for row := range whole {
		at := row
		if r.rows != nil {
			at = int(r.rows[row]) // ascending: see take
		}
		for at >= end && file+1 < len(r.Files) {
			file++
			end += r.Files[file].Rows
		}
		whole[row] = at < end && r.Files[file].Format == formatJSONL
		all = all && whole[row]
	}
	return whole, all
}

// source returns the name of the source.
func (f *folder) source() string {
	if f.delta.Source != "" {
		return f.delta.Source
	}
	return f.before.Source
}

// findColumns finds the key and delete columns.
func (f *folder) findColumns() error {
	var errs []error
	if f.key == f.deletes.Column {
		errs = append(errs, fmt.Errorf("the column %s cannot be both the key and the mark of deleted records", f.key))
	}
	if f.delta.Rows > 0 {
		if f.deltaKey = f.delta.column(f.key); f.deltaKey == nil {
			errs = append(errs, noColumn(f.delta, "tonight's files", "key column", f.key))
		}
		if name := f.deletes.Column; name != "" {
			switch c := f.delta.column(name); {
			case c != nil:
				f.deltaMark = f.marks(c)
				f.report.OtherMarks = f.otherMarks(c)
			case !f.allWhole: // else no row names it: nobody is marked
				errs = append(errs, noColumn(f.delta, "tonight's files", "delete column", name))
			}
		}
	}
	if f.before.Rows > 0 {
		if f.beforeKey = f.before.column(f.key); f.beforeKey == nil {
			errs = append(errs, fmt.Errorf("%w; send the source whole once", noColumn(f.before, "the records that the previous run kept", "key column", f.key)))
		}
		if c := f.before.column(f.deletes.Column); c != nil && f.deletes.Column != "" {
			f.beforeMark = f.marks(c)
		}
	}
	errs = append(errs, f.findKeys())
	return errors.Join(errs...)
}

// noColumn says that a column is missing, and which there are.
func noColumn(r *Raw, where, what, name string) error {
	if len(r.Files) > 0 {
		where = fmt.Sprintf("%s (%s)", where, r.Files[0].Path)
	}
	return fmt.Errorf("%s: no %s %q; the columns are %s", where, what, name, strings.Join(columnNames(r), ", "))
}

// column returns the first column of that name, or nil.
func (r *Raw) column(name string) *RawColumn {
	if i := slices.IndexFunc(r.Columns, func(c RawColumn) bool { return c.Name == name }); i >= 0 {
		return &r.Columns[i]
	}
	return nil
}

// text returns the value of a row as it stands.
func (c *RawColumn) text(row uint32) string { return c.Values.At(c.Codes[row]) }

// key returns the key in a row as Build takes it, "" for none.
func (c *RawColumn) key(row uint32) string { return normalize.Trim(c.text(row)) }

// numberKeys gives every key of the delta and of the keys file a slot, and the
// names that checkHeader asks for.
func (f *folder) numberKeys() {
	f.keys = newInterner(f.delta.Rows)
	f.slotOf = make([]uint32, f.delta.Rows)
	for row := range f.slotOf {
		f.slotOf[row] = f.slot(f.deltaKey.key(uint32(row)))
	}
	if f.keysKey != nil {
		for row := range f.deletes.Keys.Rows {
			f.slot(f.keysKey.key(uint32(row)))
		}
	}
	for _, name := range f.headerNames() {
		f.slot(normalize.Trim(name))
	}
}

// slot returns the slot of a key, a new one at first sight; none for no key.
// The texts of a column, of which these are some, fit into an interner.
func (f *folder) slot(key string) uint32 {
	code, _ := f.keys.code(key)
	if int(code) > len(f.slots) {
		f.slots = append(f.slots, foldSlot{before: none, row: none})
	}
	return code - 1
}

// find returns the code of a text, 0 if it has none.
func (in *interner) find(s string) uint32 {
	hash := maphash.String(in.seed, s) & (1<<32 - 1)
	mask := uint64(len(in.table) - 1)
	for at := hash & mask; in.table[at] != 0; at = (at + 1) & mask {
		if e := in.table[at]; e>>32 == hash && in.is(uint32(e), s) {
			return uint32(e)
		}
	}
	return 0
}

// matchBefore finds the records before, and those of which the delta speaks.
func (f *folder) matchBefore() {
	f.kept = f.recordsBefore()
	f.keptSlot = make([]uint32, len(f.kept))
	mark := f.before.column(f.deletes.Column)
	n := 0
	for _, row := range f.kept {
		if f.beforeMark != nil && f.beforeMark[mark.Codes[row]] {
			f.report.Before++
			f.report.Deleted++
			continue
		}
		slot := f.keys.find(f.beforeKey.key(row)) - 1
		if slot != none {
			f.slots[slot].before, f.slots[slot].known = row, true
		}
		f.kept[n], f.keptSlot[n] = row, slot
		n++
	}
	f.kept, f.keptSlot = f.kept[:n], f.keptSlot[:n]
	f.report.Before += n
}

// recordsBefore returns the rows before that have a key of their own: the
// first of each key, as Build takes it.
func (f *folder) recordsBefore() []uint32 {
	rows := make([]uint32, 0, f.before.Rows)
	ascending, last := true, ""
	for row := range uint32(f.before.Rows) {
		key := f.beforeKey.key(row)
		if key == "" {
			continue
		}
		ascending = ascending && last < key
		last = key
		rows = append(rows, row)
	}
	if !ascending {
		rows = firstOfKey(f.beforeKey, rows)
	}
	f.report.BeforeDropped = f.before.Rows - len(rows)
	return rows
}

// firstOfKey keeps the first row of each key. Its table holds (32 bits of hash,
// row + 1) and no text.
func firstOfKey(c *RawColumn, rows []uint32) []uint32 {
	size := 64
	for size < len(rows)+len(rows)/2 {
		size *= 2
	}
	table := make([]uint64, size)
	mask := uint64(size - 1)
	seed := maphash.MakeSeed()
	kept := rows[:0]
next:
	for _, row := range rows {
		key := c.key(row)
		hash := maphash.String(seed, key) & (1<<32 - 1)
		at := hash & mask
		for ; table[at] != 0; at = (at + 1) & mask {
			if e := table[at]; e>>32 == hash && c.key(uint32(e)-1) == key {
				continue next
			}
		}
		table[at] = hash<<32 | uint64(row+1)
		kept = append(kept, row)
	}
	return kept
}

// applyRows lets the rows of the delta act in their order.
func (f *folder) applyRows() {
	var mark *RawColumn
	if f.deltaMark != nil {
		mark = f.delta.column(f.deletes.Column)
	}
	for row, slot := range f.slotOf {
		if slot == none {
			continue
		}
		s := &f.slots[slot]
		if s.sent {
			f.report.RepeatedKeys++
		}
		s.sent = true
		if mark != nil && f.deltaMark[mark.Codes[row]] {
			f.remove(s)
			continue
		}
		s.row, s.known = uint32(row), true
		s.fresh = s.fresh || f.whole[row]
	}
}

// layRows lists the rows of the result.
func (f *folder) layRows() {
	f.old = make([]uint32, 0, len(f.kept)+len(f.slotOf))
	f.now = make([]uint32, 0, len(f.kept)+len(f.slotOf))
	for i, row := range f.kept {
		slot := f.keptSlot[i]
		if slot == none {
			f.old, f.now = append(f.old, row), append(f.now, none)
			continue
		}
		s := &f.slots[slot]
		if s.row == none {
			f.report.Deleted++
			continue
		}
		if s.fresh {
			row = none
		}
		f.old, f.now = append(f.old, row), append(f.now, s.row)
	}
	for row, slot := range f.slotOf {
		switch {
		case slot == none:
			f.report.NullKeys++
		case f.slots[slot].before == none && f.slots[slot].row == uint32(row):
			f.report.Added++
		default:
			continue
		}
		f.old, f.now = append(f.old, none), append(f.now, uint32(row))
	}
	f.report.After = len(f.old) - f.report.NullKeys
}
