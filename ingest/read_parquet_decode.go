package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// Decoders of the value encodings of Parquet. Each is told how many values
// there must be and fails if there are fewer, so that a short page is an error
// and never a page of leftovers.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

var (
	errShort   = errors.New("fewer values than the page header says")
	errDecoded = errors.New("the encoded values are damaged")
)

// pageValues are the non-null values of a page in physical form.
type pageValues struct {
	n     int
	data  []byte
	width int      // bytes a value; 0: a byte array
	spans []uint32 // byte arrays: value i is data[spans[2i]:spans[2i+1]]
}

func (v *pageValues) at(i int) []byte {
	if v.width > 0 {
		return v.data[i*v.width : (i+1)*v.width]
	}
	return v.data[v.spans[2*i]:v.spans[2*i+1]]
}

// decodeValues decodes n values of src. A boolean becomes a byte.
func decodeValues(v *pageValues, src []byte, n int, typ format.Type, width int, enc format.Encoding) error {
	v.n, v.width, v.spans = n, width, v.spans[:0]
	switch enc {
	case format.Plain, format.PlainDictionary: //lint:ignore SA1019 older writers use it
		switch typ {
		case format.Boolean:
			return v.plainBool(src)
		case format.ByteArray:
			return v.plainBytes(src)
		}
		if len(src) < n*width {
			return errShort
		}
		v.data = src[:n*width]
		return nil
	case format.RLE:
		if typ == format.Boolean {
			return v.rleBool(src)
		}
	case format.DeltaBinaryPacked:
		if typ == format.Int32 || typ == format.Int64 {
			return v.delta(src)
		}
	case format.DeltaLengthByteArray:
		if typ == format.ByteArray {
			return v.deltaLength(src)
		}
	case format.DeltaByteArray:
		if typ == format.ByteArray || typ == format.FixedLenByteArray {
			return v.deltaBytes(src)
		}
	case format.ByteStreamSplit:
		if typ != format.Boolean && typ != format.ByteArray {
			return v.streamSplit(src)
		}
	}
	return fmt.Errorf("encoding %v of %v is not supported", enc, typ)
}

func (v *pageValues) plainBool(src []byte) error {
	if len(src) < (v.n+7)/8 {
		return errShort
	}
	v.data = make([]byte, v.n)
	for i := range v.data {
		v.data[i] = src[i/8] >> (i % 8) & 1
	}
	return nil
}

func (v *pageValues) rleBool(src []byte) error {
	if len(src) < 4 {
		return errShort
	}
	size := binary.LittleEndian.Uint32(src)
	if uint64(size) > uint64(len(src)-4) {
		return errShort
	}
	v.data = make([]byte, v.n)
	return decodeLevels(v.data, src[4:4+size], 1)
}

func (v *pageValues) plainBytes(src []byte) error {
	if uint64(len(src)) < 4*uint64(v.n) {
		return errShort
	}
	v.data = src
	pos := 0
	for range v.n {
		if len(src)-pos < 4 {
			return errShort
		}
		size := int(binary.LittleEndian.Uint32(src[pos:]))
		pos += 4
		if size > len(src)-pos {
			return errShort
		}
		v.spans = append(v.spans, uint32(pos), uint32(pos+size))
		pos += size
	}
	return nil
}

func (v *pageValues) streamSplit(src []byte) error {
	if len(src) < v.n*v.width {
		return errShort
	}
	v.data = make([]byte, v.n*v.width)
	for b := range v.width {
		for i, c := range src[b*v.n : (b+1)*v.n] {
			v.data[i*v.width+b] = c
		}
	}
	return nil
}

func (v *pageValues) delta(src []byte) error {
	ints := make([]int64, v.n)
	if _, err := decodeDelta(ints, src); err != nil {
		return err
	}
	v.data = make([]byte, v.n*v.width)
	for i, x := range ints {
		if v.width == 4 {
			binary.LittleEndian.PutUint32(v.data[4*i:], uint32(x))
		} else {
			binary.LittleEndian.PutUint64(v.data[8*i:], uint64(x))
		}
	}
	return nil
}

func (v *pageValues) deltaLength(src []byte) error {
	sizes := make([]int64, v.n)
	used, err := decodeDelta(sizes, src)
	if err != nil {
		return err
	}
	v.data = src
	pos := int64(used)
	for _, size := range sizes {
		if size < 0 || size > int64(len(src))-pos {
			return errDecoded
		}
		v.spans = append(v.spans, uint32(pos), uint32(pos+size))
		pos += size
	}
	return nil
}

// deltaBytes decodes DELTA_BYTE_ARRAY: lengths of the prefixes shared with the
// value before, then the rests as DELTA_LENGTH_BYTE_ARRAY.
func (v *pageValues) deltaBytes(src []byte) error {
	prefixes := make([]int64, v.n)
	used, err := decodeDelta(prefixes, src)
	if err != nil {
		return err
	}
	rest := pageValues{n: v.n}
	if err := rest.deltaLength(src[used:]); err != nil {
		return err
	}
	fixed := v.width
	var data []byte
	var start, end uint32
	for i, prefix := range prefixes {
		if prefix < 0 || prefix > int64(end-start) {
			return errDecoded
		}
		suffix := rest.at(i)
		// Prefixes make the output larger than the page; a page holds 2 GiB.
		if int64(len(data))+prefix+int64(len(suffix)) > 1<<31-1 {
			return errDecoded
		}
		next := uint32(len(data))
		data = append(data, data[start:start+uint32(prefix)]...)
		data = append(data, suffix...)
		start, end = next, uint32(len(data))
		if fixed > 0 && int(end-start) != fixed {
			return errDecoded
		}
		v.spans = append(v.spans, start, end)
	}
	v.data = data
	return nil
}

// decodeDelta decodes DELTA_BINARY_PACKED into dst and returns the bytes used.
//
//	header   block size, miniblocks a block, number of values: uvarint; first value: zigzag
//	block    least delta: zigzag; a bit width a miniblock; miniblocks of packed deltas
func decodeDelta(dst []int64, src []byte) (used int, err error) {
	c := compact{data: src}
	block, minis, total := c.uvarint(), c.uvarint(), c.uvarint()
	value := c.varint()
	switch {
	case c.bad || block == 0 || block > 1<<20 || minis == 0 || minis > block || block%minis != 0 || (block/minis)%32 != 0:
		return 0, errDecoded
	case total != uint64(len(dst)):
		return 0, errShort
	case total == 0:
		return c.pos, nil
	}
	dst[0] = value
	perMini := int(block / minis)
	for i := 1; i < len(dst); {
		least := c.varint()
		widths := c.pos
		c.advance(int(minis))
		if c.bad {
			return 0, errShort
		}
		for m := 0; m < int(minis) && i < len(dst); m++ {
			width := int(src[widths+m])
			start := c.pos
			c.advance(perMini * width / 8)
			if width > 64 || c.bad {
				return 0, errShort
			}
			packed := src[start:c.pos]
			for k := 0; k < perMini && i < len(dst); k++ {
				value += least + int64(unpackBits(packed, k*width, width))
				dst[i] = value
				i++
			}
		}
	}
	return c.pos, nil
}

// unpackBits returns the width bits (up to 64) that start at bit position.
func unpackBits(b []byte, position, width int) uint64 {
	if width == 0 {
		return 0
	}
	i, shift := position/8, position%8
	var word [9]byte
	copy(word[:], b[i:])
	v := binary.LittleEndian.Uint64(word[:]) >> shift
	if shift > 0 {
		v |= uint64(word[8]) << (64 - shift)
	}
	return v & (^uint64(0) >> (64 - width))
}

// decodeHybrid decodes len(dst) values of the RLE/bit-packing hybrid.
func decodeHybrid(dst []uint32, src []byte, width int) error {
	if width > 32 {
		return errDecoded
	}
	c := compact{data: src}
	for i := 0; i < len(dst); {
		head := c.uvarint()
		count := head >> 1
		start := c.pos
		if head&1 == 0 { // a run of one value
			c.advance((width + 7) / 8)
			if c.bad || count == 0 {
				return errShort
			}
			var word [4]byte
			copy(word[:], src[start:c.pos])
			value := binary.LittleEndian.Uint32(word[:])
			n := int(min(count, uint64(len(dst)-i)))
			for k := i; k < i+n; k++ {
				dst[k] = value
			}
			i += n
			continue
		}
		// Groups of eight packed values. The last group may be padded with
		// values beyond the end, or cut short by writers that leave them out.
		n := len(dst) - i
		if count < uint64(n+7)/8 {
			n = int(count) * 8
		}
		size := (n*width + 7) / 8
		c.advance(size)
		if c.bad || count == 0 {
			return errShort
		}
		unpack32(dst[i:i+n], src[start:], width)
		i += n
	}
	return nil
}

// unpack32 unpacks values of width bits, up to 32.
func unpack32(dst []uint32, src []byte, width int) {
	mask := uint64(1)<<width - 1
	i, bit := 0, 0
	// Eight bytes at a time while they are there: bit%8 + 32 ≤ 39 bits needed.
	for ; i < len(dst) && bit/8+8 <= len(src); i++ {
		dst[i] = uint32(binary.LittleEndian.Uint64(src[bit/8:]) >> (bit % 8) & mask)
		bit += width
	}
	for ; i < len(dst); i++ {
		dst[i] = uint32(unpackBits(src, bit, width))
		bit += width
	}
}

// decodeLevels decodes len(dst) levels or booleans, none above highest.
func decodeLevels(dst []byte, src []byte, highest int) error {
	width := bits.Len(uint(highest))
	var part [1024]uint32
	if value, ok := oneRun(src, width, len(dst)); ok && value <= highest {
		for i := range dst {
			dst[i] = byte(value)
		}
		return nil
	}
	wide := part[:]
	if len(dst) > len(part) {
		wide = make([]uint32, len(dst))
	}
	wide = wide[:len(dst)]
	if err := decodeHybrid(wide, src, width); err != nil {
		return err
	}
	for i, v := range wide {
		if v > uint32(highest) {
			return errDecoded
		}
		dst[i] = byte(v)
	}
	return nil
}

// oneRun reports whether src is one run that covers n values of width 1 to 8
// bits, as the definition levels of a page without nulls are.
func oneRun(src []byte, width, n int) (value int, ok bool) {
	c := compact{data: src}
	head := c.uvarint()
	b := c.byte()
	return int(b), !c.bad && width <= 8 && head&1 == 0 && head>>1 >= uint64(n)
}
