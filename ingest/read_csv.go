package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// CSV as it is found: RFC 4180, and beyond it any of four separators, quotes
// inside unquoted cells, all line ends (CR LF, LF, CR) in one file, blank lines
// (which are no rows), a "sep=;" line, a separator at the end of rows.
//
// A row is rejected, and reading goes on at the next line, where
//   - it has another number of cells than the header, empty cells at the end
//     beyond the header's aside;
//   - a closing quote is followed by something other than a separator or line end;
//   - a quote is never closed;
//   - it is longer than four times ReadOptions.MaxCell.

// CSVOptions say how a CSV file is written, where that is not to be found from
// its content.
type CSVOptions struct {
	Separator rune // 0: comma, semicolon, tab or bar, whichever parts the rows
}

var separators = []byte{',', ';', '\t', '|'}

// csvBlockSize is how much text is split into cells before the cells are given
// codes column by column.
const csvBlockSize = 1 << 20

// csvFile reads one CSV file.
type csvFile struct {
	t       *fileTable
	blocks  *textBlocks
	sep     byte
	columns []*rawBuilder
	rej     rejects
	dataRow int64 // number of the last data row seen
	opt     ReadOptions
}

// span is a cell: bytes start to end of a block.
type span struct{ start, end uint32 }

// readCSV reads the file into t.
func readCSV(ctx context.Context, t *fileTable, blocks *textBlocks, o CSVOptions, opt ReadOptions) error {
	f := &csvFile{t: t, blocks: blocks, rej: rejects{file: t.Path, limit: opt.KeepRejects}, opt: opt}
	if err := f.setSeparator(o.Separator); err != nil {
		return err
	}
	if err := f.readHeader(); err != nil {
		return err
	}
	if err := f.readRows(ctx); err != nil {
		return err
	}
	return t.finishColumns(f.columns, nil, &f.rej)
}

// finishColumns sets the columns, rows and rejects of a text file. kinds may be
// nil: all text.
func (t *fileTable) finishColumns(builders []*rawBuilder, kinds []Kind, rej *rejects) error {
	for i, b := range builders {
		kind := KindText
		if kinds != nil {
			kind = kinds[i]
		}
		c, repaired, err := b.finish(kind, rej, t.dataRow)
		if err != nil {
			return err
		}
		t.columns = append(t.columns, c)
		t.Repaired += repaired
	}
	t.Skipped = len(t.skipped)
	t.rejects = rej.list
	return nil
}

func (f *csvFile) setSeparator(configured rune) error {
	data := f.blocks.data
	if line, rest, ok := bytes.Cut(data, []byte("\n")); ok {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
			f.sep = line[4]
			f.blocks.data = rest
		}
	}
	switch {
	case configured >= utf8.RuneSelf, configured == '"', configured == '\n', configured == '\r':
		return fmt.Errorf("separator %q: it must be one ASCII character other than a quote or line end", configured)
	case configured != 0:
		f.sep = byte(configured)
	case f.sep == 0:
		f.sep = guessSeparator(f.blocks.data[:min(len(f.blocks.data), sniffSize)], f.blocks.eof && len(f.blocks.data) <= sniffSize)
	}
	return nil
}

// guessSeparator returns the separator under which the most rows have as many
// cells as the first one, and more than one; among equals the one with the most
// cells, then the more usual one.
func guessSeparator(head []byte, whole bool) byte {
	best, bestShare, bestCells := separators[0], 0.0, 1
	for _, sep := range separators {
		var cells []span
		first, rows, same := 0, 0, 0
		for pos := 0; pos < len(head) && rows < 200; {
			row := parseRow(head, pos, sep, whole, cells[:0])
			if row.state == rowMore {
				break
			}
			pos, cells = row.next, row.cells
			if row.state != rowGood || row.blank {
				continue
			}
			rows++
			if first == 0 {
				first = len(cells)
			}
			if len(cells) == first {
				same++
			}
		}
		if first < 2 {
			continue
		}
		share := float64(same) / float64(rows)
		if share > bestShare+0.1 || share > bestShare-0.1 && first > bestCells {
			best, bestShare, bestCells = sep, share, first
		}
	}
	return best
}

// readHeader takes the names of the columns from the first row.
func (f *csvFile) readHeader() error {
	data := f.blocks.data
	pos := 0
	for {
		row := parseRow(data, pos, f.sep, f.blocks.eof, nil)
		switch {
		case row.state == rowMore && len(data) < f.blocks.limit:
			if err := f.blocks.fill(2*len(data) + 1); err != nil {
				return err
			}
			data = f.blocks.data
			continue
		case row.state != rowGood:
			return errors.New("the header, its first row, has a quote that is not closed")
		case row.blank && row.next < len(data):
			pos = row.next
			continue
		}
		if n := len(row.cells); n > 1 && row.cells[n-1].start == row.cells[n-1].end {
			row.cells = row.cells[:n-1] // a separator at the end of the row
		}
		f.unquote(data, row.cells)
		names, err := headerNames(data, row.cells)
		if err != nil {
			return err
		}
		for _, name := range names {
			f.columns = append(f.columns, newRawBuilder(name, f.opt.MaxCell))
		}
		f.blocks.data = data[row.next:]
		return nil
	}
}

// headerNames returns the columns' names: trimmed, distinct, none empty.
func headerNames(data []byte, cells []span) ([]string, error) {
	names := make([]string, len(cells))
	seen := make(map[string]bool)
	numbers := 0
	for i, c := range cells {
		name := strings.TrimSpace(strings.ToValidUTF8(string(data[c.start:c.end]), "\uFFFD"))
		name = strings.ReplaceAll(name, "\x00", "")
		if len(name) > 1000 || strings.Contains(name, "@") {
			return nil, fmt.Errorf("the first row is not a header: its cell %d is %q; add a row with the names of the columns", i+1, shorten(name))
		}
		if name != "" && strings.Trim(name, "0123456789.,-+ ") == "" {
			numbers++
		}
		names[i] = distinctName(name, i, seen)
	}
	if numbers > 0 && 2*numbers >= len(cells) {
		return nil, fmt.Errorf("the first row is not a header: %d of its %d cells are numbers; add a row with the names of the columns", numbers, len(cells))
	}
	return names, nil
}

// distinctName returns the name of column i: "column_3" for one without name,
// "name_2" for the second of a name.
func distinctName(name string, i int, seen map[string]bool) string {
	if name == "" {
		name = fmt.Sprintf("column_%d", i+1)
	}
	base := name
	for k := 2; seen[name]; k++ {
		name = fmt.Sprintf("%s_%d", base, k)
	}
	seen[name] = true
	return name
}

// readRows reads all rows. One goroutine splits blocks into cells, another
// gives the cells codes.
func (f *csvFile) readRows(ctx context.Context) error {
	filled := make(chan *csvBlock, 1)
	empty := make(chan *csvBlock, 2)
	empty <- &csvBlock{}
	empty <- &csvBlock{}
	var g errgroup.Group
	g.Go(func() error {
		defer close(filled)
		return guard(func() error { return f.split(ctx, empty, filled) })
	})
	err := guard(func() error {
		for b := range filled {
			f.code(b)
			if factor := float64(f.t.Size) / float64(len(b.data)+1); f.t.Rows == b.rows && factor > 1.5 {
				for _, c := range f.columns { // the first block of an uncompressed file foretells the rest
					c.reserve(1.05 * factor)
				}
			}
			empty <- b
		}
		return nil
	})
	if err != nil {
		for range filled { // let the splitting goroutine end
			empty <- &csvBlock{}
		}
	}
	return errors.Join(g.Wait(), err)
}

// csvBlock is a number of rows, their cells row by row.
type csvBlock struct {
	data  []byte
	cells []span
	rows  int
}

func (f *csvFile) split(ctx context.Context, empty, filled chan *csvBlock) error {
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.blocks.fill(csvBlockSize); err != nil {
			return fmt.Errorf("after data row %d: %w", f.dataRow, err)
		}
		b := <-empty
		b.cells, b.rows = b.cells[:0], 0
		for {
			used, err := f.splitBlock(b)
			if err != nil {
				return err
			}
			if used > 0 || f.blocks.eof {
				// The block takes the buffer with it; what is left moves to the
				// buffer that the block had.
				rest := append(b.data[:0], f.blocks.data[used:]...)
				b.data, f.blocks.data = f.blocks.data[:used], rest
				break
			}
			if err := f.blocks.fill(2 * len(f.blocks.data)); err != nil {
				return fmt.Errorf("after data row %d: %w", f.dataRow, err)
			}
		}
		done = f.blocks.eof && len(f.blocks.data) == 0
		filled <- b
	}
	return nil
}

// splitBlock splits what is read into the cells of whole rows and returns how
// many bytes those take.
func (f *csvFile) splitBlock(b *csvBlock) (used int, err error) {
	data := f.blocks.data
	want := len(f.columns)
	for used < len(data) {
		before := len(b.cells)
		row := parseRow(data, used, f.sep, f.blocks.eof, b.cells)
		b.cells = row.cells
		reason := ""
		switch {
		case row.state == rowMore && len(data)-used < f.blocks.limit:
			b.cells = b.cells[:before]
			return used, nil
		case row.state == rowMore && row.quoted && row.next < len(data), row.state == rowOpenQuote:
			reason = "a quote in this row is never closed"
		case row.state == rowMore:
			b.cells = b.cells[:before]
			return used, f.skipLine(used)
		case row.state == rowBadQuote:
			reason = "text after a closing quote"
		case row.blank:
			b.cells = b.cells[:before]
			used = row.next
			continue
		}
		if reason == "" {
			cells := row.cells[before:]
			f.unquote(data, cells)
			reason = ragged(len(cells), want, cells)
		}
		if reason != "" {
			b.cells = b.cells[:before]
			f.reject(reason, data[used:row.next])
			used = row.next
			continue
		}
		f.dataRow++
		b.rows++
		b.cells = b.cells[:before+want]
		used = row.next
	}
	return used, nil
}

// skipLine rejects the line at data[used:], which is longer than a row may be.
func (f *csvFile) skipLine(used int) error {
	data := f.blocks.data
	f.reject(fmt.Sprintf("the row is longer than %d bytes", f.blocks.limit), data[used:])
	f.blocks.data = data[used:]
	err := f.blocks.skipLine()
	// The cells found so far stay where they are, data[:used].
	f.blocks.data = append(data[:used:used], f.blocks.data...)
	return err
}

// ragged says what is wrong with a row's number of cells, "" if nothing.
func ragged(n, want int, cells []span) string {
	if n < want {
		return fmt.Sprintf("%d cells, the header has %d", n, want)
	}
	for _, c := range cells[want:] {
		if c.start != c.end {
			return fmt.Sprintf("%d cells, the header has %d", n, want)
		}
	}
	return ""
}

func (f *csvFile) reject(reason string, row []byte) {
	f.dataRow++
	f.t.skipped = append(f.t.skipped, f.dataRow)
	line, _, _ := bytes.Cut(row[:min(len(row), 4*maxRejectValue)], []byte("\n"))
	f.rej.add(f.dataRow, "", reason, strings.ToValidUTF8(strings.TrimSuffix(string(line), "\r"), "\uFFFD"))
}

// code gives the cells of a block their codes, column by column.
func (f *csvFile) code(b *csvBlock) {
	width := len(f.columns)
	for k, col := range f.columns {
		codes := col.codes
		for i := k; i < b.rows*width; i += width {
			codes = append(codes, col.code(b.data[b.cells[i].start:b.cells[i].end]))
		}
		col.codes = codes
	}
	f.t.Rows += b.rows
}
