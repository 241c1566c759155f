package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Parquet files are read column chunk by column chunk into codes and texts.
//
//	footer ─parquetSchema→ columns, each one leaf of the schema
//	column chunk ─readPageHeader→ pages
//	dictionary page → a code for each entry, once
//	data page → levels, and either dictionary indexes or values → codes
//
// The footer's structures and their thrift decoding are parquet-go's. Pages are
// decoded here and not through its Page interface, because a page there hands
// out as many values as its header says even where the encoded data hold
// fewer: the rest is what the recycled buffer held before. Here fewer values
// are an error; so is every count that does not agree with the footer.
//
// Nothing is allocated on a corrupt file's word: lengths are first held
// against the bytes that are there, see limits in parquetChunk.

// parquetFile is an open Parquet file.
type parquetFile struct {
	path    string
	r       io.ReaderAt
	size    int64
	meta    format.FileMetaData
	columns []parquetColumn
}

// parquetColumn is a top-level column that can be read.
type parquetColumn struct {
	name string
	path string // of the leaf, as column chunks name it
	leaf int    // number of the leaf: the column chunk in a row group
	typ  leafType
	list bool

	maxDef, maxRep int
}

// maxRows is the number of records a file can have.
const maxRows = math.MaxInt32

var errNotParquet = errors.New("not a Parquet file")

// openParquet reads the footer. Columns that cannot be read are rejected.
func openParquet(path string, r io.ReaderAt, size int64, rej *rejects) (*parquetFile, error) {
	f := &parquetFile{path: path, r: r, size: size}
	var tail [8]byte
	if size < 12 {
		return nil, fmt.Errorf("%w: only %d bytes; the file is cut short", errNotParquet, size)
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	switch string(tail[4:]) {
	case "PAR1":
	case "PARE":
		return nil, errors.New("the footer is encrypted; write the file without encryption")
	default:
		return nil, errors.New("corrupt: it begins as a Parquet file but does not end as one; it is cut short or still being written")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return nil, fmt.Errorf("corrupt footer: %d bytes long in a file of %d", length, size)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-8-length); err != nil {
		return nil, err
	}
	check := compact{data: footer}
	if check.skip(thriftStruct, 0); check.bad {
		return nil, errors.New("corrupt footer: its " + errThrift.Error())
	}
	var protocol thrift.CompactProtocol
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(footer)).Decode(&f.meta); err != nil {
		return nil, fmt.Errorf("corrupt footer: %w", err)
	}
	if err := f.checkRows(); err != nil {
		return nil, fmt.Errorf("corrupt footer: %w", err)
	}
	if err := f.readSchema(rej); err != nil {
		return nil, fmt.Errorf("corrupt footer: %w", err)
	}
	return f, nil
}

// checkRows verifies that the row groups add up to the rows of the file.
func (f *parquetFile) checkRows() error {
	var sum int64
	for i := range f.meta.RowGroups {
		n := f.meta.RowGroups[i].NumRows
		if n < 0 || n > maxRows {
			return fmt.Errorf("row group %d has %d rows", i, n)
		}
		sum += n
	}
	if sum != f.meta.NumRows {
		return fmt.Errorf("the row groups have %d rows, the file %d", sum, f.meta.NumRows)
	}
	if sum > maxRows {
		return fmt.Errorf("%d rows; a file can have %d, split it", sum, maxRows)
	}
	return nil
}

// readSchema finds the columns. The schema is a tree written depth first.
func (f *parquetFile) readSchema(rej *rejects) error {
	w := schemaWalk{elements: f.meta.Schema}
	if len(w.elements) == 0 {
		return errors.New("no schema")
	}
	children := int(w.elements[0].NumChildren.V)
	w.next = 1
	for range children {
		w.leaves = w.leaves[:0]
		top := w.next
		if err := w.walk(schemaNode{}); err != nil {
			return err
		}
		name := w.elements[top].Name
		if c, err := columnOf(&w.elements[top], w.leaves); err != nil {
			rej.add(0, name, "the column holds "+err.Error()+"; it is not read", "")
		} else {
			f.columns = append(f.columns, c)
		}
	}
	if w.next != len(w.elements) {
		return errors.New("the schema does not hang together")
	}
	for i := range f.meta.RowGroups {
		if n := len(f.meta.RowGroups[i].Columns); n != w.leafCount {
			return fmt.Errorf("row group %d has %d columns, the schema %d", i, n, w.leafCount)
		}
	}
	return nil
}

// schemaNode is a place in the schema tree.
type schemaNode struct {
	path     []string
	def, rep int
	depth    int
	element  *format.SchemaElement
	leaf     int
}

// schemaWalk collects the leaves under a schema element.
type schemaWalk struct {
	elements  []format.SchemaElement
	next      int
	leafCount int
	leaves    []schemaNode
}

func (w *schemaWalk) walk(parent schemaNode) error {
	if w.next >= len(w.elements) || parent.depth > maxThriftDepth {
		return errors.New("the schema does not hang together")
	}
	e := &w.elements[w.next]
	w.next++
	n := schemaNode{
		path: append(parent.path[:len(parent.path):len(parent.path)], e.Name),
		def:  parent.def, rep: parent.rep, depth: parent.depth + 1, element: e,
	}
	switch e.RepetitionType.V {
	case format.Required:
	case format.Optional:
		n.def++
	case format.Repeated:
		n.def++
		n.rep++
	default:
		return fmt.Errorf("column %s has repetition type %d", e.Name, e.RepetitionType.V)
	}
	if e.Type.Valid {
		n.leaf = w.leafCount
		w.leafCount++
		w.leaves = append(w.leaves, n)
		return nil
	}
	for range e.NumChildren.V {
		if err := w.walk(n); err != nil {
			return err
		}
	}
	return nil
}

// columnOf returns the column that a top-level element is: one value a record,
// or a list of them. The error says what else it holds.
//
//	leaf                                       one value
//	repeated leaf                              list
//	group (LIST) { repeated group { leaf } }   list
//	group (LIST) { repeated leaf }             list, older form
func columnOf(top *format.SchemaElement, leaves []schemaNode) (parquetColumn, error) {
	switch {
	case isMap(top):
		return parquetColumn{}, errors.New("a map")
	case len(leaves) == 0:
		return parquetColumn{}, errors.New("a structure without fields")
	case len(leaves) > 1:
		return parquetColumn{}, errors.New("a structure")
	}
	leaf := leaves[0]
	switch {
	case leaf.rep > 1:
		return parquetColumn{}, errors.New("lists of lists")
	case leaf.depth > 3, leaf.rep == 0 && leaf.depth > 1, leaf.depth == 3 && !isList(top):
		return parquetColumn{}, errors.New("a structure")
	}
	typ, err := leafTypeOf(leaf.element)
	if err != nil {
		return parquetColumn{}, err
	}
	return parquetColumn{
		name: top.Name, path: strings.Join(leaf.path, "."), leaf: leaf.leaf, typ: typ,
		list: leaf.rep == 1, maxDef: leaf.def, maxRep: leaf.rep,
	}, nil
}

func isMap(e *format.SchemaElement) bool {
	_, ok := e.LogicalType.Value.(*format.MapType)
	return ok || e.ConvertedType.Valid && (e.ConvertedType.V == deprecated.Map || e.ConvertedType.V == deprecated.MapKeyValue)
}

func isList(e *format.SchemaElement) bool {
	_, ok := e.LogicalType.Value.(*format.ListType)
	return ok || e.ConvertedType.Valid && e.ConvertedType.V == deprecated.List
}

// readColumn reads column c of all row groups.
func (f *parquetFile) readColumn(ctx context.Context, c *parquetColumn, maxCell int, rej *rejects) (RawColumn, int, error) {
	b := newRawBuilder(c.name, maxCell)
	b.list = c.list
	b.codes = make([]uint32, 0, min(f.meta.NumRows, max(1<<20, 8*f.size)))
	chunk := parquetChunk{file: f, column: c, out: b}
	defer chunk.codec.close()
	for g := range f.meta.RowGroups {
		if err := ctx.Err(); err != nil {
			return RawColumn{}, 0, err
		}
		if f.meta.RowGroups[g].NumRows == 0 {
			continue
		}
		if err := chunk.read(&f.meta.RowGroups[g]); err != nil {
			return RawColumn{}, 0, fmt.Errorf("corrupt at column %s, row group %d: %w", c.name, g, err)
		}
	}
	if int64(len(b.codes)) != f.meta.NumRows {
		return RawColumn{}, 0, fmt.Errorf("corrupt at column %s: %d rows, the footer says %d", c.name, len(b.codes), f.meta.NumRows)
	}
	return b.finish(c.typ.kind, rej, func(row int) int64 { return int64(row) + 1 })
}
