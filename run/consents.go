package run

import (
	"cmp"
	"slices"
	"strings"

	"sama/record"
	"sama/run/columns"
	"sama/run/index"
)

// consentsFile holds what the records said of uses of their persons' data.
const consentsFile = "consents.parquet"

// The acts, as consents.parquet writes them and as the normal forms of a column
// of consents say them.
const (
	actDeny  = "deny"
	actGrant = "grant"
)

// ConsentColumn is a column that holds, for the records of one source, what
// persons agreed or refused to.
type ConsentColumn struct {
	Source  string
	Column  string // of the table
	Purpose string
	Channel string // "" = any
}

func (c ConsentColumn) compare(d ConsentColumn) int {
	return cmp.Or(strings.Compare(c.Source, d.Source), strings.Compare(c.Column, d.Column),
		strings.Compare(c.Purpose, d.Purpose), strings.Compare(c.Channel, d.Channel))
}

// ConsentAct is what a record says in a column from one run on, up to another or
// until now.
type ConsentAct struct {
	Record  uint32 // of the table, or its length + i for Consents.Gone[i]
	Of      uint32 // into Consents.Columns
	Granted bool
	At      int64  // Unix seconds from which on it counts, 0 = not known
	Run     uint32 // number of the run that first saw it
	Until   int64  // of one that ended: since when it counts no longer; 0 = not known
	Ended   uint32 // number of the run in which it no longer stood; 0 = it stands
}

// Consents are all acts that this run and those before it saw. Those of one
// record in one column are one behind the other in time, and only the last of
// them can stand.
type Consents struct {
	// Columns are the columns that the acts are of, ascending; Read says which of
	// them this run reads.
	Columns []ConsentColumn
	Read    []bool
	Gone    []record.Key // that are not in the table, ascending
	Acts    []ConsentAct // by record key, column and run
}

// valid reports whether the acts name columns, records and runs that are there,
// of a table of n records and a run of that number.
func (c *Consents) valid(n int, number uint32) bool {
	for _, a := range c.Acts {
		if int(a.Of) >= len(c.Columns) || int(a.Record) >= n+len(c.Gone) || a.Run > number || a.Ended > number {
			return false
		}
	}
	return len(c.Read) == len(c.Columns)
}

// Consents carries the consents of earlier runs on to this one, whose columns
// of them are given. What a column said before and still says stays as it is. Of a
// record that is gone the acts end and are kept; if its key was erased they are
// not. The result is nil where neither this run nor the previous one has such
// columns.
//
// An act counts from when its source says that the record was changed, if that
// is later than the act before it; else from the latest time that any source
// gives for a record tonight, or where that is no later either, from one second
// after the act before. The clock has no part in it: the same exports give the
// same consents.
func (p *Past) Consents(columns []ConsentColumn, erased func(record.Key) bool) (*Consents, error) {
	before := &pastConsents{}
	if p.Previous != nil && p.Previous.hasFile(consentsFile) {
		var err error
		if before, err = p.Previous.consents(); err != nil {
			return nil, err
		}
	} else if len(columns) == 0 {
		return nil, nil
	}
	return newCarrier(p.table, p.Number, columns, before, erased).carry()
}

// carrier carries consents on from one run to the next.
type carrier struct {
	Consents
	table  *record.Table
	number uint32
	latest int64
	erased func(record.Key) bool
	says   [][]says // source → its columns of consents
	before *pastConsents
	of     []uint32 // column of before → column
	next   int      // act of before that comes next
}

// says is a column of consents of one source of this run.
type says struct {
	of     uint32
	column *record.Column
	code   [2]uint32 // normal codes of deny and grant, 0 = no record says so
}

func newCarrier(t *record.Table, number uint32, columns []ConsentColumn, before *pastConsents, erased func(record.Key) bool) *carrier {
	c := &carrier{table: t, number: number, latest: latest(t), erased: erased, before: before, says: make([][]says, len(t.Sources))}
	c.Columns = slices.Concat(columns, before.columns)
	slices.SortFunc(c.Columns, ConsentColumn.compare)
	c.Columns = slices.Compact(c.Columns)
	c.Read = make([]bool, len(c.Columns))
	place := func(x ConsentColumn) uint32 {
		i, _ := slices.BinarySearchFunc(c.Columns, x, ConsentColumn.compare)
		return uint32(i)
	}
	for _, x := range before.columns {
		c.of = append(c.of, place(x))
	}
	for _, x := range columns {
		source, ok := slices.BinarySearch(t.Sources, x.Source)
		column := t.Named(x.Column)
		if !ok || column == nil {
			continue
		}
		s := says{of: place(x), column: column}
		c.Read[s.of] = true
		for code := 1; code < column.Normal.Len(); code++ {
			switch column.Normal.At(uint32(code)) {
			case actDeny:
				s.code[0] = uint32(code)
			case actGrant:
				s.code[1] = uint32(code)
			}
		}
		c.says[source] = append(c.says[source], s)
	}
	for _, list := range c.says {
		slices.SortFunc(list, func(a, b says) int { return cmp.Compare(a.of, b.of) })
	}
	return c
}

// carry walks through the records and the acts of before, both by key.
func (c *carrier) carry() (*Consents, error) {
	n := uint32(c.table.Len())
	c.Acts = make([]ConsentAct, 0, len(c.before.acts)+len(c.before.acts)/8)
	for r := range n {
		source := c.table.Source[r]
		list := c.says[source]
		if c.next == len(c.before.acts) && len(list) == 0 {
			continue
		}
		key := c.table.Key(r)
		var acts []ConsentAct
		for c.next < len(c.before.acts) {
			other := c.before.key(c.next)
			order := other.Compare(key)
			if order > 0 {
				break
			}
			earlier, err := c.take()
			if err != nil {
				return nil, err
			}
			if order == 0 {
				acts = earlier
				break
			}
			c.gone(other, earlier)
		}
		c.meet(r, acts, list)
	}
	for c.next < len(c.before.acts) {
		key := c.before.key(c.next)
		acts, err := c.take()
		if err != nil {
			return nil, err
		}
		c.gone(key, acts)
	}
	for i := range c.Acts { // those that are gone are counted only now
		if a := &c.Acts[i]; a.Record >= goneMark {
			a.Record = n + a.Record - goneMark
		}
	}
	return &c.Consents, nil
}

// goneMark is the first number of a record that is gone while acts are carried.
const goneMark = 1 << 31

// take returns the acts of the key that comes next, with their columns as they
// are numbered now.
func (c *carrier) take() ([]ConsentAct, error) {
	from := c.next
	key := c.before.key(from)
	for c.next++; c.next < len(c.before.acts) && c.before.same(c.next-1, c.next); {
		c.next++
	}
	acts := c.before.acts[from:c.next]
	for i := range acts {
		acts[i].Of = c.of[acts[i].Of]
		if i > 0 && cmp.Or(cmp.Compare(acts[i-1].Of, acts[i].Of), cmp.Compare(acts[i-1].Run, acts[i].Run)) >= 0 {
			return nil, c.before.outOfOrder(from + i)
		}
	}
	if c.next < len(c.before.acts) && c.before.key(c.next).Compare(key) < 0 {
		return nil, c.before.outOfOrder(c.next)
	}
	return acts, nil
}

// gone keeps the acts of a record that is not in the table, unless its person was
// erased.
func (c *carrier) gone(key record.Key, acts []ConsentAct) {
	if c.erased != nil && c.erased(key) {
		return
	}
	number := goneMark + uint32(len(c.Gone))
	c.Gone = append(c.Gone, key)
	for _, a := range acts {
		a.Record = number
		if a.Ended == 0 {
			a.Ended, a.Until = c.number, c.later(0, a.At)
		}
		c.Acts = append(c.Acts, a)
	}
}

// meet compares what a record said with what it says. Both lists are in the order
// of columns.
func (c *carrier) meet(r uint32, acts []ConsentAct, list []says) {
	updated := timeOf(c.table.Updated, r)
	for len(acts) > 0 || len(list) > 0 {
		of := uint32(NoRecord)
		if len(acts) > 0 {
			of = acts[0].Of
		}
		said, granted := false, false
		if len(list) > 0 && list[0].of <= of {
			of = list[0].of
			code := list[0].column.Code[r]
			granted = code != 0 && code == list[0].code[1]
			said = granted || code != 0 && code == list[0].code[0]
			list = list[1:]
		}
		last := ConsentAct{Ended: NoRecord}
		for ; len(acts) > 0 && acts[0].Of == of; acts = acts[1:] {
			last = acts[0]
			last.Record = r
			c.Acts = append(c.Acts, last)
		}
		stands := last.Ended == 0
		if stands && said && last.Granted == granted {
			continue
		}
		at := c.later(updated, max(last.At, last.Until))
		if stands {
			end := &c.Acts[len(c.Acts)-1]
			end.Ended, end.Until = c.number, at
		}
		if said {
			c.Acts = append(c.Acts, ConsentAct{Record: r, Of: of, Granted: granted, At: at, Run: c.number})
		}
	}
}

// later returns the time of what was first seen now, behind a time before it; 0
// if nothing is known.
func (c *carrier) later(updated, before int64) int64 {
	switch {
	case updated != 0 && (before == 0 || updated > before):
		return updated
	case before == 0 || c.latest > before:
		return c.latest
	}
	return before + 1
}

// consentTable has one row an act, by record key, column, purpose, channel and
// run.
func (l *layout) consentTable() table {
	acts := l.Content.Consents.Acts
	n := len(acts)
	records, of, act, run, ended := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
	at, until := make([]int64, n), make([]int64, n)
	for i, a := range acts {
		records[i], of[i], run[i], ended[i], at[i], until[i] = a.Record, a.Of, a.Run, a.Ended, a.At, a.Until
		if a.Granted {
			act[i] = 1
		}
	}
	about := func(name string, text func(ConsentColumn) string, nulls columns.Nulls) columns.Column {
		var in record.Interner
		texts := columns.List{""}
		number := make([]uint32, len(l.Content.Consents.Columns))
		for i, c := range l.Content.Consents.Columns {
			if number[i] = in.Code(text(c)); int(number[i]) == len(texts) {
				texts = append(texts, text(c))
			}
		}
		codes := make([]uint32, n)
		for i, c := range of {
			codes[i] = number[c]
		}
		return columns.Column{Leaf: columns.Leaf{Name: name, Codes: codes, Texts: columns.Valid(texts), Nulls: nulls}}
	}
	numbers := upTo(l.Info.Number)
	source := about("source", func(c ConsentColumn) string { return c.Source }, columns.NoNulls)
	source.Sorted = true
	return table{n, []columns.Column{
		source,
		text("record_id", records, withGone{l.recordIDs, uint32(l.Table.Len()), l.Content.Consents.Gone}, columns.NoNulls),
		about("column", func(c ConsentColumn) string { return c.Column }, columns.NoNulls),
		about("purpose", func(c ConsentColumn) string { return c.Purpose }, columns.NoNulls),
		about("channel", func(c ConsentColumn) string { return c.Channel }, columns.ZeroIsNull),
		text("act", act, columns.List{actDeny, actGrant}, columns.NoNulls),
		{Leaf: columns.Leaf{Name: "at", Kind: columns.Time, Ints: at, Nulls: columns.ZeroIsNull}},
		{Leaf: columns.Leaf{Name: "run", Kind: columns.Int, Codes: run, Ints: numbers}},
		{Leaf: columns.Leaf{Name: "until", Kind: columns.Time, Ints: until, Nulls: columns.ZeroIsNull}},
		{Leaf: columns.Leaf{Name: "until_run", Kind: columns.Int, Codes: ended, Ints: numbers, Nulls: columns.ZeroIsNull}},
	}}
}

// indexConsents are the acts of the records that are there, as the index keeps
// them.
func (l *layout) indexConsents() *index.ConsentActs {
	c := l.Content.Consents
	if c == nil {
		return nil
	}
	n := uint32(l.Table.Len())
	out := &index.ConsentActs{Starts: make([]uint32, n+1)}
	for i, x := range c.Columns {
		out.Columns = append(out.Columns, index.ConsentColumn{Source: x.Source, Column: x.Column, Purpose: x.Purpose, Channel: x.Channel, Read: c.Read[i]})
	}
	for _, a := range c.Acts {
		if a.Record >= n {
			continue
		}
		out.Starts[a.Record+1]++
		out.Of, out.Granted = append(out.Of, a.Of), append(out.Granted, a.Granted)
		out.At, out.Until = append(out.At, a.At), append(out.Until, a.Until)
		out.Run, out.Ended = append(out.Run, a.Run), append(out.Ended, a.Ended)
	}
	for r := range n {
		out.Starts[r+1] += out.Starts[r]
	}
	return out
}
