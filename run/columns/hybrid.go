package columns

import (
	"encoding/binary"
	"math/bits"
)

// appendLevels appends repetition or definition levels as a version 1 page
// holds them: the byte length, then the hybrid encoding.
func appendLevels(dst []byte, levels []uint8, most uint8) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendHybrid(dst, levels, bits.Len8(most))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendHybrid appends vals, each of width bits, in Parquet's RLE/bit-packing
// hybrid: runs of one value as (length<<1, value), everything else as
// (groups<<1|1, groups of eight values bit-packed from the lowest bit up).
func appendHybrid[T uint8 | uint32](dst []byte, vals []T, width int) []byte {
	for i := 0; i < len(vals); {
		if run := runLength(vals[i:]); run >= 8 || run == len(vals)-i {
			dst = binary.AppendUvarint(dst, uint64(run)<<1)
			for b := 0; b < width; b += 8 {
				dst = append(dst, byte(uint32(vals[i])>>b))
			}
			i += run
			continue
		}
		// Whole groups of eight until a run that is worth a header of its own.
		end := i + 8
		for end < len(vals) && !runAtLeast(vals[end:], 16) {
			end += 8
		}
		end = min(end, len(vals))
		groups := (end - i + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = appendPacked(dst, vals[i:end], width, groups*width)
		i = end
	}
	return dst
}

// runLength returns how often the first value is repeated.
func runLength[T uint8 | uint32](vals []T) int {
	n := 1
	for n < len(vals) && vals[n] == vals[0] {
		n++
	}
	return n
}

// runAtLeast reports whether the first n values are equal.
func runAtLeast[T uint8 | uint32](vals []T, n int) bool {
	if len(vals) < n {
		return false
	}
	for _, v := range vals[1:n] {
		if v != vals[0] {
			return false
		}
	}
	return true
}

// appendPacked appends vals of width bits each, filled up with zeros to size
// bytes.
func appendPacked[T uint8 | uint32](dst []byte, vals []T, width, size int) []byte {
	want := len(dst) + size
	var word uint64
	held := 0
	for _, v := range vals {
		word |= uint64(v) << held
		if held += width; held >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word >>= 32
			held -= 32
		}
	}
	for ; len(dst) < want; word >>= 8 {
		dst = append(dst, byte(word))
	}
	return dst
}
