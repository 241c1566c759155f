package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sama/graph"
	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) runsCommand() *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs of an output directory",
		Long: `Lists the runs of an output directory, the oldest first: when each was started, its records,
identities and events, which one is current, and the size on disk.

Without --out, the only output directory in the current folder is taken.`,
		Example: `  sama runs --out customers
  sama runs --out customers --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error { return c.runs(o) },
	}
	o.flags(cmd, "out", "json")
	return cmd
}

// runLine is one run as --json prints it.
type runLine struct {
	ID         string           `json:"id"`
	Number     uint32           `json:"number"`
	Started    *time.Time       `json:"started"`
	Previous   string           `json:"previous"`
	Current    bool             `json:"current"`
	HeldBack   bool             `json:"held_back"`
	Records    int64            `json:"records"`
	Identities int64            `json:"identities"`
	Events     map[string]int64 `json:"events"`
	Bytes      int64            `json:"bytes"`
	Error      string           `json:"error,omitempty"`
}

func (c *cli) runs(o *options) error {
	dir, err := outputDir(o.out)
	if err != nil {
		return err
	}
	list, err := run.List(dir)
	if err != nil {
		return noRun(err)
	}
	lines := make([]runLine, len(list))
	for i, e := range list {
		lines[i] = lineOf(&e)
	}
	if o.json {
		return printJSON(c.stdout, lines)
	}
	t := newTable("run", "started", "records", "identities", "events", "size", "").right(3, 4, 6)
	for _, l := range lines {
		var marks []string
		if l.Current {
			marks = append(marks, "current")
		}
		if l.HeldBack {
			marks = append(marks, "held back")
		}
		if l.Error != "" {
			marks = append(marks, "cannot be read: "+l.Error)
		}
		started := ""
		if l.Started != nil {
			started = l.Started.Format("2006-01-02 15:04:05")
		}
		t.row(l.ID, started, count(l.Records), count(l.Identities), eventText(l.Events), size(l.Bytes), joinComma(marks))
	}
	t.write(c.stdout, "")
	return nil
}

func lineOf(e *run.Entry) runLine {
	l := runLine{ID: e.ID, Current: e.Current, Bytes: e.Bytes, Events: make(map[string]int64)}
	if e.Err != nil {
		l.Error = e.Err.Error()
		return l
	}
	info := &e.Run.Info
	l.Number, l.Started, l.Previous, l.HeldBack = info.Number, &info.Started, info.Previous, info.HeldBack
	l.Records, l.Identities = info.Counts.Records, info.Counts.Identities
	counts, err := e.Run.EventCounts()
	if err != nil {
		l.Error = err.Error()
	}
	for kind, n := range counts {
		l.Events[kind.String()] = n
	}
	return l
}

// eventText lists the events that there were, in the order of their kinds.
func eventText(events map[string]int64) string {
	var parts []string
	for _, kind := range graph.EventKinds() {
		if n := events[kind.String()]; n > 0 {
			parts = append(parts, count(n)+" "+kind.String())
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return joinComma(parts)
}

// outputDir returns the output directory: the one named, or the only one in the
// current folder.
func outputDir(out string) (string, error) {
	if out != "" {
		if _, err := os.Stat(filepath.Join(out, "run.json")); err == nil {
			return "", usagef("%s is a run; name the output directory that holds it", out)
		}
		return out, nil
	}
	found, err := outputDirs()
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", usagef("which directory? There is none with runs in this folder; name it with --out DIR")
	case len(found) > 1:
		return "", usagef("which directory? This folder has %s; name one with --out DIR", joinComma(found))
	}
	return found[0], nil
}

// outputDirs lists the output directories in the current folder.
func outputDirs() ([]string, error) {
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(e.Name(), "current", "run.json")); err == nil {
			found = append(found, e.Name())
		}
	}
	return found, nil
}

// namedRun opens a run: by its id or "current" in the output directory out, or by
// path. Without out, an id is looked for in the only output directory of the
// current folder.
func namedRun(name, out string) (*run.Run, error) {
	dir := out
	if dir == "" && !strings.ContainsAny(name, `/\`) {
		if _, err := os.Stat(name); err != nil {
			if found, err := outputDirs(); err == nil && len(found) == 1 {
				dir = found[0]
			}
		}
	}
	if dir != "" {
		switch path := filepath.Join(dir, "runs", name); {
		case name == "" || name == "current":
			return pastRun(dir)
		case strings.ContainsAny(name, `/\`) || name[0] == '.':
		default:
			if _, err := os.Stat(filepath.Join(path, "run.json")); err == nil {
				return run.Open(path)
			}
		}
	}
	r, err := pastRun(name)
	if errors.Is(err, run.ErrNoRun) && out != "" {
		return nil, usagef("%s: neither a run of %s nor a path to one; sama runs --out %s lists its runs", name, out, out)
	}
	return r, err
}

// noRun makes a missing run a mistake in the arguments.
func noRun(err error) error {
	if errors.Is(err, run.ErrNoRun) {
		return &usageError{err}
	}
	return err
}

// locked does something to an output directory under the writer's lock. The
// directory must hold runs.
func (c *cli) locked(dir string, do func(*run.Lock) error) (err error) {
	if _, err := os.Stat(filepath.Join(dir, "runs")); err != nil {
		return usagef("%s: no runs there; name an output directory of sama resolve with --out DIR", dir)
	}
	lock, err := run.Acquire(dir, c.now)
	if err != nil {
		return err
	}
	defer func() {
		if e := lock.Release(); err == nil && e != nil {
			err = fmt.Errorf("giving the lock back: %w", e)
		}
	}()
	return do(lock)
}
