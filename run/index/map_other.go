//go:build !unix

package index

import "os"

// load reads a file into memory.
func load(file *os.File, size int64) ([]byte, func() error, error) { return readAll(file, size) }
