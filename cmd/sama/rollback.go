package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) rollbackCommand() *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "rollback [RUN]",
		Short: "Make an earlier run the current one",
		Long: `Makes another run of an output directory the current one, in one step: the one that the current
run goes on from, or RUN, an id that sama runs lists, or a path to the run. Nothing is removed, so that a rollback can be
rolled back by naming the run that was current. The next run goes on from the run that is current
then; the ids that a run issued which is current no longer are kept for the same people.

A run whose files are not all there, with their sizes, is refused.`,
		Example: `  sama rollback --out customers
  sama rollback 2026-11-22T02-00-00Z-91c0 --out customers`,
		Args: arguments(0, 1, "one run or none"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "" {
				return usagef("an empty name of a run; is a variable of the shell not set?")
			}
			return c.rollback(o, strings.Join(args, ""))
		},
	}
	o.flags(cmd, "out", "json")
	return cmd
}

func (c *cli) rollback(o *options, to string) error {
	dir := o.out
	if dir == "" && strings.ContainsAny(to, `/\`) { // DIR/runs/ID
		dir = filepath.Dir(filepath.Dir(filepath.Clean(to)))
	}
	dir, err := outputDir(dir)
	if err != nil {
		return err
	}
	var was, is string
	if err := c.locked(dir, func(lock *run.Lock) error {
		was = run.CurrentID(dir)
		if is, err = rollbackTarget(dir, was, to); err != nil {
			return err
		}
		return lock.Switch(is)
	}); err != nil {
		return err
	}
	if o.json {
		return printJSON(c.stdout, struct {
			Was string `json:"was"`
			Is  string `json:"is"`
		}{was, is})
	}
	if was == is {
		fmt.Fprintf(c.stdout, "Run %s is the current one already.\n", is)
		return nil
	}
	fmt.Fprintf(c.stdout, "The current run is %s; it was %s.\n", is, was)
	return nil
}

// rollbackTarget returns the id of the run to go back to.
func rollbackTarget(dir, current, to string) (string, error) {
	if to == "" {
		r, err := run.Open(filepath.Join(dir, "runs", current))
		if err != nil {
			return "", fmt.Errorf("the current run cannot be read (%w); name the run to go back to", err)
		}
		if r.Info.Previous == "" {
			return "", usagef("run %s is the first; there is none to go back to", current)
		}
		to = r.Info.Previous
	}
	list, err := run.List(dir)
	if err != nil {
		return "", noRun(err)
	}
	id := filepath.Base(to)
	for _, e := range list {
		if e.ID == id {
			return id, e.Err
		}
	}
	return "", usagef("%s has no run %s; sama runs --out %s lists those that are there", dir, id, dir)
}
