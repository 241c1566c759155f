package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sama/record"

	"github.com/parquet-go/parquet-go"
)

// textColumn is one column of strings as read: entry → code → text. Code 0 is
// null and ""; entries of lists stand one behind the other.
type textColumn struct {
	codes []uint32
	texts []string
}

// text reads a column of strings; name is a path such as records.list.element.record_id.
func (r *Run) text(file, name string) (*textColumn, error) {
	c := &textColumn{texts: []string{""}}
	known := map[string]uint32{"": 0}
	err := r.column(file, name, func(v parquet.Value) {
		if v.IsNull() {
			c.codes = append(c.codes, 0)
			return
		}
		b := v.ByteArray()
		code, ok := known[string(b)]
		if !ok {
			s := string(b)
			code = uint32(len(c.texts))
			known[s] = code
			c.texts = append(c.texts, s)
		}
		c.codes = append(c.codes, code)
	})
	return c, err
}

// numbers reads a column of integers or doubles, 0 for null.
func (r *Run) numbers(file, name string) ([]float64, error) {
	var all []float64
	err := r.column(file, name, func(v parquet.Value) {
		switch {
		case v.IsNull():
			all = append(all, 0)
		case v.Kind() == parquet.Double:
			all = append(all, v.Double())
		default:
			all = append(all, float64(v.Int64()))
		}
	})
	return all, err
}

// list returns the texts entry by entry.
func (c *textColumn) list() (record.Strings, error) {
	var b record.StringsBuilder
	for _, code := range c.codes {
		if _, err := b.Append(c.texts[code]); err != nil {
			return record.Strings{}, err
		}
	}
	return b.Build(), nil
}

// in returns for every entry the row of other that holds the same text.
func (c *textColumn) in(other *textColumn, what, file string) ([]uint32, error) {
	row := make(map[string]uint32, len(other.codes))
	for i, code := range other.codes {
		row[other.texts[code]] = uint32(i)
	}
	byCode := make([]uint32, len(c.texts))
	for code, text := range c.texts {
		byCode[code] = NoRecord
		if i, ok := row[text]; ok {
			byCode[code] = i
		}
	}
	out := make([]uint32, len(c.codes))
	for i, code := range c.codes {
		if out[i] = byCode[code]; out[i] == NoRecord {
			return nil, fmt.Errorf("row %d: %s %q is not in %s", i+1, what, c.texts[code], file)
		}
	}
	return out, nil
}

// column calls visit for every value of a column in file order; the value's
// bytes are valid during the call only. Empty lists are left out. A damaged
// file is an error, never a panic.
func (r *Run) column(file, name string, visit func(parquet.Value)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: damaged at column %s: %v", file, name, p)
		}
	}()
	f, closeFile, err := r.open(file)
	if err != nil {
		return err
	}
	defer closeFile()
	leaf, ok := f.Schema().Lookup(strings.Split(name, ".")...)
	if !ok {
		return fmt.Errorf("%s: no column %s", file, name)
	}
	buf := make([]parquet.Value, 1024)
	for _, g := range f.RowGroups() {
		pages := g.ColumnChunks()[leaf.ColumnIndex].Pages()
		err := visitPages(pages, leaf, buf, visit)
		if err := errors.Join(err, pages.Close()); err != nil {
			return fmt.Errorf("%s: column %s: %w", file, name, err)
		}
	}
	return nil
}

// visitPages calls visit for every value of the pages.
func visitPages(pages parquet.Pages, leaf parquet.LeafColumn, buf []parquet.Value, visit func(parquet.Value)) error {
	inList := leaf.MaxRepetitionLevel > 0
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for values := page.Values(); ; {
			n, err := values.ReadValues(buf)
			for _, v := range buf[:n] {
				if !inList || v.DefinitionLevel() > 0 {
					visit(v)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

// open opens one of the run's Parquet files.
func (r *Run) open(file string) (*parquet.File, func() error, error) {
	f, err := os.Open(r.File(file))
	if err != nil {
		return nil, nil, err
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	p, err := parquet.OpenFile(f, stat.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", file, err), f.Close())
	}
	return p, f.Close, nil
}
