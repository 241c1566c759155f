package main

import (
	"context"
	"fmt"
	"strings"

	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) checkCommand() *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "check [RUN]",
		Short: "Verify a run directory",
		Long: `Verifies a run: every file is there and has the bytes that run.json says, the files agree with
each other and with its counts, every record is in exactly one identity.

RUN is an output directory, whose current run is meant, or a run directory itself. Without it, the
only output directory in the current folder is taken.`,
		Example: `  sama check customers
  sama check customers/runs/2026-11-23T02-00-00Z-3f9a --json`,
		Args: arguments(0, 1, "one run directory or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.check(cmd.Context(), o, strings.Join(args, ""))
		},
	}
	o.flags(cmd, "json")
	return cmd
}

// check verifies a run and says everything that is wrong with it.
func (c *cli) check(_ context.Context, o *options, dir string) error {
	r, err := pastRun(dir)
	if err != nil {
		return err
	}
	problems := []string{}
	if err := r.Check(); err != nil {
		problems = strings.Split(err.Error(), "\n")
	}
	if o.json {
		if err := printJSON(c.stdout, struct {
			Run      string     `json:"run"`
			OK       bool       `json:"ok"`
			Counts   run.Counts `json:"counts"`
			Problems []string   `json:"problems"`
		}{r.Info.ID, len(problems) == 0, r.Info.Counts, problems}); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintf(c.stderr, "sama: %s\n", p)
		}
		return &failedCheck{fmt.Sprintf("run %s is damaged; resolve again, or point current at an earlier run", r.Info.ID)}
	}
	if !o.json {
		fmt.Fprintf(c.stdout, "Run %s is whole: %s, %s, %s, %s.\n", r.Info.ID, plural(len(r.Info.Files)+1, "file", "files"),
			plural(r.Info.Counts.Records, "record", "records"), plural(r.Info.Counts.Identities, "identity", "identities"), plural(r.Info.Counts.Edges, "edge", "edges"))
	}
	return nil
}
