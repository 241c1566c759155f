package index

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"sama/record"
)

// Writer writes one container, section by section, without holding any. After
// an error all calls do nothing, and Close returns it.
type Writer struct {
	out      *bufio.Writer
	at       uint64
	sections []entry
	names    map[string]bool
	open     bool // the last section takes more bytes
	fill     int  // bytes of its last chunk
	sum      uint32
	err      error
}

// NewWriter begins a container on w.
func NewWriter(w io.Writer) *Writer {
	c := &Writer{out: bufio.NewWriterSize(w, 1<<18), at: headerSize, names: make(map[string]bool)}
	_, c.err = c.out.Write(header())
	return c
}

// Uint8 writes a section of bytes.
func (w *Writer) Uint8(name string, v []uint8) { writeNumbers(w, name, Uint8, v) }

// Uint16 writes a section of numbers.
func (w *Writer) Uint16(name string, v []uint16) { writeNumbers(w, name, Uint16, v) }

// Uint32 writes a section of numbers.
func (w *Writer) Uint32(name string, v []uint32) { writeNumbers(w, name, Uint32, v) }

// Uint64 writes a section of numbers.
func (w *Writer) Uint64(name string, v []uint64) { writeNumbers(w, name, Uint64, v) }

// Int64 writes a section of numbers.
func (w *Writer) Int64(name string, v []int64) { writeNumbers(w, name, Int64, v) }

// Strings writes a list of strings as two sections, name.ends and name.text.
func (w *Writer) Strings(name string, s *record.Strings) {
	ends, text := s.Parts()
	w.Uint32(name+endsSuffix, ends)
	w.Uint8(name+textSuffix, bytesOfText(text))
}

// The two sections of a list of strings.
const (
	endsSuffix = ".ends"
	textSuffix = ".text"
)

// Section writes a section as it was made.
func (w *Writer) Section(s Section) {
	switch v := s.data.(type) {
	case []uint8:
		w.Uint8(s.name, v)
	case []uint16:
		w.Uint16(s.name, v)
	case []uint32:
		w.Uint32(s.name, v)
	case []uint64:
		w.Uint64(s.name, v)
	case []int64:
		w.Int64(s.name, v)
	case record.Strings:
		w.Strings(s.name, &v)
	default: // the zero Section
		w.fail(errors.New("a section without a name"))
	}
}

func writeNumbers[T uint8 | uint16 | uint32 | uint64 | int64](w *Writer, name string, kind Kind, v []T) {
	w.begin(name, kind)
	if littleEndian || kind == Uint8 {
		w.append(bytesOf(v))
	} else {
		for part := range slices.Chunk(v, chunkSize/8) {
			swapped := slices.Clone(bytesOf(part))
			swap(swapped, kind.size())
			w.append(swapped)
		}
	}
	w.end()
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// begin starts a section whose bytes append writes.
func (w *Writer) begin(name string, kind Kind) {
	switch {
	case name == "" || len(name) > maxName:
		w.fail(fmt.Errorf("section name %q: want 1 to %d bytes", name, maxName))
	case w.names[name]:
		w.fail(fmt.Errorf("section %s is there twice", name))
	case w.open:
		w.fail(fmt.Errorf("section %s begins inside another", name))
	case len(w.sections) == maxSections:
		w.fail(fmt.Errorf("more than %d sections", maxSections))
	}
	w.names[name] = true
	w.sections = append(w.sections, entry{name: name, kind: kind, offset: w.at})
	w.open, w.fill, w.sum = true, 0, 0
}

// append writes more bytes of the section.
func (w *Writer) append(p []byte) {
	e := &w.sections[len(w.sections)-1]
	e.count += uint64(len(p)) / uint64(e.kind.size())
	w.put(p)
}

func (w *Writer) put(p []byte) {
	e := &w.sections[len(w.sections)-1]
	for len(p) > 0 && w.err == nil {
		n := min(len(p), chunkSize-w.fill)
		w.sum = crc32.Update(w.sum, castagnoli, p[:n])
		if _, err := w.out.Write(p[:n]); err != nil {
			w.fail(err)
		}
		w.at += uint64(n)
		if w.fill += n; w.fill == chunkSize {
			e.sums = append(e.sums, w.sum)
			w.fill, w.sum = 0, 0
		}
		p = p[n:]
	}
}

// end ends the section.
func (w *Writer) end() {
	w.put(make([]byte, roundUp(w.at)-w.at))
	if w.fill > 0 {
		e := &w.sections[len(w.sections)-1]
		e.sums = append(e.sums, w.sum)
	}
	w.open = false
}

// Close writes the directory and returns the first error of all calls.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	var directory []byte
	for i := range w.sections {
		directory = appendEntry(directory, &w.sections[i])
	}
	w.out.Write(directory)
	w.out.Write(trailer(directory, w.at))
	w.err = w.out.Flush()
	if w.err == nil {
		w.err = errClosed
		return nil
	}
	return w.err
}

var errClosed = errors.New("the index file is closed already")

// Written is a file as it was written.
type Written struct {
	Name   string // of the file, without its folder
	Bytes  int64
	SHA256 string // hexadecimal
}

// FileWriter is a Writer on a file of its own.
type FileWriter struct {
	*Writer
	file *os.File
	sums *summer
}

// Create begins a container in a new file.
func Create(path string) (*FileWriter, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	sums := &summer{w: f, hash: sha256.New()}
	return &FileWriter{NewWriter(sums), f, sums}, nil
}

// Finish ends the container, syncs it to disk and says what was written. A file
// that could not be written whole is removed.
func (f *FileWriter) Finish() (Written, error) {
	err := f.Close()
	if err == nil {
		err = f.file.Sync()
	}
	if err = errors.Join(err, f.file.Close()); err != nil {
		return Written{}, errors.Join(fmt.Errorf("%s: %w", f.file.Name(), err), os.Remove(f.file.Name()))
	}
	return Written{filepath.Base(f.file.Name()), f.sums.size, hex.EncodeToString(f.sums.hash.Sum(nil))}, nil
}

// summer hashes what it hands on. SHA-256 takes about as long as writing does,
// so what is long enough is hashed meanwhile.
type summer struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

func (s *summer) Write(p []byte) (int, error) {
	if len(p) < 1<<16 {
		s.hash.Write(p)
		n, err := s.w.Write(p)
		s.size += int64(n)
		return n, err
	}
	done := make(chan struct{})
	go func() {
		s.hash.Write(p)
		close(done)
	}()
	n, err := s.w.Write(p)
	s.size += int64(n)
	<-done
	return n, err
}
