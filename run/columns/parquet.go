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

// WriteParquet writes the table to w, encoding on that many workers; the bytes
// do not depend on their number.
func WriteParquet(ctx context.Context, w io.Writer, rows int, cols []Column, workers int) error {
	if err := check(rows, cols); err != nil {
		return err
	}
	out := &counter{w: w}
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	leaves := flatten(cols)
	groups, err := writeGroups(ctx, out, rows, leaves, max(1, workers))
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
func writeGroups(ctx context.Context, out *counter, rows int, leaves []leaf, workers int) ([]format.RowGroup, error) {
	total := (rows + GroupRows - 1) / GroupRows * len(leaves)
	pending := make(chan chan *chunk, 2*workers)
	spare := make(chan *encoder, workers)
	for range workers {
		spare <- new(encoder)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(pending)
		for job := range total {
			done := make(chan *chunk, 1)
			select {
			case pending <- done:
			case <-ctx.Done():
				return ctx.Err()
			}
			first := job / len(leaves) * GroupRows
			last := min(first+GroupRows, rows)
			e := <-spare
			g.Go(func() error {
				defer func() { spare <- e }()
				c, err := e.encode(&leaves[job%len(leaves)], first, last)
				if err != nil {
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
		for job := 0; job < total; job++ {
			c, err := next(ctx, pending)
			if err != nil {
				return err
			}
			at := out.n
			if _, err := out.Write(c.bytes); err != nil {
				return err
			}
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
		TotalCompressedSize:   int64(len(c.bytes)),
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
