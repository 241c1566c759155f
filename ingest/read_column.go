package ingest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"sama/record"
)

// rawBuilder collects the codes and texts of one column of one file.
//
// Values that come again are found in a small direct-mapped cache, so that a
// column of few distinct values keeps few texts; a column of many keeps a text
// a row, because finding each of them again would cost more than it saves.
type rawBuilder struct {
	name  string
	list  bool
	codes []uint32
	text  record.StringsBuilder
	bytes int // of the texts
	cache []cachedText

	repaired map[uint32]string // code → what was wrong with its text; a code of empty text ends as null
	maxCell  int
	scratch  []byte
	tooMuch  bool // the texts exceed what a column can hold
}

// cachedText is a text of up to 24 bytes, zero padded. Stored texts hold no
// NUL, so that equal words mean equal texts.
type cachedText struct {
	words [3]uint64
	code  uint32
}

const (
	cacheBits    = 12
	maxCacheText = 24
)

func newRawBuilder(name string, maxCell int) *rawBuilder {
	b := &rawBuilder{name: name, maxCell: maxCell}
	b.text.Append("")
	return b
}

// code returns the code of a text. Empty text is null. The text is copied.
func (b *rawBuilder) code(s []byte) uint32 {
	if len(s) == 0 {
		return 0
	}
	if len(s) > b.maxCell {
		return b.append(nil, fmt.Sprintf("value of %d bytes; the limit is %d: taken as null", len(s), b.maxCell))
	}
	if bytes.IndexByte(s, 0) >= 0 || !utf8.Valid(s) {
		return b.append(b.repair(s))
	}
	if len(s) > maxCacheText {
		return b.append(s, "")
	}
	var key [maxCacheText]byte
	copy(key[:], s)
	w0 := binary.LittleEndian.Uint64(key[0:])
	w1 := binary.LittleEndian.Uint64(key[8:])
	w2 := binary.LittleEndian.Uint64(key[16:])
	if b.cache == nil {
		b.cache = make([]cachedText, 1<<cacheBits)
	}
	h := (w0*0x9E3779B97F4A7C15 ^ w1*0xC2B2AE3D27D4EB4F ^ w2*0x165667B19E3779F9)
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	slot := &b.cache[h>>(64-cacheBits)]
	if slot.words[0] == w0 && slot.words[1] == w1 && slot.words[2] == w2 {
		return slot.code
	}
	code := b.append(s, "")
	*slot = cachedText{[3]uint64{w0, w1, w2}, code}
	return code
}

// reserve makes room for a column as much larger than what it holds so far as
// factor says, where the column is not one of few values.
func (b *rawBuilder) reserve(factor float64) {
	rows := int(float64(len(b.codes)) * factor)
	b.codes = append(make([]uint32, 0, rows), b.codes...)
	if texts := b.text.Len(); 4*texts > len(b.codes) {
		b.text.Grow(int(float64(texts)*factor)-texts, int(float64(b.bytes)*factor)-b.bytes)
	}
}

func (b *rawBuilder) append(s []byte, reason string) uint32 {
	b.bytes += len(s)
	code, err := b.text.Append(unsafe.String(unsafe.SliceData(s), len(s)))
	if err != nil {
		b.tooMuch = true
		return 0
	}
	if reason != "" {
		if b.repaired == nil {
			b.repaired = make(map[uint32]string)
		}
		b.repaired[code] = reason
	}
	return code
}

// repair returns s without NUL bytes and with U+FFFD in place of each run of
// bytes that are not UTF-8, and what was wrong.
func (b *rawBuilder) repair(s []byte) ([]byte, string) {
	reason := "invalid UTF-8, replaced by U+FFFD"
	if bytes.IndexByte(s, 0) >= 0 {
		reason = "NUL byte, taken out"
		if !utf8.Valid(s) {
			reason = "NUL byte, taken out; invalid UTF-8, replaced by U+FFFD"
		}
	}
	b.scratch = append(b.scratch[:0], bytes.ToValidUTF8(s, []byte("\uFFFD"))...)
	out := b.scratch[:0]
	for _, c := range b.scratch {
		if c != 0 {
			out = append(out, c)
		}
	}
	return out, reason
}

// finish returns the column, and reports the rows whose values were repaired.
// dataRow turns a row of the column into a data row of the file. repaired is
// the number of those rows.
func (b *rawBuilder) finish(kind Kind, rej *rejects, dataRow func(int) int64) (c RawColumn, repaired int, err error) {
	if b.tooMuch {
		return RawColumn{}, 0, fmt.Errorf("column %s: %w; split the file", b.name, record.ErrTooMuchText)
	}
	c = RawColumn{Name: b.name, Codes: b.codes, Values: b.text.Build(), List: b.list, Kind: kind}
	if len(b.repaired) > 0 {
		for row, code := range b.codes {
			if reason, ok := b.repaired[code]; ok {
				repaired++
				rej.add(dataRow(row), b.name, reason, c.Values.At(code))
				if c.Values.At(code) == "" {
					c.Codes[row] = 0
				}
			}
		}
	}
	b.cache, b.repaired = nil, nil
	return c, repaired, nil
}
