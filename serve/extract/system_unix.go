//go:build unix

package extract

import (
	"errors"
	"os"
	"syscall"
)

// lock takes an advisory lock for as long as the file is open. The error is
// errHeld if another has it.
func lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return os.NewSyscallError("flock", err)
}

// removeUnlocked removes a file that nobody has a lock on, and closes it. It keeps
// the lock until the name is gone: who made the file a moment ago could take it in
// between, and would write to a file without a name.
func removeUnlocked(file *os.File) {
	if lock(file) == nil {
		_ = os.Remove(file.Name())
	}
	_ = file.Close()
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
