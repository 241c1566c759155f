package run

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"sama/run/columns"
)

// arrowTables are the tables that are written as Arrow IPC files too, on
// request.
var arrowTables = []string{"golden.parquet", "members.parquet"}

// writeArrow writes the table beside its Parquet file. Each table has its own
// place in p.arrow, so that no two calls touch the same one.
func (p *publisher) writeArrow(ctx context.Context, work, name string, t table) error {
	f, err := p.disk.writeFile(work, strings.TrimSuffix(name, filepath.Ext(name))+".arrow", func(w io.Writer) error {
		return columns.WriteArrow(ctx, w, t.rows, t.columns)
	})
	f.Rows = int64(t.rows)
	p.arrow[slices.Index(arrowTables, name)] = f
	return err
}
