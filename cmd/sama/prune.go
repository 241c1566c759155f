package main

import (
	"errors"
	"fmt"

	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) pruneCommand() *cobra.Command {
	o := new(options)
	keep := 0
	cmd := &cobra.Command{
		Use:   "prune --keep N",
		Short: "Remove old runs",
		Long: `Removes the oldest runs of an output directory, so that N are left. The current run and the newest
one always stay: the number of the newest keeps identity ids from being issued twice. Runs that
cannot be read are left alone.`,
		Example: `  sama prune --keep 30 --out customers --dry-run
  sama prune --keep 30 --out customers`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("keep") {
				return usagef("how many runs are to stay? Say --keep N, such as --keep 30")
			}
			if keep < 1 {
				return usagef("--keep %d: want at least 1", keep)
			}
			return c.prune(o, keep)
		},
	}
	o.flags(cmd, "out", "dry-run", "json")
	cmd.Flags().IntVar(&keep, "keep", 0, "`number` of runs that stay")
	return cmd
}

// prunedRun is a run that was removed, as --json prints it.
type prunedRun struct {
	ID    string `json:"id"`
	Bytes int64  `json:"bytes"`
}

func (c *cli) prune(o *options, keep int) error {
	dir, err := outputDir(o.out)
	if err != nil {
		return err
	}
	removed := []prunedRun{}
	kept := 0
	work := func(lock *run.Lock) error {
		list, err := run.List(dir)
		if err != nil {
			return noRun(err)
		}
		var doomed []run.Entry
		if err := currentIsWhole(list); err != nil {
			return err
		}
		doomed, kept = prunable(list, keep)
		for _, e := range doomed {
			if lock != nil {
				if err := lock.Remove(e.ID); err != nil {
					return fmt.Errorf("%w; %s removed before it", err, plural(len(removed), "run was", "runs were"))
				}
			}
			removed = append(removed, prunedRun{e.ID, e.Bytes})
		}
		return nil
	}
	if o.dryRun {
		err = work(nil)
	} else {
		err = c.locked(dir, work)
	}
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(c.stdout, struct {
			DryRun  bool        `json:"dry_run"`
			Kept    int         `json:"kept"`
			Removed []prunedRun `json:"removed"`
		}{o.dryRun, kept, removed})
	}
	c.printPruned(o, removed, kept)
	return nil
}

func (c *cli) printPruned(o *options, removed []prunedRun, kept int) {
	var bytes int64
	verb := "Removed"
	if o.dryRun {
		verb = "Would remove"
	}
	for _, r := range removed {
		fmt.Fprintf(c.stdout, "%s %s (%s)\n", verb, r.ID, size(r.Bytes))
		bytes += r.Bytes
	}
	if len(removed) == 0 {
		fmt.Fprintf(c.stdout, "Nothing to remove: %s.\n", plural(kept, "run", "runs"))
		return
	}
	fmt.Fprintf(c.stdout, "%s: %s, %s; %s left.\n", verb, plural(len(removed), "run", "runs"), size(bytes), plural(kept, "run", "runs"))
}

// currentIsWhole returns an error if the current run lacks files: then an older
// one may be all that is left.
func currentIsWhole(list []run.Entry) error {
	for _, e := range list {
		if !e.Current {
			continue
		}
		err := e.Err
		if err == nil {
			err = e.Run.QuickCheck()
		}
		if err != nil {
			return fmt.Errorf("nothing is removed: the current run %s is damaged: %w; make a whole one current with sama rollback first", e.ID, err)
		}
		return nil
	}
	return errors.New("nothing is removed: no run is current; name one with sama rollback RUN")
}

// prunable returns the runs to remove, the oldest first, and how many stay.
func prunable(list []run.Entry, keep int) (doomed []run.Entry, kept int) {
	kept = len(list)
	for _, e := range list {
		if kept > keep && e.Err == nil && !e.Current && !e.Newest {
			doomed = append(doomed, e)
			kept--
		}
	}
	return doomed, kept
}
