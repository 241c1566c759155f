//go:build unix && !linux

package store

import "syscall"

// tie does nothing where there is no such thing.
func tie(*syscall.SysProcAttr) {}
