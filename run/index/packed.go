package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// rows is a table of numbers row by row, each number in the fewest bits that its
// column needs, each row in whole bytes: what belongs to one record stands in
// one or two cache lines. Its two sections are name.bits, the bits of each
// column, and name.rows, with slack behind the last row so that any number can
// be loaded as eight bytes. The first column stands in the lowest bits of the
// first byte.
type rows struct {
	data   []byte
	stride int
}

// field is where a column stands in a row.
type field struct {
	at    int // byte
	shift uint8
	mask  uint64
}

const (
	rowsSuffix = ".rows"
	bitsSuffix = ".bits"
	slack      = 8
	maxBits    = 57 // what a load at a byte reaches, wherever in the byte it begins
)

// get returns a number of row i.
func (t *rows) get(f field, i uint32) uint64 {
	return binary.LittleEndian.Uint64(t.data[int(i)*t.stride+f.at:]) >> f.shift & f.mask
}

// fieldsOf returns where the columns stand, and the bytes of a row.
func fieldsOf(widths []uint8) (fields []field, stride int) {
	at := 0
	for _, w := range widths {
		fields = append(fields, field{at / 8, uint8(at % 8), 1<<w - 1})
		at += int(w)
	}
	return fields, (at + 7) / 8
}

// rows returns a table of n rows, and its columns.
func (f *File) rows(name string, n, columns int) (t rows, fields []field, err error) {
	widths, err := f.Uint8(name + bitsSuffix)
	if err != nil {
		return t, nil, err
	}
	if t.data, err = f.Uint8(name + rowsSuffix); err != nil {
		return t, nil, err
	}
	if len(widths) != columns {
		return t, nil, fmt.Errorf("%s: section %s: %d columns, want %d", f.name, name+bitsSuffix, len(widths), columns)
	}
	for i, w := range widths {
		if w > maxBits {
			return t, nil, fmt.Errorf("%s: section %s: column %d has %d bits", f.name, name+bitsSuffix, i, w)
		}
	}
	fields, t.stride = fieldsOf(widths)
	if len(t.data) != n*t.stride+slack {
		return t, nil, fmt.Errorf("%s: section %s: %d bytes for %d rows of %d", f.name, name+rowsSuffix, len(t.data), n, t.stride)
	}
	return t, fields, nil
}

// packer writes a rows table.
type packer struct {
	widths []uint8
	fill   []fill
}

// fill puts rows from to to−1 of one column into a block that begins with row
// from.
type fill func(b block, from, to int)

// block is where a column stands in some rows.
type block struct {
	data   []byte
	stride int
	field
}

// put sets a number, of which no bit may be set yet.
func (b block) put(row int, v uint64) {
	p := b.data[row*b.stride+b.at:]
	binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)|v<<b.shift)
}

// add appends a column whose numbers are at most most.
func (p *packer) add(most uint64, f fill) {
	p.widths = append(p.widths, uint8(bits.Len64(most)))
	p.fill = append(p.fill, f)
}

// codes appends a column of codes; nil is a column of zeros.
func (p *packer) codes(codes []uint32) {
	most := uint32(0)
	for _, c := range codes {
		most = max(most, c)
	}
	p.add(uint64(most), func(b block, from, to int) {
		for i, c := range codes[from:to] {
			b.put(i, uint64(c))
		}
	})
}

// times appends a column of Unix seconds, 0 where none is known and nil where
// nothing is, and returns the base that they are counted from: 0 stands for
// none, n for base+n−1. Times too far apart to count are an error of the writer.
func (p *packer) times(w *Writer, times []int64) (base int64) {
	first, last := int64(0), int64(0)
	for _, t := range times {
		if t == 0 {
			continue
		}
		if first == 0 {
			first, last = t, t
		}
		first, last = min(first, t), max(last, t)
	}
	most := uint64(0)
	if first != 0 {
		most = uint64(last) - uint64(first) + 1
	}
	if most == 0 && first != 0 || most >= 1<<maxBits {
		w.fail(fmt.Errorf("times from %d to %d seconds are too far apart", first, last))
		most = 0
	}
	p.add(most, func(b block, from, to int) {
		for i, t := range times[from:to] {
			if t != 0 {
				b.put(i, uint64(t)-uint64(first)+1)
			}
		}
	})
	return first
}

// time returns a number that packer.times wrote.
func (t *rows) time(f field, base int64, i uint32) int64 {
	n := t.get(f, i)
	if n == 0 {
		return 0
	}
	return base + int64(n-1)
}

// write writes the table of n rows, block by block: a block stays in the
// second-level cache while every column is put into it.
func (p *packer) write(w *Writer, name string, n int) {
	w.Uint8(name+bitsSuffix, p.widths)
	fields, stride := fieldsOf(p.widths)
	w.begin(name+rowsSuffix, Uint8)
	step := max(1, (1<<18)/max(1, stride))
	buf := make([]byte, min(n, step)*stride+slack)
	for from := 0; from < n && w.err == nil; from += step {
		to := min(n, from+step)
		clear(buf)
		for c, f := range fields {
			if f.mask != 0 {
				p.fill[c](block{buf, stride, f}, from, to)
			}
		}
		w.append(buf[:(to-from)*stride])
	}
	w.append(make([]byte, slack))
	w.end()
}
