package ingest

import "sama/record"

// RawOf returns a source whose rows do not come from a file: each is a whole
// record, as a line of JSON Lines is. from names where they come from.
func RawOf(source, from string, columns []string, rows int, value func(row, column int) string) *Raw {
	r := &Raw{Source: source, Rows: rows, Files: []File{{Path: from, Format: "jsonl", Rows: rows}}}
	for i, name := range columns {
		var texts record.Interner
		c := RawColumn{Name: name, Codes: make([]uint32, rows)}
		for row := range c.Codes {
			c.Codes[row] = texts.Code(value(row, i))
		}
		c.Values, _ = texts.Strings() // what was received fits
		r.Columns = append(r.Columns, c)
	}
	return r
}
