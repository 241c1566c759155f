package run

import (
	"hash/maphash"
	"math/bits"

	"sama/record"
)

// textIndex finds a text in a list. It is an open hash table at most half full:
// the upper half of a slot is the upper half of the text's hash, the lower half
// its number plus 1, 0 where it is free.
type textIndex struct {
	all   *record.Strings
	group []uint16 // text → a number that belongs to it; nil: 0 for all
	slots []uint64
}

// hashSeed orders the slots, which nothing that is put out depends on.
var hashSeed = maphash.MakeSeed()

// spread makes the hash of one text differ by group: an odd constant, 2⁶⁴/φ.
const spread = 0x9e3779b97f4a7c15

func hashText(group uint16, text string) uint64 {
	return maphash.String(hashSeed, text) ^ uint64(group)*spread
}

func hashBytes(group uint16, text []byte) uint64 {
	return maphash.Bytes(hashSeed, text) ^ uint64(group)*spread
}

// newTextIndex indexes all texts, each under its group. Of several equal ones
// the first is found; repeated is the number of the first that repeats another,
// or NoRecord.
func newTextIndex(all *record.Strings, group []uint16) (x *textIndex, repeated uint32) {
	n := all.Len()
	x = &textIndex{all: all, group: group, slots: make([]uint64, 1<<bits.Len(uint(2*n)))}
	repeated = NoRecord
	mask := uint64(len(x.slots) - 1)
	for i := range uint32(n) {
		g := x.groupOf(i)
		h := hashText(g, all.At(i))
		at := h & mask
		for ; x.slots[at] != 0; at = (at + 1) & mask {
			if s := x.slots[at]; s>>32 == h>>32 && x.groupOf(uint32(s)-1) == g && all.At(uint32(s)-1) == all.At(i) {
				repeated = min(repeated, i)
				break
			}
		}
		if x.slots[at] == 0 {
			x.slots[at] = h>>32<<32 | uint64(i+1)
		}
	}
	return x, repeated
}

func (x *textIndex) groupOf(i uint32) uint16 {
	if x.group == nil {
		return 0
	}
	return x.group[i]
}

// find returns the number of a text of a group, NoRecord if it is not there.
func (x *textIndex) find(group uint16, text []byte) uint32 {
	return x.findHash(hashBytes(group, text), group, text)
}

// findHash is find of a text with that hash.
func (x *textIndex) findHash(h uint64, group uint16, text []byte) uint32 {
	mask := uint64(len(x.slots) - 1)
	for at := h & mask; x.slots[at] != 0; at = (at + 1) & mask {
		s := x.slots[at]
		if i := uint32(s) - 1; s>>32 == h>>32 && x.groupOf(i) == group && x.all.At(i) == string(text) {
			return i
		}
	}
	return NoRecord
}
