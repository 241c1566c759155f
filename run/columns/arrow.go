package columns

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// WriteArrow writes the table to w as an Arrow IPC file, buffers compressed
// with zstd, in batches of GroupRows rows.
func WriteArrow(ctx context.Context, w io.Writer, rows int, cols []Column) error {
	if err := check(rows, cols); err != nil {
		return err
	}
	fields := make([]arrow.Field, len(cols))
	for i := range cols {
		fields[i] = cols[i].arrowField()
	}
	schema := arrow.NewSchema(fields, nil)
	out, err := ipc.NewFileWriter(stream{&counter{w: w}}, ipc.WithSchema(schema), ipc.WithZstd())
	if err != nil {
		return err
	}
	for first := 0; first < rows; first += GroupRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeBatch(out, schema, cols, first, min(first+GroupRows, rows)); err != nil {
			return err
		}
	}
	return out.Close()
}

// stream tells the IPC writer where it stands; it never goes anywhere else.
type stream struct{ *counter }

func (s stream) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.ErrUnsupported
	}
	return s.n, nil
}

// writeBatch writes rows first to last−1.
func writeBatch(out *ipc.FileWriter, schema *arrow.Schema, cols []Column, first, last int) error {
	arrays := make([]arrow.Array, len(cols))
	for i := range cols {
		b := array.NewBuilder(memory.DefaultAllocator, schema.Field(i).Type)
		cols[i].build(b, first, last)
		arrays[i] = b.NewArray()
		b.Release()
		defer arrays[i].Release()
	}
	batch := array.NewRecord(schema, arrays, int64(last-first))
	defer batch.Release()
	return out.Write(batch)
}

// arrowField describes the column.
func (c *Column) arrowField() arrow.Field {
	if c.Starts == nil {
		return c.Leaf.arrowField(c.Name)
	}
	if len(c.Elements) == 1 {
		return arrow.Field{Name: c.Name, Type: arrow.ListOfField(c.Elements[0].arrowField("element"))}
	}
	fields := make([]arrow.Field, len(c.Elements))
	for i := range c.Elements {
		fields[i] = c.Elements[i].arrowField(c.Elements[i].Name)
	}
	return arrow.Field{Name: c.Name, Type: arrow.ListOfField(arrow.Field{Name: "element", Type: arrow.StructOf(fields...)})}
}

func (l *Leaf) arrowField(name string) arrow.Field {
	types := [...]arrow.DataType{
		Text: arrow.BinaryTypes.String, Int: arrow.PrimitiveTypes.Int64,
		Double: arrow.PrimitiveTypes.Float64, Time: &arrow.TimestampType{Unit: arrow.Millisecond},
		Bool: arrow.FixedWidthTypes.Boolean,
	}
	return arrow.Field{Name: name, Type: types[l.Kind], Nullable: l.Nulls != NoNulls}
}

// build adds rows first to last−1 to the builder.
func (c *Column) build(b array.Builder, first, last int) {
	if c.Starts == nil {
		c.Leaf.build(b, first, last)
		return
	}
	list := b.(*array.ListBuilder)
	for row := first; row < last; row++ {
		list.Append(true)
		from, to := int(c.Starts[row]), int(c.Starts[row+1])
		if len(c.Elements) == 1 {
			c.Elements[0].build(list.ValueBuilder(), from, to)
			continue
		}
		group := list.ValueBuilder().(*array.StructBuilder)
		for i := from; i < to; i++ {
			group.Append(true)
		}
		for j := range c.Elements {
			c.Elements[j].build(group.FieldBuilder(j), from, to)
		}
	}
}

// build adds entries from to to−1 to the builder.
func (l *Leaf) build(b array.Builder, from, to int) {
	b.Reserve(to - from)
	for i := from; i < to; i++ {
		v := uint32(i)
		if l.Codes != nil {
			v = l.Codes[i]
		}
		if l.Nulls != NoNulls && l.null(v) {
			b.AppendNull()
			continue
		}
		switch l.Kind {
		case Text:
			b.(*array.StringBuilder).Append(l.Texts.At(v))
		case Int:
			b.(*array.Int64Builder).Append(l.Ints[v])
		case Double:
			b.(*array.Float64Builder).Append(l.Doubles[v])
		case Time:
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(l.Ints[v] * 1000))
		case Bool:
			b.(*array.BooleanBuilder).Append(v != 0)
		}
	}
}
