package run

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go/format"
)

// noValue is the value number of a null entry.
const noValue = NoRecord

// piece is one leaf column of one row group as read: entry → value number →
// value. Where the file holds a dictionary the values are the dictionary, else
// every entry has its own. Entries of lists stand one behind the other, empty
// lists have none.
type piece struct {
	rows   int
	starts []uint32 // of a list: row → its first entry; one more at the end
	codes  []uint32 // entry → value number, noValue for null; nil: entry i has value i
	texts  texts    // the values of a column of text
	words  []uint64 // the values of any other, as the file's eight bytes, or 0 and 1
}

// entries returns how many entries the piece has.
func (p *piece) entries() int {
	if p.codes != nil {
		return len(p.codes)
	}
	return max(p.texts.len(), len(p.words))
}

// values returns how many values the piece has.
func (p *piece) values() int { return max(p.texts.len(), len(p.words)) }

// code returns the value number of an entry, noValue for null.
func (p *piece) code(entry int) uint32 {
	if p.codes != nil {
		return p.codes[entry]
	}
	return uint32(entry)
}

// text returns the text of an entry, nil for null.
func (p *piece) text(entry int) []byte {
	if code := p.code(entry); code != noValue {
		return p.texts.at(code)
	}
	return nil
}

// texts is a list of texts in one block of memory.
type texts struct {
	ends []uint32
	data []byte
}

func (t *texts) len() int { return len(t.ends) }

func (t *texts) at(i uint32) []byte {
	var start uint32
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.data[start:t.ends[i]]
}

var (
	errShortPage  = errors.New("a page ends before its values do")
	errBrokenPage = errors.New("a page does not hold what its header says")
)

// decoder decodes column chunks as package columns writes them: version 1
// pages, Snappy, PLAIN or dictionary encoding. Its buffers are used again.
type decoder struct {
	raw, plain []byte
	reps, defs []uint8
	indexes    []uint32
	hybrid     []uint32
}

// chunkOf is where a chunk lies and what is to come out of it.
type chunkOf struct {
	rows           int
	values         int // level entries: values, nulls and empty lists
	kind           format.Type
	maxRep, maxDef uint8
}

// decode decodes the chunk whose bytes are raw.
func (d *decoder) decode(raw []byte, c chunkOf) (*piece, error) {
	p := &piece{rows: c.rows}
	if c.maxRep > 0 {
		p.starts = make([]uint32, 0, c.rows+1)
	}
	dictionary, left := false, c.values
	for left > 0 {
		h, rest, err := readPageHeader(raw)
		if err != nil {
			return nil, err
		}
		if h.compressed < 0 || h.compressed > len(rest) || h.values < 0 {
			return nil, errShortPage
		}
		page, err := d.unzip(rest[:h.compressed], h)
		if err != nil {
			return nil, err
		}
		raw = rest[h.compressed:]
		switch {
		case h.kind == format.DictionaryPage && !dictionary && left == c.values:
			dictionary = true
			err = p.appendPlain(page, h.values, c.kind)
		case h.kind == format.DataPage && h.values <= left:
			left -= h.values
			err = d.dataPage(p, page, h, c, dictionary)
		default:
			err = errBrokenPage
		}
		if err != nil {
			return nil, err
		}
	}
	rows := p.entries()
	if p.starts != nil {
		rows = len(p.starts)
		p.starts = append(p.starts, uint32(p.entries()))
	}
	if rows != c.rows {
		return nil, fmt.Errorf("%d rows, the footer says %d", rows, c.rows)
	}
	return p, nil
}

// unzip verifies and decompresses a page.
func (d *decoder) unzip(page []byte, h pageHeader) ([]byte, error) {
	if h.hasCRC && crc32.ChecksumIEEE(page) != h.crc {
		return nil, errors.New("the checksum of a page differs")
	}
	n, err := s2.DecodedLen(page)
	if err != nil || n != h.plain || n > 1100*len(page)+64 {
		return nil, errBrokenPage
	}
	d.plain = slices.Grow(d.plain[:0], n)[:n]
	plain, err := s2.Decode(d.plain, page)
	if err != nil {
		return nil, fmt.Errorf("decompressing a page: %w", err)
	}
	return plain, nil
}

// dataPage appends the entries of a page.
func (d *decoder) dataPage(p *piece, page []byte, h pageHeader, c chunkOf, dictionary bool) error {
	var err error
	d.reps, d.defs = d.reps[:0], d.defs[:0]
	if c.maxRep > 0 {
		if d.reps, page, err = d.levels(d.reps, page, h.values, c.maxRep); err != nil {
			return err
		}
	}
	if c.maxRep > 0 && len(p.starts) == 0 && h.values > 0 && d.reps[0] != 0 {
		return errBrokenPage
	}
	present := h.values
	if c.maxDef > 0 {
		if d.defs, page, err = d.levels(d.defs, page, h.values, c.maxDef); err != nil {
			return err
		}
		present = 0
		for _, l := range d.defs {
			if l == c.maxDef {
				present++
			}
		}
	}
	indexed := h.encoding == format.RLEDictionary
	if indexed != dictionary {
		return errBrokenPage
	}
	if indexed {
		if err := d.places(page, present, p.values()); err != nil {
			return err
		}
		d.append(p, c, h.values, d.indexes, -1)
		return nil
	}
	before := p.values()
	switch {
	case h.encoding == format.RLE && c.kind == format.Boolean:
		err = d.appendRLEBooleans(p, page, present)
	case h.encoding == format.Plain:
		err = p.appendPlain(page, present, c.kind)
	default:
		err = fmt.Errorf("encoding %v is not one that sama writes", h.encoding)
	}
	if err != nil {
		return err
	}
	// A column without nulls needs no codes, nor does a list of such.
	if p.codes == nil && present == h.values-d.empty(c) {
		d.append(p, c, h.values, nil, present)
		return nil
	}
	if p.codes == nil {
		p.codes = make([]uint32, before, max(before, min(c.values, 1<<22)))
		for i := range p.codes {
			p.codes[i] = uint32(i)
		}
	}
	d.indexes = d.indexes[:0]
	for i := range present {
		d.indexes = append(d.indexes, uint32(before+i))
	}
	d.append(p, c, h.values, d.indexes, -1)
	return nil
}

// empty returns how many entries of the page are empty lists.
func (d *decoder) empty(c chunkOf) int {
	n := 0
	if c.maxRep > 0 {
		for _, l := range d.defs {
			if l == 0 {
				n++
			}
		}
	}
	return n
}

// append adds entries to the piece, with the nulls and rows that the levels
// say: those of codes, or if plain is set, the last values themselves.
func (d *decoder) append(p *piece, c chunkOf, values int, codes []uint32, plain int) {
	if plain < 0 && p.codes == nil {
		p.codes = make([]uint32, 0, min(c.values, 1<<22))
	}
	if c.maxRep == 0 && (plain >= 0 || len(codes) == values) {
		p.codes = append(p.codes, codes...)
		return
	}
	at := p.entries() - max(plain, 0)
	for i := range values {
		if c.maxRep > 0 {
			if d.reps[i] == 0 {
				p.starts = append(p.starts, uint32(at))
			}
			if d.defs[i] == 0 {
				continue
			}
		}
		at++
		switch {
		case plain >= 0:
		case d.defs[i] == c.maxDef:
			p.codes = append(p.codes, codes[0])
			codes = codes[1:]
		default:
			p.codes = append(p.codes, noValue)
		}
	}
}

// places decodes n dictionary places below size into d.indexes.
func (d *decoder) places(page []byte, n, size int) error {
	d.indexes = slices.Grow(d.indexes[:0], n)[:n]
	if n == 0 {
		return nil
	}
	if len(page) == 0 {
		return errShortPage
	}
	if err := decodeHybrid(d.indexes, page[1:], int(page[0])); err != nil {
		return err
	}
	if int64(slices.Max(d.indexes)) >= int64(size) {
		return errBrokenPage
	}
	return nil
}

// levels decodes n levels, which stand behind their length in bytes.
func (d *decoder) levels(dst []uint8, page []byte, n int, most uint8) (levels []uint8, rest []byte, err error) {
	if len(page) < 4 || uint64(binary.LittleEndian.Uint32(page)) > uint64(len(page)-4) {
		return dst, nil, errShortPage
	}
	src := page[4 : 4+binary.LittleEndian.Uint32(page)]
	rest = page[4+len(src):]
	dst = slices.Grow(dst[:0], n)[:n]
	// One run for the whole page, as where nothing is null.
	if head, size := binary.Uvarint(src); size > 0 && head&1 == 0 && head>>1 >= uint64(n) && len(src) > size && src[size] <= most {
		for i := range dst {
			dst[i] = src[size]
		}
		return dst, rest, nil
	}
	d.hybrid = slices.Grow(d.hybrid[:0], n)[:n]
	if err := decodeHybrid(d.hybrid, src, bits.Len8(most)); err != nil {
		return dst, nil, err
	}
	for i, v := range d.hybrid {
		if v > uint32(most) {
			return dst, nil, errBrokenPage
		}
		dst[i] = uint8(v)
	}
	return dst, rest, nil
}

// appendPlain adds n PLAIN values.
func (p *piece) appendPlain(page []byte, n int, kind format.Type) error {
	switch kind {
	case format.ByteArray:
		return p.texts.appendPlain(page, n)
	case format.Boolean:
		if len(page) < (n+7)/8 {
			return errShortPage
		}
		for i := range n {
			p.words = append(p.words, uint64(page[i/8]>>(i%8)&1))
		}
		return nil
	case format.Int64, format.Double:
		if len(page)/8 < n {
			return errShortPage
		}
		p.words = slices.Grow(p.words, n)
		for i := range n {
			p.words = append(p.words, binary.LittleEndian.Uint64(page[8*i:]))
		}
		return nil
	}
	return fmt.Errorf("type %v is not one that sama writes", kind)
}

func (d *decoder) appendRLEBooleans(p *piece, page []byte, n int) error {
	levels, _, err := d.levels(nil, page, n, 1)
	for _, l := range levels {
		p.words = append(p.words, uint64(l))
	}
	return err
}

// appendPlain adds n texts, each behind its length.
func (t *texts) appendPlain(page []byte, n int) error {
	if len(page)/4 < n {
		return errShortPage
	}
	t.ends = slices.Grow(t.ends, n)
	t.data = slices.Grow(t.data, len(page)-4*n)
	for range n {
		if len(page) < 4 {
			return errShortPage
		}
		size := binary.LittleEndian.Uint32(page)
		if uint64(size) > uint64(len(page)-4) {
			return errShortPage
		}
		t.data = append(t.data, page[4:4+size]...)
		t.ends = append(t.ends, uint32(len(t.data)))
		page = page[4+size:]
	}
	if uint64(len(t.data)) > 1<<32-1 {
		return errBrokenPage
	}
	return nil
}

// decodeHybrid decodes len(dst) values of the RLE/bit-packing hybrid: runs of
// one value as (length<<1, value), everything else as (groups<<1|1, groups of
// eight values bit-packed from the lowest bit up).
// https://parquet.apache.org/docs/file-format/data-pages/encodings/
func decodeHybrid(dst []uint32, src []byte, width int) error {
	if width > 32 {
		return errBrokenPage
	}
	for len(dst) > 0 {
		head, size := binary.Uvarint(src)
		if size <= 0 || head>>1 == 0 {
			return errShortPage
		}
		src = src[size:]
		if head&1 == 0 {
			var word [4]byte
			size := (width + 7) / 8
			if len(src) < size {
				return errShortPage
			}
			copy(word[:], src[:size])
			value, n := binary.LittleEndian.Uint32(word[:]), int(min(head>>1, uint64(len(dst))))
			for i := range dst[:n] {
				dst[i] = value
			}
			dst, src = dst[n:], src[size:]
			continue
		}
		n := len(dst)
		if groups := head >> 1; groups < uint64(n+7)/8 {
			n = int(groups) * 8
		}
		size = (n*width + 7) / 8
		if len(src) < size {
			return errShortPage
		}
		unpack(dst[:n], src, width)
		dst = dst[n:]
		src = src[min(len(src), (n+7)/8*width):]
	}
	return nil
}

// unpack unpacks values of width bits each.
func unpack(dst []uint32, src []byte, width int) {
	mask := uint64(1)<<width - 1
	i, bit := 0, 0
	// Eight bytes at a time while they are there: a value needs at most 39 bits.
	for ; i < len(dst) && bit/8+8 <= len(src); i++ {
		dst[i] = uint32(binary.LittleEndian.Uint64(src[bit/8:]) >> (bit % 8) & mask)
		bit += width
	}
	for ; i < len(dst); i++ {
		var word [8]byte
		copy(word[:], src[min(bit/8, len(src)):])
		dst[i] = uint32(binary.LittleEndian.Uint64(word[:]) >> (bit % 8) & mask)
		bit += width
	}
}
