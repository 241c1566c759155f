package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"sama/benchmarks/generate"

	"github.com/spf13/cobra"
)

func (c *cli) generateCommand() *cobra.Command {
	opt := generate.Options{Records: 10_000, Seed: 1, Workers: runtime.GOMAXPROCS(0)}
	var out string
	var quiet, asJSON bool
	cmd := &cobra.Command{
		Use:   "generate --out DIR",
		Short: "Make synthetic silos with known truth",
		Long: `Makes three silos of one invented car business (crm, service and webshop) with households, moves,
marriages, shared contact points and noise, and truth.parquet, which says who is who. The same
options give the same bytes, whatever the number of workers. What comes out is measured against
the reference figures of the generator; if it is off, the command fails.`,
		Example: `  sama generate --records 100000 --seed 7 --out silos
  sama resolve silos/crm.parquet silos/service.parquet silos/webshop.parquet --out customers
  sama evaluate --truth silos/truth.parquet --out customers`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.generate(cmd.Context(), opt, out, quiet, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "output `directory`, made if it is missing")
	f.IntVar(&opt.Records, "records", opt.Records, "about how many `records` in all silos together")
	f.Uint64Var(&opt.Seed, "seed", opt.Seed, "`number` that everything random follows from")
	f.TextVar(&opt.Noise, "noise", opt.Noise, "`level` of faults: clean, normal or dirty")
	f.TextVar(&opt.Format, "format", opt.Format, "`format` of the silos: parquet, csv or mixed")
	f.IntVarP(&opt.Workers, "workers", "w", opt.Workers, "`number` of threads at work")
	f.BoolVar(&asJSON, "json", false, "print JSON on stdout")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return cmd
}

// generate makes the silos.
func (c *cli) generate(ctx context.Context, opt generate.Options, out string, quiet, asJSON bool) error {
	if err := opt.Validate(); err != nil {
		return &usageError{err}
	}
	if err := outProblem(out); err != nil {
		return err
	}
	p := c.newProgress(quiet || asJSON)
	at := p.begin("generate", "records")
	m, err := generate.Run(ctx, opt, out, func(done, total int) { at.done(int64(done), int64(total)) })
	records := 0
	if m != nil {
		for _, n := range m.Counts.Records {
			records += n
		}
	}
	at.end(int64(records), err)
	p.close()
	var off *generate.CheckError
	if errors.As(err, &off) {
		return fmt.Errorf("%w\n(nothing was written)", err)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.stdout, m)
	}
	fmt.Fprintf(c.stdout, "%s of %s in %s.\n\n", plural(records, "record", "records"), plural(m.Counts.Persons, "person", "persons"), out)
	t := newTable("file", "rows", "size").right(2, 3)
	files := slices.Clone(m.Files)
	for _, f := range files {
		t.row(f.Name, count(f.Rows), size(f.Bytes))
	}
	t.write(c.stdout, "  ")
	fmt.Fprintf(c.stdout, "\n%s of records mean the same person: truth.parquet says which.\n", plural(m.Counts.TruePairs, "pair", "pairs"))
	return nil
}
