package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"sama/benchmarks/measure"
)

// What strace does to a call instead of letting it happen.
const (
	doKill = "SIGKILL"
	doFail = "error"
)

// state is how a night finds the directory.
type state struct {
	name string
	dir  string // a copy to begin each night with; "" = whatever the night before has left
}

// faultCount is what came of the faults at one kind of call.
type faultCount struct {
	points, hit, missed   int
	stays, switched, done int // the first run stays; the new run is current, though the exit code is 1; exit code 0
}

// faultAtEveryCall kills second nights before every system call that writes to
// the directory, and lets each of the calls fail.
func (o *options) faultAtEveryCall(ctx context.Context, t *target) error {
	if why := straceProblem(ctx, t.dir); why != "" {
		fmt.Fprintf(t.stdout, "-faults skipped: %s\n", why)
		return nil
	}
	states, err := t.states(ctx)
	if err != nil {
		return err
	}
	count := make(map[string]*faultCount)
	known := make(map[point]bool)
	for _, s := range states {
		points, err := t.points(ctx, s)
		if err != nil {
			return err
		}
		points = slices.DeleteFunc(points, func(p point) bool { return known[p] })
		t.note("%d calls in a directory with %s", len(points), s.name)
		for i, p := range points {
			known[p] = true
			if i%o.every != 0 {
				continue
			}
			for _, how := range []string{doKill, doFail} {
				if err := t.faultOnce(ctx, s, p, how, count); err != nil {
					return err
				}
			}
			if i%20 == 19 {
				t.note("%d of %d calls, %d violations", i+1, len(points), t.violations)
			}
		}
		if err := t.last(ctx); err != nil {
			return err
		}
		if err := t.renew(); err != nil {
			return err
		}
	}
	printFaults(t, count)
	return nil
}

// noStrace is the problem that installing strace solves; the other one is that the
// kernel or a container forbids to trace.
const noStrace = "strace is not installed"

// straceProblem says why strace cannot be used, "" if it can.
func straceProblem(ctx context.Context, dir string) string {
	path, err := exec.LookPath("strace")
	if err != nil {
		return noStrace
	}
	self, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	c := exec.CommandContext(ctx, path, "-f", "--seccomp-bpf", "-y", "-o", filepath.Join(dir, "strace.log"), "-e", "trace=openat", self, "-help")
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Sprintf("strace does not run here: %v: %s", err, strings.TrimSpace(string(text)))
	}
	return ""
}

// states makes the ways in which a night can find the directory: whatever is left,
// an unfinished run, and a whole run that was to be made current.
func (t *target) states(ctx context.Context) ([]state, error) {
	all := []state{{name: "the first run"}}
	for _, late := range []struct {
		name string
		at   point
	}{
		{"an unfinished run", point{"fsync", filepath.Join(t.out(), "runs", ".unfinished"), 1}},
		{"a run that was about to be made current", point{"renameat", filepath.Join(t.out(), ".publishing"), 1}},
	} {
		if _, _, err := t.trace(ctx, late.at, doKill); err != nil {
			return nil, err
		}
		s := state{late.name, filepath.Join(t.dir, fmt.Sprint("state", len(all)))}
		all = append(all, s)
		what := "killed at " + late.at.String()
		if t.verify(ctx, what) {
			t.violated(what, "the new run is current")
		}
		if left := t.leftovers(1); left == "nothing" {
			t.violated(what, "nothing is left, but the night was to be killed after it had written")
		}
		if err := measure.CopyOutput(t.out(), s.dir); err != nil {
			return nil, err
		}
		// The next night of all finds it and must come through.
		if err := t.last(ctx); err != nil {
			return nil, err
		}
		if err := t.renew(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// points returns the calls of a night in a directory of that state. The directory
// is left as it was after the first night.
func (t *target) points(ctx context.Context, s state) ([]point, error) {
	if s.dir != "" {
		if err := t.restore(s.dir); err != nil {
			return nil, err
		}
	}
	calls, end, err := t.trace(ctx, point{}, "")
	if err != nil {
		return nil, err
	}
	if end.code != 0 {
		return nil, fmt.Errorf("a night under strace: %s", end)
	}
	var points []point
	for _, c := range calls {
		if c.writes && within(c.path, t.out()) {
			points = append(points, c.point)
		}
	}
	return points, t.renew()
}

// faultOnce lets one night run into a fault and verifies what it leaves.
func (t *target) faultOnce(ctx context.Context, s state, p point, how string, count map[string]*faultCount) error {
	what := fmt.Sprintf("%s at %s, in a directory with %s", how, p, s.name)
	if s.dir != "" {
		if err := t.restore(s.dir); err != nil {
			return err
		}
	}
	key := p.call + "\t" + how
	if how == doFail {
		key = p.call + "\t" + errorAt(p.call)
	}
	n := count[key]
	if n == nil {
		n = new(faultCount)
		count[key] = n
	}
	n.points++
	var end ended
	hit := false
	// Now and then the runtime makes the call on another thread than before, and
	// strace counts by threads.
	for try := 0; !hit && try < 6; try++ {
		calls, e, err := t.trace(ctx, p, how)
		if err != nil {
			return err
		}
		end = e
		hit = slices.ContainsFunc(calls, func(c call) bool { return c.injected }) || how == doKill && end.code < 0
		if !hit && end.code == 0 {
			if err := t.renew(); err != nil {
				return err
			}
		}
	}
	if !hit {
		n.missed++
		return nil
	}
	n.hit++
	return t.judge(ctx, what, p, how, end, n)
}

// judge verifies what a fault has left.
func (t *target) judge(ctx context.Context, what string, p point, how string, end ended, n *faultCount) error {
	switched := t.verify(ctx, what)
	switch {
	case how == doKill && end.code >= 0:
		t.violated(what, "%s", end)
	case how == doFail && end.code == 1:
		if !strings.Contains(end.stderr, t.out()) || !strings.Contains(end.stderr, errorText[errorAt(p.call)]) {
			t.violated(what, "the error does not say where and what: %s", end)
		}
		if left := t.leftovers(1); !switched && left != "nothing" && p.call != "unlinkat" {
			t.violated(what, "%s is left after an error", left)
		}
		if switched && !strings.Contains(end.stderr, "is whole and current") {
			t.violated(what, "the new run is current, but: %s", end)
		}
	case how == doFail && end.code != 0:
		t.violated(what, "%s", end)
	case end.code == 0 && !switched:
		t.violated(what, "exit code 0, but the new run is not the current one")
	}
	switch {
	case end.code == 0:
		n.done++
	case switched:
		n.switched++
	default:
		n.stays++
	}
	if switched {
		return t.renew()
	}
	return nil
}

// printFaults prints what came of the faults by kind of call.
func printFaults(t *target, count map[string]*faultCount) {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "call\tfault\tcalls\thit\tmissed\tfirst run stays\tnew run, not done\tdone all the same")
	var sum faultCount
	for _, key := range slices.Sorted(maps.Keys(count)) {
		n := count[key]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", key, n.points, n.hit, n.missed, n.stays, n.switched, n.done)
		sum = faultCount{sum.points + n.points, sum.hit + n.hit, sum.missed + n.missed, sum.stays + n.stays, sum.switched + n.switched, sum.done + n.done}
	}
	fmt.Fprintf(w, "all\t\t%d\t%d\t%d\t%d\t%d\t%d\n", sum.points, sum.hit, sum.missed, sum.stays, sum.switched, sum.done)
	w.Flush()
	fmt.Fprintf(t.stdout, "%d violations.\n", t.violations)
}
