package ingest

import "bytes"

// rowState is what parseRow found.
type rowState uint8

const (
	rowGood      rowState = iota
	rowMore               // the row goes on beyond the data
	rowOpenQuote          // a quote is not closed before the end of the text
	rowBadQuote           // a closing quote is followed by text
)

// csvRow is a row of text.
type csvRow struct {
	cells  []span // appended to those given
	next   int    // where the next row begins; after a bad row, the next line
	state  rowState
	blank  bool // the line is empty
	quoted bool // rowMore: within quotes
}

// quotedBit marks the start of a cell that holds doubled quotes. Blocks are
// shorter than 2 GiB.
const quotedBit = 1 << 31

// parseRow splits the row that begins at data[pos]. whole says that nothing
// follows data. It appends the cells without their quotes.
func parseRow(data []byte, pos int, sep byte, whole bool, cells []span) csvRow {
	start := pos
	for {
		if pos < len(data) && data[pos] == '"' {
			end, doubled, closed := quotedCell(data, pos+1)
			if !closed || end+1 == len(data) && !whole {
				if !whole {
					return csvRow{cells: cells, next: nextLine(data, start), state: rowMore, quoted: !closed}
				}
				if !closed {
					return csvRow{cells: cells, next: nextLine(data, start), state: rowOpenQuote}
				}
			}
			cell := span{uint32(pos + 1), uint32(end)}
			if doubled {
				cell.start |= quotedBit
			}
			cells = append(cells, cell)
			pos = end + 1
			if pos < len(data) && data[pos] != sep && data[pos] != '\n' && data[pos] != '\r' {
				return csvRow{cells: cells, next: nextLine(data, start), state: rowBadQuote}
			}
		} else {
			from := pos
			for pos < len(data) && data[pos] != sep && data[pos] != '\n' && data[pos] != '\r' {
				pos++
			}
			cells = append(cells, span{uint32(from), uint32(pos)})
		}
		if pos < len(data) && data[pos] == sep {
			pos++
			continue
		}
		blank := pos == start
		next, ok := lineEnd(data, pos, whole)
		if !ok {
			return csvRow{cells: cells, next: len(data), state: rowMore}
		}
		return csvRow{cells: cells, next: next, blank: blank}
	}
}

// lineEnd returns where the line after the end at data[pos] begins; not ok if
// more data are needed to say.
func lineEnd(data []byte, pos int, whole bool) (next int, ok bool) {
	switch {
	case pos == len(data):
		return pos, whole
	case data[pos] == '\n':
		return pos + 1, true
	case pos+1 == len(data): // CR: is it CR LF?
		return pos + 1, whole
	case data[pos+1] == '\n':
		return pos + 2, true
	}
	return pos + 1, true
}

// quotedCell returns where the closing quote of a quoted cell stands.
func quotedCell(data []byte, pos int) (end int, doubled, closed bool) {
	for {
		i := bytes.IndexByte(data[pos:], '"')
		if i < 0 {
			return len(data), doubled, false
		}
		pos += i
		if pos+1 == len(data) || data[pos+1] != '"' {
			return pos, doubled, true
		}
		doubled = true
		pos += 2
	}
}

// nextLine returns where the line after the one at pos begins, whatever its
// quotes.
func nextLine(data []byte, pos int) int {
	for ; pos < len(data); pos++ {
		if data[pos] == '\n' || data[pos] == '\r' {
			next, _ := lineEnd(data, pos, true)
			return next
		}
	}
	return len(data)
}

// unquote makes one quote of each doubled one, in place.
func (f *csvFile) unquote(data []byte, cells []span) {
	for i, c := range cells {
		if c.start&quotedBit == 0 {
			continue
		}
		c.start &^= quotedBit
		out := c.start
		for k := c.start; k < c.end; k++ {
			data[out] = data[k]
			out++
			if data[k] == '"' {
				k++
			}
		}
		c.end = out
		cells[i] = c
	}
}
