package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"sama/record"
)

// File is an opened container. Its sections are memory of the file itself: they
// must not be changed, and none may be used after Close.
type File struct {
	path     string
	name     string // of the file, without its folder
	data     []byte
	unmap    func() error
	sections []entry
	byName   map[string]int
}

// Open maps a container into memory and verifies every byte of it against the
// checksums. The error names the section that is damaged.
func Open(path string) (*File, error) {
	f := &File{path: path, name: filepath.Base(path), byName: make(map[string]int)}
	if err := f.open(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *File) open(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err) // the path is said already
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	size := stat.Size()
	if !stat.Mode().IsRegular() {
		return errors.New("not a file")
	}
	if err := f.readDirectory(file, size); err != nil {
		return err
	}
	// The checksums are taken of what is read, not of what is mapped: a disk that
	// cannot read is an error here, and a signal there.
	if err := f.verify(file); err != nil {
		return err
	}
	if f.data, f.unmap, err = load(file, size); err != nil {
		return err
	}
	if stat, err = file.Stat(); err == nil && (stat.Size() != size || int64(len(f.data)) != size) {
		err = errTruncated
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if !littleEndian {
		for i := range f.sections {
			e := &f.sections[i]
			swap(f.data[e.offset:e.offset+e.bytes()], e.kind.size())
		}
	}
	return nil
}

// readDirectory finds the sections.
func (f *File) readDirectory(file io.ReaderAt, size int64) error {
	first := make([]byte, headerSize)
	n, err := file.ReadAt(first, 0)
	if n < len(first) {
		if err == nil || errors.Is(err, io.EOF) {
			err = errTruncated
		}
		return err
	}
	if err := checkHeader(first); err != nil {
		return err
	}
	if size < headerSize+trailerSize {
		return errTruncated
	}
	last := make([]byte, trailerSize)
	if _, err := file.ReadAt(last, size-trailerSize); err != nil {
		return err
	}
	offset, length, err := checkTrailer(last, uint64(size))
	if err != nil {
		return err
	}
	directory := make([]byte, length)
	if _, err := file.ReadAt(directory, int64(offset)); err != nil {
		return err
	}
	f.sections, err = parseDirectory(directory, binary.LittleEndian.Uint32(last[12:]), offset)
	for i := range f.sections {
		f.byName[f.sections[i].name] = i
	}
	return err
}

// verify reads all sections and compares the checksums, several chunks at a
// time. Of several errors it returns that of the first section.
func (f *File) verify(file io.ReaderAt) error {
	type chunk struct{ section, number int }
	var all []chunk
	for s := range f.sections {
		for n := range f.sections[s].sums {
			all = append(all, chunk{s, n})
		}
	}
	errs := make([]error, len(all))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(all), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			buf := make([]byte, chunkSize)
			for {
				n := int(next.Add(1)) - 1
				if n >= len(all) {
					return
				}
				errs[n] = f.sections[all[n].section].verify(file, all[n].number, buf)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// verify compares one chunk of a section with its checksum.
func (e *entry) verify(file io.ReaderAt, number int, buf []byte) error {
	from := uint64(number) * chunkSize
	buf = buf[:min(chunkSize, e.padded()-from)]
	if n, err := file.ReadAt(buf, int64(e.offset+from)); n < len(buf) {
		return fmt.Errorf("section %s: %w", e.name, err)
	}
	if crc32.Checksum(buf, castagnoli) != e.sums[number] {
		return fmt.Errorf("section %s is damaged: bytes %d to %d of the file are not those that were written (CRC differs)",
			e.name, e.offset+from, e.offset+from+uint64(len(buf))-1)
	}
	return nil
}

// Close gives the memory back.
func (f *File) Close() error {
	unmap := f.unmap
	f.data, f.unmap, f.sections, f.byName = nil, nil, nil, nil
	if unmap == nil {
		return nil
	}
	return unmap()
}

// SectionInfo describes a section.
type SectionInfo struct {
	Name  string
	Kind  Kind
	Count int // numbers
	Bytes int
}

// Sections returns all sections in the order in which they were written.
func (f *File) Sections() []SectionInfo {
	list := make([]SectionInfo, len(f.sections))
	for i := range f.sections {
		e := &f.sections[i]
		list[i] = SectionInfo{e.name, e.kind, int(e.count), int(e.bytes())}
	}
	return list
}

// Has reports whether there is a section, or a list of strings, of that name.
func (f *File) Has(name string) bool {
	_, plain := f.byName[name]
	_, list := f.byName[name+endsSuffix]
	return plain || list
}

// Uint8 returns a section of bytes. A section that is missing or of another
// kind is an error, here and in the methods below.
func (f *File) Uint8(name string) ([]uint8, error) { return numbers[uint8](f, name, Uint8) }

// Uint16 returns a section of numbers.
func (f *File) Uint16(name string) ([]uint16, error) { return numbers[uint16](f, name, Uint16) }

// Uint32 returns a section of numbers.
func (f *File) Uint32(name string) ([]uint32, error) { return numbers[uint32](f, name, Uint32) }

// Uint64 returns a section of numbers.
func (f *File) Uint64(name string) ([]uint64, error) { return numbers[uint64](f, name, Uint64) }

// Int64 returns a section of numbers.
func (f *File) Int64(name string) ([]int64, error) { return numbers[int64](f, name, Int64) }

// Strings returns a list of strings.
func (f *File) Strings(name string) (record.Strings, error) {
	ends, err := f.Uint32(name + endsSuffix)
	if err != nil {
		return record.Strings{}, err
	}
	text, err := f.Uint8(name + textSuffix)
	if err != nil {
		return record.Strings{}, err
	}
	s, err := record.StringsFrom(ends, textOf(text))
	if err != nil {
		return s, fmt.Errorf("%s: section %s: %w", f.name, name, err)
	}
	return s, nil
}

func numbers[T uint8 | uint16 | uint32 | uint64 | int64](f *File, name string, kind Kind) ([]T, error) {
	i, ok := f.byName[name]
	if !ok {
		return nil, fmt.Errorf("%s: no section %s", f.name, name)
	}
	e := &f.sections[i]
	if e.kind != kind {
		return nil, fmt.Errorf("%s: section %s holds %v, where %v belongs", f.name, name, e.kind, kind)
	}
	if e.count == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&f.data[e.offset])), e.count), nil
}
