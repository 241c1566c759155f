package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Texts is a list of strings by number. *record.Strings is one.
type Texts interface {
	Len() int
	At(i uint32) string
}

// finder finds a text in a list: the texts by buckets of the upper bits of their
// hash, in each bucket by number. An entry is the text's number and the lowest
// byte of its hash, so that few texts are compared that are not the one.
//
//	name.find.starts  bucket → its first entry; one more at the end
//	name.find.rows    entry → number, tag
type finder struct {
	starts  []uint32
	entries rows
	number  field
	tag     field
	shift   uint8 // bits of a hash below those that tell the bucket
}

const (
	findSuffix    = ".find"
	startsSuffix  = ".starts"
	recordsSuffix = ".records"
)

// finder returns the finder of a list of n texts.
func (f *File) finder(name string, n int) (x finder, err error) {
	name += findSuffix
	if x.starts, err = f.Uint32(name + startsSuffix); err != nil {
		return x, err
	}
	buckets := len(x.starts) - 1
	if buckets < 1 || buckets&(buckets-1) != 0 || x.starts[0] != 0 || int(x.starts[buckets]) > n {
		return x, fmt.Errorf("%s: section %s: %d buckets of %d texts", f.name, name, buckets, n)
	}
	x.shift = uint8(64 - bits.TrailingZeros(uint(buckets)))
	var fields []field
	if x.entries, fields, err = f.rows(name, int(x.starts[buckets]), 2); err == nil {
		x.number, x.tag = fields[0], fields[1]
	}
	return x, err
}

// find returns the smallest number that has that text.
func (x *finder) find(texts Texts, text string) (uint32, bool) {
	h := hashText(text)
	bucket := h >> x.shift // a shift of 64 leaves bucket 0
	tag := h & 0xff
	for i := x.starts[bucket]; i < x.starts[bucket+1]; i++ {
		if x.entries.get(x.tag, i) != tag {
			continue
		}
		if n := uint32(x.entries.get(x.number, i)); texts.At(n) == text {
			return n, true
		}
	}
	return 0, false
}

// writeFinder writes the finder of the texts from number first on.
func writeFinder(w *Writer, name string, texts Texts, first int) {
	name += findSuffix
	n := texts.Len()
	entries := max(0, n-first)
	buckets := 1 // so many that each holds four to eight texts
	for buckets*8 <= entries {
		buckets *= 2
	}
	shift := 64 - bits.TrailingZeros(uint(buckets))
	hashes := make([]uint64, entries)
	starts := make([]uint32, buckets+1)
	for i := range hashes {
		hashes[i] = hashText(texts.At(uint32(first + i)))
		starts[hashes[i]>>shift+1]++
	}
	for b := range buckets {
		starts[b+1] += starts[b]
	}
	w.Uint32(name+startsSuffix, starts)
	widths := []uint8{uint8(bits.Len(uint(max(0, n-1)))), 8}
	w.Uint8(name+bitsSuffix, widths)
	fields, stride := fieldsOf(widths)
	data := make([]byte, entries*stride+slack)
	number, tag := block{data, stride, fields[0]}, block{data, stride, fields[1]}
	for i, h := range hashes {
		at := int(starts[h>>shift])
		starts[h>>shift]++
		number.put(at, uint64(first+i))
		tag.put(at, h&0xff)
	}
	w.Uint8(name+rowsSuffix, data)
}

// hashText is 64 bits of a text: its words of eight bytes, little-endian, the last
// filled up with zeros, each folded into what came before by a product of 128
// bits, beginning with the length. (The step is that of wyhash,
// https://github.com/wangyi-fudan/wyhash.)
func hashText(s string) uint64 {
	b := bytesOfText(s)
	h := uint64(len(s)) * 0x9e3779b97f4a7c15
	for len(b) >= 8 {
		h = fold(h ^ binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	var last uint64
	if len(b) >= 4 {
		last = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<(8*(len(b)-4))
	} else {
		for i, c := range b {
			last |= uint64(c) << (8 * i)
		}
	}
	return fold(fold(h^last) ^ 0xa0761d6478bd642f)
}

func fold(x uint64) uint64 {
	hi, lo := bits.Mul64(x, 0xe7037ed1a0b428db)
	return hi ^ lo
}
