// Command crash shows that a night which ends badly loses nothing. It runs the
// second of two nights on a directory that holds the first, and
//
//	-kills N   kills it N times at random instants: SIGKILL, every fourth time
//	           SIGTERM, and every eighth time SIGKILL while the run is switched to
//	-faults    kills it before every system call that writes to the directory, and
//	           lets every one of them fail (needs strace)
//	-places    fills the disk for real (needs the right to mount), takes the right
//	           to write away, and truncates or replaces a file while it is read
//
// Nothing is cleaned by hand: what one night leaves, the next one finds, up to one
// that comes through; then the evening before is put back. After each, current must
// name the first night's run, or a whole run with the bytes that an undisturbed
// second night writes; sama check must pass; a failure must end with exit code 1 and
// say where. At the end an undisturbed night must write the same bytes in all files
// but run.json as one that never saw a fault, and nothing may be left over.
//
//	go run ./benchmarks/crash -kills 200 -records 1000000
//	go run ./benchmarks/crash -faults -places
//
// The exit code is 1 if anything was violated.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"sama/benchmarks/measure"
)

func main() {
	measure.Main(Run)
}

// options are the flags.
type options struct {
	program string
	records int
	seed    uint64
	workers int
	kills   int
	limit   time.Duration
	faults  bool
	every   int
	places  bool
	tmp     string
}

// errViolated says that something was lost; what it was has been printed.
var errViolated = errors.New("the rules were violated: see above")

// Run does as the arguments say and returns the exit code: 0 nothing was lost,
// 1 something was, or failed, 2 wrong flags.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	return measure.ExitCode("crash", stderr, err, func() error { return o.run(ctx, stdout, stderr) })
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := measure.Flags("crash", stderr, &o.program)
	f.IntVar(&o.records, "records", 0, "`number` of records (default: 1000000 for -kills, 300 for -faults, 3000 for -places)")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the silos and of the instants")
	f.IntVar(&o.workers, "workers", 0, "`number` of workers (default: sama's own choice)")
	f.IntVar(&o.kills, "kills", 0, "`number` of kills at random instants")
	f.DurationVar(&o.limit, "for", 0, "with -kills: stop killing after this `time` (default: no limit)")
	f.BoolVar(&o.faults, "faults", false, "a kill and an error at every system call that writes")
	f.IntVar(&o.every, "every", 1, "with -faults: only one in `K` of the calls")
	f.BoolVar(&o.places, "places", false, "full disks, folders that cannot be written, files that change while they are read")
	f.StringVar(&o.tmp, "tmp", "", "`folder` for silos and runs (default: the system's)")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	errs := []error{
		measure.NoArguments(f), measure.AtLeast("records", o.records, 0), measure.AtLeast("workers", o.workers, 0),
		measure.AtLeast("kills", o.kills, 0), measure.AtLeast("every", o.every, 1),
	}
	if o.kills == 0 && !o.faults && !o.places {
		errs = append(errs, errors.New("nothing to do: name -kills N, -faults or -places"))
	}
	return o, errors.Join(errs...)
}

// run builds sama and does what was asked for, each in a folder of its own.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	tmp, err := os.MkdirTemp(o.tmp, "sama-crash-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	// strace names files by their real paths.
	if tmp, err = filepath.EvalSymlinks(tmp); err != nil {
		return err
	}
	used, err := measure.Use(ctx, o.program, tmp)
	if err != nil {
		return err
	}
	program, err := filepath.Abs(string(used))
	if err != nil {
		return err
	}
	violated := false
	for _, part := range []struct {
		wanted  bool
		name    string
		records int
		do      func(*options, context.Context, *target) error
	}{
		{o.kills > 0, "kills", 1_000_000, (*options).killAtRandom},
		{o.faults, "faults", 300, (*options).faultAtEveryCall},
		{o.places, "places", 3000, (*options).badPlaces},
	} {
		if !part.wanted {
			continue
		}
		t := &target{program: program, dir: filepath.Join(tmp, part.name), place: filepath.Join(tmp, part.name, "out"), stdout: stdout, stderr: stderr}
		if o.workers > 0 {
			t.flags = []string{"--workers", fmt.Sprint(o.workers)}
		}
		records := part.records
		if o.records > 0 {
			records = o.records
		}
		if err := t.prepare(ctx, records, o.seed); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if err := part.do(o, ctx, t); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		violated = violated || t.violations > 0
	}
	if violated {
		return errViolated
	}
	return nil
}
