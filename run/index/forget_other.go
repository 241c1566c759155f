//go:build !linux

package index

// forget does nothing where the system gives no such advice.
func (f *File) forget() {}
