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
// What came into the feed after the copy was made is not in it, and its numbers
// name nothing any more: the feed of a restored copy goes on behind a gap that is
// another one for every time that a copy is restored, and who was told more than
// the copy knows gets a [*GoneError]. Until something comes into its feed, a copy
// has the rows of the state and no others.
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
	if err := markCopy(ctx, f.Name(), s.opt); err != nil {
		return s.failed("copying", err)
	}
	if err := lastAs(f.Name(), path); err != nil {
		return fmt.Errorf("backup %s cannot be made: %w", path, cause(err))
	}
	return nil
}

// copied is the user version, a number in the head of an SQLite file that is free
// for programs (https://www.sqlite.org/pragma.html#pragma_user_version), of a copy
// into whose feed nothing has come yet. That of other states is 0.
const copied = 1

// markCopy says in a copy that it is one.
func markCopy(ctx context.Context, file string, opt Options) error {
	db, err := openFile(file, opt, nil)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", copied))
	return errors.Join(err, db.Close())
}

// gapBits is how many numbers of the feed a second has when a copy goes on: more
// than can be given out in it, and so few that a number has at most 18 digits until
// the year 3800.
const gapBits = 24

// leaveCopied lets the feed of a copy go on with numbers that the state which it
// is a copy of has not given out, nor an earlier life of this copy or of another
// one: they begin at the time, in seconds.
func (t *txn) leaveCopied() error {
	if t.s.dialect.backup == nil {
		return nil
	}
	var version int64
	if err := t.one("SELECT user_version FROM pragma_user_version", nil, &version); err != nil || version != copied {
		return err
	}
	last, err := t.last(headFeed)
	if err != nil {
		return err
	}
	h := t.heads[headFeed]
	h.last = max(t.now.Unix(), last>>gapBits+1) << gapBits
	t.heads[headFeed] = h
	_, err = t.exec("PRAGMA user_version = 0")
	return err
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
