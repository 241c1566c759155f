package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) resolveCommand() *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "resolve [FILES…] --out DIR",
		Short: "Resolve exports into identities: the nightly run",
		Long: `Reads the exports, finds the records that mean the same person, and writes a run directory:
identities, golden records with provenance, the scored pairs, a model and a report.

FILES are Parquet, CSV or JSON Lines (also gzip or zstd), directories or glob patterns. Each file
is a source named after it; a file with a column "source" is one source a value. Without FILES
the configuration names the inputs. Nothing but the files is needed: columns are recognised,
blocking rules, model and threshold are found from the data, and sama.yaml in the run directory
says what was decided, to edit and to give back with --config.

The run becomes DIR/current in one step when it is complete. If it fails or is interrupted, DIR
stays as it was.`,
		Example: `  sama resolve crm.parquet webshop.csv.gz service.jsonl --out customers
  sama resolve --config sama.yaml --out customers --json
  sama resolve exports/*.parquet --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.resolve(cmd.Context(), o, args)
		},
	}
	o.flags(cmd, "out", "config", "state", "forget-decisions", "relearn", "delta", "deleted", "deletes", "fail-if", "key", "model", "threshold", "workers", "memory", "dry-run", "arrow", "max-rejects", "json", "quiet")
	return cmd
}

// resolveLine is the nightly run: exports in, a run directory out. Each step
// fills the fields of the job that the next ones read.
var resolveLine = []step{
	{"read", "rows", (*job).read},               // exports → sources, column by column
	{"fold", "changes", (*job).foldDeltas},      // changes, previous run → whole sources
	{"online", "records", (*job).takeOnline},    // what came online since → sources
	{"map", "columns", (*job).mapColumns},       // which column is what
	{"normalise", "records", (*job).build},      // sources → record.Table
	{"keep", "rows", (*job).keep},               // sources → run directory, for later deltas
	{"block", "pairs", (*job).block},            // blocking rules → candidate pairs, counted
	{"plan", "comparisons", (*job).planCompare}, // which fields are compared, and how
	{"compare", "pairs", (*job).compare},        // candidate pairs → comparison vectors
	{"train", "vectors", (*job).train},          // comparison vectors → model
	{"score", "edges", (*job).score},            // model → edges, with a second look inside components
	{"decisions", "decisions", (*job).obey},     // what stewards decided → constraints
	{"threshold", "edges", (*job).chooseCut},    // where edges begin to join
	{"cluster", "clusters", (*job).cluster},     // edges → clusters
	{"identify", "identities", (*job).identify}, // clusters, previous run → identities that last
	{"merge", "values", (*job).merge},           // identities → golden records
	{"report", "bytes", (*job).writeReport},     // all of it → one page
	{"publish", "files", (*job).publish},        // all of it → run directory
}

// planLine is the part of the run that --dry-run does, initLine that of init:
// up to the pairs to compare, and up to how they would be compared; trainLine
// goes up to the threshold.
var (
	planLine  = lineTo("block")
	initLine  = lineTo("plan")
	trainLine = lineTo("threshold")
)

// lineTo returns the steps of a run up to one of them, without those that have
// to do with an output directory.
func lineTo(last string) (line []step) {
	for _, s := range resolveLine {
		if s.name != "online" && s.name != "keep" && s.name != "decisions" {
			line = append(line, s)
		}
		if s.name == last {
			break
		}
	}
	return line
}

// resolve runs the line and says what came of it.
func (c *cli) resolve(ctx context.Context, o *options, files []string) error {
	j, err := c.newJob(o, files)
	if err != nil {
		return err
	}
	defer j.close()
	if o.dryRun {
		if err := j.run(ctx, planLine); err != nil {
			return err
		}
		return j.printPlan(ctx)
	}
	if j.guards, err = parseGuards(o.failIf); err != nil {
		return err
	}
	if err := j.takeOut(); err != nil {
		return err
	}
	if err := j.run(ctx, resolveLine); err != nil {
		return err
	}
	if err := j.printSummary(); err != nil || len(j.heldBack) == 0 {
		return err
	}
	return fmt.Errorf("too much has changed since run %s: %s\nThe new run is written to %s but is not the current one. Look at it with sama diff current %s --out %s; to make it current: sama rollback %s --out %s",
		j.info.Previous, strings.Join(j.heldBack, "; "), j.path, j.info.ID, j.out, j.info.ID, j.out)
}
