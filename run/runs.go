package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sama/graph"
)

// removedPrefix begins the names of runs that are being removed; no run's id
// begins like that.
const removedPrefix = ".removed-"

// Entry is one run of an output directory.
type Entry struct {
	Run     *Run // nil if it cannot be opened
	ID      string
	Path    string
	Current bool // current names it
	Newest  bool // it has the highest number: the next run's ids are told from its
	Bytes   int64
	Err     error // why it cannot be opened, or nil
}

// List returns the runs of an output directory in order of their numbers; those
// that cannot be opened come first, by name. A directory without a folder of
// runs is an error that wraps ErrNoRun.
func List(dir string) ([]Entry, error) {
	names, err := os.ReadDir(filepath.Join(dir, runsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w there; write one with sama resolve --out %s", dir, ErrNoRun, dir)
	}
	if err != nil {
		return nil, err
	}
	current := CurrentID(dir)
	var list []Entry
	for _, d := range names {
		if !d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		e := Entry{ID: d.Name(), Path: filepath.Join(dir, runsFolder, d.Name()), Current: d.Name() == current}
		if e.Run, e.Err = openRun(e.Path); e.Err == nil && e.Run.Info.ID != e.ID {
			e.Run, e.Err = nil, fmt.Errorf("%s: %s says that it is run %s", e.Path, infoName, e.Run.Info.ID)
		}
		if e.Bytes, err = folderSize(e.Path); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.number(), b.number()), strings.Compare(a.ID, b.ID)) })
	if n := len(list); n > 0 && list[n-1].Run != nil {
		list[n-1].Newest = true
	}
	return list, nil
}

// openRun opens a run directory itself, whatever it may hold beside.
func openRun(path string) (*Run, error) {
	if _, err := os.Stat(filepath.Join(path, infoName)); err != nil {
		return nil, fmt.Errorf("%s: not a run: %w", path, err)
	}
	return Open(path)
}

func (e *Entry) number() uint32 {
	if e.Run == nil {
		return 0
	}
	return e.Run.Info.Number
}

// CurrentID returns the id of the run that current names, whether it is there or
// not; "" if current is missing.
func CurrentID(dir string) string {
	target, err := os.Readlink(filepath.Join(dir, currentName))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

// folderSize returns the bytes of all files in a folder.
func folderSize(path string) (int64, error) {
	var size int64
	err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

// Switch makes another run of the directory the current one, in one step. It
// refuses a run that is not whole by QuickCheck.
func (l *Lock) Switch(id string) error { return l.switchRun(disk{}, id) }

func (l *Lock) switchRun(d disk, id string) error {
	if !validRunID(id) {
		return fmt.Errorf("%q cannot be the id of a run; sama runs lists them", id)
	}
	r, err := openRun(filepath.Join(l.dir, runsFolder, id))
	if err != nil {
		return err
	}
	if err := r.QuickCheck(); err != nil {
		return fmt.Errorf("run %s is not whole: %w", id, err)
	}
	next := filepath.Join(l.dir, nextCurrentName)
	if err := d.try("symlink", next); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(runsFolder, id), next); err != nil {
		return err
	}
	if err := d.rename(next, filepath.Join(l.dir, currentName)); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return d.sync(l.dir)
}

// Remove removes a run of the directory that is neither the current nor the
// newest. It is renamed first, so that no half of it is ever seen; what a killed
// removal leaves, the next holder of the lock clears away.
func (l *Lock) Remove(id string) error { return l.removeRun(disk{}, id) }

func (l *Lock) removeRun(d disk, id string) error {
	list, err := List(l.dir)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(e Entry) bool { return e.ID == id })
	switch {
	case i < 0:
		return fmt.Errorf("%s has no run %s; sama runs lists them", l.dir, id)
	case list[i].Current:
		return fmt.Errorf("run %s is the current one and stays", id)
	case list[i].Newest:
		return fmt.Errorf("run %s is the newest one and stays: its number keeps identity ids from being issued twice", id)
	}
	removed := filepath.Join(l.dir, runsFolder, removedPrefix+id)
	if err := d.rename(list[i].Path, removed); err != nil {
		return err
	}
	if err := d.sync(filepath.Join(l.dir, runsFolder)); err != nil {
		return err
	}
	if err := d.try("remove", removed); err != nil {
		return err
	}
	return os.RemoveAll(removed)
}

// clearRemoved removes what a killed removal left.
func clearRemoved(dir string) error {
	names, err := os.ReadDir(filepath.Join(dir, runsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var bad []error
	for _, d := range names {
		if strings.HasPrefix(d.Name(), removedPrefix) {
			bad = append(bad, os.RemoveAll(filepath.Join(dir, runsFolder, d.Name())))
		}
	}
	return errors.Join(bad...)
}

// validRunID reports whether a text can name a run's folder.
func validRunID(id string) bool {
	return id != "" && id[0] != '.' && !strings.ContainsAny(id, "/\\\x00")
}

// EventCounts are the numbers of a run's events by kind.
type EventCounts map[graph.EventKind]int64

// EventCounts counts the run's events, every kind among them.
func (r *Run) EventCounts() (EventCounts, error) {
	counts := make(EventCounts)
	for _, kind := range graph.EventKinds() {
		counts[kind] = 0
	}
	event, err := r.text("events.parquet", "event")
	if err != nil {
		return nil, err
	}
	byCode := make([]int64, len(event.texts))
	for _, code := range event.codes {
		byCode[code]++
	}
	for code, n := range byCode {
		if n == 0 {
			continue
		}
		kind, err := graph.ParseEventKind(event.texts[code])
		if err != nil {
			return nil, fmt.Errorf("events.parquet: %w", err)
		}
		counts[kind] = n
	}
	return counts, nil
}
