package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUnsupported is wrapped by the error of a call that the database of the
// state has its own way for.
var ErrUnsupported = errors.New("the database has its own way")

// Backup writes a copy of the state, as it is at one moment, to a file, while
// others read and write. The file must not be there; it appears whole or not at
// all, lasts, and can be read by its owner alone. To restore a state, end what
// has it open, remove its -wal and -shm files and put the copy in its place.
// A copy has what was erased after it was made, and lacks the tombstones of
// that: after restoring, those erasures are to be done again.
//
// This is for SQLite. Of PostgreSQL the tools are pg_dump and pg_restore, or its
// continuous archiving; the error wraps [ErrUnsupported].
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if s.dialect.backup == nil {
		return fmt.Errorf("state %s: use pg_dump: %w", s.location, ErrUnsupported)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("backup %s cannot be made: %w; name a file that is not there, in a folder that is", path, cause(err))
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*") // 0600
	if err != nil {
		return fmt.Errorf("backup %s cannot be made: %w; name a file that is not there, in a folder that is", path, cause(err))
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone, or its name is not the only one
	if err := f.Close(); err != nil {
		return fmt.Errorf("backup %s cannot be made: %w", path, cause(err))
	}
	if err := s.dialect.backup(ctx, s.location, f.Name(), s.opt); err != nil {
		return s.failed("copying", err)
	}
	if err := lastAs(f.Name(), path); err != nil {
		return fmt.Errorf("backup %s cannot be made: %w", path, cause(err))
	}
	return nil
}

// lastAs makes a file last, under another name too, which must be free.
func lastAs(file, path string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(file, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
