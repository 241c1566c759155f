package extract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"sama/run/columns"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"
)

// Format is a kind of file.
type Format string

// The formats, by what the names of their files end in.
const (
	Parquet Format = ".parquet"
	CSV     Format = ".csv"
	CSVGzip Format = ".csv.gz"
	Arrow   Format = ".arrow" // Arrow IPC file
)

// FormatOf returns the format that the name of a file asks for. The error is a
// [*RefusedError] if there is none.
func FormatOf(path string) (Format, error) {
	name := strings.ToLower(filepath.Base(path))
	for _, f := range [...]Format{Parquet, CSVGzip, CSV, Arrow} {
		if strings.HasSuffix(name, string(f)) {
			return f, nil
		}
	}
	return "", refused("%s: want a name that ends in %s, %s, %s or %s", path, Parquet, CSV, CSVGzip, Arrow)
}

// write writes the file.
func (t *table) write(ctx context.Context, w io.Writer, f Format) error {
	switch f {
	case CSV:
		return t.writeCSV(ctx, w)
	case CSVGzip:
		zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := t.writeCSV(ctx, zip); err != nil {
			return err
		}
		return zip.Close()
	}
	cols := []columns.Column{{Leaf: columns.Leaf{Name: identityColumn, Kind: columns.Text, Texts: idTexts{t}, Sorted: true}}}
	for k, name := range t.Columns()[1:] {
		cols = append(cols, columns.Column{Leaf: columns.Leaf{
			Name: name, Kind: columns.Text, Codes: t.cells[k], Nulls: columns.ZeroIsNull, Texts: valueTexts{t, t.columns[k]},
		}})
	}
	if f == Arrow {
		return columns.WriteArrow(ctx, w, len(t.rows), cols)
	}
	return columns.NewEncoder(t.Workers).WriteParquet(ctx, w, len(t.rows), cols)
}

// idTexts are the ids by row.
type idTexts struct{ *table }

// Len implements [columns.Texts].
func (t idTexts) Len() int { return len(t.rows) }

// At implements [columns.Texts].
func (t idTexts) At(row uint32) string { return t.id(t.rows[row]) }

// valueTexts are the values of a column by their references.
type valueTexts struct {
	*table
	column int
}

// Len implements [columns.Texts].
func (t valueTexts) Len() int { return int(t.firstOnline()) + len(t.values) }

// At implements [columns.Texts].
func (t valueTexts) At(ref uint32) string { return valid(t.value(t.column, ref)) }

// valid returns a text with bytes that are not UTF-8 replaced by U+FFFD: readers
// refuse a whole file for one that is not.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// csvRows is how many rows of CSV are made at a time.
const csvRows = 1 << 13

// writeCSV writes the rows as RFC 4180 has it, but for lines that end in LF.
// Parts are made on several workers and written in their order.
func (t *table) writeCSV(ctx context.Context, w io.Writer) error {
	var header bytes.Buffer
	for k, name := range t.Columns() {
		appendField(&header, k, name)
	}
	header.WriteByte('\n')
	if _, err := w.Write(header.Bytes()); err != nil {
		return err
	}
	parts := (len(t.rows) + csvRows - 1) / csvRows
	made := make([]chan *bytes.Buffer, parts)
	for i := range made {
		made[i] = make(chan *bytes.Buffer, 1)
	}
	// A buffer that has been written is made use of again, and no more are made
	// than there are here.
	free := make(chan *bytes.Buffer, 2*t.Workers)
	for range cap(free) {
		free <- new(bytes.Buffer)
	}
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range t.Workers {
		g.Go(func() error {
			for {
				var b *bytes.Buffer
				select {
				case b = <-free:
				case <-ctx.Done():
					return ctx.Err()
				}
				i := int(next.Add(1) - 1)
				if i >= parts {
					free <- b
					return nil
				}
				b.Reset()
				t.appendRows(b, i*csvRows, min((i+1)*csvRows, len(t.rows)))
				made[i] <- b
			}
		})
	}
	g.Go(func() error {
		for i := range made {
			select {
			case b := <-made[i]:
				if _, err := w.Write(b.Bytes()); err != nil {
					return fmt.Errorf("writing: %w", err)
				}
				free <- b
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

// appendRows appends rows from one to before another.
func (t *table) appendRows(b *bytes.Buffer, from, to int) {
	for row := from; row < to; row++ {
		appendField(b, 0, t.id(t.rows[row]))
		for k, c := range t.columns {
			text := ""
			if ref := t.cells[k][row]; ref != 0 {
				text = valid(t.value(c, ref))
			}
			appendField(b, k+1, text)
		}
		b.WriteByte('\n')
	}
}

// appendField appends a field of a row, quoted where it has to be.
func appendField(b *bytes.Buffer, place int, text string) {
	if place > 0 {
		b.WriteByte(',')
	}
	if !quoted(text) {
		b.WriteString(text)
		return
	}
	b.WriteByte('"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			break
		}
		b.WriteString(text[:i+1])
		b.WriteByte('"')
		text = text[i+1:]
	}
	b.WriteString(text)
	b.WriteByte('"')
}

// quoted reports whether a field has to be quoted: for a comma, a quote or the
// end of a line, and for spaces at an end, which some readers cut.
func quoted(text string) bool {
	if text == "" {
		return false
	}
	if text[0] == ' ' || text[len(text)-1] == ' ' {
		return true
	}
	for i := range len(text) {
		switch text[i] {
		case ',', '"', '\n', '\r':
			return true
		}
	}
	return false
}
