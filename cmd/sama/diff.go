package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sama/graph/quality"
	"sama/record"
	"sama/run"

	"github.com/spf13/cobra"
)

func (c *cli) diffCommand() *cobra.Command {
	o := new(options)
	examples := 3
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "Say what changed between two runs",
		Long: `Compares the identities of two runs by their records, whatever their ids: how many are the same,
created, grown, shrunk, merged, split, regrouped or retired, with examples.

RUN is a run directory, or an output directory, whose current run is meant.`,
		Example: `  sama diff customers/runs/2026-11-22T02-00-00Z-91c0 customers
  sama diff trial customers --json --examples 10`,
		Args: arguments(2, 2, "two runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if examples < 0 {
				return usagef("--examples %d: want 0 or more", examples)
			}
			return c.diff(cmd.Context(), o, args[0], args[1], examples)
		},
	}
	o.flags(cmd, "json")
	cmd.Flags().IntVar(&examples, "examples", examples, "`number` of examples of each kind of change")
	return cmd
}

// runDifference is what diff finds, as --json prints it.
type runDifference struct {
	Before  string         `json:"before"`
	After   string         `json:"after"`
	Records recordsBetween `json:"records"`
	Changes []changeKind   `json:"changes"`
}

type recordsBetween struct {
	Before int `json:"before"`
	After  int `json:"after"`
	Both   int `json:"in_both"`
}

type changeKind struct {
	Kind     string          `json:"kind"`
	Count    int             `json:"count"`
	Examples []changeExample `json:"examples"`
}

type changeExample struct {
	Before  []string `json:"before"` // identity ids
	After   []string `json:"after"`
	Records []string `json:"records"`
}

// maxExampleRecords is how many records of one example are listed.
const maxExampleRecords = 12

func (c *cli) diff(_ context.Context, o *options, before, after string, examples int) error {
	var runs [2]*run.Run
	var members [2]*run.Members
	for i, dir := range []string{before, after} {
		r, err := pastRun(dir)
		if err != nil {
			return err
		}
		runs[i] = r
		if members[i], err = r.Members(); err != nil {
			return err
		}
	}
	d := compareRuns(members[0], members[1], examples)
	d.Before, d.After = runs[0].Info.ID, runs[1].Info.ID
	if o.json {
		return printJSON(c.stdout, d)
	}
	c.printDifference(d)
	return nil
}

// compareRuns numbers the records of both runs together, in order of their
// keys, and compares the identities.
func compareRuns(before, after *run.Members, examples int) *runDifference {
	var keys []record.Key
	var labels [2][]uint32
	add := func(k record.Key, b, a uint32) {
		keys = append(keys, k)
		labels[0], labels[1] = append(labels[0], b), append(labels[1], a)
	}
	d := &runDifference{Records: recordsBetween{Before: before.Len(), After: after.Len()}}
	b, a := uint32(0), uint32(0)
	for int(b) < before.Len() || int(a) < after.Len() {
		order := 0
		switch {
		case int(b) == before.Len():
			order = 1
		case int(a) == after.Len():
			order = -1
		default:
			order = before.Key(b).Compare(after.Key(a))
		}
		switch {
		case order < 0:
			add(before.Key(b), before.Identity[b]+1, 0)
			b++
		case order > 0:
			add(after.Key(a), 0, after.Identity[a]+1)
			a++
		default:
			add(before.Key(b), before.Identity[b]+1, after.Identity[a]+1)
			d.Records.Both++
			b, a = b+1, a+1
		}
	}
	q := quality.Compare(labels[0], labels[1])
	for kind, n := range q.Count {
		ck := changeKind{Kind: quality.ChangeKind(kind).String(), Count: n, Examples: []changeExample{}}
		for _, change := range q.Changes {
			if int(change.Kind) == kind && len(ck.Examples) < examples {
				ck.Examples = append(ck.Examples, exampleOf(change, keys, before, after))
			}
		}
		d.Changes = append(d.Changes, ck)
	}
	return d
}

func exampleOf(c quality.Change, keys []record.Key, before, after *run.Members) changeExample {
	x := changeExample{Before: []string{}, After: []string{}}
	for _, label := range c.Before {
		x.Before = append(x.Before, before.Identities.At(label-1))
	}
	for _, label := range c.After {
		x.After = append(x.After, after.Identities.At(label-1))
	}
	for _, r := range c.Records[:min(len(c.Records), maxExampleRecords)] {
		x.Records = append(x.Records, keys[r].String())
	}
	return x
}

func (c *cli) printDifference(d *runDifference) {
	w := c.stdout
	fmt.Fprintf(w, "From run %s to run %s: %s of %s and %s are in both.\n\n", d.Before, d.After,
		plural(d.Records.Both, "record", "records"), count(d.Records.Before), count(d.Records.After))
	t := newTable("identities", "").right(2)
	for _, k := range d.Changes {
		t.row(k.Kind, count(k.Count))
	}
	t.write(w, "  ")
	for _, k := range d.Changes {
		if len(k.Examples) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", strings.ToUpper(k.Kind[:1])+k.Kind[1:])
		for _, x := range k.Examples {
			way := slices.DeleteFunc([]string{joinComma(x.Before), joinComma(x.After)}, func(s string) bool { return s == "" })
			fmt.Fprintf(w, "  %s: %s\n", strings.Join(way, " → "), printable(joinComma(x.Records)))
		}
	}
}
