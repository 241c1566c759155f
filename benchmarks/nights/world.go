package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sama/benchmarks/measure"
	"sama/run"
)

// world is the silos, the program and the place where both meet.
type world struct {
	*options
	program        string
	dir            string
	stdout, stderr io.Writer
	silos          *silos
	faults         *faults
}

func (w *world) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// resolved is a finished run of the program.
type resolved struct {
	measure.Usage
	Decisions run.Decisions `json:"decisions"`
	Warnings  []string      `json:"warnings"`
}

// resolve runs sama resolve into a directory.
func (w *world) resolve(ctx context.Context, out string, args ...string) (*resolved, error) {
	line := []string{w.program, "resolve", "--quiet", "--json", "--out", out}
	if w.workers > 0 && !slices.Contains(args, "--workers") {
		line = append(line, "--workers", strconv.Itoa(w.workers))
	}
	text, usage, err := measure.Process(ctx, append(line, args...)...)
	if err != nil {
		return nil, fmt.Errorf("sama resolve: %w", err)
	}
	r := new(resolved)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("the summary of sama resolve: %w", err)
	}
	r.Usage = usage
	return r, nil
}

// sama runs another command and returns what it printed.
func (w *world) sama(ctx context.Context, args ...string) ([]byte, error) {
	text, _, err := measure.Process(ctx, append([]string{w.program}, args...)...)
	if err != nil {
		return text, fmt.Errorf("sama %s: %w\n%s", args[0], err, text)
	}
	return text, nil
}

// check runs sama check and makes a fault of what it finds.
func (w *world) check(ctx context.Context, night int, out string, flags ...string) {
	if _, err := w.sama(ctx, append([]string{"check", out}, flags...)...); err != nil {
		w.faults.add("check", "night %d: %v", night, err)
	}
}

// full writes all sources as they are and returns the files.
func (w *world) full() ([]string, error) {
	var files []string
	for _, x := range w.silos.list {
		path := w.path("full", x.name+".csv")
		if err := x.write(path, x.rows); err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	return files, nil
}

// deltas writes what changed in two of the sources, and the whole of the
// others, and returns the arguments that say so. Deletions of the first source
// stand in a column, those of the last in a file of keys.
func (w *world) deltas(changes []change) ([]string, error) {
	var args []string
	last := len(w.silos.list) - 1
	for i, x := range w.silos.list {
		rows, y := changes[i].rows, *x
		switch i {
		case 0:
			y.header += x.separator + "deleted"
			rows = slices.Clone(rows)
			for j := range rows {
				rows[j] += x.separator
			}
			for _, key := range changes[i].gone {
				row := key
				for range strings.Count(y.header, x.separator) {
					row += x.separator
				}
				rows = append(rows, row+"yes")
			}
			args = append(args, "--delta", x.name, "--deleted", x.name+"=deleted")
		case last:
			args = append(args, "--delta", x.name)
			if len(changes[i].gone) > 0 {
				path := w.path("gone", x.name+".csv")
				keys := silo{header: "record_id"}
				if err := keys.write(path, changes[i].gone); err != nil {
					return nil, err
				}
				args = append(args, "--deletes", x.name+"="+path)
			}
		default:
			rows = x.rows
		}
		if len(rows) == 0 {
			continue
		}
		path := w.path("changes", x.name+".csv")
		if err := y.write(path, rows); err != nil {
			return nil, err
		}
		args = append(args, path)
	}
	return args, nil
}

// sameRun makes a fault of every file in which the current runs of two
// directories differ, but for run.json and those left out.
func (w *world) sameRun(kind, what, a, b string, leftOut ...string) error {
	x, err := files(a)
	if err != nil {
		return err
	}
	y, err := files(b)
	if err != nil {
		return err
	}
	if len(x) != len(y) {
		w.faults.add(kind, "%s: %d files in %s, %d in %s", what, len(x), filepath.Base(a), len(y), filepath.Base(b))
	}
	for _, f := range x {
		if !slices.Contains(y, f) && !slices.Contains(leftOut, f.Name) {
			w.faults.add(kind, "%s: %s differs between %s and %s", what, f.Name, filepath.Base(a), filepath.Base(b))
		}
	}
	return nil
}

// files returns the files of the current run but run.json, with their hashes.
// That the hashes are true is for sama check to say.
func files(out string) ([]run.File, error) {
	info, err := infoOf(out)
	if err != nil {
		return nil, err
	}
	return info.Files, nil
}

// infoOf reads the run.json of the current run.
func infoOf(out string) (*run.Info, error) {
	text, err := os.ReadFile(filepath.Join(out, "current", "run.json"))
	if err != nil {
		return nil, err
	}
	info := new(run.Info)
	if err := json.Unmarshal(text, info); err != nil {
		return nil, fmt.Errorf("run.json in %s: %w", out, err)
	}
	return info, nil
}

// moment writes milliseconds since 1970 as a time.
func moment(ms *int64) string {
	if ms == nil {
		return "none"
	}
	return time.UnixMilli(*ms).UTC().Format(time.RFC3339)
}
