package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// outcome is what became of a night that was sent a signal.
type outcome struct{ how, left string }

// The ways to end a night early.
const (
	byKill  = "SIGKILL"
	byTerm  = "SIGTERM"
	byAimed = "SIGKILL while publishing"
)

// killAtRandom kills second nights at random instants.
func (o *options) killAtRandom(ctx context.Context, t *target) error {
	random := rand.New(rand.NewPCG(o.seed, 77))
	count := make(map[outcome]int)
	var slowest time.Duration
	begin := time.Now()
	nights := 0
	for k := range o.kills {
		if o.limit > 0 && time.Since(begin) > o.limit {
			break
		}
		nights++
		how := byKill
		switch k % 8 {
		case 3, 7:
			how = byTerm
		case 5:
			how = byAimed
		}
		share := random.Float64()
		what := fmt.Sprintf("night %d, %s at %.3f", k+1, how, share)
		left, took, err := t.killOnce(ctx, how, share, what)
		if err != nil {
			return err
		}
		if how == byTerm {
			slowest = max(slowest, took)
		}
		count[outcome{how, left}]++
		if (k+1)%10 == 0 {
			t.note("%d of %d nights, %d violations, %.0f s", k+1, o.kills, t.violations, time.Since(begin).Seconds())
		}
	}
	printOutcomes(t, count)
	if err := t.last(ctx); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d nights of %.1f s; the slowest end after SIGTERM took %.2f s. The night after all of them: %d files compared. %d violations.\n",
		nights, t.took.Seconds(), slowest.Seconds(), len(t.want), t.violations)
	return nil
}

// killOnce lets one night end early and verifies what it leaves. It returns that,
// and how long the process took to end.
func (t *target) killOnce(ctx context.Context, how string, share float64, what string) (string, time.Duration, error) {
	before := t.runs()
	c, stderr := t.command(ctx, t.resolveLine(t.out(), t.silos.second)...)
	if err := c.Start(); err != nil {
		return "", 0, err
	}
	exited := make(chan error, 1)
	go func() { exited <- c.Wait() }()
	wait := time.Duration(share * float64(t.took))
	if how == byAimed {
		wait = t.untilPublished(exited, share)
	}
	var err error
	var took time.Duration
	select {
	case err = <-exited: // before its time
	case <-time.After(wait):
		sent := time.Now()
		send(c, how)
		err = <-exited
		took = time.Since(sent)
	}
	if ctx.Err() != nil {
		return "", 0, ctx.Err()
	}
	end := endOf(err, c, stderr)
	left := t.leftovers(before)
	switched := t.verify(ctx, what)
	switch {
	case end.code == 0 && !switched:
		t.violated(what, "exit code 0, but the new run is not the current one")
	case how == byTerm && end.code == 1 && (switched || left != "nothing" || !strings.Contains(end.stderr, "nothing was changed")):
		t.violated(what, "%s; left: %s; switched: %v", end, left, switched)
	case end.code > 1 || how != byTerm && end.code > 0:
		// SIGTERM ends a process that has only just begun as SIGKILL does.
		t.violated(what, "%s", end)
	}
	if switched {
		left = "the new run, current"
		return left, took, t.renew()
	}
	return left, took, nil
}

func send(c *exec.Cmd, how string) {
	// It may have ended just now.
	if how == byTerm {
		_ = c.Process.Signal(syscall.SIGTERM)
		return
	}
	_ = c.Process.Kill()
}

// untilPublished waits until run.json is being written, and returns how long to
// wait from then on: the last syncs, the renames and the switch follow.
func (t *target) untilPublished(exited chan error, share float64) time.Duration {
	written := filepath.Join(t.out(), "runs", ".unfinished", "run.json")
	// What an earlier night left is not this one's.
	for gone := false; len(exited) == 0; time.Sleep(50 * time.Microsecond) {
		_, err := os.Lstat(written)
		gone = gone || err != nil
		if gone && err == nil {
			break
		}
	}
	return time.Duration(share * share * float64(30*time.Millisecond))
}

// printOutcomes prints how many nights ended how.
func printOutcomes(t *target, count map[outcome]int) {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ended by\tit left\tnights")
	keys := slices.SortedFunc(maps.Keys(count), func(a, b outcome) int {
		return strings.Compare(a.how+"\x00"+a.left, b.how+"\x00"+b.left)
	})
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%d\n", k.how, k.left, count[k])
	}
	w.Flush()
}
