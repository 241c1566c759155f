package main

import (
	"context"
	"fmt"

	"sama/cmd/sama/internal/config"

	"github.com/spf13/cobra"
)

func (c *cli) initCommand() *cobra.Command {
	o := new(options)
	schema := false
	cmd := &cobra.Command{
		Use:   "init FILES…",
		Short: "Look at the exports and print a proposed sama.yaml",
		Long: `Reads the exports, decides what their columns are and which records to compare, and prints that
as a commented sama.yaml on stdout, to edit and to give to the other commands with --config.
Given back unchanged, it leads to the same result as no configuration at all.

--schema prints the JSON Schema of sama.yaml, for editors that complete and check YAML.`,
		Example: `  sama init crm.parquet webshop.csv.gz > sama.yaml
  sama resolve --config sama.yaml --out customers
  sama init --schema > sama.schema.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema && len(args) > 0 {
				return usagef("--schema: the schema is the same for all files; give it alone")
			}
			if schema {
				_, err := c.stdout.Write(config.Schema())
				return err
			}
			return c.propose(cmd.Context(), o, args)
		},
	}
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of sama.yaml")
	o.flags(cmd, "config", "key", "workers", "memory", "quiet")
	return cmd
}

// propose does the run's part up to the plan and prints what was decided.
func (c *cli) propose(ctx context.Context, o *options, files []string) error {
	j, err := c.newJob(o, files)
	if err != nil {
		return err
	}
	// What is rejected is for the run to judge, the proposal goes on.
	j.maxRejects, j.proposing = 1, true
	if err := j.run(ctx, initLine); err != nil {
		return err
	}
	conf := j.usedConfig()
	conf.Rejects = j.conf.Rejects
	conf.Inputs = j.describeInputs(files)
	notes := j.configNotes()
	notes.Head = []string{
		"What sama proposes for " + j.sourceNames() + ". Edit it, then:",
		"  sama resolve --config sama.yaml --out DIR",
		"All parts are optional: what is left out is found from the data at each run.",
		fmt.Sprintf("Columns can be %s.", joinComma(roleNames())),
	}
	if err := j.identifies(); err != nil {
		fmt.Fprintf(c.stderr, "sama: note: a run with this configuration would refuse it:\n")
		c.printError(err)
	}
	_, err = c.stdout.Write(conf.YAML(notes))
	return err
}
