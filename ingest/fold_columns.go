package ingest

import (
	"fmt"
	"slices"

	"sama/record"
)

// columnPair is one column of the result and what fills it.
type columnPair struct {
	name          string
	before, delta *RawColumn // nil where that side has no such column
}

// pairColumns unites the columns by name: those before in their order, then the
// new ones. Of several columns of one name the first goes with the first. A
// column that is new to those before and without values is left out where JSON
// Lines files name it, as in "address": null beside the columns address.street
// and address.city.
func (f *folder) pairColumns() []columnPair {
	var pairs []columnPair
	taken := make(map[string]int) // name → columns of it
	for i := range f.before.Columns {
		c := &f.before.Columns[i]
		pairs = append(pairs, columnPair{name: c.Name, before: c})
	}
	for i := range f.delta.Columns {
		c := &f.delta.Columns[i]
		skip := taken[c.Name]
		taken[c.Name]++
		at := slices.IndexFunc(pairs, func(p columnPair) bool {
			if p.name == c.Name {
				skip--
			}
			return skip < 0
		})
		if at < 0 {
			at = len(pairs)
			pairs = append(pairs, columnPair{name: c.Name})
		}
		pairs[at].delta = c
	}
	if mark := f.deletes.Column; mark != "" {
		pairs = slices.DeleteFunc(pairs, func(p columnPair) bool { return p.name == mark })
	}
	if f.allWhole && len(f.before.Columns) > 0 {
		pairs = slices.DeleteFunc(pairs, func(p columnPair) bool {
			return p.before == nil && p.name != f.key && !f.sentValue(p.delta)
		})
	}
	return pairs
}

// sentValue reports whether some row of the result has a value in a column of
// the delta.
func (f *folder) sentValue(c *RawColumn) bool {
	return slices.ContainsFunc(f.now, func(row uint32) bool { return row != none && c.Codes[row] != 0 })
}

// countChanges compares the records that the delta sent with what they were.
func (f *folder) countChanges(pairs []columnPair) {
	for i := range f.slots {
		s := &f.slots[i]
		if s.before == none || s.row == none {
			continue
		}
		same := !slices.ContainsFunc(pairs, func(p columnPair) bool {
			var was, is string
			if p.before != nil {
				was = p.before.text(s.before)
			}
			switch {
			case p.delta != nil:
				is = p.delta.text(s.row)
			case !s.fresh:
				is = was
			}
			return was != is
		})
		if same {
			f.report.Unchanged++
		} else {
			f.report.Changed++
		}
	}
}

// result fills the columns of the result and says where its rows come from.
func (f *folder) result(pairs []columnPair) (*Raw, error) {
	r := &Raw{Source: f.source(), Rows: len(f.old), Files: slices.Clone(f.delta.Files)}
	if keys := f.deletes.Keys; keys != nil {
		first := len(r.Files)
		r.Files = append(r.Files, keys.Files...)
		f.skipKeys(r.Files[first:])
	}
	total := uint32(0)
	for i := range r.Files {
		total += uint32(r.Files[i].Rows)
	}
	r.rows = make([]uint32, len(f.old))
	for i, row := range f.now {
		switch {
		case row == none:
			r.rows[i] = total + f.old[i] // behind all files: see Where
		case f.delta.rows != nil:
			r.rows[i] = f.delta.rows[row]
		default:
			r.rows[i] = row
		}
	}
	r.Columns = make([]RawColumn, len(pairs))
	errs := make([]error, len(pairs))
	parallel(f.opt.Workers, len(pairs), func(i int) {
		r.Columns[i], errs[i] = f.column(pairs[i])
	})
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", pairs[i].name, err)
		}
	}
	return r, nil
}

// column fills one column. Codes of both sides are first written as they are,
// those of the delta behind those before, and then counted through: only what
// some row holds keeps its text.
func (f *folder) column(p columnPair) (RawColumn, error) {
	c := RawColumn{Name: p.name, Codes: make([]uint32, len(f.old))}
	shift, size := 0, 0
	if p.before != nil {
		shift = p.before.Values.Len()
	}
	size = shift
	if p.delta != nil {
		size += p.delta.Values.Len()
	}
	codes := make([]uint32, max(size, 1)) // code as first written → code, to begin with 1 = held
	f.mix(c.Codes, codes, p, uint32(shift))
	codes[0] = 0
	if shift < len(codes) {
		codes[shift] = 0 // null of the delta
	}
	heldBefore := slices.Contains(codes[:shift], 1)
	heldDelta := p.delta != nil && slices.Contains(codes[shift:], 1)
	var err error
	if c.Values, err = renumber(codes, p, shift, len(f.old)); err != nil {
		return c, err
	}
	for i, code := range c.Codes {
		c.Codes[i] = codes[code]
	}
	c.Kind, c.List = p.kind(heldBefore, heldDelta)
	return c, nil
}

// mix writes the code of every row and marks it as held.
func (f *folder) mix(out, held []uint32, p columnPair, shift uint32) {
	for i, row := range f.now {
		var code uint32
		if row != none && p.delta != nil {
			code = p.delta.Codes[row] + shift
		} else if old := f.old[i]; old != none && p.before != nil {
			code = p.before.Codes[old]
		}
		out[i] = code
		held[code] = 1
	}
}

// fewValues is how many rows a column has for each of its values for equal
// texts of both sides to be given one code. Where there are more values, finding
// them again would cost more than it saves, as in rawBuilder.
const fewValues = 16

// renumber turns the marks in codes into codes counted from 1, and returns
// their texts.
func renumber(codes []uint32, p columnPair, shift, rows int) (record.Strings, error) {
	at := func(code int) string {
		if code < shift {
			return p.before.Values.At(uint32(code))
		}
		return p.delta.Values.At(uint32(code - shift))
	}
	number, size := 0, 0
	for code, held := range codes {
		if held != 0 {
			number++
			size += len(at(code))
		}
	}
	if number*fewValues <= rows {
		in := newInterner(number)
		for code, held := range codes {
			if held != 0 {
				var err error
				if codes[code], err = in.code(at(code)); err != nil {
					return record.Strings{}, err
				}
			}
		}
		return in.strings()
	}
	var text record.StringsBuilder
	text.Grow(number+1, size)
	text.Append("")
	for code, held := range codes {
		if held != 0 {
			var err error
			if codes[code], err = text.Append(at(code)); err != nil {
				return record.Strings{}, err
			}
		}
	}
	return text.Build(), nil
}

// kind returns the kind of the column and whether it holds lists. A side of
// which no value is left says nothing of them, unless neither has one.
func (p *columnPair) kind(heldBefore, heldDelta bool) (Kind, bool) {
	switch {
	case heldBefore && heldDelta:
		kind := p.before.Kind
		if kind != p.delta.Kind {
			kind = KindText
		}
		return kind, p.before.List || p.delta.List
	case heldBefore, p.delta == nil:
		return p.before.Kind, p.before.List
	}
	return p.delta.Kind, p.delta.List
}
