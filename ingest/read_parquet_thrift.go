package ingest

import (
	"errors"

	"github.com/parquet-go/parquet-go/format"
)

var errThrift = errors.New("metadata is not valid thrift")

// compact reads the Thrift compact protocol within one block of bytes.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
//
// It exists because a length in a corrupt file must be checked against the
// bytes there are before anything is allocated for it: a footer goes through
// skip before parquet-go decodes it, and page headers are read here. The first
// error sticks; reads after it return zero.
type compact struct {
	data []byte
	pos  int
	bad  bool
}

// Types of the compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

const maxThriftDepth = 64

func (c *compact) byte() byte {
	if c.pos >= len(c.data) {
		c.bad = true
		return 0
	}
	c.pos++
	return c.data[c.pos-1]
}

func (c *compact) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	c.bad = true
	return 0
}

func (c *compact) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// length reads the size of something that takes at least one byte an item.
func (c *compact) length() int {
	n := c.uvarint()
	if n > uint64(len(c.data)-c.pos) {
		c.bad = true
		return 0
	}
	return int(n)
}

// field reads a field header; typ is thriftStop at the end of the struct.
func (c *compact) field(id *int64) (typ byte) {
	b := c.byte()
	if c.bad || b == thriftStop {
		return thriftStop
	}
	if delta := b >> 4; delta != 0 {
		*id += int64(delta)
	} else {
		*id = c.varint()
	}
	return b & 0xf
}

// skip passes over a value, checking its structure.
func (c *compact) skip(typ byte, depth int) {
	if depth > maxThriftDepth {
		c.bad = true
	}
	if c.bad {
		return
	}
	switch typ {
	case thriftTrue, thriftFalse: // the value of a field is its type
	case thriftByte:
		c.byte()
	case thriftI16, thriftI32, thriftI64:
		c.uvarint()
	case thriftDouble:
		c.advance(8)
	case thriftUUID:
		c.advance(16)
	case thriftBinary:
		c.advance(c.length())
	case thriftList, thriftSet:
		c.skipList(depth)
	case thriftMap:
		n := c.length()
		if n == 0 {
			return
		}
		types := c.byte()
		for i := 0; i < n && !c.bad; i++ {
			c.skipItem(types>>4, depth)
			c.skipItem(types&0xf, depth)
		}
	case thriftStruct:
		id := int64(0)
		for t := c.field(&id); t != thriftStop; t = c.field(&id) {
			c.skip(t, depth+1)
		}
	default:
		c.bad = true
	}
}

func (c *compact) skipList(depth int) {
	head := c.byte()
	n := int(head >> 4)
	if n == 15 {
		n = c.length()
	}
	for i := 0; i < n && !c.bad; i++ {
		c.skipItem(head&0xf, depth)
	}
}

// skipItem passes over an item of a list or map, where a boolean is a byte.
func (c *compact) skipItem(typ byte, depth int) {
	if typ == thriftTrue || typ == thriftFalse {
		c.byte()
		return
	}
	c.skip(typ, depth+1)
}

func (c *compact) advance(n int) {
	if n > len(c.data)-c.pos {
		c.bad = true
		return
	}
	c.pos += n
}

// pageHeader is what decoding needs of format.PageHeader.
type pageHeader struct {
	kind         format.PageType
	uncompressed int64
	compressed   int64
	crc          uint32
	hasCRC       bool

	values   int64
	nulls    int64 // v2
	rows     int64 // v2
	encoding format.Encoding

	defEncoding, repEncoding format.Encoding // v1
	defBytes, repBytes       int64           // v2
	plain                    bool            // v2: the values are not compressed
}

// readPageHeader reads the header at the start of data and returns its length.
func readPageHeader(data []byte) (h pageHeader, n int, err error) {
	c := compact{data: data}
	h.kind = -1
	var id int64
	for t := c.field(&id); t != thriftStop; t = c.field(&id) {
		switch {
		case t == thriftI32 && id == 1:
			h.kind = format.PageType(c.varint())
		case t == thriftI32 && id == 2:
			h.uncompressed = c.varint()
		case t == thriftI32 && id == 3:
			h.compressed = c.varint()
		case t == thriftI32 && id == 4:
			h.crc, h.hasCRC = uint32(c.varint()), true
		case t == thriftStruct && id == 5:
			c.dataPageV1(&h)
		case t == thriftStruct && id == 7:
			c.dictionaryPage(&h)
		case t == thriftStruct && id == 8:
			c.dataPageV2(&h)
		default:
			c.skip(t, 0)
		}
	}
	if c.bad {
		return h, 0, errThrift
	}
	for _, v := range []int64{h.uncompressed, h.compressed, h.values, h.nulls, h.rows, h.defBytes, h.repBytes} {
		if v < 0 || v > 1<<31-1 {
			return h, 0, errors.New("a length in the page header is out of range")
		}
	}
	return h, c.pos, nil
}

func (c *compact) dataPageV1(h *pageHeader) {
	var id int64
	for t := c.field(&id); t != thriftStop; t = c.field(&id) {
		switch {
		case t == thriftI32 && id == 1:
			h.values = c.varint()
		case t == thriftI32 && id == 2:
			h.encoding = format.Encoding(c.varint())
		case t == thriftI32 && id == 3:
			h.defEncoding = format.Encoding(c.varint())
		case t == thriftI32 && id == 4:
			h.repEncoding = format.Encoding(c.varint())
		default:
			c.skip(t, 0)
		}
	}
}

func (c *compact) dictionaryPage(h *pageHeader) {
	var id int64
	for t := c.field(&id); t != thriftStop; t = c.field(&id) {
		switch {
		case t == thriftI32 && id == 1:
			h.values = c.varint()
		case t == thriftI32 && id == 2:
			h.encoding = format.Encoding(c.varint())
		default:
			c.skip(t, 0)
		}
	}
}

func (c *compact) dataPageV2(h *pageHeader) {
	var id int64
	for t := c.field(&id); t != thriftStop; t = c.field(&id) {
		switch {
		case t == thriftI32 && id == 1:
			h.values = c.varint()
		case t == thriftI32 && id == 2:
			h.nulls = c.varint()
		case t == thriftI32 && id == 3:
			h.rows = c.varint()
		case t == thriftI32 && id == 4:
			h.encoding = format.Encoding(c.varint())
		case t == thriftI32 && id == 5:
			h.defBytes = c.varint()
		case t == thriftI32 && id == 6:
			h.repBytes = c.varint()
		case t == thriftFalse && id == 7:
			h.plain = true
		default:
			c.skip(t, 0)
		}
	}
}
