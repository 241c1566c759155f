package index

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ConsentColumn is a column of the records of one source that says what persons
// agreed or refused to, now or in an earlier run.
type ConsentColumn struct {
	Source  string
	Column  string // as the records file has it
	Purpose string
	Channel string // "" = any
	// Read says that this run reads the column so: every value of it is an act that
	// stands.
	Read bool
}

// ConsentActs are what the records said, each in a column, in the order of
// records, of those of a record by column, and of those in a column by run.
type ConsentActs struct {
	Columns []ConsentColumn // ascending by what they name
	Starts  []uint32        // record → its first act; one more at the end
	Of      []uint32        // act → column
	Granted []bool
	At      []int64 // Unix seconds, 0 = not known
	Until   []int64 // of an act that ended: when; 0 = not known
	Run     []uint32
	Ended   []uint32 // number of the run in which the act no longer stood; 0 = it stands
}

// ConsentAct is what a record said in a column.
type ConsentAct struct {
	ConsentColumn
	Number  int // of the column among ConsentColumns
	Granted bool
	At      int64  // Unix seconds, 0 = not known
	Until   int64  // of an act that ended: when; 0 = not known
	Run     uint32 // number of the run that first saw it
	Ended   uint32 // number of the run in which it no longer stood; 0 = it stands
}

// consents are the acts of an open index.
type consents struct {
	columns                []ConsentColumn
	starts                 []uint32
	acts                   rows
	of, granted, at, until field
	run, ended             field
	atBase, untilBase      int64
}

// The sections of the acts, in the file of the records; an index of records
// without consents has none of them.
const consentSection = "consents"

// Consents returns what a record said, in the order of ConsentActs.
func (x *Index) Consents(r uint32) []ConsentAct {
	c := &x.consents
	if c.starts == nil {
		_ = x.records.data[0] // of an index that is closed nothing is left
		return nil
	}
	from, to := c.starts[r], c.starts[r+1]
	if from == to {
		return nil
	}
	out := make([]ConsentAct, 0, to-from)
	for i := from; i < to; i++ {
		of := int(c.acts.get(c.of, i))
		out = append(out, ConsentAct{
			ConsentColumn: c.columns[of], Number: of, Granted: c.acts.get(c.granted, i) != 0,
			At: c.acts.time(c.at, c.atBase, i), Until: c.acts.time(c.until, c.untilBase, i),
			Run: uint32(c.acts.get(c.run, i)), Ended: uint32(c.acts.get(c.ended, i)),
		})
	}
	return out
}

// ConsentColumns returns the columns that acts are of.
func (x *Index) ConsentColumns() []ConsentColumn { return x.consents.columns }

// writeConsents writes the acts, if there are any columns of them.
func writeConsents(w *Writer, in *Input) {
	a := in.Consents
	if a == nil {
		return
	}
	var lists [4][]string
	read := make([]uint8, len(a.Columns))
	for i, c := range a.Columns {
		for k, text := range []string{c.Source, c.Column, c.Purpose, c.Channel} {
			lists[k] = append(lists[k], text)
		}
		if c.Read {
			read[i] = 1
		}
	}
	for k, name := range []string{".source", ".column", ".purpose", ".channel"} {
		writeNames(w, consentSection+name, lists[k])
	}
	w.Uint8(consentSection+".read", read)
	w.Uint32(consentSection+startsSuffix, a.Starts)
	var p packer
	p.codes(a.Of)
	p.add(1, func(b block, from, to int) {
		for i, granted := range a.Granted[from:to] {
			if granted {
				b.put(i, 1)
			}
		}
	})
	base := []int64{p.times(w, a.At), p.times(w, a.Until)}
	p.codes(a.Run)
	p.codes(a.Ended)
	w.Int64(consentSection+".base", base)
	p.write(w, consentSection, len(a.Of))
}

// validateConsents checks the acts.
func (in *Input) validateConsents() error {
	a := in.Consents
	if a == nil {
		return nil
	}
	n := len(a.Of)
	for _, got := range []int{len(a.Granted), len(a.At), len(a.Until), len(a.Run), len(a.Ended)} {
		if got != n {
			return fmt.Errorf("consents: %d acts, some have %d values", n, got)
		}
	}
	if len(a.Starts) != in.Table.Len()+1 || a.Starts[0] != 0 || !slices.IsSorted(a.Starts) || int(a.Starts[in.Table.Len()]) != n {
		return fmt.Errorf("consents: the acts of %d records stand at %d places", in.Table.Len(), len(a.Starts))
	}
	for i, of := range a.Of {
		if int(of) >= len(a.Columns) {
			return fmt.Errorf("consents: act %d is of column %d of %d", i, of, len(a.Columns))
		}
	}
	return nil
}

// fillConsents finds the acts.
func (x *Index) fillConsents(f *File) (err error) {
	c := &x.consents
	if !f.Has(consentSection + startsSuffix) {
		return nil
	}
	var lists [4][]string
	for k, name := range []string{".source", ".column", ".purpose", ".channel"} {
		if lists[k], err = f.names(consentSection + name); err != nil {
			return err
		}
	}
	read, err := f.Uint8(consentSection + ".read")
	if err != nil {
		return err
	}
	for _, list := range lists {
		if err := f.wrong(consentSection, len(list), len(read)); err != nil {
			return err
		}
	}
	for i := range read {
		c.columns = append(c.columns, ConsentColumn{lists[0][i], lists[1][i], lists[2][i], lists[3][i], read[i] != 0})
	}
	if c.starts, err = f.Uint32(consentSection + startsSuffix); err != nil {
		return err
	}
	base, err := f.Int64(consentSection + ".base")
	if err != nil {
		return err
	}
	acts := 0
	if len(c.starts) > 0 {
		acts = int(c.starts[len(c.starts)-1])
	}
	var fields []field
	if c.acts, fields, err = f.rows(consentSection, acts, 6); err != nil {
		return err
	}
	c.of, c.granted, c.at, c.until, c.run, c.ended = fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]
	if err := cmpOr(f.wrong(consentSection+".base", len(base), 2), f.wrongStarts(consentSection, c.starts, x.Records(), acts)); err != nil {
		return err
	}
	c.atBase, c.untilBase = base[0], base[1]
	return nil
}

// checkConsents: the lists of acts ascend, and every act is of a column of its
// record's source, in the order of columns and runs.
func (x *Index) checkConsents() error {
	c := &x.consents
	if c.starts == nil {
		return nil
	}
	if !slices.IsSorted(c.starts) {
		return errors.New("the consents of the records are out of order")
	}
	key := func(c ConsentColumn) string {
		return strings.Join([]string{c.Source, c.Column, c.Purpose, c.Channel}, "\x00")
	}
	if !slices.IsSortedFunc(c.columns, func(a, b ConsentColumn) int { return strings.Compare(key(a), key(b)) }) {
		return errors.New("the columns of consents are out of order")
	}
	for i := range c.starts[len(c.starts)-1] {
		if of := c.acts.get(c.of, i); of >= uint64(len(c.columns)) {
			return fmt.Errorf("consent %d is of column %d of %d", i, of, len(c.columns))
		}
	}
	for r := range uint32(x.Records()) {
		source := x.sources[x.records.get(x.record.source, r)]
		var last ConsentAct
		for i, a := range x.Consents(r) {
			if a.Source != source || i > 0 && (a.Number < last.Number || a.Number == last.Number && (last.Ended == 0 || a.Run < last.Ended)) {
				return fmt.Errorf("record %d: consent %d is of source %s, or out of order", r, i, a.Source)
			}
			last = a
		}
	}
	return nil
}
