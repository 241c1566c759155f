package extract

import "os"

// lock does nothing: Windows removes no file that somebody has open.
func lock(*os.File) error { return nil }

// removeUnlocked closes a file and removes it, unless somebody else has it open.
func removeUnlocked(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}

// giveName closes a file and gives it another name, in the place of what has it:
// one that is open cannot be renamed.
func giveName(file *os.File, name string) error {
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// syncFolder does nothing: Windows keeps names without being asked.
func syncFolder(string) error { return nil }
