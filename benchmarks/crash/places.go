package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sama/benchmarks/generate"
	"sama/run"
)

// badPlaces lets second nights run into full disks, folders that cannot be
// written, and files that change while they are read.
func (o *options) badPlaces(ctx context.Context, t *target) error {
	for _, do := range []func(*target, context.Context) error{fullDisks, readOnly} {
		if err := do(t, ctx); err != nil {
			return err
		}
	}
	random := rand.New(rand.NewPCG(o.seed, 78))
	if err := t.changingInputs(ctx, random, t.silos.second, "CSV"); err != nil {
		return err
	}
	// The formats are read in different ways.
	dir := filepath.Join(t.dir, "parquet")
	if _, err := generate.Run(ctx, generate.Options{Records: 5000, Seed: o.seed + 1}, dir, nil); err != nil {
		return err
	}
	files := []string{filepath.Join(dir, "crm.parquet"), filepath.Join(dir, "service.parquet"), filepath.Join(dir, "webshop.parquet")}
	if err := t.changingInputs(ctx, random, files, "Parquet"); err != nil {
		return err
	}
	if err := t.last(ctx); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d violations.\n", t.violations)
	return nil
}

// refused verifies a second night that must fail, with the words in its message,
// and leave the directory as it was.
func (t *target) refused(ctx context.Context, what string, end ended, words ...string) {
	if end.code != 1 {
		t.violated(what, "want exit code 1: %s", end)
	}
	for _, word := range words {
		if !strings.Contains(end.stderr, word) {
			t.violated(what, "the error does not say %q: %s", word, end)
		}
	}
	if t.verify(ctx, what) {
		t.violated(what, "the new run is current")
	}
	if left := t.leftovers(1); left != "nothing" {
		t.violated(what, "%s is left", left)
	}
}

// The ways in which an input changes under a running night.
var changes = []struct {
	name string
	do   func(path string, other []byte, share float64) error
}{
	{"truncated", func(path string, _ []byte, share float64) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, int64(share*float64(info.Size())))
	}},
	{"replaced", func(path string, other []byte, _ float64) error {
		return errors.Join(os.WriteFile(path+".new", other, 0o666), os.Rename(path+".new", path))
	}},
	{"rewritten", func(path string, other []byte, share float64) error {
		return os.WriteFile(path, other[:int(share*float64(len(other)))], 0o666)
	}},
	{"removed", func(path string, _ []byte, _ float64) error { return os.Remove(path) }},
}

// changeRounds is how many nights have a file change under them, for each format.
const changeRounds = 24

// changingInputs changes a file at random instants of a night. The night must be
// refused and name the file, or give what an undisturbed night gives on the file
// as it was before the change, or after it.
func (t *target) changingInputs(ctx context.Context, random *rand.Rand, files []string, format string) error {
	dir := filepath.Join(t.dir, "changing "+format)
	texts := make([][]byte, len(files))
	copies := make([]string, len(files))
	for i, f := range files {
		var err error
		if texts[i], err = os.ReadFile(f); err != nil {
			return err
		}
		copies[i] = filepath.Join(dir, filepath.Base(f))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	want, reading, err := t.undisturbed(ctx, files)
	if err != nil {
		return err
	}
	refused, through := 0, 0
	for round := range changeRounds {
		for i, path := range copies {
			if err := os.WriteFile(path, texts[i], 0o666); err != nil {
				return err
			}
		}
		c, at := changes[round%len(changes)], random.IntN(len(files))
		other := texts[(at+1)%len(files)]
		share, wait := random.Float64(), time.Duration(random.Float64()*1.5*float64(reading))
		what := fmt.Sprintf("%s %s after %s", filepath.Base(copies[at]), c.name, wait)
		cmd, stderr := t.command(ctx, t.resolveLine(t.out(), copies)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		time.Sleep(wait)
		changed := c.do(copies[at], other, share)
		end := endOf(cmd.Wait(), cmd, stderr)
		if changed != nil {
			return changed
		}
		done, err := t.judgeChange(ctx, what, copies, copies[at], end, want)
		if err != nil {
			return err
		}
		if done {
			through++
		} else {
			refused++
		}
	}
	fmt.Fprintf(t.stdout, "%s files that change under %d nights: %d refused, %d had read the file before the change or began after it.\n", format, changeRounds, refused, through)
	return nil
}

// undisturbed returns what a night on these files writes, and how long it reads.
// The directory is left as it was.
func (t *target) undisturbed(ctx context.Context, files []string) (map[string]string, time.Duration, error) {
	if end := t.resolve(ctx, t.out(), files); end.code != 0 {
		return nil, 0, fmt.Errorf("an undisturbed night: %s", end)
	}
	r, err := run.Open(t.out())
	if err != nil {
		return nil, 0, err
	}
	// The process takes a while to begin.
	reading := 10 * time.Millisecond
	for _, s := range r.Info.Stages {
		if s.Name == "read" {
			reading += time.Duration(s.Seconds * float64(time.Second))
		}
	}
	return prints(r), reading, t.renew()
}

// judgeChange verifies a night in which a file changed, and reports whether it
// came through.
func (t *target) judgeChange(ctx context.Context, what string, files []string, file string, end ended, want map[string]string) (bool, error) {
	if end.code != 0 {
		if end.code != 1 && end.code != 3 || !strings.Contains(end.stderr, file) {
			t.violated(what, "%s", end)
		}
		if t.verify(ctx, what) {
			t.violated(what, "the new run is current")
		}
		if left := t.leftovers(1); left != "nothing" {
			t.violated(what, "%s is left", left)
		}
		return false, nil
	}
	r, err := run.Open(t.out())
	if err != nil {
		return true, err
	}
	got := prints(r)
	if !maps.Equal(got, want) { // it began after the change, or has read some of either
		if err := t.renew(); err != nil {
			return true, err
		}
		if want, _, err = t.undisturbed(ctx, files); err != nil {
			t.violated(what, "exit code 0, but a night on the file as it is now: %v", err)
		} else if !maps.Equal(got, want) {
			t.violated(what, "the run is neither that of the file before the change nor that of the file after it")
		}
	}
	return true, t.renew()
}
