package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"
)

// parquetChunk decodes the column chunks of one column, one after the other.
type parquetChunk struct {
	file   *parquetFile
	column *parquetColumn
	out    *rawBuilder

	// Of the chunk being read.
	codecID  format.CompressionCodec
	hasDict  bool
	dict     []uint32 // dictionary index → code, of a column of single values
	dictText []string // dictionary index → text, of a list column
	rowOpen  bool     // list: the last row may go on in the next page
	joined   []byte   // list: the texts of that row so far

	reserved bool // room for the texts of the column has been made

	// Reused.
	codec          decompressor
	raw, plain     []byte
	def, rep       []byte
	indexes, codes []uint32
	values         pageValues
	text           []byte
}

// Limits on what a page may claim. A page of text compresses to less than a
// thousandth only where it says the same thing over and over, and then not to
// more than 64 MiB in any file a writer made.
const (
	freePageSize = 64 << 20
	maxRatio     = 1100
)

// read appends the rows of one row group.
func (c *parquetChunk) read(group *format.RowGroup) error {
	meta := &group.Columns[c.column.leaf].MetaData
	if err := c.load(group, meta); err != nil {
		return err
	}
	c.codecID, c.hasDict, c.dict, c.dictText = meta.Codec, false, c.dict[:0], c.dictText[:0]
	c.rowOpen = false
	start := len(c.out.codes)
	data := c.raw
	for left := meta.NumValues; left > 0; {
		if len(data) == 0 {
			return fmt.Errorf("%d of %d values are missing", left, meta.NumValues)
		}
		h, n, err := readPageHeader(data)
		if err != nil {
			return err
		}
		data = data[n:]
		if h.compressed > int64(len(data)) {
			return errors.New("a page goes beyond the column chunk")
		}
		page := data[:h.compressed]
		data = data[h.compressed:]
		if err := c.page(&h, page, left); err != nil {
			return err
		}
		if h.kind == format.DataPage || h.kind == format.DataPageV2 {
			left -= h.values
		}
	}
	c.endRow()
	if n := int64(len(c.out.codes) - start); n != group.NumRows {
		return fmt.Errorf("%d rows, the footer says %d", n, group.NumRows)
	}
	return nil
}

// load reads the bytes of the chunk, after checking what the footer says of it.
func (c *parquetChunk) load(group *format.RowGroup, meta *format.ColumnMetaData) error {
	start := meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	size := meta.TotalCompressedSize
	switch {
	case group.Columns[c.column.leaf].FilePath != "":
		return errors.New("its data lie in another file")
	case start < 4 || size < 0 || start > c.file.size-8 || size > c.file.size-8-start:
		return fmt.Errorf("bytes %d to %d lie outside the file", start, start+size)
	case meta.Type != c.column.typ.physical:
		return fmt.Errorf("it is %v here and %v in the schema", meta.Type, c.column.typ.physical)
	case strings.Join(meta.PathInSchema, ".") != c.column.path:
		return fmt.Errorf("column %s stands in its place", strings.Join(meta.PathInSchema, "."))
	case !c.column.list && meta.NumValues != group.NumRows:
		return fmt.Errorf("%d values for %d rows", meta.NumValues, group.NumRows)
	case meta.NumValues < group.NumRows:
		return fmt.Errorf("%d values for %d rows of lists", meta.NumValues, group.NumRows)
	}
	c.raw = slices.Grow(c.raw[:0], int(size))[:size]
	if n, err := c.file.r.ReadAt(c.raw, start); n != len(c.raw) {
		return fmt.Errorf("reading %d bytes at %d: %w", size, start, err)
	}
	return nil
}

// page decodes one page; left is the number of values still to come.
func (c *parquetChunk) page(h *pageHeader, page []byte, left int64) error {
	if h.hasCRC && h.crc != crc32.ChecksumIEEE(page) {
		return errors.New("the checksum of a page does not match its data")
	}
	if h.uncompressed > freePageSize+maxRatio*h.compressed {
		return fmt.Errorf("a page of %d bytes claims to be %d bytes uncompressed", h.compressed, h.uncompressed)
	}
	switch h.kind {
	case format.DictionaryPage:
		return c.dictionaryPage(h, page)
	case format.DataPage, format.DataPageV2:
		if h.values > left {
			return fmt.Errorf("a page of %d values where %d are left", h.values, left)
		}
		if h.kind == format.DataPage {
			return c.dataPageV1(h, page)
		}
		return c.dataPageV2(h, page)
	case format.IndexPage:
		return nil
	}
	return fmt.Errorf("page type %d is not known", h.kind)
}

// decompress returns the size bytes that src holds.
func (c *parquetChunk) decompress(src []byte, size int64) ([]byte, error) {
	if c.codecID == format.Uncompressed {
		if int64(len(src)) != size {
			return nil, errPageSize
		}
		return src, nil
	}
	c.plain = slices.Grow(c.plain[:0], int(size))[:size]
	if err := c.codec.decode(c.codecID, c.plain, src); err != nil {
		return nil, fmt.Errorf("decompressing a page: %w", err)
	}
	return c.plain, nil
}

func (c *parquetChunk) dictionaryPage(h *pageHeader, page []byte) error {
	if c.hasDict {
		return errors.New("a second dictionary")
	}
	data, err := c.decompress(page, h.uncompressed)
	if err != nil {
		return err
	}
	if h.values > 8*int64(len(data)) {
		return errShort
	}
	if err := c.decode(data, int(h.values), h.encoding); err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	for i := range int(h.values) {
		if c.column.list {
			c.dictText = append(c.dictText, string(c.elementText(i)))
		} else {
			c.dict = append(c.dict, c.valueCode(i))
		}
	}
	c.hasDict = true
	return nil
}

func (c *parquetChunk) dataPageV1(h *pageHeader, page []byte) error {
	data, err := c.decompress(page, h.uncompressed)
	if err != nil {
		return err
	}
	n := int(h.values)
	if c.column.maxRep > 0 {
		if c.rep, data, err = levelsV1(c.rep, data, n, c.column.maxRep, h.repEncoding); err != nil {
			return fmt.Errorf("repetition levels: %w", err)
		}
	}
	if c.column.maxDef > 0 {
		if c.def, data, err = levelsV1(c.def, data, n, c.column.maxDef, h.defEncoding); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
	}
	return c.dataPage(h, data, n)
}

// levelsV1 decodes n levels, which stand behind their length in bytes.
func levelsV1(dst, data []byte, n, highest int, enc format.Encoding) (levels, rest []byte, err error) {
	if enc != format.RLE {
		return dst, nil, fmt.Errorf("encoding %v is not supported", enc)
	}
	if len(data) < 4 {
		return dst, nil, errShort
	}
	size := int64(binary.LittleEndian.Uint32(data))
	if size > int64(len(data)-4) {
		return dst, nil, errShort
	}
	dst = slices.Grow(dst[:0], n)[:n]
	return dst, data[4+size:], decodeLevels(dst, data[4:4+size], highest)
}

func (c *parquetChunk) dataPageV2(h *pageHeader, page []byte) error {
	levels := h.repBytes + h.defBytes
	if levels > int64(len(page)) || levels > h.uncompressed {
		return errors.New("the levels go beyond their page")
	}
	n := int(h.values)
	if c.column.maxRep > 0 {
		c.rep = slices.Grow(c.rep[:0], n)[:n]
		if err := decodeLevels(c.rep, page[:h.repBytes], c.column.maxRep); err != nil {
			return fmt.Errorf("repetition levels: %w", err)
		}
	}
	if c.column.maxDef > 0 {
		c.def = slices.Grow(c.def[:0], n)[:n]
		if err := decodeLevels(c.def, page[h.repBytes:levels], c.column.maxDef); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
	}
	data := page[levels:]
	// A page of nulls only may hold no bytes at all, not even compressed ones.
	if size := h.uncompressed - levels; !h.plain && !(size == 0 && len(data) == 0) {
		var err error
		if data, err = c.decompress(data, size); err != nil {
			return err
		}
	}
	return c.dataPage(h, data, n)
}

// dataPage appends the rows of a page of n values, nulls included.
func (c *parquetChunk) dataPage(h *pageHeader, data []byte, n int) error {
	present := n
	if c.column.maxDef > 0 {
		present = bytes.Count(c.def, []byte{byte(c.column.maxDef)})
	}
	//lint:ignore SA1019 parquet-mr before format 2 and Spark write PlainDictionary
	indexed := h.encoding == format.RLEDictionary || h.encoding == format.PlainDictionary
	if indexed {
		if err := c.decodeIndexes(data, present); err != nil {
			return err
		}
	} else if err := c.decode(data, present, h.encoding); err != nil {
		return err
	} else if !c.reserved {
		c.reserve()
	}
	if c.column.list {
		return c.appendLists(indexed, n)
	}
	c.codes = slices.Grow(c.codes[:0], present)[:present]
	if indexed {
		for i, x := range c.indexes {
			c.codes[i] = c.dict[x]
		}
	} else {
		for i := range c.codes {
			c.codes[i] = c.valueCode(i)
		}
	}
	if present == n {
		c.out.codes = append(c.out.codes, c.codes...)
		return nil
	}
	next := 0
	for _, level := range c.def {
		if int(level) == c.column.maxDef {
			c.out.codes = append(c.out.codes, c.codes[next])
			next++
		} else {
			c.out.codes = append(c.out.codes, 0)
		}
	}
	return nil
}

// reserve makes room for the texts of a column that is not, or no longer,
// dictionary encoded. The footer foretells their number and size; it is taken
// at its word as far as the size of the file allows.
func (c *parquetChunk) reserve() {
	c.reserved = true
	var values, size int64
	for i := range c.file.meta.RowGroups {
		m := &c.file.meta.RowGroups[i].Columns[c.column.leaf].MetaData
		values += max(0, min(m.NumValues, maxRows))
		size += max(0, min(m.TotalUncompressedSize, maxRows))
	}
	limit := 10*c.file.size + 1<<16
	c.out.text.Grow(int(min(values, limit)), int(min(size, limit)))
}

func (c *parquetChunk) decode(data []byte, n int, enc format.Encoding) error {
	return decodeValues(&c.values, data, n, c.column.typ.physical, c.column.typ.width, enc)
}

// decodeIndexes decodes n dictionary indexes: a bit width, then the hybrid.
func (c *parquetChunk) decodeIndexes(data []byte, n int) error {
	size := len(c.dict) + len(c.dictText)
	c.indexes = slices.Grow(c.indexes[:0], n)[:n]
	switch {
	case n == 0:
		return nil
	case !c.hasDict:
		return errors.New("a page without its dictionary")
	case len(data) == 0:
		return errShort
	}
	if err := decodeHybrid(c.indexes, data[1:], int(data[0])); err != nil {
		return err
	}
	if highest := slices.Max(c.indexes); int64(highest) >= int64(size) {
		return fmt.Errorf("index %d in a dictionary of %d values", highest, size)
	}
	return nil
}

// valueCode returns the code of value i of the page.
func (c *parquetChunk) valueCode(i int) uint32 {
	v := c.values.at(i)
	if c.column.typ.text != nil {
		c.text = c.column.typ.text(c.text[:0], v)
		v = c.text
	}
	return c.out.code(v)
}

// elementText returns the text of value i of the page, fit for a list.
func (c *parquetChunk) elementText(i int) []byte {
	v := c.values.at(i)
	if c.column.typ.text != nil {
		c.text = c.column.typ.text(c.text[:0], v)
		v = c.text
	}
	return v
}

// appendLists appends the rows of a page of a list column. A row begins where
// the repetition level is 0.
func (c *parquetChunk) appendLists(indexed bool, n int) error {
	next := 0
	for i := range n {
		if c.rep[i] == 0 {
			c.endRow()
			c.rowOpen = true
		} else if !c.rowOpen {
			return errors.New("the first row begins in the middle")
		}
		if int(c.def[i]) != c.column.maxDef {
			continue
		}
		if indexed {
			c.joined = appendElement(c.joined, 0, c.dictText[c.indexes[next]])
		} else {
			c.joined = appendElement(c.joined, 0, c.elementText(next))
		}
		next++
	}
	return nil
}

// appendElement adds a text to the list joined[from:]; empty texts are null and
// left out.
func appendElement[T string | []byte](joined []byte, from int, text T) []byte {
	if len(text) == 0 {
		return joined
	}
	if len(joined) > from {
		joined = append(joined, ListSeparator...)
	}
	start := len(joined)
	joined = append(joined, text...)
	for i := start; i < len(joined); i++ {
		if joined[i] == ListSeparator[0] {
			joined[i] = ' '
		}
	}
	return joined
}

// endRow appends the row that is open.
func (c *parquetChunk) endRow() {
	if c.rowOpen {
		c.out.codes = append(c.out.codes, c.out.code(c.joined))
	}
	c.rowOpen, c.joined = false, c.joined[:0]
}
