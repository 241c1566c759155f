package columns

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	pageEntries = 1 << 17 // entries of a data page at most, where a row boundary allows
	pageBytes   = 1 << 20 // a PLAIN page is closed at this size
	pageHard    = 1 << 28 // and even inside a row at this one
	dictBytes   = 1 << 26 // a dictionary larger than this is not worth having
	dictEntries = 1 << 26 // nor is one for a list that long
	statBytes   = 64      // longer values are no use as least and greatest
)

// errPage says that one page does not fit the format's 31-bit sizes.
var errPage = errors.New("a value is larger than 2 GiB")

// chunk is one leaf column of one row group, encoded.
type chunk struct {
	bytes     []byte
	size      int // of all pages with their headers
	dictSize  int // of the dictionary page with its header, 0 if there is none
	plainSize int // the same before compression
	entries   int // level entries: values, nulls and empty lists
	nulls     int
	min, max  []byte
}

// worker holds the buffers of one worker.
type worker struct {
	reps, defs []uint8  // levels of each entry; empty where the leaf has none
	vals       []uint32 // the values that are not null, in order
	local      []uint32 // their places in the chunk's dictionary
	dict       []uint32 // place → value
	places     places
	body       []byte // the values of a PLAIN page
	page, zip  []byte
}

// encode fills c with the leaf's rows first to last−1.
func (w *worker) encode(c *chunk, l *leaf, first, last int) error {
	w.levels(l, first, last)
	c.entries = max(len(w.vals), len(w.defs))
	c.nulls = c.entries - len(w.vals)
	if l.Sorted && len(w.vals) > 0 {
		c.bound(l.Texts.At(w.vals[0]), l.Texts.At(w.vals[len(w.vals)-1]))
	}
	width := 0
	if l.Codes != nil && l.Kind != Bool && w.dictionary(l) {
		width = max(1, bits.Len(uint(len(w.dict)-1)))
		if err := w.writeDictionary(c, l); err != nil {
			return err
		}
	}
	for from, val := 0, 0; from < c.entries; {
		to, end := w.pageEnd(l, from, val, c.entries, width > 0)
		if err := w.writePage(c, l, from, to, val, end, width); err != nil {
			return err
		}
		from, val = to, end
	}
	c.size = len(c.bytes)
	return nil
}

// bound keeps the least and the greatest value.
func (c *chunk) bound(least, greatest string) {
	if len(least) <= statBytes && len(greatest) <= statBytes {
		c.min, c.max = []byte(least), []byte(greatest)
	}
}

// levels fills reps, defs and vals for rows first to last−1.
func (w *worker) levels(l *leaf, first, last int) {
	w.reps, w.defs, w.vals = w.reps[:0], w.defs[:0], w.vals[:0]
	if l.starts == nil {
		w.values(l, first, last)
		return
	}
	for row := first; row < last; row++ {
		from, to := int(l.starts[row]), int(l.starts[row+1])
		if from == to {
			w.reps = append(w.reps, 0)
			w.defs = append(w.defs, 0)
			continue
		}
		w.reps = append(w.reps, 0)
		for range to - from - 1 {
			w.reps = append(w.reps, 1)
		}
		w.values(l, from, to)
	}
}

// values adds the entries from to to−1.
func (w *worker) values(l *leaf, from, to int) {
	switch {
	case l.Nulls != NoNulls:
		w.optional(l, from, to)
		return
	case l.Codes != nil:
		w.vals = append(w.vals, l.Codes[from:to]...)
	default:
		for i := from; i < to; i++ {
			w.vals = append(w.vals, uint32(i))
		}
	}
	if l.maxDef > 0 {
		for range to - from {
			w.defs = append(w.defs, l.maxDef)
		}
	}
}

// optional adds entries of which some are null.
func (w *worker) optional(l *leaf, from, to int) {
	for i := from; i < to; i++ {
		v := uint32(i)
		if l.Codes != nil {
			v = l.Codes[i]
		}
		if l.null(v) {
			w.defs = append(w.defs, l.maxDef-1)
			continue
		}
		w.defs = append(w.defs, l.maxDef)
		w.vals = append(w.vals, v)
	}
}

// dictionary fills dict and local and reports whether they are worth writing:
// not when more than half of the values are distinct.
func (w *worker) dictionary(l *leaf) bool {
	w.dict, w.local = w.dict[:0], w.local[:0]
	most, size := len(w.vals)/2, 0
	if len(w.vals) > dictEntries {
		return false
	}
	w.places.reset(l.values(), len(w.vals))
	for _, v := range w.vals {
		place, isNew := w.places.of(v, uint32(len(w.dict)))
		if isNew {
			if l.Kind == Text {
				size += len(l.Texts.At(v))
			}
			w.dict = append(w.dict, v)
			if len(w.dict) > most || size > dictBytes {
				return false
			}
		}
		w.local = append(w.local, place)
	}
	return len(w.dict) > 0
}

// writeDictionary adds the dictionary page.
func (w *worker) writeDictionary(c *chunk, l *leaf) error {
	w.page = w.page[:0]
	for _, v := range w.dict {
		w.page = l.appendPlain(w.page, v)
	}
	err := w.flush(c, format.PageHeader{
		Type: format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{
			NumValues: int32(len(w.dict)), Encoding: format.Plain,
		}),
	})
	c.dictSize = len(c.bytes)
	return err
}

// pageEnd returns where the page that begins at entry from and value val ends,
// and fills body with its values unless the dictionary's places stand for them.
// Pages end between rows; only a row of more than pageHard bytes is cut.
func (w *worker) pageEnd(l *leaf, from, val, entries int, dictionary bool) (to, end int) {
	w.body = w.body[:0]
	for to, end = from, val; to < entries; to++ {
		size := len(w.body)
		if (size >= pageBytes || to-from >= pageEntries) && (len(w.reps) == 0 || w.reps[to] == 0 || size >= pageHard) {
			break
		}
		if len(w.defs) > 0 && w.defs[to] < l.maxDef {
			continue
		}
		if !dictionary {
			w.body = l.appendPlain(w.body, w.vals[end])
		}
		end++
	}
	return to, end
}

// writePage adds a data page of entries from to to−1 with values val to end−1.
func (w *worker) writePage(c *chunk, l *leaf, from, to, val, end, width int) error {
	if l.Kind == Bool {
		w.body = packBits(w.body)
	}
	w.page = w.page[:0]
	if l.maxRep > 0 {
		w.page = appendLevels(w.page, w.reps[from:to], l.maxRep)
	}
	if l.maxDef > 0 {
		w.page = appendLevels(w.page, w.defs[from:to], l.maxDef)
	}
	encoding := format.Plain
	switch {
	case width > 0:
		encoding = format.RLEDictionary
		w.page = append(w.page, byte(width))
		w.page = appendHybrid(w.page, w.local[val:end], width)
	case len(w.page) > 0:
		w.page = append(w.page, w.body...)
	default:
		w.page, w.body = w.body, w.page
	}
	return w.flush(c, format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(to - from), Encoding: encoding,
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	})
}

// appendPlain appends value v in PLAIN encoding.
func (l *Leaf) appendPlain(dst []byte, v uint32) []byte {
	switch l.Kind {
	case Text:
		s := l.Texts.At(v)
		return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
	case Double:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(l.Doubles[v]))
	case Time:
		return binary.LittleEndian.AppendUint64(dst, uint64(l.Ints[v]*1000))
	case Bool:
		return append(dst, byte(v)) // packed when the page is full
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(l.Ints[v]))
}

// packBits turns bytes of 0 and 1 into bits, the lowest first, in place.
func packBits(b []byte) []byte {
	packed := b[:(len(b)+7)/8]
	for i := range packed {
		var bits byte
		for j, v := range b[8*i : min(len(b), 8*i+8)] {
			bits |= v << j
		}
		packed[i] = bits
	}
	return packed
}

// flush compresses the page and adds it to the chunk behind its header. The
// encoder of s2 writes Snappy at twice the usual speed.
func (w *worker) flush(c *chunk, h format.PageHeader) error {
	if len(w.page) > math.MaxInt32 || s2.MaxEncodedLen(len(w.page)) < 0 {
		return errPage
	}
	if n := s2.MaxEncodedLen(len(w.page)); cap(w.zip) < n {
		w.zip = make([]byte, n)
	}
	zip := s2.EncodeSnappy(w.zip[:cap(w.zip)], w.page)
	h.UncompressedPageSize = int32(len(w.page))
	h.CompressedPageSize = int32(len(zip))
	h.CRC = int32(crc32.ChecksumIEEE(zip))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return err
	}
	c.plainSize += len(header) + len(w.page)
	c.bytes = append(append(c.bytes, header...), zip...)
	return nil
}
