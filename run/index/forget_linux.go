package index

import "golang.org/x/sys/unix"

// forget lets the system count the pages that were touched so far as file cache
// and not as memory of the process; they come back as they are used.
func (f *File) forget() {
	if littleEndian {
		unix.Madvise(f.data, unix.MADV_DONTNEED) // advice: refusing it costs nothing
	}
}
