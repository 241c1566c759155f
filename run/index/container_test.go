package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sama/record"

	"pgregory.net/rapid"
)

// sections are what a container is made of in the tests.
type sections struct {
	a []uint8
	b []uint16
	c []uint32
	d []uint64
	e []int64
	s []string
}

func (s *sections) strings() record.Strings {
	var b record.StringsBuilder
	for _, text := range s.s {
		b.Append(text)
	}
	return b.Build()
}

func (s *sections) write(w *Writer) {
	w.Uint8("a", s.a)
	w.Uint16("b", s.b)
	w.Uint32("c", s.c)
	list := s.strings()
	w.Strings("s", &list)
	w.Uint64("d", s.d)
	w.Int64("e", s.e)
}

func drawSections(t *rapid.T) *sections {
	return &sections{
		rapid.SliceOf(rapid.Uint8()).Draw(t, "a"), rapid.SliceOf(rapid.Uint16()).Draw(t, "b"), rapid.SliceOf(rapid.Uint32()).Draw(t, "c"),
		rapid.SliceOf(rapid.Uint64()).Draw(t, "d"), rapid.SliceOf(rapid.Int64()).Draw(t, "e"), rapid.SliceOf(rapid.String()).Draw(t, "s"),
	}
}

func (s *sections) equal(t interface{ Fatalf(string, ...any) }, f *File) {
	a, err1 := f.Uint8("a")
	b, err2 := f.Uint16("b")
	c, err3 := f.Uint32("c")
	d, err4 := f.Uint64("d")
	e, err5 := f.Int64("e")
	list, err6 := f.Strings("s")
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatalf("%v", err)
	}
	if !slices.Equal(a, s.a) || !slices.Equal(b, s.b) || !slices.Equal(c, s.c) || !slices.Equal(d, s.d) || !slices.Equal(e, s.e) {
		t.Fatalf("other numbers: %v %v %v %v %v, want %v", a, b, c, d, e, s)
	}
	for i, want := range s.s {
		if list.Len() != len(s.s) || list.At(uint32(i)) != want {
			t.Fatalf("other strings than %q", s.s)
		}
	}
}

// writeContainer writes a new file and verifies what is said of it.
func writeContainer(t interface{ Fatal(...any) }, path string, s *sections) {
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s.write(w.Writer)
	got, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if want := (Written{filepath.Base(path), int64(len(text)), hex.EncodeToString(sum[:])}); got != want {
		t.Fatal(got, "was written, want", want)
	}
}

func TestSectionsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, path := drawSections(t), filepath.Join(tempDir(t), "x")
		writeContainer(t, path, s)
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s.equal(t, f)
		for _, info := range f.Sections() {
			if e := f.sections[f.byName[info.Name]]; e.offset%align != 0 {
				t.Fatalf("section %s begins at byte %d", info.Name, e.offset)
			}
		}
	})
}

// TestLargeSectionsComeBack has sections of several chunks, and ends at the very
// end of one.
func TestLargeSectionsComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 17} {
		s := &sections{a: make([]uint8, n), d: make([]uint64, n/8)}
		for i := range s.a {
			s.a[i] = uint8(r.Uint32())
		}
		for i := range s.d {
			s.d[i] = r.Uint64()
		}
		path := filepath.Join(t.TempDir(), "x")
		writeContainer(t, path, s)
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		s.equal(t, f)
		f.Close()
	}
}

// TestOtherByteOrder writes and reads as a big-endian machine does.
func TestOtherByteOrder(t *testing.T) {
	s := &sections{[]uint8{1, 2, 3}, []uint16{1, 0x102}, []uint32{0x1020304}, []uint64{0x102030405060708}, []int64{-2, 3}, []string{"a", "bc"}}
	path := filepath.Join(t.TempDir(), "x")
	littleEndian = !littleEndian
	defer func() { littleEndian = !littleEndian }()
	writeContainer(t, path, s)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s.equal(t, f)
	f.Close()
}

// damaged opens changed bytes of a file and returns the error.
func damaged(t *testing.T, path string, text []byte) error {
	t.Helper()
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err == nil {
		f.Close()
	} else if !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
	return err
}

func TestDamageIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	s := &sections{[]uint8("the first section"), []uint16{1, 2, 3}, make([]uint32, 200), []uint64{1}, []int64{-1}, []string{"abc", "", "ä"}}
	writeContainer(t, path, s)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := damaged(t, path, text); err != nil {
		t.Fatal(err)
	}
	for at := range text {
		bad := bytes.Clone(text)
		bad[at] ^= 1 << (at % 8)
		if damaged(t, path, bad) == nil {
			t.Errorf("byte %d changed: no error", at)
		}
	}
	for n := range text {
		if damaged(t, path, text[:n]) == nil {
			t.Errorf("cut after %d bytes: no error", n)
		}
	}
	for _, more := range [][]byte{{0}, make([]byte, 64), text} {
		if damaged(t, path, append(bytes.Clone(text), more...)) == nil {
			t.Errorf("%d bytes more: no error", len(more))
		}
	}
	bad := bytes.Clone(text)
	bad[headerSize] ^= 1
	if err := damaged(t, path, bad); !strings.Contains(err.Error(), "section a is damaged: bytes 64 to 127") {
		t.Errorf("damage in the first section: %v", err)
	}
	bad = bytes.Clone(text)
	bad[8] = version + 1
	if err := damaged(t, path, bad); !strings.Contains(err.Error(), "format 2, this sama reads 1") {
		t.Errorf("another version: %v", err)
	}
	if err := damaged(t, path, []byte(strings.Repeat("PAR1", 100))); !strings.Contains(err.Error(), "not an index file") {
		t.Errorf("another kind of file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder: no error")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestForgedDirectory gives directories whose checksums are right and whose
// sections lie elsewhere.
func TestForgedDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for name, e := range map[string]entry{
		"too long":       {"a", Uint64, 1 << 40, headerSize, nil},
		"overflowing":    {"a", Uint64, 1 << 61, headerSize, nil},
		"elsewhere":      {"a", Uint8, 1, 0, []uint32{0}},
		"unknown kind":   {"a", 9, 0, headerSize, nil},
		"not to the end": {"a", Uint8, 0, headerSize, nil},
	} {
		body := append(header(), make([]byte, align)...)
		var directory []byte
		if e.kind == 9 {
			directory = append([]byte{9, 1, 'a'}, make([]byte, 16)...)
		} else {
			directory = appendEntry(nil, &e)
		}
		file := append(append(body, directory...), trailer(directory, uint64(len(body)))...)
		if err := damaged(t, path, file); err == nil || !strings.Contains(err.Error(), "directory") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRandomDirectoriesNeverPanic parses what no writer wrote.
func TestRandomDirectoriesNeverPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Uint8Range(0, 6)).Draw(t, "directory")
		_, _, _ = parseEntry(b, rapid.Uint64Range(0, 1<<20).Draw(t, "at"), 1<<20)
	})
}

func TestWriterRefuses(t *testing.T) {
	for name, write := range map[string]func(w *Writer){
		"a name twice":   func(w *Writer) { w.Uint8("a", nil); w.Uint8("a", nil) },
		"no name":        func(w *Writer) { w.Uint8("", nil) },
		"a long name":    func(w *Writer) { w.Uint8(strings.Repeat("a", 256), nil) },
		"an empty value": func(w *Writer) { w.Section(Section{}) },
	} {
		w := NewWriter(io.Discard)
		write(w)
		w.Uint32("more", make([]uint32, 100))
		if w.Close() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	path := filepath.Join(t.TempDir(), "x")
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w.Uint8("", nil)
	if _, err := w.Finish(); err == nil {
		t.Error("finished in spite of an error")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file that was not written whole stays")
	}
	full := errors.New("no space left on device")
	w2 := NewWriter(failing{full})
	w2.Uint8("a", make([]uint8, 1<<20))
	if err := w2.Close(); !errors.Is(err, full) {
		t.Errorf("full disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestSectionsOfAnIndexAreNeeded leaves out one section after the other and
// gives each another kind.
func TestSectionsOfAnIndexAreNeeded(t *testing.T) {
	dir := t.TempDir()
	if _, err := Build(dir, sampleInput(), 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{identitiesFile, recordsFile, valuesFile} {
		f, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, skip := range f.Sections() {
			for _, how := range []string{"left out", "of another kind", "longer"} {
				other := t.TempDir()
				copyBut(t, dir, other, name, skip.Name, how)
				x, err := OpenIndex(other)
				if err == nil {
					x.Close()
					if how == "longer" && (strings.HasSuffix(skip.Name, textSuffix) || skip.Count == 0 || skip.Name == "rules"+endsSuffix) {
						continue
					}
					if how == "left out" && strings.HasSuffix(skip.Name, ".with"+startsSuffix) {
						continue // a column without postings
					}
					t.Errorf("%s: section %s %s: no error", name, skip.Name, how)
				}
			}
		}
		f.Close()
	}
}

// copyBut copies an index but for one section.
func copyBut(t *testing.T, from, to, file, section, how string) {
	for _, name := range []string{identitiesFile, recordsFile, valuesFile, extraFile} {
		if name != file {
			if err := os.Link(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := Open(filepath.Join(from, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, e := range f.sections {
		data := f.data[e.offset : e.offset+e.bytes()]
		if e.name == section {
			switch how {
			case "left out":
				continue
			case "longer":
				data = append(bytes.Clone(data), make([]byte, e.kind.size())...)
			case "of another kind":
				e.kind = map[Kind]Kind{Uint8: Uint16, Uint16: Uint8, Uint32: Uint8, Uint64: Int64, Int64: Uint64}[e.kind]
				data = data[:len(data)/2*2]
			default: // the byte to be changed
				at, err := strconv.Atoi(how)
				if err != nil {
					t.Fatal(err)
				}
				data = bytes.Clone(data)
				data[at] ^= 1 << (at % 8)
			}
		}
		w.begin(e.name, e.kind)
		w.append(data)
		w.end()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, file), out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestIndexOfAnotherRun(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	in := sampleInput()
	if _, err := Build(a, in, 1); err != nil {
		t.Fatal(err)
	}
	ids := make(texts, in.IDs.Len())
	for i := range ids {
		ids[i] = strings.ToUpper(in.IDs.At(uint32(i)))
	}
	ids[0] = "other!"
	in.IDs = ids
	if _, err := Build(b, in, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(b, valuesFile), filepath.Join(a, valuesFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenIndex(a); err == nil || !strings.Contains(err.Error(), "of another index") {
		t.Errorf("files of two indexes: %v", err)
	}
	if _, err := OpenIndex(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no index: %v", err)
	}
}

// TestIndexOutlivesItsLastReader closes the index while others read it.
func TestIndexOutlivesItsLastReader(t *testing.T) {
	dir := t.TempDir()
	if _, err := Build(dir, sampleInput(), 1); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := x.Identities()
	var readers sync.WaitGroup
	var begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		readers.Go(func() {
			for first := true; x.Acquire(); first = false {
				for i := range uint32(n) {
					if found, ok := x.Find(x.IdentityID(i)); !ok || found != i {
						t.Errorf("identity %d is found as %d", i, found)
					}
				}
				x.Release()
				if first {
					begun.Done()
				}
			}
		})
	}
	begun.Wait()
	x.Close()
	x.Close()
	readers.Wait()
	if x.Acquire() {
		t.Error("acquired after the last release")
	}
	defer func() {
		if recover() == nil {
			t.Error("reading after the last release did not panic")
		}
	}()
	x.IdentityID(0)
}
