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
	dictSize  int // of the dictionary page with its header, 0 if there is none
	plainSize int // of all pages before compression, with headers
	entries   int // level entries: values, nulls and empty lists
	nulls     int
	min, max  []byte
}

// encoder holds the buffers of one worker.
type encoder struct {
	reps, defs []uint8  // levels of each entry; empty where the leaf has none
	vals       []uint32 // the values that are not null, in order
	local      []uint32 // their places in the chunk's dictionary
	dict       []uint32 // place → value
	places     places
	body       []byte // the values of a PLAIN page
	page, zip  []byte
}

// encode returns the leaf's chunk for rows first to last−1.
func (e *encoder) encode(l *leaf, first, last int) (*chunk, error) {
	e.levels(l, first, last)
	c := &chunk{entries: max(len(e.vals), len(e.defs))}
	c.nulls = c.entries - len(e.vals)
	if l.Sorted && len(e.vals) > 0 {
		c.bound(l.Texts.At(e.vals[0]), l.Texts.At(e.vals[len(e.vals)-1]))
	}
	width := 0
	if l.Codes != nil && e.dictionary(l) {
		width = max(1, bits.Len(uint(len(e.dict)-1)))
		if err := e.writeDictionary(c, l); err != nil {
			return nil, err
		}
	}
	for from, val := 0, 0; from < c.entries; {
		to, end := e.pageEnd(l, from, val, c.entries, width > 0)
		if err := e.writePage(c, l, from, to, val, end, width); err != nil {
			return nil, err
		}
		from, val = to, end
	}
	return c, nil
}

// bound keeps the least and the greatest value.
func (c *chunk) bound(least, greatest string) {
	if len(least) <= statBytes && len(greatest) <= statBytes {
		c.min, c.max = []byte(least), []byte(greatest)
	}
}

// levels fills reps, defs and vals for rows first to last−1.
func (e *encoder) levels(l *leaf, first, last int) {
	e.reps, e.defs, e.vals = e.reps[:0], e.defs[:0], e.vals[:0]
	if l.starts == nil {
		e.values(l, first, last)
		return
	}
	for row := first; row < last; row++ {
		from, to := int(l.starts[row]), int(l.starts[row+1])
		if from == to {
			e.reps = append(e.reps, 0)
			e.defs = append(e.defs, 0)
			continue
		}
		e.reps = append(e.reps, 0)
		for range to - from - 1 {
			e.reps = append(e.reps, 1)
		}
		e.values(l, from, to)
	}
}

// values adds the entries from to to−1.
func (e *encoder) values(l *leaf, from, to int) {
	switch {
	case l.Nulls != NoNulls:
		e.optional(l, from, to)
		return
	case l.Codes != nil:
		e.vals = append(e.vals, l.Codes[from:to]...)
	default:
		for i := from; i < to; i++ {
			e.vals = append(e.vals, uint32(i))
		}
	}
	if l.maxDef > 0 {
		for range to - from {
			e.defs = append(e.defs, l.maxDef)
		}
	}
}

// optional adds entries of which some are null.
func (e *encoder) optional(l *leaf, from, to int) {
	for i := from; i < to; i++ {
		v := uint32(i)
		if l.Codes != nil {
			v = l.Codes[i]
		}
		if l.null(v) {
			e.defs = append(e.defs, l.maxDef-1)
			continue
		}
		e.defs = append(e.defs, l.maxDef)
		e.vals = append(e.vals, v)
	}
}

// dictionary fills dict and local and reports whether they are worth writing:
// not when more than half of the values are distinct.
func (e *encoder) dictionary(l *leaf) bool {
	e.dict, e.local = e.dict[:0], e.local[:0]
	most, size := len(e.vals)/2, 0
	if len(e.vals) > dictEntries {
		return false
	}
	e.places.reset(l.values(), len(e.vals))
	for _, v := range e.vals {
		place, isNew := e.places.of(v, uint32(len(e.dict)))
		if isNew {
			if l.Kind == Text {
				size += len(l.Texts.At(v))
			}
			e.dict = append(e.dict, v)
			if len(e.dict) > most || size > dictBytes {
				return false
			}
		}
		e.local = append(e.local, place)
	}
	return len(e.dict) > 0
}

// writeDictionary adds the dictionary page.
func (e *encoder) writeDictionary(c *chunk, l *leaf) error {
	e.page = e.page[:0]
	for _, v := range e.dict {
		e.page = l.appendPlain(e.page, v)
	}
	err := e.flush(c, format.PageHeader{
		Type: format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{
			NumValues: int32(len(e.dict)), Encoding: format.Plain,
		}),
	})
	c.dictSize = len(c.bytes)
	return err
}

// pageEnd returns where the page that begins at entry from and value val ends,
// and fills body with its values unless the dictionary's places stand for them.
// Pages end between rows; only a row of more than pageHard bytes is cut.
func (e *encoder) pageEnd(l *leaf, from, val, entries int, dictionary bool) (to, end int) {
	e.body = e.body[:0]
	for to, end = from, val; to < entries; to++ {
		size := len(e.body)
		if (size >= pageBytes || to-from >= pageEntries) && (len(e.reps) == 0 || e.reps[to] == 0 || size >= pageHard) {
			break
		}
		if len(e.defs) > 0 && e.defs[to] < l.maxDef {
			continue
		}
		if !dictionary {
			e.body = l.appendPlain(e.body, e.vals[end])
		}
		end++
	}
	return to, end
}

// writePage adds a data page of entries from to to−1 with values val to end−1.
func (e *encoder) writePage(c *chunk, l *leaf, from, to, val, end, width int) error {
	e.page = e.page[:0]
	if l.maxRep > 0 {
		e.page = appendLevels(e.page, e.reps[from:to], l.maxRep)
	}
	if l.maxDef > 0 {
		e.page = appendLevels(e.page, e.defs[from:to], l.maxDef)
	}
	encoding := format.Plain
	switch {
	case width > 0:
		encoding = format.RLEDictionary
		e.page = append(e.page, byte(width))
		e.page = appendHybrid(e.page, e.local[val:end], width)
	case len(e.page) > 0:
		e.page = append(e.page, e.body...)
	default:
		e.page, e.body = e.body, e.page
	}
	return e.flush(c, format.PageHeader{
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
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(l.Ints[v]))
}

// flush compresses the page and adds it to the chunk behind its header. The
// encoder of s2 writes Snappy at twice the usual speed.
func (e *encoder) flush(c *chunk, h format.PageHeader) error {
	if len(e.page) > math.MaxInt32 || s2.MaxEncodedLen(len(e.page)) < 0 {
		return errPage
	}
	if n := s2.MaxEncodedLen(len(e.page)); cap(e.zip) < n {
		e.zip = make([]byte, n)
	}
	zip := s2.EncodeSnappy(e.zip[:cap(e.zip)], e.page)
	h.UncompressedPageSize = int32(len(e.page))
	h.CompressedPageSize = int32(len(zip))
	h.CRC = int32(crc32.ChecksumIEEE(zip))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return err
	}
	c.plainSize += len(header) + len(e.page)
	c.bytes = append(append(c.bytes, header...), zip...)
	return nil
}
