package measure

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// A frame is a flat Parquet file in memory. Types and nulls stay as they are.
type frame struct {
	names []string
	types []parquet.Node
	rows  []parquet.Row // row → column → value
}

// readFrame reads a file whose columns are neither lists nor structs.
func readFrame(path string) (*frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	fr := new(frame)
	for _, field := range f.Schema().Fields() {
		if !field.Leaf() || field.Repeated() {
			return nil, fmt.Errorf("%s: column %s is a list or a struct; only flat columns can be copied", path, field.Name())
		}
		fr.names, fr.types = append(fr.names, field.Name()), append(fr.types, field)
	}
	for _, group := range f.RowGroups() {
		if err := fr.read(group); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if int64(len(fr.rows)) != f.NumRows() {
		return nil, fmt.Errorf("%s: %d rows read, the file says %d", path, len(fr.rows), f.NumRows())
	}
	return fr, nil
}

func (fr *frame) read(group parquet.RowGroup) error {
	rows := group.Rows()
	defer rows.Close()
	batch := make([]parquet.Row, 512)
	for {
		n, err := rows.ReadRows(batch)
		for _, row := range batch[:n] {
			fr.rows = append(fr.rows, row.Clone())
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// column returns the place of the first of some columns that is there, or -1.
func (fr *frame) column(names ...string) int {
	for _, name := range names {
		if at := slices.Index(fr.names, name); at >= 0 {
			return at
		}
	}
	return -1
}

// text returns a value as text, "" for null.
func (fr *frame) text(row, column int) string {
	v := fr.rows[row][column]
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// choose makes the columns those of the given places, in that order.
func (fr *frame) choose(places []int) {
	names, types := make([]string, len(places)), make([]parquet.Node, len(places))
	for to, from := range places {
		names[to], types[to] = fr.names[from], fr.types[from]
	}
	fr.names, fr.types = names, types
	for i, row := range fr.rows {
		chosen := make(parquet.Row, len(places))
		for to, from := range places {
			chosen[to] = row[from].Level(0, row[from].DefinitionLevel(), to)
		}
		fr.rows[i] = chosen
	}
}

// write writes the frame as a file of Snappy pages.
func (fr *frame) write(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := parquet.NewGenericWriter[any](file, parquet.NewSchema("records", ordered(fr)), parquet.Compression(&parquet.Snappy))
	for part := range slices.Chunk(fr.rows, 1024) {
		if _, err := w.WriteRows(part); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return w.Close()
}

// orderedGroup is a parquet.Group whose fields keep their order.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// ordered returns the schema of a frame.
func ordered(fr *frame) parquet.Node {
	g := orderedGroup{Group: parquet.Group{}}
	for i, name := range fr.names {
		g.Group[name] = fr.types[i]
	}
	sorted := g.Group.Fields()
	for _, name := range fr.names {
		at := slices.IndexFunc(sorted, func(f parquet.Field) bool { return f.Name() == name })
		g.fields = append(g.fields, sorted[at])
	}
	return g
}

// hasColumn reports whether a file has any of the columns.
func hasColumn(path string, names []string) (bool, error) {
	if len(names) == 0 {
		return false, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	f, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return slices.ContainsFunc(f.Schema().Fields(), func(x parquet.Field) bool { return slices.Contains(names, x.Name()) }), nil
}
