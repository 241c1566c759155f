// Command quality measures how right sama is on data with known truth: it runs
// `sama resolve` over every set with no configuration, and prints precision,
// recall, F1, B-cubed F1 and the share of exact identities beside the floors that
// a release has to reach.
//
//	go run ./benchmarks/quality                          all sets
//	go run ./benchmarks/quality -sets febrl3,rldata500   some
//	go run ./benchmarks/quality -update                  accept the figures
//	go run ./benchmarks/quality -shuffle 7               how far figures move when rows and columns are shuffled
//	go run ./benchmarks/quality -rename                  … when column names say nothing
//	go run ./benchmarks/quality -subset 0.7 -seeds 3     … on random parts of the records
//	go run ./benchmarks/quality -generate 100000 -seeds 3 -noise normal
//
// accepted.txt holds the figures that were accepted last, without times; a run
// shows every difference from it. The exit code is 1 when a set is below its floor
// or a run fails, 2 for wrong flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sama/benchmarks/generate"
	"sama/benchmarks/measure"
)

func main() { measure.Main(Run) }

// options are the flags.
type options struct {
	data    string
	program string
	sets    []string
	update  bool
	json    bool
	timeout time.Duration

	shuffle uint64
	rename  bool
	subset  float64
	seed    uint64
	seeds   int

	generate int
	noise    generate.Profile
}

// Run measures as the arguments say and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	good := true
	code := measure.ExitCode("quality", stderr, err, func() (err error) {
		good, err = o.run(ctx, stdout, stderr)
		return err
	})
	if !good {
		return 1
	}
	return code
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := measure.Flags("quality", stderr, &o.program)
	f.StringVar(&o.data, "data", filepath.Join("..", "shared", "data", "eval"), "`folder` of the sets")
	names := f.String("sets", "", "`names` of sets, with commas (default: all)")
	f.BoolVar(&o.update, "update", false, "accept the figures: rewrite accepted.txt")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up on a set after this `time`")
	f.Uint64Var(&o.shuffle, "shuffle", 0, "shuffle rows, columns and files, drawn by this `seed`")
	f.BoolVar(&o.rename, "rename", false, "call columns c1, c2 …")
	f.Float64Var(&o.subset, "subset", 0, "keep a random `share` of the records")
	f.Uint64Var(&o.seed, "seed", 1, "first `seed` of -subset and -generate")
	f.IntVar(&o.seeds, "seeds", 1, "`number` of seeds, one after another from -seed (or -shuffle)")
	f.IntVar(&o.generate, "generate", 0, "measure generated silos of about this many `records` instead")
	f.TextVar(&o.noise, "noise", generate.Normal, "noise of generated silos: clean, normal or dirty")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(*names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.sets = append(o.sets, name)
		}
	}
	return o, o.validate(f)
}

// validate returns everything that is wrong with the flags.
func (o *options) validate(f *flag.FlagSet) error {
	errs := []error{measure.NoArguments(f)}
	if o.subset < 0 || o.subset >= 1 {
		errs = append(errs, fmt.Errorf("-subset %v: want a share between 0 and 1, such as 0.7", o.subset))
	}
	errs = append(errs, measure.AtLeast("seeds", o.seeds, 1))
	if o.update && o.changes() {
		errs = append(errs, errors.New("-update: figures of changed input are not kept; run without -shuffle, -rename and -subset"))
	}
	if o.generate < 0 {
		errs = append(errs, fmt.Errorf("-generate %d: want a number of records", o.generate))
	}
	if o.generate > 0 && (len(o.sets) > 0 || o.changes()) {
		errs = append(errs, errors.New("-generate goes with -seed, -seeds and -noise only"))
	}
	return errors.Join(errs...)
}

// changes reports whether changed input is measured against the input as it is.
func (o *options) changes() bool { return o.shuffle > 0 || o.rename || o.subset > 0 }

// run measures, prints, and reports whether all sets ran and reached their
// floors.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) (bool, error) {
	root, err := measure.Root(".")
	if err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp("", "sama-quality-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	program, err := measure.Use(ctx, o.program, tmp)
	if err != nil {
		return false, err
	}
	m := &measurer{options: o, tmp: tmp, progress: stderr, program: program}
	sets, err := m.sets(ctx)
	if err != nil {
		return false, err
	}
	accepted := filepath.Join(root, "benchmarks", "quality", "accepted.txt")
	if o.changes() {
		return m.compare(ctx, sets, stdout)
	}
	rows, err := m.all(ctx, sets)
	if err != nil {
		return false, err
	}
	if o.json {
		err = printJSON(stdout, rows)
	} else {
		err = printTable(stdout, rows)
	}
	if err != nil {
		return false, err
	}
	return reached(rows), checkAccepted(accepted, rows, o.update, messages(o.json, stdout, stderr))
}

// messages returns where remarks go: beside the table, but not into JSON.
func messages(json bool, stdout, stderr io.Writer) io.Writer {
	if json {
		return stderr
	}
	return stdout
}
