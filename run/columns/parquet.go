package columns

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"
)

// GroupRows is the number of rows in a row group.
const GroupRows = 1 << 17

// createdBy is part of every file and must never hold a date or a build.
const createdBy = "sama version 1 (build 0)"

// magic opens and closes a Parquet file.
const magic = "PAR1"

// Encoder writes Parquet files, encoding on a number of workers that all files
// written at a time share, with their buffers. It is safe for concurrent use.
type Encoder struct {
	workers chan *worker // those at rest
	buffers chan []byte  // of chunks that have been written
}

// NewEncoder returns an encoder of that many workers. Bytes do not depend on
// their number.
func NewEncoder(workers int) *Encoder {
	workers = max(1, workers)
	e := &Encoder{workers: make(chan *worker, workers), buffers: make(chan []byte, 4*workers)}
	for range workers {
		e.workers <- new(worker)
	}
	return e
}

// WriteParquet writes the table to w.
func (e *Encoder) WriteParquet(ctx context.Context, w io.Writer, rows int, cols []Column) error {
	if err := check(rows, cols); err != nil {
		return err
	}
	out := &counter{w: w}
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	leaves := flatten(cols)
	groups, err := e.writeGroups(ctx, out, rows, leaves)
	if err != nil {
		return err
	}
	return writeFooter(out, rows, cols, leaves, groups)
}

// leaf is a Leaf with its place in the schema.
type leaf struct {
	*Leaf
	path           []string
	starts         []uint32 // nil: not in a list
	maxDef, maxRep uint8
}

// flatten returns the leaves of all columns in schema order.
func flatten(cols []Column) []leaf {
	var leaves []leaf
	for i := range cols {
		c := &cols[i]
		if c.Starts == nil {
			leaves = append(leaves, leaf{Leaf: &c.Leaf, path: []string{c.Name}, maxDef: optional(&c.Leaf)})
			continue
		}
		for j := range c.Elements {
			e := &c.Elements[j]
			path := []string{c.Name, "list", "element"}
			if len(c.Elements) > 1 {
				path = append(path, e.Name)
			}
			leaves = append(leaves, leaf{e, path, c.Starts, 1 + optional(e), 1})
		}
	}
	return leaves
}

// optional returns 1 for a leaf that can be null: its definition level.
func optional(l *Leaf) uint8 {
	if l.Nulls == NoNulls {
		return 0
	}
	return 1
}

// writeGroups encodes chunk after chunk on the workers and writes them in
// order. At most twice as many chunks as workers are held.
func (e *Encoder) writeGroups(ctx context.Context, out *counter, rows int, leaves []leaf) ([]format.RowGroup, error) {
	total := (rows + GroupRows - 1) / GroupRows * len(leaves)
	pending := make(chan chan *chunk, 2*cap(e.workers))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for job := range total {
			done := make(chan *chunk, 1)
			select {
			case pending <- done:
			case <-ctx.Done():
				return ctx.Err()
			}
			w := <-e.workers
			g.Go(func() error {
				defer func() { e.workers <- w }()
				first := job / len(leaves) * GroupRows
				c := &chunk{bytes: e.buffer()}
				if err := w.encode(c, &leaves[job%len(leaves)], first, min(first+GroupRows, rows)); err != nil {
					return err
				}
				done <- c
				return nil
			})
		}
		return nil
	})
	var groups []format.RowGroup
	g.Go(func() error {
		var group format.RowGroup
		for job := range total {
			c, err := next(ctx, pending)
			if err != nil {
				return err
			}
			at := out.n
			if _, err := out.Write(c.bytes); err != nil {
				return err
			}
			e.recycle(c.bytes)
			group.Columns = append(group.Columns, c.metadata(&leaves[job%len(leaves)], at))
			if len(group.Columns) == len(leaves) {
				first := job / len(leaves) * GroupRows
				groups = append(groups, closeGroup(group, len(groups), min(GroupRows, rows-first)))
				group = format.RowGroup{}
			}
		}
		return nil
	})
	return groups, g.Wait()
}

// buffer returns an empty buffer, a used one if there is one.
func (e *Encoder) buffer() []byte {
	select {
	case b := <-e.buffers:
		return b
	default:
		return nil
	}
}

// recycle keeps a buffer for another chunk.
func (e *Encoder) recycle(b []byte) {
	select {
	case e.buffers <- b[:0]:
	default:
	}
}

// next waits for the next chunk in file order.
func next(ctx context.Context, pending <-chan chan *chunk) (*chunk, error) {
	select {
	case done := <-pending:
		select {
		case c := <-done:
			return c, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// closeGroup fills the sums of a row group.
func closeGroup(g format.RowGroup, ordinal, rows int) format.RowGroup {
	for i := range g.Columns {
		g.TotalByteSize += g.Columns[i].MetaData.TotalUncompressedSize
		g.TotalCompressedSize += g.Columns[i].MetaData.TotalCompressedSize
	}
	first := &g.Columns[0].MetaData
	g.FileOffset = first.DataPageOffset
	if first.DictionaryPageOffset > 0 {
		g.FileOffset = first.DictionaryPageOffset
	}
	g.NumRows = int64(rows)
	g.Ordinal = int16(ordinal)
	return g
}

// metadata describes the chunk, written at that offset, for the footer.
func (c *chunk) metadata(l *leaf, at int64) format.ColumnChunk {
	m := format.ColumnMetaData{
		Type:                  l.physical(),
		Encoding:              thrift.Slice[format.Encoding]{format.Plain, format.RLE},
		PathInSchema:          l.path,
		Codec:                 format.Snappy,
		NumValues:             int64(c.entries),
		TotalUncompressedSize: int64(c.plainSize),
		TotalCompressedSize:   int64(c.size),
		DataPageOffset:        at + int64(c.dictSize),
		Statistics:            format.Statistics{NullCount: int64(c.nulls), MinValue: c.min, MaxValue: c.max},
	}
	if c.dictSize > 0 {
		m.DictionaryPageOffset = at
		m.Encoding = append(m.Encoding, format.RLEDictionary)
	}
	return format.ColumnChunk{MetaData: m}
}

// writeFooter ends the file with the schema and where everything is.
func writeFooter(out *counter, rows int, cols []Column, leaves []leaf, groups []format.RowGroup) error {
	meta := format.FileMetaData{
		Version:   1,
		Schema:    schema(cols),
		NumRows:   int64(rows),
		RowGroups: groups,
		CreatedBy: createdBy,
	}
	for range leaves {
		meta.ColumnOrders = append(meta.ColumnOrders, format.ColumnOrder{Value: new(format.TypeDefinedOrder)})
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	size := len(footer)
	footer = binary.LittleEndian.AppendUint32(footer, uint32(size))
	footer = append(footer, magic...)
	_, err = out.Write(footer)
	return err
}

// schema returns the elements in depth-first order.
func schema(cols []Column) []format.SchemaElement {
	all := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(cols)))}}
	for i := range cols {
		c := &cols[i]
		if c.Starts == nil {
			all = append(all, c.element(c.Name))
			continue
		}
		all = append(all, format.SchemaElement{
			Name: c.Name, NumChildren: thrift.New(int32(1)), RepetitionType: thrift.New(format.Required),
			ConvertedType: thrift.New(deprecated.List), LogicalType: format.LogicalType{Value: new(format.ListType)},
		}, format.SchemaElement{
			Name: "list", NumChildren: thrift.New(int32(1)), RepetitionType: thrift.New(format.Repeated),
		})
		if len(c.Elements) == 1 {
			all = append(all, c.Elements[0].element("element"))
			continue
		}
		all = append(all, format.SchemaElement{
			Name: "element", NumChildren: thrift.New(int32(len(c.Elements))), RepetitionType: thrift.New(format.Required),
		})
		for j := range c.Elements {
			all = append(all, c.Elements[j].element(c.Elements[j].Name))
		}
	}
	return all
}

// element describes one leaf.
func (l *Leaf) element(name string) format.SchemaElement {
	e := format.SchemaElement{
		Name: name, Type: thrift.New(l.physical()),
		RepetitionType: thrift.New(format.FieldRepetitionType(optional(l))),
	}
	switch l.Kind {
	case Text:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = new(format.StringType)
	case Time:
		e.LogicalType.Value = &format.TimestampType{Unit: format.TimeUnit{Value: new(format.MilliSeconds)}}
	}
	return e
}

// physical returns the Parquet type that holds the kind.
func (l *Leaf) physical() format.Type {
	switch l.Kind {
	case Text:
		return format.ByteArray
	case Double:
		return format.Double
	case Bool:
		return format.Boolean
	}
	return format.Int64
}

// counter counts the bytes written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
