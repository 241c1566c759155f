package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrLocked says that another process is writing runs to the directory.
type ErrLocked struct {
	Dir    string
	Holder Holder
}

// Holder is who holds the lock, as DIR/lock says. Zero if the holder has not
// written it yet.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"` // UTC
}

// Error names the holder.
func (e *ErrLocked) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s: another run is just starting there; try again when it has finished", e.Dir)
	}
	return fmt.Sprintf("%s: process %d has been writing a run there since %s; wait for it to finish, or end it",
		e.Dir, e.Holder.PID, e.Holder.Since.Format(time.RFC3339))
}

// Lock is the right to write runs to a directory.
type Lock struct {
	dir  string
	file *os.File
}

// errHeld is what takeLock returns when another process has the lock.
var errHeld = errors.New("lock is held")

// Acquire takes the writer's lock of dir, making dir if it is missing, and
// removes what a killed run left half done. It does not wait: if another
// process holds the lock the error is an *ErrLocked. A lock whose holder has
// died is free.
func Acquire(dir string, now func() time.Time) (*Lock, error) {
	if err := os.MkdirAll(filepath.Join(dir, runsFolder), 0o777); err != nil {
		return nil, fmt.Errorf("output directory %s: %w; give a folder that can be written with --out", dir, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, currentName)); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return nil, fmt.Errorf("%s is in the way: it should be a symbolic link to the current run; move it elsewhere", filepath.Join(dir, currentName))
	}
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("output directory %s: lock: %w; give a folder that can be written with --out", dir, err)
	}
	if err := takeLock(file); err != nil {
		defer file.Close()
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		return nil, &ErrLocked{dir, readHolder(file)}
	}
	l := &Lock{dir, file}
	if err := l.begin(now()); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

// begin writes who holds the lock and clears away what a killed run left.
func (l *Lock) begin(now time.Time) error {
	text, err := json.Marshal(Holder{os.Getpid(), now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if _, err := l.file.WriteAt(append(text, '\n'), 0); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if err := l.clear(); err != nil {
		return fmt.Errorf("removing what an interrupted run left: %w", err)
	}
	return nil
}

// clear removes what a run that did not end well leaves.
func (l *Lock) clear() error {
	return errors.Join(os.RemoveAll(filepath.Join(l.dir, unfinishedName)), os.RemoveAll(filepath.Join(l.dir, nextCurrentName)),
		clearPublishing(l.dir), clearRemoved(l.dir))
}

// clearPublishing removes the run of a publisher that did not come to switch
// current to it. Nobody knows its ids, and without it the next run has the number
// that this one had, and so the same bytes.
func clearPublishing(dir string) error {
	next := filepath.Join(dir, publishingName)
	target, err := os.Readlink(next)
	if err != nil {
		return os.RemoveAll(next)
	}
	if id := filepath.Base(target); id != CurrentID(dir) {
		if err := discard(dir, id); err != nil {
			return err
		}
	}
	return os.Remove(next)
}

// discard removes a run, if it is there, so that no half of it is ever seen under
// its name.
func discard(dir, id string) error {
	removed := filepath.Join(dir, runsFolder, removedPrefix+id)
	err := os.Rename(filepath.Join(dir, runsFolder, id), removed)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(removed)
}

// Release gives the lock back and removes what the holder began and did not
// publish. The lock's file stays, empty: removing it would let two processes
// lock two files of one name.
func (l *Lock) Release() error {
	return errors.Join(l.clear(), l.file.Truncate(0), l.file.Close())
}

// readHolder returns what the lock file says, zero if it says nothing yet.
func readHolder(file *os.File) Holder {
	var h Holder
	text := make([]byte, 256)
	n, _ := file.ReadAt(text, 0)
	if json.Unmarshal(text[:n], &h) != nil {
		return Holder{}
	}
	return h
}
