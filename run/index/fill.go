package index

import (
	"fmt"
	"slices"

	"sama/record"
)

// fill finds the sections of all files and verifies that their lengths agree, so
// that a number which is in range has an answer.
func (x *Index) fill() error {
	for i, f := range x.files {
		shape, err := f.Uint64(shapeSection)
		if err != nil {
			return err
		}
		if len(shape) != shapeLength || shape[shapeRecords] >= uint64(None) || shape[shapeIdentities] > shape[shapeRecords] || shape[shapeWidth] > 255 {
			return fmt.Errorf("%s: section %s: %v", f.name, shapeSection, shape)
		}
		if i == 0 {
			x.shape = shape
		} else if !slices.Equal(shape, x.shape) {
			return fmt.Errorf("%s is of another index than %s", f.name, x.files[0].name)
		}
	}
	// From here on the numbers are no memory of the file.
	x.shape = slices.Clone(x.shape)
	return cmpOr(x.fillIdentities(x.files[0]), x.fillChanges(x.files[0]), x.fillRecords(x.files[1]), x.fillValues(x.files[2]))
}

// wrong says that a section is not as long as others say.
func (f *File) wrong(name string, got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s: section %s: %d numbers, want %d", f.name, name, got, want)
}

// wrongStarts says that lists of so many numbers in all do not begin and end
// where they should.
func (f *File) wrongStarts(name string, starts []uint32, lists, numbers int) error {
	name += startsSuffix
	if err := f.wrong(name, len(starts), lists+1); err != nil {
		return err
	}
	if starts[0] != 0 || uint64(starts[lists]) != uint64(numbers) {
		return fmt.Errorf("%s: section %s: lists from %d to %d of %d", f.name, name, starts[0], starts[lists], numbers)
	}
	return nil
}

func (x *Index) fillIdentities(f *File) (err error) {
	n := x.Identities()
	if x.ids, err = f.fixed("ids", int(x.shape[shapeWidth])); err != nil {
		return err
	}
	if err := f.wrong("ids", x.ids.Len(), n); err != nil {
		return err
	}
	if x.findID, err = f.finder("ids", n); err != nil {
		return err
	}
	if x.members, err = f.Uint32("members"); err != nil {
		return err
	}
	if x.rules, err = f.names("rules"); err != nil {
		return err
	}
	if x.aliases, err = f.fixed("aliases", int(x.shape[shapeWidth])); err != nil {
		return err
	}
	if x.into, err = f.Uint32("aliases.into"); err != nil {
		return err
	}
	base, err := f.Int64("identities.base")
	if err != nil {
		return err
	}
	widths, err := f.Uint8("identities" + bitsSuffix)
	if err != nil {
		return err
	}
	columns := 0
	if len(widths) > 3 {
		columns = int(x.shape[shapeColumns])
	}
	var fields []field
	if x.identities, fields, err = f.rows("identities", n+1, 3+2*columns); err != nil {
		return err
	}
	if err := cmpOr(f.wrong("members", len(x.members), x.Records()), f.wrong("aliases.into", len(x.into), x.aliases.Len()), f.wrong("identities.base", len(base), 2)); err != nil {
		return err
	}
	if end := x.identities.get(fields[0], uint32(n)); end != uint64(len(x.members)) {
		return fmt.Errorf("%s: section identities: the last one's records end at %d of %d", f.name, end, len(x.members))
	}
	x.identity = identityFields{start: fields[0], first: fields[1], last: fields[2], firstBase: base[0], lastBase: base[1]}
	for c := range columns {
		x.identity.golden = append(x.identity.golden, goldenFields{fields[3+2*c], fields[4+2*c]})
	}
	return nil
}

// fixed returns a list of strings of one length.
func (f *File) fixed(name string, width int) (fixed, error) {
	text, err := f.Uint8(name + textSuffix)
	if err != nil {
		return fixed{}, err
	}
	if width == 0 && len(text) > 0 || width > 0 && len(text)%width != 0 {
		return fixed{}, fmt.Errorf("%s: section %s: %d bytes for ids of %d", f.name, name, len(text), width)
	}
	return fixed{textOf(text), width}, nil
}

func (x *Index) fillChanges(f *File) (err error) {
	e := &x.events
	if x.kinds, err = f.names("kinds"); err != nil {
		return err
	}
	number, err := f.Uint64("events.number")
	if err != nil {
		return err
	}
	if err := f.wrong("events.number", len(number), 1); err != nil {
		return err
	}
	e.number = int(min(number[0], uint64(None)))
	var fields []field
	if e.rows, fields, err = f.rows("events", e.number, 3); err != nil {
		return err
	}
	e.kind, e.identity, e.other = fields[0], fields[1], fields[2]
	if e.changed, err = f.Uint32("changed.identity"); err != nil {
		return err
	}
	if e.starts, err = f.Uint32("changed.starts"); err != nil {
		return err
	}
	if e.columns, err = f.Uint16("changed.columns"); err != nil {
		return err
	}
	return f.wrongStarts("changed", e.starts, len(e.changed), len(e.columns))
}

func (x *Index) fillRecords(f *File) (err error) {
	n, columns := x.Records(), int(x.shape[shapeColumns])
	if x.sources, err = f.names("sources"); err != nil {
		return err
	}
	if x.starts, err = f.Uint32("sources" + startsSuffix); err != nil {
		return err
	}
	if x.keys, err = f.Strings("ids"); err != nil {
		return err
	}
	base, err := f.Int64("records.base")
	if err != nil {
		return err
	}
	var fields []field
	if x.records, fields, err = f.rows("records", n, 4+2*columns); err != nil {
		return err
	}
	if err := cmpOr(f.wrong("sources", len(x.sources), int(x.shape[shapeSources])), f.wrongStarts("sources", x.starts, len(x.sources), n),
		f.wrong("ids", x.keys.Len(), n), f.wrong("records.base", len(base), 2)); err != nil {
		return err
	}
	x.record = recordFields{fields[0], fields[1], fields[2], fields[3], base[0], base[1]}
	x.columns = make([]column, columns)
	for c := range x.columns {
		x.columns[c].raw, x.columns[c].code = fields[4+2*c], fields[5+2*c]
	}
	return x.fillConsents(f)
}

func (x *Index) fillValues(f *File) error {
	lists := make([][]string, 3)
	for i, name := range []string{"columns.name", "columns.table", "columns.field"} {
		var err error
		if lists[i], err = f.names(name); err != nil {
			return err
		}
		if err := f.wrong(name, len(lists[i]), len(x.columns)); err != nil {
			return err
		}
	}
	for c := range x.columns {
		field, err := record.ParseField(lists[2][c])
		if err != nil {
			return fmt.Errorf("%s: column %s: %w", f.name, lists[0][c], err)
		}
		if err := x.columns[c].fill(f, columnSection(c)); err != nil {
			return err
		}
		x.info = append(x.info, ColumnInfo{lists[0][c], lists[1][c], field, x.columns[c].identifying})
	}
	return nil
}

// fill finds the values of a column.
func (c *column) fill(f *File, name string) (err error) {
	if c.rawText, err = f.Strings(name + ".raw"); err != nil {
		return err
	}
	if c.normal, err = f.Strings(name + ".normal"); err != nil {
		return err
	}
	n := c.normal.Len()
	if c.find, err = f.finder(name, n); err != nil {
		return err
	}
	var fields []field
	if c.facts, fields, err = f.rows(name+".facts", n, 3); err != nil {
		return err
	}
	c.count, c.sound, c.generic = fields[0], fields[1], fields[2]
	if c.identifying = f.Has(name + ".with" + startsSuffix); !c.identifying {
		return nil
	}
	if c.starts, err = f.Uint32(name + ".with" + startsSuffix); err != nil {
		return err
	}
	if c.with, err = f.Uint32(name + ".with" + recordsSuffix); err != nil {
		return err
	}
	return f.wrongStarts(name+".with", c.starts, n, len(c.with))
}
