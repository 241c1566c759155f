// Command speed measures sama end to end on synthetic silos: it generates them,
// runs `sama resolve` with no configuration, and prints time, CPU, peak memory,
// pairs, bytes written, precision and recall together.
//
//	go run ./benchmarks/speed
//	go run ./benchmarks/speed -records 100000,1000000 -runs 3
//
// Times depend on the machine. So the same files are also read by parquet-go's
// GenericReader, row by row into structs: that is what a plain Go program pays only
// to see the records. Ratios against it hold from
// machine to machine. Of several runs, each figure is the median.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sama/benchmarks/generate"
	"sama/benchmarks/measure"
)

func main() {
	reader()
	measure.Main(Run)
}

// options are the flags.
type options struct {
	program string
	records []int
	runs    int
	seed    uint64
	noise   generate.Profile
	workers int
	json    bool
	keep    string
}

// Run measures as the arguments say and returns the exit code: 0 done, 1 failed,
// 2 wrong flags.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	return measure.ExitCode("speed", stderr, err, func() error { return o.run(ctx, stdout, stderr) })
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := measure.Flags("speed", stderr, &o.program)
	sizes := f.String("records", "100000,1000000", "`numbers` of records, with commas")
	f.IntVar(&o.runs, "runs", 1, "`number` of runs of each size; the median is shown")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the generator")
	f.TextVar(&o.noise, "noise", generate.Normal, "noise of the silos: clean, normal or dirty")
	f.IntVar(&o.workers, "workers", 0, "`number` of workers (default: sama's own choice)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringVar(&o.keep, "keep", "", "`folder` to keep the silos in, and to take them from next time; empty it when the generator changes")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	errs := []error{measure.NoArguments(f)}
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			errs = append(errs, fmt.Errorf("-records %q: want numbers of records, such as 100000,1000000", text))
		}
		o.records = append(o.records, n)
	}
	errs = append(errs, measure.AtLeast("runs", o.runs, 1))
	if o.workers < 0 {
		errs = append(errs, fmt.Errorf("-workers %d: want at least 1", o.workers))
	}
	return o, errors.Join(errs...)
}

// run measures every size and prints the table.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	tmp, err := os.MkdirTemp("", "sama-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	program, err := measure.Use(ctx, o.program, tmp)
	if err != nil {
		return err
	}
	var rows []row
	for _, n := range o.records {
		fmt.Fprintf(stderr, "%d records …\n", n)
		set, err := o.silos(ctx, n, tmp)
		if err != nil {
			return err
		}
		r, err := o.measure(ctx, program, set, filepath.Join(tmp, "out"))
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	if o.json {
		return printJSON(stdout, rows)
	}
	return printTable(stdout, rows)
}

// silos returns generated silos of about n records: those kept from last time,
// or new ones.
func (o *options) silos(ctx context.Context, n int, tmp string) (measure.Set, error) {
	root := tmp
	if o.keep != "" {
		root = o.keep
	}
	dir := filepath.Join(root, fmt.Sprintf("generated_%d_%s_seed%d", n, o.noise, o.seed))
	// The manifest comes last: without it, the silos are not complete.
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		opt := generate.Options{Records: n, Seed: o.seed, Noise: o.noise}
		if _, err := generate.Run(ctx, opt, dir, nil); err != nil {
			return measure.Set{}, err
		}
	}
	return measure.SetIn(dir)
}
