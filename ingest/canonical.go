package ingest

import (
	"fmt"

	"sama/record"
)

// Records returns some rows of a source as they are kept from night to night:
// in the order given, all kinds text, the values of a column distinct and in the
// order in which the rows first hold them. It depends on what the rows say
// alone, not on how the source was cut into files nor on their format.
func (r *Raw) Records(rows []uint32, workers int) (*Raw, error) {
	out := &Raw{Source: r.Source, Rows: len(rows), Columns: make([]RawColumn, len(r.Columns))}
	errs := make([]error, len(r.Columns))
	parallel(max(workers, 1), len(r.Columns), func(i int) {
		out.Columns[i], errs[i] = r.Columns[i].records(rows)
	})
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("source %s: column %s: %w", r.Source, r.Columns[i].Name, err)
		}
	}
	return out, nil
}

func (c *RawColumn) records(rows []uint32) (RawColumn, error) {
	out := RawColumn{Name: c.Name, List: c.List, Codes: make([]uint32, len(rows))}
	var texts record.Interner
	const unseen = ^uint32(0)
	code := make([]uint32, c.Values.Len())
	for i := range code {
		code[i] = unseen
	}
	for i, row := range rows {
		old := c.Codes[row]
		if code[old] == unseen {
			code[old] = texts.Code(c.Values.At(old))
		}
		out.Codes[i] = code[old]
	}
	var err error
	out.Values, err = texts.Strings()
	return out, err
}
