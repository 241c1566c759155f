package index

import (
	"io"
	"os"
	"unsafe"
)

// littleEndian says that numbers lie in memory as they do in the file.
var littleEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}()

// bytesOf returns the memory of v.
func bytesOf[T any](v []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(one)))
}

// bytesOfText returns the memory of s, which must not be changed.
func bytesOfText(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// textOf returns b as a string, without copying.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// swap turns the bytes of every number of that size around.
func swap(b []byte, size int) {
	for at := 0; at+size <= len(b); at += size {
		for i, j := at, at+size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// readAll reads a file into memory that is aligned for any number.
func readAll(file *os.File, size int64) ([]byte, func() error, error) {
	words := make([]uint64, (size+7)/8)
	data := bytesOf(words)[:size]
	if n, err := file.ReadAt(data, 0); n < len(data) {
		if err == nil || err == io.EOF {
			err = errTruncated
		}
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}
