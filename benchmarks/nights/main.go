// Command nights runs sama night after night on silos that change, as a user
// would, and holds what it leaves against what it promises:
//
//	go run ./benchmarks/nights -records 20000 -nights 30          ids that last
//	go run ./benchmarks/nights -records 20000 -nights 8 -delta    and the same by deltas
//	go run ./benchmarks/nights -records 100000 -nights 10 -decisions 1000
//	go run ./benchmarks/nights -records 5000 -same 100            nights on which nothing changes
//	go run ./benchmarks/nights -records 20000 -layouts            other workers, orders and cuts of the files
//	go run ./benchmarks/nights -records 100000 -fixed             the first night's configuration and model for all
//
// Silos come from the generator, as CSV. At most 70 % of their rows are there at
// first; each night a share of new rows comes, a share changes and a share is
// deleted. One in ten of the rows that come was there before and was deleted.
// Everything random follows from the seed.
//
// After every night the benchmark reads the run directory with parquet-go alone
// and holds it against what it remembers of all nights before:
//
//	kept       an identity with the same records as the night before has the same id
//	replay     the events of all nights give the members
//	leads      and where every id that ended leads
//	aliases    every id ever seen is live, or leads in one step to a live one that holds as
//	           many of the records it had as any, or to none if none of its records is there
//	reuse      an id that is back was restored, and has a record that it had before
//	golden     of an identity that keeps its id, first_seen never moves later and last_changed never earlier
//	decisions  those whose records are there are obeyed, but for not-same between records that
//	           same joins, found by a union-find of the benchmark's own; those are counted and named, and
//	           so are those that wait
//	delta      a second directory that is only told what changed has the same bytes
//	check      sama check finds nothing, at the end with --all
//
// The time of a night is held against that of a first run on the same files in a
// fresh directory. A violation makes the exit code 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sama/benchmarks/measure"
)

func main() {
	measure.Main(Run)
}

// options are the flags.
type options struct {
	program    string
	records    int
	nights     int
	seed       uint64
	rates      rates
	delta      bool
	decisions  int
	same       int
	layouts    bool
	fixed      bool
	firstEvery int
	workers    int
	keep       string
}

// rates are shares of the rows of a source that come, change and go in a night.
type rates struct {
	new, changed, deleted float64
}

// Run measures as the arguments say and returns the exit code: 0 done, 1 failed
// or a promise was not kept, 2 wrong flags.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	return measure.ExitCode("nights", stderr, err, func() error { return o.run(ctx, stdout, stderr) })
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := measure.Flags("nights", stderr, &o.program)
	f.IntVar(&o.records, "records", 20000, "about how many `records` are there in the first night")
	f.IntVar(&o.nights, "nights", 10, "`number` of nights after the first")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the silos and of all that happens to them")
	f.Float64Var(&o.rates.new, "new", 0.02, "`share` of records that come in a night")
	f.Float64Var(&o.rates.changed, "changed", 0.01, "`share` of records that change in a night")
	f.Float64Var(&o.rates.deleted, "deleted", 0.005, "`share` of records that are deleted in a night")
	f.BoolVar(&o.delta, "delta", false, "tell a second directory only what changed, and compare")
	f.IntVar(&o.decisions, "decisions", 0, "`number` of decisions that are imported after the first night")
	f.IntVar(&o.same, "same", 0, "`number` of further nights on which nothing changes, in place of -nights")
	f.BoolVar(&o.layouts, "layouts", false, "two nights with other workers and files cut and ordered in other ways, in place of -nights")
	f.BoolVar(&o.fixed, "fixed", false, "give every night the configuration and the model of the first")
	f.IntVar(&o.firstEvery, "first-every", 5, "every so many `nights`, time a first run in a fresh directory; 0 for never")
	f.IntVar(&o.workers, "workers", 0, "`number` of workers (default: sama's own choice)")
	f.StringVar(&o.keep, "keep", "", "`folder` to leave files and run directories in")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	errs := []error{
		measure.NoArguments(f), measure.AtLeast("records", o.records, 100), measure.AtLeast("nights", o.nights, 1),
		measure.AtLeast("decisions", o.decisions, 0), measure.AtLeast("same", o.same, 0), measure.AtLeast("first-every", o.firstEvery, 0),
		measure.AtLeast("workers", o.workers, 0),
	}
	for _, r := range []struct {
		flag  string
		value float64
	}{{"new", o.rates.new}, {"changed", o.rates.changed}, {"deleted", o.rates.deleted}} {
		if !(r.value >= 0 && r.value <= 0.5) {
			errs = append(errs, fmt.Errorf("-%s %g: want a share from 0 to 0.5", r.flag, r.value))
		}
	}
	if (o.same > 0 || o.layouts) && (o.delta || o.decisions > 0) || o.same > 0 && o.layouts {
		errs = append(errs, errors.New("-same and -layouts are runs of their own, without -delta and -decisions"))
	}
	return o, errors.Join(errs...)
}

// run does what the flags ask for, and fails if a promise was not kept.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "sama-nights-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := measure.Use(ctx, o.program, dir)
	if err != nil {
		return err
	}
	w := &world{options: o, program: string(program), dir: dir, stdout: stdout, stderr: stderr, faults: new(faults)}
	if o.keep != "" {
		w.dir = o.keep
		if old, err := filepath.Glob(filepath.Join(o.keep, "*")); err != nil || len(old) > 0 {
			return fmt.Errorf("-keep %s: want a folder that is empty or not there (%v)", o.keep, err)
		}
	}
	if w.silos, err = newSilos(ctx, o, w.path("generated")); err != nil {
		return err
	}
	switch {
	case o.same > 0:
		err = w.sameNights(ctx)
	case o.layouts:
		err = w.layouts(ctx)
	default:
		err = w.changingNights(ctx)
	}
	if err != nil {
		return err
	}
	return w.faults.print(stdout)
}
