package main

import (
	"fmt"
	"strings"

	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) checkCommand() *cobra.Command {
	o := new(options)
	all := false
	cmd := &cobra.Command{
		Use:   "check [RUN]",
		Short: "Verify a run directory",
		Long: `Verifies a run: every file is there and has the bytes that run.json says, the files agree with
each other and with its counts, every record is in exactly one identity, every event agrees with
what the identities are, and every id that is not live leads in one step to one that is, or to none.

RUN is an output directory, whose current run is meant, a run directory itself, or the id of a run of
the directory named by --out. Without it, the only output directory in the current folder is taken.

With --all, every run of an output directory is verified, and that current names one of them. If no
run since the first was removed, the events of all of them are replayed, and must give exactly the
members of the current run.`,
		Example: `  sama check customers
  sama check 2026-11-23T02-00-00Z-3f9a --out customers --json
  sama check customers --all`,
		Args: arguments(0, 1, "one run directory or none"),
		RunE: func(_ *cobra.Command, args []string) error {
			if all {
				return c.checkAll(o, strings.Join(args, ""))
			}
			return c.check(o, strings.Join(args, ""))
		},
	}
	o.flags(cmd, "out", "json")
	cmd.Flags().BoolVar(&all, "all", false, "verify every run of the output directory, and what they add up to")
	return cmd
}

// checkedRun is what check says of a run, as --json prints it.
type checkedRun struct {
	Run      string     `json:"run"` // "" is the output directory itself
	OK       bool       `json:"ok"`
	Counts   run.Counts `json:"counts"`
	Problems []string   `json:"problems"`
}

func checkedOf(id string, r *run.Run, err error) checkedRun {
	k := checkedRun{Run: id, OK: err == nil, Problems: []string{}}
	if r != nil {
		k.Counts = r.Info.Counts
	}
	if err != nil {
		k.Problems = strings.Split(err.Error(), "\n")
	}
	return k
}

// check verifies a run and says everything that is wrong with it.
func (c *cli) check(o *options, name string) error {
	r, err := namedRun(name, o.out)
	if err != nil {
		return err
	}
	k := checkedOf(r.Info.ID, r, r.Check())
	if o.json {
		if err := printJSON(c.stdout, k); err != nil {
			return err
		}
	}
	if !k.OK {
		c.printProblems("", k.Problems)
		return &failedCheck{fmt.Sprintf("run %s is damaged; resolve again, or go back to an earlier run with sama rollback", k.Run)}
	}
	if !o.json {
		fmt.Fprintf(c.stdout, "Run %s is whole: %s, %s, %s, %s.\n", k.Run, plural(len(r.Info.Files)+1, "file", "files"),
			plural(k.Counts.Records, "record", "records"), plural(k.Counts.Identities, "identity", "identities"), plural(k.Counts.Edges, "edge", "edges"))
	}
	return nil
}

// checkAll verifies all runs of an output directory.
func (c *cli) checkAll(o *options, dir string) error {
	if dir == "" {
		dir = o.out
	} else if o.out != "" {
		return usagef("--all verifies an output directory; name it once, %s or --out %s", dir, o.out)
	}
	dir, err := outputDir(dir)
	if err != nil {
		return err
	}
	found, replayed, err := run.CheckAll(dir)
	if err != nil {
		return noRun(err)
	}
	damaged, runs := 0, 0
	list := []checkedRun{}
	for _, f := range found {
		k := checkedOf(f.ID, f.Run, f.Err)
		if !k.OK {
			damaged++
			where := "run " + k.Run + ": "
			if k.Run == "" {
				where = dir + ": "
			}
			c.printProblems(where, k.Problems)
		}
		if k.Run != "" {
			runs++
		}
		list = append(list, k)
	}
	if o.json {
		if err := printJSON(c.stdout, struct {
			OK       bool         `json:"ok"`
			Replayed int          `json:"replayed_runs"`
			Runs     []checkedRun `json:"runs"`
		}{damaged == 0, replayed, list}); err != nil {
			return err
		}
	}
	if damaged > 0 {
		return &failedCheck{fmt.Sprintf("%s is damaged: see above", dir)}
	}
	if !o.json {
		c.printWhole(dir, runs, replayed)
	}
	return nil
}

func (c *cli) printWhole(dir string, runs, replayed int) {
	fmt.Fprintf(c.stdout, "%s is whole: %s.\n", dir, plural(runs, "run", "runs"))
	if replayed == 0 {
		fmt.Fprintln(c.stdout, "Events were not replayed: runs before the current one have been removed.")
		return
	}
	fmt.Fprintf(c.stdout, "The events of %s, replayed from the first, give exactly the members of the current one.\n", plural(replayed, "run", "runs"))
}

func (c *cli) printProblems(where string, problems []string) {
	for _, p := range problems {
		fmt.Fprintf(c.stderr, "sama: %s%s\n", where, p)
	}
}
