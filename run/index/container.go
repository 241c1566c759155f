package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
)

// Kind is what the numbers of a section are. They are little-endian.
type Kind uint8

// The kinds of section.
const (
	Uint8 Kind = iota + 1
	Uint16
	Uint32
	Uint64
	Int64
)

var kindNames = [...]string{"", "uint8", "uint16", "uint32", "uint64", "int64"}

// String returns the kind's name.
func (k Kind) String() string {
	if k >= Uint8 && k <= Int64 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// size returns the bytes of one number.
func (k Kind) size() int { return [...]int{0, 1, 2, 4, 8, 8}[k] }

// The fixed parts of a container; see the package comment.
const (
	magic       = "samaidx\n"
	version     = 1
	align       = 64
	headerSize  = align
	trailerSize = align
	chunkSize   = 1 << 20 // bytes under one checksum
	maxSections = 1 << 20
	maxName     = math.MaxUint8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is one section of the directory.
type entry struct {
	name   string
	kind   Kind
	count  uint64 // numbers
	offset uint64
	sums   []uint32 // CRC-32C of each chunk, the padding behind the last included
}

func (e *entry) bytes() uint64 { return e.count * uint64(e.kind.size()) }

// padded returns the bytes up to where the next section begins.
func (e *entry) padded() uint64 { return roundUp(e.bytes()) }

func roundUp(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// chunks returns how many checksums cover n bytes.
func chunks(n uint64) uint64 { return (n + chunkSize - 1) / chunkSize }

// header returns the first bytes of every container.
func header() []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	return b
}

// checkHeader says whether a file is a container, and of this version.
func checkHeader(b []byte) error {
	if string(b[:8]) != magic {
		return errors.New("not an index file of sama")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != version {
		return fmt.Errorf("index format %d, this sama reads %d", v, version)
	}
	if string(b) != string(header()) {
		return errors.New("damaged header")
	}
	return nil
}

// appendEntry writes one entry of the directory.
func appendEntry(b []byte, e *entry) []byte {
	b = append(b, byte(e.kind), byte(len(e.name)))
	b = append(b, e.name...)
	b = binary.LittleEndian.AppendUint64(b, e.count)
	b = binary.LittleEndian.AppendUint64(b, e.offset)
	for _, sum := range e.sums {
		b = binary.LittleEndian.AppendUint32(b, sum)
	}
	return b
}

// trailer returns the last bytes of a container whose directory stands at
// offset.
func trailer(directory []byte, offset uint64) []byte {
	b := make([]byte, trailerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(directory, castagnoli))
	binary.LittleEndian.PutUint64(b[16:], offset)
	binary.LittleEndian.PutUint64(b[24:], uint64(len(directory)))
	binary.LittleEndian.PutUint64(b[32:], offset+uint64(len(directory))+trailerSize)
	binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
	return b
}

var errTruncated = errors.New("truncated, or not wholly written")

// checkTrailer returns where the directory stands in a file of that size.
func checkTrailer(b []byte, size uint64) (offset, length uint64, err error) {
	if string(b[:8]) != magic {
		return 0, 0, errTruncated
	}
	if crc32.Checksum(b[:60], castagnoli) != binary.LittleEndian.Uint32(b[60:]) {
		return 0, 0, errors.New("damaged trailer: its checksum differs")
	}
	offset, length = binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	if whole := binary.LittleEndian.Uint64(b[32:]); whole != size {
		return 0, 0, fmt.Errorf("%d bytes, %d were written", size, whole)
	}
	if offset < headerSize || offset > size-trailerSize || length != size-trailerSize-offset {
		return 0, 0, errors.New("damaged trailer: the directory lies outside the file")
	}
	return offset, length, nil
}

// parseDirectory reads the directory and verifies that its sections fill the
// file from the header to the directory, which stands at end.
func parseDirectory(b []byte, want uint32, end uint64) ([]entry, error) {
	if crc32.Checksum(b, castagnoli) != want {
		return nil, errors.New("damaged directory: its checksum differs")
	}
	var list []entry
	seen := make(map[string]bool)
	at := uint64(headerSize)
	for len(b) > 0 {
		e, rest, err := parseEntry(b, at, end)
		if err != nil {
			return nil, fmt.Errorf("damaged directory: section %d: %w", len(list)+1, err)
		}
		if seen[e.name] {
			return nil, fmt.Errorf("damaged directory: section %s is there twice", e.name)
		}
		seen[e.name] = true
		list = append(list, e)
		at += e.padded()
		b = rest
	}
	if at != end {
		return nil, fmt.Errorf("damaged directory: the sections end at byte %d, the directory begins at %d", at, end)
	}
	return list, nil
}

// parseEntry reads one entry, whose section begins at byte at.
func parseEntry(b []byte, at, end uint64) (e entry, rest []byte, err error) {
	if len(b) < 2 || len(b) < 2+int(b[1])+16 {
		return e, nil, errors.New("cut off")
	}
	e.kind = Kind(b[0])
	if e.kind < Uint8 || e.kind > Int64 {
		return e, nil, fmt.Errorf("unknown kind %d", b[0])
	}
	e.name = strings.Clone(string(b[2 : 2+int(b[1])]))
	b = b[2+len(e.name):]
	e.count = binary.LittleEndian.Uint64(b)
	e.offset = binary.LittleEndian.Uint64(b[8:])
	b = b[16:]
	if e.offset != at || e.count > end || e.padded() > end-at {
		return e, nil, fmt.Errorf("%s: %d numbers at byte %d lie outside the file", e.name, e.count, e.offset)
	}
	n := chunks(e.padded())
	if uint64(len(b)) < 4*n {
		return e, nil, fmt.Errorf("%s: cut off", e.name)
	}
	e.sums = make([]uint32, n)
	for i := range e.sums {
		e.sums[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return e, b[4*n:], nil
}
