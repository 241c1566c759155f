package ingest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The formats of files. A file's format is found from its content, so that a
// CSV file named .parquet is read as what it is.
const (
	formatParquet = "parquet"
	formatCSV     = "csv"
	formatJSONL   = "jsonl"
)

// The first bytes of compressed files.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// sniffSize is how much of a text is looked at to find its format, encoding
// and separator.
const sniffSize = 64 << 10

// foreign names files that are often exported and cannot be read, by their
// first bytes.
var foreign = []struct{ magic, what string }{
	{"PARE", "a Parquet file with an encrypted footer; write it without encryption"},
	{"PK\x03\x04", "a ZIP archive or an Excel workbook; save the sheet as CSV"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"},
	{"ARROW1", "an Arrow file; write it as Parquet"},
	{"ORC", "an ORC file; write it as Parquet"},
	{"Obj\x01", "an Avro file; write it as Parquet"},
	{"SQLite format 3", "an SQLite database; export the table as CSV"},
	{"%PDF", "a PDF document; export the table as CSV"},
	{"BZh", "compressed with bzip2; use gzip or zstd"},
	{"\xfd7zXZ", "compressed with xz; use gzip or zstd"},
}

// hashFile returns the SHA-256 of a file, hexadecimal.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, f, make([]byte, 64<<10)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// formatOf returns the format that a file's first bytes show; "" for anything
// compressed or text.
func formatOf(path string, head []byte) (string, error) {
	if len(head) == 0 {
		return "", errors.New("the file is empty; a file without rows still has a header")
	}
	if bytes.HasPrefix(head, []byte("PAR1")) {
		return formatParquet, nil
	}
	for _, magic := range []string{"PAR1", gzipMagic, zstdMagic} {
		if len(head) < len(magic) && strings.HasPrefix(magic, string(head)) {
			return "", fmt.Errorf("the file is cut short after %d bytes", len(head))
		}
	}
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return "", errors.New("it is " + f.what)
		}
	}
	if hasExtension(path, ".parquet", ".pq") && looksBinary(head, 1) {
		return "", errors.New("corrupt: named a Parquet file, but it does not begin as one and is not text")
	}
	return "", nil
}

// hasExtension says whether the path ends in one of the extensions.
func hasExtension(path string, extensions ...string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	for _, e := range extensions {
		if e == ext {
			return true
		}
	}
	return false
}

// looksBinary says whether more than one byte in share of head, and at least
// eight, are control characters that text does not have. A share of 1 stands
// for any at all.
func looksBinary(head []byte, share int) bool {
	if _, utf16 := utf16Order(head); utf16 {
		return false
	}
	n := 0
	for _, c := range head {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b && c != 0x1f {
			n++
		}
	}
	if share == 1 {
		return n > 0
	}
	return n >= 8 && n*share > len(head)
}

// textFile is an open text, decompressed but not decoded.
type textFile struct {
	*bufio.Reader
	closers []func()
}

func (t *textFile) close() {
	for i := len(t.closers) - 1; i >= 0; i-- {
		t.closers[i]()
	}
}

// openText opens a file and undoes gzip and zstd, found by their first bytes.
func openText(path string) (*textFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &textFile{Reader: bufio.NewReaderSize(f, sniffSize), closers: []func(){func() { f.Close() }}}
	head, _ := t.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte(gzipMagic)):
		z, err := gzip.NewReader(t.Reader)
		if err != nil {
			t.close()
			return nil, fmt.Errorf("corrupt gzip: %w", err)
		}
		t.Reader = bufio.NewReaderSize(namedErrors{z, "gzip"}, sniffSize)
	case bytes.HasPrefix(head, []byte(zstdMagic)):
		z, err := zstd.NewReader(t.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			t.close()
			return nil, fmt.Errorf("corrupt zstd: %w", err)
		}
		t.closers = append(t.closers, z.Close)
		t.Reader = bufio.NewReaderSize(namedErrors{z, "zstd"}, sniffSize)
	default:
		return t, nil
	}
	// What lies inside must be text.
	head, err = t.Peek(sniffSize)
	if err != nil && err != io.EOF {
		t.close()
		return nil, err
	}
	format, err := formatOf("", head)
	if format == formatParquet {
		err = errors.New("a Parquet file inside gzip or zstd; uncompress it, Parquet compresses by itself")
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// namedErrors makes errors of a decompressor say what they are about.
type namedErrors struct {
	r    io.Reader
	what string
}

func (n namedErrors) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	switch err {
	case nil, io.EOF:
		return k, err
	case io.ErrUnexpectedEOF:
		return k, fmt.Errorf("the %s data is cut short", n.what)
	}
	return k, fmt.Errorf("corrupt %s data: %w", n.what, err)
}

// utf16Order tells UTF-16 by its byte order mark: 'l' or 'b'.
func utf16Order(head []byte) (order byte, ok bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return 'l', true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return 'b', true
	}
	return 0, false
}
