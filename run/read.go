package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"sama/record"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"
)

// textColumn is one column of strings as read: entry → code → text. Code 0 is
// null and ""; entries of lists stand one behind the other.
type textColumn struct {
	codes []uint32
	texts []string
}

// text reads a column of strings; name is a path such as
// records.list.element.record_id. It is for columns with few distinct values,
// which are looked up once per row group.
func (r *Run) text(file, name string) (*textColumn, error) {
	c := &textColumn{texts: []string{""}}
	pieces, err := r.textPieces(file, name)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, p := range pieces {
		total += p.entries()
	}
	c.codes = make([]uint32, 0, total)
	known := map[string]uint32{"": 0}
	var codeOf []uint32
	for _, p := range pieces {
		codeOf = slices.Grow(codeOf[:0], p.values())[:p.values()]
		for v := range codeOf {
			b := p.texts.at(uint32(v))
			code, ok := known[string(b)]
			if !ok {
				s := string(b)
				code = uint32(len(c.texts))
				known[s] = code
				c.texts = append(c.texts, s)
			}
			codeOf[v] = code
		}
		for i := range p.entries() {
			code := p.code(i)
			if code != noValue {
				code = codeOf[code]
			} else {
				code = 0
			}
			c.codes = append(c.codes, code)
		}
	}
	return c, nil
}

// strings reads a column of strings entry by entry, null as "": for columns
// whose values are nearly all different.
func (r *Run) strings(file, name string) (record.Strings, error) {
	pieces, err := r.textPieces(file, name)
	if err != nil {
		return record.Strings{}, err
	}
	all, err := stringsOf(pieces)
	if err != nil {
		return all, fmt.Errorf("%s: column %s: %w", file, name, err)
	}
	return all, nil
}

// stringsOf lists the texts of the entries.
func stringsOf(pieces []*piece) (record.Strings, error) {
	entries, size := 0, 0
	for _, p := range pieces {
		entries += p.entries()
		for i := range p.entries() {
			size += len(p.text(i))
		}
	}
	var b record.StringsBuilder
	b.Grow(entries, size)
	for _, p := range pieces {
		for i := range p.entries() {
			if _, err := b.Append(string(p.text(i))); err != nil {
				return record.Strings{}, err
			}
		}
	}
	return b.Build(), nil
}

// numbers reads a column of integers or booleans, 0 for null.
func (r *Run) numbers(file, name string) ([]int64, error) {
	pieces, err := r.pieces(file, name)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, p := range pieces {
		if p.texts.len() > 0 {
			return nil, fmt.Errorf("%s: column %s holds text, where numbers belong", file, name)
		}
		all = slices.Grow(all, p.entries())
		for i := range p.entries() {
			n := int64(0)
			if code := p.code(i); code != noValue {
				n = int64(p.words[code])
			}
			all = append(all, n)
		}
	}
	return all, nil
}

// textPieces reads one column of text, a piece a row group.
func (r *Run) textPieces(file, name string) ([]*piece, error) {
	pieces, err := r.pieces(file, name)
	for _, p := range pieces {
		if err == nil && len(p.words) > 0 {
			err = fmt.Errorf("%s: column %s holds numbers, where text belongs", file, name)
		}
	}
	return pieces, err
}

// pieces reads one column, a piece a row group.
func (r *Run) pieces(file, name string) ([]*piece, error) {
	var parts groupList[*piece]
	err := r.groups(file, []string{name}, func(g group) error {
		parts.set(g.number, g.columns[0])
		return nil
	})
	return parts.all, err
}

// group is one row group of a table with some of its columns.
type group struct {
	number  int
	first   int // its first row in the file
	rows    int
	columns []*piece // in the order asked for
}

// groups reads some columns of a table and calls visit for every row group, of
// several at a time. Of several errors it returns that of the first row group.
// A damaged file is an error, never a panic.
func (r *Run) groups(file string, names []string, visit func(group) error) error {
	t, err := r.table(file)
	if err != nil {
		return err
	}
	defer t.close()
	leaves := make([]parquet.LeafColumn, len(names))
	for i, name := range names {
		leaf, ok := t.leaf(name)
		if !ok {
			return fmt.Errorf("%s: no column %s", file, name)
		}
		leaves[i] = leaf
	}
	errs := make([]error, len(t.meta.RowGroups))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	first := 0
	for n := range t.meta.RowGroups {
		g := group{number: n, first: first, rows: int(t.meta.RowGroups[n].NumRows), columns: make([]*piece, len(names))}
		first += g.rows
		work.Go(func() error {
			defer func() {
				if p := recover(); p != nil { // a column of another type than it should be
					errs[n] = fmt.Errorf("%s: damaged: %v", file, p)
				}
			}()
			for i, leaf := range leaves {
				var err error
				if g.columns[i], err = t.piece(n, leaf); err != nil {
					errs[n] = fmt.Errorf("%s: damaged at column %s: %w", file, names[i], err)
					return nil
				}
			}
			errs[n] = visit(g)
			return nil
		})
	}
	work.Wait()
	return cmp.Or(errs...)
}

// openTable is an opened Parquet file of the run.
type openTable struct {
	file   *os.File
	size   int64
	meta   *format.FileMetaData
	schema *parquet.Schema
}

// table opens one of the run's Parquet files.
func (r *Run) table(file string) (t *openTable, err error) {
	f, err := os.Open(r.File(file))
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged footer: %v", p)
		}
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", file, err), f.Close())
		}
	}()
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := parquet.OpenFile(f, stat.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	t = &openTable{file: f, size: stat.Size(), meta: p.Metadata(), schema: p.Schema()}
	return t, t.check()
}

// check verifies that the row groups make up the table.
func (t *openTable) check() error {
	rows := int64(0)
	for i := range t.meta.RowGroups {
		n := t.meta.RowGroups[i].NumRows
		if n < 0 || n > 1<<31 {
			return fmt.Errorf("damaged footer: row group %d has %d rows", i, n)
		}
		rows += n
	}
	if rows != t.meta.NumRows || rows >= int64(NoRecord) {
		return fmt.Errorf("damaged footer: %d rows in row groups of %d rows", t.meta.NumRows, rows)
	}
	return nil
}

func (t *openTable) close() error { return t.file.Close() }

// rows returns the number of rows that the footer says.
func (t *openTable) rows() int64 { return t.meta.NumRows }

// leaf finds a column by its path.
func (t *openTable) leaf(name string) (parquet.LeafColumn, bool) {
	return t.schema.Lookup(strings.Split(name, ".")...)
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// piece reads a column of one row group.
func (t *openTable) piece(rowGroup int, leaf parquet.LeafColumn) (p *piece, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	rg := &t.meta.RowGroups[rowGroup]
	if leaf.ColumnIndex >= len(rg.Columns) {
		return nil, errors.New("the row group has fewer columns than the schema")
	}
	meta := &rg.Columns[leaf.ColumnIndex].MetaData
	start, size := meta.DataPageOffset, meta.TotalCompressedSize
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	inList := leaf.MaxRepetitionLevel > 0
	switch {
	case start < 4 || size < 0 || start > t.size || size > t.size-start:
		return nil, fmt.Errorf("bytes %d to %d lie outside the file", start, start+size)
	case meta.Codec != format.Snappy:
		return nil, fmt.Errorf("compression %v is not the one that sama writes", meta.Codec)
	case meta.NumValues < rg.NumRows || !inList && meta.NumValues > rg.NumRows || meta.NumValues >= int64(NoRecord):
		return nil, fmt.Errorf("%d values for %d rows", meta.NumValues, rg.NumRows)
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.raw = slices.Grow(d.raw[:0], int(size))[:size]
	if n, err := t.file.ReadAt(d.raw, start); n != len(d.raw) {
		return nil, cmp.Or(err, io.ErrUnexpectedEOF)
	}
	return d.decode(d.raw, chunkOf{
		rows: int(rg.NumRows), values: int(meta.NumValues), kind: meta.Type,
		maxRep: uint8(leaf.MaxRepetitionLevel), maxDef: uint8(leaf.MaxDefinitionLevel),
	})
}
