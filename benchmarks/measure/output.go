package measure

import (
	"os"
	"path/filepath"
)

// CopyOutput makes another output directory like one, but for the lock. Both share
// the files, which nobody changes.
func CopyOutput(from, to string) error {
	return filepath.WalkDir(from, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		copied := filepath.Join(to, below)
		switch {
		case below == "lock":
			return nil
		case d.IsDir():
			return os.MkdirAll(copied, 0o777)
		case d.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return os.Symlink(target, copied)
		}
		return os.Link(name, copied)
	})
}
