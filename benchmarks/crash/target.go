package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sama/benchmarks/measure"
	"sama/run"
)

// target is a directory with the first night's run, on which second nights end
// badly.
type target struct {
	program    string
	flags      []string // of sama resolve
	dir        string   // holds silos, copies and what else is needed
	place      string   // the directory on which nights end badly
	silos      silos
	first      string            // id of the first night's run
	want       map[string]string // file → hash, as an undisturbed second night writes it
	took       time.Duration     // an undisturbed second night
	violations int
	stdout     io.Writer // for the table
	stderr     io.Writer // for progress and violations
}

// out is the directory on which nights end badly.
func (t *target) out() string { return t.place }

// kept is a copy of the directory as it was after the first night.
func (t *target) kept() string { return filepath.Join(t.dir, "kept") }

// prepare makes the silos, runs the first night, and the second one in a copy of
// its directory, to know what it should write and how long that takes.
func (t *target) prepare(ctx context.Context, records int, seed uint64) error {
	var err error
	t.note("generating %d records", records)
	if t.silos, err = makeSilos(ctx, records, seed, filepath.Join(t.dir, "silos")); err != nil {
		return err
	}
	t.note("the first night")
	if end := t.resolve(ctx, t.out(), t.silos.first); end.code != 0 {
		return fmt.Errorf("the first night: %s", end)
	}
	r, err := run.Open(t.out())
	if err != nil {
		return err
	}
	t.first = r.Info.ID
	aside := filepath.Join(t.dir, "aside")
	if err := errors.Join(measure.CopyOutput(t.out(), t.kept()), measure.CopyOutput(t.out(), aside)); err != nil {
		return err
	}
	t.note("the second night, undisturbed")
	begin := time.Now()
	if end := t.resolve(ctx, aside, t.silos.second); end.code != 0 {
		return fmt.Errorf("the second night: %s", end)
	}
	t.took = time.Since(begin)
	if r, err = run.Open(aside); err != nil {
		return err
	}
	t.want = prints(r)
	t.note("a night takes %.1f s and writes %d files, %d events", t.took.Seconds(), len(t.want)+1, r.Info.Counts.Events)
	return os.RemoveAll(aside)
}

// ended is how a process ended.
type ended struct {
	code   int // -1 if a signal ended it
	stderr string
}

// String says it in one line.
func (e ended) String() string {
	return fmt.Sprintf("exit code %d: %s", e.code, strings.ReplaceAll(strings.TrimSpace(e.stderr), "\n", " / "))
}

// resolveLine is the command line of a night.
func (t *target) resolveLine(out string, files []string) []string {
	line := append([]string{t.program, "resolve", "--quiet", "--json", "--out", out}, t.flags...)
	return append(line, files...)
}

// resolve runs a night to its end.
func (t *target) resolve(ctx context.Context, out string, files []string) ended {
	return t.process(ctx, t.resolveLine(out, files)...)
}

// process runs a command line to its end.
func (t *target) process(ctx context.Context, line ...string) ended {
	c, stderr := t.command(ctx, line...)
	return endOf(c.Run(), c, stderr)
}

func (t *target) command(ctx context.Context, line ...string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	stderr := new(bytes.Buffer)
	c.Stderr = stderr
	return c, stderr
}

func endOf(err error, c *exec.Cmd, stderr *bytes.Buffer) ended {
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return ended{-1, err.Error()}
	}
	return ended{c.ProcessState.ExitCode(), stderr.String()}
}

// prints returns the hashes of a run's files as run.json has them, for sama check
// to compare with the files.
func prints(r *run.Run) map[string]string {
	m := make(map[string]string)
	for _, f := range r.Info.Files {
		m[f.Name] = f.SHA256
	}
	return m
}

// verify looks at the directory after something went wrong, and reports whether
// a new run is the current one.
func (t *target) verify(ctx context.Context, what string) (switched bool) {
	r, err := run.Open(t.out())
	if err != nil {
		t.violated(what, "current cannot be opened: %v", err)
		return false
	}
	if end := t.process(ctx, t.program, "check", t.out()); end.code != 0 {
		t.violated(what, "sama check: %s", end)
	}
	if r.Info.ID == t.first {
		return false
	}
	t.sameBytes(what, r)
	return true
}

// sameBytes compares a run with the undisturbed second night.
func (t *target) sameBytes(what string, r *run.Run) {
	got := prints(r)
	for name, hash := range t.want {
		if got[name] != hash {
			t.violated(what, "%s has other bytes than after an undisturbed night", name)
		}
	}
	if len(got) != len(t.want) {
		t.violated(what, "%d files, an undisturbed night has %d", len(got), len(t.want))
	}
}

// renew puts the evening after the first night back: the second one came through.
func (t *target) renew() error { return t.restore(t.kept()) }

// restore makes the directory like a copy of it.
func (t *target) restore(from string) error {
	if err := os.RemoveAll(t.out()); err != nil {
		return err
	}
	return measure.CopyOutput(from, t.out())
}

// last runs an undisturbed night on the directory, and looks for leftovers.
func (t *target) last(ctx context.Context) error {
	const what = "the last night"
	begin := time.Now()
	if end := t.resolve(ctx, t.out(), t.silos.second); end.code != 0 {
		t.violated(what, "%s", end)
		return nil
	}
	took := time.Since(begin)
	if !t.verify(ctx, what) {
		t.violated(what, "the new run is not the current one")
	}
	if end := t.process(ctx, t.program, "check", "--all", t.out()); end.code != 0 {
		t.violated(what, "sama check --all: %s", end)
	}
	for _, folder := range []string{t.out(), filepath.Join(t.out(), "runs")} {
		names, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, d := range names {
			if strings.HasPrefix(d.Name(), ".") {
				t.violated(what, "%s is left over", filepath.Join(folder, d.Name()))
			}
		}
	}
	t.note("the last night took %.1f s, the undisturbed one before %.1f s; %d files compared, %d violations so far",
		took.Seconds(), t.took.Seconds(), len(t.want), t.violations)
	return nil
}

// leftovers says in what state a killed night left the directory.
func (t *target) leftovers(before int) string {
	if _, err := os.Lstat(filepath.Join(t.out(), "runs", ".unfinished")); err == nil {
		return "unfinished run"
	}
	if t.runs() > before {
		return "whole run, not current"
	}
	return "nothing"
}

// runs counts the runs of the directory.
func (t *target) runs() int {
	names, _ := filepath.Glob(filepath.Join(t.out(), "runs", "[0-9]*"))
	return len(names)
}

// violated reports that a rule was violated.
func (t *target) violated(what, format string, args ...any) {
	t.violations++
	fmt.Fprintf(t.stderr, "VIOLATED, %s: %s\n", what, fmt.Sprintf(format, args...))
}

func (t *target) note(format string, args ...any) {
	fmt.Fprintf(t.stderr, format+" …\n", args...)
}
