package run

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/format"
)

// pageHeader is what stands before a page.
type pageHeader struct {
	kind       format.PageType
	plain      int // bytes of the page, decompressed
	compressed int // bytes of the page in the file
	crc        uint32
	hasCRC     bool
	values     int
	encoding   format.Encoding
}

var errHeader = errors.New("the header of a page is damaged")

// readPageHeader reads the header that data begins with and returns what
// follows it. The Thrift compact protocol is read here because a damaged length
// must not make anything larger than the bytes that there are.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
func readPageHeader(data []byte) (pageHeader, []byte, error) {
	var h pageHeader
	t := thriftReader{data: data}
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftI32:
			h.kind = format.PageType(t.varint())
		case id == 2 && typ == thriftI32:
			h.plain = int(t.varint())
		case id == 3 && typ == thriftI32:
			h.compressed = int(t.varint())
		case id == 4 && typ == thriftI32:
			h.crc, h.hasCRC = uint32(t.varint()), true
		case (id == 5 || id == 7) && typ == thriftStruct: // of a data page, of a dictionary
			t.fields(func(id int, typ byte) {
				switch {
				case id == 1 && typ == thriftI32:
					h.values = int(t.varint())
				case id == 2 && typ == thriftI32:
					h.encoding = format.Encoding(t.varint())
				default:
					t.skip(typ)
				}
			})
		default:
			t.skip(typ)
		}
	})
	if t.bad {
		return h, nil, errHeader
	}
	return h, t.data, nil
}

// thriftReader reads the compact protocol. The first error sticks.
type thriftReader struct {
	data  []byte
	depth int
	bad   bool
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftStruct = 12
)

// fields calls read for every field of a struct; it must consume the value.
func (t *thriftReader) fields(read func(id int, typ byte)) {
	t.depth++
	defer func() { t.depth-- }()
	for id := 0; !t.bad && t.depth < 8; {
		head := t.take(1)
		if t.bad || head[0] == 0 {
			return
		}
		if delta := int(head[0] >> 4); delta > 0 {
			id += delta
		} else {
			id = int(t.varint())
		}
		read(id, head[0]&15)
	}
	t.bad = true
}

// skip passes over a value.
func (t *thriftReader) skip(typ byte) {
	switch typ {
	case thriftTrue, thriftFalse: // the type is the value
	case thriftByte:
		t.take(1)
	case thriftI16, thriftI32, thriftI64:
		t.varint()
	case thriftDouble:
		t.take(8)
	case thriftBinary:
		n, size := binary.Uvarint(t.data)
		t.take(max(size, 0))
		if t.bad = t.bad || size <= 0 || n > uint64(len(t.data)); !t.bad {
			t.take(int(n))
		}
	case thriftStruct:
		t.fields(func(_ int, typ byte) { t.skip(typ) })
	default:
		t.bad = true // page headers have no collections
	}
}

func (t *thriftReader) varint() int64 {
	v, size := binary.Varint(t.data)
	t.bad = t.bad || size <= 0
	t.take(max(size, 0))
	return v
}

// take returns the next n bytes.
func (t *thriftReader) take(n int) []byte {
	if t.bad || n > len(t.data) {
		t.bad = true
		return nil
	}
	b := t.data[:n]
	t.data = t.data[n:]
	return b
}
