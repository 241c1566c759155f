package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Run is an opened run directory.
type Run struct {
	Path string
	Info Info
}

// ErrNoRun says that a directory holds no run.
var ErrNoRun = errors.New("no run")

// Open opens a run: dir is a run directory itself, or an output directory
// whose current run is meant. The error wraps ErrNoRun if dir is neither.
func Open(dir string) (*Run, error) {
	path := dir
	text, err := os.ReadFile(filepath.Join(path, infoName))
	if errors.Is(err, os.ErrNotExist) {
		// The link is followed once, so that all files are of one run even if
		// current is switched meanwhile.
		if path, err = filepath.EvalSymlinks(filepath.Join(dir, currentName)); err == nil {
			text, err = os.ReadFile(filepath.Join(path, infoName))
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w there: neither %s nor a %s run; write one with sama resolve --out %s", dir, ErrNoRun, infoName, currentName, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the run: %w", err)
	}
	r := &Run{Path: path}
	if err := json.Unmarshal(text, &r.Info); err != nil {
		return nil, fmt.Errorf("%s: not what sama writes: %w", filepath.Join(path, infoName), err)
	}
	if r.Info.Format != FormatVersion {
		return nil, fmt.Errorf("%s: format %d, this sama reads %d; use the version of sama that wrote it (%s), or give a new output directory",
			filepath.Join(path, infoName), r.Info.Format, FormatVersion, r.Info.Version)
	}
	return r, nil
}

// File returns the path of one of the run's files by its name in run.json.
func (r *Run) File(name string) string { return filepath.Join(r.Path, filepath.FromSlash(name)) }
