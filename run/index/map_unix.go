//go:build unix

package index

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// load maps a file into memory, to be read only. A machine of the other byte
// order has it read and turned around.
func load(file *os.File, size int64) ([]byte, func() error, error) {
	if !littleEndian {
		return readAll(file, size)
	}
	if int64(int(size)) != size {
		return nil, nil, fmt.Errorf("%d bytes cannot be mapped on this machine", size)
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping into memory: %w", err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
