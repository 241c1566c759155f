//go:build unix

package extract

import (
	"errors"
	"os"
	"syscall"
)

// lock takes an advisory lock for as long as the file is open, or returns an
// error if another process has it.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// giveName closes a file and gives it another name, in the place of what has it.
// Until it has that name it stays locked.
func giveName(file *os.File, name string) error {
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	// It was synced, so that closing it has nothing to say.
	_ = file.Close()
	return nil
}

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
